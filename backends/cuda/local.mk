# The library's side of mmlego-cuda.so: it looks for the module in pkglibdir, whether this build makes one or not.
noinst_LTLIBRARIES += libmmli_module.la
libmmli_module_la_SOURCES = backends/cuda/module.c backends/cuda/module.h
libmmli_module_la_CPPFLAGS = $(AM_CPPFLAGS) -DMMLI_MODULE_DIR='"$(pkglibdir)"'
libmmlego_core_la_LIBADD += libmmli_module.la
