/* plot_roc.c - ROC curves of two classes: mean over the folds at every false positive rate, with its spread. */
#include <math.h>
#include <string.h>

#include "metrics/curves.h"
#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"

/* Place 0 is the origin; the curve may rise from it at the same rate, at place 1. */
enum { STEPS = 100, GRID = STEPS + 2, SIZE = 250 };

static double rate_at(size_t g)
{
    return g == 0 ? 0.0 : (double)(g - 1) / STEPS;
}

typedef struct roc {
    double at[GRID], mean[GRID], low[GRID], high[GRID]; /* over folds: mean, and one sd below and above */
    double *height;                                     /* (folds, GRID); NaN = none */
    double auc, sd;
    size_t folds; /* that count */
} roc;

/* Label and score of a run where both are numbers; the number of them, 0 where one class is missing. */
static mml_status labelled(int32_t **label, double **score, size_t *n, const json_t *job)
{
    mmli_test t = {0};
    size_t count = 0, positives = 0;
    mml_status st = MML_OK;

    *n = 0;
    MML_TRY(mmli_test_read(&t, job));
    if (t.score == NULL || t.label == NULL)
        goto out;
    MML_TRY(mmli_calloc(label, t.n, sizeof **label));
    MML_TRY(mmli_calloc(score, t.n, sizeof **score));
    for (size_t i = 0; i < t.n; i++)
        if (!isnan(t.score[i]) && (t.label[i] == 0.0 || t.label[i] == 1.0)) {
            (*label)[count] = (int32_t)t.label[i];
            (*score)[count++] = t.score[i];
            positives += t.label[i] == 1.0;
        }
    *n = positives > 0 && positives < count ? count : 0;
out:
    mmli_test_free(&t);
    return st;
}

/* One fold: heights on the grid and its AUC; NaN where it has none. */
static mml_status roc_of_fold(double *height, double *auc, const json_t *job)
{
    int32_t *label = NULL;
    double *score = NULL, *fpr = NULL, *tpr = NULL;
    size_t n = 0, m;
    mml_status st = MML_OK;

    *auc = (double)NAN;
    for (size_t g = 0; g < GRID; g++)
        height[g] = (double)NAN;
    MML_TRY(labelled(&label, &score, &n, job));
    if (n == 0)
        goto out;
    MML_TRY(mmli_calloc(&fpr, n + 1, sizeof *fpr));
    MML_TRY(mmli_calloc(&tpr, n + 1, sizeof *tpr));
    MML_TRY(mml_metric_roc(&m, fpr, tpr, label, score, n));
    MML_TRY(mml_metric_auc(auc, label, score, n));
    for (size_t g = 0; g < GRID; g++)
        height[g] = g == 0 ? 0.0 : mmli_roc_height(fpr, tpr, m, rate_at(g));
out:
    mmli_free(label);
    mmli_free(score);
    mmli_free(fpr);
    mmli_free(tpr);
    return st;
}

static mml_status roc_new(roc *r, const mmli_comparison *c, const mmli_entry *e)
{
    double *auc = NULL, *column = NULL;
    size_t cells;
    mml_status st = MML_OK;

    *r = (roc){.folds = 0};
    MML_CHECK(mmli_mul_size(&cells, c->folds, GRID), MML_E_NOMEM, "too many folds");
    MML_TRY(mmli_calloc(&r->height, cells, sizeof *r->height));
    MML_TRY(mmli_calloc(&auc, c->folds, sizeof *auc));
    MML_TRY(mmli_calloc(&column, c->folds, sizeof *column));
    for (size_t k = 0; k < c->folds; k++)
        MML_TRY(roc_of_fold(r->height + k * GRID, &auc[k], e->job[k]));
    r->folds = mmli_mean_sd(&r->auc, &r->sd, auc, c->folds);
    for (size_t g = 0; g < GRID; g++) {
        double sd;

        for (size_t k = 0; k < c->folds; k++)
            column[k] = r->height[k * GRID + g];
        mmli_mean_sd(&r->mean[g], &sd, column, c->folds);
        r->at[g] = rate_at(g);
        r->low[g] = fmax(r->mean[g] - sd, 0.0);
        r->high[g] = fmin(r->mean[g] + sd, 1.0);
    }
out:
    mmli_free(auc);
    mmli_free(column);
    return st;
}

static const mmli_axis rate_axis = {.title = "false positive rate", .range = {0, 1}};

static void put_one(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e)
{
    mmli_markup subtitle = {0};
    mmli_figure f = {.title = e->title, .description = "ROC curve: mean over the folds, a band of one standard deviation, and pale lines of the folds.",
                     .width = 330, .height = SIZE, .x = rate_axis, .y = {.title = "true positive rate", .range = {0, 1}}};
    mmli_plot p;
    roc r = {0};
    mml_status st = MML_OK;

    MML_TRY(roc_new(&r, c, e));
    if (r.folds == 0)
        goto out;
    mmli_put(&subtitle, "AUC ");
    mmli_put_mean_sd(&subtitle, r.auc, r.sd, 3);
    mmli_putf(&subtitle, ", %zu %s", r.folds, r.folds == 1 ? "fold" : "folds");
    MML_TRY(subtitle.st);
    f.subtitle = subtitle.text.text;
    mmli_plot_begin(&p, m, &f);
    mmli_plot_diagonal(&p);
    mmli_plot_band(&p, r.at, r.low, r.high, GRID, mmli_group_style(e->group));
    for (size_t k = 0; k < c->folds; k++)
        mmli_plot_ghost(&p, r.at, r.height + k * GRID, GRID, mmli_group_style(e->group));
    mmli_plot_line(&p, r.at, r.mean, GRID, mmli_group_style(e->group));
    mmli_plot_end(&p);
out:
    if (m->st == MML_OK)
        m->st = st;
    mmli_free(r.height);
    mmli_markup_free(&subtitle);
}

/* The colour of a system among others: that of its group where it can be, so that a reader need not learn new ones. */
static int curve_style(const mmli_comparison *c, size_t i)
{
    static const struct {
        const char *name;
        int style;
    } known[] = {{"fuse-stack", MMLI_RED}, {"fuse-weave", MMLI_GREEN}, {"merge", MMLI_PURPLE}, {"ensemble", MMLI_SKY}, {"linear", MMLI_GREY}};

    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strcmp(c->entry[i].name, known[k].name) == 0)
            return known[k].style;
    return i == c->block ? MMLI_BLUE : MMLI_OCHRE;
}

/* The means of the chosen systems in one picture. */
static mml_status put_together(mmli_markup *m, const mmli_comparison *c)
{
    size_t chosen[MMLI_MOST_CHOSEN];
    const size_t n = mmli_choose(chosen, c);
    mmli_key keys[MMLI_MOST_CHOSEN];
    mmli_figure f = {.title = "Means side by side", .description = "Mean ROC curves of the most important systems.", .width = 440, .height = 340,
                     .x = rate_axis, .y = {.title = "true positive rate", .range = {0, 1}}, .keys = keys};
    roc *all = NULL;
    mmli_plot p;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&all, MMLI_MOST_CHOSEN, sizeof *all));
    for (size_t i = 0; i < n; i++) {
        MML_TRY(roc_new(&all[i], c, &c->entry[chosen[i]]));
        if (all[i].folds > 0)
            keys[f.n_keys++] = (mmli_key){c->entry[chosen[i]].title, curve_style(c, chosen[i]), MMLI_SIGN_LINE};
    }
    if (f.n_keys < 2)
        goto out;
    mmli_plot_begin(&p, m, &f);
    mmli_plot_diagonal(&p);
    for (size_t i = n; i-- > 0;) /* the most important one on top */
        if (all[i].folds > 0)
            mmli_plot_line(&p, all[i].at, all[i].mean, GRID, curve_style(c, chosen[i]));
    mmli_plot_end(&p);
out:
    for (size_t i = 0; all != NULL && i < MMLI_MOST_CHOSEN; i++)
        mmli_free(all[i].height);
    mmli_free(all);
    return st;
}

void mmli_put_roc(mmli_markup *m, const mmli_comparison *c)
{
    mmli_part part;
    mml_status st;

    if (c->outcome != MMLI_OUTCOME_BINARY)
        return;
    mmli_part_begin(&part, m, "ROC curves",
                    "Mean over the folds of the true positive rate at every false positive rate. Bands are one standard deviation over the folds, pale "
                    "lines the folds.");
    st = put_together(m, c);
    if (m->st == MML_OK)
        m->st = st;
    mmli_put_panels(m, c, put_one);
    mmli_part_end(&part, m);
}
