# local.mk - see Makefile.am. Fuzz targets with a plain driver: tests/fuzz/fuzz.h says how to fuzz for real.
check_PROGRAMS += tests/fuzz/fuzz_bag tests/fuzz/fuzz_csv tests/fuzz/fuzz_ini tests/fuzz/fuzz_cohort tests/fuzz/fuzz_model \
	tests/fuzz/fuzz_npy tests/fuzz/fuzz_safetensors tests/fuzz/fuzz_state tests/fuzz/fuzz_zip
tests_fuzz_fuzz_bag_SOURCES = tests/fuzz/fuzz_bag.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_ini_SOURCES = tests/fuzz/fuzz_ini.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_cohort_SOURCES = tests/fuzz/fuzz_cohort.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_model_SOURCES = tests/fuzz/fuzz_model.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_npy_SOURCES = tests/fuzz/fuzz_npy.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_safetensors_SOURCES = tests/fuzz/fuzz_safetensors.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_state_SOURCES = tests/fuzz/fuzz_state.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_zip_SOURCES = tests/fuzz/fuzz_zip.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h

EXTRA_DIST += \
	tests/fuzz/make_seeds.py \
	tests/fuzz/seeds/bag/batched_v108.h5 \
	tests/fuzz/seeds/bag/empty_v108.h5 \
	tests/fuzz/seeds/bag/half_v108.h5 \
	tests/fuzz/seeds/bag/once_clam_v108.h5 \
	tests/fuzz/seeds/bag/once_packed.h5 \
	tests/fuzz/seeds/bag/once_trident.h5 \
	tests/fuzz/seeds/bag/vector_v108.h5 \
	tests/fuzz/seeds/cohort/categories.h5 \
	tests/fuzz/seeds/cohort/heap_v108.h5 \
	tests/fuzz/seeds/cohort/once_earliest.h5 \
	tests/fuzz/seeds/cohort/once_fixed_earliest.h5 \
	tests/fuzz/seeds/cohort/v108.h5 \
	tests/fuzz/seeds/csv/bom.csv \
	tests/fuzz/seeds/csv/index.csv \
	tests/fuzz/seeds/csv/open.csv \
	tests/fuzz/seeds/csv/plain.csv \
	tests/fuzz/seeds/csv/quotes.csv \
	tests/fuzz/seeds/csv/ragged.csv \
	tests/fuzz/seeds/csv/small.csv.gz \
	tests/fuzz/seeds/csv/utf16.csv \
	tests/fuzz/seeds/ini/broken.ini \
	tests/fuzz/seeds/ini/full.ini \
	tests/fuzz/seeds/ini/long.ini \
	tests/fuzz/seeds/model/block.h5 \
	tests/fuzz/seeds/npy/big.npy \
	tests/fuzz/seeds/npy/floats.npy \
	tests/fuzz/seeds/npy/fortran.npy \
	tests/fuzz/seeds/npy/half.npy \
	tests/fuzz/seeds/npy/objects.npy \
	tests/fuzz/seeds/npy/packed.npz \
	tests/fuzz/seeds/npy/records.npy \
	tests/fuzz/seeds/npy/stored.npz \
	tests/fuzz/seeds/npy/words.npy \
	tests/fuzz/seeds/safetensors/overlap.safetensors \
	tests/fuzz/seeds/safetensors/two.safetensors \
	tests/fuzz/seeds/safetensors/types.safetensors \
	tests/fuzz/seeds/state/joined.safetensors \
	tests/fuzz/seeds/state/ours.safetensors \
	tests/fuzz/seeds/state/plain.safetensors \
	tests/fuzz/seeds/state/snn.safetensors \
	tests/fuzz/seeds/zip/stored.zip \
	tests/fuzz/seeds/zip/table.zip \
	tests/fuzz/seeds/zip/torch.zip \
	tests/fuzz/seeds/zip/zip64.zip

check_PROGRAMS += tests/fuzz/fuzz_anndata tests/fuzz/fuzz_anndata_parts tests/fuzz/fuzz_lzf
tests_fuzz_fuzz_anndata_SOURCES = tests/fuzz/fuzz_anndata.c tests/fuzz/use_anndata.h tests/fuzz/driver.c tests/fuzz/fuzz.h \
	tests/fuzz/fuzz_file.h
tests_fuzz_fuzz_anndata_parts_SOURCES = tests/fuzz/fuzz_anndata_parts.c tests/fuzz/use_anndata.h tests/fuzz/driver.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_lzf_SOURCES = tests/fuzz/fuzz_lzf.c tests/fuzz/driver.c tests/fuzz/fuzz.h
EXTRA_DIST += \
	tests/fuzz/seeds/anndata/old.h5ad \
	tests/fuzz/seeds/anndata/packed.h5ad \
	tests/fuzz/seeds/anndata/records.h5ad \
	tests/fuzz/seeds/anndata/sparse.h5ad \
	tests/fuzz/seeds/anndata/two.h5mu \
	tests/fuzz/seeds/anndata_parts/categorical \
	tests/fuzz/seeds/anndata_parts/csc \
	tests/fuzz/seeds/anndata_parts/csr \
	tests/fuzz/seeds/anndata_parts/mudata \
	tests/fuzz/seeds/anndata_parts/nullable \
	tests/fuzz/seeds/anndata_parts/old \
	tests/fuzz/seeds/anndata_parts/records \
	tests/fuzz/seeds/anndata_parts/refers \
	tests/fuzz/seeds/lzf/literals \
	tests/fuzz/seeds/lzf/mixed \
	tests/fuzz/seeds/lzf/run

check_PROGRAMS += tests/fuzz/fuzz_lists
tests_fuzz_fuzz_lists_SOURCES = tests/fuzz/fuzz_lists.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
EXTRA_DIST += \
	tests/fuzz/seeds/lists/composition.csv \
	tests/fuzz/seeds/lists/counts.csv \
	tests/fuzz/seeds/lists/flags.csv \
	tests/fuzz/seeds/lists/genes.csv \
	tests/fuzz/seeds/lists/splits.csv

check_PROGRAMS += tests/fuzz/fuzz_series
tests_fuzz_fuzz_series_SOURCES = tests/fuzz/fuzz_series.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
EXTRA_DIST += \
	tests/fuzz/seeds/series/episode.csv \
	tests/fuzz/seeds/series/long.csv \
	tests/fuzz/seeds/series/record.txt

check_PROGRAMS += tests/fuzz/fuzz_look
tests_fuzz_fuzz_look_SOURCES = tests/fuzz/fuzz_look.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
EXTRA_DIST += \
	tests/fuzz/seeds/look/arrays.h5 \
	tests/fuzz/seeds/look/bare.csv \
	tests/fuzz/seeds/look/cohort.ini \
	tests/fuzz/seeds/look/survival.csv \
	tests/fuzz/seeds/look/tabs.tsv \
	tests/fuzz/seeds/look/tensor.pt

check_PROGRAMS += tests/fuzz/fuzz_image
tests_fuzz_fuzz_image_SOURCES = tests/fuzz/fuzz_image.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
EXTRA_DIST += \
	tests/fuzz/seeds/image/alpha16.png \
	tests/fuzz/seeds/image/cmyk.jpg \
	tests/fuzz/seeds/image/colour.jpg \
	tests/fuzz/seeds/image/grey.jpg \
	tests/fuzz/seeds/image/grey.png \
	tests/fuzz/seeds/image/interlaced.png \
	tests/fuzz/seeds/image/palette.png \
	tests/fuzz/seeds/image/progressive.jpg

check_PROGRAMS += tests/fuzz/fuzz_report
tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz_report.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
EXTRA_DIST += \
	tests/fuzz/seeds/report/binary.json \
	tests/fuzz/seeds/report/classes.json \
	tests/fuzz/seeds/report/regression.json \
	tests/fuzz/seeds/report/survival.json

check_PROGRAMS += tests/fuzz/fuzz_record
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
EXTRA_DIST += \
	tests/fuzz/seeds/record/binary.json \
	tests/fuzz/seeds/record/classes.json \
	tests/fuzz/seeds/record/interference.json \
	tests/fuzz/seeds/record/survival.json

check_PROGRAMS += tests/fuzz/fuzz_h5
tests_fuzz_fuzz_h5_SOURCES = tests/fuzz/fuzz_h5.c tests/fuzz/driver.c tests/fuzz/fuzz.h tests/fuzz/fuzz_file.h
EXTRA_DIST += \
	tests/fuzz/seeds/h5/earliest.h5 \
	tests/fuzz/seeds/h5/large.h5 \
	tests/fuzz/seeds/h5/ordered.h5 \
	tests/fuzz/seeds/h5/packed.h5 \
	tests/fuzz/seeds/h5/v108.h5 \
	tests/fuzz/seeds/h5/v110.h5
