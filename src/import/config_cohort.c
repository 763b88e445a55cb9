/* config_cohort.c - the section [cohort]. */
#include "import/config_values.h"

#include <string.h>

#include "io/cohort_write.h"
#include "util/alloc.h"
#include "util/error.h"

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

mml_status mmli_config_read_cohort(mmli_import_config *c, const mmli_ini_section *s)
{
    static const char *const keys[] = {"folder", "labels",  "id",      "header", "names",
                                       "samples", "group", "splits", "columns", "compress", "repeats"};
    mml_status st = MML_OK;
    static const char *const which[] = {"labels", "all"};
    const char *folder = NULL, *labels = NULL, *names = NULL;
    bool header = true;
    const mmli_ini_entry *columns = mmli_ini_find(s, "columns"), *splits = mmli_ini_find(s, "splits");
    size_t level = MMLI_COMPRESS_AUTO, samples;

    MML_TRY(mmli_ini_check_keys(&c->ini, s, keys, MMLI_COUNT(keys)));
    MML_TRY(mmli_key_text(&folder, &c->ini, s, "folder"));
    MML_TRY(find_folder(c, folder));
    MML_TRY(mmli_key_text(&labels, &c->ini, s, "labels"));
    if (labels != NULL) {
        MML_TRY(mmli_key_files(&c->labels, &c->more, &c->n_more, c, labels));
        MML_TRY(mmli_key_needed(&c->id, &c->ini, s, "id", "the column with the sample ids"));
    }
    MML_TRY(mmli_key_text(&c->id, &c->ini, s, "id"));
    MML_TRY(mmli_key_yes_no(&header, &c->ini, s, "header"));
    c->no_header = !header;
    MML_TRY(mmli_key_only_for(&c->ini, s, "names", c->no_header, "labels without a header (header = no)"));
    MML_TRY(mmli_key_text(&names, &c->ini, s, "names"));
    if (names != NULL)
        MML_TRY(mmli_import_file_name(&c->names, c, names));
    samples = labels == NULL;
    MML_TRY(mmli_key_word(&samples, &c->ini, s, "samples", which, MMLI_COUNT(which)));
    c->all_samples = samples == 1;
    MML_CHECK(labels != NULL || c->all_samples, MML_E_FORMAT, "%s:%zu: [cohort] samples = labels needs labels = the CSV with one "
              "row a sample", c->ini.path, s->line);
    MML_TRY(mmli_key_only_for(&c->ini, s, "group", labels != NULL, "cohorts with a labels file"));
    MML_TRY(mmli_key_only_for(&c->ini, s, "columns", labels != NULL || mmli_ini_find(s, "splits") != NULL,
                     "cohorts with a labels or a splits file"));
    MML_TRY(mmli_key_text(&c->group, &c->ini, s, "group"));
    MML_TRY(mmli_key_only_for(&c->ini, s, "repeats", labels != NULL, "cohorts with a labels file"));
    MML_TRY(mmli_key_text(&c->repeats, &c->ini, s, "repeats"));
    if (splits != NULL && splits->value[0] == '\0')
        st = mmli_key_bad(&c->ini, s, splits, "a value is missing");
    MML_TRY(st);
    if (splits != NULL)
        MML_TRY(mmli_key_files(&c->splits, &c->more_splits, &c->n_more_splits, c, splits->value));
    if (columns != NULL) {
        MML_TRY(mmli_ini_list(&c->columns, &c->n_columns, columns->value));
        if (c->n_columns == 0)
            st = mmli_key_bad(&c->ini, s, columns, "names of columns are needed");
    }
    MML_TRY(st);
    for (size_t i = 0; i < c->n_columns; i++)
        for (size_t k = 0; k < i; k++)
            MML_CHECK(strcmp(c->columns[i], c->columns[k]) != 0, MML_E_FORMAT, "%s:%zu: [cohort] columns: %s is named twice",
                      c->ini.path, columns->line, c->columns[i]);
    MML_TRY(mmli_key_number(&level, &c->ini, s, "compress", 0, 9));
    c->compress = (unsigned)level;
out:
    return st;
}
