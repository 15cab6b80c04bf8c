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

finish
