/* state.c - the latent between steps: where it is (space or frequency), whose it is (all samples' or each one's). */
#include <math.h>

#include "lego/block.h"

mmli_state mmli_state_start(mmli_tape *tape, const mmli_bound *bound, size_t latent, size_t samples)
{
    (void)tape;
    return (mmli_state){
        .z = {mmli_p(bound, latent), NULL}, .re_shared = true, .im_shared = true, .spatial = true, .samples = samples};
}

static int axes_of(const mml_block_options *o)
{
    return o->transform == MML_TRANSFORM_2D ? MMLI_AXIS_C | MMLI_AXIS_D : MMLI_AXIS_C;
}

/* Scale of the transform: unitary in 2-D; in 1-D none forward, 1/c back (method.md 2, presets). */
static float scale_of(const mml_block_options *o, bool inverse)
{
    if (o->transform == MML_TRANSFORM_2D)
        return 1.0f / sqrtf((float)(o->latent_c * o->latent_d));
    return inverse ? 1.0f / (float)o->latent_c : 1.0f;
}

/* Real and imaginary part with equal rows: what a joint transform needs. */
static mmli_complex aligned(mmli_tape *tape, mmli_state *state)
{
    if (state->z.im && state->re_shared != state->im_shared) {
        if (state->im_shared)
            state->z.im = mmli_op_repeat(tape, state->z.im, state->samples);
        else
            state->z.re = mmli_op_repeat(tape, state->z.re, state->samples);
        state->re_shared = state->im_shared = false;
    }
    return state->z;
}

mmli_state mmli_state_enter(mmli_tape *tape, const mml_block_options *o, mmli_state state)
{
    mmli_complex z;

    if (!state.spatial)
        return state;
    state.spatial = false;
    if (o->transform == MML_TRANSFORM_SPATIAL) {
        state.z.im = NULL;
        return state;
    }
    z = aligned(tape, &state);
    if (o->normalise_latent)
        z = mmli_op_col_normalise(tape, z, o->latent_c);
    state.z = mmli_op_fft(tape, z, o->latent_c, axes_of(o), -1, scale_of(o, false), false);
    state.im_shared = state.re_shared;
    return state;
}

/* The inverse transform: only upstream's normalisation between steps, and the long way of tests, need it. */
mmli_state mmli_state_leave(mmli_tape *tape, const mml_block_options *o, mmli_state state)
{
    if (state.spatial || o->transform == MML_TRANSFORM_SPATIAL)
        return state;
    state.spatial = true;
    state.z = mmli_op_fft(tape, aligned(tape, &state), o->latent_c, axes_of(o), 1, scale_of(o, true), false);
    state.im_shared = state.re_shared;
    return state;
}

mmli_complex mmli_state_full(mmli_tape *tape, const mml_block_options *o, mmli_state state)
{
    mmli_complex z;

    state = mmli_state_enter(tape, o, state);
    z = state.z;
    if (state.re_shared)
        z.re = mmli_op_repeat(tape, z.re, state.samples);
    if (z.im && state.im_shared)
        z.im = mmli_op_repeat(tape, z.im, state.samples);
    if (!z.im)
        z.im = mmli_op_zeros(tape, state.samples * o->latent_c, o->latent_d);
    return z;
}
