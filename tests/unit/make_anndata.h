/* make_anndata.h - small AnnData files by raw HDF5 calls, right or wrong, in the folder of the test (folder.h).
 *
 *     f = mmlt_ann_new("a.h5ad", 3, 2);               3 observations c0 .. c2, 2 variables g0, g1
 *     mmlt_ann_sparse(f, "X", "csr_matrix", 3, 2, (int64_t[]){0, 1, 1, 2}, (int32_t[]){1, 0}, (double[]){5, 7}, 2);
 *     H5Fclose(f);
 */
#ifndef MMLT_MAKE_ANNDATA_H
#define MMLT_MAKE_ANNDATA_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

/* With tables obs and var that have no columns. */
hid_t mmlt_ann_new(const char *name, size_t n_obs, size_t n_var);
/* An empty file that says it is `encoding` ("MuData"), or says nothing (NULL). */
hid_t mmlt_ann_empty(const char *name, const char *encoding);
/* Group of that name with ids STEM0, STEM1, ...; the columns (NULL ends them) are the caller's to add. */
void mmlt_ann_frame(hid_t file, const char *name, const char *stem, size_t n, const char *const *columns);
void mmlt_ann_dense(hid_t file, const char *name, size_t n, size_t width, const float *x);
/* encoding: csr_matrix or csc_matrix. */
void mmlt_ann_sparse(hid_t file, const char *name, const char *encoding, int64_t n, int64_t width, const int64_t *indptr,
                     const int32_t *indices, const double *data, size_t stored);
/* Group of that name; levels end with NULL. */
void mmlt_ann_categorical(hid_t file, const char *name, const int8_t *codes, size_t n, const char *const *levels);
void mmlt_ann_ints(hid_t file, const char *name, const int64_t *x, size_t n);
void mmlt_ann_group(hid_t file, const char *name, const char *encoding);
/* Attributes of an object of the file ("." = the file). */
void mmlt_ann_text_attr(hid_t file, const char *name, const char *attr, const char *value);
void mmlt_ann_texts_attr(hid_t file, const char *name, const char *attr, const char *const *values);
void mmlt_ann_ints_attr(hid_t file, const char *name, const char *attr, const int64_t *values, size_t n);

#endif
