/* out.c - files that appear whole or not at all, and checks before long work. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static int say_errno(const mmlc_command *command, const char *path, const char *what)
{
    mmlc_say(command, "%s: %s: %s", path, what, strerror(errno));
    return MMLC_FAILURE;
}

/* The folder a path is in, as a new string; NULL = no memory. */
static char *folder_of(const char *path)
{
    char *copy = strdup(path);
    char *folder = copy == NULL ? NULL : strdup(dirname(copy)); /* dirname may change its argument */

    free(copy);
    return folder;
}

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The last part of a path without slashes at its end, which name no file. */
static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

int mmlc_same_file(const char *a, const char *b)
{
    char *in_a = NULL, *in_b = NULL;
    struct stat x, y;
    int same = strcmp(a, b) == 0, here = stat(a, &x) == 0, there = stat(b, &y) == 0;

    if (same || here || there)
        return same || (here && there && is_same(&x, &y));
    in_a = folder_of(a);
    in_b = folder_of(b);
    same = in_a != NULL && in_b != NULL && strcmp(name_of(a), name_of(b)) == 0 && stat(in_a, &x) == 0 && stat(in_b, &y) == 0 &&
           is_same(&x, &y);
    free(in_a);
    free(in_b);
    return same;
}

int mmlc_not_an_input(const mmlc_command *command, const char *path, const char *const *inputs, size_t n)
{
    struct stat out, in;

    if (stat(path, &out) != 0)
        return MMLC_GO;
    for (size_t i = 0; i < n; i++)
        if (inputs[i] != NULL && stat(inputs[i], &in) == 0 && is_same(&in, &out))
            return mmlc_usage_error(command, "the output %s is one of the inputs", path);
    return MMLC_GO;
}

int mmlc_is_stdout(const char *path)
{
    return path == NULL || strcmp(path, "-") == 0;
}

int mmlc_not_stdout(const mmlc_command *command, const char *path)
{
    if (!mmlc_is_stdout(path))
        return MMLC_GO;
    return mmlc_usage_error(command, "the name of a file or folder is needed in place of -: this does not go to standard output (./- is a file of that name)");
}

int mmlc_check_output(const mmlc_command *command, const char *path, const char *const *inputs, size_t n)
{
    struct stat out;
    char *folder = NULL;
    int rc;

    rc = mmlc_not_stdout(command, path);
    if (rc == MMLC_GO)
        rc = mmlc_not_an_input(command, path, inputs, n);
    if (rc != MMLC_GO)
        return rc;
    if (stat(path, &out) == 0 && !S_ISREG(out.st_mode))
        return mmlc_usage_error(command, "the output %s is not a regular file", path);
    folder = folder_of(path);
    if (folder == NULL)
        return mmlc_no_memory(command);
    if (access(folder, W_OK | X_OK) != 0)
        rc = say_errno(command, path, "cannot be made in its folder");
    free(folder);
    return rc;
}

int mmlc_out_open(mmlc_out *out, const mmlc_command *command, const char *path)
{
    struct stat st;
    mode_t mask = umask(0), mode = 0666;
    char *real = NULL;
    int file = -1;

    umask(mask);
    *out = (mmlc_out){.command = command, .stream = stdout};
    if (mmlc_is_stdout(path))
        return MMLC_GO;
    mode &= ~mask;
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode)) { /* a device or a pipe cannot be replaced: written in place */
            out->stream = fopen(path, "w");
            out->path = strdup(path);
            if (out->stream == NULL)
                return say_errno(command, path, "cannot be written");
            return out->path != NULL ? MMLC_GO : mmlc_no_memory(command);
        }
        mode = st.st_mode & 07777;
        real = realpath(path, NULL); /* a link stays a link, its target is replaced */
    }
    out->path = real != NULL ? real : strdup(path);
    if (out->path == NULL || asprintf(&out->temporary, "%s.XXXXXX", out->path) < 0) {
        out->temporary = NULL; /* undefined after a failure */
        return mmlc_no_memory(command);
    }
    mmlc_signals_note();
    file = mkstemp(out->temporary);
    if (file < 0 || fchmod(file, mode) != 0 || (out->stream = fdopen(file, "w")) == NULL) {
        int rc = say_errno(command, path, "cannot be written");

        if (file >= 0) {
            close(file);
            unlink(out->temporary);
        }
        free(out->temporary);
        out->temporary = NULL;
        out->stream = NULL;
        return rc;
    }
    return MMLC_GO;
}

static void out_free(mmlc_out *out)
{
    free(out->path);
    free(out->temporary);
    *out = (mmlc_out){.stream = NULL};
}

const char *mmlc_temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder != NULL && folder[0] != '\0' ? folder : P_tmpdir;
}

int mmlc_spool_open(char **path, const mmlc_command *command)
{
    int file = -1;

    if (asprintf(path, "%s/mmlego.XXXXXX", mmlc_temporary_folder()) < 0) {
        *path = NULL; /* undefined after a failure */
        return mmlc_no_memory(command);
    }
    file = mkstemp(*path);
    if (file < 0) {
        int rc = say_errno(command, *path, "cannot be written");

        free(*path);
        *path = NULL;
        return rc;
    }
    close(file);
    return MMLC_GO;
}

int mmlc_spool_print(char *path, const mmlc_command *command, int print)
{
    char block[1 << 16];
    FILE *from = print ? fopen(path, "rb") : NULL;
    size_t n;
    int rc = print && from == NULL ? say_errno(command, path, "cannot be read") : MMLC_GO;

    unlink(path); /* now: who reads stdout may go away, and this program with it */
    while (from != NULL && (n = fread(block, 1, sizeof block, from)) > 0 && fwrite(block, 1, n, stdout) == n)
        continue;
    if (from != NULL && ferror(from))
        rc = say_errno(command, path, "cannot be read");
    if (from != NULL)
        fclose(from);
    free(path);
    return rc == MMLC_GO && print ? mmlc_flush(command) : rc;
}

int mmlc_out_commit(mmlc_out *out)
{
    int bad = 0, rc = MMLC_OK;

    if (out->path == NULL) {
        rc = mmlc_flush(out->command);
        out_free(out);
        return rc;
    }
    bad = fflush(out->stream) != 0 || ferror(out->stream);
    if (!bad && out->temporary != NULL)
        bad = fsync(fileno(out->stream)) != 0;
    if (fclose(out->stream) != 0)
        bad = 1;
    out->stream = NULL;
    if (!bad && out->temporary != NULL)
        bad = rename(out->temporary, out->path) != 0;
    if (bad) {
        rc = say_errno(out->command, out->path, "could not be written");
        if (out->temporary != NULL)
            unlink(out->temporary);
    }
    out_free(out);
    return rc;
}

void mmlc_out_abort(mmlc_out *out)
{
    if (out->stream != NULL && out->path != NULL)
        fclose(out->stream);
    if (out->temporary != NULL)
        unlink(out->temporary);
    out_free(out);
}

void mmlc_put_name(FILE *to, const char *name)
{
    for (; *name != '\0'; name++)
        switch (*name) {
        case '\t': fputs("\\t", to); break;
        case '\n': fputs("\\n", to); break;
        case '\r': fputs("\\r", to); break;
        case '\\': fputs("\\\\", to); break;
        default: fputc(*name, to);
        }
}
