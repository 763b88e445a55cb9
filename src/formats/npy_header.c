/* npy_header.c - {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, and structured types as lists of
 * (name, type). Only what NumPy writes is understood: strings, True and False, whole numbers, tuples, lists. */
#include "formats/npy_header.h"

#include <stdio.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum { MOST_FIELDS = 10000, WORD_BYTES = 512 };

typedef struct scanner {
    const char *s, *end, *name;
    mmli_npy *a;
    size_t cap_fields;
} scanner;

static mml_status damaged(const scanner *p, const char *wanted)
{
    return mmli_fail(MML_E_FORMAT, "%s: the header is damaged: %s expected", p->name, wanted);
}

static void blanks(scanner *p)
{
    while (p->s < p->end && (*p->s == ' ' || *p->s == '\n' || *p->s == '\t' || *p->s == '\r'))
        p->s++;
}

/* Takes one character after blanks, if it comes next. */
static bool take(scanner *p, char c)
{
    blanks(p);
    if (p->s == p->end || *p->s != c)
        return false;
    p->s++;
    return true;
}

static bool take_word(scanner *p, const char *word)
{
    const size_t n = strlen(word);

    blanks(p);
    if ((size_t)(p->end - p->s) < n || memcmp(p->s, word, n) != 0)
        return false;
    p->s += n;
    return true;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A string of Python; version 1 and 2 write what is not ASCII as \xE9. */
static mml_status take_string(scanner *p, char word[WORD_BYTES])
{
    size_t n = 0;
    char quote;

    blanks(p);
    if (p->s < p->end && *p->s == 'u') /* Python 2 */
        p->s++;
    if (p->s == p->end || (*p->s != '\'' && *p->s != '"'))
        return damaged(p, "a string");
    for (quote = *p->s++; p->s < p->end && *p->s != quote; n++) {
        if (n + 1 >= WORD_BYTES)
            return mmli_fail(MML_E_FORMAT, "%s: the header has a string of more than %d bytes", p->name, WORD_BYTES - 1);
        if (*p->s == '\0' || *p->s == '\n')
            return damaged(p, "the end of a string");
        if (*p->s != '\\') {
            word[n] = *p->s++;
            continue;
        }
        if (p->end - p->s >= 2 && (p->s[1] == '\\' || p->s[1] == '\'' || p->s[1] == '"')) {
            word[n] = p->s[1];
            p->s += 2;
        } else if (p->end - p->s >= 4 && p->s[1] == 'x' && hex(p->s[2]) >= 0 && hex(p->s[3]) >= 0 &&
                   hex(p->s[2]) * 16 + hex(p->s[3]) >= 32) {
            word[n] = '?'; /* a letter outside of ASCII in a field's name */
            p->s += 4;
        } else {
            return damaged(p, "a plain string");
        }
    }
    word[n] = '\0';
    return p->s++ < p->end ? MML_OK : damaged(p, "the end of a string");
}

static mml_status take_size(scanner *p, size_t *out)
{
    const char *start;

    *out = 0;
    blanks(p);
    for (start = p->s; p->s < p->end && *p->s >= '0' && *p->s <= '9'; p->s++)
        if (!mmli_mul_size(out, *out, 10) || __builtin_add_overflow(*out, (size_t)(*p->s - '0'), out))
            return mmli_fail(MML_E_FORMAT, "%s: the header has a size that is too large", p->name);
    if (p->s == start)
        return damaged(p, "a size");
    if (p->s < p->end && *p->s == 'L') /* Python 2 */
        p->s++;
    return MML_OK;
}

/* ---- types ------------------------------------------------------------------------------------------------------------- */

static bool number_of(mmli_number *out, char kind, size_t size)
{
    static const struct {
        char kind;
        uint8_t size, number;
    } known[] = {{'b', 1, MMLI_BOOL}, {'i', 1, MMLI_I8},  {'i', 2, MMLI_I16}, {'i', 4, MMLI_I32}, {'i', 8, MMLI_I64},
                 {'u', 1, MMLI_U8},   {'u', 2, MMLI_U16}, {'u', 4, MMLI_U32}, {'u', 8, MMLI_U64}, {'f', 2, MMLI_F16},
                 {'f', 4, MMLI_F32},  {'f', 8, MMLI_F64}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].kind == kind && known[i].size == size) {
            *out = (mmli_number)known[i].number;
            return true;
        }
    return false;
}

static mml_status refuse(const scanner *p, const char *word, const char *field, const char *why)
{
    return mmli_fail(MML_E_FORMAT, "%s: %s%s%stype '%s': %s", p->name, field[0] != '\0' ? "field " : "", field,
                     field[0] != '\0' ? ", " : "", word, why);
}

/* '<f8', '|S10', '>U4', '?' -> class, number, size. */
static mml_status type_of(const scanner *p, mmli_npy_field *f, const char *word, const char *field)
{
    const char *s = word;
    size_t size = 0;
    bool digits = false;
    char kind;

    if (strcmp(s, "?") == 0)
        s = "|b1";
    if (*s == '<' || *s == '>' || *s == '|' || *s == '=')
        f->big_endian = *s++ == '>';
    kind = *s != '\0' ? *s++ : '\0';
    if (kind == 'O')
        return refuse(p, word, field, "an object array, holds a Python pickle, which is a program and is not run here; in "
                      "Python: numpy.save(FILE, x.astype(float)), or ids as numpy.array(x, str)");
    for (; *s >= '0' && *s <= '9'; s++, digits = true)
        if (!mmli_mul_size(&size, size, 10) || __builtin_add_overflow(size, (size_t)(*s - '0'), &size))
            return refuse(p, word, field, "too large");
    if (kind == 'c')
        return refuse(p, word, field, "complex numbers are not read; save real and imaginary part");
    if (kind == 'M' || kind == 'm')
        return refuse(p, word, field, "dates and durations are not read; save them as a number of days or hours");
    if (*s != '\0' || !digits)
        return refuse(p, word, field, "not a type that is read");
    f->size = size;
    if (kind == 'S' || kind == 'a' || kind == 'U') {
        f->cls = kind == 'U' ? MMLI_NPY_UNICODE : MMLI_NPY_BYTES;
        if (kind == 'U' && !mmli_mul_size(&f->size, size, 4)) /* UTF-32 */
            return refuse(p, word, field, "too large");
        return MML_OK;
    }
    return number_of(&f->number, kind, size) ? MML_OK : refuse(p, word, field, "not a type that is read");
}

static mml_status add_field(scanner *p, const char *name, const char *word)
{
    mml_status st = MML_OK;
    mmli_npy *a = p->a;
    mmli_npy_field f = {.at = a->record};

    /* Padding of a C struct: '|V4' under no name. */
    if (name[0] == '\0' && a->n_fields > 0 && strncmp(word, "|V", 2) == 0) {
        size_t pad;
        const char *s = p->s, *end = p->end;

        p->s = word + 2;
        p->end = word + strlen(word);
        st = take_size(p, &pad);
        p->s = s;
        p->end = end;
        MML_TRY(st);
        MML_CHECK(!__builtin_add_overflow(a->record, pad, &a->record), MML_E_FORMAT, "%s: records are too large", p->name);
        goto out;
    }
    MML_TRY(type_of(p, &f, word, name));
    for (size_t i = 0; i < a->n_fields; i++)
        MML_CHECK(strcmp(a->fields[i].name, name) != 0, MML_E_FORMAT, "%s: two fields are called %s", p->name, name);
    MML_CHECK(a->n_fields < MOST_FIELDS, MML_E_FORMAT, "%s: more than %d fields", p->name, MOST_FIELDS);
    MML_CHECK(!__builtin_add_overflow(a->record, f.size, &a->record), MML_E_FORMAT, "%s: records are too large", p->name);
    MML_TRY(mmli_grow(&a->fields, &p->cap_fields, a->n_fields + 1, sizeof *a->fields));
    MML_TRY(mmli_strdup(&f.name, name));
    a->fields[a->n_fields++] = f;
out:
    return st;
}

/* [('event', '?'), ('time', '<f8')] */
static mml_status take_fields(scanner *p)
{
    mml_status st = MML_OK;
    char name[WORD_BYTES], word[WORD_BYTES];

    while (!take(p, ']')) {
        MML_CHECK(take(p, '('), MML_E_FORMAT, "%s: the header is damaged: (name, type) expected", p->name);
        blanks(p);
        MML_CHECK(p->s == p->end || *p->s != '(', MML_E_FORMAT, "%s: a field with a title is not read", p->name);
        MML_TRY(take_string(p, name));
        MML_CHECK(take(p, ','), MML_E_FORMAT, "%s: the header is damaged: (name, type) expected", p->name);
        blanks(p);
        MML_CHECK(p->s == p->end || *p->s != '[', MML_E_FORMAT,
                  "%s: field %s is a record itself: only fields of numbers and texts are read", p->name, name);
        MML_TRY(take_string(p, word));
        MML_CHECK(!take(p, ','), MML_E_FORMAT, "%s: field %s is an array itself: only fields of numbers and texts are read",
                  p->name, name);
        MML_CHECK(take(p, ')'), MML_E_FORMAT, "%s: the header is damaged: ) expected", p->name);
        MML_TRY(add_field(p, name, word));
        if (!take(p, ',')) {
            MML_CHECK(take(p, ']'), MML_E_FORMAT, "%s: the header is damaged: ] expected", p->name);
            break;
        }
    }
    MML_CHECK(p->a->n_fields > 0, MML_E_FORMAT, "%s: records without fields", p->name);
out:
    return st;
}

static mml_status take_descr(scanner *p)
{
    mml_status st = MML_OK;
    char word[WORD_BYTES];

    if (take(p, '['))
        return take_fields(p);
    MML_TRY(take_string(p, word));
    MML_TRY(add_field(p, "", word));
out:
    return st;
}

static mml_status take_shape(scanner *p)
{
    mml_status st = MML_OK;
    mmli_npy *a = p->a;

    MML_CHECK(take(p, '('), MML_E_FORMAT, "%s: the header is damaged: a shape expected", p->name);
    while (!take(p, ')')) {
        MML_CHECK(a->rank < MMLI_NPY_MAX_RANK, MML_E_FORMAT, "%s: more than %d dimensions", p->name, MMLI_NPY_MAX_RANK);
        MML_TRY(take_size(p, &a->dims[a->rank++]));
        if (!take(p, ',')) {
            MML_CHECK(take(p, ')'), MML_E_FORMAT, "%s: the header is damaged: ) expected", p->name);
            break;
        }
    }
out:
    return st;
}

mml_status mmli_npy_header(mmli_npy *a, const char *text, size_t n, const char *name)
{
    mml_status st = MML_OK;
    scanner p = {.s = text, .end = text + n, .name = name, .a = a};
    char key[WORD_BYTES];
    bool has_descr = false, has_order = false, has_shape = false;

    MML_CHECK(take(&p, '{'), MML_E_FORMAT, "%s: the header is damaged: { expected", name);
    while (!take(&p, '}')) {
        MML_TRY(take_string(&p, key));
        MML_CHECK(take(&p, ':'), MML_E_FORMAT, "%s: the header is damaged: : expected", name);
        if (strcmp(key, "descr") == 0 && !has_descr) {
            has_descr = true;
            MML_TRY(take_descr(&p));
        } else if (strcmp(key, "fortran_order") == 0 && !has_order) {
            has_order = true;
            a->fortran = take_word(&p, "True");
            MML_CHECK(a->fortran || take_word(&p, "False"), MML_E_FORMAT, "%s: fortran_order is neither True nor False", name);
        } else if (strcmp(key, "shape") == 0 && !has_shape) {
            has_shape = true;
            MML_TRY(take_shape(&p));
        } else {
            st = mmli_fail(MML_E_FORMAT, "%s: the header has %s twice, or it does not belong there", name, key);
            goto out;
        }
        if (!take(&p, ',')) {
            MML_CHECK(take(&p, '}'), MML_E_FORMAT, "%s: the header is damaged: } expected", name);
            break;
        }
    }
    blanks(&p);
    MML_CHECK(p.s == p.end, MML_E_FORMAT, "%s: the header is damaged: something follows its }", name);
    MML_CHECK(has_descr && has_order && has_shape, MML_E_FORMAT, "%s: the header lacks descr, fortran_order or shape", name);
out:
    return st;
}
