# cli_terminal.sh - text from files is data: in a terminal no control character of a file's name, of a model's name or
# of a prompt item gets through; in a pipe the bytes are what they were; what people read stays what it is.
. ./cli.sh
model=data/models/llama-f16/model.gguf
have script || { skip "no script(1): nothing can be shown in a terminal"; finish; }

esc=$(printf '\033')
cp $model "$work/a${esc}]0;title${esc}[2J.gguf"
# in_terminal ARGUMENTS...: standard output as a terminal gets it
in_terminal() {
    printf '"%s"' "$synergy" > "$work/command"
    for a in "$@"; do printf " '%s'" "$a"; done >> "$work/command"
    script -qec "$(cat "$work/command") 2> /dev/null" /dev/null < /dev/null | tr -d '\r' > "$work/shown"
}
clean() {
    if grep -q "$esc" "$work/shown"; then bad "$1: an escape sequence got through" "$work/shown"; else good; fi
}

in_terminal info "$work/a${esc}]0;title${esc}[2J.gguf"
clean "a file's name"
if grep -q '^file  *a?]0;title?\[2J.gguf' "$work/shown"; then good; else bad "the file's name is not shown with marks" "$work/shown"; fi
"$synergy" info "$work/a${esc}]0;title${esc}[2J.gguf" > "$work/piped" 2> /dev/null
if grep -q "$esc" "$work/piped"; then good; else bad "a pipe does not get the name as it is" "$work/piped"; fi

# the units of a table: their names come back in sentences
awk -v e="$esc" 'BEGIN {
    srand(3); printf "a%s[31m,b\302\233x,caf\303\251,d\n", e
    for (t = 0; t < 80; t++) { for (i = 0; i < 4; i++) printf "%s%.6f", i ? "," : "", rand() + (t % 7) / 7; print "" } }' > "$work/t.csv"
run 0 "a table" phiid "$work/t.csv" -o "$work/t"
if grep -q "$esc" "$work/stderr"; then bad "an escape sequence on standard error" "$work/stderr"; else good; fi
in_terminal phiid "$work/t.csv" -o "$work/t" --force
clean "names of columns"
if grep -q "$(printf '\302\233')" "$work/shown"; then bad "a C1 control got through" "$work/shown"; else good; fi
# and no letter of any script is taken for a control
cp $model "$work/$(printf '\303\237\346\227\245\360\237\214\212\305\223').gguf"
for f in "$work"/*.gguf; do
    case $f in *"$esc"*) continue ;; esac
    in_terminal info "$f"
    "$synergy" info "$f" > "$work/piped" 2> /dev/null
    try "letters are shown as they are" cmp "$work/shown" "$work/piped"
done
finish
