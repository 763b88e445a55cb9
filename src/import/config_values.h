/* config_values.h - values of the keys of a cohort.ini. MML_E_FORMAT names file, line, section, key and value. */
#ifndef MMLI_IMPORT_CONFIG_VALUES_H
#define MMLI_IMPORT_CONFIG_VALUES_H

#include "import/import.h"

#define MMLI_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* "[section] key = value: why" */
mml_status mmli_key_bad(const mmli_ini *ini, const mmli_ini_section *s, const mmli_ini_entry *e, const char *why);
/* A value on one line that is not empty; *out untouched when the key is absent, as below. Lent by the ini. */
mml_status mmli_key_text(const char **out, const mmli_ini *ini, const mmli_ini_section *s, const char *key);
/* The same, and it must be there; `what` it is, for the message. */
mml_status mmli_key_needed(const char **out, const mmli_ini *ini, const mmli_ini_section *s, const char *key, const char *what);
mml_status mmli_key_number(size_t *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key, size_t least, size_t most);
/* One of n words: its place. */
mml_status mmli_key_word(size_t *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key, const char *const *words,
                         size_t n);
mml_status mmli_key_yes_no(bool *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key);
/* One file, or several divided by commas or lines: the first, and the others, resolved. A file whose name has a comma is found first. */
mml_status mmli_key_files(char **first, char ***more, size_t *n_more, const mmli_import_config *c, const char *value);
/* A key that only some kinds have. */
mml_status mmli_key_only_for(const mmli_ini *ini, const mmli_ini_section *s, const char *key, bool fits, const char *what);
/* Of a task or modality. */
mml_status mmli_key_name_is_fine(const mmli_ini *ini, const mmli_ini_section *s, const char *name);

/* Sections, each in a file of its own: config_cohort.c, config_task.c, config_modality.c. */
mml_status mmli_config_read_cohort(mmli_import_config *c, const mmli_ini_section *s);
mml_status mmli_config_read_task(mmli_import_config *c, const mmli_ini_section *s, const char *name);
mml_status mmli_config_read_modality(mmli_import_config *c, const mmli_ini_section *s, const char *name);

#endif
