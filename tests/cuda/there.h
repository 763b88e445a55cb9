/* there.h - is there a GPU to test on, a real one or the emulated one of tests/cuda/emulated.sh? */
#ifndef MMLT_CUDA_THERE_H
#define MMLT_CUDA_THERE_H

#include <stdbool.h>

/* Before any test opens it. If not, a line says that `what` is skipped, and why. */
bool mmlt_cuda_is_there(const char *what);

/* The emulated one, which fails when it is told to? */
bool mmlt_cuda_is_emulated(void);

#endif
