"""Scores of windows by any outlier detector, and of time stamps by those of their windows.

A window is scored by log(1 + values) + log(1 + shape), of the two components of an
`LSTMAutoencoderDetector`: the logarithm, as a component of 300 is hardly more abnormal than one of
100, but would hide the other. Any other detector has a score of its own.

A time stamp has the mean of two figures: the scores of its windows as the user aggregates them, and
the most normal one of them. All windows across the ends of an anomaly have low scores, but a normal
time stamp beside it is in normal windows, too. It is the harmonic mean where scores have a zero,
as then the most normal window alone can make a time stamp normal.
"""

from collections.abc import Iterator
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
from sklearn_seqae.windows import merge_spans

from .anomaly_score import choose_neighbours
from .known_runs import KnownRuns, TrainingWindows
from .outlier_scores import OutlierScoringAutoencoder

Floats = NDArray[np.float64]

# Values in the windows that are scored in one piece.
AT_ONCE = 500_000
# Fraction of time that is held out from detectors that hold out nothing themselves.
HELD_OUT = 0.1


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
    estimator: Any, steps: Sequences, spans: Spans, known: TrainingWindows | None
) -> Floats:
    """Return the scores of windows: the lower, the more abnormal; NaN without observed values."""
    scores = np.full(len(spans), np.nan)
    if is_own(estimator):
        for rows, windows in pieces(steps, spans):
            scores[rows] = score_own(estimator, windows, known)
        return scores
    method = getattr(estimator, "score_samples", None) or estimator.decision_function
    for rows, windows in pieces(steps, spans):
        scores[rows] = np.asarray(method(as_input(estimator, windows)), dtype=np.float64).ravel()
    return scores


def score_own(
    estimator: OutlierScoringAutoencoder, windows: Sequences, known: TrainingWindows | None
) -> Floats:
    """Return the scores of windows by a detector of this package."""
    features, errors, _ = estimator._examine(windows)
    apart = None
    if known is not None:
        local = np.stack([windows.offsets[:-1], windows.offsets[1:]], axis=1)
        apart = known.runs.find(windows.values, local), known.neighbours
    ranked = estimator._ranked(windows, errors)
    components = estimator._reference.anomaly_scores(windows, ranked, features, apart)
    scores = -np.log1p(components[:, :2]).sum(axis=1)
    observed = np.add.reduceat(~np.isnan(windows.values).all(axis=1), windows.offsets[:-1])
    return np.where(observed > 0, scores, np.nan)


def score_steps(
    scores: Floats, spans: Spans, n_steps: int, aggregation: str, has_zero: bool
) -> Floats:
    """Return the scores of time stamps, of those of windows; NaN where no window has one.

    With `has_zero` scores are at most 0, the most normal one.
    """
    merged = merge_spans(scores, spans, n_steps, aggregation)
    if aggregation == "last":
        return merged
    highest = merge_spans(scores, spans, n_steps, "max")
    if not has_zero:
        return (merged + highest) / 2
    sums = merged + highest
    return 2 * merged * highest / np.where(sums < 0, sums, 1.0)


def pieces(steps: Sequences, spans: Spans) -> Iterator[tuple[slice, Sequences]]:
    """Return windows of series in pieces of limited size, with their positions."""
    longest = int((spans[:, 1] - spans[:, 0]).max(initial=1))
    size = max(1, AT_ONCE // (longest * steps.n_channels))
    form = WindowArray(longest, str(steps.values.dtype), columns=steps.channel_names)
    for start in range(0, len(spans), size):
        rows = slice(start, start + size)
        yield rows, cut_windows(steps, spans[rows], form)


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
