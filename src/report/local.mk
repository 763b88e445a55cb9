# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/report/facts.c \
	src/report/markup.c src/report/markup.h \
	src/report/overview.c \
	src/report/page.c src/report/page.h \
	src/report/plot_calibration.c \
	src/report/plot_cost.c \
	src/report/plot_learning.c \
	src/report/plot_roc.c \
	src/report/plot_scores.c \
	src/report/plot_study.c \
	src/report/plot_survival.c \
	src/report/record.c src/report/record.h \
	src/report/report.c src/report/report.h \
	src/report/svg.h \
	src/report/svg_axes.c \
	src/report/svg_heat.c \
	src/report/svg_marks.c \
	src/report/svg_style.c \
	src/report/table.c
