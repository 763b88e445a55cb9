/* value.h - text to the value of an option, strictly, and the reason when it cannot be. */
#ifndef MMLC_VALUE_H
#define MMLC_VALUE_H

#include "cli/opt.h"

/*
 * Reads `text` (NULL for a flag) as the value of an option and stores it at base + opt->at; base NULL only
 * checks. The whole text must be the value, within the option's range. Returns 0; or 1 with the reason in
 * why[size], as the end of a sentence: "must be a whole number from 1 to 64, not 'x'"; or -1: no memory.
 */
int mmlc_value_set(void *base, const mmlc_opt *opt, const char *text, int off, char *why, size_t size);

/* Frees what mmlc_value_set() allocated in `base` for this option. */
void mmlc_value_clear(void *base, const mmlc_opt *opt);

#endif
