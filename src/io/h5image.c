/* h5image.c - HDF5's core driver keeps a file in memory; zlib makes it small. */
#include "io/h5image.h"

#include <string.h>
#include <zlib.h>

#include "io/h5guard.h"
#include "util/alloc.h"
#include "util/base64.h"
#include "util/error.h"
#include "util/text.h"

enum { STEP_BYTES = 1 << 16, IMAGE_MOST = 256 << 20, DEFLATE_MOST = 1032 /* what deflate can do at best */ };

/* Access to a file that is in memory only. */
static hid_t core_access(bool reading)
{
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);

    if (list >= 0 && (reading ? mmli_h5_guard_use(list, true) : H5Pset_fapl_core(list, STEP_BYTES, 0)) < 0) {
        mmli_h5_drop(list);
        return -1;
    }
#if H5_VERSION_GE(1, 10, 2)
    if (list >= 0)
        H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18); /* as mmli_h5_create() */
#endif
    return list;
}

/* HDF5 takes files of one name for one file; two threads may work on one path, not on one handle. */
static mml_status image_name(char **out, const char *path, const hid_t *handle)
{
    return mmli_strf(out, "%s#%p", path, (const void *)handle);
}

mml_status mmli_h5_image_create(hid_t *out, const char *path)
{
    mml_status st = MML_OK;
    char *name = NULL;
    hid_t list = -1, creation = -1;

    *out = -1;
    mmli_h5_lock();
    MML_TRY(image_name(&name, path, out));
    list = core_access(false);
    creation = H5Pcreate(H5P_FILE_CREATE);
    MML_CHECK(list >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
                  H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
                  (*out = H5Fcreate(name, H5F_ACC_TRUNC, creation, list)) >= 0, MML_E_NOMEM,
              "%s: HDF5 has no memory left", path);
out:
    mmli_h5_drop(creation);
    mmli_h5_drop(list);
    mmli_free(name);
    mmli_h5_unlock();
    return st;
}

/* The bytes of the file as it would be on disk. Out of the driver's memory: H5Fget_file_image() of HDF5 1.10 clears a flag
 * in its copy of the superblock and leaves the checksum, so that the copy cannot be opened. */
static mml_status image_bytes(unsigned char **out, size_t *n, hid_t file, const char *path)
{
    mml_status st = MML_OK;
    void *memory = NULL;
    hsize_t size = 0;

    *out = NULL;
    mmli_h5_lock();
    MML_CHECK(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 && H5Fget_filesize(file, &size) >= 0 &&
                  H5Fget_vfd_handle(file, H5P_DEFAULT, &memory) >= 0 && memory != NULL, MML_E_NOMEM,
              "%s: HDF5 has no memory left", path);
    MML_CHECK(size <= IMAGE_MOST, MML_E_ARG, "%s: %llu bytes besides the parameters; at most %d fit", path,
              (unsigned long long)size, IMAGE_MOST);
    *n = (size_t)size;
    MML_TRY(mmli_calloc(out, *n, 1));
    memcpy(*out, *(void **)memory, *n);
out:
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_image_text(char **out, hid_t *file, const char *path)
{
    mml_status st = MML_OK;
    unsigned char *bytes = NULL, *packed = NULL;
    char *letters = NULL;
    size_t n = 0;
    uLongf n_packed;

    *out = NULL;
    MML_TRY(image_bytes(&bytes, &n, *file, path));
    n_packed = compressBound((uLong)n);
    MML_TRY(mmli_calloc(&packed, n_packed, 1));
    MML_CHECK(compress2(packed, &n_packed, bytes, (uLong)n, 9) == Z_OK, MML_E_NOMEM, "%s: out of memory", path);
    MML_TRY(mmli_base64_encode(&letters, packed, n_packed));
    MML_TRY(mmli_strf(out, "%zu:%s", n, letters));
out:
    mmli_h5_drop(*file);
    *file = -1;
    mmli_free(bytes);
    mmli_free(packed);
    mmli_free(letters);
    return st;
}

/* "SIZE:BASE64" -> the bytes of the file. */
static mml_status unpack(unsigned char **out, size_t *n, const char *text, const char *path)
{
    mml_status st = MML_OK;
    const char *colon = strchr(text, ':');
    unsigned char *packed = NULL;
    size_t n_packed = 0;
    uLongf got;

    *out = NULL;
    MML_CHECK(colon != NULL && mmli_parse_size(n, text, (size_t)(colon - text), IMAGE_MOST), MML_E_FORMAT,
              "%s: what goes with the parameters is damaged (its size)", path);
    if ((st = mmli_base64_decode(&packed, &n_packed, colon + 1)) != MML_OK) {
        st = mmli_fail_prefix(st, "%s: what goes with the parameters", path);
        goto out;
    }
    MML_CHECK(*n / DEFLATE_MOST <= n_packed, MML_E_FORMAT, "%s: what goes with the parameters is damaged (its size)", path);
    MML_TRY(mmli_calloc(out, *n, 1));
    got = (uLongf)*n;
    MML_CHECK(uncompress(*out, &got, packed, (uLong)n_packed) == Z_OK && got == *n, MML_E_FORMAT,
              "%s: what goes with the parameters is damaged (zlib)", path);
out:
    mmli_free(packed);
    return st;
}

mml_status mmli_h5_image_open(hid_t *out, const char *text, const char *path)
{
    mml_status st = MML_OK;
    unsigned char *bytes = NULL;
    char *name = NULL;
    size_t n = 0;
    hid_t list = -1;

    *out = -1;
    mmli_h5_lock();
    MML_TRY(image_name(&name, path, out));
    MML_TRY(unpack(&bytes, &n, text, path));
    MML_CHECK((list = core_access(true)) >= 0 && H5Pset_file_image(list, bytes, n) >= 0, MML_E_NOMEM,
              "%s: HDF5 has no memory left", path);
    *out = H5Fopen(name, H5F_ACC_RDONLY, list);
    MML_CHECK(*out >= 0 || !mmli_h5_guard_no_memory(), MML_E_NOMEM, "%s: no memory left to open what goes with the parameters", path);
    MML_CHECK(*out >= 0, MML_E_FORMAT, "%s: what goes with the parameters is damaged (HDF5)", path);
out:
    mmli_h5_drop(list);
    mmli_free(name);
    mmli_free(bytes);
    mmli_h5_unlock();
    return st;
}
