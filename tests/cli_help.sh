#!/bin/sh
# What somebody meets first: help, version, 'did you mean', the examples of --help as they stand there, the man page and
# the completions, which are made from the same tables.
. ./cli.sh

shown() {
    if grep -qE -- "$2" "$work/stdout"; then good; else bad "$1: standard output does not show '$2'" "$work/stdout"; fi
}

run 0 "help" help
cp "$work/stdout" "$work/all"
if head -n 1 "$work/all" | grep -q '^Example: synergy analyze '; then good; else bad "the help does not begin with an example" "$work/all"; fi
if grep -q '^Start with analyze' "$work/all"; then good; else bad "the help does not say where to start" "$work/all"; fi
run 0 "--help" --help
try "--help is help" cmp "$work/all" "$work/stdout"
run 0 "-h" -h
try "-h is help" cmp "$work/all" "$work/stdout"
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/all")
if [ "$(echo "$commands" | head -n 1)" = analyze ]; then good; else bad "the first command is not analyze"; fi
if [ "$(echo "$commands" | wc -l)" -ge 23 ]; then good; else bad "the help lists few commands" "$work/all"; fi

number=$(awk '/^#define SYNERGY_VERSION / { print int($3 / 10000) "." int($3 / 100) % 100 "." $3 % 100 }' ../synergy.h)
for words in version --version -V "info --version" "info -V" "help -V"; do
    # shellcheck disable=SC2086 # words
    run 0 "$words" $words
    if [ "$(cat "$work/stdout")" = "synergy $number" ]; then good; else bad "$words does not print synergy $number" "$work/stdout"; fi
done

for command in $commands; do
    run 0 "$command --help" "$command" --help
    cp "$work/stdout" "$work/help.$command"
    if sed -n 1p "$work/stdout" | grep -q "^Example: .*synergy $command"; then good; else bad "$command --help does not begin with an example" "$work/stdout"; fi
    if sed -n 3p "$work/stdout" | grep -q "^Usage: synergy $command"; then good; else bad "$command --help has no usage" "$work/stdout"; fi
    run 0 "help $command" help "$command"
    try "help $command is its --help" cmp "$work/help.$command" "$work/stdout"
done

# ---- did you mean

# meant WORD ARGUMENTS...: a usage error that names WORD
meant() {
    word=$1
    shift
    run 2 "$*" "$@"
    says "did you mean $word?"
}

meant "'analyze'" analyse
meant "'analyze'" anaylze x -o y
meant "'perplexity'" perp
meant "'graph'" help graf
meant --redundancy phiid x --redundnacy mmi
meant --surrogates phiid x --surrogate=5
meant --output capture x --out y
meant --help graph --hlep
meant --json graph -json
run 2 "far from every command" dance
if grep -q 'did you mean' "$work/stderr"; then bad "dance is like nothing" "$work/stderr"; else good; fi
run 2 "far from every option" info x --unheard-of
if grep -q 'did you mean' "$work/stderr"; then bad "--unheard-of is like nothing" "$work/stderr"; else good; fi
run 2 "nothing"
says "start with synergy analyze"

# ---- the examples of --help, run as they stand in a folder where their files are; of two, the time is cut

here=$(pwd)
case $synergy in /*) program=$synergy ;; *) program=$here/$synergy ;; esac
cut_short() {
    case $1 in
        analyze) echo " --prompts prompts.txt -n 40 --surrogates 4" ;;
        tune) echo " --steps 2 --batch 2 --group 2 --items 4" ;;
        emerge) echo " --rows 4 -c 32 --surrogates 0" ;;
        train) echo " --layers 1 --width 32 --ff 32 --heads 2 --vocab 300 --batch 2 -c 32" ;;
        eval) echo " --items 4" ;;
        ablate | perturb) echo " --seeds 1 --items 4" ;;
    esac
}
mkdir "$work/bin" "$work/room"
ln -s "$program" "$work/bin/synergy"
cd "$work/room" || exit 1
cp "$here/../examples/models/synergy-tiny.Q8_0.gguf" model.gguf
awk 'NR % 10 == 1' "$here/../examples/models/prompts.txt" > prompts.txt
PATH=$work/bin:$PATH
export PATH
try "a corpus to read" sh -c 'synergy corpus --seed 2 --bytes 4000 > text.txt'
for shard in 0 1; do
    try "a shard" synergy capture model.gguf --prompts prompts.txt -n 40 --shard $shard/2 -o parts/shard-$shard-of-2
done
# where one needs what another wrote, in the order of the data
for command in analyze capture merge phiid $(echo "$commands" | grep -vwE 'analyze|capture|merge|phiid|report|compare|manual|completion|train|corpus|emerge') corpus train emerge; do
    example=$(sed -n 's/^Example: //p' "$work/help.$command")
    [ "$command" != merge ] || example="$example && synergy phiid whole"
    try "$example" sh -c "$(echo "$example" | sed "s/\$/$(cut_short "$command" | sed 's/[&/]/\\&/g')/; s/ > text.txt\(.*\)/\1 > text.txt/")"
done
for command in report compare; do try "the example of $command" sh -c "$(sed -n 's/^Example: //p' "$work/help.$command")"; done
for file in results/report.html smaller.gguf compare.html trained/model.gguf results/ablation.csv; do
    if [ -s $file ]; then good; else bad "the examples leave no $file"; fi
done
cd "$here" || exit 1

# ---- man page

run 0 manual manual
cp "$work/stdout" "$work/synergy.1"
for command in $commands; do
    if grep -q "^\.SS $command\$" "$work/synergy.1"; then good; else bad "the man page does not have $command"; fi
    sed -n 's/^ .*--\([a-z][a-z0-9-]*\).*/\1/p' "$work/help.$command" | while read -r option; do
        case $option in help | version) continue ;; esac
        awk -v name="$command" '/^\.SS / { on = $2 == name } on' "$work/synergy.1" | grep -qF -- "\\-\\-$(echo "$option" | sed 's/-/\\-/g')" || echo "$command --$option"
    done > "$work/missing"
    if [ -s "$work/missing" ]; then bad "the man page lacks options:" "$work/missing"; else good; fi
done
if have mandoc; then
    mandoc -T lint "$work/synergy.1" > "$work/lint" 2>&1
    if [ -s "$work/lint" ]; then bad "mandoc -T lint says:" "$work/lint"; else good; fi
else skip "no mandoc"; fi
if have man && have groff; then
    man --warnings -l "$work/synergy.1" > /dev/null 2> "$work/lint"
    if [ -s "$work/lint" ]; then bad "man --warnings says:" "$work/lint"; else good; fi
else skip "no man with groff"; fi

# ---- completions

for shell in bash zsh; do
    run 0 "completion $shell" completion $shell
    cp "$work/stdout" "$work/completion.$shell"
    if have $shell; then try "$shell -n" $shell -n "$work/completion.$shell"; else skip "no $shell"; fi
    for command in $commands; do
        if grep -qE "(^|[ '])${command}[):' ]" "$work/completion.$shell"; then good; else bad "the completion of $shell does not have $command"; fi
    done
done
run 2 "a shell that it does not know" completion fish
says "bash|zsh"

# completed 'WORDS' WORD...: what bash offers for the last of the words, as it divides them
if have bash; then
    completed() {
        want=$1
        shift
        # shellcheck disable=SC2016 # bash's variables
        got=$(bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _synergy; echo "${COMPREPLY[*]}"' bash "$work/completion.bash" "$@" 2>&1)
        if [ "$got" = "$want" ]; then good; else bad "bash offers '$got' for '$*', not '$want'"; fi
    }
    completed "analyze" synergy ana
    completed "--redundancy" synergy phiid --red
    completed "mmi ccs" synergy phiid --redundancy ""
    completed "ccs" synergy phiid --redundancy = c
    completed "mmi ccs" synergy phiid --redundancy =
    completed "" synergy phiid -o r
    completed "" synergy phiid some
    completed "perplexity perturb" synergy help pe
    completed "bash zsh" synergy completion ""
fi

# zsh on a terminal of its own: the tab key after `synergy phiid --redu`
if have zsh; then
    cat > "$work/tab.zsh" <<'EOF'
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; print READY"
zpty -r -m shell line '*READY*READY*' || exit 1
zpty -w -n shell $'synergy phiid --redu\t'
zpty -r -m shell line '*ndancy*' || exit 1
zpty -w -n shell $'c\t\C-a: \n'
zpty -r -m shell line '*--redundancy=ccs*' || exit 1
print -r -- "$line"
EOF
    mkdir "$work/zsh"
    cp "$work/completion.zsh" "$work/zsh/_synergy"
    timeout 60 zsh -f "$work/tab.zsh" "$work/zsh" > "$work/tab" 2>&1
    if grep -q -- '--redundancy=ccs' "$work/tab"; then good; else bad "zsh does not complete --redu and c to --redundancy=ccs" "$work/tab"; fi
fi
finish
