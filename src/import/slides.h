/* slides.h - which slides there are in a folder, and whose they are: the mapping from slides to cases. */
#ifndef MMLI_IMPORT_SLIDES_H
#define MMLI_IMPORT_SLIDES_H

#include "import/source.h"

/* Which slides of a case are taken. */
typedef enum mmli_slides_which { MMLI_SLIDES_ALL = 0, MMLI_SLIDES_FIRST, MMLI_SLIDES_DX1 } mmli_slides_which;

typedef struct mmli_slide {
    char *file;  /* path */
    char *id;    /* name of the file without its ending */
    char *of;    /* the case */
    size_t line; /* of the table; 0 = there is none */
} mmli_slide;

typedef struct mmli_slides {
    mmli_slide *list; /* (n) in the order of the table, else of the names */
    size_t n, cap;
    bool by_line;     /* there is a table */
} mmli_slides;

/* What the keys of a modality say (bags.c). NULL: not said. */
typedef struct mmli_slides_options {
    const char *table; /* resolved path */
    const char *of, *slide; /* columns: case, slide */
    mmli_slides_which which;
} mmli_slides_options;

/* Files ending in .h5 of a folder (or of its h5_files, or of its one features_*), or one file; mapped to cases and chosen. What
 * was assumed and left out goes to `notes`. MML_E_IO, MML_E_NOT_FOUND, MML_E_DATA (a slide of two cases; none is left). */
mml_status mmli_slides_find(mmli_slides *out, mmli_buf *notes, const char *path, const mmli_slides_options *options,
                            const mmli_import_config *config);
void mmli_slides_free(mmli_slides *slides); /* {0} is fine */

/* The first file that there is, new, and how many there are. */
mml_status mmli_slides_first(char **out, size_t *n, const char *path);

#endif
