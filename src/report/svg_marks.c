/* svg_marks.c - lines, bands, points and intervals in the coordinates of a plot. */
#include <math.h>
#include <stdio.h>

#include "report/svg.h"

static int colour(int style)
{
    return style < 0 ? MMLI_GREY : style % MMLI_COLOURS;
}

static int dash(int style)
{
    return style < 0 ? 0 : style / MMLI_COLOURS % MMLI_DASHES;
}

static void put_pair(mmli_markup *m, const char *command, double px, double py)
{
    mmli_put(m, command);
    mmli_put_px(m, px);
    mmli_put(m, " ");
    mmli_put_px(m, py);
}

static bool there(double px, double py)
{
    return isfinite(px) && isfinite(py);
}

/* ---- lines ------------------------------------------------------------------------------------------------------------ */

/* Commands of a line with gaps. A value alone gets a line of no length, which is seen only with round ends: a dot is put instead. */
static void put_path(mmli_plot *p, const double *x, const double *y, size_t n, bool steps)
{
    bool open = false;
    double last = 0;

    for (size_t i = 0; i < n; i++) {
        const double px = mmli_plot_x(p, x[i]), py = mmli_plot_y(p, y[i]);

        if (!there(px, py)) {
            open = false;
            continue;
        }
        if (open && steps)
            put_pair(p->m, "L", px, last);
        put_pair(p->m, open ? "L" : "M", px, py);
        open = true;
        last = py;
    }
}

static bool drawn(const mmli_plot *p, const double *x, const double *y, size_t n, size_t i)
{
    return i < n && there(mmli_plot_x(p, x[i]), mmli_plot_y(p, y[i]));
}

static void put_line(mmli_plot *p, const double *x, const double *y, size_t n, bool steps, const char *css)
{
    bool any = false;

    for (size_t i = 0; i < n && !any; i++)
        any = drawn(p, x, y, n, i);
    if (!any)
        return;
    mmli_putf(p->m, "<path class=\"%s\" d=\"", css);
    put_path(p, x, y, n, steps);
    mmli_put(p->m, "\"/>\n");
}

static void line_class(char *out, size_t size, int style)
{
    static const char *const dashed[MMLI_DASHES] = {"", " d1", " d2"};

    snprintf(out, size, "ln k%d%s", colour(style), dashed[dash(style)]);
}

void mmli_plot_line(mmli_plot *p, const double *x, const double *y, size_t n, int style)
{
    char css[32];

    line_class(css, sizeof css, style);
    put_line(p, x, y, n, false, css);
    for (size_t i = 0; i < n; i++) /* alone between gaps */
        if (drawn(p, x, y, n, i) && !drawn(p, x, y, n, i + 1) && (i == 0 || !drawn(p, x, y, n, i - 1)))
            mmli_plot_dot(p, x[i], y[i], style, NULL);
}

void mmli_plot_steps(mmli_plot *p, const double *x, const double *y, size_t n, int style)
{
    char css[32];

    line_class(css, sizeof css, style);
    put_line(p, x, y, n, true, css);
}

void mmli_plot_ghost(mmli_plot *p, const double *x, const double *y, size_t n, int style)
{
    char css[32];

    if (style < 0)
        snprintf(css, sizeof css, "gh kn");
    else
        snprintf(css, sizeof css, "gh k%d", colour(style));
    put_line(p, x, y, n, false, css);
}

void mmli_plot_band(mmli_plot *p, const double *x, const double *low, const double *high, size_t n, int style)
{
    for (size_t i = 0; i < n;) {
        size_t end = i;

        while (drawn(p, x, low, n, end) && drawn(p, x, high, n, end))
            end++;
        if (end > i + 1) {
            mmli_putf(p->m, "<path class=\"bd k%d\" d=\"", colour(style));
            for (size_t k = i; k < end; k++)
                put_pair(p->m, k == i ? "M" : "L", mmli_plot_x(p, x[k]), mmli_plot_y(p, high[k]));
            for (size_t k = end; k-- > i;)
                put_pair(p->m, "L", mmli_plot_x(p, x[k]), mmli_plot_y(p, low[k]));
            mmli_put(p->m, "z\"/>\n");
        }
        i = end > i ? end : i + 1;
    }
}

/* ---- points ----------------------------------------------------------------------------------------------------------- */

/* A shape for each colour, of about the same area, about a place: relative commands. */
static const char *const shapes[MMLI_COLOURS] = {
    [MMLI_BLUE] = "m-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0z",
    [MMLI_RED] = "m0-5.4l5.4 5.4l-5.4 5.4l-5.4-5.4z",
    [MMLI_GREEN] = "m-3.8-3.8h7.6v7.6h-7.6z",
    [MMLI_PURPLE] = "m0-5l4.9 8.4h-9.8z",
    [MMLI_OCHRE] = "m-3.9-3.9h7.8v7.8h-7.8z",
    [MMLI_SKY] = "m0 5l4.9-8.4h-9.8z",
    [MMLI_GREY] = "m-1.6-4.8h3.2v3.2h3.2v3.2h-3.2v3.2h-3.2v-3.2h-3.2v-3.2h3.2z",
};

static void put_end(mmli_markup *m, const char *label, const char *element)
{
    if (label == NULL) {
        mmli_put(m, "/>\n");
        return;
    }
    mmli_put(m, "><title>");
    mmli_put_text(m, label);
    mmli_putf(m, "</title></%s>\n", element);
}

void mmli_plot_point(mmli_plot *p, double x, double y, int style, const char *label)
{
    const double px = mmli_plot_x(p, x), py = mmli_plot_y(p, y);

    if (!there(px, py))
        return;
    mmli_putf(p->m, "<path class=\"pt k%d\" d=\"", colour(style));
    put_pair(p->m, "M", px, py);
    mmli_putf(p->m, "%s\"", shapes[colour(style)]);
    put_end(p->m, label, "path");
}

void mmli_plot_dot(mmli_plot *p, double x, double y, int style, const char *label)
{
    const double px = mmli_plot_x(p, x), py = mmli_plot_y(p, y);

    if (!there(px, py))
        return;
    mmli_putf(p->m, "<circle class=\"dt k%d\" r=\"3\" cx=\"", colour(style));
    mmli_put_px(p->m, px);
    mmli_put(p->m, "\" cy=\"");
    mmli_put_px(p->m, py);
    mmli_put(p->m, "\"");
    put_end(p->m, label, "circle");
}

void mmli_plot_interval(mmli_plot *p, double low, double high, double y, int style)
{
    const double x0 = mmli_plot_x(p, low), x1 = mmli_plot_x(p, high), py = mmli_plot_y(p, y);

    if (!there(x0, py) || !there(x1, py))
        return;
    mmli_putf(p->m, "<path class=\"ln k%d\" d=\"", colour(style));
    put_pair(p->m, "M", x0, py);
    put_pair(p->m, "L", x1, py);
    put_pair(p->m, "M", x0, py - 4);
    mmli_put(p->m, "v8");
    put_pair(p->m, "M", x1, py - 4);
    mmli_put(p->m, "v8\"/>\n");
}

void mmli_plot_stroke(mmli_plot *p, double x, double y, double half, int style)
{
    const double px = mmli_plot_x(p, x), py = mmli_plot_y(p, y);

    if (!there(px, py))
        return;
    mmli_putf(p->m, "<path class=\"ln k%d\" d=\"", colour(style));
    put_pair(p->m, "M", px, py - half);
    put_pair(p->m, "L", px, py + half);
    mmli_put(p->m, "\"/>\n");
}

/* ---- references and areas ----------------------------------------------------------------------------------------------- */

static void put_reference(mmli_plot *p, double x0, double y0, double x1, double y1)
{
    if (!there(x0, y0) || !there(x1, y1))
        return;
    put_pair(p->m, "<path class=\"r\" d=\"M", x0, y0);
    put_pair(p->m, "L", x1, y1);
    mmli_put(p->m, "\"/>\n");
}

void mmli_plot_vertical(mmli_plot *p, double x)
{
    const double px = mmli_plot_x(p, x);

    put_reference(p, px, p->top, px, p->bottom);
}

void mmli_plot_horizontal(mmli_plot *p, double y)
{
    const double py = mmli_plot_y(p, y);

    put_reference(p, p->left, py, p->right, py);
}

void mmli_plot_diagonal(mmli_plot *p)
{
    const double low = fmax(p->x.low, p->y.low), high = fmin(p->x.high, p->y.high);

    if (low < high)
        put_reference(p, mmli_plot_x(p, low), mmli_plot_y(p, low), mmli_plot_x(p, high), mmli_plot_y(p, high));
}

void mmli_plot_box(mmli_plot *p, double x0, double y0, double x1, double y1, int style, const char *label)
{
    const double px0 = mmli_plot_x(p, x0), py0 = mmli_plot_y(p, y0), px1 = mmli_plot_x(p, x1), py1 = mmli_plot_y(p, y1);

    if (!there(px0, py0) || !there(px1, py1))
        return;
    mmli_putf(p->m, "<rect class=\"br k%d\" x=\"", colour(style));
    mmli_put_px(p->m, fmin(px0, px1));
    mmli_put(p->m, "\" y=\"");
    mmli_put_px(p->m, fmin(py0, py1));
    mmli_put(p->m, "\" width=\"");
    mmli_put_px(p->m, fabs(px1 - px0));
    mmli_put(p->m, "\" height=\"");
    mmli_put_px(p->m, fabs(py1 - py0));
    mmli_put(p->m, "\"");
    put_end(p->m, label, "rect");
}
