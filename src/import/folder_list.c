/* folder_list.c - see folder_list.h. */
#include "import/folder_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

mml_status mmli_folder_list_add(mmli_folder_list *l, const char *name)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(&l->names, &l->cap, l->n + 1, sizeof *l->names));
    MML_TRY(mmli_strdup(&l->names[l->n], name));
    l->n++;
out:
    return st;
}

mml_status mmli_folder_list_read(mmli_folder_list *out, const char *path, bool files_only)
{
    mml_status st = MML_OK;
    DIR *folder = opendir(path);
    const struct dirent *e;
    char text[MMLI_ERRNO_BYTES];

    *out = (mmli_folder_list){0};
    MML_CHECK(folder != NULL, MML_E_IO, "%s: cannot be read: %s", path, mmli_errno_text(text, errno));
    while ((e = readdir(folder)) != NULL)
        if (e->d_name[0] != '.' && !(files_only && e->d_type == DT_DIR))
            MML_TRY(mmli_folder_list_add(out, e->d_name));
    if (out->n > 1)
        qsort(out->names, out->n, sizeof *out->names, by_bytes);
out:
    if (folder != NULL)
        closedir(folder);
    if (st != MML_OK)
        mmli_folder_list_free(out);
    return st;
}

void mmli_folder_list_free(mmli_folder_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        mmli_free(l->names[i]);
    mmli_free(l->names);
    *l = (mmli_folder_list){0};
}

bool mmli_folder_is(const char *path)
{
    struct stat is;

    return stat(path, &is) == 0 && S_ISDIR(is.st_mode);
}

bool mmli_folder_is_real(const char *path)
{
    struct stat is;

    return lstat(path, &is) == 0 && S_ISDIR(is.st_mode);
}

bool mmli_file_is(const char *path)
{
    struct stat is;

    return stat(path, &is) == 0 && S_ISREG(is.st_mode);
}
