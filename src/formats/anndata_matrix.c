/* anndata_matrix.c - X, raw, layers/NAME, obsm/NAME: found, checked against the tables, read by row.
 *
 * obsm may also hold a table; its columns are then read into memory, since that is how they lie.
 */
#include "formats/anndata.h"
#include "formats/anndata_inside.h"

#include <stdio.h>
#include <string.h>

#include "io/cohort.h"
#include "io/h5.h"
#include "io/h5foreign.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MOST_WIDE = 1 << 20 }; /* columns of a sparse obsm */

typedef enum storage { DENSE = 0, CSR, CSC, TABLE } storage;

struct mmli_ann_matrix {
    const char *path; /* lent, as `lent` */
    char *name;
    storage how;
    size_t n, width;
    hid_t set;               /* DENSE */
    mmli_packed *packed;     /* DENSE */
    mmli_ann_sparse sparse;  /* CSR, CSC */
    float *table;            /* TABLE: (n, width) */
    mmli_ann_frame raw;      /* the variables of raw */
    char **made;             /* (width) names that nobody else has */
    const char *const *names; /* (width) */
};

/* ---- what there is --------------------------------------------------------------------------------------------------------- */

static mml_status add_name(char ***names, size_t *n, size_t *cap, const char *group, const char *name)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(names, cap, *n + 1, sizeof **names));
    (*names)[*n] = NULL;
    MML_TRY(mmli_strf(&(*names)[*n], "%s%s%s", group, group[0] != '\0' ? "/" : "", name));
    ++*n;
out:
    return st;
}

static mml_status add_members(char ***names, size_t *n, size_t *cap, const mmli_ann *a, const char *group)
{
    mml_status st = MML_OK;
    char **members = NULL, *name = NULL;
    size_t count = 0;
    mmli_h5_kind kind;
    bool there;

    MML_TRY(mmli_strf(&name, "%s%s", a->prefix, group));
    MML_TRY(mmli_h5_exists(&there, a->loc, a->path, name));
    if (!there)
        goto out;
    MML_TRY(mmli_h5_kind_of(&kind, a->loc, a->path, name));
    if (kind != MMLI_H5_IS_GROUP) /* records of 0.6 */
        goto out;
    MML_TRY(mmli_h5_members(&members, &count, a->loc, a->path, name));
    for (size_t i = 0; i < count; i++)
        MML_TRY(add_name(names, n, cap, group, members[i]));
out:
    mmli_h5_texts_free(members, count);
    mmli_free(name);
    return st;
}

/* Name in the file of the matrix that the caller calls `which`; *there: it is in the file. */
static mml_status find(char **out, bool *there, const mmli_ann *a, const char *which)
{
    mml_status st = MML_OK;
    const bool raw = strcmp(which, "raw") == 0;
    char *encoding = NULL;

    MML_TRY(mmli_strf(out, "%s%s", a->prefix, raw ? "raw/X" : which));
    MML_TRY(mmli_h5_exists(there, a->loc, a->path, *out));
    if (!*there && raw && a->prefix[0] == '\0') {
        mmli_free(*out);
        MML_TRY(mmli_strdup(out, "raw.X")); /* 0.6 and older */
        MML_TRY(mmli_h5_exists(there, a->loc, a->path, *out));
    }
    if (*there)
        MML_TRY(mmli_ann_attr(&encoding, a->loc, a->path, *out, "encoding-type"));
    if (encoding != NULL && strcmp(encoding, "null") == 0)
        *there = false;
out:
    mmli_free(encoding);
    return st;
}

mml_status mmli_ann_matrices(char ***out, size_t *n, const mmli_ann *a)
{
    mml_status st = MML_OK;
    static const char *const single[] = {"X", "raw"};
    char **names = NULL, *name = NULL;
    size_t cap = 0, count = 0;
    bool there;

    *out = NULL;
    *n = 0;
    for (size_t i = 0; i < 2; i++) {
        MML_TRY(find(&name, &there, a, single[i]));
        mmli_free(name);
        name = NULL;
        if (there)
            MML_TRY(add_name(&names, &count, &cap, "", single[i]));
    }
    MML_TRY(add_members(&names, &count, &cap, a, "layers"));
    MML_TRY(add_members(&names, &count, &cap, a, "obsm"));
    if (names == NULL) /* a list of none is not NULL */
        MML_TRY(mmli_calloc(&names, 1, sizeof *names));
    *out = names;
    *n = count;
    names = NULL;
out:
    mmli_h5_texts_free(names, count);
    mmli_free(name);
    return st;
}

/* "has no X; it has: ..." */
static mml_status not_there(const mmli_ann *a, const char *which)
{
    mml_status st = MML_OK;
    char **names = NULL, list[MMLI_LIST_BYTES];
    const char *near;
    size_t n = 0;

    MML_TRY(mmli_ann_matrices(&names, &n, a));
    near = mmli_nearest(which, (const char *const *)names, n);
    st = mmli_fail(MML_E_NOT_FOUND, "%s: there is no matrix %s%s%s%s%s; there are: %s", a->path, a->prefix, which,
                   near != NULL ? " (did you mean " : "", near != NULL ? near : "", near != NULL ? "?)" : "",
                   mmli_list(list, (const char *const *)names, n));
out:
    mmli_h5_texts_free(names, n);
    return st;
}

/* ---- kinds of storage ------------------------------------------------------------------------------------------------------- */

static mml_status open_dense(mmli_ann_matrix *m, hid_t loc, size_t n_obs)
{
    mml_status st = MML_OK;
    size_t dims[MMLI_H5_MAX_RANK] = {0}, values;
    mmli_h5_kind kind;
    int rank;

    MML_TRY(mmli_h5_kind_of(&kind, loc, m->path, m->name));
    MML_CHECK(kind <= MMLI_H5_IS_BOOL, MML_E_FORMAT, "%s: %s is %s, a matrix of numbers is needed", m->path, m->name,
              mmli_h5_kind_text(kind));
    MML_TRY(mmli_h5_dataset(&m->set, NULL, -1, loc, m->path, m->name));
    MML_TRY(mmli_h5_shape(dims, &rank, loc, m->path, m->name));
    /* One variable, or one embedding a cell, is written as a list by some. */
    MML_CHECK(rank == 2 || (rank == 1 && dims[0] == n_obs), MML_E_SHAPE, "%s: %s has %d dimension%s, 2 needed", m->path,
              m->name, rank, rank == 1 ? "" : "s");
    m->how = DENSE;
    m->n = dims[0];
    m->width = rank == 2 ? dims[1] : 1;
    MML_CHECK(mmli_mul_size(&values, m->n, m->width), MML_E_NOMEM, "%s: %s: too large for this machine", m->path, m->name);
    MML_TRY(mmli_h5_check_stored(m->set, values, 1, m->path, m->name));
    MML_TRY(mmli_packed_open(&m->packed, m->set, 0, m->path, m->name));
out:
    return st;
}

static mml_status open_table(mmli_ann_matrix *m, hid_t loc)
{
    mml_status st = MML_OK;
    mmli_ann_frame f = {.loc = -1};
    mmli_ann_column c = {0};
    size_t values;

    MML_TRY(mmli_ann_frame_open(&f, loc, m->path, m->name));
    m->how = TABLE;
    m->n = f.n;
    m->width = f.n_columns;
    MML_CHECK(mmli_mul_size(&values, m->n, m->width), MML_E_NOMEM, "%s: %s: too large for this machine", m->path, m->name);
    MML_TRY(mmli_calloc(&m->table, values, sizeof *m->table));
    for (size_t j = 0; j < m->width; j++) {
        MML_TRY(mmli_ann_column_read(&c, &f, f.columns[j]));
        for (size_t i = 0; i < m->n; i++) {
            double x;

            MML_CHECK(mmli_ann_column_number(&x, &c, i), MML_E_FORMAT,
                      "%s: %s/%s is %s; a table that is read as a matrix has numbers only", m->path, m->name, f.columns[j],
                      mmli_ann_kind_text(c.kind));
            m->table[i * m->width + j] = (float)x;
        }
        mmli_ann_column_free(&c);
    }
    m->made = f.columns;
    m->names = (const char *const *)m->made;
    f.columns = NULL;
    f.n_columns = 0;
out:
    mmli_ann_column_free(&c);
    mmli_ann_frame_free(&f);
    return st;
}

static mml_status open_storage(mmli_ann_matrix *m, const mmli_ann *a, bool obsm)
{
    mml_status st = MML_OK;
    char *index = NULL;
    mmli_h5_kind kind;
    bool is;

    MML_TRY(mmli_h5_kind_of(&kind, a->loc, a->path, m->name));
    MML_TRY(mmli_ann_sparse_open(&is, &m->sparse, a->loc, a->path, m->name));
    if (is) {
        m->how = m->sparse.by_columns ? CSC : CSR;
        m->n = m->sparse.n;
        m->width = m->sparse.width;
        goto out;
    }
    if (kind != MMLI_H5_IS_GROUP) {
        MML_TRY(open_dense(m, a->loc, a->obs.n));
        goto out;
    }
    MML_TRY(mmli_ann_attr(&index, a->loc, a->path, m->name, "_index"));
    MML_CHECK(obsm && index != NULL, MML_E_FORMAT, "%s: %s is neither an array nor a sparse matrix%s that is read", a->path,
              m->name, obsm ? " nor a table" : "");
    MML_TRY(open_table(m, a->loc));
out:
    mmli_free(index);
    return st;
}

/* ---- names of the columns ----------------------------------------------------------------------------------------------------- */

static mml_status name_columns(mmli_ann_matrix *m, const mmli_ann *a, const char *which)
{
    mml_status st = MML_OK;
    const bool raw = strcmp(which, "raw") == 0, obsm = strncmp(which, "obsm/", 5) == 0;
    const mmli_ann_frame *var = raw ? &m->raw : &a->var;
    char *name = NULL;

    if (m->names != NULL)
        goto out;
    if (obsm) {
        /* The width of a sparse matrix is only a claim, and of no table. */
        MML_CHECK(m->how == DENSE || m->width <= MOST_WIDE, MML_E_FORMAT, "%s: %s claims %zu columns, at most %d are read",
                  a->path, m->name, m->width, (int)MOST_WIDE);
        MML_TRY(mmli_calloc(&m->made, m->width, sizeof *m->made));
        for (size_t j = 0; j < m->width; j++)
            MML_TRY(mmli_strf(&m->made[j], "%s_%zu", which + 5, j));
        m->names = (const char *const *)m->made;
        goto out;
    }
    if (raw) {
        const size_t length = strlen(m->name);

        /* raw/X or raw.X */
        MML_TRY(mmli_strf(&name, "%.*svar", (int)(length - 1), m->name));
        MML_TRY(mmli_ann_frame_open(&m->raw, a->loc, a->path, name));
    }
    MML_CHECK(var->n == m->width, MML_E_SHAPE, "%s: %s has %zu columns, the table %s has %zu rows", a->path, m->name,
              m->width, var->name, var->n);
    m->names = (const char *const *)var->ids;
out:
    mmli_free(name);
    return st;
}

/* ---- open, read, close ----------------------------------------------------------------------------------------------------------- */

mml_status mmli_ann_matrix_open(mmli_ann_matrix **out, const mmli_ann *a, const char *which, const char *beside)
{
    mml_status st = MML_OK;
    mmli_ann_matrix *m = NULL;
    const bool obsm = strncmp(which, "obsm/", 5) == 0;
    bool there = false;

    *out = NULL;
    MML_TRY(mmli_calloc(&m, 1, sizeof *m));
    m->path = a->path;
    m->set = m->raw.loc = m->sparse.data = m->sparse.indices = -1;
    m->sparse.spool = -1;
    if (obsm || strcmp(which, "X") == 0 || strcmp(which, "raw") == 0 || strncmp(which, "layers/", 7) == 0)
        MML_TRY(find(&m->name, &there, a, which));
    if (!there) {
        st = not_there(a, which);
        goto out;
    }
    MML_TRY(open_storage(m, a, obsm));
    m->sparse.beside = beside;
    MML_CHECK(m->n == a->obs.n, MML_E_SHAPE, "%s: %s has %zu rows, the table %s has %zu", a->path, m->name, m->n,
              a->obs.name, a->obs.n);
    MML_TRY(name_columns(m, a, which));
    *out = m;
    m = NULL;
out:
    mmli_ann_matrix_close(m);
    return st;
}

void mmli_ann_matrix_close(mmli_ann_matrix *m)
{
    if (m == NULL)
        return;
    mmli_ann_sparse_close(&m->sparse);
    mmli_ann_frame_free(&m->raw);
    mmli_h5_texts_free(m->made, m->made == NULL ? 0 : m->width);
    mmli_packed_close(m->packed);
    mmli_h5_drop(m->set);
    mmli_free(m->table);
    mmli_free(m->name);
    mmli_free(m);
}

size_t mmli_ann_matrix_width(const mmli_ann_matrix *m)
{
    return m->width;
}

const char *const *mmli_ann_matrix_names(const mmli_ann_matrix *m)
{
    return m->names;
}

const char *mmli_ann_matrix_storage(const mmli_ann_matrix *m)
{
    static const char *const words[] = {"dense", "csr", "csc", "table"};

    return words[m->how];
}

size_t mmli_ann_matrix_stored(const mmli_ann_matrix *m)
{
    return m->how == CSR || m->how == CSC ? m->sparse.stored : m->n * m->width;
}

mml_status mmli_ann_matrix_rows(float *out, size_t first, size_t count, mmli_ann_matrix *m)
{
    mml_status st = MML_OK;

    MML_CHECK(first <= m->n && count <= m->n - first, MML_E_INTERNAL, "%s: %s has %zu rows, rows %zu to %zu asked for", m->path, m->name,
              m->n, first, first + count);
    if (count == 0 || m->width == 0)
        goto out;
    switch (m->how) {
    case DENSE:
        MML_TRY(mmli_packed_check(m->packed, first, count));
        MML_TRY(mmli_h5_get_rows(out, MMLI_H5_F32, first, count, m->width, m->set, m->path, m->name));
        break;
    case CSR:
    case CSC: MML_TRY(mmli_ann_sparse_rows(out, first, count, &m->sparse)); break;
    case TABLE: memcpy(out, m->table + first * m->width, count * m->width * sizeof *out); break;
    }
out:
    return st;
}
