# A module for GPUs that needs none: the reference backend a third time (tests/cuda/fake.h), opened as mmlego-cuda.so would be.
check_LTLIBRARIES += tests/cuda/fake.la
tests_cuda_fake_la_CPPFLAGS = $(AM_CPPFLAGS) -include $(top_srcdir)/tests/cuda/fake.h
# -rpath: without it libtool makes no shared object of what is not installed.
tests_cuda_fake_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
if !SANITIZE
tests_cuda_fake_la_LDFLAGS += -no-undefined -Wl,-z,defs
endif
tests_cuda_fake_la_LIBADD = -lm
tests_cuda_fake_la_SOURCES = \
	tests/cuda/fake.c tests/cuda/fake.h \
	backends/cuda/host.c backends/cuda/host.h \
	$(reference_sources) \
	src/util/hash.c src/util/rng.c
SCRIPT_TESTS += tests/cuda/device.sh tests/cuda/emulated.sh tests/cuda/module.sh tests/cuda/races.sh

# What is tested on a GPU: the module of this build, if it makes one (tests/cuda/device.sh).
if CUDA
MMLT_CUDA_MODULE = $(abs_top_builddir)/backends/cuda/mmlego-cuda.so
endif

# Memory and copies of a GPU, and training on it; and the backend on one that is emulated on the host.
check_PROGRAMS += tests/cuda/test_device tests/cuda/test_graph tests/cuda/test_graph_training tests/cuda/test_group \
	tests/cuda/test_step
tests_cuda_test_device_SOURCES = tests/cuda/test_device.c tests/cuda/there.c tests/cuda/there.h
tests_cuda_test_graph_SOURCES = tests/cuda/test_graph.c tests/cuda/there.c tests/cuda/there.h
tests_cuda_test_graph_training_SOURCES = tests/cuda/test_graph_training.c tests/cuda/there.c tests/cuda/there.h $(TRAIN_RIG)
tests_cuda_test_group_SOURCES = tests/cuda/test_group.c $(TRAIN_RIG)
tests_cuda_test_step_SOURCES = tests/cuda/test_step.c tests/cuda/there.c tests/cuda/there.h $(TRAIN_RIG)
EXTRA_DIST += \
	tests/cuda/captures.cc \
	tests/cuda/emulated/blas.cc \
	tests/cuda/emulated/blas_lt.cc \
	tests/cuda/emulated/cublasLt.h \
	tests/cuda/emulated/cublas_v2.h \
	tests/cuda/emulated/cuda_runtime.h \
	tests/cuda/emulated/cufft.h \
	tests/cuda/emulated/fft.cc \
	tests/cuda/emulated/graphs.cc \
	tests/cuda/emulated/grid.cc \
	tests/cuda/emulated/memory.cc \
	tests/cuda/emulated/nccl.cc \
	tests/cuda/emulated/nccl.h \
	tests/cuda/emulated/streams.cc \
	tests/cuda/lib.sh \
	tests/cuda/races.cc

# What emulated.sh and races.sh make; by its name, for in a build inside of the tree it lies beside sources.
mostlyclean-local:
	for dir in tests/cuda/emulated tests/cuda/emulated/races; do \
	    rm -f $$dir/*.o $$dir/*.obj $$dir/*.log $$dir/log $$dir/failed $$dir/captures $$dir/races $$dir/mmlego-cuda.so $$dir/libnccl.so.2; \
	done
	rmdir tests/cuda/emulated/races 2>/dev/null || :
