/* config.c - cohort.ini, checked as far as it can be without the data. doc/cohort.md has the keys. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "import/source.h"
#include "io/cohort_write.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- values ----------------------------------------------------------------------------------------------------- */

static mml_status bad(const mmli_ini *ini, const mmli_ini_section *s, const mmli_ini_entry *e, const char *why)
{
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s = %s: %s", ini->path, e->line, s->name, e->key, e->value, why);
}

/* A value on one line that is not empty; *out untouched when the key is absent. */
static mml_status text(const char **out, const mmli_ini *ini, const mmli_ini_section *s, const char *key)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);

    if (e == NULL)
        return MML_OK;
    if (e->value[0] == '\0')
        return bad(ini, s, e, "a value is missing");
    if (strchr(e->value, '\n') != NULL)
        return bad(ini, s, e, "one value on one line is needed");
    *out = e->value;
    return MML_OK;
}

static mml_status needed(const char **out, const mmli_ini *ini, const mmli_ini_section *s, const char *key,
                         const char *what)
{
    mml_status st;

    *out = NULL;
    if ((st = text(out, ini, s, key)) != MML_OK || *out != NULL)
        return st;
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] needs %s = %s", ini->path, s->line, s->name, key, what);
}

static mml_status number(size_t *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key, size_t least,
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
static mml_status word(size_t *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key,
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

static mml_status yes_no(bool *out, const mmli_ini *ini, const mmli_ini_section *s, const char *key)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);

    if (e != NULL && !mmli_parse_bool(out, e->value, strlen(e->value)))
        return bad(ini, s, e, "yes or no is needed");
    return MML_OK;
}

mml_status mmli_import_file_name(char **out, const mmli_import_config *c, const char *name)
{
    if (name[0] == '/' || c->folder[0] == '\0')
        return mmli_strdup(out, name);
    return mmli_strf(out, "%s/%s", c->folder, name);
}

/* One file, or several divided by commas or lines: the first, and the others. A file whose name has a comma is found first. */
static mml_status file_names(char **first, char ***more, size_t *n_more, const mmli_import_config *c, const char *value)
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
static mml_status only_for(const mmli_ini *ini, const mmli_ini_section *s, const char *key, bool fits, const char *what)
{
    const mmli_ini_entry *e = mmli_ini_find(s, key);

    if (e == NULL || fits)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s is for %s only", ini->path, e->line, s->name, key, what);
}

/* ---- [cohort] ------------------------------------------------------------------------------------------------------- */

/* The folder of the ini file, or what `folder` says, relative to it. */
static mml_status find_folder(mmli_import_config *c, const char *folder)
{
    mml_status st = MML_OK;
    char *own = NULL, *slash;

    MML_TRY(mmli_strdup(&own, c->ini.path));
    slash = strrchr(own, '/');
    if (slash == NULL)
        own[0] = '\0';
    else
        slash[slash == own ? 1 : 0] = '\0';
    if (folder == NULL) {
        c->folder = own;
        own = NULL;
        goto out;
    }
    if (folder[0] == '/' || own[0] == '\0')
        st = mmli_strdup(&c->folder, folder);
    else
        st = mmli_strf(&c->folder, "%s/%s", own, folder);
out:
    mmli_free(own);
    return st;
}

static mml_status read_cohort(mmli_import_config *c, const mmli_ini_section *s)
{
    static const char *const keys[] = {"folder", "labels",  "id",      "header", "names",
                                       "samples", "group", "splits", "columns", "compress", "repeats"};
    mml_status st = MML_OK;
    static const char *const which[] = {"labels", "all"};
    const char *folder = NULL, *labels = NULL, *names = NULL;
    bool header = true;
    const mmli_ini_entry *columns = mmli_ini_find(s, "columns"), *splits = mmli_ini_find(s, "splits");
    size_t level = MMLI_COMPRESS_AUTO, samples;

    MML_TRY(mmli_ini_check_keys(&c->ini, s, keys, COUNT(keys)));
    MML_TRY(text(&folder, &c->ini, s, "folder"));
    MML_TRY(find_folder(c, folder));
    MML_TRY(text(&labels, &c->ini, s, "labels"));
    if (labels != NULL) {
        MML_TRY(file_names(&c->labels, &c->more, &c->n_more, c, labels));
        MML_TRY(needed(&c->id, &c->ini, s, "id", "the column with the sample ids"));
    }
    MML_TRY(text(&c->id, &c->ini, s, "id"));
    MML_TRY(yes_no(&header, &c->ini, s, "header"));
    c->no_header = !header;
    MML_TRY(only_for(&c->ini, s, "names", c->no_header, "labels without a header (header = no)"));
    MML_TRY(text(&names, &c->ini, s, "names"));
    if (names != NULL)
        MML_TRY(mmli_import_file_name(&c->names, c, names));
    samples = labels == NULL;
    MML_TRY(word(&samples, &c->ini, s, "samples", which, COUNT(which)));
    c->all_samples = samples == 1;
    MML_CHECK(labels != NULL || c->all_samples, MML_E_FORMAT, "%s:%zu: [cohort] samples = labels needs labels = the CSV with one "
              "row a sample", c->ini.path, s->line);
    MML_TRY(only_for(&c->ini, s, "group", labels != NULL, "cohorts with a labels file"));
    MML_TRY(only_for(&c->ini, s, "columns", labels != NULL || mmli_ini_find(s, "splits") != NULL,
                     "cohorts with a labels or a splits file"));
    MML_TRY(text(&c->group, &c->ini, s, "group"));
    MML_TRY(only_for(&c->ini, s, "repeats", labels != NULL, "cohorts with a labels file"));
    MML_TRY(text(&c->repeats, &c->ini, s, "repeats"));
    if (splits != NULL && splits->value[0] == '\0')
        st = bad(&c->ini, s, splits, "a value is missing");
    MML_TRY(st);
    if (splits != NULL)
        MML_TRY(file_names(&c->splits, &c->more_splits, &c->n_more_splits, c, splits->value));
    if (columns != NULL) {
        MML_TRY(mmli_ini_list(&c->columns, &c->n_columns, columns->value));
        if (c->n_columns == 0)
            st = bad(&c->ini, s, columns, "names of columns are needed");
    }
    MML_TRY(st);
    for (size_t i = 0; i < c->n_columns; i++)
        for (size_t k = 0; k < i; k++)
            MML_CHECK(strcmp(c->columns[i], c->columns[k]) != 0, MML_E_FORMAT, "%s:%zu: [cohort] columns: %s is named twice",
                      c->ini.path, columns->line, c->columns[i]);
    MML_TRY(number(&level, &c->ini, s, "compress", 0, 9));
    c->compress = (unsigned)level;
out:
    return st;
}

/* ---- [task NAME] ------------------------------------------------------------------------------------------------------ */

static mml_status check_name(const mmli_ini *ini, const mmli_ini_section *s, const char *name)
{
    if (mmli_bad_name(name) == NULL)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s]: the name cannot be used: %s", ini->path, s->line, s->name,
                     mmli_bad_name(name));
}

/* "COLUMN:WORD": the word that means 1. A colon in the name of the column is written twice. */
static mml_status split_word(mmli_import_task *t, const char *value)
{
    mml_status st = MML_OK;
    size_t n = 0;

    MML_TRY(mmli_strdup(&t->flag, value));
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == ':' && p[1] != ':') {
            if (p[1] != '\0')
                MML_TRY(mmli_strdup(&t->word, p + 1));
            break;
        }
        p += *p == ':';
        t->flag[n++] = *p;
    }
    t->flag[n] = '\0';
out:
    return st;
}

static mml_status read_survival(mmli_import_task *t, const mmli_ini *ini, const mmli_ini_section *s)
{
    mml_status st = MML_OK;

    MML_TRY(needed(&t->time, ini, s, "time", "the column with the times"));
    MML_TRY(text(&t->event, ini, s, "event"));
    MML_TRY(text(&t->censorship, ini, s, "censorship"));
    MML_CHECK((t->event != NULL) != (t->censorship != NULL), MML_E_FORMAT,
              "%s:%zu: [%s] needs exactly one of event = COLUMN (1 = the event happened) and censorship = COLUMN (1 = "
              "censored); they are opposites and are not guessed", ini->path, s->line, s->name);
    MML_TRY(split_word(t, t->event != NULL ? t->event : t->censorship));
    *(t->event != NULL ? &t->event : &t->censorship) = t->flag;
    MML_CHECK(mmli_ini_find(s, "label") == NULL, MML_E_FORMAT, "%s:%zu: [%s] a survival task has time and event, not label",
              ini->path, mmli_ini_find(s, "label")->line, s->name);
out:
    return st;
}

static mml_status read_task(mmli_import_config *c, const mmli_ini_section *s, const char *name)
{
    static const char *const keys[] = {"kind", "file", "id", "label", "time", "event", "censorship", "unit"};
    static const char *const kinds[] = {"binary", "multiclass", "survival", "regression"};
    mml_status st = MML_OK;
    mmli_import_task *t = &c->tasks[c->n_tasks++];
    const char *kind, *file = NULL;
    size_t k = 0;

    t->name = name;
    t->line = s->line;
    t->id = c->id;
    MML_TRY(check_name(&c->ini, s, name));
    MML_TRY(mmli_ini_check_keys(&c->ini, s, keys, COUNT(keys)));
    MML_TRY(text(&file, &c->ini, s, "file"));
    if (file != NULL)
        MML_TRY(mmli_import_file_name(&t->file, c, file));
    MML_TRY(only_for(&c->ini, s, "id", file != NULL, "tasks with a file of their own (file = ...)"));
    MML_TRY(text(&t->id, &c->ini, s, "id"));
    MML_CHECK(file != NULL || c->labels != NULL, MML_E_FORMAT,
              "%s:%zu: [%s] has no labels: [cohort] has no labels file, so it needs file = the CSV with them", c->ini.path, s->line,
              s->name);
    MML_CHECK(t->id != NULL, MML_E_FORMAT, "%s:%zu: [%s] needs id = the column with the sample ids", c->ini.path, s->line, s->name);
    MML_TRY(needed(&kind, &c->ini, s, "kind", "binary|multiclass|survival|regression"));
    MML_TRY(word(&k, &c->ini, s, "kind", kinds, COUNT(kinds)));
    t->kind = (mml_task_kind)k;
    MML_TRY(text(&t->unit, &c->ini, s, "unit"));
    if (t->kind == MML_SURVIVAL) {
        MML_TRY(read_survival(t, &c->ini, s));
        goto out;
    }
    MML_TRY(needed(&t->label, &c->ini, s, "label", "the column with the labels"));
    MML_TRY(only_for(&c->ini, s, "time", false, "survival tasks"));
    MML_TRY(only_for(&c->ini, s, "event", false, "survival tasks"));
    MML_TRY(only_for(&c->ini, s, "censorship", false, "survival tasks"));
    MML_TRY(only_for(&c->ini, s, "unit", t->kind == MML_REGRESSION, "survival and regression tasks"));
out:
    return st;
}

/* ---- [modality NAME] ---------------------------------------------------------------------------------------------------- */

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
        return bad(ini, s, e, "a range of steps such as 0:24 (the first 24) is needed");
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
    return ok && m->least < m->most ? MML_OK : bad(ini, s, e, "two numbers LEAST:MOST are needed, or one of them");
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
    MML_TRY(text(&file, &c->ini, s, "tokens"));
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

    MML_TRY(needed(&kind, ini, s, "kind", "table|series|image|bag"));
    MML_TRY(word(&k, ini, s, "kind", kinds, COUNT(kinds)));
    m->kind = (mml_modality_kind)k;
    MML_TRY(only_for(ini, s, "tokens", m->kind == MML_SERIES || has_signatures(m, s), "a series"));
    MML_TRY(only_for(ini, s, "steps", m->kind == MML_SERIES, "a series"));
    MML_TRY(only_for(ini, s, "patch", m->kind == MML_IMAGE, "an image"));
    MML_TRY(only_for(ini, s, "drop_empty_rows", m->kind == MML_TABLE || m->kind == MML_BAG, "a table or a bag"));
    if (m->kind == MML_SERIES)
        MML_TRY(word(&how, ini, s, "tokens", tokens, COUNT(tokens)));
    MML_TRY(word(&transform, ini, s, "transform", transforms, COUNT(transforms)));
    m->summary = how == 1;
    m->log1p = transform == 1;
    m->rank = transform == 2;
    MML_CHECK(!m->rank || m->kind == MML_TABLE || m->kind == MML_BAG, MML_E_FORMAT,
              "%s:%zu: [%s] transform = rank is for a table or a bag only", ini->path, s->line, s->name);
    MML_TRY(read_clip(m, ini, s));
    m->patch = 16;
    MML_TRY(number(&m->patch, ini, s, "patch", 1, 4096));
    MML_TRY(read_steps(m, ini, s));
    MML_TRY(yes_no(&m->half, ini, s, "float16"));
    m->drop_empty = true;
    MML_TRY(yes_no(&m->drop_empty, ini, s, "drop_empty_rows"));
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
    size_t n_kinds, n = 0, most = COUNT(common);
    const mmli_source_kind *const *kinds = mmli_source_kinds(&n_kinds);

    for (size_t i = 0; i < n_kinds; i++)
        for (size_t k = 0; kinds[i]->keys != NULL && kinds[i]->keys[k] != NULL; k++)
            most++;
    MML_TRY(mmli_calloc(&keys, most, sizeof *keys));
    for (; n < COUNT(common); n++)
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

    MML_TRY(text(&m->format, ini, s, "format"));
    MML_TRY(mmli_calloc(&names, n, sizeof *names));
    for (k = 0; k < n; k++)
        names[k] = kinds[k]->name;
    MML_TRY(word(&k, ini, s, "format", names, n));
out:
    mmli_free(names);
    return st;
}

static mml_status read_modality(mmli_import_config *c, const mmli_ini_section *s, const char *name)
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
    MML_TRY(check_name(&c->ini, s, name));
    MML_TRY(check_modality_keys(&c->ini, s));
    MML_TRY(read_kind(m, &c->ini, s));
    MML_TRY(read_signatures(m, c, s));
    MML_TRY(read_format(m, &c->ini, s));
    MML_TRY(needed(&file, &c->ini, s, "file", "a CSV, an HDF5 file, or another format"));
    MML_TRY(file_names(&m->file, &m->more, &m->n_more, c, file));
    MML_TRY(text(&m->id, &c->ini, s, "id"));
    MML_TRY(text(&m->dataset, &c->ini, s, "dataset"));
    MML_TRY(text(&m->channels, &c->ini, s, "channels"));
    MML_TRY(only_for(&c->ini, s, "channels", m->dataset != NULL, "arrays in HDF5 (dataset = ...)"));
    if (columns != NULL) {
        MML_TRY(mmli_ini_list(&m->columns, &m->n_columns, columns->value));
        if (m->n_columns == 0)
            st = bad(&c->ini, s, columns, "all, names or patterns of columns are needed");
    }
out:
    return st;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------ */

/* "task os" -> "os" when the word is task. */
static const char *after_word(const char *section, const char *word_wanted)
{
    const size_t n = strlen(word_wanted);

    return strncmp(section, word_wanted, n) == 0 && section[n] == ' ' ? section + n + 1 : NULL;
}

static mml_status unknown_section(const mmli_ini *ini, const mmli_ini_section *s)
{
    static const char *const kinds[] = {"cohort", "task", "modality"};
    char first[64];
    const size_t n = strcspn(s->name, " ");
    const char *near;

    memcpy(first, s->name, n);
    first[n] = '\0';
    near = mmli_nearest(first, kinds, COUNT(kinds));
    return mmli_fail(MML_E_FORMAT, "%s:%zu: unknown section [%s]%s%s%s; there are [cohort], [task NAME] and [modality NAME]",
                     ini->path, s->line, s->name, near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                     near != NULL ? "?)" : "");
}

static mml_status collect_reserved(mmli_import_config *c)
{
    mml_status st = MML_OK;
    const size_t most = c->n_tasks * 4 + c->n_columns + 2;

    MML_TRY(mmli_calloc(&c->reserved, most, sizeof *c->reserved));
    for (size_t i = 0; i < c->n_tasks; i++)
        c->n_reserved += mmli_import_task_columns(c->reserved + c->n_reserved, &c->tasks[i]);
    for (size_t i = 0; i < c->n_columns; i++)
        c->reserved[c->n_reserved++] = c->columns[i];
    if (c->group != NULL)
        c->reserved[c->n_reserved++] = c->group;
    if (c->repeats != NULL)
        c->reserved[c->n_reserved++] = c->repeats;
    for (size_t i = 0; i < c->n_modalities; i++) {
        c->modalities[i].reserved = c->reserved;
        c->modalities[i].n_reserved = c->n_reserved;
    }
out:
    return st;
}

static mml_status read_section(mmli_import_config *c, const mmli_ini_section *s)
{
    const char *task = after_word(s->name, "task"), *modality = after_word(s->name, "modality");

    if (task != NULL)
        return read_task(c, s, task);
    if (modality != NULL)
        return read_modality(c, s, modality);
    return unknown_section(&c->ini, s);
}

static mml_status read_all(mmli_import_config *c, mmli_problems *problems)
{
    mml_status st = MML_OK;
    const mmli_ini_section *cohort = NULL;

    MML_TRY(mmli_calloc(&c->tasks, c->ini.n, sizeof *c->tasks));
    MML_TRY(mmli_calloc(&c->modalities, c->ini.n, sizeof *c->modalities));
    for (size_t i = 0; i < c->ini.n; i++)
        if (strcmp(c->ini.sections[i].name, "cohort") == 0)
            cohort = &c->ini.sections[i];
    MML_CHECK(cohort != NULL, MML_E_FORMAT, "%s: has no section [cohort]", c->ini.path);
    MML_TRY(read_cohort(c, cohort));
    for (size_t i = 0; i < c->ini.n; i++)
        if (&c->ini.sections[i] != cohort)
            MML_TRY(mmli_problem(problems, read_section(c, &c->ini.sections[i])));
    MML_CHECK(c->n_modalities > 0, MML_E_FORMAT, "%s: has no section [modality NAME]", c->ini.path);
    MML_TRY(collect_reserved(c));
out:
    return st;
}

mml_status mmli_import_config_read(mmli_import_config *c, const char *ini_path, mmli_problems *problems)
{
    mml_status st = MML_OK;

    *c = (mmli_import_config){0};
    MML_TRY(mmli_ini_read(&c->ini, ini_path));
    MML_TRY(read_all(c, problems));
out:
    if (st != MML_OK)
        mmli_import_config_free(c);
    return st;
}

mml_status mmli_import_config_parse(mmli_import_config *c, const char *text, const char *name, mmli_problems *problems)
{
    mml_status st = MML_OK;

    *c = (mmli_import_config){0};
    MML_TRY(mmli_ini_parse(&c->ini, text, name));
    MML_TRY(read_all(c, problems));
out:
    if (st != MML_OK)
        mmli_import_config_free(c);
    return st;
}

void mmli_import_config_free(mmli_import_config *c)
{
    for (size_t i = 0; c->modalities != NULL && i < c->n_modalities; i++) {
        mmli_free(c->modalities[i].file);
        mmli_free(c->modalities[i].signatures);
        mmli_h5_texts_free(c->modalities[i].more, c->modalities[i].n_more);
        mmli_h5_texts_free(c->modalities[i].columns, c->modalities[i].n_columns);
    }
    mmli_h5_texts_free(c->columns, c->n_columns);
    mmli_free(c->reserved);
    for (size_t i = 0; c->tasks != NULL && i < c->n_tasks; i++) {
        mmli_free(c->tasks[i].file);
        mmli_free(c->tasks[i].flag);
        mmli_free(c->tasks[i].word);
    }
    mmli_free(c->tasks);
    mmli_free(c->modalities);
    mmli_free(c->folder);
    mmli_free(c->labels);
    mmli_free(c->names);
    mmli_h5_texts_free(c->more, c->n_more);
    mmli_free(c->splits);
    mmli_h5_texts_free(c->more_splits, c->n_more_splits);
    mmli_ini_free(&c->ini);
    *c = (mmli_import_config){0};
}
