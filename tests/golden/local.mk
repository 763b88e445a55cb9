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

check_PROGRAMS += tests/golden/test_state
tests_golden_test_state_SOURCES = tests/golden/test_state.c tests/unit/folder.c tests/unit/folder.h
tests_golden_test_state_LDADD = $(GOLD_LDADD)

check_PROGRAMS += tests/golden/test_metrics
tests_golden_test_metrics_SOURCES = tests/golden/test_metrics.c
tests_golden_test_metrics_LDADD = $(GOLD_LDADD)

# Written on blocks and models made by tests/lego/rig.c and made.c.
check_PROGRAMS += tests/golden/test_fuse tests/golden/test_merge tests/golden/test_heads tests/golden/test_survival
tests_golden_test_fuse_SOURCES = tests/golden/test_fuse.c $(LEGO_RIG)
tests_golden_test_fuse_LDADD = $(GOLD_LDADD)
tests_golden_test_merge_SOURCES = tests/golden/test_merge.c $(LEGO_RIG) $(LEGO_MADE)
check_PROGRAMS += tests/golden/test_baselines
tests_golden_test_baselines_SOURCES = tests/golden/test_baselines.c $(BASELINE_NET)
tests_golden_test_baselines_LDADD = $(GOLD_LDADD)
tests_golden_test_merge_LDADD = $(GOLD_LDADD)
tests_golden_test_heads_SOURCES = tests/golden/test_heads.c
tests_golden_test_heads_LDADD = $(GOLD_LDADD)
tests_golden_test_survival_SOURCES = tests/golden/test_survival.c
tests_golden_test_survival_LDADD = $(GOLD_LDADD)
