"""python_look.py RESULTS ATOMS - examples/python/synergy.py on two result folders: one of `synergy analyze`, one of
`synergy phiid --atoms` on the same recording. Also without pandas and networkx."""
import csv
import json
import os
import sys

import numpy as np

import synergy

results, with_atoms = sys.argv[1:]
try:
    import pandas
except ImportError:
    pandas = None
try:
    import networkx
except ImportError:
    networkx = None


def fails(kind, words, call, *args, **named):
    try:
        call(*args, **named)
    except kind as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError(f"{call} {args} {named} went through")


# ---- load
r, a = synergy.load(results), synergy.load(with_atoms)
told = json.load(open(os.path.join(results, "columns.json")))
rows = list(csv.DictReader(open(os.path.join(results, "units.csv"))))
assert r.norms.shape == (10, 40, 8, 8) and r.norms.dtype == np.float32
assert r.names == [row["unit"] for row in rows] and len(r.names) == 64
assert isinstance(r.units, pandas.DataFrame if pandas else synergy.Table) and list(r.units.columns) == list(rows[0])
for column in rows[0]:
    for have, cell in zip(r.units[column], (row[column] for row in rows)):
        assert str(have) == cell if column == "unit" else (np.isnan(have) if not cell else float(have) == float(cell)), column
assert np.asarray(r.units["layer"]).dtype.kind == "i"
assert set(r.arrays) == {f[:-4] for f in os.listdir(results) if f.endswith(".npy")}
assert {"units", "profile"} <= set(r.tables) and "units.csv" in r and "none.csv" not in r
assert r.run["settings"]["tokens"] == 40 and r.phiid["input"]["units"] == 64 and "synergy" in r.topology
for file, what in told.items():
    assert r.describe(file) == what["Description"]
    for column in what.get("Columns", {}):
        assert r.unit_of(file, column) == what["Columns"][column].get("Units", "")
    if file.endswith((".npy", ".csv")):
        assert len(r[file]) > 0
assert r.unit_of("units.csv", "synergy") == "nats" and "norms" in dir(r) and "norms.npy" in repr(r)
depth, mean, low, high = r.profile_of()
assert len(depth) == 8 and depth[0] == 0 and depth[-1] == 1 and (low <= high).all()
by_layer = np.asarray(r.units["score"], float).reshape(8, 8).mean(axis=1)
assert np.allclose(mean, by_layer, rtol=1e-12), (mean, by_layer)
i, j, w = r.edges("synergy", keep=0.1)
assert len(w) == round(0.1 * 64 * 63 / 2) and (np.diff(w) <= 0).all() and (i < j).all() and w[0] == r.synergy.max()
assert (r.synergy[i, j] == w).all()
if networkx:
    g = r.graph("synergy", keep=0.1)
    assert g.number_of_nodes() == 64 and g.number_of_edges() == len(w)
    assert g.edges[r.names[i[0]], r.names[j[0]]]["weight"] == w[0] and g.nodes["L3H2"] == {"layer": 3, "index": 2}
else:
    fails(ImportError, "networkx", r.graph)
capture_only = synergy.load(results)
del capture_only.files[capture_only.files.index("units.csv")]
assert capture_only.names == r.names
fails(FileNotFoundError, "no-such", synergy.load, "no-such")
fails(ValueError, "no result folder", synergy.load, os.path.join(results, "figures"))
fails(AttributeError, "nothing", getattr, r, "nothing")
fails(KeyError, "none.npy", r.__getitem__, "none.npy")
fails(ValueError, "balance", r.profile_of, "no-score")
for share in (-0.5, 2, float("nan")):
    fails(ValueError, "a share of all pairs", r.edges, "synergy", share)
fails(KeyError, "no column", r.unit_of, "units.csv", "colour")

# ---- the decomposition, against what the program wrote, to the last bit
norms = r.norms
p = synergy.pairs(norms, atoms=True)
assert np.array_equal(p.synergy, a.synergy) and np.array_equal(p.redundancy, a.redundancy)
assert np.array_equal(p.flags, a.flags) and np.array_equal(p.atoms, a.atoms, equal_nan=True)
assert np.array_equal(p.synergy, synergy.pairs(norms, threads=1).synergy)
assert p.index[0][63] == 1 and p.index[1][63] == 2
flat = np.asarray(norms, np.float64).reshape(10, 40, 64)
assert np.array_equal(synergy.pairs(flat).synergy, p.synergy)
cut = synergy.pairs(flat, lengths=[30] * 10).synergy
assert np.array_equal(cut, synergy.pairs(flat[:, :30]).synergy) and not np.array_equal(cut, p.synergy)
x, y = flat[2, :, 9], flat[2, :, 33]
one = synergy.phiid(x, y, local=True)
pair = np.flatnonzero((p.index[0] == 9) & (p.index[1] == 33))[0]
assert np.abs(one.atoms - p.atoms[2, pair]).max() < 1e-12 and one.flags == 0 and one.flag_text == "OK"
assert one.synergy == one["sts"] == one.atoms[15] and one.redundancy == one["rtr"] == one.atoms[0]
assert abs(one.atoms.sum() - one["xy_ab"]) < 1e-12 and one.local.shape == (16, 39)
assert np.abs(one.local.mean(axis=1) - one.atoms).max() < 1e-12 and (one.bound < 1e-12).all()
# I(x_t ; x_t+1) of a Gaussian pair, by its definition
c = np.corrcoef(x[:-1], x[1:])[0, 1]
assert abs(one["x_a"] + 0.5 * np.log1p(-c * c)) < 1e-12
for words in ({"redundancy": "ccs"}, {"estimator": "copula"}, {"estimator": "binary"}, {"transform": "log"}, {"tau": 3}):
    q = synergy.pairs(flat[2:3], atoms=True, **words)
    other = synergy.phiid(x, y, **words)
    assert np.abs(other.atoms - q.atoms[0, pair]).max() < 1e-11, words
    assert other.synergy != one.synergy, words
bad = synergy.phiid(x, np.where(np.arange(40) == 7, np.nan, y))
assert bad.flags & 4 and synergy.FLAGS[4] == bad.flag_text == "NONFINITE" and np.isnan(bad.synergy)
assert synergy.phiid(x, x).flag_text in ("SINGULAR", "INFINITE") and synergy.phiid(x[:4], y[:4]).flag_text == "TOO_SHORT"
assert synergy.phiid(x.astype(np.float32), (y * 100).astype(int)).flags == 0
assert synergy.phiid(flat[2, ::-1, 9], y[::-1]).flags == 0
for kind, words, call, args, named in (
        (ValueError, "samples", synergy.phiid, (x, y[:-1]), {}),
        (ValueError, "dimensions", synergy.phiid, (flat, y), {}),
        (ValueError, "real numbers", synergy.phiid, (x + 1j, y), {}),
        (ValueError, "mmi, ccs", synergy.phiid, (x, y), {"redundancy": "mim"}),
        (ValueError, "whole number", synergy.phiid, (x, y), {"tau": 0}),
        (ValueError, "whole number", synergy.phiid, (x, y), {"tau": 1.5}),
        (ValueError, "two units", synergy.pairs, (flat[:, :, :1],), {}),
        (ValueError, "dimensions", synergy.pairs, (x,), {}),
        (ValueError, "lengths", synergy.pairs, (flat,), {"lengths": [40]}),
        (ValueError, "length", synergy.pairs, (flat,), {"lengths": [41] * 10}),
        (ValueError, "", synergy.pairs, (flat[:, :5],), {"tau": 4})):
    fails(kind, words, call, *args, **named)
print("fine")
