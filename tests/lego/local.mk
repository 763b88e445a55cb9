# Properties of block, merge and fuse that hold whatever the numbers: exact shortcuts, gradients, missing modalities,
# threads, failures. tests/golden has the numbers of others.
LEGO_RIG = tests/lego/rig.c tests/lego/rig.h
LEGO_MADE = tests/lego/made.c tests/lego/made.h
LEGO_CODERS = tests/lego/coders.c tests/lego/coders.h

check_PROGRAMS += tests/lego/test_differences
tests_lego_test_differences_SOURCES = tests/lego/test_differences.c $(LEGO_RIG) $(LEGO_CODERS)
