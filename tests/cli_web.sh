#!/bin/sh
# The page of examples/web: built, opened in headless Chromium, used as a person would; what it computes is compared with the
# program in exact mode. Skipped where there is no clang for WebAssembly, no Chromium or no Python.
. ./cli.sh
page=../examples/web/synergy.html
model=../examples/models/synergy-tiny.Q8_0.gguf
prompt='Find the mistake: The flat lamb sit. Corrected:'

echo '#include <stdlib.h>
__attribute__((export_name("f"))) void *f(void) { return malloc(1); }' > "$work/try.c"
if ! clang --target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -o "$work/try.wasm" "$work/try.c" > "$work/out" 2>&1; then
    skip "no clang for WebAssembly (clang lld wasi-libc libclang-rt-14-dev-wasm32)"
    finish
fi
try "make -C examples/web" make --no-print-directory -s -C ../examples/web
try "it is one page of a few megabytes" awk -v n="$(wc -c < "$page")" 'BEGIN { exit !(n > 2e6 && n < 5e6) }'
if sed 's#http://www.w3.org/2000/svg##' "$page" | grep -qE '<(script|img|iframe|link)[^>]*(src|href)=|https?://|fetch\(|XMLHttpRequest|@import'; then bad "the page loads something"; else good; fi
have chromium || have chromium-browser || have google-chrome || { skip "no chromium"; finish; }
have python3 || { skip "no python3"; finish; }

try "the page in a browser" python3 web_look.py "$page" "$prompt" 100
cp "$work/try.out" "$work/found.json"
printf '%s\n' "$prompt" > "$work/prompt.txt"
try "capture" "$synergy" capture "$model" --prompts "$work/prompt.txt" -n 100 --exact -o "$work/result"
try "phiid" "$synergy" phiid "$work/result" -o "$work/result" --resamples 0

# one result a line: "ok" or what is wrong
python3 - "$work/found.json" "$work/result" > "$work/lines" 2>&1 << 'END'
import csv
import json
import struct
import sys

d = json.load(open(sys.argv[1]))
rows = list(csv.DictReader(open(sys.argv[2] + "/units.csv")))
with open(sys.argv[2] + "/tokens.npy", "rb") as f:
    head = f.read(10)
    f.read(struct.unpack("<H", head[8:10])[0])
    tokens = list(struct.unpack("<100i", f.read(400)))
said = json.load(open(sys.argv[2] + "/run.json"))["prompts"][0]["continuation"]


def check(what, good, told=""):
    print("ok" if good else f"{what}: {told}")


def near(what, got, column, most):
    far = max(abs(g - float(r[column])) for g, r in zip(got, rows))
    check(what, len(got) == len(rows) and far <= most, f"off by {far}")


check("the prompt is typed", d["typed"].startswith("Find the mistake"), d["typed"])
check("no trouble", d["trouble"] == "", d["trouble"])
check("ranked while it writes", d["first"] is not None and d["first"] < 100, d["first"])
check("heads light up", d["lit"] > 8, d["lit"])
check("tokens as the program's", d["ids"] == tokens, d["ids"])
check("text as the program's", d["said"] == said, d["said"])
# wasm has other mathematics (musl's); seen: 1e-8
near("synergy", d["synergy"], "synergy", 1e-6)
near("redundancy", d["redundancy"], "redundancy", 1e-6)
near("ranks", d["rank"], "rank_difference", 1)
near("ranks of the difference", d["difference"], "difference_rank", 1)
profile = {}
for r in rows:
    profile.setdefault(r["layer"], []).append(float(r["difference_rank"]))
check("profile", all(abs(sum(v) / len(v) - p) < 0.5 for v, p in zip(profile.values(), d["profile"])) and len(profile) == d["layers"])
check("profile is drawn", d["lines"] == 2, d["lines"])
n = d["units"]
best = max(range(n * n), key=lambda k: d["matrix"][k])
check("the strongest pair is shown", d["synergy_pairs"][0][1] == round(d["matrix"][best], 4), d["synergy_pairs"])
check("pairs fall", all(a[1] >= b[1] for a, b in zip(d["synergy_pairs"], d["synergy_pairs"][1:])) and len(d["synergy_pairs"]) == 8)
check("arrow keys on the map", d["told"].startswith("L1H0: norm "), d["told"])
check("no wider than the screen", all(a == b for a, b in d["widths"]), d["widths"])
check("Escape stops", d["stopped"])
check("a prompt that is too long is told", "256" in d["too_long"] or "too" in d["too_long"], d["too_long"])
check("no fault of the script", d["faults"] == [], d["faults"])
check("nothing is loaded but the page", [u for u in d["loaded"] if not u.endswith("synergy.html")] == [], d["loaded"])
END
[ "$(wc -l < "$work/lines")" -eq 20 ] || bad "not all was compared" "$work/lines"
while read -r line; do
    if [ "$line" = ok ]; then good; else bad "$line"; fi
done < "$work/lines"
finish
