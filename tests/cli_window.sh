#!/bin/sh
# Models that are not mapped: `synergy run --window` gives the same text from a few kilobytes of window as from the mapped
# file, on a device too, and SmolLM2 within 24 MB of address space; and a mapped file that is cut short while it is read.
. ./cli.sh
subcommand=run
tiny=../examples/models/synergy-tiny.Q8_0.gguf
sampled="--raw --exact --temp 1 --seed 3 -n 30 -t 1"

# text WHAT FILE OPTIONS...: what a person reads is what the mapped model wrote
text() {
    text=$1
    file=$2
    shift 2
    run 0 "$text" "$file" -p "Fill the gap" $sampled "$@"
    try "$text: the same text" cmp "$work/stdout" "$work/mapped"
}

run 0 "mapped" "$tiny" -p "Fill the gap" $sampled
cp "$work/stdout" "$work/mapped"
try "there is text" [ "$(wc -c < "$work/mapped")" -gt 30 ]
text "a window of a row" "$tiny" --window 1
text "a window of 4 KiB" "$tiny" --window 4K
text "a window larger than the file" "$tiny" --window 16M

# the keys and the vocabulary are read by the page, not by the word
if have strace && strace -o "$work/calls" -e trace=pread64 true 2> /dev/null; then
    strace -f -o "$work/calls" -e trace=pread64 "$synergy" run "$tiny" -p x --raw -n 1 -t 1 --window 16M > /dev/null 2>&1
    calls=$(grep -c pread64 "$work/calls")
    if [ "$calls" -gt 10 ] && [ "$calls" -lt 1000 ]; then good; else bad "$calls reads to open a model of a window"; fi
fi

# a block device, where there may be one
cp "$tiny" "$work/device"
truncate -s %512 "$work/device"
device=$(losetup -f --show "$work/device" 2> /dev/null)
if [ -b "$device" ]; then
    text "a block device" "$device" --window 64K
    run 1 "a device cannot be mapped" "$device" -p x
    losetup -d "$device"
fi

run 2 "a window without a size" "$tiny" -p x --window
run 1 "a window that is no size" "$tiny" -p x --window big
says "--window: 'big' is no size"
run 1 "a window on a folder" "$work" -p x --window 4K
head -c 100000 "$tiny" > "$work/cut"
run 1 "a window on half a file" "$work/cut" -p x --window 4K
says "cut:"

model=${SYN_MODELS:-../tools/models}/SmolLM2-135M-Instruct.Q4_1.gguf
if [ -f "$model" ] && [ -z "${SYN_SLOW_MACHINE:-}" ]; then
    words='-p Paris --raw --exact -n 2 -t 1'
    run 0 "SmolLM2 mapped" "$model" $words
    cp "$work/stdout" "$work/mapped"
    # shellcheck disable=SC3045
    (ulimit -v 24576 && "$synergy" run "$model" $words --window 512K) > "$work/small" 2> "$work/stderr"
    try "SmolLM2 within 24 MB of address space" cmp "$work/small" "$work/mapped"
    # shellcheck disable=SC3045
    (ulimit -v 24576 && "$synergy" run "$model" $words) > "$work/small" 2> "$work/stderr"
    try "which the mapped file does not fit" [ $? -eq 1 ]
fi

# ---- a file that is cut short while it is mapped

cp "$tiny" "$work/shrinks"
"$synergy" run "$work/shrinks" -p Fill --raw --ignore-eos -n 30000 -c 30100 --cache f16 --beyond-context -t 1 > "$work/begun" 2> "$work/stderr" &
pid=$!
until [ -s "$work/begun" ] || ! kill -0 $pid 2> /dev/null; do sleep 0.1; done
truncate -s 4096 "$work/shrinks"
wait $pid
try "a file cut short while it is read: exit code 1" [ $? -eq 1 ]
what="a file cut short"
says "shrinks: cannot be read on"
try "in one line" [ "$(wc -l < "$work/stderr")" -eq 1 ]

# replaced by another under its name: the old one is read on
cp "$tiny" "$work/replaced"
"$synergy" run "$work/replaced" -p "Fill the gap" $sampled > "$work/text" 2> "$work/stderr" &
pid=$!
cp data/gguf/ok_v3_f32.gguf "$work/other"
mv "$work/other" "$work/replaced"
wait $pid
try "a file replaced while it is read" [ $? -eq 0 ]

finish
