/* file.h - names in a model file, shared by writing and reading (doc/model-file.md). */
#ifndef MMLI_MODEL_FILE_H
#define MMLI_MODEL_FILE_H

#include "io/h5.h"
#include "io/own_file.h"
#include "model/model.h"

enum { MMLI_MODEL_VERSION = 1 };

/* Columns of the metric history, one row an epoch. */
enum { MMLI_HISTORY_COLUMNS = 9 };
#define MMLI_HISTORY_NAMES "epoch epochs train_loss valid_loss valid_score learning_rate gradient_norm seconds best"
/* Data set `history` of a group: one row an epoch. Of models and of checkpoints. *out yours: mmli_free(). */
mml_status mmli_history_write(const mml_epoch *history, size_t n, hid_t group, const char *path);
mml_status mmli_history_read(mml_epoch **out, size_t *n, hid_t group, const char *path);

/* Into a new group of that name, and back. */
mml_status mmli_provenance_write(const mmli_provenance *p, hid_t loc, const char *path, const char *name);
mml_status mmli_provenance_read(mmli_provenance *p, hid_t loc, const char *path, const char *name);

/* All of a model but its parameters, and back with parameters from elsewhere: `check` sees the declared model before its
 * memory is asked for, `fill` sets every parameter. */
typedef struct mmli_parameter_source {
    mml_status (*check)(void *user, const mml_model *model);
    mml_status (*fill)(void *user, mml_model *model);
    void *user;
} mmli_parameter_source;
mml_status mmli_model_write_facts(const mml_model *model, hid_t loc, const char *path);
mml_status mmli_model_read_facts(mml_model **out, hid_t loc, const char *path, const mml_encoder *encoders, size_t n_encoders,
                                 const mmli_parameter_source *source);

/* Checksum of a parameter on top of those before it (start with 0): SipHash-2-4 of name and little-endian values.
 * Leaves the bytes of `values` in little-endian order. */
uint64_t mmli_param_checksum(uint64_t before, const char *name, float *values, size_t n);

#endif
