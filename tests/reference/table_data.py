#!/usr/bin/env python3
"""Writes tests/data/tables: a table with missing numbers, and what `synergy phiid --missing drop` must make of
it (needs numpy).

    python3 table_data.py ../data/tables

Expected: the MMI atoms sts and rtr of the covariance of all pairs (t, t + tau) between which no sample is missing,
from log-determinants; shares nothing with the header."""
import os
import sys

import numpy as np

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
random = np.random.default_rng(11)
T, names = 160, ["Fz", "Cz", "Pz, left", "Oz"]
N = len(names)
coupling = random.normal(size=(N, N))
coupling *= 0.8 / abs(np.linalg.eigvals(coupling)).max()
x = np.zeros((T, N))
for t in range(1, T):
    x[t] = coupling @ x[t - 1] + random.normal(size=N)
x = np.round(x, 6)
gone = {0: "NA", 17: "n/a", 18: "", 19: "NaN", 60: "null", 62: "-", 133: "nan", 159: "N/A"}
with open(os.path.join(out, "gaps.csv"), "w") as f:
    f.write("Fz,Cz,\"Pz, left\",Oz\n")
    for t in range(T):
        cells = ["%.6f" % v for v in x[t]]
        if t in gone:
            cells[t % N] = gone[t]
        f.write(",".join(cells) + "\n")


def sts_rtr(past, future):
    """Every pair's synergy and redundancy, from windows (pair of samples, unit)."""
    z = np.concatenate([past, future], 1)
    c = np.cov(z.T, bias=True)
    logdet = lambda s: np.linalg.slogdet(c[np.ix_(s, s)])[1]
    mi = lambda a, b: 0.5 * (logdet(a) + logdet(b) - logdet(a + b))
    sets = {0: [1, 2], 1: [1], 2: [2], 3: [3]}  # r: the smaller of x and y
    moebius = np.array([[1, 0, 0, 0], [-1, 1, 0, 0], [-1, 0, 1, 0], [1, -1, -1, 1]])
    for i in range(N):
        for j in range(i + 1, N):
            of = lambda k, first: {1: [first + i], 2: [first + j], 3: [first + i, first + j]}[k]
            f = np.array([[min(mi(of(a, 0), of(b, N)) for a in sets[p] for b in sets[q]) for q in range(4)]
                          for p in range(4)])
            atoms = moebius @ f @ moebius.T
            yield names[i], names[j], atoms[3, 3], atoms[0, 0]


for tau in (1, 3):
    whole = [t for t in range(T - tau) if not any(t <= g <= t + tau for g in gone)]
    past, future = x[whole], x[[t + tau for t in whole]]
    with open(os.path.join(out, f"gaps_tau{tau}.csv"), "w") as f:
        f.write("x,y,synergy,redundancy\n")
        for a, b, s, r in sts_rtr(past, future):
            f.write('%s,%s,%.17g,%.17g\n' % (a.replace(", ", " "), b.replace(", ", " "), s, r))
