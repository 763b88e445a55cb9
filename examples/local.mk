# local.mk - see Makefile.am

# Examples see the installed headers only, as a user's program does.
noinst_PROGRAMS += examples/predict_one
examples_predict_one_SOURCES = examples/predict_one.c
examples_predict_one_CPPFLAGS = -I$(top_srcdir)/include
examples_predict_one_LDADD = libmmlego.la
SCRIPT_TESTS += examples/predict_one.sh
