#!/usr/bin/python3
"""NS-AutoRec beside NCE-AutoRec, an epoch each: what negative sampling costs, for three numbers of negatives.

    bench/peers/negatives.py [--quick]      # --quick: small sizes: shows that everything runs

The two-headed AutoRec paper trains NCE-AutoRec about ten times as fast as NS-AutoRec, whose negatives it draws one by one. Here the two train the same
network on the same data, of MovieLens-1M's shape (200 hidden units, batches of 500, mode joint), in turns. Beside them what NumPy takes to draw the
negatives of a batch: one by one, as the paper has it (Generator.choice and bincount, a user at a time), and as multinomial counts
(Generator.multinomial). An epoch with those draws is NCE-AutoRec's, and that much more. All times are processor time, on one thread unless --threads
says otherwise, so that other work on the machine disturbs them little.
"""
import argparse
import os
import time

import common

NEGATIVES = (500, 50000, 500000)
SHAPE = (6040, 3706, 500000)    # users, items, interactions
BATCH = 500


def processor_seconds(contender):
    """What the process has used so far, all its threads."""
    with open(f"/proc/{contender.process.pid}/stat", encoding="utf-8") as f:
        user, system = f.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def take_turn(contender, steps):
    before = processor_seconds(contender)
    contender.ask(f"steps {steps}")
    return (processor_seconds(contender) - before) / steps


def contender(options, env, shape, name, *settings):
    data = ",".join(str(n) for n in shape)
    return common.Contender(name, [common.stepper(options), "cpu", data, name, "mode=joint", f"batch={BATCH}", *settings], env)


def numpy_draws(shape, users):
    """Functions that draw n negatives for so many users, by a popularity like Zipf's."""
    import numpy
    rng = numpy.random.default_rng(1)
    popularity = 1 / numpy.arange(1, shape[1] + 1)
    popularity /= popularity.sum()

    def one_by_one(n):
        for _ in range(users):
            numpy.bincount(rng.choice(shape[1], size=n, p=popularity), minlength=shape[1])

    return one_by_one, lambda n: rng.multinomial(n, popularity, size=users)


def timed(call, n, users):
    start = time.process_time()
    call(n)
    return (time.process_time() - start) * BATCH / users


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.set_defaults(threads=1)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    options = parser.parse_args()
    env = common.begin(options)
    others = common.Others()
    shape = (1000, 300, 20000) if options.quick else SHAPE
    turns, steps = (1, 60) if options.quick else (options.turns, 6)
    nce = contender(options, env, shape, "nce-autorec")
    sampled = {n: contender(options, env, shape, "ns-autorec", f"negatives={n}") for n in NEGATIVES}
    drawn = 1 if options.quick else 10    # users whose draws are timed, for a batch of 500
    one_by_one, multinomial = numpy_draws(shape, drawn)
    base, times, single, counts = [], *({n: [] for n in NEGATIVES} for _ in range(3))
    for turn in range(turns + 1):
        took = take_turn(nce, steps)
        mine = {n: take_turn(c, steps) for n, c in sampled.items()}
        if turn == 0:
            continue    # first turns touch memory
        base.append(took)
        for n in NEGATIVES:
            times[n].append(mine[n])
            counts[n].append(timed(multinomial, n, drawn))
            if len(single[n]) < 3:
                single[n].append(timed(one_by_one, n, drawn))
    for c in (nce, *sampled.values()):
        c.close()
    own = max(common.median(base), 1e-6)    # the clock ticks in hundredths of a second
    common.head("negatives a user", "an epoch of NS-AutoRec over one of NCE-AutoRec", "drawn by NumPy, multinomial counts", "drawn by NumPy, one by one")
    for n in NEGATIVES:
        common.row(f"{n:,}", f"{common.median(times[n]) / own:.2f}", f"{1 + common.median(counts[n]) / own:.2f}", f"{1 + common.median(single[n]) / own:.2f}")
    print(f"\n- NCE-AutoRec: {1e3 * own:.0f} ms of processor time a step, {-(-shape[0] // BATCH)} steps an epoch\n- {common.machine(options.threads)}\n- {others.line()}")


if __name__ == "__main__":
    main()
