# What a warm step may cost: counted, not timed.
check_PROGRAMS += tests/bench/test_count
tests_bench_test_count_SOURCES = tests/bench/test_count.c
