/* table.c - the systems of a comparison as TSV, for spreadsheets and scripts. */
#include <stdio.h>

#include "compare/collect.h"
#include "util/error.h"
#include "util/text.h"

static mml_status number(mmli_buf *b, const json_t *value)
{
    mml_status st = mmli_buf_puts(b, "\t");

    if (st != MML_OK || !json_is_number(value))
        return st;
    if (json_is_integer(value))
        return mmli_buf_printf(b, "%lld", (long long)json_integer_value(value));
    return mmli_buf_double(b, json_real_value(value));
}

static mml_status text(mmli_buf *b, const json_t *value, const char *before)
{
    mml_status st = mmli_buf_puts(b, before);

    return st == MML_OK && json_is_string(value) ? mmli_buf_puts(b, json_string_value(value)) : st;
}

static mml_status modalities(mmli_buf *b, const json_t *list)
{
    mml_status st = mmli_buf_puts(b, "\t");

    for (size_t i = 0; st == MML_OK && i < json_array_size(list); i++)
        st = text(b, json_array_get(list, i), i ? "," : "");
    return st;
}

static mml_status head(mmli_buf *b, size_t folds)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_buf_puts(b, "system\ttitle\tgroup\tmodalities\tmean\tsd\tn"));
    for (size_t f = 0; f < folds; f++)
        MML_TRY(mmli_buf_printf(b, "\tfold_%zu", f));
    MML_TRY(mmli_buf_puts(b, "\tdifference_to\tdifference\tlow\thigh\tparameters\ttrain_seconds\tpeak_bytes\tremark\n"));
out:
    return st;
}

static mml_status line(mmli_buf *b, const json_t *s)
{
    static const char *const first[] = {"mean", "sd", "n"}, *const last[] = {"value", "low", "high"},
                             *const cost[] = {"parameters", "train_seconds", "peak_bytes"};
    const json_t *scores = json_object_get(s, "scores"), *difference = json_object_get(s, "difference");
    mml_status st = MML_OK;

    MML_TRY(text(b, json_object_get(s, "system"), ""));
    MML_TRY(text(b, json_object_get(s, "title"), "\t"));
    MML_TRY(text(b, json_object_get(s, "group"), "\t"));
    MML_TRY(modalities(b, json_object_get(s, "modalities")));
    for (size_t i = 0; i < 3; i++)
        MML_TRY(number(b, json_object_get(s, first[i])));
    for (size_t f = 0; f < json_array_size(scores); f++)
        MML_TRY(number(b, json_array_get(scores, f)));
    MML_TRY(text(b, json_object_get(difference, "to"), "\t"));
    for (size_t i = 0; i < 3; i++)
        MML_TRY(number(b, json_object_get(difference, last[i])));
    for (size_t i = 0; i < 3; i++)
        MML_TRY(number(b, json_object_get(s, cost[i])));
    MML_TRY(text(b, json_object_get(s, "remark"), "\t"));
    MML_TRY(mmli_buf_puts(b, "\n"));
out:
    return st;
}

mml_status mmli_compare_table(char **out, const json_t *comparison)
{
    const json_t *systems = json_object_get(comparison, "systems");
    mml_status st = MML_OK;
    mmli_buf b = {0};

    MML_TRY(head(&b, (size_t)json_integer_value(json_object_get(comparison, "folds"))));
    for (size_t i = 0; i < json_array_size(systems); i++)
        MML_TRY(line(&b, json_array_get(systems, i)));
    MML_TRY(mmli_buf_take(&b, out));
out:
    mmli_buf_free(&b);
    return st;
}
