#!/bin/sh
# run.sh run OUT NAME SECONDS COMMAND...   one test: report into OUT/NAME.log, `passed failed skipped` into
#                                          OUT/NAME.result
# run.sh sum OUT NAME...                   the sum of these; exit 0 when nothing failed
# The command's last line must be `N passed, N failed, N skipped`, perhaps after `section: `.
set -u
mode=$1 out=$2
shift 2

if [ "$mode" = sum ]; then
    passed=0 failed=0 skipped=0
    for name in "$@"; do
        p=0 f=1 s=0
        [ ! -f "$out/$name.result" ] || read -r p f s < "$out/$name.result"
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
fi

name=$1 limit=$2
shift 2
log=$out/$name.log
rm -f "$out/$name.result"
start=$(date +%s)
case $name in
    test_*)
        if [ ! -x "$out/$name" ]; then
            head -n 30 "$out/$name.cc"
            echo "$name: does not compile: 0 passed, 1 failed, 0 skipped"
            echo "0 1 0" > "$out/$name.result"
            exit 0
        fi ;;
esac
if command -v timeout > /dev/null 2>&1; then
    timeout "$limit" "$@" > "$log" 2>&1 < /dev/null
else
    "$@" > "$log" 2>&1 < /dev/null
fi
code=$?
sum=$(tail -n 1 "$log" |
    sed -n 's/^\(.*: \)\{0,1\}\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed, \([0-9][0-9]*\) skipped$/\2 \3 \4/p')
p=0 f=0 s=0
# shellcheck disable=SC2086
[ -z "$sum" ] || { set -- $sum; p=$1 f=$2 s=$3; }
if [ -z "$sum" ] || { [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; }; then
    f=$((f + 1))
    case $code in
        124) why="stopped after $limit s" ;;
        *) why="ended with code $code and no sum" ;;
    esac
    tail -n 30 "$log"
    echo "$name: $why"
elif [ "$f" -ne 0 ]; then
    head -n 60 "$log"
else
    grep 'skipped: ' "$log"
fi
echo "$name: $p passed, $f failed, $s skipped ($(($(date +%s) - start)) s)"
echo "$p $f $s" > "$out/$name.result.new"
mv "$out/$name.result.new" "$out/$name.result"
