/* value.c - text to the value of an option and back. */
#include "cli/value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Choices are stored through an int into fields that are enums of the library. */
static_assert(sizeof(mml_task_kind) == sizeof(int), "an enum must have the size of an int");

static int is_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static int read_whole(uint64_t *out, const char *text, uint64_t most)
{
    unsigned long long v = 0;

    static_assert(sizeof(unsigned long long) >= sizeof(uint64_t), "unsigned long long holds 64 bits");
    if (!is_digits(text))
        return 0;
    errno = 0;
    v = strtoull(text, NULL, 10);
    if (errno != 0 || v > most)
        return 0;
    *out = v;
    return 1;
}

/* A decimal number and nothing else: no blanks, no hexadecimal, no nan, no inf. */
static int read_double(double *out, const char *text)
{
    char *end = NULL;
    double v = 0.0;

    if (text[0] == '\0' || strspn(text, "+-.0123456789eE") != strlen(text))
        return 0;
    v = strtod(text, &end);
    if (*end != '\0' || !isfinite(v))
        return 0;
    *out = v;
    return 1;
}

static int in_range(const mmlc_opt *opt, double v)
{
    if (v < opt->min || ((opt->rules & MMLC_ABOVE_MIN) != 0 && v <= opt->min))
        return 0;
    return opt->max == 0.0 || v < opt->max || (v <= opt->max && (opt->rules & MMLC_BELOW_MAX) == 0);
}

static void range_text(char *out, size_t size, const mmlc_opt *opt)
{
    const char *from = (opt->rules & MMLC_ABOVE_MIN) != 0 ? "above" : "of at least";

    if (opt->max == 0.0)
        snprintf(out, size, " %s %.10g", from, opt->min);
    else if ((opt->rules & (MMLC_ABOVE_MIN | MMLC_BELOW_MAX)) != 0)
        snprintf(out, size, " %s %.10g and %s %.10g", from, opt->min,
                 (opt->rules & MMLC_BELOW_MAX) != 0 ? "below" : "at most", opt->max);
    else
        snprintf(out, size, " from %.10g to %.10g", opt->min, opt->max);
}

static int bad_number(const mmlc_opt *opt, const char *kind, const char *text, char *why, size_t size)
{
    char range[96];

    range_text(range, sizeof range, opt);
    snprintf(why, size, "must be a %s%s, not '%s'", kind, range, text);
    return 1;
}

static int bad_choice(const mmlc_opt *opt, const char *text, char *why, size_t size)
{
    const char *names[32];
    const char *near = NULL;
    size_t n = 0, used = 0;

    for (; opt->choices[n].name != NULL && n < 32; n++)
        names[n] = opt->choices[n].name;
    used = (size_t)snprintf(why, size, "must be ");
    for (size_t i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(why + used, size - used, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", names[i]);
    if (opt->type == MMLC_LIST && used < size)
        used += (size_t)snprintf(why + used, size - used, ", or numbers such as 0.3,0.7");
    if (used < size)
        used += (size_t)snprintf(why + used, size - used, ", not '%s'", text);
    near = mmlc_nearest(text, names, n);
    if (near != NULL && used < size)
        snprintf(why + used, size - used, "; did you mean %s?", near);
    return 1;
}

static const mmlc_choice *find_choice(const mmlc_opt *opt, const char *text)
{
    for (const mmlc_choice *c = opt->choices; c != NULL && c->name != NULL; c++)
        if (strcmp(c->name, text) == 0)
            return c;
    return NULL;
}

static int set_whole(void *to, const mmlc_opt *opt, const char *text, char *why, size_t size)
{
    uint64_t v = 0;
    uint64_t most = opt->type == MMLC_INT    ? (uint64_t)INT_MAX
                    : opt->type == MMLC_UINT ? (uint64_t)UINT_MAX
                    : opt->type == MMLC_SIZE ? (uint64_t)SIZE_MAX
                                             : UINT64_MAX;

    if (!read_whole(&v, text, most) || !in_range(opt, (double)v))
        return bad_number(opt, "whole number", text, why, size);
    if (to == NULL)
        return 0;
    if (opt->type == MMLC_INT)
        *(int *)to = (int)v;
    else if (opt->type == MMLC_UINT)
        *(unsigned *)to = (unsigned)v;
    else if (opt->type == MMLC_SIZE)
        *(size_t *)to = (size_t)v;
    else
        *(uint64_t *)to = v;
    return 0;
}

static int set_pair(size_t *to, const mmlc_opt *opt, const char *text, char *why, size_t size)
{
    char first[24];
    const char *x = strchr(text, 'x');
    uint64_t a = 0, b = 0;

    if (x != NULL && (size_t)(x - text) < sizeof first) {
        memcpy(first, text, (size_t)(x - text));
        first[x - text] = '\0';
        if (read_whole(&a, first, SIZE_MAX) && read_whole(&b, x + 1, SIZE_MAX) && in_range(opt, (double)a) &&
            in_range(opt, (double)b)) {
            if (to != NULL) {
                to[0] = (size_t)a;
                to[1] = (size_t)b;
            }
            return 0;
        }
    }
    snprintf(why, size, "must be two whole numbers such as 32x32, each from %.10g to %.10g, not '%s'", opt->min, opt->max,
             text);
    return 1;
}

static int read_numbers(mmlc_list *list, const mmlc_opt *opt, const char *text, char *why, size_t size)
{
    size_t most = 1;
    char word[64];

    for (const char *c = text; *c != '\0'; c++)
        most += *c == ',';
    list->choice = -1;
    list->n = 0;
    list->number = calloc(most, sizeof *list->number);
    if (list->number == NULL)
        return -1;
    for (const char *c = text;; c++) {
        size_t length = strcspn(c, ",");
        double v = 0.0;

        if (length >= sizeof word)
            break;
        memcpy(word, c, length);
        word[length] = '\0';
        if (!read_double(&v, word))
            break;
        if (!in_range(opt, v)) {
            bad_number(opt, "number", word, why, size);
            goto bad;
        }
        list->number[list->n++] = v;
        c += length;
        if (*c == '\0')
            return 0;
    }
    bad_choice(opt, text, why, size);
bad:
    free(list->number);
    list->number = NULL;
    list->n = 0;
    return 1;
}

static int set_list(mmlc_list *to, const mmlc_opt *opt, const char *text, char *why, size_t size)
{
    const mmlc_choice *c = find_choice(opt, text);
    mmlc_list list = {.choice = 0, .n = 0, .number = NULL};

    if (c != NULL) {
        list.choice = c->value;
    } else {
        int rc = read_numbers(&list, opt, text, why, size);

        if (rc != 0)
            return rc;
    }
    if (to != NULL) {
        free(to->number);
        *to = list;
    } else {
        free(list.number);
    }
    return 0;
}

int mmlc_value_set(void *base, const mmlc_opt *opt, const char *text, int off, char *why, size_t size)
{
    void *to = base == NULL ? NULL : (char *)base + opt->at;
    const mmlc_choice *c = NULL;
    double v = 0.0;

    switch (opt->type) {
    case MMLC_FLAG:
        if (to != NULL)
            *(int *)to = !off;
        return 0;
    case MMLC_STR:
        if (opt->choices != NULL && find_choice(opt, text) == NULL)
            return bad_choice(opt, text, why, size);
        if (text[0] == '\0') {
            snprintf(why, size, "must not be empty");
            return 1;
        }
        if (to != NULL)
            *(const char **)to = text;
        return 0;
    case MMLC_INT:
    case MMLC_UINT:
    case MMLC_SIZE:
    case MMLC_U64: return set_whole(to, opt, text, why, size);
    case MMLC_DOUBLE:
        if (!read_double(&v, text) || !in_range(opt, v))
            return bad_number(opt, "number", text, why, size);
        if (to != NULL)
            *(double *)to = v;
        return 0;
    case MMLC_CHOICE:
        c = find_choice(opt, text);
        if (c == NULL)
            return bad_choice(opt, text, why, size);
        if (to != NULL)
            memcpy(to, &c->value, sizeof c->value); /* an int or an enum, see the assertion above */
        return 0;
    case MMLC_PAIR: return set_pair(to, opt, text, why, size);
    case MMLC_LIST: return set_list(to, opt, text, why, size);
    }
    return 0;
}

void mmlc_value_clear(void *base, const mmlc_opt *opt)
{
    if (opt->type == MMLC_LIST) {
        mmlc_list *list = (mmlc_list *)(void *)((char *)base + opt->at);

        free(list->number);
        list->number = NULL;
        list->n = 0;
    }
}

static const char *choice_name(const mmlc_opt *opt, int value)
{
    for (const mmlc_choice *c = opt->choices; c != NULL && c->name != NULL; c++)
        if (c->value == value)
            return c->name;
    return "";
}

void mmlc_value_text(char *out, size_t size, const mmlc_opt *opt, const void *base)
{
    const void *from = (const char *)base + opt->at;
    const char *text = NULL;
    int value = 0;

    out[0] = '\0';
    switch (opt->type) {
    case MMLC_FLAG:
        if ((opt->rules & MMLC_NEGATABLE) != 0)
            snprintf(out, size, "%s", *(const int *)from != 0 ? "yes" : "no");
        break;
    case MMLC_STR:
        text = *(const char *const *)from;
        snprintf(out, size, "%s", text == NULL ? "" : text);
        break;
    case MMLC_INT: snprintf(out, size, "%d", *(const int *)from); break;
    case MMLC_UINT: snprintf(out, size, "%u", *(const unsigned *)from); break;
    case MMLC_SIZE: snprintf(out, size, "%zu", *(const size_t *)from); break;
    case MMLC_U64: snprintf(out, size, "%" PRIu64, *(const uint64_t *)from); break;
    case MMLC_DOUBLE: snprintf(out, size, "%g", *(const double *)from); break;
    case MMLC_CHOICE:
        memcpy(&value, from, sizeof value);
        snprintf(out, size, "%s", choice_name(opt, value));
        break;
    case MMLC_PAIR: snprintf(out, size, "%zux%zu", ((const size_t *)from)[0], ((const size_t *)from)[1]); break;
    case MMLC_LIST: snprintf(out, size, "%s", choice_name(opt, ((const mmlc_list *)from)->choice)); break;
    }
}
