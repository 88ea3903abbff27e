"""Parts of data that are read one after the other, and a number for each sequence in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers.numpy_arrays import Array2D
from sklearn_seqae.containers.registry import Sequences

from .parquet_sequences import ParquetSequences, located

_END = object()


def parts_of(
    X: Any, read: Callable[[Any], Sequences], rng: np.random.Generator | None = None
) -> Iterator[tuple[Sequences, NDArray[np.uint64]]]:
    """Yield the sequences of a stream part by part, each with a random number of its own.

    Parameters
    ----------
    X : ParquetSequences or iterable of containers
    read : callable
        What makes `Sequences` of a container.
    rng : Generator, default=None
        Decides the order of parts, if the stream can be read in any.

    Yields
    ------
    sequences : Sequences
    keys : ndarray of shape (n_sequences,), uint64
        Hashes of the ids of `ParquetSequences`, of positions in other streams.
    """
    first = 0
    is_parquet = isinstance(X, ParquetSequences)
    for part in X._shuffled(rng) if is_parquet and rng is not None else X:
        with located(part):
            sequences = read(part)
        n = len(sequences)
        if isinstance(sequences.form, Array2D):
            raise ValueError(
                "Expected parts of several sequences each from an iterable, got an array of shape "
                f"{np.shape(part)}, which may be one single sequence: yield lists of sequences, "
                "such as [x], or arrays (n_sequences, n_steps, n_channels)."
            )
        if is_parquet:
            assert sequences.index is not None
            pd = load("pandas")
            keys = pd.util.hash_pandas_object(sequences.index.ids, index=False).to_numpy()
        else:
            keys = np.arange(first, first + n).astype(np.uint64)
        yield sequences, mixed(keys)
        first += n
    if not first:
        raise ValueError(f"Expected at least one sequence, got none from {X!r}: give others.")


def mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers that look random, other ones for other keys [1]_.

    References
    ----------
    .. [1] G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators",
       OOPSLA 2014.
    """
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def ahead(items: Iterator[Any]) -> Iterator[Any]:
    """Yield items, of which the next is made by another thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, items, _END)
        while (item := waiting.result()) is not _END:
            waiting = pool.submit(next, items, _END)
            yield item
