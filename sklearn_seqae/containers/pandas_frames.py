"""Frames of pandas with one cell a value: wide frames, lists of frames, long frames."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .ambiguity import check_frame, check_frames, check_index
from .columns import Categories, Columns
from .numeric import is_frame, is_series
from .numpy_arrays import pad, refuse_zero
from .pandas_columns import (
    ASKED,
    ChannelFrames,
    FrameForm,
    category_dtype,
    columns_of,
    floating_dtypes,
    ids_of,
    make_frame,
    times_of,
)
from .raw_sequences import RawSequences
from .sequences import SequenceIndex, Sequences, offsets_of
from .time_index import Clock, check_rising, check_rising_each, read_clock


@dataclass(frozen=True)
class WideFrame(FrameForm):
    """A DataFrame with a sequence a row and a step a column.

    Parameters
    ----------
    columns, dtypes, column_names
        As in `FrameForm`.
    id_name : label, default=None
        Name of the index.
    """

    name = "frame"
    one_channel = True
    is_wide = True
    id_name: Any = None

    @property
    def n_columns(self) -> int:
        """Number of steps."""
        return len(self.columns or ())

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return a DataFrame, of no more steps than the form has."""
        array = pad(sequences, self.n_columns, str(sequences.values.dtype))[:, :, 0]
        if array.shape[1] > self.n_columns:
            raise ValueError(
                f"Expected sequences of at most {self.n_columns} steps, one per column of the "
                f"DataFrame, got one of {array.shape[1]}; give shorter lengths or ask for the form "
                "'2d'."
            )
        rows = ids_of(index, self.id_name, len(sequences))
        if not sequences.categories:
            return make_frame(array, (), self, rows)
        columns = columns_of(self.columns, self.column_names)
        dtype = category_dtype(array, sequences.categories[0])
        return load("pandas").DataFrame(array, index=rows, columns=columns, dtype=dtype)


@dataclass(frozen=True)
class FrameList(ChannelFrames):
    """A list of DataFrames, each of which is a sequence.

    Parameters
    ----------
    columns, dtypes, column_names
        As in `FrameForm`.
    time_name : label, default=None
        Name of the indexes.
    clock : tuple of (str, str, str) or None, default=None
        Of regular time stamps their dtype, start and step: see `time_index`.
    """

    name = "frames"
    time_name: Any = None
    clock: Clock | None = None

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> list[Any]:
        """Return a list of DataFrames."""
        steps = make_frame(sequences.values, sequences.categories, self)
        bounds = pairwise(sequences.offsets.tolist())
        times = times_of(index, self.clock, sequences)
        return [steps.iloc[a:b].set_axis(one) for (a, b), one in zip(bounds, times, strict=True)]


@dataclass(frozen=True)
class LongFrame(ChannelFrames):
    """A DataFrame with a step a row, and an index of (id, time).

    Parameters
    ----------
    columns, dtypes, column_names
        As in `FrameForm`.
    id_name, time_name : label, default=None
        Names of the levels of the index.
    clock
        As in `FrameList`.
    """

    name = "long"
    is_table = True
    id_name: Any = None
    time_name: Any = None
    clock: Clock | None = None

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return a DataFrame."""
        pd = load("pandas")
        ids = ids_of(index, self.id_name, len(sequences))
        times = times_of(index, self.clock, sequences, joined=True)
        names = (self.id_name, self.time_name)
        # Ids that are tuples stay so: a MultiIndex would be levels of its own.
        ids = ids.to_flat_index() if ids.nlevels > 1 else ids
        times = times.get_level_values(-1)
        levels = pd.MultiIndex.from_arrays([ids.take(sequences.owners), times], names=names)
        steps = make_frame(sequences.values, sequences.categories, self, levels)
        if index is None or index.rows is None:
            return steps
        return steps.iloc[np.argsort(index.rows)]


class WideColumns(Columns):
    """The columns of a DataFrame that are steps of one channel."""

    n_channels = 1

    def hold_text(self) -> list[bool]:
        """Tell whether a step holds text or pandas' categories."""
        return [any(Columns(self.pieces, self.where).hold_text())]

    def channel(self, index: int, number: int) -> Columns:
        """Return the only channel."""
        return self

    def encode(self) -> tuple[NDArray[np.float32], Categories]:
        """Return the codes of one categorical channel, and what they stand for."""
        frame = self.pieces[0]
        steps = [frame.iloc[:, [j]] for j in range(frame.shape[1])]
        codes, categories = Columns(steps, lambda _: self.where(0)).encode()
        return codes.reshape(frame.shape[::-1]).T, categories


def read_wide(X: Any) -> RawSequences | None:
    """Read a DataFrame with a sequence a row and a step a column."""
    if not is_frame(X) or X.index.nlevels > 1:
        return None
    refuse_zero("sample(s)", X.shape, len(X))
    refuse_zero("feature(s)", X.shape, X.shape[1])
    check_frame(X)
    form = WideFrame(tuple(X.columns), floating_dtypes([X]), tuple(X.columns.names), X.index.name)
    offsets = np.arange(len(X) + 1) * X.shape[1]
    columns = WideColumns([X], ["the DataFrame"].__getitem__)
    return RawSequences(
        [columns], offsets, form, SequenceIndex(X.index), is_padded=True, step_names=X.columns
    )


def read_frames(X: Any) -> RawSequences | None:
    """Read a list of DataFrames, each of which is a sequence with a channel a column."""
    is_list = isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1)
    if not is_list or not len(X) or not all(map(is_frame, X)):
        return None
    names = tuple(X[0].columns)
    refuse_zero("channel(s)", X[0].shape, len(names))
    for i, frame in enumerate(X):
        if frame.shape[1] != len(names):
            raise ValueError(
                f"Got sequences of mixed channels: sequence {i} has shape {frame.shape}, but "
                f"sequence 0 has shape {X[0].shape}. Give all the same columns, filled with NaN "
                "where one is missing."
            )
        if tuple(frame.columns) != names:
            raise ValueError(
                f"Expected the same columns in all DataFrames, but sequence {i} has "
                f"{list(frame.columns)} and sequence 0 has {list(names)}; give all the same "
                "columns in the same order."
            )
    check_frames(X)
    indexes = [frame.index for frame in X]
    check_rising_each(indexes, lambda i: f"sequence {i}")
    form = FrameList(
        names,
        floating_dtypes(X),
        tuple(X[0].columns.names),
        indexes[0].name,
        read_clock(indexes[:ASKED]),
    )
    columns = Columns(list(X), "sequence {}".format)
    offsets = offsets_of(list(map(len, X)))
    return RawSequences([columns], offsets, form, SequenceIndex(times=indexes))


def read_long(X: Any) -> RawSequences | None:
    """Read a DataFrame with a step a row, and an index of (sequence, time)."""
    if not (is_frame(X) or is_series(X)) or X.index.nlevels == 1:
        return None
    if is_series(X):
        raise TypeError(
            f"Expected steps with an index of {X.index.nlevels} levels as a DataFrame, got a "
            "Series; pass X.to_frame()."
        )
    if X.index.nlevels > 2:
        raise ValueError(
            "Expected a DataFrame with an index of (sequence, time), got one of "
            f"{X.index.nlevels} levels, {list(X.index.names)}; join those before the last to one: "
            "X.set_axis(pd.MultiIndex.from_arrays([X.index.droplevel(-1).to_flat_index(), "
            "X.index.get_level_values(-1)]))."
        )
    refuse_zero("sample(s)", X.shape, len(X))
    refuse_zero("feature(s)", X.shape, X.shape[1])
    check_index(X.index)
    owners, ids = X.index.get_level_values(0).factorize()
    ids = ids.rename(X.index.names[0])
    if (owners < 0).any():
        raise ValueError(
            "Expected every row to say which sequence it belongs to, but row "
            f"{int(np.argmax(owners < 0))} has a missing id; fill it in, or leave the row out."
        )
    rows = None
    if (np.diff(owners) < 0).any():  # the rows of one sequence are not next to each other
        rows = np.argsort(owners, kind="stable")
        X, owners = X.iloc[rows], owners[rows]
    times = X.index.get_level_values(1)
    check_rising(times, owners, lambda i: f"sequence {ids[[i]].tolist()[0]!r}")
    offsets = offsets_of(np.bincount(owners))
    asked = [times[a:b] for a, b in pairwise(offsets[: ASKED + 1])]
    form = LongFrame(
        tuple(X.columns),
        floating_dtypes([X]),
        tuple(X.columns.names),
        X.index.names[0],
        X.index.names[1],
        read_clock(asked),
    )
    columns = Columns([X], ["the DataFrame"].__getitem__)
    return RawSequences([columns], offsets, form, SequenceIndex(ids, times, rows))
