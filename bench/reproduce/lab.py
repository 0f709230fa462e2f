"""What the reproductions share: runs that are kept and not repeated, and Markdown tables."""
import argparse
import json
import os
import subprocess
import sys


class Lab:
    """A folder of runs. options: pumice, data, runs, device, epochs."""

    def __init__(self, options):
        self.options = options
        os.makedirs(options.runs, exist_ok=True)

    def train(self, name, model, *arguments, device=None, epochs=None):
        """The result document of a run, trained now or found from before. epochs: None, the option; 0, the model's own."""
        run = os.path.join(self.options.runs, name)
        document = os.path.join(self.options.runs, name + ".json")
        if not os.path.exists(document):
            command = [self.options.pumice, "train", model, "-o", run, "--json", "--quiet", *arguments]
            command += ["--device", device or self.options.device]
            epochs = self.options.epochs if epochs is None else epochs
            if model != "item-pop" and epochs:
                command += ["--epochs", str(epochs)]
            if os.path.exists(run):
                command = [self.options.pumice, "train", "--resume", run, "--json", "--quiet"]
            self.run(name, command, document)
        result = self.read(document)
        result["run"] = run
        return result

    def sweep(self, name, model, *arguments):
        """The document of a sweep; one that was interrupted goes on."""
        folder = os.path.join(self.options.runs, name)
        document = folder + ".json"
        if not os.path.exists(document):
            self.run(name, [self.options.pumice, "sweep", model, "-o", folder, "--json", "--quiet", "--device", self.options.device, *arguments], document)
        result = self.read(document)
        result["folder"] = folder
        return result

    def ask(self, command, *arguments):
        """The document of a command that keeps nothing."""
        finished = subprocess.run([self.options.pumice, command, *arguments, "--json", "--quiet", "--device", self.options.device], stdout=subprocess.PIPE,
                                  check=True)
        return json.loads(finished.stdout)

    def run(self, name, command, document):
        print("#", " ".join(command), file=sys.stderr, flush=True)
        finished = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if finished.returncode != 0:
            sys.exit(f"{name}: pumice ended with {finished.returncode}")
        with open(document, "wb") as f:
            f.write(finished.stdout)

    def read(self, document):
        with open(document, encoding="utf-8") as f:
            return json.load(f)

    def curve(self, result):
        with open(os.path.join(result["run"], "metrics.jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]


def value(result, metric, part="metrics"):
    return result[part][metric]["mean"]


def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |")


def head(*cells):
    row(*cells)
    row(*["---"] * len(cells))


def pm(result, metric):
    m = result["metrics"][metric]
    return f"{m['mean']:.4f} ± {m['ci95']:.4f}"


THREADS = ("--threads", {"type": int, "default": 0})
JOBS = ("--jobs", {"type": int, "default": os.cpu_count()})


def main(description, functions, *options):
    """A script's command line, with options of its own. Runs the named functions, all without names, each under its name and what it says of itself."""
    steps = {f.__name__: f for f in functions}
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="step", help=", ".join(steps))
    parser.add_argument("--data", required=True)
    parser.add_argument("--runs", required=True)
    parser.add_argument("--pumice", default="build/pumice")
    parser.add_argument("--device", default="cpu")
    parser.set_defaults(epochs=None)
    for name, settings in options:
        parser.add_argument(name, **settings)
    asked = parser.parse_args()
    for step in asked.steps or steps:
        if step not in steps:
            sys.exit(f"no step {step}; there are {', '.join(steps)}")
    lab = Lab(asked)
    for step in asked.steps or steps:
        print(f"## {step}\n\n{steps[step].__doc__}\n")
        steps[step](lab)
        sys.stdout.flush()
