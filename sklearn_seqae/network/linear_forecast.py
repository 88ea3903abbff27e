"""Linear forecasts of the steps after the end of a sequence, in closed form.

Each channel is forecast from its last steps, or from those of all channels, relative to the last
one: a level that never was in training is kept [1]_. What is estimated, by ridge regression, is the
difference from a naive forecast, either the last value or, where training ends are nearer to it,
the last period repeated. Whether the level itself is a feature, which naive forecast it is, and the
penalty are chosen for each channel by cross-validation over blocks of consecutive sequences, whose
ends share no step with the others.

References
----------
.. [1] A. Zeng, M. Chen, L. Zhang, Q. Xu, "Are Transformers Effective for Time Series
   Forecasting?", AAAI 2023, https://arxiv.org/abs/2205.13504
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from sklearn_seqae.containers.sequences import Sequences

from .minirocket import interpolate

# A forecast looks back at most so many steps; of many channels, at fewer of each.
MOST_LAGS = 256
MOST_VALUES = 8192
# Channels are forecast from all channels if these have no more values than that.
MOST_JOINT = 512
# Ends of training sequences that a fit looks at.
MOST_ENDS = 4096
N_FOLDS = 5
# Penalties, in parts of the mean variance of a feature; the last one leaves the naive forecast.
PENALTIES = 10.0 ** np.arange(-4, 6)
DEFAULT_PENALTY = 1.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearForecast:
    """Steps after the end as linear functions of a number of last ones.

    Parameters
    ----------
    own : ndarray of shape (n_channels, n_lags, horizon)
        Of the channel's own last steps.
    joint : ndarray of shape (n_lags * n_channels, n_channels, horizon)
        Of those of all channels, or without entries along the first axis.
    constant : ndarray of shape (n_channels, horizon)
    """

    own: Floats
    joint: Floats
    constant: Floats

    @property
    def n_lags(self) -> int:
        """Number of last steps that it looks at."""
        return self.own.shape[1]

    @property
    def horizon(self) -> int:
        """Number of steps after the end."""
        return self.own.shape[2]

    def __call__(self, past: Floats) -> Floats:
        """Return the next steps (n, horizon, n_channels) of last ones (n, n_lags, n_channels)."""
        ahead = np.einsum("npc,cph->nhc", past, self.own, optimize=True) + self.constant.T
        if len(self.joint):
            ahead += np.tensordot(past.reshape(len(past), -1), self.joint, 1).swapaxes(1, 2)
        return ahead


def fit(sequences: Sequences, horizon: int) -> tuple[LinearForecast, ...]:
    """Fit linear forecasts to scaled sequences, of which some are longer than `horizon`.

    Each looks back at half as many steps as the one before it: a sequence is continued by the first
    that it is long enough for.
    """
    rows, ends, n_lags = _choose_ends(sequences, horizon)
    past = last_steps(sequences, rows, ends - horizon, n_lags)
    future = last_steps(sequences, rows, ends, n_lags + horizon)[:, n_lags:]
    starts = sequences.offsets[:-1] if sequences.spans is None else sequences.spans[:, 0]
    folds = list(_folds(starts[rows] + ends, horizon))
    found = []
    while n_lags:
        found.append(_fit(past[:, -n_lags:], future, folds))
        n_lags //= 2
    return tuple(found)


def fit_next(windows: Floats, places: NDArray[np.int64]) -> LinearForecast:
    """Fit the forecast of the last step of windows (n, n_steps, n_channels) from all others.

    `places` are where windows begin, on a line of time.
    """
    return _fit(windows[:, :-1], windows[:, -1:], list(_folds(places, windows.shape[1])))


def apply(forecasts: tuple[LinearForecast, ...], sequences: Sequences) -> Floats:
    """Return the steps (n_sequences, horizon, n_channels) after the end of each sequence."""
    ahead = np.zeros((len(sequences), forecasts[0].horizon, sequences.n_channels))
    lengths = sequences.lengths
    most = len(lengths) and int(lengths.max()) + 1
    for forecast in forecasts:
        rows = np.flatnonzero((lengths >= forecast.n_lags) & (lengths < most))
        most = forecast.n_lags
        if len(rows):
            past = last_steps(sequences, rows, lengths[rows], forecast.n_lags)
            ahead[rows] = forecast(past)
    return ahead


def _fit(past: Floats, future: Floats, folds: list[Any]) -> LinearForecast:
    """Fit the forecast of `future`, (n_ends, horizon, n_channels), from all steps of `past`."""
    _, n_lags, n_channels = past.shape
    horizon = future.shape[1]
    level = past[:, -1]
    relative = past - level[:, None]
    shared = []
    if 1 < n_channels <= MOST_JOINT // n_lags:
        shared = [_Regression(relative, folds), _Regression(relative, folds, level)]
    own = np.zeros((n_channels, n_lags, horizon))
    joint = np.zeros((n_lags, n_channels, n_channels, horizon))
    constant = np.zeros((n_channels, horizon))
    for j in range(n_channels):
        mine = relative[:, :, [j]]
        regressions = [_Regression(mine, folds), _Regression(mine, folds, level[:, [j]]), *shared]
        naive = [np.full(horizon, n_lags - 1), _last_period(past[:, :, j], future[:, :, j])]
        targets = [future[:, :, j] - past[:, steps, j] for steps in naive]
        pairs = [(regression, i) for i in (0, 1) for regression in regressions]
        found = [regression.judge(targets[i]) for regression, i in pairs]
        best = int(np.argmin([error for error, _ in found]))
        regression, i = pairs[best]
        weights, constant[j] = regression.solve(targets[i], found[best][1])
        if regression in shared:
            joint[:, :, j] = weights
        else:
            own[j] = weights[:, 0]
        own[j, naive[i], np.arange(horizon)] += 1.0
    used = joint.reshape(-1, n_channels, horizon)
    return LinearForecast(own, used if used.any() else used[:0], constant)


def last_steps(
    sequences: Sequences, rows: NDArray[np.int64], ends: NDArray[np.int64], n_steps: int
) -> Floats:
    """Return the steps before `ends` of some sequences, (n_rows, n_steps, n_channels).

    Missing values lie on lines between their neighbours; before its first step a sequence has had
    that value for ever.
    """
    steps = ends[:, None] + np.arange(-n_steps, 0)
    at = np.maximum(sequences.offsets[rows][:, None] + steps, 0)
    values = sequences.values[at].astype(np.float64)
    values[steps < 0] = np.nan
    return interpolate(values)


class _Regression:
    """Ridge regressions on the same features, with any targets and penalty.

    Parameters
    ----------
    relative : ndarray of shape (n_rows, n_lags, n_channels)
        Last steps, less the last one.
    folds : list of (ndarray, ndarray)
    level : ndarray of shape (n_rows, n_channels), optional
        The last step, if it is a feature.
    """

    def __init__(self, relative: Floats, folds: list[Any], level: Floats | None = None) -> None:
        self._shape = relative.shape[1:]
        self._x = relative.reshape(len(relative), -1)
        if level is not None:
            self._x = np.hstack([self._x, level])
        self._folds = folds

    @cached_property
    def _of_folds(self) -> list[Any]:
        return [(*fold, *_decompose(self._x[fold[0]])) for fold in self._folds]

    def judge(self, targets: Floats) -> tuple[float, float]:
        """Return the least squared error over folds, and the penalty that has it."""
        errors, n = np.zeros(len(PENALTIES)), 0
        for chosen, left, mean, spreads, directions in self._of_folds:
            center = targets[chosen].mean(axis=0)
            agreed = directions.T @ ((self._x[chosen] - mean).T @ (targets[chosen] - center))
            seen = (self._x[left] - mean) @ directions
            wanted = targets[left] - center
            for i, penalty in enumerate(PENALTIES):
                predicted = seen @ (agreed / _penalized(spreads, penalty)[:, None])
                errors[i] += np.square(predicted - wanted).sum()
            n += wanted.size
        if not n:
            return np.inf, DEFAULT_PENALTY
        best = int(np.argmin(errors))
        return errors[best] / n, float(PENALTIES[best])

    def solve(self, targets: Floats, penalty: float) -> tuple[Floats, Floats]:
        """Return the weights (n_lags, n_channels, horizon) of last steps, and the constants."""
        mean, spreads, directions = _decompose(self._x)
        center = targets.mean(axis=0)
        agreed = directions.T @ ((self._x - mean).T @ (targets - center))
        found = directions @ (agreed / _penalized(spreads, penalty)[:, None])
        n_relative = math.prod(self._shape)
        weights = found[:n_relative].reshape(*self._shape, -1)
        weights[-1] -= weights.sum(axis=0)
        if len(found) > n_relative:
            weights[-1] += found[n_relative:]
        return weights, center - mean @ found


def _decompose(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Return means, and eigenvalues and eigenvectors of the sums of squares about them."""
    mean = x.mean(axis=0)
    return mean, *eigh((x - mean).T @ (x - mean))


def _penalized(spreads: Floats, penalty: float) -> Floats:
    return np.maximum(spreads, 0.0) + penalty * (spreads.mean() or 1.0)


def _choose_ends(
    sequences: Sequences, horizon: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return sequences and the ends in them to learn from, and how many steps to look back at."""
    observed = np.zeros(len(sequences), bool)
    observed[sequences.owners[np.isfinite(sequences.values).any(axis=1)]] = True
    lengths = sequences.lengths
    long = np.flatnonzero(observed & (lengths > horizon))
    most = max(1, min(MOST_LAGS, MOST_VALUES // sequences.n_channels))
    n_lags = int(np.clip(np.median(lengths[long]) - horizon, 1, most))
    # Of few long sequences no more than there are ends with so many steps before.
    while n_lags > 1 and np.maximum(lengths[long] - horizon - n_lags + 1, 1).sum() < n_lags:
        n_lags -= 1
    # Of shorter sequences the one end that there is.
    first = np.minimum(n_lags + horizon, lengths[long])
    counts = lengths[long] - first + 1
    rows = np.repeat(long, counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    ends = np.repeat(first, counts) + np.arange(len(rows)) - before
    kept = np.linspace(0, len(rows) - 1, min(len(rows), MOST_ENDS)).astype(np.int64)
    return rows[kept], ends[kept], n_lags


def _folds(
    places: NDArray[np.int64], horizon: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give what to fit to and what to judge by, for each block of ends in the order of time."""
    for left in np.array_split(np.argsort(places, kind="stable"), N_FOLDS):
        if not len(left):
            continue
        is_before = places <= places[left].min() - horizon
        chosen = np.flatnonzero(is_before | (places >= places[left].max() + horizon))
        if len(chosen) > 1:
            yield chosen, left


def _last_period(past: Floats, future: Floats) -> NDArray[np.int64]:
    """Return which of the last steps the next ones are, if the best period is repeated."""
    n_lags, horizon = past.shape[1], future.shape[1]
    ahead = np.arange(horizon)
    periods = range(1, n_lags + 1)
    repeated = [n_lags + ahead - period * (ahead // period + 1) for period in periods]
    errors = [np.square(future - past[:, steps]).mean() for steps in repeated]
    return repeated[int(np.argmin(errors))]
