/* term.c - the clock, the machine, and what is drawn in a terminal. */
#include "base/term.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

double clock_seconds(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int cores_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}

/* ---- what the terminal can do --------------------------------------------------------- */

bool term_colours(FILE *stream)
{
    const char *no = getenv("NO_COLOR"), *kind = getenv("TERM");
    if (no && *no) return false;
    if (!kind || strcmp(kind, "dumb") == 0) return false;
    return isatty(fileno(stream)) == 1;
}

/* The rule of POSIX: the first of the three that is set and not empty. */
bool term_utf8(void)
{
    static const char *const name[3] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *v = getenv(name[i]);
        if (!v || !*v) continue;
        const char *dot = strchr(v, '.');
        return dot &&
               (strncasecmp(dot + 1, "utf-8", 5) == 0 || strncasecmp(dot + 1, "utf8", 4) == 0);
    }
    return false;
}

/* C0 (0 to 31), DEL, and C1 (U+0080 to U+009F, two bytes in UTF-8, one in Latin-1). Of a sequence
   that is no UTF-8 the single bytes 0x80 to 0x9f are C1 for terminals that read Latin-1; inside a
   longer sequence they are none. */
static size_t control_bytes(const unsigned char *s, size_t count)
{
    if (s[0] < 0x20) return s[0] != '\n' && s[0] != '\t';
    if (s[0] == 0xc2 && count > 1 && s[1] >= 0x80 && s[1] < 0xa0) return 2;
    return s[0] == 0x7f || (s[0] >= 0x80 && s[0] < 0xa0);
}

void term_write(FILE *to, const char *bytes, size_t count)
{
    const unsigned char *s = (const unsigned char *)bytes;
    if (isatty(fileno(to)) != 1) {
        fwrite(bytes, 1, count, to);
        return;
    }
    for (size_t i = 0; i < count;) {
        const size_t control = control_bytes(s + i, count - i);
        if (control) fputc('?', to);
        i += control;
        if (control || i >= count) continue;
        size_t n = s[i] < 0xc0 ? 1 : s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3 : 4;
        size_t whole = 1;
        while (whole < n && i + whole < count && (s[i + whole] & 0xc0) == 0x80) whole++;
        fwrite(s + i, 1, whole, to);
        i += whole;
    }
}

/* What the terminal says, else what the shell says, else 80. */
int term_columns(FILE *stream)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col < 20 ? 20 : size.ws_col > 1000 ? 1000 : size.ws_col;
#endif
    const char *v = getenv("COLUMNS");
    int n = v ? atoi(v) : 0;
    return n >= 20 && n <= 1000 ? n : 80;
}

void duration_text(double seconds, char *to, size_t room)
{
    if (!isfinite(seconds) || seconds < 0) snprintf(to, room, "?");
    else if (seconds < 9.95) snprintf(to, room, "%.1f s", seconds);
    else if (seconds < 99.5) snprintf(to, room, "%.0f s", seconds);
    else if (seconds < 3570) snprintf(to, room, "%.0f min", seconds / 60);
    else if (seconds < 3600.0 * 48) snprintf(to, room, "%.1f h", seconds / 3600);
    else snprintf(to, room, "%.1f days", seconds / 86400);
}

void bytes_text(double bytes, char *to, size_t room)
{
    static const char *const unit[5] = {"bytes", "kB", "MB", "GB", "TB"};
    int u = 0;
    for (; u < 4 && bytes >= 1000; u++) bytes /= 1000;
    snprintf(to, room, u == 0 || bytes >= 99.5 ? "%.0f %s" : "%.3g %s", bytes, unit[u]);
}

/* ---- the profile as bars -------------------------------------------------------------- */

enum { PLOT_ROWS = 8 };

static const char *const block_of[9] = {" ",
                                        "\xe2\x96\x81",
                                        "\xe2\x96\x82",
                                        "\xe2\x96\x83",
                                        "\xe2\x96\x84",
                                        "\xe2\x96\x85",
                                        "\xe2\x96\x86",
                                        "\xe2\x96\x87",
                                        "\xe2\x96\x88"};

/* The part of a bar of `eighths` that lies in the row that begins at `from` eighths. */
static void draw_cell(FILE *to, int eighths, int from, int width, bool utf8)
{
    int n = eighths - from;
    n = n < 0 ? 0 : n > 8 ? 8 : n;
    for (int i = 0; i < width; i++)
        fputs(utf8 ? block_of[n] : n >= 4 ? "#" : n > 0 ? "." : " ", to);
}

static void draw_axis(FILE *to, size_t layers, int width, int gap)
{
    int every = 1;
    while (every * (width + gap) < 4) every++;
    if (layers > 12 && every < 5) every = 5;
    fprintf(to, "     ");
    for (size_t l = 0; l < layers; l++) {
        if (l % (size_t)every) continue;
        size_t room = (size_t)((width + gap) * every);
        fprintf(to, "%-*zu", (int)room, l);
    }
    fputs("  layer\n", to);
}

void term_profile(FILE *to, const char *title, const double *value, size_t layers)
{
    bool utf8 = term_utf8(), colour = term_colours(to);
    double low = 0, high = 0;
    bool any = false;
    for (size_t l = 0; l < layers; l++) {
        if (!isfinite(value[l])) continue;
        if (!any || value[l] < low) low = value[l];
        if (!any || value[l] > high) high = value[l];
        any = true;
    }
    if (!any || layers == 0) return;
    int width = (term_columns(to) - 14) / (int)(layers < 1000 ? layers : 1000);
    int gap = width >= 2 ? 1 : 0;
    width = width - gap < 1 ? 1 : width - gap > 3 ? 3 : width - gap;
    fprintf(to, "%s\n", title);
    for (int row = PLOT_ROWS - 1; row >= 0; row--) {
        if (row == PLOT_ROWS - 1) fprintf(to, "%4.3g ", high);
        else if (row == 0) fprintf(to, "%4.3g ", low);
        else fputs("     ", to);
        if (colour) fputs("\033[36m", to);
        for (size_t l = 0; l < layers; l++) {
            double share = high > low ? (value[l] - low) / (high - low) : 1;
            /* the smallest bar is still seen: a gap means that nothing is known */
            int eighths = isfinite(value[l]) ? 1 + (int)(share * (8 * PLOT_ROWS - 1)) : 0;
            draw_cell(to, eighths, 8 * row, width, utf8);
            if (gap) fputc(' ', to);
        }
        fputs(colour ? "\033[0m\n" : "\n", to);
    }
    draw_axis(to, layers, width, gap);
}
