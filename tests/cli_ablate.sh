#!/bin/sh
# synergy ablate and perturb: one set of units, curves, resuming, what is refused.
. ./cli.sh
models=data/models
model=$models/llama-f16/model.gguf

# refused CODE TEXT ARGUMENTS...: the exit code, and a line that says TEXT
refused() {
    want=$1 text=$2
    shift 2
    "$synergy" "$@" > "$work/stdout" 2> "$work/stderr"
    got=$?
    if [ $got -eq "$want" ] && grep -qF -- "$text" "$work/stderr"; then good
    else bad "$* ended with $got, and not with $want and '$text':" "$work/stderr"; fi
}

# value KEY FILE: a number of a JSON object with one member a line
value() {
    sed -n "s/^ *\"$1\": \\([-0-9.e+]*\\),*\$/\\1/p" "$2"
}

# close NAME A B TOLERANCE
close() {
    if awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= t) }'; then good
    else bad "$1: $2 against $3, allowed $4"; fi
}

# one NAME ARGUMENTS...: one set of units; $work/NAME.json
one() {
    name=$1
    shift
    if "$synergy" ablate "$@" --json > "$work/$name.json" 2> "$work/stderr"; then good; else bad "$*" "$work/stderr"; fi
}

same() {
    if cmp -s "$2" "$3"; then good; else bad "$1: $2 and $3 differ"; fi
}

# ---- one set of units: against references calculated by PyTorch (tests/reference/ablation.py), in nats
while read -r folder from units heads kl; do
    case $folder in '#'*) continue ;; esac
    one reference "$models/$folder/model.gguf" --tokens "$models/$folder/tokens.npy" --from "$from" --units "$units" --heads "$heads" --exact
    close "$folder $heads" "$(value kl "$work/reference.json")" "$kl" "$(awk -v k="$kl" 'BEGIN { print 1e-8 + 5e-6 * k }')"
done < data/ablation.txt

# ---- nothing but the arithmetic and the threads changes little and nothing
tokens=$models/llama-f16/tokens.npy
one exact $model --tokens $tokens --from 4 --heads '1.*,0.1' --exact -t 1
one threads $model --tokens $tokens --from 4 --heads '0.1,1.0-5' --exact -t 3
same "threads, and another way to name the units" "$work/exact.json" "$work/threads.json"
one fast $model --tokens $tokens --from 4 --heads '1.*,0.1'
close "fast arithmetic" "$(value kl "$work/fast.json")" "$(value kl "$work/exact.json")" 1e-3
one mean $model --tokens $tokens --from 4 --heads '1.*,0.1' --exact --replace mean
if [ "$(value kl "$work/mean.json")" != "$(value kl "$work/exact.json")" ]; then good; else bad "a mean is no zero"; fi

refused 1 "unit 9.0 does not exist: layers are 0 to 2, units of a layer 0 to 5" ablate $model --tokens $tokens --heads 9.0
refused 1 "unit 0.2-6 does not exist" ablate $model --tokens $tokens --heads 1.1,0.2-6
refused 1 "is not a list of units" ablate $model --tokens $tokens --heads 1.1,,2.0
refused 1 "is not a list of units" ablate $model --tokens $tokens --heads 1.3-1
refused 1 "is not a list of units" ablate $model --tokens $tokens --heads ''
refused 1 "--from 4000: positions of" ablate $model --tokens $tokens --heads 1.1 --from 4000
refused 1 "has no experts" ablate $model --tokens $tokens --heads 1.1 --units experts
refused 2 "needs --heads" ablate $model --tokens $tokens
refused 2 "a result folder" ablate $model
refused 2 "--json goes with --heads" ablate $model "$work" --json
refused 2 "--heads is one set" ablate $model "$work" --heads 0.0 --step 3
printf '\223NUMPY\001\000v\000{%-116s\n\005\000\000\000' "'descr': '<i4', 'fortran_order': False, 'shape': (1,), }" > "$work/one.npy"
refused 1 "one id: nothing to predict" ablate $model --tokens "$work/one.npy" --heads 0.0
refused 1 "none.npy: cannot open it" ablate $model --tokens "$work/none.npy" --heads 1.1

# ---- curves
printf 'a\tThe cat sat on the mat.\na\tOne two three four\nb\tWater is wet, and fire\nb\tBlue sky\n' > "$work/prompts"
try "capture" "$synergy" capture $model --prompts "$work/prompts" -n 20 -o "$work/dir" --exact -t 1
try "phiid" "$synergy" phiid "$work/dir" -o "$work/dir" -t 1
ablate() {
    out=$1
    shift
    try "ablate $out" "$synergy" ablate $model "$work/dir" -o "$work/$out" --exact --seeds 2 --eval none "$@"
}
ablate one -t 1
ablate two -t 2
for file in ablation.csv ablation.json; do same "threads: $file" "$work/one/$file" "$work/two/$file"; done
# 18 heads: eight fractions up to 40 % are 1 to 7 of them, one number twice (and nothing)
lines=$(cut -d, -f1-3 "$work/one/ablation.csv" | tr '\n' ' ')
case $lines in
"order,seed,units score,0,0 score,0,1 score,0,2 score,0,3 score,0,4 score,0,5 score,0,6 score,0,7 reverse,0,0 "*) good ;;
*) bad "points of the curves: $lines" ;;
esac
if awk -F, '$3 == 0 && ($5 < -1e-9 || $5 > 1e-9)' "$work/one/ablation.csv" | grep -q .; then bad "nothing removed, yet KL"; else good; fi
if awk -F, 'NR > 1 && $3 > 0 && !($5 > 0 && $7 <= $5 && $5 <= $8 && $9 >= 0 && $9 <= 1 && $10 > 0)' "$work/one/ablation.csv" | grep -q .
then bad "a row of the curves is not sound" "$work/one/ablation.csv"; else good; fi
# matched orders take as many of each layer: with all units of some layers gone they are the core
ablate step --step 6 --most 1
if [ "$(grep -c '^score,' "$work/step/ablation.csv")" -eq 4 ]; then good; else bad "--step 6 of 18 heads" "$work/step/ablation.csv"; fi
if [ "$(awk -F, '$3 == 18 { print $5 }' "$work/step/ablation.csv" | sort -u | wc -l)" -eq 1 ]; then good
else bad "all units removed: every order is the same" "$work/step/ablation.csv"; fi
# both readings of the paper, their reverses and their random orders are there, unless a column is asked for
for order in difference difference-reverse difference-matched; do
    if grep -q "^$order,0,5," "$work/one/ablation.csv"; then good; else bad "no order $order" "$work/one/ablation.csv"; fi
    if grep -q "\"order\": \"$order\"" "$work/one/ablation.json"; then good; else bad "no order $order in the JSON"; fi
done
if [ "$(grep -c '"reading": .*"claim": "' "$work/one/ablation.json")" -eq 2 ]; then good; else bad "a claim for each reading" "$work/one/ablation.json"; fi
if grep -q '"headline": "' "$work/one/ablation.json"; then good; else bad "no headline"; fi
try "one column" "$synergy" ablate $model "$work/dir" -o "$work/column" --seeds 1 --fractions 0.3 --eval none --score difference_rank
if cut -d, -f1 "$work/column/ablation.csv" | grep -q difference; then bad "a second reading beside --score"; else good; fi
three=$(awk -F, '$1 == "score" && $3 == 5 { print $5 }' "$work/column/ablation.csv")
close "the second reading is that column" "$(awk -F, '$1 == "difference" && $3 == 5 { print $5 }' "$work/one/ablation.csv")" "$three" 1e-3
# a point of a curve is a set of units
first=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["score"], $1 }' "$work/dir/units.csv" |
    sort -k1,1gr -k2,2 -s | awk '{ printf "%s%s", n++ ? "," : "", $2; if (n == 3) exit }')
one named $model "$work/dir" --heads "$first" --exact --prompts 0
close "score, 3 units" "$(value kl "$work/named.json")" "$(awk -F, '$1 == "score" && $3 == 3 { print $5 }' "$work/one/ablation.csv")" 1e-12

# ---- a stopped run goes on to the same bytes
for stop in 1 40 97; do
    mkdir -p "$work/again"
    rm -f "$work/again"/*
    "$synergy" ablate $model "$work/dir" -o "$work/again" --exact --seeds 2 --eval none -t 1 > /dev/null 2>&1 &
    process=$!
    awk -v n=$stop 'BEGIN { for (i = 0; i < n * 20000; i++) x += i }'
    kill -9 $process 2> /dev/null
    wait $process 2> /dev/null
    [ ! -f "$work/again/ablation.part" ] || printf 'd 0 0' >> "$work/again/ablation.part"
    try "resume" "$synergy" ablate $model "$work/dir" -o "$work/again" --exact --seeds 2 --eval none -t 1 --resume
    for file in ablation.csv ablation.json; do same "resumed: $file" "$work/one/$file" "$work/again/$file"; done
    if [ -e "$work/again/ablation.part" ]; then bad "a work file is left"; else good; fi
done

# ---- with evaluation sets
try "ablate with items" "$synergy" ablate $model "$work/dir" -o "$work/eval" --seeds 1 --fractions 0.25,0.5 --items 4 --prompts 2
if awk -F, 'NR == 1 { next } $6 < $7 || $8 < $9 || $8 > $10 { bad = 1 } END { exit bad || NR < 30 }' "$work/eval/ablation_accuracy.csv"; then good
else bad "accuracies" "$work/eval/ablation_accuracy.csv"; fi
for order in score reverse difference difference-reverse random; do
    if grep -q "^$order,0,9,0.5," "$work/eval/ablation_accuracy.csv"; then good; else bad "no accuracy of $order" "$work/eval/ablation_accuracy.csv"; fi
done

# ---- nine prompts conclude nothing, ten may: in the words, in the JSON, in the report, as for profiles
i=0
while [ $i -lt 10 ]; do i=$((i + 1)); echo "The number $i comes after $((i - 1)), and $((i * i)) is"; done > "$work/ten"
try "capture ten" "$synergy" capture $model --prompts "$work/ten" -n 20 -o "$work/ten_dir" --raw
try "phiid ten" "$synergy" phiid "$work/ten_dir" -o "$work/ten_dir" --resamples 0
for n in 9 10; do
    try "ablate $n" "$synergy" ablate $model "$work/ten_dir" --seeds 6 --fractions 0.3 --eval none --prompts $n --force
    try "perturb $n" "$synergy" perturb $model "$work/ten_dir" --seeds 2 --strengths 1 --eval none --prompts $n --force
    try "report $n" "$synergy" report "$work/ten_dir"
    for stem in ablation perturb; do
        file=$work/ten_dir/$stem.json
        open=$(grep -c '"claim": "open"' "$file") harm=$(grep -c '"harm": -*1' "$file")
        if [ $n -eq 9 ]; then
            [ "$open" -eq 2 ] && [ "$harm" -eq 0 ] && grep -q '"headline": ".* is open: nothing can be concluded from 9 prompts' "$file" &&
                good || bad "$stem of 9 prompts" "$file"
        elif [ "$open" -eq 0 ] && ! grep -q 'is open' "$file"; then good
        else bad "$stem of 10 prompts" "$file"; fi
    done
    told=$(grep -c 'class="open">open</b> 9 prompts cannot tell' "$work/ten_dir/report.html")
    if [ $n -eq 9 ] && [ "$told" -ge 6 ]; then good; elif [ $n -eq 10 ] && [ "$told" -eq 0 ]; then good
    else bad "the report says $told times that $n prompts cannot tell"; fi
done
if grep -q '"harm": -*1' "$work/ten_dir/ablation.json"; then good; else bad "ten prompts never conclude" "$work/ten_dir/ablation.json"; fi

# ---- noise
try "perturb" "$synergy" perturb $model "$work/dir" -o "$work/noise" --seeds 2 --strengths 0.2,1 --eval none --exact -t 1
try "perturb, three threads" "$synergy" perturb $model "$work/dir" -o "$work/noise3" --seeds 2 --strengths 0.2,1 --eval none --exact -t 3
same "threads: perturb.csv" "$work/noise/perturb.csv" "$work/noise3/perturb.csv"
if [ "$(cut -d, -f1-4 "$work/noise/perturb.csv" | head -4 | tr '\n' ' ')" = "group,seed,strength,units core,0,0,0 core,0,0.2,5 core,0,1,5 " ]
then good; else bad "rows of perturb.csv" "$work/noise/perturb.csv"; fi
for group in difference-core difference-periphery; do
    if grep -q "^$group,1,1,5," "$work/noise/perturb.csv"; then good; else bad "no group $group" "$work/noise/perturb.csv"; fi
done
if awk -F, '$3 == 0.2 { small[$1 $2] = $5 } $3 == 1 && !($5 > 4 * small[$1 $2] && small[$1 $2] > 0) { bad = 1 } END { exit bad }' "$work/noise/perturb.csv"
then good; else bad "five times the noise does more than four times the harm" "$work/noise/perturb.csv"; fi
try "perturb, another seed" "$synergy" perturb $model "$work/dir" -o "$work/noise7" --seeds 2 --strengths 0.2,1 --eval none --exact --seed 7
if cmp -s "$work/noise/perturb.csv" "$work/noise7/perturb.csv"; then bad "another seed, the same noise"; else good; fi

# ---- experts
moe=$models/deepseek2-tiny/model.gguf
try "capture experts" "$synergy" capture $moe --prompts "$work/prompts" -n 40 -o "$work/moe" --units experts
try "phiid of experts" "$synergy" phiid "$work/moe" -o "$work/moe"
try "ablate experts" "$synergy" ablate $moe "$work/moe" --seeds 1 --eval none
try "perturb experts" "$synergy" perturb $moe "$work/moe" --seeds 1 --eval none --strengths 1
if awk -F, 'NR > 1 && $3 > 0 && !($5 > 0) { bad = 1 } END { exit bad || NR < 10 }' "$work/moe/ablation.csv"; then good
else bad "experts removed" "$work/moe/ablation.csv"; fi

# ---- a model that cannot take the evaluation sets is studied without them; few prompts conclude nothing
short=$models/gpt2-iq4_nl/model.gguf
try "capture short" "$synergy" capture $short --prompts "$work/prompts" -n 40 -o "$work/short"
try "phiid short" "$synergy" phiid "$work/short" -o "$work/short"
try "ablate short" "$synergy" ablate $short "$work/short" --seeds 1 --fractions 0.2,0.4
grep -q "without evaluation sets: " "$work/try.out" && [ -s "$work/short/ablation.csv" ] && [ ! -e "$work/short/ablation_accuracy.csv" ] &&
    good || bad "a short context" "$work/try.out"
if grep -q "is open: nothing can be concluded from 4 prompts" "$work/short/ablation.json"; then good; else bad "4 prompts" "$work/short/ablation.json"; fi
try "one prompt" "$synergy" ablate $model "$work/dir" -o "$work/single" --seeds 2 --eval none --prompts 1
if grep -qi nan "$work/single/ablation.json" "$work/single/ablation.csv" "$work/try.out"; then bad "nan" "$work/single/ablation.json"; else good; fi
# positions that are only predicted take no room: 129 ids in a context of 128
one whole $short --tokens data/ids-129.npy --heads 0.1 --from 120

# ---- what is refused
refused 1 "was measured on" ablate $models/llama-tied/model.gguf "$work/dir"
refused 1 "was measured on" perturb $models/llama-tied/model.gguf "$work/dir"
refused 1 "neither run.json nor phiid.json" ablate $model "$work"
refused 1 "is not a folder with results" ablate $model "$work/nowhere"
refused 1 "--fractions: 1.5 is not above 0 and at most 1" ablate $model "$work/dir" --fractions 0.1,1.5 --eval none
refused 1 "--fractions: 0.1 does not rise" ablate $model "$work/dir" --fractions 0.2,0.1 --eval none
refused 1 "is not a list of numbers" ablate $model "$work/dir" --fractions 0.2,x --eval none
refused 1 "nothing is removed" ablate $model "$work/dir" --fractions 0.001 --eval none
refused 2 "either --fractions" ablate $model "$work/dir" --fractions 0.1 --step 2
refused 1 "has no column nonsense" ablate $model "$work/dir" --score nonsense --eval none
refused 1 "was made with other settings" ablate $model "$work/dir" -o "$work/one" --seeds 3 --eval none
refused 1 "--strengths: -1 is not above 0" perturb $model "$work/dir" --strengths -1 --eval none
refused 1 "--strengths: 0.1 does not rise" perturb $model "$work/dir" --strengths 0.2,0.1 --eval none
if [ -w /dev/full ]; then
    mkdir -p "$work/full"
    ln -s /dev/full "$work/full/ablation.part"
    refused 1 "ablation.part" ablate $model "$work/dir" -o "$work/full" --seeds 1 --eval none
    if [ -e "$work/full/ablation.json" ] || [ -e "$work/full/ablation.csv" ]; then bad "results of a run that failed"; else good; fi
fi

finish
