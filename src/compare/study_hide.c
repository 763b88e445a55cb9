/* study_hide.c - which patients lack a modality at a point of a study. All samples of a group do, or none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/study.h"
#include "io/cohort.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

static const char *name_of(const mml_cohort *cohort, size_t sample)
{
    const char *const *groups = mml_cohort_groups(cohort);

    return groups ? groups[sample] : mml_cohort_ids(cohort)[sample];
}

/* ---- missing ------------------------------------------------------------------------------------------------------ */

/* A patient has one random number for each modality and fold: who lacks it at 0.3 does so at 0.5. */
static mml_status hide_share(const mmli_running *run, const mmli_point *p)
{
    const mml_compare *plan = run->plan;
    const char *modality = plan->modalities[p->modality].name;
    const uint64_t key = mmli_rng_key(mmli_rng_key(plan->split_seed, modality, (uint64_t)plan->jobs[run->job].fold),
                                      "study/missing", 0);
    mml_status st = MML_OK;
    uint8_t *hide = NULL;

    MML_TRY(mmli_calloc(&hide, plan->samples, 1));
    for (size_t i = 0; i < plan->samples; i++) {
        const char *name = name_of(run->cohort, i);
        const bool here = p->in_training ? run->part[i] == MML_PART_TRAIN || run->part[i] == MML_PART_VALID
                                         : run->part[i] == MML_PART_TEST;

        hide[i] = here && (double)mmli_hash64(name, strlen(name), key) * 0x1p-64 < p->x;
    }
    MML_TRY(mmli_cohort_hide(run->cohort, modality, hide));
out:
    mmli_free(hide);
    return st;
}

/* ---- overlap ------------------------------------------------------------------------------------------------------ */

typedef struct ticket {
    uint64_t draw;
    const char *name;
    size_t sample, class;
} ticket;

static int by_draw(const void *a, const void *b)
{
    const ticket *x = a, *y = b;
    int order = (x->class > y->class) - (x->class < y->class);

    order = order ? order : (x->draw > y->draw) - (x->draw < y->draw);
    order = order ? order : strcmp(x->name, y->name);
    return order ? order : (x->sample > y->sample) - (x->sample < y->sample);
}

static size_t class_of(const mml_task_info *task, size_t sample)
{
    if (task->kind == MML_SURVIVAL)
        return task->event[sample];
    return task->kind == MML_REGRESSION ? 0 : (size_t)task->value[sample];
}

/* place (samples): of training patients, in random order within their class, on an axis from 0 to 1; else NaN. A group counts
 * as the class of its first sample. */
static mml_status places(double *place, const mmli_running *run)
{
    const mml_compare *plan = run->plan;
    const uint64_t key = mmli_rng_key(plan->split_seed, "study/overlap", (uint64_t)plan->jobs[run->job].fold);
    mml_status st = MML_OK;
    ticket *list = NULL;
    mml_task_info task;
    size_t n = 0;

    MML_TRY(mml_cohort_task(&task, run->cohort, plan->task));
    MML_TRY(mmli_calloc(&list, plan->samples, sizeof *list));
    for (size_t i = 0; i < plan->samples; i++) {
        const char *name = name_of(run->cohort, i);

        place[i] = (double)NAN;
        if (run->part[i] == MML_PART_TRAIN)
            list[n++] = (ticket){.draw = mmli_hash64(name, strlen(name), key), .name = name, .sample = i};
    }
    qsort(list, n, sizeof *list, by_draw); /* groups together */
    for (size_t i = 0; i < n; i++)
        list[i].class = i > 0 && strcmp(list[i].name, list[i - 1].name) == 0 ? list[i - 1].class : class_of(&task, list[i].sample);
    qsort(list, n, sizeof *list, by_draw);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && list[end].class == list[i].class; end++)
            ;
        for (size_t j = i; j < end; j++) {
            const bool same = j > i && strcmp(list[j].name, list[j - 1].name) == 0;

            place[list[j].sample] = same ? place[list[j - 1].sample] : ((double)(j - i) + 0.5) / (double)(end - i);
        }
    }
out:
    mmli_free(list);
    return st;
}

/* The common core is the beginning of the axis, then comes what each block has for itself; the end is nobody's. With k = 1/M
 * for each block and a core s: x = 2 (k - s) / (2 k - s). */
static mml_status hide_others(const mmli_running *run, const mmli_point *p)
{
    const mml_compare *plan = run->plan;
    const double k = 1.0 / (double)plan->n_modalities, core = 2 * k * (1 - p->x) / (2 - p->x), own = k - core;
    mml_status st = MML_OK;
    double *place = NULL;
    uint8_t *hide = NULL;

    MML_TRY(mmli_calloc(&place, plan->samples, sizeof *place));
    MML_TRY(mmli_calloc(&hide, plan->samples, 1));
    MML_TRY(places(place, run));
    for (size_t m = 0; m < plan->n_modalities; m++) {
        const double begin = core + (double)m * own;

        for (size_t i = 0; i < plan->samples; i++)
            hide[i] = isfinite(place[i]) && !(place[i] < core || (place[i] >= begin && place[i] < begin + own));
        MML_TRY(mmli_cohort_hide(run->cohort, plan->modalities[m].name, hide));
    }
out:
    mmli_free(place);
    mmli_free(hide);
    return st;
}

mml_status mmli_study_hide(const mmli_running *run)
{
    const mmli_point *p = &run->plan->points[run->plan->jobs[run->job].point];

    switch (p->study) {
    case MMLI_STUDY_OVERLAP:
        return hide_others(run, p);
    case MMLI_STUDY_MISSING:
        return hide_share(run, p);
    case MMLI_STUDY_MODALITIES:
    case MMLI_STUDY_INTERFERENCE:
    case MMLI_STUDY_NONE:
    default:
        return MML_OK;
    }
}
