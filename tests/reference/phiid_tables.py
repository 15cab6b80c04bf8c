#!/usr/bin/env python3
"""Turns the JSON that phiid_cases.py and phiid_covariances.py write into tables a C test can read.

    phiid_tables.py FOLDER OUT      FOLDER holds cases.json, degenerate.json, covariance.json,
                                    phyid_accuracy.tsv, series/, local/

One line a case, tab-separated, `-` where there is no value; numbers as the nearest doubles (17 digits).
  cases.tsv       name group file T tau cond margin peer_mmi peer_ccs, 9 informations, 16 cumulative MMI,
                  16 cumulative CCS, 16 atoms MMI, 16 atoms CCS. margin = ccs_sign_margin; peer_* = largest
                  error of the Python package phyid, - where it gives no number
  degenerate.tsv  name file T tau status noise, 9 informations, 16 atoms MMI, 16 atoms CCS
  covariance.tsv  name status cond, 16 entries (row by row), 9 informations, 16 atoms MMI
Series and the pointwise atoms of three cases are copied as .npy.
"""
import json
import os
import shutil
import sys

MI = "x_a x_b y_a y_b xy_a xy_b x_ab y_ab xy_ab".split()
ATOMS = [a + "t" + b for a in "rxys" for b in "rxys"]
NODES = [a + b for a in "rxys" for b in "rxys"]
LOCAL = ("norms0_tau1", "white_tau1", "var1_sym")  # the pointwise atoms kept in the repository


def number(v):
    return repr(float(v))


def row(table, keys):
    return [number(table[k]) for k in keys] if table else ["-"] * len(keys)


def write(path, lines):
    with open(path, "w") as f:
        for line in lines:
            f.write("\t".join(line) + "\n")


def main(folder, out):
    def load(name):
        with open(os.path.join(folder, name)) as f:
            return json.load(f)

    peer = {}
    with open(os.path.join(folder, "phyid_accuracy.tsv")) as f:
        for line in f:
            if not line.startswith("#"):
                name, _, _, _, mmi, _, ccs = line.rstrip("\n").split("\t")
                peer[name] = (mmi, ccs)
    os.makedirs(os.path.join(out, "series"), exist_ok=True)
    os.makedirs(os.path.join(out, "local"), exist_ok=True)
    lines = []
    for c in load("cases.json")["cases"]:
        mmi, ccs = peer[c["name"]]
        lines.append([c["name"], c["group"], c["file"], str(c["T"]), str(c["tau"]), number(c["cond_corr"]),
                      number(c["ccs_sign_margin"]), mmi, ccs] + row(c["mi"], MI) + row(c["cum_mmi"], NODES)
                     + row(c["cum_ccs"], NODES) + row(c["MMI"], ATOMS) + row(c["CCS"], ATOMS))
        shutil.copy(os.path.join(folder, c["file"]), os.path.join(out, c["file"]))
    write(os.path.join(out, "cases.tsv"), lines)
    lines = []
    for c in load("degenerate.json")["cases"]:
        lines.append([c["name"], c["file"], str(c["T"]), str(c["tau"]), c["status"],
                      "1" if c.get("value_is_rounding_noise") else "0"]
                     + row(c.get("mi"), MI) + row(c.get("MMI"), ATOMS) + row(c.get("CCS"), ATOMS))
        shutil.copy(os.path.join(folder, c["file"]), os.path.join(out, c["file"]))
    write(os.path.join(out, "degenerate.tsv"), lines)
    lines = []
    table = load("covariance.json")
    for c in table["cases"] + table["invalid"]:
        lines.append([c["name"], c["status"], number(c.get("cond_corr", "inf"))]
                     + [number(v) for r in c["cov"] for v in r] + row(c.get("mi"), MI) + row(c.get("MMI"), ATOMS))
    write(os.path.join(out, "covariance.tsv"), lines)
    for name in LOCAL:
        for kind in ("mmi", "ccs"):
            file = os.path.join("local", f"{name}_{kind}.npy")
            shutil.copy(os.path.join(folder, file), os.path.join(out, file))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
