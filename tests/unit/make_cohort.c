/* make_cohort.c - see make_cohort.h. */
#include "tests/unit/make_cohort.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/cohort.h"
#include "io/h5.h"
#include "util/alloc.h"

void mmlt_fresh_path(char out[MMLT_PATH], const char *suffix)
{
    const char *tmp = getenv("TMPDIR");
    int fd;

    ck_assert_int_lt(snprintf(out, MMLT_PATH, "%s/mmlt-XXXXXX%s", tmp == NULL ? "/tmp" : tmp, suffix), MMLT_PATH);
    fd = mkstemps(out, (int)strlen(suffix));
    ck_assert_int_ge(fd, 0);
    close(fd);
}

/* "s0", "s1", ... */
static char **numbered(char letter, size_t n)
{
    char **names = NULL;

    mmlt_assert_ok(mmli_calloc(&names, n, sizeof *names));
    for (size_t i = 0; i < n; i++)
        mmlt_assert_ok(mmli_strf(&names[i], "%c%zu", letter, i));
    return names;
}

static void put_names(const char *const *names, char letter, size_t n, hid_t group, const char *path, const char *set)
{
    char **own = names == NULL ? numbered(letter, n) : NULL;

    mmlt_assert_ok(mmli_h5_put_texts(own != NULL ? (const char *const *)own : names, n, group, path, set));
    for (size_t i = 0; own != NULL && i < n; i++)
        mmli_free(own[i]);
    mmli_free(own);
}

void mmlt_cohort_begin(mmlt_cohort *made, size_t n, const char *const *ids)
{
    hid_t samples;

    *made = (mmlt_cohort){.n = n};
    mmlt_fresh_path(made->path, ".h5");
    mmlt_assert_ok(mmli_h5_create(&made->file, made->path, made->path));
    mmlt_assert_ok(mmli_h5_set_format(made->file, made->path, MMLI_COHORT_FORMAT, MMLI_COHORT_VERSION));
    mmlt_assert_ok(mmli_h5_group_new(&samples, made->file, made->path, "samples"));
    put_names(ids, 's', n, samples, made->path, "id");
    mmli_h5_drop(samples);
    mmlt_assert_ok(mmli_h5_group_new(&made->modalities, made->file, made->path, "modalities"));
    mmlt_assert_ok(mmli_h5_group_new(&made->tasks, made->file, made->path, "tasks"));
}

void mmlt_cohort_modality(mmlt_cohort *made, const char *name, const char *kind, const float *values,
                          const int64_t *offsets, size_t width, const float *positions, size_t n_axes,
                          const char *const *features)
{
    const size_t ends[1] = {made->n + 1};
    int64_t *own = NULL;
    hid_t group;

    mmlt_assert_ok(mmli_calloc(&own, made->n + 1, sizeof *own));
    for (size_t i = 0; i <= made->n; i++)
        own[i] = offsets != NULL ? offsets[i] : (int64_t)i;
    const size_t dims[2] = {(size_t)own[made->n], width}, places[2] = {dims[0], n_axes};
    mmlt_assert_ok(mmli_h5_group_new(&group, made->modalities, made->path, name));
    mmlt_assert_ok(mmli_h5_set_text(group, made->path, "kind", kind));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 2, dims, values, group, made->path, "values"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_I64, 1, ends, own, group, made->path, "offsets"));
    if (positions != NULL)
        mmlt_assert_ok(mmli_h5_put(MMLI_H5_F32, 2, places, positions, group, made->path, "positions"));
    put_names(features, 'f', width, group, made->path, "features");
    mmli_h5_drop(group);
    mmli_free(own);
}

static hid_t new_task(mmlt_cohort *made, const char *name, const char *kind)
{
    hid_t group;

    mmlt_assert_ok(mmli_h5_group_new(&group, made->tasks, made->path, name));
    mmlt_assert_ok(mmli_h5_set_text(group, made->path, "kind", kind));
    return group;
}

void mmlt_cohort_classes(mmlt_cohort *made, const char *name, const char *kind, const char *const *classes, size_t k,
                         const double *code)
{
    hid_t group = new_task(made, name, kind);

    mmlt_assert_ok(mmli_h5_put_texts(classes, k, group, made->path, "classes"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F64, 1, &made->n, code, group, made->path, "code"));
    mmli_h5_drop(group);
}

void mmlt_cohort_survival(mmlt_cohort *made, const char *name, const char *unit, const double *time,
                          const uint8_t *event)
{
    hid_t group = new_task(made, name, "survival");

    mmlt_assert_ok(mmli_h5_set_text(group, made->path, "unit", unit));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F64, 1, &made->n, time, group, made->path, "time"));
    mmlt_assert_ok(mmli_h5_put(MMLI_H5_U8, 1, &made->n, event, group, made->path, "event"));
    mmli_h5_drop(group);
}

void mmlt_cohort_values(mmlt_cohort *made, const char *name, const double *value)
{
    hid_t group = new_task(made, name, "regression");

    mmlt_assert_ok(mmli_h5_put(MMLI_H5_F64, 1, &made->n, value, group, made->path, "value"));
    mmli_h5_drop(group);
}

mml_cohort *mmlt_cohort_open(mmlt_cohort *made)
{
    mml_cohort *cohort = NULL;

    mmli_h5_drop(made->modalities);
    mmli_h5_drop(made->tasks);
    mmlt_assert_ok(mmli_h5_finish(&made->file, made->path));
    mmlt_assert_ok(mml_cohort_open(&cohort, made->path));
    return cohort;
}

void mmlt_cohort_remove(mmlt_cohort *made)
{
    ck_assert_int_eq(unlink(made->path), 0);
}
