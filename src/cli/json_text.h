/* json_text.h - JSON for the eyes of people. */
#ifndef MMLC_JSON_TEXT_H
#define MMLC_JSON_TEXT_H

#include <stdio.h>

/*
 * Prints a JSON object as text: "key: value" in columns, nested objects indented, an array of like objects as a
 * table, a long array shortened with its length. Returns 0, or -1 when it is not JSON or memory ran out.
 */
int mmlc_json_text(FILE *to, const char *json);

#endif
