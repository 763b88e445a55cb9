/* plot_learning.c - losses and validation scores by epoch. */
#include <math.h>

#include "metrics/curves.h"
#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MOST_EPOCHS = 5000 };

/* Values of one key of the histories of all runs of a system. */
typedef struct history {
    double *value; /* (folds, epochs), NaN = none */
    double *at, *mean, *low, *high; /* (epochs) */
    size_t epochs, folds;
    bool any;
} history;

static void history_free(history *h)
{
    mmli_free(h->value);
    mmli_free(h->at);
    mmli_free(h->mean);
    mmli_free(h->low);
    mmli_free(h->high);
    *h = (history){0};
}

static size_t longest(const mmli_comparison *c, const mmli_entry *e)
{
    size_t epochs = 0;

    for (size_t k = 0; k < c->folds; k++) {
        const size_t n = json_array_size(json_object_get(e->job[k], "history"));

        epochs = n > epochs ? n : epochs;
    }
    return epochs < MOST_EPOCHS ? epochs : MOST_EPOCHS;
}

/* Runs end at different epochs. A mean over the few that are left would jump: it ends when less than half go on. */
static mml_status summarise(history *h)
{
    double *column = NULL, sd;
    size_t most = 0;
    mml_status st;

    if ((st = mmli_calloc(&column, h->folds, sizeof *column)) != MML_OK)
        return st;
    for (size_t t = 0; t < h->epochs; t++) {
        size_t n;

        for (size_t k = 0; k < h->folds; k++)
            column[k] = h->value[k * h->epochs + t];
        n = mmli_mean_sd(&h->mean[t], &sd, column, h->folds);
        most = n > most ? n : most;
        if (2 * n < most)
            h->mean[t] = (double)NAN;
        h->low[t] = h->mean[t] - sd;
        h->high[t] = h->mean[t] + sd;
        h->any = h->any || n > 0;
    }
    mmli_free(column);
    return MML_OK;
}

static mml_status history_read(history *h, const mmli_comparison *c, const mmli_entry *e, const char *key)
{
    size_t cells;
    mml_status st = MML_OK;

    *h = (history){.epochs = longest(c, e), .folds = c->folds};
    MML_CHECK(mmli_mul_size(&cells, h->epochs, h->folds), MML_E_NOMEM, "too many epochs");
    MML_TRY(mmli_calloc(&h->value, cells, sizeof *h->value));
    MML_TRY(mmli_calloc(&h->at, h->epochs, sizeof *h->at));
    MML_TRY(mmli_calloc(&h->mean, h->epochs, sizeof *h->mean));
    MML_TRY(mmli_calloc(&h->low, h->epochs, sizeof *h->low));
    MML_TRY(mmli_calloc(&h->high, h->epochs, sizeof *h->high));
    for (size_t k = 0; k < c->folds; k++)
        for (size_t t = 0; t < h->epochs; t++)
            h->value[k * h->epochs + t] =
                mmli_json_number_at(json_array_get(json_object_get(e->job[k], "history"), t), key);
    for (size_t t = 0; t < h->epochs; t++)
        h->at[t] = (double)(t + 1);
    MML_TRY(summarise(h));
out:
    return st;
}

/* One panel with a curve for each key. */
static mml_status put_curves(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e, const char *what, const char *const *names,
                             const mmli_key *keys, size_t n)
{
    history h[2] = {{0}, {0}};
    mmli_range range = MMLI_NOTHING;
    mmli_figure f = {.title = e->title, .subtitle = what, .width = 268, .height = 170, .keys = keys, .n_keys = n,
                     .description = "By epoch: mean over the folds, a band of one standard deviation, and pale lines of the folds."};
    mmli_plot p;
    size_t epochs = 0;
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++) {
        MML_TRY(history_read(&h[i], c, e, names[i]));
        mmli_range_add_all(&range, h[i].value, h[i].epochs * h[i].folds);
        epochs = h[i].any && h[i].epochs > epochs ? h[i].epochs : epochs;
    }
    if (epochs == 0 || mmli_range_empty(&range))
        goto out;
    f.x = (mmli_axis){.title = "epoch", .whole = true, .range = epochs > 1 ? (mmli_range){1.0, (double)epochs} : (mmli_range){0.5, 1.5}};
    f.y.range = mmli_range_padded(range, 0.04);
    mmli_plot_begin(&p, m, &f);
    for (size_t i = 0; i < n; i++) {
        mmli_plot_band(&p, h[i].at, h[i].low, h[i].high, h[i].epochs, keys[i].style);
        for (size_t k = 0; k < h[i].folds; k++)
            mmli_plot_ghost(&p, h[i].at, h[i].value + k * h[i].epochs, h[i].epochs, keys[i].style);
        mmli_plot_line(&p, h[i].at, h[i].mean, h[i].epochs, keys[i].style);
    }
    mmli_plot_end(&p);
out:
    for (size_t i = 0; i < 2; i++)
        history_free(&h[i]);
    return st;
}

static void put_one(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e)
{
    static const char *const losses[] = {"train_loss", "valid_loss"}, *const score[] = {"valid_score"};
    static const mmli_key loss_keys[] = {{"training part", MMLI_BLUE, MMLI_SIGN_LINE}, {"validation part", MMLI_RED, MMLI_SIGN_LINE}};
    const mmli_key score_key = {c->metric_title, MMLI_GREEN, MMLI_SIGN_LINE};
    const size_t before = m->text.len;
    size_t inside;
    mml_status st = MML_OK;

    mmli_put(m, "<div class=\"panels\">\n"); /* the two stay together */
    inside = m->text.len;
    MML_TRY(put_curves(m, c, e, "loss", losses, loss_keys, 2));
    MML_TRY(put_curves(m, c, e, "score on the validation part", score, &score_key, 1));
    if (m->text.len == inside)
        mmli_undo(m, before);
    else
        mmli_put(m, "</div>\n");
out:
    if (m->st == MML_OK)
        m->st = st;
}

void mmli_put_learning(mmli_markup *m, const mmli_comparison *c)
{
    mmli_part part;

    mmli_part_begin(&part, m, "Learning curves",
                    "Thick lines are means over the folds, bands one standard deviation, pale lines the folds. A mean ends when less than half of the "
                    "trainings go on. What is not trained (merge, ensemble) has no curve.");
    mmli_put_panels(m, c, put_one);
    mmli_part_end(&part, m);
}
