"""Which training sequences, or whole groups of them, are held out from training."""

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences


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
    groups : ndarray of shape (n_sequences,), optional
        The group of each sequence, as an integer from 0 on. Of a group all are held out, or none.

    Returns
    -------
    trained_on, held_out : ndarray of int64
        Indices, in their order.
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
    else:
        chosen = _choose(groups[candidates], n_held_out, rng)
        held_out = candidates[np.isin(groups[candidates], chosen)]
    return np.setdiff1d(everything, held_out), np.sort(held_out)


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
