/* progress.c - progress on stderr (a bar on a terminal, else a line an epoch) and the log of a training run. */
#include "cli/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 20, LINE = 79 };

int mmlc_is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

double mmlc_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void mmlc_progress_clear(void)
{
    fprintf(stderr, "\r%*s\r", LINE, "");
}

void mmlc_watch_clear(mmlc_watch *watch)
{
    if (watch->bar && watch->seen)
        mmlc_progress_clear();
}

/* ---- the log --------------------------------------------------------------------------------------------------- */

static const char log_head[] = "epoch\ttrain_loss\tvalid_loss\tvalid_score\tlr\tgrad_norm\tseconds\tbest\n";

/* The whole of a log, as a string; NULL when it cannot be read (a pipe, no memory). */
static char *log_text(FILE *log)
{
    long size = 0;
    char *text = NULL;

    if (fseek(log, 0, SEEK_END) != 0 || (size = ftell(log)) < 0 || fseek(log, 0, SEEK_SET) != 0)
        return NULL;
    text = malloc((size_t)size + 1);
    if (text != NULL)
        text[fread(text, 1, (size_t)size, log)] = '\0';
    return text;
}

/*
 * A new run begins a new log. A resumed one keeps the lines of the epochs before its first: those after the
 * checkpoint, that the broken run also logged, come again.
 */
static void log_begin(mmlc_watch *watch, size_t first)
{
    char *old = watch->training->options.resume ? log_text(watch->log) : NULL;

    fseek(watch->log, 0, SEEK_END);
    if (ftruncate(fileno(watch->log), 0) != 0)
        clearerr(watch->log); /* a pipe or a device has nothing to cut off */
    fputs(log_head, watch->log);
    for (char *line = old; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        unsigned long epoch = strtoul(line, NULL, 10);

        if (end == NULL)
            break;
        if (epoch > 0 && epoch < first)
            fwrite(line, 1, (size_t)(end - line) + 1, watch->log);
        line = end + 1;
    }
    free(old);
    watch->log_begun = 1;
}

static void log_epoch(mmlc_watch *watch, const mml_epoch *e)
{
    if (watch->log == NULL)
        return;
    if (!watch->log_begun)
        log_begin(watch, e->epoch);
    fprintf(watch->log, "%zu\t%.9g\t%.9g\t%.9g\t%.9g\t%.9g\t%.3f\t%d\n", e->epoch, e->train_loss, e->valid_loss,
            e->valid_score, e->learning_rate, e->gradient_norm, e->seconds, e->best);
    if (fflush(watch->log) != 0 || ferror(watch->log))
        watch->log_bad = 1; /* training goes on; reported at the end */
}

/* ---- the screen ------------------------------------------------------------------------------------------------- */

void mmlc_time_text(char *out, size_t size, double seconds)
{
    unsigned long s = seconds < 0.0 ? 0 : seconds > 359999.0 ? 359999 : (unsigned long)(seconds + 0.5);

    if (s >= 3600)
        snprintf(out, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%lu:%02lu", s / 60, s % 60);
}

static void draw_bar(mmlc_watch *watch, size_t epoch, size_t step, size_t steps)
{
    size_t epochs = watch->training->options.epochs;
    double inside = steps > 0 ? (double)step / (double)steps : 1.0;
    double share = epochs > 0 ? ((double)(epoch - 1) + inside) / (double)epochs : 1.0, time = mmlc_now();
    char line[256], bar[BAR + 1], eta[32] = "-";
    int used = 0;

    if (time - watch->drawn < 0.1) /* a step may take a millisecond */
        return;
    watch->drawn = time;
    if (share - watch->begin_share > 1e-6)
        mmlc_time_text(eta, sizeof eta, (time - watch->begin) * (1.0 - share) / (share - watch->begin_share));
    for (int i = 0; i < BAR; i++)
        bar[i] = (double)i < share * BAR ? '#' : '.';
    bar[BAR] = '\0';
    used = snprintf(line, sizeof line, "epoch %zu/%zu [%s] step %zu/%zu", epoch, epochs, bar, step, steps);
    if (watch->last.epoch > 0)
        used += snprintf(line + used, sizeof line - (size_t)used, " loss %.4f", watch->last.train_loss);
    if (watch->last.epoch > 0 && isfinite(watch->last.valid_score))
        used += snprintf(line + used, sizeof line - (size_t)used, " score %.4f", watch->last.valid_score);
    snprintf(line + used, sizeof line - (size_t)used, " ETA %s", eta);
    fprintf(stderr, "\r%-*.*s", LINE, LINE, line);
    fflush(stderr);
}

static void print_epoch(const mml_epoch *e)
{
    char score[48] = "";

    if (isfinite(e->valid_score))
        snprintf(score, sizeof score, "  valid score %.4f", e->valid_score);
    fprintf(stderr, "epoch %zu/%zu  train loss %.4f  valid loss %.4f%s  lr %.2g  %.1f s%s\n", e->epoch, e->epochs,
            e->train_loss, e->valid_loss, score, e->learning_rate, e->seconds, e->best ? "  best" : "");
}

/* After the training of a block: its cross-validation. */
static void show_fold(mmlc_watch *watch, size_t fold, size_t folds)
{
    char line[80];

    if (watch->fold == fold || watch->training->quiet)
        return;
    watch->fold = fold;
    snprintf(line, sizeof line, "cross-validation, fold %zu of %zu", fold, folds);
    if (watch->bar) {
        fprintf(stderr, "\r%-*.*s", LINE, LINE, line);
        fflush(stderr);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}

int mmlc_watch_step(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps)
{
    mmlc_watch *watch = user;

    if (epoch_now == 0) {
        show_fold(watch, step, steps);
        return mmlc_signal() != 0;
    }
    if (!watch->seen) {
        size_t epochs = watch->training->options.epochs;

        watch->begin = mmlc_now();
        watch->begin_share = epochs == 0 ? 0.0
                             : ((double)(epoch_now - 1) + (steps > 0 ? (double)step / (double)steps : 0.0)) /
                                   (double)epochs;
        watch->seen = 1;
    }
    if (epoch != NULL) {
        watch->last = *epoch;
        if (epoch->best)
            watch->best = *epoch;
        log_epoch(watch, epoch);
        if (!watch->bar && !watch->training->quiet)
            print_epoch(epoch);
    }
    if (watch->bar)
        draw_bar(watch, epoch_now, step, steps);
    return mmlc_signal() != 0;
}

int mmlc_progress_stop(void *user, const char *what, uint64_t done, uint64_t total)
{
    (void)user;
    (void)what;
    (void)done;
    (void)total;
    return mmlc_signal() != 0;
}

int mmlc_progress_line(void *user, const char *what, uint64_t done, uint64_t total)
{
    char line[256];

    (void)user;
    if (total > 0)
        snprintf(line, sizeof line, "%s: %.0f %%", what, 100.0 * (double)done / (double)total);
    else
        snprintf(line, sizeof line, "%s: %llu", what, (unsigned long long)done);
    fprintf(stderr, "\r%-*.*s", LINE, LINE, line);
    fflush(stderr);
    return mmlc_signal() != 0;
}
