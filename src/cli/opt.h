/* opt.h - one table of options per command: what the parser, --help, the manual pages and the shell
 * completion are all made from.
 *
 * An option is stored by type at an offset of the command's argument structure, most of them straight into
 * the option structures of the library. Defaults depend on a preset and on the data, so a command may set
 * them anew after it has looked at its input, and have the options that were given applied again on top
 * (mmlc_call_apply): only what the user said overrides a default.
 */
#ifndef MMLC_OPT_H
#define MMLC_OPT_H

#include <stddef.h>
#include <stdint.h>

#include <mmlego/data.h>

typedef enum mmlc_type {
    MMLC_FLAG,   /* int: 1; with MMLC_NEGATABLE also --no-NAME: 0 */
    MMLC_STR,    /* const char *; one of `choices` where there are some */
    MMLC_INT,    /* int */
    MMLC_UINT,   /* unsigned */
    MMLC_SIZE,   /* size_t */
    MMLC_U64,    /* uint64_t */
    MMLC_DOUBLE, /* double, finite */
    MMLC_CHOICE, /* int or enum: the value of one of `choices` */
    MMLC_PAIR,   /* two size_t one after the other: "32x16" */
    MMLC_LIST    /* mmlc_list: one of `choices`, or numbers "0.3,0.7" */
} mmlc_type;

enum {
    MMLC_REQUIRED = 1,   /* the command cannot do without */
    MMLC_NEGATABLE = 2,  /* a flag with a --no- form */
    MMLC_ABOVE_MIN = 4,  /* `min` itself is not allowed */
    MMLC_BELOW_MAX = 8   /* `max` itself is not allowed */
};

typedef struct mmlc_choice {
    const char *name; /* NULL ends a list */
    int value;
} mmlc_choice;

typedef struct mmlc_list {
    int choice;     /* value of the choice, or -1: numbers */
    size_t n;
    double *number; /* (n) of the call: mmlc_call_end() */
} mmlc_list;

typedef struct mmlc_opt {
    char letter;      /* 0 = none */
    const char *name; /* NULL ends a table */
    mmlc_type type;
    size_t at;        /* offset from the base of its group */
    const char *arg;  /* metavariable; NULL with choices: they are listed */
    const char *help;
    const char *init; /* default in words; NULL = taken from the initialised arguments; "" = not shown */
    double min, max;  /* of numbers; max 0 = no upper limit */
    const mmlc_choice *choices;
    unsigned rules;   /* MMLC_REQUIRED ... */
} mmlc_opt;

typedef struct mmlc_group {
    const char *heading; /* NULL ends a list of groups */
    const mmlc_opt *opts;
    size_t base;         /* offset of the structure that the options' offsets are in */
} mmlc_group;

typedef struct mmlc_call mmlc_call;

typedef struct mmlc_command {
    const char *name;     /* NULL ends the table of commands */
    const char *summary;  /* one line, no full stop */
    const char *operands; /* as the usage line shows them; "" = none */
    size_t n_min, n_max;  /* number of operands; n_max 0 = none allowed */
    const char *about;    /* paragraphs, blank line between */
    const char *examples; /* lines of shell; NULL = none */
    const mmlc_group *groups;
    size_t args_size;
    /* Defaults for a kind of modality and of task; keeps fields that are not defaults (the preset chosen). */
    mml_status (*init)(void *args, mml_modality_kind modality, mml_task_kind task);
    int (*run)(mmlc_call *call); /* exit code */
} mmlc_command;

typedef struct mmlc_given {
    const mmlc_opt *opt;
    size_t base;
    const char *text; /* NULL for a flag */
    int off;          /* --no-NAME */
} mmlc_given;

struct mmlc_call {
    const mmlc_command *command;
    void *args;
    const char **operand; /* (n) */
    size_t n;
    mmlc_given *given;    /* (n_given) in the order of the command line */
    size_t n_given;
};

enum { MMLC_GO = -1 };

/* The options every command has (--help). */
extern const mmlc_group mmlc_common[];

/*
 * Reads the words after the command's name. MMLC_GO: go on; otherwise the exit code (help was shown, or a
 * usage error was reported). The words are borrowed. mmlc_call_end() in any case.
 */
int mmlc_call_parse(mmlc_call *call, const mmlc_command *command, int argc, char **argv);
/* Applies the options given once more, after `init` has set other defaults. MMLC_GO or an exit code. */
int mmlc_call_apply(mmlc_call *call);
/* 1 = the option of that name was on the command line. */
int mmlc_was_given(const mmlc_call *call, const char *name);
void mmlc_call_end(mmlc_call *call);

/* The value an option has in `base`, as text into out[size]; "" when there is none to show. */
void mmlc_value_text(char *out, size_t size, const mmlc_opt *opt, const void *base);

/* The name nearest to `word`, NULL when none is near. names[0 .. n-1]. */
const char *mmlc_nearest(const char *word, const char *const *names, size_t n);

#endif
