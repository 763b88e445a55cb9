/* device.h - the option --device, and saying what it came to. */
#ifndef MMLC_DEVICE_H
#define MMLC_DEVICE_H

#include "cli/cli.h"

#define MMLC_DEVICE_HELP \
    "what computes: cpu; cuda or cuda:N, an NVIDIA GPU; auto, a GPU if there is one; or reference. " \
    "'mmlego version --build' lists what there is"

#define MMLC_DEVICES_HELP \
    "what computes: cpu; cuda or cuda:N, an NVIDIA GPU; cuda:0,1 or cuda:all, several GPUs that share each batch; auto, a GPU if " \
    "there is one; or reference. 'mmlego version --build' lists what there is"

enum {
    MMLC_DEVICE_APART = 1,  /* found out in a process of its own, for commands that compute in children: CUDA does not survive fork() */
    MMLC_DEVICE_SEVERAL = 2 /* the command works with several at once */
};

/* With --device given: that it is there, and unless `quiet` a line on stderr that says which it is. MMLC_GO or an exit code. */
int mmlc_device_say(const mmlc_command *command, const char *device, int quiet, int how);
/* Is it the cpu, or plain loops on it? */
int mmlc_device_is_cpu(const char *device);

#endif
