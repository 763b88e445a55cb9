/* shard.c - see shard.h. */
#include "train/shard.h"

#include <string.h>

void mmli_shard_cut(mmli_before *before, uint8_t *drop, const mmli_shard *s, const int64_t *const *offsets, size_t members)
{
    for (size_t i = 0; i < members; i++) {
        before[i] = (mmli_before){0};
        for (size_t b = 0; b < s->first; b++) {
            const size_t sample = s->samples[b];
            const size_t tokens = (size_t)(offsets[i][sample + 1] - offsets[i][sample]);

            if (tokens == 0 || (drop && drop[i * s->all + b]))
                continue;
            before[i].segs++;
            before[i].tokens += tokens;
        }
    }
    for (size_t i = 0; drop && i < members; i++) /* forwards: each row moves to the left */
        memmove(drop + i * s->count, drop + i * s->all + s->first, s->count);
}

void mmli_shard_place(mmli_inputs *inputs, const mmli_before *before, size_t members)
{
    for (size_t i = 0; i < members; i++) {
        inputs->in[i].ragged.segs_before = before[i].segs;
        inputs->in[i].ragged.tokens_before = before[i].tokens;
    }
}
