"""The estimators in 50 digits, for tests/test_estimators.c: python3 phiid_exact.py OUT

Reads OUT/series.npy (phiid_estimators.py) and writes OUT/exact.npy [K, 5, 16] float64, nats: binary MMI and CCS, copula MMI
and CCS, log-gaussian MMI. Ranks are counted, normal scores are the roots of Phi(x) = rank / (n + 1), logarithms and
shares are taken, all in 50 digits and never rounded to doubles on the way; atoms by phiid_ref.py from the definitions.
NaN where the sign of a local information that CCS asks for hangs on the 13th digit."""
import os
import sys
from fractions import Fraction

import mpmath as mp
import numpy as np

import phiid_ref as ref


def scores(x):
    n = len(x)
    rank = [Fraction(int(sum(u < v for u in x)) + int(sum(u <= v for u in x)) + 1, 2) for v in x]
    root = {r: mp.sqrt(2) * mp.erfinv(2 * mp.mpf(r.numerator) / r.denominator / (n + 1) - 1) for r in set(rank)}
    return [root[r] for r in rank]


def centre(row):
    m = mp.fsum(row) / len(row)
    return [v - m for v in row]


def numbers(f):
    atom = ref.moebius(f)
    return [float(atom[a]) for a in ref.ATOMS]


def ccs_of(local, n):
    """Means over samples of the cumulative function; None where a sign is no better known than 1e-13."""
    total, least = None, None
    for weight, i in local:
        g, m = ref.cumulative_ccs(i)
        least = m if least is None or m < least else least
        total = {k: weight * v + (total[k] if total else 0) for k, v in g.items()}
    return None if least < 1e-13 else {k: v / n for k, v in total.items()}


def gaussian(x, y, ccs):
    c = [centre(r) for r in ref.four(x, y, 1)]
    s = ref.cov_mp(c)
    mi = ref.mi_from_cov(s)
    out = [numbers(ref.cumulative_mmi(mi))]
    if ccs:
        f = ccs_of([(1, i) for i in ref.local_mi(c, s)], len(c[0]))
        out.append(numbers(f) if f else [float("nan")] * 16)
    return out


def binary(x, y):
    rows = []
    for r in ref.four(x, y, 1):
        mean = sum(Fraction(float(v)) for v in r) / len(r)
        rows.append([int(Fraction(float(v)) > mean) for v in r])
    states = list(zip(*rows))
    n = len(states)

    def count(which, state):
        return sum(all(s[i] == state[i] for i in which) for s in states)

    def local(state, a, b):
        share = Fraction(n * count(a + b, state), count(a, state) * count(b, state))
        return mp.log(mp.mpf(share.numerator) / share.denominator) if share != 1 else mp.mpf(0)

    kinds = sorted(set(states))
    points = [(states.count(s), {k: local(s, a, b) for k, (a, b) in ref.MI_SETS.items()}) for s in kinds]
    mi = {k: mp.fsum(w * i[k] for w, i in points) / n for k in ref.MI_SETS}
    total = {}
    for w, i in points:  # exact zeros are zeros here: no margin is asked for
        for k, v in ref.cumulative_ccs(i)[0].items():
            total[k] = total.get(k, 0) + w * v
    return [numbers(ref.cumulative_mmi(mi)), numbers({k: v / n for k, v in total.items()})]


def main(out):
    mp.mp.dps = 50
    rows = []
    for x, y in np.load(os.path.join(out, "series.npy")):
        row = binary(x, y)
        row += gaussian(scores(x), scores(y), True)
        if min(x.min(), y.min()) > 0:
            row += gaussian([mp.log(mp.mpf(float(v))) for v in x], [mp.log(mp.mpf(float(v))) for v in y], False)
        else:
            row += [[float("nan")] * 16]
        rows.append(row)
    np.save(os.path.join(out, "exact.npy"), np.array(rows))


if __name__ == "__main__":
    main(sys.argv[1])
