"""Nested frames of pandas: a row a sequence, a column a channel, and all its steps in a cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from sklearn_seqae._utils.optional_imports import load

from .columns import Columns, as_given
from .numeric import is_frame, is_series
from .numpy_arrays import read_elements, refuse_unequal
from .pandas_columns import (
    ASKED,
    ChannelFrames,
    columns_of,
    floating_dtype,
    ids_of,
    make_frame,
    times_of,
)
from .raw_sequences import RawSequences
from .sequences import Form, SequenceIndex, Sequences, offsets_of
from .time_index import Clock, check_rising_each, read_clock


@dataclass(frozen=True)
class NestedForm(ChannelFrames):
    """Cells of pandas, each of which has all steps of a sequence.

    Parameters
    ----------
    columns, dtypes, column_names
        As in `FrameForm`.
    id_name : label, default=None
        Name of the index.
    clock
        As in `FrameList`.
    cell : {"Series", "array", "list"}, default="Series"
        What the cells are.
    """

    id_name: Any = None
    clock: Clock | None = None
    cell: str = "Series"

    def with_channels(self, n_channels: int) -> Form | None:
        """Return the form, if one column may hold all channels."""
        return self if len(self.columns or ()) < 2 else None

    def _write_columns(self, sequences: Sequences, index: SequenceIndex | None) -> list[Any]:
        """Return each column, a Series of cells."""
        pd = load("pandas")
        rows = ids_of(index, self.id_name, len(sequences))
        bounds = list(pairwise(sequences.offsets.tolist()))
        n_columns = sequences.n_channels if self.columns is None else len(self.columns)
        is_series = self.cell == "Series"
        times = times_of(index, self.clock, sequences) if is_series else []
        steps = make_frame(sequences.values, sequences.categories, replace(self, columns=None))
        columns = []
        for j in range(n_columns):
            cells = np.empty(len(sequences), dtype=object)
            column = steps if n_columns < sequences.n_channels else steps.iloc[:, j]
            items = column if is_series else column.to_numpy()
            for i, (start, stop) in enumerate(bounds):
                if is_series:
                    cells[i] = items.iloc[start:stop].set_axis(times[i]).rename(None)
                elif self.cell == "list":
                    cells[i] = items[start:stop].tolist()
                else:
                    cells[i] = items[start:stop].copy()
            columns.append(pd.Series(cells, index=rows, dtype=object))
        return columns


@dataclass(frozen=True)
class NestedFrame(NestedForm):
    """A DataFrame of such cells: a row a sequence, a column a channel."""

    name = "nested"
    is_table = True

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return a DataFrame."""
        columns = self._write_columns(sequences, index)
        names = range(len(columns)) if self.columns is None else self.columns
        frame = load("pandas").concat(columns, axis=1)
        return frame.set_axis(columns_of(names, self.column_names), axis=1)


@dataclass(frozen=True)
class NestedSeries(NestedForm):
    """A Series of such cells."""

    name = "nested_series"

    @property
    def channel_names(self) -> None:
        """None: a Series has one name for all channels."""

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return a Series."""
        (column,) = self._write_columns(sequences, index)
        return column.rename(self.columns[0] if self.columns else None)


def read_nested(X: Any) -> RawSequences | None:
    """Read a DataFrame, or a Series, whose cells are Series, arrays or lists of all steps."""
    if not (is_frame(X) or is_series(X)) or X.index.nlevels > 1:
        return None
    frame = X if is_frame(X) else X.to_frame()
    columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
    nested = [column.dtype == object and any(map(_is_cell, column)) for column in columns]
    if not any(nested):
        return None
    names = tuple(frame.columns)
    if not all(nested):
        others = [name for name, is_nested in zip(names, nested, strict=True) if not is_nested]
        raise ValueError(
            f"Expected a sequence in every cell, but the columns {others} hold none; leave them "
            f"out: X[{[name for name in names if name not in others]}]."
        )
    cells = [list(column) for column in columns]
    rows = [f"row {label!r}" for label in frame.index.tolist()]
    for name, column in zip(names, cells, strict=True):
        for row, cell in zip(rows, column, strict=True):
            if not _is_cell(cell):
                raise ValueError(
                    f"Expected a sequence in every cell, but column {name!r} of {row} has "
                    f"{cell!r}; give an empty one, or leave the row out."
                )
    if any(is_frame(cell) for column in cells for cell in column):
        one = "X" if is_series(X) else f"X[{names[0]!r}]"
        raise ValueError(
            "Expected cells to be Series, arrays or lists, got DataFrames; pass the list of them: "
            f"{one}.tolist()."
        )
    first = next((cell for cell in cells[0] if len(cell)), cells[0][0])
    kind = "Series" if is_series(first) else "list" if isinstance(first, list | tuple) else "array"
    form = (NestedFrame if is_frame(X) else NestedSeries)(
        columns=names,
        dtypes=tuple(map(_dtype, cells)),
        column_names=tuple(frame.columns.names),
        id_name=frame.index.name,
        cell=kind,
    )
    index = SequenceIndex(frame.index)
    if len(cells) == 1 and _is_matrix(first):
        # A cell of a Parquet file is an array of arrays.
        is_nested = [getattr(cell, "dtype", None) == np.dtype(object) for cell in cells[0]]
        elements = [list(x) if yes else x for x, yes in zip(cells[0], is_nested, strict=True)]
        read = read_elements(elements)
        assert read is not None
        return replace(read, form=form, index=index)
    lengths = [list(map(len, column)) for column in cells]
    where = [f"column {name!r}" for name in names]
    refuse_unequal(lengths, where, rows.__getitem__, "NaN")
    if kind == "Series":
        times = [cell.index if is_series(cell) else None for cell in cells[0]]
        _check_times(cells, times, names, rows)
        check_rising_each(times, rows.__getitem__)
        form = replace(form, clock=read_clock(times[:ASKED]))
        index = SequenceIndex(frame.index, times)
    channels = []
    for name, column in zip(names, cells, strict=True):
        where = [f"column {name!r} of {row}" for row in rows]
        channels.append(Columns(list(map(_piece, column, where)), where.__getitem__))
    return RawSequences(channels, offsets_of(lengths[0]), form, index)


def _is_cell(item: Any) -> bool:
    return isinstance(item, list | tuple) or np.ndim(item) > 0


def _is_matrix(cell: Any) -> bool:
    """Tell whether a cell holds steps that are vectors."""
    return not is_series(cell) and len(cell) > 0 and _is_cell(cell[0])


def _dtype(cells: list[Any]) -> str:
    """Return the floating dtype in which cells of a column are written; float64 for lists."""
    dtypes = {cell.dtype for cell in cells if hasattr(cell, "dtype") and len(cell)}
    return floating_dtype(dtypes or {np.dtype(np.float64)})


def _check_times(
    cells: list[list[Any]], times: list[Any], names: tuple[Any, ...], rows: list[str]
) -> None:
    """Raise unless the cells of a row have the same time stamps."""
    for name, column in zip(names, cells, strict=True):
        for row, cell, stamps in zip(rows, column, times, strict=True):
            if not is_series(cell):
                raise ValueError(
                    f"Expected cells of one kind, but column {name!r} of {row} holds a "
                    f"{type(cell).__name__} beside Series; convert it to a Series."
                )
            if cell.index is not stamps and not cell.index.equals(stamps):
                raise ValueError(
                    f"Expected all channels of a sequence to have the same time stamps, but in "
                    f"{row} column {name!r} has others than column {names[0]!r}; give both all of "
                    "them, with NaN where one has no value."
                )


def _piece(cell: Any, where: str) -> Any:
    """Return a cell as a 1-D array, or a Series of a dtype that is not NumPy's."""
    if is_series(cell):
        return cell.to_numpy() if isinstance(cell.dtype, np.dtype) else cell
    array = as_given(cell, where)
    if array.ndim != 1:
        raise ValueError(
            f"Expected cells of (n_steps,), as there are several columns, but {where} has shape "
            f"{array.shape}; give each channel a column, or all of them in one."
        )
    return array
