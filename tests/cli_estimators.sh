#!/bin/sh
# `synergy phiid --estimator` and `--transform`: the numbers of the same analysis of series that were prepared elsewhere, with
# every null, pooled or not, for any number of threads; and what they refuse.
. ./cli.sh
data=data/cli

same() {
    if cmp "$2" "$3" > "$work/cmp" 2>&1; then good; else bad "$1:" "$work/cmp"; fi
}

# near TEXT A B: synergy and redundancy of every unit within 1e-12
near() {
    if awk -F, 'FNR == NR { s[FNR] = $4; r[FNR] = $5; n = FNR; next }
            FNR > 1 { a = $4 - s[FNR]; b = $5 - r[FNR]; if ($4 == "" || a * a > 1e-24 || b * b > 1e-24) exit 1 }
            END { exit FNR != n }' "$2/units.csv" "$3/units.csv"; then good; else bad "$1" "$3/units.csv"; fi
}

# positive, coupled, skew; ties in one column
awk 'BEGIN { srand(5); print "a,b,c,d"; for (k = 0; k < 4; k++) v[k] = 0
    for (t = 0; t < 90; t++) { row = ""
        for (k = 0; k < 4; k++) { v[k] = 0.5 * v[k] + 0.3 * v[(k + 1) % 4] + rand() - 0.5
            x = exp(2 * v[k]); row = row (k ? "," : "") sprintf("%.17g", k == 2 ? int(4 * x) + 1 : x) }
        print row } }' > "$work/raw.csv"
awk -F, 'NR == 1 { print; next } { for (k = 1; k <= NF; k++) printf "%s%.17g", (k > 1 ? "," : ""), log($k); print "" }' \
    "$work/raw.csv" > "$work/log.csv"
run 0 "raw" phiid "$work/raw.csv" -o "$work/raw" --resamples 0
run 0 "logarithms by awk" phiid "$work/log.csv" -o "$work/bylog" --resamples 0
run 0 "--transform log" phiid "$work/raw.csv" -o "$work/log" --transform log --resamples 0
near "--transform log is the analysis of logarithms" "$work/bylog" "$work/log"
if cmp -s "$work/raw/synergy.npy" "$work/log/synergy.npy"; then bad "--transform log does nothing"; else good; fi
run 0 "copula" phiid "$work/raw.csv" -o "$work/copula" --estimator copula --resamples 0
run 0 "copula of logarithms" phiid "$work/log.csv" -o "$work/copula2" --estimator copula --resamples 0
same "only ranks count" "$work/copula/synergy.npy" "$work/copula2/synergy.npy"
run 0 "copula, pooled" phiid "$work/raw.csv" -o "$work/copool" --estimator copula --pool --resamples 0
near "one prompt pooled" "$work/copula" "$work/copool"
if have python3; then
    python3 - "$work/raw.csv" > "$work/scores.csv" <<'PY'
import statistics, sys
rows = [line.split(",") for line in open(sys.argv[1]).read().split()]
columns, n = list(zip(*[[float(v) for v in r] for r in rows[1:]])), len(rows) - 1
rank = lambda c, v: (sum(u < v for u in c) + sum(u <= v for u in c) + 1) / 2
score = [[statistics.NormalDist().inv_cdf(rank(c, v) / (n + 1)) for v in c] for c in columns]
print(",".join(rows[0]))
for row in zip(*score): print(",".join(repr(v) for v in row))
PY
    run 0 "normal scores by python" phiid "$work/scores.csv" -o "$work/scores" --resamples 0
    near "--estimator copula is the analysis of normal scores" "$work/scores" "$work/copula"
else
    skip "no python3 to rank"
fi
run 0 "binary" phiid "$work/raw.csv" -o "$work/binary" --estimator binary --resamples 0
run 0 "binary, pooled" phiid "$work/raw.csv" -o "$work/bipool" --estimator binary --pool --resamples 0
near "one prompt pooled, binary" "$work/binary" "$work/bipool"
awk -F, 'NR == 1 { print; next } { print 3 * $1 + 7 "," $2 "," $3 "," $4 }' "$work/raw.csv" > "$work/scaled.csv"
run 0 "binary of other units" phiid "$work/scaled.csv" -o "$work/scaled" --estimator binary --resamples 0
near "two levels know no scale" "$work/binary" "$work/scaled"
awk -F, 'NR == 1 { print $0 ",copy"; next } { print $0 "," $1 }' "$work/raw.csv" > "$work/copy.csv"
run 0 "a copy has two levels like any other" phiid "$work/copy.csv" -o "$work/copy" --estimator binary --surrogates 40 --pairs-csv
if grep -q '"sound": 10' "$work/copy/phiid.json"; then good; else bad "binary flags a copy"; fi
if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $1 == "a" && $2 == "copy" { exit !($(at["redundancy_p"]) < 0.05) }' \
    "$work/copy/pairs.csv"; then good; else bad "a copy is shifted with its original" "$work/copy/pairs.csv"; fi

for estimator in copula binary; do
    for null in shift phase shuffle iaaft; do
        run 0 "$estimator, $null" phiid $data/norms.npy -o "$work/t1" --estimator $estimator --surrogates 20 --null $null --force -t 1
        run 0 "$estimator, $null, threads" phiid $data/norms.npy -o "$work/t3" --estimator $estimator --surrogates 20 --null $null --force -t 3
        same "$estimator, $null: depends on the number of threads" "$work/t1/units.csv" "$work/t3/units.csv"
    done
    run 0 "$estimator, CCS" phiid $data/norms.npy -o "$work/ccs" --estimator $estimator --redundancy ccs --force --atoms --local 0.1:3.2
    if grep -q "\"estimator\": \"$estimator\"" "$work/ccs/phiid.json"; then good; else bad "the setting is not told"; fi
    run 1 "another estimator" phiid $data/norms.npy -o "$work/ccs" --redundancy ccs
    says estimator
done

# under every estimator: each folder is the run of that estimator, and the table says what holds under all
run 0 "robustness" phiid $data/norms.npy -o "$work/all" --robustness --surrogates 25
for row in gaussian-log copula binary binary-log; do
    run 0 "alone: $row" phiid $data/norms.npy -o "$work/alone" --surrogates 20 --force --estimator "${row%-log}" \
        --transform "$(case $row in *-log) echo log ;; *) echo none ;; esac)"
    same "robustness, $row: another result than its own run" "$work/alone/units.csv" "$work/all/estimators/$row/units.csv"
done
if [ ! -e "$work/all/estimators/gaussian" ] && [ "$(wc -l < "$work/all/robustness.csv")" -eq 6 ] &&
    [ "$(grep -c ',yes,24,' "$work/all/robustness.csv")" -eq 1 ]; then good; else bad "robustness.csv" "$work/all/robustness.csv"; fi
run 0 "robustness again" phiid $data/norms.npy -o "$work/all" --robustness --surrogates 25 --force --estimator copula
if grep -q 'more redundancy than in surrogates: yes under all 5 estimators' "$work/stdout" &&
    [ -e "$work/all/estimators/gaussian/units.csv" ] && grep -q '^copula,none,yes,' "$work/all/robustness.csv"; then good
else bad "another main estimator" "$work/stdout"; fi
# columns by name: what is told is what the folders hold
if awk -F, 'FNR == 1 { for (i = 1; i <= NF; i++) at[FILENAME, $i] = i; next }
        FILENAME ~ /units/ { sum += $(at[FILENAME, "synergy"]); n++; next }
        $1 == "gaussian" && $2 == "none" { d = $(at[FILENAME, "synergy"]) - sum / n; found = d * d < 1e-24 && n == 24 }
        END { exit !found }' "$work/all/estimators/gaussian/units.csv" "$work/all/robustness.csv"; then good
else bad "robustness.csv has other means than the folder" "$work/all/robustness.csv"; fi
run 0 "its report" report "$work/all"
for words in 'id="robustness"' 'ranks (copula)' 'figures/robust' ; do
    case $words in figures*) [ -s "$work/all/figures/robust-difference.svg" ] ;; *) grep -q "$words" "$work/all/report.html" ;; esac &&
        good || bad "the report says nothing of $words"
done
run 0 "another lag" phiid $data/norms.npy -o "$work/all" --tau 2 --force
run 0 "its report, too" report "$work/all"
if grep -q 'id="robustness"' "$work/all/report.html"; then bad "estimators of another lag are told"; else good; fi

# ---- samples that are missing: ranks are those of the samples that are there, each once
awk 'NR == 1 || (NR * 7) % 11 { print; next } { sub(/^[^,]*/, ""); print }' "$work/raw.csv" > "$work/gaps.csv"
awk -F, 'NR == 1 { print; next } $1 != ""' "$work/gaps.csv" > "$work/there.csv"
if have python3; then
    python3 - "$work/gaps.csv" > "$work/gapscores.csv" <<'PY'
import statistics, sys
lines = [line.rstrip("\n").split(",") for line in open(sys.argv[1])]
rows = [[float(v) for v in r] if all(r) else None for r in lines[1:]]
there = [r for r in rows if r]
columns, n = list(zip(*there)), len(there)
rank = lambda c, v: (sum(u < v for u in c) + sum(u <= v for u in c) + 1) / 2
print(",".join(lines[0]))
for r in rows:
    print(",".join(repr(statistics.NormalDist().inv_cdf(rank(c, v) / (n + 1))) for c, v in zip(columns, r)) if r else ",,,")
PY
    run 0 "scores with gaps" phiid "$work/gapscores.csv" -o "$work/gapscores" --missing drop --resamples 0
    run 0 "copula with gaps" phiid "$work/gaps.csv" -o "$work/gapcopula" --missing drop --resamples 0 --estimator copula
    near "ranks of the samples that are there" "$work/gapscores" "$work/gapcopula"
    run 0 "pooled copula with gaps" phiid "$work/gaps.csv" -o "$work/gappool" --missing drop --resamples 0 --estimator copula --pool
    near "the same, pooled" "$work/gapscores" "$work/gappool"
else
    skip "no python3 to rank"
fi
run 0 "gaussian with gaps" phiid "$work/gaps.csv" -o "$work/gapgauss" --missing drop --resamples 0
run 0 "copula with gaps" phiid "$work/gaps.csv" -o "$work/gapcopula" --missing drop --resamples 0 --estimator copula
means() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "mean_norm") at = i; next } { printf "%.12g ", $at }' "$1/units.csv"
}
if [ "$(means "$work/gapgauss")" = "$(means "$work/gapcopula")" ]; then good; else bad "the mean is one of ranks" "$work/gapcopula/units.csv"; fi
# rows missing at the start only: the table without them
awk 'NR > 1 && NR < 5 { print ",,,"; next } { print }' "$work/raw.csv" > "$work/late.csv"
sed 2,4d "$work/raw.csv" > "$work/cut.csv"
for estimator in gaussian copula binary; do
    run 0 "late, $estimator" phiid "$work/late.csv" -o "$work/late" --missing drop --resamples 0 --force --estimator $estimator
    run 0 "cut, $estimator" phiid "$work/cut.csv" -o "$work/cut" --resamples 0 --force --estimator $estimator
    near "$estimator: missing rows at the start are no rows" "$work/late" "$work/cut"
    for null in shift phase shuffle iaaft; do
        run 0 "gaps, $estimator, $null" phiid "$work/gaps.csv" -o "$work/t1" --missing drop --force --estimator $estimator --surrogates 20 --null $null -t 1
        run 0 "gaps, $estimator, $null, threads" phiid "$work/gaps.csv" -o "$work/t3" --missing drop --force --estimator $estimator --surrogates 20 --null $null -t 3
        same "gaps, $estimator, $null: depends on the number of threads" "$work/t1/units.csv" "$work/t3/units.csv"
        if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
                !($(at["synergy_p"]) > 0 && $(at["synergy_p"]) <= 1 && $(at["surrogates"]) == 20) { exit 1 }' "$work/t1/units.csv"; then good
        else bad "gaps, $estimator, $null: no test" "$work/t1/units.csv"; fi
    done
done

# ---- unrelated series with memory and gaps: p is what it says, whatever keeps the memory
i=0
while [ $i -lt 3 ]; do
    i=$((i + 1))
    awk -v seed=$i 'function uniform() { s = (s * 16807) % 2147483647; return s / 2147483647 }
        BEGIN { s = 1000 + seed; for (u = 0; u < 12; u++) { v[u] = 0; printf "%su%d", u ? "," : "", u } print ""
            for (t = 0; t < 200; t++) { gap = uniform() < 0.12
                for (u = 0; u < 12; u++) { e = -6; for (k = 0; k < 12; k++) e += uniform()
                    v[u] = 0.7 * v[u] + e; printf "%s%s", u ? "," : "", gap && u == 3 ? "" : v[u] }
                print "" } }' > "$work/ar$i.csv"
done
for how in "gaussian shift" "gaussian phase" "gaussian iaaft" "copula shift" "copula phase" "binary shift" "binary phase"; do
    : > "$work/p"
    for i in 1 2 3; do
        run 0 "$how, gaps" phiid "$work/ar$i.csv" -o "$work/ar" --missing drop --force --surrogates 39 --resamples 0 --pairs-csv \
            --estimator "${how% *}" --null "${how#* }"
        awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $(at["synergy_p"]), $(at["redundancy_p"]) }' "$work/ar/pairs.csv" >> "$work/p"
    done
    if awk '{ for (k = 1; k <= 2; k++) { sum[k] += $k; low[k] += $k <= 0.1; n[k]++ } }
            END { for (k = 1; k <= 2; k++) if (sum[k] / n[k] < 0.3 || sum[k] / n[k] > 0.7 || low[k] / n[k] > 0.25 || low[k] / n[k] < 0.02) bad = 1
                print sum[1] / n[1], low[1] / n[1], sum[2] / n[2], low[2] / n[2]; exit bad || n[1] != 198 }' "$work/p" > "$work/told"; then good
    else bad "$how: p of unrelated series with gaps is not uniform" "$work/told"; fi
done

# without a logarithm: the unit is left out, in words
awk 'BEGIN { print "a,b,c"; for (t = 0; t < 40; t++) print 1 + t * t % 7 "," 2 + t * t * t % 11 "," t * t % 5 }' > "$work/zero.csv"
run 0 "a zero has no logarithm" phiid "$work/zero.csv" -o "$work/zero" --transform log
if grep -q '"NONFINITE": 2' "$work/zero/phiid.json" && grep -q 'no logarithms' "$work/zero/phiid.json"; then good
else bad "what has no logarithm is not flagged" "$work/zero/phiid.json"; fi
run 2 "quantiles of two levels" phiid $data/norms.npy -o "$work/none" --estimator binary --normalise quantile
run 2 "a covariance of two levels" phiid $data/norms.npy -o "$work/none" --estimator binary --save-cov "$work/x.cov"
run 0 "a covariance" phiid $data/norms.npy -o "$work/x" --save-cov "$work/x.cov" --resamples 0
run 1 "two levels of a covariance" phiid "$work/x.cov" -o "$work/none" --estimator binary
says "needs the samples"
run 2 "no such estimator" phiid $data/norms.npy -o "$work/none" --estimator kernel
finish
