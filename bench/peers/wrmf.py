#!/usr/bin/python3
"""An iteration of alternating least squares with confidence 1 + alpha r: Pumice's `wrmf` on the CPU beside a straightforward NumPy/SciPy version, in turns.

    bench/peers/wrmf.py [--data matrix.npz] [--rank 100] [--linear | --ratings]

The same training matrix, rank, alpha, lambda and number of threads on both sides; float32. An iteration gives all items their factors and then
all users, Gram matrices included.

    cholesky   NumPy: for each row  Y[i].T * c @ Y[i], then scipy.linalg.solve(assume_a="pos"); both in OpenBLAS
    cg         NumPy: for each row  three steps of conjugate gradients from its last factors, the products with Y[i] and YtY in OpenBLAS

Pumice's time is what `pumice train` logs for an epoch, validation left out; NumPy's the loop alone. Medians over the rounds, the first iteration
of each side left out. Beside it the processor's time, all threads together, which other work on the machine hardly touches: of Pumice what
further epochs add to that of a run of one epoch. At the end both have done equally many iterations, and their objectives are compared: more
than 2 % apart is an error. --linear: Pumice alone on three data sets of equal shape with 1 : 2 : 4 times the interactions.
--ratings: `als-wr`, which solves known ratings by the same code, beside `wrmf` on three such data sets, in turns.
"""
import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time

import common


class Numpy:
    def __init__(self, matrix, options, solver):
        import numpy
        rng = numpy.random.default_rng(1)
        self.rows, self.columns = matrix.tocsr(), matrix.T.tocsr()
        self.users = (0.1 * rng.standard_normal((matrix.shape[0], options.rank))).astype(numpy.float32)
        self.items = (0.1 * rng.standard_normal((matrix.shape[1], options.rank))).astype(numpy.float32)
        self.options, self.solve = options, self.cholesky if solver == "cholesky" else self.cg

    def iterate(self):
        start, busy = time.perf_counter(), time.process_time()
        self.solve(self.columns, self.items, self.users)
        self.solve(self.rows, self.users, self.items)
        return time.perf_counter() - start, time.process_time() - busy

    def cholesky(self, matrix, x, y):
        import numpy
        import scipy.linalg
        gram = y.T @ y + self.options.penalty * numpy.eye(self.options.rank, dtype=numpy.float32)
        for u in range(matrix.shape[0]):
            at = slice(matrix.indptr[u], matrix.indptr[u + 1])
            rows = y[matrix.indices[at]]
            extra = self.options.alpha * matrix.data[at]
            system = gram + (rows.T * extra) @ rows
            x[u] = scipy.linalg.solve(system, rows.T @ (1 + extra), assume_a="pos", check_finite=False, overwrite_a=True)

    def cg(self, matrix, x, y):
        import numpy
        gram = y.T @ y + self.options.penalty * numpy.eye(self.options.rank, dtype=numpy.float32)
        for u in range(matrix.shape[0]):
            at = slice(matrix.indptr[u], matrix.indptr[u + 1])
            rows = y[matrix.indices[at]]
            if not len(rows):
                x[u] = 0
                continue
            extra = self.options.alpha * matrix.data[at]
            now = x[u]
            r = rows.T @ (1 + extra) - (gram @ now + rows.T @ (extra * (rows @ now)))
            p, square = r.copy(), r @ r
            for _ in range(3):
                q = gram @ p + rows.T @ (extra * (rows @ p))
                step = square / (p @ q)
                now = now + step * p
                r -= step * q
                before, square = square, r @ r
                p = r + square / before * p
            x[u] = now


def objective(matrix, users, items, options):
    """sum c (p - x·y)^2 + lambda (|x|^2 + |y|^2) in double, without laying out users x items."""
    import numpy
    users, items = users.astype(numpy.float64), items.astype(numpy.float64)
    total = numpy.sum((users.T @ users) * (items.T @ items)) + options.penalty * (numpy.sum(users ** 2) + numpy.sum(items ** 2))
    for u in range(matrix.shape[0]):
        at = slice(matrix.indptr[u], matrix.indptr[u + 1])
        score = items[matrix.indices[at]] @ users[u]
        c = 1 + options.alpha * matrix.data[at].astype(numpy.float64)
        total += numpy.sum(c * (1 - score) ** 2 - score ** 2)
    return total


def read_tensors(path):
    import numpy
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    return {name: numpy.frombuffer(data[slice(*t["data_offsets"])], numpy.float32).reshape(t["shape"])
            for name, t in header.items() if name != "__metadata__" and t["dtype"] == "F32"}


def folder_of(matrix, folder):
    """The matrix as a training part, with parts for validation and test of one pair each, since Pumice asks for some."""
    import numpy
    import scipy.sparse
    os.makedirs(folder, exist_ok=True)
    scipy.sparse.save_npz(os.path.join(folder, "Rtrain.npz"), matrix)
    for number, name in enumerate(("Rvalid", "Rtest")):
        user = number
        free = numpy.setdiff1d(numpy.arange(matrix.shape[1]), matrix.indices[matrix.indptr[user]:matrix.indptr[user + 1]])[number]
        one = scipy.sparse.csr_matrix((numpy.ones(1, numpy.float32), ([user], [free])), shape=matrix.shape)
        scipy.sparse.save_npz(os.path.join(folder, name + ".npz"), one)
    return folder


def run_pumice(options, env, data, run, solver, epochs, model="wrmf"):
    """Seconds of each epoch, and the processor's of all."""
    own = (["--set", f"alpha={options.alpha}", "--set", f"lambda={options.penalty}", "--metrics", "recall@10"] if model == "wrmf"
           else ["--set", "lambda=0.05", "--metrics", "rmse"])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([common.pumice(options), "train", model, *data, "--device", "cpu", "--epochs", str(epochs), "-o", run, "--set", f"rank={options.rank}",
                    "--set", f"solver={solver}", "--validate-every", "1000", *own, "--quiet", "--json"], env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as f:
        seconds = [json.loads(line)["seconds"] for line in f]
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_pumice(options, env, data, run, solver, model="wrmf"):
    """Medians of an epoch after the first: seconds, and the processor's."""
    seconds, busy = run_pumice(options, env, data, run, solver, options.rounds, model)
    _, once = run_pumice(options, env, data, run + ".once", solver, 1, model)
    return seconds[1:], (busy - once) / (options.rounds - 1)


def compare(options, env, matrix, scratch):
    data = ["--data", folder_of(matrix, os.path.join(scratch, "data")), "--protocol", "files"]
    common.head("solver", "NumPy/SciPy s an iteration", "Pumice s", "times as fast", "by the processor's time", "objective, Pumice's over NumPy's")
    for solver in ("cholesky", "cg"):
        peer, theirs, ours, busy = Numpy(matrix, options, solver), [], [], []
        for turn in range(options.rounds):
            common.note(f"{solver}, round {turn + 1} of {options.rounds}")
            theirs.append(peer.iterate())
            run = os.path.join(scratch, f"{solver}{turn}")
            seconds, work = time_pumice(options, env, data, run, solver)
            ours += seconds
            busy.append(work)
        tensors = read_tensors(os.path.join(run, "checkpoint.safetensors"))
        ratio = objective(matrix, tensors["users"], tensors["items"], options) / objective(matrix, peer.users, peer.items, options)
        a, b = common.median([t[0] for t in theirs[1:]]), common.median(ours)
        c, d = common.median([t[1] for t in theirs[1:]]), common.median(busy)
        common.row(solver, f"{a:.2f}", f"{b:.3f}", f"{a / b:.1f}", f"{c:.2f} / {d:.3f} = {c / d:.1f}", f"{ratio:.4f}")
        if abs(ratio - 1) > 0.02:
            sys.exit("the two do not minimise alike")


def linear(options, env, scratch):
    common.head("interactions", "solver", "Pumice s an iteration", "the processor's", "over the first", "over the first, processor's")
    first = {}
    for times in (1, 2, 4):
        path = os.path.join(scratch, f"synth{times}.tsv")
        subprocess.run([common.pumice(options), "data", "synth", "--users", "6000", "--items", "3500", "--interactions", str(250000 * times), "--quiet", "-o", path],
                       check=True, stdout=subprocess.DEVNULL)
        for solver in ("cholesky", "cg"):
            seconds, work = time_pumice(options, env, ["--data", path, "--protocol", "random"], os.path.join(scratch, f"linear-{solver}{times}"), solver)
            wall = common.median(seconds)
            first.setdefault(solver, (wall, work))
            common.row(f"{250000 * times:,}", solver, f"{wall:.3f}", f"{work:.3f}", f"{wall / first[solver][0]:.2f}", f"{work / first[solver][1]:.2f}")


def ratings(options, env, scratch):
    """Both train on 80 % of the same pairs; ratings of 1 to 5 follow an angle of the user and one of the item."""
    import numpy
    rng = numpy.random.default_rng(1)
    common.head("ratings", "solver", "als-wr s an iteration", "processor's", "wrmf s", "processor's", "als-wr over wrmf, processor's", "als-wr over its first")
    first = {}
    for times in (1, 2, 4):
        pairs = rng.choice(6000 * 3500, 250000 * times, replace=False)
        user, item = pairs // 3500, pairs % 3500
        value = 3 + 2 * numpy.cos(0.7 * user - 0.9 * item)
        path = os.path.join(scratch, f"ratings{times}.csv")
        numpy.savetxt(path, numpy.column_stack([user, item, value]), fmt=["%d", "%d", "%.2f"], delimiter=",", header="user,item,rating", comments="")
        for solver in ("cholesky", "cg"):
            ours, own = time_pumice(options, env, ["--data", path, "--protocol", "rating", "--valid-share", "0.11111", "--rating-range", "1,5"],
                                    os.path.join(scratch, f"als-wr-{solver}{times}"), solver, "als-wr")
            theirs, other = time_pumice(options, env, ["--data", path, "--protocol", "random"], os.path.join(scratch, f"wrmf-{solver}{times}"), solver)
            first.setdefault(solver, own)
            common.row(f"{250000 * times:,}", solver, f"{common.median(ours):.3f}", f"{own:.3f}", f"{common.median(theirs):.3f}", f"{other:.3f}",
                       f"{own / other:.2f}", f"{own / first[solver]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--data", help="a SciPy .npz of the training matrix (default: synthetic data of MovieLens 1M's shape)")
    parser.add_argument("--rank", type=int, default=100)
    parser.add_argument("--alpha", type=float, default=10)
    parser.add_argument("--lambda", dest="penalty", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=4, help="iterations of each side and solver (default: 4)")
    parser.add_argument("--linear", action="store_true", help="time against interactions instead")
    parser.add_argument("--ratings", action="store_true", help="als-wr beside wrmf")
    options = parser.parse_args()
    env, blas = common.begin(options), common.numpy_blas(options)
    import numpy
    import scipy.sparse
    others = common.Others()
    with tempfile.TemporaryDirectory() as scratch:
        if options.linear:
            linear(options, env, scratch)
        elif options.ratings:
            ratings(options, env, scratch)
        else:
            matrix = scipy.sparse.load_npz(options.data or common.dataset(options, "ml-1m")).tocsr().astype(numpy.float32)
            matrix.data[:] = 1
            compare(options, env, matrix, scratch)
            print(f"\n- {matrix.shape[0]:,} users, {matrix.shape[1]:,} items, {matrix.nnz:,} interactions; rank {options.rank}, alpha {options.alpha:g}, "
                  f"lambda {options.penalty:g}; {blas['name']}")
    print(f"- {common.machine(options.threads)}\n- {others.line()}")


if __name__ == "__main__":
    main()
