"""From sequences of any length to padded batches: the only place that pads.

Training packs sequences into few fixed widths (buckets), so that little is computed on padding and
few shapes are compiled; encoding sorts by length and cuts.
"""

from dataclasses import dataclass
from itertools import pairwise
from operator import ne

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.registry import Sequences

# What one more width costs, in rows of the longest sequence: lengths mix less within its batches.
WIDTH_COST_ROWS = 4.0
MAX_WIDTHS = 8
# How much wider than its bucket an array may be under XLA. Only what is done outside the
# recurrences is done on all of it.
COMPILED_RATIO = 6
# A batch outside of training: as many rows as keep the states of a step in the cache, fewer where
# sequences are long or where their lengths fall.
STATES_PER_BATCH = 32768
MAX_ROWS = 1024
MIN_ROWS = 32
STEPS_PER_BATCH = 65536
FALL = 0.7


@dataclass(frozen=True)
class Chunk:
    """Some batches of one width, to be run in one call.

    Attributes
    ----------
    width : int
        Steps that every row is padded to.
    rows : ndarray of shape (n_batches, batch_size), dtype int64
        Indices of sequences; -1 fills up the last batch.
    """

    width: int
    rows: NDArray[np.int64]

    def without_filling(self) -> list["Chunk"]:
        """Return the same batches in chunks of batches of one size, with no row that fills up."""
        n_real = np.sum(self.rows >= 0, axis=1)
        runs = np.split(self.rows, np.flatnonzero(np.diff(n_real)) + 1)
        return [Chunk(self.width, run[:, run[0] >= 0]) for run in runs]


def round_width(length: int, multiple: int) -> int:
    """Round a length up to a multiple of `multiple` on a grid of steps of at most an eighth.

    Other folds of the same data then need the same few widths, which are compiled already.
    """
    grain = multiple * max(1, 2 ** (int(max(length, 1) / multiple).bit_length() - 4))
    return max(1, -(-length // grain)) * grain


def bucket_widths(
    lengths: NDArray[np.int64], batch_size: int, multiple: int = 1
) -> NDArray[np.int64]:
    """Choose the widths that sequences of these lengths are grouped by in training.

    Minimises the number of padded cells that an epoch computes plus a constant cost per width, by
    dynamic programming over the candidate widths.

    Parameters
    ----------
    lengths : ndarray of shape (n_sequences,)
    batch_size : int
        Rows of a batch; every bucket's last batch is filled up.
    multiple : int, default=1
        Every width is a multiple of this.

    Returns
    -------
    widths : ndarray of shape (n_widths,), dtype int64
        Ascending; the last one holds the longest sequence.
    """
    longest = int(lengths.max(initial=1))
    if np.all(lengths == longest):
        return np.array([-(-longest // multiple) * multiple])
    rounded = np.array([round_width(int(n), multiple) for n in np.unique(lengths)])
    candidates = np.unique(rounded)
    counts = np.array([np.sum(lengths <= width) for width in candidates])
    n = len(candidates)
    # best[k, j]: least cost of serving all sequences up to candidate j with k + 1 widths.
    best = np.full((min(MAX_WIDTHS, n), n), np.inf)
    previous = np.zeros(best.shape, dtype=np.int64)
    overhead = WIDTH_COST_ROWS * longest

    def cost(first: int, last: int) -> float:
        rows = counts[last] - (counts[first - 1] if first else 0)
        return float(-(-rows // batch_size) * batch_size * candidates[last] + overhead)

    for j in range(n):
        best[0, j] = cost(0, j)
        for k in range(1, len(best)):
            options = [best[k - 1, i] + cost(i + 1, j) for i in range(j)]
            if options:
                previous[k, j] = int(np.argmin(options))
                best[k, j] = options[previous[k, j]]
    k = int(np.argmin(best[:, -1]))
    chosen = [n - 1]
    for level in range(k, 0, -1):
        chosen.append(int(previous[level, chosen[-1]]))
    return candidates[chosen[::-1]]


def compiled_widths(widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each of some ascending widths, the width of the arrays that hold it under XLA.

    XLA compiles every array shape anew, but a recurrence in it may run fewer steps than the array
    has. So a few shapes serve: each at most a sixth of the next, where sequences are that short.
    """
    shapes = [int(widths[-1])]
    for width in widths[::-1]:
        if width * COMPILED_RATIO <= shapes[-1]:
            shapes.append(int(width))
    return np.array([min(shape for shape in shapes if shape >= width) for width in widths])


def epoch_chunks(
    lengths: NDArray[np.int64],
    widths: NDArray[np.int64],
    batch_size: int,
    chunk_size: int,
    rng: np.random.Generator | None,
    shapes: NDArray[np.int64] | None = None,
) -> list[Chunk]:
    """Cut an epoch into chunks of at most `chunk_size` batches, in an order that `rng` shuffles.

    The batches of a chunk hold sequences that belong to one of `widths`. They are padded to that
    width or, where `shapes` are given, to the one of these beside it, in the same order. Without
    `rng` the sequences stay in the order given, as a validation pass wants.
    """
    shapes = widths if shapes is None else shapes
    buckets = np.searchsorted(widths, lengths)
    chunks = []
    for bucket, shape in enumerate(shapes):
        rows = np.flatnonzero(buckets == bucket)
        if rng is not None:
            rows = rng.permutation(rows)
        filled = np.full(-(-len(rows) // batch_size) * batch_size, -1, dtype=np.int64)
        filled[: len(rows)] = rows
        batches = filled.reshape(-1, batch_size)
        if rng is not None:
            batches = rng.permutation(batches)
        chunks += [
            Chunk(int(shape), batches[i : i + chunk_size])
            for i in range(0, len(batches), chunk_size)
        ]
    return chunks if rng is None else [chunks[i] for i in rng.permutation(len(chunks))]


def pad(sequences: Sequences, rows: NDArray[np.int64], width: int) -> NDArray[np.float32]:
    """Return sequences as one array (*rows.shape, width, n_channels), NaN where there is no step.

    A row of -1 is padding throughout.
    """
    shape = (*rows.shape, width, sequences.n_channels)
    if not len(sequences.values):
        return np.full(shape, np.nan, np.float32)
    flat = rows.ravel()
    lengths = np.where(flat >= 0, sequences.lengths[flat], 0)
    places = sequences.offsets[:-1][flat][:, None] + np.arange(width)
    # Steps behind the end of a sequence are those of the next one, until they are overwritten.
    padded = sequences.values.take(places, axis=0, mode="clip").astype(np.float32, copy=False)
    if np.any(lengths < width):
        padded[np.arange(width) >= lengths[:, None]] = np.nan
    return padded.reshape(shape)


def inference_batches(
    lengths: NDArray[np.int64], order: NDArray[np.int64], multiple: int, units: int
) -> list[Chunk]:
    """Cut sequences, in an order of ascending lengths, into batches as narrow as they may be.

    Widths are multiples of `multiple`, of which each is one recurrent step of so many units.
    """
    n_patches = np.maximum(1, -(-lengths[order] // multiple))
    fitting = min(STATES_PER_BATCH // units, MAX_ROWS)
    chunks = []
    end = len(order)
    while end > 0:  # from the longest down, so that a width, and with it the size, is known
        longest = int(n_patches[end - 1])
        similar = end - int(np.searchsorted(n_patches[:end], FALL * longest))
        most = max(min(fitting, STEPS_PER_BATCH // longest, similar), MIN_ROWS)
        rows = order[max(0, end - most) : end]
        chunks.append(Chunk(longest * multiple, rows))
        end -= len(rows)
    return chunks


def batches_of_steps(
    lengths: NDArray[np.int64], order: NDArray[np.int64], multiple: int, n_steps: int
) -> list[Chunk]:
    """Cut sequences, in an order of ascending lengths, into batches of about so many steps.

    A batch has one sequence at least. Widths are multiples of `multiple`.
    """
    widths = np.maximum(1, -(-lengths[order] // multiple)) * multiple
    chunks = []
    end = len(order)
    while end > 0:  # from the longest down, so that a width, and with it the size, is known
        width = int(widths[end - 1])
        start = max(end - max(1, n_steps // width), 0)
        start = max(start, int(np.searchsorted(widths[:end], FALL * width)))
        chunks.append(Chunk(width, order[start:end]))
        end = start
    return chunks


def canonical_order(
    lengths: NDArray[np.int64], items: Sequences | NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of distinct sequences or codes by length, then content.

    Items in this order fill the same batches, whatever order they were given in. So every product
    has the same operands in the same places, and the same last bits: these depend on the places,
    so that of equal items only one is computed.

    Returns
    -------
    order : ndarray of shape (n_distinct,), dtype int64
        Indices of items.
    equals : ndarray of shape (n_items,), dtype int64
        For each item the one in `order` that it equals.
    """
    if len(lengths) == 1:  # as streams have it
        return np.zeros(1, np.int64), np.zeros(1, np.int64)
    if isinstance(items, Sequences):
        content, width = items.values.tobytes(), items.n_channels * items.values.itemsize
        stops = (items.offsets * width).tolist()
    else:
        content = items.tobytes()
        stops = (np.arange(len(items) + 1) * items[:1].nbytes).tolist()
    keys = [content[start:stop] for start, stop in pairwise(stops)]
    by_content = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    places = by_content[np.argsort(lengths[by_content], kind="stable")]
    ordered = [keys[place] for place in places.tolist()]
    is_new = np.ones(len(places), dtype=bool)
    is_new[1:] = list(map(ne, ordered, ordered[1:]))
    is_new[1:] |= np.diff(lengths[places]) > 0
    order = places[is_new]
    equals = np.empty(len(places), np.int64)
    equals[places] = order[np.cumsum(is_new) - 1]
    return order, equals
