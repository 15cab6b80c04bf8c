#!/bin/sh
# Experts as units on the command line: shapes, names of layers behind dense ones, experts that are never chosen.
. ./cli.sh
models=data/models
printf 'The cat sat.\n' > "$work/prompts.txt"

# capture_phiid NAME MODEL OPTIONS...: into $work/NAME and $work/NAME-phiid
capture_phiid() {
    name=$1 model=$2
    shift 2
    try "capture $name" "$synergy" capture "$models/$model/model.gguf" --exact --units experts --prompts "$work/prompts.txt" \
        -o "$work/$name" "$@"
    try "phiid $name" "$synergy" phiid "$work/$name" -o "$work/$name-phiid"
}

has() {
    if grep -qF -- "$2" "$3"; then good; else bad "$1: no '$2'" "$3"; fi
}

lacks() {
    if grep -qF -- "$2" "$3"; then bad "$1: '$2'" "$3"; else good; fi
}

# column NAME FILE: its cells, below one another
column() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$2"
}

# ---- layers are the model's: the first layer of this one is dense
capture_phiid dense deepseek2-tiny -n 24
has "shape" '"shape": [1, 24, 2, 6]' "$work/dense/run.json"
has "first layer" '"first_layer": 1' "$work/dense/run.json"
if [ "$(column unit "$work/dense-phiid/units.csv" | tr '\n' ' ')" = "L1E0 L1E1 L1E2 L1E3 L1E4 L1E5 L2E0 L2E1 L2E2 L2E3 L2E4 L2E5 " ]; then good
else bad "unit names" "$work/dense-phiid/units.csv"; fi
if [ "$(column layer "$work/dense-phiid/profile.csv" | sort -u | tr '\n' ' ')" = "1 2 " ]; then good
else bad "layers of the profile" "$work/dense-phiid/profile.csv"; fi
try "report" "$synergy" report "$work/dense-phiid"

# ---- the shared experts are one unit more
try "capture shared" "$synergy" capture "$models/deepseek2-tiny/model.gguf" --exact --units experts --shared-experts \
    --prompts "$work/prompts.txt" -n 8 -o "$work/shared"
has "shape with shared experts" '"shape": [1, 8, 2, 7]' "$work/shared/run.json"

# ---- experts that are never chosen have no score and no rank, and are named
capture_phiid rare qwen3moe-tiny -n 8
units=$work/rare-phiid/units.csv
silent=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "active") at = i; next } $at == 0 { print $1 }' "$units")
count=$(printf '%s\n' "$silent" | grep -c .)
if [ "$count" -ge 1 ]; then good; else bad "every expert was chosen: choose another prompt"; fi
ranked=$(awk -F, -v silent=" $(printf '%s' "$silent" | tr '\n' ' ') " '
    NR > 1 && index(silent, " " $1 " ") && ($4 != "" || $6 != "" || $8 != "" || $12 != "") { print $1 }' "$units")
if [ -z "$ranked" ]; then good; else bad "ranked although never chosen: $ranked" "$units"; fi
for unit in $silent; do has "never active" "\"$unit\"" "$work/rare-phiid/phiid.json"; done
has "the words" "router never chose" "$work/rare-phiid/phiid.json"
total=$(awk 'END { print NR - 1 }' "$units")
highest=$(column synergy_rank "$units" | sort -g | tail -n 1)
if [ "$highest" = "$((total - count))" ]; then good; else bad "ranks go to $highest of $((total - count))" "$units"; fi

# ---- evaluated at every token, none is silent
capture_phiid every qwen3moe-tiny -n 8 --all-experts
if column active "$work/every-phiid/units.csv" | grep -qvx 1; then bad "an expert is 0 with --all-experts" "$work/every-phiid/units.csv"
else good; fi
lacks "the words" "router never chose" "$work/every-phiid/phiid.json"

# ---- a model without experts says so
"$synergy" capture "$models/llama-f16/model.gguf" --units experts --prompts "$work/prompts.txt" -n 8 -o "$work/none" \
    > "$work/stdout" 2> "$work/stderr"
if [ $? -eq 1 ] && grep -q "no experts" "$work/stderr"; then good; else bad "no experts" "$work/stderr"; fi

finish
