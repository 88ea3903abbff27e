"""One measurement, in a process of its own: `python -m benchmarks.measure KIND ...` prints JSON."""

import ctypes
import gc
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .contenders import CONTENDERS, Contender
from .workloads import WARM_UP, WORKLOADS, Ragged, Workload

MEGABYTE = 2**20
N_LATENCIES = 50
# The workload that the growth of the cost starts from, and what is varied of it.
BASE = Workload("base", 256, 25, 4, units=32, epochs=3)
# A search whose parts are timed.
GRID = {
    "learning_rate": [0.001, 0.003, 0.006, 0.01],
    "n_components": [16, 64, 256],
    "pooling": ["last", "mean_max"],
}
GRID_EPOCHS = 20
SWEEPS = {
    "n_sequences": (128, 512, 2048),
    "n_steps": (25, 100, 400),
    "units": (16, 64, 256),
}


class _Curve:
    """The time and the weights after each epoch of a fit."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.weights: list[Any] = []
        self._start = time.perf_counter()

    def note(self, weights: Any) -> None:
        """Keep them; to judge them takes time, and comes later."""
        self.times.append(time.perf_counter() - self._start)
        self.weights.append(weights)

    def losses(self, contender: Contender, held_out: Ragged) -> list[float]:
        """Return the mean squared error over real values after each epoch."""
        losses = []
        for weights in self.weights:
            contender.load(weights)
            written = contender.reconstruct(held_out)
            errors = [((w - x) ** 2).ravel() for w, x in zip(written, held_out, strict=True)]
            losses.append(float(np.concatenate(errors).mean()))
        return losses


def compare(workload: Workload, contender: Contender, seed: int) -> dict[str, Any]:
    """Measure one contender on one workload: fits, codes, memory and losses.

    A tiny fit of another shape comes first: what a library does once per process, such as starting
    its threads, is no one's cost. Nothing of the shape to be measured exists before the cold fit.
    """
    X, held_out = workload.data()
    X = X[: max(4, round(contender.share * len(X)))]
    n_steps = sum(map(len, X))
    # What was measured on a part stands for the whole, by the number of steps.
    scale = sum(map(len, workload.data()[0])) / n_steps
    tiny = WARM_UP.data()[0]
    contender.fit(tiny, WARM_UP, 0, lambda weights: None)
    contender.encode(tiny)
    rss_before = _rss()

    cold = _Curve()
    fit_cold = _seconds(lambda: contender.fit(X, workload, 2 * seed, cold.note))
    warm = _Curve()
    fit_warm = _seconds(lambda: contender.fit(X, workload, 2 * seed + 1, warm.note))
    peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    contender.encode(X)
    encode = float(np.median([_seconds(lambda: contender.encode(X)) for _ in range(3)]))
    one = [sorted(X, key=len)[len(X) // 2]]
    for _ in range(3):
        contender.encode(one)
    latencies = [_seconds(lambda: contender.encode(one)) for _ in range(N_LATENCIES)]
    return {
        "fit_cold": fit_cold * scale,
        "fit_warm": fit_warm * scale,
        "encode_steps_per_s": n_steps / encode,
        "latency_ms": 1000 * float(np.median(latencies)),
        "peak_rss_mb": peak_rss,
        "rss_before_mb": rss_before,
        "flops": workload.epochs * workload.flops_per_epoch() if contender.matched else None,
        "cold_times": cold.times,
        "cold_losses": cold.losses(contender, held_out),
        "warm_times": warm.times,
        "warm_losses": warm.losses(contender, held_out),
    }


def peak() -> dict[str, float]:
    """Measure the best rate of a large float32 matrix product, by NumPy and by TensorFlow."""
    from sklearn_seqae._utils.optional_imports import load_keras

    load_keras()
    import tensorflow as tf

    n = 2048
    a = np.random.default_rng(0).random((n, n), dtype=np.float32)
    b = tf.constant(a)
    products: list[Callable[[], Any]] = [lambda: a @ a, lambda: tf.matmul(b, b).numpy()]
    fastest = min(_seconds(product) for product in products for _ in range(8))
    return {"gflops": 2 * n**3 / fastest / 1e9}


def memory(contender: Contender, n_fits: int) -> dict[str, list[float]]:
    """Measure resident memory after each of several fits and encodings of one shape.

    What was freed stays with the process for a while; `in_use_mb` is without it, after an eighth of
    the fits (until when is allocated what is allocated once) and after all.
    """
    workload = replace(WORKLOADS["small"], n_sequences=320, epochs=2)
    X, _ = workload.data()
    contender.fit(WARM_UP.data()[0], WARM_UP, 0, lambda weights: None)
    rss, in_use = [], []
    for seed in range(n_fits):
        contender.fit(X, workload, seed, lambda weights: None)
        contender.encode(X)
        gc.collect()
        rss.append(_rss())
        if seed in (n_fits // 8, n_fits - 1):
            _give_back()
            in_use.append(_rss())
    return {"rss_mb": rss, "in_use_mb": in_use}


def search() -> dict[str, Any]:
    """Count what is traced in a grid search of twelve fits of one shape, and time each fit."""
    from sklearn.model_selection import GridSearchCV

    from sklearn_seqae import LSTMAutoencoderTransformer
    from sklearn_seqae._utils.optional_imports import load_keras

    load_keras()
    from sklearn_seqae.training import program

    made: list[str] = []

    build = program.TrainingProgram.__init__

    def counted(self: Any, *args: Any, **kwargs: Any) -> None:
        made.append("TrainingProgram")
        build(self, *args, **kwargs)

    program.TrainingProgram.__init__ = counted  # type: ignore[method-assign]  # to count
    X, _ = replace(WORKLOADS["ragged"], n_sequences=300, n_steps=60).data()
    ae = LSTMAutoencoderTransformer(n_components=16, units=16, epochs=3, random_state=0)
    grid = {"learning_rate": [0.001, 0.003, 0.005, 0.01]}
    found = GridSearchCV(ae, grid, cv=3, n_jobs=None, refit=False).fit(X)
    return {
        "programs": {name: made.count(name) for name in sorted(set(made))},
        "mean_fit_times": found.cv_results_["mean_fit_time"].tolist(),
    }


def grid() -> dict[str, float]:
    """Time a search of 24 candidates by five folds in two processes, and what it consists of."""
    from sklearn.model_selection import GridSearchCV

    from sklearn_seqae import LSTMAutoencoderTransformer
    from sklearn_seqae.datasets import load_japanese_vowels

    X, _ = load_japanese_vowels(return_X_y=True)
    ae = LSTMAutoencoderTransformer(epochs=GRID_EPOCHS, early_stopping=False, random_state=0)
    search = GridSearchCV(ae, GRID, cv=5, n_jobs=2, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wall = _seconds(lambda: search.fit(X))
    found = search.cv_results_
    fits, scores = (5 * float(found[name].sum()) for name in ("mean_fit_time", "mean_score_time"))
    return {
        "wall": wall,
        "fits": fits,
        "scores": scores,
        "median_fit": float(np.median(found["mean_fit_time"])),
    }


def growth(contender: Contender) -> dict[str, list[float]]:
    """Measure the warm fit as one size of the workload grows."""
    contender.fit(WARM_UP.data()[0], WARM_UP, 0, lambda weights: None)
    seconds: dict[str, list[float]] = {}
    for name, sizes in SWEEPS.items():
        for size in sizes:
            workload = replace(BASE, **{name: size})
            X, _ = workload.data()
            times = [
                _seconds(lambda: contender.fit(X, workload, seed, lambda weights: None))  # noqa: B023 (called at once)
                for seed in range(3)
            ]
            seconds.setdefault(name, []).append(min(times[1:]))
    return seconds


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _give_back() -> None:
    """Give memory that was freed back to the system, where the C library can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _rss() -> float:
    """Return the memory in use now, in MB (Linux; elsewhere the peak, which serves as well)."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: list[str]) -> None:
    """Measure what the command line names, and print it."""
    kind, *rest = arguments
    if kind == "compare":
        name, label, seed, quick = rest
        workload = WORKLOADS[name].shrunk() if quick == "True" else WORKLOADS[name]
        result: Any = compare(workload, CONTENDERS[label](), int(seed))
    elif kind == "memory":
        result = memory(CONTENDERS[rest[0]](), int(rest[1]))
    elif kind == "growth":
        result = growth(CONTENDERS[rest[0]]())
    else:
        result = {"peak": peak, "search": search, "grid": grid}[kind]()
    sys.stdout.write("\n" + json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
