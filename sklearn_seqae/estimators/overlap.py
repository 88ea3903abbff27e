"""Detection of overlapping windows among sequences, in linear time.

If two windows overlap, the first steps of the later one are the last steps of the earlier one. If
the beginnings of many sequences are found in others, at the same number of steps from their start,
the sequences are windows with this stride. Sequences of few categories, counts or constants have
equal subsequences too, but equally often at the same position. Their number is compared with that,
as independent sequences agree at one position as often as at two different ones.
"""

import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.exceptions import OverlapWarning

# Fraction of a sequence that is searched for in others: smaller overlaps are not detected.
SHARED = 0.25
# Maximum number of beginnings to search for, and of steps to search in.
MAX_SEARCHED = 2000
MAX_STEPS = 2_000_000
# Minimum number and fraction of beginnings that have to be found at one stride, and minimum ratio
# of their number to that of beginnings found at the same position.
LEAST_FOUND = 15
LEAST_PART = 0.02
LEAST_RATIO = 10

Hashes = NDArray[np.uint64]


def warn_of_overlap(sequences: Sequences, stacklevel: int) -> None:
    """Warn if sequences are overlapping windows, judging by their values."""
    stride = find_stride(sequences)
    if stride is not None:
        warnings.warn(
            f"Many sequences of X begin with the values that others have from step {stride} on, as "
            "overlapping windows of one series do. Held-out sequences then share values with "
            "training sequences, and scores of new ones are too low: cut the series by "
            "sklearn_seqae.windows.sliding_windows, or pass the block of time that each window was "
            "cut from as fit(X, groups=...).",
            OverlapWarning,
            stacklevel=stacklevel,
        )


def find_stride(sequences: Sequences) -> int | None:
    """Return the smallest stride of overlapping windows; None if sequences are not windows."""
    if sequences.offsets[-1] > MAX_STEPS:
        drawn = np.random.default_rng(0).permutation(len(sequences))
        n_drawn = int(len(sequences) * MAX_STEPS / sequences.offsets[-1])
        sequences = sequences.take(drawn[:n_drawn])
    lengths = sequences.lengths
    size = max(2, int(SHARED * np.median(lengths[lengths > 0]))) if lengths.any() else 0
    long = np.flatnonzero(lengths > size)
    if len(long) < LEAST_FOUND:
        return None
    rows = hash_rows(sequences.values)
    sums, powers = _prefix_sums(rows)
    starts = sequences.offsets[:-1]
    beginnings = _hash_runs(sums, powers, starts[long], size)
    # Beginnings that several sequences have are not searched for, only counted.
    known, first, counts = np.unique(beginnings, return_index=True, return_counts=True)
    chosen = np.unique(np.linspace(0, len(known) - 1, MAX_SEARCHED).astype(np.int64))
    n_common = int(np.sum(counts[chosen] > 1))
    alone = chosen[counts[chosen] == 1]
    known, searched = known[alone], long[first[alone]]
    if len(known) < LEAST_FOUND:
        return None
    # All subsequences of that size, and the beginning that each is equal to.
    owners = sequences.owners
    ends = sequences.offsets[1:][owners]
    places = np.flatnonzero(np.arange(len(owners)) + size <= ends)
    runs = _hash_runs(sums, powers, places, size)
    found = np.minimum(np.searchsorted(known, runs), len(known) - 1)
    is_known = (known[found] == runs) & (places > starts[owners[places]])
    places, found = places[is_known], found[is_known]
    # They have to agree up to the end of one of two different sequences.
    shared = np.minimum(ends[places] - places, lengths[searched[found]])
    mine = _hash_runs(sums, powers, places, shared)
    theirs = _hash_runs(sums, powers, starts[searched[found]], shared)
    overlaps = (mine == theirs) & (owners[places] != searched[found])
    places, found = places[overlaps], found[overlaps]
    # Each beginning counts once per stride.
    strides = np.unique((places - starts[owners[places]]) * len(known) + found) // len(known)
    enough = max(LEAST_FOUND, LEAST_PART * len(known)) + LEAST_RATIO * n_common
    frequent = np.flatnonzero(np.bincount(strides) >= enough)
    return int(frequent[0]) if len(frequent) else None


def hash_rows(values: NDArray) -> Hashes:
    """Return a hash of each step; missing values are equal."""
    hashes = np.zeros(len(values), np.uint64)
    for channel, key in zip(values.T, _keys(values.shape[1]), strict=True):
        canonical = np.where(np.isnan(channel), np.nan, channel.astype(np.float64) + 0.0)
        hashes = _mix(hashes ^ (canonical.view(np.uint64) * key))
    return hashes


@cache
def _keys(n: int) -> Hashes:
    return np.random.default_rng(0).integers(2**63, size=n, dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)


def _mix(hashes: Hashes) -> Hashes:
    """Mix the bits of hashes (the finalizer of MurmurHash3)."""
    for key in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(key)
    return hashes ^ (hashes >> np.uint64(33))


def _prefix_sums(hashes: Hashes) -> tuple[Hashes, Hashes]:
    """Return prefix sums of hashes times powers of a base, and these powers."""
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
    """Return a hash of each run of steps, independent of its position (Rabin and Karp)."""
    # Multiplied up to the power of the last step, which avoids dividing by powers.
    return (sums[starts + sizes] - sums[starts]) * powers[len(powers) - 1 - starts]
