/* survival.c - Kaplan-Meier estimate, discrete hazards from it, log-rank test.
 *
 * All three walk through the distinct times in order, with those at risk before each. */
#include <math.h>

#include "metrics/check.h"
#include "mmlego/metrics.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

/* One distinct time: counts of group 0 and 1 (all are in group 0 when there are no groups). */
typedef struct moment {
    double time;
    size_t events[2], at_risk[2];
} moment;

typedef struct walk {
    const double *time;
    const uint8_t *event, *group;
    size_t *order;
    size_t n, next, left[2];
} walk;

static mml_status walk_start(walk *w, const double *time, const uint8_t *event, const uint8_t *group, size_t n)
{
    mml_status st;

    *w = (walk){.time = time, .event = event, .group = group, .n = n};
    if ((st = mmli_calloc(&w->order, n, sizeof *w->order)) != MML_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        w->left[group == NULL ? 0 : group[i]]++;
    return mmli_argsort(w->order, time, n);
}

/* 0 after the last time. */
static int walk_next(walk *w, moment *m)
{
    if (w->next == w->n)
        return 0;
    *m = (moment){.time = w->time[w->order[w->next]], .at_risk = {w->left[0], w->left[1]}};
    for (; w->next < w->n && w->time[w->order[w->next]] == m->time; w->next++) {
        const size_t i = w->order[w->next];
        const size_t g = w->group == NULL ? 0 : w->group[i];

        m->events[g] += w->event[i];
        w->left[g]--;
    }
    return 1;
}

static mml_status check(const char *metric, const void *out, const double *time, const uint8_t *event, size_t n)
{
    mml_status st = MMLI_CHECK_ARRAYS(metric, n, out, time, event);

    return st != MML_OK ? st : mmli_check_survival(metric, time, event, n);
}

mml_status mml_metric_kaplan_meier(size_t *m, double *at, double *survival, size_t *at_risk, size_t *events,
                                   const double *time, const uint8_t *event, size_t n)
{
    mml_status st = MML_OK;
    walk w = {0};
    moment now;
    double s = 1.0;
    size_t k = 0;

    MML_TRY(MMLI_CHECK_ARRAYS("Kaplan-Meier", n, m, at, survival));
    MML_TRY(check("Kaplan-Meier", m, time, event, n));
    MML_TRY(walk_start(&w, time, event, NULL, n));
    for (; walk_next(&w, &now); k++) {
        s *= 1.0 - (double)now.events[0] / (double)now.at_risk[0];
        at[k] = now.time;
        survival[k] = s;
        if (at_risk != NULL)
            at_risk[k] = now.at_risk[0];
        if (events != NULL)
            events[k] = now.events[0];
    }
    *m = k;
out:
    mmli_free(w.order);
    return st;
}

mml_status mml_metric_km_hazards(double *hazard, const double *edges, size_t bins, const double *time,
                                 const uint8_t *event, size_t n)
{
    mml_status st = MML_OK;
    walk w = {0};
    moment now;
    double s = 1.0; /* survival from the lower edge of the present bin */
    size_t j = 0;
    int32_t first; /* the labels' own checks of the edges */

    MML_TRY(check("Kaplan-Meier hazards", hazard, time, event, n));
    MML_TRY(mml_metric_survival_labels(&first, edges, bins, time, 1));
    MML_TRY(walk_start(&w, time, event, NULL, n));
    while (walk_next(&w, &now)) {
        while (j + 1 < bins && now.time >= edges[j + 1]) {
            hazard[j++] = 1.0 - s;
            s = 1.0;
        }
        s *= 1.0 - (double)now.events[0] / (double)now.at_risk[0];
    }
    for (; j < bins; s = 1.0)
        hazard[j++] = 1.0 - s;
out:
    mmli_free(w.order);
    return st;
}

mml_status mml_metric_logrank(double *chi2, double *p, const double *time, const uint8_t *event, const uint8_t *group,
                              size_t n)
{
    mml_status st = MML_OK;
    walk w = {0};
    moment now;
    double excess = 0.0, variance = 0.0; /* of the events in group 1 */
    size_t members = 0;

    MML_TRY(check("log-rank test", chi2, time, event, n));
    MML_TRY(MMLI_CHECK_ARRAYS("log-rank test", n, group));
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(group[i] <= 1, MML_E_DATA, "log-rank test: group[%zu] is %u, expected 0 or 1", i, (unsigned)group[i]);
        members += group[i];
    }
    MML_CHECK(members > 0 && members < n, MML_E_DATA, "log-rank test: all %zu samples are in group %d", n,
              members > 0);
    MML_TRY(walk_start(&w, time, event, group, n));
    while (walk_next(&w, &now)) {
        const double r0 = (double)now.at_risk[0], r1 = (double)now.at_risk[1], r = r0 + r1;
        const double d = (double)(now.events[0] + now.events[1]);

        if (d == 0.0)
            continue;
        excess += (double)now.events[1] - d * r1 / r;
        if (r > 1.0)
            variance += d * (r - d) / (r - 1.0) * (r1 / r) * (r0 / r);
    }
    MML_CHECK(variance > 0.0, MML_E_DATA,
              "log-rank test: no event happens while both groups are at risk, there is nothing to compare");
    *chi2 = excess * excess / variance;
    if (p != NULL)
        *p = erfc(sqrt(0.5 * *chi2)); /* upper tail of chi-squared with 1 degree of freedom */
out:
    mmli_free(w.order);
    return st;
}
