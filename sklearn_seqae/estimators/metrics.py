"""Metrics over observed values: moments, R2, and errors per sequence, step, channel and value.

Missing values are NaN in the true sequences, and are ignored. The error of a NaN in the predicted
ones is infinite.
"""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning

from sklearn_seqae.containers.registry import Sequences

Floats = NDArray[np.float64]

# A prediction whose difference from the true value is smaller, relative to the channel's scale (1
# for a constant channel), is exact: the network computes in float32.
EXACT = 4 * float(np.finfo(np.float32).eps)


def moments(sequences: Sequences) -> tuple[Floats, Floats]:
    """Return mean and variance of each channel, (n_channels,) each; 0.0 without values."""
    values = sequences.values.astype(np.float64)
    count = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    mean = np.nansum(values, axis=0) / count
    return mean, np.nansum((values - mean) ** 2, axis=0) / count


def r2(pairs: Iterable[tuple[Sequences, Sequences]], mean: Floats, variance: Floats) -> float:
    """Return R2 relative to a baseline `mean`, channels weighted by the inverse of `variance`.

    True and predicted sequences come in any number of pairs. Channels of variance 0.0 are ignored.
    If the others are constant, R2 is 1.0 for an exact prediction and 0.0 otherwise, as in
    `sklearn.metrics.r2_score`; without any value it is NaN.
    """
    counts = variance > 0
    scale = np.where(counts, np.sqrt(variance), 1.0)
    errors, spread = np.zeros(len(mean)), np.zeros(len(mean))
    is_known, is_exact = False, True
    for true, predicted in pairs:
        values = true.values.astype(np.float64)
        missing = np.isnan(values)
        squared = _squared(true, predicted)
        squared[missing] = 0.0
        errors += squared.sum(axis=0)
        spread += np.nansum((values - mean) ** 2, axis=0)
        rounding = EXACT * scale + 4 * np.finfo(np.float64).eps * np.abs(values)
        is_exact &= bool((missing | (np.sqrt(squared) <= rounding)).all())
        is_known |= not missing.all()
    if not is_known:
        warnings.warn(
            "R2 is not defined without any observed value: it is NaN. Remove sequences without "
            "observed values.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
        return float("nan")
    weights = 1.0 / variance[counts]
    total = spread[counts] @ weights
    if total == 0.0:
        return float(is_exact)
    return float(1.0 - errors[counts] @ weights / total)


def _squared(true: Sequences, predicted: Sequences) -> Floats:
    """Return squared errors, NaN where a value is missing, infinite where the prediction is NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = (true.values.astype(np.float64) - predicted.values) ** 2
    squared[np.isnan(predicted.values) & ~np.isnan(true.values)] = np.inf
    return squared


def mean_squared_error(
    true: Sequences, predicted: Sequences, per: str, channels: NDArray[np.int64] | None = None
) -> Any:
    """Return mean squared errors over observed values; 0.0 without any, NaN for a missing value.

    Parameters
    ----------
    true, predicted : Sequences
        Of equal lengths.
    per : {"sequence", "step", "channel", "value"}
    channels : ndarray of shape (n_values,), default=None
        Index of the channel of each value of a step, where categories are one-hot encoded: errors
        of the values of a channel are summed. None means one value per channel.

    Returns
    -------
    errors : ndarray or list of ndarray, dtype float64
        An array (n_sequences,) per sequence, or (n_sequences, n_channels) per channel; a list of
        arrays (n_steps,) per step, or (n_steps, n_channels) per value.
    """
    squared = _squared(true, predicted)
    if channels is not None and not np.array_equal(channels, np.arange(len(channels))):
        order = np.argsort(channels, kind="stable")
        starts = np.unique(channels[order], return_index=True)[1]
        squared = np.add.reduceat(squared[:, order], starts, axis=1)
    if per == "value":
        return np.split(squared, true.offsets[1:-1])
    real = ~np.isnan(squared)
    squared[~real] = 0.0
    if per == "step":
        return np.split(_ratio(squared.sum(axis=1), real.sum(axis=1)), true.offsets[1:-1])
    sums, counts = (
        np.stack([np.bincount(true.owners, column, len(true)) for column in part.T], axis=1)
        for part in (squared, real)
    )
    if per == "channel":
        return _ratio(sums, counts)
    return _ratio(sums.sum(axis=1), counts.sum(axis=1))


def _ratio(sums: NDArray[Any], counts: NDArray[Any]) -> Floats:
    return sums / np.maximum(counts, 1)
