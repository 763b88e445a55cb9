/* states.c - see states.h. */
#include "tests/lego/states.h"

#include <string.h>

#include "util/rng.h"

static mmli_device *dv;
static mmli_tape *tape;

mml_aggregation kind_aggregation(int i)
{
    static const mml_aggregation list[] = {MML_MERGE_HARMONIC, MML_MERGE_MEAN, MML_MERGE_SUM, MML_MERGE_PRODUCT};

    return list[i % 4];
}

mml_phase kind_phase(int i)
{
    return i / 4 % 2 ? MML_PHASE_ARITHMETIC : MML_PHASE_CIRCULAR;
}

void states_begin(int backend, states *s)
{
    dv = mmlt_device(backend, 2);
    mmlt_assert_ok(mmli_tape_new(&tape, dv));
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < BLOCKS; i++) {
        mmlt_normal(s->re[i], ALL, mmli_rng_key(61, "re", i));
        mmlt_normal(s->im[i], ALL, mmli_rng_key(61, "im", i));
        s->weights[i] = s->rms[i] = 1;
    }
    memset(s->present, 1, sizeof s->present);
    s->rule = (mmli_merge_rule){.aggregation = MML_MERGE_HARMONIC, .phase = MML_PHASE_CIRCULAR};
}

void states_begin_kind(int i, states *s)
{
    states_begin(i / KINDS, s);
    s->rule.aggregation = kind_aggregation(i);
    s->rule.phase = kind_phase(i);
}

void states_end(void)
{
    mmli_tape_free(tape);
    mmli_device_close(dv);
}

void states_merge(merged *out, states *s, size_t m, size_t n)
{
    mmli_complex z[BLOCKS], y;

    s->rule.weights = s->weights;
    s->rule.rms = s->rms;
    mmlt_assert_ok(mmli_tape_begin(tape, 0, 0, 0));
    for (size_t i = 0; i < m; i++) {
        z[i].re = mmli_tape_input(tape, s->re[i], n * C, D, false);
        z[i].im = mmli_tape_input(tape, s->im[i], n * C, D, false);
    }
    y = mmli_merge_latents(tape, z, m, n, C, s->present, &s->rule);
    mmlt_assert_ok(mmli_tape_status(tape));
    mmlt_download(out->re, dv, y.re->data, n * SIZE * sizeof(float));
    mmlt_download(out->im, dv, y.im->data, n * SIZE * sizeof(float));
}

void assert_merged_close(const merged *got, const merged *want, mmlt_tol tol)
{
    mmlt_assert_close(got->re, want->re, ALL, tol);
    mmlt_assert_close(got->im, want->im, ALL, tol);
}

void assert_merged_same(const merged *got, const merged *want)
{
    mmlt_assert_same_bits(got->re, want->re, sizeof got->re);
    mmlt_assert_same_bits(got->im, want->im, sizeof got->im);
}
