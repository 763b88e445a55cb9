# The tool, on the public headers only; its manual pages and completion, which it writes itself: make man.
bin_PROGRAMS += mmlego
mmlego_SOURCES = \
	src/cli/bench_start.c src/cli/bench_start.h \
	src/cli/cli.h \
	src/cli/cmd_bench.c \
	src/cli/cmd_compare.c \
	src/cli/cmd_convert.c \
	src/cli/cmd_evaluate.c \
	src/cli/cmd_explain.c \
	src/cli/cmd_export.c \
	src/cli/cmd_fuse.c \
	src/cli/cmd_help.c \
	src/cli/cmd_import.c \
	src/cli/cmd_inspect.c \
	src/cli/cmd_merge.c \
	src/cli/cmd_predict.c \
	src/cli/cmd_train.c \
	src/cli/cmd_version.c \
	src/cli/compare_table.c src/cli/compare_table.h \
	src/cli/device.c src/cli/device.h \
	src/cli/division.c src/cli/division.h \
	src/cli/explain_plots.c src/cli/explain_plots.h \
	src/cli/explain_tables.c src/cli/explain_tables.h \
	src/cli/help.c \
	src/cli/inspect.h src/cli/inspect_cohort.c src/cli/inspect_model.c \
	src/cli/jobs.c src/cli/jobs.h \
	src/cli/json_text.c src/cli/json_text.h \
	src/cli/load.c src/cli/load.h \
	src/cli/main.c \
	src/cli/man.c \
	src/cli/message.c \
	src/cli/nearest.c \
	src/cli/opt.c src/cli/opt.h \
	src/cli/out.c \
	src/cli/progress.c src/cli/progress.h \
	src/cli/training.c src/cli/training.h \
	src/cli/train_system.c src/cli/train_system.h \
	src/cli/value.c src/cli/value.h src/cli/words.c
mmlego_LDADD = libmmlego.la $(HDF5_LIBS) $(JANSSON_LIBS) -lm
mmlego_LDFLAGS = $(AM_LDFLAGS)

dist_man_MANS = \
	doc/man/mmlego.1 \
	doc/man/mmlego-bench.1 \
	doc/man/mmlego-compare.1 \
	doc/man/mmlego-convert.1 \
	doc/man/mmlego-evaluate.1 \
	doc/man/mmlego-explain.1 \
	doc/man/mmlego-export.1 \
	doc/man/mmlego-fuse.1 \
	doc/man/mmlego-help.1 \
	doc/man/mmlego-import.1 \
	doc/man/mmlego-inspect.1 \
	doc/man/mmlego-merge.1 \
	doc/man/mmlego-predict.1 \
	doc/man/mmlego-train.1 \
	doc/man/mmlego-version.1
EXTRA_DIST += doc/man/update

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = src/cli/completion/mmlego

man: mmlego$(EXEEXT)
	$(srcdir)/doc/man/update ./mmlego$(EXEEXT) '$(srcdir)'
PHONY_TARGETS += man
