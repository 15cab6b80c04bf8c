#!/bin/sh
# The report in a browser at three widths: nothing wider than the screen, no writing of a figure outside of it or over other
# writing. Skipped where there is no Chromium.
. ./check.sh

synergy=${SYNERGY:-../tools/build/synergy}
[ -x "$synergy" ] || { bad "$synergy is not there"; finish; }
browser=
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || ! have $name || browser=$name
done
[ -n "$browser" ] || { skip "no Chromium"; finish; }

cat > "$work/look.js" <<'JS'
<pre id="faults"></pre><script>
addEventListener("load", () => {
  const faults = [], wide = document.documentElement.clientWidth;
  document.querySelectorAll("details").forEach(d => d.open = true);
  if (document.documentElement.scrollWidth > wide)
    faults.push("page is " + document.documentElement.scrollWidth + " wide, the screen " + wide);
  const inside = e => e.closest(".wide, pre") !== null;
  document.querySelectorAll("body *").forEach(e => {
    const r = e.getBoundingClientRect();
    if (r.width && r.right > wide + 1 && !inside(e) && !e.closest("svg"))
      faults.push(e.tagName + " reaches " + Math.round(r.right) + " of " + wide);
  });
  document.querySelectorAll("svg[role=img]").forEach(svg => {
    const box = svg.getBoundingClientRect(), name = svg.querySelector("title").textContent;
    const texts = [...svg.querySelectorAll("text")].map(t => [t.getBoundingClientRect(), t.textContent]);
    texts.forEach(([r, words], i) => {
      if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1)
        faults.push(name + ": '" + words + "' is outside");
      for (const [s, other] of texts.slice(i + 1)) {
        const x = Math.min(r.right, s.right) - Math.max(r.left, s.left);
        const y = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
        if (x > 1 && y > 3) faults.push(name + ": '" + words + "' over '" + other + "'");
      }
    });
    if (svg.querySelector("text").getBoundingClientRect().height < 8) faults.push(name + ": writing too small");
  });
  document.getElementById("faults").textContent = "looked " + (faults.length ? faults.join("\n") : "fine");
});
</script>
JS

# look NAME WIDTH
look() {
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --window-size="$2",900 --dump-dom "file://$work/$1/look.html" > "$work/dom" 2> "$work/browser"
    awk '/<pre id="faults">/ { on = 1 }
         on { last = /<\/pre>/; sub(/.*<pre id="faults">/, ""); sub(/<\/pre>.*/, ""); print }
         last { exit }' "$work/dom" > "$work/faults"
    if grep -q 'looked fine' "$work/faults"; then good; else bad "$1 at $2:" "$work/faults"; fi
}

for name in norms small one; do
    "$synergy" phiid data/cli/$name.npy -o "$work/$name" > "$work/out" 2>&1 || bad "phiid $name" "$work/out"
    "$synergy" report "$work/$name" > "$work/out" 2>&1 || bad "report $name" "$work/out"
    cat "$work/$name/report.html" "$work/look.js" > "$work/$name/look.html"
    for width in 400 800 1400; do look $name $width; done
done
finish
