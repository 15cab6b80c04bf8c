#!/usr/bin/env python3
"""Packs a folder of malformed GGUF files into a few base files and one table of recipes.

    python3 make_bad_gguf.py FOLDER OUT        FOLDER has manifest.json and the files it names

Almost every malformed file is a good one with a few bytes changed, so 338 files (8 MB) become a few bases and a table.
OUT/cases.tsv has a line a file:  name  expect  bytes  base  recipe  what.  A recipe is a list of pieces, joined:
    c<from>+<n>   n bytes of the base from that offset
    x<hex>        these bytes
    r<n>:<hex>    these bytes n times
tests/test_bad_gguf.c puts them together again in memory.
"""
import json
import os
import sys

BASES = ["ok_tail_100", "ok_v3_q8_0", "ok_v3_f32", "ok_v2_f16", "ok_bpe", "ok_moe"]
BLOCK = 24  # a match shorter than this is written out


def literal(data):
    """Pieces for bytes that stand in no base: runs of a repeated unit, else hex."""
    out, plain, i = [], bytearray(), 0
    while i < len(data):
        best = (0, 0)
        for unit in (1, 2, 4, 8, 12, 16, 28):
            n = 1
            while data[i + n * unit:i + (n + 1) * unit] == data[i:i + unit] and i + (n + 1) * unit <= len(data):
                n += 1
            if n * unit >= 32 and n * unit > best[0] * best[1]:
                best = (n, unit)
        if best[0]:
            if plain:
                out.append("x" + plain.hex())
                plain = bytearray()
            out.append("r%d:%s" % (best[0], data[i:i + best[1]].hex()))
            i += best[0] * best[1]
        else:
            plain.append(data[i])
            i += 1
    if plain:
        out.append("x" + plain.hex())
    return out


def recipe(data, base, index):
    out, held, i = [], bytearray(), 0
    expected = 0  # where a copy would go on after a replacement of the same length
    while i < len(data):
        best = (0, 0)
        for at in [expected + len(held)] + index.get(data[i:i + BLOCK], [])[:16]:
            n = 0
            step = 4096
            while step:
                while at + n + step <= len(base) and i + n + step <= len(data) and \
                        base[at + n:at + n + step] == data[i + n:i + n + step]:
                    n += step
                step //= 2
            if n >= BLOCK and n > best[0]:
                best = (n, at)
        n, at = best
        if n:
            out += literal(bytes(held))
            held = bytearray()
            out.append("c%d+%d" % (at, n))
            i += n
            expected = at + n
        else:
            held.append(data[i])
            i += 1
    return out + literal(bytes(held))


def rebuild(pieces, base):
    out = bytearray()
    for p in pieces:
        if p[0] == "c":
            at, n = map(int, p[1:].split("+"))
            out += base[at:at + n]
        elif p[0] == "x":
            out += bytes.fromhex(p[1:])
        else:
            n, unit = p[1:].split(":")
            out += bytes.fromhex(unit) * int(n)
    return bytes(out)


def main():
    folder, out = sys.argv[1:]
    read = lambda name: open(os.path.join(folder, name + ".gguf"), "rb").read()
    bases = {name: read(name) for name in BASES}
    index = {}
    for name, base in bases.items():
        index[name] = {}
        for i in range(len(base) - BLOCK + 1):
            index[name].setdefault(base[i:i + BLOCK], []).append(i)
    rows = []
    for case in json.load(open(os.path.join(folder, "manifest.json")))["cases"]:
        data = read(case["name"])
        kept = None
        for name in BASES:
            pieces = recipe(data, bases[name], index[name])
            if kept is None or len(" ".join(pieces)) < len(" ".join(kept[1])):
                kept = (name, pieces)
            if len(" ".join(pieces)) < 1000:
                break
        assert rebuild(kept[1], bases[kept[0]]) == data, case["name"]
        what = "".join(c if 32 <= ord(c) < 127 else "?" for c in case["what"])
        rows.append("\t".join([case["name"], case["expect"], str(len(data)), kept[0], " ".join(kept[1]) or "-", what]))
    os.makedirs(out, exist_ok=True)
    for name, base in bases.items():
        with open(os.path.join(out, name + ".gguf"), "wb") as f:
            f.write(base)
    with open(os.path.join(out, "cases.tsv"), "w") as f:
        f.write("\n".join(rows) + "\n")


main()
