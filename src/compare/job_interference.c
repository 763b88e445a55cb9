/* job_interference.c - what two latents do to each other when they are mixed (Figures 5 and 6 of the paper, as numbers).
 *
 * Final states Z1, Z2 of two blocks, each divided by its loudness, for the test patients who have both modalities; mixed with
 * weights 1 - a and a, for a = 0, 0.1 .. 1,
 *   mean                   (1 - a) Z1 + a Z2: the same in either domain, the transform being linear
 *   harmonic, in frequency equation 4: harmonic mean of the magnitudes, mean of the angles, element by element of Z
 *   harmonic, in space     the same done to the elements of the latents L = F^-1(Z)
 * Told of each mixture: its distance to either latent as a share of theirs (the transform is unitary: either domain gives the
 * same), and its norm as a share of the weighted mean of their norms. A mixture without interference lies between the two, at
 * distances a and 1 - a; signals that cancel each other leave it with a small norm.
 */
#include <math.h>
#include <string.h>

#include "compare/job.h"
#include "model/walk.h"
#include "model/weights.h"
#include "ops/ops.h"
#include "util/alloc.h"
#include "util/error.h"

enum { WEIGHTS = 11, METHODS = 3 };
static const char *const methods[METHODS] = {"mean", "harmonic, in frequency", "harmonic, in space"};

typedef struct sums {
    double first[METHODS][WEIGHTS], second[METHODS][WEIGHTS], kept[METHODS][WEIGHTS];
    size_t n;
} sums;

/* Latents of a chunk on the host: [frequency or space][block] (B c d), real and imaginary. */
typedef struct latents {
    float *re[2][2], *im[2][2];
} latents;

/* ---- one patient ------------------------------------------------------------------------------------------------- */

typedef struct number {
    double re, im;
} number;

static number mixed(bool harmonic, number x, number y, double a)
{
    const double p = hypot(x.re, x.im), q = hypot(y.re, y.im);
    double size, angle;

    if (!harmonic)
        return (number){(1 - a) * x.re + a * y.re, (1 - a) * x.im + a * y.im};
    if (a <= 0 || a >= 1)
        return a <= 0 ? x : y;
    if (!(p > 0) || !(q > 0))
        return (number){0, 0};
    size = 1 / ((1 - a) / p + a / q);
    angle = (1 - a) * atan2(x.im, x.re) + a * atan2(y.im, y.re);
    return (number){size * cos(angle), size * sin(angle)};
}

static double squared(number x)
{
    return x.re * x.re + x.im * x.im;
}

static number minus(number x, number y)
{
    return (number){x.re - y.re, x.im - y.im};
}

/* Adds one patient's mixtures by one method. scale: 1 / loudness of either block. */
static void add_patient(sums *s, size_t method, const latents *l, size_t from, size_t size, const double scale[2])
{
    const size_t domain = method == 2;

    for (size_t w = 0; w < WEIGHTS; w++) {
        const double a = (double)w / (WEIGHTS - 1);
        double apart = 0, to[2] = {0}, norm[2] = {0}, own = 0;

        for (size_t i = from; i < from + size; i++) {
            const number x = {scale[0] * (double)l->re[domain][0][i], scale[0] * (double)l->im[domain][0][i]};
            const number y = {scale[1] * (double)l->re[domain][1][i], scale[1] * (double)l->im[domain][1][i]};
            const number z = mixed(method > 0, x, y, a);

            apart += squared(minus(x, y));
            to[0] += squared(minus(z, x));
            to[1] += squared(minus(z, y));
            norm[0] += squared(x);
            norm[1] += squared(y);
            own += squared(z);
        }
        s->first[method][w] += apart > 0 ? sqrt(to[0] / apart) : a;
        s->second[method][w] += apart > 0 ? sqrt(to[1] / apart) : 1 - a;
        s->kept[method][w] += sqrt(own) / fmax((1 - a) * sqrt(norm[0]) + a * sqrt(norm[1]), 1e-300);
    }
}

/* ---- a chunk of patients ------------------------------------------------------------------------------------------- */

static mml_status reserve(latents *l, size_t cells)
{
    mml_status st = MML_OK;

    for (int domain = 0; domain < 2; domain++)
        for (int b = 0; b < 2; b++) {
            MML_TRY(mmli_realloc(&l->re[domain][b], cells, sizeof(float)));
            MML_TRY(mmli_realloc(&l->im[domain][b], cells, sizeof(float)));
        }
out:
    return st;
}

static void latents_clear(latents *l)
{
    for (int domain = 0; domain < 2; domain++)
        for (int b = 0; b < 2; b++) {
            mmli_free(l->re[domain][b]);
            mmli_free(l->im[domain][b]);
        }
}

static mml_status fetch(float *re, float *im, mmli_device *dv, const mmli_complex *z, size_t cells)
{
    mml_status st = MML_OK;

    MML_TRY(dv->k.download(dv, re, z->re->data, cells * sizeof *re));
    if (z->im)
        MML_TRY(dv->k.download(dv, im, z->im->data, cells * sizeof *im));
    else
        memset(im, 0, cells * sizeof *im);
out:
    return st;
}

/* States of a chunk, in frequency and in space. present (2 x B) as mmli_inputs has it, copied. */
static mml_status run_blocks(latents *l, uint8_t *present, const mml_model *model, mmli_trial *trial, const mml_batch *batch,
                             mmli_match *const *matches)
{
    const mml_block_options *o = &model->members[0].block.o;
    const size_t B = mml_batch_size(batch), cells = B * o->latent_c * o->latent_d;
    mmli_tape *tape = trial->blocks;
    mml_status st = MML_OK;
    mmli_inputs in;
    mmli_bound bound;
    mmli_complex *z;

    MML_TRY(mmli_tape_begin(tape, 0, 0, 0));
    MML_TRY(mmli_inputs_make(&in, tape, model, batch, NULL, matches));
    MML_TRY(mmli_params_bind(&bound, tape, trial->params, NULL, NULL));
    z = mmli_tape_host(tape, 2 * sizeof *z);
    MML_TRY(mmli_tape_status(tape));
    MML_TRY(mmli_model_latents(z, model, tape, &bound, &in));
    memcpy(present, in.present, 2 * B);
    for (size_t b = 0; b < 2; b++) {
        mmli_complex space = mmli_op_fft(tape, z[b], o->latent_c, MMLI_AXIS_C | MMLI_AXIS_D, 1,
                                         1.0f / sqrtf((float)(o->latent_c * o->latent_d)), false);

        MML_TRY(mmli_tape_status(tape));
        MML_TRY(fetch(l->re[0][b], l->im[0][b], trial->dv, &z[b], cells));
        MML_TRY(fetch(l->re[1][b], l->im[1][b], trial->dv, &space, cells));
    }
out:
    return st;
}

static mml_status run_all(sums *s, const mml_model *model, mmli_running *run, const size_t *samples, size_t n)
{
    const mml_block_options *o = &model->members[0].block.o;
    const size_t size = o->latent_c * o->latent_d;
    const double scale[2] = {1 / model->members[0].latent_rms, 1 / model->members[1].latent_rms};
    mml_status st = MML_OK;
    mmli_trial trial = {0};
    mmli_walk walk = {0};
    latents l = {{{0}}, {{0}}};
    uint8_t *present = NULL;
    const mml_batch *batch;
    const size_t *which;
    size_t B;

    MML_TRY(mmli_trial_begin(&trial, model, run->plan->device, run->plan->threads));
    MML_TRY(mmli_walk_begin(&walk, model, run->cohort, samples, n, 0));
    for (;;) {
        MML_TRY(mmli_walk_next(&batch, &which, &B, &walk));
        if (!batch)
            break;
        MML_TRY(reserve(&l, B * size));
        MML_TRY(mmli_realloc(&present, 2 * B, 1));
        MML_TRY(run_blocks(&l, present, model, &trial, batch, walk.matches));
        for (size_t b = 0; b < B; b++) {
            if (!present[b] || !present[B + b])
                continue;
            for (size_t method = 0; method < METHODS; method++)
                add_patient(s, method, &l, b * size, size, scale);
            s->n++;
        }
    }
out:
    latents_clear(&l);
    mmli_free(present);
    mmli_walk_end(&walk);
    mmli_trial_end(&trial);
    return st;
}

/* ---- the job ---------------------------------------------------------------------------------------------------------- */

static mml_status rows_json(json_t **out, const sums *s)
{
    mml_status st = MML_OK;
    const double n = (double)s->n;
    json_t *rows = json_array();

    for (size_t m = 0; m < METHODS; m++)
        for (size_t w = 0; w < WEIGHTS; w++)
            MML_CHECK(json_array_append_new(rows, json_pack("{s:s, s:f, s:f, s:f, s:f, s:I}", "method", methods[m], "weight",
                                                            (double)w / (WEIGHTS - 1), "to_first", s->first[m][w] / n,
                                                            "to_second", s->second[m][w] / n, "kept", s->kept[m][w] / n,
                                                            "samples", (json_int_t)s->n)) == 0,
                      MML_E_NOMEM, "no memory for the interference of two blocks");
    *out = rows;
    rows = NULL;
out:
    json_decref(rows);
    return st;
}

mml_status mmli_job_interference(json_t **rows, mmli_running *run)
{
    const mmli_plan_job *job = &run->plan->jobs[run->job];
    mml_status st = MML_OK;
    mml_model *blocks[2] = {NULL, NULL}, *merged = NULL;
    size_t *samples = NULL, n = 0;
    sums s;

    memset(&s, 0, sizeof s);
    for (size_t i = 0; i < 2; i++)
        MML_TRY(mmli_job_load(&blocks[i], run, job->needs[i]));
    MML_TRY(mml_merge(&merged, (const mml_model *const *)blocks, 2, &run->setup.merge));
    MML_CHECK(merged->members[0].block.o.transform == MML_TRANSFORM_2D, MML_E_ARG,
              "interference is measured on blocks with the transform along both axes");
    MML_TRY(mmli_calloc(&samples, run->plan->samples, sizeof *samples));
    for (size_t i = 0; i < run->plan->samples; i++)
        if (run->part[i] == MML_PART_TEST)
            samples[n++] = i;
    MML_TRY(run_all(&s, merged, run, samples, n));
    MML_CHECK(s.n > 0, MML_E_DATA, "no patient of the test part has both modalities");
    MML_TRY(rows_json(rows, &s));
out:
    mml_model_free(blocks[0]);
    mml_model_free(blocks[1]);
    mml_model_free(merged);
    mmli_free(samples);
    return st;
}
