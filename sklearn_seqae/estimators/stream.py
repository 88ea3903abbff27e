"""Scores of time stamps as they come."""

from typing import Any

import numpy as np

from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.containers.windows import WindowArray

from .neighbours import Neighbours
from .step_scores import score_last
from .window_scores import is_own, score_own, score_windows


class SeriesStream:
    """Scores the newest time stamp of a series, made by `SlidingWindowDetector.stream`.

    Parameters
    ----------
    detector : SlidingWindowDetector
        Fitted; it is not copied.

    See Also
    --------
    SlidingWindowDetector.stream : Make a stream.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
    >>> x = np.sin(np.arange(400) / 5)
    >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
    >>> stream = SlidingWindowDetector(small, window_size=40).fit(x[:360]).stream()
    >>> stream.update(x[360])
    nan
    """

    def __init__(self, detector: Any) -> None:
        self._detector = detector
        size, estimator = detector.window_size, detector.estimator_
        self._search = Neighbours(estimator._reference.neighbours) if is_own(estimator) else None
        self._has_categories = is_own(estimator) and bool(estimator._fitted_model.scaler.categories)
        # Each step is there twice, so that the last ones follow each other somewhere.
        dtype = object if self._has_categories else np.float64
        self._steps = np.empty((2 * size, detector.n_features_in_), dtype=dtype)
        self._n_seen = 0
        self._form = WindowArray(size, "float64", columns=detector._names)
        if detector._forecasts is not None:  # errors of the newest, in any order
            self._forecast_errors = np.full(detector._forecasts.n_averaged, np.nan)

    def update(self, step: Any) -> float:
        """Take the values of the next time stamp, and return its score.

        Parameters
        ----------
        step : float, array-like of shape (n_channels,) or mapping
            The values, in the order of the channels, or by their names.

        Returns
        -------
        float
            The score of the window that ends with this time stamp, as of `score_samples` with
            ``aggregation="last"``; NaN until as many time stamps came as a window has.
        """
        detector, row = self._detector, self._row(step)
        size, estimator = detector.window_size, detector.estimator_
        at = self._n_seen % size
        self._steps[at] = self._steps[at + size] = row
        self._n_seen += 1
        if detector._forecasts is not None:
            self._take_forecast_error()
        if self._n_seen < size:
            return float("nan")
        values = self._steps[at + 1 : at + 1 + size]
        span = np.array([0, size])
        if self._has_categories:
            window = estimator._read([values])
        else:
            window = Sequences(values, span, self._form)
        known = detector._training_windows
        with single_threaded():  # once, as each of several within would take its time
            if self._search is not None:
                found = score_own(estimator, window, known, self._search, with_errors=False)
                assert found.values is not None
                assert found.shape is not None
                scores = score_last(found.values, found.shape, self._forecast_score())
            else:
                scores = score_windows(estimator, window, span[None], None).scores
        return float(scores[0])

    def _take_forecast_error(self) -> None:
        """Take the error of the forecast of the newest time stamp."""
        forecasts = self._detector._forecasts
        n = forecasts.n_lags + 1
        if self._n_seen < n:
            return
        end = (self._n_seen - 1) % self._detector.window_size + self._detector.window_size + 1
        values = self._steps[end - n : end]
        if self._has_categories:
            estimator = self._detector.estimator_
            values = estimator._fitted_model.scaler.spread(estimator._read([values])).values
        at = self._n_seen % len(self._forecast_errors)
        self._forecast_errors[at] = forecasts.last_error(values)

    def _forecast_score(self) -> Any:
        """Return the score of the newest forecasts; None without any."""
        forecasts = self._detector._forecasts
        return None if forecasts is None else forecasts.causal_score(self._forecast_errors)

    def _row(self, step: Any) -> Any:
        detector = self._detector
        if hasattr(step, "keys"):
            missing = [name for name in detector._channels() if name not in step]
            if missing:
                raise ValueError(
                    f"Expected a value for each of the channels {list(detector._channels())}, got "
                    f"none for {missing[0]!r}: give all, NaN for what is missing."
                )
            step = [step[name] for name in detector._channels()]
        if self._has_categories:
            row = np.array(step, dtype=object).ravel()
        else:
            row = np.asarray(step).ravel()
            if row.dtype.kind not in "fiu" or np.isinf(row).any():
                row = as_sequences([row[None]]).values[0]  # or it is refused there
        if len(row) != detector.n_features_in_:
            raise ValueError(
                f"Expected the values of {detector.n_features_in_} channels, got {len(row)}: give "
                "those that fit saw, in their order."
            )
        return row
