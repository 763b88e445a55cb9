/* provenance.c - where a training came from, and which samples it has seen. */
#include <math.h>
#include <string.h>

#include "model/model.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

void mmli_provenance_clear(mmli_provenance *p)
{
    mmli_free(p->version);
    mmli_free(p->backend);
    mmli_free(p->split);
    mmli_free(p->settings);
    for (size_t i = 0; i < 3; i++)
        mmli_free(p->ids[i]);
    mmli_free(p->history);
    *p = (mmli_provenance){.valid_score = NAN};
}

mml_status mmli_provenance_copy_ids(mmli_provenance *out, const mmli_provenance *p, int part)
{
    mml_status st = MML_OK;
    uint64_t *ids = NULL;

    if (p->n_ids[part] > 0) {
        MML_TRY(mmli_calloc(&ids, p->n_ids[part], sizeof *ids));
        memcpy(ids, p->ids[part], p->n_ids[part] * sizeof *ids);
    }
    mmli_free(out->ids[part]);
    out->ids[part] = ids;
    out->n_ids[part] = p->n_ids[part];
out:
    return st;
}

mml_status mmli_provenance_copy(mmli_provenance *out, const mmli_provenance *p)
{
    mml_status st = MML_OK;
    mmli_provenance q = *p;

    q.version = q.backend = q.split = q.settings = NULL;
    q.ids[0] = q.ids[1] = q.ids[2] = NULL;
    q.history = NULL;
    MML_TRY(mmli_strdup(&q.version, p->version));
    MML_TRY(mmli_strdup(&q.backend, p->backend));
    MML_TRY(mmli_strdup(&q.split, p->split));
    MML_TRY(mmli_strdup(&q.settings, p->settings));
    for (int i = 0; i < 3; i++)
        MML_TRY(mmli_provenance_copy_ids(&q, p, i));
    if (p->n_history > 0) {
        MML_TRY(mmli_calloc(&q.history, p->n_history, sizeof *q.history));
        memcpy(q.history, p->history, p->n_history * sizeof *q.history);
    }
    mmli_provenance_clear(out);
    *out = q;
    q = (mmli_provenance){0};
out:
    mmli_provenance_clear(&q);
    return st;
}

double mmli_provenance_score(const mmli_provenance *p)
{
    return p->cross_folds > 0 ? p->cross_score : p->valid_score;
}

uint64_t mmli_sample_hash(const char *id)
{
    return mmli_hash64(id, strlen(id), MMLI_ID_SALT);
}

static bool contains(const uint64_t *sorted, size_t n, uint64_t id)
{
    size_t low = 0;

    while (n > 0) { /* the first not below id is in [low, low + n] */
        const size_t half = n / 2;

        if (sorted[low + half] < id) {
            low += half + 1;
            n -= half + 1;
        } else if (sorted[low + half] == id) {
            return true;
        } else {
            n = half;
        }
    }
    return false;
}

mml_part mmli_provenance_part(const mmli_provenance *p, uint64_t id)
{
    static const mml_part parts[3] = {MML_PART_TRAIN, MML_PART_VALID, MML_PART_TEST};

    for (size_t i = 0; i < 3; i++)
        if (contains(p->ids[i], p->n_ids[i], id))
            return parts[i];
    return MML_PART_NONE;
}

/* How much a part rules out: a training sample is never a fair test, a validation sample chose the weights. */
static int strictness(mml_part part)
{
    switch (part) {
    case MML_PART_TRAIN:
        return 3;
    case MML_PART_VALID:
        return 2;
    case MML_PART_TEST:
        return 1;
    case MML_PART_NONE:
    default:
        return 0;
    }
}

mml_part mml_model_part_of(const mml_model *model, size_t block, const char *sample_id)
{
    const uint64_t id = mmli_sample_hash(sample_id);
    mml_part part = MML_PART_NONE;

    if (block != SIZE_MAX)
        return block < model->n ? mmli_provenance_part(&model->members[block].from, id) : MML_PART_NONE;
    if (model->from.version) /* a fuse, or a baseline */
        return mmli_provenance_part(&model->from, id);
    for (size_t i = 0; i < model->n; i++) {
        const mml_part here = mmli_provenance_part(&model->members[i].from, id);

        part = strictness(here) > strictness(part) ? here : part;
    }
    return part;
}
