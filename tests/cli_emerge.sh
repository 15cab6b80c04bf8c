#!/bin/sh
# `synergy emerge`: two short runs of a very small model read one text; the table, the controls, the page, going on, and
# what cannot be read.
. ./cli.sh
notes=yes

for seed in 1 2; do
    subcommand=train
    run 0 "run $seed" --corpus 3 --steps 24 --batch 4 -c 64 --layers 6 --width 32 --heads 4 --ff 48 --vocab 300 --lr 0.01 --seed $seed \
        --checkpoints 0,8,24 -o "$work/run$seed"
done
subcommand=emerge
run 0 "two runs" "$work"/run1/step-*.gguf "$work"/run2/step-*.gguf --rows 12 -c 48 --surrogates 5 -o "$work/out"
table=$work/out/emergence.csv

# value RUN KIND STEP COLUMN of the rows of the rank difference
value() {
    awk -F, -v run="$1" -v kind="$2" -v step="$3" -v column="$4" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $at["run"] == run && $at["kind"] == kind && $at["step"] == step && $at["score_name"] == "rank-difference" { print $at[column] }' "$table"
}
holds() {
    if awk "BEGIN { exit !($2) }"; then good; else bad "$1: not $2" "$table"; fi
}
holds "a row for each model and score" "$(wc -l < "$table") == 1 + 2 * 5 * 3"
for name in run1 run2; do
    holds "$name: training lowers the loss" "$(value $name checkpoint 24 loss) < $(value $name checkpoint 0 loss) - 0.3"
    holds "$name: fresh weights know nothing" "$(value $name random 24 loss) > log(300) - 0.1 && $(value $name random 24 loss) < log(300) + 0.2"
    holds "$name: fresh weights are others than those of step 0" "$(value $name random 24 loss) != $(value $name checkpoint 0 loss)"
    holds "$name: nor do shuffled weights" "$(value $name shuffled 24 loss) > $(value $name checkpoint 24 loss) + 0.3"
    holds "$name: the interval holds the value" \
        "$(value $name checkpoint 24 middle_low) <= $(value $name checkpoint 24 middle_minus_outer) && $(value $name checkpoint 24 middle_minus_outer) <= $(value $name checkpoint 24 middle_high)"
done

# what stands in the table is what phiid says of the same norms, and what perplexity says of the same ids
"$synergy" capture "$work/run1/step-24.gguf" --tokens "$work/out/run1/text.npy" --from 16 --exact -o "$work/own" > "$work/log" 2>&1
try "the norms of a checkpoint" cmp "$work/own/norms.npy" "$work/out/run1/step-24/norms.npy"
loss=$("$synergy" perplexity "$work/run1/step-24.gguf" --tokens "$work/out/run1/text.npy" --exact --json | sed -n 's/.*"nll": \([0-9.e-]*\).*/\1/p')
holds "the loss of a checkpoint" "$(value run1 checkpoint 24 loss) == $loss"
if [ -f "$work/out/run1/random/control.part" ]; then bad "a control's file is left"; else good; fi
for words in 'id="emergence"' 'absent at random initialisation' 'formed by training' 'emergence-middle-difference'; do
    if grep -q "$words" "$work/out/report.html"; then good; else bad "the page lacks $words"; fi
done
cp "$table" "$work/first.csv"
run 0 "the same again" "$work"/run1/step-*.gguf "$work"/run2/step-*.gguf --rows 12 -c 48 --surrogates 5 -o "$work/out"
says "is complete"
run 0 "anew, one thread" "$work"/run1/step-*.gguf "$work"/run2/step-*.gguf --rows 12 -c 48 --surrogates 5 -o "$work/out" --fresh -t 1
try "the same table" cmp "$table" "$work/first.csv"
run 1 "other settings" "$work"/run1/step-*.gguf "$work"/run2/step-*.gguf --rows 12 -c 40 --surrogates 5 -o "$work/out"
says "-c 48 there, 40 here"
"$synergy" corpus --seed 1 --held-out --bytes 4000 > "$work/text"
run 0 "a text of one's own" "$work"/run1/step-*.gguf --text "$work/text" --rows 10 -c 48 --no-controls -o "$work/text.out"
run 1 "a name without a step" "$work/run1/model.gguf" -o "$work/none"
says "tells no step"
cp "$work/run1/step-8.gguf" "$work/run1/other-step8.gguf"
run 1 "one step twice" "$work/run1/step-8.gguf" "$work/run1/other-step8.gguf" -o "$work/none"
says "both step 8"
run 1 "a file that is not there" "$work/run1/step-9.gguf" -o "$work/none"
echo "too short" > "$work/short"
run 1 "a text without a row" "$work/run1/step-8.gguf" --text "$work/short" -o "$work/none"
says "fewer than one row"
run 2 "no folder" "$work/run1/step-8.gguf"
run 2 "nothing left to record" "$work/run1/step-8.gguf" --from 40 -c 44 -o "$work/none"
subcommand=capture
run 1 "nothing to record from there" "$work/run1/step-8.gguf" --tokens "$work/out/run1/text.npy" --from 48 -o "$work/none"
run 2 "--from without ids" "$work/run1/step-8.gguf" --prompts builtin --from 4 -o "$work/none"
# every file, in other programs
if have python3 && python3 -c 'import numpy, pandas, networkx' 2> /dev/null; then
    for d in run2 out out/run1 out/run1/step-8 out/run2/shuffled; do
        try "pandas and numpy find in $d what columns.json says" python3 look_files.py "$work/$d"
    done
else skip "no pandas, numpy and networkx to look at the files"; fi
finish
