#!/bin/sh
# `synergy info` on malformed files: exit 0 or 1 as data/gguf/cases.tsv says, within 10 s, and a refusal is one line that
# names the file; on what is no model at all; on a good file cut at many places.
. ./check.sh

synergy=${SYNERGY:-../tools/build/synergy}
out=${OUT:-build}
[ -x "$synergy" ] || { bad "$synergy is not there"; finish; }

# the test program writes the files, since it can put them together
if [ ! -x "$out/test_bad_gguf" ]; then
    mkdir -p "$work/bin"
    ${CC:-cc} -std=c99 -O1 -I.. test_bad_gguf.c -o "$work/bin/test_bad_gguf" -lm > "$work/out" 2>&1 ||
        { bad "test_bad_gguf.c does not compile" "$work/out"; finish; }
    writer=$work/bin/test_bad_gguf
else
    writer=$out/test_bad_gguf
fi
mkdir "$work/gguf"
SYN_WRITE_GGUF=$work/gguf "$writer" files_from_memory > "$work/out" 2>&1
if [ "$(find "$work/gguf" -name '*.gguf' | wc -l)" -eq 338 ]; then good; else bad "the files were not written" "$work/out"; finish; fi

limited() {
    if have timeout; then timeout 10 "$@"; else "$@"; fi
}

# refuses NAME FILE: exit code 1, nothing on standard output, one printable line on standard error
refuses() {
    limited "$synergy" info "$2" > "$work/stdout" 2> "$work/stderr" < /dev/null
    code=$?
    if [ $code -ne 1 ]; then
        bad "$1: exit code $code, expected 1" "$work/stderr"
    elif [ "$(wc -l < "$work/stderr")" -ne 1 ] || grep -q '[^ -~]' "$work/stderr"; then
        bad "$1: the refusal is not one printable line:" "$work/stderr"
    elif [ -s "$work/stdout" ]; then
        bad "$1: refused, but something on standard output" "$work/stdout"
    else
        good
    fi
}

tab=$(printf '\t')
while IFS=$tab read -r name expect _; do
    file=$work/gguf/$name.gguf
    case $expect in
        error) refuses "$name" "$file" ;;
        ok | any)
            limited "$synergy" info "$file" > "$work/stdout" 2> "$work/stderr" < /dev/null
            code=$?
            if [ $code -eq 0 ] || { [ "$expect" = any ] && [ $code -eq 1 ]; }; then good; else bad "$name: exit code $code" "$work/stderr"; fi ;;
    esac
done < data/gguf/cases.tsv

# no model at all
printf 'plain text\n' > "$work/text"
mkdir "$work/folder"
refuses "a text file" "$work/text"
refuses "a folder" "$work/folder"
refuses "a file that is not there" "$work/nothing"
limited "$synergy" info "$work/gguf/arch_unknown.gguf" > "$work/stdout" 2> "$work/stderr"
if grep -q nosuchnet "$work/stderr" && grep -q gemma3 "$work/stderr"; then good; else bad "an unknown architecture is not named, or those known are not:" "$work/stderr"; fi

# cut at many places
for n in 0 1 3 4 7 8 15 16 23 24 31 40 64 100 500 1000 2000 3000 5000 6900 7000 7200 7500 7616 9000 12000 20000 24000 24319; do
    head -c $n "$work/gguf/ok_v3_q8_0.gguf" > "$work/cut"
    refuses "cut to $n bytes" "$work/cut"
done
finish
