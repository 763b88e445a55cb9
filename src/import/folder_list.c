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

mml_status mmli_folder_list_read(mmli_folder_list *out, const char *path)
{
    mml_status st = MML_OK;
    DIR *folder = opendir(path);
    const struct dirent *e;
    char text[MMLI_ERRNO_BYTES];

    *out = (mmli_folder_list){0};
    MML_CHECK(folder != NULL, MML_E_IO, "%s: cannot be read: %s", path, mmli_errno_text(text, errno));
    while ((e = readdir(folder)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        MML_TRY(mmli_grow(&out->names, &out->cap, out->n + 1, sizeof *out->names));
        MML_TRY(mmli_strdup(&out->names[out->n], e->d_name));
        out->n++;
    }
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

bool mmli_file_is(const char *path)
{
    struct stat is;

    return stat(path, &is) == 0 && S_ISREG(is.st_mode);
}
