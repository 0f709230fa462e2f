#!/usr/bin/env python3
"""Reproduces the two-headed AutoRec paper's comparison on MovieLens-1M and Goodbooks, with the pumice command alone.

    bench/reproduce/two_headed.py --data DATA --runs RUNS [--pumice build/pumice] [--device cpu] [--threads N] [--jobs N]
                                  [anchors split seeds claims modes sweeps cold ml1m goodbooks]

DATA holds ml-1m-nce-plrec, the authors' own split (Rtrain.npz, Rvalid.npz, Rtest.npz) and their published tables; ml-1m/ratings.dat; and
goodbooks-10k-v1/ratings.csv. Settings are chosen on validation, then train and validation are trained on together for the chosen length and the test
part is read. Every run is kept in RUNS and not repeated, and goes on where it was interrupted; tables are printed as Markdown. Needs Python 3, no
packages.
"""
import ast
import csv
import glob
import os

from lab import JOBS, THREADS, head, main, pm, row, value

SPLIT = "ml-1m-nce-plrec"
# Ours, and the column of the published table. "NDCG" there takes 50 items and the ideal of all targets, "R-Precision" 50 items at most, "MAP" is the
# mean of precision@1..k.
SHOWN = {"ndcg_full@50": "NDCG", "rprecision@50": "R-Precision", "map_precision@5": "MAP@5", "map_precision@50": "MAP@50", "precision@5": "Precision@5",
         "recall@50": "Recall@50"}
ALL = {"ndcg_full@50": "NDCG", "rprecision@50": "R-Precision",
       **{f"{ours}@{k}": f"{theirs}@{k}" for ours, theirs in (("map_precision", "MAP"), ("precision", "Precision"), ("recall", "Recall"))
          for k in (5, 10, 15, 20, 50)}}



# The data sets: where they are, and how they are cut. Goodbooks has no timestamps, so that a user's order is a random one.
DATA = {
    "split": (SPLIT, ["--protocol", "files"]),
    "ml1m": ("ml-1m/ratings.dat", ["--rating-above", "3", "--protocol", "user-temporal"]),
    "goodbooks": ("goodbooks-10k-v1/ratings.csv", ["--min-rating", "3", "--protocol", "user-temporal"]),
    "cold": ("ml-1m/ratings.dat", ["--rating-above", "3", "--min-user", "5", "--protocol", "strong", "--held-out-share", "0.05"]),
}


def cut(lab, data, metrics):
    path, protocol = DATA[data]
    options = ["--data", os.path.join(lab.options.data, path), *protocol, "--metrics", ",".join(metrics)]
    return options + (["--threads", str(lab.options.threads)] if lab.options.threads else [])


def authors_split(lab, metrics):
    return cut(lab, "split", metrics)


def table(lab, path):
    with open(os.path.join(lab.options.data, SPLIT, "tables", path), encoding="utf-8") as f:
        return list(csv.DictReader(f))


def published(lab, model):
    """A model's row of the authors' table of test results: column -> (mean, half the interval)."""
    line = next(r for r in table(lab, "movielens1m_result.csv") if r["model"] == model)
    return {ours: ast.literal_eval(line[theirs]) for ours, theirs in ALL.items()}


def published_validation(lab, model):
    """The best row by NDCG of a model's own table: all its settings on validation."""
    for path in glob.glob(os.path.join(lab.options.data, SPLIT, "tables", "movielens1m", "*.csv")):
        rows = [r for r in table(lab, path) if r["model"] == model]
        if rows:
            return {ours: ast.literal_eval(max(rows, key=lambda r: ast.literal_eval(r["NDCG"])[0])[theirs])
                    for ours, theirs in ALL.items() if theirs in rows[0]}
    return {}


def tuned(lab, name, model, grid, *settings, epochs=None, data="split"):
    """The sweep of a grid; its winner on validation has been trained once more on train + validation."""
    longer = ["--epochs", str(epochs)] if epochs else []
    return lab.sweep(f"{data}-{name}", model, "--grid", grid, "--metric", "ndcg_full@50", "--refit", *longer, "--jobs", str(lab.options.jobs),
                     *settings, *cut(lab, data, SHOWN))


def anchors(lab):
    """PureSVD and NCE-PLRec: the largest difference from the 17 published columns of the test part, and from those of the validation part."""
    head("model", "", "test ndcg_full@50", "rprecision@50", "largest difference, test", "validation ndcg_full@50", "largest difference, validation")
    for model, theirs, settings in (("pure-svd", "PureSVD", {"rank": 50}), ("nce-plrec", "NCE-PLRec", {"rank": 100, "beta": 1.1, "lambda": 10000})):
        test, valid = published(lab, theirs), published_validation(lab, theirs)
        arguments = [a for k, v in settings.items() for a in ("--set", f"{k}={v}")]
        for name, more in (("randomised, seed 0", []), ("randomised, seed 1", ["--seed", "1"]), ("exact", ["--set", "exact=on"])):
            run = lab.train(f"anchor-{model}-{name.replace(', ', '-').replace(' ', '')}", model, "--refit", "--select", "ndcg_full@50", *arguments, *more,
                            *authors_split(lab, ALL))
            apart = [max((abs(value(run, m, part) - ref[m][0]), m) for m in ref) for part, ref in (("metrics", test), ("validation", valid))]
            row(model, name, f"{value(run, 'ndcg_full@50'):.4f}", f"{value(run, 'rprecision@50'):.4f}", f"{apart[0][0]:.4f} ({apart[0][1]})",
                f"{value(run, 'ndcg_full@50', 'validation'):.4f}", f"{apart[1][0]:.4f} ({apart[1][1]})")
        row(theirs, "published", f"{test['ndcg_full@50'][0]:.4f}", f"{test['rprecision@50'][0]:.4f}", "", f"{valid['ndcg_full@50'][0]:.4f}", "")
    print()


MODES = ("joint", "alternating", "limited-fine-tune", "full-fine-tune")

# Cuts of the paper's grids (Section 4.2.2: r, lambda, alpha, rho, beta, N), small enough for two cores, with what it does not name but must have been chosen.
SPLIT_GRIDS = {
    "item-pop": ("POP", "item-pop", None, None, []),
    "wrmf": ("WRMF", "wrmf", "rank=100,200;lambda=10,100;alpha=1,10", 10, []),
    "bpr": ("BPR", "bpr", "reg=0.003,0.01,0.03", 30, ["--set", "latent=200", "--set", "negatives=5", "--patience", "4"]),
    "cml": ("CML", "cml", "covariance=0.1,1,10", 20, ["--set", "latent=200", "--patience", "4"]),
    "cdae": ("CDAE", "cdae", "dropout=0.2,0.5,0.8", 50, ["--patience", "6"]),
    "vae-cf": ("VAE-CF", "mult-vae", "beta_cap=0.2,0.5,1", 80, ["--set", "hidden=none", "--set", "dropout=0.4", "--patience", "8"]),
    "autorec": ("AutoRec", "autorec", "l2=1e-2,3e-2,1e-1;corruption=0,0.4", 60, ["--patience", "6"]),
    "pure-svd": ("PureSVD", "pure-svd", "rank=50,100,200", None, []),
    "nce-plrec": ("NCE-PLRec", "nce-plrec", "rank=50,100;beta=1,1.1;lambda=1000,10000", None, []),
    "ohns-autorec": (None, "ohns-autorec", "l2=1e-3,1e-2,3e-2;ns_loss=linear,logistic", 60, ["--patience", "5"]),
    "ns-autorec": (None, "ns-autorec", f"mode={','.join(MODES)};l2=1e-2,3e-2,1e-1", 60, ["--set", "ns_loss=logistic", "--patience", "5"]),
    "nce-autorec": (None, "nce-autorec", f"mode={','.join(MODES)};l2=1e-2,3e-2,1e-1", 60, ["--set", "nce_total=users", "--patience", "5"]),
    "ease": (None, "ease", "lambda=200,500,1000,2000", None, []),
    "slim": (None, "slim", "l1=1,5,20;l2=100,500", None, []),
}


def split_row(lab, name):
    theirs, model, grid, epochs, settings = SPLIT_GRIDS[name]
    if grid is None:
        winner = lab.train(f"split-{name}", model, "--refit", *authors_split(lab, SHOWN))
        valid, setting = value(winner, "ndcg_full@50", "validation"), ""
    else:
        sweep = tuned(lab, name, model, grid, *settings, epochs=epochs)
        winner = sweep["winner"]
        valid = next(s for s in sweep["settings"] if s["winner"])["validation"]["mean"]
        fixed = [pair for flag, pair in zip(settings, settings[1:]) if flag == "--set"]
        setting = " ".join(fixed + [f"{k}={v}" for k, v in winner["setting"].items()])
    row(name, *[pm(winner, m) for m in SHOWN], f"{valid:.4f}", setting)
    if theirs:
        row(f"{theirs}, published", *[f"{mean:.4f} ± {ci:.4f}" for mean, ci in (published(lab, theirs)[m] for m in SHOWN)],
            f"{published_validation(lab, theirs)['ndcg_full@50'][0]:.4f}", "")


def split(lab):
    """Every model on the authors' split, beside the published values; settings chosen by ndcg_full@50 on validation."""
    head("test part", *SHOWN, "validation ndcg_full@50", "setting")
    for name in lab.options.models.split(",") if lab.options.models else SPLIT_GRIDS:
        split_row(lab, name)
    print()


def winner_run(lab, name):
    _, model, grid, epochs, settings = SPLIT_GRIDS[name]
    return tuned(lab, name, model, grid, *settings, epochs=epochs)["winner"]["runs"][0]


def seeds(lab):
    """The autoencoders' winners with two more seeds, each seed tested against AutoRec's of the same."""
    head("ndcg_full@50 of seed", "0", "1", "2", "less autorec, seed by seed")
    runs = {}
    for name in ("autorec", "ns-autorec", "nce-autorec"):
        _, model, grid, epochs, settings = SPLIT_GRIDS[name]
        winner = tuned(lab, name, model, grid, *settings, epochs=epochs)["winner"]
        chosen = [a for k, v in winner["setting"].items() for a in ("--set", f"{k}={v}")]
        again = [lab.train(f"seed{seed}-{name}", model, "--refit", "--seed", str(seed), *settings, *chosen, *authors_split(lab, SHOWN), epochs=epochs)
                 for seed in (1, 2)]
        runs[name] = [winner["runs"][0], *[r["run"] for r in again]]
        tests = [lab.ask("compare", a, b, "--metrics", "ndcg_full@50")["runs"][1]["against_first"]["ndcg_full@50"]
                 for a, b in zip(runs["autorec"], runs[name])] if name != "autorec" else []
        row(name, *[f"{value(r, 'ndcg_full@50'):.4f}" for r in (winner, *again)], ", ".join("{difference:+.4f} ± {ci95:.4f}".format(**t) for t in tests))
    print()


CLAIMED = ("autorec", "ohns-autorec", "ns-autorec", "nce-autorec", "nce-plrec", "wrmf", "ease", "slim")


def popular(lab, runs):
    """How popular the first ten recommendations of each run are (Figure 7). The words of the last analysis' title, which says the same of what is to be
    found."""
    head("the first ten", "their training interactions, mean", "tail_short@10", "coverage@10")
    for name, run in runs.items():
        document = lab.ask("evaluate", run, "--analysis=density", "--metrics", "tail_short@10,coverage@10")
        words = document["analysis"]["density"]["title"].split()
        row(name, words[words.index("10:") + 1], pm(document, "tail_short@10"), f"{value(document, 'coverage@10'):.4f}")
    return words


def claims(lab):
    """Whether NCE-AutoRec > NS-AutoRec > AutoRec: paired t-tests on the same users, and how popular the first ten are (Figure 7)."""
    runs = {name: winner_run(lab, name) for name in CLAIMED}
    tested = ("ndcg_full@50", "rprecision@50", "map_precision@5")
    for first in ("autorec", "ease"):
        head(f"less {first}", *tested)
        others = [name for name in CLAIMED if name != first]
        compared = lab.ask("compare", *[runs[name] for name in (first, *others)], "--metrics", ",".join(tested))["runs"]
        for name, run in zip(others, compared[1:]):
            row(name, *["{difference:+.4f} ± {ci95:.4f} (p = {p:.2g})".format(**run["against_first"][m]) for m in tested])
        print()
    words = popular(lab, runs)
    row("what is to be found", words[-1], "", "")
    print()


def chosen(lab, name):
    """What the winner on the authors' split was trained with, as options: model, settings, epochs."""
    _, model, grid, epochs, settings = SPLIT_GRIDS[name]
    if grid is None:
        return model, [], epochs
    setting = tuned(lab, name, model, grid, *settings, epochs=epochs)["winner"]["setting"]
    return model, [*settings, *[a for k, v in setting.items() for a in ("--set", f"{k}={v}")]], epochs


def modes(lab):
    """Figures 2 and 4: NDCG by mode and how long training took to its best epoch, otherwise as the winner. Chosen and shown on validation; one run at
    a time, so that seconds can be compared."""
    head("validation ndcg_full@50", *MODES)
    for name in ("ns-autorec", "nce-autorec"):
        model, settings, epochs = chosen(lab, name)
        runs = [lab.train(f"mode-{name}-{mode}", model, *settings, "--set", f"mode={mode}", *authors_split(lab, SHOWN), epochs=epochs) for mode in MODES]
        row(name, *[f"{value(r, 'ndcg_full@50', 'validation'):.4f}" for r in runs])
        row(f"{name}, seconds to its best epoch of all", *[f"{r['train_seconds'] * r['best_epoch'] / max(r['epochs'], 1):.1f} of {r['train_seconds']:.1f}" for r in runs])
    print()


def sweeps(lab):
    """Figure 5: how many negatives a user for NS-AutoRec, the exponent of popularity for NCE-AutoRec; otherwise as the winners. On validation."""
    for name, parameter, values in (("ns-autorec", "negatives", "5,50,500,5000,50000,500000"), ("nce-autorec", "beta", "0.7,0.8,0.9,1,1.1,1.2,1.3")):
        model, settings, epochs = chosen(lab, name)
        sweep = lab.sweep(f"figure5-{name}", model, "--grid", f"{parameter}={values}", "--metric", "ndcg_full@50", "--jobs", str(lab.options.jobs),
                          "--epochs", str(epochs), *settings, *authors_split(lab, SHOWN))
        head(f"{name}, {parameter}", *values.split(","))
        row("validation ndcg_full@50", *[f"{s['validation']['mean']:.4f}" for s in sweep["settings"]])
        print()


def cold(lab):
    """Figure 6: a twentieth of the users is held out of training and scored from four fifths of what they had. The autoencoders' winners, and what any
    honest comparison includes; differences on the same users."""
    names = ("autorec", "ns-autorec", "nce-autorec", "wrmf", "ease")
    runs = {}
    for name in names:
        model, settings, epochs = chosen(lab, name)
        runs[name] = lab.train(f"cold-{name}", model, *settings, *cut(lab, "cold", SHOWN), epochs=epochs)
    head("cold-start users", "ndcg_full@50", *[f"less {n}" for n in names[:3]])
    for name in names:
        tests = [lab.ask("compare", runs[first]["run"], runs[name]["run"], "--metrics", "ndcg_full@50")["runs"][1]["against_first"]["ndcg_full@50"]
                 if first != name else None for first in names[:3]]
        row(name, pm(runs[name], "ndcg_full@50"), *["{difference:+.4f} ± {ci95:.4f}".format(**t) if t else "" for t in tests])
    print()


ELEVEN = ("item-pop", "bpr", "cdae", "cml", "nce-plrec", "pure-svd", "vae-cf", "wrmf", "autorec", "ohns-autorec", "ns-autorec", "nce-autorec", "ease", "slim")

# Ours for Goodbooks: its users have 7 interactions at the median and its items 92, so that penalties are other ones than on ML-1M. Ranks are what matters there; what is
# fixed was chosen in grids at 100 or 200 units or factors (bpr: reg 0.001, 0.003, 0.01; cdae: dropout 0.5, 0.8; vae-cf: beta_cap 0.2, 1;
# wrmf: lambda 3, 30, alpha 40, 100).
GOODBOOKS_GRIDS = {
    "item-pop": ("item-pop", None, None, []),
    "bpr": ("bpr", "latent=200,500", 40, ["--set", "reg=0.003", "--set", "negatives=5", "--patience", "3"]),
    "cdae": ("cdae", "latent=200,500", 30, ["--set", "dropout=0.8", "--patience", "3"]),
    "cml": ("cml", "covariance=0.1,1", 60, ["--set", "latent=200", "--patience", "3"]),
    "nce-plrec": ("nce-plrec", "rank=500,1000;beta=0.9,1.1;lambda=100", None, []),
    "pure-svd": ("pure-svd", "rank=200,500,1000", None, []),
    "vae-cf": ("mult-vae", "latent=200,500", 40, ["--set", "hidden=none", "--set", "dropout=0.4", "--set", "beta_cap=1", "--patience", "3"]),
    "wrmf": ("wrmf", "rank=200,500", 20, ["--set", "lambda=30", "--set", "alpha=100"]),
    "autorec": ("autorec", "latent=200,500;l2=1e-5,1e-4;corruption=0,0.4", 30, ["--patience", "3"]),
    "ohns-autorec": ("ohns-autorec", "latent=200,500;l2=1e-4,1e-3", 30, ["--set", "ns_loss=logistic", "--patience", "3"]),
    "ns-autorec": ("ns-autorec", "mode=joint,limited-fine-tune;latent=200,500;l2=1e-5,1e-4", 30, ["--set", "ns_loss=logistic", "--patience", "3"]),
    "nce-autorec": ("nce-autorec", "mode=joint,limited-fine-tune;latent=200,500;l2=1e-4,1e-3", 30, ["--set", "nce_total=users", "--patience", "3"]),
    "ease": ("ease", "lambda=50,100,200,500", None, []),
    "slim": ("slim", "l1=0.5,2,5;l2=50", None, []),
}


def compared(lab, runs):
    """Against the best linear models and AutoRec, on the same users; and how popular the first ten are (Figure 7)."""
    for first in ("autorec", "ease", "wrmf"):
        others = [n for n in ("autorec", "ns-autorec", "nce-autorec", "ease", "wrmf") if n != first]
        tests = lab.ask("compare", *[runs[n] for n in (first, *others)], "--metrics", "ndcg_full@50")["runs"][1:]
        head(f"ndcg_full@50 less {first}", *others)
        row("", *["{difference:+.4f} ± {ci95:.4f}".format(**t["against_first"]["ndcg_full@50"]) for t in tests])
        print()
    popular(lab, runs)
    print()


def ml1m(lab):
    """ML-1M cut by our own user-temporal protocol. Its users, items and shares are those of the authors' split, so the settings chosen there are used."""
    head("ML-1M, ratings above 3, user-temporal", *SHOWN, "validation ndcg_full@50")
    runs = {}
    for name in ELEVEN:
        model, settings, epochs = chosen(lab, name)
        run = lab.train(f"ml1m-{name}", model, "--refit", "--select", "ndcg_full@50", *settings, *cut(lab, "ml1m", SHOWN), epochs=epochs or 0)
        runs[name] = run["run"]
        row(name, *[pm(run, m) for m in SHOWN], f"{value(run, 'ndcg_full@50', 'validation'):.4f}")
    print()
    compared(lab, runs)


def goodbooks(lab):
    """Goodbooks, first version, ratings of 3 and above."""
    head("Goodbooks, ratings from 3 on, user-temporal", *SHOWN, "validation ndcg_full@50", "setting")
    runs = {}
    for name in lab.options.models.split(",") if lab.options.models else ELEVEN:
        model, grid, epochs, settings = GOODBOOKS_GRIDS[name]
        if grid is None:
            run = lab.train(f"goodbooks-{name}", model, "--refit", *cut(lab, "goodbooks", SHOWN))
            runs[name], valid, setting = run["run"], value(run, "ndcg_full@50", "validation"), {}
        else:
            sweep = tuned(lab, name, model, grid, *settings, epochs=epochs, data="goodbooks")
            run, setting = sweep["winner"], sweep["winner"]["setting"]
            runs[name], valid = run["runs"][0], next(s for s in sweep["settings"] if s["winner"])["validation"]["mean"]
        row(name, *[pm(run, m) for m in SHOWN], f"{valid:.4f}", " ".join(f"{k}={v}" for k, v in setting.items()))
    print()
    if not lab.options.models:
        compared(lab, runs)


if __name__ == "__main__":
    main(__doc__, (anchors, split, seeds, claims, modes, sweeps, cold, ml1m, goodbooks), THREADS, JOBS,
         ("--models", {"help": "split, goodbooks: these alone, with commas"}))
