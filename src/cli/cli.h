/* cli.h - what the commands share: exit codes, messages, signals, the table of commands. */
#ifndef MMLC_CLI_H
#define MMLC_CLI_H

#include <stdio.h>

#include <mmlego/base.h>
#include <mmlego/model.h>

#include "cli/opt.h"

enum { MMLC_OK = 0, MMLC_FAILURE = 1, MMLC_USAGE = 2, MMLC_DATA = 3 };

extern const mmlc_command *const mmlc_commands[]; /* ended by NULL; in the order of --help */
extern const mmlc_command mmlc_cmd_import, mmlc_cmd_inspect, mmlc_cmd_train, mmlc_cmd_merge, mmlc_cmd_fuse,
    mmlc_cmd_predict, mmlc_cmd_evaluate, mmlc_cmd_explain, mmlc_cmd_compare, mmlc_cmd_convert, mmlc_cmd_export, mmlc_cmd_bench, mmlc_cmd_version, mmlc_cmd_help;

/* The command of a name, NULL if there is none (mmlc_unknown_command says so, with the nearest). */
const mmlc_command *mmlc_find_command(const char *name);
int mmlc_unknown_command(const char *name);

/* ---- messages on stderr: "mmlego train: ..." ------------------------------------------------------------ */
#if defined(__GNUC__)
#define MMLC_PRINTF(at) __attribute__((format(printf, at, at + 1)))
#else
#define MMLC_PRINTF(at)
#endif

void mmlc_say(const mmlc_command *command, const char *format, ...) MMLC_PRINTF(2);
/* A message about the usage, with where to read more. Gives MMLC_USAGE. */
int mmlc_usage_error(const mmlc_command *command, const char *format, ...) MMLC_PRINTF(2);
/* The library's last message, and the exit code for a status. */
int mmlc_fail(const mmlc_command *command, mml_status st);
/* The same where the user named the thing on the command line: not found = MMLC_USAGE. */
int mmlc_fail_named(const mmlc_command *command, mml_status st);
int mmlc_no_memory(const mmlc_command *command);

/* The words for one thing, or for any other number of them: "patient has", "patients have". */
const char *mmlc_by_number(size_t n, const char *one, const char *others);

/* ---- lists ------------------------------------------------------------------------------------------------ */
/* "a,b" (NULL: none) as an array of words in `copy`; both the caller's to free(), in any case. 0 = no memory. */
int mmlc_words(const char ***out, size_t *n, char **copy, const char *text);

/* ---- signals --------------------------------------------------------------------------------------------- */
/* From here on the first SIGINT or SIGTERM is only noted; a second one ends the program. A command calls it before it makes a file
 * that would be left behind, and asks for the signal where work is long; one that is not asked for gives the exit code when the
 * command has ended. */
void mmlc_signals_note(void);
/* A signal that has not come yet ends the program again. */
void mmlc_signals_end(void);
int mmlc_signal(void); /* the one noted, or 0 */

/* ---- files ------------------------------------------------------------------------------------------------ */
/* Do two paths, spelt alike or not, name one file? It need not exist. */
int mmlc_same_file(const char *a, const char *b);
/* The output is none of the inputs (NULL among them are skipped). MMLC_GO or an exit code. */
int mmlc_not_an_input(const mmlc_command *command, const char *path, const char *const *inputs, size_t n);
/* "-" or NULL. */
int mmlc_is_stdout(const char *path);
/* An output that must have a name. MMLC_GO or an exit code. */
int mmlc_not_stdout(const mmlc_command *command, const char *path);
/* Before long work: can a regular file appear at `path`, and is it none of the inputs? "-" is none. MMLC_GO or an exit code. */
int mmlc_check_output(const mmlc_command *command, const char *path, const char *const *inputs, size_t n);

/* Text output that appears whole or not at all. `path` "-" or NULL = stdout. */
typedef struct mmlc_out {
    const mmlc_command *command;
    FILE *stream;
    char *path, *temporary; /* NULL: written in place (stdout, a device) */
} mmlc_out;
int mmlc_out_open(mmlc_out *out, const mmlc_command *command, const char *path); /* MMLC_GO or an exit code */
int mmlc_out_commit(mmlc_out *out);                                              /* MMLC_OK or an exit code */
void mmlc_out_abort(mmlc_out *out); /* after a failure; fine after commit */
/* $TMPDIR, or /tmp. */
const char *mmlc_temporary_folder(void);
/* For what the library writes to a file, when it is wanted on stdout: a new file in that folder, with its name; then, if `print`,
 * its bytes to stdout. The file goes and the name is freed in any case. MMLC_GO, or MMLC_OK after printing, or an exit code. */
int mmlc_spool_open(char **path, const mmlc_command *command);
int mmlc_spool_print(char *path, const mmlc_command *command, int print);
/* Into a table: a tab, a new line or a backslash in a name would break it and is written as \t, \n, \r or two backslashes. */
void mmlc_put_name(FILE *to, const char *name);

/* Flushes stdout; MMLC_FAILURE with a message when something could not be written. */
int mmlc_flush(const mmlc_command *command);

/* ---- help (help.c), manual pages and completion (man.c) ------------------------------------------------- */
void mmlc_help(FILE *to, const mmlc_command *command);
void mmlc_help_all(FILE *to);
void mmlc_usage_line(char *out, size_t size, const mmlc_command *command);
/* "-o, --output FILE" into left, the explanation with its default into right. */
void mmlc_option_left(char *left, size_t size, const mmlc_opt *opt);
void mmlc_option_right(char *right, size_t size, const mmlc_command *command, const mmlc_group *group,
                       const mmlc_opt *opt);
void mmlc_man(FILE *to, const mmlc_command *command); /* NULL = mmlego(1) */
void mmlc_completion(FILE *to);
extern const char *const mmlc_exit_codes[]; /* pairs code, meaning; ended by NULL */
extern const char *const mmlc_environment[]; /* pairs name, meaning; ended by NULL */

#endif
