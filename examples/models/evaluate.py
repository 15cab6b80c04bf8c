"""Greedy answers of a model to held-out items of the corpus, the whole answer exact.

usage: evaluate.py SYNERGY MODEL ITEMS        SYNERGY: the program, e.g. tools/build/synergy
"""
import json, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
S, M, N = sys.argv[1:]
tasks = "agreement correction tagging find sum words counting sequence comparison where inference consequence analogy feeling reply".split()
def one(j):
    r = subprocess.run([S, "run", M, "-p", j["prompt"], "-n", "110", "-t", "1", "--raw"], capture_output=True, text=True)
    out = r.stdout
    i = out.find(j["prompt"])
    got = out[i + len(j["prompt"]):] if i >= 0 else out
    return got.strip() == j["answer"].strip(), got, j
for t in tasks:
    o = subprocess.run([S, "corpus", "--seed", "78", "--items", N, "--task", t, "--held-out", "--json"], capture_output=True, text=True).stdout
    items = [json.loads(l) for l in o.splitlines()]
    with ThreadPoolExecutor(2) as p: r = list(p.map(one, items))
    ok = sum(x[0] for x in r)
    print(f"{t:12s} {items[0]['category']:12s} {ok}/{len(r)}", flush=True)
    for x in [x for x in r if not x[0]][:2]: print("    Q:", x[2]["prompt"], "| got:", repr(x[1][:130]), "| want:", x[2]["answer"])
