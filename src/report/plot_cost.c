/* plot_cost.c - what a score costs: training time and memory, with names beside the points that never overlap. */
#include <math.h>

#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"

enum { WIDTH = 560, HEIGHT = 320, TEXT_HEIGHT = 13 };
static const double character_width = 6.6;

typedef struct box {
    double x0, y0, x1, y1;
} box;

static bool overlap(const box *a, const box *b)
{
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

/* Names so far, and points, as boxes of pixels. */
typedef struct taken {
    box *boxes;
    size_t n;
    const mmli_plot *plot;
} taken;

static bool is_free(const taken *t, const box *b)
{
    if (b->x0 < t->plot->left || b->x1 > t->plot->right + 12 || b->y0 < t->plot->top || b->y1 > t->plot->bottom)
        return false;
    for (size_t i = 0; i < t->n; i++)
        if (overlap(&t->boxes[i], b))
            return false;
    return true;
}

/* The nearest free place around a point: right, left, above, below, then farther away. */
static bool find_place(box *b, const taken *t, double px, double py, double width)
{
    for (double far = 8; far < 70; far += 6)
        for (int k = 0; k < 8; k++) {
            static const double dx[] = {1, -1, 0, 0, 0.8, 0.8, -0.8, -0.8}, dy[] = {0, 0, -1, 1, -0.8, 0.8, -0.8, 0.8};
            const double x = px + dx[k] * far - (dx[k] < 0 ? width : dx[k] > 0 ? 0 : width / 2);
            const double y = py + dy[k] * far;

            *b = (box){x, y - TEXT_HEIGHT / 2.0, x + width, y + TEXT_HEIGHT / 2.0};
            if (is_free(t, b))
                return true;
        }
    return false;
}

static void put_leader(mmli_markup *m, double px, double py, const box *b)
{
    const double x = px < b->x0 ? b->x0 : px > b->x1 ? b->x1 : px, y = py < b->y0 ? b->y0 : py > b->y1 ? b->y1 : py;

    if (hypot(x - px, y - py) < 11)
        return;
    mmli_put(m, "<path class=\"gh kn\" d=\"M");
    mmli_put_px(m, px);
    mmli_put(m, " ");
    mmli_put_px(m, py);
    mmli_put(m, "L");
    mmli_put_px(m, x);
    mmli_put(m, " ");
    mmli_put_px(m, y);
    mmli_put(m, "\"/>\n");
}

static mml_status put_names(mmli_plot *p, const mmli_comparison *c, const double *x)
{
    taken t = {.plot = p};
    size_t most;
    mml_status st = MML_OK;

    MML_CHECK(mmli_mul_size(&most, c->n, 2), MML_E_NOMEM, "too many systems");
    MML_TRY(mmli_calloc(&t.boxes, most, sizeof *t.boxes));
    for (size_t i = 0; i < c->n; i++) {
        const double px = mmli_plot_x(p, x[i]), py = mmli_plot_y(p, c->entry[i].mean);

        if (isfinite(px) && isfinite(py))
            t.boxes[t.n++] = (box){px - 6, py - 6, px + 6, py + 6};
    }
    for (size_t i = 0; i < c->n; i++) {
        const double px = mmli_plot_x(p, x[i]), py = mmli_plot_y(p, c->entry[i].mean);
        const size_t characters = mmli_characters(c->entry[i].title);
        box b;

        if (!isfinite(px) || !isfinite(py) ||
            !find_place(&b, &t, px, py, 4 + character_width * (double)(characters < 28 ? characters : 28)))
            continue; /* too crowded: the name is shown when the pointer rests on the point */
        put_leader(p->m, px, py, &b);
        mmli_svg_text(p->m, (b.x0 + b.x1) / 2, b.y1 - 3, "middle", "s", c->entry[i].title, 28);
        t.boxes[t.n++] = b;
    }
out:
    mmli_free(t.boxes);
    return st;
}

/* x (n): NaN or <= 0 = not known. */
static mml_status put_cost(mmli_markup *m, const mmli_comparison *c, const double *x, const char *title, const char *x_title)
{
    mmli_key keys[MMLI_GROUPS];
    mmli_figure f = {.title = title, .description = "A point a system, named in the table: mean score over cost, which grows to the right by powers.",
                     .width = WIDTH, .height = HEIGHT, .keys = keys};
    mmli_range xs = MMLI_NOTHING, ys = MMLI_NOTHING;
    mmli_plot p;
    mml_status st = MML_OK;

    for (size_t i = 0; i < c->n; i++)
        if (x[i] > 0 && !isnan(c->entry[i].mean)) {
            mmli_range_add(&xs, log10(x[i]));
            mmli_range_add(&ys, c->entry[i].mean);
            if (f.n_keys == 0 || keys[f.n_keys - 1].style != mmli_group_style(c->entry[i].group))
                keys[f.n_keys++] = (mmli_key){mmli_group_title(c->entry[i].group), mmli_group_style(c->entry[i].group), MMLI_SIGN_POINT};
        }
    if (mmli_range_empty(&xs))
        goto out;
    xs = mmli_range_padded(xs, 0.08);
    f.x = (mmli_axis){.title = x_title, .range = {pow(10.0, xs.low), pow(10.0, xs.high)}, .logarithmic = true};
    f.y = (mmli_axis){.title = c->metric_title, .range = mmli_range_padded(ys, 0.1)};
    mmli_plot_begin(&p, m, &f);
    for (size_t i = 0; i < c->n; i++)
        mmli_plot_point(&p, x[i], c->entry[i].mean, mmli_group_style(c->entry[i].group), c->entry[i].title);
    MML_TRY(put_names(&p, c, x));
    mmli_plot_end(&p);
out:
    return st;
}

void mmli_put_cost(mmli_markup *m, const mmli_comparison *c)
{
    double *x = NULL;
    mmli_part part;
    mml_status st = MML_OK;

    mmli_part_begin(&part, m, "Score and cost",
                    "Mean score over training time and over peak memory of one run. The time of a merge, an ensemble or a fuse includes that of its "
                    "blocks. Up and to the left is better.");
    MML_TRY(mmli_calloc(&x, c->n, sizeof *x));
    for (size_t i = 0; i < c->n; i++)
        x[i] = c->entry[i].train_seconds;
    MML_TRY(put_cost(m, c, x, "Training time", "training time in seconds"));
    for (size_t i = 0; i < c->n; i++)
        x[i] = c->entry[i].peak_bytes / 1e6;
    MML_TRY(put_cost(m, c, x, "Peak memory", "peak memory in MB"));
out:
    mmli_free(x);
    if (m->st == MML_OK)
        m->st = st;
    mmli_part_end(&part, m);
}
