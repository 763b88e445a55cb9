# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/model/build_info.c \
	src/model/describe.c \
	src/model/evaluate.c \
	src/model/facts.c \
	src/model/file.h \
	src/model/file_load.c \
	src/model/file_provenance.c \
	src/model/file_save.c \
	src/model/forward.c \
	src/model/forward_merge.c \
	src/model/fuse.c \
	src/model/ignored.c \
	src/model/inputs.c \
	src/model/join.c src/model/join.h \
	src/model/merge.c \
	src/model/model.c src/model/model.h \
	src/model/options.c src/model/options.h \
	src/model/predict.c src/model/predictor.h \
	src/model/provenance.c \
	src/model/replica.c \
	src/model/same.c \
	src/model/scored.c src/model/scored.h \
	src/model/state.h \
	src/model/state_infer.c \
	src/model/state_load.c \
	src/model/state_merge.c \
	src/model/state_names.c \
	src/model/state_read.c \
	src/model/state_save.c \
	src/model/streams.c src/model/streams.h \
	src/model/walk.c src/model/walk.h \
	src/model/weights.c src/model/weights.h \
	src/model/weights_correlated.c \
	src/model/weights_search.c
