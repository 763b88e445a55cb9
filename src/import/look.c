/* look.c - files that are not ours, described, and a cohort.ini suggested for them. */
#include "import/source.h"

#include "util/alloc.h"
#include "util/error.h"

/* A format by its name; NULL stays NULL. */
static mml_status find_kind(const mmli_source_kind **out, const char *format)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    size_t n;
    const mmli_source_kind *const *kinds = mmli_source_kinds(&n);

    *out = NULL;
    if (format == NULL || (*out = mmli_source_kind_named(format)) != NULL)
        return MML_OK;
    MML_TRY(mmli_calloc(&names, n, sizeof *names));
    for (size_t i = 0; i < n; i++)
        names[i] = kinds[i]->name;
    st = mmli_not_found("import", "format", format, names, n);
out:
    mmli_free(names);
    return st;
}

mml_status mml_file_describe(char **json, const char *path, const char *format)
{
    mml_status st = MML_OK;
    const mmli_source_kind *kind;
    mmli_facts *facts = NULL;
    char what[MMLI_WHAT_BYTES] = "";

    MML_GIVEN(json);
    *json = NULL;
    MML_GIVEN(path);
    MML_TRY(find_kind(&kind, format));
    if (kind == NULL)
        MML_TRY(mmli_source_recognise(&kind, what, path));
    MML_TRY(mmli_facts_new(&facts));
    if (kind->inspect != NULL)
        MML_TRY(kind->inspect(facts, path));
    MML_TRY(mmli_facts_json(json, facts, path, kind->name, what[0] != '\0' ? what : kind->what));
out:
    mmli_facts_free(facts);
    return st;
}

static mml_status suggest(char **ini, const char *const *paths, size_t n, const char *format, mmli_kept *keep)
{
    mml_status st = MML_OK;
    const mmli_source_kind *kind;

    *ini = NULL;
    MML_TRY(find_kind(&kind, format));
    MML_TRY(mmli_suggest(ini, paths, n, format, keep));
out:
    return st;
}

mml_status mmli_suggest_file(char **ini, const char *path, const char *format, mmli_kept *keep)
{
    return suggest(ini, &path, 1, format, keep);
}

mml_status mml_suggest_cohort(char **ini, const char *const *paths, size_t n, const char *format)
{
    MML_GIVEN(ini);
    *ini = NULL;
    MML_GIVEN(paths);
    for (size_t i = 0; i < n; i++)
        if (paths[i] == NULL)
            return mmli_fail(MML_E_ARG, "mml_suggest_cohort: file %zu of %zu is NULL", i + 1, n);
    return suggest(ini, paths, n, format, NULL);
}
