"""Frames of pandas with one cell a value: wide frames, lists of frames, long frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .ambiguity import check_frame, check_frames, check_index, refuse_text_column
from .columns import Categories, Chooser, channel, holds_categories, read_channels
from .numeric import frame_values, is_frame, is_series
from .numpy_arrays import pad, read_array, refuse_infinity, refuse_zero
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
from .sequences import SequenceIndex, Sequences
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


def read_wide(X: Any, choose: Chooser | None) -> Sequences | None:
    """Read a DataFrame with a sequence a row and a step a column."""
    if not is_frame(X) or X.index.nlevels > 1:
        return None
    check_frame(X)
    form = WideFrame(tuple(X.columns), floating_dtypes([X]), tuple(X.columns.names), X.index.name)
    categories: tuple[Categories | None, ...] = ()
    values = None
    if choose is not None and X.size:
        categorical = choose([any(holds_categories(X, X.shape[1]))], None)
        if any(categorical):
            if X.shape[1] == 1:
                refuse_text_column(len(X))
            # The columns are steps: one channel, read step by step.
            pieces = [channel(X, i) for i in range(X.shape[1])]
            names = [f"column {name!r}" for name in X.columns]
            codes, categories = read_channels([pieces], categorical, names)
            values = codes.reshape(X.shape[::-1]).T
    if values is None:
        values = frame_values(X, "the DataFrame")
    sequences = read_array(values, None, 2, None if categories else X.columns)
    assert sequences is not None
    return replace(sequences, form=form, categories=categories, index=SequenceIndex(X.index))


def read_frames(X: Any, choose: Chooser | None) -> Sequences | None:
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
    owners = [f"sequence {i}" for i in range(len(X))]
    offsets = np.concatenate([[0], np.cumsum([len(frame) for frame in X])])
    index = SequenceIndex(times=indexes)
    return _read_columns(list(X), owners, choose, offsets, form, index)


def read_long(X: Any, choose: Chooser | None) -> Sequences | None:
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
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners))])
    asked = [times[a:b] for a, b in pairwise(offsets[: ASKED + 1])]
    form = LongFrame(
        tuple(X.columns),
        floating_dtypes([X]),
        tuple(X.columns.names),
        X.index.names[0],
        X.index.names[1],
        read_clock(asked),
    )
    index = SequenceIndex(ids, times, rows)
    return _read_columns([X], ["the DataFrame"], choose, offsets, form, index)


def _read_columns(
    frames: list[Any],
    owners: list[str],
    choose: Chooser | None,
    offsets: NDArray[np.int64],
    form: FrameForm,
    index: SequenceIndex,
) -> Sequences:
    """Read frames with a channel a column, that hold all steps under each other."""
    n_channels = frames[0].shape[1]
    categorical: Any = ()
    if choose is not None:
        found = np.any([holds_categories(frame, n_channels) for frame in frames], axis=0)
        categorical = choose([bool(one) for one in found], form.columns)
    if any(categorical):
        pieces = [[channel(frame, j) for frame in frames] for j in range(n_channels)]
        values, categories = read_channels(pieces, categorical, owners)
        return Sequences(values, offsets, form, categories, index)
    numbers = [frame_values(frame, owner) for frame, owner in zip(frames, owners, strict=True)]
    sequences = Sequences(np.concatenate(numbers), offsets, form, index=index)
    refuse_infinity(sequences)
    return sequences
