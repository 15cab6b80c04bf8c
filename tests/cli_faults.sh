#!/bin/sh
# Every allocation of the program fails in turn (a small library in front of libc's), and every system call that reads,
# writes, maps, renames or removes a file fails at its n-th time, for every n (strace injects the errors). In no case a
# crash; a failure is one line and exit code 1; a file that is there afterwards is whole: that of an undisturbed run, or
# the one that lay there before; a run that says 0 has left everything. The same command again, undisturbed, ends right.
# Every fault takes minutes: with SYN_FAULTS=all each is tried, else every ninth, beginning elsewhere for each call.
. ./cli.sh
model=data/gguf/ok_bpe.gguf
[ "$(uname -s)" = Linux ] || { skip "faults are injected on Linux only"; finish; }
${CC:-cc} -shared -fPIC -O1 -o "$work/alloc.so" faults/alloc.c -ldl > "$work/cc" 2>&1 || { skip "no shared library: $(head -n 1 "$work/cc")"; finish; }
printf 'hello world\none two three\n' > "$work/prompts"
stride=9
[ "${SYN_FAULTS:-}" != all ] || stride=1
base="$work/base" out="$work/out" mark="$work/mark" trace="$work/trace"

# ours FOLDER...: the files of a run that hold no clock
list() {
    (cd "$1" && find . -type f ! -name '*.part' ! -name timing.json | sort)
}

# The runs before the one under test make its input in $base, the run itself $ref: what it leaves undisturbed.
prepare() {
    rm -rf "$work/ref" && cp -R "$base" "$work/ref" && cd "$work/ref" || exit 1
    "$here/$synergy" "$@" > "$work/ref.stdout" 2> "$work/stderr" || bad "undisturbed: $*" "$work/stderr"
    cd "$here" || exit 1
    # a path of the folder may be printed whole
    sed "s|$work/ref|$out|g" "$work/ref.stdout" > "$work/ref.said"
    list "$work/ref" > "$work/ref.list"
}

# whole TEXT: each file of $out is that of the undisturbed run or the one from before
whole() {
    for f in $(list "$out"); do
        cmp -s "$out/$f" "$work/ref/$f" || cmp -s "$out/$f" "$base/$f" || { bad "$1: $f is neither the new nor the old one"; return 1; }
    done
}

# judge TEXT CODE: after a run with a fault
judge() {
    if [ "$2" -gt 2 ] && [ "$2" -ne 127 ]; then bad "$1: exit code $2" "$work/stderr"; return 1; fi
    if [ "$2" -eq 2 ]; then bad "$1: a usage error" "$work/stderr"; return 1; fi
    if [ "$2" -eq 1 ]; then
        [ "$(grep -v ': note: ' "$work/stderr" | grep -c '^synergy')" -eq 1 ] || { bad "$1: not one line" "$work/stderr"; return 1; }
    elif [ "$2" -eq 0 ]; then
        list "$out" | cmp -s - "$work/ref.list" || { bad "$1: says 0, and files are missing"; return 1; }
        cmp -s "$work/ref.said" "$work/stdout" || { bad "$1: says 0, and printed something else"; return 1; }
    fi
    whole "$1"
}

# again TEXT COMMAND...: what a person does then
again() {
    text=$1
    shift
    (cd "$out" && "$here/$synergy" "$@" > "$work/stdout" 2> "$work/stderr") || { bad "$text, and again:" "$work/stderr"; return 1; }
    for f in $(cat "$work/ref.list"); do
        cmp -s "$out/$f" "$work/ref/$f" || { bad "$text, and again: $f differs"; return 1; }
    done
}

fresh() {
    rm -rf "$out" && cp -R "$base" "$out"
}

here=$PWD
case $synergy in /*) here="" ;; esac

allocations() {
    prepare "$@"
    n=0 step=$stride
    while :; do
        n=$((n + step))
        fresh
        rm -f "$mark"
        (cd "$out" && FAULT_AT=$n FAULT_MARK="$mark" FAULT_ON=${FAULT_ON:-} LD_PRELOAD="$work/alloc.so" "$here/$synergy" "$@" > "$work/stdout" 2> "$work/stderr")
        code=$?
        [ -e "$mark" ] || break
        if judge "allocation $n of '$1'" $code && again "allocation $n of '$1'" "$@"; then good; fi
        # thousands of rows of a table are alike: after the first 120, every 41st
        [ $n -lt 120 ] || step=$((41 * stride))
    done
}

# calls SYSCALL ERROR COMMAND...
calls() {
    call=$1 error=$2
    shift 2
    # the first mapping is the dynamic loader's, before any line of the program runs
    n=1
    [ "$call" != mmap ] || n=2
    # sampled, each call of each command begins elsewhere
    n=$((n + ${#error} * ${#2} % stride - stride))
    while :; do
        n=$((n + stride))
        fresh
        (cd "$out" && strace -f -o "$trace" -e "trace=$call" -e "inject=$call:error=$error:when=$n" "$here/$synergy" "$@" > "$work/stdout" 2> "$work/stderr")
        code=$?
        grep -q INJECTED "$trace" || break
        if judge "$call $n ($error) of '$1'" $code && again "$call $n ($error) of '$1'" "$@"; then good; fi
    done
}

m=$PWD/$model
mkdir "$base"
capture="capture $m --prompts $work/prompts -n 40 -t 1 -o ."
phiid="phiid . --atoms --null shift --surrogates 20 -t 1 -o . --force"
graph="graph . -t 1"
ablate="ablate $m . --fractions 0.5 --seeds 1 --eval none -t 1"
tracing=no
strace -o "$trace" -e trace=write -e inject=write:error=EIO:when=60000 true > /dev/null 2>&1 && tracing=yes
[ $tracing = yes ] || skip "no strace, or it may not trace here: system calls do not fail"
for line in "info $m -t 1" "run $m -p hello -n 4 -t 1" "$capture" "$phiid" "$graph" "$ablate" "report ." "prune $m . --fraction 0.5 -o pruned.gguf --force"; do
    # shellcheck disable=SC2086
    set -- $line
    allocations "$@"
    if [ $tracing = yes ]; then
        # shellcheck disable=SC2086
        prepare "$@"
        for pair in openat:EMFILE read:EIO write:ENOSPC fsync:EIO rename:EACCES mmap:ENOMEM ftruncate:ENOSPC mkdir:EROFS close:EIO newfstatat:EACCES; do
            calls "${pair%:*}" "${pair#*:}" "$@"
        done
    fi
    # what this command leaves is the input of the next
    case $1 in capture | phiid | graph | ablate | report) rm -rf "$base" && cp -R "$work/ref" "$base" ;; esac
done
finish
