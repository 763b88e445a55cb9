/* image_files.h - the JPEG and PNG files of a folder, and what their headers say together. */
#ifndef MMLI_IMPORT_IMAGE_FILES_H
#define MMLI_IMPORT_IMAGE_FILES_H

#include "formats/image.h"
#include "util/text.h"

/* Folders in the folder: left out; one for each sample, whatever is below it; or of names that say nothing. */
typedef enum mmli_image_folders { MMLI_FOLDERS_NO = 0, MMLI_FOLDERS_SAMPLE, MMLI_FOLDERS_ANY } mmli_image_folders;

typedef struct mmli_image_files {
    size_t n, cap;
    char **paths; /* (n) in the order of their names, folders where they stand */
    char **names; /* (n) without ending, below the folder: "p1/left" */
    char **ids;   /* (n) of the sample: the last part of the name, or the first (MMLI_FOLDERS_SAMPLE) */
    size_t others, loose; /* files with another ending; images in no folder where folders are samples, which are left out */
} mmli_image_files;

/* Files ending in .jpg, .jpeg or .png (in any case) of a folder, hidden ones and links to folders left out; or one file, whatever its
 * ending. MML_E_IO; MML_E_DATA: there is none, or folders are nested more than 16 deep. */
mml_status mmli_image_files_find(mmli_image_files *out, const char *path, mmli_image_folders folders);
/* With the folders that there seem to be: none where images lie in it directly; else samples, if each has one image. */
mml_status mmli_image_files_guess(mmli_image_files *out, mmli_image_folders *folders, const char *path);
/* First two files of one id; SIZE_MAX: all differ. */
mml_status mmli_image_files_same_id(size_t *first, size_t *second, const mmli_image_files *files);
void mmli_image_files_free(mmli_image_files *files); /* {0} is fine */

/* Headers seen so far. {0} before the first. */
typedef struct mmli_image_survey {
    size_t n, jpeg, grey, deep, turned;      /* readable; of them: JPEG, grey, 16 bits, with an orientation */
    size_t low[2], high[2];                  /* height, width: smallest and largest */
} mmli_image_survey;

void mmli_image_survey_add(mmli_image_survey *survey, const mmli_image *image);
bool mmli_image_survey_one_size(const mmli_image_survey *survey);

#endif
