#!/usr/bin/env python3
"""Makes this folder's subset of the PhysioNet/CinC Challenge 2012 from the whole set (data/README.md).

    make_subset.py SOURCE TARGET

SOURCE holds static.csv.gz, timeseries.h5, labels.csv and splits.csv of all 12 000 stays, in one order.
The choice depends on the sample ids alone: in each of the challenge sets a and b, among those who died and
among those who lived, the stays whose SHA-256 of the id is smallest, as many as keep the share of deaths.
Running it twice gives the same bytes (with the same h5py and zlib).
"""
import csv
import gzip
import hashlib
import io
import sys
from pathlib import Path

import h5py
import numpy as np

PER_SET = 1000
SETS = ("a", "b")


def read_rows(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:]


def text_of(header, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def choose(ids, challenge_set, died):
    """Row numbers of the subset, in the order of the source."""
    chosen = []
    for name in SETS:
        rows = [i for i, s in enumerate(challenge_set) if s == name]
        deaths = [i for i in rows if died[i]]
        quota = {True: round(PER_SET * len(deaths) / len(rows))}
        quota[False] = PER_SET - quota[True]
        for outcome, number in quota.items():
            stratum = [i for i in rows if died[i] == outcome]
            stratum.sort(key=lambda i: hashlib.sha256(ids[i].encode()).digest())
            chosen += stratum[:number]
    return sorted(chosen)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = map(Path, sys.argv[1:])
    tables = {n: read_rows(source / n) for n in ("labels.csv", "splits.csv", "static.csv.gz")}
    header, labels = tables["labels.csv"]
    ids = [row[0] for row in labels]
    for name, (_, rows) in tables.items():
        if [row[0] for row in rows] != ids:
            sys.exit(f"{source / name}: not the sample ids of labels.csv in the same order")
    died = [row[header.index("in_hospital_death")] == "1" for row in labels]
    header, splits = tables["splits.csv"]
    keep = choose(ids, [row[header.index("challenge_set")] for row in splits], died)

    target.mkdir(parents=True, exist_ok=True)
    for name, (header, rows) in tables.items():
        text = text_of(header, [rows[i] for i in keep]).encode()
        if name.endswith(".gz"):
            with open(target / name, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as f:
                f.write(text)
        else:
            (target / name).write_bytes(text)

    with h5py.File(source / "timeseries.h5", "r") as old, h5py.File(target / "timeseries.h5", "w") as new:
        if [i.decode() for i in old["sample_id"][:]] != ids:
            sys.exit(f"{source / 'timeseries.h5'}: not the sample ids of labels.csv in the same order")
        values = old["values"][:][keep]
        data = new.create_dataset("values", data=values, chunks=(100,) + values.shape[1:],
                                  compression="gzip", compression_opts=9, shuffle=True)
        data.attrs["axes"] = old["values"].attrs["axes"]
        text = h5py.string_dtype()
        new.create_dataset("sample_id", data=[ids[i] for i in keep], dtype=text)
        new.create_dataset("channels", data=old["channels"][:], dtype=text)

    empty = int((~np.isfinite(values)).all(axis=(1, 2)).sum())
    print(f"{len(keep)} stays, {sum(died[i] for i in keep)} deaths, {empty} without any measurement")


if __name__ == "__main__":
    main()
