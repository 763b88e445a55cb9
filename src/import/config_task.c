/* config_task.c - sections [task NAME]. */
#include "import/config_values.h"

#include "util/alloc.h"
#include "util/error.h"

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

    MML_TRY(mmli_key_needed(&t->time, ini, s, "time", "the column with the times"));
    MML_TRY(mmli_key_text(&t->event, ini, s, "event"));
    MML_TRY(mmli_key_text(&t->censorship, ini, s, "censorship"));
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

mml_status mmli_config_read_task(mmli_import_config *c, const mmli_ini_section *s, const char *name)
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
    MML_TRY(mmli_key_name_is_fine(&c->ini, s, name));
    MML_TRY(mmli_ini_check_keys(&c->ini, s, keys, MMLI_COUNT(keys)));
    MML_TRY(mmli_key_text(&file, &c->ini, s, "file"));
    if (file != NULL)
        MML_TRY(mmli_import_file_name(&t->file, c, file));
    MML_TRY(mmli_key_only_for(&c->ini, s, "id", file != NULL, "tasks with a file of their own (file = ...)"));
    MML_TRY(mmli_key_text(&t->id, &c->ini, s, "id"));
    MML_CHECK(file != NULL || c->labels != NULL, MML_E_FORMAT,
              "%s:%zu: [%s] has no labels: [cohort] has no labels file, so it needs file = the CSV with them", c->ini.path, s->line,
              s->name);
    MML_CHECK(t->id != NULL, MML_E_FORMAT, "%s:%zu: [%s] needs id = the column with the sample ids", c->ini.path, s->line, s->name);
    MML_TRY(mmli_key_needed(&kind, &c->ini, s, "kind", "binary|multiclass|survival|regression"));
    MML_TRY(mmli_key_word(&k, &c->ini, s, "kind", kinds, MMLI_COUNT(kinds)));
    t->kind = (mml_task_kind)k;
    MML_TRY(mmli_key_text(&t->unit, &c->ini, s, "unit"));
    if (t->kind == MML_SURVIVAL) {
        MML_TRY(read_survival(t, &c->ini, s));
        goto out;
    }
    MML_TRY(mmli_key_needed(&t->label, &c->ini, s, "label", "the column with the labels"));
    MML_TRY(mmli_key_only_for(&c->ini, s, "time", false, "survival tasks"));
    MML_TRY(mmli_key_only_for(&c->ini, s, "event", false, "survival tasks"));
    MML_TRY(mmli_key_only_for(&c->ini, s, "censorship", false, "survival tasks"));
    MML_TRY(mmli_key_only_for(&c->ini, s, "unit", t->kind == MML_REGRESSION, "survival and regression tasks"));
out:
    return st;
}
