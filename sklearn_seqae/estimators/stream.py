"""Scores of time stamps as they come."""

from collections import deque
from typing import Any

import numpy as np

from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.containers.windows import WindowArray

from .window_scores import is_own, score_windows


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
        self._steps: deque[Any] = deque(maxlen=detector.window_size)
        estimator = detector.estimator_
        self._has_categories = is_own(estimator) and bool(estimator._fitted_model.scaler.categories)

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
        detector = self._detector
        self._steps.append(self._row(step))
        if len(self._steps) < detector.window_size:
            return float("nan")
        estimator = detector.estimator_
        values = np.array(self._steps)
        span = np.array([0, len(values)])
        if self._has_categories:
            window = estimator._read([values])
        else:
            form = WindowArray(len(values), str(values.dtype), columns=detector._names)
            window = Sequences(values, span, form)
        known = detector._training_windows
        return float(score_windows(estimator, window, span[None], known).scores[0])

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
            row = as_sequences([np.reshape(step, (1, -1))]).values[0]
        if len(row) != detector.n_features_in_:
            raise ValueError(
                f"Expected the values of {detector.n_features_in_} channels, got {len(row)}: give "
                "those that fit saw, in their order."
            )
        return row
