/* division.c - how the blocks of some models divided their cohort. */
#include "cli/division.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* blocks[i].provenance of a model's description; NULL past the end. Lent. */
static const json_t *provenance(const json_t *model, size_t i)
{
    return json_object_get(json_array_get(json_object_get(model, "blocks"), i), "provenance");
}

static const json_t *split_of(const json_t *from)
{
    return json_object_get(json_object_get(json_object_get(from, "settings"), "training"), "split");
}

static json_t *describe(const mml_model *model)
{
    char *text = NULL;
    json_t *json = NULL;

    if (mml_model_describe(&text, model) != MML_OK)
        return NULL;
    json = json_loads(text, 0, NULL);
    mml_string_free(text);
    return json;
}

static int copy_text(char **out, const json_t *value)
{
    if (json_string_value(value) == NULL)
        return 1;
    *out = strdup(json_string_value(value));
    return *out != NULL;
}

static int take(mmlc_division *out, const json_t *from)
{
    const json_t *split = split_of(from);
    const json_t *fold = json_object_get(split, "fold"), *fraction = json_object_get(split, "valid_fraction");
    const char *seed = json_string_value(json_object_get(split, "seed"));

    out->found = json_is_integer(fold) && json_is_number(fraction) && seed != NULL;
    out->fold = (int)json_integer_value(fold);
    out->valid_fraction = json_number_value(fraction);
    out->seed = seed != NULL ? strtoull(seed, NULL, 10) : 0;
    return copy_text(&out->words, json_object_get(from, "split")) &&
           copy_text(&out->train, json_object_get(split, "train")) &&
           copy_text(&out->valid, json_object_get(split, "valid")) &&
           copy_text(&out->test, json_object_get(split, "test"));
}

/* All blocks against the first. *same: they were divided alike. */
static int compare(const mmlc_command *command, json_t *const *models, size_t n, const json_t *first, int *same)
{
    const json_t *split = split_of(first);

    *same = split != NULL;
    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < json_array_size(json_object_get(models[m], "blocks")); i++) {
            const json_t *from = provenance(models[m], i);
            const json_t *other = split_of(from);

            if (other != NULL && split != NULL && json_equal(other, split))
                continue;
            *same = 0;
            if (other != NULL && split != NULL &&
                json_equal(json_object_get(from, "data_hash"), json_object_get(first, "data_hash")))
                return mmlc_usage_error(command,
                                        "the blocks were trained on different divisions of one cohort (%s; %s); train "
                                        "them on the same, or say with --train or --fold which patients to use",
                                        json_string_value(json_object_get(first, "split")),
                                        json_string_value(json_object_get(from, "split")));
        }
    return MMLC_GO;
}

int mmlc_division_read(mmlc_division *out, const mmlc_command *command, const mmlc_models *models)
{
    json_t **json = calloc(models->n + 1, sizeof *json);
    int rc = json != NULL ? MMLC_GO : mmlc_no_memory(command), same = 0;

    *out = (mmlc_division){.found = 0};
    for (size_t i = 0; rc == MMLC_GO && i < models->n; i++) {
        json[i] = describe(models->model[i]);
        if (json[i] == NULL)
            rc = mmlc_no_memory(command);
    }
    if (rc == MMLC_GO)
        rc = compare(command, json, models->n, provenance(json[0], 0), &same);
    if (rc == MMLC_GO && same && !take(out, provenance(json[0], 0)))
        rc = mmlc_no_memory(command);
    for (size_t i = 0; json != NULL && i < models->n; i++)
        json_decref(json[i]);
    free(json);
    return rc;
}

void mmlc_division_free(mmlc_division *division)
{
    free(division->words);
    free(division->train);
    free(division->valid);
    free(division->test);
    *division = (mmlc_division){.found = 0};
}
