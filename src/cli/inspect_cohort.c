/* inspect_cohort.c - the description of a cohort for people: a table of modalities, one of tasks, then the rest. */
#include <string.h>

#include "cli/inspect.h"
#include "cli/json_text.h"

enum { LONG = 4096, SHOWN = 40 };

static double real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static json_t *percent(double share)
{
    return json_sprintf("%.3g%%", 100.0 * share);
}

/* "1 to 48, mean 40.2"; "1" when they are all the same. */
static json_t *range(const json_t *numbers)
{
    double low = real(numbers, "min"), high = real(numbers, "max");

    if (!json_is_object(numbers))
        return json_string("");
    if (low == high)
        return json_sprintf("%.6g", low);
    return json_sprintf("%.6g to %.6g, mean %.4g", low, high, real(numbers, "mean"));
}

static json_t *modalities(const json_t *list)
{
    json_t *rows = json_array(), *m = NULL;
    size_t i = 0;

    json_array_foreach(list, i, m)
        json_array_append_new(rows, json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?, s:o?, s:o?}", "name",
                                              json_object_get(m, "name"), "kind", json_object_get(m, "kind"), "samples",
                                              json_object_get(m, "present"), "without", json_object_get(m, "absent"),
                                              "features", json_object_get(m, "width"), "tokens per sample",
                                              range(json_object_get(m, "tokens_per_sample")), "values missing",
                                              percent(real(m, "missing"))));
    return rows;
}

/* What the labels of a task are, by its kind. */
static json_t *labels(const json_t *task)
{
    char text[LONG] = "";
    const char *unit = json_string_value(json_object_get(task, "unit"));
    const json_t *numbers = json_object_get(task, "time");
    json_t *c = NULL;
    size_t i = 0, used = 0;

    if (unit == NULL)
        unit = "";
    json_array_foreach(json_object_get(task, "classes"), i, c)
        if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s: %.0f", i > 0 ? ", " : "",
                                     json_string_value(json_object_get(c, "name")), real(c, "samples"));
    if (json_is_object(numbers))
        snprintf(text, sizeof text, "%.0f events, %.0f censored; time %.5g to %.5g, median %.5g%s%s", real(task, "events"),
                 real(task, "censored"), real(numbers, "min"), real(numbers, "max"), real(numbers, "median"),
                 unit[0] != '\0' ? " " : "", unit);
    numbers = json_object_get(task, "value");
    if (json_is_object(numbers))
        snprintf(text, sizeof text, "%.5g to %.5g, median %.5g%s%s", real(numbers, "min"), real(numbers, "max"),
                 real(numbers, "median"), unit[0] != '\0' ? " " : "", unit);
    return json_string(text);
}

static json_t *tasks(const json_t *list)
{
    json_t *rows = json_array(), *t = NULL;
    size_t i = 0;

    json_array_foreach(list, i, t)
        json_array_append_new(rows, json_pack("{s:O?, s:O?, s:O?, s:O?, s:o?}", "name", json_object_get(t, "name"), "kind",
                                              json_object_get(t, "kind"), "labelled", json_object_get(t, "labelled"),
                                              "without", json_object_get(t, "unlabelled"), "labels", labels(t)));
    return rows;
}

/* "a: 80, b: 40", or the number of distinct values of a column that has many. */
static json_t *columns(json_t *described)
{
    json_t *out = json_object(), *column = NULL, *count = NULL;
    const char *name = NULL, *value = NULL;

    json_object_foreach(described, name, column)
    {
        char text[LONG] = "";
        size_t used = 0;

        json_object_foreach(json_object_get(column, "values"), value, count)
            if (used < sizeof text)
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%s: %.0f", used > 0 ? ", " : "",
                                         value[0] != '\0' ? value : "(empty)", json_number_value(count));
        if (used == 0)
            snprintf(text, sizeof text, "%.0f different values", real(column, "distinct"));
        json_object_set_new(out, name, json_string(text));
    }
    return out;
}

/* Per modality the features with the share of values missing, the first of them. */
static json_t *features(const json_t *list)
{
    json_t *out = json_object(), *m = NULL, *f = NULL;
    size_t i = 0, j = 0;

    json_array_foreach(list, i, m)
    {
        const json_t *all = json_object_get(m, "features");
        char text[LONG] = "";
        size_t used = 0;

        json_array_foreach(all, j, f)
        {
            if (used >= sizeof text)
                break;
            if (j == SHOWN) {
                snprintf(text + used, sizeof text - used, ", ... (%zu in all)", json_array_size(all));
                break;
            }
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %.3g%%", j > 0 ? ", " : "",
                                     json_string_value(json_object_get(f, "name")), 100.0 * real(f, "missing"));
        }
        json_object_set_new(out, json_string_value(json_object_get(m, "name")), json_string(text));
    }
    return out;
}

int mmlc_cohort_text(FILE *to, const char *text)
{
    json_t *in = json_loads(text, 0, NULL);
    json_t *out = NULL;

    if (!json_is_object(in)) {
        json_decref(in);
        return -1;
    }
    out = json_pack("{s:O?, s:O?, s:O?, s:O?, s:o?, s:o?, s:o?, s:o?, s:O?}", "cohort", json_object_get(in, "file"), "samples",
                    json_object_get(in, "samples"), "groups", json_object_get(in, "groups"), "data hash",
                    json_object_get(in, "data_hash"), "modalities", modalities(json_object_get(in, "modalities")), "tasks",
                    tasks(json_object_get(in, "tasks")), "columns", columns(json_object_get(in, "columns")),
                    "values missing, by feature", features(json_object_get(in, "modalities")), "samples that have",
                    json_object_get(in, "overlap"));
    json_decref(in);
    if (out == NULL)
        return -1;
    mmlc_json_print(to, out);
    json_decref(out);
    return 0;
}
