/* ini.h - an INI file as a list of sections and entries, with the line of each. */
#ifndef MMLI_IO_INI_H
#define MMLI_IO_INI_H

#include "mmlego/base.h"

typedef struct mmli_ini_entry {
    char *key, *value; /* a value over several lines has '\n' between them */
    size_t line;
} mmli_ini_entry;

typedef struct mmli_ini_section {
    char *name; /* "task os": blanks inside are one space */
    size_t line, n, cap;
    mmli_ini_entry *entries;
} mmli_ini_section;

typedef struct mmli_ini {
    char *path;
    size_t n, cap;
    mmli_ini_section *sections;
} mmli_ini;

/* Comments begin with ; or # (at the start of a line) or " ;" (after a value). Lines may be of any length; an
 * indented line continues the value above. MML_E_IO; MML_E_FORMAT: a line that is neither a section nor
 * key = value, an entry before the first section, a section or key that occurs twice (file and line). */
mml_status mmli_ini_read(mmli_ini *out, const char *path);
/* The same of a text; `name` is what messages call it. */
mml_status mmli_ini_parse(mmli_ini *out, const char *text, const char *name);
void mmli_ini_free(mmli_ini *ini);

/* NULL when absent. */
const mmli_ini_entry *mmli_ini_find(const mmli_ini_section *section, const char *key);
/* Every key of the section must be one of these: MML_E_FORMAT with line and the nearest. */
mml_status mmli_ini_check_keys(const mmli_ini *ini, const mmli_ini_section *section, const char *const *keys, size_t n);

/* The items of a list "a, b, c" (commas or lines), trimmed, empty ones left out; yours: mmli_h5_texts_free(). */
mml_status mmli_ini_list(char ***out, size_t *n, const char *value);

#endif
