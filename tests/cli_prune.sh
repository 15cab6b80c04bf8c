#!/bin/sh
# `synergy prune`: the written model computes what the original does with a gain of 0 on the removed units, for every
# family and many tensor types; groups that are cut; what is copied; the choice by score; refusals; the plan of types.
. ./cli.sh
notes=yes
models=data/models
near=2e-5 # float32 sums of another order; the effects are above 1
tool=$work/prune_tool
${CC:-cc} -std=c99 -O1 -Wall -Wextra prune_tool.c -o "$tool" -lm > "$work/out" 2>&1 || { bad "prune_tool.c does not compile" "$work/out"; finish; }

prints() {
    if grep -qF -- "$1" "$work/stdout"; then good; else bad "$what: prints no '$1'" "$work/stdout"; fi
}

# is TEXT EXPECTED COMMAND...: what a command prints
is() {
    text=$1 expected=$2
    shift 2
    printed=$("$@" 2>&1)
    if [ "$printed" = "$expected" ]; then good; else bad "$text: '$printed', expected '$expected'"; fi
}

absent() {
    if [ -e "$1" ] || [ -e "$1.part" ]; then bad "$what: $1 was left behind"; else good; fi
}

# ---- heads are zeroed: the logits are those of the original with a gain of 0

# zeroed MODEL HEADS: nothing but attn_output changes
zeroed() {
    run 0 "$1" prune "$models/$1/model.gguf" --heads "$2" --keep-shape -o "$work/$1.gguf"
    try "$1 without heads $2" "$tool" gain "$models/$1/model.gguf" "$work/$1.gguf" $near heads "$2"
    try "$1: the rest" "$tool" others "$models/$1/model.gguf" "$work/$1.gguf" attn_output.weight
}
zeroed llama-f16 0.0,1.3,2.5
zeroed llama-tied 0.1,1.3,1.4                 # F32
zeroed llama-bias 0.1,1.0,1.5
zeroed llama-q8_0 0.0,0.1,1.4                # 16 columns of blocks of 32
zeroed llama-tied-q4_1 0.1,1.0,1.2
zeroed llama-moe-q5_1 0.0,0.1,1.2,1.3        # whole blocks
zeroed qwen2-q4_0 0.2,0.3,1.0
zeroed qwen3-bf16 0.0,1.4
zeroed qwen3-yarn 0.0,0.1,1.3
zeroed qwen3moe-tiny 0.3,1.1
zeroed gemma2-tiny 0.0,3.2
zeroed gemma3-f16 0.0,6.2
zeroed gemma3-q5_0 2.1,5.0
zeroed gemma3-q4_k 0.1,1.3                   # 64 columns of blocks of 256
zeroed gptneox-f16 0.5,1.0
zeroed gptneox-seq-tiny 0.1,1.4
zeroed gpt2-iq4_nl 0.2,0.3,1.0,1.1
zeroed deepseek2-q8_0 0.0,1.4
zeroed deepseek2-tiny 0.0,2.1
zeroed deepseek2-kvb-tiny 0.1,1.2
zeroed olmo2-q8_0 0.0
zeroed olmo2 0.1,1.5
zeroed phi3-q8_0 0.1,1.2
zeroed phi3 0.0,1.2
zeroed starcoder2-q4_0 0.3,1.0
is "the type is kept" "Q4_K [256, 256]" "$tool" tensor "$work/gemma3-q4_k.gguf" blk.0.attn_output.weight
is "the type is kept" "Q8_0 [96, 96]" "$tool" tensor "$work/llama-q8_0.gguf" blk.0.attn_output.weight

# ---- half a block of a type without zeros: F32, with a note
run 0 "half a block of IQ4_NL" prune $models/gpt2-iq4_nl/model.gguf --heads 0.0,1.4-5 -o "$work/half.gguf"
says "1 tensors became F32: IQ4_NL"
is "became F32" "F32 [96, 96]" "$tool" tensor "$work/half.gguf" blk.0.attn_output.weight
is "stayed" "IQ4_NL [96, 96]" "$tool" tensor "$work/half.gguf" blk.1.attn_output.weight
try "half a block of IQ4_NL" "$tool" gain $models/gpt2-iq4_nl/model.gguf "$work/half.gguf" $near heads 0.0,1.4,1.5

# ---- as many KV groups from every layer: cut, from each layer its own

# groups MODEL LIST HEADS: LIST names what HEADS spells out
groups() {
    run 0 "$1" prune "$models/$1/model.gguf" --heads "$2" -o "$work/$1.gguf" --force
    prints "cut from every layer"
    try "$1 cut by $2" "$tool" gain "$models/$1/model.gguf" "$work/$1.gguf" $near heads "$3"
    small=$(wc -c < "$work/$1.gguf") large=$(wc -c < "$models/$1/model.gguf")
    if [ "$small" -lt "$large" ]; then good; else bad "$1: $small bytes, $large before"; fi
}
groups llama-f16 0.0-2,1.3-5,2.0-2 0.0,0.1,0.2,1.3,1.4,1.5,2.0,2.1,2.2
is "query heads" 3 "$tool" key "$work/llama-f16.gguf" llama.attention.head_count
is "KV heads" 1 "$tool" key "$work/llama-f16.gguf" llama.attention.head_count_kv
is "the size of a head is written out" 16 "$tool" key "$work/llama-f16.gguf" llama.attention.key_length
is "output projection" "F16 [48, 96]" "$tool" tensor "$work/llama-f16.gguf" blk.1.attn_output.weight
is "key projection" "F16 [96, 16]" "$tool" tensor "$work/llama-f16.gguf" blk.1.attn_k.weight
try "the rest" "$tool" others $models/llama-f16/model.gguf "$work/llama-f16.gguf" attn_q.weight attn_k.weight attn_v.weight attn_output.weight
groups llama-bias '*.0-2' 0.0,0.1,0.2,1.0,1.1,1.2
groups llama-moe-q5_1 0.0-1,1.2-3 0.0,0.1,1.2,1.3
groups qwen3-bf16 '*.2-3' 0.2,0.3,1.2,1.3
groups qwen3-yarn '0.*,1.0-1' 0.0,0.1,0.2,0.3,1.0,1.1
groups gemma2-tiny '*.2-3,1.0' 0.2,0.3,1.2,1.3,2.2,2.3,3.2,3.3,1.0
groups deepseek2-tiny '*.1' 0.1,1.1,2.1
groups deepseek2-kvb-tiny '*.1-2' 0.1,0.2,1.1,1.2
is "KV heads of the old layout" 2 "$tool" key "$work/deepseek2-kvb-tiny.gguf" deepseek2.attention.head_count_kv
run 0 "a layer that keeps all" prune $models/qwen3-yarn/model.gguf --heads 0.0-1 -o "$work/some.gguf"
prints "not every layer loses a whole KV group"
is "the architecture stays" qwen3 "$tool" key "$work/some.gguf" general.architecture
run 0 "blocks across groups" prune $models/llama-q8_0/model.gguf --heads '*.0-2' -o "$work/blocks.gguf"
prints "not whole blocks"
try "blocks across groups" "$tool" gain $models/llama-q8_0/model.gguf "$work/blocks.gguf" $near heads 0.0,0.1,0.2,1.0,1.1,1.2
run 0 "a fixed number of heads" prune $models/phi3/model.gguf --heads '*.0' -o "$work/fixed.gguf"
prints "all its heads only"
run 0 "a cut model can be pruned again" prune "$work/llama-f16.gguf" --heads 0.1 -o "$work/again.gguf"
is "the later units" L0H1 "$tool" key "$work/again.gguf" synergy.pruned.units

# ---- other numbers of KV groups from each layer of a llama: head counts for each layer

# uneven MODEL LIST HEADS ARCHITECTURE KV: KV heads left in each layer
uneven() {
    run 0 "$1" prune "$models/$1/model.gguf" --heads "$2" -o "$work/deci.gguf" --force
    prints "layers keep different numbers of heads"
    run 0 "$1 with zeros" prune "$models/$1/model.gguf" --heads "$2" --keep-shape -o "$work/zeros.gguf" --force
    try "$1 by layer, $2" "$tool" same "$work/zeros.gguf" "$work/deci.gguf" 1e-5
    try "$1 by layer, $2: against gains" "$tool" gain "$models/$1/model.gguf" "$work/deci.gguf" $near heads "$3"
    is "architecture" deci "$tool" key "$work/deci.gguf" general.architecture
    is "$1: KV heads left" "$4" "$tool" key "$work/deci.gguf" deci.attention.head_count_kv
    is "the removed units" "$(echo "$3" | sed 's/\([0-9]*\)\.\([0-9]*\),*/L\1H\2 /g; s/ $//')" "$tool" key "$work/deci.gguf" synergy.pruned.units
    small=$(wc -c < "$work/deci.gguf") large=$(wc -c < "$work/zeros.gguf")
    if [ "$small" -lt "$large" ]; then good; else bad "$1: $small bytes, $large with zeros"; fi
    run 0 "info of it" info "$work/deci.gguf"
}
uneven llama-f16 1.3-5 1.3,1.4,1.5 '2 1 2'
uneven llama-f16 '1.*' 1.0,1.1,1.2,1.3,1.4,1.5 '2 0 2'
uneven llama-f16 '0.*,1.3-5,2.1' 0.0,0.1,0.2,0.3,0.4,0.5,1.3,1.4,1.5,2.1 '1 1 2'
is "the first layer keeps a group, of zeros" "F16 [48, 96]" "$tool" tensor "$work/deci.gguf" blk.0.attn_output.weight
is "of zeros" 4608 "$tool" zeros "$work/deci.gguf" blk.0.attn_output.weight
uneven llama-f16 '1.*,2.*,0.1' 0.1,1.0,1.1,1.2,1.3,1.4,1.5,2.0,2.1,2.2,2.3,2.4,2.5 '2 0 0'
prints "heads by layer   6 0 0"
uneven llama-tied '1.*' 1.0,1.1,1.2,1.3,1.4 '1 0'
uneven llama-q8_0 '1.*' 1.0,1.1,1.2,1.3,1.4,1.5 '2 0'
uneven llama-tied-q4_1 '1.*' 1.0,1.1,1.2 '1 0'
uneven llama-bias 1.0-2 1.0,1.1,1.2 '2 1'
uneven llama-bias '1.*' 1.0,1.1,1.2,1.3,1.4,1.5 '2 1' # its output bias stays, and so one group
run 0 "groups in one block" prune $models/llama-q8_0/model.gguf --heads '0.0-2,1.1' -o "$work/deci.gguf" --force
prints "not whole blocks"
run 0 "nothing to be cut" prune $models/llama-f16/model.gguf --heads '0.0,1.5' -o "$work/deci.gguf" --force
prints "no layer loses a whole KV group"
groups llama-f16 '0.*,1.0-2,2.3-5' 0.0,0.1,0.2,0.3,0.4,0.5,1.0,1.1,1.2,2.3,2.4,2.5
is "as many from every layer, as the first keeps one" 1 "$tool" key "$work/llama-f16.gguf" llama.attention.head_count_kv
run 0 "experts stay a llama" prune $models/llama-moe-q5_1/model.gguf --heads 0.0-1 -o "$work/deci.gguf" --force
is "experts stay a llama" llama "$tool" key "$work/deci.gguf" general.architecture
# and once more, from the cut model: its own units, and a layer without any
run 0 "a model by layer" prune $models/llama-f16/model.gguf --heads '1.*,2.3-5' -o "$work/deci.gguf" --force
run 0 "pruned again" prune "$work/deci.gguf" --heads 0.3-5,2.1 -o "$work/again.gguf" --force
is "KV heads left" "1 0 1" "$tool" key "$work/again.gguf" deci.attention.head_count_kv
try "pruned again" "$tool" gain "$work/deci.gguf" "$work/again.gguf" $near heads 0.3,0.4,0.5,2.1
try "from the first model" "$tool" gain $models/llama-f16/model.gguf "$work/again.gguf" $near heads \
    0.3,0.4,0.5,1.0,1.1,1.2,1.3,1.4,1.5,2.1,2.3,2.4,2.5
printf 'The cat sat.\nOne two three four.\n' > "$work/prompts.txt"
run 0 "capture" capture "$work/deci.gguf" --exact --prompts "$work/prompts.txt" -n 24 -o "$work/bylayer"
run 0 "phiid" phiid "$work/bylayer"
run 0 "from its own scores" prune "$work/deci.gguf" "$work/bylayer" --heads 0.0-2 -o "$work/again.gguf" --force
try "from its own scores" "$tool" gain "$work/deci.gguf" "$work/again.gguf" $near heads 0.0,0.1,0.2

# broken NAME TEXT VALUE...: an array of head counts that makes no sense
broken() {
    what=$1 text=$2
    shift 2
    if ! "$tool" counts "$work/deci.gguf" "$work/broken.gguf" "$@"; then bad "$what: no such key"; fi
    run 1 "$what" info "$work/broken.gguf"
    says "$text"
}
broken "too few counts" "deci.attention.head_count has 2 elements" deci.attention.head_count i32 6 0
broken "too many counts" "deci.attention.head_count_kv has 4 elements" deci.attention.head_count_kv i32 2 0 1 1
broken "floats" "deci.attention.head_count is an array of f32" deci.attention.head_count f32 6 0 3
broken "no KV heads" "deci.attention.head_count_kv is 0 in layer 2" deci.attention.head_count_kv i32 2 0 0
broken "KV heads without heads" "deci.attention.head_count_kv is 2 in layer 1" deci.attention.head_count_kv i32 2 2 1
broken "other counts" "blk.2.attn_q.weight: shape" deci.attention.head_count i32 6 0 6

# ---- experts
run 0 "experts" prune $models/qwen3moe-tiny/model.gguf --units experts --heads 0.0,0.3,1.1 -o "$work/experts.gguf"
try "experts" "$tool" gain $models/qwen3moe-tiny/model.gguf "$work/experts.gguf" $near experts 0.0,0.3,1.1
try "the rest" "$tool" others $models/qwen3moe-tiny/model.gguf "$work/experts.gguf" ffn_down_exps
run 1 "a model without experts" prune $models/llama-f16/model.gguf --units experts --heads 0.0 -o "$work/none.gguf"
says "no experts"

# ---- the choice by score, from a result folder
printf 'The cat sat.\nOne two three four.\n' > "$work/prompts.txt"
model=$models/llama-f16/model.gguf
run 0 "capture" capture $model --exact --prompts "$work/prompts.txt" -n 24 -o "$work/dir"
run 0 "phiid" phiid "$work/dir"

# order COLUMN DIRECTION COUNT: the units of that end, in the order of the file
order() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at, NR, $1 }' "$work/dir/units.csv" |
        sort -k1,1g"$2" -k2,2n | head -n "$3" | sort -k2,2n | awk '{ printf "%s%s", n++ ? " " : "", $3 }'
}
run 0 "a third" prune $model "$work/dir" --fraction 0.33 -o "$work/third.gguf"
prints "removed     6 of 18 heads (lowest score)"
is "the lowest" "$(order score '' 6)" "$tool" key "$work/third.gguf" synergy.pruned.units
is "the fraction" "$(awk 'BEGIN { printf "%.17g", 6 / 18 }')" "$tool" key "$work/third.gguf" synergy.pruned.fraction
is "the score" score "$tool" key "$work/third.gguf" synergy.pruned.score
try "a third" "$tool" gain $model "$work/third.gguf" $near heads "$(order score '' 6 | tr ' ' ,)"
# the other reading of the paper has its own file, of its own units; with --score there is one file
other=$(order difference_rank '' 6)
if [ "$other" = "$(order score '' 6)" ]; then bad "the readings choose the same: nothing is tested"; else good; fi
is "the other reading" "$other" "$tool" key "$work/third.difference.gguf" synergy.pruned.units
is "its score" difference_rank "$tool" key "$work/third.difference.gguf" synergy.pruned.score
try "the other reading" "$tool" gain $model "$work/third.difference.gguf" $near heads "$(echo "$other" | tr ' ' ,)"
if [ -e "$work/third.rank-difference.gguf" ]; then bad "the same choice twice"; else good; fi
mkdir "$work/elsewhere"
: > "$work/elsewhere/x.difference.gguf"
run 1 "a second file that is there" prune $model "$work/dir" --fraction 0.33 -o "$work/elsewhere/x.gguf"
says "x.difference.gguf"
if [ -e "$work/elsewhere/x.gguf" ]; then bad "half of the work was done"; else good; fi
run 0 "one score" prune $model "$work/dir" --fraction 0.33 --score rank_difference -o "$work/elsewhere/y.gguf"
if [ -e "$work/elsewhere/y.difference.gguf" ]; then bad "--score NAME writes a second file"; else good; fi
run 0 "the core by both" prune $model "$work/dir" --fraction 0.33 --order highest -o "$work/elsewhere/z.gguf" --json
prints '"score": "difference_rank"'
is "the other core" "$(order difference_rank r 6)" "$tool" key "$work/elsewhere/z.difference.gguf" synergy.pruned.units
run 0 "the core" prune $model "$work/dir" --fraction 0.25 --order highest --score redundancy -o "$work/core.gguf"
is "the highest" "$(order redundancy r 5)" "$tool" key "$work/core.gguf" synergy.pruned.units
run 0 "by norm" prune $model "$work/dir" --fraction 0.1 --score norm -o "$work/norm.gguf" --json
is "the norm" "$(order mean_norm '' 2)" "$tool" key "$work/norm.gguf" synergy.pruned.units
prints '"removed": 2,'
run 0 "nothing" prune $model "$work/dir" --fraction 0 -o "$work/copy.gguf"
try "nothing removed is a copy" cmp $model "$work/copy.gguf"
run 0 "the same again" prune $model "$work/dir" --fraction 0.33 -o "$work/third2.gguf"
try "the same again" cmp "$work/third.gguf" "$work/third2.gguf"

run 0 "capture experts" capture $models/deepseek2-tiny/model.gguf --exact --units experts --shared-experts --all-experts \
    --prompts "$work/prompts.txt" -n 24 -o "$work/moe"
run 0 "phiid experts" phiid "$work/moe"
run 0 "shared experts" prune $models/deepseek2-tiny/model.gguf "$work/moe" --heads 1.6,2.0 -o "$work/shared.gguf"
is "a shared expert" 1024 "$tool" zeros "$work/shared.gguf" blk.1.ffn_down_shexp.weight
is "another layer's" 0 "$tool" zeros "$work/shared.gguf" blk.2.ffn_down_shexp.weight
is "a kind" experts "$tool" key "$work/shared.gguf" synergy.pruned.kind
# --fraction leaves shared experts out, whatever their score, and does not count them
cp -r "$work/moe" "$work/routed"
for shared in 1000 -1000; do
    awk -F, -v shared=$shared 'BEGIN { OFS = "," } NR == 1 { for (i = 1; i <= NF; i++) if ($i == "score") at = i }
        $3 == 6 { $at = shared } { print }' "$work/moe/units.csv" > "$work/routed/units.csv"
    for order in lowest highest; do
        run 0 "$order, shared experts at $shared" prune $models/deepseek2-tiny/model.gguf "$work/routed" --fraction 0.25 --order $order \
            -o "$work/routed.gguf" --force --json
        prints '"removed": 3,'
        prints '"of": 12,'
        is "a quarter" 0.25 "$tool" key "$work/routed.gguf" synergy.pruned.fraction
        case $("$tool" key "$work/routed.gguf" synergy.pruned.units) in
            *.6*) bad "$what: shared experts were chosen" ;;
            *) good ;;
        esac
    done
done
run 1 "all but the shared experts" prune $models/deepseek2-tiny/model.gguf "$work/moe" --fraction 1 -o "$work/none.gguf"
says "none of the 12 experts would be left"
run 1 "heads of a folder of experts" prune $models/deepseek2-tiny/model.gguf "$work/moe" --units heads --heads 1.0 -o "$work/none.gguf"

# ---- a model in two files becomes one
mkdir "$work/split"
try "split" "$tool" split $model "$work/split"
run 0 "a split model" prune "$work/split/m-00001-of-00002.gguf" --heads 0.0,2.5 -o "$work/one.gguf"
run 0 "the same in one file" prune $model --heads 0.0,2.5 -o "$work/whole.gguf"
try "one file of two" cmp "$work/one.gguf" "$work/whole.gguf"

# ---- the plan of types: layers by the mean score of their heads, of equals the earlier first
run 0 "a plan" prune $model "$work/dir" --quant-plan "$work/plan.txt" --plan-types F16,q8_0,Q4_0
layers=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "score") at = i; next } { sum[$2] += $at }
    END { for (l in sum) print sum[l], l }' "$work/dir/units.csv" | sort -k1,1gr -k2,2n | cut -d ' ' -f 2)
for type in f16 q8_0 q4_0; do
    layer=$(printf '%s\n' "$layers" | head -n 1)
    layers=$(printf '%s\n' "$layers" | sed 1d)
    for part in q output; do
        is "layer $layer" "^blk\\.$layer\\.attn_$part\\.weight\$=$type" grep "blk.*$layer.*attn_$part" "$work/plan.txt"
    done
done
run 0 "a plan as JSON" prune $model "$work/dir" --quant-plan "$work/told.txt" --plan-types F16,q8_0,Q4_0 --json
try "the same plan" cmp "$work/plan.txt" "$work/told.txt"
is "one object" "{ }" awk 'NR == 1 { first = $0 } END { print first, $0 }' "$work/stdout"
prints '"tensors": 12,'
run 0 "a model and a plan as JSON" prune $model "$work/dir" --fraction 0.33 -o "$work/both.gguf" --quant-plan "$work/both.txt" --json
is "one object for both" "{ }" awk 'NR == 1 { first = $0 } END { print first, $0 }' "$work/stdout"
prints '"removed": 6,'
prints '"quant_plan": {'
# heads without a score neither hide the best head of their KV group nor count as a group
cp -r "$work/dir" "$work/unknown"
awk -F, 'BEGIN { OFS = "," } NR == 1 { for (i = 1; i <= NF; i++) if ($i == "score") at = i; print; next }
    { $at = $2 == 0 ? ($3 == 0 ? 9 : "") : $2 == 1 ? 5 : 1; print }' "$work/dir/units.csv" > "$work/unknown/units.csv"
run 0 "a plan without some scores" prune $model "$work/unknown" --quant-plan "$work/unknown.txt" --plan-types F16,q8_0,Q4_0
is "the best head of a group" '^blk\.0\.attn_k\.weight$=f16' grep 'blk.*0.*attn_k' "$work/unknown.txt"
is "a line a tensor" 12 grep -c '^^blk\\\.[012]\\\.attn_[a-z]*\\\.weight\$=[a-z0-9_]*$' "$work/plan.txt"
run 0 "rows of 96" prune $model "$work/dir" --quant-plan "$work/short.txt"
says "12 of 12 tensors have rows that are no whole blocks"
sed -e 's/=q4_0$/=q5_0/' -e 's/=q8_0$/=q5_1/' -e 's/=f16$/=q8_0/' "$work/plan.txt" > "$work/expected.txt"
try "what llama.cpp takes for K types" cmp "$work/short.txt" "$work/expected.txt"

# ---- refusals, each with nothing left behind
out=$work/none.gguf
run 2 "no output" prune $model "$work/dir" --fraction 0.1
run 2 "no fraction" prune $model "$work/dir" -o "$out"
run 2 "no folder" prune $model --fraction 0.1 -o "$out"
run 2 "both" prune $model "$work/dir" --fraction 0.1 --heads 0.0 -o "$out"
for fraction in -0.1 1.1 nan x; do run 2 "fraction $fraction" prune $model "$work/dir" --fraction=$fraction -o "$out"; done
run 2 "one file for both" prune $model "$work/dir" --fraction 0.1 -o "$out" --quant-plan "$out"
run 2 "plan types" prune $model "$work/dir" --quant-plan "$out" --plan-types q6_k,q5_k
run 2 "plan types" prune $model "$work/dir" --quant-plan "$out" --plan-types q6_k,q5_k,q3_x
run 1 "all" prune $model "$work/dir" --fraction 0.99 -o "$out"
says "none of the 18 heads would be left"
run 1 "all by name" prune $model --heads '*.*' -o "$out"
for list in 0.6 3.0 1-3.0 '*.5-9'; do
    run 1 "units $list" prune $model --heads "$list" -o "$out"
    says "layers are 0 to 2"
done
for list in '' 1 x.0 '0.0,' 0.2-1; do run 1 "list '$list'" prune $model --heads "$list" -o "$out"; done
run 1 "another model" prune $models/llama-bias/model.gguf "$work/dir" --fraction 0.1 -o "$out"
says "$(sha256sum $model 2> /dev/null | cut -c 1-64)"
says "$(sha256sum $models/llama-bias/model.gguf 2> /dev/null | cut -c 1-64)"
run 1 "a column that is not there" prune $model "$work/dir" --fraction 0.1 --score no-such -o "$out"
says "no column 'no_such'; it has unit layer index"
run 1 "no folder there" prune $model "$work/nowhere" --fraction 0.1 -o "$out"
mkdir "$work/empty"
run 1 "an empty folder" prune $model "$work/empty" --fraction 0.1 -o "$out"
cp -r "$work/dir" "$work/bad"
sed '$d' "$work/dir/units.csv" > "$work/bad/units.csv"
run 1 "a unit is missing" prune $model "$work/bad" --fraction 0.1 -o "$out"
says "17 units"
sed 's/^L1H2,1,2,/L1H2,1,3,/' "$work/dir/units.csv" > "$work/bad/units.csv"
run 1 "units out of order" prune $model "$work/bad" --fraction 0.1 -o "$out"
says "row 9 is not unit L1H2"
awk -F, 'BEGIN { OFS = "," } NR == 1 { for (i = 1; i <= NF; i++) if ($i == "score") at = i } NR > 3 { $at = "" } { print }' \
    "$work/dir/units.csv" > "$work/bad/units.csv"
run 1 "units without a score" prune $model "$work/bad" --fraction 0.5 -o "$out"
says "only 2 of 18"
run 1 "not a model" prune check.sh "$work/dir" --fraction 0.1 -o "$out"
absent "$out"
printf 'mine' > "$out"
run 1 "an output that exists" prune $model "$work/dir" --fraction 0.1 -o "$out"
says "--force"
is "it is left alone" mine cat "$out"
run 1 "a plan that exists" prune $model "$work/dir" --quant-plan "$out"
is "it is left alone" mine cat "$out"
run 0 "--force" prune $model "$work/dir" --fraction 0.1 -o "$out" --force
run 1 "a folder in its place" prune $model "$work/dir" --fraction 0.1 -o "$work/empty" --force

# a full disk: the limit on a file's size stands for it
for blocks in 1 40; do
    what="a full disk ($blocks blocks)"
    (
        trap '' XFSZ
        ulimit -f $blocks && exec "$synergy" prune $model "$work/dir" --fraction 0.1 -o "$work/full.gguf"
    ) > "$work/stdout" 2> "$work/stderr"
    if [ $? -eq 1 ] && [ "$(wc -l < "$work/stderr")" -eq 1 ]; then good; else bad "$what" "$work/stderr"; fi
    absent "$work/full.gguf"
done

# a disk without room, where there may be one: nothing is begun
mkdir "$work/disk"
if mount -t tmpfs -o size=64k tmpfs "$work/disk" 2> /dev/null; then
    run 1 "no room" prune $model "$work/dir" --fraction 0.1 -o "$work/disk/full.gguf"
    says "the disk has"
    absent "$work/disk/full.gguf"
    umount "$work/disk"
fi

finish
