/* svg.h - plots as SVG: axes with nice ticks, lines, bands, points, bars, heat maps, legends that wrap.
 *
 *     mmli_plot_begin(&p, m, &figure);          frame, grid, titles
 *     mmli_plot_line(&p, x, y, n, style);       any marks, in the order in which they cover each other
 *     mmli_plot_end(&p);                        legend
 *
 * Knows nothing of comparisons. Values that are NaN or infinite are gaps, never 0. Errors stick to the markup. A figure may stand in a
 * page that has mmli_svg_style() in its <style>, or alone in a file (`standalone`: it then brings its own).
 *
 * Styles are small numbers: a colour, a dash and a shape of points. The colours can be told apart with any kind of colour blindness
 * (after Okabe and Ito, set apart in lightness as well, one set for paper and one for dark screens); beyond MMLI_COLOURS the dash tells them apart.
 */
#ifndef MMLI_REPORT_SVG_H
#define MMLI_REPORT_SVG_H

#include "report/markup.h"

enum { MMLI_COLOURS = 7, MMLI_DASHES = 3, MMLI_STYLES = MMLI_COLOURS * MMLI_DASHES };
/* Names of some styles. */
enum { MMLI_BLUE = 0, MMLI_RED = 1, MMLI_GREEN = 2, MMLI_PURPLE = 3, MMLI_OCHRE = 4, MMLI_SKY = 5, MMLI_GREY = 6 };

/* ---- ranges ------------------------------------------------------------------------------------------------------------ */

/* What an axis has to show. {.low = 1, .high = 0} is nothing yet: MMLI_NOTHING. */
typedef struct mmli_range {
    double low, high;
} mmli_range;
#define MMLI_NOTHING ((mmli_range){1.0, 0.0})
/* Widens a range by a value; NaN, infinities and what is too large for arithmetic (1e100) are left out. */
void mmli_range_add(mmli_range *r, double x);
void mmli_range_add_all(mmli_range *r, const double *x, size_t n);
bool mmli_range_empty(const mmli_range *r);
/* A margin of so many parts of its width on both ends; one value alone gets some width, nothing becomes 0 to 1. */
mmli_range mmli_range_padded(mmli_range r, double share);

enum { MMLI_MOST_TICKS = 16 };
/* Ticks inside a range at multiples of 1, 2 or 5 times a power of ten, at most `most` + 1 (2 <= most < MMLI_MOST_TICKS); *digits =
 * what their labels need after the point. Logarithmic: at powers of ten, with 2 and 5 where there is room, digits is for each its own (-1); as on a linear axis
 * below one power of ten. */
size_t mmli_ticks(double at[MMLI_MOST_TICKS], int *digits, mmli_range r, bool logarithmic, size_t most);

/* ---- figures ------------------------------------------------------------------------------------------------------------ */

typedef struct mmli_axis {
    const char *title;        /* with its unit; NULL = none */
    mmli_range range;         /* exactly what is shown */
    bool logarithmic;         /* range.low > 0 */
    bool whole;               /* counts: no tick between whole numbers */
    bool down;                /* y: grows downwards, as rows and pixels of images do */
    bool bare;                /* no ticks and no grid */
    const char *const *names; /* y: rows with names: row i at value i. Sets range and down */
    size_t n_names;
} mmli_axis;

typedef enum mmli_sign { MMLI_SIGN_POINT = 0, MMLI_SIGN_LINE, MMLI_SIGN_LINE_POINT, MMLI_SIGN_AREA, MMLI_SIGN_GHOST } mmli_sign;

/* An entry of a legend. */
typedef struct mmli_key {
    const char *text;
    int style;
    mmli_sign sign;
} mmli_key;

typedef struct mmli_figure {
    const char *title;       /* a line above; clipped where it is too long */
    const char *subtitle;    /* a smaller one below it, or NULL */
    const char *description; /* for those who cannot see it: what is shown, over what. NULL = the title is enough */
    double width;            /* of the whole, in pixels */
    double height;           /* of the area of the data; the whole is higher by what is around it */
    double below;            /* room between the title of the x axis and the legend, for the caller [0] */
    mmli_axis x, y;
    const mmli_key *keys;
    size_t n_keys;
    bool standalone; /* a file of its own */
} mmli_figure;

typedef struct mmli_plot {
    mmli_markup *m;
    const mmli_figure *figure;
    double left, top, right, bottom; /* of the area of the data */
    double under;                    /* first free line under the axis: where `below` begins */
    double total;                    /* height of the whole */
    mmli_range x, y;                 /* as shown */
} mmli_plot;

void mmli_plot_begin(mmli_plot *p, mmli_markup *m, const mmli_figure *figure);
void mmli_plot_end(mmli_plot *p);
/* Pixels of a value; NaN where it cannot be drawn. Not clipped. */
double mmli_plot_x(const mmli_plot *p, double x);
double mmli_plot_y(const mmli_plot *p, double y);

/* ---- marks -------------------------------------------------------------------------------------------------------------- */
/* Points with a NaN are gaps: a line ends before and begins anew after; a single value between two gaps is a dot. */

void mmli_plot_line(mmli_plot *p, const double *x, const double *y, size_t n, int style);
/* Thin and pale, as a background of other marks. style -1: grey. */
void mmli_plot_ghost(mmli_plot *p, const double *x, const double *y, size_t n, int style);
/* Keeps the value until the next x (Kaplan-Meier). */
void mmli_plot_steps(mmli_plot *p, const double *x, const double *y, size_t n, int style);
/* The area between low and high. */
void mmli_plot_band(mmli_plot *p, const double *x, const double *low, const double *high, size_t n, int style);
/* One point; `label` is shown when the pointer rests on it, and read aloud (NULL = none). */
void mmli_plot_point(mmli_plot *p, double x, double y, int style, const char *label);
/* The same, small and pale: one of many, such as a fold. */
void mmli_plot_dot(mmli_plot *p, double x, double y, int style, const char *label);
/* A horizontal line from low to high with ends: an interval. */
void mmli_plot_interval(mmli_plot *p, double low, double high, double y, int style);
/* A short vertical line at a value: a mean (in row y), a censored sample. */
void mmli_plot_stroke(mmli_plot *p, double x, double y, double half_height, int style);
/* Lines across the whole area, dashed: a reference. */
void mmli_plot_vertical(mmli_plot *p, double x);
void mmli_plot_horizontal(mmli_plot *p, double y);
void mmli_plot_diagonal(mmli_plot *p); /* y = x */
/* A filled rectangle between two corners: a bar. */
void mmli_plot_box(mmli_plot *p, double x0, double y0, double x1, double y1, int style, const char *label);
/* Text at pixels, anchored at "start", "middle" or "end"; css "t", "s" (small) or "b" (bold). */
void mmli_svg_text(mmli_markup *m, double px, double py, const char *anchor, const char *css, const char *text, size_t most);

/* ---- whole charts -------------------------------------------------------------------------------------------------------- */

typedef enum mmli_colours {
    MMLI_COLOURS_SEQUENTIAL = 0, /* least to greatest: dark blue to yellow */
    MMLI_COLOURS_DIVERGING       /* about 0: blue, near white, red */
} mmli_colours;

/* "#rrggbb" of a value in a range (clamped); diverging: the range is made symmetric. */
void mmli_colour_of(char out[8], double value, mmli_range range, mmli_colours colours);

/* Rows with names by columns of a number (channels by time). The figure's title, subtitle, description, width and x.title are used; a row
 * is 16 pixels high, the axes follow from the data. A column is drawn to the middle between it and its neighbours. */
typedef struct mmli_heat_map {
    mmli_figure figure;
    const char *const *row_names; /* (rows) */
    size_t rows, cols;
    const double *at;    /* (cols) ascending place of every column on the x axis, or NULL = 0, 1, 2 ... */
    const double *value; /* (rows, cols), NaN = nothing there */
    mmli_colours colours;
    const char *value_title;
} mmli_heat_map;
void mmli_svg_heat_map(mmli_markup *m, const mmli_heat_map *map);

/* Squares at places of an image, y downwards, both axes to the same scale (patches of a slide). The height follows from the data.
 * More than MMLI_MOST_PATCHES are averaged over a grid. */
enum { MMLI_MOST_PATCHES = 20000 };
typedef struct mmli_patch_map {
    mmli_figure figure;
    const double *x, *y; /* (n) of a square's upper left corner */
    const double *value; /* (n) */
    size_t n;
    double side; /* of a square, in units of x and y; <= 0 = the least distance between two neighbours */
    mmli_colours colours;
    const char *value_title;
} mmli_patch_map;
void mmli_svg_patch_map(mmli_markup *m, const mmli_patch_map *map);

/* Horizontal bars from 0, with intervals where low and high are given. Rows are 22 pixels high; the figure's title, subtitle,
 * description, width, x.title and keys are used. */
typedef struct mmli_bar_chart {
    mmli_figure figure;
    const char *const *names; /* (n) */
    const double *value;      /* (n), NaN = no bar */
    const double *low, *high; /* (n) or NULL */
    const int *style;         /* (n) or NULL = blue above 0, red below */
    size_t n;
} mmli_bar_chart;
void mmli_svg_bar_chart(mmli_markup *m, const mmli_bar_chart *chart);

/* CSS of all classes above, light and dark, for a <style>. */
void mmli_svg_style(mmli_markup *m);

#endif
