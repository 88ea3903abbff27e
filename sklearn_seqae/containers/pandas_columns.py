"""Columns and indexes of pandas: names and dtypes, ids and time stamps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .columns import Categories, restore
from .numeric import floating
from .sequences import Form, SequenceIndex, Sequences
from .time_index import Clock, tell

# Sequences that are asked for the step of their time stamps: one is enough, if it is not too short.
ASKED = 100


@dataclass(frozen=True)
class FrameForm(Form):
    """DataFrames of pandas.

    Parameters
    ----------
    columns : tuple or None, default=None
        Names of the columns; None for 0, 1, ...
    dtypes : tuple of str, default=("float32",)
        The floating dtypes of the columns, as pandas writes them; one alone is that of all.
        Categorical columns have theirs in `Categories`.
    column_names : tuple, default=()
        Names of the levels of the columns.
    """

    columns: tuple[Any, ...] | None = None
    dtypes: tuple[str, ...] = ("float32",)
    column_names: tuple[Any, ...] = ()


@dataclass(frozen=True)
class ChannelFrames(FrameForm):
    """DataFrames of pandas with a channel a column."""

    @classmethod
    def of(cls, sequences: Sequences) -> Self:
        """Return the form for sequences of another container, with the names that it has."""
        own = sequences.form
        kept = {}
        if isinstance(own, ChannelFrames):
            shared = {field.name for field in fields(cls)} & {field.name for field in fields(own)}
            kept = {name: getattr(own, name) for name in shared - {"cell"}}
        given = {"dtypes": (sequences.values.dtype.name,)}
        return cls(**{**given, **kept, "columns": sequences.channel_names})

    @property
    def channel_names(self) -> tuple[Any, ...] | None:
        """Names of the channels."""
        return self.columns

    @property
    def n_columns(self) -> int | None:
        """Number of columns of a table; None for what is none."""
        return len(self.columns) if self.is_table and self.columns is not None else None


def make_frame(
    values: NDArray[Any],
    categories: tuple[Categories | None, ...],
    form: FrameForm,
    index: Any = None,
) -> Any:
    """Return a DataFrame of (n_rows, n_columns) values, of which some columns are categorical.

    Its columns have the names and dtypes of the form, and no part in the memory of `values`.
    """
    pd = load("pandas")
    dtypes = form.dtypes
    if not any(categories) and len(set(dtypes)) == 1:
        frame = pd.DataFrame(np.array(values), index=index).astype(dtypes[0])
    else:
        columns = []
        for j, column in enumerate(values.T):
            found = categories[j] if categories else None
            items = column.copy() if found is None else restore(column, found)
            if found is None:
                columns.append(pd.Series(items).astype(dtypes[j % len(dtypes)]))
            else:
                columns.append(pd.Series(items, dtype=category_dtype(items, found)))
        frame = pd.concat(columns, axis=1)
        frame = frame if index is None else frame.set_axis(index)
    if form.columns is not None:
        frame.columns = columns_of(form.columns, form.column_names)
    return frame


def ids_of(index: SequenceIndex | None, name: Any, n_sequences: int) -> Any:
    """Return what sequences are called, as a pandas Index: 0, 1, ... if nobody says."""
    if index is not None and index.ids is not None:
        return index.ids
    return load("pandas").RangeIndex(n_sequences, name=name)


def times_of(
    index: SequenceIndex | None, clock: Clock | None, sequences: Sequences, joined: bool = False
) -> Any:
    """Return the time stamps of sequences: those that are known, or those that the clock tells.

    Returns
    -------
    list of pandas Index, or pandas Index if joined
        One for each sequence, or one for all steps under each other.
    """
    pd = load("pandas")
    offsets = sequences.offsets.tolist()
    times = None if index is None else index.times
    if times is None:
        steps = tell(clock, int(sequences.lengths.max(initial=0)))
        if not joined:
            return [steps[:n] for n in sequences.lengths.tolist()]
        starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
        return steps.take(np.arange(offsets[-1]) - starts)
    if joined and isinstance(times, list):
        filled = [stamps for stamps in times if len(stamps)] or times[:1]
        return filled[0].append(filled[1:]) if filled else pd.RangeIndex(0)
    if not joined and not isinstance(times, list):
        return [times[a:b] for a, b in pairwise(offsets)]
    return times


def floating_dtypes(frames: Iterable[Any]) -> tuple[str, ...]:
    """Return the floating dtypes in which columns of frames are written; one if all are alike."""
    columns = zip(*{tuple(frame.dtypes) for frame in frames}, strict=True)
    dtypes = tuple(floating_dtype(set(column)) for column in columns)
    return dtypes[:1] if len(set(dtypes)) == 1 else dtypes


def floating_dtype(dtypes: set[Any]) -> str:
    """Return how pandas writes the floating dtype next to these."""
    dtype = next(iter(dtypes))
    if len(dtypes) > 1 or isinstance(dtype, np.dtype):
        plain = [getattr(one, "numpy_dtype", one) for one in dtypes]
        return str(floating(*(one for one in plain if isinstance(one, np.dtype))))
    if dtype.kind == "f":
        return str(dtype)
    if dtype.kind not in "iub" or not hasattr(dtype, "numpy_dtype"):
        return "float64"
    number = str(floating(dtype.numpy_dtype))
    if hasattr(dtype, "pyarrow_dtype"):
        return {"float32": "float[pyarrow]", "float64": "double[pyarrow]"}[number]
    return number.capitalize()


def category_dtype(items: NDArray[Any], categories: Categories | None) -> Any:
    """Return the dtype of pandas for a column of categories."""
    if categories is not None and categories.dtype is not None:
        return categories.dtype
    return object if items.dtype.kind == "O" else None  # of which pandas would else make text


def columns_of(columns: Iterable[Any] | None, names: tuple[Any, ...]) -> Any:
    """Return columns, and names of their levels, as a pandas Index."""
    index = load("pandas").Index(list(columns or ()))
    return index.set_names(names) if len(names) == index.nlevels else index
