# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/import/array_shape.c \
	src/import/anndata_look.c \
	src/import/anndata_obs.c src/import/anndata_obs.h \
	src/import/anndata_open.c src/import/anndata_open.h \
	src/import/kept.c src/import/kept.h \
	src/import/kind_anndata.c \
	src/import/bins.c src/import/bins.h \
	src/import/config.c \
	src/import/config_cohort.c \
	src/import/config_modality.c \
	src/import/config_task.c \
	src/import/config_values.c src/import/config_values.h \
	src/import/copy.c src/import/copy.h \
	src/import/csv_columns.c \
	src/import/csv_look.c src/import/csv_look.h \
	src/import/csv_values.c src/import/csv_values.h \
	src/import/facts.c src/import/facts.h \
	src/import/folder_list.c src/import/folder_list.h \
	src/import/folds.c src/import/folds.h \
	src/import/foreign.c src/import/foreign.h \
	src/import/hdf5_look.c src/import/hdf5_look.h \
	src/import/dictionary.c src/import/dictionary.h \
	src/import/events.c src/import/events.h \
	src/import/export.c \
	src/import/import.c src/import/import.h src/import/importing.h \
	src/import/import_columns.c \
	src/import/import_modalities.c \
	src/import/import_samples.c \
	src/import/import_tasks.c \
	src/import/kind_bags.c \
	src/import/kind_csv.c \
	src/import/kind_hdf5.c \
	src/import/kind_long.c \
	src/import/kind_mimic3.c \
	src/import/kind_npy.c \
	src/import/kind_physionet2012.c \
	src/import/kind_safetensors.c \
	src/import/kinds.c \
	src/import/repeats.c src/import/repeats.h \
	src/import/problems.c src/import/problems.h \
	src/import/long_look.c src/import/long_look.h \
	src/import/mimic3.c src/import/mimic3.h \
	src/import/mimic3_list.c \
	src/import/look.c \
	src/import/mcat.c src/import/mcat.h \
	src/import/npy_ids.c src/import/npy_ids.h \
	src/import/npy_look.c src/import/npy_look.h \
	src/import/physionet.c src/import/physionet.h \
	src/import/physionet_outcomes.c \
	src/import/probe.c src/import/probe.h \
	src/import/sheet.c src/import/sheet.h \
	src/import/signatures.c src/import/signatures.h \
	src/import/slide_files.c src/import/slide_files.h \
	src/import/slides.c src/import/slides.h \
	src/import/slides_table.c \
	src/import/source.c src/import/source.h \
	src/import/spare.c \
	src/import/rowfile.c src/import/rowfile.h \
	src/import/suggest.c src/import/suggest.h \
	src/import/survey.c src/import/survey.h \
	src/import/survival_look.c src/import/survival_look.h \
	src/import/table.c \
	src/import/tasks.c \
	src/import/tokens.c

libmmlego_core_la_SOURCES += \
	src/import/image_files.c src/import/image_files.h \
	src/import/image_look.c src/import/image_look.h \
	src/import/kind_images.c
