#!/bin/sh
# size.sh [MODEL.gguf...] - what the header takes, as Markdown tables (make -C bench size):
#
#     code     bytes of code and constants (size, column text), by configuration and processor, at -Os and -O2; "-" where the
#              compiler is not there. 96 compilations, some minutes.
#     memory   bytes of objects and models, from measuring arenas (bench_memory)
#     stack    high-water mark of public functions, by painting (bench_stack)
#
# OPTS="-Os" or "-O2" measures one of them only; PARTS="stack memory" some of the tables.
set -eu
cd "$(dirname "$0")"
LC_ALL=C
export LC_ALL
: "${OPTS=-Os -O2}" "${PARTS=code memory stack}"
work=$(mktemp -d "${TMPDIR:-/tmp}/size.XXXXXX")
trap 'rm -rf "$work"' EXIT
printf '#define SYNERGY_IMPLEMENTATION\n#include "synergy.h"\n' > "$work/all.c"

# name | compiler and what it is told
processors='x86-64|gcc
aarch64|aarch64-linux-gnu-gcc
armv7|arm-linux-gnueabihf-gcc -mfpu=neon-vfpv4
Cortex-M0+|arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb
Cortex-M4F|arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
riscv64|riscv64-linux-gnu-gcc'

# bytes MACROS PROCESSOR-NAME: of the flags in $opt
bytes() {
    words=$(echo "$processors" | awk -F '|' -v name="$2" '$1 == name { print $2 }')
    compiler=${words%% *}
    command -v "$compiler" > /dev/null 2>&1 || { printf -- -; return; }
    # shellcheck disable=SC2086 # words
    $words -std=c99 "$opt" $1 -I.. -c "$work/all.c" -o "$work/all.o"
    case $compiler in *-gcc) size=${compiler%gcc}size ;; *) size=size ;; esac
    "$size" "$work/all.o" | awk 'NR == 2 { n = $1; s = ""; while (length(n) > 3) { s = " " substr(n, length(n) - 2) s; n = substr(n, 1, length(n) - 3) } printf "%s", n s }'
}

code() {
    for opt in $OPTS; do
        echo "| build, $opt | $(echo "$processors" | cut -d '|' -f 1 | paste -s -d '|' | sed 's/|/ | /g') |"
        echo '|---|---:|---:|---:|---:|---:|---:|'
        for macros in "" SYNERGY_NO_MODEL SYNERGY_NO_PHIID SYNERGY_SIMD=0 SYNERGY_NO_AVX512 SYNERGY_NO_IQ \
            "SYNERGY_SIMD=0 SYNERGY_NO_IQ SYNERGY_NO_PHIID" "SYNERGY_SIMD=0 SYNERGY_NO_IQ SYNERGY_NO_PHIID SYNERGY_MODEL_FLOAT"; do
            # shellcheck disable=SC2016 # marks of Markdown
            label=$(echo "$macros" | sed 's/[^ ]*/`&`/g; s/ /, /g')
            printf '| %s |' "$([ -n "$macros" ] && echo "$label" || echo everything)"
            flags=$(echo "$macros" | sed 's/[^ ][^ ]*/-D&/g')
            for name in $(echo "$processors" | cut -d '|' -f 1); do printf ' %s |' "$(bytes "$flags" "$name")"; done
            echo
        done
        echo
    done
}

memory() {
    make -s build/bench_memory
    build/bench_memory "$@"
    echo
}

stack() {
    # a public call that bench_stack.c does not make would be missing in the table
    awk -f ../tests/declared.awk ../synergy.h | while read -r name; do
        grep -qw "$name" bench_stack.c || { echo "bench_stack.c does not call $name" >&2; exit 1; }
    done
    make -s build/bench_stack
    build/bench_stack ../examples/models/synergy-mini.Q8_0.gguf
}

[ $# -gt 0 ] || set -- ../examples/models/*.gguf
for part in $PARTS; do "$part" "$@"; done
