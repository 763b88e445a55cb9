/* h5attr.c - attributes: one text or one number each, and the format and version that a file states. */
#include "io/h5.h"
#include "io/h5_inside.h"
#include "io/h5heap.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_h5_has_attr(bool *out, hid_t object, const char *path, const char *name)
{
    htri_t there;

    mmli_h5_lock();
    there = H5Aexists(object, name);
    mmli_h5_unlock();
    *out = there > 0;
    if (there < 0)
        return mmli_fail(MML_E_FORMAT, "%s: attribute %s: damaged", path, name);
    return MML_OK;
}

/* Open attribute of exactly one element, and its type. */
static mml_status open_attr(hid_t *attr, hid_t *type, hid_t object, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t space = -1;
    mmli_h5_full full = mmli_h5_full_name(object, "");

    MML_CHECK(H5Aexists(object, name) > 0, MML_E_FORMAT, "%s: %s%shas no attribute %s", path, full.text,
              full.text[0] != '\0' ? " " : "", name);
    *attr = H5Aopen(object, name, H5P_DEFAULT);
    *type = *attr < 0 ? -1 : H5Aget_type(*attr);
    space = *attr < 0 ? -1 : H5Aget_space(*attr);
    MML_CHECK(*type >= 0 && space >= 0, MML_E_FORMAT, "%s: %s attribute %s: damaged", path, full.text, name);
    MML_CHECK(H5Sget_simple_extent_npoints(space) == 1, MML_E_FORMAT,
              "%s: %s attribute %s: one value is needed, not several", path, full.text, name);
out:
    mmli_h5_drop(space);
    return st;
}

mml_status mmli_h5_attr_text(char **out, hid_t object, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t attr = -1, type = -1;
    char *raw = NULL;
    size_t size;

    *out = NULL;
    mmli_h5_lock();
    MML_TRY(open_attr(&attr, &type, object, path, name));
    MML_CHECK(H5Tget_class(type) == H5T_STRING, MML_E_FORMAT, "%s: attribute %s: text is needed", path, name);
    if (H5Tis_variable_str(type) > 0) {
        st = mmli_h5_heap_attr(out, 1, attr, type, path, name);
        goto out;
    }
    size = H5Tget_size(type);
    MML_TRY(mmli_calloc(&raw, size, 1));
    MML_CHECK(H5Aread(attr, type, raw) >= 0, MML_E_FORMAT, "%s: attribute %s: damaged", path, name);
    MML_TRY(mmli_h5_fixed_text(out, raw, size, H5Tget_strpad(type)));
out:
    mmli_free(raw);
    mmli_h5_drop(type);
    mmli_h5_drop(attr);
    mmli_h5_unlock();
    return st;
}

static mml_status read_number(void *out, hid_t memory, bool is_float, hid_t object, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t attr = -1, type = -1;
    H5T_class_t kind;

    MML_TRY(open_attr(&attr, &type, object, path, name));
    kind = H5Tget_class(type);
    MML_CHECK(kind == H5T_INTEGER || kind == H5T_ENUM || (is_float && kind == H5T_FLOAT), MML_E_FORMAT,
              "%s: attribute %s: %s is needed", path, name, is_float ? "a number" : "an integer");
    MML_CHECK(H5Aread(attr, memory, out) >= 0, MML_E_FORMAT, "%s: attribute %s: damaged", path, name);
out:
    mmli_h5_drop(type);
    mmli_h5_drop(attr);
    return st;
}

mml_status mmli_h5_attr_i64(int64_t *out, hid_t object, const char *path, const char *name)
{
    mml_status st;

    *out = 0;
    mmli_h5_lock();
    st = read_number(out, H5T_NATIVE_INT64, false, object, path, name);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_attr_u64(uint64_t *out, hid_t object, const char *path, const char *name)
{
    mml_status st;

    *out = 0;
    mmli_h5_lock();
    st = read_number(out, H5T_NATIVE_UINT64, false, object, path, name);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_attr_f64(double *out, hid_t object, const char *path, const char *name)
{
    mml_status st;

    *out = 0.0;
    mmli_h5_lock();
    st = read_number(out, H5T_NATIVE_DOUBLE, true, object, path, name);
    mmli_h5_unlock();
    return st;
}

static mml_status write_attr(hid_t object, const char *path, const char *name, hid_t disk, hid_t memory,
                             const void *value)
{
    mml_status st = MML_OK;
    const hid_t space = H5Screate(H5S_SCALAR);
    hid_t attr = -1;
    mmli_h5_note why;

    if (H5Aexists(object, name) > 0)
        H5Adelete(object, name);
    if (space >= 0)
        attr = H5Acreate2(object, name, disk, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attr < 0 || H5Awrite(attr, memory, value) < 0) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: attribute %s could not be written%s", path, name, why.text);
    }
    mmli_h5_drop(attr);
    mmli_h5_drop(space);
    return st;
}

/* Of fixed length, padded with a zero: see mmli_h5_put_texts(). */
mml_status mmli_h5_set_text(hid_t object, const char *path, const char *name, const char *value)
{
    mml_status st = MML_OK;
    hid_t type = -1;

    if (value == NULL)
        value = "";
    mmli_h5_lock();
    type = H5Tcopy(H5T_C_S1);
    MML_CHECK(type >= 0 && H5Tset_size(type, strlen(value) + 1) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0,
              MML_E_NOMEM, "%s: HDF5 has no memory left", path);
    MML_TRY(write_attr(object, path, name, type, type, value));
out:
    mmli_h5_drop(type);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_set_i64(hid_t object, const char *path, const char *name, int64_t value)
{
    mml_status st;

    mmli_h5_lock();
    st = write_attr(object, path, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_set_u64(hid_t object, const char *path, const char *name, uint64_t value)
{
    mml_status st;

    mmli_h5_lock();
    st = write_attr(object, path, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_set_f64(hid_t object, const char *path, const char *name, double value)
{
    mml_status st;

    mmli_h5_lock();
    st = write_attr(object, path, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
    mmli_h5_unlock();
    return st;
}

/* ---- what a file says it is ------------------------------------------------------------------------------- */

mml_status mmli_h5_check_format(int64_t *version, hid_t file, const char *path, const char *what, int64_t newest)
{
    mml_status st = MML_OK;
    char *format = NULL;
    int64_t found = 0;
    bool there = false;

    MML_TRY(mmli_h5_has_attr(&there, file, path, "format"));
    MML_CHECK(there, MML_E_FORMAT, "%s: is not an %s (it has no attribute `format`)", path, what);
    MML_TRY(mmli_h5_attr_text(&format, file, path, "format"));
    MML_CHECK(strcmp(format, what) == 0, MML_E_FORMAT, "%s: is not an %s, it is a%s %s", path, what,
              strncmp(format, "mmlego ", 7) == 0 ? "n" : "", format);
    MML_TRY(mmli_h5_attr_i64(&found, file, path, "version"));
    MML_CHECK(found >= 1, MML_E_FORMAT, "%s: version %lld of the format does not exist", path, (long long)found);
    MML_CHECK(found <= newest, MML_E_FORMAT,
              "%s: was written by a newer libmmlego (version %lld of the format; this library %s reads up to %lld); "
              "update it to read this file", path, (long long)found, mml_version(), (long long)newest);
    if (version != NULL)
        *version = found;
out:
    mmli_free(format);
    return st;
}

mml_status mmli_h5_set_format(hid_t file, const char *path, const char *what, int64_t version)
{
    mml_status st;

    if ((st = mmli_h5_set_text(file, path, "format", what)) != MML_OK)
        return st;
    return mmli_h5_set_i64(file, path, "version", version);
}
