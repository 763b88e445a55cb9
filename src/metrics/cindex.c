/* cindex.c - Harrell's concordance index in O(n log n).
 *
 * Walk through time from the end; a Fenwick tree over the sorted risks holds the weights of everyone
 * who outlived the present time. For an event of risk r, those of lower risk are concordant. Risks
 * within 1e-8 of r are ties, a relation that is not transitive ("a ties b, b ties c, a beats c"), so
 * each sample has its own window of ties in the sorted risks, found once by the subtraction and
 * comparison that the definition makes.
 */
#include <string.h>

#include "metrics/check.h"
#include "metrics/core.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/sort.h"

static const double tie = 1e-8; /* doc/formats.md 3 */

struct mmli_pairs {
    size_t n;
    const uint8_t *event;   /* borrowed */
    const double *time;     /* borrowed */
    size_t *by_time;        /* (n) samples, ascending time */
    size_t *rank;           /* (n) place of the sample in the sorted risks */
    size_t *below, *within; /* (n) sorted risks lower by more than a tie; those not higher by more */
    uint64_t *tree;         /* (n + 1) Fenwick tree over places, from 1 */
};

static void tree_add(uint64_t *tree, size_t n, size_t place, uint64_t w)
{
    for (size_t i = place + 1; i <= n; i += i & (~i + 1))
        tree[i] += w;
}

/* Sum over the first m places. */
static uint64_t tree_sum(const uint64_t *tree, size_t m)
{
    uint64_t sum = 0;

    for (size_t i = m; i > 0; i &= i - 1)
        sum += tree[i];
    return sum;
}

/* Windows of ties: both ends move up with the risk, because rounding keeps the order of differences. */
static void find_windows(mmli_pairs *p, const size_t *order, const double *risk)
{
    size_t lo = 0, hi = 0;

    for (size_t i = 0; i < p->n; i++) {
        const double r = risk[order[i]];

        while (r - risk[order[lo]] > tie)
            lo++;
        while (hi < p->n && !(risk[order[hi]] - r > tie))
            hi++;
        p->rank[order[i]] = i;
        p->below[order[i]] = lo;
        p->within[order[i]] = hi;
    }
}

mml_status mmli_pairs_new(mmli_pairs **out, const double *risk, const double *time, const uint8_t *event, size_t n)
{
    mml_status st = MML_OK;
    mmli_pairs *p = NULL;
    size_t *order = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    p->n = n;
    p->event = event;
    p->time = time;
    MML_TRY(mmli_calloc(&p->by_time, n, sizeof *p->by_time));
    MML_TRY(mmli_calloc(&p->rank, n, sizeof *p->rank));
    MML_TRY(mmli_calloc(&p->below, n, sizeof *p->below));
    MML_TRY(mmli_calloc(&p->within, n, sizeof *p->within));
    MML_TRY(mmli_calloc(&p->tree, n + 1, sizeof *p->tree));
    MML_TRY(mmli_calloc(&order, n, sizeof *order));
    MML_TRY(mmli_argsort(order, risk, n));
    find_windows(p, order, risk);
    MML_TRY(mmli_argsort(p->by_time, time, n));
    *out = p;
    p = NULL;
out:
    mmli_free(order);
    mmli_pairs_free(p);
    return st;
}

void mmli_pairs_free(mmli_pairs *p)
{
    if (p == NULL)
        return;
    mmli_free(p->by_time);
    mmli_free(p->rank);
    mmli_free(p->below);
    mmli_free(p->within);
    mmli_free(p->tree);
    mmli_free(p);
}

/* Puts those of by_time[from .. to-1] whose event flag is `flag` into the tree; gives their weight. */
static uint64_t enter(mmli_pairs *p, size_t from, size_t to, int flag, const uint32_t *weight)
{
    uint64_t sum = 0;

    for (size_t j = from; j < to; j++) {
        const size_t i = p->by_time[j];
        const uint64_t w = mmli_weight(weight, i);

        if ((p->event[i] != 0) != (flag != 0) || w == 0)
            continue;
        tree_add(p->tree, p->n, p->rank[i], w);
        sum += w;
    }
    return sum;
}

bool mmli_pairs_count(mml_cindex_pairs *count, mmli_pairs *p, const uint32_t *weight)
{
    mml_cindex_pairs c = {0};
    uint64_t later = 0; /* weight in the tree */
    size_t end = p->n;

    memset(p->tree, 0, (p->n + 1) * sizeof *p->tree);
    while (end > 0) {
        const double t = p->time[p->by_time[end - 1]];
        size_t start = end;
        uint64_t censored;

        while (start > 0 && p->time[p->by_time[start - 1]] == t)
            start--;
        censored = enter(p, start, end, 0, weight); /* censored at t: lived past the events at t */
        later += censored;
        for (size_t j = start; j < end; j++) {
            const size_t i = p->by_time[j];
            const uint64_t w = mmli_weight(weight, i);
            uint64_t lower, tied;

            if (p->event[i] == 0 || w == 0)
                continue;
            lower = tree_sum(p->tree, p->below[i]);
            tied = tree_sum(p->tree, p->within[i]) - lower;
            c.concordant += w * lower;
            c.tied_risk += w * tied;
            c.discordant += w * (later - lower - tied);
            c.tied_time += w * censored;
        }
        later += enter(p, start, end, 1, weight);
        end = start;
    }
    c.comparable = c.concordant + c.discordant + c.tied_risk;
    *count = c;
    return c.comparable > 0;
}

double mmli_pairs_c(const mml_cindex_pairs *count)
{
    return ((double)count->concordant + 0.5 * (double)count->tied_risk) / (double)count->comparable;
}

mml_status mml_metric_cindex(double *c, mml_cindex_pairs *pairs, const double *risk, const double *time,
                             const uint8_t *event, size_t n)
{
    mml_status st = MML_OK;
    mml_cindex_pairs count;
    mmli_pairs *p = NULL;

    MML_TRY(MMLI_CHECK_ARRAYS("c-index", n, c, risk, time, event));
    MML_TRY(mmli_check_survival("c-index", time, event, n));
    MML_TRY(mmli_check_finite("c-index", "risk", risk, n));
    MML_TRY(mmli_pairs_new(&p, risk, time, event, n));
    MML_CHECK(mmli_pairs_count(&count, p, NULL), MML_E_DATA,
              "c-index: no pair of the %zu samples is comparable (nobody lived longer than one who had the event)", n);
    *c = mmli_pairs_c(&count);
    if (pairs != NULL)
        *pairs = count;
out:
    mmli_pairs_free(p);
    return st;
}
