"""Frames of pandas with one cell a value: wide frames, lists of frames, long frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .ambiguity import check_frame, check_frames, check_index, refuse_text_column
from .columns import (
    Chooser,
    Labels,
    channel,
    floating,
    frame_values,
    holds_symbols,
    is_frame,
    is_series,
    read_channels,
    restore,
)
from .numpy_arrays import pad, read_array, refuse_infinity, refuse_zero
from .sequences import Form, SequenceIndex, Sequences
from .time_index import check_rising, check_rising_each, read_clock, tell

# Sequences that are asked for the step of their time stamps: one is enough, if it is not too short.
ASKED = 100


def read_wide(X: Any, choose: Chooser | None) -> Sequences | None:
    """Read a DataFrame with a sequence a row and a step a column."""
    if not is_frame(X) or X.index.nlevels > 1:
        return None
    check_frame(X)
    form = Form(
        "frame",
        X.shape[1],
        tuple(X.columns),
        dtypes=floating_dtypes([X]),
        names=(X.index.name, *X.columns.names),
    )
    labels: tuple[Labels | None, ...] = ()
    values = None
    if choose is not None and X.size:
        symbolic = choose([any(holds_symbols(X, X.shape[1]))], None)
        if any(symbolic):
            if X.shape[1] == 1:
                refuse_text_column(len(X))
            # The columns are steps: one channel, read step by step.
            pieces = [channel(X, i) for i in range(X.shape[1])]
            names = [f"column {name!r}" for name in X.columns]
            codes, labels = read_channels([pieces], symbolic, names)
            values = codes.reshape(X.shape[::-1]).T
    if values is None:
        values = frame_values(X, "the DataFrame")
    sequences = read_array(values, None, 2, None if labels else X.columns)
    assert sequences is not None
    return replace(sequences, form=form, labels=labels, index=SequenceIndex(X.index))


def write_wide(sequences: Sequences, form: Form, index: SequenceIndex | None) -> Any:
    """Write a DataFrame with a sequence a row and a step a column, no more than the form has."""
    array = pad(sequences, form.width or 0, str(sequences.values.dtype))[:, :, 0]
    columns = range(array.shape[1]) if form.columns is None else form.columns
    if array.shape[1] > len(columns):
        raise ValueError(
            f"Expected sequences of at most {len(columns)} steps, one per column of the DataFrame, "
            f"got one of {array.shape[1]}; give shorter lengths or ask for the form '2d'."
        )
    form = replace(form, columns=tuple(columns))
    rows = ids_of(index, form, len(sequences))
    if not sequences.labels:
        return make_frame(array, (), form, rows)
    pd = load("pandas")
    dtype = _symbol_dtype(array, sequences.labels[0])
    return pd.DataFrame(array, index=rows, columns=columns_of(form), dtype=dtype)


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
    form = Form(
        "frames",
        columns=names,
        dtypes=floating_dtypes(X),
        names=(indexes[0].name, *X[0].columns.names),
        clock=read_clock(indexes[:ASKED]),
    )
    owners = [f"sequence {i}" for i in range(len(X))]
    offsets = np.concatenate([[0], np.cumsum([len(frame) for frame in X])])
    index = SequenceIndex(times=indexes)
    return _read_columns(list(X), owners, choose, offsets, form, index)


def write_frames(sequences: Sequences, form: Form, index: SequenceIndex | None) -> list[Any]:
    """Write a list of DataFrames."""
    steps = make_frame(sequences.values, sequences.labels, form)
    bounds = pairwise(sequences.offsets.tolist())
    times = times_of(index, form, sequences)
    return [steps.iloc[a:b].set_axis(stamps) for (a, b), stamps in zip(bounds, times, strict=True)]


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
    names = (*X.index.names, *X.columns.names)
    owners, ids = X.index.get_level_values(0).factorize()
    ids = ids.rename(names[0])
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
    form = Form("long", None, tuple(X.columns), floating_dtypes([X]), names, read_clock(asked))
    index = SequenceIndex(ids, times, rows)
    return _read_columns([X], ["the DataFrame"], choose, offsets, form, index)


def write_long(sequences: Sequences, form: Form, index: SequenceIndex | None) -> Any:
    """Write a DataFrame with an index of (sequence, time)."""
    pd = load("pandas")
    ids = ids_of(index, form, len(sequences))
    times = times_of(index, form, sequences, joined=True)
    names = (*form.names, None, None)[:2]
    # Ids that are tuples stay so: a MultiIndex would be levels of its own.
    ids = ids.to_flat_index() if ids.nlevels > 1 else ids
    times = times.get_level_values(-1)
    levels = pd.MultiIndex.from_arrays([ids.take(sequences.owners), times], names=names)
    steps = make_frame(sequences.values, sequences.labels, form, levels)
    if index is None or index.rows is None:
        return steps
    return steps.iloc[np.argsort(index.rows)]


def _read_columns(
    frames: list[Any],
    owners: list[str],
    choose: Chooser | None,
    offsets: NDArray[np.int64],
    form: Form,
    index: SequenceIndex,
) -> Sequences:
    """Read frames with a channel a column, that hold all steps under each other."""
    n_channels = frames[0].shape[1]
    symbolic: Any = ()
    if choose is not None:
        found = np.any([holds_symbols(frame, n_channels) for frame in frames], axis=0)
        symbolic = choose([bool(one) for one in found], form.columns)
    if any(symbolic):
        pieces = [[channel(frame, j) for frame in frames] for j in range(n_channels)]
        values, labels = read_channels(pieces, symbolic, owners)
        return Sequences(values, offsets, form, labels, index)
    numbers = [frame_values(frame, owner) for frame, owner in zip(frames, owners, strict=True)]
    sequences = Sequences(np.concatenate(numbers), offsets, form, index=index)
    refuse_infinity(sequences)
    return sequences


def make_frame(
    values: NDArray[Any], labels: tuple[Labels | None, ...], form: Form, index: Any = None
) -> Any:
    """Return a DataFrame of (n_rows, n_columns) values, of which some columns hold symbols.

    Its columns have the names and dtypes of the form, and no part in the memory of `values`.
    """
    pd = load("pandas")
    dtypes = form.dtypes or ("float32",)
    if not any(labels) and len(set(dtypes)) == 1:
        frame = pd.DataFrame(np.array(values), index=index).astype(dtypes[0])
    else:
        columns = []
        for j, column in enumerate(values.T):
            found = labels[j] if labels else None
            items = column.copy() if found is None else restore(column, found)
            if found is None:
                columns.append(pd.Series(items).astype(dtypes[j % len(dtypes)]))
            else:
                columns.append(pd.Series(items, dtype=_symbol_dtype(items, found)))
        frame = pd.concat(columns, axis=1)
        frame = frame if index is None else frame.set_axis(index)
    if form.columns is not None:
        frame.columns = columns_of(form)
    return frame


def ids_of(index: SequenceIndex | None, form: Form, n_sequences: int) -> Any:
    """Return what sequences are called, as a pandas Index: 0, 1, ... if nobody says."""
    if index is not None and index.ids is not None:
        return index.ids
    return load("pandas").RangeIndex(n_sequences, name=form.names[0] if form.names else None)


def times_of(
    index: SequenceIndex | None, form: Form, sequences: Sequences, joined: bool = False
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
        steps = tell(form.clock, int(sequences.lengths.max(initial=0)))
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
    """Return the dtypes that the columns of frames come back in; one if it is that of all."""
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


def _symbol_dtype(items: NDArray[Any], labels: Labels | None) -> Any:
    if labels is not None and labels.dtype is not None:
        return labels.dtype
    return object if items.dtype.kind == "O" else None  # of which pandas would else make text


def columns_of(form: Form) -> Any:
    """Return the columns of a form, as a pandas Index."""
    pd = load("pandas")
    columns = pd.Index(list(form.columns or ()))
    names = form.names[2 if form.kind == "long" else 1 :]
    return columns.set_names(names) if len(names) == columns.nlevels else columns
