#!/bin/sh
# `synergy graph`: every matrix of the topology references, a result folder with its null networks, exports, refusals.
. ./cli.sh
named="synergy graph"
data=data/topology

same() {
    if cmp "$2" "$3" > "$work/cmp" 2>&1; then good; else bad "$1:" "$work/cmp"; fi
}

# value KEY FILE: the first number of that name
value() {
    sed -n "s/^ *\"$1\": \([^,]*\),*\$/\1/p" "$2" | head -n 1
}

# near TEXT GOT WANT RELATIVE
near() {
    if awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; m = b < 0 ? -b : b
            exit !(a != "" && a != "null" && d <= t * m + 1e-15 && -d <= t * m + 1e-15) }'; then
        good
    else
        bad "$1: $2, expected $3"
    fi
}

# at_least TEXT GOT BOUND, at_most TEXT GOT BOUND
at_least() {
    if awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && a + 0 >= b + 0) }'; then good; else bad "$1: $2 is below $3"; fi
}
at_most() {
    if awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && a + 0 <= b + 0) }'; then good; else bad "$1: $2 is above $3"; fi
}

run 0 "help" graph --help
for word in --partition --json --graphml --csv --nulls --densities --output; do
    if grep -qe "$word" "$work/stdout"; then good; else bad "graph --help does not show $word"; fi
done

# ---- every reference: networkx, bctpy, exhaustive search
count=0
while IFS='	' read -r name weighted normalised kept binary weighted10 q q15 louvain best exact; do
    [ "$name" != name ] || continue
    count=$((count + 1))
    run 0 "$name" graph $data/"$name".npy --json --partition $data/"$name".partition.npy
    cp "$work/stdout" "$work/json"
    near "$name: efficiency_weighted" "$(value efficiency_weighted "$work/json")" "$weighted" 1e-12
    near "$name: efficiency_weighted_normalised" "$(value efficiency_weighted_normalised "$work/json")" "$normalised" 1e-12
    near "$name: efficiency_binary_top10" "$(value efficiency_binary_top10 "$work/json")" "$binary" 1e-12
    near "$name: efficiency_weighted_top10" "$(value efficiency_weighted_top10 "$work/json")" "$weighted10" 1e-12
    near "$name: edges kept" "$(value edges_top10 "$work/json")" "$kept" 0
    near "$name: partition_q" "$(value partition_q "$work/json")" "$q" 1e-12
    [ "$best" = nan ] || at_least "$name: louvain_q" "$(value louvain_q "$work/json")" "$(awk -v b="$best" 'BEGIN { printf "%.17g", b - 0.005 }')"
    [ "$exact" = nan ] || at_most "$name: louvain_q" "$(value louvain_q "$work/json")" "$(awk -v b="$exact" 'BEGIN { printf "%.17g", b + 1e-12 }')"
    # E over the mean weight over all pairs
    near "$name: efficiency_over_mean_weight" "$(value efficiency_over_mean_weight "$work/json")" \
        "$(awk -v e="$weighted" -v m="$(value mean_weight "$work/json")" 'BEGIN { printf "%.17g", (m > 0 ? e / m : 0) }')" 1e-12
    run 0 "$name, gamma" graph $data/"$name".npy --json --partition $data/"$name".partition.npy --gamma 1.5 --restarts 1
    near "$name: partition_q at 1.5" "$(value partition_q "$work/stdout")" "$q15" 1e-12
done < $data/graphs.tsv
if [ $count -eq 16 ]; then good; else bad "$count references, expected 16"; fi
run 0 "without a partition" graph $data/sts_MMI.npy --json
if grep -q '"partition_q": null' "$work/stdout"; then good; else bad "a partition that was not given has a Q"; fi

# ---- a result folder
"$synergy" phiid data/cli/norms.npy -o "$work/d" --resamples 0 > "$work/out" 2>&1 || bad "phiid" "$work/out"
run 0 "a folder" graph "$work/d" --nulls 10 -t 1 --json
same "what is printed and what is written" "$work/stdout" "$work/d/graph.json"
for word in '"synergy": {' '"redundancy": {' weight_shuffling degree_preserving_rewiring '"z": ' claims conclusions \
    '"partition": "layers"'; do
    if grep -qF -- "$word" "$work/d/graph.json"; then good; else bad "graph.json has no $word"; fi
done
cp "$work/d/graph.json" "$work/first.json"
run 0 "again, other threads" graph "$work/d" --nulls 10 -t 3
same "graph.json depends on the number of threads" "$work/first.json" "$work/d/graph.json"
if grep -q 'The synergistic network is' "$work/stdout"; then good; else bad "the claim is not tested in words"; fi
# the matrix of the folder is that of the references
run 0 "one of its matrices" graph "$work/d/synergy.npy" --json
near "the folder's synergy" "$(value efficiency_weighted "$work/d/graph.json")" "$(value efficiency_weighted "$work/stdout")" 0
run 1 "other settings" graph "$work/d" --nulls 11
says "--nulls 10 there, 11 here"
run 1 "other densities" graph "$work/d" --densities 0.07
says densities
says --force
run 0 "forced" graph "$work/d" --nulls 11 --force
run 0 "elsewhere" graph "$work/d" --nulls 2 -o "$work/else" --seed 4
run 1 "elsewhere, another matrix" graph $data/star_w2.npy -o "$work/else"
says "another matrix"
run 0 "report" report "$work/d"
if grep -q 'id="topology"' "$work/d/report.html"; then good; else bad "the report has no topology"; fi
"$synergy" phiid "$work/d/../d/../d" > /dev/null 2>&1
"$synergy" phiid data/cli/norms.npy -o "$work/d" --tau 2 --resamples 0 --force > "$work/out" 2>&1 || bad "phiid again" "$work/out"
if [ ! -e "$work/d/graph.json" ]; then good; else bad "topology of other settings is left"; fi

# z from its own numbers, and a planted structure that stands out against both nulls
run 0 "planted" graph $data/planted_5x6.npy --nulls 30 --json
sed -n 's/.*"louvain_q": {"observed": \([^,]*\), "mean": \([^,]*\), "sd": \([^,]*\), "z": \([^,]*\),.*/\1 \2 \3 \4/p' "$work/stdout" > "$work/z"
if [ "$(wc -l < "$work/z")" -eq 2 ] && awk '{ z = ($1 - $2) / $3; if (z - $4 > 1e-9 * z || $4 - z > 1e-9 * z || z < 3) exit 1 }' "$work/z"; then
    good
else
    bad "z of a planted structure" "$work/z"
fi

# ---- exports
run 0 "exports" graph "$work/else/../d" --nulls 0 --graphml --csv -o "$work/export" --keep 0.25
for file in synergy.graphml redundancy.graphml synergy_edges.csv redundancy_edges.csv graph.json; do
    if [ -s "$work/export/$file" ]; then good; else bad "no $file"; fi
done
edges=$(($(wc -l < "$work/export/synergy_edges.csv") - 1))
if [ "$edges" -eq 69 ]; then good; else bad "a quarter of 276 pairs: $edges edges, expected 69"; fi
if [ "$(grep -c '<edge ' "$work/export/synergy.graphml")" -eq 69 ]; then good; else bad "edges of the GraphML"; fi
if [ "$(grep -c '<node ' "$work/export/synergy.graphml")" -eq 24 ]; then good; else bad "nodes of the GraphML"; fi
if [ "$(head -n 1 "$work/export/synergy_edges.csv")" = source,target,weight ]; then good; else bad "head of the edge list"; fi
run 0 "exports of a matrix" graph $data/signed.npy --csv --graphml -o "$work/export2"
if [ -s "$work/export2/signed_edges.csv" ] && ! grep -q ',-' "$work/export2/signed_edges.csv"; then good; else bad "edges of signed.npy"; fi
if have python3 && python3 -c 'import networkx, numpy' 2> /dev/null; then
    cat > "$work/look.py" <<'PY'
import sys, networkx, numpy
g = networkx.read_graphml(sys.argv[1])
w = numpy.load(sys.argv[2])
w = (w + w.T) / 2
numpy.fill_diagonal(w, 0)
want = {(i, j): w[i, j] for i in range(len(w)) for j in range(i) if w[i, j] > 0}
got = {tuple(sorted((int(a[1:]), int(b[1:])), reverse=True)): d["weight"] for a, b, d in g.edges(data=True)}
assert want == got, (len(want), len(got))
PY
    try "networkx reads the GraphML, every weight the same" python3 "$work/look.py" "$work/export2/signed.graphml" $data/signed.npy
else
    skip "no networkx to read the GraphML"
fi

# ---- refusals
run 2 "no input" graph
run 2 "export to nowhere" graph $data/signed.npy --csv
run 2 "densities" graph $data/signed.npy --densities 0.1,x
says "0.1,x"
run 2 "density 0" graph $data/signed.npy --densities 0
run 1 "no such file" graph "$work/none.npy"
run 1 "a folder without results" graph data
says synergy.npy
run 1 "not square" graph data/cli/one.npy
says square
run 1 "whole numbers as weights" graph $data/signed.partition.npy
run 1 "a partition of another size" graph $data/signed.npy --partition $data/two_cliques.partition.npy
says nodes
run 1 "floats as a partition" graph $data/signed.npy --partition $data/signed.npy
if [ -z "$(find "$work" -name '*.part')" ]; then good; else bad "parts of files are left"; fi
# ---- matrices as people have them: text with and without names, one triangle, two different weights
awk 'BEGIN { srand(3); for (i = 0; i < 9; i++) for (j = 0; j < i; j++) w[i, j] = w[j, i] = int(1000 * rand()) / 1000
    for (i = 0; i < 9; i++) { s = ""; for (j = 0; j < 9; j++) s = s (j ? "," : "") (w[i, j] + 0); print s } }' > "$work/w.csv"
awk -F, -v OFS=, '{ for (j = NR + 1; j <= NF; j++) $j = 0; print }' "$work/w.csv" > "$work/lower.csv"
awk -F, -v OFS=, '{ for (j = 1; j < NR; j++) $j = ""; print }' "$work/w.csv" > "$work/upper.csv"
{ echo "a,b,c,d,e,f,g,h,\"i, k\""; cat "$work/w.csv"; } > "$work/head.csv"
{ echo ",0,1,2,3,4,5,6,7,8"; awk '{ print NR - 1 "," $0 }' "$work/w.csv"; } > "$work/pandas.csv"
awk '{ print "n" NR "," $0 }' "$work/w.csv" | tr , ';' > "$work/rows.txt"
sed 's/\./,/g; s/;/ ; /g' "$work/rows.txt" > "$work/comma.txt"
awk -F, -v OFS=, '{ if (NR == 2) $5 = $5 + 0.5; print }' "$work/w.csv" > "$work/directed.csv"
awk -F, -v OFS=, '{ if (NR == 2) $5 = $5 + 0.5; if (NR == 5) $2 = $2 + 0.5; print }' "$work/w.csv" > "$work/larger.csv"
awk -F, -v OFS=, '{ if (NR == 2) $5 = $5 + 0.25; if (NR == 5) $2 = $2 + 0.25; print }' "$work/w.csv" > "$work/middle.csv"
run 0 "a text matrix" graph "$work/w.csv" --json
want=$(value efficiency_weighted "$work/stdout")
at_least "a text matrix" "$want" 0.1
for form in lower.csv upper.csv head.csv pandas.csv rows.txt comma.txt; do
    run 0 "$form" graph "$work/$form" --json
    near "$form" "$(value efficiency_weighted "$work/stdout")" "$want" 1e-13
    near "$form: nodes" "$(value nodes "$work/stdout")" 9 0
done
for form in lower upper; do
    run 0 "$form" graph "$work/$form.csv"
    says "not symmetric"
done
run 1 "two weights" graph "$work/directed.csv"
says "row 1, column 4"
says "--symmetrise"
for how in mean:middle max:larger; do
    run 0 "$how" graph "$work/${how#*:}.csv" --json
    want=$(value efficiency_weighted "$work/stdout")
    run 0 "$how" graph "$work/directed.csv" --symmetrise "${how%:*}" --json
    near "$how" "$(value efficiency_weighted "$work/stdout")" "$want" 1e-13
    near "$how: pairs" "$(value pairs_symmetrised "$work/stdout")" 1 0
done
sed '3s/^[^,]*/-0.5/; 1s/^\([^,]*,[^,]*\),[^,]*/\1,-0.5/; 4s/^[^,]*/NA/; 1s/^\([^,]*,[^,]*,[^,]*\),[^,]*/\1,NA/' "$work/w.csv" > "$work/dropped.csv"
printf '0,1,1,-1,-1,-1\n1,0,1,-1,-1,-1\n1,1,0,-1,-1,-1\n-1,-1,-1,0,1,1\n-1,-1,-1,1,0,1\n-1,-1,-1,1,1,0\n' > "$work/camps.csv"
run 0 "weights that are no edges" graph "$work/dropped.csv"
if grep -q "2 of 36 pairs are no edges: 1 negative, 1 unknown" "$work/stdout"; then good; else bad "dropped weights are not told" "$work/stdout"; fi
if [ "$(value participation_mean "$work/stdout")" != 0 ] && grep -q "modularity_signed " "$work/stdout" && grep -q "local_efficiency_mean " "$work/stdout"; then good
else bad "figures of nodes" "$work/stdout"; fi
run 0 "two camps" graph "$work/camps.csv" --json
near "their Q*" "$(value louvain_q_signed "$work/stdout")" 0.8 1e-12 # 1/2 of attraction, 9/30 of repulsion
if grep -q '"community_signed": \[0, 0, 0, 1, 1, 1\]' "$work/stdout"; then good; else bad "two camps are not found" "$work/stdout"; fi
run 1 "not square" graph $data/../tables/gaps.csv
says "not a square matrix"
run 0 "names in exports" graph "$work/head.csv" --graphml --csv -o "$work/named"
if grep -q '^a,"i, k",' "$work/named/head_edges.csv" && grep -q 'i, k</data>' "$work/named/head.graphml"; then good; else bad "names of a text matrix" "$work/named/head_edges.csv"; fi
finish
