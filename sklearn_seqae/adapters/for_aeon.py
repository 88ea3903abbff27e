"""A detector of anomalies in series as aeon has them."""

from typing import Any, ClassVar, Self

import numpy as np
from aeon.anomaly_detection.series.base import BaseSeriesAnomalyDetector
from numpy.typing import NDArray

from .inner import copy_of, parameters_for_tests


class AeonDetector(BaseSeriesAnomalyDetector):
    """`SlidingWindowDetector` with the interface of aeon's detectors of anomalies in series.

    Series are arrays (n_channels, n_timepoints), or (n_timepoints, n_channels) with ``axis=0``.
    `predict` returns scores that are higher for more abnormal time points. Requires aeon.

    Parameters
    ----------
    detector : SlidingWindowDetector, default=None
        The detector to use, which is cloned. None means one with the default parameters.

    Attributes
    ----------
    detector_ : SlidingWindowDetector
        The fitted detector. It has the abnormal intervals (`find_anomalies`) and decisions by a
        threshold (`predict`) of series (n_timepoints, n_channels).

    See Also
    --------
    sklearn_seqae.SlidingWindowDetector : The detector itself.
    SktimeDetector : The same for sktime.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
    >>> from sklearn_seqae.adapters import AeonDetector
    >>> x = np.sin(np.arange(600) / 5)
    >>> small = LSTMAutoencoderDetector(units=8, epochs=5, random_state=0)
    >>> detector = AeonDetector(SlidingWindowDetector(small, window_size=40)).fit(x[:400])
    >>> broken = x[400:].copy()
    >>> broken[100:120] = 0.0
    >>> scores = detector.predict(broken)
    >>> scores.shape, bool(80 <= scores.argmax() < 140)
    ((200,), True)
    """

    _tags: ClassVar[dict[str, Any]] = {
        "X_inner_type": "np.ndarray",
        "algorithm_type": "deeplearning",
        "anomaly_output_type": "anomaly_scores",
        "capability:missing_values": True,
        "capability:multivariate": True,
        "capability:univariate": True,
        "fit_is_empty": False,
        "learning_type:semi_supervised": True,
        "learning_type:unsupervised": True,
    }

    def __init__(self, detector: Any = None) -> None:
        self.detector = detector
        super().__init__(axis=0)

    def _fit(self, X: NDArray[Any], y: Any = None) -> Self:
        self.detector_ = copy_of(self.detector).fit(X)
        return self

    def _predict(self, X: NDArray[Any]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = -self.detector_.score_samples(X)
        return scores

    @classmethod
    def _get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        return parameters_for_tests()
