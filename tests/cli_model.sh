#!/bin/sh
# `synergy info | tokenize | detokenize | run | capture | analyze` on tiny models: exit codes, one line for what is wrong,
# numbers against references, the same bytes for any number of threads, in shards, and after a kill at any moment.
. ./cli.sh
notes=yes
tiny=data/gguf/ok_v3_f32.gguf
bpe=data/gguf/ok_bpe.gguf
moe=data/gguf/ok_moe.gguf
deep=data/models/gemma3-f16/model.gguf
tab=$(printf '\t')
# a launcher around this test is not what is tested
unset OMPI_COMM_WORLD_RANK PMI_RANK SLURM_ARRAY_TASK_ID SLURM_PROCID PBS_ARRAY_INDEX SGE_TASK_ID

tool=$work/npy_tool
${CC:-cc} -std=c99 -O1 -Wall -Wextra npy_tool.c -o "$tool" -lm > "$work/out" 2>&1 || { bad "npy_tool.c does not compile" "$work/out"; finish; }

prints() {
    if grep -qE -- "$1" "$work/stdout"; then good; else bad "$what: prints no '$1'" "$work/stdout"; fi
}

# same TEXT A B NAME...: these files of two folders are the same, byte for byte
same() {
    text=$1 a=$2 b=$3
    shift 3
    for name in "$@"; do try "$text: $name" cmp "$a/$name" "$b/$name"; done
}

# ---- help, version, usage

for command in info tokenize detokenize run capture analyze; do
    for option in --help --version; do
        run 0 "$command $option" $command $option
        if [ -s "$work/stdout" ] && [ ! -s "$work/stderr" ]; then good; else bad "$command $option: not on standard output" "$work/stderr"; fi
    done
    run 2 "$command without a model" $command
    run 2 "$command with two models" $command $tiny $tiny
    run 2 "$command --no-such-option" $command $tiny --no-such-option
done
run 2 "no command"
run 2 "an unknown command" dance
run 2 "run without a prompt" run $tiny
run 2 "run with two prompts" run $tiny -p a -f b
run 2 "run as chat and raw" run $tiny -p a --chat --raw
run 2 "run -n of words" run $tiny -p a -n few
run 2 "run -n below 0" run $tiny -p a -n -1
run 2 "run --top-p above 1" run $tiny -p a --top-p 1.5
run 2 "run --temp nan" run $tiny -p a --temp nan
run 2 "capture without -o" capture $tiny --prompts builtin --beyond-context
run 2 "capture of nothing" capture $tiny -o "$work/none"
run 2 "capture of two things" capture $tiny --prompts builtin --beyond-context --tokens a.npy -o "$work/none"
run 2 "capture --logits of prompts" capture $tiny --prompts builtin --beyond-context --logits -o "$work/none"
run 2 "capture -n 0" capture $tiny --prompts builtin --beyond-context -n 0 -o "$work/none"
run 2 "capture --eos maybe" capture $tiny --prompts builtin --beyond-context --eos maybe -o "$work/none"
for shard in 2/2 -1/2 1 1/0 a/b 1/2x /; do
    run 2 "capture --shard $shard" capture $tiny --prompts builtin --beyond-context --shard $shard -o "$work/none"
done
run 2 "analyze without -o" analyze $tiny
if [ -e "$work/none" ]; then bad "a usage error made a folder"; else good; fi

# ---- files that are no models, for every command

printf 'plain text\n' > "$work/text.gguf"
: > "$work/empty.gguf"
head -c 9000 $tiny > "$work/cut.gguf"
for command in info tokenize detokenize run capture analyze; do
    case $command in
        run) more="-p a" ;;
        capture) more="--prompts builtin -n 2 -o $work/none" ;;
        analyze) more="-o $work/none" ;;
        *) more= ;;
    esac
    for model in "$work/text.gguf" "$work/empty.gguf" "$work/cut.gguf" "$work" "$work/absent.gguf" /dev/null; do
        # shellcheck disable=SC2086
        run 1 "$command on $(basename "$model")" $command "$model" $more
        says "$model"
    done
done
if [ -e "$work/none" ]; then bad "a refused model made a folder"; else good; fi
mkdir "$work/split"
cp $tiny "$work/split/m-00001-of-00002.gguf"
run 1 "half of a split model" info "$work/split/m-00001-of-00002.gguf"
says 00002-of-00002

# ---- info

for model in data/gguf/ok_*.gguf data/models/*/model.gguf; do
    run 0 "info $model" info "$model"
    prints '^architecture +[a-z]'
    prints '^memory +[0-9]+ bytes'
done
run 0 "info --json" info $tiny --json
for words in '"architecture": "llama"' '"layers": 1,' '"heads": 2,' '"kv_heads": 1,' '"F32": 11' '"tokens": 288,' '"context_tokens": 512,'; do
    prints "$words"
done
small=$("$synergy" info $tiny --json -c 16 | sed -n 's/.*"context_bytes": \([0-9]*\).*/\1/p')
large=$("$synergy" info $tiny --json -c 4096 | sed -n 's/.*"context_bytes": \([0-9]*\).*/\1/p')
# keys and values: 2 x 4 bytes x 1 head x 16 x the tokens between
if [ "${large:-0}" -ge $((${small:-0} + 4080 * 128)) ]; then good; else bad "info -c: $small and $large bytes"; fi
if [ -c /dev/full ]; then
    "$synergy" info $tiny > /dev/full 2> "$work/stderr"
    if [ $? -eq 1 ] && [ "$(wc -l < "$work/stderr")" -eq 1 ]; then good; else bad "info on a full device" "$work/stderr"; fi
fi

# ---- tokenize and detokenize

printf 'the rain in' > "$work/words"
input=$work/words
for model in $tiny $bpe $deep; do
    run 0 "tokenize $model" tokenize $model
    prints '^[0-9]+( [0-9]+)*$'
    run 0 "tokenize --no-bos" tokenize $model --no-bos
    cp "$work/stdout" "$work/ids"
    input=$work/ids
    run 0 "detokenize $model" detokenize $model
    try "$model: text, ids, text" cmp "$work/stdout" "$work/words"
    input=$work/words
done
# any bytes; byte-level BPE turns those that are no UTF-8 into U+FFFD, as its peers do, and has three ids for each
i=0
while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done > "$work/bytes"
input=$work/bytes
run 0 "tokenize 256 bytes, $bpe" tokenize $bpe --no-bos --no-special
if [ "$(wc -w < "$work/stdout")" -eq 512 ]; then good; else bad "128 bytes and 128 times U+FFFD are not 512 ids" "$work/stdout"; fi
for model in $deep; do
    input=$work/bytes
    run 0 "tokenize 256 bytes, $model" tokenize $model --no-bos --no-special
    cp "$work/stdout" "$work/ids"
    input=$work/ids
    run 0 "detokenize 256 bytes, $model" detokenize $model
    try "$model: bytes, ids, bytes" cmp "$work/stdout" "$work/bytes"
done
printf '<s>' > "$work/words"
input=$work/words
run 0 "a special token" tokenize $deep --no-bos
prints '^1$'
run 0 "a special token as text" tokenize $deep --no-bos --no-special
prints '^[0-9]+( [0-9]+)+$'
: > "$work/words"
run 0 "an empty text" tokenize $deep --no-bos
if [ "$(od -An -c "$work/stdout" | tr -d ' ')" = '\n' ]; then good; else bad "an empty text is no empty line" "$work/stdout"; fi
run 0 "no ids" detokenize $deep
if [ -s "$work/stdout" ]; then bad "no ids, but text"; else good; fi
for ids in '1 2 x' '5,,6 7.5' '-1' '304' '99999999999999999999' '1 0x5'; do
    echo "$ids" > "$work/words"
    run 1 "detokenize '$ids'" detokenize $deep
    says "standard input"
done
input=
run 1 "an unknown --pre" tokenize $bpe --pre no-such
says no-such
says "others; --pre NAME goes on with one of them"

# ---- run

run 0 "run" run $tiny -p "the rain" -n 7
if tail -n 1 "$work/stderr" | grep -qE '^[0-9]+(\.[0-9]+)? tokens/s$'; then good; else bad "run: no speed at the end" "$work/stderr"; fi
cp "$work/stdout" "$work/first"
run 0 "run again, another number of threads" run $tiny -p "the rain" -n 7 -t 1
try "run is the same for any number of threads" cmp "$work/stdout" "$work/first"
printf 'the rain' > "$work/words"
run 0 "run -f" run $tiny -f "$work/words" -n 7 -t 2
try "run -f is run -p" cmp "$work/stdout" "$work/first"
for options in "--temp 1 --seed 3" "--temp 1 --top-k 5" "--temp 0.8 --top-p 0.9 --min-p 0.05" --exact --raw --chat --ignore-eos "-c 64" "-n 0"; do
    # shellcheck disable=SC2086
    run 0 "run $options" run $tiny -p "the rain" -n 7 $options
    if tail -n 1 "$work/stderr" | grep -qE '^[0-9]+(\.[0-9]+)? tokens/s$'; then good; else bad "run $options: no speed at the end" "$work/stderr"; fi
done
run 0 "run, drawn" run $tiny -p "the rain" -n 30 --temp 2 --seed 5
cp "$work/stdout" "$work/first"
run 0 "run, drawn again" run $tiny -p "the rain" -n 30 --temp 2 --seed 5
try "run: the same seed, the same text" cmp "$work/stdout" "$work/first"
run 0 "run with experts" run $moe -p "the rain" -n 7
run 0 "run with byte-level BPE" run $bpe -p "the rain" -n 7
run 0 "run of an empty prompt that has a begin token" run $deep -p "" -n 3
run 1 "run with too little context" run $tiny -p "the rain" -n 7 -c 8
says -c
run 1 "run -f of no file" run $tiny -f "$work/absent" -n 7
says absent
run 1 "run -f of a folder" run $tiny -f "$work" -n 7
if [ -c /dev/full ]; then
    "$synergy" run $tiny -p a -n 3 > /dev/full 2> "$work/stderr"
    if [ $? -eq 1 ]; then good; else bad "run on a full device" "$work/stderr"; fi
fi

# ---- capture --tokens against the references

for folder in data/models/*; do
    [ -f "$folder/logits.npy" ] || continue
    name=$(basename "$folder")
    "$tool" ids "$work/ids.npy" "$folder/tokens.npy" "$folder/gen_tokens.npy" || bad "$name: no ids"
    run 0 "capture --tokens, $name" capture "$folder/model.gguf" --tokens "$work/ids.npy" --exact --logits -o "$work/forced/$name"
    for pair in logits:logits head_norms:norms; do
        limit=$(sed -n "/\"${pair%:*}\": {/,/}/s/.*\"tolerance\": *\([-0-9.e]*\).*/\1/p" "$folder/index.json")
        try "$name: ${pair#*:} within ${limit:-?}" "$tool" near "$folder/${pair%:*}.npy" "$work/forced/$name/${pair#*:}.npy" "${limit:-none}"
    done
    try "$name: tokens.npy holds the ids" "$tool" near "$work/ids.npy" "$work/forced/$name/tokens.npy" 0
done
out=$work/forced/llama-f16
expected="(1, 48, 3, 6)"
if [ "$("$tool" shape "$out/norms.npy")" = "$expected" ]; then good; else bad "the shape of norms.npy is not $expected"; fi
if [ "$("$tool" shape "$out/logits.npy")" = "(1, 48, 300)" ]; then good; else bad "the shape of logits.npy"; fi
# two rows of ids, of another integer type: each starts anew
"$tool" put "$work/two.npy" '<i8' 2 4 -- 1 20 30 40 1 20 30 40
run 0 "capture --tokens [2, 4]" capture data/models/llama-f16/model.gguf --tokens "$work/two.npy" -o "$work/two" -t 2
if [ "$("$tool" shape "$work/two/norms.npy")" = "(2, 4, 3, 6)" ]; then good; else bad "two rows: the shape of norms.npy"; fi
if [ -e "$work/two/logits.npy" ]; then bad "logits.npy unasked"; else good; fi
"$tool" put "$work/one.npy" '<u2' 1 4 -- 1 20 30 40
run 0 "capture --tokens [1, 4]" capture data/models/llama-f16/model.gguf --tokens "$work/one.npy" -o "$work/one" -t 1
for i in 0 1; do try "row $i is as if alone" "$tool" rows "$work/two/norms.npy" "$work/one/norms.npy" $i 2; done
run 0 "the same ids again" capture data/models/llama-f16/model.gguf --tokens "$work/one.npy" -o "$work/one"
run 1 "other ids into the same folder" capture data/models/llama-f16/model.gguf --tokens "$work/two.npy" -o "$work/one"
says --force
run 1 "exact into the same folder" capture data/models/llama-f16/model.gguf --tokens "$work/one.npy" -o "$work/one" --exact
run 1 "prompts into the same folder" capture data/models/llama-f16/model.gguf --prompts builtin -n 2 -o "$work/one"
run 0 "other ids with --force" capture data/models/llama-f16/model.gguf --tokens "$work/two.npy" -o "$work/one" --force
same "--force" "$work/one" "$work/two" norms.npy tokens.npy run.json
run 0 "--force without --logits" capture data/models/llama-f16/model.gguf --tokens "$work/two.npy" -o "$out" --force
if [ -e "$out/logits.npy" ]; then bad "logits.npy of an earlier run is left beside norms of another"; else good; fi

# ids.npy that cannot be used
printf 'not an array' > "$work/bad.npy"
run 1 "--tokens of a text" capture $tiny --tokens "$work/bad.npy" -o "$work/none"
: > "$work/bad.npy"
run 1 "--tokens of an empty file" capture $tiny --tokens "$work/bad.npy" -o "$work/none"
run 1 "--tokens of a folder" capture $tiny --tokens "$work" -o "$work/none"
run 1 "--tokens of no file" capture $tiny --tokens "$work/absent.npy" -o "$work/none"
says absent.npy
for n in 6 9 64 127 128 140; do
    head -c $n "$work/one.npy" > "$work/bad.npy"
    [ "$(wc -c < "$work/bad.npy")" -lt "$(wc -c < "$work/one.npy")" ] || continue
    run 1 "--tokens cut to $n bytes" capture $tiny --tokens "$work/bad.npy" -o "$work/none"
done
# bad_ids TEXT ARGUMENTS OF put...
bad_ids() {
    text=$1
    shift
    "$tool" put "$work/bad.npy" "$@"
    run 1 "--tokens: $text" capture $tiny --tokens "$work/bad.npy" -o "$work/none"
    says bad.npy
}
bad_ids "floats" '<f4' 3 -- 1 2 3
bad_ids "three dimensions" '<i4' 1 1 3 -- 1 2 3
bad_ids "no ids" '<i4' 0 --
bad_ids "rows of nothing" '<i4' 3 0 --
bad_ids "below 0" '<i4' 3 -- 1 -2 3
bad_ids "outside the vocabulary" '<i4' 3 -- 1 288 3
bad_ids "far outside" '<i8' 2 -- 1 1e15
bad_ids "more claimed than there" '<i4' 30 -- 1 2 3
bad_ids "very many claimed" '<i4' 4000000000 4000000000 -- 1 2 3
if [ -e "$work/none" ]; then bad "refused ids made a folder"; else good; fi

# ---- prompts

{
    printf 'first\tthe rain in\r\n\n'
    printf 'in the\nother\ta b c d e\n'
} > "$work/prompts"
run 0 "capture" capture $tiny --prompts "$work/prompts" -n 6 -o "$work/a" -t 1
if [ "$("$tool" shape "$work/a/norms.npy")$("$tool" shape "$work/a/tokens.npy")" = "(3, 6, 1, 2)(3, 6)" ]; then good; else bad "the shapes of a capture"; fi
for words in '"category": "first"' '"text": "the rain in"' '"category": ""' '"text": "a b c d e"' '"sha256": "[0-9a-f]{64}"' '"version": "'; do
    if grep -qE "$words" "$work/a/run.json"; then good; else bad "run.json has no $words" "$work/a/run.json"; fi
done
if [ -e "$work/a/lengths.npy" ] || [ -e "$work/a/capture.part" ]; then bad "files too many after a capture"; else good; fi
if [ -s "$work/a/timing.json" ] && ! grep -qiE 'second|time|thread' "$work/a/run.json"; then good; else bad "times are not in timing.json alone" "$work/a/run.json"; fi
run 0 "capture with two threads" capture $tiny --prompts "$work/prompts" -n 6 -o "$work/b" -t 2
same "one and two threads" "$work/a" "$work/b" norms.npy tokens.npy run.json
run 0 "a deeper one" capture $deep --prompts "$work/prompts" -n 40 -o "$work/d1" -t 1
run 0 "a deeper one with two threads" capture $deep --prompts "$work/prompts" -n 40 -o "$work/d2" -t 2
same "one and two threads, 7 layers" "$work/d1" "$work/d2" norms.npy tokens.npy run.json
run 0 "capture with experts" capture $moe --prompts "$work/prompts" -n 6 --units experts -o "$work/e"
if [ "$("$tool" shape "$work/e/norms.npy")" = "(3, 6, 1, 4)" ]; then good; else bad "the shape of expert norms"; fi
run 1 "experts where there are none" capture $tiny --prompts "$work/prompts" -n 6 --units experts -o "$work/none"
says "no experts"
run 1 "too little context" capture $tiny --prompts "$work/prompts" -n 6 -c 8 -o "$work/none"
says -c
run 1 "no prompt file" capture $tiny --prompts "$work/absent" -o "$work/none"
says absent
run 1 "a folder of prompts" capture $tiny --prompts "$work" -o "$work/none"
: > "$work/bad"
run 1 "an empty prompt file" capture $tiny --prompts "$work/bad" -o "$work/none"
says "no prompts"
printf '\n\n\r\n\n' > "$work/bad"
run 1 "a prompt file of empty lines" capture $tiny --prompts "$work/bad" -o "$work/none"
printf 'a\0b\n' > "$work/bad"
run 1 "a prompt file with a NUL" capture $tiny --prompts "$work/bad" -o "$work/none"
if [ -e "$work/none" ]; then bad "refused prompts made a folder"; else good; fi

# ---- folders

run 0 "the same again" capture $tiny --prompts "$work/prompts" -n 6 -o "$work/a"
cp -r "$work/a" "$work/before"
echo mine > "$work/a/notes.txt"
run 1 "another length into the same folder" capture $tiny --prompts "$work/prompts" -n 7 -o "$work/a"
says --force
run 1 "another model into the same folder" capture $bpe --prompts "$work/prompts" -n 6 -o "$work/a"
run 1 "another seed into the same folder" capture $tiny --prompts "$work/prompts" -n 6 --seed 2 -o "$work/a" --resume
run 1 "given ids into the same folder" capture $tiny --tokens "$work/one.npy" -o "$work/a"
says --force
same "a refusal changes nothing" "$work/before" "$work/a" norms.npy tokens.npy run.json
run 0 "another length with --force" capture $tiny --prompts "$work/prompts" -n 7 -o "$work/a" --force
if [ "$("$tool" shape "$work/a/norms.npy")" = "(3, 7, 1, 2)" ] && [ -s "$work/a/notes.txt" ]; then good; else bad "--force: not replaced, or more than our own"; fi
run 1 "a file where the folder should be" capture $tiny --prompts "$work/prompts" -n 6 -o "$work/text.gguf"
run 1 "a folder below a file" capture $tiny --prompts "$work/prompts" -n 6 -o "$work/text.gguf/x"
run 0 "folders are made" capture $tiny --prompts "$work/prompts" -n 6 -o "$work/x/y/z"
mkdir "$work/locked"
chmod 555 "$work/locked"
if touch "$work/locked/x" 2> "$work/out"; then
    rm "$work/locked/x"
    mkdir "$work/locked/capture.part" # root writes everywhere, but not here
fi
run 1 "a folder that cannot be written" capture $tiny --prompts "$work/prompts" -n 6 -o "$work/locked"
says locked
chmod 755 "$work/locked"

# ---- a full disk: the limit on a file's size stands for it

# limited BLOCKS ARGUMENTS...: no file may grow beyond BLOCKS x 512 bytes
limited() {
    blocks=$1
    shift
    (
        trap '' XFSZ
        ulimit -f "$blocks" && exec "$synergy" "$@"
    ) > "$work/stdout" 2> "$work/stderr" < /dev/null
    got=$?
    if [ $got -eq 1 ] && [ "$(complaint | wc -l)" -eq 1 ]; then good; else bad "a full disk ($blocks blocks): exit code $got" "$work/stderr"; fi
}
cp -r "$work/before" "$work/full"
for blocks in 1 2 8; do
    limited $blocks capture $tiny --prompts builtin --beyond-context -n 100 -o "$work/full" --force
    same "a full disk leaves what was there" "$work/before" "$work/full" norms.npy tokens.npy run.json
    if [ -n "$(find "$work/full" -name '*.npy.part' -o -name '*.json.part')" ]; then bad "a full disk leaves half files"; else good; fi
done
run 0 "when there is room again" capture $tiny --prompts builtin --beyond-context -n 100 -o "$work/full" --force --resume
run 0 "undisturbed" capture $tiny --prompts builtin --beyond-context -n 100 -o "$work/whole"
same "after a full disk" "$work/full" "$work/whole" norms.npy tokens.npy run.json
limited 1 capture data/models/llama-f16/model.gguf --tokens "$work/ids.npy" --logits -o "$work/two" --force
if [ -n "$(find "$work/two" -name '*.npy.part' -o -name '*.json.part')" ]; then bad "a full disk leaves half files of --tokens"; else good; fi

# ---- shards

for k in 2 7; do
    i=0
    while [ $i -lt $k ]; do
        run 0 "shard $i/$k" capture $tiny --prompts builtin --beyond-context -n 100 --shard $i/$k -o "$work/shard.$k.$i"
        for name in norms tokens; do
            try "shard $i/$k: $name" "$tool" rows "$work/whole/$name.npy" "$work/shard.$k.$i/$name.npy" $i $k
        done
        i=$((i + 1))
    done
done
run 0 "shards of draws" capture $tiny --prompts "$work/prompts" -n 20 --temp 1.5 --seed 9 -o "$work/drawn"
run 0 "shard 1/2 of draws" capture $tiny --prompts "$work/prompts" -n 20 --temp 1.5 --seed 9 --shard 1/2 -o "$work/drawn.1"
try "a draw is the same in a shard" "$tool" rows "$work/drawn/tokens.npy" "$work/drawn.1/tokens.npy" 1 2
SLURM_PROCID=1 SLURM_NTASKS=2 "$synergy" capture $tiny --prompts builtin --beyond-context -n 100 -o "$work/slurm" > "$work/out" 2>&1
same "a shard from the environment" "$work/shard.2.1" "$work/slurm" norms.npy tokens.npy run.json
run 1 "more shards than prompts" capture $tiny --prompts "$work/prompts" -n 6 --shard 4/5 -o "$work/none"

# ---- series that end

run 0 "--eos stop" capture $tiny --prompts builtin --beyond-context -n 100 --eos stop --temp 1.5 -o "$work/ended"
short=$("$tool" ended "$work/ended/norms.npy" "$work/ended/lengths.npy")
case $short in
    '' | *[!0-9]*) bad "--eos stop: $short" ;;
    0) bad "--eos stop: no series ended, so that nothing was tested" ;;
    *) good ;;
esac
run 0 "phiid of series that end" phiid "$work/ended"
run 0 "--eos ban into the same folder" capture $tiny --prompts builtin --beyond-context -n 100 --temp 1.5 -o "$work/ended" --force
if [ -e "$work/ended/lengths.npy" ]; then bad "lengths.npy of an earlier run is left"; else good; fi
if LC_ALL=C grep -q '"length": 100' "$work/ended/run.json" && ! grep -qE '"length": [0-9]{1,2},' "$work/ended/run.json"; then good; else bad "--eos ban: a series is short"; fi

# ---- killed at any moment

# A run of about a second; killed after ever other times, and resumed, until one gets through.
heavy="capture $deep --prompts builtin -n 60 --temp 0.7 --seed 4"
# shellcheck disable=SC2086
run 0 "undisturbed, to be compared" $heavy -o "$work/steady"
run 0 "phiid of it" phiid "$work/steady"
record=$((16 + 4 + 60 * 4 * (1 + 7 * 3) + 4 * 7 * 3 + 4)) # key and size, the piece, a checksum

# records FOLDER: whole ones in its work file
records() {
    bytes=0 head=0
    [ ! -s "$1/capture.part" ] || { bytes=$(wc -c < "$1/capture.part") && head=$(head -n 1 "$1/capture.part" | wc -c); }
    [ "$bytes" -ge "$head" ] || bytes=$head
    echo $(((bytes - head) / record))
}

# killed STATE... -- ARGUMENTS: a run that is killed as soon as the command STATE is true, whatever the machine's speed;
# true when it was still running then
killed() {
    state=
    while [ "$1" != -- ]; do state="$state $1"; shift; done
    shift
    "$synergy" "$@" > "$work/stdout" 2> "$work/stderr" < /dev/null &
    pid=$!
    while kill -0 $pid 2> /dev/null && ! $state; do :; done
    kill -9 $pid 2> /dev/null
    wait $pid 2> /dev/null
    [ $? -eq 137 ]
}

# at_least FOLDER COUNT: as a state
at_least() {
    [ "$(records "$1")" -ge "$2" ]
}

# until_records FOLDER LEAST: starts or resumes the run in FOLDER, and kills it at so many records
until_records() {
    # shellcheck disable=SC2086
    killed at_least "$1" "$2" -- $heavy --resume -o "$1"
}

# before anything is there, when the folder is, when the work file is, and at ever more records
# shellcheck disable=SC2086
killed true -- $heavy --resume -o "$work/killed"
# shellcheck disable=SC2086
killed test -d "$work/killed" -- $heavy --resume -o "$work/killed"
# shellcheck disable=SC2086
killed test -s "$work/killed/capture.part" -- $heavy --resume -o "$work/killed"
kills=3 amid=0
for least in 1 2 3 5 8 12 13 20 30 31 45 59 60; do
    until_records "$work/killed" $least || continue # it was faster than this loop
    kills=$((kills + 1)) amid=$((amid + 1))
done
if [ $amid -ge 3 ]; then good; else bad "of $kills kills $amid landed in the middle"; fi
# shellcheck disable=SC2086
run 0 "the last resumption" $heavy --resume -o "$work/killed"
run 0 "phiid after it" phiid "$work/killed"
same "after $kills kills" "$work/steady" "$work/killed" norms.npy tokens.npy run.json units.csv synergy.npy
# shellcheck disable=SC2086
run 0 "resuming what is complete" $heavy --resume -o "$work/killed"
same "resuming what is complete changes nothing" "$work/steady" "$work/killed" norms.npy tokens.npy run.json

# A work file that was cut, damaged or grew a tail: what is sound of it is used, the rest is done again.
until_records "$work/cut" 6
sound=$(records "$work/cut")
mkdir "$work/kept"
cp "$work/cut/capture.part" "$work/kept/capture.part"
# damaged TEXT: puts the result of a resumption beside the undisturbed one
damaged() {
    # shellcheck disable=SC2086
    run 0 "resumed: $1" $heavy --resume -o "$work/cut"
    same "$1" "$work/steady" "$work/cut" norms.npy tokens.npy run.json
    rm -rf "$work/cut"
    mkdir "$work/cut"
    cp "$work/kept/capture.part" "$work/cut/capture.part"
}
if [ "$sound" -ge 2 ]; then
    size=$((64 + sound * record))
    for n in $((size - 1)) $((size - record)) $((size - record - 100)) 100 64 63 10 0; do
        head -c $n "$work/kept/capture.part" > "$work/cut/capture.part"
        damaged "the work file cut to $n bytes"
    done
    printf 'X' | dd of="$work/cut/capture.part" bs=1 seek=$((size - 500)) conv=notrunc 2> /dev/null
    damaged "a byte of the last record changed"
    printf 'X' | dd of="$work/cut/capture.part" bs=1 seek=300 conv=notrunc 2> /dev/null
    damaged "a byte of the first record changed"
    head -c 5000 /dev/zero >> "$work/cut/capture.part"
    damaged "zeros behind the last record"
    printf 'X' | dd of="$work/cut/capture.part" bs=1 seek=20 conv=notrunc 2> /dev/null
    # shellcheck disable=SC2086
    run 1 "a work file of another run" $heavy --resume -o "$work/cut"
    says --force
    # shellcheck disable=SC2086
    run 0 "a work file of another run with --force" $heavy --resume --force -o "$work/cut"
    same "--force over another run's work file" "$work/steady" "$work/cut" norms.npy tokens.npy run.json
else
    bad "no work file to damage: $sound records"
fi

# ---- analyze: all of it, and killed on its way

whole="analyze $deep --prompts builtin -n 60 --surrogates 3"
# shellcheck disable=SC2086
run 0 "analyze" $whole -o "$work/all"
if grep -qE 'memory [0-9]+ bytes' "$work/stderr" && [ -s "$work/all/report.html" ]; then good; else bad "analyze: no memory told, or no report" "$work/stderr"; fi
# in the middle of the recording, and when each of the stages has left its first file
for state in capture.part norms.npy units.csv graph.json estimators/copula/phiid.json; do
    # shellcheck disable=SC2086
    killed test -s "$work/some/$state" -- $whole --resume -o "$work/some"
done
# shellcheck disable=SC2086
run 0 "analyze --resume" $whole --resume -o "$work/some"
same "analyze after kills" "$work/all" "$work/some" norms.npy tokens.npy run.json units.csv profile.csv robustness.csv
if [ "$(wc -l < "$work/all/robustness.csv")" -eq 6 ] && grep -q 'id="robustness"' "$work/all/report.html" &&
    grep -q synergy_more_efficient "$work/all/robustness.csv"; then good; else bad "analyze tells one estimator only"; fi
run 1 "analyze of other settings into the same folder" analyze $deep --prompts builtin -n 61 -o "$work/all"
says --force
printf '%s\t%s\n' one "the rain in" > "$work/prompts"
run 0 "analyze of one prompt" analyze $tiny --prompts "$work/prompts" -n 20 --surrogates 3 -o "$work/single" --one-estimator \
    --estimator copula --transform log
if [ ! -e "$work/single/estimators" ] && grep -q '"estimator": "copula"' "$work/single/phiid.json" &&
    grep -q '"transform": "log"' "$work/single/phiid.json"; then good; else bad "analyze --estimator" "$work/single/phiid.json"; fi
# too short for any information: a clear line, not numbers
"$synergy" analyze $tiny --prompts "$work/prompts" -n 3 --surrogates 3 -o "$work/short" > "$work/stdout" 2> "$work/stderr"
if [ $? -eq 1 ] && tail -n 1 "$work/stderr" | grep -q '^synergy analyze: .*samples'; then good; else bad "analyze of 3 tokens" "$work/stderr"; fi
finish
