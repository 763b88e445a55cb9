/* h5guard.c - see h5guard.h. A file driver that hands everything on to one of HDF5's own, and fails reads of what HDF5 must not see: object
 * headers that are not sound (h5header.h), global heaps, and what only files in several parts have.
 *
 * It offers no accumulator of metadata: that would join reads, and here every structure is known by the read that begins where it begins.
 *
 * A global heap collection has texts of variable length, and what a virtual data set is made of. It has no checksum, and HDF5
 * 1.10 follows what it says: H5HG__cache_heap_deserialize() walks objects whose sizes it never compares with the collection (beyond
 * its end, or for ever where one is 0), H5HG_read() takes any index and copies as many bytes as the object claims to have into a
 * buffer of as many as the reference claims. So none of that may run on a file that somebody sent. Texts are read by h5heap.c; what else
 * would make HDF5 load a collection (a fill value, the layout of a virtual data set, which is decoded as the data set is opened)
 * fails here.
 *
 * How a collection is known: HDF5 loads one by a read that starts where it starts (H5C_load_entry(); not through the accumulator of
 * metadata, for a global heap counts as raw data there), and goes on only when signature and version are right. A read of array values
 * that starts with these five bytes fails as well: no text and no sensible number has them.
 */
#include "io/h5guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include "io/h5.h"
#include "io/h5header.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum { IMAGE_STEP = 1 << 16 };

typedef struct settings {
    bool in_memory;
} settings;

typedef struct guarded {
    H5FD_t base; /* HDF5's part, first */
    H5FD_t *inner;
    bool in_memory;
    bool has_start; /* the superblock was read as far as its version */
    haddr_t end;    /* of the file, when it was opened */
    _Atomic int error;
    mmli_h5_headers headers;
} guarded;

/* The registered driver; HDF5 has one for the process, as it has all its state. Written with the lock held. */
static hid_t driver = -1;
static bool no_memory;
static mmli_h5_refusal refused;
static int last_error; /* of the file closed last: of one that could not be opened nothing else is left */

static herr_t forget_driver(void) /* H5close() of the application: ids start anew */
{
    driver = -1;
    return 0;
}

static H5FD_t *inner_of(const H5FD_t *base)
{
    return ((const guarded *)base)->inner;
}

/* Where the bytes of the inner file are; false when that cannot be told. */
static bool bytes_of(mmli_h5_bytes *out, const guarded *f)
{
    void *inner = NULL;

    *out = (mmli_h5_bytes){.fd = -1};
    if (H5FDget_vfd_handle(f->inner, H5P_DEFAULT, &inner) < 0 || inner == NULL)
        return false;
    if (f->in_memory)
        memcpy(&out->memory, inner, sizeof out->memory); /* the address of it, as H5FD_CORE has it */
    else
        memcpy(&out->fd, inner, sizeof out->fd);
    return true;
}

/* ---- what HDF5 calls ------------------------------------------------------------------------------------------------ */

static H5FD_t *guard_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    const settings *s = H5Pget_driver_info(access);
    const hid_t list = H5Pcopy(access);
    guarded *f = NULL;
    hid_t reasons;

    last_error = 0;
    no_memory = mmli_calloc(&f, 1, sizeof *f) != MML_OK || mmli_h5_headers_init(&f->headers) != MML_OK;
    if (!no_memory && s != NULL && list >= 0 &&
        (s->in_memory ? H5Pset_fapl_core(list, IMAGE_STEP, false) : H5Pset_fapl_sec2(list)) >= 0) {
        f->in_memory = s->in_memory;
        errno = 0;
        f->inner = H5FDopen(name, flags, list, most);
        if (f->inner == NULL && !f->in_memory)
            last_error = errno; /* of open() and fstat() */
        if (f->inner != NULL && !bytes_of(&f->headers.c.file, f)) {
            (void)H5FDclose(f->inner);
            f->inner = NULL;
        }
    }
    if (f != NULL && f->inner != NULL) {
        f->headers.c.file.error = &f->error;
        f->end = H5FDget_eof(f->inner, H5FD_MEM_DEFAULT);
    }
    reasons = H5Eget_current_stack(); /* the next call would forget why it could not be opened */
    if (list >= 0)
        H5Pclose(list);
    if (reasons >= 0)
        H5Eset_current_stack(reasons);
    if (f != NULL && f->inner == NULL) {
        mmli_h5_headers_free(&f->headers);
        mmli_free(f);
        f = NULL;
    }
    return f == NULL ? NULL : &f->base;
}

/* A file that was only read is closed whatever the system says; HDF5 1.10 would keep half of one whose close failed, and trip over it when
 * the program ends. */
static herr_t guard_close(H5FD_t *base)
{
    const hid_t reasons = H5Eget_current_stack(); /* as above: of what made HDF5 close it */

    last_error = ((guarded *)base)->error;
    (void)H5FDclose(inner_of(base));
    if (reasons >= 0)
        H5Eset_current_stack(reasons);
    mmli_h5_headers_free(&((guarded *)base)->headers);
    mmli_free(base);
    return 0;
}

/* Without a file: of the driver as such. */
static herr_t guard_query(const H5FD_t *base, unsigned long *flags)
{
    *flags = H5FD_FEAT_ALLOW_FILE_IMAGE;
    if (base != NULL && H5FDquery(inner_of(base), flags) < 0)
        return -1;
    *flags &= ~(unsigned long)H5FD_FEAT_ACCUMULATE_METADATA;
#ifdef H5FD_FEAT_POSIX_COMPAT_HANDLE
    *flags &= ~(unsigned long)H5FD_FEAT_POSIX_COMPAT_HANDLE; /* see guard_handle() */
#endif
    return 0;
}

static int guard_compare(const H5FD_t *a, const H5FD_t *b)
{
    return H5FDcmp(inner_of(a), inner_of(b));
}

static haddr_t guard_allocated(const H5FD_t *base, H5FD_mem_t type)
{
    return H5FDget_eoa(inner_of(base), type);
}

static herr_t guard_allocate(H5FD_t *base, H5FD_mem_t type, haddr_t allocated)
{
    return H5FDset_eoa(inner_of(base), type, allocated);
}

static haddr_t guard_end(const H5FD_t *base, H5FD_mem_t type)
{
    return H5FDget_eof(inner_of(base), type);
}

static herr_t guard_handle(H5FD_t *base, hid_t access, void **handle)
{
    (void)access;
    *handle = base;
    return 0;
}

static herr_t refuse(mmli_h5_refusal why, const char *text)
{
    refused = why;
    H5Eclear2(H5E_DEFAULT);
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_FILE, H5E_READERROR, "%s", text);
    return -1;
}

/* HDF5 reads no further than to what it takes for the end of what is allocated, which must not be behind the end of the file. */
static herr_t check_header(guarded *f, haddr_t at, size_t n, const void *bytes)
{
    const haddr_t allocated = H5FDget_eoa(f->inner, H5FD_MEM_OHDR), end = H5FDget_eof(f->inner, H5FD_MEM_OHDR), base = f->base.base_addr;
    const haddr_t least = allocated < end ? allocated : end;

    if (least < base || at < base)
        return refuse(MMLI_H5_DAMAGED, "an object header outside of the file");
    f->headers.c.file.base = base;
    f->headers.c.file.size = least - base;
    if (mmli_h5_header_ok(&f->headers, at - base, bytes, n))
        return 0;
    no_memory = f->headers.c.no_memory;
    f->headers.c.no_memory = false;
    if (no_memory)
        f->error = ENOMEM;
    return refuse(no_memory ? MMLI_H5_NO_MEMORY : f->headers.external ? MMLI_H5_ELSEWHERE : MMLI_H5_DAMAGED, f->headers.c.why);
}

/* Where superblocks are read, two other things are: what a driver for several files keeps there, and an image of the cache. */
static herr_t check_start(guarded *f, haddr_t at)
{
    enum { START = 16 }; /* bytes that HDF5 reads of a superblock first; then the rest */

    if (at != f->base.base_addr && (!f->has_start || at != f->base.base_addr + START))
        return refuse(MMLI_H5_DAMAGED, "a file in several parts, or with an image of HDF5's cache; rewrite it with h5repack");
    f->has_start = at == f->base.base_addr;
    return 0;
}

/* What H5FD_SEC2 does, but that a file which has become shorter since it was opened is an error, not zeros, and that the error is kept. */
static bool read_disk(const guarded *f, haddr_t at, size_t n, void *out)
{
    mmli_h5_bytes file = f->headers.c.file;
    const size_t there = at >= f->end ? 0 : f->end - at < n ? (size_t)(f->end - at) : n;

    file.base = 0;
    file.size = f->end;
    if (!mmli_h5_bytes_get(out, &file, at, there))
        return false;
    memset((char *)out + there, 0, n - there);
    return true;
}

static herr_t guard_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, void *out)
{
    enum { SIGNATURE = 8 };
    static const unsigned char collection[] = {'G', 'C', 'O', 'L', 1};
    const guarded *f = (const guarded *)base;
    char text[MMLI_ERRNO_BYTES];

    if (f->in_memory && H5FDread(inner_of(base), type, transfer, at, n, out) < 0)
        return -1;
    if (!f->in_memory && !read_disk(f, at, n, out)) {
        H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_READERROR, "%s", mmli_errno_text(text, f->error));
        return -1;
    }
    if (type == H5FD_MEM_OHDR)
        return check_header((guarded *)base, at, n, out);
    if (type == H5FD_MEM_SUPER && n > SIGNATURE) /* not while the superblock is looked for */
        return check_start((guarded *)base, at);
    if (type != H5FD_MEM_GHEAP && (type != H5FD_MEM_DRAW || n < sizeof collection || memcmp(out, collection, sizeof collection) != 0))
        return 0;
    snprintf(text, sizeof text, "a global heap at byte %llu, only texts may lie there", (unsigned long long)at);
    return refuse(MMLI_H5_GLOBAL_HEAP, text);
}

static herr_t guard_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, const void *bytes)
{
    return H5FDwrite(inner_of(base), type, transfer, at, n, bytes);
}

static herr_t guard_lock(H5FD_t *base, hbool_t writing)
{
    herr_t status;

    errno = 0;
    status = H5FDlock(inner_of(base), writing);
    if (status < 0 && errno != 0)
        ((guarded *)base)->error = errno;
    return status;
}

static herr_t guard_unlock(H5FD_t *base)
{
    return H5FDunlock(inner_of(base));
}

static const H5FD_class_t guard_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)0x4d47, /* from the range that needs no registration */
#endif
    .name = "mmlego-guard",
    .maxaddr = ((haddr_t)1 << 63) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .terminate = forget_driver,
    .fapl_size = sizeof(settings),
    .open = guard_open,
    .close = guard_close,
    .cmp = guard_compare,
    .query = guard_query,
    .get_eoa = guard_allocated,
    .set_eoa = guard_allocate,
    .get_eof = guard_end,
    .get_handle = guard_handle,
    .read = guard_read,
    .write = guard_write,
    .lock = guard_lock,
    .unlock = guard_unlock,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* ---- what we call --------------------------------------------------------------------------------------------------- */

herr_t mmli_h5_guard_use(hid_t access, bool in_memory)
{
    const settings s = {in_memory};

    no_memory = false;
    if (driver < 0)
        driver = H5FDregister(&guard_class);
    return driver < 0 ? -1 : H5Pset_driver(access, driver, &s);
}

bool mmli_h5_guard_no_memory(void)
{
    return no_memory;
}

mmli_h5_refusal mmli_h5_guard_refused(void)
{
    const mmli_h5_refusal was = refused;

    refused = MMLI_H5_NOTHING;
    return was;
}

bool mmli_h5_bytes_of(mmli_h5_bytes *out, hid_t object)
{
    const hid_t file = H5Iget_file_id(object), access = file < 0 ? -1 : H5Fget_access_plist(file);
    const hid_t creation = file < 0 ? -1 : H5Fget_create_plist(file);
    hsize_t user_block = 0;
    void *handle = NULL;
    bool ok = access >= 0 && creation >= 0 && driver >= 0 && H5Pget_driver(access) == driver &&
              H5Pget_userblock(creation, &user_block) >= 0 && H5Fget_vfd_handle(file, access, &handle) >= 0;

    *out = (mmli_h5_bytes){.fd = -1};
    if (ok) {
        const guarded *g = handle;
        const haddr_t end = H5FDget_eof(g->inner, H5FD_MEM_DRAW);

        *out = g->headers.c.file;
        out->base = user_block;
        ok = end != HADDR_UNDEF && end >= user_block;
        out->size = ok ? end - user_block : 0;
    }
    mmli_h5_drop(creation);
    mmli_h5_drop(access);
    mmli_h5_drop(file);
    return ok;
}

bool mmli_h5_bytes_get(void *out, const mmli_h5_bytes *file, uint64_t at, size_t n)
{
    unsigned char *bytes = out;

    if (at > file->size || n > file->size - at)
        return false;
    if (file->memory != NULL) {
        memcpy(out, file->memory + file->base + at, n);
        return true;
    }
    while (n > 0) {
        const ssize_t part = pread(file->fd, bytes, n, (off_t)(file->base + at));

        if (part == 0 || (part < 0 && errno != EINTR)) {
            if (file->error != NULL)
                *file->error = part == 0 ? ENODATA : errno;
            return false;
        }
        if (part > 0) {
            bytes += part;
            at += (uint64_t)part;
            n -= (size_t)part;
        }
    }
    return true;
}

static mml_status trouble(int error, const char *path)
{
    char text[MMLI_ERRNO_BYTES];

    switch (error) {
    case 0: return MML_OK;
    case ENOMEM: return mmli_fail(MML_E_NOMEM, "%s: no memory left to read it", path);
    case EWOULDBLOCK: return mmli_fail(MML_E_IO, "%s: is being written by another program; try again when that is done", path);
    case ENODATA: return mmli_fail(MML_E_IO, "%s: has become shorter while it was read; is another program writing it?", path);
    default: return mmli_fail(MML_E_IO, "%s: could not be read: %s", path, mmli_errno_text(text, error));
    }
}

mml_status mmli_h5_guard_trouble(hid_t object, const char *path)
{
    mmli_h5_bytes bytes;
    int error = 0;

    if (object < 0)
        return MML_OK;
    mmli_h5_lock();
    if (mmli_h5_bytes_of(&bytes, object) && bytes.error != NULL)
        error = *bytes.error;
    mmli_h5_unlock();
    return trouble(error, path);
}

static mml_status worse(mml_status st, mml_status than)
{
    return than != MML_OK ? than : st;
}

mml_status mmli_h5_guard_verdict(mml_status st, hid_t file, const char *path)
{
    return st == MML_OK || st == MML_E_NOMEM || st == MML_E_STOPPED ? st : worse(st, mmli_h5_guard_trouble(file, path));
}

mml_status mmli_h5_guard_verdict_open(mml_status st, const char *path)
{
    return worse(st, trouble(last_error, path));
}
