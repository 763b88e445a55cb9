#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into tests/fuzz/seeds (needs h5py; the results are stored, this is how)."""
import gzip
import io
import json
import os
import zipfile

import h5py
import numpy as np

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")
text = h5py.string_dtype()


def put(name, data):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


put("csv/plain.csv", "id,x,y\na,1,2.5\nb,NA,-1e-05\nc,,inf\n")
put("csv/quotes.csv", 'id,"a, b",c\r\n"p ""1""",1,"two\r\nlines"\r\nq,2,\r\n')
put("csv/bom.csv", "\ufeffid;x\n007,1\n")
put("csv/index.csv", ",id,Unnamed: 0,train\n0,TCGA-01,0,1.0\n1,TCGA-02,1,\n")
put("csv/ragged.csv", "id,x\na,1,2\n")
put("csv/open.csv", 'id,x\na,"1\nb,2\n')
put("csv/utf16.csv", "id,x\na,1\n".encode("utf-16"))
put("csv/small.csv.gz", gzip.compress(b"id,x\na,1\nb,2\n" * 20, mtime=0))

def zipped(name, members, method=zipfile.ZIP_DEFLATED, zip64=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for path, data in members.items():
            info = zipfile.ZipInfo(path)
            info.compress_type = method
            with z.open(info, "w", force_zip64=zip64) as f:
                f.write(data)
    put(name, out.getvalue())


zipped("zip/table.zip", {"../t.csv": b"id,x\na,1\nb,2\n"})
zipped("zip/stored.zip", {"d/": b"", "d/t.csv": b"id,x\na,1\n", "__MACOSX/d/._t.csv": b"x"}, zipfile.ZIP_STORED)
zipped("zip/zip64.zip", {"t.csv": b"id,x\na,1\n", "u.csv": b"id\n"}, zip64=True)
zipped("zip/torch.zip", {"m/data.pkl": b"\x80\x02.", "m/data/0": b"0123"}, zipfile.ZIP_STORED)



def saved(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version)
    return out.getvalue()


small = np.arange(6).reshape(2, 3)
records = np.array([(True, 2.5), (False, 1)], [("event", "?"), ("time", "<f8")])
put("npy/floats.npy", saved(small.astype("<f4")))
put("npy/big.npy", saved(small.astype(">i2"), (2, 0)))
put("npy/fortran.npy", saved(np.asfortranarray(small.astype("<f8"))))
put("npy/half.npy", saved(small.astype("<f2"), (3, 0)))
put("npy/records.npy", saved(records))
put("npy/words.npy", saved(np.array(["a", "b\u00fc"])))
put("npy/objects.npy", saved(np.array([None, 1], object)))
zipped("npy/stored.npz", {"x.npy": saved(small), "ids.npy": saved(np.array([b"p", b"q"]))}, zipfile.ZIP_STORED)
zipped("npy/packed.npz", {"x.npy": saved(small.astype("u1"))})


def tensors(name, header, data, pad=0):
    text = json.dumps(header, separators=(",", ":")).encode() + b" " * pad
    put(name, len(text).to_bytes(8, "little") + text + data)


tensors("safetensors/two.safetensors", {"__metadata__": {"format": "pt"},
                                       "a.weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
                                       "b": {"dtype": "BF16", "shape": [], "data_offsets": [8, 10]}}, bytes(range(10)), 3)
tensors("safetensors/types.safetensors", {"i": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
                                         "h": {"dtype": "F16", "shape": [2], "data_offsets": [8, 12]},
                                         "q": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [12, 14]},
                                         "e": {"dtype": "U8", "shape": [0, 3], "data_offsets": [14, 14]}}, bytes(14))
tensors("safetensors/overlap.safetensors", {"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
                                           "b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}, bytes(3))

put("ini/full.ini", """; every key
[cohort]
folder = .
labels = labels.csv
id = sample_id
group = patient
splits = splits.csv
columns = challenge_set,
    site
compress = 4
[task death]
kind = binary
label = died
[task os]
kind = survival
time = months
censorship = censorship
unit = months
[task stage]
kind = multiclass
label = stage
[task los]
kind = regression
label = days
[modality static]
kind = table
file = static.csv.gz
columns = all, -note*
transform = log1p
drop_empty_rows = no
[modality series]
kind = series
file = series.h5
id = ids
dataset = values
channels = names
tokens = summary
steps = 0:24
[modality image]
kind = image
file = image.h5
dataset = pixels
patch = 8
[modality bag]
kind = bag
file = bag.csv
""")
put("ini/long.ini", "[cohort]\nlabels: l.csv\nid=id ; text\n[modality m]\nkind = table\nfile = m.csv\ncolumns = "
    + ", ".join(f"gene_{i}" for i in range(60)) + "\n")
put("ini/broken.ini", "x = 1\n[cohort\nlabels\n[]\n")


def cohort(name, libver, fixed):
    """fixed: texts of one length. libhdf5 1.10 trusts what has no checksum in a file, and crashes when it is damaged: the
    heap of texts of variable length, and all metadata of the oldest format. Such seeds are named once_*: not mutated."""
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)

    def word(x):
        return np.bytes_(x) if fixed else x

    def words(x):
        return {"data": np.array([np.bytes_(w) for w in x])} if fixed else {"data": x, "dtype": text}

    with h5py.File(path, "w", libver=libver, track_order=True) as f:
        f.attrs["format"], f.attrs["version"] = word("mmlego cohort"), 1
        f.create_dataset("samples/id", **words(["a", "b", "c", "d"]))
        f.create_dataset("samples/group", **words(["p", "p", "q", "r"]))
        f.create_dataset("columns/set", **words(["x", "y", "", "x"]))
        t = f.create_group("tasks/os")
        t.attrs["kind"], t.attrs["unit"] = word("survival"), word("months")
        t["time"], t["event"] = np.array([1.0, 2, np.nan, 3]), np.array([True, False, True, True])
        t = f.create_group("tasks/k")
        t.attrs["kind"] = word("multiclass")
        t["code"] = np.array([0, 2, -1, 1], "i1")
        t.create_dataset("classes", **words(["I", "II", "III"]))
        m = f.create_group("modalities/bag")
        m.attrs["kind"] = word("bag")
        m["offsets"] = np.array([0, 2, 2, 5, 6])
        m.create_dataset("values", data=np.arange(12, dtype="f4").reshape(6, 2), chunks=(2, 2), compression="gzip")
        m["positions"] = np.linspace(0, 1, 6, dtype="f4").reshape(6, 1)
        m.create_dataset("features", **words(["f", "g"]))


cohort("cohort/once_earliest.h5", ("earliest", "v108"), False)
cohort("cohort/once_v108.h5", ("v108", "v108"), False)
cohort("cohort/once_fixed_earliest.h5", ("earliest", "v108"), True)
cohort("cohort/v108.h5", ("v108", "v108"), True)
