"""Expected reconstruction errors within gaps, given those of the observed values around.

Errors of successive steps are correlated. They are modelled as an autoregressive process of first
order, for which the expected error within a gap is a weighted mean of the errors at its two ends,
and decays with the distance from these: a bridge (Rasmussen and Williams, Gaussian Processes for
Machine Learning, 2006, appendix B).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences

# Less than 1, for which a bridge would be a straight line, however long the gap.
MAX_CORRELATION = 0.999


def step_correlation(errors: Sequences) -> NDArray[np.float64]:
    """Return the correlation of errors of successive steps, (n_channels,), 0 to .999.

    NaN marks missing errors. It is 0 for a channel without successive errors.
    """
    values = errors.values.astype(np.float64)
    a, b = values[:-1], values[1:]
    known = np.isfinite(a) & np.isfinite(b) & (np.diff(errors.owners) == 0)[:, None]
    a, b = np.where(known, a, 0.0), np.where(known, b, 0.0)
    spread = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    sums = (a * b).sum(axis=0)
    correlation = np.divide(sums, spread, out=np.zeros_like(sums), where=spread > 0)
    return np.clip(correlation, 0.0, MAX_CORRELATION)


def bridge(errors: Sequences, correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors (total_steps, n_channels) with NaN replaced by expected errors."""
    known = np.isfinite(errors.values)
    values = np.where(known, errors.values, 0.0).astype(np.float64)
    steps = np.arange(len(values))[:, None]
    starts = errors.offsets[:-1][errors.owners][:, None]
    ends = errors.offsets[1:][errors.owners][:, None]
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=0)
    after = np.where(known, steps, len(values))[::-1]
    after = np.minimum.accumulate(after, axis=0)[::-1]
    # Powers of the correlation; 0 if the sequence has no known error on that side.
    left = _power(correlation, steps - before, before >= starts)
    right = _power(correlation, after - steps, after < ends)
    rest = 1.0 - (left * right) ** 2
    rest = np.where(rest > 0, rest, 1.0)
    expected = left * (1.0 - right**2) / rest * _at(values, before)
    expected += right * (1.0 - left**2) / rest * _at(values, after)
    return np.where(known, values, expected)


def _power(base: NDArray[Any], exponent: NDArray[Any], where: NDArray[Any]) -> NDArray[np.float64]:
    return np.where(where, base ** np.where(where, exponent, 1.0), 0.0)


def _at(values: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.take_along_axis(values, np.clip(index, 0, max(0, len(values) - 1)), axis=0)
