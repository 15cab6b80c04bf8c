"""Pairwise series cases: series files, reference atoms (MMI and CCS), degenerate cases, phyid's error.

usage: phiid_cases.py OUTDIR SEED VARIANT [PHYID_DIR]      needs numpy and mpmath
VARIANT 0 is the set whose tables are in tests/data/phiid, 1 a second set (same families, other seeds, lengths
and parameters). Without PHYID_DIR, the sources of the Python package phyid, that package is not measured.
Then phiid_covariances.py OUTDIR SEED VARIANT, then phiid_tables.py OUTDIR tests/data/phiid.
"""
import json, os, sys, warnings
import numpy as np
import mpmath as mp
import phiid_ref as R

mp.mp.dps = 60                                   # never compare at the default 53 bits
out, seed, var = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if len(sys.argv) > 4:
    sys.path.insert(0, sys.argv[4])
    from phyid.calculate import calc_PhiID      # only measured here
else:
    def calc_PhiID(*_, **__):
        raise ImportError("phyid not given")

os.makedirs(out + "/series", exist_ok=True)
os.makedirs(out + "/local", exist_ok=True)
master = np.random.SeedSequence(seed)
pick = lambda a, b: b if var else a


def rng():
    return np.random.default_rng(master.spawn(1)[0])


# ------------------------------------------------------------------ generators
def ar1(g, phi, T, burn=200):
    e = g.standard_normal(T + burn)
    x = np.zeros(T + burn)
    for t in range(1, T + burn):
        x[t] = phi * x[t - 1] + e[t]
    return x[burn:] * np.sqrt(1 - phi * phi)


def var1(g, A, rho, T, burn=500):
    A = np.array(A, float)
    L = np.linalg.cholesky(np.array([[1, rho], [rho, 1]]))
    z = np.zeros((2, T + burn))
    for t in range(1, T + burn):
        z[:, t] = A @ z[:, t - 1] + L @ g.standard_normal(2)
    return z[:, burn:]


def norms_like(g, n, T, share=0.4):
    """n positive series shaped like per-head output norms over generated tokens: level, slow decay towards
    a plateau, a drift shared between heads, AR(1) noise, and a few token-wide jumps."""
    t = np.arange(T)
    common = ar1(g, 0.8, T)
    jumps = (g.random(T) < 0.05) * g.normal(0, 1.5, T)
    rows = []
    for _ in range(n):
        lvl = np.exp(g.normal(0.5, 0.8))
        trend = g.normal(0, 0.25) * np.exp(-t / g.uniform(10, 60)) + g.normal(0, 0.15) * t / T
        noise = g.uniform(0.03, 0.15) * (share * g.normal(0, 1) * common + ar1(g, g.uniform(0.1, 0.9), T)
                                         + g.normal(0, 0.7) * jumps)
        rows.append(lvl * np.maximum(1 + trend + noise, 0.05))
    return np.array(rows)


def near_copy(g, T, delta, phi, sign=1.0):
    """corr(x, y) = sign*(1 - delta) in expectation"""
    x, e = ar1(g, phi, T), ar1(g, 0.3, T)
    return np.array([x, sign * (x + np.sqrt(2 * delta) * e)])


C = []      # (name, group, series, tau, keep_local)
def add(name, group, s, tau, keep=False):
    C.append((name, group, np.ascontiguousarray(np.asarray(s, float)), tau, keep))

T1 = pick(100, 120)
add("white_tau1", "white", rng().standard_normal((2, T1)), 1, True)
add("white_tau3", "white", rng().standard_normal((2, T1)), 3)
add("white_long", "white", rng().standard_normal((2, pick(1000, 900))), 1)
add("white_tau10", "white", rng().standard_normal((2, T1)), 10)
add("white_tau_half", "white", rng().standard_normal((2, T1)), T1 // 2)
add("white_very_long", "white", rng().standard_normal((2, pick(4000, 5000))), pick(2, 1))

V = pick({"sym": ([[.4, .4], [.4, .4]], .0), "noisecorr": ([[.4, .4], [.4, .4]], .9),
          "antinoise": ([[.3, .3], [.3, .3]], -.8), "asym": ([[.7, .2], [-.3, .5]], .3),
          "transfer": ([[.0, .0], [.8, .0]], .0), "rotation": ([[.6, -.6], [.6, .6]], .0),
          "nearunit": ([[.995, .0], [.004, .98]], .2), "self": ([[.9, 0], [0, .8]], .0)},
         {"sym": ([[.45, .35], [.35, .45]], .1), "noisecorr": ([[.3, .5], [.5, .3]], .8),
          "antinoise": ([[.2, .4], [.3, .3]], -.9), "asym": ([[.5, -.4], [.1, .8]], -.2),
          "transfer": ([[.1, .0], [.7, .0]], .0), "rotation": ([[.5, -.7], [.7, .5]], .1),
          "nearunit": ([[.99, .003], [.0, .97]], -.3), "self": ([[.95, 0], [0, .6]], .0)})
params = {}
for k, (A, rho) in V.items():
    nm = "var1_" + k
    params[nm] = {"A": A, "noise_corr": rho, "noise_var": 1.0}
    add(nm, "var1", var1(rng(), A, rho, pick(300, 250)), 1, k in ("sym", "asym"))
add("var1_asym_tau4", "var1", C[-5][2], 4)

def synergy_like(g, T):
    z, s = g.standard_normal(T) * 3, ar1(g, .95, T)
    return np.array([s + z, s - z])
def redundancy_like(g, T):
    s = ar1(g, .95, T)
    return np.array([s + .1 * g.standard_normal(T), s + .1 * g.standard_normal(T)])
add("synergy_like", "structure", synergy_like(rng(), 500), 1, True)
add("redundancy_like", "structure", redundancy_like(rng(), 500), 1, True)
add("unique_like", "structure", np.array([ar1(rng(), .9, 500), rng().standard_normal(500)]), 1)

for i in range(4):
    s = norms_like(rng(), 2, 100)
    for tau in (1, 2, 4):
        add(f"norms{i}_tau{tau}", "norms", s, tau, i == 0 and tau == 1)
add("norms_f32_tau1", "float32", norms_like(rng(), 2, 100).astype(np.float32), 1)
add("norms_f32_tau4", "float32", norms_like(rng(), 2, 100).astype(np.float32), 4)
add("norms_f16_tau1", "float32", norms_like(rng(), 2, 100).astype(np.float16), 1)
add("quantised_levels", "float32", np.round(norms_like(rng(), 2, 100) * 20) / 20, 1)

for T, tau in pick([(6, 1), (7, 2), (8, 1), (8, 3), (10, 1), (10, 2), (10, 4)], [(6, 1), (7, 1), (8, 2), (9, 4), (10, 3), (12, 1), (12, 6)]):
    add(f"short_T{T}_tau{tau}", "short", norms_like(rng(), 2, T) if T % 4 == 0 else rng().standard_normal((2, T)), tau)

for d in (1e-6, 1e-10, 1e-13):
    add(f"corr_1-{d:g}", "illcond", near_copy(rng(), 100, d, pick(.7, .5)), 1)
    add(f"corr_1-{d:g}_norms", "illcond", (lambda b, g: np.array([b, b * (1 + np.sqrt(2 * d) * .1 * g.standard_normal(100))]))(norms_like(rng(), 1, 100)[0], rng()), 1)
add("corr_-(1-1e-10)", "illcond", near_copy(rng(), 100, 1e-10, .7, -1.0), 1)
g = rng(); add("smooth_walk2", "illcond", np.cumsum(np.cumsum(g.standard_normal((2, 100)), 1), 1), 1)
g = rng(); add("smooth_walk3", "illcond", np.cumsum(np.cumsum(np.cumsum(g.standard_normal((2, 100)), 1), 1), 1), 1)
g = rng(); add("random_walk", "illcond", np.cumsum(g.standard_normal((2, 100)), 1), 1)
g = rng(); add("ulp_jitter", "illcond", 1.0 + np.finfo(float).eps * g.integers(0, pick(2, 3), (2, 100)), 1)
g = rng(); add("trend_dominated", "illcond", np.arange(100) * np.array([[1.0], [-2.5]]) + 1e-3 * g.standard_normal((2, 100)), 1)

add("offset_1e6_sd1e-3", "offset", 1e6 + 1e-3 * var1(rng(), [[.5, .2], [.1, .6]], .4, 100), 1)
add("offset_1e6_sd1e-3_tau4", "offset", -1e6 + 1e-3 * var1(rng(), [[.5, .2], [.1, .6]], .4, 100), 4)
add("offset_1e8_sd1e-5", "offset", 1e8 + 1e-5 * var1(rng(), [[.5, .2], [.1, .6]], .4, 100), 1)
g = rng(); s = var1(g, [[.5, .2], [.1, .6]], .4, 100); s[1] = 1e9 + 1e-2 * s[1]
add("offset_one_only", "offset", s, 1)
add("offset_1e3_sd1", "offset", 1e3 + var1(rng(), [[.5, .2], [.1, .6]], .4, 100), 1)

base = var1(rng(), [[.5, .2], [.1, .6]], .4, 100)
for sx, sy in ((1e-20, 1e-20), (1e20, 1e20), (1e-20, 1e20), (1e-160, 1e-160), (1e160, 1e160), (1e-300, 1e300), (1e-310, 1.0), (3e307, 3e307)):
    add(f"scale_{sx:g}_{sy:g}", "scale", base * np.array([[sx], [sy]]), 1)
g = rng(); s = g.standard_normal((2, 2000)); s[0, 777] = 1e4; s[1, 778] = -1e4
add("outlier_T2000", "outlier", s, 1)
g = rng(); s = norms_like(g, 2, 100); s[0, 40] *= 50
add("outlier_T100", "outlier", s, 1)


# ------------------------------------------------------------------ peer measurement
def run_peer(x, y, tau, red, ref=None, ref_local=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            a, _ = calc_PhiID(x, y, tau, redundancy=red)
        except Exception as e:
            return {"outcome": "exception", "exception": type(e).__name__, "message": str(e)[:160]}
        m = np.array([a[k].mean() for k in R.ATOMS])
    if np.isnan(m).any():
        return {"outcome": "nan"}
    if np.isinf(m).any():
        return {"outcome": "inf"}
    r = {"outcome": "finite", "atoms_f64": [float(v) for v in m]}
    if ref is not None:
        r["max_abs_err"] = float(max(abs(mp.mpf(float(v)) - ref[k]) for v, k in zip(m, R.ATOMS)))
    if ref_local is not None:
        r["max_abs_err_local"] = float(max(abs(float(row[k]) - a[k][t]) for t, row in enumerate(ref_local) for k in R.ATOMS))
    return r


def save_atoms(d):
    return {k: R.s30(d[k]) for k in R.ATOMS}


cases, tsv = [], ["#name\tfile\tT\ttau\tredundancy\tcond\t" + "\t".join(R.ATOMS)]
for name, group, s, tau, keep in C:
    T = s.shape[1]
    fn = f"series/{name}.npy"
    np.save(f"{out}/{fn}", s)
    r = R.phiid_series(s[0], s[1], tau, 60, True, keep)
    chk = R.phiid_series(s[0], s[1], tau, 110, T <= 300)
    for k in R.ATOMS:                                  # 60 digits were enough for the 30 printed
        for kind in ("mmi", "ccs"):
            if kind in chk:
                assert abs(chk[kind][k] - r[kind][k]) <= mp.mpf(10) ** -31 * (1 + abs(chk[kind][k])), (name, kind, k)
    c = {"name": name, "group": group, "file": fn, "T": T, "tau": tau, "n_samples": T - tau,
         "status": "OK", "cond_corr": float(r["cond"]), "params": params.get(name),
         "mi": {k: R.s30(r["mi"][k]) for k in R.MI_SETS},
         "cum_mmi": {a + b: R.s30(r["cum_mmi"][a, b]) for a in R.PIDS for b in R.PIDS},
         "cum_ccs": {a + b: R.s30(r["cum_ccs"][a, b]) for a in R.PIDS for b in R.PIDS},
         "MMI": save_atoms(r["mmi"]), "CCS": save_atoms(r["ccs"]),
         "MMI_f64": [float(r["mmi"][k]) for k in R.ATOMS], "CCS_f64": [float(r["ccs"][k]) for k in R.ATOMS],
         "ccs_sign_margin": float(r["ccs_margin"])}
    if keep:
        for kind in ("mmi", "ccs"):
            np.save(f"{out}/local/{name}_{kind}.npy", np.array([[float(row[k]) for row in r["local_" + kind]] for k in R.ATOMS]))
        c["local"] = {"MMI": f"local/{name}_mmi.npy", "CCS": f"local/{name}_ccs.npy"}
    c["phyid"] = {red: run_peer(s[0], s[1], tau, red, r[red.lower()], r.get("local_" + red.lower())) for red in ("MMI", "CCS")}
    for red in ("MMI", "CCS"):
        tsv.append("\t".join([name, fn, str(T), str(tau), red, repr(float(r["cond"]))] + [repr(float(r[red.lower()][k])) for k in R.ATOMS]))
    cases.append(c)
json.dump({"atoms_order": R.ATOMS, "mi_order": list(R.MI_SETS), "units": "nats", "cases": cases},
          open(out + "/cases.json", "w"), indent=1)
open(out + "/cases.tsv", "w").write("\n".join(tsv) + "\n")

# ------------------------------------------------------------------ degenerate cases
D = []
def deg(name, s, tau, status, why):
    D.append((name, np.ascontiguousarray(np.asarray(s, float)), tau, status, why))

w = lambda T=60: ar1(rng(), .6, T)
x = w()
deg("const_y", [x, np.full(60, 2.0)], 1, "CONSTANT", "y constant")
deg("const_y_0.1", [x, np.full(60, 0.1)], 1, "CONSTANT", "y constant at a value whose rounded mean can differ from it by an ulp")
deg("const_y_1e6", [x, np.full(60, 1e6 + 1 / 3)], 1, "CONSTANT", "y constant at a large value")
deg("const_x_zero", [np.zeros(60), x], 1, "CONSTANT", "x all zero")
deg("const_both", [np.full(60, 0.3), np.full(60, 0.7)], 1, "CONSTANT", "both constant")
s = np.full(60, 0.7); s[-1] = 1.5
deg("const_past_only", [x, s], 1, "CONSTANT", "y constant in the past window only (changes at the last sample)")
s = np.full(60, 0.7); s[0] = 1.5
deg("const_future_only", [x, s], 1, "CONSTANT", "y constant in the future window only (changes at the first sample)")
deg("dup", [x, x], 1, "SINGULAR", "y = x")
deg("dup_tau3", [x, x], 3, "SINGULAR", "y = x, tau 3")
deg("dup_offset", [1e6 + x, 1e6 + x], 1, "SINGULAR", "y = x, large offset")
deg("neg", [x, -x], 1, "SINGULAR", "y = -x")
deg("double", [x, 2 * x], 1, "SINGULAR", "y = 2x (exact in binary)")
q = np.round(x * 1024) / 1024
deg("affine_exact", [q, 3 * q + 5], 1, "SINGULAR", "y = 3x + 5, exact in binary")
deg("affine_rounded", [x, 0.1 * x + 0.3], 1, "SINGULAR", "y = 0.1 x + 0.3 rounded: the residual is rounding noise only; exact arithmetic on the given doubles still yields a finite number (given), which carries no meaning")
deg("shift_y_lags_x_tau1", [x[1:], x[:-1]], 1, "INFINITE", "y_t = x_{t-1}: y's future equals x's past")
deg("shift_y_leads_x_tau1", [x[:-1], x[1:]], 1, "INFINITE", "y_t = x_{t+1}: y's past equals x's future")
deg("shift_y_lags_x_tau3", [x[3:], x[:-3]], 3, "INFINITE", "y_t = x_{t-3}, tau 3")
deg("ramp_both", [np.arange(60.), 5 - 2 * np.arange(60.)], 1, "INFINITE", "two straight lines: every MI infinite")
deg("ramp_x", [np.arange(60.), x], 1, "INFINITE", "x a straight line: x_{t+1} = x_t + 1")
p = np.tile(np.round(rng().standard_normal(5) * 64) / 64, 12)
deg("periodic_tau5", [p, x], 5, "INFINITE", "x has period tau: x_{t+tau} = x_t")
th = np.arange(60.)
deg("sines_rounded", [np.sin(.3 * th), np.cos(.3 * th)], 1, "INFINITE", "sine and cosine of one frequency: the past determines the future up to rounding; exact arithmetic on the given doubles yields a finite number (given) that only measures rounding")
deg("short_N4", rng().standard_normal((2, 5)), 1, "TOO_SHORT", "4 samples, 4 variables: joint covariance singular")
deg("short_N4_tau2", rng().standard_normal((2, 6)), 2, "TOO_SHORT", "4 samples")
deg("short_N3", rng().standard_normal((2, 4)), 1, "TOO_SHORT", "3 samples")
deg("short_N2", rng().standard_normal((2, 3)), 1, "TOO_SHORT", "2 samples")
deg("short_N1", rng().standard_normal((2, 2)), 1, "TOO_SHORT", "1 sample")
deg("tau_eq_T", rng().standard_normal((2, 20)), 20, "BAD_TAU", "tau = T, no samples")
deg("tau_gt_T", rng().standard_normal((2, 20)), 25, "BAD_TAU", "tau > T")
deg("tau_0", rng().standard_normal((2, 20)), 0, "BAD_TAU", "tau = 0")
deg("tau_neg", rng().standard_normal((2, 20)), -1, "BAD_TAU", "tau = -1")
for nm, i, t, v in (("nan_mid", 0, 30, np.nan), ("nan_first", 1, 0, np.nan), ("nan_last", 0, 59, np.nan), ("inf_mid", 1, 20, np.inf), ("minf_last", 1, 59, -np.inf)):
    s = np.array([w(), w()]); s[i, t] = v
    deg(nm, s, 1, "NONFINITE", f"{v} at series {i}, sample {t}")
deg("all_nan", np.full((2, 60), np.nan), 1, "NONFINITE", "all NaN")

ONE = {"r": {"r": 1}, "x": {"x": 1, "r": -1}, "y": {"y": 1, "r": -1}, "s": {"s": 1, "x": -1, "y": -1, "r": 1}}
def atoms_ext(f):
    """Moebius by the explicit product formula, in extended arithmetic (inf - inf -> nan)."""
    o = {}
    for al in R.PIDS:
        for be in R.PIDS:
            pos = neg = False
            v = mp.mpf(0)
            for a, ca in ONE[al].items():
                for b, cb in ONE[be].items():
                    z = f[a, b]
                    if mp.isinf(z):
                        pos, neg = pos or ca * cb > 0, neg or ca * cb < 0
                    else:
                        v += ca * cb * z
            o[al + "t" + be] = mp.nan if pos and neg else mp.inf if pos else -mp.inf if neg else v
    return o


dl = []
for name, s, tau, status, why in D:
    fn = f"series/degenerate_{name}.npy"
    np.save(f"{out}/{fn}", s)
    d = {"name": name, "file": fn, "T": s.shape[1], "tau": tau, "status": status, "why": why}
    if status in ("CONSTANT", "SINGULAR", "INFINITE"):
        mi, rank, const = R.degenerate_mi(s[0], s[1], tau)
        d.update(exact_rank=rank, constant_windows=const, mi={k: R.s30(mi[k]) for k in mi})
        at = atoms_ext(R.cumulative_mmi(mi))
        d["MMI"] = {k: R.s30(at[k]) for k in R.ATOMS}
        cc = R.degenerate_ccs(s[0], s[1], tau)
        if cc is not None:
            d["CCS"] = {k: R.s30(cc[k]) for k in R.ATOMS}
        d["value_is_rounding_noise"] = name in ("affine_rounded", "sines_rounded")
    fin = status in ("CONSTANT", "SINGULAR") and d["MMI"]["sts"] not in ("inf", "nan")
    with np.errstate(all="ignore"):
        d["phyid"] = {"MMI": run_peer(s[0], s[1], tau, "MMI", {k: mp.mpf(d["MMI"][k]) for k in R.ATOMS} if fin else None),
                      "CCS": run_peer(s[0], s[1], tau, "CCS", {k: mp.mpf(d["CCS"][k]) for k in R.ATOMS} if fin and "CCS" in d else None)}
    dl.append(d)
json.dump({"atoms_order": R.ATOMS, "cases": dl}, open(out + "/degenerate.json", "w"), indent=1)

with open(out + "/phyid_accuracy.tsv", "w") as fh:
    fh.write("#case\tset\tcond_corr\tMMI_outcome\tMMI_max_abs_err\tCCS_outcome\tCCS_max_abs_err\n")
    for st, lst in (("cases", cases), ("degenerate", dl)):
        for c in lst:
            e, f = c["phyid"]["MMI"], c["phyid"]["CCS"]
            o = lambda q: q["outcome"] + (":" + q["exception"] if "exception" in q else "")
            v = lambda q: f"{q['max_abs_err']:.3e}" if "max_abs_err" in q else "-"
            fh.write("\t".join([c["name"], st, f"{c['cond_corr']:.3e}" if "cond_corr" in c else "-", o(e), v(e), o(f), v(f)]) + "\n")
for c in cases:
    e = c["phyid"]["MMI"]; f = c["phyid"]["CCS"]
    print(f"{c['name']:28s} cond {c['cond_corr']:.1e} MMI {e['outcome']:9s} {e.get('max_abs_err', float('nan')):.1e} CCS {f['outcome']:9s} {f.get('max_abs_err', float('nan')):.1e} margin {c['ccs_sign_margin']:.0e}")
for d in dl:
    e = d["phyid"]["MMI"]
    print(f"{d['name']:24s} {d['status']:10s} rank {d.get('exact_rank')} phyid {e['outcome']} {e.get('exception','')} {e.get('message','')[:60]} {e.get('max_abs_err','')} {d['phyid']['CCS']['outcome']}")
