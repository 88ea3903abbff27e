"""The one inner form of data: sequences under each other, and what is known of their container."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .columns import Categories, combine
from .numeric import inner, is_missing


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
        """Return the index of the chosen sequences, and of their steps."""
        ids = None if self.ids is None else self.ids.take(chosen)
        if isinstance(self.times, list):
            return SequenceIndex(ids, [self.times[i] for i in chosen])
        return SequenceIndex(ids, None if self.times is None else self.times.take(steps))


@dataclass(frozen=True)
class Form(ABC):
    """The container that sequences came from, without its data: text, numbers and names only.

    One class a container, each in the module of its family. Its fields are what `write` needs to
    give the container back, and what a file has of it.
    """

    name: ClassVar[str]  # in errors and files
    one_channel: ClassVar[bool] = False  # sequences of one channel, without an axis for it
    is_wide: ClassVar[bool] = False  # columns are steps
    is_table: ClassVar[bool] = False  # columns are channels

    @abstractmethod
    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return the container; `index` has ids and time stamps, where there are some."""

    @property
    def channel_names(self) -> tuple[Any, ...] | None:
        """Names of the channels, where the container has some."""
        return None

    @property
    def n_columns(self) -> int | None:
        """Number of columns of a table, of channels or of steps; None for what is no table."""
        return None

    @property
    def has_order(self) -> bool:
        """Whether the order of the channels counts; by name alone it does not."""
        return True

    def with_channels(self, n_channels: int) -> Form | None:
        """Return the form of empty sequences of so many channels; None if it says how many."""
        return None

    def has_columns_of(self, other: Form) -> bool:
        """Whether the columns of both containers mean the same, so that they should agree."""
        return (self.is_wide and other.is_wide) or (self.is_table and other.is_table)


@dataclass(frozen=True)
class ListForm(Form):
    """A list of arrays (n_steps, n_channels).

    Parameters
    ----------
    dtype : str, default="float32"
        The floating dtype of numbers.
    masked : bool, default=False
        Whether NumPy's mask says what is missing.
    """

    name = "list"
    dtype: str = "float32"
    masked: bool = False

    @classmethod
    def of(cls, sequences: Sequences) -> ListForm:
        """Return the form for sequences of another container."""
        return cls(sequences.values.dtype.name)

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return a list of arrays."""
        values = combine(sequences.values, sequences.categories, self.dtype)
        values = with_mask(values) if self.masked else values
        return cut(values[:, 0] if self.one_channel else values, sequences.offsets)


@dataclass(frozen=True)
class FlatListForm(ListForm):
    """A list of arrays (n_steps,)."""

    name = "list_1d"
    one_channel = True

    def with_channels(self, n_channels: int) -> Form:
        """Return a list of arrays with an axis of channels, if there is more than one."""
        return self if n_channels == 1 else ListForm(self.dtype, self.masked)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of any length under each other, in Arrow's list layout.

    Parameters
    ----------
    values : ndarray of shape (total_steps, n_channels), float32 or float64
        All real steps of all sequences; NaN is a missing value. Kept as a read-only view. Of a
        categorical channel, the codes 0, 1, ... They are float64 where float32 would not hold
        all values of the dtype that came.
    offsets : ndarray of shape (n_sequences + 1,), int64
        Sequence ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    form : Form, default=ListForm()
        The container that :func:`registry.to_container` gives back.
    categories : tuple of (Categories or None), default=()
        For each channel what its codes stand for, None for numbers; empty where all are numbers.
    index : SequenceIndex or None, default=None
        Ids and time stamps, from containers that have them.
    spans : ndarray of shape (n_sequences, 2), int64, or None, default=None
        First and last time stamp + 1 of windows of long series, on one line for all series: two
        windows share time stamps if their spans overlap. See `spans`.

    Examples
    --------
    >>> Sequences.from_lengths(np.arange(6.0).reshape(3, 2), [1, 0, 2])[-1]
    array([[2., 3.],
           [4., 5.]])
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    form: Form = ListForm()
    categories: tuple[Categories | None, ...] = ()
    index: SequenceIndex | None = None
    spans: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        values = inner(np.ascontiguousarray(self.values))
        offsets = np.ascontiguousarray(self.offsets, dtype=np.int64)
        bounds = [int(offsets[0]), int(offsets[-1])] if offsets.ndim == 1 and len(offsets) else []
        falls = bounds != [0, len(values)] or (offsets[1:] < offsets[:-1]).any()
        if falls or np.ndim(self.values) != 2:
            raise ValueError(
                "Expected values of shape (total_steps, n_channels) and offsets that rise from 0 "
                f"to total_steps, got values of shape {np.shape(self.values)} and offsets {bounds}."
            )
        if self.categories and len(self.categories) != values.shape[1]:
            raise ValueError(
                f"Expected categories, or None, for each of {values.shape[1]} channels, got "
                f"{len(self.categories)}; make Sequences without categories of values that "
                "are no codes."
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
        return cls(values, offsets_of(lengths), form or ListForm())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of steps of each sequence, (n_sequences,) int64."""
        lengths: NDArray[np.int64] = self.offsets[1:] - self.offsets[:-1]
        return lengths

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
        columns = self.form.n_columns
        return self.n_channels if columns is None else columns

    @property
    def channel_names(self) -> tuple[Any, ...] | None:
        """Names of all channels, where the container has one for each."""
        names = self.form.channel_names
        return names if len(names or ()) == self.n_channels else None

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
        form = None if len(self.values) else self.form.with_channels(n_channels)
        if form is None:
            return self
        values = np.empty((0, n_channels), self.values.dtype)
        return Sequences(values, self.offsets, form, index=self.index)

    def take(self, indices: Any) -> Sequences:
        """Choose sequences by what NumPy takes as an index: integers, a boolean mask, a slice."""
        chosen = np.arange(len(self))[indices]
        lengths = self.lengths[chosen]
        offsets = offsets_of(lengths)
        # From where a step lies after the choice to where it lies now: one shift per sequence.
        shifts = self.offsets[chosen] - offsets[:-1]
        rows = np.arange(offsets[-1]) + np.repeat(shifts, lengths)
        index = None if self.index is None else self.index.take(chosen, rows)
        spans = None if self.spans is None else self.spans[chosen]
        return Sequences(self.values[rows], offsets, self.form, self.categories, index, spans)

    def with_values(self, values: NDArray[Any]) -> Sequences:
        """Return sequences of the same lengths, form, categories and index with other values.

        Where there are categories, these are (total_steps, n_channels), else (total_steps, any).
        """
        return Sequences(values, self.offsets, self.form, self.categories, self.index, self.spans)


def offsets_of(lengths: ArrayLike) -> NDArray[np.int64]:
    """Return where sequences of these lengths begin under each other, and the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64, copy=False)


def cut(values: NDArray[Any], offsets: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Return the rows of each sequence, as views."""
    return [values[start:stop] for start, stop in pairwise(offsets.tolist())]


def with_mask(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array with NumPy's mask over what is missing."""
    return np.ma.masked_array(array, mask=is_missing(array.ravel()).reshape(array.shape))
