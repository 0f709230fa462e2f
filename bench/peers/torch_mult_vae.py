#!/usr/bin/python3
"""Mult-VAE in PyTorch and in Pumice: the same data, batches, sizes and optimiser, in turns on one machine.

    bench/peers/torch_mult_vae.py                           # ML-20M's shape, the CPU, 50 steps each: some minutes
    bench/peers/torch_mult_vae.py --preset small --steps 12 # seconds
    bench/peers/torch_mult_vae.py --only dense,sparse       # these contenders of PyTorch's alone
    bench/peers/torch_mult_vae.py --device vulkan           # Pumice there; PyTorch on CUDA where there is a CUDA device, else on the CPU

Items-600-200-600-items, tanh, input rows L2-normalised, dropout 0.5, multinomial likelihood, KL with beta = steps / 200,000, Adam 1e-3,
batches of 500. PyTorch's contenders:

    dense           as everybody writes it: scipy rows, toarray, a tensor, nn.Linear, log_softmax times the batch
    sparse          the first layer by torch.sparse.mm forward and backward; the likelihood read at the entries alone
    bag             the first layer by embedding_bag, PyTorch's fastest way through sparse rows; the likelihood as in sparse
    dense+tuned, sparse+tuned, bag+tuned   the same in an environment that few set up: glibc told to keep freed memory, which saves page
                    faults, and OpenMP's threads told not to spin, since they get in the way of OpenBLAS's
    compiled        dense under torch.compile(mode="reduce-overhead"), which makes CUDA graphs: CUDA and PyTorch 2 alone

What is timed, in seconds a step. Pumice (bench/peers/stepper.c): all that `pumice train` does in a step, from drawing the batch of the
resident matrix to reading the losses back. PyTorch: cutting the batch out of the SciPy matrix and making tensors of it, forward, backward,
Adam, and reading the loss. Left out on both sides: reading the data, initialisation, the first steps. TF32 is off.
"""
import argparse
import json
import os
import sys
import time

import common

BETA_STEPS = 200000
CPU_KINDS = ["dense", "sparse", "bag", "dense+tuned", "sparse+tuned", "bag+tuned"]
CUDA_KINDS = ["dense", "sparse", "bag", "compiled"]
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 28), "OMP_WAIT_POLICY": "PASSIVE"}


# ---- PyTorch's side: a process that trains when asked --------------------------------------------------------------------

def make_network(torch, items, hidden, latent, kind):
    """The layers with Pumice's initial values: Glorot's uniform weights, biases normal with 0.001 cut off at two deviations."""
    nn, functional = torch.nn, torch.nn.functional

    class Bag(nn.Module):
        """A linear layer over sparse rows; its weight is stored [items, out], as both products want it."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.empty(items, hidden))
            self.bias = nn.Parameter(torch.empty(hidden))

        def forward(self, x):
            if kind == "bag":
                return functional.embedding_bag(x["col"], self.weight, x["ptr"], mode="sum", per_sample_weights=x["val"]) + self.bias
            matrix = torch.sparse_coo_tensor(torch.stack([x["row"], x["col"]]), x["val"], (x["rows"], items))
            return torch.sparse.mm(matrix, self.weight) + self.bias

    class MultVAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.enter = Bag() if kind in ("sparse", "bag") else nn.Linear(items, hidden)
            self.code = nn.Linear(hidden, 2 * latent)
            self.back = nn.Linear(latent, hidden)
            self.leave = nn.Linear(hidden, items)
            for layer in (self.enter, self.code, self.back, self.leave):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.trunc_normal_(layer.bias, std=1e-3, a=-2e-3, b=2e-3)

        def forward(self, x):
            mu, logvar = self.code(torch.tanh(self.enter(x))).chunk(2, 1)
            z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
            return self.leave(torch.tanh(self.back(z))), mu, logvar

    return MultVAE()


class Trainer:
    """One kind of PyTorch's contenders on one device."""

    def __init__(self, torch, matrix, options):
        self.torch, self.matrix, self.kind, self.device = torch, matrix, options.kind.split("+")[0], options.torch_device
        torch.manual_seed(1)
        self.model = make_network(torch, matrix.shape[1], options.hidden, options.latent, self.kind).to(self.device)
        cuda_graphs = self.kind == "compiled"
        if cuda_graphs and not hasattr(torch, "compile"):
            sys.exit(f"PyTorch {torch.__version__} has no torch.compile; it came with version 2")
        extra = {"capturable": True} if cuda_graphs else {}
        self.adam = torch.optim.Adam(self.model.parameters(), lr=1e-3, foreach=True, **extra)
        self.losses = torch.compile(self.dense_losses, mode="reduce-overhead") if cuda_graphs else self.dense_losses
        self.done = 0

    def kl(self, mu, logvar):
        return -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()

    def dense_losses(self, x):
        functional = self.torch.nn.functional
        z, mu, logvar = self.model(functional.dropout(functional.normalize(x), 0.5))
        return -(self.torch.log_softmax(z, 1) * x).sum(1).mean(), self.kl(mu, logvar)

    def sparse_losses(self, x):
        functional, torch = self.torch.nn.functional, self.torch
        z, mu, logvar = self.model(dict(x, val=functional.dropout(x["val"], 0.5)))
        known = torch.log_softmax(z, 1).view(-1).index_select(0, x["row"] * z.shape[1] + x["col"])
        return -known.sum() / x["rows"], self.kl(mu, logvar)

    def dense_batch(self, rows):
        return self.torch.FloatTensor(self.matrix[rows].toarray()).to(self.device)

    def sparse_batch(self, rows):
        import numpy
        part = self.matrix[rows]
        counts = numpy.diff(part.indptr)
        tensors = {
            "col": part.indices.astype(numpy.int64),
            "ptr": part.indptr[:-1].astype(numpy.int64),
            "row": numpy.repeat(numpy.arange(len(rows)), counts),
            "val": numpy.repeat(1.0 / numpy.sqrt(numpy.maximum(counts, 1)), counts).astype(numpy.float32),    # rows of ones, L2-normalised
        }
        return dict({k: self.torch.from_numpy(v).to(self.device) for k, v in tensors.items()}, rows=len(rows))

    def step(self, rows):
        sparse = self.kind in ("sparse", "bag")
        x = self.sparse_batch(rows) if sparse else self.dense_batch(rows)
        self.adam.zero_grad(set_to_none=True)
        likelihood, kl = self.sparse_losses(x) if sparse else self.losses(x)
        (likelihood + min(0.2, self.done / BETA_STEPS) * kl).backward()
        self.adam.step()
        self.done += 1
        return float(likelihood.detach()), float(kl.detach())    # waits for a GPU


def serve_torch(options):
    """Answers `train [[rows], …]` with the seconds and losses of each step."""
    import scipy.sparse
    import torch
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    matrix = scipy.sparse.load_npz(options.data).tocsr()
    trainer = Trainer(torch, matrix, options)
    torch.ones(64, 64) @ torch.ones(64, 64)
    name = torch.cuda.get_device_name() if options.torch_device == "cuda" else "CPU"
    print(json.dumps({"blas": common.loaded_blas(), "threads": torch.get_num_threads(), "device": name}), flush=True)
    for line in sys.stdin:
        answer = []
        for rows in json.loads(line):
            start = time.perf_counter()
            likelihood, kl = trainer.step(rows)
            answer.append({"seconds": time.perf_counter() - start, "likelihood": likelihood, "kl": kl})
        print(json.dumps(answer), flush=True)


# ---- taking turns --------------------------------------------------------------------------------------------------------

class Pumice(common.Stepper):
    def __init__(self, options, data, env):
        settings = [f"hidden={options.hidden}", f"latent={options.latent}", f"batch={options.batch}", f"anneal_steps={BETA_STEPS}"]
        super().__init__(options, env, data, "mult-vae", "likelihood", settings)

    def turn(self, batches):    # in the order it gave
        return super().turn(len(batches))


class Torch(common.Contender):
    def __init__(self, kind, options, data, env):
        if kind.endswith("+tuned"):
            env = dict(env, **TUNED)
        sizes = ["--hidden", str(options.hidden), "--latent", str(options.latent), "--threads", str(options.threads)]
        command = [sys.executable, os.path.abspath(__file__), "--kind", kind, "--data", data, "--torch-device", options.torch_device, *sizes]
        super().__init__("torch " + kind, command, env)
        common.require_blas(self.about["blas"], "PyTorch", options.any_blas)

    def turn(self, batches):
        answer = self.ask(json.dumps(batches))
        return [a["seconds"] for a in answer], [a["likelihood"] for a in answer]


def race(contenders, options):
    """{name: seconds a step after the warm-up}, {name: loss of each step}: a few steps of each in turn, until all have done --steps."""
    seconds, losses = {c.name: [] for c in contenders}, {c.name: [] for c in contenders}
    turns = [options.chunk] * (options.steps // options.chunk) + [options.steps % options.chunk]
    for turn, n in enumerate(t for t in turns if t):
        batches = contenders[0].ask(f"order {n}")
        for c in contenders:
            took, loss = c.turn(batches)
            losses[c.name] += loss
            if turn > 0:
                seconds[c.name] += took
        common.note(f"{sum(turns[:turn + 1])} of {options.steps} steps: " + ", ".join(f"{n} {l[-1]:.2f}" for n, l in losses.items()))
    return seconds, losses


def share(values):
    """The median with the middle half of the values."""
    ordered = sorted(values)
    return f"{1e3 * common.median(values):.1f} ({1e3 * ordered[len(ordered) // 4]:.1f} … {1e3 * ordered[(3 * len(ordered)) // 4]:.1f})"


def report(contenders, seconds, losses, others, options):
    ours, last = common.median(seconds["pumice"]), min(10, options.steps)
    loss = sum(losses["pumice"][-last:]) / last
    print(f"Mult-VAE, {contenders[0].about['items']}-{options.hidden}-{options.latent}-{options.hidden}, batches of {options.batch}, "
          f"{options.preset}'s shape, {options.steps} steps\n")
    common.head("", "device", "ms a step, median (middle half)", "times Pumice's", f"loss, mean of the last {last} steps", "against Pumice's")
    result = {}
    for c in contenders:
        theirs, value = common.median(seconds[c.name]), sum(losses[c.name][-last:]) / last
        result[c.name] = {"seconds": theirs, "ratio": theirs / ours, "loss": value}
        common.row(c.name, c.about["device"], share(seconds[c.name]), f"{theirs / ours:.2f}", f"{value:.2f}", f"{100 * (value / loss - 1):+.2f} %")
    print()
    for c in contenders:
        print(f"- {c.name}: {c.about['threads']} threads, {c.about['blas']['name']}")
    print(f"- {common.machine(options.threads)}")
    for c in contenders:
        c.close()
    print(f"- {others.line()}\n")
    apart = {n: abs(r["loss"] / loss - 1) for n, r in result.items() if abs(r["loss"] / loss - 1) > options.tolerance}
    if apart:
        sys.exit("the losses do not agree, so the work is not the same: " + ", ".join(f"{n} is {100 * d:.1f} % off" for n, d in apart.items()))
    return result


def choose(options):
    """Which of PyTorch's contenders run, and on what."""
    try:
        import torch
    except ImportError:
        sys.exit("there is no PyTorch for this Python; on Debian: apt install python3-torch python3-scipy, then /usr/bin/python3 " + sys.argv[0])
    cuda = torch.cuda.is_available()
    options.torch_device = "cuda" if cuda and options.device != "cpu" else "cpu"
    kinds = CPU_KINDS if options.torch_device == "cpu" else [k for k in CUDA_KINDS if k != "compiled" or hasattr(torch, "compile")]
    if not cuda:
        common.note("no CUDA device: PyTorch's CUDA contenders (eager, and torch.compile with CUDA graphs) are not run")
    wanted = options.only.split(",") if options.only else kinds
    for kind in wanted:
        if kind not in kinds:
            sys.exit(f"{kind} cannot run here; there are {', '.join(kinds)}")
    return wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--preset", default="ml-20m", help="of pumice data synth: small, ml-1m, ml-20m (the default)")
    parser.add_argument("--device", default="cpu", help="Pumice's (default: cpu)")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--chunk", type=int, default=5, help="steps of a turn; the first turn is the warm-up (default: 5)")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--hidden", type=int, default=600)
    parser.add_argument("--latent", type=int, default=200)
    parser.add_argument("--only", help="of PyTorch's contenders, by comma: " + ", ".join(CPU_KINDS + ["compiled"]))
    parser.add_argument("--tolerance", type=float, default=0.02, help="by how much the losses may differ (default: 0.02)")
    parser.add_argument("--json", metavar="FILE", help="writes the figures there too")
    for inner in ("--kind", "--data", "--torch-device"):
        parser.add_argument(inner, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind:
        return serve_torch(options)
    if options.steps <= options.chunk:
        sys.exit(f"--steps {options.steps} must be above --chunk {options.chunk}, which is the warm-up")
    kinds, env, others = choose(options), common.environment(options.threads), common.Others()
    data = common.dataset(options, options.preset)
    contenders = [Pumice(options, data, env)] + [Torch(kind, options, data, env) for kind in kinds]
    result = report(contenders, *race(contenders, options), others, options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)
    return None


if __name__ == "__main__":
    main()
