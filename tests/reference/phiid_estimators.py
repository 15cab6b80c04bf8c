"""Reference atoms of the estimators, for tests/test_estimators.c: python3 phiid_estimators.py PACKAGE OUT

PACKAGE is a folder with the Python package phyid (github.com/Imperial-MIND-lab/integrated-info-decomp); OUT gets
  series.npy  [K, 2, 120] float64: ordinary series, ties, few levels, heavy tails, near copies, one rare event
  atoms.npy   [K, 5, 16] float64, nats: binary MMI and CCS (the package's "discrete", in bits there), copula MMI and CCS
              (the package's "gaussian" on normal scores by scipy), log-gaussian MMI
Cases where a local information of the binary CCS is 0 within rounding, whose sign the package leaves to chance, are
drawn anew."""
import sys

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

sys.path.insert(0, sys.argv[1])
from phyid.calculate import calc_PhiID  # noqa: E402

ORDER = "rtr rtx rty rts xtr xtx xty xts ytr ytx yty yts str stx sty sts".split()
N = 120


def atoms(x, y, kind, redundancy, tau=1):
    a, _ = calc_PhiID(x, y, tau, kind=kind, redundancy=redundancy)
    return np.array([np.mean(a[k]) for k in ORDER]) * (np.log(2) if kind == "discrete" else 1)


def margin(x, y):
    _, c = calc_PhiID(x, y, 1, kind="discrete", redundancy="CCS")
    return min(np.abs(v).min() for v in c["I_res"].values())


def scores(x):
    return ndtri(rankdata(x) / (len(x) + 1))


def coupled(rng, share):
    x, y, e = np.zeros(N), np.zeros(N), rng.standard_normal((2, N))
    for t in range(1, N):
        x[t] = 0.6 * x[t - 1] + share * y[t - 1] + e[0, t]
        y[t] = 0.5 * y[t - 1] + e[1, t]
    return x, y


def draw(rng, k):
    x, y = coupled(rng, 0.2 * (k % 5))
    kind = k % 6
    if kind == 1:
        x, y = np.round(x), np.round(2 * y) / 2
    if kind == 2:
        x, y = np.exp(2 * x), np.sinh(1.5 * y)
    if kind == 3:
        y = x + 0.3 * y
    if kind == 4:
        y = (y > 2).astype(float) * (1 + x)
    if kind == 5:
        x, y = (x > 0).astype(float), np.abs(y)
    return x, y


rng = np.random.default_rng(20)
series, values = [], []
while len(series) < 24:
    x, y = draw(rng, len(series))
    if margin(x, y) < 1e-9:
        continue
    px, py = x - x.min() + 0.1, y - y.min() + 0.1
    series.append((px, py))
    values.append([atoms(px, py, "discrete", "MMI"), atoms(px, py, "discrete", "CCS"),
                   atoms(scores(px), scores(py), "gaussian", "MMI"), atoms(scores(px), scores(py), "gaussian", "CCS"),
                   atoms(np.log(px), np.log(py), "gaussian", "MMI")])
np.save(sys.argv[2] + "/series.npy", np.array(series))
np.save(sys.argv[2] + "/atoms.npy", np.array(values))
