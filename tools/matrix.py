#!/usr/bin/env python3
"""Writes one ctest directory that runs the tests of several builds: tools/matrix.py OUT [--full] NAME=VALUE...

Rows come from tests/matrix.txt; NAME=VALUE gives what @NAME@ stands for there. A test of row R called T becomes R/T, with its own
properties and the row's environment. The builds must be configured (build/PRESET).
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What takes longest, begun first: begun last it would keep one core busy while the others wait. Longest first.
SLOWEST = [r"gpu-assisted/unit\.vulkan\.", r"gpu-assisted/model\.parity", r"/train\.faults\.everywhere", r"/train\.(analysis|work)\.vulkan-swiftshader",
           r"gpu-assisted/op\.parity", r"/train\.kill\.minute", r"^fuzz/fuzz\.(checkpoint|reader)", r"/model\.(parity|doctor)\.",
           r"/train\.(device|resume\.everywhere)", r"^(asan|tsan)/", r"swiftshader", r"^(gpu-assisted|validation|windows)/"]
LEAST_TIMEOUT = 900.0    # sanitizers and software drivers are slow; a test that needs more says so itself


def rows(full):
    for line in open(os.path.join(ROOT, "tests/matrix.txt"), encoding="utf-8"):
        field = line.split("#")[0].split()
        if field and (full or field[2] == "check"):
            yield field[0], field[1], field[3], field[4:]


def tests_of(build):
    out = subprocess.run(["ctest", "--test-dir", os.path.join(ROOT, "build", build), "--show-only=json-v1"],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)["tests"]


def chosen(test, pattern, full):
    properties = {p["name"]: p["value"] for p in test["properties"]}
    labels = properties.get("LABELS", [])
    if "full" in labels and not full:
        return False
    text = " ".join([test["name"], *labels])
    return not re.search(pattern[1:], text) if pattern[0] == "!" else bool(re.search(pattern, text))


def quoted(value):
    if isinstance(value, list):
        value = ";".join(str(v).replace(";", "\\;") for v in value)
    if isinstance(value, bool):
        value = "ON" if value else "OFF"
    return "[==[" + str(value) + "]==]"


def cost(name):
    """What ctest orders tests by, the highest first: seconds, very roughly, since those it has timed before and that have 0 go by their time."""
    return next((20 * (len(SLOWEST) - i) for i, pattern in enumerate(SLOWEST) if re.search(pattern, name)), 0)


def write(out, row, test, environment):
    name = row + "/" + test["name"]
    properties = {p["name"]: p["value"] for p in test["properties"]}
    own = properties.get("ENVIRONMENT", [])
    named = {e.split("=", 1)[0] for e in own}
    kept = [e.replace("?=", "=", 1) for e in environment if "?=" not in e or e.split("?=", 1)[0] not in named]
    properties["ENVIRONMENT"] = own + kept
    properties["TIMEOUT"] = max(properties.get("TIMEOUT", 0.0), LEAST_TIMEOUT)
    properties["COST"] = cost(name)
    for key in ("FIXTURES_SETUP", "FIXTURES_REQUIRED", "FIXTURES_CLEANUP", "DEPENDS"):
        if key in properties:    # names of tests and fixtures are the row's own
            properties[key] = [row + "/" + v for v in properties[key]]
    out.write("add_test(%s %s)\n" % (quoted(name), " ".join(quoted(c) for c in test["command"])))
    out.write("set_tests_properties(%s PROPERTIES %s)\n"
              % (quoted(name), " ".join(k + " " + quoted(v) for k, v in properties.items())))


def main(argv):
    full = "--full" in argv
    stands_for = dict(a.split("=", 1) for a in argv[2:] if "=" in a)
    os.makedirs(argv[1], exist_ok=True)
    cache, total = {}, 0
    with open(os.path.join(argv[1], "CTestTestfile.cmake"), "w", encoding="utf-8") as out:
        for row, build, pattern, settings in rows(full):
            environment = ["PUMICE_NEED_DEVICE=1", "OMP_WAIT_POLICY=passive"]
            environment += [re.sub(r"@(\w+)@", lambda m: stands_for[m.group(1)], s) for s in settings]
            if build not in cache:
                cache[build] = tests_of(build)
            found = [t for t in cache[build] if "command" in t and chosen(t, pattern, full)]
            for test in found:
                write(out, row, test, environment)
            print("check: %-12s %4d tests of build/%s" % (row, len(found), build))
            total += len(found)
    return 0 if total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
