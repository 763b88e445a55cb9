/* main.c - mmlego: the table of commands, and the start of the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "cli/cli.h"

const mmlc_command *const mmlc_commands[] = {
    &mmlc_cmd_import, &mmlc_cmd_inspect,  &mmlc_cmd_train,   &mmlc_cmd_merge, &mmlc_cmd_fuse,
    &mmlc_cmd_predict, &mmlc_cmd_evaluate, &mmlc_cmd_explain, &mmlc_cmd_compare, &mmlc_cmd_convert, &mmlc_cmd_export, &mmlc_cmd_bench, &mmlc_cmd_version, &mmlc_cmd_help, NULL,
};

const mmlc_command *mmlc_find_command(const char *name)
{
    for (const mmlc_command *const *c = mmlc_commands; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

int mmlc_unknown_command(const char *name)
{
    const char *names[sizeof mmlc_commands / sizeof mmlc_commands[0]];
    const char *near = NULL;
    size_t n = 0;

    for (; mmlc_commands[n] != NULL; n++)
        names[n] = mmlc_commands[n]->name;
    near = mmlc_nearest(name, names, n);
    if (near != NULL)
        return mmlc_usage_error(NULL, "there is no command '%s'; did you mean '%s'?", name, near);
    return mmlc_usage_error(NULL, "there is no command '%s'", name);
}

/*
 * Two things are read from the environment while the libraries are loaded, so they can only be changed by starting
 * again (once, 10 ms):
 * - An OpenBLAS older than the processor runs the kernels of an older one, at a half or a third of the speed.
 * - OpenMP threads without work spin (a library configured --with-threads=openmp). Blocks are small, their parallel regions
 *   short: on a processor that something else uses too, threads then wait for threads that wait (training seen to take ten
 *   times as long).
 * What the user has set stays. If it fails the program goes on: slower, and right. MMLEGO_REEXEC says what was changed, for
 * processes that are to start as this one did (bench_start.c).
 */
static void start_again(char **argv)
{
    const char *kernels = getenv("OPENBLAS_CORETYPE") == NULL ? mml_blas_better_coretype() : NULL;
    int passive = getenv("OMP_WAIT_POLICY") == NULL && getenv("GOMP_SPINCOUNT") == NULL;

    if (getenv("MMLEGO_REEXEC") != NULL || (kernels == NULL && !passive) || 
        setenv("MMLEGO_REEXEC", kernels == NULL ? "OMP_WAIT_POLICY" : passive ? "OPENBLAS_CORETYPE OMP_WAIT_POLICY"
                                                                              : "OPENBLAS_CORETYPE", 1) != 0)
        return;
    if ((kernels == NULL || setenv("OPENBLAS_CORETYPE", kernels, 1) == 0) &&
        (!passive || setenv("OMP_WAIT_POLICY", "passive", 1) == 0))
        execv("/proc/self/exe", argv);
}

static int run(const mmlc_command *command, int argc, char **argv)
{
    mmlc_call call;
    int rc = mmlc_call_parse(&call, command, argc, argv);

    if (rc == MMLC_GO)
        rc = command->run(&call);
    if (rc == MMLC_OK && mmlc_signal() != 0) /* all was done already: who stops a script must not see its next line run */
        rc = 128 + mmlc_signal();
    mmlc_call_end(&call);
    /* HDF5 loses memory of its own over damaged metadata (a header of a wrong checksum), and says so when the program ends, in words that
     * help nobody ("infinite loop closing library"), where its messages are on. All that is to be said has been. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return rc;
}

int main(int argc, char **argv)
{
    const mmlc_command *command = NULL;

    if (argc < 2) {
        mmlc_help_all(stderr);
        return MMLC_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        mmlc_help_all(stdout);
        return mmlc_flush(NULL);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return run(&mmlc_cmd_version, 0, argv);
    if (argv[1][0] == '-')
        return mmlc_usage_error(NULL, "unknown option %s; a command comes first", argv[1]);
    command = mmlc_find_command(argv[1]);
    if (command == NULL)
        return mmlc_unknown_command(argv[1]);
    start_again(argv);
    return run(command, argc - 2, argv + 2);
}
