dnl mml_cuda.m4 - the module for NVIDIA GPUs, mmlego-cuda.so: nvcc, the GPUs to compile for, cuBLAS (with cuBLASLt) and cuFFT.
dnl
dnl Sets NVCC, MML_NVCCFLAGS, MML_CUDA_LDFLAGS and the conditional CUDA. libmmlego itself is the same with and without it.

dnl MML_CUDA_REFUSE(WHAT): an error with the end of what nvcc said.
AC_DEFUN([MML_CUDA_REFUSE], [{
  AC_MSG_RESULT([no])
  sed 's/^/| /' conftest.err | tail -n 12 >&2
  rm -f conftest.*
  AC_MSG_ERROR([--with-cuda: $1])
}])

AC_DEFUN([MML_LIB_CUDA], [
  # The library opens the module; dlopen has a library of its own in older versions of glibc.
  AC_SEARCH_LIBS([dlopen], [dl], [], [AC_MSG_ERROR([there is no dlopen: apt-get install libc6-dev])])
  AC_ARG_WITH([cuda],
    [AS_HELP_STRING([--with-cuda@<:@=DIR@:>@],
      [build mmlego-cuda.so too, the module for NVIDIA GPUs, with the CUDA toolkit in DIR, 12.0 or newer
       (without DIR: that of nvcc on the PATH, else /usr/local/cuda) @<:@no@:>@])],
    [], [with_cuda=no])
  AC_ARG_WITH([cuda-arch],
    [AS_HELP_STRING([--with-cuda-arch=LIST],
      [compute capabilities of the GPUs to compile for, such as 80,90; the last one is also kept in a form that newer
       GPUs compile when they load it; native: that of this machine @<:@80,90@:>@])],
    [], [with_cuda_arch=80,90])
  AC_ARG_VAR([NVCC], [compiler of CUDA, for --with-cuda])
  AC_ARG_VAR([NVCCFLAGS], [flags of NVCC @<:@-O3@:>@; its host compiler: -ccbin=g++-12])
  MML_NVCCFLAGS=
  MML_CUDA_LDFLAGS=
  mml_cuda=no
  AS_IF([test "x$with_cuda" != xno], [
    AS_IF([test -n "$NVCC"], [],
      [test "x$with_cuda" = xyes], [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH$PATH_SEPARATOR/usr/local/cuda/bin])],
      [test -x "$with_cuda/bin/nvcc"], [NVCC=$with_cuda/bin/nvcc],
      [AC_MSG_ERROR([--with-cuda=$with_cuda: there is no $with_cuda/bin/nvcc; give the folder of a CUDA toolkit, 12.0 or newer])])
    AS_IF([test -z "$NVCC"],
      [AC_MSG_ERROR([--with-cuda: nvcc is neither on the PATH nor in /usr/local/cuda/bin; give the folder of a CUDA toolkit, 12.0 or newer: --with-cuda=DIR])])
    : ${NVCCFLAGS=-O3}

    mml_gencode=
    AS_CASE([$with_cuda_arch],
      [native], [mml_gencode=" -arch=native"],
      [''|*[[!0-9a-z_,]]*|*,|,*], [AC_MSG_ERROR([--with-cuda-arch=$with_cuda_arch: not a list such as 80,90])],
      [for mml_arch in `echo "$with_cuda_arch" | tr , ' '`; do
         mml_arch=`echo "$mml_arch" | sed 's/^sm_//'`
         AS_CASE([$mml_arch], [[[0-9][0-9]|[0-9][0-9][0-9]|[0-9][0-9][a-z]|[0-9][0-9][0-9][a-z]]], [],
           [AC_MSG_ERROR([--with-cuda-arch=$with_cuda_arch: not a list such as 80,90])])
         AS_VAR_APPEND([mml_gencode], [" -gencode arch=compute_$mml_arch,code=sm_$mml_arch"])
       done
       AS_VAR_APPEND([mml_gencode], [" -gencode arch=compute_$mml_arch,code=compute_$mml_arch"])])

    AC_MSG_CHECKING([for the version of $NVCC])
    $NVCC --version >conftest.out 2>conftest.err || MML_CUDA_REFUSE([$NVCC --version failed])
    mml_cuda=`sed -n 's/.*release \([[0-9]][[0-9.]]*\).*/\1/p' conftest.out | head -n 1`
    AS_CASE([$mml_cuda],
      [''|1.*|2.*|3.*|4.*|5.*|6.*|7.*|8.*|9.*|10.*|11.*],
        [MML_CUDA_REFUSE([CUDA 12.0 or newer is needed, this is '${mml_cuda:-unknown}'])])
    AC_MSG_RESULT([$mml_cuda])

    MML_NVCCFLAGS="-std=c++17$mml_gencode -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra"
    AS_IF([test "x$enable_werror" != xno], [AS_VAR_APPEND([MML_NVCCFLAGS], [" -Werror=all-warnings -Xcompiler -Werror"])])
    # Where the libraries of this toolkit are, unless the system looks there anyway.
    mml_nvcc=`echo "$NVCC" | sed 's/.* //'` # the last word: ccache may stand before it
    mml_nvcc=`AS_DIRNAME(["$mml_nvcc"])`
    mml_cuda_root=`cd "$mml_nvcc/.." 2>/dev/null && pwd`
    AS_IF([test -n "$mml_cuda_root" && test "x$mml_cuda_root" != x/usr && test -d "$mml_cuda_root/lib64"],
      [MML_CUDA_LDFLAGS="-Xlinker -rpath -Xlinker $mml_cuda_root/lib64"])

    AC_MSG_CHECKING([whether nvcc compiles for $with_cuda_arch, and finds cuBLAS and cuFFT])
    cat >conftest.cu <<_MML_EOF
#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cufft.h>
__global__ void twice(float *x) { x[[threadIdx.x]] *= 2.0f; }
int all(float *x) { cublasHandle_t b; cublasLtHandle_t l; cufftHandle f; twice<<<1, 32>>>(x);
                    return cublasCreate(&b) + cublasLtCreate(&l) + cufftCreate(&f); }
_MML_EOF
    $NVCC $NVCCFLAGS $MML_NVCCFLAGS -c -o conftest.o conftest.cu >conftest.out 2>conftest.err ||
      MML_CUDA_REFUSE([nvcc cannot compile for $with_cuda_arch; see its message above (its host compiler: NVCCFLAGS=-ccbin=...)])
    $NVCC -shared $MML_CUDA_LDFLAGS -o conftest.so conftest.o -lcublas -lcublasLt -lcufft >conftest.out 2>conftest.err ||
      MML_CUDA_REFUSE([cuBLAS or cuFFT cannot be linked with: install the libraries of the toolkit for development])
    rm -f conftest.*
    AC_MSG_RESULT([yes])
    AC_DEFINE_UNQUOTED([MML_CUDA_ARCH], ["$with_cuda_arch"], [Compute capabilities that mmlego-cuda.so is compiled for.])
  ])
  AC_SUBST([MML_NVCCFLAGS])
  AC_SUBST([MML_CUDA_LDFLAGS])
  AC_SUBST([MML_CUDA_SWITCH], ["--with-cuda=$with_cuda --with-cuda-arch=$with_cuda_arch"])
  AM_CONDITIONAL([CUDA], [test "x$with_cuda" != xno])
])
