/* device.h - the option --device, and saying what it came to. */
#ifndef MMLC_DEVICE_H
#define MMLC_DEVICE_H

#include "cli/cli.h"

#define MMLC_DEVICE_HELP \
    "what computes: cpu; cuda or cuda:N, an NVIDIA GPU; auto, a GPU if there is one; or reference. " \
    "'mmlego version --build' lists what there is"

/* With --device given: that it is there, and unless `quiet` a line on stderr that says which it is. apart: found out in a
 * process of its own, for commands that compute in children: CUDA does not survive fork(). MMLC_GO or an exit code. */
int mmlc_device_say(const mmlc_command *command, const char *device, int quiet, int apart);
/* Is it the cpu, or plain loops on it? */
int mmlc_device_is_cpu(const char *device);

#endif
