#!/bin/sh
# Families that the shared fixtures do not have: the logits of tiny models are PyTorch's (tests/reference/family_models.py).
. ./cli.sh

tool=$work/npy_tool
${CC:-cc} -std=c99 -O1 -I. -I.. -o "$tool" npy_tool.c -lm || { bad "npy_tool.c does not compile"; finish; }

for folder in data/families/*/; do
    name=$(basename "$folder")
    run 0 "$name" capture "$folder/model.gguf" --tokens "$folder/ids.npy" -o "$work/$name" --logits --exact
    try "$name: the logits are PyTorch's" "$tool" near "$work/$name/logits.npy" "$folder/logits.npy" 2e-4
done
finish
