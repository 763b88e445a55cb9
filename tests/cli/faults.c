/* faults.c - preloaded by faults.sh: makes one call of the tool fail.
 *
 *     FAULT=CALL:N:ERRNO      the N-th call fails with that error number. CALL is alloc (malloc, calloc, realloc) or fork, as asked for by
 *                             the tool or its library themselves, not by others; or open (fopen), read, write (pread, pwrite), sync,
 *                             rename, close
 *     FAULT_FILE=TEXT         counts only calls for files with this in their names
 *     FAULT_SAID=FILE         this file is made when it has happened
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned long calls;

static const char *file_of(char name[4096], int fd)
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, name, 4095);
    name[n < 0 ? 0 : n] = '\0';
    return name;
}

/* Is this the call that is to fail? file: its name, or NULL. Allocates nothing. */
static int is_due(const char *call, const char *file)
{
    const char *fault = getenv("FAULT"), *match = getenv("FAULT_FILE"), *said = getenv("FAULT_SAID");
    const size_t length = strlen(call);
    unsigned long at;
    char *end;

    if (fault == NULL || strncmp(fault, call, length) != 0 || fault[length] != ':' ||
        (file != NULL && match != NULL && strstr(file, match) == NULL))
        return 0;
    at = strtoul(fault + length + 1, &end, 10);
    if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != at)
        return 0;
    if (said != NULL)
        (void)open(said, O_WRONLY | O_CREAT, 0666);
    errno = (int)strtol(end + 1, NULL, 10);
    return 1;
}

static int is_due_fd(const char *call, int fd)
{
    const int kept = errno;
    char name[4096];
    int due;

    if (getenv("FAULT") == NULL)
        return 0;
    due = is_due(call, file_of(name, fd));
    if (!due)
        errno = kept;
    return due;
}

static int is_due_own(const char *call, void *caller)
{
    const char *fault = getenv("FAULT");
    Dl_info from;

    return fault != NULL && strncmp(fault, call, strlen(call)) == 0 && dladdr(caller, &from) != 0 && from.dli_fname != NULL &&
           strstr(from.dli_fname, "mmlego") != NULL && is_due(call, NULL);
}

/* What is replaced, by its name. */
#define NEXT(type, name) (*(type *)next(&(void *){NULL}, name))
static void *next(void **out, const char *name)
{
    *out = dlsym(RTLD_NEXT, name);
    return out;
}

extern void *__libc_malloc(size_t n); /* glibc's own: dlsym() itself allocates */
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t n);

void *malloc(size_t n)
{
    return is_due_own("alloc", __builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return is_due_own("alloc", __builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    return is_due_own("alloc", __builtin_return_address(0)) ? NULL : __libc_realloc(old, n);
}

typedef ssize_t (*reader)(int, void *, size_t, off_t);
typedef ssize_t (*writer)(int, const void *, size_t, off_t);
typedef int (*with_fd)(int);
typedef int (*with_names)(const char *, const char *);
typedef FILE *(*opener)(const char *, const char *);
typedef pid_t (*forker)(void);

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
    return is_due_fd("read", fd) ? -1 : NEXT(reader, "pread")(fd, bytes, n, at);
}

ssize_t pread64(int fd, void *bytes, size_t n, off_t at)
{
    return is_due_fd("read", fd) ? -1 : NEXT(reader, "pread64")(fd, bytes, n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return is_due_fd("write", fd) ? -1 : NEXT(writer, "pwrite")(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
    return is_due_fd("write", fd) ? -1 : NEXT(writer, "pwrite64")(fd, bytes, n, at);
}

int fsync(int fd)
{
    return is_due_fd("sync", fd) ? -1 : NEXT(with_fd, "fsync")(fd);
}

int close(int fd)
{
    const int due = is_due_fd("close", fd), error = errno, closed = NEXT(with_fd, "close")(fd);

    errno = due ? error : errno;
    return due ? -1 : closed;
}

int rename(const char *from, const char *to)
{
    return is_due("rename", to) ? -1 : NEXT(with_names, "rename")(from, to);
}

FILE *fopen(const char *name, const char *mode)
{
    return is_due("open", name) ? NULL : NEXT(opener, "fopen")(name, mode);
}

pid_t fork(void)
{
    return is_due_own("fork", __builtin_return_address(0)) ? -1 : NEXT(forker, "fork")();
}
