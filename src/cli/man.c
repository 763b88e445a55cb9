/* man.c - manual pages (roff) and the completion of bash, from the same tables as --help. */
#include <string.h>

#include "cli/cli.h"

enum { TEXT = 1024 };

/* Escapes what roff would take for its own: backslash, hyphen in options, a dot or quote at the start. */
static void roff(FILE *to, const char *text)
{
    int start = 1;

    for (; *text != '\0'; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", to);
        start = *text == '\n';
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            fputc(*text, to);
    }
}

static void paragraphs(FILE *to, const char *text)
{
    for (;;) {
        const char *end = strstr(text, "\n\n");
        char part[4 * TEXT];
        size_t length = end != NULL ? (size_t)(end - text) : strlen(text);

        if (length >= sizeof part)
            length = sizeof part - 1;
        memcpy(part, text, length);
        part[length] = '\0';
        roff(to, part);
        fputc('\n', to);
        if (end == NULL)
            return;
        fputs(".PP\n", to);
        text = end + 2;
    }
}

static void pairs(FILE *to, const char *heading, const char *const *pair)
{
    fprintf(to, ".SH %s\n", heading);
    for (; *pair != NULL; pair += 2) {
        fputs(".TP\n.B ", to);
        roff(to, pair[0]);
        fputc('\n', to);
        roff(to, pair[1]);
        fputc('\n', to);
    }
}

static void options(FILE *to, const mmlc_command *command, const mmlc_group *groups)
{
    char left[192], right[TEXT];

    for (const mmlc_group *g = groups; g != NULL && g->heading != NULL; g++) {
        fprintf(to, ".SS %s\n", g->heading);
        for (const mmlc_opt *o = g->opts; o->name != NULL; o++) {
            mmlc_option_left(left, sizeof left, o);
            mmlc_option_right(right, sizeof right, command, g, o);
            fputs(".TP\n.B ", to);
            roff(to, left + strspn(left, " "));
            fputc('\n', to);
            roff(to, right);
            fputc('\n', to);
        }
    }
}

static void example(FILE *to, const char *text)
{
    fputs(".SH EXAMPLES\n.nf\n", to);
    roff(to, text);
    fputs(text[0] != '\0' && text[strlen(text) - 1] == '\n' ? ".fi\n" : "\n.fi\n", to);
}

static void man_command(FILE *to, const mmlc_command *command)
{
    char usage[512];

    fputs(".\\\" Made from the option table: mmlego help --man ", to);
    fprintf(to, "%s\n.TH MMLEGO\\-", command->name);
    for (const char *c = command->name; *c != '\0'; c++)
        fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, to);
    fprintf(to, " 1 \"\" \"libmmlego\" \"Multimodal Lego\"\n.SH NAME\nmmlego\\-%s \\- ", command->name);
    roff(to, command->summary);
    fputs("\n.SH SYNOPSIS\n.B ", to);
    mmlc_usage_line(usage, sizeof usage, command);
    roff(to, usage);
    fputs("\n.SH DESCRIPTION\n", to);
    paragraphs(to, command->about);
    fputs(".SH OPTIONS\n", to);
    options(to, command, command->groups);
    options(to, command, mmlc_common);
    if (command->examples != NULL)
        example(to, command->examples);
    pairs(to, "EXIT STATUS", mmlc_exit_codes);
    fputs(".SH SEE ALSO\n.BR mmlego (1)\n", to);
}

void mmlc_man(FILE *to, const mmlc_command *command)
{
    if (command != NULL) {
        man_command(to, command);
        return;
    }
    fputs(".\\\" Made from the table of commands: mmlego help --man\n"
          ".TH MMLEGO 1 \"\" \"libmmlego\" \"Multimodal Lego\"\n"
          ".SH NAME\nmmlego \\- multimodal models of patients from blocks, one per kind of data\n"
          ".SH SYNOPSIS\n.B mmlego COMMAND [OPTION]... [FILE]...\n"
          ".SH DESCRIPTION\n"
          "Trains one model (a block) per kind of data, joins blocks without further training (merge) or with a\n"
          "little (fuse), and predicts from whatever kinds of data a patient has.\n"
          ".SH COMMANDS\n",
          to);
    for (const mmlc_command *const *c = mmlc_commands; *c != NULL; c++) {
        fprintf(to, ".TP\n.BR mmlego\\-%s (1)\n", (*c)->name);
        roff(to, (*c)->summary);
        fputc('\n', to);
    }
    fputs(".SH OPTIONS\n.TP\n.B \\-h, \\-\\-help\nshow the commands and exit\n"
          ".TP\n.B \\-V, \\-\\-version\nshow the version and exit\n",
          to);
    pairs(to, "EXIT STATUS", mmlc_exit_codes);
    pairs(to, "ENVIRONMENT", mmlc_environment);
    fputs(".SH SEE ALSO\n", to);
    for (const mmlc_command *const *c = mmlc_commands; *c != NULL; c++)
        fprintf(to, ".BR mmlego\\-%s (1)%s\n", (*c)->name, c[1] != NULL ? "," : "");
}

/* ---- completion ---------------------------------------------------------------------------------------------- */

static void option_words(FILE *to, const mmlc_group *groups)
{
    for (const mmlc_group *g = groups; g != NULL && g->heading != NULL; g++)
        for (const mmlc_opt *o = g->opts; o->name != NULL; o++) {
            fprintf(to, " --%s", o->name);
            if ((o->rules & MMLC_NEGATABLE) != 0)
                fprintf(to, " --no-%s", o->name);
        }
}

static void choice_lines(FILE *to, const mmlc_command *command)
{
    for (const mmlc_group *g = command->groups; g != NULL && g->heading != NULL; g++)
        for (const mmlc_opt *o = g->opts; o->name != NULL; o++) {
            if (o->choices == NULL)
                continue;
            fprintf(to, "        %s:--%s) words=\"", command->name, o->name);
            for (const mmlc_choice *c = o->choices; c->name != NULL; c++)
                fprintf(to, "%s%s", c == o->choices ? "" : " ", c->name);
            fputs("\" ;;\n", to);
        }
}

void mmlc_completion(FILE *to)
{
    fputs("# bash completion for mmlego, made from the option tables: mmlego help --completion\n"
          "_mmlego()\n{\n"
          "    local word=\"${COMP_WORDS[COMP_CWORD]}\" last=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words=\"",
          to);
    for (const mmlc_command *const *c = mmlc_commands; *c != NULL; c++)
        fprintf(to, "%s ", (*c)->name);
    fputs("--help --version\"\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "        return\n"
          "    fi\n"
          "    case \"${COMP_WORDS[1]}:$last\" in\n",
          to);
    for (const mmlc_command *const *c = mmlc_commands; *c != NULL; c++)
        choice_lines(to, *c);
    fputs("    esac\n"
          "    if [ -z \"$words\" ] && [ \"${word#-}\" != \"$word\" ]; then\n"
          "        case \"${COMP_WORDS[1]}\" in\n",
          to);
    for (const mmlc_command *const *c = mmlc_commands; *c != NULL; c++) {
        fprintf(to, "        %s) words=\"", (*c)->name);
        option_words(to, (*c)->groups);
        option_words(to, mmlc_common);
        fputs("\" ;;\n", to);
    }
    fputs("        esac\n"
          "    fi\n"
          "    if [ -n \"$words\" ]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _mmlego mmlego\n",
          to);
}
