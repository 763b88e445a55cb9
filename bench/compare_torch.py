#!/usr/bin/env python3
"""The cases of `mmlego bench` (group main) beside plain PyTorch modules of the same sizes, on this machine.

    bench/compare_torch.py --mmlego build/mmlego [--device cpu|cuda[:N]] [--threads N] [--seconds S] [--compile] [CASE...]

Needs PyTorch (for --device cpu a build for the CPU is enough). The modules are written from doc/method.md with what PyTorch has: nn.Linear,
nn.LayerNorm, scaled_dot_product_attention, torch.fft, torch.optim.AdamW. They do what a careful user would write, not what a
compiler of models could make of it, and take no part in the shortcuts of the library (a sample of one token, a start that all
samples share), as each of those is what is compared. All samples of a case have equally many tokens, so that PyTorch needs no
mask. Before a case is timed its number of parameters is compared with the library's.

Each case runs in a process of its own; memory is the peak of the process beyond what it had when the input was made. The two
programs are run one after the other, case by case. A ratio above 1: the library is faster, or smaller.

--compile adds a third run, of the same modules through torch.compile, timed after it has compiled. On a GPU memory is that of
the GPU, as each program has it allocated, PyTorch takes its fused AdamW, and both compute in float32; MMLEGO_CUDA_TF32=1 in the
environment lets both use TF32.
"""
import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time

TABLE = ("snn", 2189, 1)
SERIES = ("none", 37, 48)


def bag(tokens):
    return ("abmil", 1024, tokens)


def raw(tokens):
    return ("none", 1024, tokens)


# name: work, batch, blocks, steps, kind
CASES = {
    "table-train-32": ("train", 32, [TABLE], 2, "block"),
    "table-predict-1": ("predict", 1, [TABLE], 2, "block"),
    "table-predict-32": ("predict", 32, [TABLE], 2, "block"),
    "bag-train-1000": ("train", 1, [bag(1000)], 2, "block"),
    "bag-train-10000": ("train", 1, [bag(10000)], 2, "block"),
    "bag-predict-10000": ("predict", 1, [bag(10000)], 2, "block"),
    "series-train-64": ("train", 64, [SERIES], 2, "block"),
    "raw-train-10000": ("train", 1, [raw(10000)], 2, "block"),
    "attention-forward": ("predict", 1, [raw(100000)], 1, "block"),
    "attention-backward": ("backward", 1, [raw(100000)], 1, "block"),
    "merge-predict-1": ("predict", 1, [TABLE, bag(100)], 2, "merge"),
    "fuse-train-32": ("train", 32, [TABLE, bag(100)], 2, "fuse"),
    "fuse-predict-2": ("predict", 1, [TABLE, TABLE], 2, "fuse"),
    "fuse-predict-16": ("predict", 1, [TABLE] * 16, 2, "fuse"),
}
LATENT_C, LATENT_D, HEADS, HEAD_WIDTH, OUTPUTS, DROPOUT = 64, 64, 8, 64, 4, 0.5


def modules(torch):
    """The classes, made once torch has been imported."""
    nn, F = torch.nn, torch.nn.functional

    class Snn(nn.Module):
        def __init__(self, width):
            super().__init__()
            sizes = [width, 256, 256, 256, 256]
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
            self.width = 256

        def forward(self, x):
            for layer in self.layers:
                x = F.alpha_dropout(F.elu(layer(x)), 0.25, self.training)
            return x

    class Abmil(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.fc, self.gate = nn.Linear(width, 512), nn.Linear(512, 512)
            self.score, self.rho = nn.Linear(256, 1), nn.Linear(512, 256)
            self.width = 256

        def forward(self, x):
            h = F.dropout(F.relu(self.fc(x)), 0.25, self.training)
            a, b = self.gate(h).chunk(2, -1)
            w = torch.softmax(self.score(torch.tanh(a) * torch.sigmoid(b)), 1)
            return F.relu(self.rho((w * h).sum(1, keepdim=True)))

    class Step(nn.Module):
        def __init__(self, width):
            super().__init__()
            inner = HEADS * HEAD_WIDTH
            self.query_norm, self.context_norm = nn.LayerNorm(LATENT_D), nn.LayerNorm(width)
            self.query = nn.Linear(LATENT_D, inner, bias=False)
            self.key, self.value = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
            self.out, self.ff_norm = nn.Linear(inner, LATENT_D), nn.LayerNorm(LATENT_D)
            self.ff_in, self.ff_out = nn.Linear(LATENT_D, 8 * LATENT_D), nn.Linear(4 * LATENT_D, LATENT_D)

        def heads(self, x):
            return x.unflatten(-1, (HEADS, HEAD_WIDTH)).transpose(-3, -2)

        def forward(self, r, h):
            context = self.context_norm(h)
            a = F.scaled_dot_product_attention(self.heads(self.query(self.query_norm(r))), self.heads(self.key(context)),
                                               self.heads(self.value(context)))
            u = r + F.dropout(self.out(a.transpose(-3, -2).flatten(-2)), DROPOUT, self.training)
            a, g = self.ff_in(self.ff_norm(u)).chunk(2, -1)
            return u + F.dropout(self.ff_out(a * F.selu(g)), DROPOUT, self.training)

    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.linear = nn.LayerNorm(LATENT_D), nn.Linear(LATENT_D, OUTPUTS)

        def forward(self, r):
            return self.linear(self.norm(r.mean(-2)))

    class Block(nn.Module):
        def __init__(self, spec, steps):
            super().__init__()
            kind, width, _ = spec
            self.encoder = {"snn": Snn, "abmil": Abmil}[kind](width) if kind != "none" else nn.Identity()
            inside = getattr(self.encoder, "width", width)
            self.steps = nn.ModuleList(Step(inside) for _ in range(steps))
            self.latent, self.head = nn.Parameter(torch.randn(LATENT_C, LATENT_D)), Head()

        def start(self, batch):
            z = torch.fft.fft2(self.latent, norm="ortho")
            return z.real.expand(batch, -1, -1), z.imag

        def advance(self, r, x):
            h = self.encoder(x)
            for step in self.steps:
                r = step(r, h)
            return r

        def forward(self, xs):
            return self.head(self.advance(self.start(len(xs[0]))[0], xs[0]))

    class Merge(nn.Module):
        """Equation 4 over the blocks, with the first block's head in place of the merged one, which costs the same."""

        def __init__(self, specs, steps):
            super().__init__()
            self.blocks = nn.ModuleList(Block(s, steps) for s in specs)

        def forward(self, xs):
            states = []
            for block, x in zip(self.blocks, xs):
                r, i = block.start(len(x))
                states.append(torch.complex(block.advance(r, x), i.expand(len(x), -1, -1).contiguous()))
            z = torch.stack(states)
            return self.blocks[0].head(torch.polar(1 / (1 / z.abs()).mean(0), z.angle().mean(0)).real)

    class Fuse(nn.Module):
        """A stack. The blocks keep the latents and heads they were trained with, unused."""

        def __init__(self, specs, steps):
            super().__init__()
            self.blocks = nn.ModuleList(Block(s, steps) for s in specs)
            self.latent, self.head = nn.Parameter(torch.randn(LATENT_C, LATENT_D)), Head()

        def forward(self, xs):
            r = torch.fft.fft2(self.latent, norm="ortho").real.expand(len(xs[0]), -1, -1)
            for block, x in zip(self.blocks, xs):
                r = block.advance(r, x)
            return self.head(r)

    return {"block": lambda specs, steps: Block(specs[0], steps), "merge": Merge, "fuse": Fuse}


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def run_torch(name, threads, seconds, device, compiled):
    """One case in this process."""
    import torch

    work, batch, specs, steps, kind = CASES[name]
    torch.manual_seed(1)
    torch.set_num_threads(threads)
    gpu = device != "cpu"
    torch.backends.cuda.matmul.allow_tf32 = os.environ.get("MMLEGO_CUDA_TF32") == "1"
    xs = [torch.randn(batch, tokens, width).to(device) for _, width, tokens in specs]
    before = torch.cuda.memory_allocated(device) if gpu else resident()
    net = modules(torch)[kind](specs, steps).to(device)
    target = (torch.arange(batch) % OUTPUTS).to(device)
    training = work != "predict"
    net.train(training)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2, fused=gpu or None)
    model = torch.compile(net) if compiled else net

    def repeat():
        if not training:
            with torch.inference_mode():
                return model(xs)[0, 0].item()
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(xs), target)
        loss.backward()
        if work == "train":
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
        return loss.item()

    times = []
    for _ in range(3):
        repeat()
    if gpu:
        torch.cuda.reset_peak_memory_stats(device)  # what compiling took is not a step's
    start = time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - start < seconds and len(times) < 1000):
        then = time.perf_counter()
        value = repeat()
        times.append(time.perf_counter() - then)
        if not math.isfinite(value):
            raise SystemExit(f"{name}: not finite")
    times.sort()
    peak = torch.cuda.max_memory_allocated(device) if gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"median": times[len(times) // 2], "low": times[len(times) // 10], "high": times[len(times) * 9 // 10],
            "parameters": sum(p.numel() for p in net.parameters()), "memory": peak - before, "version": torch.__version__}


def ask(command):
    """The JSON that a command prints; None after a message when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"{' '.join(command)}: exit status {done.returncode}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def cell(result):
    return "{:.2f} ({:.2f}, {:.2f})".format(*(1e3 * result[k] for k in ("median", "low", "high")))


def main():
    parser = argparse.ArgumentParser(description="mmlego bench beside PyTorch")
    parser.add_argument("--mmlego", default="mmlego", help="the tool [mmlego]")
    parser.add_argument("--device", default="cpu", help="what both compute on: cpu, cuda or cuda:N [cpu]")
    parser.add_argument("--compile", action="store_true", help="time torch.compile too")
    parser.add_argument("--threads", type=int, default=1, help="threads of both [1]")
    parser.add_argument("--seconds", type=float, default=1.0, help="time to spend on the repeats of a case [1]")
    parser.add_argument("--torch-only", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="cases of group main [all that PyTorch modules exist for]")
    args = parser.parse_args()
    if args.torch_only:
        print(json.dumps(run_torch(args.torch_only, args.threads, args.seconds, args.device, args.compile)))
        return
    unknown = [name for name in args.cases if name not in CASES]
    if unknown:
        parser.error(f"no module for case {unknown[0]}; there are: {', '.join(CASES)}")

    gpu = args.device != "cpu"
    common = ["--device", args.device, "--threads", str(args.threads), "--seconds", str(args.seconds)]
    names = ["PyTorch"] + ["torch.compile"] * args.compile
    where = f"{args.device}, " if gpu else ""
    print(f"{where}{args.threads} thread(s); ms in the median (10 %, 90 %), MB beyond the input{' on the GPU' if gpu else ''}\n")
    print("| case | libmmlego ms | MB |" + "".join(f" {n} ms | MB | time ratio | memory ratio |" for n in names))
    print("|---|---|---|" + "---|---|---|---|" * len(names))
    failed, version = 0, None
    for name in args.cases or CASES:
        ours = ask([args.mmlego, "bench", name, "--no-limits", "--quiet", "--json", *common])
        if ours is None:
            failed += 1
            continue
        ours = ours["cases"][0]
        mb = max(ours["device_peak_bytes" if gpu else "beyond_input_bytes"] * 1e-6, 1e-3)
        row = f"| {name} | {cell(ours)} | {mb:.0f} |"
        for compiled in [False, True][:len(names)]:
            theirs = ask([sys.executable, __file__, "--torch-only", name, *common] + ["--compile"] * compiled)
            failed += theirs is None
            if theirs is None:
                row += " failed | - | - | - |"
                continue
            version = theirs["version"]
            if int(ours["parameters"]) != theirs["parameters"]:
                raise SystemExit(f"{name}: {ours['parameters']:.0f} parameters here, {theirs['parameters']} in PyTorch: "
                                 "not the same model")
            row += (f" {cell(theirs)} | {theirs['memory'] * 1e-6:.0f} | {theirs['median'] / ours['median']:.1f} | "
                    f"{theirs['memory'] * 1e-6 / mb:.1f} |")
        print(row, flush=True)
    print(f"\nPyTorch {version}")
    if failed:
        raise SystemExit(f"{failed} runs failed")


if __name__ == "__main__":
    main()
