/* raw_cohort.c - see raw_cohort.h. */
#include "tests/unit/raw_cohort.h"

#include <math.h>
#include <string.h>

#include "io/cohort.h"

const char *const mmlt_raw_ids[MMLT_RAW_N] = {"p1", "p2", "p3", "p4", "p\xC3\xA9"};

void mmlt_raw_kind(hid_t file, const char *group, const char *kind)
{
    const hid_t g = H5Gopen2(file, group, H5P_DEFAULT), space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
    hid_t attr;

    if (H5Aexists(g, "kind") > 0)
        H5Adelete(g, "kind");
    H5Tset_size(type, strlen(kind)); /* a fixed-length text, as MATLAB and R write them */
    attr = H5Acreate2(g, "kind", type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(attr, type, kind), 0);
    H5Aclose(attr);
    H5Tclose(type);
    H5Sclose(space);
    H5Gclose(g);
}

hid_t mmlt_raw_cohort(const char *name)
{
    const hid_t file = H5Fcreate(mmlt_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const float bag[7][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}, {10, NAN}, {12, 13}};
    const float places[7] = {0, 0.5f, 1, 0, 0.25f, 0.75f, 0};
    const double table[3][1] = {{-1}, {-2}, {-3}};

    mmlt_assert_ok(mmli_h5_set_format(file, name, MMLI_COHORT_FORMAT, 1));
    mmlt_h5_texts(file, "samples/id", mmlt_raw_ids, MMLT_RAW_N);
    mmlt_h5_texts(file, "columns/site", (const char *const[]){"A", "B", "A", "", "B"}, MMLT_RAW_N);
    mmlt_h5_array(file, "modalities/bag/values", H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){7, 2}, bag);
    mmlt_h5_array(file, "modalities/bag/positions", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){7, 1}, places);
    mmlt_h5_array(file, "modalities/bag/offsets", H5T_STD_I32LE, H5T_NATIVE_INT64, 1, (hsize_t[]){6},
                  (int64_t[]){0, 3, 3, 4, 6, 7});
    mmlt_h5_texts(file, "modalities/bag/features", (const char *const[]){"x", "y"}, 2);
    mmlt_raw_kind(file, "modalities/bag", "bag");
    mmlt_h5_array(file, "modalities/table/values", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, (hsize_t[]){3, 1}, table);
    mmlt_h5_array(file, "modalities/table/offsets", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, (hsize_t[]){6},
                  (int64_t[]){0, 1, 2, 2, 2, 3});
    mmlt_h5_texts(file, "modalities/table/features", (const char *const[]){"age"}, 1);
    mmlt_raw_kind(file, "modalities/table", "table");
    mmlt_h5_array(file, "tasks/stage/code", H5T_STD_I8LE, H5T_NATIVE_INT, 1, (hsize_t[]){MMLT_RAW_N}, (int[]){2, 0, -1, 1, 0});
    mmlt_h5_texts(file, "tasks/stage/classes", (const char *const[]){"I", "II", "III"}, 3);
    mmlt_raw_kind(file, "tasks/stage", "multiclass");
    mmlt_h5_array(file, "tasks/os/time", H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){MMLT_RAW_N},
                  (double[]){1.5, 0, NAN, 3, 4});
    mmlt_h5_array(file, "tasks/os/event", H5T_STD_U8LE, H5T_NATIVE_INT, 1, (hsize_t[]){MMLT_RAW_N}, (int[]){1, 0, 1, 0, 1});
    mmlt_raw_kind(file, "tasks/os", "survival");
    mmlt_h5_array(file, "tasks/los/value", H5T_STD_I16LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){MMLT_RAW_N},
                  (double[]){1, -2, 3, 4, 5});
    mmlt_raw_kind(file, "tasks/los", "regression");
    return file;
}
