/* svg_heat.c - charts of values as colours and as bars: heat map, map of patches, bars. */
#include <math.h>

#include "report/svg.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

enum { CELL = 16, BAR = 22, SCALE_WIDTH = 180, SCALE_STEPS = 30, SCALE_ROOM = 44 };

static void put_cell(mmli_markup *m, double x, double y, double width, double height, const char *fill, const char *title, double value)
{
    mmli_put(m, "<rect class=\"cell\" x=\"");
    mmli_put_px(m, x);
    mmli_put(m, "\" y=\"");
    mmli_put_px(m, y);
    mmli_put(m, "\" width=\"");
    mmli_put_px(m, width);
    mmli_put(m, "\" height=\"");
    mmli_put_px(m, height);
    mmli_putf(m, "\" fill=\"%s\"", fill);
    if (title == NULL) {
        mmli_put(m, "/>\n");
        return;
    }
    mmli_put(m, "><title>");
    mmli_put_text(m, title);
    mmli_put(m, ": ");
    mmli_put_number(m, value, fabs(value) < 0.1 ? 4 : 3);
    mmli_put(m, "</title></rect>\n");
}

/* The colours with the values they stand for, under the axis. */
static void put_scale(mmli_plot *p, mmli_range range, mmli_colours colours, const char *title)
{
    const double step = (double)SCALE_WIDTH / SCALE_STEPS, x = p->left, y = p->under + 8;
    const double reach = fmax(fabs(range.low), fabs(range.high));
    const mmli_range ends = colours == MMLI_COLOURS_DIVERGING ? (mmli_range){-reach, reach} : range;
    const int digits = reach < 0.01 ? 5 : reach < 1 ? 3 : reach < 100 ? 2 : 0;
    const double at[] = {ends.low, ends.high};
    char fill[8];

    for (int i = 0; i < SCALE_STEPS; i++) {
        mmli_colour_of(fill, ends.low + (ends.high - ends.low) * (i + 0.5) / SCALE_STEPS, ends, colours);
        mmli_put(p->m, "<rect x=\"");
        mmli_put_px(p->m, x + i * step);
        mmli_put(p->m, "\" y=\"");
        mmli_put_px(p->m, y);
        mmli_put(p->m, "\" width=\"");
        mmli_put_px(p->m, step + 0.3); /* no seams */
        mmli_putf(p->m, "\" height=\"10\" fill=\"%s\"/>\n", fill);
    }
    for (int i = 0; i < 2; i++) {
        mmli_putf(p->m, "<text class=\"s\" text-anchor=\"%s\" x=\"", i == 0 ? "start" : "end");
        mmli_put_px(p->m, x + i * SCALE_WIDTH);
        mmli_put(p->m, "\" y=\"");
        mmli_put_px(p->m, y + 23);
        mmli_put(p->m, "\">");
        mmli_put_number(p->m, at[i], digits);
        mmli_put(p->m, "</text>\n");
    }
    if (title != NULL)
        mmli_svg_text(p->m, x + SCALE_WIDTH + 10, y + 9, "start", "t", title, 60);
}

/* ---- rows by columns ---------------------------------------------------------------------------------------------------- */

static double column_at(const mmli_heat_map *map, size_t j)
{
    return map->at != NULL ? map->at[j] : (double)j;
}

/* Where column j begins; j = cols: where the last ends. */
static double column_edge(const mmli_heat_map *map, size_t j)
{
    const size_t n = map->cols;

    if (n == 1)
        return column_at(map, 0) + (j == 0 ? -0.5 : 0.5);
    if (j == 0)
        return column_at(map, 0) - (column_at(map, 1) - column_at(map, 0)) / 2;
    if (j == n)
        return column_at(map, n - 1) + (column_at(map, n - 1) - column_at(map, n - 2)) / 2;
    return (column_at(map, j - 1) + column_at(map, j)) / 2;
}

void mmli_svg_heat_map(mmli_markup *m, const mmli_heat_map *map)
{
    mmli_figure f = map->figure;
    mmli_range range = MMLI_NOTHING;
    mmli_plot p;
    char fill[8];

    if (map->rows == 0 || map->cols == 0)
        return;
    mmli_range_add_all(&range, map->value, map->rows * map->cols);
    if (mmli_range_empty(&range))
        range = (mmli_range){0.0, 1.0};
    f.height = (double)map->rows * CELL;
    f.below = SCALE_ROOM;
    f.y = (mmli_axis){.names = map->row_names, .n_names = map->rows};
    f.x.range = (mmli_range){column_edge(map, 0), column_edge(map, map->cols)};
    mmli_plot_begin(&p, m, &f);
    for (size_t i = 0; i < map->rows; i++)
        for (size_t j = 0; j < map->cols; j++) {
            const double v = map->value[i * map->cols + j], x0 = mmli_plot_x(&p, column_edge(map, j));

            if (!isfinite(v))
                continue;
            mmli_colour_of(fill, v, range, map->colours);
            put_cell(m, x0, p.top + (double)i * CELL, mmli_plot_x(&p, column_edge(map, j + 1)) - x0 + 0.2, CELL, fill,
                     map->row_names[i], v);
        }
    put_scale(&p, range, map->colours, map->value_title);
    mmli_plot_end(&p);
}

/* ---- patches ------------------------------------------------------------------------------------------------------------ */

/* Least distance above 0 between neighbours of a sorted array; 0 if there is none. */
static double least_step(const double *sorted, size_t n)
{
    double least = 0;

    for (size_t i = 1; i < n; i++) {
        const double d = sorted[i] - sorted[i - 1];

        if (d > 0 && (least == 0 || d < least))
            least = d;
    }
    return least;
}

static mml_status side_of(double *side, const mmli_patch_map *map)
{
    double *sorted = NULL, step[2] = {0, 0};
    mml_status st;

    *side = map->side;
    if (map->side > 0)
        return MML_OK;
    if ((st = mmli_calloc(&sorted, map->n, sizeof *sorted)) != MML_OK)
        return st;
    for (int c = 0; c < 2; c++) {
        const double *from = c == 0 ? map->x : map->y;
        size_t n = 0;

        for (size_t i = 0; i < map->n; i++)
            if (isfinite(from[i]))
                sorted[n++] = from[i];
        mmli_sort_doubles(sorted, n);
        step[c] = least_step(sorted, n);
    }
    mmli_free(sorted);
    *side = step[0] > 0 && step[1] > 0 ? fmin(step[0], step[1]) : fmax(step[0], step[1]);
    *side = *side > 0 ? *side : 1.0;
    return MML_OK;
}

/* Means of the patches in each cell of a grid of GRID cells on the longer side. */
enum { GRID = 200 };

typedef struct squares {
    double *x, *y, *value, side;
    size_t n;
} squares;

static void squares_free(squares *s)
{
    mmli_free(s->x);
    mmli_free(s->y);
    mmli_free(s->value);
}

static mml_status squares_new(squares *s, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&s->x, n, sizeof *s->x));
    MML_TRY(mmli_calloc(&s->y, n, sizeof *s->y));
    MML_TRY(mmli_calloc(&s->value, n, sizeof *s->value));
out:
    return st;
}

/* The patches that can be drawn. */
static void squares_copy(squares *s, const mmli_patch_map *map)
{
    for (size_t i = 0; i < map->n; i++)
        if (isfinite(map->x[i]) && isfinite(map->y[i]) && isfinite(map->value[i]) && fabs(map->x[i]) < 1e100 &&
            fabs(map->y[i]) < 1e100) {
            s->x[s->n] = map->x[i];
            s->y[s->n] = map->y[i];
            s->value[s->n++] = map->value[i];
        }
}

static mml_status squares_average(squares *s, const mmli_range *x, const mmli_range *y)
{
    const double side = fmax(s->side, fmax(x->high - x->low, y->high - y->low) / (GRID - 1));
    squares cells = {.side = side}; /* value: sums, x: numbers, for the time being */
    mml_status st = MML_OK;

    MML_TRY(squares_new(&cells, (size_t)GRID * GRID));
    for (size_t i = 0; i < s->n; i++) {
        const size_t k = (size_t)((s->y[i] - y->low) / side) * GRID + (size_t)((s->x[i] - x->low) / side);

        cells.value[k] += s->value[i];
        cells.x[k] += 1;
    }
    for (size_t k = 0; k < (size_t)GRID * GRID; k++)
        if (cells.x[k] > 0) { /* cells.n <= k: nothing is overwritten before it was read */
            cells.value[cells.n] = cells.value[k] / cells.x[k];
            cells.x[cells.n] = x->low + side * (double)(k % GRID);
            cells.y[cells.n++] = y->low + side * (double)(k / GRID);
        }
    squares_free(s);
    *s = cells;
    cells = (squares){0};
out:
    squares_free(&cells);
    return st;
}

static void put_squares(mmli_markup *m, const mmli_patch_map *map, const squares *s, mmli_range x, mmli_range y)
{
    mmli_figure f = map->figure;
    mmli_range range = MMLI_NOTHING;
    mmli_plot p;
    double pixels;
    char fill[8];

    mmli_range_add_all(&range, s->value, s->n);
    if (mmli_range_empty(&range))
        range = (mmli_range){0.0, 1.0};
    mmli_range_add(&x, x.high + s->side);
    mmli_range_add(&y, y.high + s->side);
    pixels = (f.width - 24) / (x.high - x.low); /* what mmli_plot_begin leaves between bare axes */
    f.height = fmin((y.high - y.low) * pixels, 2 * f.width);
    pixels = f.height / (y.high - y.low);
    f.width = fmax(pixels * (x.high - x.low) + 24, 64);
    f.width = fmax(f.width, SCALE_WIDTH + 40);
    f.below = SCALE_ROOM;
    f.x = (mmli_axis){.range = {x.low, x.low + (f.width - 24) / pixels}, .bare = true};
    f.y = (mmli_axis){.range = y, .bare = true, .down = true};
    mmli_plot_begin(&p, m, &f);
    for (size_t i = 0; i < s->n; i++) {
        mmli_colour_of(fill, s->value[i], range, map->colours);
        put_cell(m, mmli_plot_x(&p, s->x[i]), mmli_plot_y(&p, s->y[i]), s->side * pixels + 0.2, s->side * pixels + 0.2, fill, NULL,
                 0);
    }
    put_scale(&p, range, map->colours, map->value_title);
    mmli_plot_end(&p);
}

void mmli_svg_patch_map(mmli_markup *m, const mmli_patch_map *map)
{
    squares s = {0};
    mmli_range x = MMLI_NOTHING, y = MMLI_NOTHING;
    mml_status st = m->st;

    MML_TRY(st);
    MML_TRY(squares_new(&s, map->n));
    MML_TRY(side_of(&s.side, map));
    squares_copy(&s, map);
    if (s.n == 0)
        goto out;
    mmli_range_add_all(&x, s.x, s.n);
    mmli_range_add_all(&y, s.y, s.n);
    if (s.n > MMLI_MOST_PATCHES)
        MML_TRY(squares_average(&s, &x, &y));
    put_squares(m, map, &s, x, y);
out:
    squares_free(&s);
    if (m->st == MML_OK)
        m->st = st;
}

/* ---- bars --------------------------------------------------------------------------------------------------------------- */

static mmli_range bar_range(const mmli_bar_chart *c)
{
    mmli_range r = MMLI_NOTHING, padded;

    mmli_range_add(&r, 0.0);
    mmli_range_add_all(&r, c->value, c->n);
    if (c->low != NULL && c->high != NULL) {
        mmli_range_add_all(&r, c->low, c->n);
        mmli_range_add_all(&r, c->high, c->n);
    }
    padded = mmli_range_padded(r, 0.04);
    if (r.low == 0.0)
        padded.low = 0.0;
    if (r.high == 0.0 && r.low < 0.0)
        padded.high = 0.0;
    return padded;
}

void mmli_svg_bar_chart(mmli_markup *m, const mmli_bar_chart *c)
{
    mmli_figure f = c->figure;
    mmli_plot p;

    if (c->n == 0)
        return;
    f.height = (double)c->n * BAR;
    f.y = (mmli_axis){.names = c->names, .n_names = c->n};
    f.x.range = bar_range(c);
    mmli_plot_begin(&p, m, &f);
    for (size_t i = 0; i < c->n; i++) {
        const double y = (double)i;

        mmli_plot_box(&p, 0, y - 0.34, c->value[i], y + 0.34,
                      c->style != NULL ? c->style[i] : c->value[i] < 0 ? MMLI_RED : MMLI_BLUE, c->names[i]);
        if (c->low != NULL && c->high != NULL)
            mmli_plot_interval(&p, c->low[i], c->high[i], y, MMLI_GREY);
    }
    mmli_plot_vertical(&p, 0.0);
    mmli_plot_end(&p);
}
