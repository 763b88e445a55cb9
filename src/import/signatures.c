/* signatures.c - see signatures.h. */
#include "import/signatures.h"

#include <stdlib.h>
#include <string.h>

#include "import/sheet.h"
#include "io/h5.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct reading {
    const char *path;
    const char *const *columns;
    size_t n;         /* columns of the table */
    mmli_index genes; /* of their genes: the first column of each */
    char **gene;      /* (n) own: without the suffix */
    size_t *next;     /* (n) another column of the same gene, or SIZE_MAX */
    char **names;     /* (n_names) of the signatures */
    size_t n_names, first;
    bool composition; /* a row a gene */
    uint8_t *member;  /* (n_names, n) */
} reading;

/* A name without the suffix of its modality. */
static mml_status gene_of(char **out, const char *column)
{
    static const char *const suffixes[] = {"_mut", "_cnv", "_rnaseq", "_rna"};
    const size_t n = strlen(column);
    size_t end = n;

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (n > strlen(suffixes[i]) && strcmp(column + n - strlen(suffixes[i]), suffixes[i]) == 0)
            end = n - strlen(suffixes[i]);
    return mmli_strf(out, "%.*s", (int)end, column);
}

static mml_status index_genes(reading *r)
{
    mml_status st = MML_OK;
    size_t first, second;

    MML_TRY(mmli_calloc(&r->gene, r->n, sizeof *r->gene));
    MML_TRY(mmli_calloc(&r->next, r->n, sizeof *r->next));
    for (size_t i = 0; i < r->n; i++)
        MML_TRY(gene_of(&r->gene[i], r->columns[i]));
    MML_TRY(mmli_index_make(&r->genes, (const char *const *)r->gene, r->n, &first, &second));
    for (size_t i = 0; i < r->n; i++)
        r->next[i] = SIZE_MAX;
    for (size_t i = 0; i < r->n; i++) {
        const size_t head = mmli_index_find(&r->genes, r->gene[i], strlen(r->gene[i]));

        if (head == i)
            continue;
        r->next[i] = r->next[head];
        r->next[head] = i;
    }
out:
    return st;
}

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    size_t total;

    r->composition = n > 1 && strcmp(cells[0].text, "gene") == 0;
    r->first = r->composition || (n > 1 && mmli_sheet_is_index(cells[0].text)) ? 1 : 0;
    MML_CHECK(mmli_mul_size(&total, n - r->first, r->n), MML_E_NOMEM, "%s: too many signatures", r->path);
    MML_TRY(mmli_calloc(&r->names, n, sizeof *r->names));
    for (size_t i = r->first; i < n; i++) {
        MML_TRY(mmli_strdup(&r->names[r->n_names], cells[i].text));
        r->n_names++;
    }
    MML_TRY(mmli_calloc(&r->member, total, 1));
out:
    return st;
}

static void add(reading *r, size_t signature, const char *gene, size_t n)
{
    for (size_t i = mmli_index_find(&r->genes, gene, n); i != SIZE_MAX; i = r->next[i])
        r->member[signature * r->n + i] = 1;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    double x;

    for (size_t i = r->first; i < n; i++) {
        const mmli_cell *cell = &cells[i];

        if (!r->composition) {
            if (cell->n > 0) /* NA would be a gene too */
                add(r, i - r->first, cell->text, cell->n);
            continue;
        }
        MML_CHECK(mmli_parse_double(&x, cell->text, cell->n) && (x == 0 || x == 1), MML_E_DATA,
                  "%s: row %zu, column %s: \"%.80s\" is neither 0 nor 1", r->path, row, r->names[i - r->first], cell->text);
        if (x == 1)
            add(r, i - r->first, cells[0].text, cells[0].n);
    }
out:
    return st;
}

typedef struct named {
    const char *name;
    size_t place;
} named;

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* Columns that are in a signature, sorted; signatures that have a column, in the order of the file. */
static mml_status gather(mmli_signatures *out, mmli_buf *notes, const reading *r)
{
    mml_status st = MML_OK;
    named *list = NULL;

    MML_TRY(mmli_calloc(&list, r->n, sizeof *list));
    for (size_t i = 0; i < r->n; i++)
        for (size_t s = 0; s < r->n_names; s++)
            if (r->member[s * r->n + i]) {
                list[out->width++] = (named){r->columns[i], i};
                break;
            }
    MML_CHECK(out->width > 0, MML_E_DATA, "%s: none of the %zu columns of the modality is a gene of one of its %zu signatures; columns look like "
              "\"%.100s\"", r->path, r->n, r->n_names, r->columns[0]);
    qsort(list, out->width, sizeof *list, by_name);
    MML_TRY(mmli_calloc(&out->columns, out->width, sizeof *out->columns));
    MML_TRY(mmli_calloc(&out->member, r->n_names * out->width, 1)); /* not more than r->member */
    for (size_t k = 0; k < out->width; k++)
        out->columns[k] = list[k].place;
    for (size_t s = 0; s < r->n_names; s++) {
        size_t count = 0;

        for (size_t k = 0; k < out->width; k++) {
            out->member[out->n * out->width + k] = r->member[s * r->n + out->columns[k]];
            count += out->member[out->n * out->width + k];
        }
        MML_TRY(mmli_buf_printf(notes, "  signature %.200s: %zu %s%s\n", r->names[s], count, mmli_by_number(count, "column", "columns"),
                                count == 0 ? ", so no token" : ""));
        out->n += count > 0;
    }
    MML_TRY(mmli_buf_printf(notes, "  %zu of %zu %s left out: in no signature\n", r->n - out->width, r->n, mmli_by_number(r->n, "column", "columns")));
out:
    mmli_free(list);
    return st;
}

mml_status mmli_signatures_read(mmli_signatures *out, mmli_buf *notes, const char *path, const char *const *columns, size_t n)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;
    reading r = {.path = path, .columns = columns, .n = n};

    *out = (mmli_signatures){0};
    MML_TRY(index_genes(&r));
    MML_TRY(mmli_csv_file_read(path, &handler, &r));
    MML_TRY(gather(out, notes, &r));
out:
    mmli_index_free(&r.genes);
    mmli_h5_texts_free(r.gene, r.gene != NULL ? n : 0);
    mmli_free(r.next);
    mmli_h5_texts_free(r.names, r.n_names);
    mmli_free(r.member);
    if (st != MML_OK)
        mmli_signatures_free(out);
    return st;
}

void mmli_signatures_free(mmli_signatures *s)
{
    mmli_free(s->columns);
    mmli_free(s->member);
    *s = (mmli_signatures){0};
}
