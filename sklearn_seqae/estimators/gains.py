"""How much one prediction counts beside another, by the errors of held-out sequences."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

# The share of the first one's squared error that the second one must take off to count.
LEAST_LOWERED = 0.02
# How sure that must be, by a t-test over sequences, for each of many channels.
SURE = 0.999
TINY = np.finfo(float).tiny


def least_squares_gains(
    errors: NDArray[Any],
    changes: NDArray[Any],
    owners: NDArray[np.int64],
    channel_groups: tuple[int, ...],
    n_sequences: int,
    sure: float = SURE,
    least_lowered: float = LEAST_LOWERED,
) -> NDArray[np.float64]:
    """Return the gain of each channel with which a change of a prediction has the least error.

    It is zero where the error is hardly lower, or lower in some sequences only, as it is by chance.

    Parameters
    ----------
    errors : ndarray of shape (total_steps, n_channels)
        Of the first prediction; NaN where a value is missing.
    changes : ndarray of shape (total_steps, n_channels)
        The second prediction less the first.
    owners : ndarray of shape (total_steps,)
        The sequence of each step, or the block of sequences.
    channel_groups : tuple of int
        Numbers of channels that have one gain.
    n_sequences : int
    sure, least_lowered : float
        How sure a lower squared error must be, and by what share it must be lower.

    Returns
    -------
    ndarray of shape (n_channels,)
    """
    products = np.nan_to_num([errors * changes, changes**2, errors**2]).astype(np.float64)
    bounds = np.cumsum([0, *channel_groups])
    of_groups = np.add.reduceat(products, bounds[:-1], axis=2)
    agreed, changed, squared = of_groups.sum(axis=1)
    gains = np.clip(agreed / np.maximum(changed, TINY), 0.0, 1.0)
    lowered = 2.0 * gains * of_groups[0] - gains**2 * of_groups[1]
    sums = np.zeros((n_sequences, len(gains)))
    np.add.at(sums, owners, lowered)
    spread = sums.std(axis=0, ddof=1) if n_sequences > 1 else np.inf
    noise = stdtrit(max(n_sequences - 1, 1), sure) * spread * np.sqrt(n_sequences)
    gains[sums.sum(axis=0) <= np.maximum(noise, least_lowered * squared)] = 0.0
    return np.repeat(gains, np.diff(bounds))
