/* cmd_version.c - mmlego version. */
#include "cli/cli.h"

typedef struct version_args {
    int build;
} version_args;

static const mmlc_opt options[] = {
    {.name = "build", .type = MMLC_FLAG, .at = offsetof(version_args, build),
     .help = "also how it was built, and what it runs on here"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static int run(mmlc_call *call)
{
    const version_args *a = call->args;
    char *text = NULL;

    printf("mmlego %s\n", mml_version());
    if (a->build) {
        mml_status st = mml_build_info(&text);

        if (st != MML_OK)
            return mmlc_fail(call->command, st);
        fputs(text, stdout);
        mml_string_free(text);
    }
    return mmlc_flush(call->command);
}

const mmlc_command mmlc_cmd_version = {
    .name = "version",
    .summary = "show the version, and how this program was built",
    .operands = "",
    .about = "Prints the version. With --build also the compiler, the libraries, the backends and their kernels, "
             "and the GPUs of this machine or why none can be used: "
             "please add it to a bug report.",
    .groups = groups,
    .args_size = sizeof(version_args),
    .run = run,
};
