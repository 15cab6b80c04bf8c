#!/bin/sh
# `synergy perplexity`: against the likelihoods that PyTorch's logits give, windows against single windows, the second
# half as llama.cpp counts it, threads, and what cannot be scored.
. ./cli.sh
subcommand=perplexity
models=data/models
llama=$models/llama-f16/model.gguf
real=${SYN_MODELS:-../tools/models}
for name in npy_tool nll_tool; do
    ${CC:-cc} -std=c99 -O1 -Wall -Wextra $name.c -o "$work/$name" -lm > "$work/out" 2>&1 ||
        { bad "$name.c does not compile" "$work/out"; finish; }
done
tool=$work/npy_tool

# value KEY: of the last JSON
value() {
    sed -n "s/^ *\"$1\": \(.*[^,]\),*\$/\1/p" "$work/stdout"
}

# near TEXT A B TOLERANCE
near() {
    if awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= t) }'; then good
    else bad "$1: ${2:-nothing} against ${3:-nothing}, allowed $4"; fi
}

# ---- every family against the reference's logits. An error of at most e in each logit changes -log p by at most 2 e.

for folder in "$models"/*; do
    [ -f "$folder/logits.npy" ] || continue
    name=$(basename "$folder")
    "$tool" ids "$work/ids.npy" "$folder/tokens.npy" "$folder/gen_tokens.npy"
    limit=$(sed -n '/"logits": {/,/}/s/.*"tolerance": *\([-0-9.e]*\).*/\1/p' "$folder/index.json")
    expected=$("$work/nll_tool" "$folder/logits.npy" "$work/ids.npy")
    run 0 "$name" "$folder/model.gguf" --tokens "$work/ids.npy" --exact --json
    near "$name: nll" "$(value nll)" "$expected" "$(awk -v e="$limit" 'BEGIN { print 2 * e }')"
    near "$name: perplexity" "$(value perplexity)" "$(awk -v n="$(value nll)" 'BEGIN { printf "%.15g", exp(n) }')" 1e-6
    near "$name: all but the first" "$(value scored)" "$(($(value tokens) - 1))" 0
    run 0 "$name, fast" "$folder/model.gguf" --tokens "$work/ids.npy" --json
    near "$name: nll, fast" "$(value nll)" "$expected" 0.002
done

# ---- windows: a row of ids in windows of 7 is its pieces by themselves

# weigh SIGN ID...: adds SIGN times the sum of -log p of these ids, by themselves, to $sum
weigh() {
    sign=$1
    shift
    "$tool" put "$work/piece.npy" '<i8' $# -- "$@"
    run 0 "the ids $*" $llama --tokens "$work/piece.npy" --exact --json
    sum=$(awk -v s="$sum" -v g="$sign" -v n="$(value nll)" -v k="$(value scored)" 'BEGIN { printf "%.15g", s + g * n * k }')
}

"$tool" put "$work/whole.npy" '<i4' 20 -- 1 20 30 40 50 60 70 80 90 100 110 120 130 140 150 160 170 180 190 200
sum=0
weigh 1 1 20 30 40 50 60 70
weigh 1 80 90 100 110 120 130 140
weigh 1 150 160 170 180 190 200
run 0 "windows of 7" $llama --tokens "$work/whole.npy" --exact --json -c 7
near "windows: scored" "$(value scored)" 17 0
near "windows: how many" "$(value windows)" 3 0
near "windows: nll" "$(value nll)" "$(awk -v s="$sum" 'BEGIN { printf "%.15g", s / 17 }')" 1e-6
# rows are windows, too, and the mean is over all tokens of all rows
"$tool" put "$work/rows.npy" '<i4' 2 7 -- 1 20 30 40 50 60 70 80 90 100 110 120 130 140
run 0 "two rows" $llama --tokens "$work/rows.npy" --exact --json
rows=$(value nll)
"$tool" put "$work/head.npy" '<i4' 14 -- 1 20 30 40 50 60 70 80 90 100 110 120 130 140
run 0 "their tokens in windows of 7" $llama --tokens "$work/head.npy" --exact --json -c 7
near "rows: nll" "$(value nll)" "$rows" 1e-9
# side by side or one after the other, on one thread or two: to the last digit
for further in "--memory 1" "-t 1" "-t 2 --memory 1G"; do
    for windows in "-c 3" "-c 7" "-c 4 --second-half"; do
        run 0 "windows, $windows" $llama --tokens "$work/rows.npy" --json $windows
        cp "$work/stdout" "$work/first"
        run 0 "windows, $windows $further" $llama --tokens "$work/rows.npy" --json $windows $further
        cmp -s "$work/first" "$work/stdout" && good || bad "$windows differs with $further" "$work/stdout"
    done
done
run 2 "no size" $llama --tokens "$work/rows.npy" --memory much
# capture --tokens feeds its rows the same way
"$tool" put "$work/five.npy" '<i4' 5 4 -- 1 20 30 40 50 60 70 80 90 100 110 120 130 140 150 160 170 180 190 200
subcommand=capture
run 0 "one text at a time" $llama --tokens "$work/five.npy" --logits -o "$work/alone" --memory 1 -t 1
run 0 "texts side by side" $llama --tokens "$work/five.npy" --logits -o "$work/beside" -t 2
subcommand=perplexity
for file in norms.npy logits.npy sinks.npy tokens.npy run.json; do
    cmp -s "$work/alone/$file" "$work/beside/$file" && good || bad "texts side by side: $file"
done
# a last window of one token has nothing to score
"$tool" put "$work/head.npy" '<i4' 8 -- 1 20 30 40 50 60 70 80
run 0 "a last window of one token" $llama --tokens "$work/head.npy" --json -c 7
near "one token at the end: windows" "$(value windows)" 1 0
near "one token at the end: scored" "$(value scored)" 6 0
# one scored token has no spread
"$tool" put "$work/head.npy" '<i4' 2 -- 1 20
run 0 "one scored token" $llama --tokens "$work/head.npy" --json
if [ "$(value nll_sd)" = null ] && [ "$(value low)" = null ]; then good; else bad "the spread of one number" "$work/stdout"; fi

# ---- the second half: of windows of 8, the tokens 5, 6 and 7; nothing of the shorter window behind

run 0 "second half" $llama --tokens "$work/whole.npy" --exact --json -c 8 --second-half
near "second half: windows" "$(value windows)" 2 0
near "second half: scored" "$(value scored)" 6 0
half=$(value nll)
sum=0
weigh 1 1 20 30 40 50 60 70 80
weigh -1 1 20 30 40 50
weigh 1 90 100 110 120 130 140 150 160
weigh -1 90 100 110 120 130
near "second half: nll" "$half" "$(awk -v s="$sum" 'BEGIN { printf "%.15g", s / 6 }')" 1e-6
# llama-perplexity -f LICENSE -c 128 --ppl-output-type 1 of llama.cpp on the same weights as F32 (llama-quantize
# --allow-requantize ... F32), keys and values in F32. Its GELU, which Gemma has, is a table in F16.
while read -r model nll error allowed; do
    if [ -f "$real/$model" ]; then
        run 0 "$model" "$real/$model" -f ../LICENSE -c 128 --second-half --json
        near "$model: nll, llama.cpp's" "$(value nll)" "$nll" "$allowed"
        near "$model: its error" "$(value nll_se)" "$error" "$allowed"
    else skip "$model against llama.cpp: it is not there"; fi
done << END
SmolLM2-135M-Instruct.Q4_1.gguf 1.807374 0.148352 0.0002
gemma-3-270m-Q4_K_M.gguf 1.030899 0.107497 0.0005
END

# ---- texts

printf 'the rain in the town, again and again' > "$work/text"
run 0 "a text" $llama -f "$work/text" --json
cp "$work/stdout" "$work/first"
input=$work/text
run 0 "the same from standard input" $llama -f - --json -t 1
try "standard input is the file, one thread is all" cmp "$work/stdout" "$work/first"
for threads in 2 3; do
    run 0 "$threads threads" $llama -f - --json -t $threads
    try "$threads threads" cmp "$work/stdout" "$work/first"
done
# the ids of the text, as tokenize prints them
"$synergy" tokenize $llama --no-special < "$work/text" > "$work/ids"
# shellcheck disable=SC2046
"$tool" put "$work/ids.npy" '<i4' "$(wc -w < "$work/ids")" -- $(cat "$work/ids")
input=
run 0 "its ids" $llama --tokens "$work/ids.npy" --json
try "a text is its ids" cmp "$work/stdout" "$work/first"
# windows of a text begin with the begin token of a model that has one: two windows of 4 are two rows
gemma=$models/gemma3-f16/model.gguf
"$synergy" tokenize $gemma < "$work/text" > "$work/ids"
read -r bos a b c d e f g rest < "$work/ids"
"$tool" put "$work/rows.npy" '<i4' 2 4 -- "$bos" "$a" "$b" "$c" "$bos" "$e" "$f" "$g"
run 0 "rows with the begin token" $gemma --tokens "$work/rows.npy" --json
rows=$(value nll)
"$synergy" detokenize $gemma > "$work/short" << END
$a $b $c $d $e $f $g
END
if [ "$("$synergy" tokenize $gemma < "$work/short")" = "$bos $a $b $c $d $e $f $g" ]; then
    run 0 "windows with the begin token" $gemma -f "$work/short" -c 4 --json
    near "the begin token of each window" "$(value nll)" "$rows" 1e-12
else bad "the ids of the short text are not those it was made of${rest:+ }"; fi
run 0 "without the begin token" $gemma -f "$work/short" --no-bos --json
near "without the begin token: tokens" "$(value tokens)" 7 0
i=0
while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done > "$work/bytes"
run 0 "any bytes" $llama -f "$work/bytes" --json
printf '<s>' > "$work/special"
run 0 "a special token is text" $gemma -f "$work/special" --json
near "a special token is text: tokens" "$(value tokens)" "$("$synergy" tokenize $gemma --no-special < "$work/special" | wc -w)" 0
run 0 "a special token with --special" $gemma -f "$work/special" --special --json
near "--special: tokens" "$(value tokens)" 2 0
run 0 "the line" $llama -f "$work/text"
if grep -qE '^perplexity [0-9.]+ \+- [0-9.]+ \(nll [0-9.]+, [0-9]+ tokens, 1 window\)$' "$work/stdout"; then good; else bad "the line" "$work/stdout"; fi

# ---- what cannot be scored

run 0 help --help
run 2 "no input" $llama
run 2 "two inputs" $llama -f a --tokens b
run 2 "no model" -f a
run 2 "-c 1" $llama -f "$work/text" -c 1
run 2 "--second-half of windows of 2" $llama -f "$work/text" -c 2 --second-half
run 2 "--tokens with --no-bos" $llama --tokens "$work/ids.npy" --no-bos
run 1 "no file" $llama -f "$work/absent"
says "$work/absent"
run 1 "a folder" $llama -f "$work"
run 1 "no model file" "$work/absent.gguf" -f "$work/text"
: > "$work/empty"
run 1 "an empty text" $llama -f "$work/empty"
says "nothing to score"
run 1 "an empty text and a begin token" $gemma -f "$work/empty"
says "nothing to score"
run 1 "less than a window" $llama -f "$work/text" --second-half
says "no whole window of 512"
# a model with 128 positions: its own windows by default, a longer one is refused
gpt2=$models/gpt2-iq4_nl/model.gguf
awk 'BEGIN { for (i = 0; i < 100; i++) printf "word " }' > "$work/long"
run 0 "a text beyond the model's context" $gpt2 -f "$work/long" --json
near "the model's context is the window" "$(value window)" 128 0
if grep -q '^synergy perplexity: note: .*128' "$work/stderr"; then good; else bad "no note about windows" "$work/stderr"; fi
run 1 "a window beyond the positions" $gpt2 -f "$work/long" -c 200
says "positions for 128"
# bad_ids TEXT WORDS ARGUMENTS OF put...
bad_ids() {
    text=$1 words=$2
    shift 2
    "$tool" put "$work/bad.npy" "$@"
    run 1 "--tokens: $text" $llama --tokens "$work/bad.npy"
    says "$work/bad.npy"
    says "$words"
}
bad_ids "floats" "expected integers" '<f4' 3 -- 1 2 3
bad_ids "three dimensions" "(1, 1, 3)" '<i4' 1 1 3 -- 1 2 3
bad_ids "none" "(0,)" '<i4' 0 --
bad_ids "one" "nothing to score" '<i4' 1 -- 5
bad_ids "rows of one" "nothing to score" '<i4' 2 1 -- 5 6
bad_ids "below 0" "id -2 at index 1 is not in the vocabulary: 0 to 299" '<i4' 3 -- 1 -2 3
bad_ids "outside the vocabulary" "id 300 at index 2" '<i8' 3 -- 1 2 300
if [ -c /dev/full ]; then
    "$synergy" perplexity $llama -f "$work/text" > /dev/full 2> "$work/stderr"
    if [ $? -eq 1 ] && [ "$(grep -vc ': note: ' "$work/stderr")" -eq 1 ]; then good; else bad "a full device" "$work/stderr"; fi
fi
finish
