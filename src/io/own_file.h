/* own_file.h - the attribute `format` of the files of this library. */
#ifndef MMLI_IO_OWN_FILE_H
#define MMLI_IO_OWN_FILE_H

#define MMLI_COHORT_FORMAT "mmlego cohort"
#define MMLI_MODEL_FORMAT "mmlego model"
#define MMLI_CHECKPOINT_FORMAT "mmlego checkpoint"

#endif
