#!/bin/sh
# `synergy tune`: only the chosen heads change, bit for bit; the policy gradient is that of `gradient --weights` on the same
# samples; threads, going on, the comparison of runs, the page, what cannot be tuned.
. ./cli.sh
notes=yes
${CC:-cc} -std=c99 -O1 -Wall -Wextra -I.. learn_tool.c -o "$work/learn_tool" -lm > "$work/out" 2>&1 ||
    { bad "learn_tool.c does not compile" "$work/out"; finish; }
tool=$work/learn_tool

# a model of two heads a key head (keys of 8, values of 8), and its scores
subcommand=train
run 0 "a model" --corpus 3 --steps 30 --batch 2 -c 192 --layers 4 --width 32 --heads 4 --kv-heads 2 --ff 48 --vocab 300 --lr 0.01 --seed 1 \
    --checkpoints 0 -o "$work/run"
model=$work/run/model.gguf results=$work/results
head -n 12 ../examples/models/prompts.txt > "$work/prompts"
"$synergy" capture "$model" --prompts "$work/prompts" -n 40 -o "$results" > "$work/out" 2>&1
"$synergy" phiid "$results" > "$work/out" 2>&1

# changed NAME: which rows (of q, k, v) or columns (of the output) of each layer differ from the start model
changed() {
    "$tool" differ "$model" "$1/model.gguf" | awk '
        { split($1, part, "."); layer = part[2]; what = part[3] }
        what == "attn_q" { seen["q " layer " " int($2 / 8)] = 1; next }
        what == "attn_k" { seen["k " layer " " int($2 / 8)] = 1; next }
        what == "attn_v" { seen["v " layer " " int($2 / 8)] = 1; next }
        what == "attn_output" { seen["o " layer " " int($3 / 8)] = 1; next }
        { seen[$1] = 1 }
        END { for (s in seen) print s }' | sort
}

subcommand=tune
tune="--task agreement --steps 4 --batch 4 --most 4 --items 8 --lr 0.01"
# shellcheck disable=SC2086
run 0 "a list of heads" "$model" "$results" --method sft --subset L1H2,L2H0-1 $tune -o "$work/list" -t 2
printf '%s\n' "k 2 0" "o 1 2" "o 2 0" "o 2 1" "q 1 2" "q 2 0" "q 2 1" "v 2 0" > "$work/expected"
changed "$work/list" > "$work/changed"
try "only these heads' weights differ, key and value rows of whole groups" cmp "$work/changed" "$work/expected"
# shellcheck disable=SC2086
run 0 "one thread" "$model" "$results" --method sft --subset L1H2,L2H0-1 $tune -o "$work/list1" -t 1
for file in model.gguf accuracy.csv steps.csv; do try "threads: $file" cmp "$work/list/$file" "$work/list1/$file"; done
# shellcheck disable=SC2086
run 0 "a layer" "$model" "$results" --method sft --subset layer:3 $tune -o "$work/layer"
changed "$work/layer" > "$work/changed"
if [ "$(grep -c '^[qo] 3 ' "$work/changed")" = 8 ] && ! grep -q ' [0-2] ' "$work/changed"; then good; else bad "not layer 3 alone" "$work/changed"; fi

# core and periphery of one half each are all heads, by the scores of the folder; matched takes as many of each layer
for subset in core periphery matched random all; do
    # shellcheck disable=SC2086
    run 0 "$subset" "$model" "$results" --method sft --subset $subset $tune
    sed -n 's/.*"chosen": "\(.*\)".*/\1/p' "$results/tune/agreement-sft-$subset-1/tune.json" | tr ',' '\n' | sort > "$work/$subset"
done
try "core and periphery are all" sh -c "sort $work/core $work/periphery | cmp - $work/all"
score=$(sed -n 's/.*"score": "\(.*\)".*/\1/p' "$results/tune/agreement-sft-core-1/tune.json")
awk -F, -v score="$score" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at[score], $at["unit"] }' "$results/units.csv" |
    sort -k1,1gr | head -n 8 | cut -d' ' -f2 | sort > "$work/highest"
try "the core has the highest scores" cmp "$work/core" "$work/highest"
try "matched: as many of each layer" sh -c "cut -c1-2 $work/core | uniq -c > $work/a; cut -c1-2 $work/matched | uniq -c | cmp - $work/a"
if cmp -s "$work/matched" "$work/core"; then bad "matched is the core"; else good; fi

# the comparison: over two seeds
for subset in core random; do
    # shellcheck disable=SC2086
    run 0 "$subset, seed 2" "$model" "$results" --method sft --subset $subset $tune --seed 2
done
if grep -q '"a": "core", "b": "random", "seeds": 2' "$results/tuning.json"; then good; else bad "no comparison over two seeds" "$results/tuning.json"; fi
last() { tail -n 1 "$results/tune/agreement-sft-$1/accuracy.csv" | cut -d, -f2; }
difference=$(sed -n 's/.*"a": "core", "b": "random", "seeds": 2, "difference": \([-0-9.e]*\).*/\1/p' "$results/tuning.json")
if awk "BEGIN { d = ($(last core-1) + $(last core-2) - $(last random-1) - $(last random-2)) / 2 - ($difference); exit !(d < 1e-9 && d > -1e-9) }"; then good
else bad "the difference is not that of the tables" "$results/tuning.json"; fi
"$synergy" report "$results" > "$work/out" 2>&1
for words in 'id="tuning"' 'Reinforcement learning of the core' 'tuning-sft-0'; do
    if grep -q "$words" "$results/report.html"; then good; else bad "the page lacks $words"; fi
done

# ---- stopped and gone on with

# shellcheck disable=SC2086
"$synergy" tune "$model" "$results" --method sft --subset core $tune --steps 60 --evaluate 5 -o "$work/parts" > "$work/out" 2>&1 &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    [ -f "$work/parts/accuracy.csv" ] && [ "$(wc -l < "$work/parts/accuracy.csv")" -ge 3 ] && break
    sleep 0.1
done
kill -9 $pid 2> "$work/out"
wait $pid 2> "$work/out"
# shellcheck disable=SC2086
run 0 "going on" "$model" "$results" --method sft --subset core $tune --steps 60 --evaluate 5 -o "$work/parts"
# shellcheck disable=SC2086
run 0 "never stopped" "$model" "$results" --method sft --subset core $tune --steps 60 --evaluate 5 -o "$work/whole"
for file in model.gguf accuracy.csv steps.csv state.gguf; do try "stopped and gone on: $file" cmp "$work/parts/$file" "$work/whole/$file"; done
# shellcheck disable=SC2086
run 1 "other settings" "$model" "$results" --method sft --subset periphery $tune --steps 60 --evaluate 5 -o "$work/parts"
says "--subset core there, periphery here"

# ---- by reward, on the model that has learnt

tiny=../examples/models/synergy-tiny.Q8_0.gguf
"$synergy" capture $tiny --prompts "$work/prompts" -n 40 -o "$work/tiny" > "$work/out" 2>&1
"$synergy" phiid "$work/tiny" > "$work/out" 2>&1
grpo="--method grpo --subset core --task words --steps 2 --batch 3 --group 4 --items 3"
# shellcheck disable=SC2086
run 0 "grpo" $tiny "$work/tiny" $grpo --keep-samples -o "$work/grpo" -t 2
# shellcheck disable=SC2086
run 0 "grpo, one thread" $tiny "$work/tiny" $grpo --keep-samples -o "$work/grpo1" -t 1
for file in model.gguf steps.csv first-gradient.gguf; do try "grpo, threads: $file" cmp "$work/grpo/$file" "$work/grpo1/$file"; done
subcommand=gradient
run 0 "the same samples" $tiny --tokens "$work/grpo/first-ids.npy" --weights "$work/grpo/first-weights.npy" -o "$work/g.gguf"
try "the policy gradient is that of gradient --weights" cmp "$work/g.gguf" "$work/grpo/first-gradient.gguf"
if [ "$("$tool" differ "$work/g.gguf" "$work/grpo/model.gguf" | wc -l)" -gt 1000 ]; then good; else bad "the gradient is empty"; fi
# advantages are those of the group: with the mean over an answer's tokens they sum to 0
if awk -F, 'NR == 2 { exit !($3 > 0 && $3 < 1 && $4 == 0) }' "$work/grpo/steps.csv"; then good; else bad "reward and KL of the first step" "$work/grpo/steps.csv"; fi
if awk -F, 'NR == 3 { exit !($4 > 0) }' "$work/grpo/steps.csv"; then good; else bad "the second step has no KL" "$work/grpo/steps.csv"; fi

# questions that begin alike go through as one row each group: the same gradient but for how sums round
subcommand=tune
joined="--method grpo --subset core --task agreement --shots 3 --temp 1.5 --steps 1 --batch 2 --group 6 --items 1"
# shellcheck disable=SC2086
run 0 "grpo behind solved questions" $tiny "$work/tiny" $joined --keep-samples -o "$work/joined" -t 2
# shellcheck disable=SC2086
run 0 "the same, one thread" $tiny "$work/tiny" $joined -o "$work/joined1" -t 1
for file in model.gguf steps.csv; do try "joined rows, threads: $file" cmp "$work/joined/$file" "$work/joined1/$file"; done
subcommand=gradient
run 0 "the same samples, a row each" $tiny --tokens "$work/joined/first-ids.npy" --weights "$work/joined/first-weights.npy" -o "$work/apart.gguf"
try "joined rows have the gradient of single ones" "$tool" near "$work/joined/first-gradient.gguf" "$work/apart.gguf" 2e-5

# what samples follows the weights in a file of any order: with a rate of nothing, answers stay as they are
try "a file with its tensors in the other order" "$tool" reverse $tiny "$work/reversed.gguf"
"$synergy" capture "$work/reversed.gguf" --prompts "$work/prompts" -n 40 -o "$work/other" > "$work/out" 2>&1
"$synergy" phiid "$work/other" > "$work/out" 2>&1
subcommand=tune
run 0 "a rate of nothing" "$work/reversed.gguf" "$work/other" --method grpo --subset all --task words --steps 1 --batch 2 --group 2 --items 12 \
    --lr 1e-12 --evaluate 1 -o "$work/still"
if [ "$(sed -n 's/^0,//p' "$work/still/accuracy.csv")" = "$(sed -n 's/^1,//p' "$work/still/accuracy.csv")" ] &&
    grep -q '^0,0\.[0-9]*[1-9]' "$work/still/accuracy.csv"; then good; else bad "answers changed" "$work/still/accuracy.csv"; fi

# ---- what cannot be

subcommand=tune
run 2 "no task" "$model" "$results" --subset core
run 1 "an unknown task" "$model" "$results" --subset core --task nothing -o "$work/none"
says "agreement"
run 2 "no share" "$model" "$results" --task agreement --share 0
run 2 "too large a share" "$model" "$results" --task agreement --share 1.5
run 1 "a share of nothing" "$model" "$results" --task agreement --share 0.01 -o "$work/none"
says "none"
run 1 "no such layer" "$model" "$results" --task agreement --subset layer:4 -o "$work/none"
says "0 to 3"
run 1 "no such head" "$model" "$results" --task agreement --subset L0H9 -o "$work/none"
run 1 "no such score" "$model" "$results" --task agreement --score nothing -o "$work/none"
says "nothing"
run 1 "another model's folder" $tiny "$results" --task agreement -o "$work/none"
run 1 "a family without a way back" data/models/gemma3-f16/model.gguf "$results" --task agreement -o "$work/none"
says "llama,"
# shellcheck disable=SC2086
run 1 "a learning rate out of all bounds" "$model" "$results" $tune --steps 30 --lr 1000 --weight-decay 1000 --clip 0 -o "$work/wild"
says "smaller --lr"
if [ -e "$work/wild/model.gguf" ] || [ -e "$work/wild/speaker.part" ]; then bad "a run that failed leaves a model"; else good; fi
if [ -s "$work/wild/state.gguf" ]; then good; else bad "a run that failed leaves no state"; fi
# every file, in other programs
if have python3 && python3 -c 'import numpy, pandas, networkx' 2> /dev/null; then
    for d in results results/tune/agreement-sft-core-1 grpo tiny; do
        try "pandas and numpy find in $d what columns.json says" python3 look_files.py "$work/$d"
    done
else skip "no pandas, numpy and networkx to look at the files"; fi
finish
