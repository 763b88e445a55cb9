# local.mk - see Makefile.am

check_PROGRAMS += tests/unit/test_error
tests_unit_test_error_SOURCES = tests/unit/test_error.c

check_PROGRAMS += tests/unit/test_alloc
tests_unit_test_alloc_SOURCES = tests/unit/test_alloc.c

check_PROGRAMS += tests/unit/test_rng
tests_unit_test_rng_SOURCES = tests/unit/test_rng.c

check_PROGRAMS += tests/unit/test_base64
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c

check_PROGRAMS += tests/unit/test_half
tests_unit_test_half_SOURCES = tests/unit/test_half.c

check_PROGRAMS += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c

check_PROGRAMS += tests/unit/test_atomic
tests_unit_test_atomic_SOURCES = tests/unit/test_atomic.c

check_PROGRAMS += tests/unit/test_output
tests_unit_test_output_SOURCES = tests/unit/test_output.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_metrics
tests_unit_test_metrics_SOURCES = tests/unit/test_metrics.c

check_PROGRAMS += tests/unit/test_metrics_survival
tests_unit_test_metrics_survival_SOURCES = tests/unit/test_metrics_survival.c

check_PROGRAMS += tests/unit/test_metrics_bootstrap
tests_unit_test_metrics_bootstrap_SOURCES = tests/unit/test_metrics_bootstrap.c


check_PROGRAMS += tests/unit/test_quantiles
tests_unit_test_quantiles_SOURCES = tests/unit/test_quantiles.c

check_PROGRAMS += tests/unit/test_prep_fit
tests_unit_test_prep_fit_SOURCES = tests/unit/test_prep_fit.c tests/unit/prep_help.c tests/unit/prep_help.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_prep_part
tests_unit_test_prep_part_SOURCES = tests/unit/test_prep_part.c tests/unit/prep_help.c tests/unit/prep_help.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_prep_apply
tests_unit_test_prep_apply_SOURCES = tests/unit/test_prep_apply.c

check_PROGRAMS += tests/unit/test_prep_file
tests_unit_test_prep_file_SOURCES = tests/unit/test_prep_file.c tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_labels
tests_unit_test_labels_SOURCES = tests/unit/test_labels.c tests/unit/labels_help.c tests/unit/labels_help.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_labels_survival
tests_unit_test_labels_survival_SOURCES = tests/unit/test_labels_survival.c tests/unit/labels_help.c tests/unit/labels_help.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_labels_file
tests_unit_test_labels_file_SOURCES = tests/unit/test_labels_file.c tests/unit/make_cohort.c tests/unit/make_cohort.h




TRAIN_RIG = tests/unit/train_rig.c tests/unit/train_rig.h tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_train tests/unit/test_train_resume
tests_unit_test_train_SOURCES = tests/unit/test_train.c $(TRAIN_RIG)
tests_unit_test_train_resume_SOURCES = tests/unit/test_train_resume.c $(TRAIN_RIG)
check_PROGRAMS += tests/unit/test_train_committee
tests_unit_test_train_committee_SOURCES = tests/unit/test_train_committee.c tests/unit/folder.c tests/unit/folder.h $(TRAIN_RIG)
check_PROGRAMS += tests/unit/test_train_cross
tests_unit_test_train_cross_SOURCES = tests/unit/test_train_cross.c tests/unit/folder.c tests/unit/folder.h $(TRAIN_RIG)
check_PROGRAMS += tests/unit/test_train_backends tests/unit/test_train_fuse
tests_unit_test_train_backends_SOURCES = tests/unit/test_train_backends.c $(TRAIN_RIG)
tests_unit_test_train_fuse_SOURCES = tests/unit/test_train_fuse.c $(TRAIN_RIG)
check_PROGRAMS += tests/unit/test_train_parallel
tests_unit_test_train_parallel_SOURCES = tests/unit/test_train_parallel.c $(TRAIN_RIG)
check_PROGRAMS += tests/unit/test_baseline
tests_unit_test_baseline_SOURCES = tests/unit/test_baseline.c $(TRAIN_RIG)
check_PROGRAMS += tests/unit/test_baseline_linear
tests_unit_test_baseline_linear_SOURCES = tests/unit/test_baseline_linear.c $(TRAIN_RIG)

check_PROGRAMS += tests/unit/test_bag_h5
tests_unit_test_bag_h5_SOURCES = tests/unit/test_bag_h5.c tests/unit/folder.c tests/unit/folder.h

IMPORT_HELP = tests/unit/import_help.c tests/unit/import_help.h tests/unit/folder.c tests/unit/folder.h
check_PROGRAMS += tests/unit/test_import_bags
tests_unit_test_import_bags_SOURCES = tests/unit/test_import_bags.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_ahead
tests_unit_test_ahead_SOURCES = tests/unit/test_ahead.c tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_rows
tests_unit_test_rows_SOURCES = tests/unit/test_rows.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_h5
tests_unit_test_h5_SOURCES = tests/unit/test_h5.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_h5header
tests_unit_test_h5header_SOURCES = tests/unit/test_h5header.c tests/unit/folder.c tests/unit/folder.h
check_PROGRAMS += tests/unit/test_h5heap
tests_unit_test_h5heap_SOURCES = tests/unit/test_h5heap.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_h5packed
tests_unit_test_h5packed_SOURCES = tests/unit/test_h5packed.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_h5_refused
tests_unit_test_h5_refused_SOURCES = tests/unit/test_h5_refused.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_h5disk
tests_unit_test_h5disk_SOURCES = tests/unit/test_h5disk.c tests/unit/folder.c tests/unit/folder.h \
	tests/unit/make_model.c tests/unit/make_model.h

check_PROGRAMS += tests/unit/test_batch
tests_unit_test_batch_SOURCES = tests/unit/test_batch.c

check_PROGRAMS += tests/unit/test_cohort
tests_unit_test_cohort_SOURCES = tests/unit/test_cohort.c tests/unit/raw_cohort.c tests/unit/raw_cohort.h \
	tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_own_file
tests_unit_test_own_file_SOURCES = tests/unit/test_own_file.c tests/unit/raw_cohort.c tests/unit/raw_cohort.h \
	tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_cohort_refused
tests_unit_test_cohort_refused_SOURCES = tests/unit/test_cohort_refused.c tests/unit/raw_cohort.c \
	tests/unit/raw_cohort.h tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_split
tests_unit_test_split_SOURCES = tests/unit/test_split.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_csv
tests_unit_test_csv_SOURCES = tests/unit/test_csv.c tests/unit/folder.c tests/unit/folder.h
check_PROGRAMS += tests/unit/test_csv_cut
tests_unit_test_csv_cut_SOURCES = tests/unit/test_csv_cut.c

check_PROGRAMS += tests/unit/test_zip
tests_unit_test_zip_SOURCES = tests/unit/test_zip.c tests/unit/folder.c tests/unit/folder.h
tests_unit_test_zip_LDADD = $(LDADD) $(LIBZIP_LIBS)

check_PROGRAMS += tests/unit/test_npy
tests_unit_test_npy_SOURCES = tests/unit/test_npy.c tests/unit/folder.c tests/unit/folder.h
tests_unit_test_npy_LDADD = $(LDADD) $(LIBZIP_LIBS)

check_PROGRAMS += tests/unit/test_safetensors
tests_unit_test_safetensors_SOURCES = tests/unit/test_safetensors.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_ini
tests_unit_test_ini_SOURCES = tests/unit/test_ini.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_import
tests_unit_test_import_SOURCES = tests/unit/test_import.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_arrays
tests_unit_test_import_arrays_SOURCES = tests/unit/test_import_arrays.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_export
tests_unit_test_export_SOURCES = tests/unit/test_export.c tests/unit/folder.c tests/unit/folder.h

check_PROGRAMS += tests/unit/test_import_files
tests_unit_test_import_files_SOURCES = tests/unit/test_import_files.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_dry
tests_unit_test_import_dry_SOURCES = tests/unit/test_import_dry.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_suggest
tests_unit_test_import_suggest_SOURCES = tests/unit/test_import_suggest.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_refused
tests_unit_test_import_refused_SOURCES = tests/unit/test_import_refused.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_npy
tests_unit_test_import_npy_SOURCES = tests/unit/test_import_npy.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_kept
tests_unit_test_kept_SOURCES = tests/unit/test_kept.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_mcat
tests_unit_test_import_mcat_SOURCES = tests/unit/test_import_mcat.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_mimic3
tests_unit_test_import_mimic3_SOURCES = tests/unit/test_import_mimic3.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_long
tests_unit_test_import_long_SOURCES = tests/unit/test_import_long.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_physionet
tests_unit_test_import_physionet_SOURCES = tests/unit/test_import_physionet.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_import_data
tests_unit_test_import_data_SOURCES = tests/unit/test_import_data.c $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_describe
tests_unit_test_describe_SOURCES = tests/unit/test_describe.c tests/unit/import_help.c tests/unit/import_help.h \
	tests/unit/raw_cohort.c tests/unit/raw_cohort.h tests/unit/folder.c tests/unit/folder.h

# Models: all on make_model, those with a cohort on make_cohort too.
check_PROGRAMS += tests/unit/test_model_damage
tests_unit_test_model_damage_SOURCES = tests/unit/test_model_damage.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_model_file
tests_unit_test_model_file_SOURCES = tests/unit/test_model_file.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
STATE_RIG = tests/unit/state_rig.c tests/unit/state_rig.h tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_state tests/unit/test_state_foreign tests/unit/test_state_joined
tests_unit_test_state_SOURCES = tests/unit/test_state.c $(STATE_RIG)
tests_unit_test_state_foreign_SOURCES = tests/unit/test_state_foreign.c $(STATE_RIG)
tests_unit_test_state_joined_SOURCES = tests/unit/test_state_joined.c $(STATE_RIG)
check_PROGRAMS += tests/unit/test_model_facts
tests_unit_test_model_facts_SOURCES = tests/unit/test_model_facts.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_model_join
tests_unit_test_model_join_SOURCES = tests/unit/test_model_join.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_model_weights
tests_unit_test_model_weights_SOURCES = tests/unit/test_model_weights.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_predict
tests_unit_test_predict_SOURCES = tests/unit/test_predict.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_predict_streams
tests_unit_test_predict_streams_SOURCES = tests/unit/test_predict_streams.c tests/unit/make_model.c \
	tests/unit/make_model.h tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_predict_cohort
tests_unit_test_predict_cohort_SOURCES = tests/unit/test_predict_cohort.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_match
tests_unit_test_match_SOURCES = tests/unit/test_match.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_predict_shared
tests_unit_test_predict_shared_SOURCES = tests/unit/test_predict_shared.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_evaluate
tests_unit_test_evaluate_SOURCES = tests/unit/test_evaluate.c tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h

check_PROGRAMS += tests/unit/test_anndata_files
tests_unit_test_anndata_files_SOURCES = tests/unit/test_anndata_files.c tests/unit/anndata_truth.h \
	tests/unit/folder.c tests/unit/folder.h
EXTRA_DIST += tests/unit/anndata_truth.py
check_PROGRAMS += tests/unit/test_anndata tests/unit/test_anndata_refused
tests_unit_test_anndata_SOURCES = tests/unit/test_anndata.c tests/unit/make_anndata.c tests/unit/make_anndata.h \
	tests/unit/folder.c tests/unit/folder.h
tests_unit_test_anndata_refused_SOURCES = tests/unit/test_anndata_refused.c tests/unit/make_anndata.c \
	tests/unit/make_anndata.h tests/unit/folder.c tests/unit/folder.h
check_PROGRAMS += tests/unit/test_h5lzf
tests_unit_test_h5lzf_SOURCES = tests/unit/test_h5lzf.c tests/unit/folder.c tests/unit/folder.h
check_PROGRAMS += tests/unit/test_import_anndata
tests_unit_test_import_anndata_SOURCES = tests/unit/test_import_anndata.c tests/unit/make_anndata.c tests/unit/make_anndata.h $(IMPORT_HELP)

check_PROGRAMS += tests/unit/test_image
tests_unit_test_image_SOURCES = tests/unit/test_image.c tests/unit/make_image.c tests/unit/make_image.h \
	tests/unit/folder.c tests/unit/folder.h
tests_unit_test_image_LDADD = $(LDADD) $(JPEG_LIBS) $(PNG_LIBS)
check_PROGRAMS += tests/unit/test_import_images
tests_unit_test_import_images_SOURCES = tests/unit/test_import_images.c tests/unit/make_image.c tests/unit/make_image.h $(IMPORT_HELP)
tests_unit_test_import_images_LDADD = $(LDADD) $(JPEG_LIBS) $(PNG_LIBS)

COMPARE_RIG = tests/unit/compare_rig.c tests/unit/compare_rig.h tests/unit/folder.c tests/unit/folder.h $(TRAIN_RIG)
check_PROGRAMS += tests/unit/test_compare tests/unit/test_compare_collect
tests_unit_test_compare_SOURCES = tests/unit/test_compare.c $(COMPARE_RIG)
tests_unit_test_compare_collect_SOURCES = tests/unit/test_compare_collect.c $(COMPARE_RIG)

check_PROGRAMS += tests/unit/test_report
tests_unit_test_report_SOURCES = tests/unit/test_report.c tests/unit/make_comparison.c tests/unit/make_comparison.h \
	tests/unit/markup_check.c tests/unit/markup_check.h
check_PROGRAMS += tests/unit/test_svg
tests_unit_test_svg_SOURCES = tests/unit/test_svg.c tests/unit/markup_check.c tests/unit/markup_check.h
check_PROGRAMS += tests/unit/test_metrics_curves
tests_unit_test_metrics_curves_SOURCES = tests/unit/test_metrics_curves.c
check_PROGRAMS += tests/unit/test_explain_attention
tests_unit_test_explain_attention_SOURCES = tests/unit/test_explain_attention.c tests/unit/attention_truth.c \
	tests/unit/attention_truth.h tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
EXPLAIN_RIG = tests/unit/explain_rig.c tests/unit/explain_rig.h tests/unit/make_model.c tests/unit/make_model.h \
	tests/unit/make_cohort.c tests/unit/make_cohort.h
check_PROGRAMS += tests/unit/test_explain tests/unit/test_explain_modalities tests/unit/test_explain_score
tests_unit_test_explain_SOURCES = tests/unit/test_explain.c tests/unit/explain_models.c $(EXPLAIN_RIG)
tests_unit_test_explain_modalities_SOURCES = tests/unit/test_explain_modalities.c $(EXPLAIN_RIG)
tests_unit_test_explain_score_SOURCES = tests/unit/test_explain_score.c tests/unit/explain_models.c $(EXPLAIN_RIG)
check_PROGRAMS += tests/unit/test_compare_tpe
tests_unit_test_compare_tpe_SOURCES = tests/unit/test_compare_tpe.c
check_PROGRAMS += tests/unit/test_compare_study
tests_unit_test_compare_study_SOURCES = tests/unit/test_compare_study.c $(COMPARE_RIG)
