# cli.sh - sourced by cli_*.sh in place of check.sh: the program as a person calls it.
#   run CODE TEXT ARGUMENTS...  one result: the exit code, and of a failure one line on standard error that names the
#                               command; what it printed is in $work/stdout and $work/stderr
#   says WORDS                  one result: the last standard error has them
# A script may set: input (standard input of run), subcommand (what stands before the arguments), named (how the line of a
# failure begins, a regular expression), notes=yes (lines of notes beside it are no fault).
. ./check.sh

synergy=${SYNERGY:-../tools/build/synergy}
[ -x "$synergy" ] || { bad "$synergy is not there"; finish; }

# the last standard error, without its notes where these are no fault
# (a slow machine has time for lines of progress)
complaint() {
    grep -vE ': +[0-9]+ %, .*(left|s|min|h)$' "$work/stderr" | if [ "${notes:-}" = yes ]; then grep -v ': note: '; else cat; fi
}

run() {
    code=$1 what=$2
    shift 2
    "$synergy" ${subcommand:+"$subcommand"} "$@" > "$work/stdout" 2> "$work/stderr" < "${input:-/dev/null}"
    got=$?
    if [ $got -ne "$code" ]; then
        bad "$what: exit code $got, expected $code" "$work/stderr"
    elif [ "$code" -ne 0 ] && { [ "$(complaint | wc -l)" -ne 1 ] || ! grep -q "^${named:-synergy}" "$work/stderr"; }; then
        bad "$what: not one line on standard error" "$work/stderr"
    else
        good
    fi
}

says() {
    if grep -qF -- "$1" "$work/stderr"; then good; else bad "$what: standard error does not say '$1'" "$work/stderr"; fi
}
