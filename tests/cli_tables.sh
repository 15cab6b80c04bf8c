#!/bin/sh
# Tables as people have them: one recording in every dialect and every type of number gives the same bytes; missing
# numbers; columns by name; what is said of columns that only count and of shapes that look wrong.
. ./cli.sh
named="synergy phiid"
data=data/tables
notes=yes

same() {
    if cmp "$2" "$3" > "$work/cmp" 2>&1; then good; else bad "$1:" "$work/cmp"; fi
}
silent() {
    if grep -qF -- "$1" "$work/stderr"; then bad "$what: standard error says '$1'" "$work/stderr"; else good; fi
}
holds() { # FILE WORDS
    if grep -qF -- "$2" "$1"; then good; else bad "$what: no '$2' in $1"; fi
}
phiid() { # CODE TEXT FILE OPTIONS: into a new folder $out
    code_wanted=$1 text=$2 file=$3
    shift 3
    out=$work/$(echo "$text" | tr -c 'a-zA-Z0-9\n' _)
    run "$code_wanted" "$text" phiid "$file" -o "$out" "$@"
}

# ---- dialects
awk 'BEGIN { srand(5); print "Fz,Cz,Pz"; for (t = 0; t < 60; t++) {
    for (i = 0; i < 3; i++) v[i] = 0.6 * v[i] + 0.3 * v[(i + 1) % 3] + rand() - 0.5
    printf "%.6f,%.6f,%.6e\n", v[0], v[1], v[2] } }' > "$work/plain.csv"
phiid 0 plain "$work/plain.csv"
plain=$out
cr=$(printf '\r') tab=$(printf '\t')
sed 's/,/;/g' "$work/plain.csv" > "$work/semicolon.txt"
sed 's/,/;/g; s/\./,/g' "$work/plain.csv" > "$work/comma.CSV"
sed "s/,/$tab/g" "$work/plain.csv" > "$work/tab.tsv"
sed "s/,/$tab/g; s/\\./,/g" "$work/plain.csv" > "$work/tab_comma.dat"
sed "s/\$/$cr/" "$work/plain.csv" > "$work/crlf.csv"
tr '\n' '\r' < "$work/plain.csv" > "$work/cr.csv"
{ printf '\357\273\277sep=;\n'; sed 's/,/;/g' "$work/plain.csv"; } > "$work/sep.csv"
sed 's/[^,]*/"&"/g' "$work/plain.csv" > "$work/quotes.csv"
sed 's/$/,/' "$work/plain.csv" > "$work/trailing.csv"
{ cat "$work/plain.csv"; echo; echo; } > "$work/ends.csv"
for form in semicolon.txt comma.CSV tab.tsv tab_comma.dat crlf.csv cr.csv sep.csv quotes.csv trailing.csv ends.csv; do
    phiid 0 "$form" "$work/$form"
    same "$form" "$plain/units.csv" "$out/units.csv"
    same "$form" "$plain/synergy.npy" "$out/synergy.npy"
done
sed '31s/$/\
/' "$work/plain.csv" > "$work/empty.csv"
phiid 0 "an empty line" "$work/empty.csv"
says "line 32"
same "an empty line" "$plain/units.csv" "$out/units.csv"
printf '\377\376a\000,\000b\000\n\000' > "$work/utf16.csv"
phiid 1 "UTF-16" "$work/utf16.csv"
says UTF-16
sed 's/,/;/g; 20s/\./,/' "$work/plain.csv" > "$work/mixed.csv"
phiid 1 "two decimal signs" "$work/mixed.csv"
says "line 20"

# ---- names
holds "$plain/units.csv" "Fz,0,0,"
holds "$plain/phiid.json" '"names": ["Fz", "Cz", "Pz"]'
LC_ALL=C awk 'NR == 1 { printf "C3 (%cV),T %cC,Gr%c%ce\n", 181, 176, 246, 223; next } { print }' "$work/plain.csv" > "$work/latin1.csv"
phiid 0 "Latin-1" "$work/latin1.csv" --pairs-csv
says "Latin-1"
for file in units.csv phiid.json pairs.csv; do holds "$out/$file" "C3 (µV)"; done
same "Latin-1" "$plain/synergy.npy" "$out/synergy.npy"
phiid 0 "local by name" "$work/plain.csv" --local Fz:Pz
phiid 0 "local by number" "$work/plain.csv" --local 0:2
same "local" "$work/local_by_name/local.npy" "$work/local_by_number/local.npy"
phiid 1 "local of no unit" "$work/plain.csv" --local Fz:Xz
says Xz

# ---- columns that only count, columns chosen
for head in "" Time index "sample" "t (s)"; do
    awk -v h="$head" 'NR == 1 { print h "," $0; next } { print (NR - 2) * 0.004 "," $0 }' "$work/plain.csv" > "$work/count.csv"
    phiid 0 "counting $head" "$work/count.csv"
    says "equal steps"
    skip=${head:-column1}
    says "--skip '$skip'"
    phiid 0 "skip $head" "$work/count.csv" --skip "$skip"
    silent "equal steps"
    same "--skip" "$plain/units.csv" "$out/units.csv"
done
phiid 0 "columns by pattern" "$work/count.csv" --columns '^[FCP]z$'
same "--columns" "$plain/units.csv" "$out/units.csv"
phiid 0 "columns by number" "$work/count.csv" --columns 1-3
same "--columns" "$plain/units.csv" "$out/units.csv"
phiid 0 "columns by name" "$work/count.csv" --columns 'Pz,Fz,Cz'
same "--columns" "$plain/units.csv" "$out/units.csv"
phiid 1 "no such column" "$work/count.csv" --skip nothing
says nothing
phiid 1 "one column" "$work/count.csv" --columns Fz
says "pairs need two"
awk 'NR == 1 { print "when," $0; next } { print "2020-01-" NR "," $0 }' "$work/plain.csv" > "$work/date.csv"
phiid 1 "dates" "$work/date.csv"
says "--skip 'when'"
phiid 0 "dates left out" "$work/date.csv" --skip when
same "dates" "$plain/units.csv" "$out/units.csv"

# ---- missing numbers
for word in NA n/a NaN null - ""; do
    awk -F, -v OFS=, -v w="$word" 'NR == 5 { $2 = w } { print }' "$work/plain.csv" > "$work/missing.csv"
    phiid 1 "missing '$word'" "$work/missing.csv"
    says "row 4 (line 5), column 2 (Cz)"
    if [ -e "$out" ]; then bad "a refusal made the folder"; else good; fi
done
sed '12s/.*/,,/' "$work/plain.csv" > "$work/blank.csv"
phiid 1 "a blank row" "$work/blank.csv"
says "row 11 (line 12) is blank"
phiid 0 "a unit with a gap" "$work/missing.csv" --missing unit
says Cz
phiid 0 "without it" "$work/plain.csv" --skip Cz
same "--missing unit" "$work/a_unit_with_a_gap/units.csv" "$work/without_it/units.csv"
for tau in 1 3; do
    phiid 0 "gaps $tau" $data/gaps.csv --missing drop --tau $tau --pairs-csv
    sed 's/"Pz, left"/Pz left/g' "$out/pairs.csv" > "$work/got.csv"
    if awk -F, 'NR == FNR { s[FNR] = $3; r[FNR] = $4; n = FNR; next }
            FNR > 1 && (($3 - s[FNR]) ^ 2 > 1e-26 || ($4 - r[FNR]) ^ 2 > 1e-26) { wrong = 1 }
            END { exit wrong || FNR != n }' $data/gaps_tau$tau.csv "$work/got.csv"; then good; else bad "gaps at tau $tau" "$work/got.csv"; fi
    phiid 0 "gaps pooled $tau" $data/gaps.csv --missing drop --tau $tau --pairs-csv --pool
    sed 's/"Pz, left"/Pz left/g' "$out/pairs.csv" > "$work/got.csv"
    if awk -F, 'NR == FNR { s[FNR] = $3; n = FNR; next } FNR > 1 && ($3 - s[FNR]) ^ 2 > 1e-26 { wrong = 1 }
            END { exit wrong || FNR != n }' $data/gaps_tau$tau.csv "$work/got.csv"; then good; else bad "pooled gaps at tau $tau" "$work/got.csv"; fi
done
for null in shift phase shuffle; do
    phiid 0 "gaps $null" $data/gaps.csv --missing drop --surrogates 30 --null $null -t 1
    first=$out
    phiid 0 "gaps $null again" $data/gaps.csv --missing drop --surrogates 30 --null $null -t 3
    same "threads" "$first/units.csv" "$out/units.csv"
done

# ---- numbers of other types, shapes
if have python3 && python3 -c 'import numpy' 2> "$work/cmp"; then
    python3 - "$work" <<'PY'
import sys, numpy as np
w = sys.argv[1]
r = np.random.default_rng(2)
x = r.integers(-100, 100, size=(80, 4))
x[1:] += x[:-1] // 2
np.save(w + "/double.npy", x.astype("f8"))
for t in "<i2 >i2 <i4 >i4 <i8 >i8".split():
    np.save(w + "/" + t.replace("<", "little_").replace(">", "big_") + ".npy", x.astype(t))
np.save(w + "/i1.npy", (x // 4).astype("i1")); np.save(w + "/i1_double.npy", (x // 4).astype("f8"))
np.save(w + "/u1.npy", (x % 200).astype("u1")); np.save(w + "/u1_double.npy", (x % 200).astype("f8"))
np.save(w + "/bool.npy", x > 0); np.save(w + "/bool_double.npy", (x > 0).astype("f8"))
np.save(w + "/wide.npy", x[:12, :].T.copy().astype("f8").T[:8].repeat(3, axis=1) + r.normal(size=(8, 12)))
gap = x.astype("f4"); gap[40, 1] = np.nan
np.save(w + "/gap.npy", gap)
np.savetxt(w + "/gap.csv", gap, delimiter=",", header="0,1,2,3", comments="")
PY
    phiid 0 double "$work/double.npy"
    double=$out
    for type in little_i2 big_i2 little_i4 big_i4 little_i8 big_i8; do
        phiid 0 $type "$work/$type.npy"
        same $type "$double/units.csv" "$out/units.csv"
    done
    for type in i1 u1 bool; do
        phiid 0 $type "$work/$type.npy"
        one=$out
        phiid 0 ${type}_double "$work/${type}_double.npy"
        same $type "$one/units.csv" "$out/units.csv"
    done
    phiid 0 wide "$work/wide.npy"
    says "More units than samples"
    phiid 0 "gap in npy" "$work/gap.npy" --missing drop
    one=$out
    phiid 0 "gap in csv" "$work/gap.csv" --missing drop
    same "a gap" "$one/synergy.npy" "$out/synergy.npy"
    phiid 1 "refused in npy" "$work/gap.npy" --missing refuse
    says "sample 40"
    phiid 0 "flagged in npy" "$work/gap.npy"
    holds "$out/phiid.json" NONFINITE
else
    skip "no numpy to write integers"
fi

# ---- short series, and units that are often 0: nothing of experts
head -n 8 "$work/plain.csv" > "$work/short.csv"
phiid 0 short "$work/short.csv"
holds "$out/phiid.json" "very short"
phiid 1 "short refused" "$work/short.csv" --min-length 8
awk -F, 'NR == 1 { print $0 ",spikes,never"; next } { print $0 "," (NR % 30 == 3) "," 0 }' "$work/plain.csv" > "$work/spikes.csv"
phiid 0 spikes "$work/spikes.csv"
holds "$out/phiid.json" "0 at every sample"
if grep -q "expert\|router" "$out/phiid.json"; then bad "experts in a table" "$out/phiid.json"; else good; fi
finish
