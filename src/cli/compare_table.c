/* compare_table.c - see compare_table.h. */
#include "cli/compare_table.h"

#include <string.h>

#include "cli/cli.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* Columns on a terminal, not bytes: titles may be in any language. */
static int columns(const char *text)
{
    int n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void pad(FILE *to, const char *text, int width)
{
    fprintf(to, "%s%*s", text, width > columns(text) ? width - columns(text) : 0, "");
}

static void score(char *out, size_t size, const json_t *s)
{
    const json_t *mean = json_object_get(s, "mean"), *sd = json_object_get(s, "sd");

    if (!json_is_number(mean))
        snprintf(out, size, "%s", "-");
    else if (!json_is_number(sd))
        snprintf(out, size, "%.3f", json_number_value(mean));
    else
        snprintf(out, size, "%.3f +- %.3f", json_number_value(mean), json_number_value(sd));
}

static void difference(char *out, size_t size, const json_t *s)
{
    const json_t *d = json_object_get(s, "difference"), *low = json_object_get(d, "low"), *high = json_object_get(d, "high");

    if (d == NULL)
        snprintf(out, size, "%s", "");
    else if (json_is_number(low) && json_is_number(high))
        snprintf(out, size, "%+.3f (%+.3f to %+.3f)", json_number_value(json_object_get(d, "value")),
                 json_number_value(low), json_number_value(high));
    else
        snprintf(out, size, "%+.3f", json_number_value(json_object_get(d, "value")));
}

static void amount(char *out, size_t size, const json_t *value, double unit, int digits, const char *name)
{
    if (json_is_number(value))
        snprintf(out, size, "%.*f %s", digits, json_number_value(value) / unit, name);
    else
        snprintf(out, size, "%s", "-");
}

static const char *baseline(const json_t *systems)
{
    for (size_t i = 0; i < json_array_size(systems); i++) {
        const char *to = text_of(json_object_get(json_array_get(systems, i), "difference"), "to");

        if (to[0] != '\0')
            return to;
    }
    return NULL;
}

static void line(FILE *to, const json_t *s, int width, int folds)
{
    char mean[64], diff[96], parameters[32], seconds[32], peak[32];
    const int n = (int)json_integer_value(json_object_get(s, "n"));

    score(mean, sizeof mean, s);
    difference(diff, sizeof diff, s);
    amount(parameters, sizeof parameters, json_object_get(s, "parameters"), 1e3, 0, "k");
    amount(seconds, sizeof seconds, json_object_get(s, "train_seconds"), 1, 1, "s");
    amount(peak, sizeof peak, json_object_get(s, "peak_bytes"), 1048576, 0, "MiB");
    pad(to, text_of(s, "title"), width);
    fprintf(to, "  %-16s  %-26s  %9s  %8s  %8s", mean, diff, parameters, seconds, peak);
    if (n < folds)
        fprintf(to, "  %d of %d %s", n, folds, mmlc_by_number((size_t)folds, "fold", "folds"));
    fputc('\n', to);
}

void mmlc_compare_table(FILE *to, const json_t *comparison)
{
    const json_t *systems = json_object_get(comparison, "systems"), *task = json_object_get(comparison, "task"),
                 *cohort = json_object_get(comparison, "cohort");
    const char *best = baseline(systems), *group = "";
    const int folds = (int)json_integer_value(json_object_get(comparison, "folds"));
    int width = 8;

    for (size_t i = 0; i < json_array_size(systems); i++) {
        const int n = columns(text_of(json_array_get(systems, i), "title"));

        width = n > width ? n : width;
    }
    fprintf(to, "%s, task %s (%s), %d samples, %d %s\n", text_of(comparison, "title"), text_of(task, "name"),
            text_of(task, "metric_title"), (int)json_integer_value(json_object_get(cohort, "samples")), folds,
            mmlc_by_number((size_t)folds, "fold", "folds"));
    if (best != NULL)
        fprintf(to, "difference: to %s, the best baseline, with its 95 %% interval\n", best);
    if (json_array_size(systems) == 0)
        return;
    pad(to, "system", width);
    fprintf(to, "  %-16s  %-26s  %9s  %8s  %8s\n", "mean +- sd", "difference", "size", "training", "memory");
    for (size_t i = 0; i < json_array_size(systems); i++) {
        const json_t *s = json_array_get(systems, i);

        if (strcmp(group, text_of(s, "group")) != 0)
            fprintf(to, "%s\n", text_of(s, "group"));
        group = text_of(s, "group");
        line(to, s, width, folds);
    }
    for (size_t i = 0; i < json_array_size(systems); i++) {
        const json_t *s = json_array_get(systems, i);

        if (text_of(s, "remark")[0] != '\0')
            fprintf(to, "%s: %s\n", text_of(s, "title"), text_of(s, "remark"));
    }
}

static void curve(FILE *to, const json_t *series)
{
    const json_t *x = json_object_get(series, "x"), *mean = json_object_get(series, "mean");

    fprintf(to, "  %s\n   ", text_of(series, "title"));
    for (size_t i = 0; i < json_array_size(x); i++)
        fprintf(to, " %g: %.3f%s", json_number_value(json_array_get(x, i)), json_number_value(json_array_get(mean, i)),
                i + 1 < json_array_size(x) ? "," : "");
    fputc('\n', to);
}

void mmlc_compare_studies(FILE *to, const json_t *comparison)
{
    const json_t *studies = json_object_get(comparison, "studies");

    for (size_t i = 0; i < json_array_size(studies); i++) {
        const json_t *study = json_array_get(studies, i), *series = json_object_get(study, "series");

        fprintf(to, "\nstudy %s: %s by %s\n", text_of(study, "study"), text_of(study, "y_title"), text_of(study, "x_title"));
        for (size_t k = 0; k < json_array_size(series); k++)
            curve(to, json_array_get(series, k));
    }
}
