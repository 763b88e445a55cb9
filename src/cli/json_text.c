/* json_text.c - JSON for the eyes of people. */
#include "cli/json_text.h"

#include <string.h>

enum { WIDTH = 80, CELL = 48, SHOWN = 12, COLUMNS = 16 };

static int is_scalar(const json_t *v)
{
    return !json_is_object(v) && !json_is_array(v);
}

static int is_empty(const json_t *v)
{
    return json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0) ||
           (json_is_array(v) && json_array_size(v) == 0) || (json_is_object(v) && json_object_size(v) == 0);
}

static int is_flat(const json_t *array) /* of scalars only */
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!is_scalar(json_array_get(array, i)))
            return 0;
    return 1;
}

static void scalar_text(char *out, size_t size, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_STRING: snprintf(out, size, "%s", json_string_value(v)); break;
    case JSON_INTEGER: snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
    case JSON_REAL: snprintf(out, size, "%.6g", json_real_value(v)); break;
    case JSON_TRUE: snprintf(out, size, "yes"); break;
    case JSON_FALSE: snprintf(out, size, "no"); break;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY: snprintf(out, size, "-"); break;
    }
}

/* A scalar, or a flat array as "a, b, ... (50 in all)". */
static void cell_text(char *out, size_t size, const json_t *v)
{
    size_t n = json_array_size(v), used = 0;
    char word[128];

    if (!json_is_array(v)) {
        scalar_text(out, size, v);
        return;
    }
    out[0] = '\0';
    if (n == 0)
        snprintf(out, size, "-");
    for (size_t i = 0; i < n && used < size; i++) {
        if (i == SHOWN) {
            snprintf(out + used, size - used, ", ... (%zu in all)", n);
            return;
        }
        scalar_text(word, sizeof word, json_array_get(v, i));
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", word);
    }
}

/* Columns on a terminal: bytes that begin a character of UTF-8. */
static int columns(const char *text)
{
    int n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void pad(FILE *to, const char *text, int width, int right)
{
    int blanks = width - columns(text);

    if (right)
        fprintf(to, "%*s%s", blanks > 0 ? blanks : 0, "", text);
    else
        fprintf(to, "%s%*s", text, blanks > 0 ? blanks : 0, "");
}

/* Words of a value, on further lines under its beginning. */
static void print_wrapped(FILE *to, const char *text, int indent)
{
    int at = indent;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        char word[512];
        int width = 0;

        snprintf(word, sizeof word, "%.*s", (int)length, text);
        width = columns(word);
        if (at > indent && at + 1 + width > WIDTH - 1) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', to);
            at++;
        }
        fputs(word, to);
        at += width;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

/* An array of objects of scalars or flat arrays, all with the keys of the first: a table. */
static int is_table(const json_t *array)
{
    const json_t *first = json_array_get(array, 0);

    if (!json_is_object(first) || json_object_size(first) > COLUMNS || json_array_size(array) == 0)
        return 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *row = json_array_get(array, i);
        const char *key = NULL;
        json_t *v = NULL;

        if (!json_is_object(row) || json_object_size(row) != json_object_size(first))
            return 0;
        json_object_foreach(row, key, v)
            if (json_object_get(first, key) == NULL || (!is_scalar(v) && !(json_is_array(v) && is_flat(v))))
                return 0;
    }
    return 1;
}

static int table_widths(int *width, const json_t *array, int indent)
{
    json_t *first = json_array_get(array, 0);
    const char *key = NULL;
    json_t *unused = NULL;
    int c = 0, total = indent;

    json_object_foreach(first, key, unused)
    {
        char text[4 * CELL];

        width[c] = columns(key);
        for (size_t i = 0; i < json_array_size(array); i++) {
            cell_text(text, sizeof text, json_object_get(json_array_get(array, i), key));
            if (columns(text) > width[c])
                width[c] = columns(text);
        }
        total += width[c++] + 2;
    }
    return total - 2 <= WIDTH + 32; /* a little wide is better than no table */
}

static void print_table(FILE *to, const json_t *array, const int *width, int indent)
{
    json_t *first = json_array_get(array, 0);
    const char *key = NULL;
    json_t *v = NULL;
    char text[4 * CELL];
    int c = 0, n = (int)json_object_size(first);

    fprintf(to, "%*s", indent, "");
    json_object_foreach(first, key, v)
    {
        pad(to, key, c + 1 < n || json_is_number(v) ? width[c] : 0, json_is_number(v));
        fputs(++c < n ? "  " : "\n", to);
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *row = json_array_get(array, i);

        c = 0;
        fprintf(to, "%*s", indent, "");
        json_object_foreach(first, key, v)
        {
            cell_text(text, sizeof text, json_object_get(row, key));
            pad(to, text, c + 1 < n || json_is_number(v) ? width[c] : 0, json_is_number(v));
            fputs(++c < n ? "  " : "\n", to);
        }
    }
}

static void print_object(FILE *to, json_t *object, int indent);

/* "blocks" and its second item of name "labs": "block labs". */
static void item_name(char *out, size_t size, const char *name, size_t i, const json_t *item)
{
    const char *own = json_string_value(json_object_get(item, "name"));
    size_t length = strlen(name);

    length -= length > 1 && name[length - 1] == 's';
    if (own != NULL)
        snprintf(out, size, "%.*s %s", (int)length, name, own);
    else
        snprintf(out, size, "%.*s %zu", (int)length, name, i + 1);
}

static void print_array(FILE *to, const char *name, json_t *array, int indent)
{
    int width[COLUMNS];

    if (is_table(array) && table_widths(width, array, indent + 2)) {
        fprintf(to, "%*s%s:\n", indent, "", name);
        print_table(to, array, width, indent + 2);
        return;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *v = json_array_get(array, i);
        char text[1024];

        item_name(text, sizeof text, name, i, v);
        fprintf(to, "%*s%s:", indent, "", text);
        if (json_is_object(v)) {
            fputc('\n', to);
            print_object(to, v, indent + 2);
        } else {
            cell_text(text, sizeof text, v);
            fprintf(to, " %s\n", text);
        }
    }
}

static void print_object(FILE *to, json_t *object, int indent)
{
    const char *key = NULL;
    json_t *v = NULL;
    char text[4096];
    int widest = 0;

    json_object_foreach(object, key, v)
        if (!is_empty(v) && (is_scalar(v) || (json_is_array(v) && is_flat(v))) && columns(key) > widest &&
            columns(key) <= CELL / 2)
            widest = columns(key);
    json_object_foreach(object, key, v)
    {
        if (is_empty(v))
            continue;
        if (is_scalar(v) || (json_is_array(v) && is_flat(v))) {
            int blanks = widest - columns(key);

            cell_text(text, sizeof text, v);
            fprintf(to, "%*s%s: %*s", indent, "", key, blanks > 0 ? blanks : 0, "");
            print_wrapped(to, text, indent + (columns(key) > widest ? columns(key) : widest) + 2);
        } else if (json_is_array(v)) {
            print_array(to, key, v, indent);
        } else {
            fprintf(to, "%*s%s:\n", indent, "", key);
            print_object(to, v, indent + 2);
        }
    }
}

void mmlc_json_print(FILE *to, json_t *object)
{
    print_object(to, object, 0);
}
