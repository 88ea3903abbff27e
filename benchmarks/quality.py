"""What can be read from the codes, beside published vectors: `python -m benchmarks.quality --help`.

Every model is fitted on the official training split, without labels; whoever chooses between models
looks at the cross-validated figures of that split, and the test split is for the report.
"""

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, idct
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from . import quality_report
from .quality_decoding import judge_decoding
from .sweep import sweep
from .workloads import Ragged, pad

RESULTS = Path(__file__).with_name("quality.json")
SETS = (
    "JapaneseVowels",
    "BasicMotions",
    "GunPoint",
    "ItalyPowerDemand",
    "ArrowHead",
    "OSULeaf",
    "ACSF1",
)
# Of the sets that ship with aeon, one that no published table here has.
OTHERS = ("PickupGestureWiimoteZ",)
# The tutorials' model takes two milliseconds a batch and step: hours for the longest sequences.
TUTORIAL_STEPS = 60_000
SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
# Each changes the defaults in one place.
ABLATION: dict[str, dict[str, Any]] = {
    "defaults": {},
    "shortcut=None": {"shortcut": None},
    "multiscale=False": {"multiscale": False},
    "n_components=64": {"n_components": 64},
    "units=(64, 64)": {"units": (64, 64)},
    "cell='gru'": {"cell": "gru"},
    "bidirectional=False": {"bidirectional": False},
    "pooling='last'": {"pooling": "last"},
    "scaler='per_sequence'": {"scaler": "per_sequence"},
    "batch_size=32": {"batch_size": 32},
    "learning_rate=0.001": {"learning_rate": 0.001},
}
# Sizes of codes, and how many components of each are linear: the linear autoencoder and the
# recurrent network that a code is compared with have as many.
SIZES = {2: 2, 8: 8, 256: 64}
RECURRENT: dict[str, Any] = {"shortcut": None, "multiscale": False}
# Components of a default code by what computes them.
COMPONENTS = {
    "linear": np.arange(64),
    "recurrent": np.arange(64, 128),
    "pooled": np.arange(128, 256),
}
COMBINATIONS = (
    ("linear",),
    ("recurrent",),
    ("pooled",),
    ("linear", "recurrent"),
    ("linear", "pooled"),
    ("recurrent", "pooled"),
    ("linear", "recurrent", "pooled"),
)
READOUTS: dict[str, Callable[[], Any]] = {
    "lr": lambda: LogisticRegression(max_iter=5000),
    "svc": lambda: SVC(C=10),
    "1nn": lambda: KNeighborsClassifier(1),
}


def load(name: str) -> tuple[Ragged, NDArray[Any], Ragged, NDArray[Any]]:
    """Return the official training and test split of a set that ships with aeon."""
    from aeon.datasets import load_classification

    parts: list[Any] = []
    for split in ("train", "test"):
        X, y = load_classification(name, split=split)
        parts += [[np.asarray(x, dtype=np.float32).T for x in X], np.asarray(y)]
    return tuple(parts)  # type: ignore[return-value]  # mypy cannot count them


class Ours:
    """The library, with what is changed of its defaults."""

    def __init__(self, seed: int, **changes: Any) -> None:
        from sklearn_seqae import LSTMAutoencoderTransformer
        from sklearn_seqae.training import loop, program_cache

        self.model = LSTMAutoencoderTransformer(random_state=seed, **changes)
        self._as_first = partial(
            patch.object, loop, "programs", program_cache.Cache(program_cache.MAX_CACHED)
        )

    def fit(self, X: Ragged) -> None:
        """Learn from the training split; nothing is compiled before, as in a new process."""
        with self._as_first():
            self.model.fit(X)

    def encode(self, X: Ragged) -> NDArray[np.float32]:
        """Return the codes."""
        return self.model.transform(X)

    def score(self, X: Ragged) -> float | None:
        """Return the R2 of the reconstruction."""
        return self.model.score(X)


class Padded:
    """PCA of the scaled sequences, padded with zeros to the longest and laid flat."""

    def __init__(self, seed: int, n_components: int = 64) -> None:
        self.seed, self.n_components = seed, n_components

    def fit(self, X: Ragged) -> None:
        """Learn from the training split."""
        self.scaler = StandardScaler().fit(np.concatenate(X))
        self.n_steps = max(map(len, X))
        flat = self._flat(self._scaled(X))
        self.mean = flat.mean(axis=0)
        self.axes = self._axes(flat - self.mean)

    def encode(self, X: Ragged) -> NDArray[np.float64]:
        """Return the components."""
        return (self._flat(self._scaled(X)) - self.mean) @ self.axes.T

    def score(self, X: Ragged) -> float | None:
        """Return the R2 over real steps, channels weighed alike; the lengths are given."""
        scaled = self._scaled(X)
        flat = self.encode(X) @ self.axes + self.mean
        rows = flat.reshape(len(X), -1, X[0].shape[1])
        pairs = zip(rows, scaled, strict=True)
        error = sum(float(np.square(self._steps(row, len(x)) - x).sum()) for row, x in pairs)
        return 1.0 - error / sum(float(np.square(x).sum()) for x in scaled)

    def _scaled(self, X: Ragged) -> Ragged:
        return [self.scaler.transform(x[: self.n_steps]) for x in X]

    def _axes(self, centred: NDArray[Any]) -> NDArray[Any]:
        """Return the principal axes (n_components, size), turned at random.

        Readouts standardise each component. Of a few dozen sequences that would blow up the last
        ones, which are noise, and drown the others; turned, all have about the same variance.
        """
        n_components = min(self.n_components, *centred.shape)
        axes = PCA(n_components, random_state=self.seed).fit(centred).components_
        rng = np.random.default_rng(self.seed)
        return np.linalg.qr(rng.normal(size=(n_components,) * 2))[0] @ axes

    def _flat(self, X: Ragged) -> NDArray[Any]:
        return pad(X, self.n_steps).reshape(len(X), -1)

    def _steps(self, row: NDArray[Any], n_steps: int) -> NDArray[Any]:
        """Return the steps (n_steps, n_channels) of a row (self.n_steps, n_channels)."""
        return row[:n_steps]


class Linear(Padded):
    """PCA of each sequence's coefficients of cosines of relative time, cos(pi k (t + 1/2) / T)."""

    def _flat(self, X: Ragged) -> NDArray[Any]:
        found = [dct(x, axis=0, norm="ortho") / np.sqrt(len(x)) for x in X]
        return super()._flat(found)

    def _steps(self, row: NDArray[Any], n_steps: int) -> NDArray[Any]:
        return idct(row[:n_steps], axis=0, norm="ortho") * np.sqrt(n_steps)


class Strongest(Linear):
    """The coefficients of cosines that vary most in the training split, as they are."""

    def _axes(self, centred: NDArray[Any]) -> NDArray[Any]:
        strongest = np.argsort(-centred.var(axis=0), kind="stable")[: self.n_components]
        return np.eye(centred.shape[1])[strongest]


BASELINES: dict[str, type[Padded]] = {"linear": Linear, "DCT": Strongest, "PCA": Padded}


class Tutorial:
    """The tutorials' Keras model: scaled and padded with zeros, the last state repeated."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, X: Ragged) -> None:
        """Learn from the training split."""
        import keras

        keras.utils.set_random_seed(self.seed)
        self.scaler = StandardScaler().fit(np.concatenate(X))
        self.n_steps, n_channels = max(map(len, X)), X[0].shape[1]
        inputs = keras.Input((self.n_steps, n_channels))
        code = keras.layers.LSTM(64)(inputs)
        repeated = keras.layers.RepeatVector(self.n_steps)(code)
        states = keras.layers.LSTM(64, return_sequences=True)(repeated)
        outputs = keras.layers.TimeDistributed(keras.layers.Dense(n_channels))(states)
        self.model, self.encoder = keras.Model(inputs, outputs), keras.Model(inputs, code)
        self.model.compile(optimizer="adam", loss="mse")
        padded = self._pad(X)
        steps_per_epoch = -(-len(X) // 16) * self.n_steps
        self.n_epochs = int(np.clip(TUTORIAL_STEPS // steps_per_epoch, 1, 100))
        self.model.fit(padded, padded, epochs=self.n_epochs, batch_size=16, verbose=0)

    def encode(self, X: Ragged) -> NDArray[np.float32]:
        """Return the last states."""
        return self.encoder.predict(self._pad(X), verbose=0)

    def score(self, X: Ragged) -> float | None:
        """Return the R2 of the reconstruction over real steps, channels weighed alike."""
        written = self.model.predict(self._pad(X), verbose=0)
        scaled = [self.scaler.transform(x[: self.n_steps]) for x in X]
        pairs = zip(written, scaled, strict=True)
        error = sum(float(((w[: len(x)] - x) ** 2).sum()) for w, x in pairs)
        return 1.0 - error / sum(float((x**2).sum()) for x in scaled)

    def _pad(self, X: Ragged) -> NDArray[np.float32]:
        return pad([self.scaler.transform(x[: self.n_steps]) for x in X], self.n_steps)


def judge(model: Any, name: str) -> dict[str, Any]:
    """Fit a model on a set, and read from its codes what there is to be read."""
    X, y, X_test, y_test = load(name)
    start = time.perf_counter()
    model.fit(X)
    seconds = time.perf_counter() - start
    Z, Z_test = model.encode(X), model.encode(X_test)
    figures = {"seconds": seconds, "r2": model.score(X_test)}
    if isinstance(model, Tutorial):
        figures["epochs"] = model.n_epochs
    return figures | read(Z, y, Z_test, y_test)


def take_apart(name: str, seed: int, **changes: Any) -> dict[str, Any]:
    """Fit the defaults on a set, and judge each combination of the components of their codes.

    The reconstruction is that of the linear path with a gain of zero of the recurrent decoder, and
    that of the recurrent decoder with a gain of one. Seconds of the recurrent components are all
    that the closed-form ones do not take.
    """
    from sklearn_seqae.network import cosines, minirocket

    X, y, X_test, y_test = load(name)
    ours = Ours(seed, **changes)
    with _timed(cosines, "fit") as linear, _timed(minirocket, "fit") as pooled:
        start = time.perf_counter()
        ours.fit(X)
        total = time.perf_counter() - start
    seconds = {"linear": sum(linear), "pooled": sum(pooled)}
    seconds["recurrent"] = total - sum(seconds.values())
    Z, Z_test = ours.encode(X), ours.encode(X_test)
    gain = ours.model.decoder_.get_layer("mean").gain
    fitted = np.asarray(gain)
    r2 = {("linear", "recurrent"): ours.score(X_test)}
    for kind, constant in (("linear", 0.0), ("recurrent", 1.0)):
        gain.assign(np.full_like(fitted, constant))
        r2[(kind,)] = ours.score(X_test)
    found: dict[str, Any] = {"gain": float(fitted.mean())}
    for combination in COMBINATIONS:
        columns = np.concatenate([COMPONENTS[kind] for kind in combination])
        decoded = tuple(kind for kind in combination if kind != "pooled")
        found[" + ".join(combination)] = {
            "seconds": sum(seconds[kind] for kind in combination),
            "r2": r2.get(decoded),
        } | read(Z[:, columns], y, Z_test[:, columns], y_test)
    return found


@contextlib.contextmanager
def _timed(module: Any, name: str) -> Iterator[list[float]]:
    """Give the seconds of each call of a module's function within the block."""
    seconds: list[float] = []
    function = getattr(module, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = function(*args, **kwargs)
        seconds.append(time.perf_counter() - start)
        return result

    with patch.object(module, name, call):
        yield seconds


def read(Z: Any, y: Any, Z_test: Any, y_test: Any) -> dict[str, float]:
    """Return accuracies on the test split, cross-validated ones on the training split, and NMI."""
    figures = {}
    n_splits = min(5, int(np.unique(y, return_counts=True)[1].min()))
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=0)
    for key, make in READOUTS.items():
        readout = make_pipeline(StandardScaler(), make())
        figures[key] = float(readout.fit(Z, y).score(Z_test, y_test))
        if key != "1nn":
            figures[f"cv_{key}"] = float(cross_val_score(readout, Z, y, cv=folds).mean())
    standardised = StandardScaler().fit(Z).transform(Z_test)
    for key, codes in (("nmi", Z_test), ("nmi_standardised", standardised)):
        found = KMeans(len(np.unique(y)), n_init=10, random_state=0).fit_predict(codes)
        figures[key] = float(normalized_mutual_info_score(y_test, found))
        if key == "nmi":
            figures["ari"] = float(adjusted_rand_score(y_test, found))
    return figures


def decoded(name: str, seed: int, **changes: Any) -> dict[str, float]:
    """Fit the defaults on a set, and judge what they decode from codes of no sequence."""
    X, _, X_test, y_test = load(name)
    ours = Ours(seed, **changes)
    ours.fit(X)
    return judge_decoding(ours.model, X, X_test, y_test, seed)


def remove(X: Ragged, share: float, blocks: bool, rng: np.random.Generator) -> Ragged:
    """Return sequences without a share of their values: single ones, or one run a channel."""
    gaps = []
    for x in X:
        if blocks:
            length = round(share * len(x))
            starts = rng.integers(0, len(x) - length + 1, size=x.shape[1])
            steps = np.arange(len(x))[:, None]
            missing = (steps >= starts) & (steps < starts + length)
        else:
            missing = rng.random(x.shape) < share
        gaps.append(np.where(missing, np.nan, x).astype(np.float32))
    return gaps


def incomplete(share: float, blocks: bool, seed: int) -> dict[str, float]:
    """Measure codes and imputation with a share of all values missing, in training and test."""
    X, y, X_test, y_test = load("JapaneseVowels")
    rng = np.random.default_rng(seed)
    gaps, gaps_test = (remove(part, share, blocks, rng) for part in (X, X_test))
    ours = Ours(seed)
    ours.fit(gaps)
    figures = read(ours.encode(gaps), y, ours.encode(gaps_test), y_test)
    steps = np.concatenate(gaps)
    mean, scale = np.nanmean(steps, axis=0), np.nanstd(steps, axis=0)
    fillings = {
        "impute": ours.model.impute(gaps_test),
        "mean": [np.where(np.isnan(x), mean, x) for x in gaps_test],
        "linear": [_interpolate(x, mean) for x in gaps_test],
    }
    missing = np.isnan(np.concatenate(gaps_test))
    if missing.any():
        for key, filled in fillings.items():
            errors = (np.concatenate(filled) - np.concatenate(X_test)) / scale
            figures[f"rmse_{key}"] = float(np.sqrt(np.mean(errors[missing] ** 2)))
    return figures


def _interpolate(x: NDArray[Any], mean: NDArray[Any]) -> NDArray[Any]:
    """Fill each channel along straight lines; with its mean where it has no value at all."""
    filled = x.copy()
    steps = np.arange(len(x))
    for channel, fallback in zip(filled.T, mean, strict=True):
        known = ~np.isnan(channel)
        channel[:] = np.interp(steps, steps[known], channel[known]) if known.any() else fallback
    return filled


def measurements(arguments: argparse.Namespace) -> Iterator[tuple[dict[str, Any], Callable]]:
    """Yield what identifies each measurement, and what makes it."""
    if "codes" in arguments.parts:
        for name in (*SETS, *OTHERS):
            for seed in arguments.seeds:
                key = {"part": "codes", "set": name, "seed": seed}
                yield key | {"model": "defaults"}, lambda n=name, s=seed: judge(Ours(s), n)
        for name in (*SETS, *OTHERS):
            key = {"part": "codes", "set": name, "seed": 0}
            for model, make in BASELINES.items():
                yield key | {"model": model}, lambda n=name, m=make: judge(m(0), n)
            yield key | {"model": "tutorial"}, lambda n=name: judge(Tutorial(0), n)
    if "sizes" in arguments.parts:
        for size, n_linear in SIZES.items():
            for name in (*SETS, *OTHERS):
                key = {"part": "sizes", "size": size, "set": name}
                linear = key | {"seed": 0, "model": "linear"}
                yield linear, lambda n=name, k=n_linear: judge(Linear(0, k), n)
                for seed in arguments.seeds:
                    for model, changes in (
                        ("ours", {"n_components": size}),
                        ("recurrent", RECURRENT | {"n_components": n_linear}),
                    ):
                        ours = key | {"seed": seed, "model": model}
                        yield ours, lambda n=name, s=seed, c=changes: judge(Ours(s, **c), n)
    if "components" in arguments.parts:
        for name in (*SETS, *OTHERS):
            for seed in arguments.seeds:
                key = {"part": "components", "set": name, "seed": seed}
                yield key, lambda n=name, s=seed: take_apart(n, s)
    if "decoding" in arguments.parts:
        for name in (*SETS, *OTHERS):
            for seed in arguments.seeds:
                key = {"part": "decoding", "set": name, "seed": seed}
                for shortcut in ("cosine", None):
                    both = key | {"shortcut": shortcut}
                    yield both, lambda n=name, s=seed, c=shortcut: decoded(n, s, shortcut=c)
    if "missing" in arguments.parts:
        for share in SHARES:
            for blocks in (False, True) if share else (False,):
                key = {"part": "missing", "share": share, "blocks": blocks, "seed": 0}
                yield key, lambda s=share, b=blocks: incomplete(s, b, 0)
    if "ablation" in arguments.parts:
        for label, changes in ABLATION.items():
            for name in (*SETS, *OTHERS):
                key = {"part": "ablation", "set": name, "seed": 0, "model": label}
                yield key, lambda n=name, c=changes: judge(Ours(0, **c), n)


def main() -> None:
    """Measure, keep the results, and report them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = ("codes", "sizes", "components", "decoding", "missing", "ablation")
    parser.add_argument("--parts", nargs="+", choices=every, default=list(every))
    sweep(parser, RESULTS, measurements, quality_report.write)


if __name__ == "__main__":
    main()
