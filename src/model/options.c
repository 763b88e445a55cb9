/* options.c - one table for each option struct: what its members are called and how they are stored. */
#include "model/options.h"

#include <stdbool.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

typedef enum field_type {
    FIELD_SIZE,   /* size_t */
    FIELD_U64,    /* uint64_t, as decimal text: JSON integers end at 2^63 */
    FIELD_FLAG,   /* int, 0 or 1 */
    FIELD_DOUBLE,
    FIELD_ENUM    /* an enumeration, as its name */
} field_type;

typedef struct field {
    const char *key;
    field_type type;
    size_t at;                /* offset in the struct */
    const char *(*name)(int); /* of FIELD_ENUM: NULL past the last */
} field;

/* ---- names of enumerations -------------------------------------------------------------------- */

#define NAMES(function, ...)                                                                       \
    static const char *function(int value)                                                         \
    {                                                                                              \
        static const char *const names[] = {__VA_ARGS__};                                          \
        return value >= 0 && (size_t)value < sizeof names / sizeof *names ? names[value] : NULL;   \
    }

NAMES(transform_name, "2d", "1d", "spatial")
NAMES(aggregation_name, "harmonic", "mean", "sum", "product")
NAMES(phase_name, "circular", "arithmetic")
NAMES(head_name, "slerp", "linear", "ensemble")
NAMES(scale_name, "raw", "pooled", "layernorm")
NAMES(weighting_name, "equal", "given", "validation", "correlated", "search")
NAMES(mode_name, "stack", "weave")
NAMES(loudness_name, "trained", "weighted")
NAMES(freeze_name, "nothing", "encoders", "blocks")
NAMES(order_name, "validation", "given")
NAMES(model_name, "block", "merge", "fuse", "baseline")

static const char *baseline_name(int kind)
{
    return mml_baseline_name((mml_baseline_kind)kind);
}

NAMES(encoder_name, "none", "linear", "snn", "abmil", "selfattn", "embedding", "custom")

static int from_name(const char *(*name)(int), const char *text)
{
    for (int i = 0; name(i); i++)
        if (strcmp(name(i), text) == 0)
            return i;
    return -1;
}

const char *mmli_model_kind_name(int kind)
{
    return model_name(kind);
}

int mmli_model_kind_from(const char *name)
{
    return from_name(model_name, name);
}

/* ---- tables ---------------------------------------------------------------------------------------- */

#define AT(member) offsetof(mml_block_options, member)
static const field block_fields[] = {
    {"latent_c", FIELD_SIZE, AT(latent_c), NULL},
    {"latent_d", FIELD_SIZE, AT(latent_d), NULL},
    {"steps", FIELD_SIZE, AT(steps), NULL},
    {"heads", FIELD_SIZE, AT(heads), NULL},
    {"head_width", FIELD_SIZE, AT(head_width), NULL},
    {"share_steps", FIELD_FLAG, AT(share_steps), NULL},
    {"transform", FIELD_ENUM, AT(transform), transform_name},
    {"normalise_latent", FIELD_FLAG, AT(normalise_latent), NULL},
    {"context_dft", FIELD_FLAG, AT(context_dft), NULL},
    {"drop_imaginary", FIELD_FLAG, AT(drop_imaginary), NULL},
    {"tau", FIELD_DOUBLE, AT(tau), NULL},
    {"leaky_output", FIELD_FLAG, AT(leaky_output), NULL},
    {"raw_layers", FIELD_FLAG, AT(raw_layers), NULL},
    {"encoder_each_step", FIELD_FLAG, AT(encoder_each_step), NULL},
    {"handover_real", FIELD_FLAG, AT(handover_real), NULL},
    {"dropout", FIELD_DOUBLE, AT(dropout), NULL},
    {"encoder", FIELD_ENUM, AT(encoder), encoder_name},
    {"encoder_width", FIELD_SIZE, AT(encoder_width), NULL},
    {"encoder_layers", FIELD_SIZE, AT(encoder_layers), NULL},
    {"encoder_dropout", FIELD_DOUBLE, AT(encoder_dropout), NULL},
    {"selfattn_limit", FIELD_SIZE, AT(selfattn_limit), NULL},
};
#undef AT
#define AT(member) offsetof(mml_merge_options, member)
static const field merge_fields[] = {
    {"aggregation", FIELD_ENUM, AT(aggregation), aggregation_name},
    {"phase", FIELD_ENUM, AT(phase), phase_name},
    {"head", FIELD_ENUM, AT(head), head_name},
    {"scale", FIELD_ENUM, AT(scale), scale_name},
    {"weighting", FIELD_ENUM, AT(weighting), weighting_name},
    {"upstream_harmonic", FIELD_FLAG, AT(upstream_harmonic), NULL},
    {"seed", FIELD_U64, AT(seed), NULL},
};
#undef AT
#define AT(member) offsetof(mml_fuse_options, member)
static const field fuse_fields[] = {
    {"mode", FIELD_ENUM, AT(mode), mode_name},
    {"freeze", FIELD_ENUM, AT(freeze), freeze_name},
    {"loudness", FIELD_ENUM, AT(loudness), loudness_name},
    {"order", FIELD_ENUM, AT(order), order_name},
    {"modality_dropout", FIELD_DOUBLE, AT(modality_dropout), NULL},
    {"head", FIELD_ENUM, AT(head), head_name},
};
#undef AT

#define AT(member) offsetof(mml_baseline_options, member)
static const field baseline_fields[] = {
    {"kind", FIELD_ENUM, AT(kind), baseline_name},
    {"width", FIELD_SIZE, AT(width), NULL},
    {"hidden", FIELD_SIZE, AT(hidden), NULL},
    {"layers", FIELD_SIZE, AT(layers), NULL},
    {"latent_c", FIELD_SIZE, AT(latent_c), NULL},
    {"latent_d", FIELD_SIZE, AT(latent_d), NULL},
    {"depth", FIELD_SIZE, AT(depth), NULL},
    {"cross_heads", FIELD_SIZE, AT(cross_heads), NULL},
    {"self_heads", FIELD_SIZE, AT(self_heads), NULL},
    {"head_width", FIELD_SIZE, AT(head_width), NULL},
    {"self_layers", FIELD_SIZE, AT(self_layers), NULL},
    {"tau", FIELD_DOUBLE, AT(tau), NULL},
    {"leaky_output", FIELD_FLAG, AT(leaky_output), NULL},
    {"dropout", FIELD_DOUBLE, AT(dropout), NULL},
    {"penalty", FIELD_DOUBLE, AT(penalty), NULL},
    {"reduction", FIELD_SIZE, AT(reduction), NULL},
};
#undef AT

enum {
    N_BASELINE = sizeof baseline_fields / sizeof *baseline_fields,
    N_BLOCK = sizeof block_fields / sizeof *block_fields,
    N_MERGE = sizeof merge_fields / sizeof *merge_fields,
    N_FUSE = sizeof fuse_fields / sizeof *fuse_fields
};

_Static_assert(sizeof(mml_transform) == sizeof(int), "enumerations are copied as int");
#if UINTPTR_MAX == UINT64_MAX
/* A member that is not in its table would be lost in files. Add it there, then here. */
_Static_assert(sizeof(mml_block_options) == 152, "mml_block_options has changed: see block_fields");
_Static_assert(sizeof(mml_merge_options) == 72, "mml_merge_options has changed: see merge_fields");
_Static_assert(sizeof(mml_fuse_options) == 40, "mml_fuse_options has changed: see fuse_fields");
_Static_assert(sizeof(mml_baseline_options) == 136, "mml_baseline_options has changed: see baseline_fields");
#endif

/* ---- to JSON --------------------------------------------------------------------------------------- */

static json_t *field_json(const field *f, const char *base)
{
    char text[24];
    double real;
    size_t size;
    uint64_t u64;
    int number;

    switch (f->type) {
    case FIELD_SIZE:
        memcpy(&size, base + f->at, sizeof size);
        return json_integer((json_int_t)size);
    case FIELD_U64:
        memcpy(&u64, base + f->at, sizeof u64);
        snprintf(text, sizeof text, "%llu", (unsigned long long)u64);
        return json_string(text);
    case FIELD_FLAG:
        memcpy(&number, base + f->at, sizeof number);
        return json_boolean(number);
    case FIELD_DOUBLE:
        memcpy(&real, base + f->at, sizeof real);
        return json_real(real);
    case FIELD_ENUM:
    default:
        memcpy(&number, base + f->at, sizeof number);
        return json_string(f->name(number));
    }
}

static json_t *fields_json(const field *fields, size_t n, const void *base)
{
    json_t *object = json_object();

    for (size_t i = 0; object && i < n; i++)
        if (json_object_set_new(object, fields[i].key, field_json(&fields[i], base)) != 0) { /* also a NULL value */
            json_decref(object);
            object = NULL;
        }
    return object;
}

json_t *mmli_block_options_json(const mml_block_options *o)
{
    return fields_json(block_fields, N_BLOCK, o);
}

json_t *mmli_merge_options_json(const mml_merge_options *o)
{
    return fields_json(merge_fields, N_MERGE, o);
}

json_t *mmli_fuse_options_json(const mml_fuse_options *o)
{
    return fields_json(fuse_fields, N_FUSE, o);
}

json_t *mmli_baseline_options_json(const mml_baseline_options *o)
{
    return fields_json(baseline_fields, N_BASELINE, o);
}

/* ---- from JSON ------------------------------------------------------------------------------------- */

static mml_status field_parse(char *base, const field *f, const json_t *value, const char *where)
{
    const char *text = json_string_value(value);
    double real;
    size_t size;
    uint64_t u64;
    int number;

    switch (f->type) {
    case FIELD_SIZE:
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return mmli_fail(MML_E_FORMAT, "%s: option %s is not a whole number >= 0", where, f->key);
        size = (size_t)json_integer_value(value);
        memcpy(base + f->at, &size, sizeof size);
        return MML_OK;
    case FIELD_U64:
        if (!text || !mmli_parse_uint64(&u64, text, strlen(text), UINT64_MAX))
            return mmli_fail(MML_E_FORMAT, "%s: option %s is not a whole number as text", where, f->key);
        memcpy(base + f->at, &u64, sizeof u64);
        return MML_OK;
    case FIELD_FLAG:
        if (!json_is_boolean(value))
            return mmli_fail(MML_E_FORMAT, "%s: option %s is not true or false", where, f->key);
        number = json_is_true(value);
        memcpy(base + f->at, &number, sizeof number);
        return MML_OK;
    case FIELD_DOUBLE:
        if (!json_is_number(value))
            return mmli_fail(MML_E_FORMAT, "%s: option %s is not a number", where, f->key);
        real = json_number_value(value);
        memcpy(base + f->at, &real, sizeof real);
        return MML_OK;
    case FIELD_ENUM:
    default:
        number = text ? from_name(f->name, text) : -1;
        if (number < 0)
            return mmli_fail(MML_E_FORMAT, "%s: option %s has a value this version does not know: %s", where, f->key,
                             text ? text : "(no text)");
        memcpy(base + f->at, &number, sizeof number);
        return MML_OK;
    }
}

static mml_status fields_parse(void *base, const field *fields, size_t n, json_t *json, const char *where)
{
    mml_status st = MML_OK;
    const char *key;
    json_t *value;

    MML_CHECK(json_is_object(json), MML_E_FORMAT, "%s: no options", where);
    for (size_t i = 0; i < n; i++) {
        value = json_object_get(json, fields[i].key);
        MML_CHECK(value, MML_E_FORMAT, "%s: option %s is missing", where, fields[i].key);
        MML_TRY(field_parse(base, &fields[i], value, where));
    }
    /* An option that is skipped would change what the model computes without a word. */
    json_object_foreach(json, key, value)
    {
        size_t i = 0;

        while (i < n && strcmp(fields[i].key, key) != 0)
            i++;
        MML_CHECK(i < n, MML_E_FORMAT, "%s: option %s is not known to this version", where, key);
    }
out:
    return st;
}

mml_status mmli_block_options_parse(mml_block_options *o, json_t *json, const char *where)
{
    return fields_parse(o, block_fields, N_BLOCK, json, where);
}

mml_status mmli_merge_options_parse(mml_merge_options *o, json_t *json, const char *where)
{
    return fields_parse(o, merge_fields, N_MERGE, json, where);
}

mml_status mmli_fuse_options_parse(mml_fuse_options *o, json_t *json, const char *where)
{
    return fields_parse(o, fuse_fields, N_FUSE, json, where);
}

mml_status mmli_baseline_options_parse(mml_baseline_options *o, json_t *json, const char *where)
{
    return fields_parse(o, baseline_fields, N_BASELINE, json, where);
}

/* ---- presets ----------------------------------------------------------------------------------------- */

const char *mmli_preset_of(const mml_block_options *o, mml_modality_kind kind)
{
    static const char *const names[] = {"mmlego", "paper", "upstream"};
    json_t *mine = mmli_block_options_json(o), *theirs;
    const char *found = "";

    for (size_t i = 0; mine && !*found && i < 2 * (sizeof names / sizeof *names); i++) {
        const mml_task_kind task = i % 2 ? MML_SURVIVAL : MML_BINARY; /* a preset has these two forms */
        mml_block_options p;

        theirs = mml_block_options_init(&p, NULL, names[i / 2], kind, task) == MML_OK ? mmli_block_options_json(&p) : NULL;
        if (theirs && json_equal(mine, theirs))
            found = names[i / 2];
        json_decref(theirs);
    }
    json_decref(mine);
    return found;
}

/* ---- a caller's structs ------------------------------------------------------------------------------ */

mml_status mmli_options_take(void *out, size_t size, const void *given, const char *type)
{
    size_t theirs; /* struct_size is the first member of every option struct */
    mml_status st = MML_OK;

    if (!given)
        return MML_OK;
    memcpy(&theirs, given, sizeof theirs);
    MML_CHECK(theirs >= sizeof theirs, MML_E_ARG, "%s was not initialised: call %s_init() first", type, type);
    MML_CHECK(theirs <= size, MML_E_ARG, "%s has %zu bytes, this library knows %zu: it is older than the header the "
              "program was compiled with", type, theirs, size);
    memcpy(out, given, theirs);
    memcpy(out, &size, sizeof size);
out:
    return st;
}

static mml_status enums_check(const field *fields, size_t n, const void *base, const char *type)
{
    for (size_t i = 0; i < n; i++)
        if (fields[i].type == FIELD_ENUM) {
            int number;

            memcpy(&number, (const char *)base + fields[i].at, sizeof number);
            if (!fields[i].name(number))
                return mmli_fail(MML_E_ARG, "%s: %s = %d is not a value it has", type, fields[i].key, number);
        }
    return MML_OK;
}

mml_status mmli_merge_options_check(const mml_merge_options *o)
{
    return enums_check(merge_fields, N_MERGE, o, "mml_merge_options");
}

mml_status mmli_fuse_options_check(const mml_fuse_options *o)
{
    mml_status st = enums_check(fuse_fields, N_FUSE, o, "mml_fuse_options");
    char text[MMLI_NUMBER_BYTES];

    if (st == MML_OK && !(o->modality_dropout >= 0.0 && o->modality_dropout < 1.0))
        st = mmli_fail(MML_E_ARG, "modality_dropout is %s: give a number in [0, 1)",
                       mmli_format_double(text, o->modality_dropout));
    if (st == MML_OK && o->head == MML_HEAD_ENSEMBLE)
        st = mmli_fail(MML_E_ARG, "a fuse starts from one head: slerp or linear, not ensemble");
    return st;
}
