"""Windows of long series, and values of windows on the time stamps of their series."""

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .containers.registry import read
from .containers.series import LongSeries, read_series
from .containers.windows import Windows

__all__ = ["Windows", "merge_windows", "sliding_windows"]

AGGREGATIONS = ("mean", "median", "last")
# Time stamps that are merged in one piece.
AT_ONCE = 4096


def sliding_windows(X: Any, window_size: int, stride: int = 1) -> Windows:
    """Cut long series into windows.

    Windows are views of the series, which are not copied. Every time stamp is in at least one
    window: the last window of each series ends with it, whatever the stride.

    Parameters
    ----------
    X : ndarray, DataFrame or Series, or list of these
        One series: an array (n_timestamps, n_channels) or (n_timestamps,), a nested list, a
        DataFrame with one row per time stamp and any index, or a Series of pandas. Or several: a
        list of these, or a DataFrame with an index of (series, time). Time stamps must increase. If
        they are regular with gaps, the values at missing time stamps are missing.
    window_size : int
        Number of time stamps of a window. A shorter series is one shorter window.
    stride : int, default=1
        Distance of the first time stamps of two windows, at most `window_size`.

    Returns
    -------
    Windows
        The windows, which are accepted as `X` by every estimator.

    Raises
    ------
    TypeError, ValueError
        If `X` is no such container, is empty, or has time stamps that do not increase.

    Warns
    -----
    UserWarning
        If a series is shorter than a window, or if time stamps are not regular.

    See Also
    --------
    merge_windows : Values of windows on the time stamps of their series.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae import LSTMAutoencoderTransformer
    >>> from sklearn_seqae.windows import sliding_windows
    >>> windows = sliding_windows(np.sin(np.arange(500) / 7), window_size=50, stride=10)
    >>> ae = LSTMAutoencoderTransformer(8, units=8, epochs=2, random_state=0).fit(windows)
    >>> ae.transform(windows).shape
    (46, 8)
    """
    size, step = check_size(window_size, "window_size"), check_size(stride, "stride")
    check_stride(step, size)
    series = read_long(X)
    warn_of_doubts(series, size, stacklevel=3)
    return Windows(series, size, step)


def merge_windows(values: ArrayLike, windows: Windows, aggregation: str = "mean") -> Any:
    """Merge values of windows to values of the time stamps of their series.

    Parameters
    ----------
    values : array-like of shape (n_windows,), (n_windows, window_size) or (n_windows, \
            window_size, n_values), or list of ndarray
        One value per window, which then is that of all its time stamps; or one value, or vector,
        per window and step, such as reconstructions. NaN is ignored.
    windows : Windows
        The windows that the values are of.
    aggregation : {"mean", "median", "last"}, default="mean"
        How the values that a time stamp has from several windows are merged. "last" is the value of
        the first window that contains the time stamp, of which it is the last or nearest to the
        last one: no other depends on less of what follows it.

    Returns
    -------
    ndarray, Series or DataFrame, or list of these
        One row per time stamp: arrays for arrays, and for DataFrames a Series (or, of vectors, a
        DataFrame) with their index. A list if several series came as a list. NaN where no window
        has a value.

    Raises
    ------
    ValueError
        If the number of values is not that of the windows or of their steps.

    See Also
    --------
    sliding_windows : Cut series into windows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae.windows import merge_windows, sliding_windows
    >>> windows = sliding_windows(np.arange(7.0), window_size=3, stride=2)
    >>> merge_windows([1.0, 2.0, 6.0], windows)
    array([1. , 1. , 1.5, 2. , 4. , 6. , 6. ])
    """
    if not isinstance(windows, Windows):
        raise TypeError(
            f"Expected windows made by sliding_windows, got a {type(windows).__name__}: give what "
            "it returned."
        )
    check_aggregation(aggregation)
    spans = windows.spans
    series = windows._read
    merged = merge_spans(_by_step(values, spans), spans, len(series.steps.values), aggregation)
    if merged.ndim == 2 and merged.shape[1] == 1 and series.is_flat:
        merged = merged[:, 0]
    names = series.steps.channel_names
    if merged.ndim == 2 and len(names or ()) != merged.shape[1]:
        names = None
    return series.write(merged, names)


def merge_spans(
    values: NDArray[Any], spans: NDArray[np.int64], n_steps: int, aggregation: str
) -> NDArray[np.float64]:
    """Return the values of all steps, merged from those of spans.

    Parameters
    ----------
    values : ndarray of shape (n_spans,) or (n_spans, longest, ...)
        Values of spans, or of each of their steps.
    spans : ndarray of shape (n_spans, 2)
        First step of each, and last one + 1, in any order.
    n_steps : int
    aggregation : {"mean", "median", "last", "min", "max"}

    Returns
    -------
    ndarray of shape (n_steps, ...)
    """
    order = np.lexsort([spans[:, 1], spans[:, 0]])
    spans, values = spans[order], values[order]
    merged = np.full((n_steps, *values.shape[2:]), np.nan)
    for first in range(0, n_steps, AT_ONCE):
        steps = np.arange(first, min(first + AT_ONCE, n_steps))
        # Those that contain a step follow each other, as both their ends rise.
        begin = np.searchsorted(spans[:, 1], steps, "right")
        end = np.searchsorted(spans[:, 0], steps, "right")
        if aggregation == "last":
            end = np.minimum(end, begin + 1)
        most = int((end - begin).max(initial=0))
        if not most:
            continue
        at = begin[:, None] + np.arange(most)
        is_there = at < end[:, None]
        at = np.minimum(at, len(spans) - 1)
        found = values[at]
        if values.ndim > 1:
            places = np.clip(steps[:, None] - spans[at, 0], 0, values.shape[1] - 1)
            found = values[at, places]
        found = np.where(is_there.reshape(is_there.shape + (1,) * (found.ndim - 2)), found, np.nan)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN|Mean of empty", RuntimeWarning)
            merged[steps] = _MERGE[aggregation](found, axis=1)
    return merged


_MERGE: dict[str, Any] = {
    "mean": np.nanmean,
    "median": np.nanmedian,
    "last": np.nanmax,  # of one
    "min": np.nanmin,
    "max": np.nanmax,
}


def _by_step(values: Any, spans: NDArray[np.int64]) -> NDArray[Any]:
    """Return values of windows as an array, those of shorter windows filled with NaN."""
    sizes = spans[:, 1] - spans[:, 0]
    if isinstance(values, list | tuple) and any(map(np.ndim, values)):
        rows = [np.asarray(row, dtype=np.float64) for row in values]
        longest = max(map(len, rows), default=0)
        array = np.full((len(rows), longest, *rows[0].shape[1:]), np.nan)
        for i, row in enumerate(rows):
            array[i, : len(row)] = row
        fits = [len(row) for row in rows] == sizes.tolist()
    else:
        array = np.asarray(values, dtype=np.float64)
        fits = len(array) == len(sizes) if array.ndim else False
        fits = fits and (array.ndim == 1 or array.shape[1] == sizes.max(initial=0))
    if not fits:
        raise ValueError(
            f"Expected one value for each of {len(sizes)} windows, or for each of their "
            f"{sizes.max(initial=0)} steps, got values of shape {array.shape}: give what an "
            "estimator returned for these windows."
        )
    return array


def check_size(value: Any, name: str) -> int:
    """Return a number of time stamps, or raise."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or int(value) < 1:
        raise ValueError(
            f"{name} must be a whole number of time stamps, 1 or more, got {value!r}: use for "
            f"example {name}={100 if name == 'window_size' else 1}."
        )
    return int(value)


def check_stride(stride: int | None, window_size: int) -> None:
    """Raise if windows at this stride leave out time stamps."""
    if stride is not None and stride > window_size:
        raise ValueError(
            f"stride must be at most window_size={window_size}, so that every time stamp is in a "
            f"window, got {stride}: use for example stride={window_size}."
        )


def read_long(X: Any) -> LongSeries:
    """Return one long series or several, as read from their container."""
    if isinstance(X, Windows):
        raise TypeError(
            "Expected one series or several, got windows of some: give the series that they were "
            "cut from."
        )
    return read_series(X, read)


def check_aggregation(aggregation: Any) -> None:
    """Raise unless this is the name of an aggregation."""
    if aggregation not in AGGREGATIONS:
        raise ValueError(
            f"aggregation must be one of {list(AGGREGATIONS)}, got {aggregation!r}: choose one of "
            "these."
        )


def warn_of_doubts(series: LongSeries, window_size: int, stacklevel: int) -> None:
    """Warn of time stamps that are not regular, and of series that are shorter than a window."""
    for doubt in series.doubts:
        warnings.warn(doubt, stacklevel=stacklevel)
    lengths = series.steps.lengths
    short = np.flatnonzero(lengths < window_size)
    if len(short):
        n = lengths[short[0]]
        which = f"The series has {n}" if len(lengths) == 1 else f"Series {short[0]} has {n}"
        more = f" (and {len(short) - 1} others have fewer, too)" if len(short) > 1 else ""
        warnings.warn(
            f"{which} time stamps{more}, but window_size={window_size}: it is one shorter window. "
            "Use a smaller window_size, or longer series; rows of the input are time stamps.",
            stacklevel=stacklevel,
        )
