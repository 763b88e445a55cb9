/* plot_scores.c - every fold as a point: systems of a comparison; what merging gains on each data set. */
#include <math.h>
#include <string.h>

#include "metrics/curves.h"
#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"

enum { ROW = 26 };
/* Folds lie below the middle of their row, the mean above: neither hides the other. */
static const double below = 0.2, above = 0.12;

/* "LegoMerge, fold 2: 0.712": shown at a point. */
static void label_of(mmli_markup *label, const char *title, size_t fold, double value)
{
    mmli_undo(label, 0);
    if (label->st == MML_OK)
        label->st = mmli_buf_puts(&label->text, title);
    if (fold != SIZE_MAX)
        mmli_putf(label, ", fold %zu: ", fold);
    else
        mmli_put(label, ", mean: ");
    mmli_put_number(label, value, 3);
}

/* Points of a row and, larger, their mean. */
static void put_folds(mmli_plot *p, mmli_markup *label, const char *title, const double *value, size_t folds, size_t row, int style)
{
    double mean, sd;
    const size_t n = mmli_mean_sd(&mean, &sd, value, folds);

    for (size_t k = 0; k < folds; k++) {
        label_of(label, title, k, value[k]);
        mmli_plot_dot(p, value[k], (double)row + below, style, label->text.text);
    }
    if (n > 1)
        mmli_plot_interval(p, mean - sd, mean + sd, (double)row - above, style);
    label_of(label, title, SIZE_MAX, mean);
    mmli_plot_point(p, mean, (double)row - above, style, label->text.text);
    if (label->st != MML_OK && p->m->st == MML_OK)
        p->m->st = label->st;
}

/* ---- the systems of a comparison --------------------------------------------------------------------------------------- */

/* The systems of the paper's Figure 4: blocks, and what is made of them. */
static bool is_of_figure_4(const mmli_entry *e)
{
    return e->group == MMLI_GROUP_LEGO || strcmp(e->name, "ensemble") == 0 || strncmp(e->name, "block:", 6) == 0;
}

static void put_strip(mmli_markup *m, const mmli_comparison *c, const size_t *at, size_t n, const char *const *titles, const char *heading)
{
    mmli_key keys[MMLI_GROUPS];
    mmli_figure f = {.title = heading, .description = "A row a system: a small point for every fold, a large one for their mean, and a line of "
                                                      "one standard deviation to both sides.",
                     .width = 540, .height = (double)n * ROW, .keys = keys};
    mmli_range range = MMLI_NOTHING;
    mmli_markup label = {0};
    mmli_plot p;

    for (size_t i = 0; i < n; i++) {
        const mmli_entry *e = &c->entry[at[i]];
        double mean, sd;

        mmli_range_add_all(&range, e->score, c->folds);
        mmli_mean_sd(&mean, &sd, e->score, c->folds);
        mmli_range_add(&range, mean - sd);
        mmli_range_add(&range, mean + sd);
        if (i == 0 || e->group != c->entry[at[i - 1]].group) /* groups are together */
            keys[f.n_keys++] = (mmli_key){mmli_group_title(e->group), mmli_group_style(e->group), MMLI_SIGN_POINT};
    }
    if (mmli_range_empty(&range))
        return;
    f.x = (mmli_axis){.title = c->metric_title, .range = mmli_range_padded(range, 0.05)};
    f.y = (mmli_axis){.names = titles, .n_names = n};
    mmli_plot_begin(&p, m, &f);
    if (c->baseline < c->n)
        mmli_plot_vertical(&p, c->entry[c->baseline].mean);
    for (size_t i = 0; i < n; i++) {
        const mmli_entry *e = &c->entry[at[i]];

        put_folds(&p, &label, e->title, e->score, c->folds, i, mmli_group_style(e->group));
    }
    mmli_plot_end(&p);
    mmli_markup_free(&label);
}

void mmli_put_scores(mmli_markup *m, const mmli_comparison *c)
{
    size_t *at = NULL, n = 0;
    const char **titles = NULL;
    mmli_part part;
    mml_status st = MML_OK;

    mmli_part_begin(&part, m, "Scores of every fold",
                    "Small points are folds, large ones their mean, lines one standard deviation to both sides. The dashed line is the mean of the "
                    "best baseline.");
    MML_TRY(mmli_calloc(&at, c->n, sizeof *at));
    MML_TRY(mmli_calloc(&titles, c->n, sizeof *titles));
    for (int all = 0; all < 2; all++) {
        const size_t before = n;

        n = 0;
        for (size_t i = 0; i < c->n; i++)
            if (all || is_of_figure_4(&c->entry[i])) {
                titles[n] = c->entry[i].title;
                at[n++] = i;
            }
        if (n > before && (all || n > 1))
            put_strip(m, c, at, n, titles, all ? "All systems" : "Blocks, ensemble, merge and fuse");
    }
out:
    mmli_free(at);
    mmli_free(titles);
    if (m->st == MML_OK)
        m->st = st;
    mmli_part_end(&part, m);
}

/* ---- what merging gains ------------------------------------------------------------------------------------------------- */

/* Merge minus best block, fold by fold; false where either is missing. */
static bool uplift_of(double *difference, const mmli_comparison *c)
{
    const size_t merge = mmli_entry_find(c, "merge");
    bool any = false;

    if (merge == c->n || c->block == c->n)
        return false;
    for (size_t k = 0; k < c->folds; k++) {
        difference[k] = c->entry[merge].score[k] - c->entry[c->block].score[k];
        if (!c->higher)
            difference[k] = -difference[k];
        any = any || !isnan(difference[k]);
    }
    return any;
}

/* difference (rows, folds) of those that have one. */
static void put_uplift(mmli_markup *m, const double *difference, size_t rows, size_t folds, const char *const *titles, const size_t *of,
                       const mmli_comparison *c)
{
    mmli_range range = MMLI_NOTHING;
    mmli_markup label = {0};
    mmli_plot p;
    mmli_figure f = {.title = "LegoMerge minus the best single block",
                     .description = "A row a data set: a small point for every fold, a large one for the mean. Right of the dashed line merging gains.",
                     .width = 720, .height = (double)rows * ROW};

    mmli_range_add(&range, 0.0);
    for (size_t i = 0; i < rows; i++) {
        double mean, sd;

        mmli_range_add_all(&range, difference + i * folds, c[of[i]].folds);
        mmli_mean_sd(&mean, &sd, difference + i * folds, c[of[i]].folds);
        mmli_range_add(&range, mean - sd);
        mmli_range_add(&range, mean + sd);
    }
    f.x = (mmli_axis){.title = "difference of the score, better to the right", .range = mmli_range_padded(range, 0.05)};
    f.y = (mmli_axis){.names = titles, .n_names = rows};
    mmli_plot_begin(&p, m, &f);
    mmli_plot_vertical(&p, 0.0);
    for (size_t i = 0; i < rows; i++)
        put_folds(&p, &label, titles[i], difference + i * folds, c[of[i]].folds, i, MMLI_RED);
    mmli_plot_end(&p);
    mmli_markup_free(&label);
}

void mmli_put_uplift(mmli_markup *m, const mmli_comparison *c, size_t n)
{
    double *difference = NULL;
    size_t *of = NULL, folds = 0, rows = 0, cells = 0;
    const char **titles = NULL;
    mmli_part part;
    mml_status st = MML_OK;

    mmli_part_begin(&part, m, "What merging gains",
                    "Score of LegoMerge, which is not trained, minus that of the single block with the best mean on the same test parts. That block is "
                    "chosen by its test scores, which favours it.");
    for (size_t i = 0; i < n; i++)
        folds = c[i].folds > folds ? c[i].folds : folds;
    MML_CHECK(mmli_mul_size(&cells, n, folds), MML_E_NOMEM, "too many folds");
    MML_TRY(mmli_calloc(&difference, cells, sizeof *difference));
    MML_TRY(mmli_calloc(&titles, n, sizeof *titles));
    MML_TRY(mmli_calloc(&of, n, sizeof *of));
    for (size_t i = 0; i < n; i++)
        if (uplift_of(difference + rows * folds, &c[i])) {
            titles[rows] = c[i].title;
            of[rows++] = i;
        }
    if (rows > 0)
        put_uplift(m, difference, rows, folds, titles, of, c);
out:
    mmli_free(difference);
    mmli_free(titles);
    mmli_free(of);
    if (m->st == MML_OK)
        m->st = st;
    mmli_part_end(&part, m);
}
