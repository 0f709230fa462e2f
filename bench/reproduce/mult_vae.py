#!/usr/bin/env python3
"""Reproduces the Mult-VAE paper's Tables 2 to 4 and Figures 1 and 3 on MovieLens-1M, with the pumice command alone.

    bench/reproduce/mult_vae.py --data DATA --runs RUNS [--pumice build/pumice] [--epochs N] [table3 strong table2 table4 figure1 figure3 parity]

DATA holds ml-1m/ratings.dat and ml-1m-ncf/. Every run is kept in RUNS and not repeated, and goes on where it was interrupted; tables are printed as Markdown.
Needs Python 3, no packages.
"""
import os
import statistics
import subprocess

from lab import head, main, pm, row, value

SPLIT = ["--rating-above", "3.5", "--min-user", "5", "--protocol", "strong", "--held-out", "600"]
STRONG = ["ndcg@100", "recall_capped@20", "recall_capped@50"]


def ml1m(lab):
    return ["--data", os.path.join(lab.options.data, "ml-1m", "ratings.dat"), *SPLIT]


def table3(lab):
    """One held-out item against 99 negatives; the epoch chosen on a validation item."""
    data = ["--data", os.path.join(lab.options.data, "ml-1m-ncf"), "--protocol", "leave-one-out", "--metrics", "ndcg@10,hr@10"]
    pop = lab.train("table3-item-pop", "item-pop", *data)
    dae = lab.train("table3-mult-dae", "mult-dae", *data, "--preset", "paper-ml-1m")
    head("ML-1M, leave-one-out", "HR@10", "NDCG@10", "epoch")
    row("item-pop", pm(pop, "hr@10"), pm(pop, "ndcg@10"), "")
    row("mult-dae, I-200-I", pm(dae, "hr@10"), pm(dae, "ndcg@10"), dae["best_epoch"])
    row("the paper", ".722", ".446", "")
    print(f"\n{dae['excluded']['dropped_candidates']} duplicated negatives removed.\n")


MODELS = {"mult-dae": ["--set", "hidden=none"], "mult-vae": ["--set", "hidden=none"]}


def strong(lab):
    """Held-out users, three seeds, each with a split of its own."""
    head("ML-1M, strong, 3 seeds", *STRONG)
    for model, settings in [("item-pop", [])] + list(MODELS.items()):
        runs = [lab.train(f"strong-{model}-{seed}", model, *ml1m(lab), *settings, "--seed", str(seed)) for seed in (1, 2, 3)]
        cells = []
        for metric in STRONG:
            values = [value(r, metric) for r in runs]
            cells.append(f"{statistics.mean(values):.4f} (" + " ".join(f"{v:.4f}" for v in values) + ")")
        row(model, *cells)
    print()


# Table 2's baselines: cuts of the paper's grids (Section 4.4), with penalties that this smaller data set wants beside them; EASE is not in the paper.
BASELINES = {
    "wrmf": ("rank=100,200;alpha=4,9;lambda=30,100", ["--epochs", "10"]),
    "slim": ("l1=1,5;l2=5,100,500", []),
    "cdae": ("decay=2e-5,2e-4", ["--preset", "mult-vae", "--epochs", "80", "--patience", "8", "--set", "fold_steps=5"]),
    "ease": ("lambda=200,500,1000", []),
}
# Table 2, in the order of STRONG; EASE's are its own paper's, on the same split.
PUBLISHED = {"mult-vae": ".426 / .395 / .537", "mult-dae": ".419 / .387 / .524", "cdae": ".418 / .391 / .523", "slim": ".401 / .370 / .495",
             "wrmf": ".386 / .360 / .498", "ease": ".420 / .391 / .521"}


def baseline(lab, model):
    """Three runs with the setting that is best on the first one's validation, and that setting."""
    grid, settings = BASELINES[model]
    sweep = lab.sweep(f"table2-{model}", model, *ml1m(lab), "--grid", grid, "--metric", "ndcg@100", "--metrics", ",".join(STRONG), "--seed", "1", *settings)
    winner = sweep["winner"]["setting"].items()
    chosen = [a for k, v in winner for a in ("--set", f"{k}={v}")]
    runs = [lab.train(f"table2-{model}-{seed}", model, *ml1m(lab), *settings, *chosen, "--seed", str(seed), epochs=0) for seed in (1, 2, 3)]
    return runs, " ".join(f"{k}={v}" for k, v in winner)


def table2(lab):
    """Held-out users: the two models and the baselines, three seeds with a split each; a baseline's setting is chosen on the first one's validation."""
    head("ML-1M, strong, 3 seeds", *STRONG, "setting", "ML-20M, published")
    for model in PUBLISHED:
        if model in MODELS:
            runs, setting = [lab.train(f"strong-{model}-{seed}", model, *ml1m(lab), *MODELS[model], "--seed", str(seed)) for seed in (1, 2, 3)], ""
        else:
            runs, setting = baseline(lab, model)
        cells = []
        for metric in STRONG:
            values = [value(r, metric) for r in runs]
            cells.append(f"{statistics.mean(values):.4f} (" + " ".join(f"{v:.4f}" for v in values) + ")")
        row(model, *cells, setting, PUBLISHED[model])
    print()


# Batches of 100, 80 epochs: 3,900 updates, where batches of 500 would give 800 and the logistic likelihood needs more.
GRID = {
    ("mult-dae", "multinomial"): [{"l2": "2e-5"}, {"l2": "2e-4"}],
    ("mult-dae", "gaussian"): [{"c1": "5"}, {"c1": "10"}],
    ("mult-dae", "logistic"): [{"lr": "0.001"}, {"lr": "0.003"}],
    ("mult-vae", "multinomial"): [{"beta_cap": "0.2"}, {"beta_cap": "0.5"}],
    ("mult-vae", "gaussian"): [{"beta_cap": "0.05"}, {"beta_cap": "0.2"}],
    ("mult-vae", "logistic"): [{"lr": "0.001"}, {"lr": "0.003"}],
}


def table4(lab):
    """Three likelihoods, each with its own setting, chosen on validation."""
    head("model", "likelihood", "setting (validation)", *STRONG)
    for (model, likelihood), grid in GRID.items():
        runs = []
        for setting in grid:
            pairs = {"hidden": "none", "batch": "100", "likelihood": likelihood, **setting}
            name = f"table4-{model}-{likelihood}-" + "-".join(f"{k}={v}" for k, v in setting.items())
            arguments = [a for k, v in pairs.items() for a in ("--set", f"{k}={v}")]
            runs.append((lab.train(name, model, *ml1m(lab), "--seed", "1", *arguments, epochs=min(80, lab.options.epochs)), setting))
        best, setting = max(runs, key=lambda r: value(r[0], "ndcg@100", "validation"))
        row(model, likelihood, " ".join(f"{k}={v}" for k, v in setting.items()), *[pm(best, m) for m in STRONG])
    print()


def figure1(lab):
    """Validation by epoch: no annealing, annealed to 1, annealed and stopped at the best beta (Section 2.2.2). Batches of 100: with 500
    the run ends before its peak."""
    runs = {
        "beta = 1": ["--set", "beta_cap=1", "--set", "anneal_epochs=0"],
        "annealed to 1": ["--set", "beta_cap=1"],
        "annealed to the best": ["--set", "anneal=auto"],
    }
    curves, documents = {}, {}
    for name, settings in runs.items():
        documents[name] = lab.train("figure1-" + name.replace(" ", "-").replace("=", ""), "mult-vae", *ml1m(lab), "--seed", "1", "--set",
                                    "hidden=none", "--set", "batch=100", *settings, epochs=min(120, lab.options.epochs))
        log = lab.curve(documents[name])
        last = max(e["phase"] for e in log)
        curves[name] = [e for e in log if e["phase"] == last]
    epochs = len(curves["beta = 1"])
    head("validation ndcg@100 at epoch", *curves)
    for epoch in sorted({1, 5, 10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200} & set(range(1, epochs + 1))):
        row(epoch, *[f"{c[epoch - 1]['validation']:.4f}" for c in curves.values()])
    row("best", *[f"{max(e['validation'] for e in c):.4f}" for c in curves.values()])
    row("test", *[pm(d, "ndcg@100") for d in documents.values()])
    print()
    best = curves["annealed to the best"]
    print(f"The best beta found: {max(e['schedule'][0] for e in best):.3f}.\n")
    with open(os.path.join(lab.options.runs, "figure1.tsv"), "w", encoding="utf-8") as f:
        f.write("epoch\t" + "\t".join(curves) + "\n")
        for i in range(epochs):
            f.write(f"{i + 1}\t" + "\t".join(f"{c[i]['validation']:.6f}" for c in curves.values()) + "\n")


def figure3(lab):
    """VAE against DAE by quintile of fold-in activity, paired on the same users."""
    runs = [lab.train(f"strong-{m}-1", m, *ml1m(lab), *MODELS[m], "--seed", "1")["run"] for m in ("mult-dae", "mult-vae")]
    subprocess.run([lab.options.pumice, "compare", *runs, "--quintiles", "ndcg@100", "--device", lab.options.device], check=True)


def parity(lab):
    """The same seed on the CPU and on the Vulkan device that --vulkan names."""
    head("20 epochs, mult-dae", *STRONG)
    for device in ("cpu", lab.options.vulkan):
        name = "parity-" + device.replace(":", "-")
        result = lab.train(name, "mult-dae", *ml1m(lab), *MODELS["mult-dae"], "--seed", "1", device=device, epochs=20)
        row(result["device"], *[f"{value(result, m):.6f}" for m in STRONG])
    print()


if __name__ == "__main__":
    main(__doc__, (table3, strong, table2, table4, figure1, figure3, parity), ("--vulkan", {"default": "vulkan"}),
         ("--epochs", {"type": int, "default": 200}))
