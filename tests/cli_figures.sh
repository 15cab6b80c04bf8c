#!/bin/sh
# The figures that the report exports, in other programs: rsvg-convert's picture of each against the browser's, the PDF through
# poppler against rsvg's, no colour that a style sheet would have to tell; the figure of the whole result; the page by itself.
. ./cli.sh
python=${PYTHON:-python3}

"$synergy" phiid data/cli/norms.npy -o "$work/told" --surrogates 19 --robustness > "$work/out" 2>&1 || bad "phiid told" "$work/out"
"$synergy" graph "$work/told" --nulls 10 > "$work/out" 2>&1 || bad "graph told" "$work/out"
awk -v dir="$work/told" -f interventions.awk
awk -v dir="$work/told" -f training.awk
echo '{"model": {"name": "Told", "file": "told.gguf", "architecture": "llama", "layers": 4, "parameters": 1000}, "settings": {"units": "heads"}}' > "$work/told/run.json"
try "report told" "$synergy" report "$work/told"

# ---- what stands in the files
for f in "$work/told"/figures/*.svg; do
    if grep -qE 'var\(|@media|class=|<style' "$f"; then bad "$f leaves colours to a style sheet"; else good; fi
    [ -s "${f%.svg}.pdf" ] && good || bad "${f%.svg}.pdf is missing"
done
for letter in a b c d e f; do
    if grep -q ">$letter</text>" "$work/told/figures/result.svg"; then good; else bad "result.svg has no panel $letter"; fi
done

# ---- every axis has its quantity and unit, every band its name
# axes FILE...: faults of the drawings, in $work/axes
axes() {
    for f in "$@"; do awk -f axes.awk "$f"; done > "$work/axes"
}
for kind in profile-excess profile-paper map-mean-norm matrix-redundancy network-redundancy scatter-memory-synergy topology-null robust-difference \
    ablation-top1 ablation-accuracy-1 perturb-accuracy emergence-loss emergence-curvature-difference emergence-profile-rank-difference \
    tuning-grpo-0 tuning-sft-1 result; do
    [ -s "$work/told/figures/$kind.svg" ] && good || bad "no figure $kind"
done
axes "$work/told"/figures/*.svg
[ -s "$work/axes" ] && bad "axes and bands" "$work/axes" || good
# those of the comparison stand in its page only
try "compare --paper" "$synergy" compare "$work/told" "$work/told" --labels a,b --paper -o "$work/beside.html"
mkdir "$work/beside"
tr '<' '\n' < "$work/beside.html" |
    sed -n 's/^a download="\([a-z0-9-]*\.svg\)" href="data:image\/svg+xml;base64,\([^"]*\)".*/\1 \2/p' > "$work/drawings"
while read -r name drawing; do printf '%s' "$drawing" | base64 -d > "$work/beside/$name"; done < "$work/drawings"
for kind in compare-mean compare-percentile paper-1; do
    [ -s "$work/beside/$kind.svg" ] && good || bad "no figure $kind"
done
axes "$work/beside"/*.svg
[ -s "$work/axes" ] && bad "axes and bands of the comparison" "$work/axes" || good
# what is planted is found: an axis without unit, one without label, a band without name, another name
mkdir "$work/wrong"
# plant NAME SCRIPT FIGURE: a fault
plant() {
    sed "$2" "$work/told/figures/$3.svg" > "$work/wrong/$3.svg"
    axes "$work/wrong/$3.svg"
    [ -s "$work/axes" ] && ! cmp -s "$work/wrong/$3.svg" "$work/told/figures/$3.svg" && good || bad "$1 passes"
}
plant "an axis without unit" 's/accuracy, %/accuracy/' ablation-accuracy
plant "an axis without label" 's/>training, steps</></' tuning-grpo-0
plant "two quantities" 's/>KL, nats</>KL, loss, nats</' perturb-kl
plant "a profile without its right axis" 's/<text[^>]*>percentile of the layer, %<\/text>//' profile-excess
plant "a map without unit" 's/>nats</></' map-synergy
plant "a band without name" 's/>95 % interval</></' tuning-sft-1
plant "a confidence band" 's/>95 % interval/>95% CI/' ablation-score
# in captions, too, which lead to single words of the glossary
sed -n 's/.*<figcaption>/&/p' "$work/told/report.html" "$work/beside.html" | sed 's/\xc2\xa0/ /g; s/<[^>]*>//g' > "$work/captions"
if grep '95 %' "$work/captions" | sed 's/95 % interval//g' | grep '95 %' > "$work/out"; then bad "an interval of another name" "$work/out"; else good; fi
for word in synergy redundancy rank-difference difference excess percentile kl core interval null-network memory; do
    if grep '<figcaption>' "$work/told/report.html" | grep -q "<a href=\"#word-$word\">"; then good; else bad "no caption leads to $word"; fi
done

# ---- the same picture everywhere
browser=
for name in chromium chromium-browser google-chrome; do
    have "$name" && browser=$name && break
done
if have rsvg-convert && [ -n "$browser" ] && "$python" -c 'import numpy' 2> /dev/null; then
    "$python" look_pictures.py "$browser" "$work/told/figures" "$work" > "$work/out" 2>&1
    sed -n 's/^OK.*/&/p' "$work/out" | wc -l | { read -r n; [ "$n" -ge 7 ]; } && good || bad "few pictures were compared" "$work/out"
    grep '^BAD' "$work/out" > "$work/differ"
    if [ -s "$work/differ" ]; then bad "a picture differs" "$work/differ"; else good; fi
    # a colour that only a style sheet tells must be caught
    mkdir "$work/planted"
    sed 's/fill="#[0-9a-f]*"/class="lost"/g; s/<rect width="100%" height="100%"[^>]*>//; s/<desc/<style>.lost{fill:light-dark(#e0a000,#e0a000)}<\/style><desc/' \
        "$work/told/figures/map-synergy.svg" > "$work/planted/planted.svg"
    "$python" look_pictures.py "$browser" "$work/planted" "$work" > "$work/out" 2>&1
    if grep -q '^BAD' "$work/out"; then good; else bad "a picture with lost colours passes" "$work/out"; fi
else skip "pictures: no rsvg-convert, browser or numpy"; fi

# ---- Inkscape draws what rsvg draws
if have inkscape && have rsvg-convert && "$python" -c 'import numpy' 2> /dev/null; then
    "$python" look_pictures.py inkscape "$work/told/figures" "$work" > "$work/out" 2>&1
    [ "$(grep -c '^OK.*Inkscape' "$work/out")" -ge 7 ] && ! grep -q '^BAD' "$work/out" && good || bad "Inkscape" "$work/out"
elif have inkscape; then skip "pictures in Inkscape: no rsvg-convert or numpy"
else skip "pictures: no inkscape"; fi

# ---- the page
page=$work/told/report.html
for what in 'What was asked.' 'What was found.' 'How sure that is.' 'https://arxiv.org/abs/2601.06851' 'id="word-phiid"' 'id="word-core"' \
    'href="data:image/svg+xml;base64,' 'href="data:text/csv;base64,' '"names":\["L0H0"'; do
    if grep -q -- "$what" "$page"; then good; else bad "the page lacks $what"; fi
done
# a file within the page is the file beside it
link=$(tr '<' '\n' < "$page" | sed -n 's/^a download="profile-difference.csv" href="data:text\/csv;base64,\([^"]*\)".*/\1/p')
printf '%s' "$link" | base64 -d > "$work/inside.csv" 2> "$work/out"
try "the CSV within the page" cmp "$work/inside.csv" "$work/told/figures/profile-difference.csv"

# every link within the page leads somewhere
tr '<' '\n' < "$page" | sed -n 's/^a [^>]*href="#\([^"]*\)".*/\1/p' | sort -u > "$work/links"
while read -r id; do
    grep -q "id=\"$id\"" "$page" || echo "$id"
done < "$work/links" > "$work/dead"
if [ -s "$work/links" ] && [ ! -s "$work/dead" ]; then good; else bad "links to nowhere" "$work/dead"; fi

# ---- title, another place, interventions of another folder
cp -R "$work/told" "$work/before"
try "report -o" "$synergy" report "$work/told" --title 'Two <cores> & more' -o "$work/other.html"
try "report -o leaves the folder alone" diff -r "$work/told" "$work/before"
if grep -q '<h1>Two &lt;cores&gt; &amp; more</h1>' "$work/other.html"; then good; else bad "the title"; fi
"$synergy" report "$work/told" -o "$work/other.html" > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'force' "$work/out" && good || bad "an existing page is replaced" "$work/out"
"$synergy" report "$work/told" --force -o "$work/told/units.csv" > "$work/out" 2>&1
[ $? -eq 1 ] && cmp -s "$work/told/units.csv" "$work/before/units.csv" && good || bad "a page over units.csv" "$work/out"
mkdir "$work/elsewhere"
mv "$work/told"/ablation* "$work/elsewhere/"
try "report --interventions" "$synergy" report "$work/told" --interventions "$work/elsewhere" -o "$work/with.html"
if grep -q 'Removing the core' "$work/with.html"; then good; else bad "interventions of another folder"; fi
"$synergy" report "$work/elsewhere" > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q -- '--interventions' "$work/out" && good || bad "a folder of interventions alone" "$work/out"
finish
