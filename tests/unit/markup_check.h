/* markup_check.h - is a page well-formed, and are the numbers in its plots numbers? */
#ifndef MMLT_MARKUP_CHECK_H
#define MMLT_MARKUP_CHECK_H

#include <stddef.h>

/* Asserts: tags close in order (but for void elements of HTML), attributes are quoted and not given twice, & begins an entity, no < in
 * texts and attributes; attributes of coordinates hold numbers and commands of paths only (no nan, no inf); ids are given once and
 * those referred to exist. <style> is skipped. */
void mmlt_assert_well_formed(const char *page);

/* How often a text occurs. */
size_t mmlt_count(const char *page, const char *text);
/* How often it occurs between the first `from` and the next `to` after it; asserts that both are there. */
size_t mmlt_count_between(const char *page, const char *from, const char *to, const char *text);

#endif
