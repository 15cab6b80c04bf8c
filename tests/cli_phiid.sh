#!/bin/sh
# `synergy phiid` and `synergy report`: numbers against references, every form of input, the same bytes for any number of
# threads, what may be overwritten, and one clear line for what is wrong.
. ./cli.sh
data=data/cli

# near TEXT EXPECTED.csv GOT.csv TOLERANCE: every column of EXPECTED is in GOT with the same values (row by row)
near() {
    awk -F, -v tolerance="$4" '
        FNR == 1 && NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; columns = NF; next }
        FNR == NR { for (i = 1; i <= NF; i++) want[FNR, i] = $i; rows = FNR; next }
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        FNR <= rows {
            for (i = 1; i <= columns; i++) {
                if (!(name[i] in at)) { print "no column " name[i]; exit 1 }
                got = $(at[name[i]])
                d = got - want[FNR, i]
                if (got == "" || d > tolerance || -d > tolerance) {
                    print "row " FNR - 1 ", " name[i] ": " got ", expected " want[FNR, i]; wrong++
                }
            }
            seen = FNR
        }
        END { if (seen != rows) { print "too few rows"; wrong++ } exit wrong > 0 }' "$2" "$3" > "$work/near" ||
        { bad "$1:" "$work/near"; return; }
    good
}

same() {
    if cmp "$2" "$3" > "$work/cmp" 2>&1; then good; else bad "$1:" "$work/cmp"; fi
}

bytes() {
    if [ "$(wc -c < "$2")" -eq "$3" ]; then good; else bad "$1: $(wc -c < "$2") bytes, expected $3"; fi
}

# ---- the program
run 0 "help" --help
run 0 "help of a command" phiid --help
for word in --tau --redundancy --atoms --score --min-length --threads --output; do
    if grep -qe "$word" "$work/stdout"; then good; else bad "phiid --help does not show $word"; fi
done
run 0 "version" --version
run 0 "version of a command" phiid --version
run 2 "no command"
run 2 "unknown command" frobnicate
says frobnicate
run 2 "no input" phiid
run 2 "no output" phiid $data/norms.npy
run 2 "unknown option" phiid $data/norms.npy -o "$work/x" --nothing
run 2 "tau is not a number" phiid $data/norms.npy -o "$work/x" --tau one
run 2 "tau is too small" phiid $data/norms.npy -o "$work/x" --tau 0
run 2 "no such score" phiid $data/norms.npy -o "$work/x" --score best
[ ! -e "$work/x" ] || bad "a usage error made the folder"

# ---- numbers
run 0 "norms" phiid $data/norms.npy -o "$work/norms" --atoms -t 1
near "units" $data/norms_units.csv "$work/norms/units.csv" 1e-13
near "profile" $data/norms_profile.csv "$work/norms/profile.csv" 1e-12
bytes "synergy.npy" "$work/norms/synergy.npy" $((128 + 24 * 24 * 8))
bytes "redundancy.npy" "$work/norms/redundancy.npy" $((128 + 24 * 24 * 8))
bytes "atoms.npy" "$work/norms/atoms.npy" $((128 + 5 * 276 * 16 * 8))
bytes "flags.npy" "$work/norms/flags.npy" $((128 + 5 * 276))
head=$(head -n 1 "$work/norms/units.csv" | cut -d, -f 1-12)
if [ "$head" = unit,layer,index,synergy,redundancy,synergy_rank,redundancy_rank,rank_difference,difference,difference_rank,balance,score ]; then
    good
else
    bad "the columns of units.csv: $head"
fi
head=$(head -n 1 "$work/norms/profile.csv")
if [ "$head" = score_name,layer,depth,mean,minmax,percentile,low,high ]; then good; else bad "the columns of profile.csv: $head"; fi

# the intervals of a unit hold its own value
if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $(at["synergy_low"]) == "" || $(at["synergy_low"]) > $4 || $(at["synergy_high"]) < $4 { exit 1 }' "$work/norms/units.csv"; then
    good
else
    bad "synergy outside its interval"
fi

run 0 "threads" phiid $data/norms.npy -o "$work/threads" --atoms -t 3
for file in synergy.npy redundancy.npy atoms.npy flags.npy units.csv profile.csv phiid.json; do
    same "$file depends on the number of threads" "$work/norms/$file" "$work/threads/$file"
done

run 0 "another score" phiid $data/norms.npy -o "$work/score" --score difference
if sed -n 2p "$work/score/profile.csv" | grep -q '^difference,0,0,'; then good; else bad "the chosen score is not the first"; fi
if awk -F, 'NR > 1 && $12 != $10 { exit 1 }' "$work/score/units.csv"; then good; else bad "score is not the rank of the difference"; fi
run 0 "surrogates" phiid $data/small.npy -o "$work/excess" --score excess --surrogates 20
if head -n 1 "$work/excess/units.csv" | grep -q 'excess,synergy_null'; then good; else bad "no column excess"; fi
run 0 "surrogates again" phiid $data/small.npy -o "$work/excess2" --score excess --surrogates 20 -t 1
same "surrogates with one thread" "$work/excess/units.csv" "$work/excess2/units.csv"
run 0 "CCS" phiid $data/norms.npy -o "$work/ccs" --redundancy ccs
if cmp -s "$work/ccs/synergy.npy" "$work/norms/synergy.npy"; then bad "CCS gives the numbers of MMI"; else good; fi

# ---- other ways to analyse
for kind in linear quadratic mean; do
    run 0 "--detrend $kind" phiid $data/norms.npy -o "$work/$kind" --detrend $kind
    near "--detrend $kind" $data/norms_${kind}_units.csv "$work/$kind/units.csv" 1e-12
done
if [ "$(cut -d, -f 25 "$work/linear/units.csv")" = "$(cut -d, -f 25 "$work/norms/units.csv")" ]; then
    bad "a trend taken out leaves the mean norm to the last digit" # it may differ by rounding only
else
    good
fi
run 1 "--detrend mean of one prompt" phiid $data/one.npy -o "$work/none" --detrend mean
says "two prompts"
awk 'BEGIN { print "a,b,c"; for (t = 0; t < 50; t++) print 3 + 2 * t "," sin(t * t) "," cos(3 * t) + sin(t / 7) }' > "$work/line.csv"
run 0 "a straight line without its line is a constant" phiid "$work/line.csv" -o "$work/line" --detrend linear
if grep -q '"CONSTANT": 2' "$work/line/phiid.json"; then good; else bad "a line without its line is not flagged"; fi

run 0 "--pool" phiid $data/norms.npy -o "$work/pool" --pool --tau 3 --atoms
near "--pool" $data/norms_pooled_units.csv "$work/pool/units.csv" 1e-13
bytes "pooled atoms.npy" "$work/pool/atoms.npy" $((128 + 276 * 16 * 8))
run 0 "--pool, threads" phiid $data/norms.npy -o "$work/pool2" --pool --tau 3 --atoms -t 1
same "--pool depends on the number of threads" "$work/pool/phiid.json" "$work/pool2/phiid.json"
run 0 "--pool of one prompt is that prompt" phiid $data/one.npy -o "$work/pool1" --pool
near "--pool of one prompt" $data/one_units.csv "$work/pool1/units.csv" 1e-13

run 0 "--save-cov" phiid $data/norms.npy -o "$work/x1" --tau 3 --save-cov "$work/all.cov" --layers 4
run 0 "a covariance file" phiid "$work/all.cov" -o "$work/cov" --layers 4
near "a covariance file" $data/norms_pooled_units.csv "$work/cov/units.csv" 1e-13
run 1 "--save-cov over a file" phiid $data/norms.npy -o "$work/x1" --tau 3 --save-cov "$work/all.cov"
says --force
run 1 "another tau" phiid "$work/all.cov" -o "$work/none" --tau 2
says "tau 3"
run 1 "surrogates of a covariance" phiid "$work/all.cov" -o "$work/none" --surrogates 5
says samples
run 1 "layers that do not divide" phiid "$work/all.cov" -o "$work/none" --layers 5
head -c 4000 "$work/all.cov" > "$work/cut.cov"
run 1 "a cut covariance" phiid "$work/cut.cov" -o "$work/none"
# two recordings: their covariances merge into what both together give
if have python3 && python3 -c 'import numpy' 2> /dev/null; then
    python3 -c "
import numpy, sys
a = numpy.load('$data/norms.npy')
numpy.save('$work/a.npy', a[:2]); numpy.save('$work/b.npy', a[2:])"
    run 0 "one machine" phiid "$work/a.npy" -o "$work/xa" --tau 3 --save-cov "$work/a.cov"
    run 0 "another machine" phiid "$work/b.npy" -o "$work/xb" --tau 3 --save-cov "$work/b.cov"
    run 0 "merge of covariances" merge "$work/a.cov" "$work/b.cov" -o "$work/ab.cov"
    run 0 "what was merged" phiid "$work/ab.cov" -o "$work/ab" --layers 4
    near "what was merged" $data/norms_pooled_units.csv "$work/ab/units.csv" 1e-13
    run 0 "of another lag" phiid "$work/b.npy" -o "$work/xb" --tau 2 --save-cov "$work/b2.cov" --force
    run 1 "merge of other lags" merge "$work/a.cov" "$work/b2.cov" -o "$work/none.cov"
else
    skip "no numpy to split a recording"
fi

run 0 "--normalise quantile" phiid $data/norms.npy -o "$work/quantile" --normalise quantile --atoms -t 1
sed 's/,synergy,redundancy/,synergy_quantile,redundancy_quantile/' $data/norms_quantile_units.csv > "$work/quantile.csv"
near "quantiles among other random systems" "$work/quantile.csv" "$work/quantile/units.csv" 0.03
near "the synergy columns stay" $data/norms_units.csv "$work/quantile/units.csv" 1e-13
bytes "quantiles.npy" "$work/quantile/quantiles.npy" $((128 + 5 * 276 * 16 * 8))
run 0 "quantiles, threads" phiid $data/norms.npy -o "$work/quantile2" --normalise quantile --atoms -t 3
same "quantiles depend on the number of threads" "$work/quantile/quantiles.npy" "$work/quantile2/quantiles.npy"
run 2 "quantiles of CCS" phiid $data/norms.npy -o "$work/none" --normalise quantile --redundancy ccs

for null in shift phase shuffle; do
    run 0 "--null $null" phiid $data/norms.npy -o "$work/$null" --surrogates 40 --null $null --pairs-csv -t 1
    near "--null $null leaves the synergy columns" $data/norms_units.csv "$work/$null/units.csv" 1e-13
    run 0 "--null $null, threads" phiid $data/norms.npy -o "$work/$null.2" --surrogates 40 --null $null --pairs-csv -t 3
    for file in units.csv pairs.csv phiid.json synergy_q.npy redundancy_q.npy; do
        same "--null $null: $file depends on the number of threads" "$work/$null/$file" "$work/$null.2/$file"
    done
    # excess is observed - null; p is (1 + k) / 41; z has the sign of the excess
    if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
            { e = $(at["excess"]); d = $4 - $(at["synergy_null"]) - e; k = $(at["synergy_p"]) * 41
              if (d > 1e-15 || -d > 1e-15 || k < 0.999 || k > 41.001 || (k % 1 > 1e-9 && k % 1 < 1 - 1e-9) || e * $(at["synergy_z"]) < 0) exit 1 }
            END { exit NR != 25 }' "$work/$null/units.csv"; then
        good
    else
        bad "--null $null: excess, p or z of units"
    fi
    # q of pairs by Benjamini and Hochberg, from the p beside them
    if sed 1d "$work/$null/pairs.csv" | sort -t, -k 7,7gr | awk -F, 'BEGIN { least = 1 }
            { n = NR; p[n] = $7; q[n] = $8 }
            END { if (n != 276) exit 1
                  for (i = 1; i <= n; i++) { v = p[i] * n / (n - i + 1); if (v < least) least = v
                      d = q[i] - least; if (p[i] != p[i + 1] && (d > 1e-12 || -d > 1e-12)) exit 1 } }'; then
        good
    else
        bad "--null $null: q of pairs"
    fi
done
run 0 "surrogates with --pool" phiid $data/norms.npy -o "$work/poolnull" --surrogates 20 --pool
run 0 "surrogates without trend" phiid $data/norms.npy -o "$work/trendnull" --surrogates 20 --detrend linear
# white noise: what is left of it after the correction is nothing beside what was there
awk 'BEGIN { srand(7); print "a,b,c,d,e,f"; for (t = 0; t < 60; t++) { s = ""
        for (i = 0; i < 6; i++) s = s (i ? "," : "") sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand()); print s } }' > "$work/white.csv"
run 0 "white noise" phiid "$work/white.csv" -o "$work/white"
run 0 "white noise, corrected" phiid "$work/white.csv" -o "$work/corrected" --bias-correct --surrogates 200
if awk -F, 'FNR == 1 { f++; next } { s[f] += $4 } END { exit !(s[1] > 0.001 && s[2] < 0.5 * s[1] && s[2] > -0.5 * s[1]) }' \
    "$work/white/units.csv" "$work/corrected/units.csv"; then good; else bad "--bias-correct of white noise" "$work/corrected/units.csv"; fi
if grep -q synergy_bias_taken_off "$work/corrected/phiid.json"; then good; else bad "the bias is not reported"; fi

run 0 "--local" phiid $data/norms.npy -o "$work/local" --local 0.1:3.2,0:5 --atoms
bytes "local.npy" "$work/local/local.npy" $((128 + 2 * 5 * 16 * 99 * 8))
if have python3 && python3 -c 'import numpy' 2> /dev/null; then
    try "the mean of local values is the atom" python3 -c "
import numpy
l, a = numpy.load('$work/local/local.npy'), numpy.load('$work/local/atoms.npy')
number = lambda i, j: i * (47 - i) // 2 + j - i - 1
assert l.shape == (2, 5, 16, 99)
for k, (i, j) in enumerate(((1, 20), (0, 5))):
    assert abs(l[k].mean(2) - a[:, number(i, j)]).max() < 1e-12
"
fi
run 1 "--local of a unit that is not there" phiid $data/norms.npy -o "$work/local2" --local 0.1:4.0
says "4.0"

# ---- forms of input
run 0 "[P, T, N]" phiid $data/small.npy -o "$work/small"
near "[P, T, N]" $data/small_units.csv "$work/small/units.csv" 1e-13
for form in fortran big_endian; do
    run 0 $form phiid $data/small_$form.npy -o "$work/$form"
    same "$form" "$work/small/units.csv" "$work/$form/units.csv"
done
run 0 "float16" phiid $data/half.npy -o "$work/half"
for form in half_as_double half_as_single_fortran; do
    run 0 $form phiid $data/$form.npy -o "$work/$form"
    same "$form" "$work/half/synergy.npy" "$work/$form/synergy.npy"
    same "$form" "$work/half/redundancy.npy" "$work/$form/redundancy.npy"
done
run 0 "[T, N]" phiid $data/one.npy -o "$work/one"
near "[T, N]" $data/one_units.csv "$work/one/units.csv" 1e-13
if sed -n 2p "$work/one/units.csv" | grep -q '^L0H0,.*,,,,,,'; then good; else bad "one prompt has intervals"; fi
run 0 "CSV" phiid $data/one.csv -o "$work/csv"
sed 's/"second, with a comma"/second/g' "$work/csv/units.csv" > "$work/csv_units.csv" # its own names, quoted
near "CSV" $data/one_units.csv "$work/csv_units.csv" 1e-13
same "CSV" "$work/one/synergy.npy" "$work/csv/synergy.npy"

# series that end early
run 0 "lengths" phiid $data/ended -o "$work/ended"
near "lengths" $data/ended_units.csv "$work/ended/units.csv" 1e-13
if grep -q '"prompts_left_out": 1' "$work/ended/phiid.json"; then good; else bad "the short series is not counted"; fi
run 0 "min-length" phiid $data/ended -o "$work/ended20" --min-length 20
if grep -q '"prompts_left_out": 0' "$work/ended20/phiid.json"; then good; else bad "--min-length 20 leaves one out"; fi
run 1 "min-length too long" phiid $data/ended -o "$work/ended99" --min-length 61
mkdir "$work/nan"
cp $data/ended/norms.npy "$work/nan/norms.npy"
run 0 "NaN without lengths.npy" phiid "$work/nan/norms.npy" -o "$work/nan_out"
if grep -q NONFINITE "$work/nan_out/phiid.json"; then good; else bad "NaN is not flagged"; fi
run 0 "a report where some units have nothing" report "$work/nan_out"

# the input folder is the output folder
cp $data/ended/lengths.npy "$work/nan/"
run 0 "in place" phiid "$work/nan"
same "in place" "$work/nan/units.csv" "$work/ended/units.csv"

# ---- what may be replaced
run 0 "once more" phiid $data/one.csv -o "$work/csv"
run 1 "other settings" phiid $data/one.csv -o "$work/csv" --tau 2
says "--tau 1 there, 2 here"
says --force
run 1 "another recording" phiid $data/small.npy -o "$work/csv"
says "another recording"
run 1 "beside other norms" phiid $data/small.npy -o "$work/nan"
same "a refusal changes nothing" "$work/one/synergy.npy" "$work/csv/synergy.npy"
run 0 "forced" phiid $data/small.npy -o "$work/csv" --force
same "forced" "$work/small/units.csv" "$work/csv/units.csv"
run 0 "forced, without atoms" phiid $data/norms.npy -o "$work/threads" --tau 2 --force
if [ ! -e "$work/threads/atoms.npy" ]; then good; else bad "atoms of other settings are left"; fi
: > "$work/file"
run 1 "a file in place of the folder" phiid $data/small.npy -o "$work/file"
if [ -z "$(find "$work" -name '*.part')" ]; then good; else bad "parts of files are left"; fi

# ---- what is wrong with the input
run 1 "no such file" phiid "$work/none.npy" -o "$work/bad"
run 1 "a folder without norms" phiid data -o "$work/bad"
says norms.npy
run 1 "an empty file" phiid "$work/file" -o "$work/bad"
run 1 "a text file" phiid cli_phiid.sh -o "$work/bad"
says "not an npy file"
run 1 "one dimension" phiid $data/ended/lengths.npy -o "$work/bad"
head -c 1000 $data/small.npy > "$work/cut.npy"
run 1 "cut" phiid "$work/cut.npy" -o "$work/bad"
says "the file has"
run 1 "tau too long" phiid $data/small.npy -o "$work/bad" --tau 36
printf 'a,b\n1,2\n3\n' > "$work/ragged.csv"
run 1 "a ragged CSV" phiid "$work/ragged.csv" -o "$work/bad"
says "line 3"
printf 'a,b\n1,2\n3,four\n' > "$work/words.csv"
run 1 "words in a CSV" phiid "$work/words.csv" -o "$work/bad"
says four
if [ ! -e "$work/bad" ]; then good; else bad "a refusal made the folder"; fi
if [ -w /dev/full ] && [ -c /dev/full ]; then
    "$synergy" phiid --help > /dev/full 2> "$work/stderr"
    if [ $? -eq 1 ]; then good; else bad "a full disk is not noticed" "$work/stderr"; fi
fi

# ---- the report
run 0 "report" report "$work/norms"
page=$work/norms/report.html
if [ -s "$page" ] && [ "$(wc -c < "$page")" -lt 5000000 ]; then good; else bad "the page is not there, or too large"; fi
for word in '<title>' 'role="img"' '<desc' 'prefers-color-scheme' '@media print' 'lang="en"' 'Spearman' 'min–max'; do
    if grep -qF -- "$word" "$page"; then good; else bad "the page has no $word"; fi
done
# one script of its own, data that do not run, and nothing is loaded
grep -oiE '<script[^>]*>' "$page" | grep -v '^<script type="application/json" ' > "$work/scripts"
if [ "$(grep -c '^<script>$' "$work/scripts")" -le 1 ] && ! grep -qv '^<script>$' "$work/scripts" &&
    ! grep -qiE '<script[^>]* src=|<link|src="http|url\(http|@import' "$page"; then good
else bad "the page has scripts that are not its own, or loads something" "$work/scripts"; fi
for name in profile-rank-difference profile-difference map-synergy map-redundancy matrix-synergy scatter-memory-synergy; do
    if [ -s "$work/norms/figures/$name.svg" ] && [ -s "$work/norms/figures/$name.csv" ]; then good; else bad "no figure $name"; fi
done
if have python3; then
    cat > "$work/look.py" <<'PY'
import glob, html.parser, sys, xml.dom.minidom
class Page(html.parser.HTMLParser):
    void = {"meta", "br", "img", "link", "hr"}
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.faults, self.links = [], set(), [], []
    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if "id" in a:
            if a["id"] in self.ids: self.faults.append("id twice: " + a["id"])
            self.ids.add(a["id"])
        if a.get("href", "").startswith("#"): self.links.append(a["href"][1:])
        if tag not in self.void: self.open.append(tag)
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.faults.append("</%s> closes nothing" % tag)
for name in glob.glob(sys.argv[1] + "/figures/*.svg"): xml.dom.minidom.parse(name)
p = Page()
p.feed(open(sys.argv[1] + "/report.html", encoding="utf-8").read())
faults = p.faults + ["open at the end: " + t for t in p.open] + ["no target: #" + l for l in p.links if l not in p.ids]
print("\n".join(faults))
sys.exit(bool(faults))
PY
    for folder in norms nan_out csv excess; do
        "$synergy" report "$work/$folder" > "$work/out" 2>&1 || bad "report of $folder" "$work/out"
        try "the page of $folder is well-formed" python3 "$work/look.py" "$work/$folder"
    done
else
    skip "no python3 to look at the page"
fi
run 1 "no results" report data
says phiid.json
run 1 "no folder" report "$work/none"
finish
