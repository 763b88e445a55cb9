/* state_names.c - our names of parameters in the terms of the released PyTorch code, and back. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/state.h"

/* What a step has: our word, the layer of theirs, their module. Layers: of a block with raw layers 0 self-attention on the
 * tokens, 1 its feed-forward, 2 cross-attention, 3 feed-forward; of others 1 and 2 are the last two. */
typedef enum layer { RAW_ATTENTION, RAW_FF, CROSS, FF } layer;
static const struct {
    const char *ours;
    layer layer;
    const char *theirs;
    int half; /* 1, 2: first or second half of the rows of theirs */
} modules[] = {
    {"query_norm", CROSS, "norm", 0},
    {"context_norm", CROSS, "norm_context", 0},
    {"query", CROSS, "fn.to_q", 0},
    {"key", CROSS, "fn.to_kv", 1},
    {"value", CROSS, "fn.to_kv", 2},
    {"out", CROSS, "fn.to_out.0", 0},
    {"ff_norm", FF, "norm", 0},
    {"ff_in", FF, "fn.net.0", 0},
    {"ff_out", FF, "fn.net.2", 0},
    {"raw_attention_norm", RAW_ATTENTION, "norm", 0},
    {"raw_query", RAW_ATTENTION, "fn.to_q", 0},
    {"raw_key", RAW_ATTENTION, "fn.to_kv", 1},
    {"raw_value", RAW_ATTENTION, "fn.to_kv", 2},
    {"raw_out", RAW_ATTENTION, "fn.to_out.0", 0},
    {"raw_ff_norm", RAW_FF, "norm", 0},
    {"raw_ff_in", RAW_FF, "fn.net.0", 0},
    {"raw_ff_out", RAW_FF, "fn.net.2", 0},
};

/* The member whose parameter p is: by where its key begins, so that modalities "a" and "a.b" differ. NULL: none's. */
static const mmli_member *member_of(size_t *index, const mml_model *model, const mmli_param *p)
{
    static const char blocks[] = "blocks.";
    const size_t start = sizeof blocks - 1;

    for (size_t m = 0; m < model->n; m++) {
        const char *name = model->members[m].name;
        const size_t n = strlen(name);

        *index = m;
        if ((size_t)(p->key - p->name) == start + n + 1 && strncmp(p->name, blocks, start) == 0 &&
            strncmp(p->name + start, name, n) == 0)
            return &model->members[m];
    }
    return NULL;
}

static bool put(mmli_state_piece *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool put(mmli_state_piece *out, const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(out->name, sizeof out->name, format, list);
    va_end(list);
    return n >= 0 && (size_t)n < sizeof out->name;
}

/* "steps.3.query.weight" -> 3 and "query.weight"; NULL: not of a step. */
static const char *step_of(size_t *step, const char *key)
{
    int n = 0;

    if (sscanf(key, "steps.%zu.%n", step, &n) != 1 || n == 0)
        return NULL;
    return key + n;
}

/* key begins with the words and a dot: what follows, else NULL. */
static const char *after(const char *key, const char *words, size_t n)
{
    return strncmp(key, words, n) == 0 && key[n] == '.' ? key + n + 1 : NULL;
}

static bool step_name(mmli_state_piece *out, const mmli_block *b, const char *before, const char *rest, size_t step)
{
    const int first = b->o.raw_layers ? 0 : -1; /* of their numbers, which leave out what is not there */

    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        const char *tail = after(rest, modules[i].ours, strlen(modules[i].ours));

        if (tail == NULL)
            continue;
        if (modules[i].half != 0) {
            out->their_rows = 2 * out->rows;
            out->their_at = modules[i].half == 2 ? out->rows : 0;
        }
        return put(out, "%slayers.%zu.%d.%s.%s", before, step, (int)modules[i].layer + first, modules[i].theirs, tail);
    }
    return false;
}

/* What the released code calls a layer of its SNN or ABMIL; `i` is the piece. false: no such piece. */
static bool encoder_module(char out[96], mmli_state_piece *piece, const mmli_block *b, const char *what, size_t i)
{
    size_t number;
    int n = 0;

    if (b->o.encoder == MML_ENCODER_SNN && sscanf(what, "fc%zu.%n", &number, &n) == 1 && n > 0) {
        snprintf(out, 96, "fc_omic.%zu.0.%s", number, what + n);
        return i == 0;
    }
    if (b->o.encoder != MML_ENCODER_ABMIL || strlen(what) > 32)
        return false;
    if (after(what, "gate", 4) != NULL) {
        piece->rows /= 2;
        piece->at = i * piece->rows;
        piece->their_rows = piece->rows;
        snprintf(out, 96, "attention_net.3.attention_%c.0.%s", i == 0 ? 'a' : 'b', what + 5);
        return true;
    }
    if (after(what, "fc", 2) != NULL)
        snprintf(out, 96, "attention_net.0.%s", what + 3);
    else if (after(what, "score", 5) != NULL)
        snprintf(out, 96, "attention_net.3.attention_c.%s", what + 6);
    else if (after(what, "rho", 3) != NULL)
        snprintf(out, 96, "rho.0.%s", what + 4);
    else
        return false;
    return i == 0;
}

static bool encoder_name(mmli_state_piece *out, const mmli_block *b, const char *before, const char *what, size_t i, size_t k)
{
    const bool known = b->o.encoder == MML_ENCODER_SNN || b->o.encoder == MML_ENCODER_ABMIL;
    char module[96];

    if (!known) /* not in the released code: the name that it has here */
        return i == 0 && k == 0 && put(out, "%sencoder.%s", before, what);
    if (k > b->o.steps || !encoder_module(module, out, b, what, i))
        return false;
    if (k == 0)
        return put(out, "%sencoder.%s", before, module);
    return put(out, "%slayers.%zu.0.%s", before, k - 1, module); /* the same module, as the first of every layer */
}

static bool head_name(mmli_state_piece *out, const char *before, const char *what)
{
    const char *tail;

    if ((tail = after(what, "norm", 4)) != NULL)
        return put(out, "%s1.%s", before, tail);
    if ((tail = after(what, "linear", 6)) != NULL)
        return put(out, "%s2.%s", before, tail);
    return false;
}

static bool fuse_name(mmli_state_piece *out, const char *prefix, const mmli_param *p)
{
    const char *key = after(p->name, "fuse", 4), *what;
    char before[MMLI_STATE_NAME];

    if (key == NULL)
        return false;
    if (strcmp(key, "latent") == 0)
        return put(out, "%sL", prefix);
    snprintf(before, sizeof before, "%sto_logits.combined_layers.", prefix);
    what = after(key, "head", 4);
    return what != NULL && head_name(out, before, what);
}

static void whole(mmli_state_piece *out, const mmli_param *p)
{
    *out = (mmli_state_piece){.rows = p->rows, .their_rows = p->rows,
                              .flat = p->role == MMLI_ROLE_BIAS || p->role == MMLI_ROLE_NORM};
    if (out->flat) { /* (1, n) of ours: halves are of its elements */
        out->rows = out->their_rows = p->cols;
    }
}

/* Where member m is in the list of blocks there: a stack runs through them in this order. */
static size_t place_of(const mml_model *model, size_t m)
{
    for (size_t i = 0; model->order != NULL && i < model->n; i++)
        if (model->order[i] == m)
            return i;
    return m;
}

/* "" for the member of a block, "layers.2." for the member in place 2 of others. */
static void member_prefix(char *out, size_t size, const mml_model *model, const char *prefix, size_t m)
{
    if (model->kind == MML_MODEL_BLOCK)
        snprintf(out, size, "%s", prefix);
    else
        snprintf(out, size, "%slayers.%zu.", prefix, place_of(model, m));
}

bool mmli_state_piece_at(mmli_state_piece *out, const mml_model *model, const mmli_param *p, const char *prefix, size_t i,
                         size_t k)
{
    char before[MMLI_STATE_NAME];
    size_t m, step;
    const mmli_member *member = member_of(&m, model, p);
    const char *rest;

    whole(out, p);
    if (member == NULL)
        return i == 0 && k == 0 && fuse_name(out, prefix, p);
    member_prefix(before, sizeof before, model, prefix, m);
    if ((rest = after(p->key, "encoder", 7)) != NULL)
        return encoder_name(out, &member->block, before, rest, i, k);
    if (i > 0)
        return false;
    if ((rest = step_of(&step, p->key)) != NULL) {
        if (k > 0 && !(member->block.o.share_steps && k < member->block.o.steps))
            return false;
        return step_name(out, &member->block, before, rest, step + k);
    }
    if ((rest = after(p->key, "head", 4)) != NULL) {
        if (k > 1 || (k == 1 && (model->n < 2 || place_of(model, m) > 1))) /* the first two lend theirs to the merged head */
            return false;
        if (k == 1)
            snprintf(before, sizeof before, "%sto_logits.head%zu.", prefix, place_of(model, m) + 1);
        else
            strncat(before, "to_logits.", sizeof before - strlen(before) - 1);
        return head_name(out, before, rest);
    }
    if (k > 0)
        return false;
    return strcmp(p->key, "latent") == 0 && put(out, "%slatent", before);
}

bool mmli_state_step_name(mmli_state_piece *out, const mml_model *model, const mmli_param *p, const char *prefix, size_t i,
                          size_t step, size_t *own)
{
    char before[MMLI_STATE_NAME];
    size_t m;
    const mmli_member *member = member_of(&m, model, p);
    const char *rest = member == NULL ? NULL : step_of(own, p->key);

    whole(out, p);
    if (rest == NULL || i > 0)
        return false;
    member_prefix(before, sizeof before, model, prefix, m);
    return step_name(out, &member->block, before, rest, step);
}
