"""What the scripts of bench/ share: contenders as processes that take turns, the BLAS in use, the machine, tables."""
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def median(values):
    return statistics.median(values)


# ---- threads, BLAS and machine -----------------------------------------------------------------------------------------

def cores():
    return len(os.sched_getaffinity(0))


def cpu_field(field):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith(field):
                return line.split(":", 1)[1].strip()
    return "unknown"


def best_core_type():
    """OpenBLAS 0.3.21 takes a processor it does not know for an older one: where there is AVX-512, SkylakeX is the fastest."""
    return "SkylakeX" if "avx512vl" in cpu_field("flags").split() else None


def environment(threads, core_type=None):
    """The environment every contender runs in: one number of threads, one OpenBLAS core type."""
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    kind = core_type or best_core_type()
    if kind:
        env["OPENBLAS_CORETYPE"] = kind
    return env


def restart_in(env):
    """OpenBLAS reads its environment when it is loaded: begins this script anew where that differs."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE")
    if any(os.environ.get(n) != env.get(n) for n in names):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable] + sys.argv, env)


def begin(options):
    """The environment of every contender, this script's too from here on."""
    env = environment(options.threads)
    restart_in(env)
    return env


def numpy_blas(options):
    """The BLAS that NumPy computes with in this process, made sure of."""
    import numpy
    numpy.ones((64, 64), numpy.float32) @ numpy.ones((64, 64), numpy.float32)    # loads it
    blas = loaded_blas()
    require_blas(blas, "NumPy", options.any_blas)
    return blas


def loaded_blas():
    """The BLAS this process computes with: its file, and OpenBLAS's own account of its core type. Call after a product was taken."""
    import ctypes
    with open("/proc/self/maps", encoding="utf-8") as f:
        files = sorted({line.split()[-1] for line in f if re.search(r"/lib[^/]*(blas|mkl|blis)[^/]*\.so", line)})
    for file in files:
        library = ctypes.CDLL(file)
        for suffix in ("", "64_"):
            try:
                config = getattr(library, "openblas_get_config" + suffix)
                core = getattr(library, "openblas_get_corename" + suffix)
            except AttributeError:
                continue
            if "openblas" not in os.path.realpath(file).lower():
                continue    # libblas.so.3 may resolve the symbol through the library it stands for
            config.restype = core.restype = ctypes.c_char_p
            version = " ".join(config().decode().split()[:2])
            return {"file": os.path.realpath(file), "name": f"{version}, core type {core().decode()}", "fast": True}
    fast = any(re.search(r"mkl|blis", f) for f in files)
    return {"file": ", ".join(files) or "none", "name": "no OpenBLAS", "fast": fast}


REFERENCE_BLAS = """{who} computes with {file}, which is not OpenBLAS: a comparison with it would flatter Pumice.
On Debian: apt install libopenblas0-pthread, then update-alternatives --config libblas.so.3-x86_64-linux-gnu"""


def require_blas(blas, who, anyway=False):
    if blas["fast"]:
        return
    message = REFERENCE_BLAS.format(who=who, file=blas["file"])
    if not anyway:
        sys.exit(message + "\n(--any-blas compares nevertheless)")
    print("WARNING:", message, file=sys.stderr)


class Others:
    """How much of the machine other work took since this was made: what makes figures worthless. Children count once they have ended."""

    def __init__(self):
        self.busy, self.own, self.began = self.read(), sum(os.times()[:4]), time.monotonic()

    @staticmethod
    def read():
        with open("/proc/stat", encoding="utf-8") as f:
            user, nice, system, _idle, _wait, irq, soft, steal = (int(n) for n in f.readline().split()[1:9])
        return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")

    def share(self):
        taken = self.read() - self.busy - (sum(os.times()[:4]) - self.own)
        return max(0.0, taken / (time.monotonic() - self.began) / os.cpu_count())

    def line(self):
        share = self.share()
        return f"other work took {100 * share:.0f} % of the machine meanwhile" + (": repeat this when nothing else runs" if share > 0.05 else "")


def gpu_names():
    try:
        import torch
        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    except ImportError:
        return []


def machine(threads):
    """A line for under a table: what it was measured on, by what, when. No names of hosts or persons."""
    parts = [f"{cpu_field('model name')}, {cores()} cores, {threads} threads", f"Linux {platform.machine()}", f"Python {platform.python_version()}"]
    for module in ("numpy", "scipy", "torch"):
        try:
            parts.append(f"{module} {__import__(module).__version__}")
        except ImportError:
            pass
    return "; ".join(parts + gpu_names() + [datetime.date.today().isoformat()])


# ---- pumice ------------------------------------------------------------------------------------------------------------

def add_options(parser):
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="where Pumice was built (default: build)")
    parser.add_argument("--threads", type=int, default=cores(), help="of every contender (default: the cores, here %(default)s)")
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "pumice-bench"), help="where data sets are kept (default: %(default)s)")
    parser.add_argument("--any-blas", action="store_true", help="compare even where the BLAS is the slow reference one")


def pumice(options):
    path = os.path.join(options.build, "pumice")
    if not os.path.exists(path):
        sys.exit(f"there is no {path}: cmake -B build && cmake --build build, or name another folder with --build")
    return path


def stepper(options):
    path = os.path.join(options.build, "tests", "stepper")
    if not os.path.exists(path):
        sys.exit(f"there is no {path}: it is built with the tests (cmake -DPUMICE_TESTS=ON)")
    return path


def run_json(command, env, what="pumice"):
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{what} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    return json.loads(done.stdout)


def bench_ops(options, env, op, device="cpu", seconds=1.0, quick=False):
    """{name: row} of `pumice bench ops --op OP`; of several rows of a name the first, which is at the lengths of the model."""
    command = [pumice(options), "bench", "ops", "--op", op, "--device", device, "--seconds", str(seconds), "--json", "--quiet"]
    document = run_json(command + ["--quick"] * quick, env)
    rows = document["rows"] if "rows" in document else document["ops"]
    return {row["name"] if "name" in row else row["op"]: row for row in reversed(rows)}


def dataset(options, preset):
    """The data both sides read, as a SciPy .npz: written once by `pumice data synth`, rows and columns by the numbers in its ids."""
    import numpy
    import scipy.sparse
    path = os.path.join(options.cache, preset + ".npz")
    if os.path.exists(path):
        return path
    os.makedirs(options.cache, exist_ok=True)
    table = os.path.join(options.cache, preset + ".tsv")
    subprocess.run([pumice(options), "data", "synth", "--preset", preset, "--quiet", "-o", table], check=True, stdout=subprocess.DEVNULL)
    with open(table, "rb") as f:
        f.readline()
        numbers = numpy.array(f.read().translate(None, b"ui").split(), dtype=numpy.int64).reshape(-1, 4)
    user, item = numbers[:, 0] - 1, numbers[:, 1] - 1
    matrix = scipy.sparse.csr_matrix((numpy.ones(len(user), numpy.float32), (user, item)))
    matrix.sort_indices()
    scipy.sparse.save_npz(path + ".part.npz", matrix, compressed=False)
    os.replace(path + ".part.npz", path)
    os.remove(table)
    return path


# ---- taking turns ------------------------------------------------------------------------------------------------------

class Contender:
    """A process that answers lines with lines of JSON. Between its turns it waits and uses nothing."""

    def __init__(self, name, command, env):
        self.name = name
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Stepper(Contender):
    """Pumice's own training loop of one model, a few steps a turn. loss: the one that is compared."""

    def __init__(self, options, env, data, model, loss, settings):
        super().__init__("pumice", [stepper(options), options.device, data, model, *settings], env)
        self.about["blas"] = {"name": self.about["profile"], "fast": True}
        self.loss = loss

    def turn(self, count):
        seconds, losses = [], []
        for chunk in self.ask(f"steps {count}"):
            seconds += [chunk["seconds"] / chunk["steps"]] * chunk["steps"]
            losses += chunk["losses"][self.loss]
        return seconds, losses


# ---- tables ------------------------------------------------------------------------------------------------------------

def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |")


def head(*cells):
    row(*cells)
    row(*["---"] * len(cells))


def note(message):
    print("#", message, file=sys.stderr, flush=True)
