"""Inputs of displays: sequences as arrays, names of channels, and selections of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.columns import Categories
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.containers.sequences import ListForm, Sequences, cut
from sklearn_seqae.estimators.base import SequenceAutoencoder
from sklearn_seqae.preprocessing.categories import adopt

# Maximum number of classes in a legend; integers with more values are on a colour scale.
MOST_CLASSES = 20


@dataclass(frozen=True)
class Channels:
    """Names of channels and their categories, which are None for numerical channels."""

    names: list[str]
    categories: list[NDArray[Any] | None]


def own_estimator(estimator: Any) -> SequenceAutoencoder:
    """Return the estimator, or raise if it is not one of this package."""
    if isinstance(estimator, SequenceAutoencoder):
        return estimator
    raise TypeError(
        "Expected an estimator that reconstructs sequences, as LSTMAutoencoderTransformer, got "
        f"{type(estimator).__name__}: give that estimator itself; of a pipeline its step, of a "
        "search its best_estimator_."
    )


def read_for(estimator: SequenceAutoencoder, X: Any) -> tuple[Sequences, tuple[Any, ...] | None]:
    """Return sequences as read by a fitted estimator, and the names of their channels."""
    read = estimator._read(X)
    names = read.form.channel_names or estimator._form.channel_names
    return replace(read, form=ListForm()), names


def read_both(X: Any, other: Any, categorical_features: Any) -> tuple[Sequences, Sequences]:
    """Return two collections of sequences with the same channels and categories.

    Parameters
    ----------
    X, other : list, ndarray or DataFrame
        Two collections with the same number of sequences.
    categorical_features : "from_dtype", array-like or None
        As in `LSTMAutoencoderTransformer`.
    """
    first, second = (as_sequences(one, categorical_features) for one in (X, other))
    sizes = [(len(one), one.n_channels) for one in (first, second)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"Expected as many sequences and channels in both, got {sizes[0][0]} sequences of "
            f"{sizes[0][1]} channels and {sizes[1][0]} of {sizes[1][1]}: give the "
            "reconstructions of these sequences, all of them."
        )
    if not first.categories and not second.categories:
        return first, second
    none = (None,) * first.n_channels
    joined = tuple(map(_join, first.categories or none, second.categories or none))
    return adopt(first, joined), adopt(second, joined)


def describe(sequences: Sequences, known: tuple[Any, ...] | None, names: Any = None) -> Channels:
    """Return the channels of sequences; `names`, if given, replace the `known` ones of the data."""
    n = sequences.n_channels
    if names is None:  # a single column may contain all channels
        named = known is not None and len(known) == n
        names = known if named else [f"channel {j}" for j in range(n)]
    names = [str(name) for name in names]
    if len(names) != n:
        raise ValueError(
            f"Expected channel_names to be {n} names, one per channel, got {len(names)}: {names}."
        )
    categories = sequences.categories or (None,) * n
    return Channels(names, [None if found is None else found.values for found in categories])


def drawn_channels(sequences: Sequences) -> list[NDArray[Any]]:
    """Return the numerical channels of each sequence, or all channels if there are none."""
    numbers = [j for j, found in enumerate(sequences.categories) if found is None]
    values = sequences.values[:, numbers] if numbers else sequences.values
    return cut(values, sequences.offsets)


def choose(chosen: Any, n: int, what: str) -> NDArray[np.int64]:
    """Return the indices out of `n` selected by integers, a mask or a slice."""
    try:
        indices = np.atleast_1d(np.arange(n)[_as_index(chosen)])
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"Expected {what} to be indices from 0 to {n - 1}, got {chosen!r}: choose among these."
        ) from error
    if not indices.size or indices.ndim != 1:
        raise ValueError(
            f"Expected {what} to be at least one index from 0 to {n - 1}, got {chosen!r}: choose "
            "among these."
        )
    return indices


def choose_channels(chosen: Any, names: list[str], most: int) -> NDArray[np.int64]:
    """Return the indices of channels selected by index or name; None selects the first `most`."""
    if chosen is None:
        return np.arange(min(most, len(names)))
    single = isinstance(chosen, str)
    if single or (not isinstance(chosen, slice) and any(isinstance(c, str) for c in _all(chosen))):
        wanted = [chosen] if single else _all(chosen)
        unknown = [name for name in wanted if name not in names]
        if unknown:
            raise ValueError(
                f"Expected channels to be indices or names out of {names}, got {unknown[0]!r}: "
                "choose among these."
            )
        return np.array([names.index(name) for name in wanted])
    return choose(chosen, len(names), "channels")


def classes(y: NDArray[Any]) -> tuple[NDArray[Any] | None, NDArray[np.int64]]:
    """Return the distinct labels of `y`, and the index of each label: -1 if it is unknown.

    For numbers on a scale labels are None, and the indices of known ones 0.
    """
    if y.dtype.kind == "O":
        known = ~np.array([_is_unknown(value) for value in y.tolist()], dtype=bool)
        if all(isinstance(v, int | float | np.number) for v in y[known]):
            values = y[known].astype(np.float64)
        else:
            values = y[known].astype(str)
    else:
        known = ~np.isnan(y) if y.dtype.kind == "f" else np.ones(len(y), dtype=bool)
        values = y[known]
    index = np.full(len(y), -1)
    labels, index[known] = np.unique(values, return_inverse=True)
    if values.dtype.kind in "fiu":
        is_whole = bool(np.all(values == np.rint(values)))
        if len(labels) > MOST_CLASSES or not is_whole:
            index[known] = 0
            return None, index
        return labels.astype(np.int64), index
    return labels, index


def _is_unknown(value: Any) -> bool:
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas' NA is neither
        return True


def _all(chosen: Any) -> list[Any]:
    return np.atleast_1d(np.asarray(chosen, dtype=object)).tolist()


def _as_index(chosen: Any) -> Any:
    return list(chosen) if isinstance(chosen, tuple | range) else chosen


def _join(first: Categories | None, second: Categories | None) -> Categories | None:
    """Return the categories of both, those of the first before others."""
    if first is None or second is None:
        if first is second:
            return None
        raise ValueError(
            "Expected a channel to be categorical or numerical in both, got one of each: select "
            "the categorical ones by categorical_features."
        )
    values = list(dict.fromkeys([*first.values.tolist(), *second.values.tolist()]))
    joined = np.empty(len(values), dtype=object)
    joined[:] = values
    return Categories(joined)
