/* bench_start.c - see bench_start.h. */
#include "cli/bench_start.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mmlego/predict.h>

#include "cli/progress.h"

#if defined(__linux__)
#include <sys/prctl.h>
#endif

static const char model_case[] = "merge-predict-1";

const mml_bench_case mmlc_bench_start_case = {
    .name = "start", .group = "start", .what = "a process: start, load the merged model of a table and a bag, predict one patient"};

/* ---- the process that starts ---------------------------------------------------------------------------------- */

/* Of this program since it was started (getrusage would count the one it was forked from). 0 = not known. */
static double peak_bytes(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    double kib = 0;

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtod(line + 6, NULL);
    if (f != NULL)
        fclose(f);
    return kib * 1024;
}

int mmlc_bench_started(const mmlc_command *command, const char *model_path, const mml_bench_options *o)
{
    mml_model *model = NULL;
    mml_predictor *predictor = NULL;
    mml_batch *patient = NULL;
    mml_prediction p;
    mml_status st = mml_model_load(&model, model_path, NULL, 0);
    int rc;

    if (st == MML_OK)
        st = mml_predictor_new(&predictor, model, o->device, o->threads);
    if (st == MML_OK)
        st = mml_bench_batch(&patient, model_case);
    if (st == MML_OK)
        st = mml_predict(&p, predictor, patient);
    rc = st == MML_OK ? MMLC_OK : mmlc_fail(command, st);
    if (rc == MMLC_OK) {
        printf("%.0f\n", peak_bytes());
        rc = mmlc_flush(command);
    }
    mml_predictor_free(predictor);
    mml_batch_free(patient);
    mml_model_free(model);
    return rc;
}

/* ---- starting it ------------------------------------------------------------------------------------------------ */

/* As if a shell had started it: without what main.c has changed for this process. */
static void forget_changes(void)
{
    static const char *const names[] = {"OPENBLAS_CORETYPE", "OMP_WAIT_POLICY"};
    const char *changed = getenv("MMLEGO_REEXEC");

    for (size_t i = 0; changed != NULL && i < sizeof names / sizeof *names; i++)
        if (strstr(changed, names[i]) != NULL)
            unsetenv(names[i]);
    unsetenv("MMLEGO_REEXEC");
}

/* One process from its start to its end. 0, and *peak is bytes; or -1. */
static int start_once(double *seconds, double *peak, char *const *args)
{
    const double begin = mmlc_now();
    char text[64] = "";
    int fd[2], ended = 0;
    ssize_t n;
    pid_t child;

    if (pipe(fd) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        dup2(fd[1], STDOUT_FILENO);
        close(fd[0]);
        close(fd[1]);
        forget_changes();
        execv("/proc/self/exe", args);
        _exit(127);
    }
    close(fd[1]);
    while ((n = child < 0 ? 0 : read(fd[0], text, sizeof text - 1)) < 0 && errno == EINTR)
        ;
    close(fd[0]);
    while (child > 0 && waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    *seconds = mmlc_now() - begin;
    *peak = strtod(text, NULL);
    return child > 0 && n > 0 && WIFEXITED(ended) && WEXITSTATUS(ended) == 0 ? 0 : -1;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double q)
{
    return sorted[(size_t)(q * (double)(n - 1) + 0.5)];
}

static int repeat(mml_bench_result *r, const mmlc_command *command, char *const *args, const mml_bench_options *o)
{
    enum { FEWEST = 5, WARM = 1 };
    const size_t most = o->repeats > FEWEST ? o->repeats : FEWEST;
    double *times = calloc(most, sizeof *times), peak = 0, ignored;
    const double begin = mmlc_now();
    int rc = MMLC_GO;
    size_t n = 0;

    if (times == NULL)
        return mmlc_no_memory(command);
    for (int i = 0; i < WARM && rc == MMLC_GO; i++) /* the file and the libraries are in memory afterwards */
        rc = start_once(&ignored, &peak, args) == 0 ? MMLC_GO : MMLC_FAILURE;
    while (rc == MMLC_GO && mmlc_signal() == 0 && n < most && (n < FEWEST || mmlc_now() - begin < o->seconds)) {
        rc = start_once(&times[n++], &peak, args) == 0 ? MMLC_GO : MMLC_FAILURE;
        r->peak = peak > r->peak ? peak : r->peak;
    }
    if (mmlc_signal() != 0) {
        rc = 128 + mmlc_signal();
    } else if (rc == MMLC_GO) {
        qsort(times, n, sizeof *times, ascending);
        r->repeats = n;
        r->least = times[0];
        r->low = quantile(times, n, 0.1);
        r->median = quantile(times, n, 0.5);
        r->high = quantile(times, n, 0.9);
        r->p95 = quantile(times, n, 0.95);
        r->beyond_input = r->peak;
    } else {
        mmlc_say(command, "start: the process that was started did not predict");
    }
    free(times);
    return rc;
}

static mml_status save_model(const char *path, const mml_bench_options *options)
{
    mml_model *model = NULL;
    mml_bench_options o = *options;
    mml_status st;

    o.device = NULL; /* a GPU must not be used before fork() */
    st = mml_bench_model(&model, model_case, &o);

    if (st == MML_OK)
        st = mml_model_save(model, path);
    mml_model_free(model);
    return st;
}

int mmlc_bench_start(mml_bench_result *r, const mmlc_command *command, const mml_bench_options *o)
{
    const char *base = mmlc_temporary_folder();
    char folder[1024], path[1100], threads[32];
    char program[] = "mmlego", bench[] = "bench", load[] = "--load", on[] = "--device", with[] = "--threads";
    char device[64];
    char *args[] = {program, bench, load, path, on, device, o->threads > 0 ? with : NULL, threads, NULL};
    mml_status st;
    int rc, n = snprintf(folder, sizeof folder, "%s/mmlego-bench-XXXXXX", base);

    *r = (mml_bench_result){.struct_size = sizeof *r, .threads = o->threads > 0 ? o->threads : (int)sysconf(_SC_NPROCESSORS_ONLN)};
    mmlc_signals_note();
    if (n < 0 || (size_t)n >= sizeof folder || mkdtemp(folder) == NULL) {
        mmlc_say(command, "start: no folder for the model under %s: %s", base, strerror(errno));
        return MMLC_FAILURE;
    }
    snprintf(path, sizeof path, "%s/model.h5", folder);
    snprintf(threads, sizeof threads, "%d", o->threads);
    snprintf(device, sizeof device, "%s", o->device != NULL ? o->device : "cpu");
    st = save_model(path, o);
    rc = st == MML_OK ? repeat(r, command, args, o) : mmlc_fail(command, st);
    unlink(path);
    rmdir(folder);
    mmlc_signals_end();
    return rc;
}

/* ---- neighbours --------------------------------------------------------------------------------------------------- */

static void spin(pid_t parent)
{
    volatile unsigned x = 1;

#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    while (getppid() == parent)
        for (unsigned i = 0; i < 1000000000; i++)
            x = x * 1664525 + 1013904223;
    _exit(0);
}

int mmlc_bench_busy(mmlc_neighbours *list, const mmlc_command *command)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t wanted = processors > 0 ? (size_t)processors : 1;
    const pid_t self = getpid();

    *list = (mmlc_neighbours){.pid = calloc(wanted, sizeof(pid_t))};
    if (list->pid == NULL)
        return mmlc_no_memory(command);
    while (list->n < wanted) {
        const pid_t child = fork();

        if (child == 0)
            spin(self);
        if (child < 0) {
            mmlc_say(command, "no process for a neighbour: %s", strerror(errno));
            mmlc_bench_quiet(list);
            return MMLC_FAILURE;
        }
        list->pid[list->n++] = child;
    }
    return MMLC_GO;
}

void mmlc_bench_quiet(mmlc_neighbours *list)
{
    for (size_t i = 0; i < list->n; i++)
        kill(list->pid[i], SIGKILL);
    for (size_t i = 0; i < list->n; i++)
        while (waitpid(list->pid[i], NULL, 0) < 0 && errno == EINTR)
            ;
    free(list->pid);
    *list = (mmlc_neighbours){NULL, 0};
}
