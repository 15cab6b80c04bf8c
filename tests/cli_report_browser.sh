#!/bin/sh
# The report and the comparison in a browser at three widths: no script error, nothing wider than the screen, no writing of a
# figure outside of it or over other writing. Pages with planted faults must be caught. Skipped where there is no Chromium.
. ./check.sh

synergy=${SYNERGY:-../tools/build/synergy}
[ -x "$synergy" ] || { bad "$synergy is not there"; finish; }
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
  const image = document.querySelector("svg image"), told = document.querySelector(".told");
  if (told) {
    const r = image.getBoundingClientRect();
    image.dispatchEvent(new PointerEvent("pointermove", {clientX: r.left + 1, clientY: r.bottom - 1}));
    const pointed = told.textContent;
    told.parentElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp"}));
    if (!/^0\.0: [-0-9]/.test(pointed) || !/^0\.1: [-0-9]/.test(told.textContent))
      faults.push("the map tells '" + pointed + "', then '" + told.textContent + "'");
  }
  parent.postMessage("at " + wide + (told ? " with values" : "") + (faults.length ? "\n" + faults.join("\n") : " fine"), "*");
});
</script>
JS

cat > "$work/frames.js" <<'JS'
<pre id="faults"></pre><script>
addEventListener("message", e => document.getElementById("faults").textContent += "looked " + e.data + "\n");
</script>
JS

# see PAGE WIDTH...: what the browser finds, in $work/faults. Each width is a frame of its own, since a window cannot be
# as narrow as a telephone.
see() {
    [ -s "$1" ] || bad "$1 is not there"
    { sed "/<head>/r $work/first.js" "$1"; cat "$work/look.js"; } > "$work/look.html"
    shift
    {
        cat "$work/frames.js"
        for width in "$@"; do
            echo "<iframe src=\"look.html\" style=\"border:0;height:900px;width:${width}px\"></iframe>"
        done
    } > "$work/frames.html"
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --window-size=1600,900 --virtual-time-budget=9000 --dump-dom "file://$work/frames.html" > "$work/dom" 2> "$work/browser"
    awk '/<pre id="faults">/ { on = 1 }
         on { last = /<\/pre>/; sub(/.*<pre id="faults">/, ""); sub(/<\/pre>.*/, ""); print }
         last { exit }' "$work/dom" > "$work/faults"
}

# look NAME PAGE WIDTH...
look() {
    name=$1
    shift
    see "$@"
    shift
    for width in "$@"; do
        if grep -qE "^looked at $width( with values)? fine" "$work/faults"; then
            good
        else
            bad "$name at $width:" "$work/faults"
        fi
    done
}

# caught WORD HTML: a page with this fault is not called fine
caught() {
    printf '<!DOCTYPE html><html lang="en"><head>\n</head><body style="margin:0">%s</body></html>' "$2" > "$work/planted.html"
    see "$work/planted.html" 800
    if grep -q "^$1" "$work/faults"; then good; else bad "a planted fault is not caught: $1" "$work/faults"; fi
}

svg='<svg role="img" width="400" height="100" viewBox="0 0 400 100"><title>t</title><desc>d</desc>'
caught overlap "$svg<text x=\"20\" y=\"50\">first words</text><text x=\"40\" y=\"52\">second words</text></svg>"
caught outside "$svg<text x=\"380\" y=\"50\">long words</text></svg>"
caught overflow '<p style="width:1000px">wide</p>'
caught error '<script>nothing.at.all()</script>'
caught "a table without" '<div tabindex="0"><table><tr><td>1</td></tr></table></div>'
caught "looked at 800 fine" "$svg<text x=\"20\" y=\"40\">first words</text><text x=\"20\" y=\"62\">second words</text></svg>"

# ---- results of every shape: many layers with interventions, few samples, one layer, thousands of units
for name in norms small one; do
    "$synergy" phiid data/cli/$name.npy -o "$work/$name" > "$work/out" 2>&1 || bad "phiid $name" "$work/out"
done
"$synergy" phiid data/cli/norms.npy -o "$work/norms" --surrogates 19 --force > "$work/out" 2>&1 || bad "phiid norms" "$work/out"
"$synergy" graph "$work/norms" --nulls 10 > "$work/out" 2>&1 || bad "graph" "$work/out"
awk -v dir="$work/norms" -f interventions.awk
awk 'BEGIN { srand(1); for (t = 0; t < 40; t++) for (i = 0; i < 2600; i++) printf "%.4f%s", rand() + (i % 7) * sin(t + i), i < 2599 ? "," : "\n" }' > "$work/many.csv"
"$synergy" phiid "$work/many.csv" -o "$work/many" --layers 26 --resamples 0 > "$work/out" 2>&1 || bad "phiid many" "$work/out"
for name in norms small one many; do
    "$synergy" report "$work/$name" > "$work/out" 2>&1 || bad "report $name" "$work/out"
done
for folder in norms small one many; do look $folder "$work/$folder/report.html" 360 800 1400; done
if grep -q 'with values' "$work/faults"; then good; else bad "a map of thousands of units tells no values" "$work/faults"; fi

# the sections of the interventions, escaped, and their figures
for word in 'id="ablation"' 'id="perturb"' 'id="network"' 'id="claims"' 'ablation-rivals' 'Mean KL along the curve' \
    'more than at random' '&amp; that is &lt;all&gt;' 'mean norm'; do
    if grep -qF -- "$word" "$work/norms/report.html"; then good; else bad "the page has no $word"; fi
done
for name in ablation-score ablation-rivals ablation-top1 ablation-accuracy perturb-kl perturb-accuracy network-synergy \
    network-redundancy topology-null; do
    if [ -s "$work/norms/figures/$name.svg" ] && [ -s "$work/norms/figures/$name.csv" ]; then good; else bad "no figure $name"; fi
done
# the curve of random orders is their mean, with the smallest and the largest (0.8 to 1.2 times)
if awk -F, '$1 == "random" && $2 > 0 { n++; if ($4 / $3 < 0.799 || $4 / $3 > 0.801 || $5 / $3 < 1.199 || $5 / $3 > 1.201) exit 1 }
            END { exit n != 8 }' "$work/norms/figures/ablation-score.csv"; then good; else bad "the band of random orders"; fi
if grep -q '<script' "$work/norms/report.html"; then bad "a small report has a script"; else good; fi
for file in "$work"/*/report.html; do
    if [ "$(wc -c < "$file")" -lt 5000000 ]; then good; else bad "$file has $(wc -c < "$file") bytes"; fi
done

# ---- the comparison
"$synergy" phiid data/cli/norms.npy -o "$work/tau2" --tau 2 > "$work/out" 2>&1 || bad "phiid tau 2" "$work/out"
"$synergy" compare "$work/norms" "$work/tau2" "$work/many" -o "$work/compare.html" \
    --labels 'norms,a label that is <far> too long to stand beside its line,many' > "$work/out" 2>&1 || bad "compare" "$work/out"
look compare "$work/compare.html" 360 800 1400
many=
for n in 1 2 3 4 5 6; do many="$many $work/norms $work/tau2"; done
# shellcheck disable=SC2086
"$synergy" compare $many -o "$work/twelve.html" > "$work/out" 2>&1 || bad "compare twelve" "$work/out"
look twelve "$work/twelve.html" 360 800 1400
finish
