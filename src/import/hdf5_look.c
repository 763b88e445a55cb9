/* hdf5_look.c - see hdf5_look.h. */
#include "import/hdf5_look.h"

#include <stdio.h>
#include <string.h>

#include "import/probe.h"
#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"

enum { ARRAYS_MOST = 500, DEPTH_MOST = 8 };

typedef struct array {
    char *name; /* from the root, without the first '/' */
    int rank;
    size_t dims[MMLI_H5_MAX_RANK];
    H5T_class_t class;
    size_t bytes; /* of an element */
    bool is_signed;
} array;

typedef struct listing {
    const char *path;
    array *list;
    size_t n, cap;
    size_t skipped; /* beyond the most, too many dimensions, links elsewhere */
} listing;

static void free_listing(listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        mmli_free(l->list[i].name);
    mmli_free(l->list);
    l->list = NULL;
    l->n = 0;
}

static mml_status add_array(listing *l, hid_t set, hid_t root, const char *name)
{
    mml_status st = MML_OK;
    array a = {.name = NULL};
    hid_t type = H5Dget_type(set);

    if (l->n == ARRAYS_MOST || type < 0 || mmli_h5_shape(a.dims, &a.rank, root, l->path, name) != MML_OK) {
        l->skipped++;
        goto out;
    }
    a.class = H5Tget_class(type);
    a.bytes = H5Tget_size(type);
    a.is_signed = a.class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    MML_TRY(mmli_grow(&l->list, &l->cap, l->n + 1, sizeof *l->list));
    MML_TRY(mmli_strdup(&a.name, name));
    l->list[l->n++] = a;
out:
    mmli_h5_drop(type);
    return st;
}

/* All data sets below a group, by recursion bounded in depth. Lock held. */
static mml_status walk(listing *l, hid_t root, const char *group, int depth)
{
    mml_status st = MML_OK;
    char **names = NULL, *full = NULL;
    size_t n = 0;
    hid_t object = -1;
    bool there;

    MML_TRY(mmli_h5_members(&names, &n, root, l->path, group));
    for (size_t i = 0; i < n; i++) {
        MML_TRY(mmli_strf(&full, "%s%s%s", group != NULL ? group : "", group != NULL ? "/" : "", names[i]));
        if (mmli_h5_exists(&there, root, l->path, full) != MML_OK || (object = H5Oopen(root, full, H5P_DEFAULT)) < 0)
            l->skipped++;
        else if (H5Iget_type(object) == H5I_DATASET)
            MML_TRY(add_array(l, object, root, full));
        else if (H5Iget_type(object) == H5I_GROUP && depth < DEPTH_MOST)
            MML_TRY(walk(l, root, full, depth + 1));
        mmli_h5_drop(object);
        object = -1;
        mmli_free(full);
        full = NULL;
    }
out:
    mmli_h5_drop(object);
    mmli_free(full);
    mmli_h5_texts_free(names, n);
    return st;
}

static mml_status list_arrays(listing *l, const char *path)
{
    mml_status st = MML_OK;
    hid_t file = -1;

    *l = (listing){.path = path};
    mmli_h5_lock();
    MML_TRY(mmli_h5_open(&file, path));
    MML_TRY(walk(l, file, NULL, 0));
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_h5_drop(file);
    mmli_h5_unlock();
    if (st != MML_OK)
        free_listing(l);
    return st;
}

mml_status mmli_hdf5_is_ours(bool *out, const char *path)
{
    mml_status st = MML_OK;
    hid_t file = -1;
    char *format = NULL;
    bool has;

    *out = false;
    mmli_h5_lock();
    MML_TRY(mmli_h5_open(&file, path));
    MML_TRY(mmli_h5_has_attr(&has, file, path, "format"));
    if (has)
        MML_TRY(mmli_h5_attr_text(&format, file, path, "format"));
    MML_TRY(mmli_h5_guard_trouble(file, path));
    *out = has && strncmp(format, "mmlego ", 7) == 0;
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_free(format);
    mmli_h5_drop(file);
    mmli_h5_unlock();
    return mmli_probe_failure(st);
}

/* ---- inspect ------------------------------------------------------------------------------------------------------------------ */

static const char *class_name(const array *a)
{
    switch (a->class) {
    case H5T_FLOAT: return "float";
    case H5T_INTEGER: return a->is_signed ? "int" : "uint";
    case H5T_STRING: return "text";
    case H5T_ENUM: return "enum";
    case H5T_COMPOUND: return "compound";
    default: return "other";
    }
}

static mml_status describe_array(mmli_facts *facts, const array *a)
{
    mml_status st = MML_OK;
    mmli_buf b = {0};

    MML_TRY(mmli_buf_puts(&b, class_name(a)));
    if (a->class == H5T_FLOAT || a->class == H5T_INTEGER)
        MML_TRY(mmli_buf_printf(&b, "%zu", 8 * a->bytes));
    MML_TRY(mmli_buf_puts(&b, " ("));
    for (int i = 0; i < a->rank; i++)
        MML_TRY(mmli_buf_printf(&b, "%s%zu", i > 0 ? ", " : "", a->dims[i]));
    MML_TRY(mmli_buf_puts(&b, ")"));
    MML_TRY(mmli_fact_column(facts, a->name, b.text, 0, ""));
out:
    mmli_buf_free(&b);
    return st;
}

mml_status mmli_hdf5_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    listing l = {0};

    MML_TRY(list_arrays(&l, path));
    MML_TRY(mmli_fact(facts, "number of arrays", "%zu", l.n + l.skipped));
    if (l.skipped > 0)
        MML_TRY(mmli_fact(facts, "not shown", "%zu (more than %d arrays, more than %d dimensions, or links)", l.skipped,
                          ARRAYS_MOST, MMLI_H5_MAX_RANK));
    for (size_t i = 0; i < l.n; i++)
        MML_TRY(describe_array(facts, &l.list[i]));
out:
    free_listing(&l);
    return st;
}

/* ---- suggest -------------------------------------------------------------------------------------------------------------------- */

static bool may_be_ids(const array *a)
{
    return a->rank == 1 && a->dims[0] > 0 && (a->class == H5T_STRING || a->class == H5T_INTEGER);
}

/* The list of ids for an array of n rows: texts before numbers. */
static const array *find_ids(const listing *l, size_t n, bool text)
{
    for (size_t i = 0; i < l->n; i++)
        if (may_be_ids(&l->list[i]) && l->list[i].dims[0] == n && (l->list[i].class == H5T_STRING) == text)
            return &l->list[i];
    return NULL;
}

static const array *find_names(const listing *l, size_t n, const array *not_this)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->list[i].rank == 1 && l->list[i].class == H5T_STRING && l->list[i].dims[0] == n && &l->list[i] != not_this)
            return &l->list[i];
    return NULL;
}

static mml_status suggest_array(mmli_suggestion *out, const listing *l, const array *a, const array *ids)
{
    mml_status st = MML_OK;
    const bool pixels = a->class == H5T_INTEGER && a->bytes == 1 && !a->is_signed;
    const mml_modality_kind kind = a->rank == 2 ? MML_TABLE : a->rank == 4 || pixels ? MML_IMAGE : MML_SERIES;
    const array *names = find_names(l, a->dims[a->rank - 1], ids);
    const char *base = strrchr(a->name, '/');

    MML_TRY(mmli_suggest_modality(out, base != NULL ? base + 1 : a->name, kind, l->path));
    MML_TRY(mmli_suggest_key(out, "dataset", a->name));
    MML_TRY(mmli_suggest_key(out, "id", ids->name));
    if (names != NULL && kind != MML_IMAGE)
        MML_TRY(mmli_suggest_key(out, "channels", names->name));
out:
    return st;
}

mml_status mmli_hdf5_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;
    listing l = {0};
    size_t n = 0;

    MML_TRY(list_arrays(&l, path));
    for (size_t i = 0; i < l.n; i++) {
        const array *a = &l.list[i], *ids;

        if (a->rank < 2 || (a->class != H5T_FLOAT && a->class != H5T_INTEGER))
            continue;
        ids = find_ids(&l, a->dims[0], true);
        ids = ids != NULL ? ids : find_ids(&l, a->dims[0], false);
        if (ids == NULL)
            continue;
        MML_TRY(suggest_array(out, &l, a, ids));
        n++;
    }
    MML_CHECK(n > 0, MML_E_FORMAT, "%s: no array in it has as many rows as a list of ids has; write a cohort.ini (mmlego inspect "
              "shows the arrays)", path);
out:
    free_listing(&l);
    return st;
}
