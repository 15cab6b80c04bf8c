#!/usr/bin/env python3
"""Writes tests/data/cli: recordings in several forms, and what `synergy phiid` must make of them (needs numpy).

    python3 cli_data.py FIXTURES/phiid DIR

norms.npy is the multi-series fixture as [prompts, samples, layers, units]; its expected values were computed there in
60-digit arithmetic. The others are small; their expected values come from the closed form of sts and rtr (MMI) in six
correlations, which shares nothing with the header."""
import json
import os
import sys

import numpy as np


def sts_rtr(series, tau=1):
    """Both matrices of series [T, N]."""
    return of_windows(series[:-tau], series[tau:])[:2]


def of_windows(past, future):
    """sts, rtr and u(xy;ab) = exp(-2 I(xy;ab)) of all pairs, from their windows [samples, N]."""
    norm = lambda w: (w - w.mean(0)) / np.sqrt(((w - w.mean(0)) ** 2).sum(0))
    a, b = norm(past), norm(future)
    xy, ab, xb = a.T @ a, b.T @ b, a.T @ b
    ya, xa, yb = xb.T, np.diag(xb)[:, None], np.diag(xb)[None, :]
    with np.errstate(all="ignore"):
        ua, ub, uc, ud, vy, vb = 1 - xa**2, 1 - xb**2, 1 - ya**2, 1 - yb**2, 1 - xy**2, 1 - ab**2
        c1, c2, c3, c4 = ya - xy * xa, yb - xy * xb, xb - xa * ab, yb - ya * ab
        xy_a, xy_b, x_ab, y_ab = ua - c1**2 / vy, ub - c2**2 / vy, ua - c3**2 / vb, uc - c4**2 / vb
        xy_ab = (xy_a * xy_b - (ab - xa * xb - c1 * c2 / vy) ** 2) / vb
        rtr = -0.5 * np.log(np.maximum(np.maximum(ua, ub), np.maximum(uc, ud)))
        sts = -0.5 * np.log(
            xy_ab * np.minimum(ua, uc) * np.minimum(ub, ud)
            / (np.minimum(xy_a, xy_b) * np.minimum(x_ab, y_ab) * np.minimum(np.maximum(ua, ub), np.maximum(uc, ud))))
    np.fill_diagonal(sts, 0)
    np.fill_diagonal(rtr, 0)
    return sts, rtr, xy_ab


def expected(name, prompts, out, per=100):
    write_units(name, [sts_rtr(p) for p in prompts], out, per)


def write_units(name, both, out, per=100):
    n = both[0][0].shape[0]
    with open(os.path.join(out, name), "w") as f:
        f.write("unit,synergy,redundancy\n")
        for i in range(n):
            mean = [sum(b[k][i].sum() for b in both) / len(both) / (n - 1) for k in (0, 1)]
            f.write("L%dH%d,%.17g,%.17g\n" % (i // per, i % per, *mean))


def without_trend(series, degree):
    """The polynomial of least squares over time taken out of each column, the mean left."""
    t = np.linspace(-1, 1, len(series))
    return series - np.polynomial.polynomial.polyval(t, np.polynomial.polynomial.polyfit(t, series, degree)).T


def pooled(prompts, tau):
    """All prompts as one: windows centred within each."""
    past = np.concatenate([p[:-tau] - p[:-tau].mean(0) for p in prompts])
    return past, np.concatenate([p[tau:] - p[tau:].mean(0) for p in prompts])


def quantiles(prompts, systems=4000):
    """Mean quantile of each unit's pairs among random systems z' = g A z + e of the same total information: here A and V
    are drawn by numpy, g is found by bisection, the stationary covariance by a Kronecker system."""
    r = np.random.default_rng(11)
    a = r.normal(size=(systems, 2, 2))
    z = r.normal(size=(systems, 2, 3))
    v = z @ z.transpose(0, 2, 1)
    radius = np.abs(np.linalg.eigvals(a)).max(1)
    levels = np.geomspace(1e-4, 5, 60)
    table = []
    def stationary(g):
        b = g[:, None, None] * a
        kron = np.einsum("sij,skl->sikjl", b, b).reshape(systems, 4, 4)
        return b, np.linalg.solve(np.eye(4) - kron, v.reshape(systems, 4, 1)).reshape(systems, 2, 2)
    for total in levels:
        low, high = np.zeros(systems), 1 / radius
        for _ in range(50):
            g = (low + high) / 2
            _, s = stationary(g)
            more = 0.5 * np.log(np.linalg.det(s) / np.linalg.det(v)) > total
            low, high = np.where(more, low, g), np.where(more, g, high)
        b, s = stationary(low)
        c = b @ s  # cov(future, past)
        sd = np.sqrt(np.einsum("sii->si", s))
        corr, lag = s / sd[:, :, None] / sd[:, None, :], c / sd[:, :, None] / sd[:, None, :]
        mi = lambda i, j: -0.5 * np.log(1 - lag[:, i, j] ** 2)  # future i, past j
        def joint(rows, columns):
            k, m = corr[:, rows][:, :, rows], corr[:, columns][:, :, columns]
            x = lag[:, rows][:, :, columns]
            full = np.block([[k, x], [x.transpose(0, 2, 1), m]])
            return 0.5 * np.log(np.linalg.det(k) * np.linalg.det(m) / np.linalg.det(full))
        xa, xb, ya, yb = mi(0, 0), mi(1, 0), mi(0, 1), mi(1, 1)
        xya, xyb, xab, yab = joint([0], [0, 1]), joint([1], [0, 1]), joint([0, 1], [0]), joint([0, 1], [1])
        sts = (joint([0, 1], [0, 1]) - np.maximum(xya, xyb) - np.maximum(xab, yab) + np.maximum(xa, ya)
               + np.maximum(xb, yb) - np.maximum(np.minimum(xa, xb), np.minimum(ya, yb)))
        table.append((np.sort(sts), np.sort(np.minimum(np.minimum(xa, xb), np.minimum(ya, yb)))))
    out = []
    for p in prompts:
        sts, rtr, u = of_windows(p[:-1], p[1:])
        at = np.clip(np.interp(np.log(-0.5 * np.log(np.clip(u, 1e-300, 1 - 1e-16))), np.log(levels), np.arange(60)), 0, 58.999)
        pair = []
        for k, value in enumerate((sts, rtr)):
            q = np.zeros_like(value)
            for i, j in np.argwhere(~np.eye(len(value), dtype=bool)):
                n = int(at[i, j])
                rank = [np.searchsorted(table[n + d][k], value[i, j]) / systems for d in (0, 1)]
                q[i, j] = rank[0] + (at[i, j] - n) * (rank[1] - rank[0])
            pair.append(q)
        out.append(pair)
    return out


def main(fixtures, out):
    os.makedirs(out, exist_ok=True)
    save = lambda name, a: np.save(os.path.join(out, name), a)
    multi = json.load(open(os.path.join(fixtures, "multi.json")))
    series = np.load(os.path.join(fixtures, "multi", "series.npy"))
    save("norms.npy", np.ascontiguousarray(series.transpose(0, 2, 1)).reshape(5, 100, 4, 6))
    m = multi["MMI"]
    with open(os.path.join(out, "norms_units.csv"), "w") as f:
        f.write("unit,layer,index,synergy,redundancy,synergy_rank,redundancy_rank,rank_difference,score\n")
        for i in range(24):
            f.write("L%dH%d,%d,%d,%.17g,%.17g,%g,%g,%g,%g\n" % (
                i // 6, i % 6, i // 6, i % 6, m["unit_syn"][i], m["unit_red"][i], m["rank_syn"][i], m["rank_red"][i],
                m["score"][i], m["score"][i]))
    with open(os.path.join(out, "norms_profile.csv"), "w") as f:
        f.write("layer,mean,minmax\n")
        for i in range(4):
            f.write("%d,%.17g,%.17g\n" % (i, m["layer_mean_score"][i], m["layer_profile_minmax"][i]))

    # the same norms analysed otherwise
    prompts = list(series.transpose(0, 2, 1))
    for name, degree in (("linear", 1), ("quadratic", 2)):
        expected("norms_%s_units.csv" % name, [without_trend(p, degree) for p in prompts], out, 6)
    position = np.mean(prompts, axis=0)
    expected("norms_mean_units.csv", [p - position for p in prompts], out, 6)
    write_units("norms_pooled_units.csv", [of_windows(*pooled(prompts, 3))[:2]], out, 6)
    write_units("norms_quantile_units.csv", quantiles(prompts), out, 6)

    r = np.random.default_rng(5)
    small = r.normal(size=(2, 40, 3))
    for t in range(1, 40):
        small[:, t] += 0.5 * small[:, t - 1]
    save("small.npy", small)
    save("small_fortran.npy", np.asfortranarray(small))
    save("small_big_endian.npy", small.astype(">f8"))
    expected("small_units.csv", small, out)
    half = small.astype(np.float16)
    save("half.npy", half)
    save("half_as_double.npy", half.astype(np.float64))
    save("half_as_single_fortran.npy", np.asfortranarray(half.astype(np.float32)))
    save("one.npy", small[0])
    with open(os.path.join(out, "one.csv"), "w") as f:
        f.write('first,"second, with a comma",third\n')
        for row in small[0]:
            f.write(",".join("%.17g" % v for v in row) + "\n")
    expected("one_units.csv", small[:1], out)

    # series that end early: the third is shorter than 32 samples and is left out
    os.makedirs(os.path.join(out, "ended"), exist_ok=True)
    ended, length = r.normal(size=(3, 60, 3)).astype(np.float32), np.array([60, 40, 20], np.int32)
    for p in range(3):
        ended[p, length[p]:] = np.nan
    save("ended/norms.npy", ended.reshape(3, 60, 1, 3))
    save("ended/lengths.npy", length)
    expected("ended_units.csv", [ended[0].astype(float), ended[1, :40].astype(float)], out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
