# The tool: its parser, and scripts that run it.
check_PROGRAMS += tests/cli/test_opt
tests_cli_test_opt_SOURCES = tests/cli/test_opt.c \
	src/cli/help.c src/cli/message.c src/cli/nearest.c src/cli/opt.c src/cli/value.c
SCRIPT_TESTS += \
	tests/cli/atomic.sh \
	tests/cli/bench.sh \
	tests/cli/categories.sh \
	tests/cli/compare.sh \
	tests/cli/convert.sh \
	tests/cli/errors.sh \
	tests/cli/explain.sh \
	tests/cli/export.sh \
	tests/cli/faults.sh \
	tests/cli/help.sh \
	tests/cli/import.sh \
	tests/cli/man.sh \
	tests/cli/shared.sh \
	tests/cli/stop.sh \
	tests/cli/system.sh \
	tests/cli/workflow.sh
EXTRA_DIST += tests/cli/faults.c tests/cli/lib.sh tests/cli/shared.list
