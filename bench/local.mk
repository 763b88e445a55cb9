# Programs and scripts that measure; not installed. `make bench/products` builds a program.
EXTRA_PROGRAMS += bench/products
bench_products_SOURCES = bench/products.c
bench_products_LDADD = $(CORE_ARCHIVE) $(CORE_LIBS)
CLEANFILES += bench/products
EXTRA_DIST += bench/compare_torch.py bench/gpu_check.sh bench/table.py
