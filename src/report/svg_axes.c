/* svg_axes.c - ranges, nice ticks, and what is around the data: frame, grid, titles, legend. */
#include <math.h>
#include <string.h>

#include "report/svg.h"

/* Width of a character of 12 pixels on average. Fonts differ and are not known here: rather too wide, so that nothing overlaps. */
static const double character_width = 7.0;
enum { LINE = 17, APART = 34 /* labels of ticks */, MOST_NAME = 36, MOST_KEY = 48 };

/* ---- ranges ----------------------------------------------------------------------------------------------------------- */

void mmli_range_add(mmli_range *r, double x)
{
    if (!isfinite(x) || fabs(x) > 1e100)
        return;
    if (mmli_range_empty(r)) {
        r->low = r->high = x;
        return;
    }
    r->low = fmin(r->low, x);
    r->high = fmax(r->high, x);
}

void mmli_range_add_all(mmli_range *r, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mmli_range_add(r, x[i]);
}

bool mmli_range_empty(const mmli_range *r)
{
    return !(r->low <= r->high);
}

mmli_range mmli_range_padded(mmli_range r, double share)
{
    double width;

    if (mmli_range_empty(&r))
        return (mmli_range){0.0, 1.0};
    width = r.high - r.low;
    if (!(width > 1e-9 * fmax(fabs(r.low), fabs(r.high))))
        return (mmli_range){r.low - fmax(0.05 * fabs(r.low), 0.05), r.high + fmax(0.05 * fabs(r.high), 0.05)};
    return (mmli_range){r.low - share * width, r.high + share * width};
}

/* ---- ticks ------------------------------------------------------------------------------------------------------------ */

/* The smallest nice step that has at most one tick more than `most`: both ends of the range may have one. */
static size_t ticks_linear(double at[MMLI_MOST_TICKS], int *digits, mmli_range r, size_t most)
{
    static const double nice[] = {1.0, 2.0, 5.0};
    int power = (int)floor(log10((r.high - r.low) / (double)most)) - 1;
    double step, first, last;
    size_t k = 0, n = 0;

    for (;;) {
        step = nice[k] * pow(10.0, power);
        first = ceil(r.low / step - 1e-9);
        last = floor(r.high / step + 1e-9);
        if (last - first <= (double)most)
            break;
        if (++k == 3) {
            k = 0;
            power++;
        }
    }
    *digits = power < 0 ? -power : 0;
    for (; n < MMLI_MOST_TICKS && first + (double)n <= last; n++)
        at[n] = (first + (double)n) * step;
    return n;
}

static size_t ticks_logarithmic(double at[MMLI_MOST_TICKS], int *digits, mmli_range r, size_t most)
{
    static const double between[3][3] = {{1.0, 2.0, 5.0}, {1.0, 3.0, 0.0}, {1.0, 0.0, 0.0}};
    const int from = (int)floor(log10(r.low)), to = (int)ceil(log10(r.high));

    *digits = -1;
    for (int every = 1;; every++)
        for (size_t dense = every == 1 ? 0 : 2; dense < 3; dense++) {
            size_t n = 0;

            for (int power = from; power <= to && n <= most; power += every)
                for (size_t k = 0; k < 3 && between[dense][k] > 0 && n <= most; k++) {
                    const double x = between[dense][k] * pow(10.0, power);

                    if (x < r.low * (1.0 - 1e-9) || x > r.high * (1.0 + 1e-9))
                        continue;
                    if (n < most)
                        at[n] = x;
                    n++;
                }
            if (n <= most)
                return n;
        }
}

size_t mmli_ticks(double at[MMLI_MOST_TICKS], int *digits, mmli_range r, bool logarithmic, size_t most)
{
    most = most < 2 ? 2 : most > MMLI_MOST_TICKS - 1 ? MMLI_MOST_TICKS - 1 : most;
    *digits = 0;
    if (!(r.low < r.high) || !isfinite(r.high - r.low) || r.high - r.low < 1e-200 || (logarithmic && !(r.low > 0)))
        return 0;
    /* Steps below the resolution of the numbers would all be the same tick. */
    if (!logarithmic && !(r.high - r.low > 1e-12 * fmax(fabs(r.low), fabs(r.high))))
        return 0;
    return logarithmic && r.high >= 10.0 * r.low ? ticks_logarithmic(at, digits, r, most) : ticks_linear(at, digits, r, most);
}

static void put_tick(mmli_markup *m, double x, int digits)
{
    char shortest[MMLI_NUMBER_BYTES];

    if (fabs(x) >= 1e7 || (digits > 6 && x != 0) || (digits < 0 && x < 1e-3)) {
        mmli_put_text(m, mmli_format_double(shortest, digits > 6 ? (double)(float)x : x));
        return;
    }
    if (digits < 0) /* logarithmic: each as many as it needs */
        for (digits = 0; digits < 6 && fabs(x * pow(10.0, digits) - round(x * pow(10.0, digits))) > 1e-6;)
            digits++;
    mmli_put_number(m, x, digits);
}

/* ---- places ----------------------------------------------------------------------------------------------------------- */

static double place(double x, const mmli_range *r, bool logarithmic, double from, double to)
{
    const double low = logarithmic ? log10(r->low) : r->low, high = logarithmic ? log10(r->high) : r->high;

    if (!isfinite(x) || (logarithmic && !(x > 0)))
        return (double)NAN;
    return from + ((logarithmic ? log10(x) : x) - low) / (high - low) * (to - from);
}

double mmli_plot_x(const mmli_plot *p, double x)
{
    return place(x, &p->x, p->figure->x.logarithmic, p->left, p->right);
}

double mmli_plot_y(const mmli_plot *p, double y)
{
    const mmli_axis *a = &p->figure->y;
    const bool down = a->down || a->names != NULL;

    return place(y, &p->y, a->logarithmic, down ? p->top : p->bottom, down ? p->bottom : p->top);
}

void mmli_svg_text(mmli_markup *m, double px, double py, const char *anchor, const char *css, const char *text, size_t most)
{
    const bool cut = most > 0 && mmli_characters(text) > most;

    mmli_putf(m, "<text class=\"%s\" text-anchor=\"%s\" x=\"", css, anchor);
    mmli_put_px(m, px);
    mmli_put(m, "\" y=\"");
    mmli_put_px(m, py);
    mmli_put(m, "\">");
    if (cut) {
        mmli_put(m, "<title>");
        mmli_put_text(m, text);
        mmli_put(m, "</title>");
    }
    mmli_put_clipped(m, text, most);
    mmli_put(m, "</text>\n");
}

static void put_straight(mmli_markup *m, const char *css, double x0, double y0, double x1, double y1)
{
    mmli_putf(m, "<path class=\"%s\" d=\"M", css);
    mmli_put_px(m, x0);
    mmli_put(m, " ");
    mmli_put_px(m, y0);
    mmli_put(m, "L");
    mmli_put_px(m, x1);
    mmli_put(m, " ");
    mmli_put_px(m, y1);
    mmli_put(m, "\"/>\n");
}

/* ---- axes ------------------------------------------------------------------------------------------------------------- */

static void put_tick_text(mmli_markup *m, double px, double py, const char *anchor, double x, int digits)
{
    mmli_putf(m, "<text class=\"s\" text-anchor=\"%s\" x=\"", anchor);
    mmli_put_px(m, px);
    mmli_put(m, "\" y=\"");
    mmli_put_px(m, py);
    mmli_put(m, "\">");
    put_tick(m, x, digits);
    mmli_put(m, "</text>\n");
}

static void put_x_axis(mmli_plot *p)
{
    const mmli_axis *a = &p->figure->x;
    double at[MMLI_MOST_TICKS], last = -APART;
    int digits;
    const size_t n = a->bare ? 0 : mmli_ticks(at, &digits, p->x, a->logarithmic, (size_t)fmax(2, (p->right - p->left) / 48));

    for (size_t i = 0; i < n; i++) {
        const double px = mmli_plot_x(p, at[i]);

        /* On a logarithmic axis ticks at equal steps come nearer and nearer. */
        if ((a->whole && at[i] != round(at[i])) || px - last < APART)
            continue;
        last = px;
        put_straight(p->m, "g", px, p->top, px, p->bottom);
        put_tick_text(p->m, px, p->bottom + 15, "middle", at[i], a->whole ? 0 : digits);
    }
    p->under = p->bottom + (a->bare ? 4 : 20);
    if (a->title != NULL) {
        mmli_svg_text(p->m, (p->left + p->right) / 2, p->under + 13, "middle", "t", a->title,
                      (size_t)((p->right - p->left) / character_width) + 4);
        p->under += LINE + 3;
    }
}

static void put_y_axis(mmli_plot *p)
{
    const mmli_axis *a = &p->figure->y;
    double at[MMLI_MOST_TICKS];
    int digits;
    const size_t n = a->bare || a->names != NULL
                         ? 0
                         : mmli_ticks(at, &digits, p->y, a->logarithmic, (size_t)fmax(2, (p->bottom - p->top) / 36));

    for (size_t i = 0; i < n; i++) {
        const double py = mmli_plot_y(p, at[i]);

        put_straight(p->m, "g", p->left, py, p->right, py);
        put_tick_text(p->m, p->left - 6, py + 4, "end", at[i], digits);
    }
    for (size_t i = 0; i < a->n_names; i++)
        mmli_svg_text(p->m, p->left - 8, mmli_plot_y(p, (double)i) + 4, "end", "t", a->names[i], MOST_NAME);
    if (a->title != NULL && a->names == NULL) {
        mmli_put(p->m, "<g transform=\"translate(13 ");
        mmli_put_px(p->m, (p->top + p->bottom) / 2);
        mmli_put(p->m, ") rotate(-90)\">");
        mmli_svg_text(p->m, 0, 0, "middle", "t", a->title, (size_t)((p->bottom - p->top) / character_width) + 4);
        mmli_put(p->m, "</g>\n");
    }
}

/* Room for the labels at the left. */
static double left_margin(const mmli_axis *y)
{
    size_t longest = 0;

    for (size_t i = 0; i < y->n_names; i++) {
        const size_t n = mmli_characters(y->names[i]);

        longest = n > longest ? n : longest;
    }
    if (y->names != NULL)
        return 18 + character_width * (double)(longest < MOST_NAME ? longest : MOST_NAME);
    return (y->bare ? 8 : 46) + (y->title != NULL ? 14 : 0);
}

/* ---- legend ----------------------------------------------------------------------------------------------------------- */

static double key_width(const mmli_key *key)
{
    const size_t n = mmli_characters(key->text);

    return 30 + character_width * (double)(n < MOST_KEY ? n : MOST_KEY) + 14;
}

/* Places of all entries, one line after the other; gives the number of lines. */
static size_t key_lines(const mmli_figure *f)
{
    size_t lines = f->n_keys > 0 ? 1 : 0;
    double x = 8;

    for (size_t i = 0; i < f->n_keys; i++) {
        if (x > 8 && x + key_width(&f->keys[i]) > f->width) {
            lines++;
            x = 8;
        }
        x += key_width(&f->keys[i]);
    }
    return lines;
}

static void put_sign(mmli_plot *p, const mmli_key *key, double x, double y)
{
    const double xs[] = {x, x + 22}, middle = x + 11;
    const mmli_figure nowhere = {.x = {.range = {0, 1}}, .y = {.range = {0, 1}}};
    /* Marks draw in units of the data: here those are pixels. */
    mmli_plot q = {.m = p->m, .figure = &nowhere, .left = 0, .right = 1, .top = 1, .bottom = 0, .x = {0, 1}, .y = {0, 1}};
    const double ys[] = {y, y}, low[] = {y + 5, y + 5}, high[] = {y - 5, y - 5};

    mmli_put(p->m, "<g class=\"key\">");
    switch (key->sign) {
    case MMLI_SIGN_POINT: mmli_plot_point(&q, middle, y, key->style, NULL); break;
    case MMLI_SIGN_LINE: mmli_plot_line(&q, xs, ys, 2, key->style); break;
    case MMLI_SIGN_LINE_POINT:
        mmli_plot_line(&q, xs, ys, 2, key->style);
        mmli_plot_point(&q, middle, y, key->style, NULL);
        break;
    case MMLI_SIGN_AREA: mmli_plot_band(&q, xs, low, high, 2, key->style); break;
    case MMLI_SIGN_GHOST: mmli_plot_ghost(&q, xs, ys, 2, key->style); break;
    }
    mmli_put(p->m, "</g>");
}

static void put_legend(mmli_plot *p, double y)
{
    const mmli_figure *f = p->figure;
    double x = 8;

    for (size_t i = 0; i < f->n_keys; i++) {
        if (x > 8 && x + key_width(&f->keys[i]) > f->width) {
            x = 8;
            y += LINE;
        }
        put_sign(p, &f->keys[i], x, y - 4);
        mmli_svg_text(p->m, x + 28, y, "start", "t", f->keys[i].text, MOST_KEY);
        x += key_width(&f->keys[i]);
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------------- */

static void put_head(mmli_plot *p)
{
    mmli_markup *m = p->m;
    const mmli_figure *f = p->figure;
    const size_t id = m->ids++;

    mmli_putf(m, "<svg role=\"img\" aria-labelledby=\"t%zu d%zu\"", id, id);
    if (f->standalone)
        mmli_put(m, " xmlns=\"http://www.w3.org/2000/svg\"");
    mmli_put(m, " width=\"");
    mmli_put_px(m, f->width);
    mmli_put(m, "\" height=\"");
    mmli_put_px(m, p->total);
    mmli_put(m, "\" viewBox=\"0 0 ");
    mmli_put_px(m, f->width);
    mmli_put(m, " ");
    mmli_put_px(m, p->total);
    mmli_putf(m, "\">\n<title id=\"t%zu\">", id);
    mmli_put_text(m, f->title);
    mmli_putf(m, "</title><desc id=\"d%zu\">", id);
    mmli_put_text(m, f->description != NULL ? f->description : f->title);
    mmli_put(m, "</desc>\n");
    if (f->standalone) {
        mmli_put(m, "<style>svg{background:#fff}@media (prefers-color-scheme:dark){svg{background:#1b1d20}}\n");
        mmli_svg_style(m);
        mmli_put(m, "</style>\n");
    }
}

/* A range that can be divided by. */
static mmli_range shown(const mmli_axis *a)
{
    if (a->names != NULL)
        return (mmli_range){-0.5, fmax((double)a->n_names, 1.0) - 0.5};
    if (!(a->range.low < a->range.high) || !isfinite(a->range.high - a->range.low) ||
        (a->logarithmic && !(a->range.low > 0)))
        return a->logarithmic ? (mmli_range){1.0, 10.0} : (mmli_range){0.0, 1.0};
    return a->range;
}

void mmli_plot_begin(mmli_plot *p, mmli_markup *m, const mmli_figure *f)
{
    const bool titled = f->title != NULL, subtitled = f->subtitle != NULL;
    double below;

    *p = (mmli_plot){.m = m, .figure = f, .x = shown(&f->x), .y = shown(&f->y)};
    p->left = left_margin(&f->y);
    p->right = f->width - 16;
    p->right = p->right > p->left + 40 ? p->right : p->left + 40;
    p->top = 10 + (titled ? LINE : 0) + (subtitled ? LINE - 2 : 0);
    p->bottom = p->top + f->height;
    below = (f->x.bare ? 4 : 20) + (f->x.title != NULL ? LINE + 3 : 0) + f->below;
    p->total = p->bottom + below + (f->n_keys > 0 ? 6 + LINE * (double)key_lines(f) : 0) + 4;
    put_head(p);
    if (titled)
        mmli_svg_text(m, 2, 14, "start", "b", f->title, (size_t)(f->width / (character_width + 0.6)));
    if (subtitled)
        mmli_svg_text(m, 2, 14 + LINE - 2, "start", "s", f->subtitle, (size_t)(f->width / (character_width - 0.6)));
    put_x_axis(p);
    put_y_axis(p);
    if (!f->x.bare)
        put_straight(m, "a", p->left, p->bottom, p->right, p->bottom);
    if (!f->y.bare)
        put_straight(m, "a", p->left, p->top, p->left, p->bottom);
}

void mmli_plot_end(mmli_plot *p)
{
    put_legend(p, p->under + p->figure->below + LINE);
    mmli_put(p->m, "</svg>\n");
}
