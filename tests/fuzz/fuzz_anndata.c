/* Fuzz target: AnnData and MuData files, byte by byte; what opens is read to the last value. */
#include "tests/fuzz/fuzz_file.h"
#include "tests/fuzz/use_anndata.h"

const char mmlt_fuzz_name[] = "anndata";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);

    use_anndata(path);
    unlink(path);
    return 0;
}
