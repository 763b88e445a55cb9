# local.mk - see Makefile.am
# Tests that compare with exact outputs of the original implementation; skipped with a message when the folder
# MMLEGO_SHARED (default: ../shared beside the source) is not there.
check_LIBRARIES += tests/golden/libgold.a
tests_golden_libgold_a_SOURCES = tests/golden/gold.c tests/golden/gold.h
tests_golden_libgold_a_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
GOLD_LDADD = tests/golden/libgold.a $(LDADD) $(HDF5_LIBS)

check_PROGRAMS += tests/golden/test_block
tests_golden_test_block_SOURCES = tests/golden/test_block.c
tests_golden_test_block_LDADD = $(GOLD_LDADD)

check_PROGRAMS += tests/golden/test_metrics
tests_golden_test_metrics_SOURCES = tests/golden/test_metrics.c
tests_golden_test_metrics_LDADD = $(GOLD_LDADD)
