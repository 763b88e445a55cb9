/* there.c - see there.h. */
#include "tests/cuda/there.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backend.h"

/* In a child: a process that has asked CUDA cannot fork for the tests any more. Says why not. */
bool mmlt_cuda_is_there(const char *what)
{
    int status = 1;
    const pid_t child = fork();

    if (child == 0) {
        mmli_backend table;
        const bool there = mmli_device_find(&table, "cuda") == MML_OK;

        if (!there)
            printf("skip - %s (%s)\n", what, mml_last_error());
        fflush(stdout);
        _exit(there ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool mmlt_cuda_is_emulated(void)
{
    const char *module = getenv("MMLEGO_CUDA_MODULE");

    return module && strstr(module, "emulated");
}
