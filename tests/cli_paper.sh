#!/bin/sh
# `synergy compare --paper` and the report's section: a made-up result that follows the paper's figure, its reverse, and one
# of another depth, against ranks and correlations reckoned here in awk; which model is recognised; what is refused.
# numbers are split into words on purpose
# shellcheck disable=SC2046
. ./cli.sh
named="synergy compare"
source=../tools/report/paper.c

has() {
    if grep -qF -- "$1" "$work/stdout"; then good; else bad "$what: the output does not say '$1'" "$work/stdout"; fi
}
hasnt() {
    if grep -qF -- "$1" "$work/stdout"; then bad "$what: the output says '$1'" "$work/stdout"; else good; fi
}
near() {
    if awk -v a="$2" -v b="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d < 1e-9 && d > -1e-9) }'; then
        good
    else
        bad "$what: $1: $2, expected $3"
    fi
}
# rho SCORE WHAT: value, low and high of spearman_WHAT of that score; empty for null
rho() {
    awk -v score="\"$1\"," -v key="\"spearman_$2\":" '$1 == "\"score\":" { on = $2 == score } on && $1 == key { gsub(/[{},]/, ""); print $3, $5, $7; exit }' \
        "$work/stdout"
}
# table NAME: the numbers of an array of the source, one a line
table() {
    awk -v name=" $1\\[" '$0 ~ name { on = 1; sub(/^.*\{/, "") } !on { next } { end = /\};/; gsub(/[^0-9.,]/, ""); n = split($0, v, ",")
        for (i = 1; i <= n; i++) if (v[i] != "") print v[i]
        if (end) exit }' "$source"
}

# ---- the numbers themselves: ranks are a permutation, and what the digitised figures beside the project say
for row in qwen3_8b:36 gemma3_4b:34 llama31_8b:32 deepseek_v2_lite:26; do
    table "${row%:*}" | sort -n > "$work/got"
    awk -v n="${row#*:}" 'BEGIN { for (i = 0; i < n; i++) print i }' > "$work/want"
    try "${row%:*} has each rank once" cmp "$work/got" "$work/want"
done
figures=${SYN_FIXTURES:-/nowhere}/paper/figures.json
if [ -f "$figures" ] && have python3; then
    for row in qwen3_8b:qwen3-8b-base gemma3_4b:gemma-3-4b-it llama31_8b:llama-3.1-8b-instruct \
        deepseek_v2_lite:deepseek-v2-lite-chat-experts pythia_1b: gemma3_4b_heads:heads; do
        table "${row%%:*}" > "$work/got"
        python3 -c 'import json, sys
d, name = json.load(open(sys.argv[1])), sys.argv[2]
v = ([x for r in d["fig2b_gemma_3_4b_it_colour_level_head_by_layer"] for x in r] if name == "heads"
     else d["fig2c_rank_of_layer_mean"][name] if name else d["fig3a_pythia_1b_last_checkpoint_minmax"])
print("\n".join(map(str, v)))' "$figures" "${row#*:}" > "$work/want"
        try "${row%%:*} as digitised" cmp "$work/got" "$work/want"
    done
else
    skip "fixtures: no $figures"
fi

# ---- made-up results: LAYERS of UNITS, from noise; then scores that are known
# make DIR LAYERS UNITS: a result of phiid
make_result() {
    awk -v n="$(($2 * $3))" 'BEGIN { srand(7); for (t = 0; t < 24; t++) for (i = 0; i < n; i++) printf "%.5f%s", rand(), i < n - 1 ? "," : "\n" }' > "$work/noise.csv"
    "$synergy" phiid "$work/noise.csv" -o "$1" --layers "$2" --resamples 0 > "$work/out" 2>&1 || bad "phiid" "$work/out"
}
# model DIR NAME FILE ARCHITECTURE LAYERS PARAMETERS [experts]
model() {
    printf '{"model": {"name": "%s", "file": "%s", "architecture": "%s", "layers": %s, "parameters": %s}, "settings": {"units": "%s"}}\n' \
        "$2" "$3" "$4" "$5" "$6" "${7:-heads}" > "$1/run.json"
}
# follow DIR SIGN: the scores of the difference follow the paper's Gemma, head by head, its profile the paper's ranks
follow() {
    table gemma3_4b_heads > "$work/heads"
    table gemma3_4b > "$work/ranks"
    awk -F, -v OFS=, -v sign="$2" -v file="$work/heads" '
        BEGIN { while ((getline line < file) > 0) level[n++] = line }
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "difference_rank") at = i; print; next }
        { $at = sign * level[$3 * 34 + $2]; print }' "$1/units.csv" > "$work/new" && mv "$work/new" "$1/units.csv"
    awk -F, -v OFS=, -v sign="$2" -v file="$work/ranks" '
        BEGIN { while ((getline line < file) > 0) rank[n++] = line }
        $1 == "difference" { $4 = sign * rank[$2]; $6 = (sign > 0 ? rank[$2] : 33 - rank[$2]) / 33 } { print }' "$1/profile.csv" > "$work/new" && mv "$work/new" "$1/profile.csv"
}

make_result "$work/gemma" 34 8
cp -r "$work/gemma" "$work/bare"
model "$work/gemma" "Gemma 3 4b It" gemma-3-4b-it-Q4_K_M.gguf gemma3 34 3880099328
follow "$work/gemma" 1
what="the paper's own numbers"
run 0 "$what" compare "$work/gemma" --paper -o "$work/a.html" --json
cp "$work/stdout" "$work/a.json"
has '"model": "gemma-3-4b-it"'
has '"kin": "same"'
set -- $(rho difference layers)
near "over layers" "$1" 1
set -- $(rho difference heads)
near "over heads" "$1" 1
# the other reading is noise: its correlation is reckoned here, with the interval of Bonett and Wright
table gemma3_4b_heads > "$work/heads"
awk -F, -v file="$work/heads" 'BEGIN { while ((getline line < file) > 0) level[n++] = line }
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "rank_difference") at = i; next }
    { x[++m] = $at; y[m] = level[$3 * 34 + $2] }
    function rank(v, i,   j, r) { r = 0.5; for (j = 1; j <= m; j++) r += v[j] < v[i] ? 1 : v[j] == v[i] ? 0.5 : 0; return r }
    END { for (i = 1; i <= m; i++) { a = rank(x, i) - (m + 1) / 2; b = rank(y, i) - (m + 1) / 2; ab += a * b; aa += a * a; bb += b * b }
        r = ab / sqrt(aa * bb); z = log((1 + r) / (1 - r)) / 2 - 1.959963984540054 * sqrt((1 + r * r / 2) / (m - 3)); e = exp(2 * z)
        printf "%.12f %.12f\n", r, (e - 1) / (e + 1) }' "$work/gemma/units.csv" > "$work/want"
set -- $(rho rank-difference heads) $(cat "$work/want")
near "the other reading over heads" "$1" "$4"
near "the lower end of its interval" "$2" "$5"
# the CSV: a row for each layer of the paper, whose percentile is rank / (layers - 1), and no means
awk -F, 'NR == FNR { rank[n++] = $1; next } /^paper: gemma-3-4b-it,/ { m++; sub(/"[^"]*"/, "figure"); if ($4 != m - 1 || $6 != "" || $9 - rank[$4] / 33 > 1e-12 || rank[$4] / 33 - $9 > 1e-12) bad++ }
    END { exit !(m == 34 && n == 34 && !bad) }' "$work/ranks" "$work/a.csv" > "$work/out" 2>&1
if [ $? -eq 0 ]; then good; else bad "the paper's rows of the CSV" "$work/a.csv"; fi
if [ "$(grep -c '^gemma,' "$work/a.csv")" -eq 34 ]; then good; else bad "the result's rows of the CSV" "$work/a.csv"; fi
if have python3; then
    try "the JSON and the CSV are read by python" python3 -c 'import csv, json, sys
d = json.load(open(sys.argv[1])); rows = list(csv.DictReader(open(sys.argv[2])))
assert d["paper"][0]["scores"][0]["heads"] == 272
assert [float(r["percentile"]) for r in rows if r["label"].startswith("paper")][17] == 1' "$work/a.json" "$work/a.csv"
fi
for word in 'Beside the paper' 'paper-1.svg' 'Gemma 3 4B Instruct' '2601.06851' 'synergy compare .* --paper -o'; do
    if grep -q -- "$word" "$work/a.html"; then good; else bad "the page has no $word"; fi
done

what="the reverse"
cp -r "$work/bare" "$work/turned"
cp "$work/gemma/run.json" "$work/turned/"
follow "$work/turned" -1
run 0 "$what" compare "$work/turned" "$work/gemma" --paper -o "$work/b.html" --json
set -- $(rho difference layers)
near "over layers" "$1" -1
set -- $(rho difference heads)
near "over heads" "$1" -1
if [ "$(grep -c '^paper: ' "$work/b.csv")" -eq 34 ]; then good; else bad "a model that stands beside two is written twice" "$work/b.csv"; fi
run 0 "in words" compare "$work/turned" "$work/gemma" --paper -o "$work/c.html"
has '1 beside the paper: Gemma 3 4b It is Gemma 3 4B Instruct, a model of the paper'
has 'Spearman over heads: the rank of the difference -1.00'
has '2 beside the paper: '

# ---- which model
what="the name tells nothing, the shape all"
make_result "$work/any" 36 32
model "$work/any" "My tune" tune.gguf qwen3 36 8190735360
run 0 "$what" compare "$work/any" --paper -o "$work/d.html" --json
has '"kin": "shape"'
has '"model": "qwen3-8b-base"'
what="as many layers and heads, another size"
model "$work/any" "Qwen3 4B" q.gguf qwen3 36 4022468096
run 0 "$what" compare "$work/any" --paper -o "$work/d.html" --force --json
has '"kin": "nearest"'
has '"model": "qwen3-8b-base"'
has 'is none of the five models of the paper'
what="by the file"
model "$work/any" "" Qwen3-8B-Base.Q8_0.gguf qwen3 36 8190735360
run 0 "$what" compare "$work/any" --paper -o "$work/d.html" --force --json
has '"kin": "same"'
what="experts"
make_result "$work/few" 5 3
model "$work/few" "Mixture" m.gguf qwen3moe 6 30532122624 experts
run 0 "$what" compare "$work/few" --paper -o "$work/d.html" --force --json
has '"model": "deepseek-v2-lite-chat"'
what="heads of a model whose experts the paper has"
model "$work/few" "DeepSeek V2 Lite Chat" d.gguf deepseek2 27 15706484224
run 0 "$what" compare "$work/few" --paper=deepseek-v2-lite-chat -o "$work/d.html" --force --json
has '"kin": "nearest"'
has 'of which the paper shows experts, not heads'
what="another family"
model "$work/few" "Smol" s.gguf llama 5 134515008
run 0 "$what" compare "$work/few" --paper -o "$work/d.html" --force --json
has '"model": "llama-3.1-8b-instruct"'
# of other depths: layers by their depth, on the straight line between neighbours
table llama31_8b > "$work/ranks"
awk -F, -v file="$work/ranks" 'BEGIN { while ((getline line < file) > 0) r[n++] = line }
    $1 == "rank-difference" { x[++m] = $4 }
    function rank(v, i,   j, s) { s = 0.5; for (j = 1; j <= m; j++) s += v[j] < v[i] ? 1 : v[j] == v[i] ? 0.5 : 0; return s }
    END { for (i = 1; i <= m; i++) { p = (i - 1) / (m - 1) * (n - 1); k = int(p); y[i] = p > k ? (1 - (p - k)) * r[k] + (p - k) * r[k + 1] : r[k] }
        for (i = 1; i <= m; i++) { a = rank(x, i) - (m + 1) / 2; b = rank(y, i) - (m + 1) / 2; ab += a * b; aa += a * a; bb += b * b }
        printf "%.12f\n", ab / sqrt(aa * bb) }' "$work/few/profile.csv" > "$work/want"
set -- $(rho rank-difference layers)
near "over layers of another depth" "$1" "$(cat "$work/want")"
what="a model that is asked for"
for name in pythia-1b "Pythia 1B"; do
    run 0 "$what" compare "$work/few" "--paper=$name" -o "$work/d.html" --force --json
    has '"model": "pythia-1b"'
    has '"asked": true'
done
run 0 "its name apart" compare "$work/few" --paper pythia-1b -o "$work/d.html" --force --json
has '"model": "pythia-1b"'
what="a name as a person says it"
for name in 'Gemma 3 4B' gemma 'Gemma-3-4B Instruct'; do
    run 0 "$what" compare "$work/few" --paper="$name" -o "$work/d.html" --force --json
    has '"model": "gemma-3-4b-it"'
done
run 0 "$what" compare "$work/few" --paper 'Gemma 3 4B' -o "$work/d.html" --force --json
has '"model": "gemma-3-4b-it"'
run 1 "a folder that is missing is no name" compare "$work/few" gemma --paper -o "$work/d.html" --force
what="a recording"
run 0 "$what" compare "$work/bare" --paper -o "$work/d.html" --force
has 'does not say which model it is from'
run 0 "without --paper" compare "$work/few" "$work/bare" -o "$work/e.html" --json
hasnt '"paper"'

# ---- the report
"$synergy" report "$work/gemma" > "$work/stdout" 2> "$work/stderr" || bad "report" "$work/stderr"
for word in 'id="paper"' 'is Gemma 3 4B Instruct, a model of the paper' 'href="#paper"'; do
    if grep -qF -- "$word" "$work/gemma/report.html"; then good; else bad "the report has no $word"; fi
done
if [ "$(grep -c '^paper,' "$work/gemma/figures/profile-paper.csv")" -eq 34 ]; then good; else bad "data of the report's figure"; fi
"$synergy" report "$work/bare" > "$work/stdout" 2> "$work/stderr" || bad "report" "$work/stderr"
if grep -q 'id="paper"' "$work/bare/report.html"; then bad "a recording stands beside the paper"; else good; fi

# ---- refusals
run 2 "no such model" compare "$work/few" --paper=gpt-5 -o "$work/x.html"
says "'gpt-5' is none of the paper's models (gemma-3-4b-it,"
run 2 "no folder" compare --paper -o "$work/x.html"
run 2 "a name and no folder" compare --paper pythia-1b -o "$work/x.html"
run 1 "no such folder" compare "$work/none" --paper -o "$work/x.html"
if [ ! -e "$work/x.html" ]; then good; else bad "a refusal left files"; fi
finish
