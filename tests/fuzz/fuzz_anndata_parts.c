/* Fuzz target: files that HDF5 finds right and AnnData does not. The input is a list of things to put into a file, each with
 * names, encodings, types, shapes and values of its choice; the checksums of HDF5 hide these from a target that changes bytes.
 *
 * A thing is: what (1 byte), name (1), then what it needs. Bytes that are not there are 0. */
#include <unistd.h>

#include "tests/fuzz/use_anndata.h"

const char mmlt_fuzz_name[] = "anndata_parts";

typedef struct input {
    const uint8_t *at, *end;
} input;

static const char *const names[] = {
    ".", "obs", "var", "obs/_index", "var/_index", "X", "X/data", "X/indices", "X/indptr", "layers/a", "layers/a/data",
    "layers/a/indices", "layers/a/indptr", "raw/X", "raw/var", "raw/var/_index", "obsm/e", "obsm/e/_index", "obsm/e/a",
    "obs/a", "obs/a/codes", "obs/a/categories", "obs/a/values", "obs/a/mask", "obs/__categories/a", "obs/a/categories/values",
    "obs/a/categories/mask", "uns/a_categories", "raw.X", "raw.var", "mod", "mod/m", "mod/m/obs", "mod/m/var",
    "mod/m/obs/_index", "mod/m/var/_index", "mod/m/X", "obsmap/m", "obsm/e/data", "obsm/e/indices", "obsm/e/indptr", "a"};
static const char *const keys[] = {"encoding-type", "_index", "column-order", "shape", "categories", "ordered", "mod-order",
                                   "axis", "h5sparse_format", "h5sparse_shape"};
static const char *const words[] = {"anndata", "MuData", "dataframe", "csr_matrix", "csc_matrix", "categorical",
                                    "nullable-integer", "nullable-string-array", "null", "_index", "a", "m", "", "csr", "obs"};

#define PICK(list, i) (list)[(i) % (sizeof(list) / sizeof *(list))]

static uint8_t take(input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

/* Small numbers, mostly; some at the edges. */
static int64_t number(input *in)
{
    static const int64_t edges[] = {INT64_MAX, INT64_MIN, INT32_MAX, UINT32_MAX, (int64_t)1 << 40, -1, 255, 65536};
    const uint8_t b = take(in);

    return b < 200 ? b : PICK(edges, b);
}

static hid_t type_of(uint8_t b)
{
    const hid_t plain[] = {H5T_STD_I64LE, H5T_STD_I32LE, H5T_STD_I8LE, H5T_STD_U8LE, H5T_STD_U64LE, H5T_IEEE_F64LE,
                           H5T_IEEE_F32LE, H5T_STD_I16BE};
    hid_t type;

    if (b % 11 < 8)
        return H5Tcopy(plain[b % 11]);
    if (b % 11 == 8) {
        type = H5Tenum_create(H5T_NATIVE_INT8);
        H5Tenum_insert(type, "FALSE", &(int8_t){0});
        H5Tenum_insert(type, "TRUE", &(int8_t){1});
        return type;
    }
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, b % 11 == 9 ? H5T_VARIABLE : 4);
    return type;
}

/* 64 elements at most, as the type wants them. */
static void fill(input *in, hid_t set, hid_t type, size_t n)
{
    static int64_t values[64];
    static char fixed[64][4];
    static const char *variable[64];

    if (H5Tget_class(type) != H5T_STRING) {
        for (size_t i = 0; i < n; i++)
            values[i] = number(in);
        H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    } else if (H5Tis_variable_str(type) > 0) {
        for (size_t i = 0; i < n; i++)
            variable[i] = PICK(words, take(in));
        H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, variable);
    } else {
        for (size_t i = 0; i < n; i++)
            values[i] = (int64_t)take(in) | (int64_t)take(in) << 8 | (int64_t)take(in) << 16;
        for (size_t i = 0; i < n; i++)
            memcpy(fixed[i], &values[i], 4);
        H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, fixed);
    }
}

/* Shape: a byte says the rank and whether it is chunked and never written (then any size). */
static void put_array(input *in, hid_t file, const char *name, hid_t links)
{
    const uint8_t b = take(in);
    const int rank = b % 4;
    const hid_t type = type_of(take(in)), list = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t dims[4], chunk[4] = {1, 1, 1, 1}, n = 1;
    hid_t space, set;

    for (int i = 0; i < rank; i++) {
        dims[i] = b >= 128 ? (hsize_t)number(in) : take(in) % 9;
        n *= dims[i];
    }
    if (b >= 128 && rank > 0)
        H5Pset_chunk(list, rank, chunk);
    space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
    set = space < 0 ? -1 : H5Dcreate2(file, name, type, space, links, list, H5P_DEFAULT);
    if (set >= 0 && b < 128 && n <= 64)
        fill(in, set, type, (size_t)n);
    mmli_h5_drop(set);
    mmli_h5_drop(space);
    mmli_h5_drop(list);
    mmli_h5_drop(type);
}

/* Fields: index as text of 4 bytes, a as an integer. */
static void put_records(input *in, hid_t file, const char *name, hid_t links)
{
    const hsize_t n = take(in) % 9;
    const hid_t type = H5Tcreate(H5T_COMPOUND, 12), text = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    char bytes[9 * 12];
    hid_t set;

    H5Tset_size(text, 4);
    H5Tinsert(type, "index", 0, text);
    H5Tinsert(type, "a", 4, take(in) % 2 ? H5T_STD_I64LE : H5T_IEEE_F64LE);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)take(in);
    if ((set = H5Dcreate2(file, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT)) >= 0 && n > 0)
        H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
    mmli_h5_drop(set);
    mmli_h5_drop(space);
    mmli_h5_drop(text);
    mmli_h5_drop(type);
}

/* Texts, integers, or a reference to another thing. */
static void put_attr(input *in, hid_t file, const char *name)
{
    const char *key = PICK(keys, take(in)), *texts[4];
    const uint8_t b = take(in);
    const hsize_t n = b / 3 % 4;
    const hid_t object = H5Oopen(file, name, H5P_DEFAULT), space = b & 128 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
    hid_t type, attr;
    int64_t numbers[4];
    hobj_ref_t refs[4] = {0};

    for (size_t i = 0; i < 4; i++) {
        texts[i] = PICK(words, take(in));
        numbers[i] = number(in);
    }
    refs[0] = (hobj_ref_t)numbers[0];
    if (b % 3 == 2 && (numbers[1] & 1))
        H5Rcreate(refs, file, PICK(names, (size_t)numbers[0]), H5R_OBJECT, -1);
    type = b % 3 == 0 ? H5Tcopy(H5T_C_S1) : H5Tcopy(b % 3 == 1 ? H5T_STD_I64LE : H5T_STD_REF_OBJ);
    if (b % 3 == 0)
        H5Tset_size(type, H5T_VARIABLE);
    if (object >= 0 && (attr = H5Acreate2(object, key, type, space, H5P_DEFAULT, H5P_DEFAULT)) >= 0) {
        if (H5Sget_simple_extent_npoints(space) > 0)
            H5Awrite(attr, type, b % 3 == 0 ? (void *)texts : b % 3 == 1 ? (void *)numbers : (void *)refs);
        H5Aclose(attr);
    }
    mmli_h5_drop(type);
    mmli_h5_drop(space);
    mmli_h5_drop(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char path[300];
    const char *tmp = getenv("TMPDIR");
    input in = {bytes, bytes + n};
    hid_t file, links;

    snprintf(path, sizeof path, "%s/mmlt-fuzz-%ld.h5ad", tmp == NULL ? "/tmp" : tmp, (long)getpid());
    mmli_h5_lock(); /* failures of the makers are no news */
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    MMLT_PROMISE(file >= 0);
    links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    for (int left = 60; in.at < in.end && left > 0; left--) {
        const uint8_t what = take(&in);
        const char *name = PICK(names, take(&in));

        switch (what % 4) {
        case 0: mmli_h5_drop(H5Gcreate2(file, name, links, H5P_DEFAULT, H5P_DEFAULT)); break;
        case 1: put_array(&in, file, name, links); break;
        case 2: put_attr(&in, file, name); break;
        default: put_records(&in, file, name, links); break;
        }
    }
    mmli_h5_drop(links);
    MMLT_PROMISE(H5Fclose(file) >= 0);
    mmli_h5_unlock();
    use_anndata(path);
    unlink(path);
    return 0;
}
