"""Covariance-level references: a 4x4 covariance (order x_t, y_t, x_{t+tau}, y_{t+tau}) -> nine MIs, 16 MMI atoms.

usage: phiid_covariances.py OUTDIR SEED VARIANT      needs numpy and mpmath
Parameters are dyadic rationals where possible, so the float64 matrix is exact and the closed form and the
reference computed from the matrix must agree to all printed digits (asserted).
"""
import json, sys
from fractions import Fraction as Fr
import numpy as np
import mpmath as mp
import phiid_ref as R

out, seed, var = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mp.mp.dps = 60
g = np.random.default_rng(seed + 11)
L = lambda r2: -mp.log(1 - mp.mpf(r2.numerator) / r2.denominator) / 2 if isinstance(r2, Fr) else -mp.log(1 - r2) / 2
items = []


def add(name, C, closed=None, note="", formula=None):
    C = [[Fr(v) for v in r] for r in C]
    F = np.array([[float(v) for v in r] for r in C])
    S = mp.matrix(F.tolist())
    mi = R.mi_from_cov(S)
    at = R.mmi_atoms(mi)
    exact = all(Fr(float(v)) == v for r in C for v in r)
    d = {"name": name, "cov": F.tolist(), "cov_hex": [[float(v).hex() for v in r] for r in F], "status": "OK", "note": note,
         "cond_corr": float(R.cond_of_corr(S)), "matrix_exact": exact, "mi": {k: R.s30(v) for k, v in mi.items()},
         "MMI": {k: R.s30(at[k]) for k in R.ATOMS}, "MMI_f64": [float(at[k]) for k in R.ATOMS]}
    if closed:
        cl = {k: mp.mpf(0) for k in R.ATOMS}
        cl.update(closed)
        d["closed_form"] = {k: R.s30(cl[k]) for k in R.ATOMS}
        d["formula"] = formula
        worst = max(abs(cl[k] - at[k]) for k in R.ATOMS)
        assert worst < (mp.mpf(10) ** -35 if exact else mp.mpf(10) ** -12 * d["cond_corr"]), (name, worst)
    items.append(d)


def block(sxx, sxy, syy, xa, xb, ya, yb, axx=None, axy=None, ayy=None):
    axx, axy, ayy = axx or sxx, sxy if axy is None else axy, ayy or syy
    return [[sxx, sxy, xa, xb], [sxy, syy, ya, yb], [xa, ya, axx, axy], [xb, yb, axy, ayy]]

p = (lambda a, b: b) if var else (lambda a, b: a)
one, zero = Fr(1), Fr(0)
add("identity", block(one, zero, one, zero, zero, zero, zero), {"rtr": mp.mpf(0)}, "all independent: every atom 0", "0")
fx, fy = p((Fr(7, 8), Fr(3, 4)), (Fr(15, 16), Fr(5, 8)))
a, d = L(fx * fx), L(fy * fy)
m = min(a, d)
add("independent_ar1", block(one, zero, one, fx, zero, zero, fy),
    {"rts": m, "str": m, "xts": -m, "yts": -m, "stx": -m, "sty": -m, "xtx": a, "yty": d, "sts": 2 * m},
    "two independent AR(1) processes: MMI yields sts = 2 min(a,d) although nothing is shared",
    "a=-ln(1-phi_x^2)/2, d=-ln(1-phi_y^2)/2, m=min(a,d): xtx=a, yty=d, rts=str=m, xts=yts=stx=sty=-m, sts=2m, rest 0")
add("unique_self_x", block(one, zero, one, fx, zero, zero, zero), {"xtx": a}, "x AR(1), y white", "xtx=-ln(1-phi^2)/2, rest 0")
add("unique_self_y", block(one, zero, one, zero, zero, zero, fy), {"yty": d}, "y AR(1), x white", "yty=-ln(1-phi^2)/2, rest 0")
rho = p(Fr(3, 4), Fr(-11, 16))
add("transfer_xy", block(one, zero, one, zero, rho, zero, zero), {"xty": L(rho * rho)}, "x_t -> y_{t+tau} only: one unique atom", "xty=-ln(1-rho^2)/2, rest 0")
add("transfer_yx", block(one, zero, one, zero, zero, rho, zero), {"ytx": L(rho * rho)}, "y_t -> x_{t+tau} only", "ytx=-ln(1-rho^2)/2, rest 0")
r1, r2 = p((Fr(1, 2), Fr(5, 8)), (Fr(3, 8), Fr(-3, 4)))
a, d = L(r1 * r1), L(r2 * r2)
m = min(a, d)
add("swap", block(one, zero, one, zero, r1, r2, zero), {"rts": m, "str": m, "xts": -m, "yts": -m, "stx": -m, "sty": -m, "xty": a, "ytx": d, "sts": 2 * m},
    "independent cross transfers x->y', y->x'", "mirror image of independent_ar1: xty=a, ytx=d, sts=2m")
for r in p((Fr(1, 2), Fr(1, 1024), Fr(1023, 1024)), (Fr(3, 4), Fr(1, 4096), Fr(4095, 4096))):
    c1, c2, c4 = L(r * r), L(2 * r * r / (1 + r)), L((2 * r / (1 + r)) ** 2)
    add(f"equicorrelated_{r.numerator}_{r.denominator}", block(one, r, one, r, r, r, r), {"rtr": c1, "rts": c2 - c1, "str": c2 - c1, "sts": c4 - 2 * c2 + c1},
        "all six correlations r", "c1=-ln(1-r^2)/2, c2=-ln(1-2r^2/(1+r))/2, c4=-ln(1-(2r/(1+r))^2)/2: rtr=c1, rts=str=c2-c1, sts=c4-2c2+c1, rest 0")
ph = p(Fr(7, 8), Fr(3, 4))
for v in p((Fr(15), Fr(1023)), (Fr(7), Fr(4095))):
    s1, s2, s4 = L(ph * ph / (1 + v) ** 2), L(ph * ph / (1 + v)), L(ph * ph)
    add(f"synergy_v{v}", block(1 + v, 1 - v, 1 + v, ph, ph, ph, ph), {"rtr": s1, "rts": s2 - s1, "str": s2 - s1, "sts": s4 - 2 * s2 + s1},
        "x=s+z, y=s-z, z white with variance v, s AR(1) phi with variance 1: only the pair reveals s",
        "c1=-ln(1-phi^2/(1+v)^2)/2, c2=-ln(1-phi^2/(1+v))/2, c4=-ln(1-phi^2)/2: rtr=c1, rts=str=c2-c1, sts=c4-2c2+c1, rest 0")
for v in p((Fr(1, 8), Fr(1, 2 ** 20)), (Fr(1, 16), Fr(1, 2 ** 24))):
    h = 1 + v / 2
    c1, c2, c4 = L(ph * ph / (1 + v) ** 2), L(ph * ph / (h * (1 + v))), L(ph * ph / h ** 2)
    add(f"redundant_v{v.numerator}_{v.denominator}", block(1 + v, one, 1 + v, ph, ph, ph, ph), {"rtr": c1, "rts": c2 - c1, "str": c2 - c1, "sts": c4 - 2 * c2 + c1},
        "x=s+n1, y=s+n2, s AR(1) phi variance 1, white n of variance v",
        "c1=-ln(1-phi^2/(1+v)^2)/2, c2=-ln(1-phi^2/((1+v/2)(1+v)))/2, c4=-ln(1-phi^2/(1+v/2)^2)/2: rtr=c1, rts=str=c2-c1, sts=c4-2c2+c1, rest 0")
pc = p(Fr(1, 2), Fr(3, 8))
for e in p((20, 34, 44), (18, 30, 46)):
    r = 1 - Fr(1, 2 ** e)
    c1, c2, c4 = L(pc * pc), L(2 * pc * pc / (1 + r)), L((2 * pc / (1 + r)) ** 2)
    add(f"near_copy_2^-{e}", block(one, r, one, pc, pc, pc, pc), {"rtr": c1, "rts": c2 - c1, "str": c2 - c1, "sts": c4 - 2 * c2 + c1},
        "corr(x,y) = 1 - 2^-e on both sides, all cross correlations p: ill-conditioned matrix, well-conditioned answer",
        "c1=-ln(1-p^2)/2, c2=-ln(1-2p^2/(1+r))/2, c4=-ln(1-(2p/(1+r))^2)/2: rtr=c1, rts=str=c2-c1, sts=c4-2c2+c1, rest 0")
    q = Fr(round(float(r * pc + Fr(1, 4) * Fr(float(np.sqrt(float(1 - r * r))))) * 2 ** 50), 2 ** 50)
    add(f"near_copy_split_2^-{e}", block(one, r, one, pc, pc, q, q, one, Fr(1, 4), one), None, "as above but y predicts differently from x: the ill-conditioned direction carries information (error of a covariance-based formula ~ eps*cond)")


def lyapunov(A, Q):
    """exact stationary covariance of z' = A z + e for 2x2 rational A, Q"""
    A = [[Fr(str(v)) for v in r] for r in A]
    Q = [[Fr(str(v)) for v in r] for r in Q]
    idx = [(i, j) for i in range(2) for j in range(2)]
    M = [[(1 if (i, j) == (k, l) else 0) - A[i][k] * A[j][l] for k, l in idx] + [Q[i][j]] for i, j in idx]
    for c in range(4):
        q = next(r for r in range(c, 4) if M[r][c] != 0)
        M[c], M[q] = M[q], M[c]
        M[c] = [v / M[c][c] for v in M[c]]
        for r in range(4):
            if r != c:
                M[r] = [x - M[r][c] * y for x, y in zip(M[r], M[c])]
    S = [[M[0][4], M[1][4]], [M[2][4], M[3][4]]]
    K = [[sum(A[i][k] * S[k][j] for k in range(2)) for j in range(2)] for i in range(2)]   # cov(z', z)
    return block(S[0][0], S[0][1], S[1][1], K[0][0], K[1][0], K[0][1], K[1][1])

V = p({"sym": ([[.4, .4], [.4, .4]], 0), "noisecorr": ([[.4, .4], [.4, .4]], .9), "antinoise": ([[.3, .3], [.3, .3]], -.8),
       "asym": ([[.7, .2], [-.3, .5]], .3), "transfer": ([[0, 0], [.8, 0]], 0), "rotation": ([[.6, -.6], [.6, .6]], 0), "nearunit": ([[.995, 0], [.004, .98]], .2)},
      {"sym": ([[.45, .35], [.35, .45]], .1), "noisecorr": ([[.3, .5], [.5, .3]], .8), "antinoise": ([[.2, .4], [.3, .3]], -.9),
       "asym": ([[.5, -.4], [.1, .8]], -.2), "transfer": ([[.1, 0], [.7, 0]], 0), "rotation": ([[.5, -.7], [.7, .5]], .1), "nearunit": ([[.99, .003], [0, .97]], -.3)})
for k, (A, rh) in V.items():
    C = lyapunov(A, [[1, rh], [rh, 1]])
    Sx = mp.matrix([[mp.mpf(v.numerator) / v.denominator for v in r] for r in C])
    cl = R.mmi_atoms(R.mi_from_cov(Sx))
    add("var1_population_" + k, C, cl, f"stationary covariance of VAR(1), A={A}, noise variances 1, noise correlation {rh}; closed_form = value for the exact rational covariance, MMI = value for the float64-rounded matrix", "Sigma = A Sigma A' + Q solved in rationals; cross-covariance A Sigma")
base = block(one, Fr(1, 4), one, Fr(1, 2), Fr(3, 8), Fr(1, 8), Fr(5, 8))
for nm, e in (("unit_scale", (0, 0, 0, 0)), ("scale_2^-100_2^80", (-100, 80, -100, 80)), ("scale_2^-500", (-500,) * 4), ("scale_2^500", (500,) * 4), ("scale_2^-500_2^500", (-500, 500, -500, 500))):
    add(nm, [[base[i][j] * Fr(2) ** (e[i] + e[j]) for j in range(4)] for i in range(4)], None, "same correlations, other units: atoms identical to unit_scale")
for i in range(10):
    for decades in (0, 6):
        M = g.standard_normal((4, 4)) * 10.0 ** (-decades * np.arange(4) / 3)
        Q = np.linalg.qr(g.standard_normal((4, 4)))[0]
        M = Q @ M.T
        S = M @ M.T
        S = (S + S.T) / 2
        if decades:
            S = np.round(S / np.sqrt(np.outer(np.diag(S), np.diag(S))) * 2 ** 48) / 2 ** 48
            np.fill_diagonal(S, 1.0)
        if np.linalg.eigvalsh(S)[0] <= 0:
            continue
        add(f"random{i}_{decades}", [[Fr(float(v)) for v in r] for r in S], None, "random positive definite")

bad = []
def addbad(name, C, status, note):
    d = {"name": name, "cov": [[("nan" if v != v else "inf" if v == float("inf") else v) for v in map(float, r)] for r in C], "status": status, "note": note}
    if status in ("CONSTANT", "SINGULAR", "INFINITE"):
        G = [[Fr(float(v)) for v in r] for r in C]
        mi = {}
        for k, (A, B) in R.MI_SETS.items():
            aa, bb = R._basis(G, A), R._basis(G, B)
            if not aa or not bb:
                mi[k] = mp.mpf(0)
                continue
            dj = R._det(G, aa + bb)
            mi[k] = mp.inf if dj == 0 else mp.log(mp.mpf((R._det(G, aa) * R._det(G, bb) / dj).numerator) / (R._det(G, aa) * R._det(G, bb) / dj).denominator) / 2
        d["mi"] = {k: R.s30(v) for k, v in mi.items()}
        if status != "INFINITE":
            at = R.mmi_atoms(mi)
            d["MMI"] = {k: R.s30(at[k]) for k in R.ATOMS}
    bad.append(d)
n, h = float("nan"), 0.5
addbad("duplicate", block(1, 1, 1, h, h, h, h), "SINGULAR", "y = x")
addbad("antiduplicate", block(1, -1, 1, h, -h, -h, h), "SINGULAR", "y = -x")
addbad("past_only_singular", block(1, 1, 1, h, .25, h, .25, 1, .25, 1), "SINGULAR", "past copies, future distinct")
addbad("constant_y", block(1, 0, 0, h, 0, 0, 0, 1, 0, 0), "CONSTANT", "zero variance of y in both windows")
addbad("lagged_copy", block(1, h, 1, h, 1, .25, h), "INFINITE", "y_{t+tau} = x_t")
addbad("not_psd_pair", block(1, 2, 1, 0, 0, 0, 0), "NOT_PSD", "|correlation| > 1")
addbad("not_psd_joint", block(1, .9, 1, .9, -.9, .9, .9), "NOT_PSD", "every pair valid, matrix indefinite")
addbad("negative_variance", block(-1, 0, 1, 0, 0, 0, 0), "NOT_PSD", "negative diagonal entry")
addbad("asymmetric", [[1, .3, .2, .1], [.2, 1, .1, .2], [.2, .1, 1, .3], [.1, .2, .3, 1]], "NOT_SYMMETRIC", "c01 != c10")
addbad("nan_entry", block(1, n, 1, 0, 0, 0, 0), "NONFINITE", "NaN")
addbad("inf_entry", block(1, 0, float("inf"), 0, 0, 0, 0), "NONFINITE", "Inf")
json.dump({"order": ["x_t", "y_t", "x_t+tau", "y_t+tau"], "atoms_order": R.ATOMS, "cases": items, "invalid": bad}, open(out + "/covariance.json", "w"), indent=1)
with open(out + "/covariance.tsv", "w") as fh:
    fh.write("#name\tstatus\tcond\t" + "\t".join(f"c{i}{j}" for i in range(4) for j in range(4)) + "\t" + "\t".join(R.ATOMS) + "\n")
    for d in items:
        fh.write("\t".join([d["name"], "OK", repr(d["cond_corr"])] + [repr(v) for r in d["cov"] for v in r] + [repr(v) for v in d["MMI_f64"]]) + "\n")

# the closed form of sts against the Moebius inversion on random inputs (any nine monotone numbers)
worst = mp.mpf(0)
for _ in range(3000):
    M = g.standard_normal((4, 6))
    mi = R.mi_from_cov(mp.matrix((M @ M.T).tolist()))
    at = R.mmi_atoms(mi)
    a, b, c, d = mi["x_a"], mi["x_b"], mi["y_a"], mi["y_b"]
    s = sorted([(a, 0), (b, 1), (c, 1), (d, 0)], reverse=True)
    k = s[0][0] + (s[1][0] - s[2][0] if s[0][1] == s[1][1] else 0)
    s1 = mi["xy_ab"] - max(mi["xy_a"], mi["xy_b"]) - max(mi["x_ab"], mi["y_ab"])
    e1 = s1 + max(a, c) + max(b, d) - max(min(a, b), min(c, d))
    worst = max(worst, abs(e1 - at["sts"]), abs(s1 + k - at["sts"]), abs(min(a, b, c, d) - at["rtr"]))
print("closed form sts/rtr vs Moebius, 3000 random covariances: max diff", mp.nstr(worst, 3), "| cases", len(items), "invalid", len(bad))
