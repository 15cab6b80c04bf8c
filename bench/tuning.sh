#!/bin/sh
# tuning.sh - the experiment of `synergy tune`: which heads gain by reward, which by worked solutions. Trains a model until
# it answers about half of the task's held-out items, scores its heads, tunes subsets of them by both methods with five
# seeds, and leaves DIR/result/tuning.csv, tuning.json and report.html. A stopped run goes on.
#
# usage: sh bench/tuning.sh DIR [SEED]      under two hours on two cores, most of it the training; set SYNERGY to the program, MODEL to a model of
#                                           your own, TASK, STEPS, SUBSETS, SEEDS, METHODS to others than those below
set -e
dir=$1 seed=${2:-1}
here=$(cd "$(dirname "$0")/.." && pwd)
synergy=${SYNERGY:-$here/tools/build/synergy}
task=${TASK:-comparison}
steps=${STEPS:-12}
[ -n "$dir" ] || { echo "usage: sh bench/tuning.sh DIR [SEED]" >&2; exit 2; }
mkdir -p "$dir"
model=${MODEL:-$dir/base/step-1024.gguf}
if [ ! -f "$model" ]; then
    "$synergy" train --corpus "$seed" --seed "$seed" --steps 2600 --until 1024 --checkpoints 1024 --batch 16 -c 256 --lr 3e-3 --warmup 100 \
        --layers 8 --width 128 --heads 8 --vocab 1024 -o "$dir/base"
fi
[ -f "$dir/result/report.html" ] ||
    "$synergy" analyze "$model" --prompts "$here/examples/models/prompts.txt" -o "$dir/result"
one() {
    method=$1 subset=$2 own=$3 more=
    if [ "$method" = sft ]; then more="--batch 64"; fi # as many rows a step as 8 questions of 8 answers
    folder=$dir/result/tune/$task-$method-$(echo "$subset" | tr -c 'A-Za-z0-9\n-' _)-$own
    [ -f "$folder/tune.json" ] && return
    # shellcheck disable=SC2086
    "$synergy" tune "$model" "$dir/result" --method "$method" --subset "$subset" --share 0.5 --task "$task" --steps "$steps" --lr 5e-4 \
        $more --most 30 --items 200 --evaluate 4 --seed "$own" ${THREADS:+-t $THREADS} ${SCORE:+--score $SCORE}
}
for number in ${SEEDS:-1 2 3 4 5}; do
    for subset in ${SUBSETS:-core periphery random matched layer:4 all}; do
        for method in ${METHODS:-grpo sft}; do one "$method" "$subset" $((1000 * seed + number)); done
    done
done
"$synergy" report "$dir/result"
