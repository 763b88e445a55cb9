/* folder.c - where records and models lie, and JSON as files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "compare/plan.h"
#include "compare/study.h"
#include "model/options.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/output.h"
#include "util/text.h"

bool mmli_file_exists(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0;
}

/* A name of a system as a name of a file: ':' is '@', and what is not a letter, digit, '-', '.' or '_' is %XX. */
static mml_status file_name(mmli_buf *b, const char *name)
{
    mml_status st = MML_OK;

    for (const char *c = name; *c; c++) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                           strchr("-._", *c) != NULL;
        const char at = *c == ':' ? '@' : *c;

        if (plain || at == '@')
            MML_TRY(mmli_buf_add(b, &at, 1));
        else
            MML_TRY(mmli_buf_printf(b, "%%%02X", (unsigned)(unsigned char)*c));
    }
out:
    return st;
}

static mml_status job_path(char **out, const mml_compare *plan, size_t job, const char *folder, const char *ending)
{
    mml_status st = MML_OK;
    const mmli_plan_job *j = &plan->jobs[job];
    mmli_buf b = {0};

    *out = NULL;
    MML_TRY(mmli_buf_printf(&b, "%s/%s/", plan->directory, folder));
    MML_TRY(file_name(&b, plan->systems[j->system].name));
    if (plan->points[j->point].study != MMLI_STUDY_NONE)
        MML_TRY(mmli_buf_printf(&b, ".%s-%zu", mmli_study_name(plan->points[j->point].study), j->point));
    MML_TRY(mmli_buf_printf(&b, ".%d.%s", j->fold, ending));
    MML_TRY(mmli_buf_take(&b, out));
out:
    mmli_buf_free(&b);
    return st;
}

mml_status mmli_record_path(char **out, const mml_compare *plan, size_t job)
{
    return job_path(out, plan, job, "jobs", "json");
}

mml_status mmli_model_path(char **out, const mml_compare *plan, size_t job)
{
    return job_path(out, plan, job, "models", "h5");
}

mml_status mmli_folder_path(char **out, const char *directory, const char *name)
{
    return mmli_strf(out, "%s/%s", directory, name);
}

mml_status mmli_folder_make(const char *path)
{
    char text[MMLI_ERRNO_BYTES];
    struct stat s;

    if (mkdir(path, 0777) == 0)
        return MML_OK;
    if (errno != EEXIST)
        return mmli_fail(MML_E_IO, "%s: the folder cannot be made: %s", path, mmli_errno_text(text, errno));
    if (stat(path, &s) != 0 || !S_ISDIR(s.st_mode))
        return mmli_fail(MML_E_IO, "%s: is not a folder", path);
    return MML_OK;
}

mml_status mmli_folders_make(const char *directory)
{
    static const char *const names[] = {"jobs", "models"};
    mml_status st = MML_OK;
    char *path = NULL;

    MML_TRY(mmli_folder_make(directory));
    for (size_t i = 0; i < 2; i++) {
        MML_TRY(mmli_folder_path(&path, directory, names[i]));
        MML_TRY(mmli_folder_make(path));
        mmli_free(path);
        path = NULL;
    }
out:
    mmli_free(path);
    return st;
}

/* 0 = written */
typedef int (*putter)(const void *what, FILE *f);

static int put_json(const void *what, FILE *f)
{
    return json_dumpf(what, f, MMLI_JSON_REALS | JSON_INDENT(1));
}

static int put_text(const void *what, FILE *f)
{
    return fputs(what, f) < 0;
}

static mml_status save(putter put, const void *what, const char *path)
{
    mml_status st = MML_OK;
    mmli_output o = {0};

    MML_CHECK(what != NULL, MML_E_NOMEM, "%s: no memory to write it", path);
    MML_TRY(mmli_output_begin(&o, path));
    if (put(what, o.f) != 0) {
        MML_TRY(mmli_output_check(&o));
        st = mmli_fail(MML_E_NOMEM, "%s: no memory to write it", path); /* of Jansson */
    }
out:
    return mmli_output_end(&o, st);
}

mml_status mmli_json_save(const json_t *value, const char *path)
{
    return save(put_json, value, path);
}

mml_status mmli_text_save(const char *text, const char *path)
{
    return save(put_text, text, path);
}

mml_status mmli_json_load(json_t **out, const char *path)
{
    mml_status st = MML_OK;
    char text[MMLI_ERRNO_BYTES];
    json_error_t error;
    FILE *f = fopen(path, "rb");
    int unread;

    *out = NULL;
    MML_CHECK(f != NULL || errno != ENOENT, MML_E_IO, "%s: there is no such file", path);
    MML_CHECK(f != NULL, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    errno = 0;
    *out = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
    unread = ferror(f) ? errno : 0; /* Jansson takes it for the end of the file */
    fclose(f);
    MML_CHECK(unread == 0, MML_E_IO, "%s: could not be read: %s", path, mmli_errno_text(text, unread));
    MML_CHECK(*out != NULL || json_error_code(&error) != json_error_out_of_memory, MML_E_NOMEM, "%s: no memory left to read it", path);
    MML_CHECK(*out != NULL, MML_E_FORMAT, "%s: line %d, column %d: %s", path, error.line, error.column, error.text);
out:
    if (st != MML_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}
