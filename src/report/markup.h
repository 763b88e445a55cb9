/* markup.h - HTML and SVG as a text that grows, with errors that stick.
 *
 * The page is written as a sequence of puts; the first failure stays in `st`, what follows does nothing, and the status is asked for
 * once. Nothing depends on the locale. What comes from a file goes through mmli_put_text() or mmli_put_attribute(), never through
 * mmli_put(): those two are the only places where markup could be injected.
 */
#ifndef MMLI_REPORT_MARKUP_H
#define MMLI_REPORT_MARKUP_H

#include "util/text.h"

typedef struct mmli_markup {
    mmli_buf text;
    mml_status st;
    size_t ids; /* given out, for attributes that must be unique in the page */
} mmli_markup;

/* Markup of our own. mmli_putf: not for fractions. */
void mmli_put(mmli_markup *m, const char *markup);
void mmli_putf(mmli_markup *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* UTF-8 of somebody else as text: & < > " ' become entities; control characters and those that turn the direction of writing
 * become U+FFFD. NULL = "". At most `most` characters, the last an ellipsis where there are more; 0 = all. */
void mmli_put_text(mmli_markup *m, const char *text);
void mmli_put_clipped(mmli_markup *m, const char *text, size_t most);
/* name="text", with a blank before. */
void mmli_put_attribute(mmli_markup *m, const char *name, const char *text);
/* A number with so many digits after the point, for people: U+2212 as its minus, "–" where it is NaN or infinite. */
void mmli_put_number(mmli_markup *m, double x, int digits);
/* A number for a machine, rounded to a tenth: coordinates. Not finite: 0, and callers take care that it is not asked for. */
void mmli_put_px(mmli_markup *m, double x);
/* Whole numbers in groups of three, divided by narrow blanks; "–" where x is not finite. */
void mmli_put_count(mmli_markup *m, double x);
/* 1.2 s, 3 min 20 s, 2 h 05 min; 12 kB, 3.4 MB (powers of 1000). */
void mmli_put_seconds(mmli_markup *m, double seconds);
void mmli_put_bytes(mmli_markup *m, double bytes);

/* p = 0.012, p < 0.001: into a text that is yet to be escaped (the subtitle of a figure). */
void mmli_put_plain_p(mmli_markup *m, double p);
/* 0.712 ± 0.031. */
void mmli_put_mean_sd(mmli_markup *m, double mean, double sd, int digits);

/* Takes back what was put since the text was `length` = m->text.len bytes long: a heading over nothing. */
void mmli_undo(mmli_markup *m, size_t length);

/* Characters of a UTF-8 text. */
size_t mmli_characters(const char *text);

/* The text, now the caller's (mmli_free), or the failure; `m` is empty afterwards. */
mml_status mmli_markup_take(mmli_markup *m, char **text);
void mmli_markup_free(mmli_markup *m);

#endif
