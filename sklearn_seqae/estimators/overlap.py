"""Whether sequences are overlapping windows of longer ones, found in linear time.

Of two windows that overlap, one begins with the run of steps that the other ends in. Many sequences
whose beginnings are found so, all of them the same number of steps into another, are windows of one
stride. Sequences of few symbols, counts or constants share runs too, but then just as often at the
same place, and these are what the number of others is held against: independent sequences agree at
one place as often as at any two.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.exceptions import OverlapWarning

# What part of a sequence is searched for in others: windows that share less are not found.
SHARED = 0.25
# Beginnings that are searched for, and steps of sequences that are searched, at most.
MAX_SEARCHED = 2000
MAX_STEPS = 2_000_000
# So many of them, and such a part, have to be in others at one place, and so many times as many as
# are in others at their own place.
LEAST_FOUND = 15
LEAST_PART = 0.02
LEAST_RATIO = 10

Hashes = NDArray[np.uint64]


def warn_of_overlap(sequences: Sequences, stacklevel: int) -> None:
    """Warn if sequences are windows that overlap, as far as can be seen from their values."""
    stride = find_stride(sequences)
    if stride is not None:
        warnings.warn(
            f"Many sequences of X begin with the values that others have from step {stride} on, as "
            "windows of one series do that overlap. Held-out ones then share values with those "
            "trained on, so that new ones seem unlike any: cut the series into blocks of time, "
            "windows within each, and give fit(X, groups=...) the block of each window.",
            OverlapWarning,
            stacklevel=stacklevel,
        )


def find_stride(sequences: Sequences) -> int | None:
    """Return by how many steps windows overlap; None where sequences are none.

    Of several strides it is the least.
    """
    if sequences.offsets[-1] > MAX_STEPS:
        drawn = np.random.default_rng(0).permutation(len(sequences))
        n_drawn = int(len(sequences) * MAX_STEPS / sequences.offsets[-1])
        sequences = sequences.take(drawn[:n_drawn])
    lengths = sequences.lengths
    size = max(2, int(SHARED * np.median(lengths[lengths > 0]))) if lengths.any() else 0
    long = np.flatnonzero(lengths > size)
    if len(long) < LEAST_FOUND:
        return None
    rows = _hash_rows(sequences.values)
    sums, powers = _prefix_sums(rows)
    starts = sequences.offsets[:-1]
    beginnings = _hash_runs(sums, powers, starts[long], size)
    # Those that others have at the same place are not searched for, but count against the rest.
    known, first, counts = np.unique(beginnings, return_index=True, return_counts=True)
    chosen = np.unique(np.linspace(0, len(known) - 1, MAX_SEARCHED).astype(np.int64))
    n_common = int(np.sum(counts[chosen] > 1))
    alone = chosen[counts[chosen] == 1]
    known, searched = known[alone], long[first[alone]]
    if len(known) < LEAST_FOUND:
        return None
    # Every run of that size within a sequence, and which beginning it is.
    owners = sequences.owners
    ends = sequences.offsets[1:][owners]
    places = np.flatnonzero(np.arange(len(owners)) + size <= ends)
    runs = _hash_runs(sums, powers, places, size)
    found = np.minimum(np.searchsorted(known, runs), len(known) - 1)
    is_known = (known[found] == runs) & (places > starts[owners[places]])
    places, found = places[is_known], found[is_known]
    # It has to go on to the end of one of the two, and these are two.
    shared = np.minimum(ends[places] - places, lengths[searched[found]])
    mine = _hash_runs(sums, powers, places, shared)
    theirs = _hash_runs(sums, powers, starts[searched[found]], shared)
    overlaps = (mine == theirs) & (owners[places] != searched[found])
    places, found = places[overlaps], found[overlaps]
    # Each beginning counts once a stride.
    strides = np.unique((places - starts[owners[places]]) * len(known) + found) // len(known)
    enough = max(LEAST_FOUND, LEAST_PART * len(known)) + LEAST_RATIO * n_common
    frequent = np.flatnonzero(np.bincount(strides) >= enough)
    return int(frequent[0]) if len(frequent) else None


def _hash_rows(values: NDArray) -> Hashes:
    """Return a number for each step, the same for the same values, missing ones too."""
    hashes = np.zeros(len(values), np.uint64)
    for channel, key in zip(values.T, _keys(values.shape[1]), strict=True):
        canonical = np.where(np.isnan(channel), np.nan, channel.astype(np.float64) + 0.0)
        hashes = _mix(hashes ^ (canonical.view(np.uint64) * key))
    return hashes


def _keys(n: int) -> Hashes:
    return np.random.default_rng(0).integers(2**63, size=n, dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)


def _mix(hashes: Hashes) -> Hashes:
    """Spread what differs over all bits (the finaliser of MurmurHash3)."""
    for key in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(key)
    return hashes ^ (hashes >> np.uint64(33))


def _prefix_sums(hashes: Hashes) -> tuple[Hashes, Hashes]:
    """Return what `_hash_runs` needs: sums of numbers times powers of a base, and these powers."""
    powers = np.full(len(hashes) + 1, _keys(1)[0])
    powers[0] = 1
    powers = np.cumprod(powers, dtype=np.uint64)
    sums = np.concatenate(
        [np.zeros(1, np.uint64), np.cumsum(hashes * powers[:-1], dtype=np.uint64)]
    )
    return sums, powers


def _hash_runs(
    sums: Hashes, powers: Hashes, starts: NDArray[np.int64], sizes: NDArray[np.int64] | int
) -> Hashes:
    """Return a number for each run of steps, whatever stands before it (Rabin and Karp)."""
    # All are raised to the power of the last step, as a division by powers is not needed then.
    return (sums[starts + sizes] - sums[starts]) * powers[len(powers) - 1 - starts]
