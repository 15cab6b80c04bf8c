#!/bin/sh
# A run split over processes and merged is byte for byte the run of one process: by hand, under Open MPI's mpirun, under
# GNU parallel, and with the variables of other launchers. What does not belong together is refused, what is missing named.
. ./cli.sh
notes=yes
model=data/gguf/ok_bpe.gguf
unset OMPI_COMM_WORLD_RANK PMI_RANK SLURM_PROCID SLURM_ARRAY_TASK_ID PBS_ARRAY_INDEX SGE_TASK_ID

# alike TEXT D1 D2: the results of two runs, every byte
alike() {
    for file in norms.npy tokens.npy run.json lengths.npy sinks.npy; do
        [ -e "$2/$file" ] || [ -e "$3/$file" ] || continue
        if cmp "$2/$file" "$3/$file" > "$work/cmp" 2>&1; then good; else bad "$1: $file:" "$work/cmp"; fi
    done
}

{
    printf 'greeting\thello world\nnumber\tone two three\n\nx\nyes\tno\nfive\n"quoted", \\ and more\n'
    printf 'caf\303\251\ttea\nlast but two\n7 8\nlast\n'
} > "$work/prompts"
set -- --prompts "$work/prompts" -n 9 -t 1
one="$work/one"
run 0 "one process" capture $model "$@" -o "$one"

# ---- texts side by side: as many as the memory holds, and the bytes of one at a time
for memory in 1 200K 400K 64M; do
    for kind in "" "--temp 1.3 --seed 7" "--eos stop --temp 2 --seed 3"; do
        # shellcheck disable=SC2086
        run 0 "alone, $kind" capture $model "$@" $kind -o "$work/single" --memory 1 --fresh --force
        # shellcheck disable=SC2086
        run 0 "$memory, $kind" capture $model "$@" $kind -t 2 -o "$work/beside" --memory $memory --fresh --force
        alike "--memory $memory $kind" "$work/single" "$work/beside"
    done
done
says "texts side by side"
run 2 "no size" capture $model "$@" -o "$work/x" --memory much

# ---- by hand; the longest prompt is in one shard only, and the last shards are shorter
for k in 2 3 4 10; do
    i=0
    while [ $i -lt $k ]; do
        run 0 "shard $i/$k" capture $model "$@" --shard $i/$k -o "$work/hand$k/shard-$i-of-$k"
        i=$((i + 1))
    done
    run 0 "merge $k" merge "$work/hand$k" -o "$work/merged$k"
    alike "$k shards" "$one" "$work/merged$k"
done
run 0 "folders in any order" merge "$work/hand3/shard-2-of-3" "$work/hand3/shard-0-of-3" "$work/hand3/shard-1-of-3" -o "$work/m3"
alike "any order" "$one" "$work/m3"
run 0 "into the same folder" merge "$work/hand3" -o "$work/hand3"
alike "into the same folder" "$one" "$work/hand3"
run 0 "and again" merge "$work/hand3" -o "$work/hand3"
run 0 "a merged run goes on as a whole one" capture $model "$@" --resume -o "$work/merged3"
alike "resumed" "$one" "$work/merged3"

# drawn tokens, series that end, experts
for kind in "--temp 1.3 --seed 7" "--eos stop --temp 2 --seed 3"; do
    # shellcheck disable=SC2086
    run 0 "one, $kind" capture $model "$@" $kind -o "$work/k1" --force
    rm -rf "$work/k2"
    for i in 0 1 2; do
        # shellcheck disable=SC2086
        run 0 "shard, $kind" capture $model "$@" $kind --shard $i/3 -o "$work/k2/shard-$i-of-3"
    done
    run 0 "merge, $kind" merge "$work/k2" -o "$work/k3" --force
    alike "$kind" "$work/k1" "$work/k3"
done
run 0 "experts" capture data/gguf/ok_moe.gguf "$@" --units experts -o "$work/e1"
for i in 0 1; do
    run 0 "shard of experts" capture data/gguf/ok_moe.gguf "$@" --units experts --shard $i/2 -o "$work/e2/shard-$i-of-2"
done
run 0 "merge of experts" merge "$work/e2" -o "$work/e3"
alike "experts" "$work/e1" "$work/e3"

# ---- refusals
run 2 "no output" merge "$work/hand2"
run 2 "no input" merge -o "$work/none"
run 1 "one is missing" merge "$work/hand4/shard-0-of-4" "$work/hand4/shard-1-of-4" "$work/hand4/shard-3-of-4" -o "$work/none"
says "shard 2 of 4 is missing"
run 1 "two are missing" merge "$work/hand4/shard-0-of-4" "$work/hand4/shard-3-of-4" -o "$work/none"
says "shards 1, 2 of 4 are missing"
run 1 "one is there twice" merge "$work/hand2" "$work/hand2/shard-1-of-2" -o "$work/none"
says "shard 1 of 2 again"
run 1 "of 3 and of 4" merge "$work/hand3/shard-0-of-3" "$work/hand4/shard-1-of-4" -o "$work/none"
says "one of 4"
run 0 "another model" capture data/gguf/ok_v3_q8_0.gguf "$@" --shard 1/2 -o "$work/other"
run 1 "another model" merge "$work/hand2/shard-0-of-2" "$work/other" -o "$work/none"
says "another model"
run 0 "another setting" capture $model "$@" --seed 2 --shard 1/2 -o "$work/other" --force
run 1 "another setting" merge "$work/hand2/shard-0-of-2" "$work/other" -o "$work/none"
says seed
sed 's/five/four/' "$work/prompts" > "$work/x" && mkdir "$work/p" && mv "$work/x" "$work/p/prompts"
run 0 "another prompt" capture $model --prompts "$work/p/prompts" -n 9 -t 1 --shard 1/2 -o "$work/other" --force
run 1 "another prompt" merge "$work/hand2/shard-0-of-2" "$work/other" -o "$work/none"
says prompts
run 1 "no run" merge data "$work/hand2/shard-1-of-2" -o "$work/none"
says run.json
run 1 "another run in the folder" merge "$work/hand2" -o "$work/e1"
says --force
run 1 "another shard in the folder" capture $model "$@" --shard 1/2 -o "$work/hand2/shard-0-of-2"
head -c 200 "$work/hand2/shard-0-of-2/norms.npy" > "$work/cut" && mkdir "$work/cutrun" &&
    cp "$work/hand2/shard-0-of-2/"* "$work/cutrun/" && mv "$work/cut" "$work/cutrun/norms.npy"
run 1 "cut norms" merge "$work/cutrun" "$work/hand2/shard-1-of-2" -o "$work/none"
if [ ! -e "$work/none/norms.npy" ]; then good; else bad "a refusal left norms"; fi

# ---- launchers
if have mpirun; then
    # as root in a container; Open MPI wants a short path for its files
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
    export OMPI_MCA_btl_vader_single_copy_mechanism=none
    for n in 4 12; do # more processes than prompts, too
        if mpirun --oversubscribe --allow-run-as-root -np $n "$synergy" capture $model "$@" -o "$work/mpi$n" > "$work/out" 2>&1; then
            good
        else
            bad "mpirun -np $n" "$work/out"
        fi
        run 0 "merge after mpirun" merge "$work/mpi$n" -o "$work/mpi$n.all"
        alike "mpirun -np $n" "$one" "$work/mpi$n.all"
    done
    run 0 "merge in place after mpirun" merge "$work/mpi4" -o "$work/mpi4"
    alike "mpirun, in place" "$one" "$work/mpi4"
    # a folder for each process
    export OUT="$work/own"
    # shellcheck disable=SC2016
    if mpirun -x OUT --oversubscribe --allow-run-as-root -np 3 sh -c '"$0" capture "$@" -o "$OUT.$OMPI_COMM_WORLD_RANK"' \
        "$synergy" $model "$@" > "$work/out" 2>&1 < /dev/null; then good; else bad "mpirun, own folders" "$work/out"; fi
    run 0 "merge of own folders" merge "$OUT.0" "$OUT.1" "$OUT.2" -o "$OUT.all"
    alike "mpirun, own folders" "$one" "$OUT.all"
else
    skip "no mpirun"
fi
if have parallel && parallel --version 2> /dev/null | grep -q GNU; then
    if HOME=$work parallel --will-cite -j 4 "$synergy" capture $model "$@" --shard {}/4 -o "$work/par/shard-{}-of-4" ::: 0 1 2 3 > "$work/out" 2>&1; then
        good
    else
        bad "parallel" "$work/out"
    fi
    run 0 "merge after parallel" merge "$work/par" -o "$work/par.all"
    alike "GNU parallel" "$one" "$work/par.all"
else
    skip "no GNU parallel"
fi

# the variables of MPICH, Slurm and job arrays, which may count from another number than 0
for kind in "PMI_RANK PMI_SIZE 0" "SLURM_PROCID SLURM_NTASKS 0" "SLURM_ARRAY_TASK_ID SLURM_ARRAY_TASK_COUNT 5" \
    "PBS_ARRAY_INDEX PBS_ARRAY_COUNT 0" "SGE_TASK_ID SGE_TASK_LAST 1"; do
    # shellcheck disable=SC2086
    set -- $kind "$@"
    rank=$1 size=$2 first=$3
    shift 3
    for i in 0 1 2; do
        of=3
        [ "$size" != SGE_TASK_LAST ] || of=$((first + 2))
        env "$rank=$((first + i))" "$size=$of" SLURM_ARRAY_TASK_MIN="$first" SGE_TASK_FIRST="$first" \
            "$synergy" capture $model "$@" -o "$work/$rank" > "$work/out" 2>&1 || bad "$rank" "$work/out"
    done
    run 0 "merge after $rank" merge "$work/$rank" -o "$work/$rank.all"
    alike "$rank" "$one" "$work/$rank.all"
done
# one process alone in its folder leaves its files there, too; --shard goes before what a launcher says
PMI_RANK=1 PMI_SIZE=2 "$synergy" capture $model "$@" -o "$work/alone" > "$work/out" 2>&1 || bad "alone" "$work/out"
alike "alone in its folder" "$work/hand2/shard-1-of-2" "$work/alone"
PMI_RANK=0 PMI_SIZE=2 "$synergy" capture $model "$@" --shard 1/2 -o "$work/said" > "$work/out" 2>&1 || bad "--shard" "$work/out"
alike "--shard before the environment" "$work/hand2/shard-1-of-2" "$work/said"
if [ -z "$(find "$work" -name '*.part')" ]; then good; else bad "parts of files are left"; fi
finish
