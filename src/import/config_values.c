/* config_values.c - see config_values.h. */
#include "import/config_values.h"

#include <string.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

mml_status mmli_key_bad(const mmli_ini *ini, const mmli_ini_section *s, const mmli_ini_entry *e, const char *why)
{
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s = %s: %s", ini->path, e->line, s->name, e->key, e->value, why);
}

/* A value on one line that is not empty; *out untouched when the key is absent. */
mml_status mmli_key_text(const char **out, const mmli_ini *ini, const mmli_ini_section *s, const char *key)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);

    if (e == NULL)
        return MML_OK;
    if (e->value[0] == '\0')
        return mmli_key_bad(ini, s, e, "a value is missing");
    if (strchr(e->value, '\n') != NULL)
        return mmli_key_bad(ini, s, e, "one value on one line is needed");
    *out = e->value;
    return MML_OK;
}

mml_status mmli_key_needed(const char **out, const mmli_ini *ini, const mmli_ini_section *s, const char *key,
                         const char *what)
{
    mml_status st;

    *out = NULL;
    if ((st = mmli_key_text(out, ini, s, key)) != MML_OK || *out != NULL)
        return st;
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] needs %s = %s", ini->path, s->line, s->name, key, what);
}

mml_status mmli_key_number(size_t *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key, size_t least,
                         size_t most)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);
    size_t x;

    if (e == NULL)
        return MML_OK;
    if (!mmli_parse_size(&x, e->value, strlen(e->value), most) || x < least)
        return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s = %s: a whole number from %zu to %zu is needed", ini->path, e->line,
                         s->name, key, e->value, least, most);
    *out = x;
    return MML_OK;
}

/* One of the words: its index. */
mml_status mmli_key_word(size_t *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key,
                       const char *const *words, size_t n)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);
    const char *near;
    char list[MMLI_LIST_BYTES];

    if (e == NULL)
        return MML_OK;
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], e->value) == 0) {
            *out = i;
            return MML_OK;
        }
    near = mmli_nearest(e->value, words, n);
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s = %s%s%s%s; possible are: %s", ini->path, e->line, s->name, key,
                     e->value, near != NULL ? " (did you mean " : "", near != NULL ? near : "", near != NULL ? "?)" : "",
                     mmli_list(list, words, n));
}

mml_status mmli_key_yes_no(bool *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);

    if (e != NULL && !mmli_parse_bool(out, e->value, strlen(e->value)))
        return mmli_key_bad(ini, s, e, "yes or no is needed");
    return MML_OK;
}

mml_status mmli_import_file_name(char **out, const mmli_import_config *c, const char *name)
{
    if (name[0] == '/' || c->folder[0] == '\0')
        return mmli_strdup(out, name);
    return mmli_strf(out, "%s/%s", c->folder, name);
}

/* One file, or several divided by commas or lines: the first, and the others. A file whose name has a comma is found first. */
mml_status mmli_key_files(char **first, char ***more, size_t *n_more, const mmli_import_config *c, const char *value)
{
    mml_status st = MML_OK;
    char **list = NULL;
    size_t n = 0;

    MML_TRY(mmli_import_file_name(first, c, value));
    if (strpbrk(value, ",\n") == NULL || access(*first, F_OK) == 0)
        goto out;
    MML_TRY(mmli_ini_list(&list, &n, value));
    if (n < 2)
        goto out;
    MML_TRY(mmli_calloc(more, n, sizeof **more));
    mmli_free(*first);
    *first = NULL;
    MML_TRY(mmli_import_file_name(first, c, list[0]));
    for (size_t i = 1; i < n; i++) {
        MML_TRY(mmli_import_file_name(&(*more)[*n_more], c, list[i]));
        ++*n_more;
    }
out:
    mmli_h5_texts_free(list, n);
    return st;
}

/* A key that only some kinds have. */
mml_status mmli_key_only_for(const mmli_ini *ini, const mmli_ini_section *s, const char *key, bool fits, const char *what)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);

    if (e == NULL || fits)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s is for %s only", ini->path, e->line, s->name, key, what);
}

mml_status mmli_key_name_is_fine(const mmli_ini *ini, const mmli_ini_section *s, const char *name)
{
    if (mmli_bad_name(name) == NULL)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s]: the name cannot be used: %s", ini->path, s->line, s->name,
                     mmli_bad_name(name));
}
