/* cmd_help.c - mmlego help: help, manual pages and completion, all from the option tables. */
#include "cli/cli.h"

typedef struct help_args {
    int man, completion;
} help_args;

static const mmlc_opt options[] = {
    {.name = "man", .type = MMLC_FLAG, .at = offsetof(help_args, man),
     .help = "print the manual page in its source form (roff)"},
    {.name = "completion", .type = MMLC_FLAG, .at = offsetof(help_args, completion),
     .help = "print the completion for bash"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = options}, {.heading = NULL}};

static int run(mmlc_call *call)
{
    const help_args *a = call->args;
    const mmlc_command *about = NULL;

    if (call->n > 0) {
        about = mmlc_find_command(call->operand[0]);
        if (about == NULL)
            return mmlc_unknown_command(call->operand[0]);
    }
    if (a->completion)
        mmlc_completion(stdout);
    else if (a->man)
        mmlc_man(stdout, about);
    else if (about != NULL)
        mmlc_help(stdout, about);
    else
        mmlc_help_all(stdout);
    return mmlc_flush(call->command);
}

const mmlc_command mmlc_cmd_help = {
    .name = "help",
    .summary = "explain a command",
    .operands = "[COMMAND]",
    .n_min = 0,
    .n_max = 1,
    .about = "Explains a command, or lists them all.",
    .examples = "mmlego help train\n",
    .groups = groups,
    .args_size = sizeof(help_args),
    .run = run,
};
