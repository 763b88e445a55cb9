/* cmd_bench.c - mmlego bench: the cases of mmlego/bench.h, each in a process of its own, so that its peak memory is that
 * of the case and one that fails does not end the rest. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mmlego/bench.h>

#include "cli/bench_start.h"
#include "cli/cli.h"
#include "cli/device.h"

typedef struct bench_args {
    int json, list, quiet, limits, busy;
    const char *group, *load;
    mml_bench_options o;
} bench_args;

#define AT(field) offsetof(bench_args, field)

static const mmlc_opt options[] = {
    {.name = "list", .type = MMLC_FLAG, .at = AT(list), .help = "list the cases with their groups and end"},
    {.letter = 'g', .name = "group", .type = MMLC_STR, .at = AT(group), .arg = "NAME",
     .help = "run the cases of this group, when none are named", .init = "main"},
    {.name = "threads", .type = MMLC_INT, .at = AT(o.threads), .arg = "N", .help = "threads to use", .init = "all",
     .min = 1, .max = 4096},
    {.name = "device", .type = MMLC_STR, .at = AT(o.device), .arg = "NAME", .help = MMLC_DEVICE_HELP, .init = "cpu"},
    {.name = "seconds", .type = MMLC_DOUBLE, .at = AT(o.seconds), .arg = "S",
     .help = "time to spend on the repeats of a case", .max = 3600, .rules = MMLC_ABOVE_MIN},
    {.name = "limits", .type = MMLC_FLAG, .at = AT(limits), .rules = MMLC_NEGATABLE,
     .help = "measure first how fast this machine multiplies matrices and reads memory, and compare with that"},
    {.name = "busy", .type = MMLC_FLAG, .at = AT(busy),
     .help = "run a process that computes without end on every processor beside the cases"},
    {.name = "load", .type = MMLC_STR, .at = AT(load), .arg = "MODEL",
     .help = "load this model, predict the patient of merge-predict-1, print the peak memory in bytes and end: what the "
             "case start runs"},
    {.name = "seed", .type = MMLC_U64, .at = AT(o.seed), .arg = "N", .help = "seed of the made-up numbers"},
    {.name = "json", .type = MMLC_FLAG, .at = AT(json), .help = "everything measured, as JSON"},
    {.letter = 'q', .name = "quiet", .type = MMLC_FLAG, .at = AT(quiet), .help = "errors only"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static mml_status init(void *args, mml_modality_kind modality, mml_task_kind task)
{
    bench_args *a = args;

    (void)modality;
    (void)task;
    a->limits = 1;
    mml_bench_options_init(&a->o);
    return MML_OK;
}

/* ---- a case in a process of its own ------------------------------------------------------------------------ */

/* What the child sends: MMLC_GO and one of the two results, or the exit code after its message. */
typedef struct answer {
    int code;
    mml_bench_result result;
    mml_bench_limits limits;
} answer;

static void measure(answer *a, const mmlc_command *command, const char *name, const mml_bench_options *o)
{
    mml_status st;

    memset(a, 0, sizeof *a);
    a->result.struct_size = sizeof a->result;
    a->limits.struct_size = sizeof a->limits;
    st = name ? mml_bench_run(&a->result, name, o) : mml_bench_measure_limits(&a->limits, o);
    a->code = st == MML_OK ? MMLC_GO : mmlc_fail(command, st);
}

static int transfer(int fd, answer *a, int sending)
{
    char *at = (char *)a;

    for (size_t left = sizeof *a; left > 0;) {
        const ssize_t n = sending ? write(fd, at, left) : read(fd, at, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        at += n;
        left -= (size_t)n;
    }
    return 1;
}

/* name NULL: the limits. MMLC_GO, or an exit code after a message. */
static int run_apart(answer *a, const mmlc_command *command, const char *name, const mml_bench_options *o)
{
    const char *what = name ? name : "limits";
    int fd[2], ended = 0, whole;
    pid_t child;

    if (pipe(fd) != 0) {
        mmlc_say(command, "no process for %s: %s", what, strerror(errno));
        return MMLC_FAILURE;
    }
    child = fork();
    if (child < 0) {
        mmlc_say(command, "no process for %s: %s", what, strerror(errno));
        close(fd[0]);
        close(fd[1]);
        return MMLC_FAILURE;
    }
    if (child == 0) {
        close(fd[0]);
        measure(a, command, name, o);
        _exit(transfer(fd[1], a, 1) ? 0 : 1);
    }
    close(fd[1]);
    whole = transfer(fd[0], a, 0);
    close(fd[0]);
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    if (!whole) {
        if (WIFSIGNALED(ended))
            mmlc_say(command, "%s: its process was ended by signal %d%s", what, WTERMSIG(ended),
                     WTERMSIG(ended) == 9 ? ": perhaps for want of memory" : "");
        else
            mmlc_say(command, "%s: its process gave no result", what);
        return MMLC_FAILURE;
    }
    return a->code;
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

/* Time that the limits allow at least, by time taken: operations at the rate of the fastest product, bytes from memory. */
static double share(const mml_bench_result *r, const mml_bench_limits *l)
{
    const double flop = r->matrix_flop / l->flops, bytes = (r->input + 4 * r->parameters) / l->bandwidth;

    return (flop > bytes ? flop : bytes) / r->median;
}

static void print_limits(const mml_bench_limits *l)
{
    printf("%d thread%s: products up to %.0f GFLOP/s, memory up to %.1f GB/s\n\n", l->threads, l->threads == 1 ? "" : "s",
           l->flops * 1e-9, l->bandwidth * 1e-9);
}

static void print_result(const char *name, const mml_bench_result *r, const mml_bench_limits *l, double memory)
{
    printf("%-20s %11.3f %10.3f %10.3f %10.3f %9.1f", name, r->median * 1e3, r->low * 1e3, r->high * 1e3, r->p95 * 1e3,
           r->matrix_flop / r->median * 1e-9);
    if (l && r->matrix_flop > 0)
        printf(" %6.0f", 100 * share(r, l));
    else
        printf(" %6s", "-");
    printf(" %8.1f\n", memory * 1e-6);
    fflush(stdout);
}

static json_t *limits_json(const mml_bench_limits *l)
{
    json_t *products = json_array();

    for (size_t i = 0; i < l->n_products; i++)
        json_array_append_new(products, json_pack("{s:I,s:I,s:I,s:f}", "m", (json_int_t)l->products[i].m, "n",
                                                  (json_int_t)l->products[i].n, "k", (json_int_t)l->products[i].k, "flops",
                                                  l->products[i].flops));
    return json_pack("{s:i,s:f,s:f,s:f,s:f,s:o}", "threads", l->threads, "flops", l->flops, "read", l->read, "triad",
                     l->triad, "bandwidth", l->bandwidth, "products", products);
}

/* NaN, not known, is null. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *result_json(const char *name, const mml_bench_result *r, const mml_bench_limits *l)
{
    return json_pack("{s:s,s:i,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:I,s:I,s:I,s:f,s:f,s:o,s:o,s:o,s:o,s:f}", "case", name,
                     "threads", r->threads, "repeats", (json_int_t)r->repeats, "median", r->median, "low", r->low, "high",
                     r->high, "least", r->least, "matrix_flop", r->matrix_flop, "other_flop", r->other_flop, "bytes",
                     r->bytes, "kernels", (json_int_t)r->kernels, "host_allocations", (json_int_t)r->host_allocations,
                     "device_allocations", (json_int_t)r->device_allocations, "input_bytes", r->input, "parameters",
                     r->parameters, "device_peak_bytes", number(r->device_peak), "peak_bytes", number(r->peak),
                     "beyond_input_bytes", number(r->beyond_input), "share_of_limit", number(l && r->matrix_flop > 0 ? share(r, l) : (double)NAN), "p95", r->p95);
}

/* ---- which cases ------------------------------------------------------------------------------------------------- */

static int list_cases(const mmlc_command *command)
{
    mml_bench_case c;

    for (size_t i = 0; i < mml_bench_n_cases(); i++)
        if (mml_bench_case_at(&c, i) == MML_OK)
            printf("%-20s %-11s %s\n", c.name, c.group, c.what);
    c = mmlc_bench_start_case;
    printf("%-20s %-11s %s\n", c.name, c.group, c.what);
    return mmlc_flush(command);
}

/* Names of the cases wanted, (n) of at most mml_bench_n_cases() + operands. MMLC_GO or an exit code. */
static int choose(const char ***out, size_t *n, const mmlc_call *call)
{
    const bench_args *a = call->args;
    const size_t library = mml_bench_n_cases(), all = library + 1;
    const char **known = calloc(all, sizeof *known);
    mml_bench_case c;

    *n = 0;
    *out = calloc(all + call->n, sizeof **out);
    if (!known || !*out) {
        free(known);
        return mmlc_no_memory(call->command);
    }
    for (size_t i = 0; i < all; i++) {
        c = mmlc_bench_start_case;
        if (i < library && mml_bench_case_at(&c, i) != MML_OK)
            continue;
        known[i] = c.name;
        if (call->n == 0 && strcmp(c.group, a->group ? a->group : "main") == 0)
            (*out)[(*n)++] = c.name;
    }
    for (size_t i = 0; i < call->n; i++) {
        size_t j = 0;

        while (j < all && strcmp(known[j], call->operand[i]) != 0)
            j++;
        if (j == all) {
            const char *near = mmlc_nearest(call->operand[i], known, all);
            const int rc = near ? mmlc_usage_error(call->command, "there is no case '%s'; did you mean '%s'?",
                                                   call->operand[i], near)
                                : mmlc_usage_error(call->command, "there is no case '%s'; see --list", call->operand[i]);

            free(known);
            return rc;
        }
        (*out)[(*n)++] = known[j];
    }
    free(known);
    return *n > 0 ? MMLC_GO : mmlc_usage_error(call->command, "there is no group '%s'; see --list", a->group);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int run_cases(const mmlc_call *call, const char *const *names, size_t n, json_t *results, answer *limits)
{
    const bench_args *a = call->args;
    const mml_bench_limits *l = a->limits ? &limits->limits : NULL;
    int rc = MMLC_OK;

    if (!a->json) {
        if (l)
            print_limits(l);
        printf("%-20s %11s %10s %10s %10s %9s %6s %8s\n", "case", "median ms", "10 %", "90 %", "95 %", "GFLOP/s", "limit%",
               "MB");
    }
    for (size_t i = 0; i < n && mmlc_signal() == 0; i++) {
        answer one;
        int code;

        if (!a->quiet && a->json)
            fprintf(stderr, "%s (%zu of %zu)\n", names[i], i + 1, n);
        code = strcmp(names[i], mmlc_bench_start_case.name) == 0 ? mmlc_bench_start(&one.result, call->command, &a->o)
                                                                  : run_apart(&one, call->command, names[i], &a->o);
        if (code != MMLC_GO) {
            rc = code;
            continue;
        }
        if (a->json)
            json_array_append_new(results, result_json(names[i], &one.result, l));
        else
            print_result(names[i], &one.result, l,
                         mmlc_device_is_cpu(a->o.device) ? one.result.beyond_input : one.result.device_peak);
    }
    return rc;
}

static int run(mmlc_call *call)
{
    const bench_args *a = call->args;
    const char **names = NULL;
    answer limits;
    mmlc_neighbours neighbours = {NULL, 0};
    json_t *results = NULL, *top = NULL;
    size_t n = 0;
    int rc, written;

    if (a->list)
        return list_cases(call->command);
    if (a->load != NULL)
        return mmlc_bench_started(call->command, a->load, &a->o);
    rc = mmlc_device_say(call->command, a->o.device, a->quiet, MMLC_DEVICE_APART);
    if (rc == MMLC_GO)
        rc = choose(&names, &n, call);
    if (rc == MMLC_GO && a->limits)
        rc = run_apart(&limits, call->command, NULL, &a->o);
    if (rc == MMLC_GO && a->busy)
        rc = mmlc_bench_busy(&neighbours, call->command);
    if (rc == MMLC_GO) {
        results = json_array();
        rc = run_cases(call, names, n, results, &limits);
        mmlc_bench_quiet(&neighbours);
        if (a->json) {
            top = json_pack("{s:s,s:o,s:O}", "version", mml_version(), "limits",
                            a->limits ? limits_json(&limits.limits) : json_null(), "cases", results);
            if (!top || json_dumpf(top, stdout, JSON_INDENT(1)) != 0)
                rc = mmlc_no_memory(call->command);
            else
                putchar('\n');
        }
        written = mmlc_flush(call->command);
        rc = rc == MMLC_OK ? written : rc;
    }
    json_decref(top);
    json_decref(results);
    free(names);
    return rc;
}

const mmlc_command mmlc_cmd_bench = {
    .name = "bench",
    .summary = "measure how fast this machine trains and predicts",
    .operands = "[CASE...]",
    .n_min = 0,
    .n_max = 1000,
    .about =
        "Runs cases of fixed sizes on made-up numbers, without any files: training steps, predictions, merging. Each "
        "runs in a process of its own. Shown are the median time of a repeat, the 10th, 90th and 95th percentile, matrix "
        "operations a second, the time that the limits of the machine allow as a share of the time taken, and the peak "
        "memory beyond what was there with the input; with --device that of a GPU.\n\n"
        "The limit is that of arithmetic, or of reading input and parameters once from memory; what stays in the cache "
        "can exceed the latter. Take timings on a machine that does nothing else; --busy shows "
        "what neighbours on the same processors cost.\n\n"
        "The case start times whole processes, each of which starts, loads a merged model of a table and a bag from a file "
        "and predicts one patient; its memory is the peak of such a process.",
    .examples = "mmlego bench\n"
                "mmlego bench table-train-32 --threads 1\n"
                "mmlego bench table-train-32 table-predict-1 --busy\n"
                "mmlego bench start\n"
                "mmlego bench --group tokens --json > tokens.json\n",
    .groups = groups,
    .args_size = sizeof(bench_args),
    .init = init,
    .run = run,
};
