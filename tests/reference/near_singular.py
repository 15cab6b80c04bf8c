#!/usr/bin/env python3
"""Pairs that are nearly copies of each other: how small may the difference be before digits go?

    near_singular.py OUT        writes OUT/near.tsv and OUT/series/near.npy

Six kinds of series, each with a near copy (or a near lagged copy), noise from 1e-9 down to 1e-14. The atoms are
those of the doubles as they are, in 60 digits (phiid_ref.py). near.npy is (case, x|y, sample); near.tsv has
one line a case: name tau noise, 16 atoms MMI.
"""
import os
import sys

import numpy as np

import phiid_ref as ref

SAMPLES = 60
NOISE = [1e-9, 1e-11, 1e-12, 3e-13, 1e-13, 3e-14, 1e-14]


def base(kind, rng):
    e = rng.standard_normal(SAMPLES)
    if kind == "walk":
        return np.cumsum(e)
    if kind == "wave":
        return np.sin(0.1 * np.arange(SAMPLES)) + 0.1 * e
    if kind == "offset":
        return e + 50
    x = np.zeros(SAMPLES)
    for t in range(1, SAMPLES):
        x[t] = (0.9 if kind == "memory" else 0.3) * x[t - 1] + e[t]
    return x


def near(kind, x, noise, rng):
    e = noise * rng.standard_normal(SAMPLES)
    if kind == "lagged":
        return np.concatenate([[0.7], x[:-1]]) + e
    return -2.5 * x + 7 + 2.5 * e if kind == "scaled" else x + e


def main(out):
    rng = np.random.default_rng(20260928)
    rows, lines = [], []
    for kind in ("short", "memory", "walk", "wave", "offset", "scaled", "lagged"):
        for k, noise in enumerate(NOISE):
            x = base(kind, rng)
            y = near(kind, x, noise, rng)
            tau = 1 + k % 2
            atoms = ref.phiid_series(x, y, tau, ccs=False)["mmi"]
            rows.append([x, y])
            lines.append("\t".join([f"{kind}_{noise:g}", str(tau), repr(noise)] +
                                   [repr(float(atoms[a])) for a in ref.ATOMS]))
    os.makedirs(os.path.join(out, "series"), exist_ok=True)
    np.save(os.path.join(out, "series", "near.npy"), np.array(rows))
    with open(os.path.join(out, "near.tsv"), "w") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
