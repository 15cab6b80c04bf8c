#!/bin/sh
# The header as a compiler sees it: every language, every promised combination of macros, what it exports, what it
# needs from outside, how much stack its functions take.
. ./check.sh

header=../synergy.h
warn="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion -Werror"
stack_limit=8192

printf '#define SYNERGY_IMPLEMENTATION\n#include "synergy.h"\n#include "synergy.h"\n' > "$work/all.c"
printf '#include "synergy.h"\n#include "synergy.h"\nint main(void) { return 0; }\n' > "$work/use.c"
cp "$work/all.c" "$work/all.cpp"
cp "$work/use.c" "$work/use.cpp"

# ---- languages and compilers
for cc in gcc clang; do
    have $cc || { skip "no $cc"; continue; }
    for std in c99 c11 c17; do
        # shellcheck disable=SC2086
        try "$cc -std=$std" $cc -std=$std $warn -fsyntax-only -I.. "$work/all.c" "$work/use.c"
    done
done
for cc in g++ clang++; do
    have $cc || { skip "no $cc"; continue; }
    # shellcheck disable=SC2086
    # with optimisation, since without it intrinsics are macros that cast what C++ would not take
    try "$cc -std=c++17" $cc -std=c++17 $warn -O1 -fsyntax-only -I.. "$work/all.cpp" "$work/use.cpp"
done
cc=${CC:-cc}
printf '#include <math.h>\nint main(void) { return (int)sqrt(2.0); }\n' > "$work/m32.c"
for cc32 in gcc clang; do
    if have $cc32 && $cc32 -m32 "$work/m32.c" -o "$work/m32" -lm > /dev/null 2>&1; then
        # shellcheck disable=SC2086
        try "$cc32 -m32" $cc32 -m32 -std=c99 $warn -I.. -fsyntax-only "$work/all.c"
    else
        skip "no $cc32 -m32"
    fi
done

# ---- combinations of macros
for flags in -DSYNERGY_NO_MODEL -DSYNERGY_NO_PHIID "-DSYNERGY_NO_MODEL -DSYNERGY_NO_PHIID" -DSYNERGY_NO_STDIO -DSYNERGY_THREADS \
    "-DSYNERGY_THREADS -DSYNERGY_NO_STDIO" "-DSYNERGY_THREADS -DSYNERGY_NO_MODEL" -DSYNERGY_NO_AVX512 -DSYNERGY_NO_IQ -DSYNERGY_SIMD=0 -DSYNERGY_STATIC \
    "-DSYNERGY_STATIC -DSYNERGY_NO_MODEL" "-DSYNERGY_STATIC -DSYNERGY_NO_PHIID -DSYNERGY_SIMD=0" \
    "-DSYNERGY_NO_STDIO -DSYNERGY_SIMD=0 -DSYNERGY_NO_IQ -DSYNERGY_NO_PHIID" -DSYNERGY_MODEL_FLOAT; do
    # shellcheck disable=SC2086
    try "$flags" $cc -std=c99 $warn $flags -fsyntax-only -I.. "$work/all.c"
    case $flags in *STATIC*) continue ;; esac # static functions are defined where they are declared
    # shellcheck disable=SC2086
    try "$flags, declarations only" $cc -std=c99 $warn $flags -fsyntax-only -I.. "$work/use.c"
done

# ---- what the object exports and needs: nothing from outside but this
libc="memcpy memmove memset memcmp strlen strstr strcmp strncmp"
libm="acos asin atan atan2 cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs floor fma fmax fmin fmod frexp \
hypot ldexp lgamma llrint log log10 log1p log2 lrint lround modf nearbyint pow rint round scalbn sin sinh sqrt tan tanh trunc"
compiler="_GLOBAL_OFFSET_TABLE_ __cpu_model __cpu_features2 __cpu_indicator_init __stack_chk_fail __fpclassify __isnan __isinf __finite \
__signbit __isnanf __isinff __signbitf __finitef __getauxval getauxval sincos sincosf"
stdio="fopen fclose fread fseek fseeko fseeko64 ftell ftello fflush"

# outside OBJECT LIST...: the undefined symbols of an object that are on no list
outside() {
    object=$1
    shift
    nm -u "$object" | awk -v list="$*" -v m="$libm" '
        BEGIN { n = split(list, a, " "); for (i = 1; i <= n; i++) ok[a[i]] = 1
                n = split(m, a, " "); for (i = 1; i <= n; i++) { ok[a[i]] = 1; ok[a[i] "f"] = 1 } }
        { s = $NF; sub(/@.*/, "", s)
          if (!(s in ok) && s !~ /^__aarch64_/) print s }'
}

# symbols NAME FLAGS...: the object's symbols are ours, it writes no global, it calls only what it may
symbols() {
    name=$1
    shift
    lists="$libc $compiler"
    case " $* " in *NO_STDIO*) ;; *) lists="$lists $stdio" ;; esac
    case " $* " in *SYNERGY_THREADS*)
        lists="$lists pthread_create pthread_join pthread_mutex_init pthread_mutex_lock pthread_mutex_unlock \
pthread_mutex_destroy pthread_cond_init pthread_cond_wait pthread_cond_signal pthread_cond_broadcast pthread_cond_destroy \
sched_yield sysconf" ;;
    esac
    object=$work/$name.o
    # shellcheck disable=SC2086
    if ! $cc -std=c99 $optimise -fno-pie -fno-stack-protector "$@" -I.. -c "$work/all.c" -o "$object" > "$work/out" 2>&1; then
        bad "does not compile: $*" "$work/out"
        return
    fi
    good
    # shellcheck disable=SC2086
    outside "$object" $lists > "$work/out"
    if [ -s "$work/out" ]; then bad "calls outside the list ($*):" "$work/out"; else good; fi
    nm "$object" | awk '$(NF-1) ~ /^[BbDdCGgSs]$/ { print $NF }' > "$work/out"
    if [ -s "$work/out" ]; then bad "writable globals ($*):" "$work/out"; else good; fi
    nm -g --defined-only "$object" | awk '$NF !~ /^syn_/ { print $NF }' > "$work/out"
    case " $* " in *SYNERGY_STATIC*) nm -g --defined-only "$object" > "$work/out" ;; esac
    if [ -s "$work/out" ]; then bad "exported names ($*):" "$work/out"; else good; fi
}

# what holds for the whole header holds for its parts; -O2 also brings the calls that a compiler makes of loops
optimise=-O2
case $($cc --version) in *clang*) ;; *) optimise="-O2 -fstack-usage" ;; esac
symbols whole -DSYNERGY_THREADS
optimise=-O0
symbols no_stdio -DSYNERGY_NO_STDIO
symbols smallest -DSYNERGY_NO_MODEL -DSYNERGY_NO_STDIO -DSYNERGY_SIMD=0
symbols static -DSYNERGY_STATIC -DSYNERGY_NO_MODEL

# the lists themselves can fail: an object that prints, allocates and keeps a global is caught
printf '#include <stdlib.h>\n#include <stdio.h>\nint g; int other(void) { g++; puts("x"); return malloc(1) != 0; }\n' > "$work/sin.c"
$cc -fno-pie -O1 -c "$work/sin.c" -o "$work/sin.o"
# shellcheck disable=SC2086
if [ "$(outside "$work/sin.o" $libc $stdio | sort | tr '\n' ' ')" = "malloc puts " ]; then good; else bad "the symbol check sees nothing"; fi

# ---- one file implements, another uses every function that is declared
awk -f declared.awk $header > "$work/declared"
{
    echo '#include "synergy.h"'
    echo 'typedef void (*any_function)(void);'
    echo 'extern any_function table[]; any_function table[] = {'
    sed 's/.*/    (any_function)&,/' "$work/declared"
    echo '    0 };'
    echo 'int main(void) { return table[0] == 0; }'
} > "$work/main.c"
cp "$work/main.c" "$work/main.cpp"
try "links from two files" $cc -std=c99 -DSYNERGY_THREADS -I.. "$work/whole.o" "$work/main.c" -no-pie -pthread -o "$work/two" -lm
if have g++; then
    try "links from C++" g++ -std=c++17 -DSYNERGY_THREADS -I.. "$work/whole.o" "$work/main.cpp" -no-pie -pthread -o "$work/two" -lm
fi

# ---- a name that the header takes from its user
$cc -std=c99 -I.. -dM -E "$work/use.c" | sort > "$work/with"
printf '#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n' > "$work/std.c"
$cc -std=c99 -dM -E "$work/std.c" | sort > "$work/without"
comm -23 "$work/with" "$work/without" | awk '$2 !~ /^(SYN_|SYNERGY_)/' > "$work/out"
if [ -s "$work/out" ]; then bad "macros that are not ours:" "$work/out"; else good; fi

# ---- stack of each function, in bytes
if [ -f "$work/whole.su" ]; then
    awk -F '\t' -v limit=$stack_limit '$2 > limit || $3 ~ /^dynamic$/ { print $1, $2, $3 }' "$work/whole.su" > "$work/out"
    sort -t "$(printf '\t')" -k 2,2nr "$work/whole.su" | awk -F '\t' 'NR == 1 { print "largest stack frame: " $2 " bytes, " $1 }'
    if [ -s "$work/out" ]; then bad "stack of a function above $stack_limit bytes:" "$work/out"; else good; fi
else
    skip "no gcc -fstack-usage"
fi
finish
