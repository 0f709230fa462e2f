#!/usr/bin/python3
"""An epoch of the stacked denoising autoencoder of ratings: Pumice's `uencoder` or `vencoder` on the CPU beside the same network in dense PyTorch, in turns.

    bench/peers/sdae.py [--model uencoder] [--users 6000 --items 3500 --ratings 1000000] [--linear]

The same ratings, sizes (1/10, 1/12 of the input), batches of 20, momentum, rates, weight decay and noise on both sides, Table 1's settings of the outer
pair (two layers) and of all four; float32, one number of threads. PyTorch is given each row as a dense vector and a mask of what is known: what one would
write first. Pumice's time is what `pumice train` logs for an epoch, validation left out; PyTorch's the loop alone. Medians over the rounds, the first epoch of
each side left out. At the end both have done equally many epochs from weights drawn alike: losses more than 10 % apart are an error. --linear: Pumice alone
on three data sets of equal shape with 1 : 2 : 4 times the ratings. Weights that a batch does not meet wait for one that does; --adagrad has AdaGrad without
weight decay, for which they have nothing to wait for.
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

PHASES = {"outer": {"lr": 0.03, "lr_decay": 0.1, "decay": 0.03, "alpha": 1.0, "beta": 0.8}, "all": {"lr": 0.004, "lr_decay": 0.2, "decay": 0.03, "alpha": 1.2, "beta": 0.8}}
MASK, SALT = 0.15, 0.05


def ratings(users, items, count, seed=1):
    """Ratings 1 to 5 of a popularity-skewed matrix with two hidden tastes; every user and item has one."""
    import numpy
    rng = numpy.random.default_rng(seed)
    weight = 1 / numpy.arange(10, items + 10)
    cells = [numpy.arange(users) * items + numpy.arange(users) % items, (numpy.arange(items) % users) * items + numpy.arange(items)]
    taken = numpy.unique(numpy.concatenate(cells))
    while len(taken) < count:
        user, item = rng.integers(0, users, count), rng.choice(items, count, p=weight / weight.sum())
        taken = numpy.unique(numpy.concatenate([taken, user * items + item]))
        spare = numpy.setdiff1d(taken, numpy.concatenate(cells))
        if len(taken) > count:
            taken = numpy.setdiff1d(taken, rng.choice(spare, len(taken) - count, replace=False))
    user, item = taken // items, taken % items
    taste, kind = rng.standard_normal((users, 2)), rng.standard_normal((items, 2))
    score = 3.5 + (taste[user] * kind[item]).sum(1) / 2 + rng.standard_normal(len(user)) / 2
    return user, item, numpy.clip(numpy.round(score), 1, 5).astype(numpy.float32)


def write(path, user, item, value):
    with open(path, "w", encoding="utf-8") as f:
        f.write("user\titem\trating\n")
        f.writelines(f"{u}\t{i}\t{r:g}\n" for u, i, r in zip(user, item, value))


# ---- PyTorch -----------------------------------------------------------------------------------------------------------

class Torch:
    """A row a user or an item, values scaled to [-1, 1] less the row's mean."""

    def __init__(self, rows, cols, values, sizes, layers, batch):
        import numpy
        import scipy.sparse
        import torch
        torch.manual_seed(1)
        x = values / 2 - 1.5
        mean = numpy.bincount(rows, x) / numpy.bincount(rows)
        self.matrix = scipy.sparse.csr_matrix((x - mean[rows].astype(numpy.float32), (rows, cols)))
        self.known = self.matrix.copy()
        self.known.data[:] = 1
        self.low, self.high = float(self.matrix.data.min()), float(self.matrix.data.max())
        widths = [self.matrix.shape[1], sizes[0], self.matrix.shape[1]] if layers == 2 else [self.matrix.shape[1], sizes[0], sizes[1], sizes[0], self.matrix.shape[1]]
        self.layers = [torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
        for layer in self.layers:
            torch.nn.init.uniform_(layer.weight, -layer.in_features ** -0.5, layer.in_features ** -0.5)
            torch.nn.init.zeros_(layer.bias)
        self.network = torch.nn.Sequential(*[part for layer in self.layers for part in (layer, torch.nn.Tanh())])
        self.settings = PHASES["outer" if layers == 2 else "all"]
        self.optimiser = torch.optim.SGD([{"params": [l.weight for l in self.layers], "weight_decay": self.settings["decay"]}, {"params": [l.bias for l in self.layers]}],
                                         lr=self.settings["lr"], momentum=0.8)
        self.epochs, self.loss, self.batch = 0, 0.0, batch

    def epoch(self):
        import torch
        start, busy, total, steps = time.perf_counter(), time.process_time(), 0.0, 0
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings["lr"] / (1 + self.settings["lr_decay"] * self.epochs)
        order = torch.randperm(self.matrix.shape[0]).numpy()
        for at in range(0, len(order), self.batch):
            rows = order[at:at + self.batch]
            x, known = torch.from_numpy(self.matrix[rows].toarray()), torch.from_numpy(self.known[rows].toarray())
            u = torch.rand_like(x)
            hit = (u < MASK + SALT) & (known > 0)
            salt = torch.where(torch.rand_like(x) < 0.5, torch.tensor(self.low), torch.tensor(self.high))
            noisy = torch.where(hit, torch.where(u < MASK, torch.zeros(()), salt), x)
            weight = torch.where(hit, self.settings["alpha"], self.settings["beta"]) * known
            self.optimiser.zero_grad()
            loss = (weight * (self.network(noisy) - x) ** 2).sum() / len(rows)
            loss.backward()
            self.optimiser.step()
            total, steps = total + loss.item(), steps + 1
        self.epochs, self.loss = self.epochs + 1, total / steps
        return time.perf_counter() - start, time.process_time() - busy


# ---- Pumice ------------------------------------------------------------------------------------------------------------

def run_pumice(options, env, data, run, layers, epochs):
    """Seconds and losses of the epochs of the phase that counts, and the processor's seconds of the run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    lengths = ["--epochs", str(epochs)] + (["--outer_epochs", "1", "--inner_epochs", "1"] if layers == 4 else [])
    if options.adagrad:
        lengths += [a for s in ("optimizer=adagrad", "outer_decay=0", "inner_decay=0", "decay=0") for a in ("--set", s)]
    subprocess.run([common.pumice(options), "train", options.model, "--data", data, "--protocol", "rating", "--rating-range", "1,5", "--test-share", "1e-3",
                    "--valid-share", "1e-3", "--device", "cpu", "-o", run, "--layers", str(layers), "--batch", str(options.batch), *lengths, "--validate-every", "100000", "--quiet", "--json"],
                   env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as f:
        log = [json.loads(line) for line in f][-epochs:]
    seconds = [max(e["seconds"], 5e-4) for e in log]    # kept to a millisecond
    return seconds, log[-1]["loss"]["outer" if layers == 2 else "loss"], after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(options, env, scratch):
    user, item, value = ratings(options.users, options.items, options.ratings)
    data = os.path.join(scratch, "ratings.tsv")
    write(data, user, item, value)
    rows, cols = (user, item) if options.model == "uencoder" else (item, user)
    size = int(cols.max()) + 1
    sizes = [max(1, int(size / 10 + 0.5)), max(1, int(size / 12 + 0.5))]
    common.head("layers", "PyTorch dense, s an epoch", "Pumice s", "times as fast", "PyTorch's processor's s", "loss, Pumice's over PyTorch's")
    for layers in (2, 4):
        peer, theirs, ours = Torch(rows, cols, value, sizes, layers, options.batch), [], []
        for turn in range(options.rounds):
            common.note(f"{layers} layers, round {turn + 1} of {options.rounds}")
            theirs.append(peer.epoch())
            seconds, loss, _ = run_pumice(options, env, data, os.path.join(scratch, f"{layers}-{turn}"), layers, options.rounds)
            ours += seconds[1:]
        a, b = common.median([t[0] for t in theirs[1:]]), common.median(ours)
        common.row(layers, f"{a:.2f}", f"{b:.3f}", f"{a / b:.1f}", f"{common.median([t[1] for t in theirs[1:]]):.2f}", f"{loss / peer.loss:.3f}")
        if layers == 2 and abs(loss / peer.loss - 1) > 0.1:    # Pumice's four layers were pretrained
            sys.exit("the two do not learn alike")
    print(f"\n- {options.model}: {options.users:,} users, {options.items:,} items, {len(user):,} ratings, batches of {options.batch}")


def linear(options, env, scratch):
    common.head("ratings", "layers", "s an epoch", "over the first", "the processor's s", "over the first")
    first = {}
    for times in (1, 2, 4):
        data = os.path.join(scratch, f"ratings{times}.tsv")
        write(data, *ratings(options.users, options.items, options.ratings // 4 * times))
        for layers in (2, 4):
            seconds, _, long = run_pumice(options, env, data, os.path.join(scratch, f"{times}-{layers}"), layers, options.rounds)
            _, _, once = run_pumice(options, env, data, os.path.join(scratch, f"{times}-{layers}-once"), layers, 1)
            wall, work = common.median(seconds[1:]), max(long - once, 1e-4) / (options.rounds - 1)
            first.setdefault(layers, (wall, work))
            common.row(f"{options.ratings // 4 * times:,}", layers, f"{wall:.3f}", f"{wall / first[layers][0]:.2f}", f"{work:.3f}", f"{work / first[layers][1]:.2f}")
    print(f"\n- {options.model}: {options.users:,} users, {options.items:,} items, batches of {options.batch}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--model", choices=("uencoder", "vencoder"), default="uencoder")
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--items", type=int, default=3500)
    parser.add_argument("--ratings", type=int, default=1000000, help="of --linear, those of the largest data set (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=20, help="rows a step (default: 20, the paper's)")
    parser.add_argument("--rounds", type=int, default=4, help="epochs of each side (default: 4)")
    parser.add_argument("--linear", action="store_true", help="time against ratings instead")
    parser.add_argument("--adagrad", action="store_true", help="with --linear: an optimiser that leaves alone what a batch has not met")
    options = parser.parse_args()
    env = common.begin(options)
    common.numpy_blas(options)
    others = common.Others()
    with tempfile.TemporaryDirectory() as scratch:
        if options.linear:
            linear(options, env, scratch)
        else:
            import torch
            torch.set_num_threads(options.threads)
            compare(options, env, scratch)
    print(f"- {common.machine(options.threads)}\n- {others.line()}")


if __name__ == "__main__":
    main()
