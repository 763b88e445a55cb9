# Conformance of the backends: kernels, devices, memory.
check_PROGRAMS += \
	tests/ops/test_conformance \
	tests/ops/test_cpu \
	tests/ops/test_devices \
	tests/ops/test_gradients \
	tests/ops/test_identities \
	tests/ops/test_known_kernels \
	tests/ops/test_known_values \
	tests/ops/test_mm

tests_ops_test_conformance_SOURCES = tests/ops/test_conformance.c \
	tests/ops/case.c tests/ops/case.h tests/ops/ragged.h \
	tests/ops/cases_attention.c \
	tests/ops/cases_dense.c \
	tests/ops/cases_elements.c \
	tests/ops/cases_fourier.c \
	tests/ops/cases_large.c \
	tests/ops/cases_losses.c \
	tests/ops/cases_optim.c \
	tests/ops/cases_rows.c \
	tests/ops/cases_segments.c
tests_ops_test_cpu_SOURCES = tests/ops/test_cpu.c
tests_ops_test_devices_SOURCES = tests/ops/test_devices.c
tests_ops_test_gradients_SOURCES = tests/ops/test_gradients.c tests/ops/fd.c tests/ops/fd.h
tests_ops_test_identities_SOURCES = tests/ops/test_identities.c tests/ops/bench.h
tests_ops_test_known_kernels_SOURCES = tests/ops/test_known_kernels.c tests/ops/bench.h
tests_ops_test_known_values_SOURCES = tests/ops/test_known_values.c tests/ops/bench.h
tests_ops_test_mm_SOURCES = tests/ops/test_mm.c
