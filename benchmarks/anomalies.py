"""Tasks of outlier detection: normal sequences to learn from, and others to find among them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.datasets import load_japanese_vowels, make_ragged_sines

from .workloads import Ragged

Array = NDArray[np.floating]
# Normal sequences to learn from and to find others among, where there are any number of them.
N_TRAIN, N_NORMAL = 200, 100
# Sequences with an anomaly of each kind.
N_OF_A_KIND = 20
# One class of these at a time is normal; all ship with aeon.
ONE_CLASS = ("GunPoint", "ItalyPowerDemand", "ArrowHead", "BasicMotions", "OSULeaf")
# And these too, but they were not looked at while it was decided what a score is made of.
UNSEEN = ("ACSF1", "PickupGestureWiimoteZ")


@dataclass(frozen=True)
class Task:
    """Sequences to fit on, all normal, and others with what they are.

    Attributes
    ----------
    kinds : ndarray of shape (n_test,)
        "normal", or what is not.
    steps, channels : list
        Where an anomaly was put; None for those that are everywhere.
    """

    family: str
    name: str
    train: Ragged
    test: Ragged
    kinds: NDArray[np.str_]
    steps: list[slice | None] = field(default_factory=list)
    channels: list[int | None] = field(default_factory=list)


def heartbeats(n: int, rng: np.random.Generator, lengths: tuple[int, int] = (40, 160)) -> Ragged:
    """Return recordings of two leads, of these numbers of steps, each of its own heart rate.

    A beat is five bumps, P to T, as in McSharry et al. (IEEE Trans. Biomed. Eng. 50(3), 2003).
    """
    places = 2 * np.pi * (np.array([-0.19, -0.04, 0.0, 0.04, 0.28]) + 0.5)
    widths = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
    leads = np.array([[0.15, -0.12, 1.0, -0.25, 0.35], [0.1, -0.05, -0.5, 0.6, -0.2]])
    X = []
    for _ in range(n):
        n_steps = rng.integers(lengths[0], lengths[1] + 1)
        period = rng.uniform(16, 28)
        rates = 1 / (period * (1 + 0.05 * rng.normal(size=n_steps)))
        phase = 2 * np.pi * (rng.random() + np.cumsum(rates))
        distances = (phase[:, None] - places + np.pi) % (2 * np.pi) - np.pi
        bumps = np.exp(-0.5 * (distances / widths) ** 2)
        heights = leads * (1 + 0.1 * rng.normal(size=leads.shape))
        x = bumps @ heights.T + 0.03 * rng.normal(size=(n_steps, 2))
        X.append(x.astype(np.float32))
    return X


# Each takes a sequence that it may change, the channels' deviations, the range of normal lengths
# and a generator. It returns what it makes of it, and the steps and the channel that it shows in.

Made = tuple[Array, slice | None, int | None]


def _part(x: Array, rng: np.random.Generator) -> slice:
    """Return a third of the steps."""
    length = max(2, len(x) // 3)
    start = int(rng.integers(len(x) - length + 1))
    return slice(start, start + length)


def _spike(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    step, channel = int(rng.integers(len(x))), int(rng.integers(x.shape[1]))
    x[step, channel] += rng.choice([-4, 4]) * scale[channel]
    return x, slice(step, step + 1), channel


def _frozen(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    part, channel = _part(x, rng), int(rng.integers(x.shape[1]))
    x[part, channel] = x[part.start, channel]
    return x, part, channel


def _shift(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    channel = int(rng.integers(x.shape[1]))
    part = slice(int(rng.integers(len(x) // 2)), len(x))
    x[part, channel] += rng.choice([-1.5, 1.5]) * scale[channel]
    return x, part, channel


def _noise(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    part, channel = _part(x, rng), int(rng.integers(x.shape[1]))
    x[part, channel] += rng.normal(size=part.stop - part.start) * scale[channel]
    return x, part, channel


def _tempo(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    """Run twice as fast, to the end and back, so that there are as many steps."""
    there_and_back = np.concatenate([x, x[::-1]])
    return there_and_back[::2], None, None


def _swapped(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    a, b = rng.choice(x.shape[1], 2, replace=False)
    x[:, [a, b]] = x[:, [b, a]]
    return x, None, None


def _reversed(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    return x[::-1], None, None


def _short(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    return x[: max(2, lengths[0] // 2)], None, None


def _long(x: Array, scale: Array, lengths: tuple[int, int], rng: np.random.Generator) -> Made:
    n_steps = round(1.5 * lengths[1])
    there_and_back = np.concatenate([x, x[::-1]])
    repeated = [there_and_back] * (n_steps // len(there_and_back) + 1)
    return np.concatenate(repeated)[:n_steps], None, None


KINDS: dict[str, Callable[..., Made]] = {
    "spike": _spike,
    "frozen": _frozen,
    "level shift": _shift,
    "noise burst": _noise,
    "double tempo": _tempo,
    "swapped channels": _swapped,
    "reversed": _reversed,
    "too short": _short,
    "too long": _long,
}


def injected(
    name: str, train: Ragged, normal: Ragged, hosts: Ragged, rng: np.random.Generator
) -> Task:
    """Return a task with an anomaly in each host, of all kinds in turn."""
    scale = np.concatenate(train).std(axis=0)
    lengths = [len(x) for x in train]
    bounds = min(lengths), max(lengths)
    kinds = np.resize(list(KINDS), len(hosts))
    made = [KINDS[kind](x.copy(), scale, bounds, rng) for kind, x in zip(kinds, hosts, strict=True)]
    changed, steps, channels = map(list, zip(*made, strict=True))
    nowhere: list[None] = [None] * len(normal)
    return Task(
        "injected",
        name,
        train,
        [*normal, *(np.ascontiguousarray(x, dtype=np.float32) for x in changed)],
        np.concatenate([np.full(len(normal), "normal"), kinds]),
        nowhere + steps,
        nowhere + channels,
    )


def injected_tasks(seed: int) -> Iterator[Task]:
    """Yield ragged data with injected anomalies: two that are generated, two that were measured."""
    n_hosts = len(KINDS) * N_OF_A_KIND
    sizes = [N_TRAIN, N_TRAIN + N_NORMAL]
    made: dict[str, Callable[[np.random.Generator], Ragged]] = {
        "sines": lambda rng: make_ragged_sines(
            sizes[1] + n_hosts, random_state=int(rng.integers(2**31))
        )[0],
        "heartbeats": lambda rng: heartbeats(sizes[1] + n_hosts, rng),
    }
    for name, make in made.items():
        rng = np.random.default_rng(seed)
        X = make(rng)
        yield injected(name, X[: sizes[0]], X[sizes[0] : sizes[1]], X[sizes[1] :], rng)
    rng = np.random.default_rng(seed)
    train, _ = load_japanese_vowels(return_X_y=True)
    test, _ = load_japanese_vowels(subset="test", return_X_y=True)
    test = [test[i] for i in rng.permutation(len(test))]
    yield injected("vowels", train, test[n_hosts:], test[:n_hosts], rng)
    rng = np.random.default_rng(seed)
    X, _, X_test, _ = _load("BasicMotions")
    train, test = ([_window(x, rng) for x in part] for part in (X, X_test))
    # Of its forty test sequences each is seen as it is and with several anomalies.
    hosts = [test[i % len(test)] for i in range(n_hosts)]
    yield injected("motions", train, test, hosts, rng)


def _window(x: Array, rng: np.random.Generator) -> Array:
    length = int(rng.integers(len(x) // 2, len(x) + 1))
    start = int(rng.integers(len(x) - length + 1))
    return x[start : start + length]


def one_class_tasks(
    names: tuple[str, ...] = ("JapaneseVowels", *ONE_CLASS, *UNSEEN),
) -> Iterator[Task]:
    """Yield, for every class of every set, its training sequences and the whole test split."""
    for name in names:
        X, y, X_test, y_test = _load(name)
        for label in np.unique(y):
            train = [x for x, other in zip(X, y, strict=True) if other == label]
            kinds = np.where(y_test == label, "normal", "other class")
            yield Task(name, f"{name} {label}", train, X_test, kinds)


def _load(name: str) -> tuple[Ragged, NDArray[Any], Ragged, NDArray[Any]]:
    if name == "JapaneseVowels":
        X, y = load_japanese_vowels(return_X_y=True)
        return X, y, *load_japanese_vowels(subset="test", return_X_y=True)
    from .quality import load

    return load(name)
