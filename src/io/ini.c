/* ini.c - inih parses, this file gives it lines it can hold and collects what it finds.
 *
 * The inih of the distributions is built for lines of 200 bytes and does not tell line numbers. It takes a
 * reader of the caller's, though: ours counts lines, and hands a longer line (a list of columns) over in
 * pieces that look like the continuation lines inih knows, cut after a comma.
 */
#include "io/ini.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum { SECTION_MOST = 48 /* inih keeps 49 bytes of a section's name */ };

typedef struct parser {
    mmli_ini *ini;
    FILE *file;
    mml_status st;    /* first failure */
    char *line;       /* the one being handed over */
    size_t cap, length, at;
    size_t number;    /* of that line, from 1 */
    bool indented;    /* it continues a value */
    bool cut;         /* what is handed over now is a later piece of it */
} parser;

/* ---- what is found ------------------------------------------------------------------------------------------------- */

static mml_status add_section(parser *p, const char *name, size_t n)
{
    mml_status st = MML_OK;
    mmli_ini *ini = p->ini;
    mmli_ini_section *s;
    char text[SECTION_MOST + 1];
    size_t length = 0;

    mmli_trim(&name, &n);
    MML_CHECK(n > 0 && n <= SECTION_MOST, MML_E_FORMAT, "%s:%zu: the name of a section has 1 to %d bytes", ini->path,
              p->number, SECTION_MOST);
    for (size_t i = 0; i < n; i++) {
        const bool blank = name[i] == ' ' || name[i] == '\t';

        if (!blank)
            text[length++] = name[i];
        else if (text[length - 1] != ' ')
            text[length++] = ' ';
    }
    text[length] = '\0';
    for (size_t i = 0; i < ini->n; i++)
        MML_CHECK(strcmp(ini->sections[i].name, text) != 0, MML_E_FORMAT,
                  "%s:%zu: section [%s] was already begun in line %zu", ini->path, p->number, text, ini->sections[i].line);
    MML_TRY(mmli_grow(&ini->sections, &ini->cap, ini->n + 1, sizeof *ini->sections));
    s = &ini->sections[ini->n];
    *s = (mmli_ini_section){.line = p->number};
    MML_TRY(mmli_strdup(&s->name, text));
    ini->n++;
out:
    return st;
}

/* More of the value of the last entry: another line of it, or another piece of a long line. */
static mml_status append(parser *p, mmli_ini_entry *e, const char *value)
{
    char *joined;
    mml_status st;

    if ((st = mmli_strf(&joined, "%s%s%s", e->value, p->cut ? "" : "\n", value)) != MML_OK)
        return st;
    mmli_free(e->value);
    e->value = joined;
    return MML_OK;
}

static mml_status add_entry(parser *p, const char *key, const char *value)
{
    mml_status st = MML_OK;
    mmli_ini *ini = p->ini;
    mmli_ini_section *s;
    mmli_ini_entry *e;

    MML_CHECK(ini->n > 0, MML_E_FORMAT, "%s:%zu: %s stands before the first section", ini->path, p->number, key);
    s = &ini->sections[ini->n - 1];
    if ((p->indented || p->cut) && s->n > 0 && strcmp(s->entries[s->n - 1].key, key) == 0) {
        MML_TRY(append(p, &s->entries[s->n - 1], value));
        goto out;
    }
    for (size_t i = 0; i < s->n; i++)
        MML_CHECK(strcmp(s->entries[i].key, key) != 0, MML_E_FORMAT, "%s:%zu: %s was already given in line %zu", ini->path,
                  p->number, key, s->entries[i].line);
    MML_TRY(mmli_grow(&s->entries, &s->cap, s->n + 1, sizeof *s->entries));
    e = &s->entries[s->n];
    *e = (mmli_ini_entry){.line = p->number};
    MML_TRY(mmli_strdup(&e->key, key));
    if ((st = mmli_strdup(&e->value, value)) != MML_OK) {
        mmli_free(e->key);
        goto out;
    }
    s->n++;
out:
    return st;
}

static int on_entry(void *user, const char *section, const char *key, const char *value)
{
    parser *p = user;

    (void)section; /* it is the last one that the reader saw */
    if (p->st == MML_OK)
        p->st = add_entry(p, key, value);
    return p->st == MML_OK;
}

/* ---- what is handed over ------------------------------------------------------------------------------------------- */

/* The next line of the file, without its end. false at the end of the file or after a failure. */
static bool next_line(parser *p)
{
    int c;

    p->length = p->at = 0;
    p->cut = false;
    while ((c = getc(p->file)) != EOF && c != '\n') {
        if ((p->st = mmli_grow(&p->line, &p->cap, p->length + 2, 1)) != MML_OK)
            return false;
        p->line[p->length++] = (char)c;
    }
    if (c == EOF && p->length == 0)
        return false;
    if ((p->st = mmli_grow(&p->line, &p->cap, p->length + 1, 1)) != MML_OK)
        return false;
    while (p->length > 0 && p->line[p->length - 1] == '\r')
        p->length--;
    p->line[p->length] = '\0';
    p->number++;
    if (memchr(p->line, '\0', p->length) != NULL) {
        p->st = mmli_fail(MML_E_FORMAT, "%s:%zu: holds a zero byte: not a text file", p->ini->path, p->number);
        return false;
    }
    return true;
}

/* A comment after a value goes before the line is cut: inih would miss it in the second piece. */
static void drop_comment(parser *p)
{
    for (size_t i = 1; i < p->length; i++)
        if (p->line[i] == ';' && (p->line[i - 1] == ' ' || p->line[i - 1] == '\t')) {
            p->length = i;
            p->line[i] = '\0';
        }
}

/* Sections are noted here: inih tells of them only with the first entry. And lines that are nothing: inih does not
 * know our line numbers. */
static void look_at(parser *p)
{
    const mmli_ini_section *last = p->ini->n > 0 ? &p->ini->sections[p->ini->n - 1] : NULL;
    const char *s = p->line, *end;
    size_t n = p->length;

    if (p->number == 1 && n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0) {
        s += 3;
        n -= 3;
    }
    p->indented = n > 0 && (s[0] == ' ' || s[0] == '\t');
    mmli_trim(&s, &n);
    if (n == 0 || s[0] == ';' || s[0] == '#' || (p->indented && last != NULL && last->n > 0))
        return;
    if (s[0] == '[' && (end = memchr(s, ']', n)) != NULL)
        p->st = add_section(p, s + 1, (size_t)(end - s) - 1);
    else if (s[0] == '[' || (memchr(s, '=', n) == NULL && memchr(s, ':', n) == NULL))
        p->st = mmli_fail(MML_E_FORMAT, "%s:%zu: neither [section] nor key = value: %.*s", p->ini->path, p->number,
                          (int)(n < 60 ? n : 60), s);
}

/* May a line be cut before place i? After a comma, and what follows must not look like a comment. */
static bool can_cut(const parser *p, size_t i)
{
    size_t next = i;

    while (next < p->length && (p->line[next] == ' ' || p->line[next] == '\t'))
        next++;
    return p->line[i - 1] == ',' && (next == p->length || (p->line[next] != '#' && p->line[next] != ';'));
}

/* inih's fgets: at most size - 1 bytes. A piece that is not the first begins with a blank. */
static char *next_piece(char *out, int size, void *user)
{
    parser *p = user;
    const size_t room = (size_t)size - 3; /* a blank before, a line end and '\0' after */
    size_t n;

    if (p->st != MML_OK)
        return NULL;
    if (p->at < p->length) {
        p->cut = true;
    } else {
        if (!next_line(p))
            return NULL;
        drop_comment(p);
        look_at(p);
        if (p->st != MML_OK)
            return NULL;
    }
    n = p->length - p->at;
    if (n > room) {
        while (n > room || (n > 0 && !can_cut(p, p->at + n)))
            n--;
        if (n == 0) {
            p->st = mmli_fail(MML_E_FORMAT, "%s:%zu: more than %zu bytes without a comma", p->ini->path, p->number, room);
            return NULL;
        }
    }
    snprintf(out, (size_t)size, "%s%.*s\n", p->cut ? " " : "", (int)n, p->line + p->at);
    p->at += n;
    return out;
}

/* p.file is open; it is closed here. */
static mml_status parse(parser *p, const char *path)
{
    mml_status st = MML_OK;
    const int rc = ini_parse_stream(next_piece, p, on_entry, p);

    MML_TRY(p->st);
    MML_CHECK(!ferror(p->file), MML_E_IO, "%s: cannot be read", path);
    MML_CHECK(rc != -2, MML_E_NOMEM, "%s: out of memory", path);
    MML_CHECK(rc == 0, MML_E_FORMAT, "%s: there is a line that is neither [section] nor key = value", path);
out:
    fclose(p->file);
    mmli_free(p->line);
    return st;
}

mml_status mmli_ini_read(mmli_ini *out, const char *path)
{
    mml_status st = MML_OK;
    parser p = {.ini = out};
    char text[MMLI_ERRNO_BYTES];
    struct stat is;

    *out = (mmli_ini){0};
    MML_CHECK(path != NULL && path[0] != '\0', MML_E_ARG, "a file name is needed, this one is empty");
    MML_TRY(mmli_strdup(&out->path, path));
    MML_CHECK(stat(path, &is) == 0, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    MML_CHECK(S_ISREG(is.st_mode), MML_E_IO, "%s: is a folder or a device, a file is needed", path);
    MML_CHECK((p.file = fopen(path, "r")) != NULL, MML_E_IO, "%s: cannot be opened: %s", path,
              mmli_errno_text(text, errno));
    MML_TRY(parse(&p, path));
out:
    if (st != MML_OK)
        mmli_ini_free(out);
    return st;
}

mml_status mmli_ini_parse(mmli_ini *out, const char *text, const char *name)
{
    mml_status st = MML_OK;
    parser p = {.ini = out};

    *out = (mmli_ini){0};
    MML_TRY(mmli_strdup(&out->path, name));
    MML_CHECK(text[0] != '\0', MML_E_FORMAT, "%s: is empty", name); /* which fmemopen refuses */
    MML_CHECK((p.file = fmemopen((void *)(uintptr_t)text, strlen(text), "r")) != NULL, MML_E_NOMEM, "%s: out of memory", name);
    MML_TRY(parse(&p, name));
out:
    if (st != MML_OK)
        mmli_ini_free(out);
    return st;
}

void mmli_ini_free(mmli_ini *ini)
{
    for (size_t i = 0; i < ini->n; i++) {
        for (size_t j = 0; j < ini->sections[i].n; j++) {
            mmli_free(ini->sections[i].entries[j].key);
            mmli_free(ini->sections[i].entries[j].value);
        }
        mmli_free(ini->sections[i].entries);
        mmli_free(ini->sections[i].name);
    }
    mmli_free(ini->sections);
    mmli_free(ini->path);
    *ini = (mmli_ini){0};
}

/* ---- questions -------------------------------------------------------------------------------------------------------- */

const mmli_ini_entry *mmli_ini_find(const mmli_ini_section *section, const char *key)
{
    for (size_t i = 0; i < section->n; i++)
        if (strcmp(section->entries[i].key, key) == 0)
            return &section->entries[i];
    return NULL;
}

mml_status mmli_ini_check_keys(const mmli_ini *ini, const mmli_ini_section *section, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < section->n; i++) {
        const mmli_ini_entry *e = &section->entries[i];
        const char *near;
        char list[MMLI_LIST_BYTES];
        bool known = false;

        for (size_t k = 0; k < n; k++)
            known = known || strcmp(keys[k], e->key) == 0;
        if (known)
            continue;
        near = mmli_nearest(e->key, keys, n);
        return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] has no key %s%s%s%s; its keys are: %s", ini->path, e->line,
                         section->name, e->key, near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                         near != NULL ? "?)" : "", mmli_list(list, keys, n));
    }
    return MML_OK;
}

mml_status mmli_ini_list(char ***out, size_t *n_out, const char *value)
{
    mml_status st = MML_OK;
    char **items = NULL;
    size_t n = 0, cap = 0;

    *out = NULL;
    *n_out = 0;
    MML_TRY(mmli_calloc(&items, 1, sizeof *items));
    for (const char *s = value; *s != '\0';) {
        const char *item = s;
        size_t length = strcspn(s, ",\n");

        s += length + (s[length] != '\0');
        mmli_trim(&item, &length);
        if (length == 0)
            continue;
        MML_TRY(mmli_grow(&items, &cap, n + 1, sizeof *items));
        MML_TRY(mmli_calloc(&items[n], length + 1, 1));
        memcpy(items[n++], item, length);
    }
    *out = items;
    *n_out = n;
    items = NULL;
out:
    for (size_t i = 0; items != NULL && i < n; i++)
        mmli_free(items[i]);
    mmli_free(items);
    return st;
}
