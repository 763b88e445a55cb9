/* build_info.c - what this library is and runs on, as lines "key: value". */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "backends/backend.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

#include <hdf5.h>
#include <jansson.h>

#ifndef MML_BUILD_FLAGS
#define MML_BUILD_FLAGS "(compiled without configure)"
#endif

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

static mml_status add_backends(mmli_buf *b)
{
    mml_status st = mmli_buf_puts(b, "backends:");

    for (size_t i = 0; st == MML_OK && mmli_backend_at(i); i++)
        st = mmli_buf_printf(b, "%s %s%s", i ? "," : "", mmli_backend_at(i)->name, i ? "" : " (default)");
    return st == MML_OK ? mmli_buf_puts(b, "\n") : st;
}

static mml_status add_kernels(mmli_buf *b)
{
    size_t n = 0;

#define MML_KERNEL(kernel, args) n++;
#include "backends/kernels.def"
#undef MML_KERNEL
    return mmli_buf_printf(b, "kernels of a backend: %zu\n", n);
}

mml_status mml_device_describe(char **text, const char *device)
{
    mml_status st = MML_OK;
    char words[2560]; /* a message may be part of it */

    MML_GIVEN(text);
    *text = NULL;
    MML_TRY(mmli_device_words(words, sizeof words, device));
    MML_TRY(mmli_strdup(text, words));
out:
    return st;
}

mml_status mml_build_info(char **text)
{
    mml_status st = MML_OK;
    char cpu[2048], cuda[4096];
    mmli_buf b = {0};

    MML_GIVEN(text);
    *text = NULL;
    MML_TRY(mmli_buf_printf(&b, "version: %s\n", mml_version()));
    MML_TRY(mmli_buf_puts(&b, "compiler: " COMPILER "\n"));
    MML_TRY(mmli_buf_puts(&b, "flags: " MML_BUILD_FLAGS "\n"));
    MML_TRY(mmli_buf_puts(&b, "hdf5: " H5_VERS_INFO "\n"));
    MML_TRY(mmli_buf_printf(&b, "jansson: %s\n", JANSSON_VERSION));
    MML_TRY(add_backends(&b));
    MML_TRY(add_kernels(&b));
    mmli_cpu_describe(cpu, sizeof cpu);
    MML_TRY(mmli_buf_puts(&b, cpu));
    mmli_cuda_describe(cuda, sizeof cuda);
    MML_TRY(mmli_buf_puts(&b, cuda));
    MML_TRY(mmli_buf_take(&b, text));
out:
    mmli_buf_free(&b);
    return st;
}
