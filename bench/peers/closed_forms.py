#!/usr/bin/python3
"""EASE, PureSVD and NCE-PLRec on the authors' split of MovieLens-1M, computed by NumPy and SciPy alone in double precision: what `pumice` with exact=on has
to come out at. Reads nothing of Pumice's but, where --pumice names the command, its results, and prints the largest difference.

    bench/peers/closed_forms.py --data DATA/ml-1m-nce-plrec [--pumice build/pumice] [--device cpu]

Needs NumPy and SciPy.
"""
import argparse
import json
import os
import subprocess

import numpy as np
import scipy.sparse as sp

KS = (5, 10, 15, 20, 50)


def svd(r, rank):
    """The first right singular vectors and values, by the whole eigenproblem of RᵀR."""
    values, vectors = np.linalg.eigh((r.T @ r).toarray())
    return vectors[:, ::-1][:, :rank], np.sqrt(np.maximum(values[::-1][:rank], 0))


def pure_svd(r):
    v, _ = svd(r, 50)
    return np.asarray(r @ v) @ v.T


def nce_plrec(r, beta=1.1, ridge=10000.0, rank=100):
    popularity = np.asarray(r.sum(axis=0)).ravel()
    weight = np.maximum(np.log(r.shape[0]) - beta * np.log(np.maximum(popularity, 1)), 0)
    v, s = svd(r @ sp.diags(weight), rank)
    f = np.asarray(r @ (v * np.sqrt(s)))
    return f @ np.linalg.solve(f.T @ f + ridge * np.eye(rank), np.asarray((r.T @ f).T))


def ease(r, ridge=1000.0):
    p = np.linalg.inv((r.T @ r).toarray() + ridge * np.eye(r.shape[1]))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    return np.asarray(r @ b)


def metrics(scores, known, target):
    """Means over the users that have a target."""
    scores[known.nonzero()] = -np.inf
    top = np.argsort(-scores, axis=1, kind="stable")[:, :max(KS)]
    hits = np.take_along_axis(np.asarray(target.todense()), top, axis=1) > 0
    n = np.asarray((target > 0).sum(axis=1)).ravel()
    hits, n = hits[n > 0], n[n > 0]
    found, ranks = np.cumsum(hits, axis=1), np.arange(1, max(KS) + 1)
    discount = 1 / np.log2(np.arange(2, n.max() + 2))
    out = {"ndcg_full@50": (hits * discount[:50]).sum(axis=1) / np.cumsum(discount)[n - 1],
           "rprecision@50": found[np.arange(len(n)), np.minimum(n, 50) - 1] / n}
    for k in KS:
        out[f"map_precision@{k}"] = (found / ranks)[:, :k].mean(axis=1)
        out[f"precision@{k}"] = found[:, k - 1] / k
        out[f"recall@{k}"] = found[:, k - 1] / n
    return {name: float(v.mean()) for name, v in out.items()}


def ours(options, model, settings, names):
    command = [options.pumice, "train", model, "--data", options.data, "--protocol", "files", "--refit", "--json", "--quiet", "--device", options.device,
               "--metrics", ",".join(names), "--select", "ndcg_full@50"] + [a for s in settings for a in ("--set", s)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def value(result, part, name):
    found = result[part]
    found = found[name] if isinstance(found, dict) else next(m for m in found if m["name"] == name)
    return found["mean"] if isinstance(found, dict) else found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--pumice")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    train, valid, test = (sp.csr_matrix(sp.load_npz(os.path.join(options.data, f"R{part}.npz")), dtype=np.float64) for part in ("train", "valid", "test"))
    for model, solve, settings in (("ease", ease, ["lambda=1000"]), ("pure-svd", pure_svd, ["rank=50", "exact=on"]),
                                   ("nce-plrec", nce_plrec, ["rank=100", "beta=1.1", "lambda=10000", "exact=on"])):
        both = sp.csr_matrix(train + valid)
        want = {"validation": metrics(solve(train), train, valid), "metrics": metrics(solve(both), both, test)}
        print(f"{model}: ndcg_full@50 validation {want['validation']['ndcg_full@50']:.4f}, test {want['metrics']['ndcg_full@50']:.4f}", end="")
        if options.pumice:
            got = ours(options, model, settings, list(want["metrics"]))
            apart, where = max((abs(value(got, part, name) - v), f"{part} {name}") for part, all_ in want.items() for name, v in all_.items())
            print(f"; pumice differs by {apart:.6f} at most, in {where}", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
