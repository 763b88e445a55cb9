/* suggest.c - see suggest.h. */
#include "import/suggest.h"

#include <ctype.h>
#include <string.h>

#include "import/source.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_suggest_labels(bool *taken, mmli_suggestion *s, const char *path, const char *id, const char *group)
{
    mml_status st = MML_OK;
    const bool first = s->labels == NULL;

    if (first) {
        MML_TRY(mmli_strdup(&s->labels, path));
        MML_TRY(mmli_strdup(&s->id, id));
        MML_TRY(mmli_strdup(&s->group, group));
    }
    if (taken != NULL)
        *taken = first;
out:
    return st;
}

static bool is_used(const mmli_suggestion *s, const char *name)
{
    for (size_t i = 0; i < s->n_used; i++)
        if (strcmp(s->used[i], name) == 0)
            return true;
    return false;
}

/* "/data/rna-seq.csv.gz" -> "rna-seq", "rna-seq2" when that is taken. */
static mml_status make_name(const char **out, mmli_suggestion *s, const char *base)
{
    mml_status st = MML_OK;
    const char *slash = strrchr(base, '/');
    char name[64], *own = NULL;
    size_t n = 0;

    while (slash != NULL && slash > base && slash[1] == '\0') /* a folder written with its slash */
        for (slash--; slash > base && *slash != '/'; slash--)
            continue;
    for (const char *p = slash != NULL && *slash == '/' ? slash + 1 : base; *p != '\0' && *p != '.' && *p != '/' && n < 40; p++)
        if (isalnum((unsigned char)*p) || *p == '_' || *p == '-')
            name[n++] = *p;
    name[n] = '\0';
    if (n == 0)
        memcpy(name, "data", 5);
    MML_TRY(mmli_strdup(&own, name));
    for (size_t k = 2; is_used(s, own); k++) {
        mmli_free(own);
        own = NULL;
        MML_TRY(mmli_strf(&own, "%s%zu", name, k));
    }
    MML_TRY(mmli_grow(&s->used, &s->cap_used, s->n_used + 1, sizeof *s->used));
    s->used[s->n_used++] = own;
    *out = own;
    own = NULL;
out:
    mmli_free(own);
    return st;
}

mml_status mmli_suggest_task(mmli_suggestion *s, const char *name, mml_task_kind kind)
{
    s->n_tasks++;
    return mmli_buf_printf(&s->tasks, "\n[task %s]\nkind = %s\n", name, mmli_task_kind_name(kind));
}

mml_status mmli_suggest_modality(mmli_suggestion *s, const char *base, mml_modality_kind kind, const char *path)
{
    mml_status st = MML_OK;
    const char *name;

    MML_TRY(make_name(&name, s, base));
    MML_TRY(mmli_buf_printf(&s->modalities, "\n[modality %s]\nkind = %s\n", name, mmli_modality_kind_name(kind)));
    MML_TRY(mmli_suggest_key(s, "file", path));
out:
    return st;
}

/* Can the value stand in an ini: one line, no comment in it, no blanks around it? */
static bool can_stand(const char *value)
{
    const size_t n = strlen(value);

    return n > 0 && strpbrk(value, "\r\n") == NULL && strstr(value, " ;") == NULL && value[0] != ' ' && value[n - 1] != ' ';
}

mml_status mmli_suggest_key(mmli_suggestion *s, const char *key, const char *value)
{
    if (!can_stand(value))
        return mmli_fail(MML_E_FORMAT, "\"%.200s\" cannot be written into a cohort.ini; give it another name", value);
    return mmli_buf_printf(&s->modalities, "%s = %s\n", key, value);
}

void mmli_suggestion_free(mmli_suggestion *s)
{
    mmli_free(s->labels);
    mmli_free(s->id);
    mmli_free(s->group);
    mmli_buf_free(&s->cohort);
    mmli_buf_free(&s->tasks);
    mmli_buf_free(&s->modalities);
    mmli_h5_texts_free(s->used, s->n_used);
    *s = (mmli_suggestion){0};
}

static mml_status suggest_file(mmli_suggestion *s, const char *path, const char *format)
{
    mml_status st = MML_OK;
    const mmli_source_kind *kind = format != NULL ? mmli_source_kind_named(format) : NULL;

    if (kind == NULL)
        MML_TRY(mmli_source_recognise(&kind, NULL, path));
    MML_CHECK(kind->suggest != NULL, MML_E_FORMAT, "%s: %s cannot be imported without a cohort.ini", path, kind->what);
    MML_TRY(kind->suggest(s, path));
out:
    return st;
}

mml_status mmli_suggest(char **out, const char *const *paths, size_t n, const char *format, mmli_kept *keep)
{
    mml_status st = MML_OK;
    mmli_suggestion s = {.keep = keep};
    mmli_buf text = {0};

    *out = NULL;
    for (size_t i = 0; i < n; i++)
        MML_TRY(suggest_file(&s, paths[i], format));
    MML_TRY(mmli_buf_puts(&text, "; Suggested by mmlego: read it, change it, then mmlego import cohort.ini -o cohort.h5.\n"
                                 "; File names are relative to the folder of this file.\n[cohort]\n"));
    if (s.labels != NULL) {
        MML_CHECK(can_stand(s.labels) && can_stand(s.id), MML_E_FORMAT,
                  "%s: its name, or that of its id column, cannot be written into a cohort.ini", s.labels);
        MML_TRY(mmli_buf_printf(&text, "labels = %s\nid = %s\n", s.labels, s.id));
    }
    if (s.group != NULL)
        MML_TRY(mmli_buf_printf(&text, "group = %s\n", s.group));
    MML_TRY(mmli_buf_add(&text, s.cohort.text, s.cohort.len));
    MML_TRY(mmli_buf_add(&text, s.tasks.text, s.tasks.len));
    MML_TRY(mmli_buf_add(&text, s.modalities.text, s.modalities.len));
    MML_TRY(mmli_buf_take(&text, out));
out:
    mmli_buf_free(&text);
    mmli_suggestion_free(&s);
    return st;
}
