#!/usr/bin/python3
"""DMF-2-nce in PyTorch and in Pumice: the same matrix, batches, sizes and optimiser, in turns on one machine.

    bench/peers/dmf.py --data ml-1m.train.rating     # user, item, rating a line; without it ML-1M's shape, synthetic
    bench/peers/dmf.py --steps 12 --only dense,bag   # these contenders of PyTorch's alone
    bench/peers/dmf.py --first 128,128               # narrower first layers

Towers of 512-64 units for users and 1024-64 for items (--first) on rows and columns of the matrix, the first layer linear, the second ReLU; cosine clipped to
1e-6 … 1 - 1e-6, normalised cross-entropy, Adam 1e-4; 32 interactions a step with 7 zeros of the user's row each, 256 pairs. PyTorch's contenders:

    dense    as the public versions write it: the matrix and its transpose dense, a row of either for every pair, nn.Linear
    sparse   the first layers by torch.sparse.mm of the pairs' rows
    bag      the first layers by embedding_bag
    unique   bag, but a row for each different user and item of the batch, which is what Pumice does
    NAME+tuned    any of them with glibc told to keep freed memory and OpenMP's threads not to spin

What is timed, in seconds a step. Pumice (bench/peers/stepper.c): all that `pumice train` does in a step, from drawing interactions and zeros to
reading the losses back. PyTorch: cutting the rows, forward, backward, Adam, reading the loss; the drawing of pairs is left out. An epoch is as many
steps as it has, at the median. Losses must agree, which shows that the work is the same.
"""
import argparse
import json
import os
import sys
import time

import common

KINDS = ["dense", "sparse", "bag", "unique"]
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 28), "OMP_WAIT_POLICY": "PASSIVE"}
CODE = 64
INTERACTIONS, ZEROS, MU = 32, 7, 1e-6


def read_matrix(options):
    """[users, items] of ratings as .npz in the cache, which both sides read."""
    import numpy
    import scipy.sparse
    if not options.data:
        return common.dataset(options, "ml-1m")
    path = os.path.join(options.cache, "dmf-" + os.path.basename(options.data) + ".npz")
    os.makedirs(options.cache, exist_ok=True)
    table = numpy.loadtxt(options.data, usecols=(0, 1, 2))
    users, items = (numpy.unique(table[:, k], return_inverse=True)[1] for k in (0, 1))
    matrix = scipy.sparse.csr_matrix((table[:, 2].astype(numpy.float32), (users, items)))
    scipy.sparse.save_npz(path, matrix, compressed=False)
    return path


# ---- PyTorch's side ------------------------------------------------------------------------------------------------------

def draw_pairs(matrix, rng, steps):
    """For each step the users, items and targets of its pairs."""
    import numpy
    matrix = matrix.tocsr()
    row_of = numpy.repeat(numpy.arange(matrix.shape[0]), numpy.diff(matrix.indptr))
    known = set(zip(row_of.tolist(), matrix.indices.tolist()))
    for _ in range(steps):
        users, items, targets = [], [], []
        for e in rng.integers(0, matrix.nnz, INTERACTIONS):
            user = int(row_of[e])
            users += [user] * (1 + ZEROS)
            items.append(int(matrix.indices[e]))
            targets += [float(matrix.data[e] / matrix.data.max())] + [0.0] * ZEROS
            while len(items) < len(users):
                item = int(rng.integers(matrix.shape[1]))
                if (user, item) not in known:
                    items.append(item)
        yield numpy.array(users), numpy.array(items), numpy.array(targets, numpy.float32)


def make_tower(torch, inputs, sizes, kind):
    """The two layers, every parameter normal of deviation 0.01."""
    nn, functional = torch.nn, torch.nn.functional

    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Parameter(0.01 * (torch.randn(sizes[0], inputs) if kind == "dense" else torch.randn(inputs, sizes[0])))
            self.second = nn.Linear(*sizes)
            nn.init.normal_(self.second.weight, std=0.01)
            nn.init.normal_(self.second.bias, std=0.01)

        def enter(self, x):
            if kind == "dense":
                return functional.linear(x, self.first)
            if kind == "sparse":
                return torch.sparse.mm(torch.sparse_coo_tensor(torch.stack([x["row"], x["col"]]), x["val"], (x["rows"], inputs)), self.first)
            return functional.embedding_bag(x["col"], self.first, x["ptr"], mode="sum", per_sample_weights=x["val"])

        def forward(self, x):
            return torch.relu(self.second(self.enter(x)))

    return Tower()


class Trainer:
    def __init__(self, torch, matrix, kind, first):
        self.torch, self.kind = torch, kind
        torch.manual_seed(1)
        self.matrix = {"user": matrix.tocsr(), "item": matrix.T.tocsr()}
        self.towers = {side: make_tower(torch, m.shape[1], (first[side], CODE), kind) for side, m in self.matrix.items()}
        if kind == "dense":
            self.dense = {side: torch.from_numpy(m.toarray()) for side, m in self.matrix.items()}
        self.adam, self.done = torch.optim.Adam([p for t in self.towers.values() for p in t.parameters()], lr=1e-4), 0

    def rows_of(self, side, ids):
        import numpy
        if self.kind == "dense":
            return self.dense[side][self.torch.from_numpy(ids)]
        part = self.matrix[side][ids]
        counts = numpy.diff(part.indptr)
        tensors = {"col": part.indices.astype(numpy.int64), "ptr": part.indptr[:-1].astype(numpy.int64), "val": part.data}
        if self.kind == "sparse":
            tensors["row"] = numpy.repeat(numpy.arange(len(ids)), counts)
        return dict({k: self.torch.from_numpy(v) for k, v in tensors.items()}, rows=len(ids))

    def codes(self, side, ids):
        import numpy
        if self.kind != "unique":
            return self.towers[side](self.rows_of(side, ids))
        different, place = numpy.unique(ids, return_inverse=True)
        return self.towers[side](self.rows_of(side, different))[self.torch.from_numpy(place)]

    def step(self, users, items, targets):
        torch = self.torch
        target = torch.from_numpy(targets)
        score = torch.nn.functional.cosine_similarity(self.codes("user", users), self.codes("item", items))
        p = score.clamp(MU, 1 - MU)
        loss = -(target * p.log() + (1 - target) * (1 - p).log()).mean()
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        # as TensorFlow, the paper's, and Pumice have Adam: eps beside the uncorrected second moment; the first layers' gradients are that small at first
        self.done += 1
        self.adam.param_groups[0]["eps"] = 1e-8 / (1 - 0.999 ** self.done) ** 0.5
        self.adam.step()
        return float(loss.detach())


def first_layers(options):
    """Their units."""
    return dict(zip(("user", "item"), (int(n) for n in options.first.split(","))))


def serve_torch(options):
    """Answers `steps N` with the seconds and losses of each step."""
    import numpy
    import scipy.sparse
    import torch
    torch.set_num_threads(options.threads)
    matrix = scipy.sparse.load_npz(options.matrix).tocsr()
    trainer, rng = Trainer(torch, matrix, options.kind.split("+")[0], first_layers(options)), numpy.random.default_rng(1)
    torch.ones(64, 64) @ torch.ones(64, 64)
    print(json.dumps({"blas": common.loaded_blas(), "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        answer = []
        for pairs in draw_pairs(matrix, rng, int(line.split()[1])):
            start = time.perf_counter()
            loss = trainer.step(*pairs)
            answer.append({"seconds": time.perf_counter() - start, "loss": loss})
        print(json.dumps(answer), flush=True)


# ---- taking turns --------------------------------------------------------------------------------------------------------

class Torch(common.Contender):
    def __init__(self, kind, options, data, env):
        env = dict(env, **TUNED) if kind.endswith("+tuned") else env
        super().__init__("torch " + kind, [sys.executable, os.path.abspath(__file__), "--kind", kind, "--matrix", data, "--threads", str(options.threads), "--first", options.first],
                         env)
        common.require_blas(self.about["blas"], "PyTorch", options.any_blas)

    def turn(self, steps):
        answer = self.ask(f"steps {steps}")
        return [a["seconds"] for a in answer], [a["loss"] for a in answer]


def race(contenders, options):
    """{name: seconds a step after the warm-up}, {name: losses}: a few steps of each in turn."""
    seconds, losses = {c.name: [] for c in contenders}, {c.name: [] for c in contenders}
    for turn in range(options.steps // options.chunk):
        for c in contenders:
            took, loss = c.turn(options.chunk)
            losses[c.name] += loss
            seconds[c.name] += took if turn > 0 else []
        common.note(f"{(turn + 1) * options.chunk} of {options.steps} steps: " + ", ".join(f"{n} {l[-1]:.3f}" for n, l in losses.items()))
    return seconds, losses


def report(contenders, seconds, losses, others, options, interactions):
    ours, half = common.median(seconds["pumice"]), options.steps // 2
    epoch = -(-interactions // INTERACTIONS)
    print(f"DMF-2-nce, first layers of {options.first} units, {INTERACTIONS * (1 + ZEROS)} pairs a step, {epoch} steps an epoch, of which {options.steps} were run\n")
    common.head("", "ms a step, median (middle half)", "an epoch, minutes", "times Pumice's", f"loss, mean of the last {half} steps")
    result = {}
    for c in contenders:
        values = sorted(seconds[c.name])
        middle, loss = common.median(values), sum(losses[c.name][-half:]) / half
        result[c.name] = {"seconds": middle, "ratio": middle / ours, "loss": loss}
        common.row(c.name, f"{1e3 * middle:.1f} ({1e3 * values[len(values) // 4]:.1f} … {1e3 * values[3 * len(values) // 4]:.1f})", f"{middle * epoch / 60:.1f}",
                   f"{middle / ours:.2f}", f"{loss:.3f}")
    print()
    for c in contenders:
        print(f"- {c.name}: {c.about['threads']} threads, {c.about['blas']['name']}")
        c.close()
    print(f"- {common.machine(options.threads)}\n- {others.line()}\n")
    apart = [n for n, r in result.items() if abs(r["loss"] / result["pumice"]["loss"] - 1) > options.tolerance]
    if apart:
        sys.exit("the losses do not agree, so the work is not the same: " + ", ".join(apart))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--data", help="ratings: user, item, rating and more a line, between blanks (default: ML-1M's shape, synthetic)")
    parser.add_argument("--device", default="cpu", help="Pumice's (default: cpu)")
    parser.add_argument("--first", default="512,1024", metavar="USERS,ITEMS", help="units of the first layers (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--chunk", type=int, default=10, help="steps of a turn; the first turn is the warm-up (default: 10)")
    parser.add_argument("--only", default="dense,sparse,bag,unique", help="PyTorch's contenders (default: %(default)s)")
    parser.add_argument("--tolerance", type=float, default=0.1, help="by how much the losses may differ; pairs are drawn apart (default: 0.1)")
    parser.add_argument("--json", metavar="FILE", help="writes the figures there too")
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    parser.add_argument("--matrix", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind:
        return serve_torch(options)
    if options.steps < 2 * options.chunk:
        sys.exit(f"--steps {options.steps} must be at least twice --chunk {options.chunk}: the first turn is the warm-up")
    kinds = options.only.split(",")
    for kind in kinds:
        if kind.split("+")[0] not in KINDS:
            sys.exit(f"{kind} is none of {', '.join(KINDS)}")
    import scipy.sparse
    env, others, data = common.environment(options.threads), common.Others(), read_matrix(options)
    settings = ["loss=nce", f"factors={CODE}", *[f"{side}_hidden={units},128" for side, units in first_layers(options).items()]]
    contenders = [common.Stepper(options, env, data, "dmf", "loss", settings)] + [Torch(kind, options, data, env) for kind in kinds]
    result = report(contenders, *race(contenders, options), others, options, scipy.sparse.load_npz(data).nnz)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)
    return None


if __name__ == "__main__":
    main()
