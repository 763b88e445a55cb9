/* opt.c - reads a command line by the table of its command.
 *
 * --name VALUE, --name=VALUE, -o VALUE, -oVALUE, flags of one letter bundled (-qb), --no-name where the table
 * says so; `--` ends the options; options and operands in any order; of a repeated option the last counts. */
#include "cli/opt.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/value.h"

enum { MAX_NAMES = 128, WHY = 512 };

static const mmlc_opt help_options[] = {
    {.letter = 'h', .name = "help", .type = MMLC_FLAG, .help = "show this help and exit", .init = ""},
    {.name = NULL},
};
const mmlc_group mmlc_common[] = {{.heading = "Other options", .opts = help_options}, {.heading = NULL}};

static int is_help(const mmlc_opt *opt)
{
    return opt == &help_options[0];
}

/* The option of a letter, or of a name of `length` bytes. *off: found as --no-NAME. */
static const mmlc_opt *find_in(const mmlc_group *groups, char letter, const char *name, size_t length, size_t *base,
                               int *off)
{
    for (const mmlc_group *g = groups; g != NULL && g->heading != NULL; g++)
        for (const mmlc_opt *o = g->opts; o->name != NULL; o++) {
            *base = g->base;
            *off = 0;
            if (name == NULL) {
                if (letter != '\0' && o->letter == letter)
                    return o;
                continue;
            }
            if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
                return o;
            *off = 1;
            if ((o->rules & MMLC_NEGATABLE) != 0 && length == strlen(o->name) + 3 && memcmp(name, "no-", 3) == 0 &&
                memcmp(name + 3, o->name, length - 3) == 0)
                return o;
        }
    return NULL;
}

static const mmlc_opt *find(const mmlc_command *command, char letter, const char *name, size_t length, size_t *base,
                            int *off)
{
    const mmlc_opt *o = find_in(command->groups, letter, name, length, base, off);

    return o != NULL ? o : find_in(mmlc_common, letter, name, length, base, off);
}

static int unknown_option(const mmlc_command *command, const char *name, size_t length)
{
    const mmlc_group *lists[] = {command->groups, mmlc_common};
    const char *names[MAX_NAMES];
    const char *near = NULL;
    char word[80];
    size_t n = 0;

    if (length >= sizeof word)
        length = sizeof word - 1;
    memcpy(word, name, length);
    word[length] = '\0';
    for (size_t l = 0; l < 2; l++)
        for (const mmlc_group *g = lists[l]; g != NULL && g->heading != NULL; g++)
            for (const mmlc_opt *o = g->opts; o->name != NULL && n < MAX_NAMES; o++)
                names[n++] = o->name;
    near = mmlc_nearest(word, names, n);
    if (near != NULL)
        return mmlc_usage_error(command, "unknown option --%s; did you mean --%s?", word, near);
    return mmlc_usage_error(command, "unknown option --%s", word);
}

static int give(mmlc_call *call, const mmlc_opt *opt, size_t base, const char *text, int off)
{
    char why[WHY];
    int rc = mmlc_value_set(NULL, opt, text, off, why, sizeof why);

    if (rc < 0)
        return mmlc_no_memory(call->command);
    if (rc > 0)
        return mmlc_usage_error(call->command, "--%s %s", opt->name, why);
    call->given[call->n_given++] = (mmlc_given){.opt = opt, .base = base, .text = text, .off = off};
    return MMLC_GO;
}

static int show_help(const mmlc_command *command)
{
    mmlc_help(stdout, command);
    return mmlc_flush(command);
}

/* The word after an option is its value, unless it is an option itself: a forgotten value is the likelier slip. */
static const char *next_value(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc || (strncmp(argv[*i + 1], "--", 2) == 0))
        return NULL;
    return argv[++*i];
}

static int missing_value(const mmlc_command *command, const mmlc_opt *opt)
{
    char left[128];

    mmlc_option_left(left, sizeof left, opt);
    return mmlc_usage_error(command, "--%s needs a value: %s", opt->name, left + strspn(left, " "));
}

static int read_long(mmlc_call *call, int argc, char **argv, int *i)
{
    const char *word = argv[*i] + 2;
    const char *equals = strchr(word, '=');
    const char *text = equals != NULL ? equals + 1 : NULL;
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word), base = 0;
    int off = 0;
    const mmlc_opt *opt = find(call->command, '\0', word, length, &base, &off);

    if (opt == NULL)
        return unknown_option(call->command, word, length);
    if (is_help(opt))
        return show_help(call->command);
    if (opt->type == MMLC_FLAG) {
        if (text != NULL)
            return mmlc_usage_error(call->command, "--%s%s takes no value", off ? "no-" : "", opt->name);
        return give(call, opt, base, NULL, off);
    }
    if (text == NULL)
        text = next_value(argc, argv, i);
    return text == NULL ? missing_value(call->command, opt) : give(call, opt, base, text, 0);
}

static int read_letters(mmlc_call *call, int argc, char **argv, int *i)
{
    for (const char *c = argv[*i] + 1; *c != '\0'; c++) {
        size_t base = 0;
        int off = 0, rc = MMLC_GO;
        const mmlc_opt *opt = find(call->command, *c, NULL, 0, &base, &off);

        if (opt == NULL)
            return mmlc_usage_error(call->command, "unknown option -%c", *c);
        if (is_help(opt))
            return show_help(call->command);
        if (opt->type != MMLC_FLAG) {
            const char *text = c[1] != '\0' ? c + 1 : next_value(argc, argv, i);

            return text == NULL ? missing_value(call->command, opt) : give(call, opt, base, text, 0);
        }
        rc = give(call, opt, base, NULL, 0);
        if (rc != MMLC_GO)
            return rc;
    }
    return MMLC_GO;
}

static int check_whole(const mmlc_call *call)
{
    const mmlc_command *command = call->command;

    if (call->n < command->n_min) {
        if (call->n == 0)
            return mmlc_usage_error(command, "%s %s missing", command->operands, command->n_min > 1 ? "are" : "is");
        return mmlc_usage_error(command, "%zu of the %zu operands given; needed: %s", call->n, command->n_min,
                                command->operands);
    }
    if (call->n > command->n_max) {
        if (command->n_max == 0)
            return mmlc_usage_error(command, "'%s' is one word too many: this command takes options only",
                                    call->operand[0]);
        return mmlc_usage_error(command, "'%s' is one word too many; needed: %s", call->operand[command->n_max],
                                command->operands);
    }
    for (const mmlc_group *g = command->groups; g != NULL && g->heading != NULL; g++)
        for (const mmlc_opt *o = g->opts; o->name != NULL; o++)
            if ((o->rules & MMLC_REQUIRED) != 0 && !mmlc_was_given(call, o->name)) {
                char left[128];

                mmlc_option_left(left, sizeof left, o);
                return mmlc_usage_error(command, "%s is missing", left + strspn(left, " "));
            }
    return MMLC_GO;
}

int mmlc_call_parse(mmlc_call *call, const mmlc_command *command, int argc, char **argv)
{
    int only_operands = 0, rc = MMLC_GO;

    /* A bundle may hold as many flags as the word has letters. */
    size_t room = 1;

    for (int i = 0; i < argc; i++)
        room += strlen(argv[i]) + 1;
    *call = (mmlc_call){.command = command, .args = calloc(1, command->args_size + 1),
                        .operand = calloc((size_t)argc + 1, sizeof *call->operand),
                        .given = calloc(room, sizeof *call->given)};
    if (call->args == NULL || call->operand == NULL || call->given == NULL)
        return mmlc_no_memory(command);

    for (int i = 0; i < argc && rc == MMLC_GO; i++) {
        if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0')
            call->operand[call->n++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            only_operands = 1;
        else if (argv[i][1] == '-')
            rc = read_long(call, argc, argv, &i);
        else
            rc = read_letters(call, argc, argv, &i);
    }
    if (rc == MMLC_GO)
        rc = check_whole(call);
    if (rc == MMLC_GO && command->init != NULL) {
        mml_status st = command->init(call->args, MML_TABLE, MML_BINARY);

        if (st != MML_OK)
            rc = mmlc_fail(command, st);
    }
    return rc == MMLC_GO ? mmlc_call_apply(call) : rc;
}

int mmlc_call_apply(mmlc_call *call)
{
    char why[WHY];

    for (size_t i = 0; i < call->n_given; i++) {
        const mmlc_given *g = &call->given[i];

        if (mmlc_value_set((char *)call->args + g->base, g->opt, g->text, g->off, why, sizeof why) != 0)
            return mmlc_no_memory(call->command); /* the values themselves were checked as they were read */
    }
    return MMLC_GO;
}

int mmlc_was_given(const mmlc_call *call, const char *name)
{
    for (size_t i = 0; i < call->n_given; i++)
        if (strcmp(call->given[i].opt->name, name) == 0)
            return 1;
    return 0;
}

void mmlc_call_end(mmlc_call *call)
{
    if (call->args != NULL && call->given != NULL)
        for (size_t i = 0; i < call->n_given; i++)
            mmlc_value_clear((char *)call->args + call->given[i].base, call->given[i].opt);
    free(call->args);
    free(call->operand);
    free(call->given);
    *call = (mmlc_call){.command = NULL};
}
