# What the tree promises as a whole: layers, headers, symbols, installed files, switches.
SCRIPT_TESTS += tests/api/install.sh tests/api/symbols.sh
# Of the tree alone: a build with sanitizers would find what any other finds.
TREE_TESTS += \
	tests/api/headers.sh \
	tests/api/layers.sh \
	tests/api/noprint.sh \
	tests/api/scripts.sh \
	tests/api/switches.sh
EXTRA_DIST += tests/api/symbols.txt tests/api/installed.txt

check_PROGRAMS += tests/api/test_null
tests_api_test_null_SOURCES = tests/api/test_null.c
