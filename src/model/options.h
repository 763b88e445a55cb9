/* options.h - option structs as JSON, for model files and `inspect`, driven by one table a struct. */
#ifndef MMLI_MODEL_OPTIONS_H
#define MMLI_MODEL_OPTIONS_H

#include <jansson.h>

#include "mmlego/baseline.h"
#include "mmlego/model.h"

/* Reals in files: 17 digits give every double back. */
#define MMLI_JSON_REALS JSON_REAL_PRECISION(17)

/* New reference; NULL = no memory. Text that the structs point to is left out, as are weights, cohort and threads. */
json_t *mmli_block_options_json(const mml_block_options *o);
json_t *mmli_merge_options_json(const mml_merge_options *o);
json_t *mmli_fuse_options_json(const mml_fuse_options *o);
json_t *mmli_baseline_options_json(const mml_baseline_options *o);

/* Sets every member that the JSON text holds; all must be there, and no others. MML_E_FORMAT names the member; `where`
 * begins the message ("model.h5: block labs"). Ranges are the caller's to check. */
mml_status mmli_block_options_parse(mml_block_options *o, json_t *json, const char *where);
mml_status mmli_merge_options_parse(mml_merge_options *o, json_t *json, const char *where);
mml_status mmli_fuse_options_parse(mml_fuse_options *o, json_t *json, const char *where);
mml_status mmli_baseline_options_parse(mml_baseline_options *o, json_t *json, const char *where);

/* "block", "merge", "fuse", "baseline" */
const char *mmli_model_kind_name(int kind);
int mmli_model_kind_from(const char *name);

/* The preset that gives these options for a modality of this kind; "" = none of them (options were set one by one). */
const char *mmli_preset_of(const mml_block_options *o, mml_modality_kind kind);

/* A caller's option struct over the defaults in `out` (size bytes): one that was compiled against an older header is
 * shorter, and the defaults stay. MML_E_ARG when it was not initialised, or is longer than this library knows. */
mml_status mmli_options_take(void *out, size_t size, const void *given, const char *type);

/* Are the enumerations of the struct values that exist? MML_E_ARG names the option. */
mml_status mmli_merge_options_check(const mml_merge_options *o);
mml_status mmli_fuse_options_check(const mml_fuse_options *o);

#endif
