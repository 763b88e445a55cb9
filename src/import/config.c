/* config.c - cohort.ini, checked as far as it can be without the data. doc/cohort.md has the keys; config_*.c read the sections. */
#include <string.h>

#include "import/config_values.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

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
    near = mmli_nearest(first, kinds, MMLI_COUNT(kinds));
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
        return mmli_config_read_task(c, s, task);
    if (modality != NULL)
        return mmli_config_read_modality(c, s, modality);
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
    MML_TRY(mmli_config_read_cohort(c, cohort));
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
