#!/bin/sh
# What the READMEs say: their C programs compile as C99 and as C++17 and print what the text says, files that they name are
# there, options that they name are known to the program.
. ./check.sh

cc=${CC:-cc}
warn="-Wall -Wextra -Wpedantic -Werror"

# program N: the N-th C program of README.md
program() {
    awk -v n="$1" '/^```c$/ { at++; on = at == n; next } /^```/ { on = 0 } on' ../README.md
}

n=0
while program $((n + 1)) > "$work/code.c" && [ -s "$work/code.c" ]; do
    n=$((n + 1))
    mv "$work/code.c" "$work/$n.c"
    # shellcheck disable=SC2086
    try "README's program $n compiles" $cc -std=c99 -O1 -DSYNERGY_SIMD=0 $warn -I.. "$work/$n.c" -o "$work/$n" -lm
    # shellcheck disable=SC2086
    if have g++; then try "README's program $n is C++17, too" g++ -x c++ -std=c++17 $warn -I.. -fsyntax-only "$work/$n.c"
    else skip "no g++"; fi
done
if [ $n -eq 2 ]; then good; else bad "README.md has $n programs, this test knows 2"; finish; fi

"$work/1" > "$work/out" 2>&1
said=$(sed -n 's/^It prints `\([^`]*\)`.*/\1/p' ../README.md)
if [ -n "$said" ] && [ "$(cat "$work/out")" = "$said" ]; then good; else bad "the first program does not print '$said':" "$work/out"; fi
try "the second program runs" "$work/2" data/gguf/ok_bpe.gguf
if [ "$(grep -cE '^token [0-9]+, norm of L0H0 [0-9.e-]+$' "$work/try.out")" -ge 10 ]; then good; else bad "the second program prints:" "$work/try.out"; fi
if "$work/2" ../README.md > "$work/out" 2>&1 || [ ! -s "$work/out" ]; then bad "the second program does not complain of what is no model"; else good; fi

# ---- the version that the entry for BibTeX cites
number=$(awk '/^#define SYNERGY_VERSION / { print int($3 / 10000) "." int($3 / 100) % 100 "." $3 % 100 }' ../synergy.h)
if grep -qF "version = {$number}" ../README.md; then good; else bad "README's entry for BibTeX does not cite version $number"; fi

# ---- names of files
# shellcheck disable=SC2016
grep -oh '`[^`]*`' ../README.md ../tools/README.md ../bench/README.md README.md | tr -d '`' | tr ' ' '\n' | sort -u > "$work/words"
grep -E '^(tools|tests|bench|examples|\.ci)/[A-Za-z0-9_./-]+$' "$work/words" | grep -vE '/(build|demo|demo-smollm2|models)(/|$)' > "$work/files"
while read -r file; do
    # what is built has its place in .gitignore
    if [ -e "../$file" ] || grep -qxF "/$file" ../.gitignore; then good; else bad "a README names $file, which is not there"; fi
done < "$work/files"
if [ "$(wc -l < "$work/files")" -ge 10 ]; then good; else bad "only $(wc -l < "$work/files") names of files were found" "$work/files"; fi

# ---- names of options
synergy=${SYNERGY:-../tools/build/synergy}
if [ -x "$synergy" ]; then
    "$synergy" --help > "$work/help" 2>&1
    for command in $(sed -n 's/^  \([a-z]*\) .*/\1/p' "$work/help"); do "$synergy" "$command" --help; done >> "$work/help"
    # of other programs
    others="--tensor-type-file --ppl-output-type --ntasks"
    for option in $(sed 's/[=,;:)].*//' "$work/words" | grep -E '^--[a-z][a-z-]*$' | sort -u); do
        case " $others " in *" $option "*) continue ;; esac
        if grep -qE -- "(^|[ ,])$option($|[ =,])" "$work/help"; then good; else bad "a README names the option $option, which no command has"; fi
    done
    if [ "$(grep -c -- '--' "$work/help")" -ge 40 ]; then good; else bad "the help has few options" "$work/help"; fi
else
    skip "$synergy is not there"
fi
if [ "$(wc -c < ../README.md)" -le 10500 ]; then good; else bad "README.md has $(wc -c < ../README.md) bytes: what goes further belongs into the README of a folder"; fi
finish
