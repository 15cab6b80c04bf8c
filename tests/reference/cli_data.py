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
    past, future = series[:-tau], series[tau:]
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
    return sts, rtr


def expected(name, prompts, out):
    both = [sts_rtr(p) for p in prompts]
    n = both[0][0].shape[0]
    with open(os.path.join(out, name), "w") as f:
        f.write("unit,synergy,redundancy\n")
        for i in range(n):
            mean = [sum(b[k][i].sum() for b in both) / len(both) / (n - 1) for k in (0, 1)]
            f.write("0.%d,%.17g,%.17g\n" % (i, *mean))


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
            f.write("%d.%d,%d,%d,%.17g,%.17g,%g,%g,%g,%g\n" % (
                i // 6, i % 6, i // 6, i % 6, m["unit_syn"][i], m["unit_red"][i], m["rank_syn"][i], m["rank_red"][i],
                m["score"][i], m["score"][i]))
    with open(os.path.join(out, "norms_profile.csv"), "w") as f:
        f.write("layer,mean,minmax\n")
        for i in range(4):
            f.write("%d,%.17g,%.17g\n" % (i, m["layer_mean_score"][i], m["layer_profile_minmax"][i]))

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
