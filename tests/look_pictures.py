"""look_pictures.py BROWSER FOLDER WORK - each FOLDER/*.svg drawn by rsvg-convert, by the browser and (its PDF) by poppler: the
same picture, but for fonts and smoothing. Prints a line each, OK or BAD. With `inkscape` for BROWSER that one draws the SVGs."""
import glob, os, shutil, struct, subprocess, sys, zlib

import numpy as np


def read_png(path):
    """8 bits, RGB or RGBA, as floats (row, column, 3) on white."""
    b = open(path, 'rb').read()
    at, rows, head = 8, b'', None
    while at < len(b):
        n, = struct.unpack('>I', b[at:at + 4])
        kind, data = b[at + 4:at + 8], b[at + 8:at + 8 + n]
        if kind == b'IHDR':
            head = struct.unpack('>IIBBBBB', data)
        if kind == b'IDAT':
            rows += data
        at += n + 12
    w, h, bits, colour = head[:4]
    assert bits == 8 and colour in (2, 6) and not head[6]
    size = 3 if colour == 2 else 4
    raw = np.frombuffer(zlib.decompress(rows), np.uint8).reshape(h, 1 + w * size)
    out, above = np.zeros((h, w * size), np.uint8), np.zeros(w * size, np.uint8)
    for y in range(h):
        line = raw[y, 1:].astype(np.int32)
        if raw[y, 0] == 2:
            line = (line + above) & 255
        elif raw[y, 0] in (1, 3, 4):
            left, corner = np.zeros(size, np.int32), np.zeros(size, np.int32)
            for x in range(0, w * size, size):
                up = above[x:x + size].astype(np.int32)
                if raw[y, 0] == 1:
                    guess = left
                elif raw[y, 0] == 3:
                    guess = (left + up) // 2
                else:
                    p = left + up - corner
                    a, c, d = abs(p - left), abs(p - up), abs(p - corner)
                    guess = np.where((a <= c) & (a <= d), left, np.where(c <= d, up, corner))
                line[x:x + size] = (line[x:x + size] + guess) & 255
                left, corner = line[x:x + size].copy(), up
        out[y] = above = line.astype(np.uint8)
    image = out.reshape(h, w, size).astype(float)
    if size == 4:
        image = image[..., :3] * image[..., 3:] / 255 + 255 - image[..., 3:]
    return image


def coarse(image, cells=12):
    """Means over blocks of cells x cells pixels: fonts and smoothing hardly show."""
    h, w = image.shape[0] // cells * cells, image.shape[1] // cells * cells
    return image[:h, :w].reshape(h // cells, cells, w // cells, cells, 3).mean((1, 3))


def apart(a, b):
    """Mean distance over blocks, and that of the worst per cent."""
    h, w = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    d = abs(coarse(a[:h, :w]) - coarse(b[:h, :w])).mean(2).ravel()
    return d.mean(), np.sort(d)[-max(1, len(d) // 100):].mean()


def browser_picture(browser, svg, size, to):
    subprocess.run([browser, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-device-scale-factor=1',
                    '--user-data-dir=' + os.path.dirname(to) + '/browser',  # a profile that no other browser holds
                    '--window-size=%d,%d' % (size[1], size[0] + 120), '--screenshot=' + to, 'file://' + os.path.abspath(svg)],
                   check=True, capture_output=True, timeout=60)
    return read_png(to)[:size[0], :size[1]]


def inkscape_pictures(svgs, work):
    """One start of Inkscape, which takes a second, for all."""
    for svg in svgs:
        shutil.copy(svg, work + '/inkscape-' + os.path.basename(svg))
    subprocess.run(['inkscape', '--export-type=png'] + [work + '/inkscape-' + os.path.basename(svg) for svg in svgs],
                   check=True, capture_output=True, timeout=120)


KINDS = ['profile-difference', 'map-synergy', 'matrix-synergy', 'network-synergy', 'scatter-memory-synergy', 'ablation-score',
         'topology-null', 'result', 'planted']
browser, folder, work = sys.argv[1:]
svgs = [svg for svg in sorted(glob.glob(folder + '/*.svg')) if os.path.basename(svg)[:-4] in KINDS]  # the others are of these kinds
if browser == 'inkscape':
    inkscape_pictures(svgs, work)
for svg in svgs:
    name = os.path.basename(svg)[:-4]
    subprocess.run(['rsvg-convert', svg, '-o', work + '/rsvg.png'], check=True)
    rsvg = read_png(work + '/rsvg.png')
    if browser == 'inkscape':
        mean, worst = apart(rsvg, read_png(work + '/inkscape-' + name + '.png'))
        print('BAD' if mean > 3 or worst > 45 else 'OK', name, 'rsvg and Inkscape: %.2f, %.1f' % (mean, worst))
        continue
    mean, worst = apart(rsvg, browser_picture(browser, svg, rsvg.shape, work + '/browser.png'))
    flat = coarse(rsvg).std() < 2
    print('BAD' if flat or mean > 3 or worst > 45 else 'OK', name, 'rsvg and browser: %.2f, %.1f' % (mean, worst))
    pdf = svg[:-4] + '.pdf'
    try:
        subprocess.run(['pdftoppm', '-r', '96', '-png', '-singlefile', pdf, work + '/pdf'], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        if os.path.exists(pdf):
            print('no poppler' if not isinstance(sys.exc_info()[1], subprocess.CalledProcessError) else 'BAD', name)
        continue
    mean, worst = apart(rsvg, read_png(work + '/pdf.png'))
    print('BAD' if mean > 4 or worst > 60 else 'OK', name, 'rsvg and PDF: %.2f, %.1f' % (mean, worst))
