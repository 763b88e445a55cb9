/* Fuzz target: cohort.ini, as sections and as what to import. */
#include <string.h>

#include "import/import.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "ini";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    mmli_ini ini;
    mmli_import_config config;
    mmli_problems problems = {0};
    mml_status st = mmli_ini_read(&ini, path);

    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT);
    if (st == MML_OK) {
        for (size_t i = 0; i < ini.n; i++)
            for (size_t k = 0; k < ini.sections[i].n; k++)
                MMLT_PROMISE(mmli_ini_find(&ini.sections[i], ini.sections[i].entries[k].key) == &ini.sections[i].entries[k]);
        mmli_ini_free(&ini);
    }
    st = mmli_import_config_read(&config, path, &problems);
    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT);
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL);
    if (st == MML_OK) {
        MMLT_PROMISE(config.n_modalities > 0 && (config.labels == NULL ? config.all_samples : config.id != NULL));
        for (size_t i = 0; i < config.n_tasks; i++) {
            const mmli_import_task *t = &config.tasks[i];

            if (t->kind == MML_SURVIVAL)
                MMLT_PROMISE(t->time != NULL && (t->event != NULL) != (t->censorship != NULL));
            else
                MMLT_PROMISE(t->label != NULL);
        }
        mmli_import_config_free(&config);
    }
    unlink(path);
    return 0;
}
