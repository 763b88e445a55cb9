/* slide_files.h - the files of slides in a folder. */
#ifndef MMLI_IMPORT_SLIDE_FILES_H
#define MMLI_IMPORT_SLIDE_FILES_H

#include "import/folder_list.h"
#include "import/slides.h"
#include "io/index.h"

/* The files: ids (names without the ending) and paths, by id. */
typedef struct mmli_slide_files {
    mmli_folder_list ids, paths;
    mmli_index index;
    uint8_t *used; /* by the table */
} mmli_slide_files;

/* As mmli_slides_find() looks for them. */
mml_status mmli_slide_files_find(mmli_slide_files *out, const char *path);
void mmli_slide_files_free(mmli_slide_files *files); /* {0} is fine */

/* Adds the file `at` as a slide of a case. */
mml_status mmli_slides_add(mmli_slides *out, const mmli_slide_files *files, size_t at, const char *of, size_t line);
/* slides_table.c. Adds the slides that a table maps to cases; *has = there is a table with a column of slides. */
mml_status mmli_slides_by_table(bool *has, mmli_slides *out, mmli_buf *notes, mmli_slide_files *files, const char *path,
                                const mmli_slides_options *options, const mmli_import_config *config);

#endif
