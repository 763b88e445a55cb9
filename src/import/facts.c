/* facts.c - facts as a JSON object. */
#include "import/facts.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

struct mmli_facts {
    json_t *facts, *columns;
};

static mml_status no_memory(void)
{
    return mmli_fail(MML_E_NOMEM, "out of memory while a file was described");
}

mml_status mmli_facts_new(mmli_facts **out)
{
    mml_status st = MML_OK;
    mmli_facts *f = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&f, 1, sizeof *f));
    f->facts = json_object();
    f->columns = json_array();
    if (f->facts == NULL || f->columns == NULL) {
        mmli_facts_free(f);
        return no_memory();
    }
    *out = f;
out:
    return st;
}

void mmli_facts_free(mmli_facts *f)
{
    if (f == NULL)
        return;
    json_decref(f->facts);
    json_decref(f->columns);
    mmli_free(f);
}

mml_status mmli_fact(mmli_facts *f, const char *name, const char *format, ...)
{
    va_list args;
    json_t *text;

    va_start(args, format);
    text = json_vsprintf(format, args); /* NULL also for what is not UTF-8 */
    va_end(args);
    return json_object_set_new(f->facts, name, text != NULL ? text : json_string("(not UTF-8)")) == 0 ? MML_OK : no_memory();
}

mml_status mmli_fact_number(mmli_facts *f, const char *name, double value)
{
    return json_object_set_new(f->facts, name, isfinite(value) ? json_real(value) : json_null()) == 0 ? MML_OK : no_memory();
}

/* A name in a user's file may be anything. */
static json_t *text_of(const char *s)
{
    json_t *text = json_string(s);

    return text != NULL ? text : json_string("(not UTF-8)");
}

mml_status mmli_fact_column(mmli_facts *f, const char *name, const char *type, size_t missing, const char *values)
{
    json_t *column = json_object();
    bool ok = column != NULL && json_object_set_new(column, "name", text_of(name)) == 0 &&
              json_object_set_new(column, "type", text_of(type)) == 0 &&
              json_object_set_new(column, "missing", json_integer((json_int_t)missing)) == 0 &&
              json_object_set_new(column, "values", text_of(values)) == 0;

    if (!ok)
        json_decref(column);
    return ok && json_array_append_new(f->columns, column) == 0 ? MML_OK : no_memory();
}

mml_status mmli_facts_json(char **json, const mmli_facts *f, const char *file, const char *format, const char *what)
{
    mml_status st = MML_OK;
    json_t *all = json_object();
    char *text = NULL;
    bool ok = all != NULL && json_object_set_new(all, "file", text_of(file)) == 0 &&
              json_object_set_new(all, "format", text_of(format)) == 0 && json_object_set_new(all, "what", text_of(what)) == 0 &&
              json_object_update_missing(all, f->facts) == 0 &&
              (json_array_size(f->columns) == 0 || json_object_set(all, "columns", f->columns) == 0);

    *json = NULL;
    if (ok)
        text = json_dumps(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    st = text != NULL ? mmli_strdup(json, text) : no_memory();
    free(text);
    json_decref(all);
    return st;
}
