"""Attribution of anomaly scores to steps and channels, to shape and to length, as a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences

from .anomaly_score import COMPONENTS, ReferenceDistribution


def attribution_columns(
    sequences: Sequences,
    expected: Sequences,
    errors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    scores: NDArray[np.float64],
    reference: ReferenceDistribution,
    names: Sequence[Any],
    top: int | None,
) -> dict[str, list[Any]]:
    """Return the columns of the table: rows of values, and one row each for shape and length.

    Parameters
    ----------
    sequences, expected : Sequences
        Sequences and their reconstructions, in the units of the data.
    errors : ndarray of shape (total_steps, n_channels)
        Squared errors, NaN for missing values.
    fractions : ndarray of shape (total_steps, n_channels)
        Fraction of its sequence's error of each value.
    scores : ndarray of shape (n_sequences, 3)
        Anomaly scores of the three components.
    reference : ReferenceDistribution
        The distribution that gave these scores.
    names : sequence
        Names of the channels.
    top : int or None
        Largest number of values per sequence; None for all.
    """
    n = len(sequences)
    totals = scores.sum(axis=1, keepdims=True)
    by_values, by_shape, by_length = (scores / np.where(totals > 0, totals, 1.0)).T
    steps, channels = _largest_values(sequences, errors, fractions, top)
    owners = sequences.owners[steps]
    rows = np.concatenate([owners, np.arange(n), np.arange(n)])
    nothing = [None] * n
    columns: dict[str, list[Any]] = {
        "sequence": rows.tolist(),
        "part": [COMPONENTS[0]] * len(owners) + [COMPONENTS[1]] * n + [COMPONENTS[2]] * n,
        "step": (steps - sequences.offsets[owners]).tolist() + nothing + nothing,
        "channel": [names[j] for j in channels] + nothing + nothing,
        "observed": [*_values(sequences, steps, channels), *nothing, *sequences.lengths.tolist()],
        "expected": [
            *_values(expected, steps, channels),
            *nothing,
            *reference.nearest_lengths(sequences).tolist(),
        ],
        "error": errors[steps, channels].tolist() + nothing + nothing,
        "share": [
            *(fractions[steps, channels] * by_values[owners]).tolist(),
            *by_shape.tolist(),
            *by_length.tolist(),
        ],
    }
    share = np.array(columns["share"])
    order = np.lexsort([-share, rows])  # stable, so values come first
    # A length within the range of training gets no row; shape always gets one.
    order = order[(share[order] > 0) | (np.array(columns["part"])[order] != COMPONENTS[2])]
    return {name: [column[i] for i in order] for name, column in columns.items()}


def _largest_values(
    sequences: Sequences,
    errors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    top: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and channels of the values of each sequence with the largest errors."""
    steps, channels = np.nonzero(~np.isnan(errors))
    owners = sequences.owners[steps]
    order = np.lexsort([-fractions[steps, channels], owners])
    if top is not None:
        # Rank of each value within its sequence.
        ranks = np.arange(len(owners)) - np.searchsorted(owners, owners)
        order = order[ranks < top]
    return steps[order], channels[order]


def _values(
    sequences: Sequences, steps: NDArray[np.int64], channels: NDArray[np.int64]
) -> list[Any]:
    """Return values of sequences, with categories in place of their integer codes."""
    values: list[Any] = sequences.values[steps, channels].tolist()
    for i, j in enumerate(channels):
        found = sequences.categories[j] if sequences.categories else None
        if found is not None:
            values[i] = found.values[int(values[i])]
    return values
