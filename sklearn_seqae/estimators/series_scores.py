"""Methods of detectors of time stamps in long series: scores, predictions, anomalies, streams."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_seqae._utils.optional_imports import load

from .intervals import channel_shares, find_peak, main_channels
from .series_errors import ReconstructingSeriesDetector
from .series_reading import id_of

if TYPE_CHECKING:
    from .stream import SeriesStream


class SeriesScoringDetector(ReconstructingSeriesDetector):
    """Base of detectors that score time stamps by windows; a subclass sets the rest in `fit`."""

    def score_samples(self, X: Any) -> Any:
        """Return the scores of time stamps: the lower, the more abnormal.

        The score of a time stamp depends on the windows that contain it, so on at most one window
        of what precedes and of what follows it. With ``aggregation="last"`` it depends on nothing
        that follows, from the first full window on.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`, with the channels of the training data.

        Returns
        -------
        ndarray of shape (n_timestamps,), Series, or list of these
            Opposite of the anomaly score of each time stamp: a Series with its index if `X` is a
            DataFrame, a list if `X` is one. NaN where the windows have no observed value.

        See Also
        --------
        decision_function : Scores shifted by the threshold.
        find_anomalies : Intervals of abnormal time stamps.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> detector = SlidingWindowDetector(small, window_size=40).fit(x)
        >>> detector.score_samples(x).shape
        (400,)
        """
        series, steps = self._read(X)
        return series.write(self._score(series, steps))

    def decision_function(self, X: Any) -> Any:
        """Return the scores of time stamps, shifted so that the threshold is 0.

        These are the scores of `score_samples` minus `offset_`.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`.

        Returns
        -------
        ndarray of shape (n_timestamps,), Series, or list of these
            Scores minus `offset_`: negative values are outliers, nonnegative ones inliers.

        See Also
        --------
        score_samples : Scores that are not shifted.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> detector = SlidingWindowDetector(small, window_size=40).fit(x)
        >>> detector.decision_function([x, x[:100]])[1].shape
        (100,)
        """
        series, steps = self._read(X)
        return series.write(self._score(series, steps) - self.offset_)

    def predict(self, X: Any) -> Any:
        """Return 1 for time stamps that are inliers, and -1 for outliers.

        Outliers are the time stamps whose `decision_function` is negative.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`.

        Returns
        -------
        ndarray of shape (n_timestamps,), Series, or list of these, dtype int64
            1 for inliers, -1 for outliers; 1 where the score is NaN.

        See Also
        --------
        find_anomalies : Intervals of outliers, as a table.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> detector = SlidingWindowDetector(small, window_size=40).fit(x)
        >>> detector.predict(np.append(x, [5.0] * 40))[-20:].min()
        np.int64(-1)
        """
        series, steps = self._read(X)
        return series.write(np.where(self._score(series, steps) - self.offset_ < 0, -1, 1))

    def find_anomalies(self, X: Any) -> Any:
        """Return the intervals of abnormal time stamps, as a table.

        Outliers that are less than half a window apart are one interval. It begins and ends where
        scores are half as far below the threshold as at the lowest, as windows across the ends of
        an anomaly contain normal time stamps, too. Columns:

        - "series": the position of the series in `X`, or its id if `X` has ids.
        - "start", "end", "peak": the first, the last and the most abnormal time stamp of the
          interval; their positions if `X` has no time stamps.
        - "severity": how far the lowest score is below the threshold.
        - "channels", "shares": the channels with the largest errors, and the share of each in the
          error of the interval. Empty if the detector reconstructs nothing.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`.

        Returns
        -------
        pandas.DataFrame
            One row per interval, in the order of time. This method requires pandas.

        See Also
        --------
        explain : The values with the largest errors in each interval.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> detector = SlidingWindowDetector(small, window_size=40).fit(x)
        >>> broken = x.copy()
        >>> broken[200:230] = 3.0
        >>> len(detector.find_anomalies(broken))
        1
        """
        pandas = load("pandas")
        series, steps = self._read(X)
        rows = []
        for i, found, times, decision, errors in self._intervals(series, steps):
            inside = slice(found.start, found.stop)
            total = None if errors is None else np.nansum(errors[inside], axis=1)
            peak = found.start + find_peak(decision[inside], total)
            channels: list[Any] = []
            shares: list[float] = []
            if errors is not None:
                channels, shares = main_channels(channel_shares(errors[inside]), self._channels())
            stamps = [times[found.start], times[found.stop - 1], times[peak]]
            severity = -float(np.nanmin(decision[inside]))
            rows.append([id_of(series, i), *stamps, severity, channels, shares])
        names = ["series", "start", "end", "peak", "severity", "channels", "shares"]
        return pandas.DataFrame(rows, columns=names)

    def stream(self) -> "SeriesStream":
        """Return a scorer of time stamps that come one after the other.

        The detector is not copied, and not changed.

        Returns
        -------
        SeriesStream
            Its method `update` takes the values of the newest time stamp and returns its score,
            that of ``aggregation="last"``. It can be pickled, and continued after that.

        See Also
        --------
        score_samples : Scores of whole series.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> stream = SlidingWindowDetector(small, window_size=40).fit(x).stream()
        >>> scores = [stream.update(value) for value in x[:60]]
        >>> int(np.isnan(scores).sum())  # no full window yet
        39
        """
        from .stream import SeriesStream

        check_is_fitted(self)
        return SeriesStream(self)
