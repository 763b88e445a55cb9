/* version.c - the version of the library; configure.ac is where the number lives. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mmlego/base.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0" /* compiled by hand, without configure */
#endif

const char *mml_version(void)
{
    return PACKAGE_VERSION;
}
