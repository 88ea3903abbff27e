"""Channels of numbers and of categories, read from arrays, lists and frames.

A categorical channel becomes codes 0, 1, ... and the `Categories` that they stand for; `restore`
and `combine` return categories in place of codes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .numeric import (
    LARGEST,
    SMALLER,
    TOO_LARGE,
    as_array,
    frame_values,
    inner,
    is_frame,
    is_missing,
    is_pandas,
    is_series,
    largest,
    real,
)

# Decides which channels are categorical, given which hold text or pandas' categories, and names.
Chooser = Callable[[list[bool], tuple[Any, ...] | None], Sequence[bool]]


@dataclass(frozen=True, eq=False)
class Categories:
    """The categories of a channel: code ``i`` stands for ``values[i]``.

    `dtype` is the pandas dtype of a column of them, where it says more than an array's. The last
    `n_joined` values are infrequent, and count as the one before them to a network.
    """

    values: NDArray[Any]
    dtype: Any = None
    n_joined: int = 0

    @property
    def width(self) -> int:
        """Number of categories that a network tells apart."""
        return len(self.values) - self.n_joined


def has_categorical_dtype(X: Any) -> bool:
    """Tell whether this is a Series of pandas' categories or text, whatever is in it."""
    kinds = ("CategoricalDtype", "StringDtype")
    return is_series(X) and any(is_pandas(X.dtype, kind) for kind in kinds)


def as_given(X: Any, where: str) -> NDArray[Any]:
    """Return an array-like as an array that still tells numbers and None from text in a list."""
    array = as_array(X, where)
    if array.dtype.kind == "U" and isinstance(X, list | tuple):
        # NumPy makes text of everything beside text: 1.5 becomes "1.5", NaN becomes "nan".
        objects = np.asarray(X, dtype=object)
        return array if all(isinstance(item, str) for item in objects.flat) else objects
    return array


def holds_categories(element: Any, n_channels: int) -> list[bool]:
    """Tell which channels of an array, Series or DataFrame hold text or pandas' categories."""
    if is_frame(element):
        columns = [element.iloc[:, j] for j in range(n_channels)]
        return [
            has_categorical_dtype(c) or any(holds_categories(np.asarray(c), 1)) for c in columns
        ]
    if has_categorical_dtype(element):
        return [True]
    if element.dtype.kind in "UT":
        return [True] * n_channels
    if element.dtype.kind != "O":
        return [False] * n_channels
    columns = element.reshape(-1, n_channels).T
    return [any(isinstance(item, str) for item in column) for column in columns]


def channel(element: Any, index: int) -> Any:
    """Return one channel of an array, Series or DataFrame."""
    if is_frame(element):
        return element.iloc[:, index]
    return element if element.ndim == 1 else element[:, index]


def read_channels(
    channels: list[list[Any]], categorical: Sequence[bool], owners: Sequence[str]
) -> tuple[NDArray[Any], tuple[Categories | None, ...]]:
    """Read channels of numbers and categorical ones.

    Parameters
    ----------
    channels : list of list of (ndarray or Series)
        For each channel its pieces, which are 1-D.
    categorical : sequence of bool
        Which channels are categorical.
    owners : sequence of str
        For errors: what each piece is part of.

    Returns
    -------
    values : ndarray of shape (total_steps, n_channels), dtype float32 or float64
        Numbers, and codes of categories; NaN is missing.
    categories : tuple of (Categories or None)
        None for numbers.
    """
    columns: list[NDArray[Any]] = []
    categories: list[Categories | None] = []
    for j, (pieces, is_categorical) in enumerate(zip(channels, categorical, strict=True)):
        where = [f"channel {j} of {owner}" for owner in owners]
        if is_categorical:
            codes, found = _read_categories(pieces, where)
            columns.append(codes)
            categories.append(found)
        else:
            columns.append(_read_numbers(pieces, where))
            categories.append(None)
    return np.stack(columns, axis=1), tuple(categories)


def restore(codes: NDArray[Any], categories: Categories) -> NDArray[Any]:
    """Return the categories of codes; None, or NaN among numbers, where a code is missing."""
    known = ~np.isnan(codes)
    if known.all():
        return categories.values[codes.astype(np.int64)]
    if categories.values.dtype.kind in "fiub":
        dtype = np.result_type(categories.values, np.float32)
        restored = np.full(codes.shape, np.nan, dtype=dtype)
    else:
        restored = np.full(codes.shape, None, dtype=object)
    restored[known] = categories.values[codes[known].astype(np.int64)]
    return restored


def combine(
    values: NDArray[Any], categories: tuple[Categories | None, ...], dtype: str
) -> NDArray[Any]:
    """Return steps (n_steps, n_channels) with categories for codes, in a dtype that holds them all.

    Numbers have the given dtype before.
    """
    if not categories:
        return values.astype(dtype)
    columns = [
        values[:, j].astype(dtype) if found is None else restore(values[:, j], found)
        for j, found in enumerate(categories)
    ]
    kinds = {column.dtype.kind for column in columns}
    # Text and numbers side by side would all become text.
    as_objects = "O" in kinds or ("U" in kinds and len(kinds) > 1)
    steps = np.empty(values.shape, dtype=object if as_objects else np.result_type(*columns))
    for j, column in enumerate(columns):
        steps[:, j] = column
    return steps


def _read_numbers(pieces: list[Any], where: list[str]) -> NDArray[Any]:
    arrays = []
    for piece, name in zip(pieces, where, strict=True):
        if is_series(piece):
            piece = frame_values(piece.to_frame(), name.rpartition(" of ")[2])[:, 0]
        arrays.append(real(piece, name))
    values = inner(np.concatenate(arrays))
    if largest(values) > LARGEST:
        raise ValueError(f"{TOO_LARGE} in {where[0].partition(' of ')[0]}; {SMALLER}.")
    return values


def _read_categories(pieces: list[Any], where: list[str]) -> tuple[NDArray[np.float32], Categories]:
    arrays = [_items(*piece) for piece in zip(pieces, where, strict=True)]
    # Joined as they are, text and numbers would all become text.
    if len({array.dtype.kind in "fiub" for array in arrays}) > 1:
        arrays = [array.astype(object) for array in arrays]
    items = np.concatenate(arrays)
    declared = _declared_categories(pieces)
    known = ~is_missing(items)
    codes = np.full(items.shape, np.nan, dtype=np.float32)
    if declared is None and items.dtype.kind != "O":
        values, codes[known] = np.unique(items[known], return_inverse=True)
        return codes, Categories(values, _column_dtype(pieces))
    found = items[known].tolist()
    if declared is None:
        _check_items(found, pieces, where)
        categories = sorted(set(found))
        values = (
            as_objects(categories)
            if isinstance(next(iter(categories), ""), str)
            else np.array(categories)
        )
    else:
        plain = getattr(declared.categories.dtype, "kind", "O") in "fiub"
        values = declared.categories.to_numpy(dtype=None if plain else object)
        categories = values.tolist()
    index = {label: code for code, label in enumerate(categories)}
    codes[known] = np.fromiter((index[item] for item in found), np.float32, len(found))
    return codes, Categories(values, declared or _column_dtype(pieces))


def _items(piece: Any, where: str) -> NDArray[Any]:
    """Return a piece as an array of numbers, text or objects."""
    if is_series(piece):
        kept = isinstance(piece.dtype, np.dtype) and piece.dtype.kind in "fiub"
        return piece.to_numpy() if kept else piece.to_numpy(dtype=object)
    if piece.dtype.kind == "T":  # NumPy's text of any width
        return piece.astype(object)
    if piece.dtype.kind not in "fiubUO":
        raise TypeError(
            f"Expected categories to be text or numbers, but {where} has dtype {piece.dtype}; "
            "convert it to text first."
        )
    return piece


def _check_items(found: list[Any], pieces: list[Any], where: list[str]) -> None:
    """Raise unless the categories of a channel are all text, or all numbers."""
    is_text = [isinstance(item, str) for item in found]
    if all(is_text) or (not any(is_text) and all(isinstance(item, Real) for item in found)):
        return
    for piece, name in zip(pieces, where, strict=True):
        for item in np.asarray(piece, dtype=object):
            is_odd = isinstance(item, str) is not is_text[0] or not isinstance(item, str | Real)
            if is_odd and not is_missing(np.array([item, None], dtype=object))[0]:
                raise TypeError(
                    "Expected the categories of a channel to be all text or all numbers, but "
                    f"{name} holds {item!r} beside others such as {found[0]!r}; convert them to "
                    "text, and give None for what is missing."
                )


def _declared_categories(pieces: list[Any]) -> Any:
    """Return the pandas dtype with all categories that the pieces declare; None if they do not."""
    dtypes = [p.dtype for p in pieces if is_pandas(p.dtype, "CategoricalDtype")]
    if not dtypes or len(dtypes) < len(pieces):
        return None
    first = dtypes[0]
    if all(dtype == first for dtype in dtypes):
        return first
    union = dict.fromkeys(label for dtype in dtypes for label in dtype.categories)
    return sys.modules["pandas"].CategoricalDtype(list(union))


def _column_dtype(pieces: list[Any]) -> Any:
    """Return the dtype that pandas has for these columns beside NumPy's, if all have the same."""
    dtypes = {getattr(piece, "dtype", None) for piece in pieces}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    return None if isinstance(dtype, np.dtype) else dtype


def as_objects(items: list[Any]) -> NDArray[np.object_]:
    """Return a 1-D array of objects as they are."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array
