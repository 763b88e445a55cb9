/* csv.c - zlib opens (or the caller does), csv_cut.c or libcsv cuts, this file counts rows and keeps the cells of one.
 *
 * Lines are taken one by one: that is how rows get the number that an editor shows. A line that csv_cut.c does not want goes to
 * libcsv, and so does what follows until libcsv is between two rows again. libcsv calls back and cannot be stopped from there, so
 * the first failure is kept and the rest of the line is ignored.
 */
#include "io/csv.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "io/csv_cut.h"
#include "io/inflate.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum {
    BLOCK_BYTES = 1 << 18,
    LINE_MOST = 1 << 23, /* a longer line is not kept whole: libcsv gets it piece by piece */
    CELL_MOST = 1 << 20  /* a quote that is never closed would swallow the file */
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
    char delimiter;
    mmli_csv_cut cut;
    mmli_buf bytes; /* of the cells of libcsv's row, each ended by '\0' */
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

static mml_status wrong_count(const reader *r, const mmli_cell *cells, size_t n)
{
    const char *hint = n == r->n_header + 1 && cells[0].n > 0
                           ? "; if R wrote row names, give them a column name in the header"
                           : "";

    return mmli_fail(MML_E_FORMAT, "%s: row %zu has %zu cell%s but the header has %zu%s", r->path, r->row, n,
                     n == 1 ? "" : "s", r->n_header, hint);
}

static mml_status deliver(reader *r, const mmli_cell *cells, size_t n)
{
    if (!r->has_header) {
        r->has_header = true;
        r->n_header = n;
        return r->handler->header(r->user, cells, n);
    }
    return n == r->n_header ? r->handler->row(r->user, r->row, cells, n) : wrong_count(r, cells, n);
}

static mml_status deliver_kept(reader *r)
{
    mml_status st = MML_OK;
    size_t begin = 0;

    MML_TRY(mmli_grow(&r->cells, &r->cap_cells, r->n, sizeof *r->cells));
    for (size_t i = 0; i < r->n; i++) {
        r->cells[i] = (mmli_cell){r->bytes.text + begin, r->ends[i] - begin};
        begin = r->ends[i] + 1;
    }
    MML_TRY(deliver(r, r->cells, r->n));
out:
    return st;
}

static void on_row(int end, void *user)
{
    reader *r = user;

    (void)end;
    if (r->st == MML_OK && r->in_row)
        r->st = deliver_kept(r);
    r->in_row = false;
    r->row = r->line; /* after a CR by itself the next one begins in the same line */
}

/* ---- blocks into lines into cells --------------------------------------------------------------------------------- */

static mml_status parse_error(const reader *r, struct csv_parser *p)
{
    if (csv_error(p) == CSV_ENOMEM || csv_error(p) == CSV_ETOOBIG)
        return mmli_fail(MML_E_NOMEM, "%s: out of memory in row %zu", r->path, r->row);
    return mmli_fail(MML_E_FORMAT,
                     "%s: row %zu: a quote (\") inside a cell; put the whole cell in quotes and double the quotes in it",
                     r->path, r->line);
}

static mml_status cell_too_long(const reader *r)
{
    return mmli_fail(MML_E_FORMAT, "%s: row %zu: a cell of more than %d MiB; is a quote (\") not closed?", r->path, r->row,
                     CELL_MOST >> 20);
}

/* A line, or the part of it that there is. */
static mml_status feed(reader *r, struct csv_parser *p, const char *s, size_t n)
{
    mml_status st = MML_OK;

    if (csv_parse(p, s, n, on_cell, on_row, r) != n && r->st == MML_OK) {
        st = parse_error(r, p);
        goto out;
    }
    MML_TRY(r->st);
    if (p->entry_pos > CELL_MOST)
        st = cell_too_long(r);
out:
    return st;
}

static mml_status deliver_cut(reader *r)
{
    for (size_t i = 0; i < r->cut.n; i++)
        if (r->cut.cells[i].n > CELL_MOST)
            return cell_too_long(r);
    return r->cut.n > 0 ? deliver(r, r->cut.cells, r->cut.n) : MML_OK;
}

/* whole: from its beginning to its '\n'. */
static mml_status take_line(reader *r, struct csv_parser *p, char *s, size_t n, bool whole)
{
    mml_status st = MML_OK;
    bool done = false;

    if (p->pstate == 0) /* libcsv is between rows */
        r->row = r->line;
    MML_CHECK(memchr(s, '\0', n) == NULL, MML_E_FORMAT, "%s: row %zu holds a zero byte: not a text file", r->path, r->line);
    if (whole && p->pstate == 0)
        MML_TRY(mmli_csv_cut_line(&done, &r->cut, s, n, r->delimiter));
    MML_TRY(done ? deliver_cut(r) : feed(r, p, s, n));
out:
    return st;
}

/* The lines that end in the block, and *used: their bytes. `begun`: the first has lost its beginning to libcsv already. */
static mml_status take_lines(size_t *used, reader *r, struct csv_parser *p, char *s, size_t n, bool begun)
{
    mml_status st = MML_OK;
    char *end;

    *used = 0;
    while ((end = memchr(s + *used, '\n', n - *used)) != NULL) {
        const size_t length = (size_t)(end - (s + *used)) + 1;

        MML_TRY(take_line(r, p, s + *used, length, !begun));
        begun = false;
        r->line++;
        *used += length;
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
static char find_delimiter(const char *s, size_t n)
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

/* The block, and what of it is in use. */
typedef struct block {
    char *text;
    size_t room, begin, n; /* bytes begin .. begin + n - 1 are to be read */
    bool begun;            /* libcsv has the beginning of the first line */
} block;

/* All lines that end in the block; the rest stays and the block grows, unless libcsv takes it. */
static mml_status take_block(reader *r, struct csv_parser *p, block *b)
{
    mml_status st = MML_OK;
    size_t used;

    MML_TRY(take_lines(&used, r, p, b->text + b->begin, b->n, b->begun));
    b->begun = b->begun && used == 0;
    b->begin += used;
    b->n -= used;
    if (b->n > 0 && (b->begun || p->pstate != 0 || b->n > LINE_MOST)) {
        MML_TRY(take_line(r, p, b->text + b->begin, b->n, false));
        b->begun = true;
        b->n = 0;
    }
    memmove(b->text, b->text + b->begin, b->n);
    b->begin = 0;
    if (b->n > b->room / 2)
        MML_TRY(mmli_grow(&b->text, &b->room, b->room + 1, 1));
out:
    return st;
}

static mml_status read_blocks(reader *r, struct csv_parser *p, const mmli_csv_input *in, block *b)
{
    mml_status st = MML_OK;
    size_t got;

    MML_TRY(mmli_grow(&b->text, &b->room, BLOCK_BYTES, 1));
    MML_TRY(in->read(&got, in->self, b->text, BLOCK_BYTES));
    MML_TRY(check_start(&b->begin, r->path, (const unsigned char *)b->text, got));
    b->n = got - b->begin;
    r->delimiter = find_delimiter(b->text + b->begin, b->n);
    csv_set_delim(p, (unsigned char)r->delimiter);
    while (got > 0) {
        MML_TRY(take_block(r, p, b));
        MML_TRY(in->read(&got, in->self, b->text + b->n, b->room - b->n));
        b->n += got;
    }
    if (b->n > 0) /* the last line has no end */
        MML_TRY(take_line(r, p, b->text, b->n, false));
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
    block b = {0};

    /* csv_init allocates nothing and fails for NULL only. */
    (void)csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_realloc_func(&p, grow_cell);
    csv_set_free_func(&p, mmli_free);
    csv_set_blk_size(&p, 64 << 10);
    MML_TRY(read_blocks(&r, &p, in, &b));
    MML_CHECK(r.has_header, MML_E_FORMAT, "%s: is empty; a header row is needed", name);
out:
    csv_free(&p);
    mmli_free(b.text);
    mmli_csv_cut_free(&r.cut);
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
