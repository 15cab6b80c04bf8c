#!/bin/sh
# examples/python against the files that the program writes and against the program's own numbers; the same without pandas and
# networkx; R's page as it stands there.
. ./cli.sh

if have python3 && python3 -c 'import numpy' 2> /dev/null; then :; else
    skip "no python3 with numpy: 12 parts"
    skipped=$((skipped + 11))
    finish
fi
python=../examples/python
model=../examples/models/synergy-tiny.Q8_0.gguf
build=$(cd "$(dirname "$synergy")" && pwd)
PYTHONPATH=$python
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
awk 'NR % 6 == 1' ../examples/models/prompts.txt > "$work/prompts.txt"
try "a result folder" "$synergy" analyze $model --prompts "$work/prompts.txt" -n 40 --surrogates 20 -o "$work/results"
try "its atoms" "$synergy" phiid "$work/results" -o "$work/atoms" --atoms
mkdir "$work/lib"
# without sanitizers, which python would have to be linked with, too
try "make lib" make --no-print-directory -C ../tools lib BUILD="$work/lib" CFLAGS=-O2 LDFLAGS=
SYNERGY_LIBRARY=$(echo "$work"/lib/libsynergy.*)
export SYNERGY_LIBRARY
if have nm; then
    nm -D --defined-only "$SYNERGY_LIBRARY" 2> /dev/null | awk '$2 == "T" { print $3 }' | grep -v '^synergy_flat_' > "$work/others"
    if [ -s "$work/others" ]; then bad "the library exports more than its flat functions" "$work/others"; else good; fi
else skip "no nm"; fi

# number TEXT CODE...: one result from a piece of Python; asserts in it say what is wrong
number() {
    text=$1
    shift
    try "$text" python3 "$@"
}
number "synergy.py against the files" python_look.py "$work/results" "$work/atoms"
mkdir "$work/bare"
for module in pandas networkx; do echo 'raise ImportError("not here")' > "$work/bare/$module.py"; done
try "synergy.py without pandas and networkx" env PYTHONPATH="$work/bare:$python" python3 python_look.py "$work/results" "$work/atoms"

# ---- a library of another version, and one that is none
sed 's/^#define SYNERGY_VERSION [0-9]*/#define SYNERGY_VERSION 199/' ../synergy.h > "$work/lib/synergy.h"
cp ../tools/library/flat.c "$work/lib/flat.c"
cc=${CC:-cc}
# shellcheck disable=SC2086 # words
if $cc -std=c99 -O0 -DSYNERGY_SIMD=0 -D_POSIX_C_SOURCE=200809L -fPIC -shared -I"$work/lib" "$work/lib/flat.c" -o "$work/lib/other.so" -lm -lpthread 2> "$work/cc"; then
    SYNERGY_LIBRARY=$work/lib/other.so python3 -c 'import synergy; synergy.phiid([1, 2, 3], [1, 2, 3])' > "$work/out" 2>&1
    if tail -n 1 "$work/out" | grep -q '^RuntimeError: .*version 0\.1\.99'; then good; else bad "a library of another version is not refused" "$work/out"; fi
else bad "a library of another version does not compile" "$work/cc"; fi
SYNERGY_LIBRARY=$work/none.so python3 -c 'import synergy; synergy.phiid([1, 2, 3], [1, 2, 3])' > "$work/out" 2>&1
if tail -n 1 "$work/out" | grep -q '^OSError: .*none\.so'; then good; else bad "a missing library is not named" "$work/out"; fi
number "the version is the header's" - <<'EOF'
import re, synergy
assert int(re.search(r"#define SYNERGY_VERSION (\d+)", open("../synergy.h").read()).group(1)) == synergy.VERSION
EOF

# ---- what the README shows, and the notebook
awk '/^```python$/ { on = 1; next } /^```/ { on = 0 } on' $python/README.md > "$work/readme.py"
readme=$(pwd)/$python
(cd "$work" && PYTHONPATH=$readme python3 readme.py) > "$work/out" 2>&1
code=$?
if [ $code -eq 0 ] && tail -n 1 "$work/out" | grep -qx '(8, 8) (3, 28, 16) 0'; then good; else bad "README's Python does not run" "$work/out"; fi
if python3 -c 'import matplotlib' 2> /dev/null; then
    try "draw_profile.py draws" python3 $python/draw_profile.py "$work/results" "$work/profile.png"
    if [ "$(head -c 8 "$work/profile.png" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] && grep -q '^difference: highest at depth' "$work/try.out"; then good; else bad "draw_profile.py leaves no picture" "$work/try.out"; fi
else skip "no matplotlib"; fi

# ---- R
if have Rscript && Rscript -e 'library(jsonlite)' > /dev/null 2>&1; then
    awk '/^```r$/ { on = 1; next } /^```/ { on = 0 } on' $python/README.md > "$work/page.R"
    # numbers that Python has, too: a sum of each array, in the order of the files
    cat >> "$work/page.R" <<'EOF'
stopifnot(identical(dim(norms), c(10L, 40L, 8L, 8L)), isSymmetric(synergy), all(diag(synergy) == 0))
cat(sprintf("%.12g %.12g %.12g", sum(synergy), norms[2, 3, 4, 5], atoms[1, 1, 16]), "\n")
EOF
    mkdir "$work/bin"
    ln -s "$build/synergy" "$work/bin/synergy"
    (cd "$work" && PATH=$work/bin:$PATH Rscript page.R) > "$work/out" 2> "$work/err"
    code=$?
    (cd "$work" && PYTHONPATH=$readme python3 -c 'import synergy
r, two = synergy.load("results"), synergy.load("two")
print("%.12g %.12g %.12g " % (r.synergy.sum(), r.norms[1, 2, 3, 4], two.atoms[0, 0, 15]))') > "$work/same" 2>&1
    if [ $code -eq 0 ] && [ "$(tail -n 1 "$work/out")" = "$(cat "$work/same")" ]; then good; else cat "$work/err" >> "$work/out"; bad "R's page: $(cat "$work/same")" "$work/out"; fi
    if [ -s "$work/profile.pdf" ]; then good; else bad "R's page leaves no profile.pdf"; fi
else skip "no R with jsonlite"; fi
finish
