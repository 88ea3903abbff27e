"""The detector of anomalies in long series, by windows: parameters, fit and threshold."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_seqae._utils.doc_links import DocLinkMixin
from sklearn_seqae.containers.spans import count_disjoint
from sklearn_seqae.containers.windows import Windows
from sklearn_seqae.persistence.encoder import Encoder
from sklearn_seqae.persistence.schema import check_types
from sklearn_seqae.persistence.states import check_values
from sklearn_seqae.windows import AGGREGATIONS, check_stride, read_long, warn_of_doubts

from .anomaly_score import LogTDistribution
from .detector import LSTMAutoencoderDetector
from .intervals import threshold
from .known_runs import TrainingWindows
from .save import PACKAGE, STRUCTURES, describe, write
from .series_forecasts import SeriesForecasts
from .series_reading import covered
from .series_scores import SeriesScoringDetector
from .validation import PARAMETER_CONSTRAINTS, check_parameters
from .window_scores import (
    fit_windows,
    is_own,
    read_steps,
    training_windows,
)

SERIES_PATH = f"{PACKAGE}:SlidingWindowDetector"
# Types of the attributes that `fit` sets. Any change is one of the format of files.
_FITTED = {
    "estimator_": BaseEstimator,
    "offset_": Real,
    "n_features_in_": Integral,
    "_names": (tuple, type(None)),
    "_training_windows": TrainingWindows,
    "_step_errors": (LogTDistribution, type(None)),
    "_forecasts": (SeriesForecasts, type(None)),
}
_OPTIONAL = {"feature_names_in_", "_sklearn_version"}
# With stride=None a fit has about so many windows, unless they would not overlap.
AIM = 500
# Longer training of the default detector changes scores little: see docs/design/series.md.
DEFAULT_EPOCHS = 20


class SlidingWindowDetector(SeriesScoringDetector, DocLinkMixin, OutlierMixin, BaseEstimator):
    """Detection of anomalies in long series, with a score for every time stamp.

    An outlier detector is fitted to overlapping windows of the series, and each time stamp is
    scored by the windows that contain it. `find_anomalies` returns the abnormal intervals.

    Blocks of time are held out from the detector's training, which no training window shares time
    stamps with. The threshold is a quantile of the scores of their time stamps.

    Read more in the User Guide.

    Parameters
    ----------
    estimator : estimator, default=None
        An outlier detector of sequences, such as `LSTMAutoencoderDetector` or a pipeline of
        `LSTMAutoencoderTransformer` and an outlier detector; or one of tables, such as
        `sklearn.ensemble.IsolationForest`, which gets windows as rows. It is cloned. None means
        ``LSTMAutoencoderDetector(epochs=20, random_state=0)``.
    window_size : int, default=100
        Number of time stamps of a window: about the duration of the patterns that are to be
        recognised, such as a cycle or two. A shorter series is one shorter window.
    stride : int, default=None
        Distance of the first time stamps of two windows, at most `window_size`. With None it is
        chosen in `fit` for about 500 windows, and is a tenth of `window_size` in prediction.
    aggregation : {"mean", "median", "last"}, default="median"
        How the scores of the windows with a time stamp are combined. With "mean" and "median" that
        is combined with the most normal window's score, as a normal time stamp beside an anomaly is
        in normal windows, too; and, by an `LSTMAutoencoderDetector`, with errors around the time
        stamp, those of reconstructions and of linear forecasts. With "last" it is the score of the
        window that ends at the time stamp, and of forecasts up to it: all that is known in real
        time; prediction has stride 1.
    contamination : "auto" or float, default="auto"
        How the threshold is set: with "auto" from held-out blocks of time, by `quantile`. A float
        in (0, 0.5] is the fraction of training time stamps that are predicted as outliers.
    quantile : float, default=0.99
        Fraction of normal time stamps to predict as inliers, with ``contamination="auto"``; at
        least that of held-out blocks. If these have fewer than ``1 / (1 - quantile) - 1`` windows
        that do not overlap, the threshold is more cautious.

    Attributes
    ----------
    estimator_ : estimator
        The fitted outlier detector of windows.
    offset_ : float
        The threshold of the scores: ``decision_function(X) = score_samples(X) - offset_``.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels. Defined only if `X` was a DataFrame with string names.

    See Also
    --------
    LSTMAutoencoderDetector : Outlier detection in separate sequences.
    sklearn_seqae.windows.sliding_windows : Windows for other estimators.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
    >>> noise = np.random.default_rng(0).normal(scale=0.1, size=600)
    >>> x = np.sin(np.arange(600) / 5) + noise
    >>> small = LSTMAutoencoderDetector(units=8, epochs=5, random_state=0)
    >>> detector = SlidingWindowDetector(small, window_size=40).fit(x[:400])
    >>> broken = x[400:].copy()
    >>> broken[100:120] = 0.0
    >>> table = detector.find_anomalies(broken)
    >>> len(table), bool(90 <= table["start"][0] <= 100)
    (1, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit"]), None],
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "stride": [Interval(Integral, 1, None, closed="left"), None],
        "aggregation": [StrOptions(set(AGGREGATIONS))],
        "contamination": PARAMETER_CONSTRAINTS["contamination"],
        "quantile": PARAMETER_CONSTRAINTS["quantile"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        window_size: int = 100,
        stride: int | None = None,
        aggregation: str = "median",
        contamination: float | str = "auto",
        quantile: float = 0.99,
    ) -> None:
        self.estimator = estimator
        self.window_size = window_size
        self.stride = stride
        self.aggregation = aggregation
        self.contamination = contamination
        self.quantile = quantile

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the detector to one series, or to several.

        Blocks of time are held out from training, and the threshold is set by their scores.

        Parameters
        ----------
        X : ndarray, DataFrame or Series, or list of these
            One series: an array (n_timestamps, n_channels) or (n_timestamps,), or a DataFrame or
            Series with any index of time stamps; or several: a list of these, or a DataFrame with
            an index of (series, time). Most of it should be normal. NaN is a missing value.
        y : None
            Ignored. If it is given, `X` must be 2-D as elsewhere in scikit-learn.

        Returns
        -------
        SlidingWindowDetector
            The fitted estimator. If an error is raised, it remains unchanged.

        Warns
        -----
        UserWarning
            If a series is shorter than a window, or if time stamps are not regular.

        See Also
        --------
        fit_predict : Fit, and predict which of the training time stamps are outliers.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.ensemble import IsolationForest
        >>> from sklearn_seqae import SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> forest = IsolationForest(random_state=0)
        >>> SlidingWindowDetector(forest, window_size=40).fit(x).predict(x).shape
        (400,)
        """
        state = self.__dict__.copy()
        try:
            self._fit(X, y)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(state)
            raise
        return self

    def _fit(self, X: Any, y: Any) -> None:
        check_parameters(self)
        if y is not None and isinstance(X, np.ndarray) and X.ndim == 1:
            raise ValueError(
                "Expected 2D array, got 1D array instead, with y. Reshape your data using "
                "array.reshape(-1, 1) if it is one series, or leave out y."
            )
        check_stride(self.stride, self.window_size)
        series = read_long(X)
        self._check_features(X, series, reset=True)
        warn_of_doubts(series, self.window_size, stacklevel=4)
        lengths = series.steps.lengths
        stride = self.stride or stride_of_fit(int(lengths.sum()), self.window_size)
        windows = Windows(series, int(self.window_size), int(stride))
        self.estimator_ = self._make_estimator()
        with warnings.catch_warnings():
            if self.estimator is None:
                warnings.simplefilter("ignore", ConvergenceWarning)
            held_out = fit_windows(self.estimator_, windows)
        steps = read_steps(self.estimator_, series)
        spans = windows.spans
        self._training_windows = training_windows(
            self.estimator_, steps, spans, int(self.window_size)
        )
        scores = self._score(series, steps, spans[held_out])
        if self.contamination != "auto":
            given = series.given(scores)
            self.offset_ = float(np.nanquantile(given, float(self.contamination)))
            return
        is_held_out = covered(spans[held_out], len(scores))
        counts = count_disjoint(spans), count_disjoint(spans[held_out])
        n_values = 1 + (self._forecasts is not None) if is_own(self.estimator_) else 0
        self.offset_ = threshold(scores, is_held_out, self.quantile, *counts, n_values)

    def save(self, path: Any, include_optimizer: bool = False) -> None:
        """Save the fitted detector to a file.

        The file is safe to load, as that of `LSTMAutoencoderDetector.save`.

        Parameters
        ----------
        path : str, PathLike or binary file object
            The file to write. An existing file is replaced.
        include_optimizer : bool, default=False
            Whether to save the state of the optimizer.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        TypeError
            If `estimator` is no `LSTMAutoencoderDetector`, or cannot be saved without code.

        See Also
        --------
        load : Load a saved estimator.

        Examples
        --------
        >>> import io
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector, load
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> file = io.BytesIO()  # or a path such as "detector.zip"
        >>> SlidingWindowDetector(small, window_size=40).fit(x).save(file)
        >>> _ = file.seek(0)
        >>> load(file).predict(x).shape
        (400,)
        """
        check_is_fitted(self)
        check_parameters(self)
        inner = self.estimator_
        if type(inner) is not LSTMAutoencoderDetector:
            raise TypeError(
                "Expected a SlidingWindowDetector over an LSTMAutoencoderDetector, got one over a "
                f"{type(inner).__name__}: save it by joblib.dump."
            )
        state: Any = self.__getstate__()
        parameters = self.get_params(deep=False)
        attributes = {name: value for name, value in state.items() if name not in parameters}
        try:
            check_series_attributes(attributes)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"Expected a SlidingWindowDetector with the attributes that fit sets, but {error}: "
                "delete other attributes, or save it by joblib.dump."
            ) from error
        del attributes["estimator_"]
        if self.estimator is not None:
            parameters["estimator"] = "estimator_"  # a clone of which it is
        encoder = Encoder(STRUCTURES)
        described = {
            "path": SERIES_PATH,
            "parameters": {name: encoder.encode(x, name) for name, x in parameters.items()},
            "attributes": {name: encoder.encode(x, name) for name, x in attributes.items()},
            "estimator_": describe(inner, encoder, include_optimizer),
        }
        write(path, described, encoder)

    def _make_estimator(self) -> Any:
        if self.estimator is None:
            return LSTMAutoencoderDetector(epochs=DEFAULT_EPOCHS, random_state=0)
        if not any(hasattr(self.estimator, x) for x in ("score_samples", "decision_function")):
            raise TypeError(
                "Expected an outlier detector with score_samples or decision_function, got a "
                f"{type(self.estimator).__name__}: use for example an IsolationForest."
            )
        return clone(self.estimator)

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        # Rows are time stamps, so scores depend on their order. scikit-learn has no tag for that,
        # and only this one spares estimators the checks that permute rows or predict single ones.
        tags.non_deterministic = True
        return tags


def stride_of_fit(n_timestamps: int, window_size: int) -> int:
    """Return the distance between two windows that a model is fitted to, unless it is given."""
    return max(1, min(window_size, n_timestamps // AIM))


def check_series_attributes(attributes: dict[str, Any]) -> None:
    """Raise TypeError or ValueError unless a detector has the attributes that `fit` sets."""
    fields = {name: value for name, value in attributes.items() if name not in _OPTIONAL}
    check_types(fields, _FITTED)
    check_values(
        SlidingWindowDetector,
        {name: attributes[name] for name in attributes.keys() & {*_OPTIONAL, "n_features_in_"}},
    )
