"""Long series with labelled anomalies: generated ones, and two public collections."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .anomalies import KINDS, heartbeats

Floats = NDArray[np.float64]
# Fraction of a series of NAB to train on, as its own detectors do.
TRAINED_ON = 0.15
# Kinds of anomalies that leave a series as long as it is; swapped channels need two.
IN_PLACE = [kind for kind in KINDS if kind not in ("too short", "too long")]
# Time stamps of each half of a generated series, the second with anomalies of these lengths.
N_GENERATED = 3000
SHORTEST, LONGEST = 30, 120

WHERE = """Give the folders of what you have:
--nab: a clone of github.com/numenta/NAB (its folders data and labels)
--asd: a folder with asd.npz, which has the arrays "omi-N_train", "omi-N_test" and
"omi-N_test_label" for N from 1 to 12, of the pickles of the same names in data/processed
of github.com/zhhlee/InterFusion"""


@dataclass(frozen=True)
class LongSeries:
    """A series to fit on, and one to score.

    Attributes
    ----------
    train, test : ndarray of shape (n_timestamps, n_channels)
    labels : ndarray of shape (n_test,), bool
        Whether a time stamp of `test` is in an anomaly.
    """

    collection: str
    group: str
    name: str
    train: Floats
    test: Floats
    labels: NDArray[np.bool_]


def nab(folder: Path) -> Iterator[LongSeries]:
    """Yield the series of the Numenta Anomaly Benchmark; labels are wide windows around events."""
    import pandas as pd

    windows = json.loads((folder / "labels" / "combined_windows.json").read_text("utf-8"))
    for path, bounds in sorted(windows.items()):
        frame = pd.read_csv(folder / "data" / path, parse_dates=["timestamp"])
        values = frame[["value"]].to_numpy(np.float64)
        labels = np.zeros(len(frame), dtype=bool)
        for start, end in bounds:
            labels |= frame["timestamp"].between(pd.Timestamp(start), pd.Timestamp(end)).to_numpy()
        n = int(TRAINED_ON * len(values))
        group, _, name = path.removesuffix(".csv").partition("/")
        yield LongSeries("NAB", group, name, values[:n], values[n:], labels[n:])


def asd(folder: Path) -> Iterator[LongSeries]:
    """Yield the servers of the Application Server Dataset, 19 metrics each."""
    with np.load(folder / "asd.npz") as arrays:
        for i in range(1, 13):
            train, test = (arrays[f"omi-{i}_{part}"].astype(float) for part in ("train", "test"))
            labels = arrays[f"omi-{i}_test_label"] > 0
            yield LongSeries("ASD", "servers", f"server {i}", train, test, labels)


def generated(seeds: range = range(3)) -> Iterator[LongSeries]:
    """Yield generated series, with an anomaly of each kind in the second half."""
    for seed in seeds:
        for name, make in {"cycles": _cycles, "load": _load, "heart": _heart}.items():
            rng = np.random.default_rng(seed)
            values = make(2 * N_GENERATED, rng)
            train, test = values[:N_GENERATED], values[N_GENERATED:]
            labels = _inject(test, train.std(axis=0), rng)
            yield LongSeries("generated", name, f"{name} {seed}", train, test, labels)


def _inject(x: Floats, scale: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Put anomalies into a series, and return where they are."""
    kinds = [kind for kind in IN_PLACE if x.shape[1] > 1 or kind != "swapped channels"]
    labels = np.zeros(len(x), dtype=bool)
    room = len(x) // len(kinds)
    for i, kind in enumerate(rng.permutation(kinds)):
        size = int(rng.integers(SHORTEST, LONGEST + 1))
        start = i * room + int(rng.integers(room - size))
        part = x[start : start + size]
        changed, steps, _ = KINDS[kind](part.copy(), scale, (SHORTEST, LONGEST), rng)
        part[:] = changed
        labels[start : start + size][slice(None) if steps is None else steps] = True
    return labels


def _cycles(n: int, rng: np.random.Generator) -> Floats:
    """Return three channels with one period and its harmonic, in noise that drifts."""
    time = 2 * np.pi * np.arange(n)[:, None] / rng.uniform(20, 60)
    first, second = rng.uniform(0, 2 * np.pi, (2, 3))
    return np.sin(time + first) + 0.5 * np.sin(2 * time + second) + _drift(n, 3, 0.15, rng)


def _load(n: int, rng: np.random.Generator) -> Floats:
    """Return one channel of days with plateaus, quieter on two of seven."""
    day = np.arange(n) / 144
    busy = 1 / (1 + np.exp(8 * np.cos(2 * np.pi * day)))
    week = np.where(day.astype(int) % 7 < 5, 1.0, 0.5)
    level = 1 + busy * week + 0.1 * _drift(n, 1, 0.2, rng)[:, 0]
    return (level * np.exp(0.05 * rng.normal(size=n)))[:, None]


def _heart(n: int, rng: np.random.Generator) -> Floats:
    """Return two leads of a heart."""
    return heartbeats(1, rng, (n, n))[0].astype(np.float64)


def _drift(n: int, n_channels: int, size: float, rng: np.random.Generator) -> Floats:
    """Return noise that is correlated in time."""
    from scipy.signal import lfilter

    return lfilter([size], [1, -0.7], rng.normal(size=(n, n_channels)), axis=0)
