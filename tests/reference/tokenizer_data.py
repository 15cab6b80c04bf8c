#!/usr/bin/env python3
"""Makes tests/data/tokenizer from the shared tokenizer fixtures.

    python3 tokenizer_data.py FIXTURES/tokenizer ../data/tokenizer

The fixtures were made with llama.cpp's library and the models' own chat templates (their README
says how). Here: the strings of moderate length, one vocabulary file for those that differ only in
the name of the pre-tokenizer, Unicode edges for one pre-tokenizer that tells L, N and P apart, and
the two JSON files as tables.
"""
import base64
import json
import os
import shutil
import sys

LONGEST = 700  # bytes of a string, and characters of a row
KEPT_VOCABS = ["bpe-smollm", "bpe-olmo", "spm-llama", "spm-gemma"]
FAMILIES = {"smollm2": ("smollm", 0), "qwen2.5": ("qwen2.5", 0), "qwen3": ("qwen3", 0),
            "qwen3 (enable_thinking=false)": ("qwen3", 8), "gemma3": ("gemma", 0),
            "gemma2": ("gemma", 0), "llama3": ("llama3", 0), "llama3.1": ("llama3.1", 0),
            "deepseek-v2": ("deepseek2", 0)}


def b64(text):
    return base64.b64encode(text.encode()).decode() or "-"


def write(path, lines):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii", newline="\n") as f:
        f.write("".join(line + "\n" for line in lines))


def rows(path):
    with open(path, encoding="ascii") as f:
        return [line.rstrip("\n") for line in f]


def main(source, target):
    strings = [r for r in rows(source + "/strings.tsv") if len(r) <= LONGEST * 4 / 3]
    write(target + "/strings.tsv", strings)
    names = {r.split("\t")[0] for r in strings}
    for name in sorted(os.listdir(source + "/expected")):
        if name.startswith("real"):
            continue
        kept = [r for r in rows(source + "/expected/" + name)
                if r.split("\t")[0] in names and len(r) <= LONGEST * 4]
        write(target + "/expected/" + name, kept)
    for name in KEPT_VOCABS:
        shutil.copyfile("%s/vocabs/%s.gguf" % (source, name), "%s/%s.gguf" % (target, name))
        os.chmod("%s/%s.gguf" % (target, name), 0o644)
    write(target + "/unicode-strings.tsv", rows(source + "/unicode-strings.tsv"))
    write(target + "/expected-unicode/bpe-default.tsv", rows(source + "/expected-unicode/bpe-default.tsv"))

    facts = json.load(open(source + "/vocabs.json"))
    write(target + "/facts.tsv", [
        "%s\t%d\t%d\t%d\t%d %d\t%s" % (name, f["n_tokens"], f["bos"], f["eos"], f["add_bos"],
                                      f["add_eos"], " ".join(map(str, sorted(f["eog"]))))
        for name, f in facts.items() if ":" not in name])

    chat = json.load(open(source + "/chat.json"))
    lines = []
    for family, (name, flags) in FAMILIES.items():
        for case, messages in chat["messages"].items():
            text = chat["rendered"][family][case]
            if not isinstance(text, str):
                continue
            ids = chat["ids"].get(family, {}).get(case)
            lines.append("\t".join([
                name, str(flags), "".join(m["role"][0] for m in messages),
                ",".join(b64(m["content"]) for m in messages), b64(text),
                " ".join(map(str, ids)) if ids else "-"]))
    write(target + "/chat.tsv", lines)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
