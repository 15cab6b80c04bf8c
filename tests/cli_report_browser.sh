#!/bin/sh
# What the report says of interventions, of missing numbers and of layers that do not begin at 0. Then the report and the
# comparison in a browser at three widths: no script error, nothing wider than the screen, no writing of a figure outside of it or
# over other writing. Pages with planted faults must be caught. The browser's part is skipped where there is no Chromium.
. ./cli.sh

# ---- what the page says

# report FOLDER: its page, in lines of one claim, section or paragraph
report() {
    "$synergy" report "$1" > "$work/out" 2>&1 || bad "report $1" "$work/out"
    page=$1/report.html
}

says() {
    if grep -qF -- "$1" "$page"; then good; else bad "$page does not say '$1'"; fi
}

says_not() {
    if grep -qF -- "$1" "$page"; then bad "$page says '$1'"; else good; fi
}

"$synergy" phiid data/cli/norms.npy -o "$work/told" --surrogates 19 > "$work/out" 2>&1 || bad "phiid told" "$work/out"
"$synergy" graph "$work/told" --nulls 10 > "$work/out" 2>&1 || bad "graph told" "$work/out"
awk -v dir="$work/told" -f interventions.awk
core='Removing the core harms more than removing at random</dt><dd><b class='
noise='Noise in the core harms more than in random places</dt><dd><b class='

# older files: p over prompts and the sign
report "$work/told"
says "$core\"yes\">yes"
says '<b class="open">open</b> mean KL'
says '<b class="no">no</b> mean KL'
says "$noise\"yes\">yes"
cp "$work/told/ablation.json" "$work/ablation.json"
cp "$work/told/perturb.json" "$work/perturb.json"
# the field harm has the last word
sed 's/"p_prompts": 0.01/"harm": 0, &/' "$work/ablation.json" > "$work/told/ablation.json"
sed 's/"p_prompts"/"harm": -1, &/' "$work/perturb.json" > "$work/told/perturb.json"
report "$work/told"
says "$core\"open\">open"
says 'does not change the predictions more, or less, beyond doubt'
says "$noise\"no\">no"
# few prompts leave it open
sed 's/"p_prompts": 0.01/"harm": 1, &/; s/"seeds": 5/"prompts": 9, &/' "$work/ablation.json" > "$work/told/ablation.json"
sed 's/"p_prompts"/"harm": 1, &/; s/"seeds": 5/"prompts": 10, &/' "$work/perturb.json" > "$work/told/perturb.json"
report "$work/told"
says "$core\"open\">open</b> 9 prompts cannot tell (at least 10 are needed)"
says 'does not change the predictions more, or less, beyond doubt'
says "$noise\"yes\">yes</b> mean KL"

# interventions on units that other scores chose
hash=$(sha256sum "$work/told/units.csv" 2> /dev/null | cut -c 1-64)
if [ -n "$hash" ]; then
    sed "s/\"seeds\": 5/\"units_sha256\": \"$hash\", &/" "$work/ablation.json" > "$work/told/ablation.json"
    sed "s/\"seeds\": 5/\"units_sha256\": \"0$hash\", &/" "$work/perturb.json" > "$work/told/perturb.json"
    report "$work/told"
    says "$core\"yes\">yes"
    says_not "$noise"
    says 'What noise in the weights does has been tested for other scores only'
    says 'synergy perturb MODEL DIR -o DIR --force'
    says_not 'What the model loses when units are removed has'
    says_not 'KL under noise'
else skip "interventions of other scores: no sha256sum"; fi

# numbers and scores that are missing
sed 's/"low": [-0-9.]*/"low": null/g; s/"high": [-0-9.]*/"high": null/g; s/"p_prompts": [0-9.]*/"p_prompts": null/g
    s/interval 0.02 to 0.13/interval nan to -nan/; s/"auc_[lh][a-z]*": [0-9.]*/"auc_low": null/g' "$work/ablation.json" > "$work/told/ablation.json"
sed 's/"auc_difference": [0-9.]*/"auc_difference": null/g; s/"p_prompts": [0-9.]*/"p_prompts": null/g' "$work/perturb.json" > "$work/told/perturb.json"
awk -F, 'BEGIN { OFS = "," } NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^(score|self_information|rank_difference$)/) gone[i] } NR == 2 || (NR > 2 && NR % 5 == 0) { for (i in gone) $i = "" } { print }' \
    "$work/told/units.csv" > "$work/units.csv"
mv "$work/units.csv" "$work/told/units.csv"
awk -F, 'BEGIN { OFS = "," } $1 == "difference" { $4 = $5 = $6 = "" } { print }' "$work/told/profile.csv" > "$work/profile.csv"
mv "$work/profile.csv" "$work/told/profile.csv"
# a profile of enough prompts that has no parabola
awk '/"prompts_used"/ { sub(/5/, "12") } /"difference": \{/ { on = 1 }
     on && /"middle_minus_outer"/ { sub(/\{.*\}/, "{\"value\": 3, \"low\": 2, \"high\": 4}") }
     on && /"curvature"/ { sub(/\{.*\}/, "{\"value\": -9, \"low\": -12, \"high\": -6}") }
     on && /"p_/ { sub(/: [0-9.]*/, ": 0.001") }
     on && /^    \}/ { on = 0 } { print }' "$work/told/phiid.json" > "$work/phiid.json"
mv "$work/phiid.json" "$work/told/phiid.json"
rm -r "$work/told/figures"
report "$work/told"
says '<b class="open">in part</b> middle third'
says 'there is no parabola to these layers, and so no clear U'
says 'no score, '
sed 's/;base64,[^"]*//g' "$page" "$work/told"/figures/* | grep -nwi nan > "$work/out"
if [ -s "$work/out" ]; then bad "nan on the page or in a figure" "$work/out"; else good; fi

# layers that begin at 3: in tables, CSV, titles and ticks
"$synergy" phiid data/cli/norms.npy -o "$work/late" > "$work/out" 2>&1 || bad "phiid late" "$work/out"
awk -F, 'BEGIN { OFS = "," } NR > 1 { $2 += 3; $1 = $2 "." $3 } { print }' "$work/late/units.csv" > "$work/units.csv"
mv "$work/units.csv" "$work/late/units.csv"
report "$work/late"
says '<th scope="row">6</th>'
for name in profile-difference map-synergy scatter-redundancy-synergy; do
    # the layer, or the unit that has it in its name
    cut -d, -f 1 "$work/late/figures/$name.csv" | sed '1d; s/^L\([0-9]*\)H.*/\1/' | sort -u | tr '\n' ' ' > "$work/out"
    if [ "$(cat "$work/out")" = "3 4 5 6 " ]; then good; else bad "layers of $name.csv" "$work/out"; fi
done
page=$work/late/figures/profile-difference.svg
says '<title>layer 6: mean'
says_not '<title>layer 0'
for name in profile-difference map-synergy matrix-synergy; do
    page=$work/late/figures/$name.svg
    says 'font-size="11"'
    grep -o 'font-size="11"[^>]*>[0-9]*<' "$page" | sed 's/.*>\(.*\)</\1/' | sort -u > "$work/out"
    if grep -qx 6 "$work/out" && grep -qx 3 "$work/out"; then good; else bad "ticks of $name" "$work/out"; fi
done

browser=
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || ! have $name || browser=$name
done
[ -n "$browser" ] || { skip "no Chromium"; finish; }

# ---- what is looked for: one script before the page, one after it
cat > "$work/first.js" <<'JS'
<script>
const faults = [];
addEventListener("error", e => faults.push("error: " + (e.message || e.target.tagName)), true);
addEventListener("unhandledrejection", e => faults.push("error: " + e.reason));
</script>
JS
cat > "$work/look.js" <<'JS'
<script>
addEventListener("load", () => {
  const wide = innerWidth;
  document.querySelectorAll("details").forEach(d => d.open = true);
  if (document.scrollingElement.scrollWidth > wide)
    faults.push("overflow: the page is " + document.scrollingElement.scrollWidth + " wide, the screen " + wide);
  document.querySelectorAll("body *").forEach(e => {
    const r = e.getBoundingClientRect();
    if (r.width && r.right > wide + 1 && !e.closest(".wide, pre, svg, .skip"))
      faults.push("overflow: " + e.tagName + " reaches " + Math.round(r.right) + " of " + wide);
  });
  document.querySelectorAll("svg[role=img]").forEach(svg => {
    const box = svg.getBoundingClientRect(), name = svg.querySelector("title").textContent;
    const texts = [...svg.querySelectorAll("text")].map(t => [t.getBoundingClientRect(), t.textContent]);
    texts.forEach(([r, words], i) => {
      if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
        faults.push("outside: " + name + ": '" + words + "'");
      for (const [s, other] of texts.slice(i + 1)) {
        const x = Math.min(r.right, s.right) - Math.max(r.left, s.left);
        const y = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
        if (x > 1 && y > 2) faults.push("overlap: " + name + ": '" + words + "' and '" + other + "'");
      }
      if (r.height < 8 && words) faults.push("small: " + name + ": '" + words + "'");
    });
    if (!svg.querySelector("desc").textContent) faults.push("no description: " + name);
  });
  document.querySelectorAll("table").forEach(t => {
    if (!t.caption || !t.caption.textContent) faults.push("a table without a caption");
    if (!t.closest("[tabindex]")) faults.push("a table that the keyboard does not reach");
  });
  const told = document.querySelector(".told");
  if (told) {
    const image = told.parentElement.querySelector("image");
    const r = image.getBoundingClientRect();
    image.dispatchEvent(new PointerEvent("pointermove", {clientX: r.left + 1, clientY: r.bottom - 1}));
    const pointed = told.textContent;
    told.parentElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp"}));
    if (!/^(\S+ \u2013 )?L0H0: [-0-9]/.test(pointed) || !/^(L0H1|\S+ \u2013 L0H0): [-0-9]/.test(told.textContent) ||
        pointed === told.textContent)
      faults.push("the map tells '" + pointed + "', then '" + told.textContent + "'");
  }
  const here = location.pathname.replace(/.*look-|\.html/g, "") + " at " + wide + ": ";
  if (told) parent.postMessage(here + "tells values", "*");
  for (const fault of faults.length ? faults : ["fine"]) parent.postMessage(here + fault, "*");
});
</script>
JS

# page NAME FILE WIDTH...: a page that is looked at next time, each width in a frame of its own, since a window cannot be as
# narrow as a telephone
page() {
    name=$1
    [ -s "$2" ] || bad "$2 is not there"
    { sed "/<head>/r $work/first.js" "$2"; cat "$work/look.js"; } > "$work/look-$name.html"
    shift 2
    for width in "$@"; do
        echo "<iframe src=\"look-$name.html\" style=\"border:0;height:900px;width:${width}px\"></iframe>" >> "$work/frames"
        echo "$name at $width" >> "$work/asked"
    done
}

cat > "$work/frames.js" <<'JS'
<pre id="faults"></pre><script>
addEventListener("message", e => document.getElementById("faults").textContent += e.data + "\n");
</script>
JS

# look: what the browser finds on these pages, in $work/faults, a line each; `fine` where there is nothing
look() {
    cat "$work/frames.js" "$work/frames" > "$work/frames.html"
    rm "$work/frames"
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --window-size=1600,900 --virtual-time-budget=20000 --dump-dom "file://$work/frames.html" > "$work/dom" 2> "$work/browser"
    awk '/<pre id="faults">/ { on = 1 }
         on { last = /<\/pre>/; sub(/.*<pre id="faults">/, ""); sub(/<\/pre>.*/, ""); print }
         last { exit }' "$work/dom" > "$work/faults"
}

# ---- planted faults
plant() {
    printf '<!DOCTYPE html><html lang="en"><head>\n</head><body style="margin:0">%s</body></html>' "$2" > "$work/planted.html"
    page "$1" "$work/planted.html" 800
}

svg='<svg role="img" width="400" height="100" viewBox="0 0 400 100"><title>t</title><desc>d</desc>'
plant overlap "$svg<text x=\"20\" y=\"50\">first words</text><text x=\"40\" y=\"52\">second words</text></svg>"
plant outside "$svg<text x=\"380\" y=\"50\">long words</text></svg>"
plant overflow '<p style="width:1000px">wide</p>'
plant error '<script>nothing.at.all()</script>'
plant caption '<div tabindex="0"><table><tr><td>1</td></tr></table></div>'
plant fine "$svg<text x=\"20\" y=\"40\">first words</text><text x=\"20\" y=\"62\">second words</text></svg>"
look
for fault in 'overlap at 800: overlap: ' 'outside at 800: outside: ' 'overflow at 800: overflow: ' 'error at 800: error: ' \
    'caption at 800: a table without' 'fine at 800: fine'; do
    if grep -q "^$fault" "$work/faults"; then good; else bad "a planted page is not seen as it is: $fault" "$work/faults"; fi
done

# ---- results of every shape: many layers with interventions, few samples, one layer, thousands of units
for name in norms small one; do
    "$synergy" phiid data/cli/$name.npy -o "$work/$name" > "$work/out" 2>&1 || bad "phiid $name" "$work/out"
done
"$synergy" phiid data/cli/norms.npy -o "$work/norms" --surrogates 19 --robustness --force > "$work/out" 2>&1 || bad "phiid norms" "$work/out"
"$synergy" graph "$work/norms" --nulls 10 > "$work/out" 2>&1 || bad "graph" "$work/out"
awk -v dir="$work/norms" -f interventions.awk
awk 'BEGIN { srand(2) } { print $0 "," (NR == 1 ? "sink" : rand()) }' "$work/norms/units.csv" > "$work/units.csv"
mv "$work/units.csv" "$work/norms/units.csv"
awk 'BEGIN { srand(1); for (t = 0; t < 40; t++) for (i = 0; i < 2600; i++) printf "%.4f%s", rand() + (i % 7) * sin(t + i), i < 2599 ? "," : "\n" }' > "$work/many.csv"
"$synergy" phiid "$work/many.csv" -o "$work/many" --layers 26 --resamples 0 > "$work/out" 2>&1 || bad "phiid many" "$work/out"
for name in norms small one many; do
    "$synergy" report "$work/$name" > "$work/out" 2>&1 || bad "report $name" "$work/out"
done

# the sections of the interventions, escaped, and their figures
for word in 'id="ablation"' 'id="perturb"' 'id="network"' 'id="claims"' 'ablation-rivals' 'Mean KL along the curve' \
    'more than at random' '<th scope="row">sink</th>' '&amp; that is &lt;all&gt;' 'mean norm'; do
    if grep -qF -- "$word" "$work/norms/report.html"; then good; else bad "the page has no $word"; fi
done
for name in ablation-score ablation-rivals ablation-top1 ablation-accuracy perturb-kl perturb-accuracy network-synergy \
    network-redundancy topology-null map-sink; do
    if [ -s "$work/norms/figures/$name.svg" ] && [ -s "$work/norms/figures/$name.csv" ]; then good; else bad "no figure $name"; fi
done
# the curve of random orders is their mean, with the smallest and the largest (0.8 to 1.2 times)
if awk -F, '$1 == "random" && $2 > 0 { n++; if ($4 / $3 < 0.799 || $4 / $3 > 0.801 || $5 / $3 < 1.199 || $5 / $3 > 1.201) exit 1 }
            END { exit n != 8 }' "$work/norms/figures/ablation-score.csv"; then good; else bad "the band of random orders"; fi
# the strongest quarter of the 276 pairs, the strongest first, each once
if awk -F, 'NR > 1 { n++; if (n > 1 && $3 > last) exit 1; last = $3; if (seen[$1, $2]++ || seen[$2, $1]) exit 1 }
            END { exit n != 69 }' "$work/norms/figures/network-synergy.csv"; then good; else bad "the edges of the network"; fi
# one script, which tells the values of pairs; nothing is loaded
if [ "$(grep -c '^<script>' "$work/norms/report.html")" -eq 1 ] && ! grep -qE '<(script|img|link)[^>]* (src|rel)=' "$work/norms/report.html"; then good
else bad "a report has other scripts than the one of values"; fi
for file in "$work"/*/report.html; do
    # of 2600 units; drawings and tables up to 2 MB each stand in the page as files, too
    page=$(sed -E 's/href="data:[^"]*"//g' "$file" | wc -c)
    if [ "$page" -lt 5000000 ] && [ "$(wc -c < "$file")" -lt 9000000 ]; then good
    else bad "$file has $(wc -c < "$file") bytes, $page without its files"; fi
done

# ---- the comparison
"$synergy" phiid data/cli/norms.npy -o "$work/tau2" --tau 2 > "$work/out" 2>&1 || bad "phiid tau 2" "$work/out"
"$synergy" compare "$work/norms" "$work/tau2" "$work/many" -o "$work/compare.html" \
    --labels 'norms,a label that is <far> too long to stand beside its line,many' > "$work/out" 2>&1 || bad "compare" "$work/out"
many=
for n in 1 2 3 4 5 6; do many="$many $work/norms $work/tau2"; done
# shellcheck disable=SC2086
"$synergy" compare $many -o "$work/twelve.html" > "$work/out" 2>&1 || bad "compare twelve" "$work/out"

: > "$work/asked"
for folder in norms small one many; do page $folder "$work/$folder/report.html" 360 800 1400; done
page compare "$work/compare.html" 360 800 1400
# on paper nothing scrolls: a table that is wider than the sheet loses columns, and browsers shrink the rest to make room
grep -q 'Figures under each estimator' "$work/norms/report.html" || bad "the report has no wide table"
sed 's/@media print{/@media all{/; s/class="wide"/class="sheet"/g' "$work/norms/report.html" > "$work/sheet.html"
page sheet "$work/sheet.html" 690
grep -v '^sheet' "$work/asked" > "$work/screens"; mv "$work/screens" "$work/asked"
page twelve "$work/twelve.html" 360 800 1400
look
while read -r asked; do
    grep "^$asked: " "$work/faults" > "$work/found"
    if grep -q "^$asked: fine$" "$work/found"; then good; else bad "$asked:" "$work/found"; fi
done < "$work/asked"
if grep -q '^many at 360: tells values' "$work/faults"; then good; else bad "a map of thousands of units tells no values" "$work/faults"; fi
if grep -q '^many at 360: tells values' "$work/faults"; then good; else bad "a map of thousands of units tells no values" "$work/faults"; fi
grep '^sheet at 690: ' "$work/faults" > "$work/found"
if [ -s "$work/found" ] && ! grep -q 'overflow: ' "$work/found"; then good; else bad "a printed page:" "$work/found"; fi
finish
