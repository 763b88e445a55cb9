/* compare_table.h - a comparison for the eyes of people. */
#ifndef MMLC_COMPARE_TABLE_H
#define MMLC_COMPARE_TABLE_H

#include <stdio.h>

#include <jansson.h>

/* A line a curve of each study, x: mean of each of its points. */
void mmlc_compare_studies(FILE *to, const json_t *comparison);
/* A line a system: mean and standard deviation, difference to the best baseline with its interval, size, time, memory. */
void mmlc_compare_table(FILE *to, const json_t *comparison);

#endif
