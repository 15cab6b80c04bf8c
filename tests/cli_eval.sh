#!/bin/sh
# `synergy eval`: that the sets are fair (no item twice, no preference without understanding pays), that likelihoods are
# those of the whole texts, and that a real model is clearly above chance.
. ./cli.sh
models=data/models
llama=$models/llama-f16/model.gguf
real=${SYN_MODELS:-../tools/models}
tool=$work/npy_tool
${CC:-cc} -std=c99 -O1 -Wall -Wextra npy_tool.c -o "$tool" -lm > "$work/out" 2>&1 || { bad "npy_tool.c does not compile" "$work/out"; finish; }

# empty TEXT FILE
empty() {
    if [ -s "$2" ]; then bad "$1" "$2"; else good; fi
}

# ---- the items: set, number, group, right one, what stands before, choices

list=$work/list
run 0 "the items" eval --list
cp "$work/stdout" "$list"
for set in arithmetic grammar pos commonsense; do
    count=$(awk -F'\t' -v set=$set '$1 == set' "$list" | wc -l)
    if [ "$count" -ge 60 ] && [ "$count" -le 80 ]; then good; else bad "$set: $count items"; fi
done
cut -f 1,5- "$list" | sort | uniq -d > "$work/out"
empty "items that occur twice" "$work/out"
awk -F'\t' '{ for (i = 6; i <= NF; i++) for (k = 6; k < i; k++) if ($i == $k) print }' "$list" > "$work/out"
empty "a choice that occurs twice" "$work/out"
awk -F'\t' 'NF < 7 || NF > 9 || $4 < 1 || $4 > NF - 5 || $4 != int($4)' "$list" > "$work/out"
empty "items without choices or without a right one" "$work/out"
grep -n '[^ -~	]' "$list" > "$work/out"
empty "items that are not plain ASCII" "$work/out"

# What a habit is worth: for every set, the share of right answers of who always takes the first, the last, the
# shortest, the longest choice, the smallest or largest number, against that of who guesses. A tie is guessed.
habits() {
    awk -F'\t' '
        function better(a, b) { return habit == 1 ? length(a) < length(b) : habit == 2 ? length(a) > length(b) : habit == 3 ? a + 0 < b + 0 : a + 0 > b + 0 }
        {
            n = NF - 5
            chance[$1] += 1 / n
            first[$1] += $4 == 1
            last[$1] += $4 == n
            for (habit = 1; habit <= ($1 == "arithmetic" ? 4 : 2); habit++) {
                ties = 0
                for (i = 1; i <= n; i++)
                    if (!ties || better($(5 + i), $(5 + best))) { best = i; ties = 1; hit = i == $4 }
                    else if (!better($(5 + best), $(5 + i))) { ties++; hit = hit || i == $4 }
                share[habit, $1] += hit / ties
            }
        }
        END {
            for (set in chance) {
                print set, "first", first[set] - chance[set]
                print set, "last", last[set] - chance[set]
                for (habit = 1; habit <= (set == "arithmetic" ? 4 : 2); habit++) print set, "habit", habit, share[habit, set] - chance[set]
            }
        }'
}
habits < "$list" > "$work/habits"
if [ "$(wc -l < "$work/habits")" -eq 18 ]; then good; else bad "habits" "$work/habits"; fi
awk '$NF * $NF > 1e-12' "$work/habits" > "$work/out"
empty "a habit that pays" "$work/out"
# the words that differ: in each frame of two, each is right once
awk -F'\t' '
    $1 != "grammar" && $1 != "commonsense" { next }
    {
        for (c = 6; c <= 7; c++) { # a whole sentence to the word in which it differs from the other
            n = split($c, mine, " "); split($(13 - c), other, " ")
            for (k = 1; k <= n && mine[k] == other[k]; k++);
            word[c] = mine[k]; sub(/\.$/, "", word[c])
        }
        right = word[5 + $4]; wrong = word[8 - $4]
        if ($2 % 2) { held_right = right; held_wrong = wrong }
        else if (right != held_wrong || wrong != held_right) print
    }' "$list" > "$work/out"
empty "frames in which a word is right twice" "$work/out"
awk -F'\t' '$1 == "pos" { n[$(5 + $4)]++ } END { for (c in n) if (n[c] != 20) print c, n[c] }' "$list" > "$work/out"
empty "classes that are not equally frequent" "$work/out"
# the arithmetic is right, its examples too, and no example is an item
awk -F'\t' '
    function value(q,  t) { split(q, t, " "); return t[2] == "+" ? t[1] + t[3] : t[2] == "-" ? t[1] - t[3] : t[1] * t[3] }
    $1 != "arithmetic" { next }
    {
        n = split($5, line, /\\n/)
        for (k = 1; k < n; k++) {
            split(line[k], side, " = ")
            if (side[1] " =" == line[n] || value(side[1]) != side[2]) print "example", line[k]
        }
        if (value(line[n]) != $(5 + $4) + 0) print
    }' "$list" > "$work/out"
empty "wrong sums" "$work/out"
# every asked word stands in its sentence once
awk -F'\t' '
    $1 != "pos" { next }
    {
        n = split($5, line, /\\n/); word = line[n]; sub(/:$/, "", word)
        m = split(line[n - 1], at, /[ .]/); hits = 0
        for (k = 1; k <= m; k++) hits += at[k] == word
        if (hits != 1) print
    }' "$list" > "$work/out"
empty "words that their sentence has not once" "$work/out"

# ---- selections: whole frames, of each group in turn, the same every time

run 0 "8 of each" eval --list --items 8
cp "$work/stdout" "$work/eight"
if [ "$(wc -l < "$work/eight")" -eq 32 ]; then good; else bad "--items 8 of four sets is not 32 items" "$work/eight"; fi
grep -vxFf "$list" "$work/eight" > "$work/out"
empty "selected items that are none" "$work/out"
habits < "$work/eight" | awk '$NF * $NF > 1e-12' > "$work/out"
empty "a habit that pays in the selection" "$work/out"
if [ "$(awk -F'\t' '$1 == "grammar" { print $3 }' "$work/eight" | sort -u | wc -l)" -eq 4 ]; then good; else bad "8 of grammar: not 4 phenomena" "$work/eight"; fi
run 0 "8 of each, again" eval --list --items 8
try "the same selection" cmp "$work/stdout" "$work/eight"
# a limit takes whole frames only, so that each choice of a set is right equally often
for limit in 1 3 10 25; do
    run 0 "$limit of each" eval --list --items $limit
    awk -F'\t' -v limit=$limit '
        { n[$1]++; right[$1, $4]++; choices[$1] = NF - 5 }
        END {
            for (set in n) {
                frame = choices[set]; fit = limit < frame ? frame : limit - limit % frame
                if (n[set] != fit) print set, n[set], "items, not", fit
                for (c = 1; c <= frame; c++) if (right[set, c] != fit / frame) print set, c, "is right", right[set, c] + 0, "times"
                sets++
            }
            if (sets != 4) print sets, "sets"
        }' "$work/stdout" > "$work/out"
    empty "--items $limit is not balanced" "$work/out"
done
run 0 "more than there are" eval --list --items 5000
try "more than there are: all" cmp "$work/stdout" "$list"
run 0 "two sets" eval --list --sets pos,grammar
if [ "$(cut -f 1 "$work/stdout" | uniq | tr '\n' ' ')" = "pos grammar " ]; then good; else bad "two sets in the order asked for"; fi

# ---- likelihoods: differences between choices are those of the whole texts by themselves

# value KEY: of the last JSON
value() {
    sed -n "s/^ *\"$1\": \(.*[^,]\),*\$/\1/p" "$work/stdout"
}

# whole MODEL TEXT: sum of log p of a text's tokens
whole() {
    printf '%b' "$2" > "$work/text"
    run 0 "a text" perplexity "$1" -f "$work/text" --exact --json
    awk -v n="$(value nll)" -v k="$(value scored)" 'BEGIN { printf "%.15g", -n * k }'
}

# in a plain model, and in two whose windows of 6 and 8 do not let a sequence go back: there all is fed again
for name in llama-f16 gemma2-tiny gemma3-f16; do
    model=$models/$name/model.gguf
    run 0 "each, $name" eval "$model" --each --items 4 --exact
    cp "$work/stdout" "$work/each"
    if [ "$(wc -l < "$work/each")" -eq 16 ]; then good; else bad "$name: not 16 items" "$work/each"; fi
    for set in arithmetic grammar pos commonsense; do
        awk -F'\t' -v set=$set '$1 == set' "$work/each" | sed -n 3p > "$work/item"
        number=$(cut -f 2 "$work/item")
        awk -F'\t' -v set=$set -v n="$number" '$1 == set && $2 == n' "$list" > "$work/words"
        first=$(whole "$model" "$(cut -f 5 "$work/words")$(cut -f 6 "$work/words")")
        for c in 2 3 4; do
            [ "$(awk -F'\t' '{ print NF - 5 }' "$work/words")" -ge $c ] || continue
            other=$(whole "$model" "$(cut -f 5 "$work/words")$(cut -f $((5 + c)) "$work/words")")
            if awk -F'\t' -v a="$first" -v b="$other" -v c=$c '{ d = ($(4 + c) - $5) - (b - a); exit !(d < 2e-3 && d > -2e-3) }' "$work/item"; then good
            else bad "$name, $set $number, choice $c: $first and $other" "$work/item"; fi
        done
    done
done
# right is what has the largest likelihood, and the sums are those of the items
run 0 "each" eval $llama --each
cp "$work/stdout" "$work/each"
paste "$list" "$work/each" > "$work/both"
awk -F'\t' '{
        n = 0; for (i = 6; i <= NF && $i != $1; i++) n++
        at = 5 + n; right = $(at + 4 + $4); won = 1
        if ($(at + 2) != $2) print "another item", $1, $2
        for (c = 1; c <= n; c++) if (c != $4 && $(at + 4 + c) >= right) won = 0
        if (won != $(at + 4)) print
    }' "$work/both" > "$work/out"
empty "answers that are not the likeliest" "$work/out"
run 0 "json" eval $llama --json
cp "$work/stdout" "$work/first"
awk -F'\t' '{ n[$1]++; k[$1] += $4; all++; right += $4 } END { for (s in n) print s, n[s], k[s]; print "all", all, right }' "$work/each" | sort > "$work/expected"
awk '/"(arithmetic|grammar|pos|commonsense|all)": \{/ { gsub(/[":{ ]/, ""); set = $0 } /"items"/ { items = $2 + 0 } /"correct"/ { print set, items, $2 + 0 }' "$work/first" | sort > "$work/out"
try "counts" cmp "$work/out" "$work/expected"
awk '
    function abs(x) { return x < 0 ? -x : x }
    /"items"/ { n = $2 + 0 } /"correct"/ { k = $2 + 0 } /"accuracy"/ { p = $2 + 0 } /"low"/ { low = $2 + 0 }
    /"high"/ { # Wilson: the p0 for which (p - p0)^2 = z^2 p0 (1 - p0) / n
        high = $2 + 0; z = 1.959963984540054
        if (abs(p - k / n) > 1e-12 || abs((p - low) ^ 2 - z ^ 2 * low * (1 - low) / n) > 1e-9 || abs((p - high) ^ 2 - z ^ 2 * high * (1 - high) / n) > 1e-9 || low > p || high < p) print
    }' "$work/first" > "$work/out"
empty "intervals that are not Wilson's" "$work/out"
for threads in 1 2 3; do
    run 0 "$threads threads" eval $llama --json -t $threads
    try "$threads threads, the same bytes" cmp "$work/stdout" "$work/first"
done
run 0 "one set" eval $llama --sets pos
if grep -qE '^pos +80 +[0-9]+ +[0-9.]+ ' "$work/stdout" && ! grep -q '^all' "$work/stdout"; then good; else bad "the table" "$work/stdout"; fi
run 0 "experts" eval $models/qwen3moe-tiny/model.gguf --items 2

# ---- real models, where they are: above chance, in the interval's low end

for model in SmolLM2-135M-Instruct.Q4_1.gguf gemma-3-270m-Q4_K_M.gguf; do
    [ -f "$real/$model" ] || { skip "$model: it is not there"; continue; }
    run 0 "$model" eval "$real/$model" --items 24 --json
    awk '/": \{/ { gsub(/[":{ ]/, ""); set = $0 } /"low"/ { low = $2 + 0 } /"chance"/ { print set, low, $2 + 0 }' "$work/stdout" > "$work/out"
    if [ "$(awk '$2 > $3' "$work/out" | wc -l)" -eq 4 ]; then good; else bad "$model: at chance" "$work/out"; fi
done

# ---- what cannot be done

run 0 help eval --help
run 2 "no model" eval
run 2 "two models" eval $llama $llama
run 2 "two outputs" eval $llama --each --json
run 2 "--items 0" eval $llama --items 0
run 1 "no such set" eval $llama --sets arithmetic,spelling
says "'spelling'"
run 1 "an empty name" eval --list --sets grammar,
says "arithmetic, grammar, pos, commonsense"
run 1 "a set twice" eval $llama --sets pos,pos
says twice
run 1 "no model file" eval "$work/absent.gguf"
says absent.gguf
run 1 "a model with too few positions" eval $models/gpt2-iq4_nl/model.gguf
says "positions for 128"
if [ -c /dev/full ]; then
    "$synergy" eval $llama --sets grammar > /dev/full 2> "$work/stderr"
    if [ $? -eq 1 ] && [ "$(grep -vc ': note: ' "$work/stderr")" -eq 1 ]; then good; else bad "a full device" "$work/stderr"; fi
fi
finish
