# Manual pages are listed in src/cli/local.mk.
EXTRA_DIST += \
	doc/README.md \
	doc/architecture.md \
	doc/baselines.md \
	doc/cohort.md \
	doc/compare.md \
	doc/explain.md \
	doc/formats.md \
	doc/method.md \
	doc/model-file.md \
	doc/performance.md \
	doc/results/tcga.md \
	doc/report.md \
	doc/usage.md
