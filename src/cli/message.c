/* message.c - messages, exit codes, signals. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "cli/cli.h"

static void line(const mmlc_command *command, const char *format, va_list list) __attribute__((format(printf, 2, 0)));
static void line(const mmlc_command *command, const char *format, va_list list)
{
    fprintf(stderr, "mmlego%s%s: ", command != NULL ? " " : "", command != NULL ? command->name : "");
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
}

void mmlc_say(const mmlc_command *command, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    line(command, format, list);
    va_end(list);
}

int mmlc_usage_error(const mmlc_command *command, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    line(command, format, list);
    va_end(list);
    fprintf(stderr, "Try 'mmlego%s%s --help'.\n", command != NULL ? " " : "", command != NULL ? command->name : "");
    return MMLC_USAGE;
}

static int exit_code(mml_status st)
{
    switch (st) {
    case MML_OK: return MMLC_OK;
    case MML_E_ARG: return MMLC_USAGE;
    case MML_E_FORMAT:
    case MML_E_DATA:
    case MML_E_SHAPE:
    case MML_E_NOT_FOUND: return MMLC_DATA;
    case MML_E_STOPPED: return mmlc_signal() != 0 ? 128 + mmlc_signal() : MMLC_FAILURE;
    case MML_E_NOMEM:
    case MML_E_IO:
    case MML_E_NOT_FINITE:
    case MML_E_BACKEND:
    case MML_E_LEAK:
    case MML_E_INTERNAL: break;
    }
    return MMLC_FAILURE;
}

int mmlc_fail(const mmlc_command *command, mml_status st)
{
    const char *text = mml_last_error();

    mmlc_say(command, "%s", text[0] != '\0' ? text : mml_status_name(st));
    return exit_code(st);
}

int mmlc_fail_named(const mmlc_command *command, mml_status st)
{
    int rc = mmlc_fail(command, st);

    return st == MML_E_NOT_FOUND ? MMLC_USAGE : rc;
}

int mmlc_no_memory(const mmlc_command *command)
{
    mmlc_say(command, "out of memory");
    return MMLC_FAILURE;
}

const char *mmlc_by_number(size_t n, const char *one, const char *others)
{
    return n == 1 ? one : others;
}

int mmlc_flush(const mmlc_command *command)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return MMLC_OK;
    mmlc_say(command, "standard output could not be written: %s", strerror(errno));
    return MMLC_FAILURE;
}

/* ---- signals ------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t noted;

static void note(int number)
{
    noted = number;
}

/* A handler, or SIG_DFL, for both. */
static void handle(void (*handler)(int))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    /* Once only: whoever presses Ctrl-C twice wants the program to end. */
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < 2; i++) {
        const int number = i == 0 ? SIGINT : SIGTERM;
        struct sigaction old;

        /* A parent that had the signal ignored (nohup, a background job) wants it ignored. */
        if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(number, &action, NULL);
    }
}

void mmlc_signals_note(void)
{
    handle(note);
}

void mmlc_signals_end(void)
{
    handle(SIG_DFL);
}

int mmlc_signal(void)
{
    return noted;
}
