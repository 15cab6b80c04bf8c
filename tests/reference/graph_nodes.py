#!/usr/bin/env python3
"""Writes tests/data/topology/NAME.nodes.npy, float64 (3, nodes), for every matrix there: local efficiency and
(bctpy's local=True: Wang et al.) and
participation coefficient of each node, and the signed modularity of the partition (in every column), from bctpy; that
its local efficiency is the usual one without weights is checked against networkx.

    python3 graph_nodes.py ../data/topology"""
import glob
import sys

import bct
import networkx
import numpy as np

for path in sorted(glob.glob(sys.argv[1] + "/*.partition.npy")):
    base = path[: -len(".partition.npy")]
    w = np.load(base + ".npy").astype(float)
    w = (w + w.T) / 2
    np.fill_diagonal(w, 0)
    w = np.nan_to_num(w)
    part = np.load(path)
    plus = np.where(w > 0, w, 0)
    with np.errstate(all="ignore"):
        local = bct.efficiency_wei(plus, local=True)
        spread = bct.participation_coef(plus, part)
        signed = bct.modularity_und_sign(w, part.copy())[1]
    spread[plus.sum(1) == 0] = 0
    binary = (plus > 0).astype(float)
    graph = networkx.from_numpy_array(binary)
    assert abs(bct.efficiency_wei(binary, local=True).mean() - networkx.local_efficiency(graph)) < 1e-12, base
    np.save(base + ".nodes.npy", np.array([local, spread, np.full(len(w), signed)]))
    print(base, local.mean(), spread.mean(), signed)
