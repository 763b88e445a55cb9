# Bundled data: distributed, not installed.
EXTRA_DIST += \
	data/README.md \
	data/cohorts/blca_three_modalities.ini \
	data/cohorts/covid_cxr.ini \
	data/cohorts/eicu_demo.ini \
	data/cohorts/gbsg2.ini \
	data/cohorts/ham10000.ini \
	data/cohorts/ham10000_tables.ini \
	data/cohorts/mmp_blca.ini \
	data/cohorts/mogonet_rosmap.ini \
	data/cohorts/physionet2012.ini \
	data/cohorts/salmon_brca.ini \
	data/cohorts/survpath_blca.ini \
	data/cohorts/tcga_acc.ini \
	data/cohorts/tcga_porpoise_blca.ini \
	data/cohorts/tcga_porpoise_brca.ini \
	data/cohorts/tcga_porpoise_kirp.ini \
	data/cohorts/tcga_porpoise_ucec.ini \
	data/cohorts/tcga_porpoise_ucec_mutsig.ini \
	data/cohorts/veterans_lung_cancer.ini \
	data/cohorts/wdbc_three_views.ini \
	data/cohorts/whas500.ini \
	data/physionet2012/labels.csv \
	data/physionet2012/make_subset.py \
	data/physionet2012/splits.csv \
	data/physionet2012/static.csv.gz \
	data/physionet2012/timeseries.h5 \
	data/tcga_acc/clinical.csv.gz \
	data/tcga_acc/cnv.csv.gz \
	data/tcga_acc/labels.csv \
	data/tcga_acc/mirna.csv.gz \
	data/tcga_acc/molecular_summary.csv.gz \
	data/tcga_acc/mutation.csv.gz \
	data/tcga_acc/rna.csv.gz \
	data/tcga_acc/rppa.csv.gz
