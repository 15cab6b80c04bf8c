# cli_files.sh - what leaves the program is right elsewhere: names of units, tables, arrays, columns.json, seen by
# pandas, numpy and networkx; folders of older versions, whose units are called 0.1, still serve.
. ./cli.sh

models=data/models
model=$models/llama-f16/model.gguf
moe=$models/qwen3moe-tiny/model.gguf
printf 'one\ttell me of the sea\nand now of the land\na third one\nfour\n' > "$work/prompts"

run 0 "analyze" analyze $model --prompts "$work/prompts" -n 40 --raw --surrogates 5 -o "$work/all" -t 1
run 0 "ablate" ablate $model "$work/all" --seeds 1 --fractions 0.2,0.4 --eval grammar --items 4 -t 1
run 0 "perturb" perturb $model "$work/all" --seeds 1 --strengths 0.5,1 --eval grammar --items 4 -t 1
run 0 "report" report "$work/all"
run 0 "all that phiid can write" phiid "$work/all" -o "$work/more" --atoms --pairs-csv --surrogates 5 --normalise quantile \
    --local L0H0:L1H2,0.0:2.1 -t 1
run 0 "an edge list and GraphML" graph "$work/all" --csv --graphml --nulls 0 --force -t 1
run 0 "experts" capture $moe --prompts "$work/prompts" -n 40 --raw --units experts --eos stop -o "$work/experts" -t 1
run 0 "experts, analysed" phiid "$work/experts" -t 1
run 0 "given ids" capture $model --tokens data/ids-129.npy --logits -o "$work/given" -t 1
awk 'BEGIN { print "sea,\"land, low\",air,0.1"; for (t = 0; t < 60; t++) print sin(t * t) "," cos(3 * t) "," sin(5 * t * t) "," cos(t * t) }' > "$work/own.csv"
sed '1s/0.1/sky/' "$work/own.csv" > "$work/good.csv"
run 0 "a table with names" phiid "$work/good.csv" -o "$work/own" -t 1
run 0 "a table with a number for a name" phiid "$work/own.csv" -o "$work/numbers" -t 1

# ---- names
names() {
    if [ "$(cut -d, -f 1 "$1/units.csv" | sed -n "$2p")" = "$3" ]; then good; else bad "$1/units.csv: line $2 is not $3" "$1/units.csv"; fi
}
names "$work/all" 2 L0H0
names "$work/all" 10 L1H2
names "$work/experts" 2 L0E0
names "$work/own" 2 sea
names "$work/numbers" 5 L0H3
[ -s "$work/more/local.npy" ] && good || bad "no local.npy"

# lists: both forms, ranges, stars, and the other kind
one() { run 0 "--heads $1" ablate $model --tokens data/ids-129.npy --heads "$1" -t 1; cp "$work/stdout" "$work/$2"; }
one 1.2,0.0-1,2.* old
one L1H2,l0h0-1,L2H* new
same "L1H2 is 1.2" "$work/old" "$work/new"
one L0-2H1 range
one 0.1,1.1,2.1 single
same "a range of layers" "$work/range" "$work/single"
for list in L1E2 L1.2 1H2 L1H L1H2x L3H0 L0H6; do
    run 1 "--heads $list" ablate $model --tokens data/ids-129.npy --heads $list -t 1
done
run 1 "a head among experts" ablate $moe --tokens data/ids-129.npy --units experts --heads L1H0 -t 1
says "names a head"

# ---- a folder of an older version gives what a new one gives
mkdir "$work/former"
cp "$work/all"/*.npy "$work/all"/*.json "$work/all"/*.csv "$work/former"
sed 's/^L\([0-9]*\)H/\1./' "$work/all/units.csv" > "$work/former/units.csv"
names "$work/former" 10 1.2
for d in all former; do
    run 0 "edges of $d" graph "$work/$d" --csv --nulls 0 --force -o "$work/graph-$d" -t 1
    run 0 "prune with $d" prune $model "$work/$d" --fraction 0.2 -o "$work/$d.gguf" --json
    mv "$work/stdout" "$work/$d.json"
    run 0 "ablate with $d" ablate $model "$work/$d" --fractions 0.2 --seeds 1 --eval none -o "$work/ablate-$d" -t 1
    run 0 "report of $d" report "$work/$d"
done
same "edges of an older folder" "$work/graph-all/synergy_edges.csv" "$work/graph-former/synergy_edges.csv"
same "pruned with an older folder" "$work/all.gguf" "$work/former.gguf"
same "ablation with an older folder" "$work/ablate-all/ablation.csv" "$work/ablate-former/ablation.csv"
same "figures of an older folder" "$work/all/figures/network-synergy.csv" "$work/former/figures/network-synergy.csv"
if grep -q 'L1H2' "$work/former/report.html"; then good; else bad "the report of an older folder has old names"; fi

# ---- every file of every run, in other programs
if have python3 && python3 -c 'import numpy, pandas, networkx' 2> /dev/null; then
    run 0 "the report of experts" report "$work/experts"
    for d in all more experts given own numbers graph-all ablate-all; do
        try "pandas and numpy find in $d what columns.json says" python3 look_files.py "$work/$d"
    done
else
    skip "no pandas, numpy and networkx to look at the files"
fi
finish
