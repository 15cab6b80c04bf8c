#!/usr/bin/env python3
"""The closed form of MMI (sts and rtr) for all pairs, vectorised with numpy: what bench_phiid.c is
compared with. One thread: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python3 numpy_phiid.py [N ...]"""
import sys
import time

import numpy as np


def standardise(window):
    window = window - window.mean(axis=1, keepdims=True)
    return window / np.sqrt((window * window).sum(axis=1, keepdims=True))


def pairs(series):
    """series (unit, sample) -> sts, rtr (pair)"""
    past, future = standardise(series[:, :-1]), standardise(series[:, 1:])
    i, j = np.triu_indices(len(series), 1)
    pp, ff, pf = past @ past.T, future @ future.T, past @ future.T
    xy, ab, xa, yb, xb, ya = pp[i, j], ff[i, j], pf[i, i], pf[j, j], pf[i, j], pf[j, i]
    ua, ub, uc, ud = 1 - xa**2, 1 - xb**2, 1 - ya**2, 1 - yb**2
    vy, vb = 1 - xy**2, 1 - ab**2
    c1, c2, c3, c4 = ya - xy * xa, yb - xy * xb, xb - xa * ab, yb - ya * ab
    xya, xyb, xab, yab = ua - c1**2 / vy, ub - c2**2 / vy, ua - c3**2 / vb, uc - c4**2 / vb
    xyab = (xya * xyb - (ab - xa * xb - c1 * c2 / vy) ** 2) / vb
    rtr = -0.5 * np.log(np.maximum(np.maximum(ua, ub), np.maximum(uc, ud)))
    sts = -0.5 * np.log(xyab * np.minimum(ua, uc) * np.minimum(ub, ud) /
                        (np.minimum(xya, xyb) * np.minimum(xab, yab) *
                         np.minimum(np.maximum(ua, ub), np.maximum(uc, ud))))
    return sts, rtr


for n in [int(a) for a in sys.argv[1:]] or [64, 256, 1152]:
    random = np.random.default_rng(1)
    series = random.standard_normal((n, 100)).cumsum(axis=1) * 0.3 + random.standard_normal((n, 100))
    pairs(series)
    runs, start = 0, time.perf_counter()
    while time.perf_counter() - start < 1:
        pairs(series)
        runs += 1
    seconds = (time.perf_counter() - start) / runs
    print(f"{n:5d} units  {1e9 * seconds / (n * (n - 1) / 2):8.1f} ns a pair-prompt (numpy)")
