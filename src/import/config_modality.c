/* config_modality.c - sections [modality NAME]. */
#include "import/config_values.h"

#include <math.h>
#include <string.h>

#include "import/source.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* "a:b", "a:" or ":b" of steps, as in Python: b is not in it. */
static mml_status read_steps(mmli_import_modality *m, const mmli_ini *ini, const mmli_ini_section *s)
{
    const mmli_ini_entry *e = mmli_ini_find(s, "steps");
    const char *colon;
    bool ok;

    m->from = 0;
    m->to = SIZE_MAX;
    if (e == NULL)
        return MML_OK;
    colon = strchr(e->value, ':');
    ok = colon != NULL;
    if (ok && colon > e->value)
        ok = mmli_parse_size(&m->from, e->value, (size_t)(colon - e->value), SIZE_MAX / 2);
    if (ok && colon[1] != '\0')
        ok = mmli_parse_size(&m->to, colon + 1, strlen(colon + 1), SIZE_MAX / 2);
    if (!ok || m->from >= m->to)
        return mmli_key_bad(ini, s, e, "a range of steps such as 0:24 (the first 24) is needed");
    return MML_OK;
}

/* "LEAST:MOST"; either may be left out. */
static mml_status read_clip(mmli_import_modality *m, const mmli_ini *ini, const mmli_ini_section *s)
{
    const mmli_ini_entry *e = mmli_ini_find(s, "clip");
    const char *colon;
    bool ok;

    m->least = -INFINITY;
    m->most = INFINITY;
    if (e == NULL)
        return MML_OK;
    colon = strchr(e->value, ':');
    ok = colon != NULL && (colon == e->value || mmli_parse_float(&m->least, e->value, (size_t)(colon - e->value))) &&
         (colon[1] == '\0' || mmli_parse_float(&m->most, colon + 1, strlen(colon + 1)));
    return ok && m->least < m->most ? MML_OK : mmli_key_bad(ini, s, e, "two numbers LEAST:MOST are needed, or one of them");
}

/* Is `tokens` of a table a file? */
static bool has_signatures(const mmli_import_modality *m, const mmli_ini_section *s)
{
    const mmli_ini_entry *e = mmli_ini_find(s, "tokens");

    return m->kind == MML_TABLE && e != NULL && strcmp(e->value, "steps") != 0 && strcmp(e->value, "summary") != 0;
}

static mml_status read_signatures(mmli_import_modality *m, const mmli_import_config *c, const mmli_ini_section *s)
{
    mml_status st = MML_OK;
    const char *file = NULL;

    if (!has_signatures(m, s))
        return MML_OK;
    MML_TRY(mmli_key_text(&file, &c->ini, s, "tokens"));
    MML_TRY(mmli_import_file_name(&m->signatures, c, file));
    MML_CHECK(!m->rank, MML_E_FORMAT, "%s:%zu: [%s] ranks within a token are for one token a sample, not for signatures", c->ini.path, s->line,
              s->name);
out:
    return st;
}

static mml_status read_kind(mmli_import_modality *m, const mmli_ini *ini, const mmli_ini_section *s)
{
    static const char *const kinds[] = {"table", "series", "image", "bag"};
    static const char *const transforms[] = {"none", "log1p", "rank"};
    static const char *const tokens[] = {"steps", "summary"};
    mml_status st = MML_OK;
    const char *kind;
    size_t k = 0, transform = 0, how = 0;

    MML_TRY(mmli_key_needed(&kind, ini, s, "kind", "table|series|image|bag"));
    MML_TRY(mmli_key_word(&k, ini, s, "kind", kinds, MMLI_COUNT(kinds)));
    m->kind = (mml_modality_kind)k;
    MML_TRY(mmli_key_only_for(ini, s, "tokens", m->kind == MML_SERIES || has_signatures(m, s), "a series"));
    MML_TRY(mmli_key_only_for(ini, s, "steps", m->kind == MML_SERIES, "a series"));
    MML_TRY(mmli_key_only_for(ini, s, "patch", m->kind == MML_IMAGE, "an image"));
    MML_TRY(mmli_key_only_for(ini, s, "drop_empty_rows", m->kind == MML_TABLE || m->kind == MML_BAG, "a table or a bag"));
    if (m->kind == MML_SERIES)
        MML_TRY(mmli_key_word(&how, ini, s, "tokens", tokens, MMLI_COUNT(tokens)));
    MML_TRY(mmli_key_word(&transform, ini, s, "transform", transforms, MMLI_COUNT(transforms)));
    m->summary = how == 1;
    m->log1p = transform == 1;
    m->rank = transform == 2;
    MML_CHECK(!m->rank || m->kind == MML_TABLE || m->kind == MML_BAG, MML_E_FORMAT,
              "%s:%zu: [%s] transform = rank is for a table or a bag only", ini->path, s->line, s->name);
    MML_TRY(read_clip(m, ini, s));
    m->patch = 16;
    MML_TRY(mmli_key_number(&m->patch, ini, s, "patch", 1, 4096));
    MML_TRY(read_steps(m, ini, s));
    MML_TRY(mmli_key_yes_no(&m->half, ini, s, "float16"));
    m->drop_empty = true;
    MML_TRY(mmli_key_yes_no(&m->drop_empty, ini, s, "drop_empty_rows"));
out:
    return st;
}

/* Common keys and those of all formats; whether one fits the format is checked when that is known. */
static mml_status check_modality_keys(const mmli_ini *ini, const mmli_ini_section *s)
{
    static const char *const common[] = {"kind",  "file",  "format", "id",        "columns",        "dataset", "channels",
                                         "tokens", "steps", "patch",  "transform", "clip", "drop_empty_rows", "float16"};
    mml_status st = MML_OK;
    const char **keys = NULL;
    size_t n_kinds, n = 0, most = MMLI_COUNT(common);
    const mmli_source_kind *const *kinds = mmli_source_kinds(&n_kinds);

    for (size_t i = 0; i < n_kinds; i++)
        for (size_t k = 0; kinds[i]->keys != NULL && kinds[i]->keys[k] != NULL; k++)
            most++;
    MML_TRY(mmli_calloc(&keys, most, sizeof *keys));
    for (; n < MMLI_COUNT(common); n++)
        keys[n] = common[n];
    for (size_t i = 0; i < n_kinds; i++)
        for (size_t k = 0; kinds[i]->keys != NULL && kinds[i]->keys[k] != NULL; k++)
            keys[n++] = kinds[i]->keys[k];
    MML_TRY(mmli_ini_check_keys(ini, s, keys, n));
out:
    mmli_free(keys);
    return st;
}

static mml_status read_format(mmli_import_modality *m, const mmli_ini *ini, const mmli_ini_section *s)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    size_t n, k;
    const mmli_source_kind *const *kinds = mmli_source_kinds(&n);

    MML_TRY(mmli_key_text(&m->format, ini, s, "format"));
    MML_TRY(mmli_calloc(&names, n, sizeof *names));
    for (k = 0; k < n; k++)
        names[k] = kinds[k]->name;
    MML_TRY(mmli_key_word(&k, ini, s, "format", names, n));
out:
    mmli_free(names);
    return st;
}

mml_status mmli_config_read_modality(mmli_import_config *c, const mmli_ini_section *s, const char *name)
{
    mml_status st = MML_OK;
    mmli_import_modality *m = &c->modalities[c->n_modalities++];
    const mmli_ini_entry *columns = mmli_ini_find(s, "columns");
    const char *file;

    m->name = name;
    m->line = s->line;
    m->id = c->id;
    m->section = s;
    m->ini_path = c->ini.path;
    MML_TRY(mmli_key_name_is_fine(&c->ini, s, name));
    MML_TRY(check_modality_keys(&c->ini, s));
    MML_TRY(read_kind(m, &c->ini, s));
    MML_TRY(read_signatures(m, c, s));
    MML_TRY(read_format(m, &c->ini, s));
    MML_TRY(mmli_key_needed(&file, &c->ini, s, "file", "a CSV, an HDF5 file, or another format"));
    MML_TRY(mmli_key_files(&m->file, &m->more, &m->n_more, c, file));
    MML_TRY(mmli_key_text(&m->id, &c->ini, s, "id"));
    MML_TRY(mmli_key_text(&m->dataset, &c->ini, s, "dataset"));
    MML_TRY(mmli_key_text(&m->channels, &c->ini, s, "channels"));
    MML_TRY(mmli_key_only_for(&c->ini, s, "channels", m->dataset != NULL, "arrays in HDF5 (dataset = ...)"));
    if (columns != NULL) {
        MML_TRY(mmli_ini_list(&m->columns, &m->n_columns, columns->value));
        if (m->n_columns == 0)
            st = mmli_key_bad(&c->ini, s, columns, "all, names or patterns of columns are needed");
    }
out:
    return st;
}
