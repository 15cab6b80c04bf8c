"""Checks the null of `synergy phiid --surrogates` against numpy: python3 null_check.py SYNERGY FOLDER

Recordings of several prompts in which pairs are degenerate in some prompts only (a column that counts, a copy, a lagged
copy, a unit with one event) are analysed by the program; the shifts are drawn here from their definition, the informations
computed from determinants, and the means, excess, z and p of units and pairs taken over the pairs and prompts that are
sound as observed and have a value in the surrogate. Prints the largest differences; exit code 1 beyond 1e-9."""
import csv
import subprocess
import sys

import numpy as np

MASK = (1 << 64) - 1


def step(state):
    """splitmix64: the state after, and the number."""
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


def stream(seed, index):
    _, z = step(seed)
    return step(z ^ (index * 0xD1342543DE82EF95 & MASK))[1]


def keys(series):
    """series (unit, sample): a hash of each unit, with how many before it are the same."""
    out = []
    for row in series:
        state = len(row)
        for bits in (row + 0.0).view(np.uint64).tolist():
            state = step(state)[1] ^ bits
        out.append(step(state)[1])
    return [stream(k, out[:i].count(k)) if k in out[:i] else k for i, k in enumerate(out)]


def shifted(series, key, seed, surrogate, prompt):
    base = stream(stream(seed, surrogate), prompt)
    n = series.shape[1]
    least = max(n // 10, 1)
    out = np.empty_like(series)
    for i, row in enumerate(series):
        z = step(stream(base, key[i]))[1]
        out[i] = np.roll(row, least + ((z >> 32) * (n - 2 * least + 1) >> 32))
    return out


def pair(x, y):
    """(sts, rtr) of MMI at lag 1, or None where a variable depends on the others."""
    v = np.array([x[:-1], y[:-1], x[1:], y[1:]])
    if (v.max(1) == v.min(1)).any():
        return None
    v = v - v.mean(1, keepdims=True)
    v /= np.sqrt((v * v).sum(1, keepdims=True))
    if np.linalg.svd(v, compute_uv=False)[-1] < 1e-10:
        return None
    r = v @ v.T
    u = lambda a, b: np.linalg.det(r[np.ix_(a + b, a + b)]) / np.linalg.det(r[np.ix_(a, a)]) / np.linalg.det(r[np.ix_(b, b)])
    i = lambda a, b: -0.5 * np.log(u(a, b))
    xa, xb, ya, yb = i([0], [2]), i([0], [3]), i([1], [2]), i([1], [3])
    sts = (i([0, 1], [2, 3]) - max(i([0, 1], [2]), i([0, 1], [3])) - max(i([0], [2, 3]), i([1], [2, 3]))
           + max(xa, ya) + max(xb, yb) - max(min(xa, xb), min(ya, yb)))
    return np.array([sts, min(xa, xb, ya, yb)])


def cells(series):
    n = len(series)
    return [[pair(series[a], series[b]) for a in range(n) for b in range(a + 1, n)]]


def recording(rng, prompts, samples):
    units = 6
    x = np.zeros((prompts, samples, units))
    for p in range(prompts):
        e, driver = rng.standard_normal((samples, units)), rng.standard_normal(samples)
        for t in range(samples):
            x[p, t] = (0.6 * x[p, t - 1] if t else 0) + e[t] + (driver[t] if p % 2 else 0.3 * driver[t])
        x[p, :, 1] = np.arange(samples) + (rng.standard_normal(samples) if p == 1 else 0)  # counts, but in prompt 1
        if p == 0:
            x[p, :, 3] = x[p, :, 2] * 0.5 - 1
        if p == 2:
            x[p, 1:, 4] = x[p, :-1, 2]
        if p != 1:
            x[p, :, 5] = np.arange(samples) == samples // 3
    return x


def check(program, folder, prompts, samples, surrogates, seed):
    x = recording(np.random.default_rng(seed), prompts, samples)
    np.save(folder + "/in.npy", x)
    subprocess.run([program, "phiid", folder + "/in.npy", "-o", folder + "/out", "--surrogates", str(surrogates), "--seed",
                    str(seed), "--pairs-csv", "--force"], check=True, stdout=subprocess.DEVNULL)
    series = [np.ascontiguousarray(x[p].T) for p in range(prompts)]
    key = [keys(s) for s in series]
    n = x.shape[2]
    number = [[0] * n for _ in range(n)]
    for k, (a, b) in enumerate((a, b) for a in range(n) for b in range(a + 1, n)):
        number[a][b] = number[b][a] = k
    seen = [cells(s)[0] for s in series]
    pairs = range(n * (n - 1) // 2)

    def means(own, other):
        """own[p][k] over the cells that both have: by pair, NaN where there is none."""
        rows = [[own[p][k] for p in range(prompts) if own[p][k] is not None and other[p][k] is not None] for k in pairs]
        return np.array([np.mean(r, axis=0) if r else [np.nan, np.nan] for r in rows])

    whole = means(seen, seen)
    row = lambda m, i: [m[number[i][j]] for j in range(n) if j != i and not np.isnan(m[number[i][j]][0])]
    unit = lambda m, i: np.mean(row(m, i), axis=0) if row(m, i) else np.array([np.nan, np.nan])
    value = [[] for _ in range(n)]
    above, pair_above = np.zeros((n, 2)), np.zeros((len(pairs), 3))
    for s in range(surrogates):
        made = [cells(shifted(series[p], key[p], seed, s, p))[0] for p in range(prompts)]
        a, b = means(seen, made), means(made, seen)
        for i in range(n):
            o, m = unit(a, i), unit(b, i)
            if np.isnan(o[0]):
                continue
            value[i].append(unit(whole, i) + m - o)
            above[i] += m >= o
        for k in pairs:
            if not np.isnan(a[k][0]):
                pair_above[k] += np.append(b[k] >= a[k], 1)
    worst = {}

    def compare(name, got, want, tolerance=1e-9):
        off = 0 if got == "" and np.isnan(want) else abs(float(got or "nan") - want)
        if not off <= tolerance:
            print(name, got, want)
        worst[name.split()[0]] = max(worst.get(name.split()[0], 0), off if off == off else np.inf)

    for i, r in enumerate(csv.DictReader(open(folder + "/out/units.csv"))):
        count = len(value[i])
        o = unit(whole, i)
        for k, what in enumerate(("synergy", "redundancy")):
            m = np.array(value[i])[:, k] if count else np.array([np.nan])
            compare(what + " %d" % i, r[what], o[k])
            compare(what + "_null %d" % i, r[what + "_null"], m.mean())
            compare(what + "_p %d" % i, r[what + "_p"], (1 + above[i, k]) / (count + 1) if count >= 20 else np.nan)
            compare(what + "_z %d" % i, r[what + "_z"], (o[k] - m.mean()) / m.std(ddof=1) if count > 1 else np.nan, 1e-6)
        compare("surrogates %d" % i, r["surrogates"], count, 0)
    for k, r in enumerate(csv.DictReader(open(folder + "/out/pairs.csv"))):
        count = pair_above[k, 2]
        for c, what in enumerate(("synergy", "redundancy")):
            compare("pair_%s_p %d" % (what, k), r[what + "_p"], (1 + pair_above[k, c]) / (count + 1) if count >= 20 else np.nan)
    return worst


worst = {}
for prompts, samples, surrogates, seed in ((1, 60, 40, 1), (3, 41, 30, 2), (4, 80, 25, 3), (3, 30, 19, 4)):
    for name, off in check(sys.argv[1], sys.argv[2], prompts, samples, surrogates, seed).items():
        worst[name] = max(worst.get(name, 0), off)
print(worst)
sys.exit(not all(off <= (1e-6 if name.endswith("_z") else 1e-9) for name, off in worst.items()))
