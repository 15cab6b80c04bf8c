# cli_resume.sh - nothing is lost: the same command goes on, a stop says what is kept, a refusal says which setting
# differs, --fresh starts over, logs have progress, and a bar fits its terminal.
. ./cli.sh
notes=yes
model=data/models/llama-f16/model.gguf

same() {
    try "$1" cmp "$2" "$3"
}

awk 'BEGIN { for (i = 0; i < 500; i++) print "tell me of the sea and of ship " i }' > "$work/many"
head -n 20 "$work/many" > "$work/few"
long="capture $model --prompts $work/many -n 60 --raw -t 1"

# stopped SIGNAL STATE... -- ARGUMENTS: sends it as soon as the command STATE is true
stopped() {
    number=$1
    shift
    state=
    while [ "$1" != -- ]; do state="$state $1"; shift; done
    shift
    "$synergy" "$@" > "$work/stdout" 2> "$work/stderr" < /dev/null &
    pid=$!
    while kill -0 $pid 2> /dev/null && ! $state; do :; done
    kill -s "$number" $pid
    wait $pid 2> /dev/null
    code=$?
    what="stopped by $number"
    if [ $code -gt 128 ]; then good; else bad "$what: exit code $code"; fi
    if [ "$(grep -c 'stopped' "$work/stderr")" -eq 1 ]; then good; else bad "$what: not one line of it" "$work/stderr"; fi
}
larger() { [ -f "$1" ] && [ "$(wc -c < "$1")" -gt "$2" ]; }

# ---- capture
# shellcheck disable=SC2086
stopped TERM larger "$work/run/capture.part" 150000 -- $long -o "$work/run"
says " of 500 prompts" # and those under way, where the stop comes in their midst
says " kept in $work/run; to go on: "
if grep -q -- "--prompts $work/many -n 60 --raw -t 1 -o $work/run\$" "$work/stderr"; then good; else bad "the line does not end in the command" "$work/stderr"; fi
if [ -z "$(find "$work/run" -name '*.npy*' -o -name '*.json*')" ]; then good; else bad "a stop leaves results"; fi
size=$(wc -c < "$work/run/capture.part")
# shellcheck disable=SC2086
run 1 "another -n" capture $model --prompts "$work/many" -n 80 --raw -t 1 -o "$work/run"
says "-n 60 there, 80 here"
says "--force"
run 1 "other prompts" capture $model --prompts "$work/few" -n 60 --raw -t 1 -o "$work/run"
says "--prompts many there, few here"
run 1 "another seed and end" capture $model --prompts "$work/many" -n 60 --raw --seed 3 --eos stop -o "$work/run"
says "--seed 1 there, 3 here"
says "--eos ban there, stop here"
run 1 "another model" capture data/models/llama-tied/model.gguf --prompts "$work/many" -n 60 --raw -o "$work/run"
says "sha256"
if [ "$(wc -c < "$work/run/capture.part")" -eq "$size" ]; then good; else bad "a refusal changes the work file"; fi
# shellcheck disable=SC2086
stopped TERM larger "$work/run/capture.part" "$size" -- $long -o "$work/run"
says "going on: "
# shellcheck disable=SC2086
run 0 "the same command once more" $long -o "$work/run"
says "going on: "
if grep -qE '^capture: [0-9]+ %, ' "$work/stderr"; then good; else bad "no progress in a log" "$work/stderr"; fi
# shellcheck disable=SC2086
run 0 "undisturbed" $long -o "$work/steady"
for file in norms.npy tokens.npy sinks.npy run.json columns.json; do same "$file of a stopped run" "$work/steady/$file" "$work/run/$file"; done
# shellcheck disable=SC2086
run 0 "of a finished run" $long -o "$work/run"
says "is complete"
stamp=$(cksum < "$work/run/timing.json")
run 0 "with --fresh" capture $model --prompts "$work/many" -n 60 --raw -t 2 -o "$work/run" --fresh
says "is made anew"
if [ "$(cksum < "$work/run/timing.json")" != "$stamp" ]; then good; else bad "--fresh does nothing"; fi
same "--fresh" "$work/steady/norms.npy" "$work/run/norms.npy"
# shellcheck disable=SC2086
stopped TERM larger "$work/again/capture.part" 150000 -- $long -o "$work/again"
# shellcheck disable=SC2086
stopped TERM grep -q discarded "$work/stderr" -- $long -o "$work/again" --fresh
if grep -qE -- '--fresh: [0-9]+ finished prompts of 500 .* are discarded' "$work/stderr"; then good; else bad "--fresh does not say what it discards" "$work/stderr"; fi
if grep -q -- '--fresh$' "$work/stderr"; then bad "the command that goes on has --fresh" "$work/stderr"; else good; fi
rm "$work/run/norms.npy"
# shellcheck disable=SC2086
run 0 "its norms are gone" $long -o "$work/run"
same "norms made again" "$work/steady/norms.npy" "$work/run/norms.npy"

# two at once would spoil each other's work
# shellcheck disable=SC2086
"$synergy" $long -o "$work/twice" > /dev/null 2>&1 &
pid=$!
while kill -0 $pid 2> /dev/null && ! larger "$work/twice/capture.part" 100000; do :; done
kill -s STOP $pid
# shellcheck disable=SC2086
run 1 "while another one is at work" $long -o "$work/twice"
says "another process"
kill -s KILL $pid
wait $pid 2> /dev/null
printf 'abc %s' "0123456789012345678901234567890123456789012345678901234567890123" > "$work/twice/capture.part"
# shellcheck disable=SC2086
run 1 "a work file of something else" $long -o "$work/twice"
says "--force"

# ---- interventions
run 0 "a recording" capture $model --prompts "$work/few" -n 60 --raw -o "$work/dir"
run 0 "its scores" phiid "$work/dir"
# shellcheck disable=SC2043
for study in ablate; do
    stopped TERM larger "$work/dir/ablation.part" 30000 -- $study $model "$work/dir" --seeds 5 -t 1
    says "pieces are kept in $work/dir; to go on: "
    run 1 "other seeds" $study $model "$work/dir" --seeds 4
    says "--seeds 5 there, 4 here"
    run 0 "the same command" $study $model "$work/dir" --seeds 5 -t 1
    says "going on: "
    run 0 "undisturbed" $study $model "$work/dir" --seeds 5 -t 1 -o "$work/other"
    for file in ablation.csv ablation_accuracy.csv ablation.json; do same "$file after a stop" "$work/other/$file" "$work/dir/$file"; done
    run 0 "finished" $study $model "$work/dir" --seeds 5
    says "is complete"
    run 1 "another score" $study $model "$work/dir" --seeds 5 --score synergy
    says "--score score there, synergy here"
done
run 0 "noise" perturb $model "$work/dir" --seeds 1 --eval none
run 1 "other noise" perturb $model "$work/dir" --seeds 1 --eval none --share 0.5
says "--share 0.25 there, 0.5 here"

# ---- a bar that fits
if have python3; then
    cat > "$work/terminal.py" <<'PY'
import fcntl, os, pty, struct, sys, termios, time
columns = int(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    time.sleep(0.2)
    os.execv(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
seen = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    seen += piece
os.waitpid(pid, 0)
bars = [line for line in seen.decode().replace("\x1b[K", "").split("\r") if "%" in line and "note" not in line]
assert len(bars) > 3, seen
assert max(map(len, bars)) < columns, max(bars, key=len)
assert any("#" in line for line in bars) or columns < 24, bars[-1]
PY
    for columns in 20 33 60 200; do
        # shellcheck disable=SC2086
        try "a terminal of $columns columns" python3 "$work/terminal.py" $columns "$synergy" $long -o "$work/bar" --fresh
    done
else
    skip "no python3 for a terminal"
fi
finish
