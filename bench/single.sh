#!/bin/sh
# single.sh MODEL.gguf TOKENS... - what SYNERGY_MODEL_FLOAT changes in a model's norms and logits, as rows of the table of
# README.md: models, each followed by how many random tokens it is fed.
set -eu
here=$(dirname "$0")
work=$(mktemp -d "${TMPDIR:-/tmp}/single.XXXXXX")
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- "$here/../examples/models/synergy-mini.Q8_0.gguf" 256
for macro in SYNERGY_STATIC SYNERGY_MODEL_FLOAT; do
    ${CC:-cc} -std=c99 -O2 -D$macro -I"$here/.." "$here/bench_single.c" -lm -o "$work/$macro"
done
echo '| model, tokens | norms, relative: largest (median) | logits: largest (of a range of) | mean KL, nats | other greedy tokens |'
echo '|---|---:|---:|---:|---:|'
while [ $# -gt 1 ]; do
    "$work/SYNERGY_STATIC" "$1" "$2" "$work/numbers"
    "$work/SYNERGY_MODEL_FLOAT" "$1" "$2" "$work/numbers" compare
    shift 2
done
