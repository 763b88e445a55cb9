/* kind_anndata.c - AnnData and MuData: a row of a matrix is a sample, or, in a bag, a cell of the sample that a column of obs names.
 *
 *     x = X | raw | layers/NAME | obsm/NAME     which matrix [X]; obs: columns of this table (anndata_obs.c)
 *     sample = obs:donor_id                     whose cells; without it each observation is a sample of its own
 *     modality = rna                            which one of a MuData [the name of the section; x = obs: the table of all of them]
 *
 * Rows are asked for sample by sample, and lie in the file in another order: each block is read in the order of the file. */
#include <stdlib.h>
#include <string.h>

#include "import/anndata_obs.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct place {
    size_t row, to;
} place;

typedef struct ann_source {
    mmli_ann_file file;
    const mmli_ann *ann; /* the one that is read; lent by file */
    const size_t *map;   /* row of ann of an observation, SIZE_MAX = none; NULL: the same; lent */
    mmli_ann_matrix *matrix; /* or */
    float *obs;          /* (rows of the pieces, width) of x = obs */
    size_t *rows;        /* rows of ann, by piece */
    size_t *start;       /* (n_pieces + 1) in rows */
    place *places;
    size_t cap_places;
} ann_source;

/* ---- opening -------------------------------------------------------------------------------------------------------------------- */

static bool is_obs(const mmli_source *s)
{
    const char *x = mmli_source_option(s, "x");

    return x != NULL && strcmp(x, "obs") == 0;
}

static mml_status choose_modality(ann_source *a, mmli_source *s)
{
    mml_status st = MML_OK;
    const mmli_mudata *mu = a->file.mudata;
    const char *wanted = mmli_source_option(s, "modality");
    size_t i = 0;

    if (mu == NULL) {
        if (wanted != NULL) {
            st = mmli_source_bad_option(s, "modality", "is for MuData, this is AnnData, of one modality");
            goto out;
        }
        a->ann = a->file.ann;
        goto out;
    }
    if (wanted == NULL && is_obs(s)) /* that of all modalities */
        goto out;
    wanted = wanted != NULL ? wanted : s->m->name;
    while (i < mu->n && strcmp(mu->names[i], wanted) != 0)
        i++;
    if (i == mu->n) {
        st = mmli_not_found(s->m->file, "modality", wanted, (const char *const *)mu->names, mu->n);
        goto out;
    }
    a->ann = mu->mods[i];
    a->map = mu->rows[i];
    if (mu->axis == 1)
        MML_TRY(mmli_buf_puts(&s->notes, "  the modalities of this file have the same features and different samples (axis = 1): nothing to "
                                         "merge by sample\n"));
out:
    return st;
}

/* What says which sample a row is: sample = or id = of this section must be there; the id of the cohort need not be. */
static const char *sample_of(const ann_source *a, const mmli_source *s)
{
    const char *own = mmli_source_option(s, "sample");

    own = own != NULL ? own : mmli_source_option(s, "id");
    if (own != NULL || s->m->id == NULL)
        return own;
    for (size_t i = 0; i < a->file.obs->n_columns; i++)
        if (strcmp(a->file.obs->columns[i], mmli_ann_column_name(s->m->id)) == 0)
            return s->m->id;
    return NULL;
}

/* Pieces are the samples that have rows, in the order of their first ones. */
static mml_status make_pieces(ann_source *a, mmli_source *s, mmli_ann_samples *samples)
{
    mml_status st = MML_OK;
    const size_t n = samples->n_rows;
    size_t *count = NULL, total = 0;

    MML_TRY(mmli_calloc(&count, samples->n, sizeof *count));
    MML_TRY(mmli_calloc(&a->rows, n, sizeof *a->rows));
    MML_TRY(mmli_calloc(&a->start, samples->n + 1, sizeof *a->start));
    MML_TRY(mmli_calloc(&s->ids, samples->n, sizeof *s->ids));
    MML_TRY(mmli_calloc(&s->lines, samples->n, sizeof *s->lines));
    MML_TRY(mmli_calloc(&s->counts, samples->n, sizeof *s->counts));
    for (size_t i = 0; i < n; i++)
        if (samples->of[i] != SIZE_MAX && (a->map == NULL || a->map[i] != SIZE_MAX))
            count[samples->of[i]]++;
    for (size_t k = 0; k < samples->n; k++) {
        const size_t rows = count[k];

        count[k] = total; /* from now on: where its next row goes */
        if (rows == 0)
            continue;
        s->ids[s->n_pieces] = samples->ids[k];
        samples->ids[k] = NULL;
        s->lines[s->n_pieces] = samples->first[k];
        s->counts[s->n_pieces++] = rows;
        total += rows;
        a->start[s->n_pieces] = total;
    }
    for (size_t i = 0; i < n; i++)
        if (samples->of[i] != SIZE_MAX && (a->map == NULL || a->map[i] != SIZE_MAX))
            a->rows[count[samples->of[i]]++] = a->map == NULL ? i : a->map[i];
out:
    mmli_free(count);
    return st;
}

static mml_status copy_names(mmli_source *s, const mmli_ann_matrix *m, const char *prefix, const char *x)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_buf_printf(&s->notes, "  %s%s, %s, %zu %s\n", prefix, x, mmli_ann_matrix_storage(m), mmli_ann_matrix_width(m),
                            mmli_by_number(mmli_ann_matrix_width(m), "column", "columns")));
    s->rank = 1;
    s->dims[0] = mmli_ann_matrix_width(m);
    MML_TRY(mmli_calloc(&s->names, s->dims[0], sizeof *s->names));
    for (size_t j = 0; j < s->dims[0]; j++)
        MML_TRY(mmli_strdup(&s->names[j], mmli_ann_matrix_names(m)[j]));
out:
    return st;
}

/* Of a table a row for each piece is left. */
static mml_status read_obs(ann_source *a, mmli_source *s, const char *sample)
{
    mml_status st = MML_OK;
    const mmli_ann_frame *obs = a->ann != NULL ? &a->ann->obs : a->file.obs;

    MML_TRY(mmli_ann_obs_values(&a->obs, s, obs, a->rows, a->start, sample));
    if (s->m->kind == MML_BAG)
        goto out;
    for (size_t i = 0; i < s->n_pieces; i++) {
        s->counts[i] = 1;
        a->start[i] = i;
    }
out:
    return st;
}

static mml_status report_samples(const ann_source *a, mmli_source *s, const char *sample, const mmli_ann_samples *samples)
{
    mml_status st = MML_OK;

    if (!samples->by_column)
        goto out;
    MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s of %zu %s (%s)\n", a->start[s->n_pieces],
                            mmli_by_number(a->start[s->n_pieces], "observation", "observations"), s->n_pieces, mmli_by_number(s->n_pieces, "sample", "samples"), sample));
    if (samples->n_without > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s no %s and %s left out\n", samples->n_without,
                                mmli_by_number(samples->n_without, "observation says", "observations say"), sample, mmli_by_number(samples->n_without, "was", "were")));
out:
    return st;
}

static mml_status ann_open(mmli_source *s)
{
    mml_status st = MML_OK;
    const char *x = mmli_source_option(s, "x"), *sample;
    mmli_ann_samples samples = {0};
    ann_source *a = NULL;

    MML_TRY(mmli_calloc(&s->state, 1, sizeof *a));
    a = s->state;
    MML_CHECK(s->m->kind == MML_TABLE || s->m->kind == MML_BAG, MML_E_FORMAT,
              "%s:%zu: [%s] rows of AnnData are kind = table (an observation is a sample) or kind = bag (of cells)",
              s->m->ini_path, s->m->line, s->m->section->name);
    MML_TRY(mmli_ann_file_open(&a->file, s->m->file, s->kind == &mmli_kind_mudata ? MMLI_ANN_MUDATA : MMLI_ANN_ANNDATA));
    MML_TRY(choose_modality(a, s));
    x = x != NULL ? x : "X";
    if (!is_obs(s)) {
        MML_TRY(mmli_ann_matrix_open(&a->matrix, a->ann, x, s->context->beside));
        MML_TRY(copy_names(s, a->matrix, a->ann->prefix, x));
    }
    sample = sample_of(a, s);
    MML_TRY(mmli_ann_samples_make(&samples, a->file.obs, sample));
    MML_TRY(make_pieces(a, s, &samples));
    MML_TRY(report_samples(a, s, sample, &samples));
    if (is_obs(s))
        MML_TRY(read_obs(a, s, sample));
out:
    st = a == NULL ? st : mmli_ann_file_verdict(st, &a->file, s->m->file);
    mmli_ann_samples_free(&samples);
    return st;
}

static void ann_close(mmli_source *s)
{
    ann_source *a = s->state;

    if (a == NULL)
        return;
    mmli_ann_matrix_close(a->matrix);
    mmli_ann_file_close(&a->file);
    mmli_free(a->obs);
    mmli_free(a->rows);
    mmli_free(a->start);
    mmli_free(a->places);
    mmli_free(a);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------------- */

static int by_row(const void *x, const void *y)
{
    const place *a = x, *b = y;

    return a->row < b->row ? -1 : a->row > b->row;
}

static mml_status ann_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    ann_source *a = s->state;
    const size_t width = s->dims[0];
    size_t total = 0, run;

    (void)positions;
    if (a->obs != NULL) {
        for (size_t i = 0; i < n; i++)
            memcpy(values + spans[i].to * width, a->obs + (a->start[spans[i].piece] + spans[i].first) * width,
                   spans[i].count * width * sizeof *values);
        return MML_OK;
    }
    for (size_t i = 0; i < n; i++)
        total += spans[i].count;
    MML_TRY(mmli_grow(&a->places, &a->cap_places, total, sizeof *a->places));
    total = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < spans[i].count; k++)
            a->places[total++] = (place){a->rows[a->start[spans[i].piece] + spans[i].first + k], spans[i].to + k};
    qsort(a->places, total, sizeof *a->places, by_row);
    for (size_t i = 0; i < total; i += run) {
        const place *p = &a->places[i];

        for (run = 1; i + run < total && p[run].row == p->row + run && p[run].to == p->to + run;)
            run++;
        MML_TRY(mmli_ann_matrix_rows(values + p->to * width, p->row, run, a->matrix));
    }
out:
    return mmli_ann_file_verdict(st, &a->file, s->m->file);
}

static mml_status ann_probe(mmli_sureness *out, char *what, const mmli_probe *probe)
{
    return mmli_ann_probe(out, what, probe, MMLI_ANN_ANNDATA);
}

static mml_status mudata_probe(mmli_sureness *out, char *what, const mmli_probe *probe)
{
    return mmli_ann_probe(out, what, probe, MMLI_ANN_MUDATA);
}

static mml_status ann_inspect(mmli_facts *facts, const char *path)
{
    return mmli_ann_inspect(facts, path, MMLI_ANN_ANNDATA);
}

static mml_status ann_suggest(mmli_suggestion *out, const char *path)
{
    return mmli_ann_suggest(out, path, MMLI_ANN_ANNDATA);
}

static mml_status mudata_inspect(mmli_facts *facts, const char *path)
{
    return mmli_ann_inspect(facts, path, MMLI_ANN_MUDATA);
}

static mml_status mudata_suggest(mmli_suggestion *out, const char *path)
{
    return mmli_ann_suggest(out, path, MMLI_ANN_MUDATA);
}

static const char *const ann_keys[] = {"x", "sample", NULL};
static const char *const mudata_keys[] = {"x", "sample", "modality", NULL};

const mmli_source_kind mmli_kind_anndata = {
    .name = "anndata",
    .what = "an AnnData file (.h5ad)",
    .keys = ann_keys,
    .probe = ann_probe,
    .open = ann_open,
    .close = ann_close,
    .read = ann_read,
    .inspect = ann_inspect,
    .suggest = ann_suggest,
    .texts = mmli_ann_texts,
};

const mmli_source_kind mmli_kind_mudata = {
    .name = "mudata",
    .what = "a MuData file (.h5mu)",
    .keys = mudata_keys,
    .probe = mudata_probe,
    .open = ann_open,
    .close = ann_close,
    .read = ann_read,
    .inspect = mudata_inspect,
    .suggest = mudata_suggest,
    .texts = mmli_ann_texts,
};
