#!/usr/bin/env python3
"""Writes anndata_truth.h: what anndata reads out of the files that test_anndata_files.c reads, as checksums.

    anndata_truth.py FOLDER_WITH_user_files >anndata_truth.h      (anndata 0.12, h5py 3.16; the result is stored)
"""
import os
import sys
import warnings
import zlib

import anndata
import h5py
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
root = sys.argv[1]


def line(file, part, data):
    print(f'    {{"{file}", "{part}", 0x{zlib.crc32(data):08x}}},')


def texts(values):
    return "".join(f"{v}\n" for v in values).encode()


def column(s):
    missing = s.isna().to_numpy()
    if isinstance(s.dtype, pd.CategoricalDtype):
        data = s.cat.codes.to_numpy().astype("<i8").tobytes() + texts(s.cat.categories)
    elif pd.api.types.is_float_dtype(s.dtype):
        data = s.fillna(0).to_numpy("<f8").tobytes()
    elif pd.api.types.is_bool_dtype(s.dtype) or pd.api.types.is_integer_dtype(s.dtype):
        data = s.fillna(0).to_numpy("<i8").tobytes()
    else:
        data = texts("" if m else v for v, m in zip(s, missing))
    return data + missing.astype("u1").tobytes()


def frame(file, part, f):
    line(file, part, texts(f.index))
    for name in f.columns:
        line(file, f"{part}:{name}", column(f[name]))


def matrix(file, part, x):
    if isinstance(x, pd.DataFrame):
        x = x.to_numpy()
    x = x.toarray() if hasattr(x, "toarray") else np.asarray(x)
    line(file, part, x.astype("<f4").tobytes())


def one(file, prefix, g):
    read = anndata.io.read_elem
    frame(file, prefix + "obs", read(g["obs"]))
    frame(file, prefix + "var", read(g["var"]))
    if "X" in g:
        matrix(file, prefix + "X", read(g["X"]))
    if "raw" in g:
        matrix(file, prefix + "raw", read(g["raw/X"]))
        line(file, prefix + "raw:names", texts(read(g["raw/var"]).index))
    for group in "layers", "obsm":
        for name in sorted(g.get(group, {})):
            x = read(g[group][name])
            if not isinstance(x, pd.DataFrame):
                matrix(file, f"{prefix}{group}/{name}", x)


print("/* anndata_truth.h - made by anndata_truth.py: file, part, CRC-32 of what anndata reads there. */")
print("static const struct {\n    const char *file, *part;\n    unsigned long crc;\n} truth[] = {")
for folder in "h5ad", "h5mu", "reference_writers":
    for name in sorted(os.listdir(os.path.join(root, folder))):
        file = f"{folder}/{name}"
        if not name.endswith((".h5ad", ".h5mu")):
            continue
        with h5py.File(os.path.join(root, file)) as f:
            if "mod" not in f:
                one(file, "", f)
                continue
            frame(file, "obs", anndata.io.read_elem(f["obs"]))
            line(file, "modalities", texts(f["mod"].attrs["mod-order"]))
            for m in f["mod"].attrs["mod-order"]:
                line(file, f"obsmap/{m}", f["obsmap"][m][()].astype("<i8").tobytes())
                one(file, f"mod/{m}/", f["mod"][m])
print("};")
