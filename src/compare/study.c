/* study.c - the points of each study.
 *
 * overlap     (Fig. 7 of the paper) each block sees training patients of its own: k = 1/M of them, of which those in a common
 *             core are seen by all. x = |A xor B| / |A or B| of any two blocks, 0 = the same patients, 1 = none in common; the
 *             number of patients a block sees does not depend on x.
 * missing     a share x of the patients lacks one modality, in the test part, or in training and validation parts.
 * interference  not a comparison of systems: what mixing the latents of two blocks does to them (job_interference.c).
 * modalities  systems of the first M modalities of the plan, M = 1 .. all.
 */
#include "compare/study.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static const char *const names[] = {NULL, "overlap", "missing", "modalities", "interference"};
enum { N_NAMES = sizeof names / sizeof *names };

static const double overlaps[] = {0, 0.25, 0.5, 0.75, 1};
static const double shares[] = {0.1, 0.3, 0.5, 0.7, 0.9};
enum { N_OVERLAPS = sizeof overlaps / sizeof *overlaps, N_SHARES = sizeof shares / sizeof *shares };

const char *mmli_study_name(mmli_study study)
{
    return (unsigned)study < N_NAMES ? names[study] : NULL;
}

mml_status mmli_study_from_name(mmli_study *out, const char *name)
{
    mml_status st = MML_OK;
    const char *near;
    char list[MMLI_LIST_BYTES];

    *out = MMLI_STUDY_NONE;
    if (!name)
        return MML_OK;
    for (size_t i = 1; i < N_NAMES; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (mmli_study)i;
            return MML_OK;
        }
    near = mmli_nearest(name, names + 1, N_NAMES - 1);
    MML_CHECK(0, MML_E_ARG, "there is no study `%s`%s%s%s; there are %s", name, near ? " (did you mean `" : "", near ? near : "",
              near ? "`?)" : "", mmli_list(list, names + 1, N_NAMES - 1));
out:
    return st;
}

static void add(mml_compare *plan, mmli_point point)
{
    point.study = plan->study;
    plan->points[plan->n_points++] = point;
}

mml_status mmli_study_points(mml_compare *plan)
{
    const size_t n = plan->n_modalities;
    mml_status st = MML_OK;

    MML_CHECK(plan->study == MMLI_STUDY_NONE || n > 1, MML_E_ARG, "a study needs at least two modalities, there is %s alone",
              plan->modalities[0].name);
    MML_TRY(mmli_calloc(&plan->points, 1 + N_OVERLAPS + 2 * N_SHARES * n + n * n, sizeof *plan->points));
    plan->points[plan->n_points++] = (mmli_point){.study = MMLI_STUDY_NONE};
    plan->plain = plan->study != MMLI_STUDY_OVERLAP;
    switch (plan->study) {
    case MMLI_STUDY_OVERLAP:
        for (size_t i = 0; i < N_OVERLAPS; i++)
            add(plan, (mmli_point){.x = overlaps[i]});
        break;
    case MMLI_STUDY_MISSING:
        for (size_t m = 0; m < n; m++)
            for (int training = 0; training < 2; training++)
                for (size_t i = 0; i < N_SHARES; i++)
                    add(plan, (mmli_point){.x = shares[i], .modality = m, .in_training = training});
        break;
    case MMLI_STUDY_MODALITIES:
        for (size_t m = 1; m < n; m++)
            add(plan, (mmli_point){.x = (double)m, .modality = m});
        break;
    case MMLI_STUDY_INTERFERENCE:
        for (size_t a = 0; a < n; a++)
            for (size_t b = a + 1; b < n; b++)
                add(plan, (mmli_point){.x = (double)plan->n_points, .modality = a, .other = b});
        break;
    case MMLI_STUDY_NONE:
    default:
        break;
    }
out:
    return st;
}

bool mmli_study_wants(const mml_compare *plan, const mmli_system *s, const mmli_point *point)
{
    const bool block = s->type->kind == MMLI_SYSTEM_BLOCK, fuse = s->type->kind == MMLI_SYSTEM_STACK ||
                                                                    s->type->kind == MMLI_SYSTEM_WEAVE;

    if (s->type->kind == MMLI_SYSTEM_INTERFERENCE || point->study == MMLI_STUDY_INTERFERENCE)
        return s->type->kind == MMLI_SYSTEM_INTERFERENCE && point->study == MMLI_STUDY_INTERFERENCE;
    switch (point->study) {
    case MMLI_STUDY_OVERLAP: /* a fuse needs patients with all modalities; of other systems there is nothing to be joined */
        return block || (mmli_system_is_joined(s) && !fuse);
    case MMLI_STUDY_MISSING:
        return s->modality == SIZE_MAX || s->modality == point->modality;
    case MMLI_STUDY_MODALITIES:
        return s->modality == SIZE_MAX;
    case MMLI_STUDY_INTERFERENCE:
    case MMLI_STUDY_NONE:
    default:
        return plan->plain;
    }
}

size_t mmli_study_block_point(const mml_compare *plan, size_t point, size_t modality)
{
    const mmli_point *p = &plan->points[point];

    if (p->study == MMLI_STUDY_OVERLAP)
        return point;
    return p->study == MMLI_STUDY_MISSING && p->in_training && p->modality == modality ? point : 0;
}

mml_status mmli_study_json(json_t **out, const mml_compare *plan, size_t point)
{
    const mmli_point *p = &plan->points[point];
    const char *modality = plan->modalities[p->modality].name;
    mml_status st = MML_OK;
    char *series = NULL;

    *out = NULL;
    if (p->study == MMLI_STUDY_MISSING)
        MML_TRY(mmli_strf(&series, "%s missing in %s", modality, p->in_training ? "training" : "test"));
    if (p->study == MMLI_STUDY_INTERFERENCE)
        MML_TRY(mmli_strf(&series, "%s and %s", modality, plan->modalities[p->other].name));
    *out = json_pack("{s:s, s:f, s:s}", "study", mmli_study_name(p->study), "x", p->x, "series", series ? series : "");
    MML_CHECK(*out != NULL, MML_E_NOMEM, "no memory for the settings of a study");
out:
    mmli_free(series);
    return st;
}
