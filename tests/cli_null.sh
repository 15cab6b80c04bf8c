#!/bin/sh
# The null of `synergy phiid`: observed and surrogates over the same pairs and prompts. A column that is excluded anyway
# changes no digit of another; what has too few surrogates says so; numpy agrees where it is there.
. ./cli.sh

# five coupled series; the same with a column that counts in front of them, in the middle and behind
awk -v out="$work" 'BEGIN {
    srand(11)
    for (c = 0; c < 5; c++) v[c] = 0
    for (t = -1; t < 150; t++) {
        d = rand() - 0.5; row = ""
        for (c = 0; c < 5; c++) { v[c] = 0.7 * v[c] + rand() - 0.5 + (c < 3 ? d : 0); cell[c] = t < 0 ? "u" c : v[c] }
        i = t < 0 ? "count" : 3 * t; e = t < 0 ? "event" : t == 30
        print cell[0] "," cell[1] "," cell[2] "," cell[3] "," cell[4] > (out "/plain.csv")
        print i "," cell[0] "," cell[1] "," cell[2] "," cell[3] "," cell[4] > (out "/first.csv")
        print cell[0] "," cell[1] "," i "," cell[2] "," cell[3] "," cell[4] > (out "/middle.csv")
        print cell[0] "," cell[1] "," cell[2] "," cell[3] "," cell[4] "," i > (out "/last.csv")
        print e "," cell[1] "," cell[2] "," cell[3] "," cell[4] > (out "/event.csv")
    } }'

# figures FOLDER: a line a unit: what no other unit may change (ranks and scores over units may)
figures() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $(at["synergy"]) != "" { print $(at["synergy"]), $(at["redundancy"]), $(at["excess"]), $(at["synergy_null"]), $(at["synergy_z"]),
            $(at["synergy_p"]), $(at["redundancy_null"]), $(at["redundancy_z"]), $(at["redundancy_p"]), $(at["surrogates"]) }' "$1/units.csv"
}

for how in "--null shift" "--null phase" "--null shuffle" "--null iaaft" "--null shift --redundancy ccs" "--null shift --tau 3" "--bias-correct"; do
    run 0 "plain $how" phiid "$work/plain.csv" -o "$work/plain" --surrogates 40 $how --force
    figures "$work/plain" > "$work/want"
    if [ "$(wc -l < "$work/want")" -ne 5 ]; then bad "$how: not five units" "$work/want"; fi
    for place in first middle last; do
        run 0 "$place $how" phiid "$work/$place.csv" -o "$work/other" --surrogates 40 $how --force
        figures "$work/other" > "$work/got"
        if cmp -s "$work/want" "$work/got"; then good; else bad "$how: a column that counts, $place, changes others" "$work/got"; fi
        if grep -q '"reason": "no pair of it is sound"' "$work/other/phiid.json"; then good; else bad "$how, $place: no reason"; fi
        for key in synergy_null redundancy_null; do
            if [ "$(grep "\"$key\"" "$work/plain/phiid.json")" = "$(grep "\"$key\"" "$work/other/phiid.json")" ]; then good
            else bad "$how, $place: $key of the whole"; fi
        done
    done
done

# a unit with one event is constant in one window where a shift brings the event to an end: those do not count
run 0 "one event" phiid "$work/event.csv" -o "$work/event" --surrogates 100
if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { n = $(at["surrogates"]); p = $(at["synergy_p"]); k = p * (n + 1)
          if (p == "" || k - int(k + 0.5) > 1e-9 || int(k + 0.5) - k > 1e-9) exit 1
          if (NR == 2 ? n < 90 || n > 100 : n != 100) exit 1 }' "$work/event/units.csv"; then good
else bad "one event: surrogates and p" "$work/event/units.csv"; fi
run 0 "few surrogates" phiid "$work/plain.csv" -o "$work/few" --surrogates 19
if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { if ($(at["synergy_p"]) != "" || $(at["excess"]) == "" || $(at["surrogates"]) != 19) exit 1 }' "$work/few/units.csv"; then good
else bad "19 surrogates make no test" "$work/few/units.csv"; fi
if [ "$(grep -c 'a test needs 20' "$work/few/phiid.json")" -eq 5 ]; then good; else bad "why there is no test"; fi

if have python3 && python3 -c 'import numpy' 2> /dev/null; then
    mkdir "$work/numpy"
    try "numpy finds the same null" python3 reference/null_check.py "$synergy" "$work/numpy"
else
    skip "no numpy to compare the null with"
fi
finish
