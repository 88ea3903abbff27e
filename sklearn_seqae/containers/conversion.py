"""Conversion of sequences between containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_seqae._utils.optional_imports import load

from .arrow import ArrowTable, PolarsFrame
from .numeric import is_frame
from .numpy_arrays import Array3D
from .pandas_frames import FrameList, LongFrame
from .pandas_nested import NestedFrame
from .ragged import AwkwardArray, RaggedTensor
from .registry import as_sequences, to_container
from .sequences import ListForm
from .time_index import check_rising

__all__ = ["convert", "from_channel_first", "from_long", "to_channel_first"]

_FORMS: dict[str, Any] = {
    "list": ListForm,
    "3d": Array3D,
    "frames": FrameList,
    "long": LongFrame,
    "nested": NestedFrame,
    "arrow": ArrowTable,
    "polars": PolarsFrame,
    "awkward": AwkwardArray,
    "ragged": RaggedTensor,
}


def from_long(
    frame: Any,
    *,
    id: Any,  # noqa: A002 (what it is called everywhere)
    time: Any = None,
    channels: Sequence[Any] | None = None,
) -> Any:
    """Return a long DataFrame, with one row per step, indexed by (id, time).

    Rows of a sequence need not be consecutive. Rows are not sorted: time stamps that do not
    increase raise an error, as they are usually a mistake.

    Parameters
    ----------
    frame : DataFrame of pandas or polars, or pyarrow Table
        The steps of all sequences, in any order of sequences.
    id : label
        The column with the ids of the sequences.
    time : label, default=None
        The column with time stamps, which must increase within each sequence: numbers, dates, or
        dates as text in ISO 8601 format, which remain text. None means that the rows of each
        sequence are in order; they are numbered 0, 1, ...
    channels : list of label, default=None
        The columns with values. None means all other columns.

    Returns
    -------
    DataFrame of pandas
        The channels, with an index of (id, time). The order of rows is not changed.

    Raises
    ------
    ValueError
        If a column does not exist, if ids or time stamps are missing, or if time stamps do not
        increase or are text that is not a date.

    See Also
    --------
    convert : Convert sequences to other containers.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_seqae.containers import from_long
    >>> visits = pd.DataFrame({"patient": ["a", "a", "b"], "day": [0, 7, 3], "pulse": [60, 64, 71]})
    >>> from_long(visits, id="patient", time="day")
                 pulse
    patient day
    a       0       60
            7       64
    b       3       71
    """
    if not is_frame(frame):
        if not hasattr(frame, "to_pandas"):
            raise TypeError(
                "Expected a DataFrame of pandas or polars, or a pyarrow Table, got a "
                f"{type(frame).__name__}; make a pandas.DataFrame of it."
            )
        frame = frame.to_pandas()
    pd = load("pandas")
    columns = list(frame.columns)
    keys = [id] if time is None else [id, time]
    kept = [name for name in columns if name not in keys] if channels is None else list(channels)
    twice = [name for name in keys if [*columns, *keys].count(name) > 2]
    if twice:
        raise ValueError(
            "Expected one column for the id and another for the time stamps, got one for both, or "
            f"more than one of the name {twice[0]!r}; rename the columns."
        )
    missing = [name for name in (*keys, *kept) if name not in columns]
    if missing:
        raise ValueError(
            f"Expected columns of the frame, {columns}, got {missing}; name some that are there, "
            "or make columns of an index by frame.reset_index()."
        )
    if not kept:
        raise ValueError(
            f"Expected at least one column of values beside {keys}, got a frame with the columns "
            f"{columns}; add one."
        )
    ids = frame[id]
    if ids.isna().any():
        raise ValueError(
            f"Expected an id in every row, but column {id!r} is missing one in row "
            f"{int(np.argmax(ids.isna()))}; fill it in, or leave the row out."
        )
    # By values, for a name may be that of the index as well.
    stamps = ids.groupby(ids.to_numpy()).cumcount() if time is None else frame[time]
    index = pd.MultiIndex.from_arrays([pd.Index(ids), pd.Index(stamps)], names=[id, time])
    owners, known = pd.Index(ids).factorize()
    order = np.argsort(owners, kind="stable")
    labels = known.tolist()
    check_rising(pd.Index(stamps)[order], owners[order], lambda i: f"sequence {labels[i]!r}")
    chosen = [i for name in dict.fromkeys(kept) for i, own in enumerate(columns) if own == name]
    return frame.iloc[:, chosen].set_axis(index)


def convert(X: Any, kind: str) -> Any:
    """Convert sequences to another container.

    Values are not changed. Ids, time stamps and names of channels are kept if the container has
    them; a list, for example, has no ids.

    Parameters
    ----------
    X : container
        Sequences in any container listed in this module. Strings and values of pandas' categorical
        dtype are categories.
    kind : {"list", "3d", "frames", "long", "nested", "arrow", "polars", "awkward", "ragged"}
        The container to return: a list of arrays, a NaN-padded array, a list of DataFrames, a long
        or a nested DataFrame of pandas, a pyarrow Table or polars DataFrame of list columns, an
        awkward array, or a ``tf.RaggedTensor``.

    Returns
    -------
    container
        The sequences. Values are float64, or float32 if it can represent all values of the dtype
        of `X`; between containers of pandas the dtypes of columns are kept.

    Raises
    ------
    ValueError
        If `kind` is not one of these.

    See Also
    --------
    from_long : Index a long DataFrame by the names of its columns.
    from_channel_first : Convert arrays with channels before steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_seqae.containers import convert
    >>> index = pd.MultiIndex.from_tuples([("a", 0), ("a", 1), ("b", 0)])
    >>> nested = convert(pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=index), "nested")
    >>> nested.index.tolist(), nested.loc["a", "x"].tolist()
    (['a', 'b'], [1.0, 2.0])
    """
    if kind not in _FORMS:
        raise ValueError(f"kind must be one of {list(_FORMS)}, got {kind!r}: choose one of these.")
    sequences = as_sequences(X, "from_dtype")
    names = sequences.form.channel_names or ()
    if kind in ("polars", "awkward") and len(set(map(str, names))) < len(names):
        raise ValueError(
            f"Expected channels of different names for {kind!r}, got {list(names)}; rename them "
            "first."
        )
    return to_container(sequences, _FORMS[kind].of(sequences))


def from_channel_first(X: Any) -> Any:
    """Swap the axes of sequences that have channels before steps, such as collections of aeon.

    The order of axes cannot be inferred from the shape, so estimators do not convert it.

    Parameters
    ----------
    X : ndarray of shape (n_sequences, n_channels, n_steps) or list of ndarray of shape \
            (n_channels, n_steps)
        The sequences.

    Returns
    -------
    ndarray of shape (n_sequences, n_steps, n_channels) or list of ndarray of shape (n_steps, \
            n_channels)
        Views of the same data.

    Raises
    ------
    ValueError
        If an array has another number of dimensions.

    See Also
    --------
    to_channel_first : The inverse conversion.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae.containers import from_channel_first
    >>> from_channel_first(np.zeros((10, 3, 50))).shape
    (10, 50, 3)
    """
    return _swapped(X, "(n_sequences, n_channels, n_steps)", "(n_channels, n_steps)")


def to_channel_first(X: Any) -> Any:
    """Swap the axes of sequences so that channels are before steps, as in collections of aeon.

    Several other libraries for time series use this order, too.

    Parameters
    ----------
    X : ndarray of shape (n_sequences, n_steps, n_channels) or list of ndarray of shape (n_steps, \
            n_channels)
        The sequences, for example results of :meth:`LSTMAutoencoderTransformer.inverse_transform`.

    Returns
    -------
    ndarray of shape (n_sequences, n_channels, n_steps) or list of ndarray of shape (n_channels, \
            n_steps)
        Views of the same data.

    Raises
    ------
    ValueError
        If an array has another number of dimensions.

    See Also
    --------
    from_channel_first : The inverse conversion.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae.containers import to_channel_first
    >>> [x.shape for x in to_channel_first([np.zeros((50, 3)), np.zeros((20, 3))])]
    [(3, 50), (3, 20)]
    """
    return _swapped(X, "(n_sequences, n_steps, n_channels)", "(n_steps, n_channels)")


def _swapped(X: Any, of_array: str, of_element: str) -> Any:
    if isinstance(X, np.ndarray) and X.ndim == 3:
        return np.swapaxes(X, 1, 2)
    is_list = isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1)
    shapes = [np.shape(x) for x in X] if is_list else [np.shape(X)]
    invalid = next((shape for shape in shapes if len(shape) != 2 or not is_list), None)
    if invalid is not None:
        raise ValueError(
            f"Expected an array {of_array}, or a list of arrays {of_element}, got "
            f"{'one' if is_list else 'an array'} of shape {invalid}; sequences of one channel "
            "need no conversion."
        )
    return [np.asanyarray(x).T for x in X]
