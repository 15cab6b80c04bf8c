#!/bin/sh
# Names from outside are data: units, files and titles that look like HTML, XML, formulas or escape sequences come out of
# CSV, GraphML, SVG, JSON and the page as what they are, and a spreadsheet finds no formula in any table.
. ./cli.sh

if ! python3 -c 1 2> /dev/null; then
    skip "python3 is not there"
    finish
    exit 0
fi
cat > "$work/make.py" << 'EOF'
import csv, math, random, sys
names = ['=1+2', '+A1', '-A1*2', '@SUM(A1:A9)', "'=quoted", "''-twice", '=HYPERLINK("http://x.example";"y")',
         '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "a'b\"c", 'a&b;&amp;', ']]><!--', '{{7*7}}',
         '\u202Eright to left', 'caf\u00e9 \u4e2d', '${HOME}`id`']
random.seed(3)
v = [0.0] * len(names)
with open(sys.argv[1], 'w', newline='', encoding='utf-8') as f:
    w = csv.writer(f)
    w.writerow(names)
    for t in range(80):
        v = [0.6 * v[i] + 0.3 * v[(i + 1) % len(v)] + random.gauss(0, 1) for i in range(len(v))]
        w.writerow(['%.6f' % x for x in v])
EOF
cat > "$work/look.py" << 'EOF'
import csv, glob, html.parser, json, re, sys
import xml.etree.ElementTree as tree
table, folder = sys.argv[1:3]
names = next(csv.reader(open(table, encoding='utf-8', newline='')))
told = json.load(open(folder + '/phiid.json', encoding='utf-8'))
assert told['input']['names'] == names, told['input']['names']
own = lambda cell: re.sub(r"^'(?='*[=+\-@\t\r])", '', cell)
def number(cell):
    try:
        return float(cell) == float(cell) or True
    except ValueError:
        return False
tables = glob.glob(folder + '/*.csv') + glob.glob(folder + '/figures/*.csv')
assert len(tables) > 5
for path in tables:
    rows = list(csv.reader(open(path, encoding='utf-8', newline='')))
    for row in rows:
        assert len(row) == len(rows[0]), path
        for cell in row:
            assert not re.match(r'[=+\-@\t\r]', cell) or number(cell), (path, cell)
    for column in ('unit', 'source', 'target', 'x', 'y'):
        if column in rows[0] and 'figures' not in path:
            found = [own(r[rows[0].index(column)]) for r in rows[1:]]
            assert set(found) <= set(names), (path, column, set(found) - set(names))
units = list(csv.DictReader(open(folder + '/units.csv', encoding='utf-8', newline='')))
assert [own(r['unit']) for r in units] == names
try:
    import pandas
    read = pandas.read_csv(folder + '/units.csv')['unit'].str.replace(r"^'(?='*[=+\-@\t\r])", '', regex=True)
    assert list(read) == names, list(read)
except ImportError:
    pass
for path in glob.glob(folder + '/*.graphml'):
    found = [d.text for d in tree.parse(path).iter() if d.tag.endswith('data') and d.get('key') == 'unit']
    assert found == names, (path, found)
svgs = glob.glob(folder + '/figures/*.svg')
assert len(svgs) > 3
for path in svgs:
    assert not [e for e in tree.parse(path).iter() if e.tag.endswith(('script', 'img'))], path
for path in glob.glob(folder + '/*.json'):
    json.load(open(path, encoding='utf-8'))
class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text, self.scripts, self.inside = [], '', '', False
    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.inside = tag == 'script'
        assert not [k for k, v in attributes if k.startswith('on')], attributes
    def handle_data(self, data):
        self.text += data
        if self.inside:
            self.scripts += data
    def handle_endtag(self, tag):
        self.inside = False
page = Tags()
page.feed(open(folder + '/report.html', encoding='utf-8').read())
assert 'img' not in page.tags and 'x' not in page.tags, sorted(set(page.tags))
assert 'alert(1)' in page.text and '<script>' not in page.scripts and '<img' not in page.scripts
assert "<title>&<b>'" in page.text
EOF
python3 "$work/make.py" "$work/a=<b>&'c.csv"
out=$work/out
run 0 "hostile names of units and of a file" phiid "$work/a=<b>&'c.csv" -o "$out" --pairs-csv
run 0 "their graphs" graph "$out" --graphml --csv --nulls 0
run 0 "their page" report "$out" --title "<title>&<b>'"
try "names come back from every file" python3 "$work/look.py" "$work/a=<b>&'c.csv" "$out"
# broken UTF-8 and control characters: every file still opens, and the terminal gets none of them
python3 - "$work/control.csv" << 'EOF'
import random, sys
random.seed(4)
with open(sys.argv[1], 'wb') as f:
    f.write(b'a\x1b[31mred,b\xff\xfe,c\x07bell,d\n')
    for t in range(60):
        f.write((','.join('%.5f' % random.gauss(0, 1) for _ in range(4)) + '\n').encode())
EOF
run 0 "control characters in names" phiid "$work/control.csv" -o "$work/control"
if LC_ALL=C grep -q "$(printf '[\001-\010\013\014\016-\037]')" "$work/stdout" "$work/stderr"; then
    bad "$what: control characters reach the terminal" "$work/stdout"
else
    good
fi
run 0 "their graphs" graph "$work/control" --graphml --csv --nulls 0
run 0 "their page" report "$work/control"
try "every file opens" python3 -c '
import glob, json, sys, xml.etree.ElementTree as tree
folder = sys.argv[1]
for path in glob.glob(folder + "/*.graphml") + glob.glob(folder + "/figures/*.svg"): tree.parse(path)
for path in glob.glob(folder + "/*.json"): json.load(open(path, encoding="utf-8"))
open(folder + "/report.html", encoding="utf-8").read()
' "$work/control"
finish
