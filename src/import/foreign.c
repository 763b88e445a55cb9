/* foreign.c - see foreign.h. The marks of the formats: formats.md 6 and 9 of the project's notes, and the formats' own
 * documents (PAR1, RDX, DICM at 128, ARROW1, NIfTI n+1 at 344, zip members of Office Open XML). */
#include "import/foreign.h"

#include <stdio.h>
#include <string.h>

#include "import/probe.h"
#include "util/error.h"

static const mmli_foreign torch = {
    "a PyTorch file: a program in Python's pickle format, which is not run",
    "python3 -c 'import torch, safetensors.torch as s; t = torch.load(\"FILE\", weights_only=True, map_location=\"cpu\")\n"
    "s.save_file({k: v.contiguous().clone() for k, v in (t if isinstance(t, dict) else {\"x\": t}).items()}, \"FILE.safetensors\")'"};
static const mmli_foreign pickle = {
    "a Python pickle: a program, which is not run",
    "python3 -c 'import pandas, numpy; x = pandas.read_pickle(\"FILE\") # only if you trust where it comes from\n"
    "pandas.DataFrame(x).to_csv(\"FILE.csv\")'"};
static const mmli_foreign rds = {
    "an R object (.rds)",
    "Rscript -e 'x <- readRDS(\"FILE\")\n"
    "write.csv(as.data.frame(x), \"FILE.csv\")'"};
static const mmli_foreign rdata = {
    "an R workspace (.RData)",
    "Rscript -e 'n <- load(\"FILE\")\n"
    "for (i in n) write.csv(as.data.frame(get(i)), paste0(i, \".csv\"))'"};
static const mmli_foreign parquet = {
    "a Parquet file",
    "python3 -c 'import pandas\n"
    "pandas.read_parquet(\"FILE\").to_csv(\"FILE.csv\")'"};
static const mmli_foreign feather = {
    "a Feather (Arrow) file",
    "python3 -c 'import pandas\n"
    "pandas.read_feather(\"FILE\").to_csv(\"FILE.csv\", index=False)'"};
static const mmli_foreign dicom = {
    "a DICOM image; it may hold the name of the patient",
    "python3 -c 'import pydicom; from PIL import Image; x = pydicom.dcmread(\"FILE\").pixel_array.astype(float)\n"
    "Image.fromarray((255 * (x - x.min()) / max(x.max() - x.min(), 1)).astype(\"uint8\")).save(\"FILE.png\")'"};
static const mmli_foreign excel = {
    "an Excel workbook",
    "python3 -c 'import pandas\n"
    "pandas.read_excel(\"FILE\").to_csv(\"FILE.csv\", index=False)'"};
static const mmli_foreign nifti = {
    "a NIfTI image",
    "python3 -c 'import nibabel, numpy\n"
    "numpy.save(\"FILE.npy\", nibabel.load(\"FILE\").get_fdata(dtype=\"float32\"))'"};

static bool text_has(const mmli_probe *p, size_t at, const char *bytes)
{
    const size_t n = strlen(bytes);

    return !p->folder && p->n_text >= at + n && memcmp(p->text + at, bytes, n) == 0;
}

/* Does the name of the first member of a zip end so? (The member's name follows its 30 bytes of header.) */
static bool first_member_ends(const mmli_probe *p, const char *ending)
{
    const size_t m = strlen(ending);
    size_t n;

    if (!mmli_probe_begins(p, "PK\3\4", 4) || p->n < 30)
        return false;
    n = (size_t)p->bytes[26] | (size_t)p->bytes[27] << 8;
    return n >= m && p->n >= 30 + n && memcmp(p->bytes + 30 + n - m, ending, m) == 0;
}

const mmli_foreign *mmli_foreign_of(const mmli_probe *p)
{
    if (first_member_ends(p, "data.pkl"))
        return &torch;
    if (mmli_probe_begins(p, "\x80", 1) && p->n > 2 && p->bytes[1] >= 2 && p->bytes[1] <= 5)
        return mmli_probe_ends(p, ".pt") || mmli_probe_ends(p, ".pth") ? &torch : &pickle;
    if (text_has(p, 0, "RDX2\n") || text_has(p, 0, "RDX3\n"))
        return &rdata;
    if (text_has(p, 0, "X\n") && p->n_text > 6 && p->text[2] == 0)
        return &rds;
    if (mmli_probe_begins(p, "PAR1", 4))
        return &parquet;
    if (mmli_probe_begins(p, "ARROW1", 6))
        return &feather;
    if (text_has(p, 128, "DICM"))
        return &dicom;
    if (first_member_ends(p, "[Content_Types].xml") || mmli_probe_ends(p, ".xlsx"))
        return &excel;
    if (p->n_text > 348 && memcmp(p->text + 344, "n+1", 4) == 0)
        return &nifti;
    return NULL;
}

/* Can the name stand in a command as it is? Others stay FILE: nobody pastes what a file's name would run. */
static const char *name_in_command(const char *path)
{
    const size_t plain = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+-");

    return path[plain] == '\0' && path[0] != '-' ? path : "FILE";
}

mml_status mmli_foreign_fail(const mmli_foreign *f, const char *path)
{
    char recipe[1600];
    const char *name = name_in_command(path);
    size_t n = 0;

    for (const char *p = f->recipe; *p != '\0' && n + 1 < sizeof recipe;) {
        if (strncmp(p, "FILE", 4) == 0) {
            const int wrote = snprintf(recipe + n, sizeof recipe - n, "%s", name);

            n = wrote < 0 || (size_t)wrote >= sizeof recipe - n ? sizeof recipe - 1 : n + (size_t)wrote;
            p += 4;
        } else {
            recipe[n++] = *p++;
        }
    }
    recipe[n] = '\0';
    return mmli_fail(MML_E_FORMAT, "%s: is %s; convert it:\n%s", path, f->what, recipe);
}
