/* cohort.c - an open cohort: what it has, and the tokens of chosen samples. */
#include "io/cohort.h"

#include <stdio.h>
#include <string.h>

#include "io/batch.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/text.h"

mml_status mml_cohort_open(mml_cohort **out, const char *path)
{
    mml_status st = MML_OK;
    mml_cohort *c = NULL;

    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(path);
    mmli_h5_lock();
    MML_TRY(mmli_calloc(&c, 1, sizeof *c));
    pthread_mutex_init(&c->mutex, NULL);
    c->file = -1;
    c->memory = (size_t)1 << 30;
    MML_TRY(mmli_h5_open(&c->file, path));
    MML_TRY(mmli_strdup(&c->path, path));
    MML_TRY(mmli_cohort_load(c));
    *out = c;
    c = NULL;
out:
    st = mmli_h5_guard_verdict(st, c == NULL ? -1 : c->file, path);
    mml_cohort_close(c);
    mmli_h5_unlock();
    return st;
}

static void free_modality(mmli_cohort_modality *m)
{
    mmli_rows_close(m->values);
    mmli_rows_close(m->axes);
    mmli_h5_drop(m->values_set);
    mmli_h5_drop(m->axes_set);
    mmli_h5_texts_free(m->features, m->width);
    mmli_h5_texts_free(m->category_of, m->width);
    mmli_free(m->name);
    mmli_free(m->offsets);
    mmli_free(m->first);
    mmli_free(m->values_kept);
    mmli_free(m->axes_kept);
}

static void free_task(mmli_cohort_task *t)
{
    mmli_h5_texts_free(t->classes, t->n_classes);
    mmli_free(t->name);
    mmli_free(t->unit);
    mmli_free(t->value);
    mmli_free(t->event);
}

void mml_cohort_close(mml_cohort *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n_modalities; i++)
        free_modality(&c->modalities[i]);
    for (size_t i = 0; i < c->n_tasks; i++)
        free_task(&c->tasks[i]);
    for (size_t i = 0; i < c->n_columns; i++) {
        mmli_free(c->columns[i].name);
        mmli_h5_texts_free(c->columns[i].text, c->n);
    }
    mmli_free(c->modalities);
    mmli_free(c->tasks);
    mmli_free(c->columns);
    mmli_h5_texts_free(c->ids, c->n);
    mmli_h5_texts_free(c->groups, c->n);
    mmli_free(c->spans);
    mmli_h5_drop(c->file);
    mmli_free(c->path);
    pthread_mutex_destroy(&c->mutex);
    mmli_free(c);
}

/* ---- what there is ------------------------------------------------------------------------------------------ */

const char *mml_cohort_path(const mml_cohort *cohort)
{
    return cohort->path;
}

size_t mml_cohort_size(const mml_cohort *cohort)
{
    return cohort->n;
}

const char *const *mml_cohort_ids(const mml_cohort *cohort)
{
    return (const char *const *)cohort->ids;
}

const char *const *mml_cohort_groups(const mml_cohort *cohort)
{
    return (const char *const *)cohort->groups;
}

size_t mml_cohort_n_modalities(const mml_cohort *cohort)
{
    return cohort->n_modalities;
}

size_t mml_cohort_n_tasks(const mml_cohort *cohort)
{
    return cohort->n_tasks;
}

size_t mml_cohort_n_columns(const mml_cohort *cohort)
{
    return cohort->n_columns;
}

static mml_status no_such_index(const mml_cohort *c, const char *what, size_t i, size_t n)
{
    return mmli_fail(MML_E_ARG, "%s: %s number %zu does not exist, there are %zu", c->path, what, i, n);
}

mml_status mml_cohort_modality_at(mml_modality_info *out, const mml_cohort *c, size_t i)
{
    const mmli_cohort_modality *m;

    MML_GIVEN_AS("out, cohort", out, c);
    *out = (mml_modality_info){0};
    if (i >= c->n_modalities)
        return no_such_index(c, "modality", i, c->n_modalities);
    m = &c->modalities[i];
    *out = (mml_modality_info){.name = m->name,
                               .kind = m->kind,
                               .width = m->width,
                               .n_axes = m->n_axes,
                               .n_tokens = m->n_tokens,
                               .n_present = m->n_present,
                               .features = (const char *const *)m->features,
                               .offsets = m->offsets,
                               .category_of = (const char *const *)m->category_of};
    return MML_OK;
}

mml_status mml_cohort_task_at(mml_task_info *out, const mml_cohort *c, size_t i)
{
    const mmli_cohort_task *t;

    MML_GIVEN_AS("out, cohort", out, c);
    *out = (mml_task_info){0};
    if (i >= c->n_tasks)
        return no_such_index(c, "task", i, c->n_tasks);
    t = &c->tasks[i];
    *out = (mml_task_info){.name = t->name,
                           .kind = t->kind,
                           .n_classes = t->n_classes,
                           .classes = (const char *const *)t->classes,
                           .value = t->value,
                           .event = t->event,
                           .unit = t->unit};
    return MML_OK;
}

mml_status mml_cohort_column_at(mml_column_info *out, const mml_cohort *c, size_t i)
{
    MML_GIVEN_AS("out, cohort", out, c);
    *out = (mml_column_info){0};
    if (i >= c->n_columns)
        return no_such_index(c, "column", i, c->n_columns);
    *out = (mml_column_info){.name = c->columns[i].name, .text = (const char *const *)c->columns[i].text};
    return MML_OK;
}

mml_status mmli_not_found(const char *path, const char *what, const char *name, const char *const *names, size_t n)
{
    char list[MMLI_LIST_BYTES];
    const char *near = mmli_nearest(name, names, n);

    return mmli_fail(MML_E_NOT_FOUND, "%s: no %s %s%s%s%s; there are: %s", path, what, name,
                     near != NULL ? " (did you mean " : "", near != NULL ? near : "", near != NULL ? "?)" : "",
                     mmli_list(list, names, n));
}

/* Finds `name` among n structs of `stride` bytes that begin with their name. */
static mml_status find(size_t *out, const mml_cohort *c, const char *what, const char *name, const void *list,
                       size_t n, size_t stride)
{
    mml_status st = MML_OK;
    const char **names = NULL;

    *out = SIZE_MAX;
    MML_CHECK(name != NULL, MML_E_ARG, "%s: the name of a %s is NULL", c->path, what);
    for (size_t i = 0; i < n && *out == SIZE_MAX; i++) {
        const char *own;

        memcpy(&own, (const char *)list + i * stride, sizeof own);
        if (strcmp(own, name) == 0)
            *out = i;
    }
    if (*out != SIZE_MAX)
        goto out;
    MML_TRY(mmli_calloc(&names, n, sizeof *names));
    for (size_t i = 0; i < n; i++)
        memcpy(&names[i], (const char *)list + i * stride, sizeof names[i]);
    st = mmli_not_found(c->path, what, name, names, n);
out:
    mmli_free(names);
    return st;
}

mml_status mmli_cohort_find_modality(size_t *out, const mml_cohort *c, const char *name)
{
    return find(out, c, "modality", name, c->modalities, c->n_modalities, sizeof *c->modalities);
}

mml_status mmli_cohort_find_task(size_t *out, const mml_cohort *c, const char *name)
{
    return find(out, c, "task", name, c->tasks, c->n_tasks, sizeof *c->tasks);
}

mml_status mmli_cohort_find_column(size_t *out, const mml_cohort *c, const char *name)
{
    return find(out, c, "column", name, c->columns, c->n_columns, sizeof *c->columns);
}

mml_status mml_cohort_modality(mml_modality_info *out, const mml_cohort *cohort, const char *name)
{
    mml_status st;
    size_t i;

    MML_GIVEN(out, cohort);
    *out = (mml_modality_info){0};
    MML_GIVEN(name);
    st = mmli_cohort_find_modality(&i, cohort, name);
    return st == MML_OK ? mml_cohort_modality_at(out, cohort, i) : st;
}

mml_status mml_cohort_task(mml_task_info *out, const mml_cohort *cohort, const char *name)
{
    mml_status st;
    size_t i;

    MML_GIVEN(out, cohort);
    *out = (mml_task_info){0};
    MML_GIVEN(name);
    st = mmli_cohort_find_task(&i, cohort, name);
    return st == MML_OK ? mml_cohort_task_at(out, cohort, i) : st;
}

mml_status mml_cohort_column(mml_column_info *out, const mml_cohort *cohort, const char *name)
{
    mml_status st;
    size_t i;

    MML_GIVEN(out, cohort);
    *out = (mml_column_info){0};
    MML_GIVEN(name);
    st = mmli_cohort_find_column(&i, cohort, name);
    return st == MML_OK ? mml_cohort_column_at(out, cohort, i) : st;
}

static uint64_t hash_texts(uint64_t h, char *const *texts, size_t n)
{
    for (size_t i = 0; texts != NULL && i < n; i++)
        h = mmli_hash64(texts[i], strlen(texts[i]) + 1, h);
    return h;
}

mml_status mmli_cohort_hash(uint64_t *out, mml_cohort *c)
{
    uint64_t h = 0;

    if (c->has_hash) {
        *out = c->hash;
        return MML_OK;
    }
    h = hash_texts(h, c->ids, c->n);
    for (size_t i = 0; i < c->n_tasks; i++) {
        const mmli_cohort_task *t = &c->tasks[i];

        h = mmli_hash64(t->name, strlen(t->name), h);
        h = hash_texts(h, t->classes, t->n_classes);
        for (size_t s = 0; s < c->n; s++) { /* one NaN for all NaN */
            const double v = t->value[s] == t->value[s] ? t->value[s] : -1.0;

            h = mmli_hash64(&v, sizeof v, h);
        }
        if (t->event != NULL)
            h = mmli_hash64(t->event, c->n, h);
    }
    for (size_t i = 0; i < c->n_modalities; i++) {
        const mmli_cohort_modality *m = &c->modalities[i];

        h = mmli_hash64(m->name, strlen(m->name), h);
        h = mmli_hash64(m->offsets, (c->n + 1) * sizeof *m->offsets, h);
    }
    *out = h;
    return MML_OK;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

void mml_cohort_set_memory(mml_cohort *c, size_t bytes)
{
    pthread_mutex_lock(&c->mutex);
    c->memory = bytes;
    for (size_t i = 0; i < c->n_modalities && c->memory_used > bytes; i++) {
        mmli_cohort_modality *m = &c->modalities[i];

        if (m->values_kept == NULL)
            continue;
        c->memory_used -= m->bytes;
        mmli_free(m->values_kept);
        mmli_free(m->axes_kept);
        m->values_kept = m->axes_kept = NULL;
    }
    pthread_mutex_unlock(&c->mutex);
}

/* Does a modality fit what the cohort may still keep? */
static bool fits(const mml_cohort *c, const mmli_cohort_modality *m, size_t used)
{
    return used <= c->memory && m->bytes <= c->memory - used;
}

mml_status mmli_cohort_is_on_disk(bool *out, mml_cohort *c, const char *const *names, size_t n)
{
    mml_status st = MML_OK;
    size_t used, at;

    *out = false;
    pthread_mutex_lock(&c->mutex);
    used = c->memory_used;
    for (size_t i = 0; i < n; i++) {
        MML_TRY(mmli_cohort_find_modality(&at, c, names[i]));
        if (c->modalities[at].values_kept != NULL)
            continue;
        if (fits(c, &c->modalities[at], used))
            used += c->modalities[at].bytes;
        else
            *out = true;
    }
out:
    pthread_mutex_unlock(&c->mutex);
    return st;
}

/* All of a modality into memory, if it fits what is left. */
static mml_status keep(mml_cohort *c, mmli_cohort_modality *m)
{
    mml_status st = MML_OK;
    float *values = NULL, *axes = NULL;

    if (m->values_kept != NULL || !fits(c, m, c->memory_used))
        return MML_OK;
    MML_TRY(mmli_calloc(&values, m->n_tokens, m->width * sizeof *values));
    MML_TRY(mmli_calloc(&axes, m->n_tokens, m->n_axes * sizeof *axes));
    if (m->n_tokens > 0)
        MML_TRY(mmli_rows_get(values, 0, m->n_tokens, m->values));
    if (m->n_tokens > 0 && m->n_axes > 0)
        MML_TRY(mmli_rows_get(axes, 0, m->n_tokens, m->axes));
    m->values_kept = values;
    m->axes_kept = axes;
    c->memory_used += m->bytes;
    values = axes = NULL;
out:
    mmli_free(values);
    mmli_free(axes);
    return st;
}

/* Tokens of one modality for spans already filled in. */
static mml_status fill(mml_cohort *c, mmli_cohort_modality *m, mmli_batch_part *part, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(keep(c, m));
    if (m->values_kept != NULL) {
        for (size_t i = 0; i < n; i++) {
            const mmli_span s = c->spans[i];

            memcpy(part->values + s.to * m->width, m->values_kept + s.first * m->width,
                   s.count * m->width * sizeof(float));
            if (m->n_axes > 0)
                memcpy(part->positions + s.to * m->n_axes, m->axes_kept + s.first * m->n_axes,
                       s.count * m->n_axes * sizeof(float));
        }
        goto out;
    }
    MML_TRY(mmli_rows_gather(part->values, c->spans, n, m->values));
    if (m->n_axes > 0)
        MML_TRY(mmli_rows_gather(part->positions, c->spans, n, m->axes));
out:
    return st;
}

/* Row of the first token of a sample. */
static size_t first_row(const mmli_cohort_modality *m, size_t sample)
{
    return (size_t)(m->first != NULL ? m->first[sample] : m->offsets[sample]);
}

static mml_status read_modality(mml_cohort *c, mml_batch *batch, const size_t *samples, size_t n, const char *name)
{
    mml_status st = MML_OK;
    mmli_cohort_modality *m;
    mmli_batch_part *part;
    size_t at, tokens = 0, n_spans = 0;

    MML_TRY(mmli_cohort_find_modality(&at, c, name));
    m = &c->modalities[at];
    MML_TRY(mmli_grow(&c->spans, &c->cap_spans, n, sizeof *c->spans));
    for (size_t i = 0; i < n; i++) {
        const int64_t *o = m->offsets + samples[i];
        const size_t count = (size_t)(o[1] - o[0]);

        if (count > 0)
            c->spans[n_spans++] = (mmli_span){.first = first_row(m, samples[i]), .count = count, .to = tokens};
        MML_CHECK(tokens <= SIZE_MAX - count, MML_E_NOMEM, "%s: modality %s: too many tokens for one batch", c->path, name);
        tokens += count;
    }
    MML_TRY(mmli_batch_reserve(&part, batch, name, tokens, m->width, m->n_axes));
    part->offsets[0] = 0;
    for (size_t i = 0; i < n; i++)
        part->offsets[i + 1] = part->offsets[i] + (m->offsets[samples[i] + 1] - m->offsets[samples[i]]);
    MML_TRY(fill(c, m, part, n_spans));
out:
    return st;
}

mml_status mml_cohort_read(mml_cohort *c, mml_batch *batch, const size_t *samples, size_t n, const char *const *names,
                           size_t n_names)
{
    mml_status st = MML_OK;

    MML_GIVEN_AS("cohort, batch", c, batch);
    if (n > 0)
        MML_GIVEN(samples);
    if (n_names > 0)
        MML_GIVEN(names);
    pthread_mutex_lock(&c->mutex);
    MML_TRY(mmli_batch_reset(batch, n));
    for (size_t i = 0; i < n; i++)
        MML_CHECK(samples[i] < c->n, MML_E_ARG, "%s: sample %zu does not exist, there are %zu", c->path, samples[i], c->n);
    for (size_t i = 0; i < n_names; i++)
        MML_TRY(read_modality(c, batch, samples, n, names[i]));
out:
    if (st != MML_OK)
        (void)mmli_batch_reset(batch, 0); /* not half of the modalities */
    pthread_mutex_unlock(&c->mutex);
    return st;
}

mml_status mmli_cohort_read_part(mml_cohort *c, mml_batch *batch, size_t sample, const char *name, size_t first,
                                 size_t count)
{
    mml_status st = MML_OK;
    mmli_cohort_modality *m;
    mmli_batch_part *part;
    size_t at, has;

    pthread_mutex_lock(&c->mutex);
    MML_TRY(mmli_batch_reset(batch, 1));
    MML_TRY(mmli_cohort_find_modality(&at, c, name));
    m = &c->modalities[at];
    MML_CHECK(sample < c->n, MML_E_ARG, "%s: sample %zu does not exist, there are %zu", c->path, sample, c->n);
    has = (size_t)(m->offsets[sample + 1] - m->offsets[sample]);
    MML_CHECK(first <= has && count <= has - first, MML_E_ARG, "%s: modality %s: sample %s has %zu tokens, not %zu more from %zu on",
              c->path, name, c->ids[sample], has, count, first);
    MML_TRY(mmli_batch_reserve(&part, batch, name, count, m->width, m->n_axes));
    part->offsets[0] = 0;
    part->offsets[1] = (int64_t)count;
    MML_TRY(mmli_grow(&c->spans, &c->cap_spans, 1, sizeof *c->spans));
    c->spans[0] = (mmli_span){.first = first_row(m, sample) + first, .count = count};
    MML_TRY(fill(c, m, part, count > 0));
out:
    if (st != MML_OK)
        (void)mmli_batch_reset(batch, 0);
    pthread_mutex_unlock(&c->mutex);
    return st;
}
