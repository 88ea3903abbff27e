"""A detector of anomalies in series as sktime has them."""

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sktime.detection.base import BaseDetector

from .inner import copy_of, parameters_for_tests


class SktimeDetector(BaseDetector):
    """`SlidingWindowDetector` with the interface of sktime's detectors of anomalies.

    `predict` returns a DataFrame with the positions of the outliers in its column "ilocs",
    `transform` labels, and `transform_scores` scores that are higher for more abnormal time points.
    Requires sktime.

    Parameters
    ----------
    detector : SlidingWindowDetector, default=None
        The detector to use, which is cloned. None means one with the default parameters.

    Attributes
    ----------
    detector_ : SlidingWindowDetector
        The fitted detector, which also has the abnormal intervals (`find_anomalies`).

    See Also
    --------
    sklearn_seqae.SlidingWindowDetector : The detector itself.
    AeonDetector : The same for aeon.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
    >>> from sklearn_seqae.adapters import SktimeDetector
    >>> x = pd.DataFrame({"cpu": np.sin(np.arange(600) / 5)})
    >>> small = LSTMAutoencoderDetector(units=8, epochs=5, random_state=0)
    >>> detector = SktimeDetector(SlidingWindowDetector(small, window_size=40)).fit(x[:400])
    >>> broken = x[400:].reset_index(drop=True)
    >>> broken.iloc[100:120] = 0.0
    >>> outliers = detector.predict(broken)["ilocs"]
    >>> bool(outliers.between(80, 140).all()), bool(100 <= outliers.median() < 120)
    (True, True)
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": "sklearn_seqae developers",
        "maintainers": "sklearn_seqae developers",
        "X_inner_mtype": "pd.DataFrame",
        "capability:missing_values": True,
        "capability:multivariate": True,
        "fit_is_empty": False,
        "learning_type": "unsupervised",
        "task": "anomaly_detection",
    }

    def __init__(self, detector: Any = None) -> None:
        self.detector = detector
        super().__init__()

    def _fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        self.detector_ = copy_of(self.detector).fit(X)
        return self

    def _predict(self, X: pd.DataFrame) -> pd.DataFrame:
        is_outlier = self.detector_.predict(X).to_numpy() < 0
        return pd.DataFrame({"ilocs": np.flatnonzero(is_outlier)}, dtype="int64")

    def _predict_points(self, X: Any) -> pd.DataFrame:
        # 2026-11, sktime 1.2: `predict_points` does not convert `X`, as `predict` does.
        return self._predict(self._check_X(X))

    def _transform_scores(self, X: pd.DataFrame) -> pd.DataFrame:
        return -self.detector_.score_samples(X).to_frame("scores")

    def _predict_scores(self, X: pd.DataFrame) -> pd.DataFrame:
        decision = self.detector_.decision_function(X)
        found = np.flatnonzero(decision.to_numpy() < 0)
        scores = self.detector_.score_samples(X).to_numpy()
        return pd.DataFrame({"scores": -scores[found]})

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for sktime's tests of its interface.

        With these a fit takes a second.

        Parameters
        ----------
        parameter_set : str, default="default"
            Ignored.

        Returns
        -------
        list of dict
            Parameters of this class.

        See Also
        --------
        get_params : Parameters of an instance.

        Examples
        --------
        >>> from sklearn_seqae.adapters import SktimeDetector
        >>> [list(parameters) for parameters in SktimeDetector.get_test_params()]
        [['detector'], ['detector']]
        """
        return parameters_for_tests()
