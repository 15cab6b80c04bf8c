#!/bin/sh
# The header as a person reads it: the index of marks, the errors of functions, the quick start, widths and lengths.
#
# In the top comment (up to its end mark): lines that begin with `>>name` are the index of the sections; the chapter
# QUICK START holds a program, from its first `#` line to the last line that is a lone `}`. A chapter begins with a line in
# capitals.
. ./check.sh

header=../synergy.h
cc=${CC:-cc}
awk '{ print } /\*\// { exit }' $header > "$work/top"
awk 'top && /#if defined\(SYNERGY_IMPLEMENTATION\)/ { exit } top { print } /\*\// { top = 1 }' $header > "$work/declarations"
awk '/^#if defined\(SYNERGY_IMPLEMENTATION\)/ { on = 1 } on' $header > "$work/implementation"

marks() {
    sed -n 's/^[ *]*>>\([a-z0-9_]*\).*/\1/p' "$1"
}

# chapter NAME: the lines after that heading, up to the next one
chapter() {
    awk -v name="$1" '
        /^ *([0-9]+\. *)?[A-Z][A-Z0-9 ,()-]+$/ { on = index($0, name) > 0; next }
        on' "$work/top"
}

# same NAME FILE FILE
same() {
    if diff "$2" "$3" > "$work/diff"; then good; else bad "$1:" "$work/diff"; fi
}

# ---- index of sections
marks "$work/top" > "$work/index"
grep -v '>>[a-z]* *private: ' "$work/top" > "$work/public"
marks "$work/public" > "$work/index1"
marks "$work/declarations" > "$work/marks1"
marks "$work/implementation" > "$work/marks2"
if [ -s "$work/index" ]; then good; else bad "no index of marks in the top comment"; fi
same "index (<) and marks of the declarations (>) differ" "$work/index1" "$work/marks1"
same "index (<) and marks of the implementation (>) differ" "$work/index" "$work/marks2"

# ---- errors: what a declaration says is what its code can return
awk -f errors.awk $header > "$work/errors"
if sed -n '$p' "$work/errors" | grep -qE '^[3-9][0-9] functions$'; then good; else bad "functions that can fail:" "$work/errors"; fi
sed '$d' "$work/errors" > "$work/out"
if [ -s "$work/out" ]; then bad "errors by the code | errors by the comment (Errors: A, B. or Errors: as syn_...) differ:" "$work/out"; else good; fi
# an error that somebody adds to the code, or takes from a comment, is seen
sed 's/^SYN_API syn_status syn_cov_merge(.*err)$/&\
{ return SYN_ERROR_READ; }/; s/Errors: READ, FORMAT (it occurs twice)/Errors: READ/' $header > "$work/other.h"
awk -f errors.awk "$work/other.h" | sort > "$work/out"
if grep -q '^syn_cov_merge: ARGUMENT READ | ARGUMENT$' "$work/out" && grep -q '^syn_gguf_find: READ FORMAT | READ$' "$work/out"; then good
else bad "planted errors are not seen:" "$work/out"; fi

# ---- one version, files that are there
number=$(sed -n 's/^#define SYNERGY_VERSION \([0-9]*\) .*/\1/p' $header)
version=$((number / 10000)).$((number / 100 % 100)).$((number % 100))
if head -n 1 $header | grep -qF " v$version "; then good; else bad "the first line does not say v$version, as SYNERGY_VERSION does"; fi
if sed -n '/^   HISTORY/,/\*\//p' $header | sed -n 2p | grep -q "^   $version  "; then good; else bad "HISTORY does not begin with $version"; fi
for file in $(grep -oE '\b(tests|tools|bench|examples)/[A-Za-z0-9_/.-]+\.[a-z]+' $header | sort -u); do
    if [ -e "../$file" ]; then good; else bad "the header names $file, which is not there"; fi
done

# ---- quick start
chapter 'QUICK START' > "$work/chapter"
awk '{ line[NR] = $0 } !from && /^ *#/ { from = NR } /^ *}$/ { to = NR }
     END { for (i = from; from && i <= to; i++) print line[i] }' "$work/chapter" > "$work/quick.c"
if [ -s "$work/quick.c" ]; then
    good
    try "the quick start compiles" $cc -std=c99 -Wall -Wextra -Wpedantic -Werror -I.. "$work/quick.c" -o "$work/quick" -lm
    if [ -x "$work/quick" ]; then
        if "$work/quick" > "$work/out" 2>&1; then good; else bad "the quick start runs" "$work/out"; fi
        if [ -s "$work/out" ]; then good; else bad "the quick start prints something"; fi
    fi
else
    bad "no quick start in the top comment (chapter QUICK START)"
fi

# ---- the embedder's lines: one function, in C and in C++
chapter 'A MODEL' > "$work/chapter"
awk '{ line[NR] = $0 } !from && /^ *#/ { from = NR } /^ *}$/ { to = NR }
     END { for (i = from; from && i <= to; i++) print line[i] }' "$work/chapter" > "$work/model.c"
if grep -q 'syn_open_block' "$work/model.c"; then good; else bad "no model in the top comment (chapter A MODEL)" "$work/model.c"; fi
try "the model's lines compile" $cc -std=c99 -Wall -Wextra -Werror -DSYNERGY_SIMD=0 -I.. -c "$work/model.c" -o "$work/model.o"
if have g++; then
    try "the model's lines are C++, too" g++ -x c++ -std=c++17 -Wall -Wextra -Werror -Wno-missing-field-initializers -I.. -fsyntax-only "$work/model.c"
else
    skip "no g++"
fi

# ---- form
awk 'length($0) > 100' $header > "$work/long"
if [ $(($(wc -l < "$work/long") * 100)) -lt "$(wc -l < $header)" ]; then good; else bad "1 % or more of the lines are longer than 100:" "$work/long"; fi
grep -nE 'TODO|FIXME|XXX|not implemented|unimplemented|placeholder' $header > "$work/out"
if [ -s "$work/out" ]; then bad "left open:" "$work/out"; else good; fi
grep -n '[^ -~]' $header > "$work/out"
if [ -s "$work/out" ]; then bad "tabs or characters beyond ASCII:" "$work/out"; else good; fi
grep -n ' $' $header > "$work/out"
if [ -s "$work/out" ]; then bad "spaces at ends of lines:" "$work/out"; else good; fi
if head -n 1 $header | grep -q '^/\* synergy\.h - v[0-9][0-9.]* - .*MIT'; then good; else bad "the first line is name, version, licence, purpose"; fi

# functions: from the line at the margin that has the name to the `}` at the margin
awk '/^[A-Za-z].*[(]/ && !/;$/ && !/= *[{]/ && !/^(typedef|extern)/ { if (!from) from = NR }
     /;$/ && /^[ A-Za-z].*[)]/ && !body { from = 0 }
     /[{]$/ { if (from) body = 1 }
     /^}/ { if (from) print NR - from + 1; from = body = 0 }' "$work/implementation" | sort -n > "$work/lengths"
awk '{ a[NR] = $1 }
     END { printf "functions: %d, lines: median %d, 90 %% under %d, longest %d\n", NR, a[int((NR + 1) / 2)],
           a[int(NR * 0.9 + 0.5)], a[NR]; exit !(NR > 20 && a[NR] <= 100) }' "$work/lengths" > "$work/out"
code=$?
cat "$work/out"
if [ $code -eq 0 ]; then good; else bad "a function is longer than 100 lines"; fi

finish
