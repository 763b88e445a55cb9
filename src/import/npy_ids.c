/* npy_ids.c - see npy_ids.h. */
#include "import/npy_ids.h"

#include <string.h>

#include "formats/csv_file.h"
#include "util/alloc.h"
#include "util/error.h"

bool mmli_npy_is_record(const mmli_npy *a)
{
    return a->n_fields > 1 || a->fields[0].name[0] != '\0';
}

static mml_status take_texts(char ***out, size_t n, mmli_npy *a, size_t field)
{
    mml_status st = MML_OK;
    char **texts = NULL;

    MML_TRY(mmli_calloc(&texts, n, sizeof *texts));
    MML_TRY(mmli_npy_texts(texts, a, field, 0, n));
    *out = texts;
    texts = NULL;
out:
    mmli_free(texts); /* mmli_npy_texts() leaves nothing in it after a failure */
    return st;
}

mml_status mmli_npz_texts(char ***out, size_t n, mmli_zip *zip, const char *name, const char *what)
{
    mml_status st = MML_OK;
    mmli_npy *a = NULL;
    size_t at;

    MML_TRY(mmli_npz_find(&at, zip, name));
    MML_TRY(mmli_npz_member(&a, zip, at));
    MML_CHECK(a->rank == 1 && !mmli_npy_is_record(a) && a->dims[0] == n, MML_E_SHAPE,
              "%s: %s: %zu %s in one dimension are needed, it has %zu in %d", mmli_zip_path(zip), name, n, what,
              mmli_npy_n_rows(a), a->rank);
    MML_TRY(take_texts(out, n, a, 0));
out:
    mmli_npy_close(a);
    return st;
}

static mml_status numbered(char ***out, size_t n)
{
    mml_status st = MML_OK;
    char **texts = NULL;

    MML_TRY(mmli_calloc(&texts, n, sizeof *texts));
    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_strf(&texts[i], "%zu", i + 1));
    *out = texts;
    texts = NULL;
out:
    mmli_h5_texts_free(texts, n);
    return st;
}

/* ---- a file of ids -------------------------------------------------------------------------------------------------------- */

typedef struct lines {
    const char *path;
    char **texts;
    size_t n, cap;
} lines;

static mml_status add_line(lines *l, const mmli_cell *cell)
{
    mml_status st;

    if ((st = mmli_grow(&l->texts, &l->cap, l->n + 1, sizeof *l->texts)) == MML_OK &&
        (st = mmli_strdup(&l->texts[l->n], cell->text)) == MML_OK)
        l->n++;
    return st;
}

static mml_status on_first(void *user, const mmli_cell *cells, size_t n)
{
    lines *l = user;

    if (n != 1)
        return mmli_fail(MML_E_FORMAT, "%s: has %zu columns; one id a line is needed", l->path, n);
    return add_line(l, cells);
}

static mml_status on_line(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    (void)row;
    (void)n;
    return add_line(user, cells);
}

static mml_status from_file(char ***out, size_t n, const char *path)
{
    static const mmli_csv_handler handler = {on_first, on_line};
    mml_status st = MML_OK;
    lines l = {.path = path};

    MML_TRY(mmli_csv_file_read(path, &handler, &l));
    MML_CHECK(l.n == n, MML_E_SHAPE, "%s: has %zu ids, the array has %zu rows", path, l.n, n);
    *out = l.texts;
    l = (lines){.path = path};
out:
    mmli_h5_texts_free(l.texts, l.n);
    return st;
}

mml_status mmli_npy_ids(char ***out, size_t n, const mmli_npy_id_source *from)
{
    mml_status st = MML_OK;
    const char *ids = from->ids == NULL && from->source != NULL ? mmli_source_option(from->source, "ids") : from->ids;
    char *path = NULL;
    size_t field;

    if (ids != NULL) {
        MML_TRY(from->source != NULL ? mmli_import_file_name(&path, from->source->context->config, ids) : mmli_strdup(&path, ids));
        MML_TRY(from_file(out, n, path));
    } else if (from->id != NULL && strcmp(from->id, "@row") == 0) {
        MML_TRY(numbered(out, n));
    } else if (mmli_npy_is_record(from->array) && from->id != NULL) {
        MML_TRY(mmli_npy_field_at(&field, from->array, from->id));
        MML_TRY(take_texts(out, n, from->array, field));
    } else if (from->zip != NULL && from->id != NULL) {
        MML_TRY(mmli_npz_texts(out, n, from->zip, from->id, "ids"));
    } else {
        st = mmli_fail(MML_E_FORMAT, "%s: an array has no sample ids; id = @row takes the numbers of its rows (1, 2, ...), "
                       "ids = FILE a file with one id a line", from->file);
    }
out:
    mmli_free(path);
    return st;
}
