/* json.h - numbers of 64 bits in JSON. */
#ifndef MMLI_UTIL_JSON_H
#define MMLI_UTIL_JSON_H

#include <jansson.h>
#include <stdint.h>

/* As a text: integers of other readers of JSON have 53 bits. New; NULL when there is no memory. */
json_t *mmli_json_wide(uint64_t x);

#endif
