"""study_tables.py DIR - the tables of the study that study.sh left in DIR, as Markdown. Needs numpy."""
import glob
import os
import sys

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "python"))
import synergy  # noqa: E402


def shape(result, score):
    """Middle third minus outer thirds with its interval, depth of the peak, p by shuffling units over layers."""
    told = result.phiid["scores"].get(score)
    if told is None:
        return "-"
    m = told["middle_minus_outer"]
    digits = (lambda v: f"{v:.4f}") if score == "excess" else (lambda v: f"{v:.1f}")
    text = digits(m["value"])
    if m["low"] is not None:
        text += f" ({digits(m['low'])} to {digits(m['high'])})"
    return text + f", p {told['p_middle']:.3f}, peak {told['peak_depth']['value']:.2f}"


def spearman(result, a, b):
    told = result.phiid["spearman"]
    return f"{told['units'][told['columns'].index(a)][told['columns'].index(b)]:.2f}"


def row(name, cells):
    print(f"| {name} | " + " | ".join(cells) + " |")


def main(folder):
    names = [os.path.basename(p)[:-len(".analyzed")] for p in sorted(glob.glob(folder + "/*.analyzed"), key=os.path.getmtime)]
    r = [synergy.load(os.path.join(folder, n)) for n in names]
    row("", names)
    print("|---|" + "---|" * len(names))
    row("layers x heads", [f"{x.phiid['input']['layers']} x {x.phiid['input']['units_per_layer']}" for x in r])
    row("mean synergy, redundancy (nats)", ["{synergy:.4f}, {redundancy:.5f}".format(**x.phiid["means_nats"]) for x in r])
    row("the same, circular shifts", ["{synergy_null:.4f}, {redundancy_null:.5f}".format(**x.phiid["means_nats"]) for x in r])
    row("heads with p <= 0.05 against shifts: synergy, redundancy", [
        "{} and {} of {}".format(*(int((numpy.asarray(x.units[c + "_p"], float) <= 0.05).sum()) for c in ("synergy", "redundancy")),
                                 len(x.names)) for x in r])
    row("rank difference", [shape(x, "rank-difference") for x in r])
    row("rank of the difference", [shape(x, "difference") for x in r])
    row("excess (nats)", [shape(x, "excess") for x in r])
    for kind, words in (("copula", "copula"), ("binary", "two levels"), ("log", "Gaussian of logarithms")):
        for score, reading in (("rank-difference", "rank difference"), ("difference", "rank of the difference")):
            others = [os.path.join(folder, f"{n}.{kind}") for n in names]
            row(f"{words}: {reading}", [shape(synergy.load(p), score) if os.path.exists(p + "/phiid.json") else "-" for p in others])
    row("split-half reliability, both readings", [
        f"{x.phiid['scores']['rank-difference']['reliability']:.2f}, {x.phiid['scores']['difference']['reliability']:.2f}" for x in r])
    row("Spearman of both readings", [spearman(x, "rank_difference", "difference") for x in r])
    row("Spearman of synergy and redundancy; of synergy and own memory", [
        spearman(x, "synergy", "redundancy") + "; " + spearman(x, "synergy", "self_information") for x in r])
    row("efficiency (weighted, over the largest weight): synergy, redundancy", [
        "{:.4f}, {:.4f}".format(*(x.topology[k]["efficiency_weighted_normalised"] for k in ("synergy", "redundancy"))) for x in r])
    row("modularity (Louvain): synergy, redundancy", [
        "{:.4f}, {:.4f}".format(*(x.topology[k]["louvain_q"] for k in ("synergy", "redundancy"))) for x in r])


if __name__ == "__main__":
    main(sys.argv[1])
