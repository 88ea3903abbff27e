"""Long series, one or several, and what is given back for each of their time stamps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .ambiguity import check_series
from .columns import Columns
from .numeric import floating, is_frame, is_series
from .numpy_arrays import refuse_zero
from .raw_sequences import RawSequences
from .remedies import for_container
from .sequences import FlatListForm, ListForm, Sequences, cut, offsets_of
from .time_index import read_clock, to_grid

_EXPECTED = (
    "one series, an array (n_timestamps, n_channels) or (n_timestamps,) or a DataFrame with one "
    "row per time stamp, or a list of series, or a DataFrame with an index of (series, time)"
)


@dataclass(frozen=True, eq=False)
class LongSeries:
    """One or several series in the inner form, on a regular grid of time stamps.

    Parameters
    ----------
    raw : RawSequences
        The series, each a sequence of the given time stamps.
    rows : ndarray of shape (n_given,), int64, or None
        The step that each of the given time stamps is; None if there are no others.
    kind : {"array", "list", "long"}
        Whether one series came, a list, or a long frame.
    indexes : list of (pandas Index or None)
        Time stamps of each series; of a long frame its index, and no others.
    is_flat : bool
        Whether series are 1-D.
    doubts : tuple of str, default=()
        What to warn of: time stamps that are not regular.
    """

    raw: RawSequences
    rows: NDArray[np.int64] | None
    kind: str
    indexes: list[Any]
    is_flat: bool
    doubts: tuple[str, ...] = ()

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of given time stamps of each series, (n_series,) int64."""
        return np.diff(self.raw.offsets)

    @cached_property
    def steps(self) -> Sequences:
        """The series, in which channels of text are categorical."""
        return self.encode("from_dtype")

    def encode(self, categorical_features: Any) -> Sequences:
        """Return the series, with missing values at time stamps that were not given.

        `categorical_features` are as in `LSTMAutoencoderTransformer`.
        """
        steps, rows = self.raw.encode(categorical_features), self.rows
        if rows is None:
            return steps
        values = np.full((rows[-1] + 1, steps.n_channels), np.nan, dtype=steps.values.dtype)
        values[rows] = steps.values
        lengths = rows[steps.offsets[1:] - 1] - rows[steps.offsets[:-1]] + 1
        return replace(steps, values=values, offsets=offsets_of(lengths))

    @property
    def ids(self) -> Any:
        """The ids of several series as a pandas Index; None if they have none."""
        return None if self.raw.index is None else self.raw.index.ids

    def times(self, i: int) -> Any:
        """Return the given time stamps of series `i` as a pandas Index; None without any."""
        if self.kind != "long":
            return self.indexes[i]
        assert self.raw.index is not None
        return self.raw.index.times[self.raw.offsets[i] : self.raw.offsets[i + 1]]

    def given(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of the given time stamps, of those of all steps."""
        return values if self.rows is None else values[self.rows]

    def write(self, values: NDArray[Any], names: Any = None) -> Any:
        """Return values of all steps, (n_steps,) or (n_steps, n), in containers like the given.

        Those of arrays are arrays; those of pandas have its index, and if there are `n` values per
        step, the columns `names`.
        """
        given = self.given(values)
        if self.kind == "long":
            assert self.raw.index is not None
            rows = self.raw.index.rows
            if rows is not None:
                ordered = np.empty_like(given)
                ordered[rows] = given
                given = ordered
            return _labelled(given, self.indexes[0], names)
        pieces = cut(given, self.raw.offsets)
        written = [
            piece.copy() if index is None else _labelled(piece, index, names)
            for piece, index in zip(pieces, self.indexes, strict=True)
        ]
        return written[0] if self.kind == "array" else written


def read_series(X: Any, read: Any) -> LongSeries:
    """Read one long series, or several.

    Parameters
    ----------
    X : container
        An array (n_timestamps, n_channels) or (n_timestamps,), nested list, DataFrame or Series
        of pandas, or a table of polars or pyarrow, which all are one series; a list of them, or a
        3-D array; or a DataFrame with an index of (series, time).
    read : callable
        `registry.read`.
    """
    if is_frame(X) and X.index.nlevels > 1:
        series = LongSeries(read(X), None, "long", [X.index], False)
        return _on_grid(series, [series.times(i) for i in range(len(series.lengths))])
    kind, items = _items(X)
    if kind == "array":
        shape = np.shape(items[0])
        if len(shape) in (1, 2):
            refuse_zero("sample(s)", shape, shape[0])
            refuse_zero("feature(s)", shape, *shape[1:])
    else:
        for i, item in enumerate(items):
            if np.shape(item)[:1] == (0,):
                raise ValueError(
                    f"Expected series with at least one time stamp each, but series {i} is empty: "
                    "leave it out."
                )
    frames, is_flat = _frames(items)
    for frame in filter(is_frame, frames):
        check_series(frame)
    first = np.asarray(frames[0]) if kind == "array" and not is_frame(frames[0]) else None
    if first is not None and not np.ma.isMA(frames[0]) and first.dtype.kind in "fiub":
        block = first.reshape(len(first), -1)  # which is not copied
        form = FlatListForm if is_flat else ListForm
        offsets = np.array([0, len(first)])
        given = form(str(floating(first.dtype)))
        raw = RawSequences([Columns([block], ["the series"].__getitem__)], offsets, given)
    else:
        raw = read(frames)
    times = [item.index if is_frame(item) else None for item in frames]
    return _on_grid(LongSeries(raw, None, kind, times, is_flat), times)


def _items(X: Any) -> tuple[str, list[Any]]:
    """Return whether one series came or a list, and the series."""
    if is_frame(X) or is_series(X):
        return "array", [X]
    if hasattr(X, "toarray") or isinstance(X, str | bytes | dict):
        raise TypeError(f"Expected {_EXPECTED}; got a {type(X).__name__}. {for_container(X)}")
    if hasattr(X, "to_pandas"):  # polars, pyarrow
        return "array", [X.to_pandas()]
    if not isinstance(X, list | tuple):
        array = X if isinstance(X, np.ndarray) else np.asarray(X)
        if array.ndim == 1 and array.dtype.kind == "O" and any(map(np.ndim, array)):
            return "list", list(array)
        if array.ndim == 3:
            return "list", list(array)
        if array.ndim not in (1, 2):
            kind = ValueError if array.ndim else TypeError
            raise kind(
                f"Expected {_EXPECTED}; got "
                + (f"an array of shape {array.shape}." if array.ndim else f"a {type(X).__name__}.")
                + " Reshape your data."
            )
        return "array", [array]
    if not len(X):
        refuse_zero("sample(s)", (0,), 0)
    if all(_is_plain(item) for item in X):  # one series of one channel
        return "array", [X]
    is_nested = all(isinstance(x, list | tuple) and all(map(_is_plain, x)) for x in X)
    # As scikit-learn has it, a list of rows is an array; rows of unequal length are none.
    if is_nested and len({len(row) for row in X}) == 1:
        return "array", [X]
    return "list", [x.to_pandas() if hasattr(x, "to_pandas") else x for x in X]


def _is_plain(item: Any) -> bool:
    return item is None or isinstance(item, str) or np.ndim(item) == 0


def _frames(items: list[Any]) -> tuple[list[Any], bool]:
    """Return series with DataFrames in place of pandas' Series, and whether series are 1-D."""
    if not all(map(is_series, items)):
        return items, not is_frame(items[0]) and np.ndim(items[0]) == 1
    name = items[0].name
    return [x.to_frame("value" if name is None else name) for x in items], True


def _on_grid(series: LongSeries, times: list[Any]) -> LongSeries:
    """Return series with missing steps where regular time stamps have gaps."""
    if all(index is None for index in times):
        return series
    rows, first = [], 0
    irregular: list[int] = []
    n_missing = 0
    for i, index in enumerate(times):
        n = len(index)
        places = np.arange(n)
        if n > 2 and index.nlevels == 1 and read_clock([index]) is None:
            grid = to_grid(index)
            if grid is None:
                irregular.append(i)
            else:
                places = grid
        rows.append(first + places)
        length = int(places[-1]) + 1 if n else 0
        first += length
        n_missing += length - n
    where = "" if series.kind == "array" else f" of {len(irregular)} of {len(times)} series"
    doubts = []
    if irregular:
        doubts.append(
            f"The time stamps{where} are not regular, and are read as if they were equally far "
            "apart: resample the data, as DataFrame.resample does, if distances matter."
        )
    if not n_missing:
        return replace(series, doubts=tuple(doubts))
    doubts.append(
        f"The time stamps have gaps: {n_missing} of {first} regular ones are not there, and their "
        "values are taken for missing."
    )
    return replace(series, rows=np.concatenate(rows), doubts=tuple(doubts))


def _labelled(values: NDArray[Any], index: Any, names: Any) -> Any:
    pandas = load("pandas")
    if values.ndim == 1:
        return pandas.Series(values.copy(), index=index)
    return pandas.DataFrame(values.copy(), index=index, columns=names)
