#!/usr/bin/python3
"""The fit of EASE: Pumice's `ease` on the CPU beside NumPy, whose whole fit is np.linalg.inv, in turns.

    bench/peers/ease.py [--items 20000] [--users 10000] [--interactions 1000000] [--lambda 500]

The same synthetic training matrix, lambda and number of threads on both sides; float32.

    NumPy     G = (X.T @ X).toarray(); G += lambda on the diagonal; P = np.linalg.inv(G); B = P / -diag(P), zeros on the diagonal
    Pumice    what `pumice train` logs for the epoch: Gram matrix, inversion, weights and the residual

np.linalg.inv solves for the unit matrix, 8/3 n^3 operations; Pumice eliminates in the lower triangle alone, n^3. The processor's time of Pumice is of the
whole command, reading, evaluation and saving included. More than 1e-3 between the two results is an error.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import common
from wrmf import folder_of, read_tensors


def synthetic(options):
    """Users of equal length, items by a power law."""
    import numpy
    import scipy.sparse
    rng = numpy.random.default_rng(1)
    weight = 1 / numpy.arange(10, options.items + 10)
    user = numpy.repeat(numpy.arange(options.users), options.interactions // options.users)
    matrix = scipy.sparse.csr_matrix((numpy.ones(len(user), numpy.float32), (user, rng.choice(options.items, len(user), p=weight / weight.sum()))),
                                     shape=(options.users, options.items))
    matrix.data[:] = 1
    return matrix


def time_numpy(matrix, penalty):
    import numpy
    began, busy = time.perf_counter(), time.process_time()
    weights = (matrix.T @ matrix).toarray()
    weights[numpy.diag_indices_from(weights)] += penalty
    weights = numpy.linalg.inv(weights)
    weights /= -numpy.diag(weights).copy()
    numpy.fill_diagonal(weights, 0)
    return time.perf_counter() - began, time.process_time() - busy, weights


def time_pumice(options, env, data, run):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([common.pumice(options), "train", "ease", "--data", data, "--protocol", "files", "--device", "cpu", "-o", run, "--set",
                    f"lambda={options.penalty}", "--metrics", "recall@10", "--quiet", "--json"], env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as f:
        seconds = json.loads(f.readline())["seconds"]
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--items", type=int, default=20000)
    parser.add_argument("--users", type=int, default=10000)
    parser.add_argument("--interactions", type=int, default=1000000)
    parser.add_argument("--lambda", dest="penalty", type=float, default=500)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    env, blas = common.begin(options), common.numpy_blas(options)
    import numpy
    others, matrix, theirs, ours = common.Others(), synthetic(options), [], []
    with tempfile.TemporaryDirectory() as scratch:
        data = folder_of(matrix, os.path.join(scratch, "data"))
        for turn in range(options.rounds):
            seconds, busy, weights = time_numpy(matrix, options.penalty)
            theirs.append((seconds, busy))
            run = os.path.join(scratch, f"run{turn}")
            ours.append(time_pumice(options, env, data, run))
        apart = float(numpy.abs(read_tensors(os.path.join(run, "best.safetensors"))["weights"] - weights).max())
    a, b, c, d = (common.median([t[i] for t in side]) for i in (0, 1) for side in (theirs, ours))
    common.head("items", "NumPy s", "Pumice s", "times as fast", "by the processor's time", "largest difference of a weight")
    common.row(f"{options.items:,}", f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}", f"{c:.1f} / {d:.1f} = {c / d:.2f}", f"{apart:.1e}")
    print(f"\n- {matrix.shape[0]:,} users, {matrix.nnz:,} interactions, lambda {options.penalty:g}; {blas['name']}")
    print(f"- {common.machine(options.threads)}\n- {others.line()}")
    if apart > 1e-3:
        sys.exit("the two do not come out alike")


if __name__ == "__main__":
    main()
