#!/bin/sh
# Numbers from outside: weights that are NaN or infinite. What records them says so, every pair is flagged and left out, the
# rest of the chain ends with a line. And what has no backward pass names what has one.
. ./cli.sh
notes=yes
whole=data/models/llama-f16/model.gguf
bytes=$(($(wc -c < $whole)))
keep=$((bytes / 4)) # keys and the first tensors
printf 'one\ntwo\n' > "$work/prompts"

# filled NAME BYTE: keys and the first tensors, then one byte to the end
filled() {
    { head -c $keep $whole; head -c $((bytes - keep)) /dev/zero | tr '\000' "$2"; } > "$work/$1.gguf"
}
filled NaN '\377'
filled largest '\177' # 0x7f7f7f7f: 3.4e38, whose products are infinite

for kind in NaN largest; do
    model=$work/$kind.gguf folder=$work/$kind
    run 0 "$kind: capture" capture "$model" --prompts "$work/prompts" --raw -n 10 -o "$folder"
    says 'norms are NaN or infinite'
    run 0 "$kind: given ids" capture "$model" --tokens data/models/llama-f16/tokens.npy -o "$folder-ids"
    says 'norms are NaN or infinite'
    run 0 "$kind: run" run "$model" -p one --raw -n 4
    says 'logits are NaN or infinite'
    run 0 "$kind: phiid" phiid "$folder"
    try "$kind: no sound pair" grep -q 'no sound pair' "$work/stdout"
    try "$kind: flagged" grep -q NONFINITE "$work/stdout"
    try "$kind: no score" awk -F, 'NR > 1 && $4 != "" { exit 1 }' "$folder/units.csv"
    run 0 "$kind: graph" graph "$folder"
    run 0 "$kind: report" report "$folder"
    run 1 "$kind: perplexity" perplexity "$model" --tokens data/models/llama-f16/tokens.npy
    run 1 "$kind: gradient" gradient "$model" --tokens data/gradients/llama-f16/ids.npy -o "$work/gradient.gguf"
    says 'not finite'
done
run 0 "sound weights" capture $whole --prompts "$work/prompts" --raw -n 10 -o "$work/sound"
try "sound weights: no such note" sh -c '! grep -q infinite "$1"' - "$work/stderr"

ids=data/gradients/llama-f16/train_ids.npy
other=data/families/gptoss/model.gguf
run 1 "train: no backward pass" train --init $other --tokens $ids --steps 1 -o "$work/train"
says 'no backward pass for architecture gpt-oss; there is one for models without experts of llama'
run 0 "capture for tune" capture $other --tokens data/families/gptoss/ids.npy -o "$work/other"
run 0 "phiid for tune" phiid "$work/other"
run 1 "tune: no backward pass" tune $other "$work/other" --method sft --subset core --task words
says 'no backward pass for architecture gpt-oss; there is one for models without experts of llama'
finish
