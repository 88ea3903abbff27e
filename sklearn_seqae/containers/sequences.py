"""The one inner form of data: sequences under each other, and what is known of their container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .columns import Labels, inner_dtype

# Kinds that have one sequence a row and one step a column, and kinds with one channel a column.
_WIDE = ("2d", "frame")
_TABLES = ("long", "nested", "arrow_frame", "arrow_table", "polars_frame")


@dataclass(frozen=True)
class Form:
    """The container that sequences came from, without its data: text, numbers and names only.

    Parameters
    ----------
    kind : str, default="list"
        A key of `registry.KINDS`.
    width : int or None, default=None
        Number of steps, for kinds that pad.
    columns : tuple or None, default=None
        Names of the columns: of steps for "frame", else of channels.
    dtypes : tuple of str, default=()
        The floating dtypes of the columns, as their library writes them; one alone is that of all,
        none stands for float32. Symbols have theirs in `Labels`.
    names : tuple, default=()
        Names of what holds names: pandas' index levels, then its levels of columns.
    clock : tuple of (str, str, str) or None, default=None
        Of regular time stamps their dtype, start and step: see `time_index`.
    layout : str, default=""
        What else the kind has to know of itself: the type of nested cells, the schema of Arrow
        columns, the type of an awkward array.
    masked : bool, default=False
        Whether NumPy's mask says what is missing.
    fields : tuple of str, default=()
        Names of the channels where steps are structs; their order is of no account.
    """

    kind: str = "list"
    width: int | None = None
    columns: tuple[Any, ...] | None = None
    dtypes: tuple[str, ...] = ()
    names: tuple[Any, ...] = ()
    clock: tuple[str, str, str] | None = None
    layout: str = ""
    masked: bool = False
    fields: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """The dtype of all numbers, where the container has one for all of them."""
        return self.dtypes[0] if self.dtypes else "float32"

    @property
    def one_channel(self) -> bool:
        """Whether the container holds sequences of one channel, without an axis for it."""
        return self.kind in ("list_1d", "object_1d", *_WIDE)

    @property
    def is_wide(self) -> bool:
        """Whether columns are steps."""
        return self.kind in _WIDE

    @property
    def is_table(self) -> bool:
        """Whether the container is a table whose columns are channels."""
        return self.kind in _TABLES

    @property
    def channel_names(self) -> tuple[Any, ...] | None:
        """Names of the channels, where the container has some."""
        if self.fields:
            return self.fields
        return self.columns if self.is_table or self.kind in ("frames", "awkward") else None

    def has_columns_of(self, other: Form) -> bool:
        """Whether the columns of both containers mean the same, so that they should agree."""
        return (self.is_wide and other.is_wide) or (self.is_table and other.is_table)


@dataclass(frozen=True, eq=False)
class SequenceIndex:
    """What pandas' indexes say of the sequences of one container.

    Parameters
    ----------
    ids : pandas Index of n_sequences, or None
        What each sequence is called.
    times : pandas Index of total_steps, list of n_sequences pandas Index, or None
        The time stamps of all steps under each other, or sequence by sequence.
    rows : ndarray of shape (total_steps,), int64, or None
        Where in the container each step was, if sequences were mixed there.
    """

    ids: Any = None
    times: Any = None
    rows: NDArray[np.int64] | None = None

    def take(self, chosen: NDArray[np.int64], steps: NDArray[np.int64]) -> SequenceIndex:
        """Return what is said of the chosen sequences, and of their steps."""
        ids = None if self.ids is None else self.ids.take(chosen)
        if isinstance(self.times, list):
            return SequenceIndex(ids, [self.times[i] for i in chosen])
        return SequenceIndex(ids, None if self.times is None else self.times.take(steps))


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of any length under each other, in Arrow's list layout.

    Parameters
    ----------
    values : ndarray of shape (total_steps, n_channels), float32 or float64
        All real steps of all sequences; NaN is a missing value. Kept as a read-only view. Of a
        channel of symbols, their codes 0, 1, ... They are float64 where float32 would not hold
        all values of the dtype that came.
    offsets : ndarray of shape (n_sequences + 1,), int64
        Sequence ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    form : Form, default=Form("list")
        The container that :func:`registry.to_container` gives back.
    labels : tuple of (Labels or None), default=()
        For each channel what its codes stand for, None for numbers; empty where all are numbers.
    index : SequenceIndex or None, default=None
        Ids and time stamps, from containers that have them.

    Examples
    --------
    >>> Sequences.from_lengths(np.arange(6.0).reshape(3, 2), [1, 0, 2])[-1]
    array([[2., 3.],
           [4., 5.]])
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    form: Form = field(default_factory=Form)
    labels: tuple[Labels | None, ...] = ()
    index: SequenceIndex | None = None

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values)
        values = values.astype(inner_dtype(values.dtype), copy=False)
        offsets = np.ascontiguousarray(self.offsets, dtype=np.int64)
        bounds = offsets[[0, -1]].tolist() if offsets.ndim == 1 and len(offsets) else []
        falls = bounds != [0, len(values)] or (np.diff(offsets) < 0).any()
        if falls or np.ndim(self.values) != 2:
            raise ValueError(
                "Expected values of shape (total_steps, n_channels) and offsets that rise from 0 "
                f"to total_steps, got values of shape {np.shape(self.values)} and offsets {bounds}."
            )
        if self.labels and len(self.labels) != values.shape[1]:
            raise ValueError(
                f"Expected labels, or None, for each of {values.shape[1]} channels, got "
                f"{len(self.labels)}; make Sequences without labels of values that are no codes."
            )
        # Values may be the caller's own memory: a read-only view keeps it from being written to.
        for name, array in (("values", values), ("offsets", offsets)):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @classmethod
    def from_lengths(
        cls, values: NDArray[Any], lengths: ArrayLike, form: Form | None = None
    ) -> Sequences:
        """Make sequences from (total_steps, n_channels) values and the steps of each sequence."""
        return cls(values, _offsets(np.asarray(lengths, dtype=np.int64)), form or Form())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of steps of each sequence, (n_sequences,) int64."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Index of the sequence that each step belongs to, (total_steps,) int64."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def n_channels(self) -> int:
        """Number of channels of every step."""
        return int(self.values.shape[1])

    @property
    def n_features(self) -> int:
        """What scikit-learn counts as features: columns of a 2-D array or table, else channels."""
        if self.form.is_table and self.form.columns is not None:
            return len(self.form.columns)
        columns = self.form.width if self.form.one_channel else None
        return self.n_channels if columns is None else columns

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Return one sequence, (n_steps, n_channels), as a read-only view."""
        position = range(len(self))[index]
        return self.values[self.offsets[position] : self.offsets[position + 1]]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter(cut(self.values, self.offsets))

    def with_channels(self, n_channels: int) -> Sequences:
        """Return empty sequences, whose container says of none how many channels, with so many."""
        is_open = self.form.kind in ("list_1d", "object_1d", "nested", "nested_series")
        if len(self.values) or not is_open or len(self.form.columns or ()) > 1:
            return self
        form = self.form
        if n_channels > 1:
            form = replace(form, kind=form.kind.removesuffix("_1d"))
        return Sequences(
            np.empty((0, n_channels), self.values.dtype), self.offsets, form, index=self.index
        )

    def take(self, indices: Any) -> Sequences:
        """Choose sequences by what NumPy takes as an index: integers, a boolean mask, a slice."""
        chosen = np.arange(len(self))[indices]
        lengths = self.lengths[chosen]
        offsets = _offsets(lengths)
        # From where a step lies after the choice to where it lies now: one shift per sequence.
        shifts = self.offsets[chosen] - offsets[:-1]
        rows = np.arange(offsets[-1]) + np.repeat(shifts, lengths)
        index = None if self.index is None else self.index.take(chosen, rows)
        return Sequences(self.values[rows], offsets, self.form, self.labels, index)

    def with_values(self, values: NDArray[Any]) -> Sequences:
        """Return sequences of the same lengths, form, labels and index with other values.

        Where there are labels, these are (total_steps, n_channels), else (total_steps, any).
        """
        return Sequences(values, self.offsets, self.form, self.labels, self.index)


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64, copy=False)


def cut(values: NDArray[Any], offsets: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Return the rows of each sequence, as views."""
    return [values[start:stop] for start, stop in pairwise(offsets.tolist())]
