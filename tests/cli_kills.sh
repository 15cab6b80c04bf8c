# cli_kills.sh - killed at random moments (kill -9, SIGTERM, SIGINT), and the same command again: never a half file, and what
# comes out in the end is what an undisturbed run gives, byte for byte. SYN_KILLS: how many kills in all (default 11);
# SYN_SEED: of the moments.
. ./cli.sh
timeout --preserve-status 1 true 2> /dev/null || { skip "no timeout command"; finish; }
kills=${SYN_KILLS:-11}
seed=${SYN_SEED:-$$}
case $synergy in /*) ;; *) synergy=$PWD/$synergy ;; esac
model=$PWD/../examples/models/synergy-tiny.Q8_0.gguf
head -n 8 ../examples/models/prompts.txt > "$work/prompts"
head -c 10000 ../README.md > "$work/text"
mkdir "$work/here"
cd "$work/here" || exit 1 # where eval and perplexity keep what they have

now() { # in milliseconds, or seconds where the clock has no more
    case $(date +%N) in *N*) echo "$(date +%s)000" ;; *) date +%s%N | cut -c1-13 ;; esac
}
moment=0
random_delay() { # of so many milliseconds, in seconds; on a busy machine a program takes a while to begin
    moment=$((moment + 1))
    awk -v seed=$((seed + 977 * moment)) -v all="$1" 'BEGIN { srand(seed); rand(); printf "%.3f", 0.3 + rand() * all / 1000 }'
}

# every file that is there is whole: columns.json grows with what is there, timing.json is a clock, a state is proved by
# going on from it; tables of steps grow by whole lines
whole() { # OUT REFERENCE
    [ -d "$1" ] || return 0
    (cd "$1" && find . -type f ! -name '*.part' ! -name timing.json ! -name columns.json ! -name state.gguf) |
        while read -r file; do
            case $file in
                */loss.csv | */heldout.csv | */steps.csv | */accuracy.csv)
                    [ -z "$(tail -c 1 "$1/$file")" ] && head -c "$(wc -c < "$1/$file")" "$2/$file" | cmp - "$1/$file" ;;
                *) cmp "$1/$file" "$2/$file" ;;
            esac || { echo "$file"; exit 1; }
        done
}
final() { # OUT REFERENCE: the same files, and the same in them
    if [ -d "$2" ]; then diff -rq -x timing.json "$1" "$2"; else cmp "$1" "$2"; fi
}

# killed NAME ARGUMENTS...: -o OUT is added where the command has a folder; without one what it prints is the result
killed() {
    name=$1
    shift
    output=$work/$name reference=$work/$name-steady folder=yes
    case $name in eval | perplexity) folder= ;; esac
    start=$(now)
    # shellcheck disable=SC2086
    run 0 "$name, undisturbed" "$@" ${folder:+-o "$reference"}
    [ -n "$folder" ] || cp "$work/stdout" "$reference"
    lasts=$(($(now) - start))
    count=$share
    while [ $count -gt 0 ]; do
        case $((count % 3)) in 0) signal=KILL ;; 1) signal=TERM ;; *) signal=INT ;; esac
        delay=$(random_delay $lasts)
        out=$work/stdout
        [ -n "$folder" ] || out=$output
        # shellcheck disable=SC2086
        timeout --preserve-status -s $signal "$delay" "$synergy" "$@" ${folder:+-o "$output"} > "$out" 2> "$work/stderr" < /dev/null
        code=$?
        what="$name, $signal after $delay s of $((lasts / 1000)).$((lasts % 1000)) (SYN_SEED=$seed)"
        if [ $code -eq 0 ]; then
            try "$what, which was too late" final "$output" "$reference"
            rm -rf "$output"
        elif [ $code -le 128 ]; then bad "$what: exit code $code" "$work/stderr"
        elif [ $signal != KILL ] && [ "$(grep -c ': stopped' "$work/stderr")" -ne 1 ]; then bad "$what: not one line of it" "$work/stderr"
        elif [ -n "$folder" ]; then try "$what: a half file" whole "$output" "$reference"
        else good; fi
        count=$((count - 1))
    done
    # shellcheck disable=SC2086
    run 0 "$name, to its end" "$@" ${folder:+-o "$output"}
    [ -n "$folder" ] || cp "$work/stdout" "$output"
    try "$name: a killed run gives other results" final "$output" "$reference"
}

share=$(((kills + 10) / 11))
killed capture capture "$model" --prompts "$work/prompts" --raw -n 120 --temp 0.8
killed analyze analyze "$model" --prompts "$work/prompts" --raw -n 40 --surrogates 50 --one-estimator
run 0 "ids" capture "$model" --prompts "$work/prompts" --raw -n 100 -o "$work/ids"
killed tokens capture "$model" --tokens "$work/ids/tokens.npy" --logits
killed ablate ablate "$model" "$work/analyze" --seeds 1 --prompts 6 --eval none
killed phiid phiid "$work/ids" --surrogates 400 --bias-correct
killed graph graph "$work/analyze" --nulls 150
killed train train --init "$model" --corpus 1 --steps 8 --batch 2 -c 64
killed emerge emerge "$work/train-steady/step-1.gguf" "$work/train-steady/step-8.gguf" --rows 8 -c 48 --surrogates 5
killed tune tune "$model" "$work/analyze" --method grpo --subset core --task words --steps 6 --batch 2 --group 2 --items 8 --most 24 --evaluate 1
killed eval eval "$model" --each
killed perplexity perplexity "$model" -f "$work/text" --json
if [ -z "$(find . -type f)" ]; then good; else bad "a finished command leaves its log: $(find . -type f)"; fi

# ---- what is kept is refused to other settings, by name; --fresh says what it discards; estimates
notes=yes
larger() { [ -f "$1" ] && [ "$(wc -c < "$1")" -gt "$2" ]; }
until_larger() { # FILE BYTES ARGUMENTS...
    file=$1 bytes=$2
    shift 2
    "$synergy" "$@" > "$work/stdout" 2> "$work/stderr" < /dev/null &
    pid=$!
    while kill -0 $pid 2> /dev/null && ! larger "$file" "$bytes"; do sleep 0.1; done
    kill -s TERM $pid
    wait $pid 2> /dev/null
    what="$1 until $bytes bytes of log"
}
long="phiid $work/ids --surrogates 200000"
# shellcheck disable=SC2086
until_larger "$work/ids2/phiid.part" 20000 $long -o "$work/ids2"
says "of 200000 surrogates are kept in $work/ids2; to go on: "
says " x 200000 surrogates; memory "
says "; about "
# shellcheck disable=SC2086
run 1 "another lag" $long -o "$work/ids2" --tau 2
says "--tau 1 there, 2 here"
# shellcheck disable=SC2086
timeout -s TERM 2 "$synergy" $long -o "$work/ids2" --fresh > "$work/stdout" 2> "$work/stderr"
says "finished surrogates of 200000 in $work/ids2/phiid.part are discarded"
until_larger "$work/net/graph.part" 6000 graph "$work/analyze" --nulls 200000 -o "$work/net"
says "networks are kept in $work/net; to go on: "
says "; about "
run 0 "shard 0" capture "$model" --prompts "$work/prompts" --raw -n 20 --shard 0/2 -o "$work/s0"
run 0 "shard 1" capture "$model" --prompts "$work/prompts" --raw -n 24 --seed 5 --shard 1/2 -o "$work/s1"
run 1 "shards of other settings" merge "$work/s0" "$work/s1" -o "$work/s"
says "-n 24 there, 20 here"
says "--seed 5 there, 1 here"
run 1 "another batch" train --init "$model" --corpus 1 --steps 8 --batch 3 -c 64 -o "$work/train"
says "--batch 2 there, 3 here"
finish
