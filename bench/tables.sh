#!/bin/sh
# tables.sh [NAME...] - writes tables of bench/README.md between their marks, <!-- table: NAME --> and <!-- end -->:
#
#     memory    bytes of objects, from measuring arenas (with the models of tools/models)
#     accuracy  PhiID against references of 60 digits, beside phyid's errors on the same series
#     pairs     seconds for all pairs of many units (an idle machine is needed)
#
# Without a name: memory and accuracy, which are the same on every machine with the same compilers. Speed beside other
# programs is written by compare.sh, code by configuration and processor printed by size.sh.
set -eu
cd "$(dirname "$0")"
LC_ALL=C
export LC_ALL
work=$(mktemp -d "${TMPDIR:-/tmp}/tables.XXXXXX")
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- memory accuracy

memory() {
    make -s build/bench_memory
    models=
    for model in ../tools/models/SmolLM2*.gguf ../tools/models/gemma-3-270m*.gguf; do [ ! -f "$model" ] || models="$models $model"; done
    # shellcheck disable=SC2086 # a list of words
    build/bench_memory $models
}

# MMI: the largest error of a group, ours and phyid's, and how many cases end without numbers
accuracy() {
    make -s build/bench_accuracy
    build/bench_accuracy ../tests/data/phiid | awk '
        BEGIN {
            words["white"] = "white noise"; words["var1"] = "autoregressive pairs"; words["norms"] = "norms of heads"
            words["structure"] = "mostly synergy, redundancy or unique"; words["float32"] = "float32 and float16 data"
            words["short"] = "6 to 10 samples"; words["illcond"] = "ill-conditioned"; words["offset"] = "large offsets"
            words["scale"] = "extreme scales"; words["outlier"] = "outliers"
        }
        $4 == "|" && $9 == "|" && $5 ~ /^(-|[0-9.]+e[-+][0-9]+)$/ {
            if (!($2 in cases)) order[++groups] = $2
            cases[$2]++
            if ($5 == "-") failed[$2]++; else if ($5 + 0 > ours[$2] + 0) ours[$2] = $5
            if ($6 == "-") peer_failed[$2]++; else if ($6 + 0 > peer[$2] + 0) peer[$2] = $6
        }
        END {
            print "| group | cases | ours | phyid | failing, ours | failing, phyid |"
            print "|---|---:|---:|---:|---:|---:|"
            for (i = 1; i <= groups; i++) { g = order[i]
                printf "| %s | %d | %.1e | %.1e | %d | %d |\n", g in words ? words[g] : g, cases[g], ours[g], peer[g], failed[g], peer_failed[g] }
        }'
}

# processor time of one thread
pairs() {
    make -s build/bench_phiid
    echo '| units | sts and rtr | all 16 atoms | CCS | memory |'
    echo '|---:|---:|---:|---:|---:|'
    for units in 270 1152; do
        build/bench_phiid $units 60 100 | awk -v units=$units '
            / 1 thread / {
                match($0, /processor *[0-9.]+ s/); text = substr($0, RSTART, RLENGTH); sub(/processor */, "", text)
                time = time " | " text
                match($0, /[0-9.]+ MB/); size = substr($0, RSTART, RLENGTH - 3)
                if (!least || size + 0 < least + 0) least = size
                if (size + 0 > most + 0) most = size
            }
            END { print "| " units time " | " least " to " most " MB |" }'
    done
}

for name in "$@"; do
    case $name in
        memory | accuracy | pairs) ;;
        *) echo "tables.sh: no table '$name': memory, accuracy, pairs" >&2; exit 2 ;;
    esac
    grep -q "^<!-- table: $name -->$" README.md || { echo "tables.sh: README.md has no mark for '$name'" >&2; exit 1; }
    "$name" > "$work/$name"
    [ "$(grep -c '^|' "$work/$name")" -ge 3 ] || { echo "tables.sh: $name: no table" >&2; cat "$work/$name" >&2; exit 1; }
    awk -v name="$name" -v file="$work/$name" '
        $0 == "<!-- table: " name " -->" { print; while ((getline line < file) > 0) print line; skip = 1; next }
        $0 == "<!-- end -->" { skip = 0 }
        !skip' README.md > "$work/README.md"
    cat "$work/README.md" > README.md
    echo "$name: $(grep -c '^|' "$work/$name") lines"
done
