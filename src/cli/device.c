/* device.c - the option --device, and saying what it came to. */
#include "cli/device.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(const mmlc_command *command, const char *device, int quiet)
{
    char *text = NULL;
    mml_status st = mml_device_describe(&text, device);

    if (st != MML_OK)
        return mmlc_fail(command, st);
    if (!quiet)
        fprintf(stderr, "device: %s\n", text);
    mml_string_free(text);
    return MMLC_GO;
}

int mmlc_device_say(const mmlc_command *command, const char *device, int quiet, int how)
{
    int ended = 0;
    pid_t child;

    if (device == NULL)
        return MMLC_GO;
    if ((how & MMLC_DEVICE_SEVERAL) == 0 && (strchr(device, ',') || strcmp(device, "cuda:all") == 0))
        return mmlc_usage_error(command, "--device %s: train and fuse work with several devices at once, here give one", device);
    if ((how & MMLC_DEVICE_APART) == 0 || mmlc_device_is_cpu(device))
        return say(command, device, quiet);
    child = fork();
    if (child < 0) {
        mmlc_say(command, "no process to look for device %s: %s", device, strerror(errno));
        return MMLC_FAILURE;
    }
    if (child == 0) {
        const int rc = say(command, device, quiet);

        _exit(rc == MMLC_GO ? 0 : rc);
    }
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(ended))
        return WEXITSTATUS(ended) == 0 ? MMLC_GO : WEXITSTATUS(ended);
    mmlc_say(command, "device %s: looking for it ended with signal %d", device, WIFSIGNALED(ended) ? WTERMSIG(ended) : 0);
    return MMLC_FAILURE;
}

int mmlc_device_is_cpu(const char *device)
{
    return device == NULL || strcmp(device, "cpu") == 0 || strcmp(device, "reference") == 0;
}
