#!/bin/sh
# full_size.sh [PRESET...] - the paper's model sizes with random weights: one row of a table each, in Markdown.
#
#   make -C tools && make -C bench && sh bench/full_size.sh > table.md
#
# Every model is written (up to 9 GB in $TMPDIR), loaded, run for 8 tokens, captured over two prompts of 12 tokens,
# analysed, and removed. Peak memory is the program's resident set; all but its own buffers are pages of the mapped
# file, which the system takes back when it needs room. TYPE (Q4_K), PROGRAM and WORK can be set.
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=${PROGRAM:-$here/../tools/build/synergy}
maker=${MAKER:-$here/build/make_model}
type=${TYPE:-Q4_K}
work=${WORK:-$(mktemp -d "${TMPDIR:-/tmp}/full_size.XXXXXX")}
[ $# -gt 0 ] || set -- pythia-1b gemma3-4b llama3-8b qwen3-8b deepseek2-lite
printf 'creative\tWrite a short poem about a clock that stopped.\nnumeric\tWhat is 12 times 7?\n' > "$work/prompts.txt"

# measure NAME COMMAND...: output to NAME.out and NAME.err, seconds and peak kB to NAME.time
measure() {
    name=$1
    shift
    /usr/bin/time -f '%e %M %U' -o "$work/$name.time" "$@" > "$work/$name.out" 2> "$work/$name.err" && return
    echo "$* failed:" >&2
    tail -n 3 "$work/$name.err" >&2
    return 1
}

seconds() { awk '{ printf "%.1f", $1 }' "$work/$1.time"; }
gigabytes() { awk '{ printf "%.2f", $2 / 1e6 }' "$work/$1.time"; }
json() { sed -n "s/^ *\"$2\": \([0-9.]*\),\{0,1\}$/\1/p" "$work/$1" | head -n 1; }

row() {
    preset=$1 units=$2
    folder=cap-$preset-$units
    measure capture "$program" capture "$work/$preset.gguf" --prompts "$work/prompts.txt" -n 12 --units "$units" \
        -o "$work/$folder" --force || return 1
    measure phiid "$program" phiid "$work/$folder" -o "$work/phi-$preset-$units" --force || return 1
    count=$(sed -n 's/.*tokens x \([0-9]* layers x [0-9]* [a-z]*\):.*/\1/p' "$work/capture.out" | sed 's/ x / * /')
    printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$preset $type" "$size" "$count" \
        "$(tail -n 1 "$work/run.err" | sed 's/ tokens.*//')" "$(json "$folder/timing.json" tokens_per_second | cut -c1-5)" \
        "$(gigabytes capture)" "$(awk -v b="$(json "$folder/timing.json" memory_bytes)" 'BEGIN { printf "%.0f", b / 1e6 }')" \
        "$(seconds phiid)"
}

echo "| model | GB | units | run, tokens/s | capture, tokens/s | peak GB | of it ours, MB | phiid, s |"
echo "|---|---|---|---|---|---|---|---|"
code=0
for preset in "$@"; do
    "$maker" --preset "$preset" --type "$type" "$work/$preset.gguf" > "$work/make.out" || exit 1
    size=$(sed 's/.*: \([0-9.]*\) GB/\1/' "$work/make.out")
    { measure info "$program" info "$work/$preset.gguf" &&
        measure run "$program" run "$work/$preset.gguf" -p "Hello world" -n 8 --ignore-eos && row "$preset" heads; } || code=1
    case $preset in deepseek*) row "$preset" experts || code=1 ;; esac
    rm -f "$work/$preset.gguf"
done
exit $code
