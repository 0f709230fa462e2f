#!/usr/bin/python3
"""What a training step of `dae` costs under each loss of the MIL paper, beside the multinomial loss: batches of 100, 200 hidden units, in turns.

    bench/losses.py                     # on the CPU: the whole shape of ML-20M (136,677 users, 20,108 items, 9,990,030 interactions), synthetic
    bench/losses.py --device lavapipe   # an eighth of its users, items and so of its interactions a user: software Vulkan is slow
    bench/losses.py --device vulkan     # a GPU: the whole shape

Pair-wise losses are left out: their cost grows with a user's items times the target set's. --shape USERS,ITEMS,INTERACTIONS names another size.
"""
import argparse
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "peers"))

import common  # noqa: E402  (the folder must be known first)

WHOLE, EIGHTH = "136677,20108,9990030", "17085,2514,156098"
LOSSES = {
    "multinomial": ["loss=multinomial", "activation=tanh-lin"],
    "MIL": ["loss=mil"],
    "cross-entropy": ["loss=cross-entropy"],
    "cross-entropy, target sets of 5 mean profiles": ["loss=cross-entropy", "target=mean", "target_factor=5"],
    "square": ["loss=square"],
}


def place(options, env):
    """The device's name for pumice, its environment, and the size that suits it."""
    if options.device != "lavapipe":
        return options.device, env, WHOLE
    found = glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json")
    if not found:
        sys.exit("there is no lavapipe here (Debian: apt install mesa-vulkan-drivers)")
    return "vulkan", dict(env, VK_ICD_FILENAMES=found[0], VK_DRIVER_FILES=found[0]), EIGHTH


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--device", default="cpu", help="cpu, vulkan, vulkan:N, lavapipe (default: cpu)")
    parser.add_argument("--shape", metavar="U,I,N")
    parser.add_argument("--turns", type=int, default=10, help="of which the first does not count (default: 10)")
    parser.add_argument("--steps", type=int, default=10, help="a turn (default: 10)")
    options = parser.parse_args()
    env = common.environment(options.threads)
    common.restart_in(env)
    device, env, data = place(options, env)
    data = options.shape or data
    sides = {name: common.Contender(name, [common.stepper(options), device, data, "dae", "batch=100", "latent=200", *settings], env)
             for name, settings in LOSSES.items()}
    others, times = common.Others(), {name: [] for name in sides}
    for turn in range(options.turns):
        for name, side in sides.items():
            answer = side.ask(f"steps {options.steps}")
            if turn:
                times[name].append(sum(c["seconds"] for c in answer) / sum(c["steps"] for c in answer))
    for side in sides.values():
        side.close()
    base = common.median(times["multinomial"])
    common.head(f"{options.device}, {data}", "ms a step, median", "times the multinomial's")
    for name, t in times.items():
        common.row(name, f"{1000 * common.median(t):.2f}", f"{common.median(t) / base:.2f}")
    print(f"\n- {others.line()}\n- {common.machine(options.threads)}")


if __name__ == "__main__":
    main()
