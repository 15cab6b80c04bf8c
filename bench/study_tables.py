"""study_tables.py DIR - the tables of the study that study.sh left in DIR, as Markdown. Needs numpy, and the program
(SYNERGY, default tools/build/synergy) for the rows beside the paper."""
import glob
import json
import os
import subprocess
import sys
import tempfile

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


ORDERS = (("score", "the rank difference"), ("reverse", "its reverse"), ("difference", "the rank of the difference"),
          ("difference-reverse", "its reverse"), ("synergy", "synergy"), ("redundancy", "redundancy"), ("norm", "mean norm"),
          ("sink", "attention to the first token"), ("gradient", "gradient"), ("random", "random"),
          ("matched", "random in the layers of the rank difference"), ("difference-matched", "random in the layers of the other"))


def beside_paper(results):
    """Spearman over layers with the paper's figure of the nearest model: the rank of the difference, the rank difference."""
    program = os.environ.get("SYNERGY") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "build", "synergy")
    with tempfile.TemporaryDirectory() as d:
        told = json.loads(subprocess.run([program, "compare", *results, "--paper", "--json", "-o", d + "/c.html"], check=True,
                                         stdout=subprocess.PIPE).stdout)
    cells = []
    for beside in told["paper"]:
        rho = [s["spearman_layers"] for s in beside["scores"]]
        cells.append(beside["model"] + ": " + "; ".join(f"{v['value']:.2f} ({v['low']:.2f} to {v['high']:.2f})" for v in rho))
    return cells


def removal(folder, order):
    """KL at each share, a range where an order was drawn several times; then the area under the curve with its interval."""
    try:
        told = json.load(open(os.path.join(folder, "ablation.json")))
        rows = synergy.load(folder).ablation
    except (OSError, AttributeError):
        return "-"
    areas = [c for c in told["curves"] if c["order"] == order]
    if not areas:
        return "-"
    points = {}
    for name, share, kl in zip(rows["order"], rows["fraction"], rows["kl"]):
        if name == order and share > 0:
            points.setdefault(share, []).append(kl)
    text = ", ".join(f"{min(v):.2f}" if len(v) == 1 else f"{min(v):.2f} to {max(v):.2f}" for _, v in sorted(points.items()))
    if len(areas) > 1:
        return text + "; {:.2f} to {:.2f}".format(min(c["auc"] for c in areas), max(c["auc"] for c in areas))
    return text + "; {auc:.2f} ({auc_low:.2f} to {auc_high:.2f})".format(**areas[0])


def removal_table(folder, names):
    print("\nRemoved in the order of: KL in nats a token at each share; the area under the curve over the range of shares\n")
    row("", names)
    print("|---|" + "---|" * len(names))
    done = [os.path.join(folder, n) for n in names]
    settings = []
    for d in done:
        try:
            s = json.load(open(d + "/ablation.json"))["settings"]
            settings.append("{}; {} prompts, {} random orders".format(
                ", ".join(f"{100 * n / s['units_in_all']:.0f} %" for n in s["removed"] if n), s["prompts"], s["seeds"]))
        except OSError:
            settings.append("-")
    row("shares removed", settings)
    for order, words in ORDERS:
        row(words, [removal(d, order) for d in done])


PAIRS = (("score", ("random", "matched", "reverse", "norm", "gradient"), "the rank difference"),
         ("difference", ("random", "difference-matched", "difference-reverse", "norm", "gradient"), "the rank of the difference"))


def difference_table(folder, names):
    """The area under the core's curve less that of another order, with its interval over prompts."""
    print("\nThe area under the curve of KL when the core goes first, less the area in another order: nats a token\n")
    row("", names)
    print("|---|" + "---|" * len(names))
    told = []
    for n in names:
        path = os.path.join(folder, n, "ablation.json")
        tests = json.load(open(path))["tests"] if os.path.exists(path) else []
        told.append({(t["a"], t["b"]): "{auc_difference:.2f} ({low:.2f} to {high:.2f})".format(**t) for t in tests})
    words = dict(ORDERS)
    for core, others, reading in PAIRS:
        for other in others:
            row(f"{reading}, less {words[other]}", [t.get((core, other), "-") for t in told])


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
    row("Spearman over layers with the paper's figure of the nearest model: rank of the difference; rank difference",
        beside_paper([os.path.join(folder, n) for n in names]))
    removal_table(folder, names)
    difference_table(folder, names)


if __name__ == "__main__":
    main(sys.argv[1])
