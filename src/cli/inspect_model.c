/* inspect_model.c - the description of a model for people: a table of blocks, then each block in full. */
#include <stdlib.h>
#include <string.h>

#include "cli/inspect.h"
#include "cli/json_text.h"

enum { MANY_FEATURES = 64 };

static json_t *at(const json_t *object, const char *a, const char *b)
{
    return json_object_get(json_object_get(object, a), b);
}

/* A copy with blanks for the underscores of keys. None of them is a name of the user's. NULL: no memory. */
static json_t *in_words(json_t *v)
{
    json_t *out = NULL, *item = NULL;
    const char *key = NULL;
    size_t i = 0;
    int bad = 0;

    if (!json_is_object(v) && !json_is_array(v))
        return json_incref(v);
    out = json_is_object(v) ? json_object() : json_array();
    json_array_foreach(v, i, item)
        bad |= json_array_append_new(out, in_words(item));
    json_object_foreach(v, key, item)
    {
        char *words = strdup(key);

        for (char *c = words; c != NULL && *c != '\0'; c++)
            if (*c == '_')
                *c = ' ';
        bad |= words == NULL || json_object_set_new(out, words, in_words(item)) != 0;
        free(words);
    }
    if (bad) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static int print_in_words(FILE *to, json_t *object)
{
    json_t *words = object == NULL ? NULL : in_words(object);

    if (words == NULL)
        return -1;
    mmlc_json_print(to, words);
    json_decref(words);
    return 0;
}

/* Of a committee, but not its first. */
static int is_further_member(const json_t *blocks, size_t i)
{
    const json_t *here = json_array_get(blocks, i), *before = i > 0 ? json_array_get(blocks, i - 1) : NULL;
    const json_t *size = at(here, "provenance", "committee");

    return json_integer_value(size) > 1 && json_equal(size, at(before, "provenance", "committee")) &&
           json_equal(json_object_get(here, "modality"), json_object_get(before, "modality"));
}

/* Weight of block i, or of the committee that it is the first of. */
static double weight_of(const json_t *blocks, size_t i, const json_t *weights)
{
    double sum = 0;

    do
        sum += json_number_value(json_object_get(weights, json_string_value(json_object_get(json_array_get(blocks, i), "name"))));
    while (is_further_member(blocks, ++i));
    return sum;
}

/* One line of the table: block i, or the committee that it is the first of. Weights are those of a merge, else NULL. */
static json_t *row(const json_t *blocks, size_t i, const json_t *weights)
{
    const json_t *block = json_array_get(blocks, i);
    json_t *r;

    if (json_object_get(block, "options") == NULL) /* a modality of a baseline */
        return json_pack("{s:O?, s:O?, s:O?, s:O?}", "name", json_object_get(block, "name"), "kind",
                         json_object_get(block, "modality_kind"), "token width", json_object_get(block, "token_width"),
                         "parameters", json_object_get(block, "parameters"));
    r = json_pack("{s:O?, s:O?, s:O?, s:O?, s:o?, s:O?, s:O?, s:O?, s:O?}", "name", json_object_get(block, "name"), "modality",
                          json_object_get(block, "modality"), "kind", json_object_get(block, "modality_kind"), "encoder",
                          at(block, "options", "encoder"), "latent",
                          json_sprintf("%.0fx%.0f", json_number_value(at(block, "options", "latent_c")),
                                       json_number_value(at(block, "options", "latent_d"))),
                          "parameters", json_object_get(block, "parameters"), "trained on",
                          json_object_get(at(block, "provenance", "samples"), "train"), "valid score",
                          at(block, "provenance", "valid_score"), "cross score",
                          at(block, "provenance", "cross_score"));

    if (r != NULL && json_integer_value(at(block, "provenance", "committee")) > 1)
        json_object_set(r, "members", at(block, "provenance", "committee"));
    if (r != NULL && weights != NULL)
        json_object_set_new(r, "weight", json_real(weight_of(blocks, i, weights)));
    return r;
}

/* What a training was told, without what stands elsewhere. */
static void shorten_provenance(json_t *from)
{
    json_t *training = at(from, "settings", "training");

    if (json_is_object(training)) {
        json_object_del(training, "split"); /* in words beside it */
        json_object_set(from, "training", training);
    }
    json_object_del(from, "settings");
}

static void shorten_block(json_t *block)
{
    json_t *prep = json_object_get(block, "preprocessing");

    if (json_array_size(json_object_get(prep, "features")) > MANY_FEATURES)
        json_object_set_new(prep, "features", json_sprintf("%zu, see --json", json_array_size(json_object_get(prep, "features"))));
    shorten_provenance(json_object_get(block, "provenance"));
}

int mmlc_model_text(FILE *to, const char *text)
{
    static const char *const after[] = {"merge", "fuse", "order", "baseline", "provenance"};
    json_t *in = json_loads(text, 0, NULL), *out = NULL, *rows = json_array(), *block = NULL;
    size_t i = 0;
    int rc = -1;

    if (!json_is_object(in) || rows == NULL)
        goto out;
    json_array_foreach(json_object_get(in, "blocks"), i, block)
    {
        if (!is_further_member(json_object_get(in, "blocks"), i))
            json_array_append_new(rows, row(json_object_get(in, "blocks"), i, json_object_get(in, "weights")));
        shorten_block(block);
    }
    shorten_provenance(json_object_get(in, "provenance"));
    out = json_pack("{s:O?, s:O?, s:O?, s:O}", "model", json_object_get(in, "kind"), "parameters",
                    json_object_get(in, "parameters"), "task", json_object_get(in, "task"), "blocks", rows);
    if (out == NULL)
        goto out;
    for (i = 0; i < sizeof after / sizeof after[0]; i++)
        if (json_object_get(in, after[i]) != NULL)
            json_object_set(out, after[i], json_object_get(in, after[i]));
    rc = print_in_words(to, out);
    json_array_foreach(json_object_get(in, "blocks"), i, block)
    {
        json_t *one;

        if (is_further_member(json_object_get(in, "blocks"), i))
            continue; /* what differs is in the table */
        one = json_pack("{s:[O]}", "blocks", block);

        fputc('\n', to);
        if (print_in_words(to, one) != 0)
            rc = -1;
        json_decref(one);
    }
out:
    json_decref(rows);
    json_decref(out);
    json_decref(in);
    return rc;
}
