#!/bin/sh
# compare.sh FOLDER [MODEL...] - this header beside llama.cpp and ik_llama.cpp, in turn, on the same files.
#
# FOLDER holds `llama.cpp` and, where it is wanted, `ik_llama.cpp`, each built into `build` (cmake -B build; static or
# shared). Every round runs each program once on one thread and once on two; ROUNDS (default 3) rounds give a median and
# a range; TABLES (default "types models") says which of both is measured. Without a MODEL: all that `tools/fetch_model.sh` left in tools/models. The tables `types` and `models` of
# bench/README.md are written between their marks. An idle machine is needed; RUN="taskset -c 0,1" and the like may stand
# before every program.
set -eu
cd "$(dirname "$0")"
export LC_ALL=C
[ $# -gt 0 ] || { echo "usage: compare.sh FOLDER [MODEL...]" >&2; exit 2; }
peers=$1
shift
[ -x "$peers/llama.cpp/build/bin/llama-bench" ] || { echo "compare.sh: no llama.cpp/build/bin/llama-bench in $peers" >&2; exit 1; }
[ $# -gt 0 ] || set -- ../tools/models/*.gguf
rounds=${ROUNDS:-3} prompt=${PROMPT:-512} tokens=${TOKENS:-64} run=${RUN:-} tables=${TABLES:-types models}
work=build/compare
mkdir -p $work
make -s build/bench_kernels build/bench_model
touch $work/types.txt $work/models.txt
for table in $tables; do : > "$work/$table.txt"; done # the other one keeps what it has
asked() { case " $tables " in *" $1 "*) return 0 ;; esac; return 1; }
names=llama.cpp
[ ! -x "$peers/ik_llama.cpp/build/bin/llama-bench" ] || names="$names ik_llama.cpp"

# The peers' products by themselves: ggml_types linked with what their build left.
for name in $names; do
    ggml=$peers/$name/ggml
    old=
    [ -e "$ggml/include/ggml-cpu.h" ] || old=-DOLD_GGML
    libs=$(find "$peers/$name/build" -name 'libggml*.a' -o -name 'libggml*.so' | sort)
    rpath=$(for lib in $libs; do echo "-Wl,-rpath,$(dirname "$lib")"; done | sort -u)
    ${CC:-cc} -std=gnu99 -O2 $old -I"$ggml/include" -c -o "$work/$name.o" peer/ggml_types.c
    # shellcheck disable=SC2086 # lists of words
    ${CXX:-c++} -o "$work/$name.types" "$work/$name.o" -Wl,--start-group $libs -Wl,--end-group $rpath -fopenmp -ldl -lm -lpthread
done

# The best level that this machine has; "-" is no type.
level=$(build/bench_kernels 1 - | sed -n 's/^level \(.*\): int8.*/\1/p' | tail -n 1)

# types.txt: name of the program, TYPE, GB/s at one position, GMAC/s at 128 positions
round=0
while asked types && [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    # shellcheck disable=SC2086
    $run build/bench_kernels 1 '' "$level" > $work/kernels.txt
    awk '/^threads/ { print "machine", "memory", $4, 0 }
        /^level/ { split($0, a, ": int8 | GMAC/s, float | GMAC/s, a"); peak = "machine peak " a[2] " " a[3] }
        $5 == "%" { text = text "ours " toupper($1) " " $3 " " $6 "\n" }
        END { print peak; printf "%s", text }' $work/kernels.txt >> $work/types.txt
    for name in $names; do
        # shellcheck disable=SC2086
        $run "$work/$name.types" 1 | awk -v n="$name" '{ print n, toupper($1), $2, $3 }' >> $work/types.txt
    done
done
# models.txt: model, threads, program, tokens a second of the prompt, of generation
round=0
while asked models && [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    for model; do
        for threads in 1 2; do
            # shellcheck disable=SC2086
            $run build/bench_model "$model" $threads "$prompt" "$tokens" 1 |
                awk -v m="$(basename "$model" .gguf)" -v t=$threads -v b="$(wc -c < "$model")" '{ print m, t, "ours", $1, $2, b }' >> $work/models.txt
            for name in $names; do
                # shellcheck disable=SC2086
                $run "$peers/$name/build/bin/llama-bench" -m "$model" -t $threads -p "$prompt" -n "$tokens" -r 1 -ngl 0 2> $work/log |
                    awk -F'|' -v m="$(basename "$model" .gguf)" -v t=$threads -v n="$name" '
                        NF > 5 { split($(NF - 1), a, " "); if ($0 ~ / pp[0-9]+ /) p = a[1]; if ($0 ~ / tg[0-9]+ /) g = a[1] }
                        END { print m, t, n, p + 0, g + 0 }' >> $work/models.txt
            done
        done
    done
done

machine="$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), $(nproc) cores, $level; commit $(git rev-parse --short HEAD); "
for name in $names; do machine="$machine$name $(git -C "$peers/$name" rev-parse --short HEAD 2> /dev/null || echo '?'), "; done

# median and range of column k of the lines that begin with some words
stats='function stats(list,  n, a, i, j, v) {
    n = split(list, a, " ")
    for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) { v = a[j]; a[j] = a[j - 1]; a[j - 1] = v }
    low = a[1]; high = a[n]; middle = a[int((n + 1) / 2)]
    return n
}
function cell(list) { return stats(list) && middle > 0 ? figure(middle) " (" figure(low) " to " figure(high) ")" : "-" }
function figure(x) { return sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x) }
function share(list, of) { return stats(list) ? sprintf("%.0f %%", 100 * middle / of) : "-" }'

awk -v names="$names" -v machine="$machine" -v rounds="$rounds" "$stats"'
    { key = $1 " " $2; if ($1 == "ours" && !(key in one)) order[++types] = $2; one[key] = one[key] " " $3; many[key] = many[key] " " $4 }
    END {
        stats(one["machine memory"]); memory = middle
        stats(one["machine peak"]); dots = middle; stats(many["machine peak"]); floats = middle
        printf "%smedians of %d rounds (range), one thread. Memory gives %.1f GB/s to a plain sum; the peak is %.0f GMAC/s of int8 dot\n", machine, rounds, memory, dots
        printf "products and %.0f of float. One of our products of codes is two of int8 (activations of 15 bits); the peers round\nactivations to 8 bits.\n\n", floats
        n = split(names, name, " ")
        printf "| type | one position, GB/s | share of memory |"; for (i = 1; i <= n; i++) printf " %s |", name[i]
        printf " 128 positions, GMAC/s | share of peak |"; for (i = 1; i <= n; i++) printf " %s |", name[i]
        printf "\n|---|---:|---:|"; for (i = 1; i <= n; i++) printf "---:|"
        printf "---:|---:|"; for (i = 1; i <= n; i++) printf "---:|"
        for (t = 1; t <= types; t++) {
            k = order[t]; numbers = k ~ /^(F32|F16|BF16|F64)$/
            printf "\n| %s | %s | %s |", k, cell(one["ours " k]), share(one["ours " k], memory)
            for (i = 1; i <= n; i++) printf " %s |", cell(one[name[i] " " k])
            printf " %s | %s |", cell(many["ours " k]), share(many["ours " k], numbers ? floats : dots / 2)
            for (i = 1; i <= n; i++) printf " %s |", cell(many[name[i] " " k])
        }
        printf "\n"
    }' $work/types.txt > $work/types.md

awk -v names="$names" -v machine="$machine" -v rounds="$rounds" -v prompt="$prompt" -v tokens="$tokens" "$stats"'
    { row = $1 " | " $2; if (!(row in seen)) order[++rows] = row; seen[row] = 1; p[row, $3] = p[row, $3] " " $4; g[row, $3] = g[row, $3] " " $5; if ($3 == "ours") bytes[row] = $6 }
    END {
        memory = '"$(awk '$2 == "memory" && $3 > best { best = $3 } END { print best + 0 }' $work/types.txt)"'
        printf "%smedians of %d rounds (range). Tokens a second, ours with the norms of every head. The last column is the bytes\nof the file times our tokens a second, as a share of the %.1f GB/s that one thread reads.\n\n", machine, rounds, memory
        n = split("ours " names, name, " ")
        printf "| model | threads |"; for (i = 1; i <= n; i++) printf " prompt of %d: %s |", prompt, name[i]
        for (i = 1; i <= n; i++) printf " generating %d: %s |", tokens, name[i]
        printf " share of memory |\n|---|---:|"; for (i = 0; i <= 2 * n; i++) printf "---:|"
        for (r = 1; r <= rows; r++) {
            printf "\n| %s |", order[r]
            for (i = 1; i <= n; i++) printf " %s |", cell(p[order[r], name[i]])
            for (i = 1; i <= n; i++) printf " %s |", cell(g[order[r], name[i]])
            stats(g[order[r], "ours"])
            printf " %.0f %% |", 100 * middle * bytes[order[r]] / memory / 1e9
        }
        printf "\n"
    }' $work/models.txt > $work/models.md

# Between the marks `<!-- table: NAME -->` and `<!-- end -->`.
for table in $tables; do
    awk -v file="$work/$table.md" -v mark="<!-- table: $table -->" '
        $0 == mark { print; while ((getline line < file) > 0) print line; skip = 1; found = 1; next }
        $0 == "<!-- end -->" { skip = 0 }
        !skip
        END { if (!found) exit 1 }' README.md > $work/README.md || { echo "compare.sh: bench/README.md has no mark for $table" >&2; exit 1; }
    cp $work/README.md README.md
done
