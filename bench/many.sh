#!/bin/sh
# many.sh FOLDER MODEL.gguf... - many sequences in one pass over the weights: the 60 built-in prompts side by side,
# beside one text at a time and beside the generation of llama.cpp (FOLDER as for compare.sh).
#
#     TOKENS=20     tokens of each text; the prompts before them count, too
#     ROUNDS=1      rounds, each in turn; the best of each is printed
#     THREADS=2
#
# One at a time is every tenth prompt with --memory 1, times ten.
set -eu
export LC_ALL=C
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
bench=$1/llama.cpp/build/bin/llama-bench
shift
[ -x "$bench" ] || { echo "many.sh: no $bench" >&2; exit 1; }
synergy=$here/../tools/build/synergy
[ -x "$synergy" ] || { echo "many.sh: $synergy is not there: make -C tools" >&2; exit 1; }
tokens=${TOKENS:-20} threads=${THREADS:-2} work=$here/build/many
mkdir -p "$work"

# seconds OPTIONS...: what a capture of $model takes, by its own clock
seconds() {
    rm -rf "$work/out"
    "$synergy" capture "$model" --prompts builtin -n "$tokens" -t "$threads" --fresh -o "$work/out" "$@" > "$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
    # a shard's results stand in a folder of their own
    find "$work/out" -name timing.json -exec sed -n 's/.*"seconds": \([0-9.]*\).*/\1/p' {} +
}

echo "| model | side by side, tokens/s | one at a time | its time over that of side by side | llama.cpp | side by side over llama.cpp |"
echo "|---|---:|---:|---:|---:|---:|"
for model; do
    : > "$work/times"
    round=0
    while [ $round -lt "${ROUNDS:-1}" ]; do
        round=$((round + 1))
        all=$(seconds)
        one=$(seconds --memory 1 --shard 0/10)
        peer=$("$bench" -m "$model" -t "$threads" -p 0 -n "$tokens" -r 1 -ngl 0 2> "$work/log" |
            awk -F'|' '/ tg[0-9]+ / { split($(NF - 1), a, " "); print a[1] }')
        echo "$all $one $peer" >> "$work/times"
    done
    awk -v m="$(basename "$model" .gguf)" -v n="$tokens" '
        NR == 1 || $1 < all { all = $1 }
        NR == 1 || $2 < one { one = $2 }
        $3 > peer { peer = $3 }
        END {
            printf "| %s | %.1f | %.1f | %.1f | %.1f | %.1f |\n", m, 60 * n / all, 6 * n / one, 10 * one / all, peer, 60 * n / all / peer
        }' "$work/times"
done
