# cli_before.sh - what can be known before hours of work is known before: series too short for the lag, a context beyond
# the model's, outputs that are inputs or cannot be written, time and room; prompt files of every kind; closed pipes.
. ./cli.sh
notes=yes
model=data/models/llama-f16/model.gguf
gpt=data/models/gpt2-iq4_nl/model.gguf
printf 'tell me of the sea\nand now of the land\na third one\nfour\n' > "$work/prompts"

refused() { # WORDS ARGUMENTS...
    words=$1
    shift
    run 1 "$*" "$@"
    says "$words"
}
unmade() { if [ -e "$1" ]; then bad "$what: $1 was made"; else good; fi; }

# ---- series too short
refused "too few for tau 1" analyze $model --prompts "$work/prompts" -n 5 --raw -o "$work/none"
unmade "$work/none"
refused "too few for tau 30" analyze $model --prompts "$work/prompts" -n 34 --tau 30 --raw -o "$work/none"
refused "--eos stop" analyze $model --prompts "$work/prompts" -n 20 --eos stop --raw -o "$work/none"
unmade "$work/none"

# ---- beyond the context
trained=$("$synergy" info $gpt | awk '/context/ { print $2; exit }')
refused "--beyond-context" capture $gpt --prompts "$work/prompts" -n "$trained" --raw -o "$work/none"
says "was trained for a context of $trained tokens"
unmade "$work/none"
refused "--beyond-context" analyze $gpt --prompts "$work/prompts" -n "$trained" --raw -o "$work/none"
refused "--beyond-context" run $gpt -p 'a sea' --raw -n "$trained"
# the same model as if trained for 64 tokens, so that going beyond takes no time: the key's number, 4 bytes behind its type
cp $model "$work/short.gguf"
at=$(grep -obUa 'llama\.context_length' $model | head -n 1 | cut -d: -f1)
printf '\100\0\0\0' | dd of="$work/short.gguf" bs=1 seek=$((at + 24)) conv=notrunc 2> /dev/null
awk 'BEGIN { for (i = 0; i < 64; i++) printf "sea "; print "" }' > "$work/long"
refused "--beyond-context" capture "$work/short.gguf" --prompts "$work/long" -n 6 --raw -o "$work/none"
says "was trained for a context of 64 tokens"
run 0 "--beyond-context" capture "$work/short.gguf" --prompts "$work/long" -n 6 --raw -o "$work/beyond" --beyond-context

# ---- outputs that cannot be written
run 0 "a recording" capture $model --prompts "$work/prompts" -n 40 --raw -o "$work/dir"
if grep -qE 'up to .* on disk; about ' "$work/stderr"; then good; else bad "capture tells no estimate" "$work/stderr"; fi
run 0 "its scores" phiid "$work/dir"
mkdir -p "$work/odd/report.html" "$work/odd2"
: > "$work/odd2/figures"
refused "is a folder" analyze $model --prompts "$work/prompts" -n 40 --raw -o "$work/odd"
refused "is a file" analyze $model --prompts "$work/prompts" -n 40 --raw -o "$work/odd2"
if [ -z "$(find "$work/odd" "$work/odd2" -name '*.npy*')" ]; then good; else bad "work was done before the refusal"; fi
refused "cannot write there" prune $model "$work/dir" --fraction 0.1 -o "$work/nowhere/out.gguf"
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$work/locked" && chmod a-w "$work/locked"
    refused "cannot write there" phiid "$work/dir/norms.npy" -o "$work/locked"
    refused "cannot write there" prune $model "$work/dir" --fraction 0.1 -o "$work/locked/out.gguf"
elif [ -d /proc/self ]; then
    refused "cannot" phiid "$work/dir/norms.npy" -o /proc/self/synergy
fi

# ---- outputs that are inputs, however they are spelt
cp $model "$work/m.gguf"
cp "$work/dir/norms.npy" "$work/plain.npy"
ln -s m.gguf "$work/link.gguf"
ln "$work/m.gguf" "$work/hard.gguf"
ln -s . "$work/here"
mkdir "$work/sub"
sum=$(cksum < "$work/m.gguf")
for name in m.gguf ./m.gguf sub/../m.gguf here/m.gguf link.gguf hard.gguf; do
    refused "is the input" prune "$work/m.gguf" "$work/dir" --fraction 0.1 -o "$work/$name" --force
    refused "is the input" prune "$work/m.gguf" "$work/dir" --fraction 0.1 --quant-plan "$work/$name" --force
done
cp "$work/m.gguf" "$work/new.gguf.part"
refused "is the input" prune "$work/new.gguf.part" --heads L0H0 -o "$work/new.gguf"
refused "is the input" prune "$work/m.gguf" "$work/dir" --fraction 0.1 -o "$work/x.gguf" --quant-plan "$work/sub/../x.gguf"
if [ "$(cksum < "$work/m.gguf")" = "$sum" ]; then good; else bad "the model was changed"; fi
for name in synergy.npy sub/../dir/synergy.npy; do
    refused "is the input" phiid "$work/dir/synergy.npy" -o "$work/dir" --force
    refused "is the input" phiid "$work/dir/synergy.npy" -o "$work/sub/../dir" --force
done
ln "$work/dir/tokens.npy" "$work/ids.npy"
refused "is the input" capture $model --tokens "$work/ids.npy" -o "$work/dir" --force
refused "is the input" phiid "$work/plain.npy" -o "$work/cov" --save-cov "$work/here/plain.npy" --force
run 0 "a covariance" phiid "$work/plain.npy" -o "$work/cov" --save-cov "$work/a.cov"
refused "is the input" merge "$work/a.cov" -o "$work/sub/../a.cov" --force
run 0 "shard 0" capture $model --prompts "$work/prompts" -n 20 --raw -o "$work/s0" --shard 0/2
run 0 "shard 1" capture $model --prompts "$work/prompts" -n 20 --raw -o "$work/s1" --shard 1/2
refused "is the input" merge "$work/s0" "$work/s1" -o "$work/sub/../s1" --force
refused "--shard" capture $model --prompts "$work/prompts" -n 20 --raw -o "$work/s0" --shard 1/2
cp -r "$work/dir" "$work/dir2"
refused "is the input" compare "$work/dir" "$work/dir2" -o "$work/here/dir/units.html" --force

for name in m.gguf link.gguf here/m.gguf; do
    for option in -o --heads --logits; do
        refused "is the input" gradient "$work/m.gguf" --tokens "$work/ids.npy" $option "$work/$name" --force
    done
done
refused "is the input" gradient "$work/m.gguf" --tokens "$work/ids.npy" --heads "$work/dir/tokens.npy" --force
refused "a file of its own" gradient "$work/m.gguf" --tokens "$work/ids.npy" -o "$work/g" --heads "$work/sub/../g"
if [ "$(cksum < "$work/m.gguf")" = "$sum" ]; then good; else bad "the model was changed"; fi
mkdir "$work/trained"
cp "$work/m.gguf" "$work/trained/model.gguf"
cp "$work/prompts" "$work/trained/loss.csv"
refused "is the input" train --init "$work/here/trained/model.gguf" --tokens "$work/ids.npy" --steps 1 -o "$work/trained" --fresh
refused "is the input" train --init "$work/m.gguf" --text "$work/trained/loss.csv" --steps 1 -o "$work/sub/../trained"
refused "is the input" tune "$work/trained/model.gguf" "$work/dir" --method sft --subset all --task sum -o "$work/here/trained"
if [ "$(cksum < "$work/trained/model.gguf")" = "$sum" ]; then good; else bad "the model was changed"; fi
mkdir -p "$work/odd3/model.gguf"
refused "is a folder" train --init "$work/m.gguf" --tokens "$work/ids.npy" --steps 1 -o "$work/odd3"
refused "is a folder" tune "$work/m.gguf" "$work/dir" --method sft --subset all --task sum -o "$work/odd3"

# ---- estimates over everything that is written
awk 'BEGIN { for (i = 1; i <= 12; i++) print "tell me of the sea and its " i " ships" }' > "$work/twelve"
ablate=--ablate
[ -z "${SYN_SLOW_MACHINE:-}" ] || ablate=
# shellcheck disable=SC2086
run 0 "analyze" analyze $model --prompts "$work/twelve" -n 40 --raw $ablate -o "$work/all"
told=$(sed -n 's/.*up to \([0-9.]*\) \([kMG]\)B on disk.*/\1 \2/p' "$work/stderr" | head -n 1 |
    awk '{ print $1 * ($2 == "k" ? 1e3 : $2 == "M" ? 1e6 : 1e9) }')
there=$(find "$work/all" -type f -exec wc -c {} + | awk 'END { print $1 }')
if awk -v told="$told" -v there="$there" 'BEGIN { exit !(told >= there && told < 4 * there) }'; then good
else bad "$told bytes announced, $there written"; fi
if [ "$(find "$work/all" -name report.html)" = "$(tail -n 1 "$work/stdout" | sed 's/.*: //')" ]; then good; else bad "the last line is not the report's path" "$work/stdout"; fi

# ---- prompt files
same_prompts() { # TEXT FILE
    run 0 "$1" capture $model --prompts "$2" -n 4 --raw -o "$work/p-new" --force
    try "$1: prompts" cmp "$work/p-new/tokens.npy" "$work/p-old/tokens.npy"
}
run 0 "plain" capture $model --prompts "$work/prompts" -n 4 --raw -o "$work/p-old"
{ printf '\357\273\277'; cat "$work/prompts"; } > "$work/bom"
same_prompts "a byte order mark" "$work/bom"
{ printf '\n  \t \n'; sed 's/$/\r/' "$work/prompts"; printf '\n\r\n   \n'; } > "$work/blank"
same_prompts "blank lines and CRLF" "$work/blank"
input=$work/bom
same_prompts "standard input" -
input=/dev/null
: > "$work/nothing"
refused "no prompts" capture $model --prompts "$work/nothing" -n 4 --raw -o "$work/none"
printf 'good\nM\374ller und\n' > "$work/latin"
refused "line 2, byte 2 (0xfc) is not UTF-8" capture $model --prompts "$work/latin" -n 4 --raw -o "$work/none"
printf '\377\376a\0b\0' > "$work/wide"
refused "UTF-16" capture $model --prompts "$work/wide" -n 4 --raw -o "$work/none"

# ---- a reader that goes is no failure; a full disk is
piped() { # TEXT ARGUMENTS...
    what=$1
    shift
    { "$synergy" "$@" 2> "$work/stderr"; echo $? > "$work/code"; } | head -n 1 > "$work/stdout"
    if [ "$(cat "$work/code")" = 0 ] && ! grep -q 'roken' "$work/stderr"; then good; else bad "$what | head" "$work/stderr"; fi
}
piped "eval --list" eval --list
piped "run" run $model -p 'sea' --raw -n 2000 --ignore-eos
if [ -w /dev/full ]; then
    "$synergy" eval --list > /dev/full 2> "$work/stderr"
    if [ $? -eq 1 ]; then good; else bad "a full disk is no failure"; fi
fi
refused "no such file" phiid "$work/nope"
finish
