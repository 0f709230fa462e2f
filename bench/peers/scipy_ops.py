#!/usr/bin/python3
"""Top-k and sparse products by NumPy and SciPy and by Pumice on the CPU, in turns, at the lengths of Mult-VAE on ML-20M.

    bench/peers/scipy_ops.py [--quick]      # --quick: lengths an eighth as long

    top_k      the 100 best of 20,108 scores for 500 users, in order: argpartition, then argsort of those, as NumPy's users write it
    spmm       500 sparse rows (72,000 entries) times a 20,108 x 600 matrix: csr @ dense
    spmm_t     its transpose times 500 x 600, the gradient of that matrix: csr.T @ dense

What is timed. NumPy, SciPy: the call, its result allocated by it, as these libraries have it. Pumice: `pumice bench ops --op OP`, a
program of that one op into memory that exists. Both on random scores and random rows; medians over all rounds. NumPy's and SciPy's calls
here use one thread, Pumice's all: the table says how many.
"""
import argparse
import time

import common


def contenders(scale):
    import numpy
    import scipy.sparse
    rng = numpy.random.default_rng(1)
    users, items, hidden, entries, k = 500 // scale, 20108 // scale, 600 // scale, 72000 // scale, 100
    scores = rng.standard_normal((users, items), dtype=numpy.float32)
    rows = scipy.sparse.random(users, items, entries / users / items, format="csr", dtype=numpy.float32, random_state=1)
    weights = rng.standard_normal((items, hidden), dtype=numpy.float32)
    gradient = rng.standard_normal((users, hidden), dtype=numpy.float32)

    def top_k():
        best = numpy.argpartition(-scores, k, axis=1)[:, :k]
        order = numpy.argsort(-numpy.take_along_axis(scores, best, 1), axis=1)
        return numpy.take_along_axis(best, order, 1)

    return {"top_k": top_k, "spmm": lambda: rows @ weights, "spmm_t": lambda: rows.T @ gradient}


def for_seconds(call, budget):
    call()
    times, end = [], time.perf_counter() + budget
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each op, side and round (default: 0.5)")
    parser.add_argument("--quick", action="store_true", help="lengths an eighth as long")
    options = parser.parse_args()
    env = common.begin(options)
    others = common.Others()
    calls = contenders(8 if options.quick else 1)
    theirs, ours, shape = {op: [] for op in calls}, {op: [] for op in calls}, {}
    for _ in range(options.rounds):
        for op, call in calls.items():
            theirs[op] += for_seconds(call, options.seconds)
            row = common.bench_ops(options, env, op, "cpu", options.seconds, options.quick)[op]
            ours[op].append(row["seconds"])
            shape[op] = row["shape"]
    common.head("op", "lengths", "NumPy, SciPy ms (1 thread)", f"Pumice ms ({options.threads} threads)", "times as fast")
    for op in calls:
        a, b = common.median(theirs[op]), common.median(ours[op])
        common.row(op, shape[op], f"{1e3 * a:.2f}", f"{1e3 * b:.2f}", f"{a / b:.1f}")
    print(f"\n- {common.machine(options.threads)}\n- {others.line()}")


if __name__ == "__main__":
    main()
