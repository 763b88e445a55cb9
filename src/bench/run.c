/* run.c - a case from its name to its numbers: warm-up, one counted repeat, timed repeats. */
#include <math.h>
#include <string.h>

#include "bench/rig.h"
#include "bench/measure.h"
#include "model/options.h"
#include "util/alloc.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/memory.h"
#include "util/sort.h"

void mml_bench_options_init(mml_bench_options *options)
{
    *options = (mml_bench_options){.struct_size = sizeof *options, .seconds = 1.0, .repeats = 1000, .seed = 1};
}

mml_status mmli_bench_options_check(mml_bench_options *out, const mml_bench_options *given)
{
    mml_status st = MML_OK;

    mml_bench_options_init(out);
    MML_TRY(mmli_options_take(out, sizeof *out, given, "mml_bench_options"));
    MML_CHECK(out->threads >= 0, MML_E_ARG, "%d threads asked for: give 1 or more, or 0 for all", out->threads);
    MML_CHECK(isfinite(out->seconds) && out->seconds >= 0, MML_E_ARG, "seconds must be 0 or a positive number");
    MML_CHECK(out->repeats >= 1, MML_E_ARG, "at least one repeat is needed");
out:
    return st;
}

/* ---- times ------------------------------------------------------------------------------------------------------------- */

static void note_times(mml_bench_result *r, double *times, size_t n)
{
    mmli_sort_doubles(times, n);
    r->repeats = n;
    r->least = times[0];
    r->low = mmli_quantile(times, n, 0.1);
    r->median = mmli_quantile(times, n, 0.5);
    r->high = mmli_quantile(times, n, 0.9);
    r->p95 = mmli_quantile(times, n, 0.95);
}

static mml_status timed(double *seconds, mmli_bench_rig *rig)
{
    const double start = mmli_now();
    const mml_status st = mmli_bench_rig_repeat(rig);

    *seconds = mmli_now() - start;
    return st;
}

static mml_status measure(mml_bench_result *r, mmli_bench_rig *rig, const mml_bench_options *o, double warm)
{
    const size_t fewest = warm > 5 * o->seconds ? 1 : 3, most = o->repeats;
    mml_status st = MML_OK;
    double *times = NULL;
    const double start = mmli_now();
    size_t n = 0;

    MML_TRY(mmli_calloc(&times, most, sizeof *times));
    do {
        MML_TRY(timed(&times[n], rig));
        n++;
    } while (n < most && (n < fewest || mmli_now() - start < o->seconds));
    note_times(r, times, n);
out:
    mmli_free(times);
    return st;
}

/* ---- costs ------------------------------------------------------------------------------------------------------------- */

static mmli_device *device_of(const mmli_bench_rig *rig)
{
    return rig->model ? rig->model->dv : rig->parts[0]->dv;
}

/* The first repeat gets its memory in pieces, the second joins them (ops/arena.h) and is the first warm one; short cases
 * get one more. Then one is counted. */
static mml_status warm_up(mml_bench_result *r, double *seconds, mmli_bench_rig *rig, const mml_bench_options *o)
{
    mmli_device *dv = device_of(rig);
    mml_status st = MML_OK;
    uint64_t before;
    mmli_cost total;

    MML_TRY(timed(seconds, rig));
    MML_TRY(timed(seconds, rig));
    if (*seconds < o->seconds)
        MML_TRY(timed(seconds, rig));
    before = mmli_alloc_count();
    mmli_count_start(dv);
    MML_TRY(timed(seconds, rig));
    mmli_count_stop(dv);
    r->host_allocations = mmli_alloc_count() - before;
    total = mmli_count_total(mmli_count_of(dv));
    r->matrix_flop = (double)total.matrix;
    r->other_flop = (double)total.other;
    r->bytes = (double)(total.bytes + mmli_count_of(dv)->moved);
    r->kernels = total.calls;
    r->device_allocations = mmli_count_of(dv)->allocations;
out:
    return st;
}

static void note_memory(mml_bench_result *r, const mmli_bench_rig *rig)
{
    const double before = rig->resident;

    r->threads = device_of(rig)->threads;
    r->input = (double)rig->input;
    r->parameters = 0;
    for (size_t i = 0; rig->parts && i < rig->spec->n; i++)
        r->parameters += (double)mml_model_n_parameters(rig->parts[i]);
    if (rig->model)
        r->parameters = (double)mml_model_n_parameters(rig->model);
    r->device_peak = (double)(mmli_count_of(device_of(rig))->most - rig->input);
    r->peak = mmli_memory_peak();
    r->beyond_input = r->peak > before ? r->peak - before : 0;
    if (isnan(r->peak) || isnan(before))
        r->beyond_input = (double)NAN;
}

/* ---- public ------------------------------------------------------------------------------------------------------------ */

/* The caller's struct may be of an older, shorter kind. */
mml_status mmli_bench_give(void *out, const void *made, size_t size, const char *type)
{
    size_t theirs;

    memcpy(&theirs, out, sizeof theirs);
    if (theirs < sizeof theirs || theirs > size)
        return mmli_fail(MML_E_ARG, "%s: struct_size is %zu, not what sizeof gives (%zu)", type, theirs, size);
    memcpy((char *)out + sizeof theirs, (const char *)made + sizeof theirs, theirs - sizeof theirs);
    return MML_OK;
}

mml_status mml_bench_run(mml_bench_result *out, const char *name, const mml_bench_options *options)
{
    mml_status st = MML_OK;
    mml_bench_result r = {.struct_size = sizeof r};
    mml_bench_options o;
    const mmli_bench_spec *spec;
    mmli_bench_rig *rig = NULL;
    double warm = 0;

    MML_GIVEN(out, name);
    MML_TRY(mmli_bench_give(out, &r, sizeof r, "mml_bench_result"));
    MML_TRY(mmli_bench_options_check(&o, options));
    MML_TRY(mmli_bench_find(&spec, name));
    MML_TRY(mmli_bench_rig_new(&rig, spec, &o));
    MML_TRY(warm_up(&r, &warm, rig, &o));
    MML_TRY(measure(&r, rig, &o, warm));
    note_memory(&r, rig);
    MML_TRY(mmli_bench_give(out, &r, sizeof r, "mml_bench_result"));
out:
    mmli_bench_rig_free(rig);
    return st;
}

mml_status mml_bench_model(mml_model **out, const char *name, const mml_bench_options *options)
{
    mml_status st = MML_OK;
    mml_bench_options o;
    const mmli_bench_spec *spec;

    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(name);
    MML_TRY(mmli_bench_options_check(&o, options));
    MML_TRY(mmli_bench_find(&spec, name));
    MML_TRY(mmli_bench_model_on(out, spec, o.device, o.threads, o.seed));
out:
    return st;
}

/* One number for every value, without a generator of random numbers: a process that starts should spend its time on the
 * model. */
static float cheap_number(size_t i)
{
    return (float)((i * UINT64_C(2654435761) >> 8) % 65536) / 32768.0f - 1.0f;
}

static mml_status set_modality(mml_batch *batch, const mmli_bench_spec *spec, size_t i)
{
    const mmli_bench_block *b = &spec->block[i % 2];
    const size_t n = spec->batch * b->tokens * b->width;
    mml_status st = MML_OK;
    float *values = NULL;
    int64_t *offsets = NULL;
    char name[MMLI_BENCH_NAME];

    MML_TRY(mmli_calloc(&values, n, sizeof *values));
    MML_TRY(mmli_calloc(&offsets, spec->batch + 1, sizeof *offsets));
    for (size_t j = 0; j < n; j++)
        values[j] = cheap_number(j + i);
    for (size_t s = 0; s <= spec->batch; s++)
        offsets[s] = (int64_t)(s * b->tokens);
    mmli_bench_modality(name, i);
    MML_TRY(mml_batch_set(batch, name, values, offsets, b->width, NULL, 0));
out:
    mmli_free(values);
    mmli_free(offsets);
    return st;
}

mml_status mml_bench_batch(mml_batch **out, const char *name)
{
    mml_status st = MML_OK;
    const mmli_bench_spec *spec;
    mml_batch *batch = NULL;

    MML_GIVEN(out);
    *out = NULL;
    MML_GIVEN(name);
    MML_TRY(mmli_bench_find(&spec, name));
    MML_TRY(mml_batch_new(&batch, spec->batch));
    for (size_t i = 0; i < spec->n; i++)
        MML_TRY(set_modality(batch, spec, i));
    *out = batch;
    batch = NULL;
out:
    mml_batch_free(batch);
    return st;
}
