#!/usr/bin/env python3
"""Reproduces the Missing Information Loss paper on MovieLens-1M, with the pumice command alone.

    bench/reproduce/mil.py --data DATA --runs RUNS [--pumice build/pumice] [--iterations N] [--jobs N] [table2 claims table3 maxnorm]

DATA holds ml-1m/ratings.dat: ratings of 4 and above, users with five. Every run is kept in RUNS and not repeated, and goes on where it was
interrupted; tables are printed as Markdown. Needs Python 3, no packages.
"""
import argparse
import os
import subprocess

from lab import Lab, head, row, run_steps

SHOWN = ["map@1", "map@100", "recall@20", "recall@100", "novelty_map@100"]

# What is tuned, on validation: the paper's grids, cut down to what two cores do in half an hour. Target sets of 50 and 100 mean profiles are
# more than this catalogue; the smaller ones of the paper are tried. The two max-norms go together.
NORMS = "alpha_enc/alpha_dec=0/0,0.1/0.1"
MIL = f"a_mi/gamma_mi=50/2,1e6/10;gamma_plus=1,2;{NORMS}"
POINT = f"target_factor=10,50;{NORMS},0.3/0.3"
PAIR = f"target_factor=1,5;{NORMS}"
GRIDS = {
    "ce-point-lin-sig": POINT,
    "ce-point-sig-sig": POINT,
    "ce-pair-lin-sig": PAIR,
    "ce-pair-sig-sig": PAIR,
    "multi-tanh-lin": f"{NORMS},0.3/0.3",
    "mil-lin-sig": MIL,
    "mil-sig-sig": MIL,
}


def ml1m(lab, *protocol):
    return ["--data", os.path.join(lab.options.data, "ml-1m", "ratings.dat"), "--min-rating", "4", "--min-user", "5", "--split-seed", "1",
            "--metrics", ",".join(SHOWN), "--validate-every", str(lab.options.every), "--set", f"iterations={lab.options.iterations}",
            "--seed", "1", *protocol]


def tuned(lab, preset):
    """The sweep of a preset over its grid, three seeds, halved: after a third of the length the best third of the settings goes on."""
    return lab.sweep(f"random-{preset}", "dae", "--preset", preset, "--grid", GRIDS[preset], "--seeds", "3", "--halving", "--metric", "map@100",
                     "--jobs", str(lab.options.jobs), *ml1m(lab, "--protocol", "random"))


def setting_of(sweep):
    return sweep["winner"]["setting"]


def settings_text(sweep):
    return " ".join(f"{k}={v}" for k, v in setting_of(sweep).items())


def cells(sweep):
    metrics = sweep["winner"]["metrics"]
    return [f"{metrics[m]['mean']:.4f} ± {metrics[m]['ci95']:.4f}" for m in SHOWN]


def table2(lab):
    """Protocol random, 80/10/10; settings chosen by map@100 on validation; means of three seeds with half a 95 % interval over users."""
    head("ML-1M, random", *SHOWN, "setting")
    for preset in GRIDS:
        sweep = tuned(lab, preset)
        row(preset, *cells(sweep), settings_text(sweep))
    print()


def runs_of(lab, preset):
    """The run folders of the winner, a seed each."""
    sweep = tuned(lab, preset)
    return [r if os.path.isabs(r) or os.path.exists(r) else os.path.join(sweep["folder"], r) for r in sweep["winner"]["runs"]]


def claims(lab):
    """MIL beside point-wise cross-entropy and the multinomial loss, paired on the same users: relevance, and which tails the first 200 come from."""
    tails = ",".join(SHOWN[:2] + ["tail_short@200", "tail_medium@200", "tail_long@200"])
    runs = [runs_of(lab, preset)[0] for preset in ("ce-point-lin-sig", "mil-lin-sig", "mil-sig-sig", "multi-tanh-lin")]
    subprocess.run([lab.options.pumice, "compare", *runs, "--metrics", tails, "--device", lab.options.device], check=True)


def table3(lab):
    """Protocol temporal: the last 365 days are test; the settings of table2, three seeds."""
    head("ML-1M, temporal", *SHOWN, "users")
    for preset in GRIDS:
        grid = ";".join(f"{k}={v}" for k, v in setting_of(tuned(lab, preset)).items())
        sweep = lab.sweep(f"temporal-{preset}", "dae", "--preset", preset, "--grid", grid, "--seeds", "3", "--metric", "map@100", "--jobs",
                          str(lab.options.jobs), *ml1m(lab, "--protocol", "temporal", "--test-days", "365"))
        row(preset, *cells(sweep), sweep["winner"]["metrics"]["map@100"]["n"])
    print()


def maxnorm(lab):
    """Section 4.1: the best alpha of the max-norm stays where it is from loss to loss, the best factor of the weight decay does not.
    Validation map@100, one seed."""
    scales = {"alpha_enc/alpha_dec": ["0.05/0.05", "0.1/0.1", "0.2/0.2", "0.5/0.5"], "decay": ["1e-6", "1e-5", "1e-4", "1e-3"]}
    for name, values in scales.items():
        head(name, *[v.split("/")[0] for v in values])
        for preset in ("multi-tanh-lin", "ce-point-lin-sig", "mil-lin-sig"):
            sweep = lab.sweep(f"scale-{name[:5]}-{preset}", "dae", "--preset", preset, "--grid", f"{name}={','.join(values)}", "--metric", "map@100",
                              "--jobs", str(lab.options.jobs), *ml1m(lab, "--protocol", "random"))
            row(preset, *[f"{s['validation']['mean']:.4f}" + (" (best)" if s["winner"] else "") for s in sweep["settings"]])
        print()


def main():
    steps = {f.__name__: f for f in (table2, claims, table3, maxnorm)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="step", help=", ".join(steps))
    parser.add_argument("--data", required=True)
    parser.add_argument("--runs", required=True)
    parser.add_argument("--pumice", default="build/pumice")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--iterations", type=int, default=4000)
    parser.add_argument("--every", type=int, default=5, help="epochs between validations")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    options.epochs = None
    run_steps(steps, options.steps, Lab(options))


if __name__ == "__main__":
    main()
