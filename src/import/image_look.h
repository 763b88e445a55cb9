/* image_look.h - what `mmlego inspect` says of images, and the cohort.ini it suggests. */
#ifndef MMLI_IMPORT_IMAGE_LOOK_H
#define MMLI_IMPORT_IMAGE_LOOK_H

#include "import/facts.h"
#include "import/suggest.h"

mml_status mmli_images_inspect(mmli_facts *facts, const char *path);
mml_status mmli_images_suggest(mmli_suggestion *suggestion, const char *path);

#endif
