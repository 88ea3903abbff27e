"""Scores of windows by any outlier detector.

A window is scored by log(1 + values) + log(1 + shape) / 3, of the two components of an
`LSTMAutoencoderDetector`: the logarithm, as a component of 300 is hardly more abnormal than one of
100, but would hide the other. Any other detector has a score of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags

from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.containers.series import LongSeries
from sklearn_seqae.containers.spans import Spans
from sklearn_seqae.containers.windows import WindowArray, Windows, cut_windows
from sklearn_seqae.training.holdout import hold_out

from .anomaly_score import MOST_ERROR, choose_neighbours
from .intervals import SHAPE
from .known_runs import KnownRuns, TrainingWindows
from .neighbours import Neighbours
from .outlier_scores import OutlierScoringAutoencoder

Floats = NDArray[np.float64]

# Values in the windows that are scored in one piece.
AT_ONCE = 500_000
# The part of a window, around a time stamp, that its mean error is of.
AROUND = 0.4
# Fraction of time that is held out from detectors that hold out nothing themselves.
HELD_OUT = 0.1


@dataclass(frozen=True)
class WindowScores:
    """Scores of windows: the lower, the more abnormal; NaN without observed values.

    Parameters
    ----------
    scores : ndarray of shape (n_windows,)
    values, shape : ndarray of shape (n_windows,), or None
        The logarithms that they are sums of; None for detectors that are not of this package.
    errors : ndarray of shape (n_windows, longest), or None
        Mean squared error around each step, relative to the means of channels; NaN where nothing
        was observed, or behind shorter windows. None if they are not asked for.
    """

    scores: Floats
    values: Floats | None = None
    shape: Floats | None = None
    errors: Floats | None = None


def is_own(estimator: Any) -> bool:
    """Return whether a detector is one of this package, whose components are known."""
    return isinstance(estimator, OutlierScoringAutoencoder)


def fit_windows(estimator: Any, windows: Windows) -> NDArray[np.int64]:
    """Fit a detector to windows, and return those that are held out."""
    if is_own(estimator):
        estimator.fit(windows)
        return np.asarray(estimator.held_out_)
    sequences = as_sequences(windows, "from_dtype")
    trained_on, held_out = hold_out(sequences, HELD_OUT, 0, windows.spans)
    estimator.fit(as_input(estimator, windows[trained_on]))
    return held_out


def read_steps(estimator: Any, series: LongSeries) -> Sequences:
    """Return the steps of series, with the categories that a fitted detector has learned."""
    if not is_own(estimator):
        return series.steps
    learned = estimator._fitted_model.scaler.categories
    steps = series.encode([found is not None for found in learned] if learned else None)
    adopted: Sequences = estimator._read(steps)
    return adopted


def score_windows(
    estimator: Any,
    steps: Sequences,
    spans: Spans,
    known: TrainingWindows | None,
    with_errors: bool = False,
) -> WindowScores:
    """Return the scores of windows, in pieces of limited size."""
    cut = pieces(steps, spans)
    if not is_own(estimator):
        return WindowScores(np.concatenate([_score_other(estimator, part) for part in cut]))
    search = Neighbours(estimator._reference.neighbours)
    names = ("scores", "values", "shape")
    columns = np.empty((len(names), len(spans)))
    longest = int((spans[:, 1] - spans[:, 0]).max())
    errors = np.full((len(spans), longest), np.nan) if with_errors else None
    row = 0
    for part in cut:
        found = score_own(estimator, part, known, search, with_errors)
        rows = slice(row, row + len(part))
        columns[:, rows] = [getattr(found, name) for name in names]
        if errors is not None and found.errors is not None:
            errors[rows, : found.errors.shape[1]] = found.errors
        row += len(part)
    scores, values, shape = columns
    return WindowScores(scores, values, shape, errors)


def score_own(
    estimator: OutlierScoringAutoencoder,
    windows: Sequences,
    known: TrainingWindows | None,
    search: Neighbours,
    with_errors: bool,
) -> WindowScores:
    """Return the scores of windows by a detector of this package, given its neighbours."""
    features, errors, _ = estimator._examine(windows)
    apart = None
    if known is not None:
        local = np.stack([windows.offsets[:-1], windows.offsets[1:]], axis=1)
        apart = known.runs.find(windows.values, local), known.neighbours
    ranked = estimator._ranked(windows, errors)
    reference = estimator._reference
    components = reference.anomaly_scores(windows, ranked, features, apart, search)
    values, shape = np.log1p(components[:, :2]).T
    observed = np.add.reduceat(~np.isnan(windows.values).all(axis=1), windows.offsets[:-1])
    scores = np.where(observed > 0, -values - SHAPE * shape, np.nan)
    values, shape = (np.where(observed > 0, x, np.nan) for x in (values, shape))
    around = None
    if with_errors:
        relative = np.minimum(ranked / reference.channel_errors, MOST_ERROR)
        around = _around(windows, relative)
    return WindowScores(scores, values, shape, around)


def _around(windows: Sequences, errors: Floats) -> Floats:
    """Return the mean error around each step of windows, (n_windows, longest)."""
    shape = len(windows), int(windows.lengths.max())
    at = windows.owners, np.arange(len(errors)) - windows.offsets[:-1][windows.owners]
    counts = (~np.isnan(errors)).sum(axis=1)
    known, sums = np.zeros(shape, dtype=bool), np.zeros(shape)
    known[at] = counts > 0
    sums[at] = np.nansum(errors, axis=1) / np.maximum(counts, 1)
    half, steps = int(AROUND * shape[1] / 2), np.arange(shape[1])
    first, stop = np.maximum(steps - half, 0), np.minimum(steps + half + 1, shape[1])
    before = np.zeros((len(windows), 1))
    totals = [np.hstack([before, np.cumsum(x, axis=1)]) for x in (sums, known)]
    total, count = (x[:, stop] - x[:, first] for x in totals)
    means: Floats = total / np.where(count > 0, count, np.nan)
    return means


def _score_other(estimator: Any, windows: Sequences) -> Floats:
    method = getattr(estimator, "score_samples", None) or estimator.decision_function
    return np.asarray(method(as_input(estimator, windows)), dtype=np.float64).ravel()


def pieces(steps: Sequences, spans: Spans) -> Iterator[Sequences]:
    """Return windows of series in pieces of limited size."""
    longest = int((spans[:, 1] - spans[:, 0]).max(initial=1))
    size = max(1, AT_ONCE // (longest * steps.n_channels))
    form = WindowArray(longest, str(steps.values.dtype), columns=steps.channel_names)
    for start in range(0, len(spans), size):
        yield cut_windows(steps, spans[start : start + size], form)


def training_windows(
    estimator: Any, steps: Sequences, spans: Spans, size: int
) -> TrainingWindows | None:
    """Return what is kept of the training windows; None for other detectors."""
    if not is_own(estimator):
        return None
    kept = choose_neighbours(len(spans), estimator._seed)
    return TrainingWindows(KnownRuns.of(steps.values, steps.offsets, size), spans[kept])


def as_input(estimator: Any, windows: Windows | Sequences) -> Any:
    """Return windows as a detector takes them: sequences, or rows of a table."""
    first = estimator
    while getattr(first, "steps", None):  # of a pipeline
        first = first.steps[0][1]
    if get_tags(first).input_tags.three_d_array:
        return windows
    sequences = as_sequences(windows, "from_dtype")
    if sequences.categories:
        raise ValueError(
            f"Expected numbers for {type(estimator).__name__}, got series with categories: encode "
            "them as numbers, or use an LSTMAutoencoderDetector."
        )
    sizes = np.unique(sequences.lengths)
    if len(sizes) > 1 or getattr(first, "n_features_in_", sizes[0] * sequences.n_channels) != (
        sizes[0] * sequences.n_channels
    ):
        raise ValueError(
            f"Expected series of at least one window for {type(estimator).__name__}, which takes "
            f"windows of one size, got one of {sizes[0]} time stamps: give longer series, or use "
            "an LSTMAutoencoderDetector."
        )
    return sequences.values.reshape(len(sequences), -1)
