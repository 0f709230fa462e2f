#!/usr/bin/env python3
"""Reproduces the tables of the DMF paper (Xue et al., 2017), with the pumice command alone.

    bench/reproduce/dmf.py --data DATA --runs RUNS [--pumice build/pumice] [--device cpu] [--threads N] [--jobs N] [--sets LIST] [--models LIST]
                           [--epochs N] [--no-refit] [table2 ties widths table3 table4 table5 figure2 anchors]

DATA holds ml-100k, ml-1m, ml-1m-ncf and dmf-amazon-music. Leave-one-out: the latest item of each user is the test target, the one before it the
validation target. Every figure comes twice. "validation": epoch and setting are chosen by ndcg@10 on validation, then train and validation are trained
on together for the chosen length (--no-refit: not), and the test part is read once. "legacy": the same setting, trained on train and validation, the
epoch chosen on the test set (--legacy-test-selection), which is how the published figures came about; settings are not chosen there. Every run is kept
in RUNS and not repeated, and goes on where it was interrupted; tables are printed as Markdown. Needs Python 3, no packages.
"""
import os
import statistics

from lab import JOBS, THREADS, head, main, row, value

STOP = ["--patience", "5"]
METRICS = ["--metrics", "ndcg@10,hr@10,mrr@10"]
SETS = {"ml-100k": "ml-100k", "ml-1m": "ml-1m", "ml-1m-ncf": "ml-1m-ncf", "amazon-music": "dmf-amazon-music/Amazon_ratings_Digital_Music_pruned.txt"}
COLUMN = {"ml-100k": 0, "ml-1m": 1, "ml-1m-ncf": 1, "amazon-music": 2}    # of the published tables

# Table 2, (HR@10, NDCG@10): ML-100k, ML-1M, Amazon music.
PUBLISHED = {
    "item-pop": ((.406, .231), (.472, .263), (.423, .242)),
    "item-knn": ((.600, .334), (.637, .372), (.493, .345)),
    "eals": ((.621, .356), (.709, .425), (.521, .374)),
    "neumf": ((.670, .395), (.722, .440), (.527, .371)),
    "dmf-2-ce": ((.679, .405), (.720, .442), (.570, .403)),
    "dmf-2-nce": ((.687, .409), (.732, .451), (.563, .397)),
}
TABLE3 = {"lfm-nce": ((.634, .369), (.641, .376), (.491, .311)), "dmf-1-nce": ((.670, .386), (.660, .383), (.572, .389))}
TABLE4 = {"1": ((.677, .393), (.689, .408), (.569, .384)), "2": ((.687, .403), (.721, .432), (.562, .387)), "5": ((.684, .406), (.723, .434), (.556, .386)),
          "9": ((.675, .401), (.726, .443), (.567, .391)), "10": ((.667, .400), (.725, .438), (.554, .384))}
TABLE5 = {"8": ((.660, .369), (.637, .361), (.547, .357)), "16": ((.672, .389), (.681, .398), (.560, .371)), "32": ((.675, .386), (.688, .406), (.568, .377)),
          "64": ((.682, .394), (.690, .411), (.559, .374)), "128": ((.677, .393), (.689, .408), (.569, .384))}

# Model, what all runs have, grid (None: nothing is chosen), epochs (None: the model's own). Grids are cuts of the papers', small enough for two cores.
METHODS = {
    "item-pop": ("item-pop", [], None, None),
    "item-knn": ("item-knn", [], "similarity=cosine,jaccard;k=50,100,400;shrink=0,10,100", None),
    "eals": ("eals", ["--set", "rank=64"], "c0=64,512;a=0,0.4;lambda=0.01,10", 30),
    "wrmf": ("wrmf", ["--set", "rank=64"], "alpha=1,10;lambda=10,30,100", 15),
    "ease": ("ease", [], "lambda=100,200,500,1000", None),
    "slim": ("slim", [], "l1=1,5,20;l2=100,500", None),
    "mult-dae": ("mult-dae", ["--preset", "paper-ml-1m"], None, None),
    "neumf": ("neumf", [], None, None),    # pretrained, see neumf()
    "dmf-2-ce": ("dmf", ["--preset", "ce"], None, 40),
    "dmf-2-nce": ("dmf", ["--preset", "nce"], None, 40),
}
# Units of the layers before the last, users' and items', of which the first depth - 1 count. The paper names none. The first is a public version's, and the
# model's own; step `widths` finds the third no worse, and an epoch of MovieLens-1M then takes a fraction of the time.
WIDTHS = (("512,128", "1024,128"), ("256,128", "256,128"), ("128,128", "128,128"), ("64,128", "64,128"))
WITHOUT_EPOCHS = ("item-pop", "item-knn", "ease", "slim")    # nothing to choose on the test set


def protocol(lab, data):
    path = os.path.join(lab.options.data, SETS[data])
    threads = ["--threads", str(lab.options.threads)] if lab.options.threads else []
    return ["--data", path, "--protocol", "leave-one-out", *METRICS, *threads]


def chosen_on(lab, legacy):
    return ["--legacy-test-selection", "--refit"] if legacy else [] if lab.options.no_refit else ["--refit"]


def widths_of(users, items):
    return ["--set", f"user_hidden={users}", "--set", f"item_hidden={items}"]


def besides(data):
    """What DMF's runs of Table 2 have besides their preset. Amazon music: the factors that Table 5 finds best there. MovieLens-1M: what two
    cores can do in an hour or two; ten times the paper's rate is on validation after 6 epochs where the paper's is after 19."""
    if data.startswith("ml-1m"):
        return [*widths_of(*WIDTHS[2]), "--set", "lr=1e-3", "--patience", "3"]
    return [*(["--set", "factors=128"] if data == "amazon-music" else []), *STOP]


def length(lab, epochs):
    return lab.options.epochs or epochs or 0


def suffix(lab, legacy):
    return "-legacy" if legacy else "-plain" if lab.options.no_refit else ""


def setting_of(lab, data, name):
    """The winner on validation among a method's grid, as arguments and as words."""
    model, fixed, grid, epochs = METHODS[name]
    if grid is None:
        return fixed, ""
    longer = ["--epochs", str(length(lab, epochs))] if length(lab, epochs) and name not in WITHOUT_EPOCHS else []
    sweep = lab.sweep(f"{data}-{name}-grid", model, "--grid", grid, "--metric", "ndcg@10", "--jobs", str(lab.options.jobs), *fixed, *longer,
                      *protocol(lab, data))
    chosen = sweep["winner"]["setting"]
    return [*fixed, *[a for k, v in chosen.items() for a in ("--set", f"{k}={v}")]], " ".join(f"{k}={v}" for k, v in chosen.items())


def neumf(lab, data, legacy):
    """GMF and MLP apart with Adam, then joined with alpha = 0.5 and tuned further with SGD (NCF, Section 3.4.1). Lengths and the rate of SGD are chosen with
    runs that leave validation alone; then each is trained on train + validation for as long, the joined one from the other two. Legacy: all three on
    train + validation, their epochs chosen on the test set."""
    size = ["--set", "factors=64" if data.startswith("ml-1m") else "factors=16", "--set", "batch=51"]
    epochs = {"gmf": length(lab, 30), "mlp": length(lab, 20), "neumf": length(lab, 20)}

    def one(model, mark, count, *how):
        return lab.train(f"{data}-{model}{mark}", model, *size, *how, *protocol(lab, data), epochs=count)

    def joined(parts):
        return ["--pretrained-gmf", parts[0]["run"], "--pretrained-mlp", parts[1]["run"], "--set", "optimizer=sgd", "--set", "alpha=0.5"]

    parts = [one(m, "", epochs[m], *STOP) for m in ("gmf", "mlp")]
    sweep = lab.sweep(f"{data}-neumf", "neumf", "--grid", "lr=0.001,0.01,0.1", "--metric", "ndcg@10", "--jobs", str(lab.options.jobs), *size, *joined(parts), *STOP,
                      "--epochs", str(epochs["neumf"]), *protocol(lab, data))
    if lab.options.no_refit and not legacy:
        return lab.ask("evaluate", sweep["winner"]["runs"][0])
    best = next(s for s in sweep["settings"] if s["winner"])
    rate = ["--set", f"lr={best['setting']['lr']}"]
    if legacy:
        how = ["--legacy-test-selection", "--refit"]
        parts = [one(m, "-legacy", epochs[m], *how) for m in ("gmf", "mlp")]
        return one("neumf", "-legacy", epochs["neumf"], *joined(parts), *rate, *how)
    parts = [one(p["model"], "-fixed", p["best_epoch"], "--fixed-length") for p in parts]
    return one("neumf", "-fixed", best["best_epoch"][0], *joined(parts), *rate, "--fixed-length")


def train(lab, data, name, legacy):
    if name == "neumf":
        return neumf(lab, data, legacy)
    model, _, _, epochs = METHODS[name]
    arguments, _ = setting_of(lab, data, name)
    if model == "dmf":
        arguments = [*arguments, *besides(data)]
    return lab.train(f"{data}-{name}{suffix(lab, legacy)}", model, *arguments, *chosen_on(lab, legacy), *protocol(lab, data), epochs=length(lab, epochs))


def both(result, view="", part="metrics"):
    """HR@10 and NDCG@10 with their intervals."""
    hr, ndcg = (result[part][f"{m}@10{view}"] for m in ("hr", "ndcg"))
    return f"{hr['mean']:.3f} / {ndcg['mean']:.3f} (± {hr['ci95']:.3f} / {ndcg['ci95']:.3f})"


def pair(published):
    return f"{published[0]:.3f} / {published[1]:.3f}".replace("0.", ".") if published else ""


def epoch_of(name, result):
    return "" if name in WITHOUT_EPOCHS else f"{result['best_epoch']} of {result['epochs']}"


def seen(result):
    """Without the users whose target nobody has in training, where there are any."""
    return both(result, ":seen") if "hr@10:seen" in result["metrics"] else ""


def wanted(lab, names):
    return [n for n in names if not lab.options.models or n in lab.options.models.split(",")]


def sets(lab, names):
    return [n for n in names if not lab.options.sets or n in lab.options.sets.split(",")]


def table2(lab):
    """HR@10 / NDCG@10 of every method, chosen on validation and, beside it, on the test set; among the sampled candidates and among all items."""
    for data in sets(lab, ("ml-100k", "ml-1m-ncf", "ml-1m", "amazon-music")):
        print(f"### {data}\n")
        head("HR@10 / NDCG@10", "validation-selected", "legacy: epoch chosen on the test set", "published", "validation-selected, all items",
             "validation-selected, targets seen in training", "epochs (validation, legacy)", "setting, by validation")
        for name in wanted(lab, METHODS):
            valid = train(lab, data, name, False)
            legacy = None if name in WITHOUT_EPOCHS else train(lab, data, name, True)
            published = PUBLISHED.get(name)
            row(name, both(valid), both(legacy) if legacy else "the same", pair(published[COLUMN[data]]) if published else "", both(valid, ":all"), seen(valid),
                f"{epoch_of(name, valid)}, {epoch_of(name, legacy)}" if legacy else "", setting_of(lab, data, name)[1])
        first = train(lab, data, wanted(lab, METHODS)[0], False)
        left = first["excluded"]
        print(f"\n{first['metrics']['hr@10']['n']} users; {left['no_target']:.0f} left out with one interaction; {left['unseen_targets']:.0f} targets are items "
              f"that nobody has in training; {left['tied_times']:.0f} users had another item at the time of the target; {left['dropped_candidates']:.0f} "
              "repeated candidates dropped.\n")


def ties(lab):
    """Table 2's validation-selected runs by the rule for tied targets. Items that nobody has in training all score alike, and many targets of Amazon music are such."""
    for data in sets(lab, ("ml-100k", "amazon-music")):
        print(f"### {data}\n")
        head("HR@10 / NDCG@10", "expected place among the tied", "first", "last", "users with a tied target", "published")
        for name in wanted(lab, METHODS):
            run = train(lab, data, name, False)
            rules = [lab.ask("evaluate", run["run"], "--ties", rule, "--candidates", "sampled") for rule in ("expected", "optimistic", "pessimistic")]
            row(name, *[both(r) for r in rules], f"{100 * rules[0]['excluded']['tied_share']:.1f} %", pair(PUBLISHED[name][COLUMN[data]]) if name in PUBLISHED else "")
        print()


def widths(lab):
    """DMF-2 by the width of its first layers, and at the third width by the learning rate too; validation-selected, with the median time of an epoch beside the
    widest's."""
    settings = [(width, "1e-4") for width in WIDTHS] + [(WIDTHS[2], rate) for rate in ("3e-4", "1e-3")]
    for data in sets(lab, ("ml-100k",)):
        print(f"### {data}\n")
        head("first layers, users' and items'", "rate", "loss", "HR@10 / NDCG@10", "on validation", "epochs", "an epoch's time beside the widest's")
        for loss in ("nce", "ce"):
            widest = None
            for (users, items), rate in settings:
                first = [units.split(",")[0] for units in (users, items)]
                run = lab.train("-".join(["widths", data, loss, *first, rate]), "dmf", "--preset", loss, "--set", f"lr={rate}", *STOP, *widths_of(users, items),
                                "--refit", *protocol(lab, data), epochs=length(lab, 40))
                seconds = statistics.median(e["seconds"] for e in lab.curve(run))
                widest = widest or seconds
                row(", ".join(first), rate, loss, both(run), both(run, part="validation"), epoch_of(loss, run), f"{seconds / widest:.2f}")
        print()


def table3(lab):
    """LFM-nce, whose input is random, against DMF-1-nce, whose input is the matrix; and the matrix without its ratings."""
    for data in sets(lab, ("ml-100k", "ml-1m", "amazon-music")):
        print(f"### {data}\n")
        head("HR@10 / NDCG@10", "validation-selected", "legacy: epoch chosen on the test set", "published")
        for name, model, settings in (("lfm-nce", "lfm", ["--preset", "nce"]), ("dmf-1-nce", "dmf", ["--preset", "nce", "--set", "depth=1"]),
                                      ("dmf-1-nce-binary", "dmf", ["--preset", "nce", "--set", "depth=1", "--set", "input=binary"])):
            runs = [lab.train(f"table3-{data}-{name}{suffix(lab, legacy)}", model, *settings, *STOP, *chosen_on(lab, legacy), *protocol(lab, data),
                              epochs=length(lab, 40)) for legacy in (False, True)]
            row(name, *[both(r) for r in runs], pair(TABLE3[name][COLUMN[data]]) if name in TABLE3 else "")
        print()


def swept(lab, name, data, grid, legacy, *more):
    """The runs of one of the model's own grids, in its order: each setting's values, and its document on the test part."""
    how = ["--legacy-test-selection", "--refit"] if legacy else []    # a refit would be the winner's alone
    sweep = lab.sweep(f"{name}-{data}{'-legacy' if legacy else ''}", "dmf", "--preset", "nce", "--preset-grid", grid, "--metric", "ndcg@10", "--keep", "--jobs",
                      str(lab.options.jobs), "--epochs", str(length(lab, 40)), *how, *more, *protocol(lab, data))
    seed = sweep["seeds"][0]
    runs = [os.path.join(sweep["folder"], "runs", f"{i + 1:05d}-seed{seed}") for i in range(len(sweep["settings"]))]
    return [(s["setting"], run, lab.ask("evaluate", run)) for s, run in zip(sweep["settings"], runs)]


def by_setting(lab, name, grid, varied, published):
    for data in sets(lab, ("ml-100k", "ml-1m", "amazon-music")):
        print(f"### {data}\n")
        head(f"HR@10 / NDCG@10 by {varied}", "validation-selected", "legacy: epoch chosen on the test set", "published")
        for valid, legacy in zip(*[swept(lab, name, data, grid, legacy, *STOP) for legacy in (False, True)]):
            row(valid[0][varied], both(valid[2]), both(legacy[2]), pair(published[valid[0][varied]][COLUMN[data]]))
        print()


def table4(lab):
    """DMF-2-nce with 128 factors by negatives an interaction. Every setting is read on the test part, none is chosen there; validation-selected runs are not refitted."""
    by_setting(lab, "table4", "table-4", "negatives", TABLE4)


def table5(lab):
    """DMF-2-nce with one negative by factors of the last layer. Every setting is read on the test part, none is chosen there; validation-selected runs are not refitted."""
    by_setting(lab, "table5", "table-5", "factors", TABLE5)


def figure2(lab):
    """DMF-1, -2 and -3 by epoch, on the test part as the paper has it (so under legacy selection); a report with the curves stands in RUNS."""
    for data in sets(lab, ("ml-100k", "ml-1m")):
        runs = swept(lab, "figure2", data, "figure-2", True)
        report = os.path.join(lab.options.runs, f"figure2-{data}.html")
        lab.ask("compare", *[run for _, run, _ in runs], "--report", report)
        curves = [lab.curve({"run": run}) for _, run, _ in runs]
        print(f"### {data} (curves: {os.path.basename(report)})\n")
        head("HR@10 / NDCG@10 after epoch", *[f"DMF-{s['depth']}" for s, _, _ in runs])
        epochs = len(curves[0])
        for epoch in sorted({1, 2, 3, 5, 10, 15, 20, 30, 40, epochs}):
            if epoch <= epochs:
                row(epoch, *["{hr@10:.3f} / {ndcg@10:.3f}".format(**c[epoch - 1]["metrics"]) if epoch <= len(c) else "" for c in curves])
        print()


# On ml-1m-ncf, HR@10 / NDCG@10 of independent versions, nothing chosen on the test set.
ANCHORS = {"ease": (.719, .449), "slim": (.716, .447), "wrmf": (.711, .438), "eals": (.711, .438), "neumf": (.709, .435), "mult-dae": (.714, .435)}


def anchors(lab):
    """Clean anchors on ml-1m-ncf: settings and epochs chosen on validation, the published negatives, the distance from an independent version's figures."""
    head("ml-1m-ncf", "HR@10 / NDCG@10", "independent version", "apart", "all items", "setting")
    for name in wanted(lab, ANCHORS):
        run = train(lab, "ml-1m-ncf", name, False)
        apart = (value(run, "hr@10") - ANCHORS[name][0], value(run, "ndcg@10") - ANCHORS[name][1])
        row(name, both(run), pair(ANCHORS[name]), f"{apart[0]:+.3f} / {apart[1]:+.3f}", both(run, ":all"), setting_of(lab, "ml-1m-ncf", name)[1])
    print()


if __name__ == "__main__":
    main(__doc__, (table2, ties, widths, table3, table4, table5, figure2, anchors), THREADS, JOBS,
         ("--sets", {"help": f"these alone, with commas: {', '.join(SETS)}"}),
         ("--models", {"help": f"table2, ties, anchors: these alone, with commas: {', '.join(METHODS)}"}),
         ("--epochs", {"type": int, "help": "instead of each model's: for a quick look"}),
         ("--no-refit", {"action": "store_true", "help": "validation-selected runs are not trained once more on train + validation"}))
