/* h5disk.c - a file driver for HDF5 whose writes do not fail: what the disk refuses is kept in memory.
 *
 * The same calls and the same layout of the file as HDF5's own driver for POSIX files (sec2). After the first failure
 * the file on the disk is lost anyway, but HDF5 must still find there what it wrote, or it stumbles over its own
 * metadata; writers stop at their next mmli_h5_disk_check(), so little is ever kept.
 */
#include "io/h5disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

struct mmli_h5_trouble {
    int error; /* errno of the first failure; 0 = none */
    unsigned holders;
};

/* Bytes that are not on the disk, in the order they were written. */
typedef struct kept {
    struct kept *next;
    haddr_t at;
    size_t n;
    unsigned char *bytes;
} kept;

typedef struct disk {
    H5FD_t base; /* HDF5's part, first */
    int fd;
    haddr_t allocated, end; /* bytes that HDF5 uses, that are written */
    mmli_h5_trouble *trouble;
    kept *first, *last;
} disk;

/* The registered driver; HDF5 has one for the process, as it has all its state. Written with the lock held. */
static hid_t driver = -1;
static bool no_memory;

static herr_t forget_driver(void) /* H5close() of the application: ids start anew */
{
    driver = -1;
    return 0;
}

static void release(mmli_h5_trouble *trouble)
{
    if (trouble != NULL && --trouble->holders == 0)
        mmli_free(trouble);
}

/* ---- what HDF5 calls ------------------------------------------------------------------------------------------------ */

static H5FD_t *disk_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    const int mode = ((flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY) | ((flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0) |
                     ((flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0) | ((flags & H5F_ACC_EXCL) != 0 ? O_EXCL : 0);
    char text[MMLI_ERRNO_BYTES];
    disk *d = NULL;
    off_t end;

    (void)access;
    (void)most;
    no_memory = no_memory || mmli_calloc(&d, 1, sizeof *d) != MML_OK;
    if (no_memory)
        return NULL;
    d->fd = -1;
    no_memory = mmli_calloc(&d->trouble, 1, sizeof *d->trouble) != MML_OK;
    if (no_memory)
        goto failed;
    d->trouble->holders = 1;
    if ((d->fd = open(name, mode | O_CLOEXEC, 0666)) < 0 || (end = lseek(d->fd, 0, SEEK_END)) < 0) {
        H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_FILE, H5E_CANTOPENFILE, "%s",
                 mmli_errno_text(text, errno));
        goto failed;
    }
    d->end = (haddr_t)end;
    return &d->base;
failed:
    if (d->fd >= 0)
        close(d->fd);
    release(d->trouble);
    mmli_free(d);
    return NULL;
}

static herr_t disk_close(H5FD_t *base)
{
    disk *d = (disk *)base;
    kept *next;

    if (close(d->fd) != 0 && errno != EINTR && d->trouble->error == 0)
        d->trouble->error = errno; /* a file system over the network may say only now that it is full */
    for (kept *k = d->first; k != NULL; k = next) {
        next = k->next;
        mmli_free(k->bytes);
        mmli_free(k);
    }
    release(d->trouble);
    mmli_free(d);
    return 0;
}

static herr_t disk_query(const H5FD_t *base, unsigned long *flags)
{
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
#ifdef H5FD_FEAT_DEFAULT_VFD_COMPATIBLE
    *flags |= H5FD_FEAT_DEFAULT_VFD_COMPATIBLE; /* any driver may read the file */
#endif
    return 0;
}

static haddr_t disk_allocated(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const disk *)base)->allocated;
}

static herr_t disk_allocate(H5FD_t *base, H5FD_mem_t type, haddr_t allocated)
{
    (void)type;
    ((disk *)base)->allocated = allocated;
    return 0;
}

static haddr_t disk_end(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const disk *)base)->end;
}

static herr_t disk_handle(H5FD_t *base, hid_t access, void **handle)
{
    (void)access;
    *handle = ((disk *)base)->trouble;
    return 0;
}

static herr_t disk_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, void *out)
{
    const disk *d = (const disk *)base;
    unsigned char *bytes = out;
    size_t got = 0;

    (void)type;
    (void)transfer;
    while (got < n) {
        const ssize_t part = pread(d->fd, bytes + got, n - got, (off_t)(at + got));

        if (part < 0 && errno != EINTR)
            return -1;
        if (part == 0) { /* behind the end there are zeros */
            memset(bytes + got, 0, n - got);
            break;
        }
        got += part > 0 ? (size_t)part : 0;
    }
    for (const kept *k = d->first; k != NULL; k = k->next) {
        const haddr_t from = k->at > at ? k->at : at, to = k->at + k->n < at + n ? k->at + k->n : at + n;

        if (from < to)
            memcpy(bytes + (from - at), k->bytes + (from - k->at), (size_t)(to - from));
    }
    return 0;
}

static int write_out(int fd, haddr_t at, const unsigned char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t part = pwrite(fd, bytes, n, (off_t)at);

        if (part < 0 && errno != EINTR)
            return errno;
        if (part == 0)
            return ENOSPC;
        if (part > 0) {
            bytes += part;
            at += (haddr_t)part;
            n -= (size_t)part;
        }
    }
    return 0;
}

static herr_t keep(disk *d, haddr_t at, const void *bytes, size_t n)
{
    kept *k = NULL;

    if (mmli_calloc(&k, 1, sizeof *k) != MML_OK || mmli_calloc(&k->bytes, n, 1) != MML_OK) {
        mmli_free(k);
        return -1;
    }
    k->at = at;
    k->n = n;
    memcpy(k->bytes, bytes, n);
    *(d->last == NULL ? &d->first : &d->last->next) = k;
    d->last = k;
    return 0;
}

static herr_t disk_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, const void *bytes)
{
    disk *d = (disk *)base;

    (void)type;
    (void)transfer;
    if (d->trouble->error == 0)
        d->trouble->error = write_out(d->fd, at, bytes, n);
    if (d->trouble->error != 0 && keep(d, at, bytes, n) < 0)
        return -1;
    d->end = at + n > d->end ? at + n : d->end;
    return 0;
}

static herr_t disk_truncate(H5FD_t *base, hid_t transfer, hbool_t closing)
{
    disk *d = (disk *)base;

    (void)transfer;
    (void)closing;
    if (d->allocated != d->end && d->trouble->error == 0 && ftruncate(d->fd, (off_t)d->allocated) != 0)
        d->trouble->error = errno;
    d->end = d->allocated;
    return 0;
}

static const H5FD_class_t disk_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)0x4d4d, /* from the range that needs no registration */
#endif
    .name = "mmlego",
    .maxaddr = ((haddr_t)1 << 63) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .terminate = forget_driver,
    .open = disk_open,
    .close = disk_close,
    .query = disk_query,
    .get_eoa = disk_allocated,
    .set_eoa = disk_allocate,
    .get_eof = disk_end,
    .get_handle = disk_handle,
    .read = disk_read,
    .write = disk_write,
    .truncate = disk_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* ---- what we call --------------------------------------------------------------------------------------------------- */

herr_t mmli_h5_disk_use(hid_t access)
{
    no_memory = false;
    if (driver < 0)
        driver = H5FDregister(&disk_class);
    return driver < 0 ? -1 : H5Pset_driver(access, driver, NULL);
}

bool mmli_h5_disk_no_memory(void)
{
    return no_memory;
}

/* Lent, NULL for a file of another driver. */
static mmli_h5_trouble *find(hid_t file)
{
    const hid_t access = H5Fget_access_plist(file);
    void *handle = NULL;

    if (access >= 0 && driver >= 0 && H5Pget_driver(access) == driver && H5Fget_vfd_handle(file, access, &handle) < 0)
        handle = NULL;
    mmli_h5_drop(access);
    return handle;
}

static mml_status verdict(int error, const char *path)
{
    const char *help = error == ENOSPC || error == EDQUOT ? "; make room and run this again"
                       : error == EFBIG                   ? "; the limit on the size of files (ulimit -f) is too low for it"
                                                          : "";
    char text[MMLI_ERRNO_BYTES];

    if (error == 0)
        return MML_OK;
    return mmli_fail(MML_E_IO, "%s: could not be written: %s%s", path, mmli_errno_text(text, error), help);
}

mml_status mmli_h5_disk_check(hid_t object, const char *path)
{
    const hid_t file = H5Iget_file_id(object);
    const mmli_h5_trouble *trouble = file < 0 ? NULL : find(file);
    const int error = trouble == NULL ? 0 : trouble->error;

    mmli_h5_drop(file);
    return verdict(error, path);
}

mmli_h5_trouble *mmli_h5_trouble_of(hid_t file)
{
    mmli_h5_trouble *trouble = find(file);

    if (trouble != NULL)
        trouble->holders++;
    return trouble;
}

mml_status mmli_h5_trouble_end(mmli_h5_trouble *trouble, const char *path)
{
    const int error = trouble == NULL ? 0 : trouble->error;

    release(trouble);
    return verdict(error, path);
}
