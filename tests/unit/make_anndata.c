/* make_anndata.c - see make_anndata.h. */
#include "tests/unit/make_anndata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/folder.h"

static size_t count(const char *const *texts)
{
    size_t n = 0;

    while (texts != NULL && texts[n] != NULL)
        n++;
    return n;
}

static hid_t text_type(void)
{
    const hid_t type = H5Tcopy(H5T_C_S1);

    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static void attr(hid_t file, const char *name, const char *key, hid_t type, hid_t space, const void *value)
{
    const hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    hid_t a;

    ck_assert_int_ge(object, 0);
    a = H5Acreate2(object, key, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(a, 0);
    if (H5Sget_simple_extent_npoints(space) > 0)
        ck_assert_int_ge(H5Awrite(a, type, value), 0);
    H5Aclose(a);
    H5Oclose(object);
    H5Sclose(space);
}

void mmlt_ann_text_attr(hid_t file, const char *name, const char *key, const char *value)
{
    const hid_t type = text_type();

    attr(file, name, key, type, H5Screate(H5S_SCALAR), &value);
    H5Tclose(type);
}

/* An empty list is one of floats, as h5py writes it. */
void mmlt_ann_texts_attr(hid_t file, const char *name, const char *key, const char *const *values)
{
    const hid_t type = text_type(), space = H5Screate_simple(1, (hsize_t[]){count(values)}, NULL);

    attr(file, name, key, count(values) > 0 ? type : H5T_IEEE_F64LE, space, values);
    H5Tclose(type);
}

void mmlt_ann_ints_attr(hid_t file, const char *name, const char *key, const int64_t *values, size_t n)
{
    attr(file, name, key, H5T_NATIVE_INT64, H5Screate_simple(1, (hsize_t[]){n}, NULL), values);
}

void mmlt_ann_group(hid_t file, const char *name, const char *encoding)
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);

    H5Pset_create_intermediate_group(links, 1);
    ck_assert_int_ge(H5Gclose(H5Gcreate2(file, name, links, H5P_DEFAULT, H5P_DEFAULT)), 0);
    H5Pclose(links);
    if (encoding != NULL)
        mmlt_ann_text_attr(file, name, "encoding-type", encoding);
}

hid_t mmlt_ann_empty(const char *name, const char *encoding)
{
    const hid_t file = H5Fcreate(mmlt_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

    ck_assert_int_ge(file, 0);
    if (encoding != NULL)
        mmlt_ann_text_attr(file, ".", "encoding-type", encoding);
    return file;
}

void mmlt_ann_frame(hid_t file, const char *name, const char *stem, size_t n, const char *const *columns)
{
    char **ids = malloc((n + 1) * sizeof *ids), path[200];

    ck_assert_ptr_nonnull(ids);
    for (size_t i = 0; i < n; i++) {
        ids[i] = malloc(40);
        snprintf(ids[i], 40, "%s%zu", stem, i);
    }
    mmlt_ann_group(file, name, "dataframe");
    mmlt_ann_text_attr(file, name, "_index", "_index");
    mmlt_ann_texts_attr(file, name, "column-order", columns);
    snprintf(path, sizeof path, "%s/_index", name);
    mmlt_h5_texts(file, path, (const char *const *)ids, n);
    for (size_t i = 0; i < n; i++)
        free(ids[i]);
    free(ids);
}

hid_t mmlt_ann_new(const char *name, size_t n_obs, size_t n_var)
{
    const hid_t file = mmlt_ann_empty(name, "anndata");

    mmlt_ann_frame(file, "obs", "c", n_obs, NULL);
    mmlt_ann_frame(file, "var", "g", n_var, NULL);
    return file;
}

void mmlt_ann_dense(hid_t file, const char *name, size_t n, size_t width, const float *x)
{
    mmlt_h5_array(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){n, width}, x);
}

void mmlt_ann_sparse(hid_t file, const char *name, const char *encoding, int64_t n, int64_t width, const int64_t *indptr,
                     const int32_t *indices, const double *data, size_t stored)
{
    const int64_t slices = encoding[2] == 'c' ? width : n; /* csc: columns */
    char path[200];

    mmlt_ann_group(file, name, encoding);
    mmlt_ann_ints_attr(file, name, "shape", (int64_t[]){n, width}, 2);
    snprintf(path, sizeof path, "%s/indptr", name);
    mmlt_ann_ints(file, path, indptr, (size_t)slices + 1);
    snprintf(path, sizeof path, "%s/indices", name);
    mmlt_h5_array(file, path, H5T_STD_I32LE, H5T_NATIVE_INT32, 1, (hsize_t[]){stored}, indices);
    snprintf(path, sizeof path, "%s/data", name);
    mmlt_h5_array(file, path, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){stored}, data);
}

void mmlt_ann_categorical(hid_t file, const char *name, const int8_t *codes, size_t n, const char *const *levels)
{
    char path[200];

    mmlt_ann_group(file, name, "categorical");
    snprintf(path, sizeof path, "%s/codes", name);
    mmlt_h5_array(file, path, H5T_STD_I8LE, H5T_NATIVE_INT8, 1, (hsize_t[]){n}, codes);
    snprintf(path, sizeof path, "%s/categories", name);
    mmlt_h5_texts(file, path, levels, count(levels));
}

void mmlt_ann_ints(hid_t file, const char *name, const int64_t *x, size_t n)
{
    mmlt_h5_array(file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, (hsize_t[]){n}, x);
}
