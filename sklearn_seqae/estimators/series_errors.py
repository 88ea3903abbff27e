"""Methods of detectors of time stamps that reconstruct series: expected values and their errors."""

import warnings
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from sklearn_seqae._utils.optional_imports import load

from .series_reading import SeriesReader, id_of, restored
from .validation import check_top
from .window_scores import is_own


def _reconstructs(detector: Any) -> bool:
    """Return whether a detector's windows are reconstructed, or raise AttributeError."""
    estimator = getattr(detector, "estimator_", detector.estimator)
    if estimator is None or is_own(estimator):
        return True
    raise AttributeError(
        f"Expected a SlidingWindowDetector over an LSTMAutoencoderDetector, as a "
        f"{type(estimator).__name__} reconstructs nothing: use estimator=None."
    )


class ReconstructingSeriesDetector(SeriesReader):
    """Base of detectors that reconstruct series, if their detector of windows does."""

    @available_if(_reconstructs)
    def explain(self, X: Any, top: int | None = 5) -> Any:
        """Return the values with the largest errors in each abnormal interval, as a table.

        Columns: "series", "start" and "end" as in `find_anomalies`; "time", "channel", "observed",
        "expected": time stamp and channel of a value, the value, and its reconstruction; "error":
        its squared error in scaled units; "share": its share of the error of the interval.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`.
        top : int or None, default=5
            Number of values to list per interval; None for all.

        Returns
        -------
        pandas.DataFrame
            The table, by interval and decreasing share. This method requires pandas.

        See Also
        --------
        find_anomalies : The intervals.
        reconstruction_error : Errors of all values.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> detector = SlidingWindowDetector(small, window_size=40).fit(x)
        >>> broken = x.copy()
        >>> broken[200] = 5.0
        >>> int(detector.explain(broken, top=1)["time"].iloc[0])
        200
        """
        pandas = load("pandas")
        check_top(top)
        series, steps = self._read(X)
        observed, expected = series.given(restored(steps)), None
        names, rows = self._channels(), []
        offsets = np.concatenate([[0], np.cumsum(series.lengths)])
        for i, found, times, _, errors in self._intervals(series, steps):
            if expected is None:
                expected = series.given(restored(self._expected(steps)))
            inside = errors[found.start : found.stop]
            squares = np.nan_to_num(np.square(inside), nan=-1.0)
            shares = squares / (squares[squares > 0].sum() or 1.0)
            order = np.argsort(-shares, axis=None, kind="stable")
            order = order[shares.ravel()[order] >= 0][:top]
            bounds = [id_of(series, i), times[found.start], times[found.stop - 1]]
            for at, j in zip(*np.unravel_index(order, shares.shape), strict=True):
                t = found.start + int(at)
                cell = (offsets[i] + t, j)
                values = [observed[cell], expected[cell], inside[at, j], shares[at, j]]
                rows.append([*bounds, times[t], names[j], *values])
        columns = ["series", "start", "end", "time", "channel"]
        return pandas.DataFrame(rows, columns=[*columns, "observed", "expected", "error", "share"])

    @available_if(_reconstructs)
    def reconstruct(self, X: Any) -> Any:
        """Return what was expected at each time stamp, of the reconstructions of its windows.

        Available if the detector of windows is an `LSTMAutoencoderDetector`.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`.

        Returns
        -------
        ndarray of shape (n_timestamps, n_channels), DataFrame or Series, or list of these
            The reconstruction, merged by `aggregation`, in a container as that of `X`. A category
            is that of the first window with the time stamp.

        See Also
        --------
        reconstruction_error : Its errors.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> SlidingWindowDetector(small, window_size=40).fit(x).reconstruct(x).shape
        (400,)
        """
        series, steps = self._read(X)
        expected = self._expected(steps)
        cells = restored(expected)
        is_flat = series.is_flat and cells.shape[1] == 1
        return series.write(cells[:, 0] if is_flat else cells, self._channels())

    @available_if(_reconstructs)
    def reconstruction_error(self, X: Any, per: str = "step") -> Any:
        """Return the squared reconstruction error of time stamps, in scaled units.

        Available if the detector of windows is an `LSTMAutoencoderDetector`.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`.
        per : {"step", "value"}, default="step"
            Whether to return one error per time stamp, the mean over channels, or one per value.

        Returns
        -------
        ndarray, Series or DataFrame, or list of these
            Errors, merged by `aggregation`: (n_timestamps,) per step, (n_timestamps, n_channels)
            per value; with the index of `X` and the names of channels if it is a DataFrame. NaN
            for missing values.

        See Also
        --------
        reconstruct : The reconstruction itself.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> detector = SlidingWindowDetector(small, window_size=40).fit(x)
        >>> detector.reconstruction_error(x, per="value").shape
        (400, 1)
        """
        if per not in ("step", "value"):
            raise ValueError(f"per must be 'step' or 'value', got {per!r}: choose one of these.")
        series, steps = self._read(X)
        errors = self._errors(steps)
        if per == "value":
            return series.write(errors, self._channels())
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Mean of empty", RuntimeWarning)
            return series.write(np.nanmean(errors, axis=1))
