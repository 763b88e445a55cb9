/* plot_calibration.c - are predictions what they say? Reliability diagrams of classes, predicted against true values. */
#include <math.h>

#include "metrics/curves.h"
#include "mmlego/metrics.h"
#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"

enum { BINS = 10, SIZE = 250, MOST_POINTS = 2000 };

/* Statements "of class 1 with probability p", and whether they were right. Of several classes: "of the most probable one". */
typedef struct statements {
    int32_t *right;
    double *probability;
    size_t n;
} statements;

static void add(statements *s, double p, double right)
{
    if (!(p >= 0.0 && p <= 1.0) || (right != 0.0 && right != 1.0))
        return;
    s->probability[s->n] = p;
    s->right[s->n++] = (int32_t)right;
}

static void add_run(statements *s, const mmli_test *t, bool several)
{
    for (size_t i = 0; i < t->n && t->label != NULL; i++) {
        const double *p = t->probability != NULL ? t->probability + i * t->k : NULL;
        size_t most = 0;

        if (!several && t->score != NULL)
            add(s, t->score[i], t->label[i]);
        if (!several || p == NULL || isnan(t->label[i]))
            continue;
        for (size_t j = 1; j < t->k; j++)
            most = p[j] > p[most] ? j : most;
        add(s, p[most], (double)most == t->label[i]);
    }
}

/* Of all folds together, and the Brier score of each. */
static mml_status collect(statements *s, double *brier, const mmli_comparison *c, const mmli_entry *e)
{
    mmli_test t = {0};
    size_t most = 0;
    mml_status st = MML_OK;

    for (size_t k = 0; k < c->folds; k++) {
        const json_t *test = json_object_get(e->job[k], "test");

        most += json_array_size(json_object_get(test, "score")) + json_array_size(json_object_get(test, "probability"));
    }
    MML_TRY(mmli_calloc(&s->right, most, sizeof *s->right));
    MML_TRY(mmli_calloc(&s->probability, most, sizeof *s->probability));
    for (size_t k = 0; k < c->folds; k++) {
        const size_t before = s->n;

        mmli_test_free(&t);
        MML_TRY(mmli_test_read(&t, e->job[k]));
        add_run(s, &t, c->outcome == MMLI_OUTCOME_MULTICLASS);
        brier[k] = (double)NAN;
        if (s->n > before)
            MML_TRY(mml_metric_brier(&brier[k], s->right + before, s->probability + before, s->n - before));
    }
out:
    mmli_test_free(&t);
    return st;
}

static mml_status put_diagram(mmli_markup *m, const mmli_figure *f, const statements *s, int style)
{
    double predicted[BINS], observed[BINS];
    size_t count[BINS], bins;
    mmli_markup label = {0};
    mmli_plot p;
    mml_status st = MML_OK;

    MML_TRY(mml_metric_reliability(&bins, predicted, observed, count, s->right, s->probability, s->n, BINS));
    mmli_plot_begin(&p, m, f);
    mmli_plot_diagonal(&p);
    mmli_plot_line(&p, predicted, observed, bins, style);
    for (size_t b = 0; b < bins; b++) {
        mmli_undo(&label, 0);
        mmli_put(&label, "predicted ");
        mmli_put_number(&label, predicted[b], 3);
        mmli_put(&label, ", observed ");
        mmli_put_number(&label, observed[b], 3);
        mmli_putf(&label, " of %zu", count[b]);
        mmli_plot_point(&p, predicted[b], observed[b], style, label.text.text);
    }
    mmli_plot_end(&p);
    st = label.st;
out:
    mmli_markup_free(&label);
    return st;
}

static void put_reliability(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e)
{
    mmli_markup subtitle = {0};
    mmli_figure f = {.title = e->title, .description = "Reliability diagram: share observed over predicted probability; on the diagonal both agree.",
                     .width = 330, .height = SIZE, .x = {.title = "predicted probability", .range = {-0.02, 1.02}},
                     .y = {.title = "observed share", .range = {-0.02, 1.02}}};
    statements s = {0};
    double *brier = NULL, mean, sd;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&brier, c->folds, sizeof *brier));
    MML_TRY(collect(&s, brier, c, e));
    if (s.n == 0)
        goto out;
    mmli_mean_sd(&mean, &sd, brier, c->folds);
    mmli_put(&subtitle, "Brier score ");
    mmli_put_mean_sd(&subtitle, mean, sd, 3);
    MML_TRY(subtitle.st);
    f.subtitle = subtitle.text.text;
    MML_TRY(put_diagram(m, &f, &s, mmli_group_style(e->group)));
out:
    if (m->st == MML_OK)
        m->st = st;
    mmli_free(brier);
    mmli_free(s.right);
    mmli_free(s.probability);
    mmli_markup_free(&subtitle);
}

/* ---- regression --------------------------------------------------------------------------------------------------------- */

static void put_scatter(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e)
{
    mmli_figure f = {.title = e->title, .description = "Predicted values over true ones, a point a test sample of a fold; on the diagonal both agree.",
                     .width = 330, .height = SIZE, .x = {.title = "true value"}, .y = {.title = "predicted value"}};
    mmli_range range = MMLI_NOTHING;
    mmli_test t = {0};
    mmli_plot p;
    size_t left = MOST_POINTS;
    mml_status st = MML_OK;

    for (int pass = 0; pass < 2; pass++) { /* first the ranges */
        for (size_t k = 0; k < c->folds; k++) {
            mmli_test_free(&t);
            MML_TRY(mmli_test_read(&t, e->job[k]));
            for (size_t i = 0; i < t.n && t.truth != NULL && t.score != NULL; i++) {
                if (isnan(t.truth[i]) || isnan(t.score[i]))
                    continue;
                if (pass == 0) {
                    mmli_range_add(&range, t.truth[i]);
                    mmli_range_add(&range, t.score[i]);
                } else if (left > 0) {
                    left--;
                    mmli_plot_dot(&p, t.truth[i], t.score[i], mmli_group_style(e->group), NULL);
                }
            }
        }
        if (mmli_range_empty(&range))
            goto out;
        if (pass == 0) {
            f.x.range = f.y.range = mmli_range_padded(range, 0.03);
            mmli_plot_begin(&p, m, &f);
            mmli_plot_diagonal(&p);
        }
    }
    mmli_plot_end(&p);
out:
    mmli_test_free(&t);
    if (m->st == MML_OK)
        m->st = st;
}

void mmli_put_calibration(mmli_markup *m, const mmli_comparison *c)
{
    mmli_part part;

    if (c->outcome == MMLI_OUTCOME_REGRESSION) {
        mmli_part_begin(&part, m, "Predicted and true values", "Test samples of all folds, at most 2000 of a system; on the dashed line both agree.");
        mmli_put_panels(m, c, put_scatter);
        mmli_part_end(&part, m);
    }
    if (c->outcome == MMLI_OUTCOME_BINARY || c->outcome == MMLI_OUTCOME_MULTICLASS) {
        mmli_part_begin(&part, m, "Calibration",
                        c->outcome == MMLI_OUTCOME_BINARY
                            ? "Of those with a predicted probability of 0.7, are 7 of 10 positive? Test samples of all folds in ten parts of equal "
                              "numbers. Brier score: mean squared error of the probability, 0 is best."
                            : "When the most probable class has a probability of 0.7, is it right in 7 of 10 cases? Test samples of all folds in ten "
                              "parts of equal numbers. Brier score: mean squared error of that probability, 0 is best.");
        mmli_put_panels(m, c, put_reliability);
        mmli_part_end(&part, m);
    }
}
