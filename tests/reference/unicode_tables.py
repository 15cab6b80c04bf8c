#!/usr/bin/env python3
"""Makes the character tables of the tokenizer section of synergy.h.

    python3 -m pip install unicodedata2==15.1.0
    python3 unicode_tables.py            prints the C arrays
    python3 unicode_tables.py --check F  1 if the header F does not hold exactly these arrays

Unicode 15.1, since that is what the pre-tokenizers of existing vocabularies were run with;
the standard library's unicodedata is of another version in most Pythons.

A table is a list of runs of code points of equal class, from U+0000 on, each run the LEB128
number length * classes + class. Beside a long table stands a short one to enter it by: for every
SKIP-th run its first code point and the offset of its bytes.
"""
import re
import sys
import unicodedata2

SKIP = 32

# The cased letters that the pre-tokenizer deepseek-llm names one by one (a fixed list of its
# definition, not a property: Georgian and Armenian small letters, for example, are not in it).
CASED = """
41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386 388-38A
38C 38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF
1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D
1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4
1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 213C-213F
2145-2149 214E 2183 2184 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2 2CF3 A640-A66D A680-A69B A722-A76F
A771-A787 A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3
104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943
"""


def class_of(point):
    """0 other, 1 letter, 2 number, 3 punctuation."""
    return "LNP".find(unicodedata2.category(chr(point))[0]) + 1


def cased_points():
    points = set()
    for part in CASED.split():
        ends = [int(x, 16) for x in part.split("-")]
        points.update(range(ends[0], ends[-1] + 1))
    return points


def runs_of(classes):
    """[(first, length, class)] without the last run when it is of class 0."""
    runs = []
    for point, c in enumerate(classes):
        if runs and runs[-1][2] == c:
            runs[-1][1] += 1
        else:
            runs.append([point, 1, c])
    if runs[-1][2] == 0:
        runs.pop()
    return runs


def leb128(n):
    out = []
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return out + [n]


def encode(runs, count):
    data, skip = [], []
    for i, (first, length, c) in enumerate(runs):
        if i % SKIP == 0:
            skip.append((first, len(data)))
        data += leb128(length * count + c)
    return data, skip


def array(kind, name, items, width=90):
    lines, line = [], "   "
    for item in items:
        text = " " + item + ","
        if len(line) + len(text) > width:
            lines.append(line)
            line = "   "
        line += text
    lines.append(line.rstrip(","))
    return "static const %s %s = {\n%s\n};\n" % (kind, name, "\n".join(lines))


def tables():
    assert unicodedata2.unidata_version == "15.1.0", unicodedata2.unidata_version
    runs = runs_of([class_of(p) for p in range(0x110000)])
    data, skip = encode(runs, 4)
    cased = cased_points()
    cased_runs = runs_of([int(p in cased) for p in range(0x110000)])
    cased_data, _ = encode(cased_runs, 2)
    sys.stderr.write("classes: %d runs, %d bytes, %d entry points; cased: %d runs, %d bytes\n"
                     % (len(runs), len(data), len(skip), len(cased_runs), len(cased_data)))
    return [
        array("unsigned char", "synp_class_runs[%d]" % len(data), map(str, data)),
        array("uint32_t", "synp_class_skip[%d][2]" % len(skip),
              ["{ 0x%X, %d }" % pair for pair in skip]),
        array("unsigned char", "synp_cased_runs[%d]" % len(cased_data), map(str, cased_data)),
    ]


def main():
    text = tables()
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        squeeze = lambda s: re.sub(r"\s+", " ", s)
        header = squeeze(open(sys.argv[2], encoding="utf-8").read())
        missing = [t.split("=")[0] for t in text if squeeze(t) not in header]
        for name in missing:
            print("not as generated:", name)
        return 1 if missing else 0
    print("\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
