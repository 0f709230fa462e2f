#!/usr/bin/env python3
"""Reproduces the tables and figures of the sparse stacked denoising autoencoders on MovieLens-1M and Jester, with the pumice command alone.

    bench/reproduce/sdae.py --data DATA --runs RUNS [--pumice build/pumice] [--device cpu] [--threads N] [--jobs N] [--repeats 5] [--models LIST]
                            [ml1m jester legacy curves layers]

DATA holds ml-1m/ratings.dat and jester-1, the first of the three parts of Jester, whose published values are of all three. 90 % of the ratings are trained
on, a tenth of them kept for choosing the epoch first: then training is repeated on all 90 % for the chosen length (--refit), and the test part is read.
Repeat k has seed k, for the split too. Every run is kept in RUNS and not repeated, and goes on where it was interrupted; tables are printed as Markdown. Needs
Python 3, no packages.
"""
import json
import os
import statistics
import subprocess

from lab import JOBS, THREADS, head, main, row, value

DATA = {"ml1m": ("ml-1m/ratings.dat", "1,5"), "jester": ("jester-1", "-10,10")}

# Name, model, settings; RMSE as Table 2 has it, of ML-1M and of Jester.
METHODS = {
    "svd": ("svd", {"ml1m": ["--preset", "ml-1m"], "jester": ["--preset", "jester"]}, "0.852 ± 0.003", "4.117 ± 0.04"),
    "als-wr": ("als-wr", {"ml1m": ["--preset", "ml-1m"], "jester": ["--preset", "jester"]}, "0.850 ± 0.004", "4.108 ± 0.02"),
    "als-wr center=global": ("als-wr", {"ml1m": ["--preset", "ml-1m", "--set", "center=global"], "jester": ["--preset", "jester", "--set", "center=global"]}, "", ""),
    "nl-pmf": ("nl-pmf", {"ml1m": ["--preset", "ml-1m"], "jester": ["--preset", "jester"]}, "0.879 ± 0.008", "n/a"),
    "u-autorec": ("u-autorec", {"ml1m": ["--preset", "ml-1m"], "jester": []}, "0.874 ± 0.003", "n/a"),
    "v-autorec": ("v-autorec", {"ml1m": ["--preset", "ml-1m"], "jester": []}, "0.831 ± 0.003", "n/a"),
    "uencoder": ("uencoder", {"ml1m": ["--preset", "ml-1m"], "jester": ["--preset", "jester"]}, "0.861 ± 0.003", "4.107 ± 0.03"),
    "vencoder": ("vencoder", {"ml1m": ["--preset", "ml-1m"], "jester": ["--preset", "jester"]}, "0.840 ± 0.004", "5.001 ± 0.10"),
    "vencoder lr=0.001": ("vencoder", {"ml1m": ["--preset", "ml-1m", "--set", "lr=0.001"]}, "", ""),    # of fine-tuning: Table 1's is past its best after two epochs
    "uencoder 700-500": ("uencoder", {"ml1m": ["--preset", "ml-1m-700"]}, "", ""),
    "vencoder 700-500": ("vencoder", {"ml1m": ["--preset", "ml-1m-700"]}, "", ""),
}
PUBLISHED_MAE = {"uencoder": "0.676 ± 0.02", "vencoder": "0.656 ± 0.02"}
EPOCHS = {"svd": 100, "u-autorec": 200, "v-autorec": 200, "uencoder": 80, "vencoder": 80}    # at most; --patience ends a phase before


def cut(lab, data):
    path, span = DATA[data]
    threads = ["--threads", str(lab.options.threads)] if lab.options.threads else []
    return ["--data", os.path.join(lab.options.data, path), "--protocol", "rating", "--rating-range", span, "--metrics", "rmse,mae", *threads]


def known_models(lab):
    names = subprocess.run([lab.options.pumice, "models", "--json"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return json.loads(names)


def repeated(lab, data, name, *more, tag="", repeats=None):
    """The runs of a method, one a seed."""
    model, settings, _, _ = METHODS[name]
    label = "".join(c if c.isalnum() or c in "-=" else "" for c in name)
    options = ["--patience", "10"] if model in EPOCHS else []
    return [lab.train(f"{data}{tag}-{label}-{seed}", model, *settings[data], *options, *more, "--seed", str(seed), *cut(lab, data), epochs=EPOCHS.get(model, 0))
            for seed in range(repeats or lab.options.repeats)]


def spread(runs, metric):
    values = [value(r, metric) for r in runs]
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values) if len(values) > 1 else 0:.4f}"


def chosen_methods(lab, data):
    there = lab.options.models.split(",") if lab.options.models else METHODS
    text = json.dumps(known_models(lab))
    for name in there:
        if data not in METHODS[name][1]:
            continue
        if f'"{METHODS[name][0]}"' not in text:
            row(name, "", "", "", "not in this build")
            continue
        yield name


def table(lab, data, column, *more, tag=""):
    head("", "RMSE", "MAE", "validation RMSE", "published RMSE (and MAE)")
    for name in chosen_methods(lab, data):
        runs = repeated(lab, data, name, *more, tag=tag)
        validation = "" if "rmse" not in runs[0]["validation"] else f"{statistics.mean(value(r, 'rmse', 'validation') for r in runs):.4f}"    # legacy: none
        mae = f" ({PUBLISHED_MAE[name]})" if data == "ml1m" and name in PUBLISHED_MAE else ""
        row(name, spread(runs, "rmse"), spread(runs, "mae"), validation, METHODS[name][column] + mae)
    print(f"\n- mean ± deviation of {lab.options.repeats} repeats, in each case another split\n")


def ml1m(lab):
    """Table 2 on ML-1M. The epoch is chosen on validation, then all 90 % are trained on for that long."""
    table(lab, "ml1m", 2, "--refit")


def jester(lab):
    """Table 2 on the first part of Jester; published values are of all three parts."""
    table(lab, "jester", 3, "--refit")


def legacy(lab):
    """ML-1M as the paper has it: trained on 90 % from the start, the epoch with the least error on the test part."""
    table(lab, "ml1m", 2, "--legacy-test-selection", "--refit", tag="-legacy")


def sweep(lab, name, model, grid, *more):
    return lab.sweep(name, model, "--preset", "ml-1m", "--preset-grid", grid, "--metric", "rmse", "--jobs", str(lab.options.jobs), *more, *cut(lab, "ml1m"))


def shown(setting):
    """A setting of Figure 2 by the names of the paper."""
    mask, salt = float(setting["mask"]), float(setting["salt"])
    return f"ν {mask + salt:g}, α {float(setting['alpha']):.3g}, β {float(setting['beta']):g}"


def curves(lab):
    """Figure 2: validation RMSE by epoch of fine-tuning for several α, β, ν. Noise is three quarters masking and one quarter salt-and-pepper."""
    epochs = (1, 2, 3, 5, 10, 20, 40)
    for model in ("uencoder", "vencoder"):
        result = sweep(lab, f"curves-{model}", model, "figure-2", "--epochs", str(max(epochs)))
        head(model, *[f"epoch {e}" for e in epochs], "best")
        for number, setting in enumerate(result["settings"], 1):
            run = os.path.join(result["folder"], "runs", f"{number:05d}-seed0", "metrics.jsonl")
            with open(run, encoding="utf-8") as f:
                log = [json.loads(line) for line in f]
            fine = [e["validation"] for e in log if e["phase"] == max(e["phase"] for e in log)]
            row(shown(setting["setting"]), *[f"{fine[e - 1]:.4f}" if len(fine) >= e else "" for e in epochs], f"{min(fine):.4f}")
        print()


def layers(lab):
    """Four layers against two over rates, weight decay and α, each by the same factors about Table 1: validation RMSE. To the median one that diverged is the worst."""
    head("", "layers", "settings", "diverged", "best", "median", "within .01 of the best", "worst", "deviation")
    for model in ("uencoder", "vencoder"):
        for count, grid in ((4, "four-layers"), (2, "two-layers")):
            settings = sweep(lab, f"layers-{model}-{count}", model, grid, "--epochs", "60", "--patience", "10")["settings"]
            errors = [s["validation"]["mean"] for s in settings if not s.get("failed")]
            diverged = len(settings) - len(errors)
            near = sum(e <= min(errors) + 0.01 for e in errors)
            row(model, count, len(settings), diverged, f"{min(errors):.4f}", f"{statistics.median(errors + [float('inf')] * diverged):.4f}", near, f"{max(errors):.4f}",
                f"{statistics.stdev(errors):.4f}")
    print()


if __name__ == "__main__":
    main(__doc__, (ml1m, jester, legacy, curves, layers), THREADS, JOBS, ("--repeats", {"type": int, "default": 5}),
         ("--models", {"help": "ml1m, jester, legacy: these rows alone, with commas"}))
