# Properties of the other architectures. tests/golden has the numbers of others, tests/unit/test_baseline.c their trainings.
BASELINE_NET = tests/baselines/net.c tests/baselines/net.h $(LEGO_RIG)

check_PROGRAMS += tests/baselines/test_differences
tests_baselines_test_differences_SOURCES = tests/baselines/test_differences.c $(BASELINE_NET) $(LEGO_SLOPES)

check_PROGRAMS += tests/baselines/test_glm
tests_baselines_test_glm_SOURCES = tests/baselines/test_glm.c
EXTRA_DIST += tests/baselines/glm_truth.py

check_PROGRAMS += tests/baselines/test_glm_path
tests_baselines_test_glm_path_SOURCES = tests/baselines/test_glm_path.c
