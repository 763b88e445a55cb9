/* jobs.h - the jobs of a comparison in processes of their own. */
#ifndef MMLC_JOBS_H
#define MMLC_JOBS_H

#include <mmlego/compare.h>

#include "cli/cli.h"

/*
 * Runs what is open, at most `most` jobs at a time, each in a process of its own: its peak memory is then its own, and one
 * that crashes is a failed job. Nothing of this process may have used threads before. MMLC_GO when all is settled; else the
 * exit code of a stop by a signal.
 */
int mmlc_jobs_run(mml_compare *plan, const mmlc_command *command, size_t most, int quiet);

#endif
