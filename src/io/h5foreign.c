/* h5foreign.c - see h5foreign.h. */
#include "io/h5foreign.h"

#include <string.h>

#include "io/h5_inside.h"
#include "io/h5heap.h"
#include "io/h5packed.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */

const char *mmli_h5_kind_text(mmli_h5_kind kind)
{
    static const char *const texts[] = {"a group", "integers", "integers", "numbers", "numbers",
                                        "booleans", "text",    "records",  "of another kind"};

    return texts[kind];
}

static bool is_boolean(hid_t type)
{
    hid_t base;
    int8_t value[2] = {-1, -1};
    bool is = false;

    if (H5Tget_nmembers(type) != 2 || (base = H5Tget_super(type)) < 0)
        return false;
    is = H5Tget_size(base) == 1 && H5Tenum_valueof(type, "FALSE", &value[0]) >= 0 &&
         H5Tenum_valueof(type, "TRUE", &value[1]) >= 0 && value[0] == 0 && value[1] == 1;
    mmli_h5_drop(base);
    return is;
}

static mmli_h5_kind kind_of_type(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_INTEGER: return H5Tget_sign(type) == H5T_SGN_NONE ? MMLI_H5_IS_UINT : MMLI_H5_IS_INT;
    case H5T_FLOAT: return H5Tget_size(type) <= sizeof(float) ? MMLI_H5_IS_SINGLE : MMLI_H5_IS_DOUBLE;
    case H5T_ENUM: return is_boolean(type) ? MMLI_H5_IS_BOOL : MMLI_H5_IS_INT;
    case H5T_STRING: return MMLI_H5_IS_TEXT;
    case H5T_COMPOUND: return MMLI_H5_IS_COMPOUND;
    default: return MMLI_H5_IS_OTHER;
    }
}

mml_status mmli_h5_kind_of(mmli_h5_kind *out, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t id = -1, type = -1;

    *out = MMLI_H5_IS_OTHER;
    mmli_h5_lock();
    MML_TRY(mmli_h5_object(&id, loc, path, name));
    if (H5Iget_type(id) == H5I_GROUP)
        *out = MMLI_H5_IS_GROUP;
    else if (H5Iget_type(id) == H5I_DATASET && (type = H5Dget_type(id)) >= 0)
        *out = kind_of_type(type);
out:
    mmli_h5_drop(type);
    mmli_h5_drop(id);
    mmli_h5_unlock();
    return st;
}

/* ---- attributes ----------------------------------------------------------------------------------------------------------- */

/* Open attribute, its type, the number of its elements; one of rank 0 has one. */
static mml_status open_attr(hid_t *attr, hid_t *type, size_t *n, hid_t object, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t space = -1;
    hssize_t count = -1;
    const mmli_h5_full full = mmli_h5_full_name(object, "");

    MML_CHECK(H5Aexists(object, name) > 0, MML_E_FORMAT, "%s: %s%shas no attribute %s", path, full.text,
              full.text[0] != '\0' ? " " : "", name);
    *attr = H5Aopen(object, name, H5P_DEFAULT);
    *type = *attr < 0 ? -1 : H5Aget_type(*attr);
    space = *attr < 0 ? -1 : H5Aget_space(*attr);
    if (space >= 0)
        count = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(space);
    MML_CHECK(*type >= 0 && count >= 0, MML_E_FORMAT, "%s: %s attribute %s: damaged", path, full.text, name);
    *n = (size_t)count;
out:
    mmli_h5_drop(space);
    return st;
}

static mml_status fixed_texts(char **texts, size_t n, hid_t attr, hid_t type, const char *path, const char *name)
{
    mml_status st = MML_OK;
    const size_t size = H5Tget_size(type);
    char *raw = NULL;

    MML_TRY(mmli_calloc(&raw, n, size));
    MML_CHECK(H5Aread(attr, type, raw) >= 0, MML_E_FORMAT, "%s: attribute %s: damaged", path, name);
    for (size_t i = 0; i < n && st == MML_OK; i++)
        st = mmli_h5_fixed_text(&texts[i], raw + i * size, size, H5Tget_strpad(type));
out:
    mmli_free(raw);
    return st;
}

mml_status mmli_h5_attr_texts(char ***out, size_t *n, hid_t object, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t attr = -1, type = -1;
    char **texts = NULL;
    size_t count = 0;

    *out = NULL;
    *n = 0;
    mmli_h5_lock();
    MML_TRY(open_attr(&attr, &type, &count, object, path, name));
    MML_CHECK(count == 0 || H5Tget_class(type) == H5T_STRING, MML_E_FORMAT, "%s: %s attribute %s: text is needed", path,
              mmli_h5_full_name(object, "").text, name);
    MML_TRY(mmli_calloc(&texts, count, sizeof *texts));
    if (count > 0)
        MML_TRY(H5Tis_variable_str(type) > 0 ? mmli_h5_heap_attr(texts, count, attr, type, path, name)
                                             : fixed_texts(texts, count, attr, type, path, name));
    *out = texts;
    *n = count;
    texts = NULL;
out:
    mmli_h5_texts_free(texts, count);
    mmli_h5_drop(type);
    mmli_h5_drop(attr);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_attr_i64s(int64_t *out, size_t n, hid_t object, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t attr = -1, type = -1;
    size_t count = 0;

    mmli_h5_lock();
    MML_TRY(open_attr(&attr, &type, &count, object, path, name));
    MML_CHECK(count == n && H5Tget_class(type) == H5T_INTEGER, MML_E_FORMAT, "%s: %s attribute %s: %zu integers are needed",
              path, mmli_h5_full_name(object, "").text, name, n);
    MML_CHECK(H5Aread(attr, H5T_NATIVE_INT64, out) >= 0, MML_E_FORMAT, "%s: %s attribute %s: damaged", path,
              mmli_h5_full_name(object, "").text, name);
out:
    mmli_h5_drop(type);
    mmli_h5_drop(attr);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_attr_refers_to(bool *out, hid_t object, const char *path, const char *attr, hid_t loc,
                                  const char *name)
{
    mml_status st = MML_OK;
    hid_t id = -1, type = -1;
    hobj_ref_t reference = 0, wanted = 0;
    bool there;
    size_t n = 0;

    *out = false;
    mmli_h5_lock();
    MML_TRY(open_attr(&id, &type, &n, object, path, attr));
    MML_CHECK(n == 1 && H5Tequal(type, H5T_STD_REF_OBJ) > 0, MML_E_FORMAT,
              "%s: %s attribute %s: an object reference is needed", path, mmli_h5_full_name(object, "").text, attr);
    MML_CHECK(H5Aread(id, H5T_STD_REF_OBJ, &reference) >= 0, MML_E_FORMAT, "%s: %s attribute %s: damaged", path,
              mmli_h5_full_name(object, "").text, attr);
    MML_TRY(mmli_h5_exists(&there, loc, path, name));
    *out = there && H5Rcreate(&wanted, loc, name, H5R_OBJECT, -1) >= 0 && wanted == reference;
out:
    mmli_h5_drop(type);
    mmli_h5_drop(id);
    mmli_h5_unlock();
    return st;
}

/* ---- compound data sets ---------------------------------------------------------------------------------------------------- */

/* Open data set of rank 1 and its compound type. */
static mml_status open_records(hid_t *set, hid_t *type, size_t *n, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_dataset(set, n, 1, loc, path, name));
    *type = H5Dget_type(*set);
    MML_CHECK(*type >= 0 && H5Tget_class(*type) == H5T_COMPOUND, MML_E_FORMAT, "%s: %s: records are needed", path,
              mmli_h5_full_name(loc, name).text);
out:
    return st;
}

mml_status mmli_h5_fields(char ***out, size_t *n, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t set = -1, type = -1;
    char **names = NULL, *own;
    size_t records = 0;
    int count = 0;

    *out = NULL;
    *n = 0;
    mmli_h5_lock();
    MML_TRY(open_records(&set, &type, &records, loc, path, name));
    MML_CHECK((count = H5Tget_nmembers(type)) >= 0, MML_E_FORMAT, "%s: %s: damaged", path,
              mmli_h5_full_name(loc, name).text);
    MML_TRY(mmli_calloc(&names, (size_t)count, sizeof *names));
    for (int i = 0; i < count; i++) {
        MML_CHECK((own = H5Tget_member_name(type, (unsigned)i)) != NULL, MML_E_FORMAT, "%s: %s: damaged", path,
                  mmli_h5_full_name(loc, name).text);
        st = mmli_strdup(&names[i], own);
        H5free_memory(own);
        if (st != MML_OK)
            goto out;
    }
    *out = names;
    *n = (size_t)count;
    names = NULL;
out:
    mmli_h5_texts_free(names, names == NULL ? 0 : (size_t)count);
    mmli_h5_drop(type);
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}

/* Type of a field, or -1 with a message. */
static hid_t field_type(hid_t type, const char *full, const char *path, const char *field)
{
    const int at = H5Tget_member_index(type, field);
    const hid_t is = at < 0 ? -1 : H5Tget_member_type(type, (unsigned)at);

    if (is < 0)
        mmli_fail(MML_E_FORMAT, "%s: %s has no field %s", path, full, field);
    return is;
}

mml_status mmli_h5_field_kind(mmli_h5_kind *out, hid_t loc, const char *path, const char *name, const char *field)
{
    mml_status st = MML_OK;
    hid_t set = -1, type = -1, is = -1;
    size_t n;

    *out = MMLI_H5_IS_OTHER;
    mmli_h5_lock();
    MML_TRY(open_records(&set, &type, &n, loc, path, name));
    if ((is = field_type(type, mmli_h5_full_name(loc, name).text, path, field)) < 0)
        st = MML_E_FORMAT;
    else
        *out = kind_of_type(is);
out:
    mmli_h5_drop(is);
    mmli_h5_drop(type);
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}

/* Reads one field of all records as `memory`, size bytes each. */
static mml_status read_field(void *out, hid_t memory, size_t size, hid_t set, const char *path, const char *full,
                             const char *field)
{
    mml_status st = MML_OK;
    const hid_t one = H5Tcreate(H5T_COMPOUND, size);

    MML_CHECK(one >= 0 && H5Tinsert(one, field, 0, memory) >= 0, MML_E_NOMEM, "%s: HDF5 has no memory left", path);
    MML_TRY(mmli_h5_check_packed(set, path, full));
    MML_CHECK(H5Dread(set, one, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0, MML_E_IO,
              "%s: field %s of %s could not be read: damaged file or disk", path, field, full);
out:
    mmli_h5_drop(one);
    return st;
}

mml_status mmli_h5_field_get(void *out, mmli_h5_type type, size_t *n, hid_t loc, const char *path, const char *name,
                             const char *field)
{
    mml_status st = MML_OK;
    hid_t set = -1, records = -1, is = -1;
    void *data = NULL;
    mmli_h5_kind kind;
    mmli_h5_full full;

    memcpy(out, &data, sizeof data);
    mmli_h5_lock();
    full = mmli_h5_full_name(loc, name);
    MML_TRY(open_records(&set, &records, n, loc, path, name));
    if ((is = field_type(records, full.text, path, field)) < 0) {
        st = MML_E_FORMAT;
        goto out;
    }
    kind = kind_of_type(is);
    MML_CHECK(kind == MMLI_H5_IS_INT || kind == MMLI_H5_IS_UINT || kind == MMLI_H5_IS_BOOL ||
                  (type == MMLI_H5_F64 && (kind == MMLI_H5_IS_SINGLE || kind == MMLI_H5_IS_DOUBLE)),
              MML_E_FORMAT, "%s: field %s of %s is %s, numbers are needed", path, field, full.text,
              mmli_h5_kind_text(kind));
    MML_TRY(mmli_h5_check_stored(set, *n, H5Tget_size(records), path, full.text));
    MML_TRY(mmli_calloc(&data, *n, 8));
    if (*n > 0)
        MML_TRY(read_field(data, mmli_h5_mem_type(type), 8, set, path, full.text, field));
    memcpy(out, &data, sizeof data);
    data = NULL;
out:
    mmli_free(data);
    mmli_h5_drop(is);
    mmli_h5_drop(records);
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_field_texts(char ***out, size_t *n, hid_t loc, const char *path, const char *name, const char *field)
{
    mml_status st = MML_OK;
    hid_t set = -1, records = -1, is = -1;
    char **texts = NULL, *raw = NULL;
    size_t count = 0, size;
    mmli_h5_full full;

    *out = NULL;
    *n = 0;
    mmli_h5_lock();
    full = mmli_h5_full_name(loc, name);
    MML_TRY(open_records(&set, &records, &count, loc, path, name));
    if ((is = field_type(records, full.text, path, field)) < 0) {
        st = MML_E_FORMAT;
        goto out;
    }
    MML_CHECK(H5Tget_class(is) == H5T_STRING && H5Tis_variable_str(is) == 0, MML_E_FORMAT,
              "%s: field %s of %s: text of a fixed length is needed", path, field, full.text);
    size = H5Tget_size(is);
    MML_TRY(mmli_h5_check_stored(set, count, H5Tget_size(records), path, full.text));
    MML_TRY(mmli_calloc(&raw, count, size));
    MML_TRY(mmli_calloc(&texts, count, sizeof *texts));
    if (count > 0)
        MML_TRY(read_field(raw, is, size, set, path, full.text, field));
    for (size_t i = 0; i < count; i++)
        MML_TRY(mmli_h5_fixed_text(&texts[i], raw + i * size, size, H5Tget_strpad(is)));
    *out = texts;
    *n = count;
    texts = NULL;
out:
    mmli_h5_texts_free(texts, count);
    mmli_free(raw);
    mmli_h5_drop(is);
    mmli_h5_drop(records);
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}
