"""Figures over real values: moments, R2, and errors by sequence, step, channel and value.

Missing values are NaN here and count for nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .sequences import Sequences

Floats = NDArray[np.float64]


def moments(sequences: Sequences) -> tuple[Floats, Floats]:
    """Return mean and variance of each channel, (n_channels,) each; 0.0 where nothing is real."""
    values = sequences.values.astype(np.float64)
    count = np.maximum(np.isfinite(values).sum(axis=0), 1)
    mean = np.nansum(values, axis=0) / count
    return mean, np.nansum((values - mean) ** 2, axis=0) / count


def r2(true: Sequences, predicted: Sequences, mean: Floats, variance: Floats) -> float:
    """Return R2 against a baseline `mean`, channels weighed by one over `variance`.

    Channels of variance 0.0 do not count. Without any spread it is 1.0 for a perfect prediction and
    0.0 for others, as in `sklearn.metrics.r2_score`.
    """
    values = true.values.astype(np.float64)
    weights = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0)
    error = np.nansum((values - predicted.values) ** 2, axis=0) @ weights
    spread = np.nansum((values - mean) ** 2, axis=0) @ weights
    if spread == 0.0:
        return 1.0 if error == 0.0 else 0.0
    return float(1.0 - error / spread)


def mean_squared_error(
    true: Sequences, predicted: Sequences, per: str, channels: NDArray[np.int64] | None = None
) -> Any:
    """Return mean squared errors over real values; 0.0 where there are none, NaN per value.

    Parameters
    ----------
    true, predicted : Sequences
        Of equal lengths.
    per : {"sequence", "step", "channel", "value"}
    channels : ndarray of shape (n_values,), default=None
        Index of the channel that each value of a step belongs to, where symbols are spread over
        several: the errors of these are added up to that of one value. None: one each.

    Returns
    -------
    errors : ndarray or list of ndarray, dtype float64
        Per sequence (n_sequences,); per channel (n_sequences, n_channels); per step one (n_steps,)
        array a sequence, per value one (n_steps, n_channels) array.
    """
    squared = (true.values.astype(np.float64) - predicted.values) ** 2
    if channels is not None and not np.array_equal(channels, np.arange(len(channels))):
        order = np.argsort(channels, kind="stable")
        starts = np.unique(channels[order], return_index=True)[1]
        squared = np.add.reduceat(squared[:, order], starts, axis=1)
    if per == "value":
        return np.split(squared, true.offsets[1:-1])
    real = np.isfinite(squared)
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
