#!/bin/sh
# study.sh DIR [MODEL.gguf...] - the study of bench/README.md on several models (default: the four of
# tools/fetch_model.sh all), a folder DIR/MODEL each: everything that `synergy analyze` measures, the other estimators,
# the heads' importance by gradient, removal in all orders. May be stopped at any moment; the same call goes on.
#
#     PROMPTS=6 SEEDS=3    prompts and random orders of the removal
#     FRACTIONS=F,F,...    the shares that it removes (default: 0.1,0.2,0.3,0.4)
#     THREADS=N            threads (default: all cores)
#     STEPS="..."          some of: analyze estimators gradient ablate (in this order, each for all models)
#     SYNERGY=PROGRAM      the program (default: tools/build/synergy)
#
# Then python3 bench/study_tables.py DIR prints the tables.
set -eu

[ $# -ge 1 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
synergy=${SYNERGY:-$here/../tools/build/synergy}
[ -x "$synergy" ] || { echo "study: $synergy is not there: make -C tools" >&2; exit 1; }
to=$1
shift
if [ $# -eq 0 ]; then
    for model in SmolLM2-135M-Instruct.Q4_1 gemma-3-270m-Q4_K_M qwen2.5-coder-0.5b-Q4_K_M qwen2.5-coder-1.5b-Q4_K_M; do
        [ ! -f "$here/../tools/models/$model.gguf" ] || set -- "$@" "$here/../tools/models/$model.gguf"
    done
    [ $# -gt 0 ] || { echo "study: no model: sh tools/fetch_model.sh all" >&2; exit 1; }
fi
mkdir -p "$to"
threads=${THREADS:+-t $THREADS}

# once DONE COMMAND...: runs it unless the file DONE stands, which it leaves behind
once() {
    done=$1
    shift
    [ ! -f "$done" ] || return 0
    echo "study: $*" >&2
    # shellcheck disable=SC2086 # words
    "$synergy" "$@" $threads || return 1
    : > "$done"
}

# what the gradient does not know is left out, with its line
step() {
    name=$(basename "$2" .gguf)
    out=$to/$name
    case $1 in
        analyze) once "$to/$name.analyzed" analyze "$2" -o "$out" > "$to/$name.txt" ;;
        estimators)
            once "$to/$name.copula.done" phiid "$out" -o "$to/$name.copula" --estimator copula --surrogates 100 > /dev/null
            once "$to/$name.log.done" phiid "$out" -o "$to/$name.log" --transform log --surrogates 100 > /dev/null
            # surrogates of two levels take 30 times as long
            once "$to/$name.binary.done" phiid "$out" -o "$to/$name.binary" --estimator binary > /dev/null ;;
        gradient)
            once "$to/$name.gradient.done" gradient "$2" "$out" > /dev/null || echo "study: no gradient of $name" >&2 ;;
        ablate)
            once "$to/$name.ablated" ablate "$2" "$out" --prompts "${PROMPTS:-6}" --seeds "${SEEDS:-3}" \
                --fractions "${FRACTIONS:-0.1,0.2,0.3,0.4}" --eval none > /dev/null
            [ -f "$to/$name.reported" ] || { "$synergy" report "$out" > /dev/null && : > "$to/$name.reported"; } ;;
        *) echo "study: no step '$1'" >&2; exit 2 ;;
    esac
}

for kind in ${STEPS:-analyze estimators gradient ablate}; do
    for model in "$@"; do step "$kind" "$model"; done
done
