/* export.c - parts of a cohort as files for other programs: CSV with texts and numbers that read back to the same bits, or
 * arrays of NumPy. Tokens are read some samples at a time. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formats/npy_write.h"
#include "io/cohort.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/output.h"
#include "util/text.h"

/* Samples and numbers read at once, at most, but for a sample that has more; lines of labels between two words on progress. */
enum { CHUNK = 64, NUMBERS = 1 << 22, TOLD = 1024 };

typedef struct exporting {
    mml_cohort *cohort;
    mmli_output to;
    mml_progress progress;
    void *user;
    /* tokens */
    mml_modality_info m;
    mml_batch *batch;
} exporting;

/* st: of what was written; the file appears if it is MML_OK. */
static mml_status finish(exporting *x, mml_status st)
{
    st = mmli_output_end(&x->to, st);
    mml_batch_free(x->batch);
    return st;
}

/* `done` samples are written, as far as is known: is all well, and is it to go on? */
static mml_status tell(const exporting *x, size_t done)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_output_check(&x->to));
    MML_CHECK(x->progress == NULL || x->progress(x->user, "samples", done, mml_cohort_size(x->cohort)) == 0, MML_E_STOPPED,
              "%s: the export was stopped on request; nothing was written", x->to.path);
out:
    return st;
}

/* A cell, in quotes where it needs them (RFC 4180). Failures of writing are found by tell(). */
static void put_cell(FILE *f, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

static void put_double(FILE *f, double x)
{
    char text[MMLI_NUMBER_BYTES];

    if (!isnan(x))
        fputs(mmli_format_double(text, x), f);
}

static void put_float(FILE *f, float x)
{
    char text[MMLI_NUMBER_BYTES];

    if (!isnan(x))
        fputs(mmli_format_float(text, x), f);
}

/* ---- tokens --------------------------------------------------------------------------------------------------------------------- */

typedef mml_status (*chunk_writer)(exporting *x, const mml_tokens *t, size_t first, size_t n);

/* Samples from `first` on that are read at once. */
static size_t chunk_of(const mml_modality_info *m, size_t first, size_t n)
{
    size_t now = 1;

    while (now < CHUNK && first + now < n &&
           (uint64_t)(m->offsets[first + now + 1] - m->offsets[first]) * (m->width + m->n_axes) <= NUMBERS)
        now++;
    return now;
}

/* All samples, some at a time; t->offsets has n + 1 entries. */
static mml_status each_chunk(exporting *x, chunk_writer write)
{
    static const int64_t none[CHUNK + 1] = {0};
    const size_t n = mml_cohort_size(x->cohort);
    mml_status st = MML_OK;
    size_t samples[CHUNK];
    mml_tokens t;

    MML_TRY(mml_batch_new(&x->batch, 0));
    for (size_t first = 0, now; first < n; first += now) {
        now = chunk_of(&x->m, first, n);
        for (size_t i = 0; i < now; i++)
            samples[i] = first + i;
        if (x->m.offsets[first + now] == x->m.offsets[first]) {
            t = (mml_tokens){.name = x->m.name, .offsets = none, .width = x->m.width, .n_axes = x->m.n_axes};
        } else {
            MML_TRY(mml_cohort_read(x->cohort, x->batch, samples, now, &x->m.name, 1));
            MML_TRY(mml_batch_get(&t, x->batch, x->m.name));
        }
        MML_TRY(write(x, &t, first, now));
        MML_TRY(tell(x, first + now));
    }
out:
    return st;
}

static mml_status csv_chunk(exporting *x, const mml_tokens *t, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int64_t k = t->offsets[i]; k < t->offsets[i + 1]; k++) {
            put_cell(x->to.f, mml_cohort_ids(x->cohort)[first + i]);
            if (x->m.kind != MML_TABLE)
                fprintf(x->to.f, ",%lld", (long long)(k - t->offsets[i]));
            for (size_t a = 0; a < x->m.n_axes; a++) {
                fputc(',', x->to.f);
                put_float(x->to.f, t->positions[(size_t)k * x->m.n_axes + a]);
            }
            for (size_t j = 0; j < x->m.width; j++) {
                fputc(',', x->to.f);
                put_float(x->to.f, t->values[(size_t)k * x->m.width + j]);
            }
            fputc('\n', x->to.f);
        }
    return MML_OK;
}

static mml_status tokens_csv(exporting *x)
{
    fputs("id", x->to.f);
    if (x->m.kind != MML_TABLE)
        fputs(",token", x->to.f);
    for (size_t a = 0; a < x->m.n_axes; a++)
        fprintf(x->to.f, ",position%zu", a + 1);
    for (size_t j = 0; j < x->m.width; j++) {
        fputc(',', x->to.f);
        put_cell(x->to.f, x->m.features[j]);
    }
    fputc('\n', x->to.f);
    return each_chunk(x, csv_chunk);
}

static mml_status values_chunk(exporting *x, const mml_tokens *t, size_t first, size_t n)
{
    const float nothing = NAN;
    mml_status st = MML_OK;

    (void)first;
    for (size_t i = 0; i < n; i++) {
        const size_t tokens = (size_t)(t->offsets[i + 1] - t->offsets[i]);

        if (tokens > 0)
            MML_TRY(mmli_npy_put_floats(&x->to, t->values + (size_t)t->offsets[i] * x->m.width, tokens * x->m.width));
        for (size_t j = 0; j < x->m.width && tokens == 0 && x->m.kind == MML_TABLE; j++)
            MML_TRY(mmli_npy_put_floats(&x->to, &nothing, 1));
    }
out:
    return st;
}

static mml_status positions_chunk(exporting *x, const mml_tokens *t, size_t first, size_t n)
{
    (void)first;
    return t->positions == NULL ? MML_OK
                                : mmli_npy_put_floats(&x->to, t->positions, (size_t)t->offsets[n] * x->m.n_axes);
}

static mml_status tokens_npy(exporting *x, mml_export_part part)
{
    const size_t n = mml_cohort_size(x->cohort);
    const size_t values[2] = {x->m.kind == MML_TABLE ? n : (size_t)x->m.n_tokens, x->m.width};
    const size_t positions[2] = {(size_t)x->m.n_tokens, x->m.n_axes}, offsets[1] = {n + 1};
    mml_status st = MML_OK;

    switch (part) {
    case MML_EXPORT_VALUES:
        MML_TRY(mmli_npy_put_header(&x->to, "'<f4'", 2, values));
        MML_TRY(each_chunk(x, values_chunk));
        break;
    case MML_EXPORT_POSITIONS:
        MML_CHECK(x->m.n_axes > 0, MML_E_ARG, "%s: modality %s has no positions", mml_cohort_path(x->cohort), x->m.name);
        MML_TRY(mmli_npy_put_header(&x->to, "'<f4'", 2, positions));
        MML_TRY(each_chunk(x, positions_chunk));
        break;
    case MML_EXPORT_OFFSETS:
        MML_TRY(mmli_npy_put_header(&x->to, "'<i8'", 1, offsets));
        MML_TRY(mmli_npy_put_int64(&x->to, x->m.offsets, n + 1));
        break;
    }
out:
    return st;
}

mml_status mml_export_modality(mml_cohort *cohort, const char *modality, mml_export_part part, mml_export_format format,
                               const char *path, mml_progress progress, void *user)
{
    mml_status st = MML_OK;
    exporting x = {.cohort = cohort, .progress = progress, .user = user};

    MML_GIVEN(cohort, modality, path);
    MML_TRY(mml_cohort_modality(&x.m, cohort, modality));
    MML_CHECK(part == MML_EXPORT_VALUES || format == MML_EXPORT_NPY, MML_E_ARG,
              "%s: a CSV has values, positions and their samples in one", path);
    MML_TRY(mmli_output_begin(&x.to, path));
    MML_TRY(format == MML_EXPORT_CSV ? tokens_csv(&x) : tokens_npy(&x, part));
out:
    return finish(&x, st);
}

/* ---- labels ----------------------------------------------------------------------------------------------------------------------- */

static void put_names(FILE *f, const char *task, const mml_task_info *t)
{
    char *both = NULL;

    if (t->kind != MML_SURVIVAL) {
        fputc(',', f);
        put_cell(f, task);
        return;
    }
    for (int i = 0; i < 2; i++) {
        fputc(',', f);
        if (mmli_strf(&both, "%s.%s", task, i == 0 ? "time" : "event") == MML_OK)
            put_cell(f, both);
        mmli_free(both);
    }
}

static void put_label(FILE *f, const mml_task_info *t, size_t i)
{
    fputc(',', f);
    if (t->kind == MML_SURVIVAL) {
        put_double(f, t->value[i]);
        fputs(isnan(t->value[i]) ? "," : t->event[i] ? ",1" : ",0", f);
    } else if (t->kind == MML_REGRESSION) {
        put_double(f, t->value[i]);
    } else if (!isnan(t->value[i])) {
        put_cell(f, t->classes[(size_t)t->value[i]]);
    }
}

static mml_status labels_csv(exporting *x, const mml_task_info *tasks, size_t n_tasks)
{
    const mml_cohort *c = x->cohort;
    const char *const *groups = mml_cohort_groups(c);
    mml_column_info column;
    mml_status st = MML_OK;

    fputs(groups != NULL ? "id,group" : "id", x->to.f);
    for (size_t k = 0; k < mml_cohort_n_columns(c); k++) {
        MML_TRY(mml_cohort_column_at(&column, c, k));
        fputc(',', x->to.f);
        put_cell(x->to.f, column.name);
    }
    for (size_t k = 0; k < n_tasks; k++)
        put_names(x->to.f, tasks[k].name, &tasks[k]);
    for (size_t i = 0; i < mml_cohort_size(c); i++) {
        if (i % TOLD == 0)
            MML_TRY(tell(x, i));
        fputc('\n', x->to.f);
        put_cell(x->to.f, mml_cohort_ids(c)[i]);
        if (groups != NULL) {
            fputc(',', x->to.f);
            put_cell(x->to.f, groups[i]);
        }
        for (size_t k = 0; k < mml_cohort_n_columns(c); k++) {
            MML_TRY(mml_cohort_column_at(&column, c, k));
            fputc(',', x->to.f);
            put_cell(x->to.f, column.text[i]);
        }
        for (size_t k = 0; k < n_tasks; k++)
            put_label(x->to.f, &tasks[k], i);
    }
    fputc('\n', x->to.f);
out:
    return st;
}

/* Classes int64, -1 where unknown; values float64; survival as scikit-survival has it, time NaN where unknown. */
static mml_status labels_npy(exporting *x, const mml_task_info *t)
{
    const size_t n = mml_cohort_size(x->cohort);
    const char *descr = t->kind == MML_SURVIVAL     ? "[('event', '|b1'), ('time', '<f8')]"
                        : t->kind == MML_REGRESSION ? "'<f8'"
                                                    : "'<i8'";
    mml_status st = MML_OK;

    MML_TRY(mmli_npy_put_header(&x->to, descr, 1, &n));
    for (size_t i = 0; i < n; i++) {
        const int64_t code = isnan(t->value[i]) ? -1 : (int64_t)t->value[i];

        if (i % TOLD == 0)
            MML_TRY(tell(x, i));
        if (t->kind == MML_SURVIVAL)
            fputc(!isnan(t->value[i]) && t->event[i] != 0, x->to.f);
        MML_TRY(t->kind == MML_SURVIVAL || t->kind == MML_REGRESSION ? mmli_npy_put_double(&x->to, t->value[i])
                                                                     : mmli_npy_put_int64(&x->to, &code, 1));
    }
out:
    return st;
}

mml_status mml_export_labels(mml_cohort *cohort, const char *task, mml_export_format format, const char *path,
                             mml_progress progress, void *user)
{
    mml_status st = MML_OK;
    exporting x = {.cohort = cohort, .progress = progress, .user = user};
    mml_task_info *tasks = NULL;
    size_t n;

    MML_GIVEN(cohort, path);
    n = task != NULL ? 1 : mml_cohort_n_tasks(cohort);
    MML_TRY(mmli_calloc(&tasks, n, sizeof *tasks));
    for (size_t k = 0; k < n; k++)
        MML_TRY(task != NULL ? mml_cohort_task(&tasks[k], cohort, task) : mml_cohort_task_at(&tasks[k], cohort, k));
    MML_CHECK(format == MML_EXPORT_CSV || task != NULL, MML_E_ARG, "%s: an array has the labels of one task: name it", path);
    MML_TRY(mmli_output_begin(&x.to, path));
    MML_TRY(format == MML_EXPORT_CSV ? labels_csv(&x, tasks, n) : labels_npy(&x, &tasks[0]));
out:
    st = finish(&x, st);
    mmli_free(tasks);
    return st;
}
