/* npy_look.c - see npy_look.h. */
#include "import/npy_look.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import/npy_ids.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- inspect ----------------------------------------------------------------------------------------------------------------- */

static mml_status add_shape(mmli_buf *b, const mmli_npy *a)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_buf_puts(b, "("));
    for (int i = 0; i < a->rank; i++)
        MML_TRY(mmli_buf_printf(b, "%s%zu", i > 0 ? ", " : "", a->dims[i]));
    MML_TRY(mmli_buf_puts(b, ")"));
    if (a->fortran && a->rank > 1)
        MML_TRY(mmli_buf_puts(b, ", Fortran order"));
out:
    return st;
}

static mml_status describe(mmli_facts *facts, const mmli_npy *a, const char *name)
{
    mml_status st = MML_OK;
    mmli_buf b = {0};
    char type[64], *full = NULL;

    for (size_t f = 0; f < a->n_fields; f++) {
        const char *field = a->fields[f].name;

        b.len = 0;
        MML_TRY(mmli_buf_printf(&b, "%s ", mmli_npy_type_name(type, &a->fields[f])));
        MML_TRY(add_shape(&b, a));
        mmli_free(full);
        MML_TRY(mmli_strf(&full, "%s%s%s", name, name[0] != '\0' && field[0] != '\0' ? "." : "", field));
        MML_TRY(mmli_fact_column(facts, full[0] != '\0' ? full : "array", b.text, 0, ""));
    }
out:
    mmli_buf_free(&b);
    mmli_free(full);
    return st;
}

/* What is done with each array of a file. */
typedef mml_status (*visitor)(void *user, mmli_npy *a, const char *name);

/* name: "" for a .npy, else without .npy. An array of an archive that is not read is passed over. */
static mml_status visit(const char *path, visitor seen, void *user)
{
    mml_status st = MML_OK;
    mmli_zip *zip = NULL;
    mmli_npy *a = NULL;
    char *name = NULL;

    if (!mmli_zip_is(path)) {
        MML_TRY(mmli_npy_open(&a, path));
        MML_TRY(seen(user, a, ""));
        goto out;
    }
    MML_TRY(mmli_zip_open(&zip, path));
    for (size_t i = 0; i < mmli_zip_n(zip); i++) {
        const char *member = mmli_zip_member(zip, i)->name;
        const size_t n = strlen(member);

        if (n < 5 || strcmp(member + n - 4, ".npy") != 0 || mmli_npz_member(&a, zip, i) != MML_OK)
            continue;
        mmli_free(name);
        MML_TRY(mmli_strf(&name, "%.*s", (int)n - 4, member));
        MML_TRY(seen(user, a, name));
        mmli_npy_close(a);
        a = NULL;
    }
out:
    mmli_npy_close(a);
    mmli_zip_close(zip);
    mmli_free(name);
    return st;
}

static mml_status seen_by_inspect(void *user, mmli_npy *a, const char *name)
{
    return describe(user, a, name);
}

mml_status mmli_npy_inspect(mmli_facts *facts, const char *path)
{
    return visit(path, seen_by_inspect, facts);
}

/* ---- suggest ------------------------------------------------------------------------------------------------------------------ */

typedef struct suggesting {
    mmli_suggestion *out;
    const char *path;
    char *ids;     /* name of a list of texts in the archive; own */
    size_t n_ids;
    size_t n_found;
} suggesting;

static mml_status seen_ids(void *user, mmli_npy *a, const char *name)
{
    suggesting *g = user;

    if (g->ids != NULL || a->rank != 1 || mmli_npy_is_record(a) || a->fields[0].cls == MMLI_NPY_NUMBER || name[0] == '\0')
        return MML_OK;
    g->n_ids = a->dims[0];
    return mmli_strdup(&g->ids, name);
}

/* [('event', '?'), ('time', '<f8')]: in this order, whatever the names. */
static mml_status suggest_survival(const suggesting *g, const mmli_npy *a)
{
    mml_status st = MML_OK;
    bool taken = false;

    MML_TRY(mmli_suggest_labels(&taken, g->out, g->path, "@row", NULL));
    if (taken) {
        MML_TRY(mmli_suggest_task(g->out, "survival", MML_SURVIVAL));
        MML_TRY(mmli_buf_printf(&g->out->tasks, "event = %s\ntime = %s\n", a->fields[0].name,
                                a->fields[1].name));
    }
out:
    return st;
}

static mml_status seen_array(void *user, mmli_npy *a, const char *name)
{
    static const mml_modality_kind by_rank[] = {MML_TABLE, MML_TABLE, MML_TABLE, MML_SERIES, MML_IMAGE};
    suggesting *g = user;
    mml_status st = MML_OK;
    const bool listed = g->ids != NULL && a->rank > 0 && a->dims[0] == g->n_ids;

    if (mmli_npy_is_record(a) && a->rank == 1 && a->n_fields == 2 && a->fields[0].cls == MMLI_NPY_NUMBER &&
        a->fields[0].number == MMLI_BOOL && a->fields[1].cls == MMLI_NPY_NUMBER && !mmli_number_whole(a->fields[1].number)) {
        g->n_found++;
        return suggest_survival(g, a);
    }
    if (a->rank < 1 || a->rank > 4 || a->dims[0] == 0 || a->row_values == 0 ||
        (!mmli_npy_is_record(a) && a->fields[0].cls != MMLI_NPY_NUMBER))
        return MML_OK;
    g->n_found++;
    MML_TRY(mmli_suggest_modality(g->out, name[0] != '\0' ? name : g->path, by_rank[a->rank], g->path));
    MML_TRY(mmli_suggest_key(g->out, "format", "npy"));
    if (name[0] != '\0')
        MML_TRY(mmli_suggest_key(g->out, "dataset", name));
    MML_TRY(mmli_suggest_key(g->out, "id", listed ? g->ids : "@row"));
out:
    return st;
}

mml_status mmli_npy_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;
    suggesting g = {.out = out, .path = path};

    MML_TRY(visit(path, seen_ids, &g));
    MML_TRY(visit(path, seen_array, &g));
    MML_CHECK(g.n_found > 0, MML_E_FORMAT, "%s: holds no array of numbers with 1 to 4 dimensions that can be read", path);
out:
    mmli_free(g.ids);
    return st;
}

/* ---- labels --------------------------------------------------------------------------------------------------------------------- */

/* Numbers as the shortest text that reads back as the same number; NaN is a missing cell. */
static mml_status number_texts(char **out, size_t n, mmli_npy *a, size_t field)
{
    mml_status st = MML_OK;
    double *numbers = NULL;
    char text[MMLI_NUMBER_BYTES];

    MML_TRY(mmli_calloc(&numbers, n, sizeof *numbers));
    MML_TRY(mmli_npy_doubles(numbers, a, field, 0, n));
    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_strdup(&out[i], isnan(numbers[i]) ? "" : mmli_format_double(text, numbers[i])));
out:
    mmli_free(numbers);
    return st;
}

static mml_status add_column(mmli_table *t, mmli_npy *a, size_t field, const char *name)
{
    mml_status st = MML_OK;
    const mmli_npy_field *f = &a->fields[field];
    const size_t k = t->n_columns;

    MML_TRY(mmli_strdup(&t->names[k], name));
    MML_TRY(mmli_calloc(&t->texts[k], t->n, sizeof **t->texts));
    t->n_columns++;
    if (f->cls == MMLI_NPY_NUMBER && !mmli_number_whole(f->number))
        MML_TRY(number_texts(t->texts[k], t->n, a, field));
    else
        MML_TRY(mmli_npy_texts(t->texts[k], a, field, 0, t->n));
    for (size_t i = 0; i < t->n; i++)
        MML_CHECK(t->texts[k][i][0] == '\0' || mmli_bad_id(t->texts[k][i]) == NULL, MML_E_DATA,
                  "%s: row %zu, column %s: the text cannot be used: %s", t->path, i + 1, name, mmli_bad_id(t->texts[k][i]));
out:
    return st;
}

static mml_status fill_column(mmli_table *t, mmli_npy *a, const char *name)
{
    mml_status st = MML_OK;
    const bool records = mmli_npy_is_record(a);
    size_t field = 0;

    if (records)
        MML_TRY(mmli_npy_field_at(&field, a, name));
    MML_CHECK(records || strcmp(name, "c0") == 0, MML_E_NOT_FOUND, "%s: no column %s; the only one is c0", t->path, name);
    MML_TRY(add_column(t, a, field, name));
out:
    return st;
}

static mml_status fill_columns(mmli_table *t, mmli_npy *a, const char *id, const char *const *wanted, size_t n_wanted,
                               mmli_problems *problems)
{
    mml_status st = MML_OK;
    const size_t most = wanted != NULL ? n_wanted : a->n_fields;
    const bool records = mmli_npy_is_record(a);

    MML_TRY(mmli_calloc(&t->names, most, sizeof *t->names));
    MML_TRY(mmli_calloc(&t->texts, most, sizeof *t->texts));
    for (size_t i = 0; i < most; i++) {
        const char *name = wanted != NULL ? wanted[i] : records ? a->fields[i].name : "c0";

        if (mmli_table_column(t, name) != NULL || (wanted == NULL && id != NULL && strcmp(name, id) == 0))
            continue;
        MML_TRY(mmli_problem(problems, fill_column(t, a, name)));
    }
out:
    return st;
}

mml_status mmli_npy_labels(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted)
{
    mml_status st = MML_OK;
    mmli_npy *a = NULL;
    char **ids = NULL;
    size_t n = 0;

    MML_CHECK(!mmli_zip_is(sheet->path) && sheet->n_more == 0, MML_E_FORMAT,
              "%s: labels are one .npy, no archive and not several files", sheet->path);
    MML_TRY(mmli_npy_open(&a, sheet->path));
    MML_CHECK(a->rank == 1 && a->dims[0] > 0, MML_E_SHAPE, "%s: labels are an array of one dimension (of records, or of one "
              "label a row), this one has %d", sheet->path, a->rank);
    n = a->dims[0];
    MML_TRY(mmli_npy_ids(&ids, n, &(mmli_npy_id_source){sheet->path, a, NULL, id, sheet->ids, NULL}));
    MML_TRY(mmli_calloc(&t->rows, n, sizeof *t->rows));
    for (size_t i = 0; i < n; i++) {
        t->rows[i] = i + 1;
        MML_CHECK(mmli_bad_id(ids[i]) == NULL, MML_E_DATA, "%s: row %zu: the id cannot be used: %s", sheet->path, i + 1,
                  mmli_bad_id(ids[i]));
    }
    t->ids = ids;
    t->n = n;
    ids = NULL;
    MML_TRY(fill_columns(t, a, id, wanted, n_wanted, sheet->problems));
out:
    mmli_h5_texts_free(ids, n);
    mmli_npy_close(a);
    return st;
}
