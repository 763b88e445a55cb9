/* batch.c - ragged tokens in host memory.
 *
 * A batch is filled again and again in a training loop: parts that the last filling did not name keep their
 * buffers in the slots n_parts .. cap_parts-1 and are found again by name.
 */
#include "io/batch.h"

#include <math.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

mml_status mml_batch_new(mml_batch **out, size_t n_samples)
{
    mml_status st;

    MML_GIVEN(out);
    if ((st = mmli_calloc(out, 1, sizeof **out)) == MML_OK)
        (*out)->n = n_samples;
    return st;
}

void mml_batch_free(mml_batch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->cap_parts; i++) {
        mmli_free(batch->parts[i].name);
        mmli_free(batch->parts[i].values);
        mmli_free(batch->parts[i].positions);
        mmli_free(batch->parts[i].offsets);
    }
    mmli_free(batch->parts);
    mmli_free(batch);
}

size_t mml_batch_size(const mml_batch *batch)
{
    return batch->n;
}

mml_status mmli_batch_reset(mml_batch *batch, size_t n)
{
    batch->n = n;
    batch->n_parts = 0;
    return MML_OK;
}

/* The slot of `name` brought to place n_parts: one that had that name before, else an unused one, else a
 * new one, else that of another name (a loop may change what it reads; buffers must not pile up). */
static mml_status slot(mmli_batch_part **out, mml_batch *batch, const char *name)
{
    mml_status st = MML_OK;
    size_t at = batch->cap_parts, cap = batch->cap_parts;
    mmli_batch_part swap;

    for (size_t i = batch->n_parts; i < batch->cap_parts && at == batch->cap_parts; i++)
        if (batch->parts[i].name != NULL && strcmp(batch->parts[i].name, name) == 0)
            at = i;
    for (size_t i = batch->n_parts; i < batch->cap_parts && at == batch->cap_parts; i++)
        if (batch->parts[i].name == NULL)
            at = i;
    if (at == batch->cap_parts && batch->n_parts < batch->cap_parts)
        at = batch->n_parts;
    if (at == batch->cap_parts) {
        MML_TRY(mmli_grow(&batch->parts, &cap, batch->n_parts + 1, sizeof *batch->parts));
        memset(batch->parts + batch->cap_parts, 0, (cap - batch->cap_parts) * sizeof *batch->parts);
        batch->cap_parts = cap;
    }
    if (batch->parts[at].name == NULL || strcmp(batch->parts[at].name, name) != 0) {
        char *copy;

        MML_TRY(mmli_strdup(&copy, name));
        mmli_free(batch->parts[at].name);
        batch->parts[at].name = copy;
    }
    swap = batch->parts[at];
    batch->parts[at] = batch->parts[batch->n_parts];
    batch->parts[batch->n_parts] = swap;
    *out = &batch->parts[batch->n_parts];
out:
    return st;
}

mml_status mmli_batch_reserve(mmli_batch_part **out, mml_batch *batch, const char *name, size_t tokens,
                              size_t width, size_t n_axes)
{
    mml_status st = MML_OK;
    mmli_batch_part *part = NULL;
    size_t n_values, n_positions;
    bool added = false;

    *out = NULL;
    MML_CHECK(batch->n < SIZE_MAX && mmli_mul_size(&n_values, tokens, width) &&
                  mmli_mul_size(&n_positions, tokens, n_axes),
              MML_E_NOMEM, "modality %s: %zu tokens of width %zu are too many for this machine", name, tokens, width);
    for (size_t i = 0; i < batch->n_parts && part == NULL; i++)
        if (strcmp(batch->parts[i].name, name) == 0)
            part = &batch->parts[i];
    if (part == NULL) {
        MML_TRY(slot(&part, batch, name));
        added = true;
    }
    MML_TRY(mmli_grow(&part->values, &part->cap_values, n_values, sizeof *part->values));
    MML_TRY(mmli_grow(&part->positions, &part->cap_positions, n_positions, sizeof *part->positions));
    MML_TRY(mmli_grow(&part->offsets, &part->cap_offsets, batch->n + 1, sizeof *part->offsets));
    part->width = width;
    part->n_axes = n_axes;
    if (added)
        batch->n_parts++;
    *out = part;
out:
    return st;
}

static mml_status check_set(const mml_batch *batch, const char *name, const int64_t *offsets, size_t width)
{
    mml_status st = MML_OK;

    MML_CHECK(name[0] != '\0', MML_E_ARG, "a modality needs a name");
    MML_CHECK(width > 0, MML_E_ARG, "modality %s: the width of its tokens is 0", name);
    MML_CHECK(offsets[0] == 0, MML_E_ARG, "modality %s: offsets must begin with 0", name);
    for (size_t b = 0; b < batch->n; b++)
        MML_CHECK(offsets[b + 1] >= offsets[b], MML_E_ARG,
                  "modality %s: offsets must ascend; offsets[%zu] = %lld comes after %lld", name, b + 1,
                  (long long)offsets[b + 1], (long long)offsets[b]);
    MML_CHECK((uint64_t)offsets[batch->n] <= SIZE_MAX, MML_E_NOMEM, "modality %s: too many tokens", name);
out:
    return st;
}

mml_status mml_batch_set(mml_batch *batch, const char *name, const float *values, const int64_t *offsets,
                         size_t width, const float *positions, size_t n_axes)
{
    mml_status st = MML_OK;
    mmli_batch_part *part;
    size_t tokens;

    MML_GIVEN(batch, name, offsets);
    MML_TRY(check_set(batch, name, offsets, width));
    tokens = (size_t)offsets[batch->n];
    MML_CHECK(tokens == 0 || values != NULL, MML_E_ARG, "modality %s: values are NULL", name);
    MML_CHECK(tokens == 0 || (positions != NULL) == (n_axes > 0), MML_E_ARG,
              "modality %s: positions and n_axes must be given together", name);
    MML_TRY(mmli_batch_reserve(&part, batch, name, tokens, width, n_axes));
    memcpy(part->offsets, offsets, (batch->n + 1) * sizeof *offsets);
    if (tokens > 0)
        memcpy(part->values, values, tokens * width * sizeof *values);
    if (tokens > 0 && n_axes > 0)
        memcpy(part->positions, positions, tokens * n_axes * sizeof *positions);
out:
    return st;
}

/* Does sample b have a row? One without any known value is none: import makes no token of it either, so that no training has seen any. */
static bool has_row(const float *values, const uint8_t *present, size_t b, size_t width)
{
    if (present != NULL && present[b] == 0)
        return false;
    if (values == NULL)
        return true;
    for (size_t k = 0; k < width; k++)
        if (!isnan(values[b * width + k]))
            return true;
    return false;
}

mml_status mml_batch_set_table(mml_batch *batch, const char *name, const float *values, const uint8_t *present,
                               size_t width)
{
    mml_status st = MML_OK;
    mmli_batch_part *part;
    size_t tokens = 0;

    MML_GIVEN(batch, name);
    MML_CHECK(name[0] != '\0', MML_E_ARG, "a modality needs a name");
    MML_CHECK(width > 0, MML_E_ARG, "modality %s: the width of its tokens is 0", name);
    for (size_t b = 0; b < batch->n; b++)
        tokens += has_row(values, present, b, width);
    MML_CHECK(tokens == 0 || values != NULL, MML_E_ARG, "modality %s: values are NULL", name);
    MML_TRY(mmli_batch_reserve(&part, batch, name, tokens, width, 0));
    part->offsets[0] = 0;
    tokens = 0;
    for (size_t b = 0; b < batch->n; b++) {
        if (has_row(values, present, b, width)) {
            memcpy(part->values + tokens * width, values + b * width, width * sizeof *values);
            tokens++;
        }
        part->offsets[b + 1] = (int64_t)tokens;
    }
out:
    return st;
}

static mml_status unknown(const mml_batch *batch, const char *name)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    char list[MMLI_LIST_BYTES];

    MML_TRY(mmli_calloc(&names, batch->n_parts, sizeof *names));
    for (size_t i = 0; i < batch->n_parts; i++)
        names[i] = batch->parts[i].name;
    st = mmli_fail(MML_E_NOT_FOUND, "the batch has no modality %s; it has: %s", name,
                   mmli_list(list, names, batch->n_parts));
out:
    mmli_free(names);
    return st;
}

mml_status mml_batch_get(mml_tokens *out, const mml_batch *batch, const char *name)
{
    MML_GIVEN(out, batch, name);
    *out = (mml_tokens){0};
    for (size_t i = 0; i < batch->n_parts; i++) {
        const mmli_batch_part *p = &batch->parts[i];

        if (strcmp(p->name, name) != 0)
            continue;
        *out = (mml_tokens){.name = p->name,
                            .values = p->values,
                            .offsets = p->offsets,
                            .width = p->width,
                            .positions = p->n_axes > 0 ? p->positions : NULL,
                            .n_axes = p->n_axes};
        return MML_OK;
    }
    return unknown(batch, name);
}
