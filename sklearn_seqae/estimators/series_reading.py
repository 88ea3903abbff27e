"""Long series as detectors read them: checks, scores of all steps, errors, abnormal intervals."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_seqae.containers.columns import combine
from sklearn_seqae.containers.numeric import is_frame
from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.containers.series import LongSeries
from sklearn_seqae.containers.spans import Spans
from sklearn_seqae.containers.windows import place
from sklearn_seqae.windows import merge_spans, read_long, warn_of_doubts

from .anomaly_score import LogTDistribution
from .intervals import find_intervals
from .known_runs import TrainingWindows
from .metrics import mean_squared_error
from .series_forecasts import SeriesForecasts
from .step_scores import fit_step_errors, score_steps, step_errors
from .window_scores import is_own, pieces, read_steps, score_windows

Floats = NDArray[np.float64]


class SeriesReader:
    """Base of detectors that read long series; a subclass sets the attributes in `fit`."""

    estimator: Any
    estimator_: Any
    window_size: int
    stride: int | None
    aggregation: str
    offset_: float
    n_features_in_: int
    _names: tuple[Any, ...] | None
    _training_windows: TrainingWindows | None
    _step_errors: LogTDistribution | None
    _forecasts: SeriesForecasts | None

    def _read(self, X: Any) -> tuple[LongSeries, Sequences]:
        """Return series, checked against the training data, and their steps for the detector."""
        check_is_fitted(self)
        series = read_long(X)
        self._check_features(X, series)
        warn_of_doubts(series, self.window_size, stacklevel=4)
        return series, read_steps(self.estimator_, series)

    def _check_features(self, X: Any, series: LongSeries, reset: bool = False) -> None:
        n = series.raw.n_channels
        if reset:
            self.n_features_in_ = n
            self.__dict__.pop("feature_names_in_", None)
            self._names = series.raw.channel_names
        elif n != self.n_features_in_:
            raise ValueError(
                f"X has {n} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: give the channels that fit saw. Reshape "
                "your data using array.reshape(1, -1) if it is a single time stamp."
            )
        if is_frame(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
        known, names = self._names, series.raw.channel_names
        if not reset and known is not None and names is not None and known != names:
            raise ValueError(
                f"Expected the columns that fit saw, {list(known)}, got {list(names)}: give the "
                "same columns in the same order."
            )

    def _spans(self, steps: Sequences, aggregation: str) -> Spans:
        """Return the spans of the windows to score."""
        stride = 1 if aggregation == "last" else self.stride
        starts, owners = place(
            steps.lengths, self.window_size, stride or max(1, self.window_size // 10)
        )
        first = steps.offsets[owners] + starts
        return np.stack([first, np.minimum(first + self.window_size, steps.offsets[owners + 1])], 1)

    def _score(self, series: LongSeries, steps: Sequences, held_out: Spans | None = None) -> Floats:
        """Return the scores of all steps; in `fit`, given held-out windows, fit to errors first."""
        spans = self._spans(steps, self.aggregation)
        known, is_last = self._training_windows, self.aggregation == "last"
        found = score_windows(self.estimator_, steps, spans, known, with_errors=not is_last)
        errors = step_errors(found, spans, len(steps.values), self.aggregation)
        is_ours = is_own(self.estimator_)
        spread = self.estimator_._fitted_model.scaler.spread(steps) if is_ours else steps
        if held_out is not None:
            inside = covered(held_out, len(steps.values))
            self._step_errors = fit_step_errors(errors, inside, held_out)
            self._forecasts = None
            if is_ours:
                size = int(self.window_size)
                self._forecasts = SeriesForecasts.fit(spread, size, inside, held_out)
        forecasts = None
        if self._forecasts is not None:
            forecasts = self._forecasts(spread, is_causal=is_last)
        merged = score_steps(
            found, spans, len(steps.values), self.aggregation, errors, self._step_errors, forecasts
        )
        n_unknown = int(np.isnan(series.given(merged)).sum())
        if n_unknown:
            warnings.warn(
                f"{n_unknown} time stamps have no observed value within {self.window_size} around "
                "them, so their scores are NaN: fill the gaps, or use a larger window_size.",
                stacklevel=3,
            )
        return merged

    def _intervals(self, series: LongSeries, steps: Sequences) -> Any:
        """Return each interval with its series, time stamps, decisions and errors of these."""
        decision = series.given(self._score(series, steps) - self.offset_)
        errors, offset = None, 0
        for i, n in enumerate(series.lengths.tolist()):
            own = slice(offset, offset + n)
            offset += n
            for found in find_intervals(decision[own], max(1, self.window_size // 2)):
                if errors is None and is_own(self.estimator_):
                    ratios = self._errors(steps) / self.estimator_._reference.channel_errors
                    errors = series.given(ratios)
                times = series.times(i)
                stamps = range(n) if times is None else times
                yield i, found, stamps, decision[own], None if errors is None else errors[own]

    def _errors(self, steps: Sequences) -> Floats:
        """Return the squared errors of all values, merged over windows."""
        return self._merged(steps, "errors", self.aggregation)

    def _expected(self, steps: Sequences) -> Sequences:
        """Return what was expected at each step, in the units of the data."""
        values = self._merged(steps, "values", self.aggregation)
        if any(found is not None for found in steps.categories):
            first = self._merged(steps, "values", "last")
            values = np.where([found is not None for found in steps.categories], first, values)
        return steps.with_values(values)

    def _merged(self, steps: Sequences, what: str, aggregation: str) -> Floats:
        spans = self._spans(steps, self.aggregation)
        longest = int((spans[:, 1] - spans[:, 0]).max())
        found = np.full((len(spans), longest, steps.n_channels), np.nan)
        model = self.estimator_._fitted_model
        first = 0
        for windows in pieces(steps, spans):
            scaled, decoded = model.compare_scaled(windows)
            if what == "errors":
                by_window = mean_squared_error(scaled, decoded, "value", model.scaler.channels)
                values = np.concatenate(by_window)
            else:
                statistics = model.scaler.statistics(windows)
                values = model.scaler.inverse_transform(decoded, statistics).values
            places = np.arange(len(values)) - windows.offsets[:-1][windows.owners]
            found[first + windows.owners, places] = values
            first += len(windows)
        return merge_spans(found, spans, len(steps.values), aggregation)

    def _channels(self) -> Any:
        return range(self.n_features_in_) if self._names is None else list(self._names)


def covered(spans: Spans, n_steps: int) -> NDArray[np.bool_]:
    """Return which steps some spans contain."""
    inside = np.zeros(n_steps, dtype=bool)
    for start, stop in spans.tolist():
        inside[start:stop] = True
    return inside


def restored(steps: Sequences) -> NDArray[Any]:
    """Return values with categories in place of their codes."""
    return combine(steps.values, steps.categories, str(steps.values.dtype))


def id_of(series: LongSeries, i: int) -> Any:
    """Return what a series is called: its id, or its position."""
    return i if series.ids is None else series.ids[i]
