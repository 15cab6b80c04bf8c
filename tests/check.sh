# check.sh - sourced by check_*.sh and cli_*.sh: counts, scratch folder, final sum.
#   good TEXT / bad TEXT       one result; bad prints its text and, when given a file, its first lines
#   try TEXT COMMAND...        one result from a command's exit code; its output is shown on failure
#   skip TEXT                  what cannot be tried here; counted, too
#   finish                     prints `N passed, N failed, N skipped` and exits
# $work is an empty folder that goes away at the end. The working directory is tests/.
set -u
LC_ALL=C
export LC_ALL
passed=0 failed=0 skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/syn.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

good() {
    passed=$((passed + 1))
}

bad() {
    failed=$((failed + 1))
    printf '%s\n' "FAILED: $1"
    [ $# -lt 2 ] || sed -n '1,8s/^/    /p' "$2"
}

try() {
    what=$1
    shift
    if "$@" > "$work/try.out" 2>&1; then good; else bad "$what" "$work/try.out"; fi
}

have() {
    command -v "$1" > /dev/null 2>&1
}

skip() {
    skipped=$((skipped + 1))
    echo "skipped: $1"
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}
