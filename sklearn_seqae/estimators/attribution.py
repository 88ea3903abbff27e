"""What makes a sequence odd, as a table: which steps and channels, or its shape or length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences

from .anomaly_score import PARTS, Norm


def blame(
    sequences: Sequences,
    expected: Sequences,
    errors: NDArray[np.float64],
    shares: NDArray[np.float64],
    oddness: NDArray[np.float64],
    norm: Norm,
    names: Sequence[Any],
    top: int | None,
) -> dict[str, list[Any]]:
    """Return the columns of a table with a row a value, and one for each other part of oddness.

    Parameters
    ----------
    sequences, expected : Sequences
        As they were, and as they came back.
    errors : ndarray of shape (total_steps, n_channels)
        Squared errors, NaN for missing values.
    shares : ndarray of shape (total_steps, n_channels)
        Of each value in the error of its sequence.
    oddness : ndarray of shape (n_sequences, 3)
        As `norm` found it.
    norm : Norm
    names : sequence
        Of the channels.
    top : int or None
        The most rows of values that a sequence has; None for all.
    """
    n = len(sequences)
    totals = oddness.sum(axis=1, keepdims=True)
    by_values, by_shape, by_length = (oddness / np.where(totals > 0, totals, 1.0)).T
    steps, channels = _most_to_blame(sequences, errors, shares, top)
    owners = sequences.owners[steps]
    rows = np.concatenate([owners, np.arange(n), np.arange(n)])
    nothing = [None] * n
    columns: dict[str, list[Any]] = {
        "sequence": rows.tolist(),
        "part": [PARTS[0]] * len(owners) + [PARTS[1]] * n + [PARTS[2]] * n,
        "step": (steps - sequences.offsets[owners]).tolist() + nothing + nothing,
        "channel": [names[j] for j in channels] + nothing + nothing,
        "observed": [*_values(sequences, steps, channels), *nothing, *sequences.lengths.tolist()],
        "expected": [
            *_values(expected, steps, channels),
            *nothing,
            *norm.nearest_lengths(sequences).tolist(),
        ],
        "error": errors[steps, channels].tolist() + nothing + nothing,
        "share": [
            *(shares[steps, channels] * by_values[owners]).tolist(),
            *by_shape.tolist(),
            *by_length.tolist(),
        ],
    }
    share = np.array(columns["share"])
    order = np.lexsort([-share, rows])  # stable, so values come first
    # A length as others have says nothing, and that a shape is usual is worth a row.
    order = order[(share[order] > 0) | (np.array(columns["part"])[order] != PARTS[2])]
    return {name: [column[i] for i in order] for name, column in columns.items()}


def _most_to_blame(
    sequences: Sequences,
    errors: NDArray[np.float64],
    shares: NDArray[np.float64],
    top: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and channels of the values of each sequence with the largest shares."""
    steps, channels = np.nonzero(~np.isnan(errors))
    owners = sequences.owners[steps]
    order = np.lexsort([-shares[steps, channels], owners])
    if top is not None:
        # Sequences stay together, and each has its own places from 0 on.
        places = np.arange(len(owners)) - np.searchsorted(owners, owners)
        order = order[places < top]
    return steps[order], channels[order]


def _values(
    sequences: Sequences, steps: NDArray[np.int64], channels: NDArray[np.int64]
) -> list[Any]:
    """Return values of sequences, symbols for their codes."""
    values: list[Any] = sequences.values[steps, channels].tolist()
    for i, j in enumerate(channels):
        found = sequences.labels[j] if sequences.labels else None
        if found is not None:
            values[i] = found.values[int(values[i])]
    return values
