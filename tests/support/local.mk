tests_support_libmmlt_a_SOURCES += tests/support/mmlt.c tests/support/mmlt.h
