/* anndata_look.c - AnnData and MuData seen by inspect, as a table of labels, and a cohort.ini for them. */
#include <stdio.h>
#include <string.h>

#include "import/anndata_open.h"
#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- labels ---------------------------------------------------------------------------------------------------------------------- */

/* The texts of one column by sample, whose cells must agree. */
static mml_status add_column(mmli_table *t, const mmli_ann_frame *obs, const mmli_ann_samples *samples, const char *name)
{
    mml_status st = MML_OK;
    mmli_ann_column c = {0};
    char **texts = NULL, room[MMLI_NUMBER_BYTES];
    const size_t k = t->n_columns;

    MML_TRY(mmli_ann_column_read(&c, obs, mmli_ann_column_name(name)));
    MML_TRY(mmli_calloc(&texts, samples->n, sizeof *texts));
    for (size_t i = 0; i < obs->n; i++) {
        const size_t at = samples->of[i];
        const char *text = mmli_ann_column_text(room, &c, i);

        if (at == SIZE_MAX || text[0] == '\0')
            continue;
        if (texts[at] == NULL) {
            MML_TRY(mmli_strdup(&texts[at], text));
            continue;
        }
        MML_CHECK(strcmp(texts[at], text) == 0, MML_E_DATA, "%s: %s/%s: sample %s has %.80s and, in row %zu, %.80s; what is used as a label must be the "
                  "same for all observations of a sample", t->path, obs->name, mmli_ann_column_name(name), samples->ids[at],
                  texts[at], i, text);
    }
    for (size_t at = 0; at < samples->n; at++) {
        if (texts[at] == NULL)
            MML_TRY(mmli_strdup(&texts[at], ""));
        MML_CHECK(texts[at][0] == '\0' || mmli_bad_id(texts[at]) == NULL, MML_E_DATA, "%s: %s/%s: row %zu: the text cannot be used: %s",
                  t->path, obs->name, mmli_ann_column_name(name), samples->first[at], mmli_bad_id(texts[at]));
    }
    MML_TRY(mmli_strdup(&t->names[k], name));
    t->texts[k] = texts;
    texts = NULL;
    t->n_columns++;
out:
    mmli_h5_texts_free(texts, samples->n);
    mmli_ann_column_free(&c);
    return st;
}

static mml_status add_ids(mmli_table *t, mmli_ann_samples *samples, const mmli_ann_frame *obs)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < samples->n; i++)
        MML_CHECK(mmli_bad_id(samples->ids[i]) == NULL, MML_E_DATA, "%s: %s: row %zu: the id cannot be used: %s", t->path, obs->name,
                  samples->first[i], mmli_bad_id(samples->ids[i]));
    MML_TRY(mmli_calloc(&t->ids, samples->n, sizeof *t->ids));
    MML_TRY(mmli_calloc(&t->rows, samples->n, sizeof *t->rows));
    for (; t->n < samples->n; t->n++) {
        MML_TRY(mmli_strdup(&t->ids[t->n], samples->ids[t->n]));
        t->rows[t->n] = samples->first[t->n];
    }
out:
    return st;
}

mml_status mmli_ann_texts(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted)
{
    mml_status st = MML_OK;
    mmli_ann_file file = {0};
    mmli_ann_samples samples = {0};
    size_t n;

    MML_CHECK(sheet->n_more == 0 && !sheet->no_header && sheet->names == NULL && sheet->ids == NULL, MML_E_FORMAT,
              "%s: several files, or files without a header, are for CSV; this is AnnData", sheet->path);
    MML_TRY(mmli_ann_file_open(&file, sheet->path, MMLI_ANN_NONE));
    MML_TRY(mmli_ann_samples_make(&samples, file.obs, id));
    n = wanted != NULL ? n_wanted : file.obs->n_columns;
    MML_TRY(add_ids(t, &samples, file.obs));
    MML_TRY(mmli_calloc(&t->names, n, sizeof *t->names));
    MML_TRY(mmli_calloc(&t->texts, n, sizeof *t->texts));
    for (size_t i = 0; i < n; i++) {
        const char *name = wanted != NULL ? wanted[i] : file.obs->columns[i];

        if (mmli_table_column(t, name) != NULL || (wanted == NULL && strcmp(name, mmli_ann_column_name(id)) == 0))
            continue;
        st = add_column(t, file.obs, &samples, name);
        if (wanted == NULL && !mmli_machine_failed(st))
            st = MML_OK; /* nobody asked for it: it is of the cells, not of the sample, or cannot be read (inspect says why) */
        MML_TRY(mmli_problem(sheet->problems, st));
    }
    MML_CHECK(t->n > 0, MML_E_DATA, "%s: has no observations", t->path);
out:
    st = mmli_ann_file_verdict(st, &file, sheet->path);
    mmli_ann_samples_free(&samples);
    mmli_ann_file_close(&file);
    return st;
}

/* ---- inspect --------------------------------------------------------------------------------------------------------------------- */

/* "a, b, c" of the levels, or of a number its range. */
static mml_status values_of(mmli_buf *out, const mmli_ann_column *c)
{
    mml_status st = MML_OK;
    char list[MMLI_LIST_BYTES], room[MMLI_NUMBER_BYTES];
    size_t low = SIZE_MAX, high = SIZE_MAX;
    double x, least = 0, most = 0;

    if (c->kind == MMLI_ANN_CATEGORY) {
        MML_TRY(mmli_buf_puts(out, mmli_list(list, (const char *const *)c->levels, c->n_levels)));
        goto out;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (c->missing[i] || !mmli_ann_column_number(&x, c, i))
            continue;
        if (low == SIZE_MAX || x < least) {
            least = x;
            low = i;
        }
        if (high == SIZE_MAX || x > most) {
            most = x;
            high = i;
        }
    }
    if (low == SIZE_MAX)
        goto out;
    MML_TRY(mmli_buf_puts(out, mmli_ann_column_text(room, c, low)));
    MML_TRY(mmli_buf_puts(out, " to "));
    MML_TRY(mmli_buf_puts(out, mmli_ann_column_text(room, c, high)));
out:
    return st;
}

static mml_status describe_columns(mmli_facts *facts, const mmli_ann_frame *f)
{
    mml_status st = MML_OK;
    mmli_ann_column c = {0};
    mmli_buf values = {0};
    char *name = NULL;

    for (size_t j = 0; j < f->n_columns; j++) {
        size_t missing = 0;

        MML_TRY(mmli_strf(&name, "%s/%s", f->name, f->columns[j]));
        if (mmli_ann_column_read(&c, f, f->columns[j]) != MML_OK) { /* one that cannot be read is no reason to say nothing */
            MML_TRY(mmli_fact_column(facts, name, "not readable", 0, mml_last_error()));
        } else {
            for (size_t i = 0; i < c.n; i++)
                missing += c.missing[i];
            MML_TRY(values_of(&values, &c));
            MML_TRY(mmli_fact_column(facts, name, mmli_ann_kind_text(c.kind), missing, values.text != NULL ? values.text : ""));
        }
        mmli_ann_column_free(&c);
        mmli_buf_free(&values);
        mmli_free(name);
        name = NULL;
    }
out:
    mmli_ann_column_free(&c);
    mmli_buf_free(&values);
    mmli_free(name);
    return st;
}

static mml_status describe_matrices(mmli_facts *facts, const mmli_ann *a)
{
    mml_status st = MML_OK;
    char **names = NULL, *name = NULL, *type = NULL;
    mmli_ann_matrix *m = NULL;
    size_t n = 0;

    MML_TRY(mmli_ann_matrices(&names, &n, a));
    for (size_t i = 0; i < n; i++) {
        MML_TRY(mmli_strf(&name, "%s%s", a->prefix, names[i]));
        if (mmli_ann_matrix_open(&m, a, names[i], NULL) != MML_OK)
            MML_TRY(mmli_strf(&type, "not readable"));
        else
            MML_TRY(mmli_strf(&type, "%s (%zu, %zu), %zu stored", mmli_ann_matrix_storage(m), a->obs.n, mmli_ann_matrix_width(m),
                              mmli_ann_matrix_stored(m)));
        MML_TRY(mmli_fact_column(facts, name, type, 0, m == NULL ? mml_last_error() : ""));
        mmli_ann_matrix_close(m);
        m = NULL;
        mmli_free(name);
        mmli_free(type);
        name = type = NULL;
    }
out:
    mmli_ann_matrix_close(m);
    mmli_free(name);
    mmli_free(type);
    mmli_h5_texts_free(names, n);
    return st;
}

mml_status mmli_ann_inspect(mmli_facts *facts, const char *path, mmli_ann_layout wanted)
{
    mml_status st = MML_OK;
    mmli_ann_file f = {0};
    char list[MMLI_LIST_BYTES];

    MML_TRY(mmli_ann_file_open(&f, path, wanted));
    MML_TRY(mmli_fact(facts, "observations", "%zu", f.obs->n));
    if (f.obs->n > 0)
        MML_TRY(mmli_fact(facts, "first id", "%.200s", f.obs->ids[0]));
    if (f.ann != NULL) {
        MML_TRY(mmli_fact(facts, "variables", "%zu", f.ann->var.n));
        MML_TRY(mmli_fact(facts, "variable names", "%s", mmli_list(list, (const char *const *)f.ann->var.ids, f.ann->var.n)));
        MML_TRY(describe_matrices(facts, f.ann));
    }
    for (size_t i = 0; f.mudata != NULL && i < f.mudata->n; i++) {
        size_t has = 0;

        for (size_t k = 0; k < f.obs->n; k++)
            has += f.mudata->rows[i][k] != SIZE_MAX;
        MML_TRY(mmli_fact(facts, f.mudata->names[i], "%zu of %zu observations, %zu variables", has, f.obs->n, f.mudata->mods[i]->var.n));
        MML_TRY(describe_matrices(facts, f.mudata->mods[i]));
    }
    MML_TRY(describe_columns(facts, f.obs));
out:
    st = mmli_ann_file_verdict(st, &f, path);
    mmli_ann_file_close(&f);
    return st;
}

/* ---- suggest ---------------------------------------------------------------------------------------------------------------------- */

/* Which matrix: X, else the first there is. */
static mml_status suggest_matrix(mmli_suggestion *out, const mmli_ann *a, const char *base, const char *path, const char *modality)
{
    mml_status st = MML_OK;
    char **names = NULL;
    size_t n = 0;

    MML_TRY(mmli_ann_matrices(&names, &n, a));
    MML_CHECK(n > 0, MML_E_DATA, "%s: there is no matrix in it: no X, layers, raw or obsm", path);
    MML_TRY(mmli_suggest_modality(out, base, MML_TABLE, path));
    MML_TRY(mmli_suggest_key(out, "x", names[0]));
    if (modality != NULL)
        MML_TRY(mmli_suggest_key(out, "modality", modality));
    if (n > 1) {
        char list[MMLI_LIST_BYTES];

        MML_TRY(mmli_buf_printf(&out->modalities, "; x can be %s\n", mmli_list(list, (const char *const *)names, n)));
    }
out:
    mmli_h5_texts_free(names, n);
    return st;
}

mml_status mmli_ann_suggest(mmli_suggestion *out, const char *path, mmli_ann_layout wanted)
{
    mml_status st = MML_OK;
    mmli_ann_file f = {0};
    char list[MMLI_LIST_BYTES];
    bool taken;

    MML_TRY(mmli_ann_file_open(&f, path, wanted));
    MML_TRY(mmli_suggest_labels(&taken, out, path, "@index", NULL));
    if (taken && f.obs->n_columns > 0)
        MML_TRY(mmli_buf_printf(&out->cohort, "; Columns of obs, for tasks, or as features (x = obs, columns = ...): %s.\n; Many cells a patient: id = the "
                                "column with the patient, and kind = bag below.\n", mmli_list(list, (const char *const *)f.obs->columns, f.obs->n_columns)));
    if (f.ann != NULL)
        MML_TRY(suggest_matrix(out, f.ann, path, path, NULL));
    for (size_t i = 0; f.mudata != NULL && i < f.mudata->n; i++)
        MML_TRY(suggest_matrix(out, f.mudata->mods[i], f.mudata->names[i], path, f.mudata->names[i]));
out:
    st = mmli_ann_file_verdict(st, &f, path);
    mmli_ann_file_close(&f);
    return st;
}
