#!/usr/bin/env python3
"""Reproduces the Missing Information Loss paper on MovieLens-1M, with the pumice command alone.

    bench/reproduce/mil.py --data DATA --runs RUNS [--pumice build/pumice] [--iterations N] [--jobs N] [table2 claims table3 maxnorm]

DATA holds ml-1m/ratings.dat: ratings of 4 and above, users with five. Every run is kept in RUNS and not repeated, and goes on where it was
interrupted; tables are printed as Markdown. Needs Python 3, no packages.
"""
import os
import subprocess
import sys

from lab import JOBS, head, main, row

SHOWN = ["map@1", "map@100", "recall@20", "recall@100", "novelty_map@100"]

# What is tuned, on validation: the paper's grids, cut down to what two busy cores do in an hour. Target sets of 100 and 150 mean profiles are
# more than this catalogue, as 50 is: one of the three stands for all. The two max-norms go together. The models that take longest, with a
# sigmoid hidden layer or with pairs, have the fewest settings; those of pairs choose between the two forms of equation (5).
GRIDS = {
    "ce-point-lin-sig": "target_factor=5,10,50;alpha_enc/alpha_dec=0/0,0.1/0.1,0.3/0.3",
    "mil-lin-sig": "a_mi/gamma_mi=50/2,1e6/10,5e9/15;gamma_plus=1,2;alpha_enc/alpha_dec=0/0,0.1/0.1",
    "multi-tanh-lin": "alpha_enc/alpha_dec=0/0,0.1/0.1,0.2/0.2",
    "mil-sig-sig": "a_mi/gamma_mi=50/2,1e6/10",
    "ce-point-sig-sig": "target_factor=10,50",
    "ce-pair-lin-sig": "target_factor=5;pair_link=clipped,logistic",
    "ce-pair-sig-sig": "target_factor=5;pair_link=clipped,logistic",
}

# Iterations beyond those of the others, as a factor: with a sigmoid hidden layer pairs are still rising where the others have ended.
LONGER = {"ce-pair-sig-sig": 2}

# Epochs without a better value that end a run: 8, but 40 for the winners of two, and where a sigmoid layer under cross-entropy begins with a plateau,
# which is longer than 8.
GRID_PATIENCE = {"ce-point-sig-sig": 40, "ce-pair-sig-sig": 40}
PATIENCE = {"ce-point-lin-sig": 40, "mil-lin-sig": 40, **GRID_PATIENCE}


def ml1m(lab, preset, patience, *protocol):
    return ["--data", os.path.join(lab.options.data, "ml-1m", "ratings.dat"), "--min-rating", "4", "--min-user", "5", "--split-seed", "1",
            "--metrics", ",".join(SHOWN), "--metric", "map@100", "--validate-every", str(lab.options.every), "--patience", str(patience),
            "--set", f"iterations={lab.options.iterations * LONGER.get(preset, 1)}", "--seed", "1", "--jobs", str(lab.options.jobs), *protocol]


def tuned(lab, preset):
    """The sweep of a preset over its grid, one seed."""
    return lab.sweep(f"grid-{preset}", "dae", "--preset", preset, "--grid", GRIDS[preset],
                     *ml1m(lab, preset, GRID_PATIENCE.get(preset, 8), "--protocol", "random"))


def setting_of(sweep):
    return sweep["winner"]["setting"]


def settings_text(sweep):
    return " ".join(f"{k}={v}" for k, v in setting_of(sweep).items())


def winner(lab, preset, name, seeds, *protocol):
    """The setting that won, with several seeds."""
    grid = GRIDS[preset]
    if "," in grid:
        grid = ";".join(f"{k}={v}" for k, v in setting_of(tuned(lab, preset)).items())
    return lab.sweep(f"{name}-{preset}", "dae", "--preset", preset, "--grid", grid, "--seeds", str(seeds),
                     *ml1m(lab, preset, PATIENCE.get(preset, 8), "--protocol", *protocol))


def cells(sweep):
    metrics = sweep["winner"]["metrics"]
    return [f"{metrics[m]['mean']:.4f} ± {metrics[m]['ci95']:.4f}" for m in SHOWN]


def table2(lab):
    """Protocol random, 80/10/10; settings chosen by map@100 on validation with one seed; the winner's means over three, with half a 95 %
    interval over users."""
    head("ML-1M, random", *SHOWN, "setting")
    for preset in GRIDS:
        sweep = winner(lab, preset, "random", 3, "random")
        row(preset, *cells(sweep), settings_text(sweep))
        sys.stdout.flush()
    print()


def run_of(lab, preset, seed=0):
    """The run folder of one of the winner's seeds."""
    sweep = winner(lab, preset, "random", 3, "random")
    run = sweep["winner"]["runs"][seed]
    return run if os.path.exists(run) else os.path.join(sweep["folder"], run)


def claims(lab):
    """Paired on the same users against point-wise cross-entropy, seed by seed: relevance, and which tails the first 200 come from. Then of the
    first seeds Table 4, the percentage of the catalogue in each band of predicted preference, and Figure 4, users shown each tail by rank."""
    metrics = "map@1,map@100,recall@100,tail_short@200,tail_medium@200,tail_long@200"
    print("```", flush=True)
    for seed in range(3):
        runs = [run_of(lab, p, seed) for p in ("ce-point-lin-sig", "mil-lin-sig", "mil-sig-sig", "multi-tanh-lin")]
        subprocess.run([lab.options.pumice, "compare", *runs, "--metrics", metrics, "--device", lab.options.device], check=True)
    for preset in ("ce-point-lin-sig", "ce-pair-lin-sig", "mil-lin-sig", "mil-sig-sig"):
        print(f"\n{preset}", flush=True)
        subprocess.run([lab.options.pumice, "evaluate", run_of(lab, preset), "--analysis=preference,tails,ranks", "--metrics", "map@100",
                        "--device", lab.options.device], check=True)
    print("```\n")


def table3(lab):
    """Protocol temporal: the last 365 days are test; the settings of table2."""
    head("ML-1M, temporal", *SHOWN, "users")
    for preset in GRIDS:
        sweep = winner(lab, preset, "temporal", lab.options.temporal_seeds, "temporal", "--test-days", "365")
        row(preset, *cells(sweep), sweep["winner"]["metrics"]["map@100"]["n"])
        sys.stdout.flush()
    print()


def maxnorm(lab):
    """Section 4.1: the best alpha of the max-norm stays where it is from loss to loss, the best factor of the weight decay does not.
    Validation map@100, one seed."""
    scales = {"alpha_enc/alpha_dec": ["0.02/0.02", "0.05/0.05", "0.1/0.1", "0.2/0.2"], "decay": ["1e-6", "1e-5", "1e-4", "1e-3", "1e-2"]}
    for name, values in scales.items():
        head(name, *[v.split("/")[0] for v in values])
        for preset in ("multi-tanh-lin", "mil-lin-sig"):
            sweep = lab.sweep(f"scale-{name[:5]}-{preset}", "dae", "--preset", preset, "--grid", f"{name}={','.join(values)}",
                              *ml1m(lab, preset, 40, "--protocol", "random"))
            row(preset, *[f"{s['validation']['mean']:.4f}" + (" (best)" if s["winner"] else "") for s in sweep["settings"]])
        print()


if __name__ == "__main__":
    main(__doc__, (table2, claims, table3, maxnorm), JOBS, ("--iterations", {"type": int, "default": 8000}),
         ("--every", {"type": int, "default": 5, "help": "epochs between validations"}), ("--temporal-seeds", {"type": int, "default": 3}))
