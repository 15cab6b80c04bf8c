#!/bin/sh
# Every program in examples/ compiles without a warning and runs. What one needs on its command line, and what it
# must print, stands in a line of its top comment:    Test: ARGUMENTS -> REGULAR EXPRESSION
# MODEL among the arguments stands for a tiny model in tests/data.
. ./check.sh

cc=${CC:-cc}
warn="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion -Werror"
pattern=
if $cc -ftrivial-auto-var-init=pattern -fsyntax-only failing_malloc.c 2> /dev/null; then pattern=-ftrivial-auto-var-init=pattern; fi
model=data/gguf/ok_bpe.gguf

n=0
for source in ../examples/*.c; do
    [ -f "$source" ] || continue
    n=$((n + 1))
    name=$(basename "$source" .c)
    # shellcheck disable=SC2086
    try "examples/$name.c compiles" $cc -std=c99 -O1 -DSYNERGY_SIMD=0 $warn -I.. -pthread "$source" -o "$work/$name" -lm
    # shellcheck disable=SC2086
    have g++ && try "examples/$name.c is C++17 too" g++ -x c++ -std=c++17 $warn -I.. -fsyntax-only "$source"
    line=$(sed -n 's/^.*Test: *//p' "$source" | head -n 1)
    case $line in
        *'->'*) ;;
        *) bad "examples/$name.c has no line 'Test: ARGUMENTS -> REGULAR EXPRESSION'"; continue ;;
    esac
    arguments=$(echo "${line%%->*}" | sed "s|MODEL|$model|")
    expected=$(echo "${line#*->}" | sed 's/^ *//; s/ *\*\/ *$//; s/ *$//')
    case $line in
        *MODEL*) [ -n "$model" ] || { bad "no tiny model in tests/data for examples/$name.c"; continue; } ;;
    esac
    # shellcheck disable=SC2086
    [ -x "$work/$name" ] || continue # the compiler's message is enough
    if "$work/$name" $arguments > "$work/out" 2>&1; then
        good
        if grep -qE -- "$expected" "$work/out"; then good; else bad "examples/$name prints no '$expected':" "$work/out"; fi
    else
        bad "examples/$name $arguments ended with an error:" "$work/out"
    fi
    # each allocation fails once: a line that can be read, whatever stands in memory that nobody has written
    if grep -qE '[mc]alloc\(' "$source"; then
        # shellcheck disable=SC2086
        try "examples/$name.c with allocations that fail" $cc -std=c99 -O0 -DSYNERGY_SIMD=0 $pattern -Dmalloc=test_malloc -Dcalloc=test_calloc -I.. -pthread \
            "$source" failing_malloc.c -o "$work/fails" -lm
        at=0 code=0
        while [ $at -lt 30 ]; do
            at=$((at + 1))
            # shellcheck disable=SC2086
            FAIL_AT=$at "$work/fails" $arguments > "$work/out" 2> "$work/stderr"
            code=$?
            [ $code -ne 77 ] || break
            if [ $code -ge 1 ] && [ $code -lt 126 ] && grep -qE 'memory|arena' "$work/stderr" && ! grep -q '[^ -~]' "$work/stderr"; then good
            else bad "examples/$name, allocation $at fails: exit code $code, or no readable line" "$work/stderr"; fi
        done
        if [ $at -gt 1 ] && [ $code -eq 77 ]; then good; else bad "examples/$name: $at allocations"; fi
    fi
    # an example that takes a model says so when it gets none
    case $line in
        *MODEL*) if "$work/$name" > "$work/out" 2>&1 || [ ! -s "$work/out" ]; then bad "examples/$name without arguments does not complain"; else good; fi ;;
    esac
done
if [ $n -gt 0 ]; then good; else bad "no examples"; fi
finish
