/* plot_survival.c - do those with the higher predicted risk live shorter? Kaplan-Meier curves of two halves.
 *
 * Models of different folds give risks on different scales, and a sample may be in the test part of several folds. So a risk is
 * first made a rank within its fold, the ranks of a sample are averaged, and every sample counts once. */
#include <math.h>
#include <string.h>

#include "metrics/curves.h"
#include "mmlego/metrics.h"
#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

enum { TICKS = 5, RISK_LINE = 15 };

typedef struct pool {
    double *rank, *time, *runs; /* (n): sum, then mean of the ranks */
    uint8_t *event, *high;
    size_t n, cap;
    json_t *index; /* id -> number */
    size_t events;
    double split; /* median of the ranks: above is high */
} pool;

static void pool_free(pool *p)
{
    mmli_free(p->rank);
    mmli_free(p->time);
    mmli_free(p->runs);
    mmli_free(p->event);
    mmli_free(p->high);
    json_decref(p->index);
}

static mml_status pool_new(pool *p, size_t most)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&p->rank, most, sizeof *p->rank));
    MML_TRY(mmli_calloc(&p->time, most, sizeof *p->time));
    MML_TRY(mmli_calloc(&p->runs, most, sizeof *p->runs));
    MML_TRY(mmli_calloc(&p->event, most, sizeof *p->event));
    MML_TRY(mmli_calloc(&p->high, most, sizeof *p->high));
    MML_CHECK((p->index = json_object()) != NULL, MML_E_NOMEM, "no memory for the samples of a report");
out:
    return st;
}

static bool usable(const mmli_test *t, size_t i)
{
    return !isnan(t->score[i]) && t->time[i] >= 0 && (t->event[i] == 0.0 || t->event[i] == 1.0);
}

/* The place of a sample: an old one by its id, or a new one. */
static mml_status place_of(size_t *at, pool *p, const json_t *id)
{
    const char *name = json_string_value(id);
    const json_t *known = name != NULL ? json_object_get(p->index, name) : NULL;

    *at = known != NULL ? (size_t)json_integer_value(known) : p->n++;
    if (known == NULL && name != NULL && json_object_set_new(p->index, name, json_integer((json_int_t)*at)) != 0)
        return mmli_fail(MML_E_NOMEM, "no memory for the samples of a report");
    return MML_OK;
}

static mml_status add_run(pool *p, const mmli_test *t)
{
    double *score = NULL, *rank = NULL;
    size_t n = 0, at;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&score, t->n, sizeof *score));
    MML_TRY(mmli_calloc(&rank, t->n, sizeof *rank));
    for (size_t i = 0; i < t->n; i++)
        if (usable(t, i))
            score[n++] = t->score[i];
    MML_TRY(mmli_rank_share(rank, score, n));
    n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (!usable(t, i))
            continue;
        MML_TRY(place_of(&at, p, json_array_get(t->id, i)));
        p->rank[at] += rank[n++];
        p->runs[at] += 1;
        p->time[at] = t->time[i];
        p->event[at] = (uint8_t)t->event[i];
    }
out:
    mmli_free(score);
    mmli_free(rank);
    return st;
}

static mml_status split(pool *p)
{
    double *sorted = NULL;
    mml_status st;

    for (size_t i = 0; i < p->n; i++) {
        p->rank[i] /= p->runs[i];
        p->events += p->event[i];
    }
    if (p->n == 0)
        return MML_OK;
    if ((st = mmli_calloc(&sorted, p->n, sizeof *sorted)) != MML_OK)
        return st;
    memcpy(sorted, p->rank, p->n * sizeof *sorted);
    mmli_sort_doubles(sorted, p->n);
    p->split = mmli_quantile(sorted, p->n, 0.5);
    for (size_t i = 0; i < p->n; i++)
        p->high[i] = p->rank[i] > p->split;
    mmli_free(sorted);
    return MML_OK;
}

static mml_status pool_runs(pool *p, const mmli_comparison *c, const mmli_entry *e)
{
    mmli_test t = {0};
    size_t most = 0;
    mml_status st = MML_OK;

    for (size_t k = 0; k < c->folds; k++)
        most += json_array_size(json_object_get(json_object_get(e->job[k], "test"), "score"));
    MML_TRY(pool_new(p, most));
    for (size_t k = 0; k < c->folds; k++) {
        mmli_test_free(&t);
        MML_TRY(mmli_test_read(&t, e->job[k]));
        if (t.score != NULL && t.time != NULL && t.event != NULL)
            MML_TRY(add_run(p, &t));
    }
    MML_TRY(split(p));
out:
    mmli_test_free(&t);
    return st;
}

/* ---- pictures --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int style;
} groups[2] = {{"low risk", MMLI_BLUE}, {"high risk", MMLI_RED}};

/* Steps from S(0) = 1 on, with a stroke where somebody is censored. */
static mml_status put_curve(mmli_plot *plot, const pool *p, uint8_t high)
{
    double *time = NULL, *at = NULL, *survival = NULL;
    uint8_t *event = NULL;
    size_t *risk = NULL, *events = NULL, n = 0, m = 0, moved = 1;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&time, p->n, sizeof *time));
    MML_TRY(mmli_calloc(&event, p->n, sizeof *event));
    MML_TRY(mmli_calloc(&at, p->n + 1, sizeof *at));
    MML_TRY(mmli_calloc(&survival, p->n + 1, sizeof *survival));
    MML_TRY(mmli_calloc(&risk, p->n, sizeof *risk));
    MML_TRY(mmli_calloc(&events, p->n, sizeof *events));
    for (size_t i = 0; i < p->n; i++)
        if (p->high[i] == high) {
            time[n] = p->time[i];
            event[n++] = p->event[i];
        }
    if (n == 0)
        goto out;
    at[0] = 0.0;
    survival[0] = 1.0;
    MML_TRY(mml_metric_kaplan_meier(&m, at + 1, survival + 1, risk, events, time, event, n));
    for (size_t i = 0; i < m; i++) {
        const size_t after = i + 1 < m ? risk[i + 1] : 0;

        if (risk[i] - events[i] > after)
            mmli_plot_stroke(plot, at[i + 1], survival[i + 1], 3.5, groups[high].style);
    }
    for (size_t i = 1; i <= m; i++) /* only the times at which it falls, and the last */
        if (events[i - 1] > 0 || i == m) {
            at[moved] = at[i];
            survival[moved++] = survival[i];
        }
    mmli_plot_steps(plot, at, survival, moved, groups[high].style);
out:
    mmli_free(time);
    mmli_free(event);
    mmli_free(at);
    mmli_free(survival);
    mmli_free(risk);
    mmli_free(events);
    return st;
}

static void put_at_risk(mmli_plot *plot, const pool *p)
{
    double at[MMLI_MOST_TICKS];
    int digits;
    const size_t ticks = mmli_ticks(at, &digits, plot->x, false, TICKS);
    mmli_markup text = {0};
    double y = plot->under + 13;

    mmli_svg_text(plot->m, 2, y, "start", "s", "at risk", 0);
    for (int g = 0; g < 2; g++) {
        y += RISK_LINE;
        mmli_svg_text(plot->m, 2, y, "start", "s", g == 0 ? "low" : "high", 0);
        for (size_t i = 0; i < ticks; i++) {
            size_t n = 0;

            for (size_t k = 0; k < p->n; k++)
                n += p->high[k] == g && p->time[k] >= at[i];
            mmli_undo(&text, 0);
            mmli_putf(&text, "%zu", n);
            mmli_svg_text(plot->m, mmli_plot_x(plot, at[i]), y, "middle", "s", text.text.text, 0);
        }
    }
    if (plot->m->st == MML_OK)
        plot->m->st = text.st;
    mmli_markup_free(&text);
}

static void put_subtitle(mmli_markup *m, const pool *p)
{
    double chi2, value;
    mml_status st;

    mmli_putf(m, "%zu samples, %zu events", p->n, p->events);
    /* No test where a group is empty or nobody dies: then there is nothing to say. */
    st = mml_metric_logrank(&chi2, &value, p->time, p->event, p->high, p->n);
    if (st == MML_OK) {
        mmli_put(m, ", log-rank ");
        mmli_put_plain_p(m, value);
    } else if (st == MML_E_NOMEM) {
        m->st = m->st == MML_OK ? st : m->st;
    } else {
        mmli_put(m, ", log-rank test not defined");
    }
}

static void put_one(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e)
{
    static const mmli_key keys[] = {{"low risk", MMLI_BLUE, MMLI_SIGN_LINE}, {"high risk", MMLI_RED, MMLI_SIGN_LINE}};
    mmli_markup subtitle = {0};
    mmli_range range = MMLI_NOTHING;
    mmli_figure f = {.title = e->title, .width = 350, .height = 200, .below = 3 * RISK_LINE + 4, .keys = keys, .n_keys = 2,
                     .description = "Kaplan-Meier curves of the halves with lower and higher predicted risk; strokes are censored samples. Below, how "
                                    "many are still at risk.",
                     .y = {.title = "survival", .range = {0, 1}}};
    mmli_plot plot;
    pool p = {0};
    mml_status st = MML_OK;

    MML_TRY(pool_runs(&p, c, e));
    if (p.n == 0)
        goto out;
    put_subtitle(&subtitle, &p);
    MML_TRY(subtitle.st);
    f.subtitle = subtitle.text.text;
    mmli_range_add(&range, 0.0);
    mmli_range_add_all(&range, p.time, p.n);
    f.x = (mmli_axis){.title = "time", .range = {0.0, range.high > 0 ? range.high * 1.02 : 1.0}};
    mmli_plot_begin(&plot, m, &f);
    for (uint8_t g = 0; g < 2; g++)
        MML_TRY(put_curve(&plot, &p, g));
    put_at_risk(&plot, &p);
    mmli_plot_end(&plot);
out:
    if (m->st == MML_OK)
        m->st = st;
    pool_free(&p);
    mmli_markup_free(&subtitle);
}

void mmli_put_survival(mmli_markup *m, const mmli_comparison *c)
{
    mmli_part part;

    if (c->outcome != MMLI_OUTCOME_SURVIVAL)
        return;
    mmli_part_begin(&part, m, "Survival of risk groups",
                    "Observed (Kaplan-Meier) survival of the halves with lower and with higher predicted risk. Risks are ranks within the test part of "
                    "a fold, averaged where a sample was tested in several folds, and split at their median: every sample counts once. Strokes are "
                    "censored samples.");
    mmli_put_panels(m, c, put_one);
    mmli_part_end(&part, m);
}
