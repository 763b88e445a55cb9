# What mmlego/compare.h gives: systems and folds as jobs, their records, and what is made of them.
libmmlego_core_la_SOURCES += \
	src/compare/collect.c src/compare/collect.h \
	src/compare/collect_read.c \
	src/compare/collect_rows.c \
	src/compare/difference.c \
	src/compare/division.c \
	src/compare/folder.c \
	src/compare/job.c src/compare/job.h \
	src/compare/job_baseline.c \
	src/compare/job_block.c \
	src/compare/job_interference.c \
	src/compare/job_joined.c \
	src/compare/plan.c src/compare/plan.h \
	src/compare/record.c src/compare/record.h \
	src/compare/score.c \
	src/compare/settings.c \
	src/compare/setup.c src/compare/setup.h \
	src/compare/space.c src/compare/space.h \
	src/compare/study.c src/compare/study.h \
	src/compare/study_collect.c \
	src/compare/study_hide.c \
	src/compare/systems.c \
	src/compare/table.c \
	src/compare/tpe.c src/compare/tpe.h \
	src/compare/tune.c
