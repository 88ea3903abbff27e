"""Scores of time stamps, of the scores of their windows and of errors around them.

All windows across the ends of an anomaly have low scores, but a normal time stamp beside it is in
normal windows, too. So a component of a time stamp is the mean of that of its windows, as the user
aggregates them, and of the most normal one of them. It is the harmonic mean where scores have a
zero, as then the most normal window alone can make a time stamp normal.

An autoencoder's errors tell more precisely where something is abnormal: half of the component
"values" is that of the mean error around the time stamp. Where that of forecast errors is larger
(`series_forecasts`), "values" is this one.

Where all this makes a normal score, the most abnormal window and the largest forecast error near
the time stamp count, too, but no more than such a score would: time stamps beside an anomaly are
more abnormal than others, and less so than any anomaly.
"""

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.spans import Spans, count_disjoint
from sklearn_seqae.windows import merge_spans

from .anomaly_score import LEAST_RATIO, LogTDistribution
from .intervals import SHAPE
from .window_scores import WindowScores

Floats = NDArray[np.float64]

# About the score that one normal window in a hundred has. That of the most abnormal window of a
# time stamp, or of a forecast near it, counts up to this, and so many times as much as all else.
SUSPECT = 2.0
SUSPECT_WEIGHT = 4.0


def step_errors(found: WindowScores, spans: Spans, n_steps: int, aggregation: str) -> Floats | None:
    """Return the logarithms of mean errors around steps; None if there are none."""
    if found.errors is None:
        return None
    merged = merge_spans(found.errors, spans, n_steps, aggregation)
    return np.log(np.maximum(merged, LEAST_RATIO))


def fit_step_errors(
    errors: Floats | None, is_held_out: NDArray[np.bool_], held_out: Spans
) -> LogTDistribution | None:
    """Return the distribution of what `step_errors` returned of the training series.

    `held_out` are the spans of the windows that were held out.
    """
    if errors is None or np.isnan(errors).all():
        return None
    known = ~np.isnan(errors)
    n = count_disjoint(held_out)
    parts = errors[known & ~is_held_out], errors[known & is_held_out]
    return LogTDistribution.fit_held_out(*parts, n)


def score_steps(
    found: WindowScores,
    spans: Spans,
    n_steps: int,
    aggregation: str,
    errors: Floats | None = None,
    normal: LogTDistribution | None = None,
    forecasts: tuple[Floats, Floats] | None = None,
) -> Floats:
    """Return the scores of steps: the lower, the more abnormal; NaN where no window has one.

    Parameters
    ----------
    found : WindowScores
    spans : ndarray of shape (n_windows, 2)
    n_steps : int
    aggregation : {"mean", "median", "last"}
    errors : ndarray of shape (n_steps,), or None
        What `step_errors` returned.
    normal : LogTDistribution or None
        Their distribution.
    forecasts : tuple of (ndarray, ndarray), or None
        What a `SeriesForecasts` returned.

    Returns
    -------
    ndarray of shape (n_steps,)
        Scores of detectors of this package are at most 0, the most normal one.
    """
    if found.values is None or found.shape is None:
        merged = merge_spans(found.scores, spans, n_steps, aggregation)
        if aggregation == "last":
            return merged
        return (merged + merge_spans(found.scores, spans, n_steps, "max")) / 2
    if aggregation == "last":
        values, shape = (
            merge_spans(x, spans, n_steps, "last") for x in (found.values, found.shape)
        )
        return score_last(values, shape, None if forecasts is None else forecasts[0])
    values, shape = (_located(x, spans, n_steps, aggregation) for x in (found.values, found.shape))
    if errors is not None and normal is not None:
        of_errors = np.log1p(normal.neg_logsf(errors))
        values = np.where(np.isnan(of_errors), values, (values + of_errors) / 2)
    suspect = -merge_spans(found.scores, spans, n_steps, "min")
    if forecasts is not None:
        values, suspect = np.maximum(values, forecasts[0]), np.maximum(suspect, forecasts[1])
    score = values + SHAPE * shape
    suspect = np.minimum(suspect, SUSPECT)
    beside: Floats = (score + SUSPECT_WEIGHT * suspect) / (1 + SUSPECT_WEIGHT)
    return -np.maximum(score, beside)


def score_last(values: Floats, shape: Floats, forecasts: Floats | None) -> Floats:
    """Return the scores of the last steps of windows, given those of causal forecasts."""
    if forecasts is not None:
        values = np.maximum(values, forecasts)
    return -(values + SHAPE * shape)


def _located(values: Floats, spans: Spans, n_steps: int, aggregation: str) -> Floats:
    """Return the harmonic mean of merged values, at least 0, and of the lowest of each step."""
    merged = merge_spans(values, spans, n_steps, aggregation)
    lowest = merge_spans(values, spans, n_steps, "min")
    sums = merged + lowest
    located: Floats = 2 * merged * lowest / np.where(sums > 0, sums, 1.0)
    return located
