/* gold.c - see gold.h. */
#include "tests/golden/gold.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/mmlt.h"

const char *gold_dir(void)
{
    static _Thread_local char dir[1024];
    const char *shared = getenv("MMLEGO_SHARED"), *srcdir = getenv("MMLT_SRCDIR");
    struct stat info;

    if (shared)
        snprintf(dir, sizeof dir, "%s/golden", shared);
    else
        snprintf(dir, sizeof dir, "%s/../shared/golden", srcdir ? srcdir : ".");
    if (stat(dir, &info) == 0)
        return dir;
    printf("skipped: no golden files in %s (set MMLEGO_SHARED)\n", dir);
    return NULL;
}

bool gold_open(gold *g, const char *name)
{
    const char *dir = gold_dir();
    char path[1200];

    g->file = -1;
    if (!dir)
        return false;
    snprintf(g->name, sizeof g->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s.h5", dir, name);
    g->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_msg(g->file >= 0, "%s cannot be opened", path);
    return true;
}

void gold_close(gold *g)
{
    if (g->file >= 0)
        H5Fclose(g->file);
    g->file = -1;
}

bool gold_has(const gold *g, const char *path)
{
    char part[256];
    const char *at = path;

    while ((at = strchr(at, '/'))) { /* every group on the way must exist before the link is asked for */
        snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        if (H5Lexists(g->file, part, H5P_DEFAULT) <= 0)
            return false;
        at++;
    }
    return H5Lexists(g->file, path, H5P_DEFAULT) > 0;
}

static void *read_all(const gold *g, const char *path, size_t *n, hid_t type, size_t size)
{
    hid_t set, space;
    void *out;

    ck_assert_msg(gold_has(g, path), "%s has no %s", g->name, path);
    set = H5Dopen2(g->file, path, H5P_DEFAULT);
    space = H5Dget_space(set);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    out = calloc(*n + 1, size);
    ck_assert_ptr_nonnull(out);
    if (*n)
        ck_assert_int_ge(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out), 0);
    H5Sclose(space);
    H5Dclose(set);
    return out;
}

float *gold_floats(const gold *g, const char *path, size_t *n)
{
    return read_all(g, path, n, H5T_NATIVE_FLOAT, sizeof(float));
}

int64_t *gold_ints(const gold *g, const char *path, size_t *n)
{
    return read_all(g, path, n, H5T_NATIVE_INT64, sizeof(int64_t));
}

double gold_number(const gold *g, const char *attribute, double fallback)
{
    double value = fallback;
    hid_t attr, type;

    if (H5Aexists(g->file, attribute) <= 0)
        return fallback;
    attr = H5Aopen(g->file, attribute, H5P_DEFAULT);
    type = H5Aget_type(attr);
    if (H5Tget_class(type) == H5T_ENUM) { /* h5py's booleans */
        int8_t flag = 0;
        H5Aread(attr, type, &flag);
        value = flag;
    } else {
        H5Aread(attr, H5T_NATIVE_DOUBLE, &value);
    }
    H5Tclose(type);
    H5Aclose(attr);
    return value;
}

bool gold_text(const gold *g, const char *attribute, char *out, size_t size)
{
    hid_t attr, type;
    char *text = NULL;

    if (H5Aexists(g->file, attribute) <= 0)
        return false;
    attr = H5Aopen(g->file, attribute, H5P_DEFAULT);
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    ck_assert_int_ge(H5Aread(attr, type, &text), 0);
    snprintf(out, size, "%s", text);
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(attr);
    return true;
}

/* ---- names -------------------------------------------------------------------------------------- */

typedef struct listing {
    gold_pair *out;
    size_t n, most;
} listing;

static void pair(listing *l, const char *ours, int our_part, const char *theirs, int their_part)
{
    ck_assert_uint_lt(l->n, l->most);
    snprintf(l->out[l->n].ours, sizeof l->out[l->n].ours, "%s", ours);
    snprintf(l->out[l->n].theirs, sizeof l->out[l->n].theirs, "%s", theirs);
    l->out[l->n].our_part = our_part;
    l->out[l->n].their_part = their_part;
    l->n++;
}

/* weight and, if there is one, bias */
static void both(listing *l, const char *ours, int our_part, const char *theirs, int their_part, bool bias)
{
    char a[96], b[128];

    ck_assert_int_lt(snprintf(a, sizeof a, "%s.weight", ours), (int)sizeof a);
    ck_assert_int_lt(snprintf(b, sizeof b, "%s.weight", theirs), (int)sizeof b);
    pair(l, a, our_part, b, their_part);
    if (!bias)
        return;
    ck_assert_int_lt(snprintf(a, sizeof a, "%s.bias", ours), (int)sizeof a);
    ck_assert_int_lt(snprintf(b, sizeof b, "%s.bias", theirs), (int)sizeof b);
    pair(l, a, our_part, b, their_part);
}

/* theirs is parent.S.child, or layers.S.<layer>.child */
static void step_pair(listing *l, size_t s, const char *ours, const char *parent, const char *layer, const char *theirs,
                      int their_part, bool bias)
{
    char a[96], b[128];

    ck_assert_int_lt(snprintf(a, sizeof a, "steps.%zu.%s", s, ours), (int)sizeof a);
    ck_assert_int_lt(snprintf(b, sizeof b, "%s.%zu.%s%s", parent, s, layer, theirs), (int)sizeof b);
    both(l, a, 0, b, their_part, bias);
}

static void paper_pairs(listing *l, const mml_block_options *o)
{
    static const char *const steps[][2] = {{"query_norm", "nq"}, {"context_norm", "nk"}, {"ff_norm", "nf"},
                                           {"out", "o"},         {"ff_in", "f1"},        {"ff_out", "f2"}};
    static const char *const plain[][2] = {{"query", "q"}, {"key", "k"}, {"value", "v"}};
    char ours[64], theirs[64];

    pair(l, "latent", 0, "L0", 0);
    both(l, "head.norm", 0, "head.ln", 0, true);
    both(l, "head.linear", 0, "head.fc", 0, true);
    for (size_t s = 0; s < o->steps; s++) {
        for (size_t i = 0; i < 6; i++)
            step_pair(l, s, steps[i][0], "steps", "", steps[i][1], 0, true);
        for (size_t i = 0; i < 3; i++)
            step_pair(l, s, plain[i][0], "steps", "", plain[i][1], 0, false);
    }
    for (size_t i = 0; o->encoder == MML_ENCODER_SNN && i < 4; i++) {
        snprintf(ours, sizeof ours, "encoder.fc%zu", i);
        snprintf(theirs, sizeof theirs, "enc.lin.%zu", i);
        both(l, ours, 0, theirs, 0, true);
    }
    if (o->encoder == MML_ENCODER_ABMIL) {
        both(l, "encoder.fc", 0, "enc.fc", 0, true);
        both(l, "encoder.gate", 1, "enc.a", 0, true);
        both(l, "encoder.gate", 2, "enc.b", 0, true);
        both(l, "encoder.score", 0, "enc.c", 0, true);
        both(l, "encoder.rho", 0, "enc.rho", 0, true);
    }
}

static void upstream_pairs(listing *l, const mml_block_options *o)
{
    const char *cross = o->raw_layers ? "2." : "1.";
    const char *ff = o->raw_layers ? "3." : "2.";
    char ours[64], theirs[64];

    pair(l, "latent", 0, "latent", 0);
    both(l, "head.norm", 0, "to_logits.1", 0, true);
    both(l, "head.linear", 0, "to_logits.2", 0, true);
    for (size_t s = 0; s < o->steps; s++) {
        step_pair(l, s, "query_norm", "layers", cross, "norm", 0, true);
        step_pair(l, s, "context_norm", "layers", cross, "norm_context", 0, true);
        step_pair(l, s, "query", "layers", cross, "fn.to_q", 0, false);
        step_pair(l, s, "key", "layers", cross, "fn.to_kv", 1, false);
        step_pair(l, s, "value", "layers", cross, "fn.to_kv", 2, false);
        step_pair(l, s, "out", "layers", cross, "fn.to_out.0", 0, true);
        step_pair(l, s, "ff_norm", "layers", ff, "norm", 0, true);
        step_pair(l, s, "ff_in", "layers", ff, "fn.net.0", 0, true);
        step_pair(l, s, "ff_out", "layers", ff, "fn.net.2", 0, true);
        if (o->raw_layers) {
            step_pair(l, s, "raw_ff_norm", "layers", "1.", "norm", 0, true);
            step_pair(l, s, "raw_ff_in", "layers", "1.", "fn.net.0", 0, true);
            step_pair(l, s, "raw_ff_out", "layers", "1.", "fn.net.2", 0, true);
        }
    }
    for (size_t i = 0; o->encoder == MML_ENCODER_SNN && i < 4; i++) {
        snprintf(ours, sizeof ours, "encoder.fc%zu", i);
        snprintf(theirs, sizeof theirs, "encoder.fc_omic.%zu.0", i);
        both(l, ours, 0, theirs, 0, true);
    }
    if (o->encoder == MML_ENCODER_ABMIL) {
        both(l, "encoder.fc", 0, "encoder.attention_net.0", 0, true);
        both(l, "encoder.gate", 1, "encoder.attention_net.3.attention_a.0", 0, true);
        both(l, "encoder.gate", 2, "encoder.attention_net.3.attention_b.0", 0, true);
        both(l, "encoder.score", 0, "encoder.attention_net.3.attention_c", 0, true);
        both(l, "encoder.rho", 0, "encoder.rho.0", 0, true);
    }
}

size_t gold_pairs(gold_pair *out, size_t most, gold_style style, const mml_block_options *o)
{
    listing l = {out, 0, most};

    if (style == GOLD_PAPER)
        paper_pairs(&l, o);
    else
        upstream_pairs(&l, o);
    return l.n;
}

/* First element and number of elements of a part of n elements. */
static size_t part_at(int part, size_t n, size_t *count)
{
    *count = part ? n / 2 : n;
    return part == 2 ? n / 2 : 0;
}

static size_t ours_index(const mmli_params *params, const char *prefix, const char *key)
{
    char name[192];
    size_t index = 0;

    snprintf(name, sizeof name, "%s%s", prefix, key);
    mmlt_assert_ok(mmli_params_find(&index, params, name));
    return index;
}

void gold_load(mmli_params *params, const char *prefix, const gold *g, const char *theirs_prefix, const gold_pair *pairs,
               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t index = ours_index(params, prefix, pairs[i].ours);
        const size_t size = params->list[index].rows * params->list[index].cols;
        char path[256];
        size_t total, our_n, their_n, our_at, their_at;
        float *theirs, *ours = calloc(size, sizeof *ours);

        snprintf(path, sizeof path, "%s%s", theirs_prefix, pairs[i].theirs);
        theirs = gold_floats(g, path, &total);
        our_at = part_at(pairs[i].our_part, size, &our_n);
        their_at = part_at(pairs[i].their_part, total, &their_n);
        ck_assert_msg(our_n == their_n, "%s: %s has %zu values, ours %zu", g->name, path, their_n, our_n);
        mmlt_assert_ok(mmli_params_get(ours, params, index));
        memcpy(ours + our_at, theirs + their_at, our_n * sizeof *ours);
        mmlt_assert_ok(mmli_params_set(params, index, ours));
        free(ours);
        free(theirs);
    }
}

/* Some gradients are exactly 0 in mathematics (a bias under a softmax): what is there is rounding, 1e-6 of the largest
 * gradient of the whole model at most, and says nothing relative to itself. */
static bool is_rounding(const float *want, size_t n, double largest)
{
    for (size_t i = 0; i < n; i++)
        if (fabs((double)want[i]) > 1e-6 * largest)
            return false;
    return true;
}

double gold_compare_grads(const mmli_params *params, const char *prefix, const float *grads, const gold *g,
                          const char *theirs_prefix, const gold_pair *pairs, size_t n)
{
    double worst = 0, largest = 0;

    for (size_t i = 0; i < params->total; i++)
        largest = fmax(largest, fabs((double)grads[i]));

    for (size_t i = 0; i < n; i++) {
        const size_t index = ours_index(params, prefix, pairs[i].ours);
        const mmli_param *p = &params->list[index];
        char path[256];
        size_t total, our_n, their_n, our_at, their_at;
        float *theirs;
        double e;

        snprintf(path, sizeof path, "%s%s", theirs_prefix, pairs[i].theirs);
        theirs = gold_floats(g, path, &total);
        our_at = part_at(pairs[i].our_part, p->rows * p->cols, &our_n);
        their_at = part_at(pairs[i].their_part, total, &their_n);
        ck_assert_uint_eq(our_n, their_n);
        if (is_rounding(theirs + their_at, our_n, largest)) {
            ck_assert_msg(is_rounding(grads + p->at + our_at, our_n, largest), "%s should vanish", path);
            free(theirs);
            continue;
        }
        mmlt_assert_close_at(__FILE__, __LINE__, path, grads + p->at + our_at, theirs + their_at, our_n,
                             MMLT_TOL_GOLDEN);
        e = mmlt_relative_error(grads + p->at + our_at, theirs + their_at, our_n);
        worst = e > worst ? e : worst;
        free(theirs);
    }
    return worst;
}
