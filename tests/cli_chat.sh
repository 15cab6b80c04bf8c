#!/bin/sh
# Chat templates: what `synergy tokenize --chat-text` writes is, byte for byte, what jinja2 made of the same template
# (tests/reference/chat_data.py); what is not known is named, what has no end is stopped.
. ./cli.sh

data=data/chat
printf '  Is "it" 3 < 4?\n' > "$work/user"

# rendered NAME KIND [OPTION...]: the prompt, or "error: " and the line
rendered() {
    name=$1
    shift
    if timeout 60 "$synergy" tokenize $data/"$name".gguf --chat-text "$@" < "$work/user" > "$work/out" 2> "$work/err"; then
        cat "$work/out"
    else
        printf 'error: '
    fi
}

for file in $data/*.gguf; do
    name=$(basename "$file" .gguf)
    case $name in unknown | broken | endless) continue ;; esac
    for kind in user system; do
        if [ $kind = system ]; then rendered "$name" --system ' Be brief. ' > "$work/ours"; else rendered "$name" > "$work/ours"; fi
        case $(head -c 7 $data/"$name".$kind) in
            error:*) # the template refuses: so do we, with its words
                said=$(sed 's/^error: //' $data/"$name".$kind)
                try "$name, $kind: refused in the template's words" grep -q -F -- "$said" "$work/err" ;;
            *) try "$name, $kind" cmp -s "$work/ours" $data/"$name".$kind ;;
        esac
    done
done

# what cannot be run is said, with its line, and the prompt is used as it is
for name in unknown broken endless; do
    rendered $name > "$work/ours"
    try "$name: a note" grep -q 'chat template, line' "$work/err"
    try "$name: the prompt as it is" cmp -s "$work/ours" "$work/user"
done
rendered unknown > /dev/null
try "unknown: its name" grep -q include "$work/err"

# dates are fixed, and can be set
rendered macro > "$work/ours"
try "the date is fixed" grep -q 'Knowledge: 2024-07' "$work/ours"
rendered macro --date 2031-12-05 > "$work/ours"
try "the date can be set" grep -q 'Knowledge: 2031-12' "$work/ours"
rendered macro --date 2031-02-30 > /dev/null
try "a day that is none" grep -q '2031-02-30' "$work/err"

# the begin token is the one that the template writes
"$synergy" tokenize $data/chatml-bos.gguf --chat < "$work/user" > "$work/ids"
try "one begin token" test "$(tr ' ' '\n' < "$work/ids" | grep -c '^1$')" = 1
try "it comes first" grep -q '^1 ' "$work/ids"

# Phi-3's special tokens take the white space on their right, but <unk>, <s>, <|endoftext|>; the ids are llama-tokenize's
tab=$(printf '\t')
while IFS=$tab read -r words ids; do
    printf "$words" | "$synergy" tokenize data/tokenizer/spm-phi3.gguf > "$work/ids"
    try "Phi-3: $words" test "$(tr '\n' ' ' < "$work/ids" | sed 's/ *$//')" = "$ids"
done < data/tokenizer/spm-phi3.tsv

# joined VOCABULARY NAME: the key of a template, put in front of a vocabulary's other keys
joined() {
    from=data/tokenizer/$1.gguf with=$data/$2.gguf
    at=$(grep -a -b -o tokenizer.chat_template "$with" | head -n 1 | cut -d: -f1)
    long=$(od -A n -t u1 -j $((at + 27)) -N 2 "$with" | awk '{ print $1 + 256 * $2 }')
    head -c 16 "$from"
    printf "\\$(printf %o $(($(od -A n -t u1 -j 16 -N 1 "$from") + 1)))"
    tail -c +18 "$from" | head -c 7
    tail -c +$((at - 7)) "$with" | head -c $((43 + long))
    tail -c +25 "$from"
}

# template and vocabulary together: ids are llama.cpp's for jinja2's text (tests/reference/chat_ids.py)
while IFS=$tab read -r vocabulary name kind ids; do
    joined "$vocabulary" "$name" > "$work/joined.gguf"
    if [ "$kind" = system ]; then set -- --system ' Be brief. '; else set --; fi
    "$synergy" tokenize "$work/joined.gguf" --chat "$@" < "$work/user" > "$work/ids" 2> "$work/err"
    try "$name, $vocabulary, $kind: ids" test "$(cat "$work/ids")" = "$ids"
done < $data/ids.tsv

finish
