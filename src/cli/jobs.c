/* jobs.c - the jobs of a comparison: started when what they need is there, waited for, told of on stderr. */
#include "cli/jobs.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/progress.h"

enum { LINE = 79 };

typedef struct pool {
    mml_compare *plan;
    const mmlc_command *command;
    pid_t *child;  /* (n) 0 = not running */
    char *settled; /* (n) 1 = nothing more to be done in this run */
    size_t n, most, running, left, ran;
    int quiet, bar, told_stop;
    int halted; /* by a failure that was told */
    double begin;
} pool;

static void job_of(mml_compare_job *job, const pool *p, size_t i)
{
    if (mml_compare_job_at(job, p->plan, i) != MML_OK) /* i is below the number of jobs */
        *job = (mml_compare_job){.system = "", .title = "", .label = "", .message = ""};
}

/* ---- a child ------------------------------------------------------------------------------------------------- */

static int stop(void *user, const char *what, uint64_t done, uint64_t total)
{
    (void)user;
    (void)what;
    (void)done;
    (void)total;
    return mmlc_signal() != 0;
}

static void run_child(const pool *p, size_t i)
{
    mml_status st = mml_compare_run(NULL, p->plan, i, stop, NULL);
    char message[1024];

    if (st != MML_OK && st != MML_E_STOPPED) {
        snprintf(message, sizeof message, "%s", mml_last_error());
        st = mml_compare_fail(p->plan, i, message);
    }
    _exit(st == MML_OK ? 0 : 1);
}

/* 0 = no process could be made. */
static int start(pool *p, size_t i)
{
    const pid_t child = fork();

    if (child < 0)
        return 0;
    if (child == 0)
        run_child(p, i);
    p->child[i] = child;
    p->running++;
    return 1;
}

/* ---- the screen ------------------------------------------------------------------------------------------------ */

static void say_state(pool *p)
{
    char line[512], eta[32] = "-";
    size_t used;

    if (p->quiet || !p->bar)
        return;
    if (p->ran > 0)
        mmlc_time_text(eta, sizeof eta, (mmlc_now() - p->begin) / (double)p->ran * (double)p->left);
    used = (size_t)snprintf(line, sizeof line, "%zu of %zu jobs, ETA %s", p->n - p->left, p->n, eta);
    for (size_t i = 0; i < p->n && used + 40 < sizeof line; i++) {
        mml_compare_job job;

        if (p->child[i] == 0)
            continue;
        job_of(&job, p, i);
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%.24s.%d", " | ", job.label, job.fold);
    }
    fprintf(stderr, "\r%-*.*s", LINE, LINE, line);
    fflush(stderr);
}

static void say_job(const pool *p, size_t i)
{
    mml_compare_job job;

    job_of(&job, p, i);
    if (p->bar && !p->quiet)
        mmlc_progress_clear();
    if (job.state == MML_COMPARE_FAILED)
        mmlc_say(p->command, "%s of fold %d failed: %s", job.label, job.fold, job.message);
    else if (!p->quiet && job.state == MML_COMPARE_SKIPPED)
        fprintf(stderr, "%zu of %zu  %s fold %d skipped: %s\n", p->n - p->left, p->n, job.label, job.fold, job.message);
    else if (!p->quiet && isfinite(job.score))
        fprintf(stderr, "%zu of %zu  %s fold %d  score %.4f  %.1f s\n", p->n - p->left, p->n, job.label, job.fold, job.score,
                job.seconds);
    else if (!p->quiet)
        fprintf(stderr, "%zu of %zu  %s fold %d  no score\n", p->n - p->left, p->n, job.label, job.fold);
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

static int can_start(const pool *p, size_t i)
{
    mml_compare_job job;

    job_of(&job, p, i);
    if (p->settled[i] || p->child[i] != 0)
        return 0;
    for (size_t k = 0; k < job.n_needs; k++)
        if (!p->settled[job.needs[k]])
            return 0;
    return 1;
}

static void start_some(pool *p)
{
    for (size_t i = 0; i < p->n && p->running < p->most; i++)
        if (can_start(p, i) && !start(p, i)) {
            if (p->running > 0) /* tried again when one has ended */
                return;
            mmlc_say(p->command, "no process can be made: %s", strerror(errno));
            p->halted = 1;
            return;
        }
}

static void settle(pool *p, size_t i, int ended)
{
    const mml_status st = mml_compare_look(p->plan, i);
    mml_compare_job job;
    char text[128];

    p->child[i] = 0;
    p->running--;
    if (st != MML_OK)
        mmlc_say(p->command, "%s", mml_last_error());
    if (st == MML_E_IO || st == MML_E_NOMEM) { /* the record may be a good one: it stays, and nothing is said of the job */
        p->settled[i] = 1;
        p->left--;
        p->halted = 1;
        return;
    }
    job_of(&job, p, i);
    if (mmlc_signal() != 0 && job.state == MML_COMPARE_OPEN)
        return;
    if (job.state == MML_COMPARE_OPEN) {
        if (WIFSIGNALED(ended))
            snprintf(text, sizeof text, "its process was ended by signal %d%s", WTERMSIG(ended),
                     WTERMSIG(ended) == SIGKILL ? ": perhaps for want of memory" : "");
        else
            snprintf(text, sizeof text, "its process left no record (exit status %d)", WEXITSTATUS(ended));
        if (mml_compare_fail(p->plan, i, text) != MML_OK)
            mmlc_say(p->command, "%s", mml_last_error());
    }
    p->settled[i] = 1;
    p->left--;
    p->ran++;
    say_job(p, i);
}

/* Takes in those that have ended; waits a moment when there are none. */
static void wait_some(pool *p)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    int some = 0;

    for (size_t i = 0; i < p->n; i++) {
        int ended = 0;
        const pid_t got = p->child[i] ? waitpid(p->child[i], &ended, WNOHANG) : 0;

        if (got > 0 || (got < 0 && errno == ECHILD)) {
            settle(p, i, ended);
            some = 1;
        }
    }
    if (!some)
        nanosleep(&moment, NULL);
}

static void pass_on_signal(pool *p)
{
    if (mmlc_signal() == 0 || p->told_stop)
        return;
    p->told_stop = 1;
    for (size_t i = 0; i < p->n; i++)
        if (p->child[i] != 0)
            kill(p->child[i], SIGTERM);
}

static void run(pool *p)
{
    double drawn = 0;

    while (p->running > 0 || (p->left > 0 && mmlc_signal() == 0 && !p->halted)) {
        if (mmlc_signal() == 0 && !p->halted)
            start_some(p);
        pass_on_signal(p);
        wait_some(p);
        if (mmlc_now() - drawn > 0.2) {
            drawn = mmlc_now();
            say_state(p);
        }
    }
    if (p->bar && !p->quiet)
        mmlc_progress_clear();
}

int mmlc_jobs_run(mml_compare *plan, const mmlc_command *command, size_t most, int quiet)
{
    pool p = {.plan = plan, .command = command, .most = most, .quiet = quiet, .n = mml_compare_n_jobs(plan)};
    int rc = MMLC_GO;

    p.child = calloc(p.n + 1, sizeof *p.child);
    p.settled = calloc(p.n + 1, sizeof *p.settled);
    p.begin = mmlc_now();
    if (p.child == NULL || p.settled == NULL) {
        rc = mmlc_no_memory(command);
    } else {
        p.bar = mmlc_is_terminal();
        for (size_t i = 0; i < p.n; i++) {
            mml_compare_job job;

            job_of(&job, &p, i);
            p.settled[i] = job.state != MML_COMPARE_OPEN;
            p.left += !p.settled[i];
        }
        mmlc_signals_note();
        run(&p);
    }
    free(p.child);
    free(p.settled);
    if (rc == MMLC_GO && mmlc_signal() != 0) {
        mmlc_say(command, "stopped; %zu of %zu jobs are finished. Repeat the command to go on.", p.n - p.left, p.n);
        rc = 128 + mmlc_signal();
    }
    return rc == MMLC_GO && p.halted ? MMLC_FAILURE : rc;
}
