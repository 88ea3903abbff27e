"""Which sequences belong together: those of one group, or windows that share time stamps.

Both are spans [start, stop) of whole numbers on one line: group ``g`` is [g, g + 1), and a window
has the time stamps that it contains, those of other series elsewhere on the line. Sequences belong
together if their spans overlap; then one is not held out from training on the other, and they are
no measure of each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int64]


def as_spans(groups: NDArray[np.int64]) -> Spans:
    """Return spans, (n_sequences, 2), of what may be numbers of groups, (n_sequences,)."""
    return groups if groups.ndim == 2 else np.stack([groups, groups + 1], axis=1)


def overlap(spans: Spans, others: Spans) -> NDArray[np.bool_]:
    """Tell which of some spans overlap which others, (n_spans, n_others)."""
    return (spans[:, :1] < others[:, 1]) & (others[:, 0] < spans[:, 1:])


def overlap_any(spans: Spans, others: Spans) -> NDArray[np.bool_]:
    """Tell which spans overlap at least one of the others, (n_spans,)."""
    filled = others[others[:, 0] < others[:, 1]]
    starts, stops = np.sort(filled[:, 0]), np.sort(filled[:, 1])
    # Those that begin before the end of a span, less those that end before it begins.
    begun = np.searchsorted(starts, spans[:, 1], "left")
    found: NDArray[np.bool_] = begun > np.searchsorted(stops, spans[:, 0], "right")
    return found


def count_disjoint(spans: Spans) -> int:
    """Return how many spans there are at most of which no two overlap."""
    count, end = 0, -1
    for start, stop in spans[np.argsort(spans[:, 1], kind="stable")].tolist():
        if start >= end:
            count, end = count + 1, stop
    return count
