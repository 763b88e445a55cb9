/* progress.h - progress on stderr and the log of a training run. */
#ifndef MMLC_PROGRESS_H
#define MMLC_PROGRESS_H

#include "cli/training.h"

/* stderr is a terminal that can go back to the start of a line. */
int mmlc_is_terminal(void);
/* Seconds of a clock that never goes back. */
double mmlc_now(void);
/* Seconds as 0:07 or 1:02:03. */
void mmlc_time_text(char *out, size_t size, double seconds);
/* An mml_train_watch over an mmlc_watch. */
int mmlc_watch_step(void *watch, const mml_epoch *epoch, size_t epoch_now, size_t step, size_t steps);
/* Takes the progress bar off the terminal. */
void mmlc_watch_clear(mmlc_watch *watch);
/* For mml_import(): shows nothing, stops at a signal. */
int mmlc_progress_stop(void *user, const char *what, uint64_t done, uint64_t total);
/* The same with a line on the terminal, and what takes that off again. */
int mmlc_progress_line(void *user, const char *what, uint64_t done, uint64_t total);
void mmlc_progress_clear(void);

#endif
