"""Which training sequences, whole groups of them, or windows of blocks in time are held out."""

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.containers.spans import overlap_any

# A block of time that is held out is so many windows long, or this part of all time if that is
# longer, or shorter where there are few time stamps. Windows across its ends are lost to training.
WINDOWS_PER_BLOCK = 2
MOST_BLOCKS = 30
LEAST_BLOCKS = 4
# Least part of the windows that is left to train on.
LEAST_LEFT = 0.25


def hold_out(
    sequences: Sequences, fraction: float, seed: int, groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the sequences to train on and to hold out, of those that have an observed value.

    Parameters
    ----------
    sequences : Sequences
    fraction : float
        Of the sequences that are to be held out. Where that is less than one sequence, or there is
        one group only, none is.
    seed : int
    groups : ndarray of shape (n_sequences,) or (n_sequences, 2), optional
        The group of each sequence, as an integer from 0 on. Of a group all are held out, or none.
        Or the span of each window in time: windows of whole blocks in time are held out, and
        those that overlap one of these are not trained on.

    Returns
    -------
    trained_on, held_out : ndarray of int64
        Indices, in their order. Windows may be in none of both.
    """
    n = len(sequences)
    everything = np.arange(n)
    n_held_out = int(fraction * n)
    observed = np.isfinite(sequences.values).any(axis=1)
    counts = np.diff(np.concatenate([[0], np.cumsum(observed)])[sequences.offsets])
    candidates = np.flatnonzero(counts > 0)
    if n_held_out == 0 or len(candidates) < 2:
        return everything, everything[:0]
    rng = np.random.default_rng(seed)
    if groups is None:
        held_out = rng.permutation(candidates)[: min(n_held_out, len(candidates) - 1)]
    elif groups.ndim == 2:
        return _hold_out_blocks(groups, candidates, fraction, rng)
    else:
        chosen = _choose(groups[candidates], n_held_out, rng)
        held_out = candidates[np.isin(groups[candidates], chosen)]
    return np.setdiff1d(everything, held_out), np.sort(held_out)


def _hold_out_blocks(
    spans: NDArray[np.int64],
    candidates: NDArray[np.int64],
    fraction: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hold out the windows in random blocks of time, about `fraction` of all of it."""
    longest = int((spans[:, 1] - spans[:, 0]).max())
    total = int(spans[:, 1].max() - spans[:, 0].min())
    size = min(max(WINDOWS_PER_BLOCK * longest, total // MOST_BLOCKS), total // LEAST_BLOCKS)
    size = max(size, longest)
    n_blocks = max(1, round(fraction * total / size))
    left, held_out = np.ones(len(spans), dtype=bool), np.zeros(len(spans), dtype=bool)
    for first in spans[rng.permutation(candidates), 0]:
        if n_blocks == 0:
            break
        inside = (spans[:, 0] >= first) & (spans[:, 1] <= first + size)
        remain = left & ~overlap_any(spans, spans[inside])
        # Blocks do not overlap, and leave windows to train on.
        if left[inside].all() and remain[candidates].sum() >= LEAST_LEFT * len(candidates):
            left, held_out, n_blocks = remain, held_out | inside, n_blocks - 1
    seen = np.zeros(len(spans), dtype=bool)
    seen[candidates] = True
    return np.flatnonzero(left), np.flatnonzero(held_out & seen)


def _choose(groups: NDArray[np.int64], aim: int, rng: np.random.Generator) -> list[int]:
    """Return groups that hold about `aim` sequences: one at least, and never all.

    They come in random order, and one is taken if that brings the number nearer to the aim; if none
    does, the smallest is.
    """
    labels, sizes = np.unique(groups, return_counts=True)
    if len(labels) < 2:
        return []
    chosen: list[int] = []
    total = 0
    for i in rng.permutation(len(labels)):
        if abs(total + sizes[i] - aim) < abs(total - aim) and len(chosen) < len(labels) - 1:
            chosen.append(int(labels[i]))
            total += int(sizes[i])
    return chosen or [int(labels[sizes.argmin()])]
