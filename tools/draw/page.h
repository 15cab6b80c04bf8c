/* page.h - one HTML page as it grows: no script, nothing loaded from elsewhere (report_page.c). The
   report and the comparison are made of these pieces. */
#ifndef SYNERGY_PAGE_H
#define SYNERGY_PAGE_H

#include "draw/draw.h"
#include "base/columns.h"

/* One picture: `svg` for the page and its own file, `data` for its CSV. */
typedef struct figure {
    text svg;
    table_out data;
} figure;
/* Begins the data, whose columns are those of `file` in the list of columns. */
void figure_data(figure *f, const char *file);
void figure_free(figure *f);

/* A word of the glossary, at #word-ID, and the ways to write it that captions link from. The list
   ends with an id of NULL. */
enum { PAGE_SPELLINGS = 3 };
typedef struct page_word {
    const char *id, *term, *words;
    const char *said[PAGE_SPELLINGS];
} page_word;

enum { PAGE_PANELS = 16 }; /* of a figure */
typedef struct page {
    const char *directory; /* figures go to its folder `figures`; NULL: nowhere */
    text html;
    text files;              /* links to the files of the figure that is open, inside the page */
    text whole[PAGE_PANELS]; /* drawings of the one figure of the whole result */
    size_t whole_count;
    unsigned figures, tables;  /* numbered as they come */
    const page_word *glossary; /* captions link to these; NULL: to none */
    bool good;                 /* false after a figure could not be written */
    problem *why;
} page;

/* ---- pieces of text: all but page_put escape what they are given ------------------------ */

void page_put(page *p, const char *html);
void page_text(page *p, const char *words);
/* ASCII sentences of the program: here they get a true minus sign, a true <=, and
   a dash for a number that is none. */
void page_sentence(page *p, const char *words);
/* Three digits, a true minus sign, a dash for nothing. */
void page_number(page *p, double value);
/* " (95 % interval LOW to HIGH)", nothing where there is none. */
void page_interval(page *p, double low, double high);
/* A word of a command line, quoted where a shell would take it for something else. */
void page_shell(page *p, const char *word);
/* "rank_difference" as "rank difference". */
void page_name(page *p, const char *name);
/* The sentences of a JSON array as list items. */
void page_list(page *p, const json *object, const char *key);

/* ---- head and end ------------------------------------------------------------------------ */

/* Up to and with <body>; `title` and `after` make the page's title. */
void page_begin(page *p, const char *title, const char *after);
void page_end(page *p);

/* ---- figures and tables ------------------------------------------------------------------ */

void page_figure(page *p);
/* One panel; writes figures/NAME.svg, .pdf and .csv, and frees f. The page holds the SVG and the
   CSV, too. */
void page_panel(page *p, const char *name, figure *f);
/* The same, and it is a panel of the one figure of the whole result (page_whole). */
void page_panel_of_whole(page *p, const char *name, figure *f);
/* Writes figures/NAME.svg and .pdf: all panels of the whole result, with letters. */
void page_whole(page *p, const char *name, const char *title);
void page_free(page *p);
void page_figure_end(page *p, const char *caption);

/* A table that scrolls sideways where the screen is narrow. `label` is read aloud; the caption is
   numbered. Then the cells of the head, page_table_body, rows, page_table_end. */
void page_table(page *p, const char *class_name, const char *label, const char *caption);
void page_table_head(page *p, const char *words);       /* of a column of numbers */
void page_table_head_words(page *p, const char *words); /* of a column of words */
void page_table_body(page *p);
void page_table_end(page *p);
void page_row(page *p, const char *words); /* <tr> with the head of the row */
void page_row_end(page *p);
void page_cell(page *p, double value);
void page_cell_words(page *p, const char *words);
void page_cell_interval(page *p, double low, double high);
void page_cell_estimate(page *p, double value, double low, double high); /* "22 (17 to 26)" */
/* A correlation on a ground of its colour. */
void page_cell_correlation(page *p, double value);

/* ---- style (report_style.c) -------------------------------------------------------------- */

extern const char report_page_style[];  /* of the page */
extern const char report_figure_defs[]; /* the hatching for what is missing */
void style_figures(text *t);            /* of the drawings in the page */
void style_print(text *t);              /* and of what belongs to figures and words */

#endif
