/* walk.c - a cohort in chunks of samples. */
#include "model/walk.h"

#include <string.h>

#include "io/cohort.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum { CHUNK_SAMPLES = 64, CHUNK_VALUES = 1 << 24 /* 64 MiB of float32 */ };

static bool listed(const mmli_walk *walk, const char *name)
{
    for (size_t i = 0; i < walk->n_names; i++)
        if (strcmp(walk->names[i], name) == 0)
            return true;
    return false;
}

static bool cohort_has(mml_modality_info *info, const mml_cohort *cohort, const char *name)
{
    for (size_t i = 0; i < mml_cohort_n_modalities(cohort); i++)
        if (mml_cohort_modality_at(info, cohort, i) == MML_OK && strcmp(info->name, name) == 0)
            return true;
    return false;
}

static mml_status none_in_common(const mml_model *model, const mml_cohort *cohort)
{
    mml_status st = MML_OK;
    const char **mine = NULL, **theirs = NULL;
    char a[MMLI_LIST_BYTES], b[MMLI_LIST_BYTES];
    const size_t n = mml_cohort_n_modalities(cohort);
    mml_modality_info info;

    MML_TRY(mmli_calloc(&mine, model->n, sizeof *mine));
    MML_TRY(mmli_calloc(&theirs, n, sizeof *theirs));
    for (size_t i = 0; i < model->n; i++)
        mine[i] = model->members[i].modality;
    for (size_t i = 0; i < n; i++) {
        MML_TRY(mml_cohort_modality_at(&info, cohort, i));
        theirs[i] = info.name;
    }
    st = mmli_fail(MML_E_NOT_FOUND, "%s has none of the modalities of the model (%s); it has %s", mml_cohort_path(cohort),
                   mmli_list(a, mine, model->n), mmli_list(b, theirs, n));
out:
    mmli_free(mine);
    mmli_free(theirs);
    return st;
}

static mml_status check_member(mmli_walk *walk, size_t which)
{
    const mmli_member *m = &walk->model->members[which];
    mml_status st = MML_OK;
    mml_modality_info info;

    if (!cohort_has(&info, walk->cohort, m->modality))
        goto out; /* no sample has it */
    MML_CHECK(info.kind == m->kind, MML_E_DATA, "%s: modality %s is of kind %s, the model was trained on kind %s",
              mml_cohort_path(walk->cohort), m->modality, mmli_modality_kind_name(info.kind),
              mmli_modality_kind_name(m->kind));
    if ((st = mmli_match_make(&walk->matches[which], m->prep, &info)) != MML_OK) {
        st = mmli_fail_prefix(st, "%s", mml_cohort_path(walk->cohort));
        goto out;
    }
    if (!listed(walk, m->modality)) {
        walk->names[walk->n_names] = m->modality;
        walk->info[walk->n_names++] = info;
    }
out:
    return st;
}

mml_status mmli_walk_begin(mmli_walk *walk, const mml_model *model, mml_cohort *cohort, const size_t *samples, size_t n,
                           size_t most)
{
    const size_t N = mml_cohort_size(cohort);
    mml_status st = MML_OK;

    *walk = (mmli_walk){.cohort = cohort,
                        .model = model,
                        .samples = samples,
                        .n = samples ? n : N,
                        .most = most ? most : CHUNK_SAMPLES,
                        .by_size = most == 0};
    for (size_t i = 0; samples && i < n; i++)
        MML_CHECK(samples[i] < N, MML_E_ARG, "sample %zu asked for, %s has %zu", samples[i], mml_cohort_path(cohort), N);
    if (!samples) {
        MML_TRY(mmli_calloc(&walk->all, N, sizeof *walk->all));
        for (size_t i = 0; i < N; i++)
            walk->all[i] = i;
        walk->samples = walk->all;
    }
    MML_TRY(mmli_calloc(&walk->names, model->n, sizeof *walk->names));
    MML_TRY(mmli_calloc(&walk->info, model->n, sizeof *walk->info));
    MML_TRY(mmli_calloc(&walk->matches, model->n, sizeof *walk->matches));
    for (size_t i = 0; i < model->n; i++)
        MML_TRY(check_member(walk, i));
    if (walk->n_names == 0)
        MML_TRY(none_in_common(model, cohort));
    MML_TRY(mmli_ahead_new(&walk->ahead, cohort, walk->names, walk->n_names));
out:
    if (st != MML_OK)
        mmli_walk_end(walk);
    return st;
}

/* Values that a sample has in all modalities; as float64, which cannot overflow. */
static double values_of(const mmli_walk *walk, size_t sample)
{
    double values = 0.0;

    for (size_t i = 0; i < walk->n_names; i++) {
        const mml_modality_info *info = &walk->info[i];

        values += (double)(info->offsets[sample + 1] - info->offsets[sample]) * (double)info->width;
    }
    return values;
}

/* ---- samples that are not read whole ----------------------------------------------------------------------------------- */

/* Can all blocks that read a modality read it in pieces? Where categories have to be matched or counted it is read whole: a bag
 * with words for features is not that large. */
static bool can_stream(const mmli_walk *walk, const char *name)
{
    for (size_t m = 0; m < walk->model->n; m++)
        if (strcmp(walk->model->members[m].modality, name) == 0 &&
            (!mmli_member_streams(&walk->model->members[m]) || walk->matches[m]->from != NULL || walk->matches[m]->n_unknown > 0))
            return false;
    return true;
}

static bool is_streamed(const mmli_walk *walk, size_t sample, size_t name)
{
    const mml_modality_info *info = &walk->info[name];
    const double tokens = (double)(info->offsets[sample + 1] - info->offsets[sample]);

    /* one token has no pieces, and the step for single tokens wants it in memory */
    return walk->large > 0 && tokens > 1 && tokens * (double)info->width * sizeof(float) >= (double)walk->large &&
           can_stream(walk, info->name);
}

static bool is_large(const mmli_walk *walk, size_t at)
{
    for (size_t i = 0; at < walk->n && i < walk->n_names; i++)
        if (is_streamed(walk, walk->samples[at], i))
            return true;
    return false;
}

static void close_sources(mmli_walk *walk)
{
    for (size_t m = 0; walk->sources && m < walk->model->n; m++) {
        mmli_source_free(walk->sources[m]);
        walk->sources[m] = NULL;
    }
}

/* Reads what is not too large of a sample, and opens sources for the rest. */
static mml_status read_large(mmli_walk *walk, size_t sample)
{
    const char **small = NULL;
    size_t n_small = 0;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&small, walk->n_names, sizeof *small));
    if (!walk->sources)
        MML_TRY(mmli_calloc(&walk->sources, walk->model->n, sizeof *walk->sources));
    if (!walk->batch)
        MML_TRY(mml_batch_new(&walk->batch, 0));
    for (size_t i = 0; i < walk->n_names; i++) {
        if (!is_streamed(walk, sample, i)) {
            small[n_small++] = walk->names[i];
            continue;
        }
        for (size_t m = 0; m < walk->model->n; m++)
            if (strcmp(walk->model->members[m].modality, walk->names[i]) == 0)
                MML_TRY(mmli_source_new(&walk->sources[m], walk->cohort, sample, &walk->model->members[m]));
    }
    MML_TRY(mml_cohort_read(walk->cohort, walk->batch, &sample, 1, small, n_small));
out:
    mmli_free(small);
    return st;
}

/* ---- chunks ------------------------------------------------------------------------------------------------------------ */

/* Number of samples of the chunk that begins with the at-th. */
static size_t chunk(const mmli_walk *walk, size_t at)
{
    double values = 0.0;
    size_t count = 0;

    while (at + count < walk->n && count < walk->most) {
        const bool large = is_large(walk, at + count);

        values += values_of(walk, walk->samples[at + count]);
        if (count > 0 && (large || (walk->by_size && values > CHUNK_VALUES)))
            break;
        count++;
        if (large)
            break;
    }
    return count;
}

mml_status mmli_walk_next(const mml_batch **batch, const size_t **samples, size_t *n, mmli_walk *walk)
{
    mml_status st = MML_OK;
    const size_t count = chunk(walk, walk->at), then = walk->at + count, next = is_large(walk, then) ? 0 : chunk(walk, then);

    close_sources(walk);
    *batch = NULL;
    *samples = walk->samples + walk->at;
    *n = count;
    if (count == 0)
        goto out;
    if (is_large(walk, walk->at)) {
        MML_TRY(read_large(walk, **samples));
        *batch = walk->batch;
    } else
        MML_TRY(mmli_ahead_read(batch, walk->ahead, *samples, count, *samples + count, next));
    walk->at += count;
out:
    return st;
}

void mmli_walk_end(mmli_walk *walk)
{
    close_sources(walk);
    for (size_t m = 0; walk->matches && m < walk->model->n; m++)
        mmli_match_free(walk->matches[m]);
    mmli_free(walk->matches);
    mmli_free(walk->sources);
    mml_batch_free(walk->batch);
    mmli_ahead_free(walk->ahead);
    mmli_free(walk->names);
    mmli_free(walk->info);
    mmli_free(walk->all);
    *walk = (mmli_walk){0};
}
