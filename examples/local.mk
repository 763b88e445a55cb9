# local.mk - see Makefile.am

# Examples see the installed headers only, as a user's program does.
noinst_PROGRAMS += examples/predict_one
examples_predict_one_SOURCES = examples/predict_one.c
examples_predict_one_CPPFLAGS = -I$(top_srcdir)/include
examples_predict_one_LDFLAGS = $(AM_LDFLAGS)
examples_predict_one_LDADD = libmmlego.la
SCRIPT_TESTS += examples/predict_one.sh

noinst_PROGRAMS += examples/train_merge_fuse
examples_train_merge_fuse_SOURCES = examples/train_merge_fuse.c
examples_train_merge_fuse_CPPFLAGS = -I$(top_srcdir)/include
examples_train_merge_fuse_LDFLAGS = $(AM_LDFLAGS)
examples_train_merge_fuse_LDADD = libmmlego.la
SCRIPT_TESTS += examples/train_merge_fuse.sh

noinst_PROGRAMS += examples/custom_encoder
examples_custom_encoder_SOURCES = examples/custom_encoder.c
examples_custom_encoder_CPPFLAGS = -I$(top_srcdir)/include
examples_custom_encoder_LDFLAGS = $(AM_LDFLAGS)
examples_custom_encoder_LDADD = libmmlego.la -lm
SCRIPT_TESTS += examples/custom_encoder.sh
