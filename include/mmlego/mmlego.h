/* mmlego.h - all of libmmlego. */
#ifndef MMLEGO_MMLEGO_H
#define MMLEGO_MMLEGO_H

#include "mmlego/base.h"
#include "mmlego/baseline.h"
#include "mmlego/bench.h"
#include "mmlego/compare.h"
#include "mmlego/data.h"
#include "mmlego/explain.h"
#include "mmlego/metrics.h"
#include "mmlego/model.h"
#include "mmlego/predict.h"
#include "mmlego/report.h"
#include "mmlego/tensor.h"
#include "mmlego/train.h"

#endif
