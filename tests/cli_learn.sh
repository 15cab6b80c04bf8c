#!/bin/sh
# `synergy gradient`, `train` and `corpus`: against PyTorch's gradients and steps (data/gradients, made by
# reference/gradient_data.py), the forward pass against the header's, threads, stopping and going on, what cannot be learnt.
. ./cli.sh
notes=yes
for name in npy_tool learn_tool; do
    ${CC:-cc} -std=c99 -O1 -Wall -Wextra -I.. $name.c -o "$work/$name" -lm > "$work/out" 2>&1 ||
        { bad "$name.c does not compile" "$work/out"; finish; }
done
tool=$work/learn_tool

near() {
    if awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= t) }'; then good
    else bad "$1: ${2:-nothing} against ${3:-nothing}, allowed $4"; fi
}

# number FILE INDEX: of an array of doubles
number() {
    od -A n -t f8 -v -j "$(($(od -A n -t u2 -j 8 -N 2 "$1") + 10 + 8 * $2))" -N 8 "$1" | tr -d ' '
}

# ---- gradients of every family, steps of AdamW

for name in llama-f16 llama-tied qwen2-q4_0 qwen3-bf16; do
    data=data/gradients/$name model=data/models/$name/model.gguf
    subcommand=gradient
    run 0 "$name" $model --tokens $data/ids.npy --weights $data/weights.npy -o "$work/g.gguf" --force --json -t 2
    near "$name: loss" "$(sed -n 's/.*"loss": \([-0-9.e]*\).*/\1/p' "$work/stdout")" "$(number $data/losses.npy 0)" 1e-5
    try "$name: gradients" "$tool" gradients "$work/g.gguf" $data/samples.npy $data/largest.npy 7 1e-4
    cp "$work/g.gguf" "$work/first.gguf"
    run 0 "$name, one thread" $model --tokens $data/ids.npy --weights $data/weights.npy -o "$work/g.gguf" --force -t 1
    try "$name: the same bytes with one thread" cmp "$work/g.gguf" "$work/first.gguf"
    run 0 "$name, all weights 1" $model --tokens $data/ids.npy --heads "$work/heads.csv" --force --json -t 2
    near "$name: plain loss" "$(sed -n 's/.*"loss": \([-0-9.e]*\).*/\1/p' "$work/stdout")" "$(number $data/losses.npy 1)" 1e-5
    run 0 "$name, heads beside weights" $model --tokens $data/ids.npy -o "$work/g.gguf" --heads "$work/beside.csv" --force
    try "$name: heads alone, with layers read as they are needed, have the same numbers" cmp "$work/heads.csv" "$work/beside.csv"
    sed -n '2,$s/^[0-9]*,[0-9]*,\([^,]*\),.*/\1/p' "$work/heads.csv" > "$work/gains"
    # shellcheck disable=SC2046
    "$work/npy_tool" put "$work/gains.npy" '<f8' "$(wc -l < "$work/gains")" -- $(cat "$work/gains")
    try "$name: heads" "$tool" close "$work/gains.npy" $data/gain.npy 1e-4
    subcommand=train
    for threads in 2 1; do
        run 0 "$name: steps" --init $model --tokens $data/train_ids.npy --steps 6 --batch 2 --lr 0.003 --schedule constant \
            --warmup 0 --beta1 0.9 --beta2 0.95 --eps 1e-8 --weight-decay 0.1 --clip 1 --order given -t $threads \
            -o "$work/$name-$threads"
    done
    for file in model.gguf loss.csv state.gguf; do
        try "$name: $file does not depend on threads" cmp "$work/$name-1/$file" "$work/$name-2/$file"
    done
    for step in 1 2 3 4 5 6; do
        loss=$(sed -n "$((step + 1))p" "$work/$name-1/loss.csv" | cut -d, -f2)
        reference=$(number $data/losses.npy $((step + 1)))
        near "$name: loss before step $step" "$loss" "$reference" "$(awk -v r="$reference" 'BEGIN { print 1e-4 * r }')"
    done
    subcommand=capture
    run 0 "$name: logits afterwards" "$work/$name-1/model.gguf" --tokens $data/row.npy --logits --exact -o "$work/after"  --force
    try "$name: logits afterwards" "$tool" close "$work/after/logits.npy" $data/logits.npy 1e-3
done

# ---- one definition of the model: logits of every small model of these families are the header's

for folder in data/models/*; do
    [ -f "$folder/model.gguf" ] || continue
    name=$(basename "$folder")
    case $name in llama-moe*|qwen3moe*) continue ;; llama*|qwen2*|qwen3*) ;; *) continue ;; esac
    subcommand=gradient
    run 0 "$name: logits" "$folder/model.gguf" --tokens "$folder/tokens.npy" --logits "$work/ours.npy" --force
    subcommand=capture
    run 0 "$name: the header's logits" "$folder/model.gguf" --tokens "$folder/tokens.npy" --logits --exact -o "$work/header" --force
    try "$name: the same logits" "$tool" close "$work/ours.npy" "$work/header/logits.npy" 2e-5
done
subcommand=gradient
for name in gemma3-f16 olmo2 llama-moe-q5_1; do
    run 1 "$name has no way back" data/models/$name/model.gguf --tokens "$work/first.npy" --json
    says "llama,"
    says "qwen3"
done

# ---- a result folder: importance becomes columns of units.csv, and an order of ablation

model=data/models/llama-f16/model.gguf
"$synergy" capture $model --prompts builtin --shard 1/20 -n 40 -o "$work/folder" > "$work/out" 2>&1
"$synergy" phiid "$work/folder" > "$work/out" 2>&1
cp "$work/folder/units.csv" "$work/before.csv"
subcommand=gradient
run 0 "a folder" $model "$work/folder"
try "units.csv as it was, with two columns more" sh -c "sed 's/,[^,]*,[^,]*\$//' $work/folder/units.csv | cmp - $work/before.csv"
cp "$work/folder/units.csv" "$work/once.csv"
run 0 "the same folder again" $model "$work/folder" -t 1
try "the same columns again" cmp "$work/folder/units.csv" "$work/once.csv"
subcommand=ablate
run 0 "ablation" $model "$work/folder" --eval none --prompts 2 --seeds 1
if grep -q '^gradient,' "$work/folder/ablation.csv"; then good; else bad "no order gradient"; fi
subcommand=gradient
run 1 "another model's folder" data/models/llama-tied/model.gguf "$work/folder"

# ---- a fresh model, stopped and gone on with, is one that never stopped

"$synergy" corpus --seed 3 --bytes 40000 > "$work/text"
fresh="--text $work/text --batch 2 -c 32 --layers 2 --width 32 --heads 4 --ff 48 --vocab 300 --lr 0.01 --seed 5"
subcommand=train
# shellcheck disable=SC2086
run 0 "a fresh model" $fresh --steps 12 -o "$work/whole" --checkpoints 0,4
# shellcheck disable=SC2086
"$synergy" train $fresh --steps 12 -o "$work/parts" --checkpoints 0,4 > "$work/out" 2>&1 &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -f "$work/parts/step-4.gguf" ] && break
    sleep 0.1
done
kill -9 $pid 2> "$work/out"
wait $pid 2> "$work/out"
# shellcheck disable=SC2086
run 0 "going on" $fresh --steps 12 -o "$work/parts" --checkpoints 0,4
for file in model.gguf loss.csv state.gguf; do
    try "stopped and gone on: $file" cmp "$work/whole/$file" "$work/parts/$file"
done
# one process at a time in a folder, and none that is no more
# shellcheck disable=SC2086
"$synergy" train $fresh --steps 1000000 -o "$work/busy" > "$work/out" 2>&1 &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -f "$work/busy/state.gguf" ] && break
    sleep 0.1
done
# shellcheck disable=SC2086
run 1 "two in one folder" $fresh --steps 1000000 -o "$work/busy"
says "another process"
kill -9 $pid 2> "$work/out"
wait $pid 2> "$work/out"
# shellcheck disable=SC2086
run 0 "behind one that was killed" $fresh --steps 2 --fresh -o "$work/busy"
if [ -e "$work/busy/train.part" ]; then bad "a file of no use is left"; else good; fi
# shellcheck disable=SC2086
run 0 "until a step" $fresh --steps 12 -o "$work/until" --checkpoints 0,4 --until 5
# shellcheck disable=SC2086
run 0 "and on" $fresh --steps 12 -o "$work/until" --checkpoints 0,4
for file in model.gguf loss.csv state.gguf; do try "until a step and on: $file" cmp "$work/whole/$file" "$work/until/$file"; done
for name in loss heldout; do
    if grep -q "\"$name.csv\"" "$work/whole/columns.json"; then good; else bad "columns.json does not tell $name.csv"; fi
done
# shellcheck disable=SC2086
run 1 "other settings in the folder" $fresh --steps 13 -o "$work/parts"
says "--steps 12 there, 13 here"
if awk -F, 'NR == 2 { a = $2 } END { exit !($2 < a - 0.3) }' "$work/whole/loss.csv"; then good; else bad "the loss does not fall" "$work/whole/loss.csv"; fi
subcommand=perplexity
run 0 "the vocabulary reads a text" "$work/whole/model.gguf" -f "$work/text" --json

# ---- what cannot be

subcommand=train
: > "$work/empty"
run 1 "an empty text" --text "$work/empty" --steps 1 -o "$work/none"
says "empty"
echo "a b" > "$work/tiny"
run 1 "a vocabulary larger than the text" --text "$work/tiny" --steps 1 -o "$work/none"
says "vocabulary"
run 1 "a context that does not fit" --init data/models/llama-f16/model.gguf --text "$work/text" --steps 1 -c 100000 -o "$work/none"
# shellcheck disable=SC2086
run 1 "a learning rate out of all bounds" --init "$work/whole/model.gguf" --text "$work/text" --steps 40 --batch 2 -c 32 --lr 1000 --clip 0 \
    --schedule constant --warmup 0 -o "$work/wild"
says "smaller --lr"
try "the last good file is whole" "$synergy" info "$work/wild/step-1.gguf"
(
    trap '' XFSZ
    # shellcheck disable=SC2086
    ulimit -f 480 && exec "$synergy" train $fresh --steps 12 --checkpoints 0,4 -o "$work/disk"
) > "$work/stdout" 2> "$work/stderr"
code=$?
what="a full disk while a checkpoint is written"
if [ $code -eq 1 ] && [ "$(grep -vc ': note: ' "$work/stderr")" -eq 1 ]; then good; else bad "$what: exit code $code" "$work/stderr"; fi
says "cannot write"
try "$what: the last good file is whole" "$synergy" info "$work/disk/start.gguf"
"$work/npy_tool" put "$work/ids.npy" '<i4' 3 -- 1 2 100000
run 1 "an id outside the vocabulary" --init data/models/llama-f16/model.gguf --tokens "$work/ids.npy" --steps 1 --batch 1 -o "$work/none"
says "not in the vocabulary"
run 2 "nothing beside the root, which makes 0 / 0 of a weight without gradient" --init data/models/llama-f16/model.gguf --tokens "$work/ids.npy" \
    --steps 1 --eps 0 -o "$work/none"
run 2 "nothing to learn from" --steps 1 -o "$work/none"

# ---- the corpus: by seed; what is held out is nowhere else

subcommand=corpus
run 0 "a corpus" --seed 7 --bytes 100000
cp "$work/stdout" "$work/corpus"
run 0 "once more" --seed 7 --bytes 100000
try "the same for the same seed" cmp "$work/stdout" "$work/corpus"
run 0 "another seed" --seed 8 --bytes 100000
if cmp -s "$work/stdout" "$work/corpus"; then bad "two seeds, one corpus"; else good; fi
run 0 "sums" --seed 1 --items 20000 --task sum
sed 's/[^0-9]/ /g' "$work/stdout" | awk '{ print $1, $2 }' | sort -u > "$work/learnt"
run 0 "held-out sums" --seed 2 --items 2000 --task sum --held-out
sed 's/[^0-9]/ /g' "$work/stdout" | awk '{ print $1, $2 }' | sort -u > "$work/held"
if [ "$(wc -l < "$work/held")" -gt 500 ] && [ -z "$(comm -12 "$work/learnt" "$work/held")" ]; then good
else bad "held-out sums occur in the corpus"; fi
finish
