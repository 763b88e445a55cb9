/* json_text.h - JSON for the eyes of people. */
#ifndef MMLC_JSON_TEXT_H
#define MMLC_JSON_TEXT_H

#include <stdio.h>

#include <jansson.h>

/*
 * Prints a JSON object as text: "key: value" in columns, nested objects indented, an array of like objects as a
 * table, other arrays item by item ("block labs:" for an item of `blocks` with a name), a long array of numbers or
 * words shortened with its length. Null and empty values are left out.
 */
void mmlc_json_print(FILE *to, json_t *object);

#endif
