/* help.c - what --help prints, from the tables, in 80 columns. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { WIDTH = 80, LEFT = 28, TEXT = 1024, VALUE = 64, N_MODALITY = 4, N_TASK = 4 };

static const char *const modality_names[N_MODALITY] = {"table", "series", "image", "bag"};
static const char *const task_names[N_TASK] = {"binary", "multiclass", "survival", "regression"};

const char *const mmlc_exit_codes[] = {
    "0", "done",
    "1", "failure: a file could not be read or written, memory ran out, training diverged, the device of --device cannot be used, or a sample used in "
         "training was found by evaluate --strict",
    "2", "wrong usage: an unknown command or option, or a name on the command line or in cohort.ini that is not in the file",
    "3", "bad input data: a file that is damaged or of the wrong kind, values or sizes that cannot be used",
    "130, 143", "stopped by SIGINT (Ctrl-C) or SIGTERM; training writes its checkpoint first, if it has one",
    NULL,
};

const char *const mmlc_environment[] = {
    "OMP_NUM_THREADS", "number of threads when --threads is not given",
    "OMP_WAIT_POLICY", "whether threads without work wait or spin; mmlego sets passive when it is not set, as spinning "
                       "is slow on a processor that others use too",
    "OPENBLAS_CORETYPE", "kernels that OpenBLAS runs; mmlego sets it when it is not set and an old OpenBLAS takes this "
                         "processor for an older one",
    "MMLEGO_CUDA_MODULE", "file of the module for NVIDIA GPUs, in place of the one that is installed",
    "MMLEGO_REEXEC", "set by mmlego when it has started itself again with these; if you set it, it does not",
    NULL,
};

/* Prints text from column `at` on, further lines at `indent`; no new line at the end. */
static void wrap(FILE *to, const char *text, int at, int indent)
{
    int column = at, first = 1;

    while (*text != '\0') {
        size_t length = strcspn(text, " \n");

        if (length > 0) {
            if (!first && column + 1 + (int)length > WIDTH - 1) {
                fprintf(to, "\n%*s", indent, "");
                column = indent;
                first = 1;
            }
            fprintf(to, "%s%.*s", first ? "" : " ", (int)length, text);
            column += (int)length + !first;
            first = 0;
        }
        text += length;
        if (*text == '\n') {
            fprintf(to, "\n%*s", text[1] == '\n' ? 0 : indent, "");
            column = indent;
            first = 1;
        }
        text += *text != '\0';
    }
}

static void choices_text(char *out, size_t size, const mmlc_opt *opt)
{
    size_t used = 0;

    out[0] = '\0';
    for (const mmlc_choice *c = opt->choices; c != NULL && c->name != NULL && used < size; c++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? "|" : "", c->name);
    if (opt->type == MMLC_LIST && used < size)
        snprintf(out + used, size - used, "|A,B,...");
}

void mmlc_option_left(char *left, size_t size, const mmlc_opt *opt)
{
    char choices[160], letter[8] = "    ";

    choices_text(choices, sizeof choices, opt);
    if (opt->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", opt->letter);
    if (opt->type == MMLC_FLAG)
        snprintf(left, size, "%s--%s%s", letter, (opt->rules & MMLC_NEGATABLE) != 0 ? "[no-]" : "", opt->name);
    else
        snprintf(left, size, "%s--%s %s", letter, opt->name, opt->arg != NULL ? opt->arg : choices);
}

/* Which of the kinds the default hangs on, and its text for all of them. */
static void default_text(char *out, size_t size, const mmlc_command *command, const mmlc_group *group,
                         const mmlc_opt *opt)
{
    char value[N_MODALITY][N_TASK][VALUE];
    char *args = calloc(1, command->args_size + 1);
    int by_modality = 0, by_task = 0, n = 0;
    const char *const *names = NULL;
    size_t used = 0;

    out[0] = '\0';
    if (args == NULL)
        return;
    for (int m = 0; m < N_MODALITY; m++)
        for (int t = 0; t < N_TASK; t++) {
            value[m][t][0] = '\0';
            if (command->init != NULL && command->init(args, (mml_modality_kind)m, (mml_task_kind)t) == MML_OK)
                mmlc_value_text(value[m][t], VALUE, opt, args + group->base);
            by_modality |= strcmp(value[m][t], value[0][t]) != 0;
            by_task |= strcmp(value[m][t], value[m][0]) != 0;
        }
    free(args);
    if (by_modality && by_task) {
        snprintf(out, size, "by modality and task");
        return;
    }
    if (!by_modality && !by_task) {
        snprintf(out, size, "%s", value[0][0]);
        return;
    }
    n = by_modality ? N_MODALITY : N_TASK;
    names = by_modality ? modality_names : task_names;
    for (int i = 0; i < n; i++) { /* "table, series: snn; image, bag: abmil" */
        const char *mine = by_modality ? value[i][0] : value[0][i];
        int seen = 0;

        for (int j = 0; j < i; j++)
            seen |= strcmp(mine, by_modality ? value[j][0] : value[0][j]) == 0;
        if (seen || used >= size)
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? "; " : "", names[i]);
        for (int j = i + 1; j < n && used < size; j++)
            if (strcmp(mine, by_modality ? value[j][0] : value[0][j]) == 0)
                used += (size_t)snprintf(out + used, size - used, ", %s", names[j]);
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, ": %s", mine);
    }
}

void mmlc_option_right(char *right, size_t size, const mmlc_command *command, const mmlc_group *group,
                       const mmlc_opt *opt)
{
    char value[256];

    if (opt->init != NULL)
        snprintf(value, sizeof value, "%s", opt->init);
    else
        default_text(value, sizeof value, command, group, opt);
    if ((opt->rules & MMLC_REQUIRED) != 0)
        snprintf(right, size, "%s (required)", opt->help);
    else if (value[0] != '\0')
        snprintf(right, size, "%s [%s]", opt->help, value);
    else
        snprintf(right, size, "%s", opt->help);
}

void mmlc_usage_line(char *out, size_t size, const mmlc_command *command)
{
    char left[192];
    size_t used = (size_t)snprintf(out, size, "mmlego %s [OPTION]...", command->name);

    for (const mmlc_group *g = command->groups; g != NULL && g->heading != NULL; g++)
        for (const mmlc_opt *o = g->opts; o->name != NULL && used < size; o++)
            if ((o->rules & MMLC_REQUIRED) != 0) {
                mmlc_option_left(left, sizeof left, o);
                /* The short form where there is one: "-o FILE". */
                if (o->letter != '\0')
                    used += (size_t)snprintf(out + used, size - used, " -%c%s", o->letter,
                                             left + strcspn(left + 4, " ") + 4);
                else
                    used += (size_t)snprintf(out + used, size - used, " %s", left + strspn(left, " "));
            }
    if (command->operands[0] != '\0' && used < size)
        snprintf(out + used, size - used, " %s", command->operands);
}

static void print_group(FILE *to, const mmlc_command *command, const mmlc_group *group)
{
    char left[192], right[TEXT];

    fprintf(to, "\n%s:\n", group->heading);
    for (const mmlc_opt *o = group->opts; o->name != NULL; o++) {
        mmlc_option_left(left, sizeof left, o);
        mmlc_option_right(right, sizeof right, command, group, o);
        if (strlen(left) + 2 < LEFT - 1)
            fprintf(to, "  %-*s", LEFT - 2, left);
        else
            fprintf(to, "  %s\n%*s", left, LEFT, "");
        wrap(to, right, LEFT, LEFT);
        fputc('\n', to);
    }
}

void mmlc_help(FILE *to, const mmlc_command *command)
{
    char usage[512];

    mmlc_usage_line(usage, sizeof usage, command);
    fputs("Usage: ", to);
    wrap(to, usage, 7, 7);
    fputs("\n\n", to);
    wrap(to, command->about, 0, 0);
    fputc('\n', to);
    for (const mmlc_group *g = command->groups; g != NULL && g->heading != NULL; g++)
        print_group(to, command, g);
    print_group(to, command, mmlc_common);
    if (command->examples != NULL) {
        fputs("\nExamples:\n", to);
        for (const char *line = command->examples; *line != '\0';) {
            size_t length = strcspn(line, "\n");

            fprintf(to, "  %.*s\n", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
}

static void print_pairs(FILE *to, const char *heading, const char *const *pairs, int left)
{
    fprintf(to, "\n%s:\n", heading);
    for (; *pairs != NULL; pairs += 2) {
        fprintf(to, "  %-*s", left - 2, pairs[0]);
        wrap(to, pairs[1], left, left);
        fputc('\n', to);
    }
}

void mmlc_help_all(FILE *to)
{
    fputs("Usage: mmlego COMMAND [OPTION]... [FILE]...\n\n", to);
    wrap(to,
         "Multimodal Lego: trains one model (a block) per kind of data, joins blocks without further training "
         "(merge) or with a little (fuse), and predicts from whatever kinds of data a patient has.",
         0, 0);
    fputs("\n\nCommands:\n", to);
    for (const mmlc_command *const *c = mmlc_commands; *c != NULL; c++)
        fprintf(to, "  %-10s  %s\n", (*c)->name, (*c)->summary);
    fputs("\n'mmlego COMMAND --help' explains a command. The usual order:\n\n"
          "  mmlego import cohort.ini -o cohort.h5\n"
          "  mmlego train cohort.h5 --modality labs --task death -o labs.h5\n"
          "  mmlego train cohort.h5 --modality vitals --task death -o vitals.h5\n"
          "  mmlego merge labs.h5 vitals.h5 -o merged.h5\n"
          "  mmlego fuse cohort.h5 labs.h5 vitals.h5 -o fused.h5\n"
          "  mmlego evaluate fused.h5 cohort.h5\n"
          "  mmlego predict fused.h5 new.h5 -o predictions.tsv\n",
          to);
    print_pairs(to, "Exit status", mmlc_exit_codes, 12);
    print_pairs(to, "Environment", mmlc_environment, 21);
}
