/* folder_list.h - the names in a folder, and what a path is. */
#ifndef MMLI_IMPORT_FOLDER_LIST_H
#define MMLI_IMPORT_FOLDER_LIST_H

#include <stdbool.h>

#include "mmlego/base.h"

typedef struct mmli_folder_list {
    char **names; /* (n) by byte, in the same order on every file system; hidden ones are left out */
    size_t n, cap;
} mmli_folder_list;

/* files_only: folders are left out, links to them are not. MML_E_IO: cannot be read. */
mml_status mmli_folder_list_read(mmli_folder_list *out, const char *path, bool files_only);
mml_status mmli_folder_list_add(mmli_folder_list *list, const char *name);
void mmli_folder_list_free(mmli_folder_list *list);
bool mmli_folder_is(const char *path);
/* The same, and no link to one: what may be walked through without coming back. */
bool mmli_folder_is_real(const char *path);
/* Is there a file of this name? */
bool mmli_file_is(const char *path);

#endif
