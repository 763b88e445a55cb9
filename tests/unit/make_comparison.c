#include "tests/unit/make_comparison.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "util/rng.h"

typedef struct made_system {
    const char *name, *title, *group;
    double skill; /* share of the truth in the prediction */
    double seconds, megabytes;
    int trained;
} made_system;

static const made_system systems[] = {
    {"snn:rnaseq", "SNN rnaseq", "unimodal", 0.55, 4.1, 60, 1},
    {"snn:clinical", "SNN clinical", "unimodal", 0.45, 1.2, 40, 1},
    {"perceiver:rnaseq", "Perceiver rnaseq", "unimodal", 0.5, 31, 210, 1},
    {"multimodn:cnv", "MultiModN cnv", "unimodal", 0.3, 3.8, 55, 1},
    {"block:rnaseq", "LegoBlock rnaseq", "unimodal", 0.6, 5.3, 71, 1},
    {"block:cnv", "LegoBlock cnv", "unimodal", 0.35, 4.9, 66, 1},
    {"block:clinical", "LegoBlock clinical", "unimodal", 0.5, 2.2, 44, 1},
    {"ensemble", "Ensemble", "multimodal", 0.66, 12.5, 90, 0},
    {"late-concat", "SNN + ABMIL, concatenated", "multimodal", 0.6, 22, 180, 1},
    {"late-bilinear", "SNN + ABMIL, bilinear", "multimodal", 0.58, 41, 320, 1},
    {"perceiver", "Perceiver, early concatenation", "multimodal", 0.57, 63, 410, 1},
    {"mcat", "MCAT", "multimodal", 0.64, 55, 380, 1},
    {"healnet", "HEALNet", "multimodal", 0.68, 74, 450, 1},
    {"merge", "LegoMerge", "lego", 0.72, 0.0, 95, 0},
    {"fuse-stack", "LegoFuse (stack)", "lego", 0.8, 14.8, 130, 1},
    {"fuse-weave", "LegoFuse (weave)", "lego", 0.77, 16.1, 140, 1},
    {"linear", "Penalised linear model", "reference", 0.56, 0.4, 35, 0},
};
enum { N = sizeof systems / sizeof *systems, SAMPLES = 240, CLASSES = 3 };
static const size_t failed_system = 11, failed_fold = 3, absent_system = 9;

size_t mmlt_comparison_systems(void)
{
    return N;
}

/* N(0, 1) of a place. */
static double normal(uint64_t seed, uint64_t a, uint64_t b)
{
    uint32_t w[4];
    double u, v;

    mmli_philox(w, seed * 1000003u + a, b);
    u = ((double)w[0] + 0.5) / 4294967296.0;
    v = ((double)w[1] + 0.5) / 4294967296.0;
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* What is to be predicted of a sample: one hidden number. */
static double truth(uint64_t seed, size_t sample)
{
    return normal(seed, 1, sample);
}

static void put(json_t *object, const char *key, json_t *value)
{
    ck_assert_int_eq(json_object_set_new(object, key, value), 0);
}

static void append(json_t *array, json_t *value)
{
    ck_assert_int_eq(json_array_append_new(array, value), 0);
}

static int class_of(double hidden)
{
    return hidden < -0.5 ? 0 : hidden < 0.6 ? 1 : 2;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* Adds what the task needs of one sample to the arrays of `test`. */
static void add_sample(json_t *test, const char *kind, uint64_t seed, size_t system, size_t fold, size_t sample)
{
    const double hidden = truth(seed, sample), skill = systems[system].skill;
    const double guess = skill * hidden + (1.0 - skill) * 1.3 * normal(seed, 100 + system * 16 + fold, sample);
    char id[32];

    snprintf(id, sizeof id, "P%03zu", sample);
    append(json_object_get(test, "id"), json_string(id));
    if (strcmp(kind, "survival") == 0) {
        const double life = 40.0 * exp(-0.8 * hidden + 0.5 * normal(seed, 2, sample)), left = 15.0 + 60.0 * fabs(normal(seed, 3, sample));

        append(json_object_get(test, "score"), json_real(guess * (1.0 + (double)fold))); /* a scale for each fold */
        append(json_object_get(test, "time"), json_real(fmin(life, left)));
        append(json_object_get(test, "event"), json_integer(life <= left));
    } else if (strcmp(kind, "binary") == 0) {
        append(json_object_get(test, "score"), json_real(sigmoid(2.0 * guess - 1.0)));
        append(json_object_get(test, "label"), json_integer(hidden > 0.5));
    } else if (strcmp(kind, "multiclass") == 0) {
        const double e[CLASSES] = {exp(-1.5 * guess), 1.5, exp(1.5 * guess)}, sum = e[0] + e[1] + e[2];

        append(json_object_get(test, "score"), json_real(guess));
        append(json_object_get(test, "label"), json_integer(class_of(hidden)));
        append(json_object_get(test, "probability"), json_pack("[f,f,f]", e[0] / sum, e[1] / sum, e[2] / sum));
    } else {
        append(json_object_get(test, "score"), json_real(50.0 + 12.0 * guess));
        append(json_object_get(test, "truth"), json_real(50.0 + 12.0 * hidden));
    }
}

static json_t *made_history(uint64_t seed, size_t system, size_t fold)
{
    const size_t epochs = MMLT_EPOCHS - fold * 3;
    json_t *list = json_array();

    for (size_t t = 0; t < epochs; t++) {
        const double done = 1.0 - exp(-(double)t / 6.0), noise = 0.02 * normal(seed, 5000 + system * 16 + fold, t);

        append(list, json_pack("{s:i, s:f, s:f, s:f}", "epoch", (int)t + 1, "train_loss", 1.0 - 0.6 * done + noise, "valid_loss",
                               1.0 - 0.4 * done + 0.01 * (double)t + 2.0 * noise, "valid_score",
                               0.5 + 0.4 * systems[system].skill * done + noise));
    }
    return list;
}

static json_t *made_job(const char *kind, uint64_t seed, size_t system, size_t fold, double score)
{
    const made_system *s = &systems[system];
    json_t *test = json_object(), *job;
    static const char *const arrays[] = {"id", "score", "label", "probability", "time", "event", "truth"};

    if (system == failed_system && fold == failed_fold) {
        json_decref(test);
        return json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:s, s:s}", "format", "mmlego compare job", "version", 1, "system", s->name, "title",
                         s->title, "group", s->group, "fold", (int)fold, "status", "failed", "message", "the loss became NaN in epoch 3");
    }
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        put(test, arrays[i], json_array());
    for (size_t i = 0; i < MMLT_TESTED; i++)
        add_sample(test, kind, seed, system, fold, (i * 4 + fold * 37) % SAMPLES);
    job = json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:f, s:s, s:o}", "format", "mmlego compare job", "version", 1, "system", s->name, "title",
                    s->title, "group", s->group, "fold", (int)fold, "score", score, "status", "ok", "test", test);
    if (s->trained)
        put(job, "history", made_history(seed, system, fold));
    return job;
}

static void add_system(json_t *list, json_t *jobs, const char *kind, uint64_t seed, size_t system)
{
    const made_system *s = &systems[system];
    json_t *scores = json_array(), *one;
    double sum = 0.0, squares = 0.0, n = 0.0, mean;

    for (size_t fold = 0; fold < MMLT_FOLDS; fold++) {
        const double score = 0.5 + 0.42 * s->skill + 0.02 * normal(seed, 9, fold) + 0.015 * normal(seed, 10 + system, fold);

        if (system == absent_system || (system == failed_system && fold == failed_fold)) {
            append(scores, json_null());
        } else {
            append(scores, json_real(score));
            sum += score;
            squares += score * score;
            n += 1.0;
        }
        if (system != absent_system)
            append(jobs, made_job(kind, seed, system, fold, score));
    }
    mean = sum / n;
    one = json_pack("{s:s, s:s, s:s, s:o, s:f, s:f}", "system", s->name, "title", s->title, "group", s->group, "scores", scores, "parameters",
                    12345.0 + 40000.0 * (double)system, "peak_bytes", s->megabytes * 1e6);
    if (n > 0) {
        put(one, "mean", json_real(mean));
        put(one, "sd", json_real(sqrt(fmax(squares / n - mean * mean, 0.0) * n / (n - 1.0))));
        put(one, "n", json_integer((json_int_t)n));
        put(one, "train_seconds", json_real(s->seconds));
        if (strcmp(s->name, "healnet") != 0)
            put(one, "difference", json_pack("{s:s, s:f, s:f, s:f}", "to", "healnet", "value", mean - 0.785, "low", mean - 0.815, "high",
                                             mean - 0.755));
    }
    append(list, one);
}

static json_t *made_study(const char *name, const char *x_title, size_t n_series, size_t n)
{
    static const char *const titles[] = {"LegoMerge", "Ensemble", "LegoFuse (stack)", "HEALNet", "MCAT", "Perceiver", "SNN", "ABMIL", "MultiModN"};
    json_t *series = json_array();

    for (size_t s = 0; s < n_series; s++) {
        json_t *x = json_array(), *mean = json_array(), *low = json_array(), *high = json_array();

        for (size_t i = 0; i < n; i++) {
            const double at = (double)i / (double)(n - 1), y = 0.8 - 0.02 * (double)s - (0.05 + 0.03 * (double)s) * at * at;

            append(x, json_real(at));
            append(mean, s == 1 && i == 2 ? json_null() : json_real(y));
            append(low, json_real(y - 0.02));
            append(high, json_real(y + 0.02));
        }
        append(series, json_pack("{s:s, s:o, s:o, s:o, s:o}", "title", titles[s % 9], "x", x, "mean", mean, "low", low, "high", high));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:[]}", "study", name, "x_title", x_title, "y_title", "score", "series", series, "rows");
}

json_t *mmlt_comparison(const char *kind, const char *title, uint64_t seed)
{
    json_t *list = json_array(), *jobs = json_array(), *studies = json_array(), *root;
    const char *metric = strcmp(kind, "survival") == 0     ? "cindex"
                         : strcmp(kind, "binary") == 0     ? "auc"
                         : strcmp(kind, "multiclass") == 0 ? "macro_auc"
                                                           : "r2";
    const char *metric_title = strcmp(kind, "survival") == 0     ? "c-index"
                               : strcmp(kind, "binary") == 0     ? "AUC"
                               : strcmp(kind, "multiclass") == 0 ? "macro AUC"
                                                                 : "R\xc2\xb2";

    for (size_t s = 0; s < N; s++)
        add_system(list, jobs, kind, seed, s);
    append(studies, made_study("overlap", "symmetric difference", 2, 5));
    append(studies, made_study("missing", "share of samples without rnaseq", 9, 7));
    root = json_pack("{s:s, s:i, s:s, s:s, s:s, s:{s:s, s:i, s:[{s:s, s:s, s:i, s:i}, {s:s, s:s, s:i, s:i}, {s:s, s:s, s:i, s:i}]}, s:{s:s, s:s, s:s, "
                     "s:s}, s:i, s:i, s:{s:s, s:i, s:s}, s:o, s:o, s:o}",
                     "format", "mmlego comparison", "version", 1, "title", title, "date", "2026-11-27", "command",
                     "mmlego compare cohort.h5 --task death --folds 5 --tune 16", "cohort", "path", "cohort.h5", "samples", SAMPLES, "modalities",
                     "name", "rnaseq", "kind", "table", "present", 231, "width", 2000, "name", "cnv", "kind", "table", "present", 198, "width", 1200,
                     "name", "clinical", "kind", "table", "present", SAMPLES, "width", 14, "task", "name", "death", "kind", kind, "metric", metric,
                     "metric_title", metric_title, "folds", MMLT_FOLDS, "seed", 0, "machine", "cpu", "AMD EPYC", "threads", 2, "version", "0.1.0",
                     "systems", list, "studies", studies, "jobs", jobs);
    ck_assert_ptr_nonnull(root);
    return root;
}
