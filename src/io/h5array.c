/* h5array.c - whole arrays of numbers and texts, and ranges of rows, between HDF5 and memory. */
#include "io/h5.h"
#include "io/h5_inside.h"
#include "io/h5disk.h"
#include "io/h5heap.h"
#include "io/h5packed.h"

#include <stdio.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

static const struct {
    size_t size;
    bool is_float;
} types[] = {
    [MMLI_H5_F32] = {4, true}, [MMLI_H5_F64] = {8, true},   [MMLI_H5_U8] = {1, false},
    [MMLI_H5_I32] = {4, false}, [MMLI_H5_I64] = {8, false}, [MMLI_H5_U64] = {8, false},
};

hid_t mmli_h5_mem_type(mmli_h5_type type)
{
    switch (type) {
    case MMLI_H5_F32: return H5T_NATIVE_FLOAT;
    case MMLI_H5_F64: return H5T_NATIVE_DOUBLE;
    case MMLI_H5_U8: return H5T_NATIVE_UINT8;
    case MMLI_H5_I32: return H5T_NATIVE_INT32;
    case MMLI_H5_I64: return H5T_NATIVE_INT64;
    case MMLI_H5_U64: return H5T_NATIVE_UINT64;
    }
    return -1;
}

static hid_t disk_type(mmli_h5_type type)
{
    switch (type) {
    case MMLI_H5_F32: return H5T_IEEE_F32LE;
    case MMLI_H5_F64: return H5T_IEEE_F64LE;
    case MMLI_H5_U8: return H5T_STD_U8LE;
    case MMLI_H5_I32: return H5T_STD_I32LE;
    case MMLI_H5_I64: return H5T_STD_I64LE;
    case MMLI_H5_U64: return H5T_STD_U64LE;
    }
    return -1;
}

static const char *class_name(H5T_class_t is)
{
    switch (is) {
    case H5T_INTEGER: return "integer";
    case H5T_FLOAT: return "float";
    case H5T_STRING: return "text";
    case H5T_ENUM: return "enumeration";
    case H5T_COMPOUND: return "compound";
    case H5T_REFERENCE: return "reference";
    default: return "another kind";
    }
}

static mml_status check_type(hid_t dataset, mmli_h5_type type, const char *path, const char *full)
{
    const hid_t is = H5Dget_type(dataset);
    const H5T_class_t kind = is < 0 ? H5T_NO_CLASS : H5Tget_class(is);
    const bool ok = kind == H5T_INTEGER || kind == H5T_ENUM || (kind == H5T_FLOAT && types[type].is_float);

    mmli_h5_drop(is);
    if (ok)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s: %s is of type %s, %s needed", path, full, class_name(kind),
                     types[type].is_float ? "numbers are" : "integers are");
}

/* "(3, 4)" */
static void shape_text(char *out, size_t size, int rank, const size_t *dims)
{
    size_t at = (size_t)snprintf(out, size, "(");

    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%zu", i > 0 ? ", " : "", dims[i]);
    if (at < size)
        snprintf(out + at, size - at, ")");
}

static mml_status count_elements(size_t *n, int rank, const size_t *dims, const char *path, const char *full)
{
    *n = 1;
    for (int i = 0; i < rank; i++)
        if (!mmli_mul_size(n, *n, dims[i]))
            return mmli_fail(MML_E_NOMEM, "%s: %s: too large for this machine", path, full);
    return MML_OK;
}

mml_status mmli_h5_check_stored(hid_t dataset, size_t n, size_t size, const char *path, const char *name)
{
    enum { ALWAYS_FINE = 64 << 20, BEST_RATIO = 2048 }; /* deflate packs 1 : 1032 at best */
    const double claimed = (double)n * (double)size;
    double stored;

    if (claimed <= (double)ALWAYS_FINE)
        return MML_OK;
    mmli_h5_lock();
    stored = (double)H5Dget_storage_size(dataset); /* of many chunks: walks their index */
    mmli_h5_unlock();
    if (claimed <= stored * (double)BEST_RATIO)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s: %s should hold %.0f bytes but the file stores %.0f: truncated or damaged", path,
                     name, claimed, stored);
}

static mml_status read_all(void *out, mmli_h5_type type, hid_t set, const char *path, const char *full)
{
    mml_status st = MML_OK;
    mmli_h5_note why;

    MML_TRY(mmli_h5_check_packed(set, path, full));
    if (H5Dread(set, mmli_h5_mem_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk%s", path, full, why.text);
    }
out:
    return st;
}

mml_status mmli_h5_get(void *out, mmli_h5_type type, int rank, const size_t *dims, hid_t loc, const char *path,
                       const char *name)
{
    mml_status st = MML_OK;
    hid_t set = -1;
    size_t has[MMLI_H5_MAX_RANK] = {0};
    char a[100], b[100];
    int has_rank;
    mmli_h5_full full;

    mmli_h5_lock();
    full = mmli_h5_full_name(loc, name);
    MML_TRY(mmli_h5_dataset(&set, NULL, -1, loc, path, name));
    MML_TRY(mmli_h5_shape_of(has, &has_rank, set, path, full.text));
    if (has_rank != rank || (rank > 0 && memcmp(has, dims, (size_t)rank * sizeof *dims) != 0)) {
        shape_text(a, sizeof a, has_rank, has);
        shape_text(b, sizeof b, rank, dims);
        st = mmli_fail(MML_E_SHAPE, "%s: %s has shape %s, %s needed", path, full.text, a, b);
        goto out;
    }
    MML_TRY(check_type(set, type, path, full.text));
    MML_TRY(read_all(out, type, set, path, full.text));
out:
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_get_new(void *out, mmli_h5_type type, int rank, size_t *dims, hid_t loc, const char *path,
                           const char *name)
{
    mml_status st = MML_OK;
    hid_t set = -1;
    void *data = NULL;
    size_t n;
    mmli_h5_full full;

    memcpy(out, &data, sizeof data);
    mmli_h5_lock();
    full = mmli_h5_full_name(loc, name);
    MML_TRY(mmli_h5_dataset(&set, dims, rank, loc, path, name));
    MML_TRY(check_type(set, type, path, full.text));
    MML_TRY(count_elements(&n, rank, dims, path, full.text));
    MML_TRY(mmli_h5_check_stored(set, n, types[type].size, path, full.text));
    MML_TRY(mmli_calloc(&data, n, types[type].size));
    MML_TRY(read_all(data, type, set, path, full.text));
    memcpy(out, &data, sizeof data);
    data = NULL;
out:
    mmli_free(data);
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}

/* Properties of a new data set: no time stamps, so equal content is equal bytes. */
static hid_t plain_creation(void)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);

    if (list >= 0)
        H5Pset_obj_track_times(list, false);
    return list;
}

static mml_status write_new(hid_t disk, hid_t memory, int rank, const size_t *dims, const void *data, hid_t loc,
                            const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t space = -1, list = -1, set = -1;
    hsize_t size[MMLI_H5_MAX_RANK] = {0};
    mmli_h5_note why;
    size_t n = 1;

    for (int i = 0; i < rank; i++) {
        size[i] = dims[i];
        n = dims[i] == 0 ? 0 : n;
    }
    list = plain_creation();
    space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, size, NULL);
    if (list >= 0 && space >= 0)
        set = H5Dcreate2(loc, name, disk, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (set < 0 || (n > 0 && H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: %s could not be written%s", path, mmli_h5_full_name(loc, name).text, why.text);
    }
    mmli_h5_drop(set);
    mmli_h5_drop(space);
    mmli_h5_drop(list);
    return st == MML_OK ? mmli_h5_disk_check(loc, path) : st;
}

mml_status mmli_h5_put(mmli_h5_type type, int rank, const size_t *dims, const void *data, hid_t loc, const char *path,
                       const char *name)
{
    mml_status st;

    if (rank < 0 || rank > MMLI_H5_MAX_RANK)
        return mmli_fail(MML_E_INTERNAL, "%s: %s: rank %d", path, name, rank);
    mmli_h5_lock();
    st = write_new(disk_type(type), mmli_h5_mem_type(type), rank, dims, data, loc, path, name);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_get_rows(void *out, mmli_h5_type type, size_t first, size_t count, size_t width, hid_t dataset,
                            const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t file = -1, memory = -1;
    size_t dims[MMLI_H5_MAX_RANK] = {0}, n;
    hsize_t start[MMLI_H5_MAX_RANK] = {0}, size[MMLI_H5_MAX_RANK] = {0};
    int rank;
    mmli_h5_note why;

    if (count == 0)
        return MML_OK;
    mmli_h5_lock();
    MML_TRY(mmli_h5_shape_of(dims, &rank, dataset, path, name));
    MML_TRY(check_type(dataset, type, path, name));
    MML_TRY(count_elements(&n, rank - 1, dims + 1, path, name));
    MML_CHECK(rank >= 1 && n == width, MML_E_SHAPE, "%s: %s: rows have %zu values, %zu needed", path, name, n, width);
    MML_CHECK(first <= dims[0] && count <= dims[0] - first, MML_E_SHAPE,
              "%s: %s has %zu rows, rows %zu to %zu needed", path, name, dims[0], first, first + count - 1);
    for (int i = 0; i < rank; i++)
        size[i] = dims[i];
    start[0] = first;
    size[0] = count;
    file = H5Dget_space(dataset);
    memory = H5Screate_simple(rank, size, NULL);
    if (file < 0 || memory < 0 || H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dread(dataset, mmli_h5_mem_type(type), memory, file, H5P_DEFAULT, out) < 0) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk%s", path, name, why.text);
    }
out:
    mmli_h5_drop(memory);
    mmli_h5_drop(file);
    mmli_h5_unlock();
    return st;
}

/* ---- texts ---------------------------------------------------------------------------------------------- */

void mmli_h5_texts_free(char **texts, size_t n)
{
    if (texts == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        mmli_free(texts[i]);
    mmli_free(texts);
}

mml_status mmli_h5_fixed_text(char **out, const char *bytes, size_t size, H5T_str_t padding)
{
    size_t n = 0;
    mml_status st;

    while (n < size && bytes[n] != '\0')
        n++;
    if (padding == H5T_STR_SPACEPAD)
        while (n > 0 && bytes[n - 1] == ' ')
            n--;
    if ((st = mmli_calloc(out, n + 1, 1)) == MML_OK)
        memcpy(*out, bytes, n);
    return st;
}

static mml_status read_fixed(char **texts, size_t n, hid_t set, hid_t type, const char *path, const char *full)
{
    mml_status st = MML_OK;
    const size_t size = H5Tget_size(type);
    char *raw = NULL;
    mmli_h5_note why;

    MML_CHECK(size > 0, MML_E_FORMAT, "%s: %s: damaged", path, full);
    MML_TRY(mmli_h5_check_stored(set, n, size, path, full));
    MML_TRY(mmli_calloc(&raw, n, size));
    MML_TRY(mmli_h5_check_packed(set, path, full));
    if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk%s", path, full, why.text);
        goto out;
    }
    for (size_t i = 0; i < n && st == MML_OK; i++)
        st = mmli_h5_fixed_text(&texts[i], raw + i * size, size, H5Tget_strpad(type));
out:
    mmli_free(raw);
    return st;
}

mml_status mmli_h5_get_texts(char ***out, size_t *n, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t set = -1, type = -1;
    char **texts = NULL;
    size_t count = 0;
    mmli_h5_full full;

    *out = NULL;
    *n = 0;
    mmli_h5_lock();
    full = mmli_h5_full_name(loc, name);
    MML_TRY(mmli_h5_dataset(&set, &count, 1, loc, path, name));
    type = H5Dget_type(set);
    MML_CHECK(type >= 0 && H5Tget_class(type) == H5T_STRING, MML_E_FORMAT, "%s: %s is of type %s, text is needed", path,
              full.text, class_name(type < 0 ? H5T_NO_CLASS : H5Tget_class(type)));
    MML_TRY(mmli_h5_check_stored(set, count, sizeof(char *), path, full.text));
    MML_TRY(mmli_calloc(&texts, count, sizeof *texts));
    if (count > 0)
        MML_TRY(H5Tis_variable_str(type) > 0 ? mmli_h5_heap_texts(texts, count, set, type, path, full.text)
                                             : read_fixed(texts, count, set, type, path, full.text));
    *out = texts;
    *n = count;
    texts = NULL;
out:
    mmli_h5_texts_free(texts, count);
    mmli_h5_drop(type);
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}

/* Fixed length, padded with zeros: strings of variable length live in HDF5's global heap, which has no checksum and
 * which HDF5 1.10 reads without checks (one damaged byte there can crash other programs). Only a list with a few very
 * long texts, which padding would blow up, is written that way. */
static mml_status put_fixed(const char *const *texts, size_t n, size_t size, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    char *bytes = NULL;
    hid_t type = -1;

    MML_TRY(mmli_calloc(&bytes, n, size));
    for (size_t i = 0; i < n; i++)
        memcpy(bytes + i * size, texts[i], strlen(texts[i]));
    type = H5Tcopy(H5T_C_S1);
    MML_CHECK(type >= 0 && H5Tset_size(type, size) >= 0 && H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0 &&
                  H5Tset_cset(type, H5T_CSET_UTF8) >= 0,
              MML_E_NOMEM, "%s: HDF5 has no memory left", path);
    MML_TRY(write_new(type, type, 1, &n, bytes, loc, path, name));
out:
    mmli_free(bytes);
    mmli_h5_drop(type);
    return st;
}

static mml_status put_variable(const char *const *texts, size_t n, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    const hid_t type = H5Tcopy(H5T_C_S1);

    MML_CHECK(type >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0, MML_E_NOMEM,
              "%s: HDF5 has no memory left", path);
    MML_TRY(write_new(type, type, 1, &n, texts, loc, path, name));
out:
    mmli_h5_drop(type);
    return st;
}

mml_status mmli_h5_put_texts(const char *const *texts, size_t n, hid_t loc, const char *path, const char *name)
{
    enum { ALWAYS_FIXED = 1 << 20, PADDING = 16 };
    mml_status st = MML_OK;
    const char **full = NULL;
    size_t longest = 1, total = 0, padded;

    mmli_h5_lock();
    MML_TRY(mmli_calloc(&full, n, sizeof *full));
    for (size_t i = 0; i < n; i++) {
        full[i] = texts[i] == NULL ? "" : texts[i];
        total += strlen(full[i]);
        longest = strlen(full[i]) > longest ? strlen(full[i]) : longest;
    }
    MML_TRY(mmli_mul_size(&padded, n, longest) && (padded <= ALWAYS_FIXED || padded / PADDING <= total)
                ? put_fixed(full, n, longest, loc, path, name)
                : put_variable(full, n, loc, path, name));
out:
    mmli_free(full);
    mmli_h5_unlock();
    return st;
}
