/* cmd_evaluate.c - mmlego evaluate: metrics with confidence intervals. */
#include <math.h>
#include <string.h>

#include <jansson.h>

#include <mmlego/predict.h>

#include "cli/device.h"
#include "cli/load.h"

typedef struct evaluate_args {
    int json;
    mml_evaluate_options options;
} evaluate_args;

#define AT(field) offsetof(evaluate_args, field)

static const mmlc_opt options[] = {
    {.name = "on", .type = MMLC_STR, .at = AT(options.on), .arg = "WHICH",
     .help = "evaluate on these: COLUMN=VALUE[,VALUE...], all, or the part train, valid or test of the model's "
             "training", .init = "test"},
    {.name = "json", .type = MMLC_FLAG, .at = AT(json), .help = "print JSON in place of a table"},
    {.name = "bootstrap", .type = MMLC_SIZE, .at = AT(options.bootstrap), .arg = "N",
     .help = "resamples for the confidence intervals; 0 = no intervals", .max = 1000000},
    {.name = "level", .type = MMLC_DOUBLE, .at = AT(options.level), .arg = "X",
     .help = "level of the confidence intervals", .max = 1.0, .rules = MMLC_ABOVE_MIN | MMLC_BELOW_MAX},
    {.name = "seed", .type = MMLC_U64, .at = AT(options.seed), .arg = "N", .help = "seed of the resampling"},
    {.name = "strict", .type = MMLC_FLAG, .at = AT(options.strict),
     .help = "refuse to evaluate on patients that a block of the model was trained on"},
    {.name = "threads", .type = MMLC_INT, .at = AT(options.threads), .arg = "N",
     .help = "threads to use; the result does not depend on it", .init = "all", .min = 1, .max = 4096},
    {.name = "device", .type = MMLC_STR, .at = AT(options.device), .arg = "NAME", .help = MMLC_DEVICE_HELP, .init = "cpu"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    (void)modality;
    (void)task;
    mml_evaluate_options_init(&((evaluate_args *)args)->options);
    return MML_OK;
}

static void put_number(double v)
{
    if (isfinite(v))
        printf("%.10g", v);
    else
        fputs("null", stdout);
}

enum { UNKNOWN_MOST = sizeof((mml_evaluation *)0)->unknown / sizeof((mml_evaluation *)0)->unknown[0] };

/* What mmlc_say_unknown() says in words. NULL: no memory. */
static json_t *unknown_json(const mml_evaluation *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < e->n_unknown && i < UNKNOWN_MOST; i++) {
        const mml_unknown_category *u = &e->unknown[i];

        if (json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I}", "modality", u->modality, "column", u->column, "category",
                                                  u->category, "n", (json_int_t)u->n)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* What mmlc_say_ignored_list() says in words. NULL: no memory. */
static json_t *ignored_json(const mml_ignored_column *list, size_t n)
{
    json_t *json = json_array();

    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(json, json_pack("{s:s,s:s}", "modality", list[i].modality, "column", list[i].column)) != 0) {
            json_decref(json);
            return NULL;
        }
    return json;
}

static void print_json(const mml_evaluation *e, const json_t *task, const json_t *unknown, const json_t *ignored)
{
    fputs("{\"metrics\": {", stdout);
    for (size_t i = 0; i < e->n_metrics; i++) {
        const mml_metric_value *m = &e->metrics[i];

        printf("%s\"%s\": {\"value\": ", i > 0 ? ", " : "", m->name);
        put_number(m->value);
        fputs(", \"low\": ", stdout);
        put_number(m->low);
        fputs(", \"high\": ", stdout);
        put_number(m->high);
        fputc('}', stdout);
    }
    fputs("}, \"task\": ", stdout);
    json_dumpf(task, stdout, JSON_ENCODE_ANY);
    printf(", \"n\": %zu, \"n_events\": %zu, \"n_unlabelled\": %zu, \"n_prior\": %zu, \"n_leaked\": %zu", e->n, e->n_events, e->n_unlabelled,
           e->n_prior, e->n_leaked);
    fputs(", \"unknown_categories\": ", stdout);
    json_dumpf(unknown, stdout, JSON_PRESERVE_ORDER);
    printf(", \"n_unknown_categories\": %zu, \"ignored_columns\": ", e->n_unknown);
    json_dumpf(ignored, stdout, JSON_PRESERVE_ORDER);
    fputs("}\n", stdout);
}

static void print_metric(const mml_metric_value *m)
{
    int limits = isfinite(m->low) && isfinite(m->high);

    printf("%-18s ", m->name);
    if (!isfinite(m->value))
        printf("%10s", "-");
    else
        printf("%10.*f", !limits && m->value == floor(m->value) && fabs(m->value) > 1.0 ? 0 : 4, m->value); /* a count */
    if (limits)
        printf("   %.4f to %.4f", m->low, m->high);
    putchar('\n');
}

static void print_table(const mml_evaluation *e, const evaluate_args *a, const mml_model *model)
{
    mml_task_kind kind = mml_model_task_kind(model);

    printf("task %s, %zu %s", mml_model_task(model), e->n, mmlc_by_number(e->n, "patient", "patients"));
    if (kind == MML_BINARY)
        printf(", %zu of class %s", e->n_events, mml_model_class(model, mml_model_n_classes(model) - 1));
    else if (kind == MML_SURVIVAL)
        printf(", %zu %s", e->n_events, mmlc_by_number(e->n_events, "event", "events"));
    if (e->n_unlabelled > 0)
        printf("; %zu more %s no label", e->n_unlabelled, mmlc_by_number(e->n_unlabelled, "has", "have"));
    if (e->n_prior > 0)
        printf("; %zu %s none of the modalities", e->n_prior, mmlc_by_number(e->n_prior, "has", "have"));
    printf("\n%-18s %10s", "metric", "value");
    if (a->options.bootstrap > 0)
        printf("   %g %% interval", 100.0 * a->options.level);
    putchar('\n');
    for (size_t i = 0; i < e->n_metrics; i++)
        print_metric(&e->metrics[i]);
}

static int evaluate(const mmlc_call *call, const mml_model *model, mml_cohort *cohort)
{
    const evaluate_args *a = call->args;
    mml_evaluation e;
    mml_ignored_column *ignored = NULL;
    size_t n_ignored;
    mml_status st = MML_OK;
    mml_task_info task;
    int rc = MMLC_OK;

    memset(&e, 0, sizeof e);
    st = mml_cohort_task(&task, cohort, mml_model_task(model));
    if (st != MML_OK)
        return mmlc_fail(call->command, st);
    st = mml_evaluate(&e, model, cohort, &a->options);
    if (st != MML_OK) /* what may not be found now is the column or the value of --on */
        return mmlc_fail_named(call->command, st);
    st = mml_model_ignored(&ignored, &n_ignored, model, cohort);
    if (st != MML_OK)
        return mmlc_fail(call->command, st);
    if (e.n_leaked > 0)
        mmlc_say(call->command, "warning: %zu of the %zu %s in the training part of a block of this model; "
                 "these figures are better than those of new patients would be", e.n_leaked, e.n,
                 mmlc_by_number(e.n, "patients was", "patients were"));
    mmlc_say_unknown(call->command, e.unknown, UNKNOWN_MOST, e.n_unknown);
    mmlc_say_ignored_list(call->command, ignored, n_ignored);
    if (!a->json) {
        print_table(&e, a, model);
    } else {
        json_t *name = json_string(mml_model_task(model)), *unknown = unknown_json(&e), *columns = ignored_json(ignored, n_ignored);

        if (name != NULL && unknown != NULL && columns != NULL)
            print_json(&e, name, unknown, columns);
        else
            rc = mmlc_no_memory(call->command);
        json_decref(name);
        json_decref(unknown);
        json_decref(columns);
    }
    mml_ignored_columns_free(ignored);
    return rc == MMLC_OK ? mmlc_flush(call->command) : rc;
}

static int run(mmlc_call *call)
{
    mml_model *model = NULL;
    mml_cohort *cohort = NULL;
    int rc = mmlc_device_say(call->command, ((const evaluate_args *)call->args)->options.device, 0, 0);

    if (rc == MMLC_GO)
        rc = mmlc_load_model(&model, call->command, call->operand[0]);
    if (rc == MMLC_GO)
        rc = mmlc_open_cohort(&cohort, call->command, call->operand[1]);
    if (rc == MMLC_GO)
        rc = mmlc_check_overlap(call->command, cohort, model);
    if (rc == MMLC_GO)
        rc = evaluate(call, model, cohort);
    mml_cohort_close(cohort);
    mml_model_free(model);
    return rc;
}

const mmlc_command mmlc_cmd_evaluate = {
    .name = "evaluate",
    .summary = "measure how well a model predicts the patients of a cohort",
    .operands = "MODEL COHORT",
    .n_min = 2,
    .n_max = 2,
    .about =
        "Prints metrics of the model's task with bootstrap confidence intervals, the main one first. Binary: auc, and "
        "average_precision, accuracy, f1, brier, log_loss. Several classes: macro_auc (one against the rest), accuracy, "
        "macro_f1, log_loss. Survival: cindex (Harrell), and how many pairs of patients could be compared. Regression: r2 "
        "and rmse.\n\n"
        "A model remembers, as hashes, which patients its blocks were trained on. If any of them is among those "
        "evaluated, a warning says so on stderr; with --strict nothing is evaluated and the exit status is 1. Categories that the model has not learnt, and columns "
        "that it has not been trained on, are told there, too (see mmlego predict).\n\n"
        "With --json: {\"metrics\": {\"auc\": {\"value\": 0.84, \"low\": 0.82, \"high\": 0.86}, ...}, "
        "\"task\": \"death\", \"n\": 1000, \"n_events\": 142, \"n_unlabelled\": 0, \"n_prior\": 3, \"n_leaked\": 0, "
        "\"unknown_categories\": [{\"modality\": \"clinical\", \"column\": \"stage\", \"category\": \"IV\", \"n\": 8}, ...], "
        "\"n_unknown_categories\": 1, \"ignored_columns\": [{\"modality\": \"clinical\", \"column\": \"bmi\"}, ...]}; a value that cannot be computed, and the limits without --bootstrap, are null. n is of "
        "patients: of those evaluated n_events are of the last of two classes, or have the event (else 0), n_prior have none of the "
        "modalities, n_leaked were trained on; n_unlabelled more have no label. The first 16 unknown categories are listed.",
    .examples = "mmlego evaluate merged.h5 cohort.h5\n"
                "mmlego evaluate merged.h5 cohort.h5 --on site=b --json\n",
    .groups = groups,
    .args_size = sizeof(evaluate_args),
    .init = init,
    .run = run,
};
