# Manual pages are listed in src/cli/local.mk.
EXTRA_DIST += \
	doc/README.md \
	doc/architecture.md \
	doc/baselines.md \
	doc/cohort.md \
	doc/compare.md \
	doc/cuda.md \
	doc/explain.md \
	doc/formats.md \
	doc/method.md \
	doc/model-file.md \
	doc/performance.md \
	doc/results/README.md \
	doc/results/eicu_demo.txt \
	doc/results/ham10000.txt \
	doc/results/mogonet_rosmap.txt \
	doc/results/mogonet_rosmap_tune.txt \
	doc/results/physionet2012.txt \
	doc/results/salmon_brca.txt \
	doc/results/studies.md \
	doc/results/tcga.md \
	doc/results/tcga_acc.txt \
	doc/results/tcga_porpoise_blca.txt \
	doc/results/tcga_porpoise_brca.txt \
	doc/results/tcga_porpoise_kirp.txt \
	doc/results/tcga_porpoise_ucec.txt \
	doc/results/twenty.txt \
	doc/report.md \
	doc/usage.md
