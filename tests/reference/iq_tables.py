"""Prints the grids of the IQ types as the C tables of the types section.

    python -m venv v && v/bin/pip install gguf && v/bin/python iq_tables.py > tables.h

A grid maps an index to 8 (IQ1, IQ2) or 4 (IQ3) small values. An entry takes 16 bits here: 2 bits
a value in IQ1 and IQ2, 4 bits a value in IQ3, the first value lowest; four entries stand in one 64-bit
number, the first entry lowest. The types section turns the digits back into values.
"""
import numpy as np
from gguf import quants

GRIDS = (
    ("iq1", quants.IQ1_S, 2, "IQ1_S and IQ1_M: digit - 1"),
    ("iq2_xxs", quants.IQ2_XXS, 2, "IQ2_XXS: 8, 25, 43"),
    ("iq2_xs", quants.IQ2_XS, 2, "IQ2_XS: 8, 25, 43"),
    ("iq2_s", quants.IQ2_S, 2, "IQ2_S: 8, 25, 43"),
    ("iq3_xxs", quants.IQ3_XXS, 4, "IQ3_XXS: 4, 12, 20, 28, 36, 44, 52, 62"),
    ("iq3_s", quants.IQ3_S, 4, "IQ3_S: 1, 3, 5 ... 15"),
)


def entries(quant, bits):
    quant.init_grid()
    grid = np.asarray(quant.grid).reshape(quant.grid_shape)
    digit = {value: i for i, value in enumerate(quant.grid_map)}
    return [sum(digit[int(value)] << (bits * i) for i, value in enumerate(row)) for row in grid]


def main():
    total = 0
    for name, quant, bits, what in GRIDS:
        entry = entries(quant, bits)
        words = [sum(e << (16 * i) for i, e in enumerate(entry[at:at + 4])) for at in range(0, len(entry), 4)]
        total += 8 * len(words)
        print(f"/* {what} */")
        print(f"static const uint64_t synp_grid_{name}[{len(words)}] = {{")
        for at in range(0, len(words), 4):
            print("    " + " ".join(f"0x{w:x}," for w in words[at:at + 4]))
        print("};\n")
    print(f"/* {total} bytes */")


if __name__ == "__main__":
    main()
