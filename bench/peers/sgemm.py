#!/usr/bin/python3
"""The three large products of a Mult-VAE step, by OpenBLAS on all threads and by Pumice, in turns.

    bench/peers/sgemm.py                    # the CPU
    bench/peers/sgemm.py --device vulkan    # a Vulkan device, against cuBLAS (fp32, TF32 off) where PyTorch finds a CUDA device
    bench/peers/sgemm.py --quick            # lengths an eighth as long

What is timed. OpenBLAS: cblas_sgemm through NumPy into a matrix that exists, transposes by flags. cuBLAS: torch.mm into a tensor that
exists, between two CUDA events. Pumice: `pumice bench ops --op matmul`, a program of that one op; host clock on the CPU, the device's own
on Vulkan. Medians over all rounds.
"""
import argparse
import time

import common

SHAPES = {    # label of `pumice bench ops`: m, k, n, transpose a, transpose b
    "matmul": (500, 600, 20108, False, False),
    "matmul, b transposed": (500, 20108, 600, False, True),
    "matmul, a transposed": (600, 500, 20108, True, False),
}


class OpenBlas:
    name = "OpenBLAS"

    def __init__(self, shape):
        import numpy
        m, k, n, transpose_a, transpose_b = shape
        rng = numpy.random.default_rng(1)
        self.numpy = numpy
        self.a = rng.random((k, m) if transpose_a else (m, k), dtype=numpy.float32)
        self.b = rng.random((n, k) if transpose_b else (k, n), dtype=numpy.float32)
        if transpose_a:
            self.a = self.a.T
        if transpose_b:
            self.b = self.b.T
        self.c = numpy.empty((m, n), numpy.float32)

    def seconds(self):
        start = time.perf_counter()
        self.numpy.matmul(self.a, self.b, out=self.c)
        return time.perf_counter() - start


class CuBlas:
    name = "cuBLAS"

    def __init__(self, shape):
        import torch
        torch.backends.cuda.matmul.allow_tf32 = False
        m, k, n, transpose_a, transpose_b = shape
        self.torch = torch
        self.a = torch.rand((k, m) if transpose_a else (m, k), device="cuda")
        self.b = torch.rand((n, k) if transpose_b else (k, n), device="cuda")
        self.a, self.b = self.a.t() if transpose_a else self.a, self.b.t() if transpose_b else self.b
        self.c = torch.empty((m, n), device="cuda")

    def seconds(self):
        first, last = self.torch.cuda.Event(enable_timing=True), self.torch.cuda.Event(enable_timing=True)
        first.record()
        self.torch.mm(self.a, self.b, out=self.c)
        last.record()
        last.synchronize()
        return first.elapsed_time(last) / 1e3


def has_cuda():
    try:
        import torch
        return torch.cuda.is_available()
    except ImportError:
        return False


def for_seconds(peer, budget):
    peer.seconds()
    peer.seconds()
    times, end = [], time.perf_counter() + budget
    while not times or (time.perf_counter() < end and len(times) < 1000):
        times.append(peer.seconds())
    return times


def compare(options, env):
    """{label: (flops, seconds of the peer, seconds of Pumice)}"""
    kind = OpenBlas if options.device == "cpu" or not has_cuda() else CuBlas
    scale = 8 if options.quick else 1
    shapes = {label: tuple(length // scale for length in s[:3]) + s[3:] for label, s in SHAPES.items()}
    theirs, ours = {label: [] for label in shapes}, {label: [] for label in shapes}
    for _ in range(options.rounds):
        for label, shape in shapes.items():
            theirs[label] += for_seconds(kind(shape), options.seconds)
        for label, row in common.bench_ops(options, env, "matmul", options.device, options.seconds, options.quick).items():
            if label in ours:
                ours[label].append(row["seconds"])
    flops = {label: 2.0 * s[0] * s[1] * s[2] for label, s in shapes.items()}
    return kind.name, {label: (flops[label], common.median(theirs[label]), common.median(ours[label])) for label in shapes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--device", default="cpu", help="Pumice's (default: cpu)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each shape, side and round (default: 0.5)")
    parser.add_argument("--quick", action="store_true", help="lengths an eighth as long")
    options = parser.parse_args()
    env = common.begin(options)
    others = common.Others()
    peer, result = compare(options, env)
    blas = common.loaded_blas()
    if peer == "OpenBLAS":
        common.require_blas(blas, "NumPy", options.any_blas)
    common.head("product", "m, k, n", f"{peer} GFLOP/s", f"Pumice GFLOP/s ({options.device})", f"Pumice / {peer}")
    scale = 8 if options.quick else 1
    for label, (flops, theirs, ours) in result.items():
        shape = ", ".join(str(length // scale) for length in SHAPES[label][:3])
        common.row(label, shape, f"{flops / theirs / 1e9:.1f}", f"{flops / ours / 1e9:.1f}", f"{theirs / ours:.2f}")
    total = [sum(r[i] for r in result.values()) for i in range(3)]
    common.row("all three", "", f"{total[0] / total[1] / 1e9:.1f}", f"{total[0] / total[2] / 1e9:.1f}", f"{total[1] / total[2]:.2f}")
    print(f"\n- {peer if peer != 'OpenBLAS' else blas['name']}\n- {common.machine(options.threads)}\n- {others.line()}")


if __name__ == "__main__":
    main()
