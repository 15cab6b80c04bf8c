#!/bin/sh
# Every allocation of the program fails in turn (a small library in front of libc's), and every system call that reads,
# writes, maps, renames or removes a file fails at its n-th time, for every n (strace injects the errors). In no case a
# crash; a failure is one line and exit code 1; a file that is there afterwards is whole: that of an undisturbed run, or
# the one that lay there before; a run that says 0 has left everything. The same command again, undisturbed, ends right.
# All of them take long: with SYN_FAULTS=all each is tried, else so many of each kind and command (1), spread over its run,
# elsewhere for each. SYN_FAULT_COMMANDS: only these ("train tune").
. ./cli.sh
notes=yes
model=data/gguf/ok_bpe.gguf
[ "$(uname -s)" = Linux ] || { skip "faults are injected on Linux only"; finish; }
${CC:-cc} -shared -fPIC -O1 -o "$work/alloc.so" faults/alloc.c -ldl > "$work/cc" 2>&1 || { skip "no shared library: $(head -n 1 "$work/cc")"; finish; }
printf 'hello world\none two three\n' > "$work/prompts"
faults=${SYN_FAULTS:-1}
base="$work/base" out="$work/out" mark="$work/mark" trace="$work/trace" loader="$work/loader"

# the files of a run that hold no clock
list() {
    (cd "$1" && find . -type f ! -name '*.part' ! -name timing.json | sort)
}

# what is printed, without speeds; a path of the folder may be printed whole
printed() {
    sed "s|$1|DIR|g; s|[0-9.]* tokens/s||" "$2"
}

# The runs before the one under test make its input in $base, the run itself $ref: what it leaves undisturbed.
prepare() {
    rm -rf "$work/ref" && cp -R "$base" "$work/ref" && cd "$work/ref" || exit 1
    FAULT_COUNT="$work/allocations" LD_PRELOAD="$work/alloc.so" "$here/$synergy" "$@" > "$work/stdout" 2> "$work/stderr" || bad "undisturbed: $*" "$work/stderr"
    cd "$here" || exit 1
    printed "$work/ref" "$work/stdout" > "$work/ref.said"
    list "$work/ref" > "$work/ref.list"
}

# strays: the files of $out that the undisturbed run has otherwise, or not at all
strays() {
    LC_ALL=C diff -rq -x '*.part' -x timing.json "$out" "$work/ref" > "$work/differ"
    sed -n "s|^Files $out/\(.*\) and $work/ref/.* differ\$|\1|p; s|^Only in $out: \(.*\)|\1|p; s|^Only in $out/\(.*\): \(.*\)|\1/\2|p" "$work/differ"
}

# Tables and a description that grow with a run are whole lines of what they become; of a state that is cut the same
# command again cannot go on.
grows() {
    case $1 in
        */loss.csv | */heldout.csv | */steps.csv | */accuracy.csv)
            head -c "$(wc -c < "$out/$1")" "$work/ref/$1" | cmp -s - "$out/$1" && [ -z "$(tail -c 1 "$out/$1")" ] ;;
        */columns.json) [ "$(tail -c 2 "$out/$1")" = "}" ] ;;
        */state.gguf) true ;;
        *) false ;;
    esac
}

# whole TEXT: each file of $out is that of the undisturbed run or the one from before
whole() {
    for f in $(strays); do
        cmp -s "$out/$f" "$base/$f" || grows "/$f" || { bad "$1: $f is neither the new nor the old one"; return 1; }
    done
    for f in $(cd "$out" && find . -name '*.part'); do
        ! grep -qxF "${f%.part}" "$work/ref.list" || { bad "$1: half a file is left: $f"; return 1; }
    done
}

# judge TEXT CODE: after a run with a fault
judge() {
    if [ "$2" -gt 1 ]; then bad "$1: exit code $2" "$work/stderr"; return 1; fi
    if [ "$2" -eq 1 ]; then
        [ "$(complaint | grep -cv ' tokens/s$')" -eq 1 ] && complaint | grep -q '^synergy' || { bad "$1: not one line" "$work/stderr"; return 1; }
    elif [ "$2" -eq 0 ]; then
        list "$out" | cmp -s - "$work/ref.list" || { bad "$1: says 0, and files are missing"; return 1; }
        printed "$out" "$work/stdout" | cmp -s - "$work/ref.said" || { bad "$1: says 0, and printed something else"; return 1; }
    fi
    whole "$1"
}

# again TEXT COMMAND...: what a person does then
again() {
    text=$1
    shift
    (cd "$out" && "$here/$synergy" "$@" > "$work/stdout" 2> "$work/stderr") || { bad "$text, and again:" "$work/stderr"; return 1; }
    [ -z "$(strays)" ] && ! grep -q "^Only in $work/ref" "$work/differ" || { bad "$text, and again:" "$work/differ"; return 1; }
}

fresh() {
    rm -rf "$out" && cp -R "$base" "$out"
}

here=$PWD
case $synergy in /*) here="" ;; esac

# chosen FIRST LAST SALT: which of these are tried; of all, after the first 120, every 41st, since thousands of rows of a
# table or of a matrix are alike
chosen() {
    awk -v first="$1" -v last="$2" -v salt="$3" -v wanted="$faults" 'BEGIN {
        all = last - first + 1
        if (wanted == "all") { for (i = first; i <= last; i += i - first < 120 ? 1 : 41) print i; exit }
        if (wanted + 0 >= all) { for (i = first; i <= last; i++) print i; exit }
        for (i = 0; i < wanted; i++) print first + int((i + salt * 0.618034 % 1) * all / wanted)
    }'
}

# preloaded N COMMAND...: with a fault of the library; false where it was not reached
preloaded() {
    fault=$1
    shift
    fresh
    rm -f "$mark"
    (cd "$out" && env "$fault" FAULT_MARK="$mark" LD_PRELOAD="$work/alloc.so" "$here/$synergy" "$@" > "$work/stdout" 2> "$work/stderr")
    code=$?
    [ -e "$mark" ]
}

allocations() {
    for n in $(chosen 1 "$(cat "$work/allocations")" ${#1}); do
        preloaded FAULT_AT="$n" "$@" || continue
        if judge "allocation $n of '$1'" $code && again "allocation $n of '$1'" "$@"; then good; fi
    done
}

# Half of what was asked for is no failure, at one call or at each.
short_reads() {
    for n in 0 $(chosen 1 $(($(called pread64 "$trace") - $(called pread64 "$loader"))) ${#1}); do
        preloaded FAULT_SHORT="$n" "$@" || continue
        if judge "short read $n of '$1'" $code && [ $code -eq 0 ]; then good; else bad "short read $n of '$1'" "$work/stderr"; fi
    done
}

# traced CALL EXPRESSION COMMAND...
traced() {
    call=$1 inject=$2
    shift 2
    fresh
    (cd "$out" && strace $quick -o "$trace.now" -e "trace=$call" ${inject:+-e "inject=$call:$inject"} "$here/$synergy" "$@" > "$work/stdout" 2> "$work/stderr")
}

# how often a call stands in a trace
called() {
    grep -c "^[0-9]* *$1(" "$2"
}

# calls CALL ERROR COMMAND...: behind those of the dynamic loader, before any line of the program runs
calls() {
    call=$1 error=$2
    shift 2
    last=$(called "$call" "$trace")
    [ "$last" -lt 65535 ] || last=65535 # strace counts no further
    for n in $(chosen $(($(called "$call" "$loader") + 1)) "$last" $((${#error} + 3 * ${#1} + ${#call}))); do
        traced "$call" "error=$error:when=$n" "$@"
        code=$?
        grep -q INJECTED "$trace.now" || continue
        what="$call $n ($error) of '$1'"
        if [ "$error" = EINTR ] && [ $code -ne 0 ]; then bad "$what: not tried again" "$work/stderr"; continue; fi
        if judge "$what" $code && again "$what" "$@"; then good; fi
    done
}

m=$PWD/$model
mkdir "$base"
cp ../LICENSE "$base/text"
tracing=no quick=-f
strace -o "$trace" -e trace=write -e inject=write:error=EIO:when=60000 true > /dev/null 2>&1 && tracing=yes
[ $tracing = yes ] || skip "no strace, or it may not trace here: system calls do not fail"
# only the calls looked for stop the program, where strace can do that
strace -f --seccomp-bpf -o "$trace" -e trace=write true > /dev/null 2>&1 && quick="-f --seccomp-bpf"
windowed=pread64:EIO,pread64:EINTR
injected=openat:EMFILE,read:EIO,write:ENOSPC,fsync:EIO,rename:EACCES,mmap:ENOMEM,ftruncate:ENOSPC,mkdir:EROFS,close:EIO,newfstatat:EACCES
traceable=pread64,$(echo "$injected" | sed 's/:[A-Z]*//g')
learn="--steps 2 --batch 1 -t 1"
while read -r line <&3; do
    # shellcheck disable=SC2086
    set -- $line
    wanted=yes
    case " ${SYN_FAULT_COMMANDS:-$1} " in *" $1 "*) ;; *) wanted=no ;; esac
    prepare "$@"
    if [ $wanted = yes ]; then
        allocations "$@"
        if [ $tracing = yes ]; then
            traced "$traceable" "" version
            mv "$trace.now" "$loader"
            traced "$traceable" "" "$@"
            mv "$trace.now" "$trace"
            # the mapped file is not read, a window does nothing else
            case $* in *--window*) pairs=$windowed ;; *) pairs=$injected ;; esac
            for pair in $(echo "$pairs" | tr , ' '); do
                calls "${pair%:*}" "${pair#*:}" "$@"
            done
            [ "$pairs" = $injected ] || short_reads "$@"
        fi
    fi
    # what this command leaves is the input of the next
    case $1 in capture | phiid | graph | ablate | report | train) rm -rf "$base" && cp -R "$work/ref" "$base" ;; esac
done 3<< END
info $m -t 1
run $m -p hello -n 4 -t 1
run $PWD/data/gguf/ok_v3_f32.gguf -p hello -n 2 -t 1 --window 16K
capture $m --prompts $work/prompts -n 40 -t 1 -o .
phiid . --atoms --null shift --surrogates 20 -t 1 -o . --force
graph . -t 1
ablate $m . --fractions 0.5 --seeds 1 --eval none -t 1
report .
prune $m . --fraction 0.5 -o pruned.gguf --force
train --text text --vocab 260 --layers 2 --width 16 --heads 2 -c 16 $learn -o fresh
train --init $m --text text -c 16 $learn --checkpoints 1,2 -o trained
tune $m . --method sft --subset all --task agreement --items 2 --most 4 $learn -o tuned
tune $m . --method grpo --subset all --task agreement --items 2 --most 4 --group 2 $learn
emerge trained/step-2.gguf --text text --rows 3 -c 24 --from 0 --surrogates 2 -t 1 -o emerged
END
finish
