/* csv.c - zlib opens (or the caller does), libcsv cuts, this file counts rows and keeps the cells of one.
 *
 * libcsv calls back and cannot be stopped from there, so the first failure is kept and the rest of the block is
 * ignored. Lines are handed to it one by one: that is how rows get the number that an editor shows.
 */
#include "io/csv.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "io/inflate.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum {
    BLOCK_BYTES = 1 << 18,
    CELL_MOST = 1 << 20 /* a quote that is never closed would swallow the file */
};

typedef struct reader {
    const char *path;
    const mmli_csv_handler *handler;
    void *user;
    mml_status st; /* first failure */
    size_t line;   /* of the file, from 1 */
    size_t row;    /* line where the row began that is being read */
    bool in_row, has_header;
    size_t n_header;
    mmli_buf bytes; /* of the cells of the row, each ended by '\0' */
    size_t *ends;   /* (n) end of cell i in bytes, without its '\0' */
    size_t n, cap_ends;
    mmli_cell *cells;
    size_t cap_cells;
} reader;

static void on_cell(void *text, size_t n, void *user)
{
    reader *r = user;
    const char *s = text;

    if (r->st != MML_OK)
        return;
    if (!r->in_row) {
        r->in_row = true;
        r->n = 0;
        r->bytes.len = 0;
    }
    if ((r->st = mmli_grow(&r->ends, &r->cap_ends, r->n + 1, sizeof *r->ends)) != MML_OK ||
        (n > 0 && (r->st = mmli_buf_add(&r->bytes, s, n)) != MML_OK))
        return;
    r->ends[r->n++] = r->bytes.len;
    r->st = mmli_buf_add(&r->bytes, "", 1);
}

static mml_status wrong_count(const reader *r)
{
    const char *hint = r->n == r->n_header + 1 && r->bytes.text[0] != '\0'
                           ? "; if R wrote row names, give them a column name in the header"
                           : "";

    return mmli_fail(MML_E_FORMAT, "%s: row %zu has %zu cell%s but the header has %zu%s", r->path, r->row, r->n,
                     r->n == 1 ? "" : "s", r->n_header, hint);
}

static mml_status deliver(reader *r)
{
    mml_status st = MML_OK;
    size_t begin = 0;

    MML_TRY(mmli_grow(&r->cells, &r->cap_cells, r->n, sizeof *r->cells));
    for (size_t i = 0; i < r->n; i++) {
        r->cells[i] = (mmli_cell){r->bytes.text + begin, r->ends[i] - begin};
        begin = r->ends[i] + 1;
    }
    if (!r->has_header) {
        r->has_header = true;
        r->n_header = r->n;
        MML_TRY(r->handler->header(r->user, r->cells, r->n));
        goto out;
    }
    if (r->n != r->n_header) {
        st = wrong_count(r);
        goto out;
    }
    MML_TRY(r->handler->row(r->user, r->row, r->cells, r->n));
out:
    return st;
}

static void on_row(int end, void *user)
{
    reader *r = user;

    (void)end;
    if (r->st == MML_OK && r->in_row)
        r->st = deliver(r);
    r->in_row = false;
}

/* ---- blocks into lines into libcsv ------------------------------------------------------------------------------- */

static mml_status parse_error(const reader *r, struct csv_parser *p)
{
    if (csv_error(p) == CSV_ENOMEM || csv_error(p) == CSV_ETOOBIG)
        return mmli_fail(MML_E_NOMEM, "%s: out of memory in row %zu", r->path, r->row);
    return mmli_fail(MML_E_FORMAT,
                     "%s: row %zu: a quote (\") inside a cell; put the whole cell in quotes and double the quotes in it",
                     r->path, r->line);
}

/* One line, or the part of it that the block holds. */
static mml_status feed(reader *r, struct csv_parser *p, const char *s, size_t n)
{
    mml_status st = MML_OK;

    if (p->pstate == 0) /* libcsv is between rows */
        r->row = r->line;
    MML_CHECK(memchr(s, '\0', n) == NULL, MML_E_FORMAT, "%s: row %zu holds a zero byte: not a text file", r->path, r->line);
    if (csv_parse(p, s, n, on_cell, on_row, r) != n && r->st == MML_OK) {
        st = parse_error(r, p);
        goto out;
    }
    MML_TRY(r->st);
    MML_CHECK(p->entry_pos <= CELL_MOST, MML_E_FORMAT,
              "%s: row %zu: a cell of more than %d MiB; is a quote (\") not closed?", r->path, r->row, CELL_MOST >> 20);
out:
    return st;
}

static mml_status feed_block(reader *r, struct csv_parser *p, const char *s, size_t n)
{
    mml_status st = MML_OK;

    while (n > 0) {
        const char *end = memchr(s, '\n', n);
        const size_t length = end == NULL ? n : (size_t)(end - s) + 1;

        MML_TRY(feed(r, p, s, length));
        r->line += end != NULL;
        s += length;
        n -= length;
    }
out:
    return st;
}

/* What the first bytes say: *skip = length of a byte-order mark. */
static mml_status check_start(size_t *skip, const char *path, const unsigned char *s, size_t n)
{
    mml_status st = MML_OK;

    *skip = n >= 3 && s[0] == 0xEF && s[1] == 0xBB && s[2] == 0xBF ? 3 : 0;
    MML_CHECK(n > *skip, MML_E_FORMAT, "%s: is empty; a header row is needed", path);
    MML_CHECK(n < 4 || memcmp(s, "PK\3\4", 4) != 0, MML_E_FORMAT, "%s: is a zip archive; unpack it first", path);
    MML_CHECK(n < 2 || memcmp(s, "\x1f\x8b", 2) != 0, MML_E_FORMAT, "%s: is packed by gzip once more; unpack it first", path);
    MML_CHECK(n < 4 || memcmp(s, "\x89HDF", 4) != 0, MML_E_FORMAT,
              "%s: is an HDF5 file, not a CSV; name the array in it (dataset = ...)", path);
    MML_CHECK(n < 2 || !((s[0] == 0xFF && s[1] == 0xFE) || (s[0] == 0xFE && s[1] == 0xFF)), MML_E_FORMAT,
              "%s: is UTF-16; save it as UTF-8", path);
out:
    return st;
}

/* What divides the cells: a comma, or in a first line without any a tab or a semicolon. */
static unsigned char find_delimiter(const char *s, size_t n)
{
    size_t tabs = 0, semicolons = 0;
    bool quoted = false;

    for (size_t i = 0; i < n && (quoted || (s[i] != '\n' && s[i] != '\r')); i++) {
        quoted = quoted != (s[i] == '"');
        if (s[i] == ',' && !quoted)
            return ',';
        tabs += s[i] == '\t' && !quoted;
        semicolons += s[i] == ';' && !quoted;
    }
    return tabs > 0 ? '\t' : semicolons > 0 ? ';' : ',';
}

static mml_status gz_trouble(const char *path, gzFile file)
{
    int code = 0;
    const char *text = gzerror(file, &code);
    char words[MMLI_ERRNO_BYTES];

    if (code == Z_ERRNO)
        return mmli_fail(MML_E_IO, "%s: cannot be read: %s", path, mmli_errno_text(words, errno));
    if (code == Z_MEM_ERROR)
        return mmli_fail(MML_E_NOMEM, "%s: out of memory", path);
    return mmli_fail(MML_E_FORMAT, "%s: is damaged or truncated (gzip: %s)", path, text);
}

/* A file through zlib, which hands on what is not gzip as it is. */
typedef struct gz_input {
    const char *path;
    gzFile file;
    uint64_t inflated;
} gz_input;

static mml_status gz_read(size_t *n, void *self, void *to, size_t room)
{
    gz_input *g = self;
    const int got = gzread(g->file, to, (unsigned)room);
    int code = Z_OK;

    *n = 0;
    if (got <= 0)
        (void)gzerror(g->file, &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) /* Z_BUF_ERROR: the stream ends too early */
        return gz_trouble(g->path, g->file);
    *n = (size_t)got;
    g->inflated += *n;
    return gzdirect(g->file) ? MML_OK : mmli_inflate_check(g->path, (uint64_t)gzoffset(g->file), g->inflated);
}

static mml_status read_blocks(reader *r, struct csv_parser *p, const mmli_csv_input *in, char *block)
{
    mml_status st = MML_OK;
    size_t skip, n;

    MML_TRY(in->read(&n, in->self, block, BLOCK_BYTES));
    MML_TRY(check_start(&skip, r->path, (const unsigned char *)block, n));
    csv_set_delim(p, find_delimiter(block + skip, n - skip));
    while (n > 0) {
        MML_TRY(feed_block(r, p, block + skip, n - skip));
        skip = 0;
        MML_TRY(in->read(&n, in->self, block, BLOCK_BYTES));
    }
    if (csv_fini(p, on_cell, on_row, r) != 0 && r->st == MML_OK)
        st = mmli_fail(MML_E_FORMAT, "%s: a quoted cell that begins in row %zu is never closed", r->path, r->row);
    else
        st = r->st;
out:
    return st;
}

static void *grow_cell(void *p, size_t n)
{
    return mmli_realloc(&p, n, 1) == MML_OK ? p : NULL;
}

static mml_status check_file(const char *path)
{
    char text[MMLI_ERRNO_BYTES];
    struct stat is;

    if (stat(path, &is) != 0)
        return mmli_fail(MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    if (!S_ISREG(is.st_mode))
        return mmli_fail(MML_E_IO, "%s: is a folder or a device, a file is needed", path);
    return MML_OK;
}

mml_status mmli_csv_read_from(const mmli_csv_input *in, const char *name, const mmli_csv_handler *handler, void *user)
{
    mml_status st = MML_OK;
    reader r = {.path = name, .handler = handler, .user = user, .line = 1, .row = 1};
    struct csv_parser p;
    char *block = NULL;

    /* csv_init allocates nothing and fails for NULL only. */
    (void)csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_realloc_func(&p, grow_cell);
    csv_set_free_func(&p, mmli_free);
    csv_set_blk_size(&p, 64 << 10);
    MML_TRY(mmli_calloc(&block, BLOCK_BYTES, 1));
    MML_TRY(read_blocks(&r, &p, in, block));
    MML_CHECK(r.has_header, MML_E_FORMAT, "%s: is empty; a header row is needed", name);
out:
    csv_free(&p);
    mmli_free(block);
    mmli_buf_free(&r.bytes);
    mmli_free(r.ends);
    mmli_free(r.cells);
    return st;
}

mml_status mmli_csv_read(const char *path, const mmli_csv_handler *handler, void *user)
{
    mml_status st = MML_OK;
    gz_input gz = {.path = path};
    char text[MMLI_ERRNO_BYTES];

    MML_TRY(check_file(path));
    errno = 0;
    MML_CHECK((gz.file = gzopen(path, "rb")) != NULL, errno == 0 || errno == ENOMEM ? MML_E_NOMEM : MML_E_IO,
              "%s: cannot be opened: %s", path, mmli_errno_text(text, errno == 0 ? ENOMEM : errno));
    MML_TRY(mmli_csv_read_from(&(mmli_csv_input){gz_read, &gz}, path, handler, user));
out:
    if (gz.file != NULL)
        gzclose(gz.file);
    return st;
}
