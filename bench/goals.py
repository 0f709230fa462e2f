#!/usr/bin/python3
"""Measures what Pumice's goals of speed name, as far as this machine can, and prints the table of goals.

    bench/goals.py                                  # all of it: about ten minutes on two cores
    bench/goals.py step train --results goals.json  # some parts, kept; the table shows all that the file has
    bench/goals.py --quick                          # small sizes: shows that everything runs; the figures mean nothing

Parts: torch, tuned (peers/torch_mult_vae.py), step (a training step op by op, beside OpenBLAS on its products), eval and ranking (`pumice bench eval`), train (the
memory of `pumice train`), drivers (matmul shaders on the software Vulkan drivers), work (step time against batch, interactions, items),
start (time to the first step), gpu (a Vulkan device that is no software, where there is one). Each figure is a ratio of medians taken in turns in
one run; sizes are Mult-VAE's on ML-20M, data synthetic. Needs NumPy and SciPy, and PyTorch for the part torch.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "peers"))

import common  # noqa: E402  (the folder must be known first)
import sgemm  # noqa: E402

MODEL = ["mult-vae", "anneal_steps=200000"]
USERS, ITEMS, PER_USER = 27335, 20108, 73    # a fifth of ML-20M's users: what a step costs does not depend on how many there are
DISTURBED = 0.05    # share of the machine that other work took
MATMULS = ("tile", "block", "plain")


def stepper(options, env, data, device="cpu", settings=()):
    return common.Contender(f"stepper on {data}", [common.stepper(options), device, data, *MODEL, *settings], env)


def shape(options, users=USERS, items=ITEMS, interactions=USERS * PER_USER):
    """Of the generator: ML-20M's, or a small one that keeps its proportions."""
    scale = 20 if options.quick else 1
    return f"{users // scale},{items // scale},{interactions // scale // scale}"


def seconds_a_step(answer):
    return sum(c["seconds"] for c in answer) / sum(c["steps"] for c in answer)


# ---- parts: each gives figures by name -----------------------------------------------------------------------------------

def torch_ratios(options, device, only=()):
    with tempfile.NamedTemporaryFile(suffix=".json") as f:
        command = [sys.executable, os.path.join(HERE, "peers", "torch_mult_vae.py"), "--build", options.build, "--threads", str(options.threads),
                   "--cache", options.cache, "--device", device, "--json", f.name]
        command += ["--preset", "small", "--steps", "4", "--chunk", "2"] if options.quick else []
        command += ["--only", ",".join(only)] if only else []
        done = subprocess.run(command + ["--any-blas"] * options.any_blas, stdout=subprocess.PIPE, check=False, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"torch_mult_vae.py ended with {done.returncode}")
        return {name: figures["ratio"] for name, figures in json.load(f).items()}


def part_torch(options, _env):
    return torch_ratios(options, "cpu", ["dense", "sparse", "bag"])


def part_tuned(options, _env):
    return torch_ratios(options, "cpu", ["dense+tuned", "sparse+tuned", "bag+tuned"])


def openblas_of(ops):
    """A timed sgemm for each size of product among the ops of a profile."""
    sizes = {(o["m"], o["k"], o["n"], o["ta"], o["tb"]) for o in ops if "m" in o}
    return {size: sgemm.OpenBlas(size) for size in sizes}


def size_of(op):
    return (op["m"], op["k"], op["n"], op["ta"], op["tb"])


def part_step(options, env):
    """A step by ops, beside threaded OpenBLAS on each of its products, in turns."""
    s = stepper(options, env, shape(options))
    s.ask("steps 3")
    ops = s.ask("profile")["ops"]
    rivals = openblas_of(ops)
    for rival in rivals.values():
        rival.seconds()
    turns = []
    for _ in range(3 if options.quick else 12):
        s.ask("steps 3")
        profile = s.ask("profile")
        blas = {size: common.median([rival.seconds() for _ in range(3)]) for size, rival in rivals.items()}
        products = [o for o in profile["ops"] if "m" in o]
        pure = [o for o in products if "adam" not in o["op"]]
        turns.append({
            "step": profile["step"],
            "host": profile["host"],
            "pure": sum(o["seconds"] for o in pure),
            "pure_blas": sum(blas[size_of(o)] for o in pure),
            "products": sum(o["seconds"] for o in products),
            "blas": sum(blas[size_of(o)] for o in products),
        })
    blas = common.loaded_blas()
    common.require_blas(blas, "NumPy", options.any_blas)
    s.close()
    t = {name: common.median([turn[name] for turn in turns]) for name in turns[0]}
    return {
        "step": t["step"],
        "matmul_share": t["pure_blas"] / t["pure"],
        "product_share": t["blas"] / t["products"],    # with the Adam of matmul_adam
        "beside_products": (t["step"] - t["products"]) / t["blas"],
        "beside_blas": (t["step"] - t["blas"]) / t["blas"],
        "host_share": t["host"] / t["step"],
        "blas": blas["name"],
        "arena": s.about["arena"] / s.about["arena_bound"],
    }


def part_eval(options, env):
    """10,000 users' scores, lists of 100 and metrics, training on as many and OpenBLAS on the products, in turns: `pumice bench eval`."""
    command = [common.pumice(options), "bench", "eval", "--model", "mult-vae", "--preset", "small" if options.quick else "ml-20m", "--device", "cpu",
               "--threads", str(options.threads), "--seconds", "0.1" if options.quick else "15", "--json", "--quiet"]
    model = common.run_json(command, env)["models"][0]
    return {"evaluation_to_training": model["per_training"], "evaluation_to_blas": model["per_product_ceiling"], "users": model["users"]}


# Every metric of top lists, at the cut-offs of the papers.
LIST_METRICS = ",".join(["rprecision@50", "ndcg_full@50", "map_precision@5", "map_precision@50", "precision@5", "precision@50", "recall@5", "recall@50",
                         "f1@5", "f1@10", "f1@20", "f1@50", "ndcg@100", "recall_capped@20", "recall_capped@50", "map@100", "novelty_map@100", "mrr@100",
                         "hr@10", "coverage@100", "gini@100", "tail_short@100", "tail_medium@100", "tail_long@100"])


def part_ranking(options, env):
    """All metrics of top lists for 100,000 users and 20,000 items, by a model whose epoch is short: `pumice bench eval`."""
    users, items, interactions = (2000, 800, 60000) if options.quick else (100000, 20000, 10000000)
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data.csv")
        made = [common.pumice(options), "data", "synth", "--users", str(users), "--items", str(items), "--interactions", str(interactions), "-o", data]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, env=env)
        command = [common.pumice(options), "bench", "eval", "--model", "mult-dae", "--hidden", "none", "--latent", "100", "--data", data, "--protocol",
                   "user-temporal", "--metrics", LIST_METRICS, "--device", "cpu", "--threads", str(options.threads), "--seconds",
                   "0.1" if options.quick else "10", "--json", "--quiet"]
        model = common.run_json(command, env)["models"][0]
    return {"users": model["users"], "items": model["items"], "evaluation_to_training": model["per_training"],
            "metrics_to_training": model["metric_seconds"] / model["training_seconds"]}


def part_train(options, env):
    """What `pumice train` says of memory after an epoch on ML-20M's shape."""
    command = [common.pumice(options), "train", "mult-vae", "--preset", "paper-ml-20m", "--synth", "small" if options.quick else "ml-20m", "--epochs", "1",
               "--device", "cpu", "--threads", str(options.threads), "--json", "--quiet"]
    return {"peak_memory": common.run_json(command, env)["peak_device_memory"]}


def software_drivers():
    found = {"lavapipe": glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json"), "SwiftShader": glob.glob("/usr/lib/chromium*/vk_swiftshader_icd.json")}
    return {name: files[0] for name, files in found.items() if files}


def on_driver(env, manifest, **more):
    return dict(env, VK_ICD_FILENAMES=manifest, VK_DRIVER_FILES=manifest, **more)


def part_drivers(options, env):
    """GFLOP/s over the three products at an eighth of their lengths, of each matmul shader and of what is chosen untold, in turns."""
    result = {}
    for driver, manifest in software_drivers().items():
        rates = {variant: [] for variant in MATMULS + ("chosen",)}
        for _ in range(1 if options.quick else 3):
            for variant, here in rates.items():
                env_here = on_driver(env, manifest, **({} if variant == "chosen" else {"PUMICE_VK_MATMUL": variant}))
                rows = common.bench_ops(options, env_here, "matmul", "vulkan", 0.05 if options.quick else 0.7, quick=True)
                rows = [rows[label] for label in sgemm.SHAPES]
                here.append(sum(r["flops"] for r in rows) / sum(r["seconds"] for r in rows) / 1e9)
        result[driver] = {variant: common.median(here) for variant, here in rates.items()}
    return result


def against_work(options, env, cases):
    """Median seconds a step of three sizes, taken in turns."""
    contenders = [stepper(options, env, data, settings=settings) for data, settings in cases]
    times = [[] for _ in cases]
    for turn in range(3 if options.quick else 10):
        for c, t in zip(contenders, times):
            took = seconds_a_step(c.ask("steps 2"))
            if turn:
                t.append(took)
    for c in contenders:
        c.close()
    return [common.median(t) for t in times]


def part_work(options, env):
    whole = USERS * PER_USER
    return {
        "batch": against_work(options, env, [(shape(options), [f"batch={b}"]) for b in (250, 500, 1000)]),
        "interactions": against_work(options, env, [(shape(options, interactions=n), []) for n in (2 * whole, 4 * whole, 8 * whole)]),
        "items": against_work(options, env, [(shape(options, items=n), []) for n in (ITEMS // 2, ITEMS, 2 * ITEMS)]),
    }


def part_start(options, env):
    """From opening the device to the end of the first step, the pipeline cache being warm; a step itself taken off."""
    result = {}
    places = [("cpu", "cpu", env)] + [(d, "vulkan", on_driver(env, m)) for d, m in software_drivers().items()]
    for name, device, env_here in places:
        with tempfile.TemporaryDirectory() as cache:
            times = []
            for _ in range(2 if options.quick else 6):
                s = stepper(options, dict(env_here, XDG_CACHE_HOME=cache), "2000,800,60000", device)
                first = seconds_a_step(s.ask("steps 1"))
                later = common.median([seconds_a_step(s.ask("steps 1")) for _ in range(3)])
                times.append(s.about["open_seconds"] + s.about["prepare_seconds"] + max(0.0, first - later))
                s.close()
            result[name] = {"cold": times[0], "warm": common.median(times[1:])}
    return result


def part_gpu(options, env):
    """Nothing without a GPU. With one: shares of this device's ceilings as `pumice bench` reports them, and PyTorch on CUDA."""
    devices = common.run_json([common.pumice(options), "devices", "--json"], env)["devices"]
    gpus = [d for d in devices if d["backend"] == "vulkan" and d["type"] not in ("software", "cpu")]
    if not gpus:
        return {}
    device, shares = gpus[0]["id"], {}
    for op in ("matmul", "loss_multinomial", "loss_mil", "adam", "spmm", "top_k"):
        rows = common.bench_ops(options, env, op, device, quick=options.quick)
        shares[op] = min(row.get("share") or 0 for row in rows.values())
    result = {"device": gpus[0]["name"], "shares": shares}
    if sgemm.has_cuda():
        here = argparse.Namespace(**dict(vars(options), device=device, rounds=3, seconds=0.3))
        _, times = sgemm.compare(here, env)
        result["cublas"] = sum(t[1] for t in times.values()) / sum(t[2] for t in times.values())
        result["torch"] = torch_ratios(options, device)
    return result


# ---- the table -----------------------------------------------------------------------------------------------------------

def ratios(times):
    return " : ".join(f"{t / times[1]:.2f}" for t in times)


def bend(times):
    """How far the middle lies from the line through the ends, where sizes go 1, 2, 4."""
    line = times[0] + (times[2] - times[0]) / 3
    return abs(times[1] / line - 1)


def verdict(met):
    return {True: "met", False: "not met", None: "not measured"}[met]


def torch_rows(r):
    t, tuned = r.get("torch"), r.get("tuned")
    dense, sparse = t and t["torch dense"], t and min(t["torch sparse"], t["torch bag"])
    dense_text, sparse_text = t and f"{dense:.2f}", t and f"{sparse:.2f}"
    if t and tuned:
        dense_text += f" (in its tuned environment: {tuned['torch dense+tuned']:.2f})"
        sparse_text += f" (in its tuned environment: {min(tuned['torch sparse+tuned'], tuned['torch bag+tuned']):.2f})"
    yield "CPU step against PyTorch, dense input", "≥ 3 times as fast", dense_text, t and dense >= 3
    yield "CPU step against PyTorch, sparse input, the faster of two ways", "≥ 2.5 times as fast", sparse_text, t and sparse >= 2.5


def step_rows(r):
    s = r.get("step")
    yield ("CPU matmul inside the step, share of threaded OpenBLAS", "≥ 0.90",
           s and f"{s['matmul_share']:.2f}; with products that update by Adam in the same pass {s['product_share']:.2f}", s and s["matmul_share"] >= 0.9)
    yield ("CPU, a step less what its matmuls take OpenBLAS, against that", "≤ 0.5",
           s and f"{s['beside_blas']:.2f}; ops that are no products {s['beside_products']:.2f}", s and s["beside_blas"] <= 0.5)
    yield "host work in a step while replaying (cpu)", "< 2 %", s and f"{100 * s['host_share']:.3f} %", s and s["host_share"] < 0.02
    yield "planned arena, against the lifetime lower bound", "≤ 1.10", s and f"{s['arena']:.3f}", s and s["arena"] <= 1.1


def eval_rows(r):
    e = r.get("eval")
    yield ("evaluation of N users, against an epoch on N users", "< 1", e and f"{e['evaluation_to_training']:.2f}",
           e and e["evaluation_to_training"] < 1)
    yield "the same, against its matmuls at OpenBLAS's speed", "≤ 1.5", e and f"{e['evaluation_to_blas']:.2f}", e and e["evaluation_to_blas"] <= 1.5


def ranking_rows(r):
    e = r.get("ranking")
    what = f"all metrics of top lists, {e['users']:,} users, {e['items']:,} items, one hidden layer of 100" if e else "all metrics of top lists"
    yield f"{what}: evaluation, against an epoch", "≤ 1", e and f"{e['evaluation_to_training']:.2f}", e and e["evaluation_to_training"] <= 1
    yield "the same, lists read back and metrics alone", "≤ 1", e and f"{e['metrics_to_training']:.4f}", e and e["metrics_to_training"] <= 1


def train_rows(r):
    t = r.get("train")
    yield "peak device memory, ML-20M's shape, `pumice train`", "≤ 1.0 GB", t and f"{t['peak_memory'] / 1e9:.2f} GB", t and t["peak_memory"] <= 1e9


def driver_rows(r):
    for driver in ("lavapipe", "SwiftShader"):
        d = r.get("drivers", {}).get(driver)
        text = d and ", ".join(f"{variant} {d[variant]:.2f}" for variant in MATMULS + ("chosen",)) + " GFLOP/s"
        yield (f"matmul on {driver}, an eighth of the lengths", "the chosen as fast as the fastest", text,
               d and d["chosen"] >= 0.9 * max(d[variant] for variant in MATMULS))


def work_rows(r):
    for what in ("batch", "interactions", "items"):
        times = r.get("work", {}).get(what)
        yield (f"step time at 1 : 2 : 4 times the {what}", "linear", times and f"{ratios(times)}; the middle is {100 * bend(times):.1f} % off the line",
               times and bend(times) <= 0.1)


def start_rows(r):
    s = r.get("start")
    text = s and "; ".join(f"{name} {t['warm']:.2f} s (cold {t['cold']:.2f})" for name, t in s.items() if name != "others")
    yield "device open to first step, warm cache", "≤ 1 s", text, s and all(t["warm"] <= 1 for name, t in s.items() if name != "others")


def gpu_rows(r):
    gpu = r.get("gpu", {})
    shares, cublas, torch = gpu.get("shares", {}), gpu.get("cublas"), gpu.get("torch", {})
    memory = {op: share for op, share in shares.items() if op != "matmul"}
    if cublas:
        yield "Vulkan on a GPU: fp32 matmul, share of cuBLAS", "≥ 0.80", f"{cublas:.2f}", cublas >= 0.8
    else:
        yield ("Vulkan on a GPU: fp32 matmul, share of peak FMA", "≥ 0.70 (of cuBLAS ≥ 0.80)", shares and f"{shares['matmul']:.2f}",
               shares and shares["matmul"] >= 0.7)
    yield ("Vulkan on a GPU: memory-bound ops, share of copy bandwidth", "≥ 0.85", ", ".join(f"{op} {share:.2f}" for op, share in memory.items()),
           all(share >= 0.85 for share in memory.values()))
    ahead = {name: ratio for name, ratio in torch.items() if name != "pumice"}
    yield ("Vulkan on a GPU: step against PyTorch on CUDA", "faster", ", ".join(f"{name} {ratio:.2f}" for name, ratio in ahead.items()),
           all(ratio > 1 for ratio in ahead.values()))


def print_table(results):
    common.head("what", "goal", "measured", "")
    for rows in (torch_rows, step_rows, eval_rows, ranking_rows, train_rows, gpu_rows, driver_rows, work_rows, start_rows):
        for what, goal, text, met in rows(results):
            common.row(what, goal, text or "", verdict(bool(met) if text else None))
    print()


def measure(part, options, env):
    """The least disturbed of at most --tries."""
    best = None
    for _ in range(options.tries):
        others = common.Others()
        figures = part(options, env)
        figures["others"] = others.share()
        if best is None or figures["others"] < best["others"]:
            best = figures
        if best["others"] <= DISTURBED:
            break
    return best


def main():
    parts = {name[5:]: f for name, f in globals().items() if name.startswith("part_")}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(parts))
    parser.add_argument("--results", metavar="FILE", help="keeps the figures there, the less disturbed of old and new, and joins those it has")
    parser.add_argument("--tries", type=int, default=2, help="measures of a part that other work disturbs (default: 2)")
    parser.add_argument("--quick", action="store_true", help="small sizes: the figures mean nothing")
    options = parser.parse_args()
    for part in options.parts:
        if part not in parts:
            sys.exit(f"no part {part}; there are {', '.join(parts)}")
    env = common.environment(options.threads)
    common.restart_in(env)
    results = {}
    if options.results and os.path.exists(options.results):
        with open(options.results, encoding="utf-8") as f:
            results = json.load(f)
    for part in options.parts or parts:
        common.note(f"part {part}")
        try:
            measured = measure(parts[part], options, env)
            if measured["others"] <= results.get(part, measured)["others"]:
                results[part] = measured
        except (RuntimeError, ImportError) as problem:
            common.note(f"{part} was not measured: {problem}")
        if options.results:
            with open(options.results, "w", encoding="utf-8") as f:
                json.dump(results, f, indent=1)
    print_table(results)
    if options.quick:
        print("- quick sizes: these figures and verdicts mean nothing")
    disturbed = [f"{part} {100 * figures['others']:.0f} %" for part, figures in results.items() if figures["others"] > DISTURBED]
    if disturbed:
        print("- other work took a share of the machine, so repeat these when nothing else runs: " + ", ".join(disturbed))
    print(f"- {common.machine(options.threads)}")


if __name__ == "__main__":
    main()
