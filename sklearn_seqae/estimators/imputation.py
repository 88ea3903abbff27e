"""What the observed values around a gap say of the gap, beside the reconstruction.

A reconstruction misses by errors that are alike from one step to the next. Taken as an
autoregressive process of first order, the error within a gap is expected to be a weighted mean of
those at its two ends, and to fade where these are far: a bridge (Rasmussen and Williams, Gaussian
Processes for Machine Learning, 2006, appendix B).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences

# Below 1, at which a bridge would be a straight line however long the gap.
MAX_CORRELATION = 0.999


def step_correlation(errors: Sequences) -> NDArray[np.float64]:
    """Return how errors correlate with those of the step before, (n_channels,), 0 to .999.

    NaN marks missing errors. A channel without neighbours has 0.
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
    """Return errors (total_steps, n_channels) with the expected ones where NaN was."""
    known = np.isfinite(errors.values)
    values = np.where(known, errors.values, 0.0).astype(np.float64)
    steps = np.arange(len(values))[:, None]
    starts = errors.offsets[:-1][errors.owners][:, None]
    ends = errors.offsets[1:][errors.owners][:, None]
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=0)
    after = np.where(known, steps, len(values))[::-1]
    after = np.minimum.accumulate(after, axis=0)[::-1]
    # As powers of the correlation, which are 0 where a sequence has no known error on that side.
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
