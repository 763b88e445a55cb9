/* cases.c - the list. Sizes are those of studies with the method: latent 64 x 64, 2 steps, 8 heads of width 64, 4 classes,
 * preset paper; a table of 2189 features (an SNN reads it), bags of 1024 features (ABMIL), a series of 48 hours and 37
 * channels (the latent attends to it directly). */
#include "bench/cases.h"

#include <string.h>

#include "util/error.h"
#include "util/text.h"

#define TABLE {MML_ENCODER_SNN, 2189, 1}
#define BAG(tokens) {MML_ENCODER_ABMIL, 1024, tokens}
#define SERIES {MML_ENCODER_NONE, 37, 48}
#define RAW(tokens) {MML_ENCODER_NONE, 1024, tokens}

#define MAIN(name, what) .shown = {name, "main", what, 0, 0}
/* A line of a scaling study: all of a group differ in one value. */
#define TOKENS(count, text)                                                                                            \
    {.shown = {"tokens-" #count, "tokens", text " tokens of width 1024: one cross-attention step, predict", count, 0}, \
     .batch = 1, .n = 1, .block = {RAW(count)}, .steps = 1}
#define MODALITIES(m)                                                                                                  \
    {.shown = {"modalities-" #m, "modalities", "fuse stack of " #m " table blocks: predict one patient", m, 0},        \
     .kind = MML_MODEL_FUSE, .batch = 1, .n = m, .block = {TABLE, TABLE}}
#define BATCH(b)                                                                                                       \
    {.shown = {"batch-" #b, "batch", "table block: training step, batch of " #b, b, 0}, .work = MMLI_WORK_TRAIN,       \
     .batch = b, .n = 1, .block = {TABLE}}
#define LATENT_C(size)                                                                                                 \
    {.shown = {"latent-c-" #size, "latent-c", "series block, latent " #size " x 64: training step, batch of 64", size, \
               0}, .work = MMLI_WORK_TRAIN, .batch = 64, .n = 1, .block = {SERIES}, .c = size}
#define LATENT_D(size)                                                                                                 \
    {.shown = {"latent-d-" #size, "latent-d", "series block, latent 64 x " #size ": training step, batch of 64", size, \
               0}, .work = MMLI_WORK_TRAIN, .batch = 64, .n = 1, .block = {SERIES}, .d = size}
#define THREADS(t)                                                                                                     \
    {.shown = {"threads-" #t, "threads", "bag block, 10 000 tokens: training step with " #t " thread(s)", t, t},       \
     .work = MMLI_WORK_TRAIN, .batch = 1, .n = 1, .block = {BAG(10000)}}

static const mmli_bench_spec specs[] = {
    {MAIN("table-train-32", "table block: training step, batch of 32"),
     .work = MMLI_WORK_TRAIN, .batch = 32, .n = 1, .block = {TABLE}},
    {MAIN("table-predict-1", "table block: predict one patient"), .batch = 1, .n = 1, .block = {TABLE}},
    {MAIN("table-predict-32", "table block: predict 32 patients"), .batch = 32, .n = 1, .block = {TABLE}},
    {MAIN("bag-train-1000", "bag block, 1000 tokens: training step, batch of 1"),
     .work = MMLI_WORK_TRAIN, .batch = 1, .n = 1, .block = {BAG(1000)}},
    {MAIN("bag-train-10000", "bag block, 10 000 tokens: training step, batch of 1"),
     .work = MMLI_WORK_TRAIN, .batch = 1, .n = 1, .block = {BAG(10000)}},
    {MAIN("bag-predict-10000", "bag block, 10 000 tokens: predict one patient"), .batch = 1, .n = 1,
     .block = {BAG(10000)}},
    {MAIN("series-train-64", "series 48 x 37 without encoder: training step, batch of 64"),
     .work = MMLI_WORK_TRAIN, .batch = 64, .n = 1, .block = {SERIES}},
    {MAIN("raw-train-10000", "10 000 tokens of width 1024 without encoder: training step, batch of 1"),
     .work = MMLI_WORK_TRAIN, .batch = 1, .n = 1, .block = {RAW(10000)}},
    {MAIN("attention-forward", "one cross-attention step over 100 000 tokens of width 1024"), .batch = 1, .n = 1,
     .block = {RAW(100000)}, .steps = 1},
    {MAIN("attention-backward", "the same, with the gradients of its parameters"),
     .work = MMLI_WORK_BACKWARD, .batch = 1, .n = 1, .block = {RAW(100000)}, .steps = 1},
    {MAIN("merge-predict-1", "merge of table and bag (100 tokens): predict one patient"),
     .kind = MML_MODEL_MERGE, .batch = 1, .n = 2, .block = {TABLE, BAG(100)}},
    {MAIN("fuse-train-32", "fuse stack of table and bag (100 tokens): training step, batch of 32"),
     .kind = MML_MODEL_FUSE, .work = MMLI_WORK_TRAIN, .batch = 32, .n = 2, .block = {TABLE, BAG(100)}},
    {MAIN("fuse-predict-2", "fuse stack of 2 table blocks: predict one patient"),
     .kind = MML_MODEL_FUSE, .batch = 1, .n = 2, .block = {TABLE, TABLE}},
    {MAIN("fuse-predict-16", "fuse stack of 16 table blocks: predict one patient"),
     .kind = MML_MODEL_FUSE, .batch = 1, .n = 16, .block = {TABLE, TABLE}},
    {MAIN("merge-build", "merged model of a table and a bag block, built from the two"),
     .kind = MML_MODEL_MERGE, .work = MMLI_WORK_MERGE, .batch = 1, .n = 2, .block = {TABLE, BAG(100)}},
    TOKENS(1000, "1000"), TOKENS(10000, "10 000"), TOKENS(100000, "100 000"), TOKENS(1000000, "1 000 000"),
    MODALITIES(2), MODALITIES(4), MODALITIES(8), MODALITIES(16), MODALITIES(32),
    BATCH(1), BATCH(4), BATCH(16), BATCH(64), BATCH(256),
    LATENT_C(16), LATENT_C(32), LATENT_C(64), LATENT_C(128), LATENT_C(256),
    LATENT_D(16), LATENT_D(32), LATENT_D(64), LATENT_D(128), LATENT_D(256),
    THREADS(1), THREADS(2), THREADS(4), THREADS(8), THREADS(16), THREADS(32), THREADS(64),
};

enum { N_SPECS = sizeof specs / sizeof *specs };

size_t mml_bench_n_cases(void)
{
    return N_SPECS;
}

mml_status mml_bench_case_at(mml_bench_case *out, size_t i)
{
    MML_GIVEN(out);
    if (i >= N_SPECS)
        return mmli_fail(MML_E_ARG, "case %zu of %d", i, (int)N_SPECS);
    *out = specs[i].shown;
    return MML_OK;
}

mml_status mmli_bench_find(const mmli_bench_spec **out, const char *name)
{
    const char *names[N_SPECS], *near;
    char list[MMLI_LIST_BYTES];

    *out = NULL;
    for (size_t i = 0; i < N_SPECS; i++) {
        names[i] = specs[i].shown.name;
        if (name && strcmp(name, names[i]) == 0)
            *out = &specs[i];
    }
    if (*out)
        return MML_OK;
    near = name ? mmli_nearest(name, names, N_SPECS) : NULL;
    if (near)
        return mmli_fail(MML_E_ARG, "there is no case '%s'; did you mean '%s'?", name, near);
    return mmli_fail(MML_E_ARG, "there is no case '%s'; there are: %s", name ? name : "", mmli_list(list, names, N_SPECS));
}
