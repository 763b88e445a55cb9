/* image_files.h - the JPEG and PNG files of a folder, and what their headers say together. */
#ifndef MMLI_IMPORT_IMAGE_FILES_H
#define MMLI_IMPORT_IMAGE_FILES_H

#include "formats/image.h"
#include "util/text.h"

typedef struct mmli_image_files {
    size_t n, cap_paths, cap_ids;
    char **paths, **ids; /* (n) by name; an id is the name without folder and ending */
    size_t others;       /* files of the folder with another ending */
} mmli_image_files;

/* Files ending in .jpg, .jpeg or .png (in any case) of a folder, hidden ones and folders in it left out; or one file, whatever its
 * ending. MML_E_IO; MML_E_DATA: there is none. */
mml_status mmli_image_files_find(mmli_image_files *out, const char *path);
void mmli_image_files_free(mmli_image_files *files); /* {0} is fine */

/* Headers seen so far. {0} before the first. */
typedef struct mmli_image_survey {
    size_t n, jpeg, grey, deep, turned;      /* readable; of them: JPEG, grey, 16 bits, with an orientation */
    size_t low[2], high[2];                  /* height, width: smallest and largest */
} mmli_image_survey;

void mmli_image_survey_add(mmli_image_survey *survey, const mmli_image *image);
bool mmli_image_survey_one_size(const mmli_image_survey *survey);

#endif
