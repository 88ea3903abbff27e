"""Channels as readers find them, numbers or text, and as numbers or codes of categories.

A categorical channel becomes codes 0, 1, ... and the `Categories` that they stand for; `restore`
and `combine` return categories in place of codes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from operator import or_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .numeric import (
    as_array,
    frame_values,
    inner,
    is_frame,
    is_missing,
    is_pandas,
    is_series,
    real,
)


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


@dataclass(frozen=True, eq=False)
class Columns:
    """Channels side by side as their container has them; which are categorical is decided later.

    Parameters
    ----------
    pieces : list of (ndarray, Series or DataFrame)
        Their steps under each other, each (n_steps, n_channels) or (n_steps,).
    where : callable
        For errors: what the piece at a position is called.
    """

    pieces: list[Any]
    where: Callable[[int], str]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        first = self.pieces[0]
        return 1 if first.ndim == 1 else int(first.shape[1])

    @cached_property
    def _others(self) -> list[int]:
        """Positions of pieces that may be other than arrays of numbers."""
        are_arrays = set(map(type, self.pieces)) == {np.ndarray}  # of few dtypes: fewer questions
        if are_arrays and all(dtype.kind in "fiub" for dtype in {x.dtype for x in self.pieces}):
            return []
        return [position for position, piece in enumerate(self.pieces) if not is_plain(piece)]

    def hold_text(self) -> list[bool]:
        """Tell which channels hold text or pandas' categories."""
        found = [False] * self.n_channels
        for position in self._others:
            found = list(map(or_, found, _text_channels(self.pieces[position], len(found))))
        return found

    def channel(self, index: int, number: int) -> Columns:
        """Return one channel, which has another number where there are other columns beside."""

        def where(position: int) -> str:
            is_named = is_frame(self.pieces[position])
            return f"{'' if is_named else f'channel {number} of '}{self.where(position)}"

        return Columns([_column(piece, index) for piece in self.pieces], where)

    def numbers(self) -> NDArray[Any]:
        """Return the steps as numbers, float32 or float64, with NaN for what is missing."""
        arrays = list(self.pieces)
        for position in self._others:
            arrays[position] = _numbers(arrays[position], self.where(position))
        # The dtype of an empty array says nothing, if there are others.
        filled = list(filter(len, arrays)) or arrays
        return inner(filled[0] if len(filled) == 1 else np.concatenate(filled))

    def encode(self) -> tuple[NDArray[np.float32], Categories]:
        """Return the codes of one categorical channel, and what they stand for."""
        pieces = [piece if piece.ndim == 1 else piece.iloc[:, 0] for piece in self.pieces]
        arrays = list(map(self._items, range(len(pieces)), pieces))
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
            self._check_items(found)
            categories = sorted(set(found))
            values = (
                np.fromiter(categories, dtype=object)
                if isinstance(next(iter(categories), ""), str)
                else np.array(categories)
            )
        else:
            plain = getattr(declared.categories.dtype, "kind", "O") in "fiub"
            values = declared.categories.to_numpy(dtype=None if plain else object)
            categories = values.tolist()
        index = {category: code for code, category in enumerate(categories)}
        codes[known] = np.fromiter((index[item] for item in found), np.float32, len(found))
        return codes, Categories(values, declared or _column_dtype(pieces))

    def _items(self, position: int, piece: Any) -> NDArray[Any]:
        """Return a piece of one channel as an array of numbers, text or objects."""
        if is_series(piece):
            kept = isinstance(piece.dtype, np.dtype) and piece.dtype.kind in "fiub"
            return np.asarray(piece.to_numpy() if kept else piece.to_numpy(dtype=object))
        if piece.dtype.kind == "T":  # NumPy's text of any width
            return np.asarray(piece, dtype=object)
        if piece.dtype.kind not in "fiubUO":
            raise TypeError(
                f"Expected categories to be text or numbers, but {self.where(position)} has dtype "
                f"{piece.dtype}; convert it to text first."
            )
        return np.asarray(piece)

    def _check_items(self, found: list[Any]) -> None:
        """Raise unless the categories of a channel are all text, or all numbers."""
        is_text = [isinstance(item, str) for item in found]
        if all(is_text) or (not any(is_text) and all(isinstance(item, Real) for item in found)):
            return
        for position, piece in enumerate(self.pieces):
            for item in np.asarray(piece, dtype=object).flat:
                is_alike = isinstance(item, str if is_text[0] else Real)
                if not is_alike and not is_missing(np.fromiter([item], dtype=object))[0]:
                    column = f"column {piece.columns[0]!r} of " if is_frame(piece) else ""
                    raise TypeError(
                        "Expected the categories of a channel to be all text or all numbers, but "
                        f"{column}{self.where(position)} holds {item!r} beside others such as "
                        f"{found[0]!r}; convert them to text, and give None for what is missing."
                    )


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


def is_plain(piece: Any) -> bool:
    """Tell whether this is an array of numbers, as most are: nothing has to be asked of it."""
    return type(piece) is np.ndarray and piece.dtype.kind in "fiub"


def _text_channels(piece: Any, n_channels: int) -> list[bool]:
    """Tell which channels of an array, Series or DataFrame hold text or pandas' categories."""
    if is_frame(piece):
        kinds = [getattr(dtype, "kind", "O") for dtype in piece.dtypes]
        return [
            kind not in "fiub" and _text_channels(piece.iloc[:, j], 1)[0]
            for j, kind in enumerate(kinds)
        ]
    if has_categorical_dtype(piece):
        return [True]
    array = np.asarray(piece)
    if array.dtype.kind != "O":
        return [array.dtype.kind in "UT"] * n_channels
    columns = array.reshape(-1, n_channels).T
    return [any(isinstance(item, str) for item in column) for column in columns]


def _column(piece: Any, index: int) -> Any:
    if piece.ndim == 1:
        return piece
    return piece.iloc[:, [index]] if is_frame(piece) else piece[:, index]


def _numbers(piece: Any, where: str) -> NDArray[Any]:
    if not len(piece):  # whatever its dtype
        return np.empty(piece.shape)
    if is_frame(piece):
        return frame_values(piece, where)
    if is_series(piece) and piece.dtype.kind in "fiub":
        return frame_values(piece.to_frame(), where)[:, 0]
    return real(np.asarray(piece), where)


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
