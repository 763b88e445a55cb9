#!/usr/bin/env python3
"""Tables of `mmlego bench --json`, for doc/performance.md.

    mmlego bench --json | bench/table.py
    mmlego bench --group tokens --json > tokens.json; bench/table.py tokens.json
    bench/table.py one-thread.json two-threads.json     # medians side by side
"""
import json
import sys


def read(path):
    with (sys.stdin if path == "-" else open(path)) as f:
        return json.load(f)


def number(x, digits):
    return "-" if x is None else f"{x:.{digits}f}"


def one(run):
    print("| case | ms | 10 % - 90 % | GFLOP/s | share of the limit | MB beyond the input |\n|---|---|---|---|---|---|")
    for c in run["cases"]:
        share = c["share_of_limit"]
        print(f"| {c['case']} | {number(1e3 * c['median'], 2)} | {number(1e3 * c['low'], 2)} - {number(1e3 * c['high'], 2)} | "
              f"{number(1e-9 * c['matrix_flop'] / c['median'], 0)} | {'-' if share is None else f'{100 * share:.0f} %'} | "
              f"{'-' if c['beyond_input_bytes'] is None else number(1e-6 * c['beyond_input_bytes'], 0)} |")


def ratios(cases):
    """Scaling studies: the last case of a group against the one before it and against the first."""
    groups = {}
    for c in cases:
        stem, _, at = c["case"].rpartition("-")
        if at.isdigit() and stem in ("tokens", "modalities", "batch", "latent-c", "latent-d", "threads"):
            groups.setdefault(stem, []).append((int(at), c["median"]))
    for stem, of in groups.items():
        for other in sorted({of[0], of[-2]} - {of[-1]}) if len(of) > 1 else []:
            print(f"\n{stem}-{of[-1][0]} takes {of[-1][1] / other[1]:.2f} times as long as {stem}-{other[0]}")


def several(runs):
    names = [c["case"] for c in runs[0]["cases"]]
    of = [{c["case"]: c for c in run["cases"]} for run in runs]
    heads = [f"ms, {run['cases'][0]['threads']} thread(s)" for run in runs]
    print("| case | " + " | ".join(heads) + " | last / first |\n" + "|---" * (len(runs) + 2) + "|")
    for name in names:
        ms = [1e3 * cases[name]["median"] if name in cases else None for cases in of]
        ratio = ms[-1] / ms[0] if ms[-1] and ms[0] else None
        print(f"| {name} | " + " | ".join(number(x, 2) for x in ms) + f" | {number(ratio, 2)} |")


def main():
    runs = [read(path) for path in sys.argv[1:] or ["-"]]
    limits = runs[0]["limits"]

    print(f"mmlego {runs[0]['version']}", end="")
    if limits:
        print(f"; {limits['threads']} thread(s): products up to {limits['flops'] * 1e-9:.0f} GFLOP/s, memory up to "
              f"{limits['bandwidth'] * 1e-9:.1f} GB/s", end="")
    print("\n")
    if len(runs) == 1:
        one(runs[0])
        ratios(runs[0]["cases"])
    else:
        several(runs)


if __name__ == "__main__":
    main()
