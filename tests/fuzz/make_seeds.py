#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into tests/fuzz/seeds (needs h5py; the results are stored, this is how)."""
import gzip
import io
import json
import os
import re
import struct
import zipfile
import zlib

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

def state(name, shapes, shift=lambda key: 0):
    header, at, data = {}, 0, b""
    for key, shape in shapes.items():
        n = int(np.prod(shape))
        header[key] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + 4 * n]}
        data += (np.arange(n) % 7 / 8 - 0.25 + shift(key)).astype("<f4").tobytes()
        at += 4 * n
    tensors(name, header, data)


def layer(prefix, d, i, inner=2):
    return {f"{prefix}.1.norm.weight": (d,), f"{prefix}.1.norm.bias": (d,), f"{prefix}.1.norm_context.weight": (i,),
            f"{prefix}.1.norm_context.bias": (i,), f"{prefix}.1.fn.to_q.weight": (inner, d),
            f"{prefix}.1.fn.to_kv.weight": (2 * inner, i), f"{prefix}.1.fn.to_out.0.weight": (d, inner),
            f"{prefix}.1.fn.to_out.0.bias": (d,), f"{prefix}.2.norm.weight": (d,), f"{prefix}.2.norm.bias": (d,),
            f"{prefix}.2.fn.net.0.weight": (8 * d, d), f"{prefix}.2.fn.net.0.bias": (8 * d,),
            f"{prefix}.2.fn.net.2.weight": (d, 4 * d), f"{prefix}.2.fn.net.2.bias": (d,)}


block = {"latent": (2, 1), "to_logits.1.weight": (1,), "to_logits.1.bias": (1,), "to_logits.2.weight": (2, 1),
         "to_logits.2.bias": (2,), **layer("layers.0", 1, 2)}
state("state/plain.safetensors", block)
two = {f"layers.{m}.{key}": shape for m in range(2) for key, shape in block.items()}
state("state/joined.safetensors", {"L": (2, 1), **two, **{f"to_logits.combined_layers.{key[10:]}": shape for key, shape in block.items()
                                                          if key.startswith("to_logits.")}},
      lambda key: 0.125 if key.startswith("layers.1.") else 0.0625 if "combined" in key else 0)
state("state/snn.safetensors", {**block, "encoder.fc_omic.0.0.weight": (2, 1), "encoder.fc_omic.0.0.bias": (2,)})

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


def cohort(name, libver, fixed, categories=False):
    """fixed: texts of one length. libhdf5 1.10 trusts what has no checksum in a file, and crashes when it is damaged: all
    metadata of the oldest format. Such seeds are named once_*: not mutated. (Texts of variable length lie in a heap without
    checksums, too, but that is read by io/h5heap.c.)"""
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
        if categories:
            m = f.create_group("modalities/table")
            m.attrs["kind"] = word("table")
            m["offsets"] = np.array([0, 1, 2, 2, 3])
            m["values"] = np.array([[50, 1, 0], [60, 0, 1], [70, np.nan, np.nan]], "f4")
            m.create_dataset("features", **words(["age", "sex=f", "sex=m"]))
            m.create_dataset("category_of", **words(["", "sex", "sex"]))


cohort("cohort/once_earliest.h5", ("earliest", "v108"), False)
cohort("cohort/heap_v108.h5", ("v108", "v108"), False)
cohort("cohort/once_fixed_earliest.h5", ("earliest", "v108"), True)
cohort("cohort/v108.h5", ("v108", "v108"), True)
cohort("cohort/categories.h5", ("v108", "v108"), True, categories=True)


# ---- AnnData and MuData. Texts of one length and checksums, as in cohort(): only then is what is mutated ours to refuse.
def fixed(words):
    return np.array([np.bytes_(w) for w in words]) if len(words) else np.zeros(0, "S1")


def attr(g, **attrs):
    for k, v in attrs.items():
        g.attrs[k.replace("_type", "-type").replace("_order", "-order")] = (
            np.bytes_(v) if isinstance(v, str) else fixed(v) if isinstance(v, list) and v and isinstance(v[0], str) else v)


def frame(f, name, ids, **columns):
    g = f.create_group(name)
    attr(g, encoding_type="dataframe", _index="_index", column_order=list(columns) or np.zeros(0))
    g["_index"] = fixed(ids)
    for k, v in columns.items():
        if callable(v):
            v(g, k)
        else:
            g[k] = v
    return g


def sparse(f, name, kind, x):
    g = f.create_group(name)
    attr(g, encoding_type=kind, shape=np.array(x.shape))
    rows, columns = np.nonzero(x) if kind == "csr_matrix" else np.nonzero(x.T)
    g["indptr"] = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=x.shape[kind == "csc_matrix"]))])
    g["indices"] = columns.astype("i4")
    g["data"] = (x if kind == "csr_matrix" else x.T)[rows, columns]


def categorical(codes, levels):
    def put_group(g, k):
        c = g.create_group(k)
        attr(c, encoding_type="categorical", ordered=False)
        c["codes"], c["categories"] = np.array(codes, "i1"), fixed(levels)
    return put_group


def nullable(values, mask):
    def put_group(g, k):
        c = g.create_group(k)
        attr(c, encoding_type="nullable-integer")
        c["values"], c["mask"] = np.array(values), np.array(mask)
    return put_group


def referring(codes, levels):
    def put_set(g, k):
        g[k] = np.array(codes, "i1")
        g[f"__categories/{k}"] = levels
        g[k].attrs["categories"] = g[f"__categories/{k}"].ref
    return put_set


def h5(name, **options):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return h5py.File(path, "w", libver=("v108", "v108"), **options)


x = np.array([[0, 1.5, 0], [2, 0, 0], [0, 0, 3], [4, 0, 5]], "f4")
cells, genes = ["c1", "c2", "c3", "c4"], ["g1", "g2", "g3"]
with h5("anndata/sparse.h5ad") as f:
    attr(f, encoding_type="anndata")
    frame(f, "obs", cells, kind=categorical([0, 1, -1, 1], ["lo", "hi"]), n=nullable([1, 2, 3, 4], [True, False, True, False]))
    frame(f, "var", genes)
    sparse(f, "X", "csr_matrix", x)
    sparse(f, "layers/c", "csc_matrix", x)
    f["obsm/e"] = x[:, :2]
with h5("anndata/packed.h5ad") as f:
    attr(f, encoding_type="anndata")
    frame(f, "obs", cells, flag=np.array([True, False, True, True]), age=np.array([1.5, np.nan, 2, 3]))
    frame(f, "var", genes)
    f.create_dataset("X", data=x, chunks=(2, 3), compression="lzf")
    f.create_dataset("layers/z", data=np.zeros((4, 3)), chunks=(4, 3), compression="gzip")
with h5("anndata/old.h5ad") as f:
    frame(f, "obs", cells, kind=referring([0, 1, -1, 1], fixed(["lo", "hi"])))
    frame(f, "var", genes)
    f["X"] = x
    frame(f, "raw/var", ["r1", "r2"])
    f["raw/X"] = x[:, 1:]
with h5("anndata/records.h5ad") as f:
    f["obs"] = np.array([(b"c1", 1), (b"c2", 0)], [("index", "S2"), ("k", "i1")])
    f["var"] = np.array([(b"g1",), (b"g2",)], [("index", "S2")])
    f["uns/k_categories"] = fixed(["lo", "hi"])
    f["X"] = x[:2, :2]
with h5("anndata/two.h5mu", userblock_size=512) as f:
    attr(f, encoding_type="MuData", axis=0)
    frame(f, "obs", cells, n=np.arange(4))
    for m, rows in ("a", [0, 1, 2]), ("b", [3, 0]):
        frame(f, f"mod/{m}/obs", [cells[r] for r in rows])
        frame(f, f"mod/{m}/var", genes)
        f[f"mod/{m}/X"] = x[rows]
        f[f"obsmap/{m}"] = np.array([rows.index(i) + 1 if i in rows else 0 for i in range(4)], "u4")
    attr(f["mod"], **{"mod_order": ["b", "a"]})

# ---- things to put into a file: fuzz_anndata_parts.c says how they are written, and has the lists.
with open(os.path.join(os.path.dirname(root), "fuzz_anndata_parts.c")) as source:
    lists = {k: re.findall(r'"([^"]*)"', v) for k, v in re.findall(r"\*const (names|keys|words)\[\] = \{(.*?)\};", source.read(), re.S)}


def at(kind, word):
    return lists[kind].index(word)


def group(name):
    return [0, at("names", name)]


def array(name, of, shape, values):
    return [1, at("names", name), len(shape), of, *shape, *values]


def texts(name, words):
    return array(name, 9, [len(words)], [at("words", w) for w in words])


def says(name, key, *words):
    return [2, at("names", name), at("keys", key), {1: 129, 2: 6}[len(words)],
            *[v for w in (list(words) + [""] * 4)[:4] for v in (at("words", w), 0)]]


def counts(name, key, a, b):
    return [2, at("names", name), at("keys", key), 7, 0, a, 0, b, 0, 0, 0, 0]


def tables(n_obs, n_var, prefix=""):
    return (group(prefix + "obs") + says(prefix + "obs", "_index", "_index") + texts(prefix + "obs/_index", ["a", "m", "obs"][:n_obs])
            + group(prefix + "var") + says(prefix + "var", "_index", "_index")
            + texts(prefix + "var/_index", ["a", "m", "csr"][:n_var]))


def program(name, *things):
    put(f"anndata_parts/{name}", bytes(b for thing in things for b in thing))


matrix = [*array("X/indptr", 0, [3], [0, 1, 2]), *array("X/indices", 1, [2], [1, 0]), *array("X/data", 5, [2], [7, 8])]
program("csr", tables(2, 2), says(".", "encoding-type", "anndata"), group("X"), says("X", "encoding-type", "csr_matrix"),
        counts("X", "shape", 2, 2), matrix)
program("csc", tables(2, 2), group("X"), says("X", "encoding-type", "csc_matrix"), counts("X", "shape", 2, 2), matrix)
program("old", tables(2, 2), group("X"), says("X", "h5sparse_format", "csr"), counts("X", "h5sparse_shape", 2, 2), matrix)
program("categorical", tables(2, 1), says("obs", "column-order", "a", "m"), group("obs/a"),
        says("obs/a", "encoding-type", "categorical"), array("obs/a/codes", 2, [2], [1, 204]),
        texts("obs/a/categories", ["a", "m"]), array("obsm/e", 6, [2, 2], [1, 2, 3, 4]))
program("nullable", tables(2, 1), group("obs/a"), says("obs", "column-order", "a", "m"),
        says("obs/a", "encoding-type", "nullable-string-array"), texts("obs/a/values", ["a", "m"]),
        array("obs/a/mask", 8, [2], [1, 0]), array("raw/X", 0, [2, 1], [1, 2]), group("raw/var"),
        says("raw/var", "_index", "_index"), texts("raw/var/_index", ["a"]))
program("refers", tables(2, 1), says("obs", "column-order", "a", "m"), array("obs/a", 2, [2], [1, 0]),
        texts("obs/__categories/a", ["a", "m"]),
        [2, at("names", "obs/a"), at("keys", "categories"), 128, 0, at("names", "obs/__categories/a"), 0, 1, 0, 0, 0, 0])
program("records", [3, at("names", "obs"), 2, 1], b"c1\0\0\1\0\0\0\0\0\0\0c2\0\0\0\0\0\0\0\0\0\0" + bytes(84),
        [3, at("names", "var"), 1, 1], b"g1\0\0" + bytes(104), array("X", 6, [2, 1], [1, 2]))
program("mudata", tables(2, 1), says(".", "encoding-type", "MuData"), tables(2, 1, "mod/m/"), array("mod/m/X", 6, [2, 1], [1, 2]),
        array("obsmap/m", 4, [2], [0, 1]), says("mod", "mod-order", "m"))

put("lzf/run", b"\x6e\0\0\0\0a\xe0\x64\0")
put("lzf/literals", b"\4\0\0\0\3abcd")
put("lzf/mixed", b"\0\1\0\0\7abcdefgh\x20\7\x40\3\1xy\xe0\xff\5")


def bag(name, libver, dtype, shape, chunks, coords, **more):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with h5py.File(path, "w", libver=libver) as f:
        most = tuple(None if i == len(shape) - 2 else n for i, n in enumerate(shape)) if chunks else None
        d = f.create_dataset("features", shape, dtype, chunks=chunks, maxshape=most, **more)
        d[...] = np.arange(np.prod(shape)).reshape(shape) / 4
        if coords:
            f.create_dataset("coords", data=np.arange(np.prod(coords)).reshape(coords).astype("i4"), chunks=chunks and coords)


# as for cohorts: what has no checksum is not mutated, which the index of chunks has not
bag("bag/once_trident.h5", ("earliest", "v108"), "<f4", (5, 3), (1, 3), (5, 2))
bag("bag/once_clam_v108.h5", ("v108", "v108"), "<f4", (5, 3), (2, 3), (5, 2))
bag("bag/half_v108.h5", ("v108", "v108"), "<f2", (5, 3), None, (5, 2))
bag("bag/batched_v108.h5", ("v108", "v108"), ">f4", (1, 4, 3), None, (1, 4, 2))
bag("bag/vector_v108.h5", ("v108", "v108"), "<f4", (4,), None, (3, 2))
bag("bag/empty_v108.h5", ("v108", "v108"), "<f4", (0, 3), None, (0, 2))
bag("bag/once_packed.h5", ("v108", "v108"), "<f2", (5, 3), (5, 3), None, compression="gzip", shuffle=True)
# ---- lists of ids and of genes
put("lists/splits.csv", ",train,val,test\n0,a,b,s4\n1,s1,,\n")
put("lists/flags.csv", ",train,val\ns1,True,False\ns3.svs,FALSE,TRUE\n")
put("lists/counts.csv", ",train,val\nclass 1,10,2\n")
put("lists/genes.csv", "Onco,Kinases\nA,B\nC,A\nQ,\n")
put("lists/composition.csv", 'gene,P/1,"P, 2"\nA,1,0\nC,0,1\n')
# ---- time series as text
put("series/record.txt", "Time,Parameter,Value\n00:00,RecordID,132539\n00:00,Age,54\n00:00,Gender,0\n00:00,Height,-1\n"
                         "00:07,HR,73\n00:37,Urine,900\n01:30,MechVent,1\n48:00,Temp,36.9\n")
put("series/episode.csv", "Hours,Glascow coma scale total,Heart Rate,pH\n0.5,15,80,\n1.0,,82.5,7.4\n47.9,11,,\n60,,90,\n")
put("series/long.csv", "x,what,id,t\n1,hr,b,2.5\n2,hr,a,0\n3,temp,a,0.9\n4,hr,b,0.5\n,hr,a,1\n6,hr,b,9\n")
# ---- files of which nothing is known
put("look/survival.csv", "case_id,slide_id,age,sex,survival_months,censorship,TP53_rnaseq\n"
                         "p1,s1.svs,50,m,3.5,1,0.25\np2,s2.svs,,f,7,0,-1e-3\n")
put("look/tabs.tsv", '""\ta\tstatus\tx, y\n"r 1"\t1\tyes\t\n"r 2"\tTrue\tno\t2\n')
put("look/bare.csv", "1.0e+00,2\n3,4\n")
put("look/cohort.ini", "[cohort]\nid = id\n[modality m]\nkind = table\nfile = nowhere.csv\n")
put("look/tensor.pt", b"PK\3\4" + bytes(22) + b"\x0c\0" + bytes(2) + b"abc/data.pkl\x80\2}q\1.")
with h5py.File(os.path.join(root, "look/arrays.h5"), "w", libver="earliest") as f:
    f.create_dataset("cases", data=np.array([b"p1", b"p2"]))
    f.create_dataset("expr", data=np.arange(6, dtype="<f4").reshape(2, 3))
    f.create_dataset("deep/er/pixels", data=np.zeros((2, 16, 16), "u1"))


# ---- HDF5 files of any content
def any_content(f, **chunked):
    f["named"] = np.dtype("<f4")
    f.create_dataset("of_named", data=np.zeros(3, "<f4"), dtype=f["named"])
    f.create_dataset("record", data=np.zeros(2, np.dtype([("x", "<i2"), ("yy", "<f8", (2,)), ("s", "S3"), ("in", [("a", "u1"), ("b", "?")])])))
    f.create_dataset("colours", data=np.array([0, 1]), dtype=h5py.enum_dtype({"RED": 0, "GREEN": 1}, basetype="i1"))
    f.create_dataset("texts", data=["a", "bb"], dtype=h5py.string_dtype())
    f.create_dataset("grows", data=np.arange(40, dtype="<f4"), chunks=(2,), maxshape=(None,))
    f.create_dataset("grows_twice", data=np.zeros((6, 4), "<i2"), chunks=(2, 2), maxshape=(None, None), **chunked)
    f.create_dataset("fixed", data=np.arange(12, dtype=">i8"), chunks=(2,), **chunked)
    f.create_dataset("filled", shape=(3,), dtype="<f4", fillvalue=7)
    f.create_dataset("empty", data=h5py.Empty("<f4"))
    f["filled"].attrs["n"] = 3
    f["filled"].attrs["list"] = ["x", "yy"]
    group = f.create_group("group")
    for i in range(10):
        group.create_group(f"member{i}")
        group.attrs[f"attr{i}"] = np.arange(i + 1.0)
    group.attrs["text"] = "some text"


os.makedirs(os.path.join(root, "h5"), exist_ok=True)
for version in "earliest", "v108", "v110":
    with h5py.File(os.path.join(root, f"h5/{version}.h5"), "w", libver=version if version == "earliest" else (version, version)) as f:
        any_content(f)
with h5py.File(os.path.join(root, "h5/ordered.h5"), "w", libver=("v108", "v108"), track_order=True, userblock_size=512) as f:
    any_content(f, compression="gzip")
with h5py.File(os.path.join(root, "h5/packed.h5"), "w", libver=("v110", "v110")) as f:
    any_content(f, compression="gzip", shuffle=True)
with h5py.File(os.path.join(root, "h5/large.h5"), "w", libver=("v108", "v108")) as f:
    f.attrs["list"] = np.arange(600.0)  # too large for a block of the heap
    for i in range(9):
        f.attrs[f"attr{i}"] = i


def png(name, width, height, depth, colour, rows, *chunks, interlace=0):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    put("image/" + name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
        + b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
png("grey.png", 3, 2, 8, 0, b"\0abc\2\1\2\3", (b"eXIf", exif))
png("palette.png", 4, 2, 2, 3, b"\0\x1b\0\xe4", (b"PLTE", bytes(range(12))), (b"tRNS", b"\0"))
png("alpha16.png", 1, 2, 16, 6, b"\0" + bytes(range(8)) + b"\4" + bytes(8))
png("interlaced.png", 3, 3, 8, 2, b"\0abc" + b"\0def" + b"\0ghijkl" + b"\0mno" + b"\0pqr" + b"\0stuvwxyz." + b"\0", interlace=1)


def jpeg(name, frame, components, scans, *extra):
    def marker(code, data):
        return b"\xff" + bytes([code]) + struct.pack(">H", len(data) + 2) + data

    # one bit codes: DC 0 = no difference, 10 = 1 bit of difference; AC 0 = end of block, 10 = one bit
    tables = marker(0xdb, b"\0" + b"\x10" * 64) + marker(0xc4, b"\0\1\1" + bytes(14) + b"\0\1" + b"\x10\1\1" + bytes(14) + b"\0\1")
    size = struct.pack(">BHHB", 8, 8, 16, components)
    put("image/" + name, b"\xff\xd8" + b"".join(marker(*e) for e in extra) + tables
        + marker(frame, size + b"".join(bytes([c + 1, 0x11, 0]) for c in range(components)))
        + b"".join(marker(0xda, bytes([len(which)]) + b"".join(bytes([c + 1, 0]) for c in which) + bytes(spectrum)) + bits
                   for which, spectrum, bits in scans) + b"\xff\xd9")


jpeg("grey.jpg", 0xc0, 1, [([0], (0, 63, 0), b"\xaa")], (0xe1, b"Exif\0\0" + exif))
jpeg("colour.jpg", 0xc0, 3, [([0, 1, 2], (0, 63, 0), b"\xaa\xaa\xaa")])
jpeg("progressive.jpg", 0xc2, 1, [([0], (0, 0, 1), b"\xb7"), ([0], (0, 0, 0x10), b"\xbf"), ([0], (1, 63, 0), b"\x3f")])
jpeg("cmyk.jpg", 0xc0, 4, [([0, 1, 2, 3], (0, 63, 0), b"\0\0")], (0xee, b"Adobe\0\x64\0\0\0\0\2"))

# Comparisons, as small as they can be with every kind of plot.
def comparison(kind, metric, test, k=6):
    def job(system, fold):
        shift = fold + len(system)
        made = {key: [f((i + shift) % k) for i in range(k)] for key, f in test.items()}
        return {"system": system, "fold": fold, "score": 0.6 + shift / 100, "status": "ok", "test": made,
                "history": [{"epoch": 1, "train_loss": 1, "valid_loss": 1.1, "valid_score": 0.5},
                            {"epoch": 2, "train_loss": 0.7, "valid_loss": 0.9, "valid_score": 0.6}]}

    systems = [("block:x", "unimodal"), ("healnet", "multimodal"), ("merge", "lego"), ("linear", "reference")]
    return json.dumps({
        "format": "mmlego comparison", "version": 1, "title": "T <&>", "command": "mmlego compare", "date": "2026-01-01",
        "cohort": {"path": "c.h5", "samples": 9, "modalities": [{"name": "x", "kind": "table", "present": 8, "width": 3}]},
        "task": {"name": "y", "kind": kind, "metric": metric}, "folds": 2, "seed": 0, "machine": {"cpu": "c", "threads": 2},
        "systems": [{"system": s, "title": s, "group": g, "scores": [0.6, None if s == "linear" else 0.7 + len(s) / 100], "mean": 0.6 + len(s) / 90,
                     "sd": 0.01, "difference": {"to": "healnet", "value": 0.1, "low": -0.1, "high": 0.2}, "parameters": 1000,
                     "train_seconds": 1.5, "peak_bytes": 1e7} for s, g in systems],
        "studies": [{"study": "overlap", "x_title": "x", "series": [{"title": "a", "x": [0, 0.5, 1], "mean": [0.7, None, 0.6],
                                                                       "low": [0.6, 0.6, 0.5], "high": [0.8, 0.8, 0.7]}]}],
        "jobs": [job(s, f) for s, _ in systems for f in range(2)] + [{"system": "mcat", "fold": 0, "status": "failed", "message": "no"}]})


who = {"id": lambda i: "P%d" % i}
put("report/survival.json", comparison("survival", "cindex", {**who, "score": lambda i: i * 0.3, "time": lambda i: 9.0 - i, "event": lambda i: i % 2}))
put("report/binary.json", comparison("binary", "auc", {**who, "score": lambda i: i / 6, "label": lambda i: int(i > 2)}))
put("report/classes.json", comparison("multiclass", "macro_auc", {**who, "score": lambda i: i, "label": lambda i: i % 3,
                                                                  "probability": lambda i: [0.2, 0.3, 0.5]}))
put("report/regression.json", comparison("regression", "r2", {**who, "score": lambda i: i * 1.1, "truth": lambda i: i}))
