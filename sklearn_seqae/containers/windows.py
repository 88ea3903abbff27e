"""Windows of long series as a container of sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .numpy_arrays import Array3D
from .raw_sequences import RawSequences
from .sequences import Form, SequenceIndex, Sequences
from .series import LongSeries
from .spans import overlap_any


@dataclass(frozen=True)
class WindowArray(Array3D):
    """Windows, written as an array (n_windows, window_size, n_channels).

    Parameters
    ----------
    width, dtype, masked
        As in `Array3D`.
    columns : tuple or None, default=None
        Names of the channels.
    """

    name = "windows"
    columns: tuple[Any, ...] | None = None

    @property
    def channel_names(self) -> tuple[Any, ...] | None:
        """Names of the channels, of windows of frames."""
        return self.columns


class Windows:
    """Windows of long series, accepted as `X` by every estimator.

    Made by :func:`sliding_windows`. ``len(windows)`` is their number, ``windows[i]`` the values of
    one, a read-only view of shape (`window_size`, n_channels), and ``windows[indices]``, as
    scikit-learn's splitters use it, a choice of windows. They know the series and the time stamps
    that they are of, so windows that share time stamps with held-out ones are not trained on, and
    the nearest neighbour of a window shares none with it.

    Attributes
    ----------
    window_size : int
        Number of time stamps of a window. A shorter series is one window.
    stride : int
        Distance of the first time stamps of two windows.
    series : ndarray of shape (n_windows,), dtype int64
        Index of the series of each window.
    starts : ndarray of shape (n_windows,), dtype int64
        Index of the first time stamp of each window in its series. If time stamps of a DataFrame
        have gaps, those that are missing are counted.
    n_timestamps : list of int
        Number of time stamps of each series.

    See Also
    --------
    sliding_windows : Cut series into windows.
    merge_windows : Values of windows on the time stamps of their series.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae.windows import sliding_windows
    >>> windows = sliding_windows(np.arange(10.0), window_size=4, stride=3)
    >>> len(windows), windows.starts.tolist(), windows[1].ravel().tolist()
    (3, [0, 3, 6], [3.0, 4.0, 5.0, 6.0])
    """

    def __init__(
        self,
        read: LongSeries,
        window_size: int,
        stride: int,
        chosen: NDArray[np.int64] | None = None,
    ) -> None:
        self.window_size = window_size
        self.stride = stride
        self._read = read
        starts, series = place(read.steps.lengths, window_size, stride)
        self._chosen = np.arange(len(starts)) if chosen is None else chosen
        self.starts = starts[self._chosen]
        self.series = series[self._chosen]

    @property
    def n_timestamps(self) -> list[int]:
        """Number of time stamps of each series."""
        return self._read.lengths.tolist()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_windows, window_size, n_channels), as of an array."""
        return len(self), self.window_size, self._read.steps.n_channels

    @property
    def spans(self) -> NDArray[np.int64]:
        """First step of each window and the last one + 1, on one line for all series."""
        offsets, lengths = self._read.steps.offsets, self._read.steps.lengths
        first = offsets[self.series] + self.starts
        sizes = np.minimum(self.window_size, lengths[self.series])
        return np.stack([first, first + sizes], axis=1)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: Any) -> Any:
        """Return one window as a view, or a choice of windows."""
        if isinstance(index, tuple) and len(index) == 2 and index[1] is Ellipsis:
            index = index[0]  # as scikit-learn indexes arrays
        chosen = np.arange(len(self))[index]
        if np.ndim(chosen) == 0:
            start, stop = self.spans[chosen]
            return self._read.steps.values[start:stop]
        kept = self._chosen[chosen]
        return Windows(self._read, self.window_size, self.stride, kept)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the array (n_windows, window_size, n_channels)."""
        sequences = RawWindows.of(self).encode("from_dtype")
        return sequences.form.write(sequences, None).astype(dtype or sequences.values.dtype)

    def __repr__(self) -> str:
        return (
            f"<{len(self)} windows of {self.window_size} time stamps at stride {self.stride}, of "
            f"{len(self.n_timestamps)} series with {self.shape[2]} channels>"
        )

    def folds(self, n_splits: int = 5) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Return folds for cross-validation that share no time stamps.

        Time is cut into `n_splits` blocks. The windows within a block are those to test on, and all
        windows that share no time stamp with one of these are those to train on.

        Parameters
        ----------
        n_splits : int, default=5
            Number of folds, at least 2.

        Returns
        -------
        list of (ndarray, ndarray)
            Indices of the windows to train and to test on, as scikit-learn's `cv` takes them.

        Raises
        ------
        ValueError
            If there are not enough time stamps for so many blocks.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae.windows import sliding_windows
        >>> train, test = sliding_windows(np.arange(100.0), window_size=10).folds(2)[1]
        >>> int(train.max()), int(test.min())
        (40, 50)
        """
        spans = self.spans
        bounds = np.linspace(spans[:, 0].min(), spans[:, 1].max(), n_splits + 1).astype(np.int64)
        folds = []
        for first, last in pairwise(bounds):
            test = np.flatnonzero((spans[:, 0] >= first) & (spans[:, 1] <= last))
            train = np.flatnonzero(~overlap_any(spans, spans[test]))
            if not len(test) or not len(train):
                raise ValueError(
                    f"Expected windows to train and to test on in each of {n_splits} blocks of "
                    f"time, got none for {first} to {last}: use fewer splits, smaller windows or a "
                    "smaller stride."
                )
            folds.append((train, test))
        return folds

    def _form(self, steps: Sequences) -> Form:
        dtype = getattr(steps.form, "dtype", None) or str(steps.values.dtype)
        return WindowArray(self.window_size, dtype, columns=steps.channel_names)

    def _ids(self) -> Any:
        """Return the first time stamp of each window, of several series after that of the series.

        None if the series have no time stamps.
        """
        series = self._read
        times = [series.times(i) for i in range(len(series.lengths))]
        if any(index is None for index in times):
            return None
        pandas = load("pandas")
        at = series.raw.offsets[self.series] + self._given_starts()
        joined = times[0].append(times[1:]) if len(times) > 1 else times[0]
        stamps = joined.take(at)
        if series.kind == "array":
            return stamps
        ids = series.ids
        ids = pandas.RangeIndex(len(times), name="series") if ids is None else ids
        return pandas.MultiIndex.from_arrays([ids.take(self.series), stamps.to_flat_index()])

    def _given_starts(self) -> NDArray[np.int64]:
        """Return the position of each first time stamp, or of the next, among those given."""
        rows = self._read.rows
        if rows is None:
            return self.starts
        first = np.searchsorted(rows, self.spans[:, 0])
        offsets = self._read.raw.offsets
        return np.minimum(first, offsets[self.series + 1] - 1) - offsets[self.series]


@dataclass(frozen=True, eq=False)
class RawWindows(RawSequences):
    """Windows before it is decided which channels of their series are categorical."""

    windows: Windows | None = None

    @classmethod
    def of(cls, windows: Windows) -> RawWindows:
        """Return windows with the columns of their series."""
        raw = windows._read.raw
        return cls(raw.columns, raw.offsets, raw.form, windows=windows)

    def encode(self, categorical_features: Any) -> Sequences:
        """Return the windows as `Sequences`."""
        windows = self.windows
        assert windows is not None
        steps = windows._read.steps
        is_text = isinstance(categorical_features, str)  # "from_dtype", as these are
        if not is_text and (categorical_features is not None or steps.categories):
            steps = windows._read.encode(categorical_features)
        return cut_windows(steps, windows.spans, windows._form(steps), windows._ids())


def place(
    lengths: NDArray[np.int64], window_size: int, stride: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first step of each window in its series, and the index of that.

    The last window of a series ends with it, whatever the stride.
    """
    starts = []
    for n in lengths.tolist():
        last = max(0, n - window_size)
        regular = np.arange(0, last + 1, stride)
        starts.append(regular if regular[-1] == last else np.append(regular, last))
    series = np.repeat(np.arange(len(starts)), [len(one) for one in starts])
    return np.concatenate(starts).astype(np.int64), series


def cut_windows(
    steps: Sequences, spans: NDArray[np.int64], form: Form | None = None, ids: Any = None
) -> Sequences:
    """Return windows of series as sequences; the spans are those of `steps.values`."""
    sizes = spans[:, 1] - spans[:, 0]
    if len(sizes) and (sizes == sizes[0]).all() and sizes[0]:
        views = sliding_window_view(steps.values, int(sizes[0]), axis=0)
        values = views[spans[:, 0]].transpose(0, 2, 1).reshape(-1, steps.n_channels)
    else:
        rows = [np.arange(start, stop) for start, stop in spans.tolist()]
        values = steps.values[np.concatenate([*rows, np.arange(0)])]
    windows = Sequences.from_lengths(values, sizes, form)
    index = None if ids is None else SequenceIndex(ids)
    return replace(windows, categories=steps.categories, index=index, spans=spans)
