/* version.c - the version of the library; configure.ac is where the number lives (config.h). */
#include "mmlego/base.h"

const char *mml_version(void)
{
    return PACKAGE_VERSION;
}
