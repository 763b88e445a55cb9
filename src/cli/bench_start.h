/* bench_start.h - what mmlego bench measures with other processes: a program that starts, and busy neighbours. */
#ifndef MMLC_BENCH_START_H
#define MMLC_BENCH_START_H

#include <sys/types.h>

#include <mmlego/bench.h>

#include "cli/cli.h"

/* The case that is not the library's: its name, group and line for people. */
extern const mml_bench_case mmlc_bench_start_case;

/* Runs it: processes that start, load a merged model from a file, predict one patient and end. Times are those of whole
 * processes, peak and beyond_input the largest resident memory of one; what is counted inside is 0. MMLC_GO, or an exit code
 * after a message. */
int mmlc_bench_start(mml_bench_result *r, const mmlc_command *command, const mml_bench_options *o);
/* What such a process does; its peak memory goes to stdout. */
int mmlc_bench_started(const mmlc_command *command, const char *model, const mml_bench_options *o);

/* Processes that compute without end, one for each processor; *pids yours: mmlc_bench_quiet(). */
typedef struct mmlc_neighbours {
    pid_t *pid;
    size_t n;
} mmlc_neighbours;
int mmlc_bench_busy(mmlc_neighbours *list, const mmlc_command *command);
void mmlc_bench_quiet(mmlc_neighbours *list);

#endif
