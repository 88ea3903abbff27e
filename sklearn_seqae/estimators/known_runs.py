"""Recognition of windows that a detector was fitted on, wherever they are met again.

A window of the training series has itself, and windows that share most of its time stamps, among
the nearest training windows, and would be normal whatever it holds. So it is recognised by its
values, and compared with windows only that share no time stamps with it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.spans import Spans

from .overlap import Hashes, hash_rows

_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 2**64)


@dataclass(frozen=True)
class KnownRuns:
    """Hashes of all runs of steps of training series that are as long as a window.

    Parameters
    ----------
    hashes : ndarray of shape (n_runs,), uint64
        In rising order.
    places : ndarray of shape (n_runs,), int64
        First step of each run, on one line for all series.
    size : int
        Number of steps of a run.
    """

    hashes: Hashes
    places: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, values: NDArray, offsets: NDArray[np.int64], size: int) -> Self:
        """Return the runs of series, of which each has the steps between two offsets."""
        places = [
            np.arange(start, max(start, stop - size + 1))
            for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        ]
        at = np.concatenate(places)
        hashes = _hash_runs(values, at, size)
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], at[order], size)

    def find(self, values: NDArray, spans: Spans) -> Spans:
        """Return where windows were in the training series; [-1, -1) for others."""
        found = np.full(spans.shape, -1)
        whole = np.flatnonzero(spans[:, 1] - spans[:, 0] == self.size)
        if not len(whole) or not len(self.hashes):
            return found
        hashes = _hash_runs(values, spans[whole, 0], self.size)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        known = self.hashes[at] == hashes
        places = self.places[at[known]]
        found[whole[known]] = np.stack([places, places + self.size], axis=1)
        return found


@dataclass(frozen=True)
class TrainingWindows:
    """What is kept of the windows that a detector was fitted on.

    Parameters
    ----------
    runs : KnownRuns
        Hashes of all windows of the training series.
    neighbours : ndarray of shape (n_neighbours, 2)
        Spans of the windows that others are compared with.
    """

    runs: KnownRuns
    neighbours: Spans


def _hash_runs(values: NDArray, starts: NDArray[np.int64], size: int) -> Hashes:
    """Return a hash of each run of steps that depends on nothing else (Rabin and Karp)."""
    powers, inverses = (_powers(base, len(values) + 1) for base in (_BASE, _INVERSE))
    terms = hash_rows(values) * powers[:-1]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    return (sums[starts + size] - sums[starts]) * inverses[starts]


@lru_cache(maxsize=2)  # of a stream, whose windows have one length
def _powers(base: int, n: int) -> Hashes:
    powers = np.full(n, base, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)
