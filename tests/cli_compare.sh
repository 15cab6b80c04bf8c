#!/bin/sh
# `synergy compare`: agreement against sums done here in awk, profiles as they stand in the folders, what is refused and why.
# numbers are split into words on purpose
# shellcheck disable=SC2046
. ./cli.sh
named="synergy compare"

# has WORDS: the last output contains them
has() {
    if grep -qF -- "$1" "$work/stdout"; then good; else bad "the output does not say '$1'" "$work/stdout"; fi
}

# near TEXT GOT WANT: to 1e-9
near() {
    if awk -v a="$2" -v b="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d < 1e-9 && d > -1e-9) }'; then
        good
    else
        bad "$1: $2, expected $3"
    fi
}

# value KEY: the first number of that name in the last output; value3 KEY: value, low and high
value() {
    sed -n "s/^ *\"$1\": \([^,{]*\),*\$/\1/p" "$work/stdout" | head -n 1
}
value3() {
    sed -n "s/^ *\"$1\": {\"value\": \([^,]*\), \"low\": \([^,]*\), \"high\": \([^}]*\)}.*/\1 \2 \3/p" "$work/stdout" | tail -n 1
}

phiid() {
    "$synergy" phiid "$@" > "$work/out" 2>&1 || bad "phiid $*" "$work/out"
}

phiid data/cli/norms.npy -o "$work/one"
phiid data/cli/norms.npy -o "$work/two" --tau 3
phiid data/cli/small.npy -o "$work/small" --resamples 0
awk 'BEGIN { srand(3); for (t = 0; t < 80; t++) for (i = 0; i < 33; i++) { x[i] = i / 40 * x[i] + rand(); printf "%.6f%s", x[i], i < 32 ? "," : "\n" } }' \
    > "$work/other.csv"
phiid "$work/other.csv" -o "$work/other" --layers 11 --resamples 0

# ---- the same units: ranks of all of them, and who is in the top quarter
run 0 "two lags" compare "$work/one" "$work/two" -o "$work/a.html" --json
cp "$work/stdout" "$work/a.json"
paste -d, "$work/one/units.csv" "$work/two/units.csv" | awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "rank_difference") at[++k] = i; next }
    { x[++n] = $at[1]; y[n] = $at[2] }
    function rank(v, i,   j, r) { r = 0.5; for (j = 1; j <= n; j++) r += v[j] < v[i] ? 1 : v[j] == v[i] ? 0.5 : 0; return r }
    function top(v, i,   j, above) { above = 0; for (j = 1; j <= n; j++) above += v[j] > v[i] || (v[j] == v[i] && j < i); return above < int(n / 4) }
    function choose(a, b,   i, c) { c = 1; for (i = 1; i <= b; i++) c *= (a - b + i) / i; return c }
    END {
        for (i = 1; i <= n; i++) { a = rank(x, i) - (n + 1) / 2; b = rank(y, i) - (n + 1) / 2; ab += a * b; aa += a * a; bb += b * b }
        for (i = 1; i <= n; i++) both += top(x, i) && top(y, i)
        m = int(n / 4)
        for (k = 0; k <= m; k++) {
            c = choose(m, k) * choose(n - m, m - k) / choose(n, m)
            mean += c * k / (2 * m - k)
            if (k >= both) p += c
        }
        printf "%.12f %d %.12f %.12f %.12f %d\n", ab / sqrt(aa * bb), both, both / (2 * m - both), mean, p, m
    }' > "$work/want"
read -r rho both jaccard chance p quarter < "$work/want"
set -- $(value3 spearman)
near "Spearman of the units" "$1" "$rho"
# Bonett and Wright: z +- 1.96 sqrt((1 + rho^2 / 2) / (n - 3))
near "its lower end" "$2" "$(awk -v r="$rho" 'BEGIN { z = log((1 + r) / (1 - r)) / 2 - 1.959963984540054 * sqrt((1 + r * r / 2) / 21); e = exp(2 * z); printf "%.12f", (e - 1) / (e + 1) }')"
if grep -q '"by": "units"' "$work/stdout"; then good; else bad "not by units" "$work/stdout"; fi
near "units in a quarter" "$(value top_quarter)" "$quarter"
near "units shared" "$(value shared)" "$both"
set -- $(value3 jaccard)
near "Jaccard" "$1" "$jaccard"
# the ends are those of Clopper and Pearson: the tails have 2.5 % there
if awk -v k="$both" -v n="$quarter" -v low="$2" -v high="$3" '
    function tail(p, from, to,   i, j, c, s) { for (i = from; i <= to; i++) { c = 1; for (j = 1; j <= i; j++) c *= (n - i + j) / j; s += c * p ^ i * (1 - p) ^ (n - i) } return s }
    function share(jaccard) { return 2 * jaccard / (1 + jaccard) }
    BEGIN { a = k > 0 ? tail(share(low), k, n) : 0.025; b = k < n ? tail(share(high), 0, k) : 0.025
            exit !(a > 0.02499 && a < 0.02501 && b > 0.02499 && b < 0.02501) }'; then good; else bad "the interval of the Jaccard index: $*"; fi
set -- $(value3 jaccard_by_chance)
near "Jaccard by chance" "$1" "$chance"
near "chance of as many" "$(value p)" "$p"
has '"notes": ['
has 'Different tau: 1 in one; 3 in two.'
near "layers" "$(value layers)" 4

# the profiles are those of the folders, and the percentile's band holds the percentile
awk -F, 'FNR == 1 { next } FILENAME ~ /profile/ && $1 == "rank-difference" { mean[$2] = $4; low[$2] = $7; high[$2] = $8; per[$2] = $6; next }
    $1 == "one" { n++; if ($6 != mean[$4] || $7 != low[$4] || $8 != high[$4] || $9 != per[$4]) { print; bad++ } }
    $1 == "one" && ($10 > $9 || $11 < $9 || $10 < 0 || $11 > 1) { print; bad++ }
    END { print n, bad + 0; exit !(n == 4 && bad == 0) }' "$work/one/profile.csv" "$work/a.csv" > "$work/out"
if [ $? -eq 0 ]; then good; else bad "the CSV differs from profile.csv" "$work/out"; fi

# ---- a folder and itself
cp -r "$work/one" "$work/copy"
run 0 "itself" compare "$work/one" "$work/copy" -o "$work/b.html" --json --score synergy
set -- $(value3 spearman)
near "Spearman with itself" "$1" 1
set -- $(value3 jaccard)
near "Jaccard with itself" "$1" 1
near "its upper end" "$3" 1
has '"notes": []'
has '"score": "synergy"'

# ---- other models: profiles over depth, at the depths of the one with fewer layers
run 0 "other layers" compare "$work/one" "$work/other" -o "$work/c.html" --json
has '"by": "profiles"'
awk -F, 'FNR == 1 { file++; next } $1 == "rank-difference" { v[file, $2] = $4; n[file]++ }
    function rank(w, m, i,   j, r) { r = 0.5; for (j = 0; j < m; j++) r += w[j] < w[i] ? 1 : w[j] == w[i] ? 0.5 : 0; return r }
    END {
        m = n[1]
        for (l = 0; l < m; l++) {
            place = l / (m - 1) * (n[2] - 1); k = int(place); part = place - k
            x[l] = v[1, l]; y[l] = part > 0 ? (1 - part) * v[2, k] + part * v[2, k + 1] : v[2, k]
        }
        for (l = 0; l < m; l++) { a = rank(x, m, l) - (m + 1) / 2; b = rank(y, m, l) - (m + 1) / 2; ab += a * b; aa += a * a; bb += b * b }
        printf "%.12f\n", ab / sqrt(aa * bb)
    }' "$work/one/profile.csv" "$work/other/profile.csv" > "$work/want"
set -- $(value3 spearman)
near "Spearman of the profiles" "$1" "$(cat "$work/want")"
if grep -q top_quarter "$work/stdout"; then bad "units of different models are compared"; else good; fi
has 'different numbers of units'
run 0 "three, in words" compare "$work/one" "$work/two" "$work/other" -o "$work/d.html" --labels 'A <b>,B&C,"D"'
has '1, 2 by units: Spearman'
has '1, 3 by profiles: Spearman'
has 'The shapes of all 3 profiles are open, since fewer than 10 prompts cannot tell'

# ---- the page
for word in '1 A &lt;b&gt;' '2 B&amp;C' '&quot;D&quot;' 'prefers-color-scheme' '@media print' '<caption>' 'role="img"' 'Jaccard'; do
    if grep -qF -- "$word" "$work/d.html"; then good; else bad "the page has no $word"; fi
done
if grep -qiE '<script|<link|src="http|url\(http|@import|<b>[,<]' "$work/d.html"; then bad "the page has a script, loads something, or does not escape"; else good; fi
if have python3; then
    try "the JSON is JSON" python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); m = d["spearman"]; assert m[0][1] == m[1][0] and m[0][0] == 1' "$work/a.json"
fi
cp "$work/a.html" "$work/first.html"
run 0 "again" compare "$work/one" "$work/two" -o "$work/a.html" --json --force
if cmp -s "$work/first.html" "$work/a.html" && cmp -s "$work/a.json" "$work/stdout"; then good; else bad "two runs differ"; fi
run 0 "folders of one name" compare "$work/one" "$work/./one/" -o "$work/e.html"
has "$work/./one/"

# what the first folder does not tell does not hide how the others differ
cp -r "$work/one" "$work/silent"
grep -v '"tau":' "$work/one/phiid.json" > "$work/silent/phiid.json"
run 0 "a folder that does not tell tau" compare "$work/silent" "$work/one" "$work/two" -o "$work/g.html"
has 'Different tau: not told in silent; 1 in one; 3 in two.'
run 0 "one that does not tell is no difference" compare "$work/silent" "$work/one" -o "$work/h.html"
if grep -q 'Different tau' "$work/stdout"; then bad "what one folder does not tell is called different" "$work/stdout"; else good; fi

# layers are numbered as the model numbers them
cp -r "$work/one" "$work/late"
awk -F, 'BEGIN { OFS = "," } NR > 1 { $2 += 3; $1 = $2 "." $3 } { print }' "$work/one/units.csv" > "$work/late/units.csv"
run 0 "layers from 3 on" compare "$work/one" "$work/late" -o "$work/i.html"
if awk -F, '$1 == "late" { n++; if ($4 != 2 + n) exit 1 } END { exit n != 4 }' "$work/i.csv"; then good; else bad "layers of the CSV" "$work/i.csv"; fi

# the command of the page can be given to a shell as it is
mkdir "$work/it's <here>"
cp -r "$work/one" "$work/it's <here>/a b"
run 0 "names to quote" compare "$work/it's <here>/a b" "$work/two" -o "$work/it's <here>/x y.html" --labels 'one & all,2' --score synergy
command=$(sed -n 's/^.*<pre>synergy \(compare.*\)<\/pre>.*/\1/p' "$work/it's <here>/x y.html" | sed 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&#39;/'"'"'/g; s/&amp;/\&/g')
cp "$work/it's <here>/x y.html" "$work/before.html"
(eval "set -- $command") 2> /dev/null || command=compare # a shell ends at what it cannot read
eval "set -- $command"
run 0 "the command of the page" "$@" --force
try "it makes the same page" cmp "$work/before.html" "$work/it's <here>/x y.html"

# ---- refusals
run 2 "no folder" compare
run 2 "one folder" compare "$work/one" -o "$work/x.html"
run 2 "no output" compare "$work/one" "$work/two"
says '-o FILE.html'
run 2 "too few labels" compare "$work/one" "$work/two" -o "$work/x.html" --labels A
run 2 "too many labels" compare "$work/one" "$work/two" -o "$work/x.html" --labels A,B,C
says 'A,B,C'
run 2 "an empty label" compare "$work/one" "$work/two" -o "$work/x.html" --labels A,
set --
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13; do set -- "$@" "$work/one"; done
run 2 "thirteen folders" compare "$@" -o "$work/x.html"
run 1 "no such folder" compare "$work/one" "$work/none" -o "$work/x.html"
says "$work/none"
run 1 "no results" compare "$work/one" data -o "$work/x.html"
says 'data: holds no phiid.json'
run 1 "one layer" compare "$work/one" "$work/small" -o "$work/x.html"
says "$work/small: has 1 layer;"
for file in units.csv profile.csv; do
    rm -rf "$work/part"
    cp -r "$work/one" "$work/part"
    rm "$work/part/$file"
    run 1 "no $file" compare "$work/two" "$work/part" -o "$work/x.html"
    says "$work/part/$file"
done
run 1 "no such score" compare "$work/one" "$work/two" -o "$work/x.html" --score beauty
says "'beauty'"
run 1 "no excess" compare "$work/one" "$work/two" -o "$work/x.html" --score excess
says '--surrogates'
run 1 "an output that exists" compare "$work/one" "$work/two" -o "$work/a.html"
says "$work/a.html"
echo "mine" > "$work/f.csv"
run 1 "data that exist" compare "$work/one" "$work/two" -o "$work/f.html"
says "$work/f.csv"
if [ "$(cat "$work/f.csv")" = mine ] && [ ! -e "$work/f.html" ]; then good; else bad "a refusal changed files"; fi
run 1 "an output that is a folder" compare "$work/one" "$work/two" -o "$work/one"
run 1 "a folder that is not there" compare "$work/one" "$work/two" -o "$work/none/x.html"
if [ ! -e "$work/x.html" ] && [ ! -e "$work/x.csv" ] && [ -z "$(find "$work" -name '*.part')" ]; then good; else bad "a refusal left files"; fi
finish
