#include "tests/unit/markup_check.h"

#include <check.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { DEEP = 64, NAME = 32, AROUND = 60 };

typedef struct checker {
    const char *page, *at;
    char open[DEEP][NAME];
    size_t depth;
} checker;

static void broken(const checker *c, const char *why)
{
    ck_abort_msg("%s at byte %zu: %.*s", why, (size_t)(c->at - c->page), AROUND, c->at);
}

static void take_name(checker *c, char name[NAME])
{
    size_t n = 0;

    while (isalnum((unsigned char)*c->at) || *c->at == '-' || *c->at == ':') {
        if (n + 1 >= NAME)
            broken(c, "a long name");
        name[n++] = *c->at++;
    }
    name[n] = '\0';
    if (n == 0)
        broken(c, "no name");
}

static bool is_void(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "br") == 0;
}

/* &amp; and the like. */
static void check_entity(const checker *c)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(c->at, known[i], strlen(known[i])) == 0)
            return;
    broken(c, "& without an entity");
}

static void check_coordinates(const checker *c, const char *name, const char *value, size_t n)
{
    static const char *const numbers[] = {"x", "y", "cx", "cy", "r", "width", "height", "viewBox", "d"};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i]) != 0)
            continue;
        if (n == 0)
            broken(c, "no value");
        for (size_t k = 0; k < n; k++)
            if (strchr(strcmp(name, "d") == 0 ? "0123456789.- MLmlvhaz" : "0123456789.- ", value[k]) == NULL)
                broken(c, "not a number");
    }
}

static void check_id(const checker *c, const char *name, const char *value, size_t n)
{
    char wanted[80], *second;

    if (strcmp(name, "id") == 0) {
        snprintf(wanted, sizeof wanted, " id=\"%.*s\"", (int)n, value);
        second = strstr(strstr(c->page, wanted) + 1, wanted);
        if (second != NULL)
            broken(c, "an id twice");
    }
    if (strcmp(name, "href") == 0) {
        snprintf(wanted, sizeof wanted, " id=\"%.*s\"", (int)n - 1, value + 1);
        if (value[0] != '#' || strstr(c->page, wanted) == NULL)
            broken(c, "a link to nowhere");
    }
}

static void take_attribute(checker *c)
{
    char name[NAME];
    const char *value;

    take_name(c, name);
    if (strncmp(c->at, "=\"", 2) != 0)
        broken(c, "an attribute without quotes");
    value = c->at += 2;
    for (; *c->at != '"'; c->at++) {
        if (*c->at == '<' || *c->at == '>' || *c->at == '\0')
            broken(c, "an attribute that does not end");
        if (*c->at == '&')
            check_entity(c);
    }
    check_coordinates(c, name, value, (size_t)(c->at - value));
    check_id(c, name, value, (size_t)(c->at - value));
    if (strncmp(name, "on", 2) == 0 || strcmp(name, "src") == 0)
        broken(c, "an attribute that acts");
    c->at++;
}

static void take_start(checker *c)
{
    char name[NAME];

    take_name(c, name);
    while (*c->at == ' ') {
        c->at++;
        take_attribute(c);
    }
    if (strncmp(c->at, "/>", 2) == 0) {
        c->at += 2;
        return;
    }
    if (*c->at != '>')
        broken(c, "a tag that does not end");
    c->at++;
    if (is_void(name))
        return;
    if (strcmp(name, "style") == 0) {
        const char *end = strstr(c->at, "</style>");

        if (end == NULL)
            broken(c, "style does not end");
        c->at = end;
    }
    if (c->depth == DEEP)
        broken(c, "too deep");
    strcpy(c->open[c->depth++], name);
}

static void take_end(checker *c)
{
    char name[NAME];

    take_name(c, name);
    if (c->depth == 0 || strcmp(c->open[c->depth - 1], name) != 0)
        broken(c, "an end tag of something else");
    if (*c->at != '>')
        broken(c, "an end tag that does not end");
    c->at++;
    c->depth--;
}

void mmlt_assert_well_formed(const char *page)
{
    static const char doctype[] = "<!DOCTYPE html>";
    checker c = {.page = page, .at = page};

    if (strncmp(c.at, doctype, strlen(doctype)) == 0)
        c.at += strlen(doctype);
    while (*c.at != '\0') {
        if (strncmp(c.at, "</", 2) == 0) {
            c.at += 2;
            take_end(&c);
        } else if (*c.at == '<') {
            c.at++;
            take_start(&c);
        } else {
            if (*c.at == '>')
                broken(&c, "> in a text");
            if (*c.at == '&')
                check_entity(&c);
            c.at++;
        }
    }
    if (c.depth > 0)
        ck_abort_msg("%s is not closed", c.open[c.depth - 1]);
}

size_t mmlt_count(const char *page, const char *text)
{
    size_t n = 0;

    for (const char *at = strstr(page, text); at != NULL; at = strstr(at + 1, text))
        n++;
    return n;
}

size_t mmlt_count_between(const char *page, const char *from, const char *to, const char *text)
{
    const char *begin = strstr(page, from), *end = begin != NULL ? strstr(begin + 1, to) : NULL;
    size_t n = 0;

    ck_assert_msg(begin != NULL, "%s is not there", from);
    ck_assert_msg(end != NULL, "%s is not there after %s", to, from);
    for (const char *at = strstr(begin, text); at != NULL && at < end; at = strstr(at + 1, text))
        n++;
    return n;
}
