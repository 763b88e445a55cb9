/* drops.c - see shard.h: which modalities a fuse does without, sample by sample, while it trains.
 *
 * A function of (seed, step, member, place in the batch) alone. Members of a committee are one block, so that they are there or left out
 * together; and of what a patient has one block always stays. */
#include "train/shard.h"
#include "util/rng.h"

/* Sets all members of the block that begins with member i; how many they are. */
static size_t leave_out(uint8_t *drop, const mml_model *model, size_t i, size_t all, size_t b, bool value)
{
    const size_t members = mml_model_committee(model, i);

    for (size_t k = 0; k < members; k++)
        drop[(i + k) * all + b] = value;
    return members;
}

void mmli_shard_drops(uint8_t *drop, const mmli_shard *s, const mml_model *model, const int64_t *const *offsets, uint64_t seed, uint64_t step)
{
    const uint64_t dropout = mmli_rng_key(seed, "modality-dropout", step), kept = mmli_rng_key(seed, "modality-kept", step);

    for (size_t b = 0; b < s->all; b++) {
        size_t have = 0, dropped = 0, spare = 0;

        for (size_t i = 0, members; i < model->n; i += members) {
            const bool present = offsets[i][s->samples[b] + 1] > offsets[i][s->samples[b]];
            const bool out = present && (double)mmli_rng_uniform(dropout, b * model->n + i) < model->fuse.modality_dropout;

            members = leave_out(drop, model, i, s->all, b, out);
            have += present;
            dropped += out;
        }
        if (have == 0 || dropped < have)
            continue;
        spare = (size_t)mmli_rng_below(kept, b, have);
        for (size_t i = 0; i < model->n; i += mml_model_committee(model, i))
            if (drop[i * s->all + b] && spare-- == 0)
                leave_out(drop, model, i, s->all, b, false);
    }
}
