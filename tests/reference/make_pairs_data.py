#!/usr/bin/env python3
"""Copies the multi-series and topology references of the shared fixtures into tests/data, and turns
the numbers of their JSON files into .npy, which the C tests read.

    python3 make_pairs_data.py FIXTURES/phiid ../data

The references come from 60-digit arithmetic (multi) and from networkx and bctpy (topology); their
generators are described in the README beside them. Needs numpy."""
import json
import os
import shutil
import sys

import numpy as np

source, target = sys.argv[1], sys.argv[2]
multi, topology = os.path.join(target, "phiid_multi"), os.path.join(target, "topology")
os.makedirs(multi, exist_ok=True)
os.makedirs(topology, exist_ok=True)


def save(folder, name, value):
    np.save(os.path.join(folder, name), np.ascontiguousarray(value))


for name in os.listdir(os.path.join(source, "multi")):
    if "per_prompt" not in name:
        shutil.copyfile(os.path.join(source, "multi", name), os.path.join(multi, name))

m = json.load(open(os.path.join(source, "multi.json")))
columns = ["unit_syn", "unit_red", "rank_syn", "rank_red", "score"]
for kind in ("MMI", "CCS"):
    save(multi, f"units_{kind}.npy", np.array([m[kind][c] for c in columns], float))
    save(multi, f"layers_{kind}.npy",
         np.array([m[kind]["layer_mean_score"], m[kind]["layer_profile_minmax"]], float))
for policy in ("zero", "exclude"):
    d = m["dead_units"].get(policy)
    if d:
        rows = [[np.nan if v is None or v == "nan" else float(v) for v in d[c]] for c in columns]
        save(multi, f"dead_units_{policy}.npy", np.array(rows))

stats = json.load(open(os.path.join(source, "stats.json")))
for c in stats["spearman"]:
    rows = np.array([c["a"], c["b"]], float)
    rho = np.nan if c["rho"] is None else float(c["rho"])
    save(multi, "spearman_" + c["name"] + ".npy", np.vstack([rows, np.full(rows.shape[1], rho)]))

null = os.path.join(target, "phiid_null")  # surrogates: the first 40 of each kind
os.makedirs(null, exist_ok=True)
for name in ("example_series", "phase_surrogates_first3"):
    save(null, name + ".npy", np.load(os.path.join(source, "stats", name + ".npy")))
for name in ("circshift_shifts", "phase_x", "phase_y", "shuffle_index"):
    save(null, name + ".npy", np.load(os.path.join(source, "stats", name + ".npy"))[:40].astype(
        float if name.startswith("phase") else "<i4"))
for name in ("circshift_null", "phase_null", "shuffle_null"):
    save(null, name + ".npy", np.load(os.path.join(source, "stats", name + ".npy"))[:, :40])

t = json.load(open(os.path.join(source, "topology.json")))
with open(os.path.join(topology, "graphs.tsv"), "w") as out:
    print("name\tweighted\tnormalised\tkept\tbinary10\tweighted10\tq\tq15\tlouvain\tbest_known\texact",
          file=out)
    for g in t["graphs"]:
        shutil.copyfile(os.path.join(source, g["file"]), os.path.join(topology, g["name"] + ".npy"))
        if "partition" in g:
            save(topology, g["name"] + ".partition.npy", np.array(g["partition"], "<i4"))
        exact = g.get("exact_optimum")
        if isinstance(exact, dict):
            exact = exact.get("Q")
        top = g.get("top10", {})
        cells = [g["efficiency_weighted"], g["efficiency_weighted_normalised"], top.get("edges_kept"),
                 top.get("efficiency_binary"), top.get("efficiency_weighted"), g.get("Q_partition"),
                 g.get("Q_partition_gamma_1.5"), g.get("louvain", {}).get("best_Q"), g.get("best_known_Q"), exact]
        print(g["name"], *["nan" if c is None else repr(float(c)) for c in cells], sep="\t", file=out)
