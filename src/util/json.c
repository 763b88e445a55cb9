/* json.c - see json.h. */
#include "util/json.h"

#include <inttypes.h>
#include <stdio.h>

json_t *mmli_json_wide(uint64_t x)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRIu64, x);
    return json_string(text);
}
