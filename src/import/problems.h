/* problems.h - what a check (dry run) finds wrong, all of it; else the first failure ends the import. */
#ifndef MMLI_IMPORT_PROBLEMS_H
#define MMLI_IMPORT_PROBLEMS_H

#include <stdbool.h>

#include "mmlego/base.h"
#include "util/text.h"

typedef struct mmli_problems {
    bool collect; /* false: mmli_problem() hands every failure on */
    size_t n, met; /* different ones; all, also those that were noted before */
    mmli_buf text; /* a line each; the first MMLI_PROBLEMS_KEPT */
} mmli_problems;

enum { MMLI_PROBLEMS_KEPT = 200 };

/* The failure `st`, whose message was just made: noted, and MML_OK, when problems are collected and it lies in the data;
 * else `st`. NULL: nothing is collected. */
mml_status mmli_problem(mmli_problems *problems, mml_status st);

#endif
