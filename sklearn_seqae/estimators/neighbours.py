"""Search of the nearest training sequence in the space of pooled features."""

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.spans import Spans, overlap

Floats = NDArray[np.float64]

# Distances are in standard deviations, the root mean square over features. At a smaller distance
# two sequences are the same: features computed on another machine differ by rounding.
SAME = 1e-3
# Features of sequences that overflowed are NaN: they are at this distance, which is finite.
FARTHEST = 1e60
# What rounding changes a squared distance by, relative to the squares of centred points, at most.
ROUNDING = 2e-4
ROWS_AT_ONCE = 256


class Neighbours:
    """Search of the nearest of some points.

    Squared distances by a matrix product are rounding errors where points are close. So they only
    tell which neighbours may be the nearest, whose distances are then computed as they are.

    Parameters
    ----------
    points : ndarray of shape (n_neighbours, n_features), float32
    """

    def __init__(self, points: NDArray[np.float32]) -> None:
        self._points = points
        self._centre = points.mean(axis=0)
        self._centred = points - self._centre
        self._squares = np.einsum("ij,ij->i", self._centred, self._centred)

    def distances(
        self, points: NDArray[np.float32], spans: tuple[Spans, Spans] | None = None
    ) -> Floats:
        """Return the logarithm of the distance from each point to its nearest neighbour.

        The neighbour is another point; if spans of points and of neighbours are given, one whose
        span does not overlap that of the point. It is NaN where there is none.
        """
        nearest = np.full(len(points), np.nan)
        if len(self._points) < 2:
            return nearest
        for start in range(0, len(points), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            is_other = None if spans is None else ~overlap(spans[0][rows], spans[1])
            nearest[rows] = self._search(points[rows], is_other)
        return np.log(np.clip(nearest, SAME, FARTHEST))

    def _search(self, points: NDArray[np.float32], is_other: NDArray[np.bool_] | None) -> Floats:
        centred = points - self._centre
        with single_threaded(), np.errstate(over="ignore", invalid="ignore"):
            own = np.einsum("ij,ij->i", centred, centred)
            squares = own[:, None] + self._squares - 2 * (centred @ self._centred.T)
        if is_other is not None:
            squares[~is_other] = np.inf
        rank = int(is_other is None)  # else the first may be the point itself
        highest = np.partition(squares, rank, axis=1)[:, rank]
        highest += ROUNDING * (own + np.nanmax(self._squares))
        found = np.full(len(points), np.nan)
        for i, point in enumerate(points):
            near = np.flatnonzero((squares[i] <= highest[i]) & np.isfinite(highest[i]))
            if len(near) > rank:
                differences = self._points[near] - point.astype(np.float64)
                exact = np.sort(np.sqrt(np.einsum("ij,ij->i", differences, differences)))
                found[i] = exact[1] if rank and exact[0] < SAME else exact[0]
            elif is_other is None or is_other[i].any():
                found[i] = FARTHEST
        return found
