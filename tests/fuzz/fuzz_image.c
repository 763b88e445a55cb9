/* Fuzz target: a JPEG or PNG file, and its pixels at other sizes. */
#include <math.h>
#include <string.h>

#include "formats/image.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "image";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    enum { H = 5, W = 7 };
    const char *path = fuzz_file(bytes, n);
    mmli_image look, image;
    const mml_status seen = mmli_image_look(&look, path), st = mmli_image_read(&image, path);

    MMLT_PROMISE(seen == MML_OK || (seen == MML_E_FORMAT && strstr(mml_last_error(), path) != NULL));
    MMLT_PROMISE(st == MML_OK || (st == MML_E_FORMAT && image.pixels == NULL && strstr(mml_last_error(), path) != NULL));
    MMLT_PROMISE(st != MML_OK || seen == MML_OK);
    if (st == MML_OK) {
        static const size_t channels[] = {1, 3};

        MMLT_PROMISE(image.width > 0 && image.height > 0 && image.width * image.height <= MMLI_IMAGE_PIXELS);
        MMLT_PROMISE(image.channels == 1 || image.channels == 3);
        for (size_t i = 0; i < image.width * image.height * image.channels; i++)
            MMLT_PROMISE(image.pixels[i] <= image.most);
        for (int k = 0; k < 2; k++) {
            float out[H * W * 3];

            MMLT_PROMISE(mmli_image_resize(out, H, W, channels[k], &image) == MML_OK);
            for (size_t i = 0; i < H * W * channels[k]; i++)
                MMLT_PROMISE(out[i] >= 0 && out[i] <= 1);
        }
        mmli_image_free(&image);
    }
    unlink(path);
    return 0;
}
