"""Location and scale of single sequences, for `scaler="per_sequence"`."""

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences

# Differences below this share of a channel's spread count as none: a constant sequence is divided
# by it rather than by zero, and locations that differ by less stay near zero in the statistics.
FLOOR = 1e-3

_Floats = NDArray[np.float64]


def raw_statistics(sequences: Sequences, channel_scale: _Floats) -> _Floats:
    """Return mean and log-scale of each sequence, (n_sequences, 2 * n_channels); NaN if unknown."""
    mean, variance, _ = _moments(sequences)
    return np.hstack([mean, 0.5 * np.log(variance + (FLOOR * channel_scale) ** 2)])


def typical_deviation(sequences: Sequences, otherwise: _Floats) -> _Floats:
    """Return the median deviation within sequences, of those in which a channel varies at all.

    Parameters
    ----------
    sequences : Sequences
    otherwise : ndarray of shape (n_channels,)
        What to return of channels that vary in no sequence.
    """
    mean, variance, count = _moments(sequences)
    deviations = np.sqrt(variance)
    # A mean of equal values differs from these by rounding.
    varies = deviations > count * np.finfo(np.float64).eps * np.abs(mean)
    medians = [
        np.median(column[kept])
        for column, kept in zip(deviations.T, varies.T, strict=True)
        if kept.any()
    ]
    typical = otherwise.copy()
    typical[varies.any(axis=0)] = medians
    return typical


def _moments(sequences: Sequences) -> tuple[_Floats, _Floats, _Floats]:
    """Return mean, variance and number of each sequence's values; NaN where there are none."""
    observed = ~np.isnan(sequences.values)
    values = np.where(observed, sequences.values, 0.0).astype(np.float64)
    count = _sums(observed.astype(np.float64), sequences)
    known = count > 0
    unknown = np.full_like(count, np.nan)
    mean = np.divide(_sums(values, sequences), count, where=known, out=unknown.copy())
    squares = np.where(observed, values - mean[sequences.owners], 0.0) ** 2
    variance = np.divide(_sums(squares, sequences), count, where=known, out=unknown)
    return mean, variance, count


def _sums(values: _Floats, sequences: Sequences) -> _Floats:
    """Return the sum of every sequence, (n_sequences, n_channels)."""
    sums = np.zeros((len(sequences), values.shape[1]))
    filled = sequences.lengths > 0  # reduceat knows no empty segments
    if filled.any():
        sums[filled] = np.add.reduceat(values, sequences.offsets[:-1][filled], axis=0)
    return sums
