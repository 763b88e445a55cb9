/* atomic.c - write beside the target, flush, rename over it, flush the folder.
 *
 * Models take hours and cohorts cannot always be made again: a full disk or a killed process must leave
 * the old file. rename() is atomic within one file system, hence the temporary file in the same folder.
 */
#include "util/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/text.h"

struct mmli_atomic {
    char *target; /* links resolved */
    char *folder;
    char *temp;
    bool made, committed;
};

static mml_status io_error(const char *what, const char *path, int err)
{
    char text[MMLI_ERRNO_BYTES];

    if (err == ENOSPC || err == EDQUOT)
        return mmli_fail(MML_E_IO, "%s: %s: %s; make room and run this again", path, what,
                         mmli_errno_text(text, err));
    return mmli_fail(MML_E_IO, "%s: %s: %s", path, what, mmli_errno_text(text, err));
}

/* The file behind `path`, and what it is if it exists. */
static mml_status resolve(mmli_atomic *a, const char *path, bool *exists, struct stat *was)
{
    mml_status st = MML_OK;
    char *real = NULL;

    *exists = stat(path, was) == 0;
    if (!*exists) {
        /* stat says ENOENT for no file, and for a link to no file: a rename would replace that link */
        if (errno != ENOENT) {
            st = io_error("cannot be looked at", path, errno);
            goto out;
        }
        MML_CHECK(lstat(path, was) != 0, MML_E_IO,
                  "%s: is a link to a file that does not exist; remove the link or make the file", path);
        st = mmli_strdup(&a->target, path);
        goto out;
    }
    MML_CHECK(!S_ISDIR(was->st_mode), MML_E_IO, "%s: is a folder, a file name is needed", path);
    MML_CHECK(S_ISREG(was->st_mode), MML_E_IO,
              "%s: is a device or a pipe; it cannot be replaced as a whole, name a file", path);
    MML_CHECK(access(path, W_OK) == 0, MML_E_IO,
              "%s: exists and is write-protected; choose another name or make it writable", path);
    if ((real = realpath(path, NULL)) == NULL) {
        st = io_error("cannot be resolved", path, errno);
        goto out;
    }
    st = mmli_strdup(&a->target, real);
out:
    free(real); /* realpath's own malloc */
    return st;
}

static mml_status split_folder(mmli_atomic *a)
{
    char *slash;
    mml_status st;

    if ((st = mmli_strdup(&a->folder, a->target)) != MML_OK)
        return st;
    slash = strrchr(a->folder, '/');
    if (slash == NULL) {
        mmli_free(a->folder);
        return mmli_strdup(&a->folder, ".");
    }
    slash[slash == a->folder ? 1 : 0] = '\0'; /* "/name" is in "/" */
    return MML_OK;
}

/* A name that no other process and no other call uses; O_EXCL decides, this only makes clashes rare. */
static uint64_t fresh(const mmli_atomic *a, unsigned attempt)
{
    struct {
        struct timespec now;
        const void *self;
        int64_t pid;
        uint64_t attempt;
    } seed;

    memset(&seed, 0, sizeof seed);
    clock_gettime(CLOCK_REALTIME, &seed.now);
    seed.self = a;
    seed.pid = (int64_t)getpid();
    seed.attempt = attempt;
    return mmli_hash64(&seed, sizeof seed, 0);
}

/* A file that others could not read must not become readable, not even while it is written. */
static void keep_permissions(int fd, const struct stat *was)
{
    mode_t mode = was->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
    struct stat is;

    if (fstat(fd, &is) == 0 && is.st_gid != was->st_gid && fchown(fd, (uid_t)-1, was->st_gid) != 0)
        mode &= ~(mode_t)S_IRWXG; /* another group would get the rights of the old one */
    (void)fchmod(fd, mode); /* on failure it stays 0600, the safe side */
}

static mml_status make_temp(mmli_atomic *a, bool exists, const struct stat *was)
{
    mml_status st = MML_OK;
    int fd = -1, err = 0;

    for (unsigned attempt = 0; fd < 0 && attempt < 100; attempt++) {
        mmli_free(a->temp);
        MML_TRY(mmli_strf(&a->temp, "%s%s.mmlego-%016" PRIx64 ".tmp", a->folder,
                          strcmp(a->folder, "/") == 0 ? "" : "/", fresh(a, attempt)));
        fd = open(a->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, exists ? 0600 : 0666);
        if (fd < 0 && (err = errno) != EEXIST)
            break;
    }
    if (fd < 0) {
        MML_CHECK(err != ENOENT, MML_E_IO, "%s: the folder %s does not exist; make it first", a->target,
                  a->folder);
        st = io_error("no file can be made in its folder", a->target, err);
        goto out;
    }
    a->made = true;
    if (exists)
        keep_permissions(fd, was);
out:
    if (fd >= 0)
        close(fd);
    return st;
}

mml_status mmli_atomic_begin(mmli_atomic **out, const char *path)
{
    mml_status st = MML_OK;
    mmli_atomic *a = NULL;
    struct stat was;
    bool exists = false;
    size_t n = path == NULL ? 0 : strlen(path);

    *out = NULL;
    MML_CHECK(n > 0, MML_E_ARG, "a file name is needed, this one is empty");
    MML_TRY(mmli_calloc(&a, 1, sizeof *a));
    MML_TRY(resolve(a, path, &exists, &was));
    MML_CHECK(exists || path[n - 1] != '/', MML_E_IO, "%s: is the name of a folder, a file name is needed", path);
    MML_TRY(split_folder(a));
    MML_TRY(make_temp(a, exists, &was));
    *out = a;
    a = NULL;
out:
    mmli_atomic_abort(a);
    return st;
}

const char *mmli_atomic_path(const mmli_atomic *a)
{
    return a->temp;
}

/* Some file systems (network, FUSE) have no flush to offer: not an error of ours. */
static bool flush(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS;
}

mml_status mmli_atomic_commit(mmli_atomic *a)
{
    mml_status st = MML_OK;
    int fd = -1;

    MML_CHECK(!a->committed, MML_E_INTERNAL, "%s: committed twice", a->target);
    fd = open(a->temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || !flush(fd)) {
        st = io_error(fd < 0 ? "its new version is gone" : "could not be written to the disk", a->target, errno);
        goto out;
    }
    close(fd);
    fd = -1;
    if (rename(a->temp, a->target) != 0) {
        MML_CHECK(errno != EXDEV, MML_E_IO,
                  "%s: is on another file system than its folder (a mount point of its own?); write to "
                  "another name and copy it", a->target);
        st = io_error("could not be replaced", a->target, errno);
        goto out;
    }
    a->committed = true;
    fd = open(a->folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    /* A folder that may be written but not read cannot be flushed by name; the rename stands. */
    if (fd >= 0 && !flush(fd))
        st = io_error("is written, but its folder could not be flushed to the disk", a->target, errno);
out:
    if (fd >= 0)
        close(fd);
    return st;
}

void mmli_atomic_abort(mmli_atomic *a)
{
    const int saved = errno;

    if (a == NULL)
        return;
    if (a->made && !a->committed)
        unlink(a->temp);
    mmli_free(a->target);
    mmli_free(a->folder);
    mmli_free(a->temp);
    mmli_free(a);
    errno = saved;
}
