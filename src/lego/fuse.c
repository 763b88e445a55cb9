/* fuse.c - LegoFuse: the state of one latent goes through the steps of several blocks (method.md 4).
 *
 * stack: all steps of block 1, then of block 2, ...; weave: step 0 of every block, then step 1, ... A sample that lacks a
 * modality passes its block unchanged. Cost is linear in the number of modalities.
 */
#include "lego/fuse.h"

#include "ops/internal.h"

/* Upstream's stack hands R over as if it were spatial (preset table of method.md 2): the next block transforms it
 * again. Samples without this modality keep the state they came with. */
static mmli_state hand_over_real(mmli_tape *tape, const mmli_block *block, const mmli_ragged *ragged, mmli_state before,
                                 mmli_state after)
{
    const size_t c = block->o.latent_c;
    mmli_state next = after;

    next.z.im = NULL;
    next.spatial = true;
    if (ragged->segs < ragged->samples) {
        mmli_var *rest = before.z.re;
        if (before.re_shared)
            rest = mmli_op_repeat(tape, rest, before.samples);
        next.z.re = mmli_op_put(tape, rest, mmli_op_take(tape, after.z.re, ragged, c), ragged, c);
        next.re_shared = false;
    }
    return next;
}

static mmli_state stack(mmli_tape *tape, const mmli_bound *bound, const mmli_block *const *blocks, size_t m,
                        const size_t *order, mmli_var *const *x, const mmli_ragged *ragged, const uint64_t *keys,
                        mmli_state state)
{
    for (size_t i = 0; i < m && mmli_tape_ok(tape); i++) {
        const size_t b = order[i];
        mmli_state after;

        if (!x[b])
            continue;
        after = mmli_block_run(tape, bound, blocks[b], x[b], &ragged[b], state, keys[b]);
        state = blocks[b]->o.handover_real ? hand_over_real(tape, blocks[b], &ragged[b], state, after) : after;
    }
    return state;
}

static mmli_state weave(mmli_tape *tape, const mmli_bound *bound, const mmli_block *const *blocks, size_t m,
                        const size_t *order, mmli_var *const *x, const mmli_ragged *ragged, const uint64_t *keys,
                        mmli_state state)
{
    mmli_context *contexts = mmli_tape_host(tape, m * sizeof *contexts);
    size_t most = 0;

    if (!contexts)
        return state;
    for (size_t b = 0; b < m; b++)
        most = blocks[b]->o.steps > most ? blocks[b]->o.steps : most;
    for (size_t s = 0; s < most; s++) {
        for (size_t i = 0; i < m && mmli_tape_ok(tape); i++) {
            const size_t b = order[i];
            if (!x[b] || s >= blocks[b]->o.steps)
                continue;
            contexts[b] = mmli_block_context(tape, bound, blocks[b], s, &contexts[b], x[b], &ragged[b], keys[b]);
            state = mmli_block_step(tape, bound, blocks[b], s, &contexts[b], state, keys[b]);
        }
    }
    return state;
}

mmli_state mmli_fuse_run(mmli_tape *tape, const mmli_bound *bound, const mmli_block *const *blocks, size_t m,
                         const size_t *order, mml_fuse_mode mode, mmli_var *const *x, const mmli_ragged *ragged,
                         const uint64_t *keys, mmli_state state)
{
    state = mode == MML_FUSE_STACK ? stack(tape, bound, blocks, m, order, x, ragged, keys, state)
                                   : weave(tape, bound, blocks, m, order, x, ragged, keys, state);
    /* After upstream's handover the head reads R itself (L0, when there was no modality at all). */
    if (mode == MML_FUSE_STACK && blocks[order[m - 1]]->o.handover_real && state.spatial) {
        state.spatial = false;
        return state;
    }
    return mmli_state_enter(tape, &blocks[order[0]]->o, state);
}
