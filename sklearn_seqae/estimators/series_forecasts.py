"""Errors of forecasts of long series by one time stamp, forward and backward in time, and scores.

Each value is forecast from those before it, and once more from those after it, by linear forecasts
that are fitted in closed form to the training series without its held-out blocks. A time stamp
has minus the logarithm of the p-value of the mean error around it, relative to the training
series; in real time, of the mean forward error at it and just before it. Forecast errors in both
directions beside those of a reconstruction are the idea of AER [1]_, which has recurrent networks
for all three.

References
----------
.. [1] L. Wong, D. Liu, L. Berti-Equille, S. Alnegheimish, K. Veeramachaneni, "AER: Auto-Encoder
   with Regression for Time Series Anomaly Detection", IEEE Big Data 2022.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.containers.spans import Spans, count_disjoint
from sklearn_seqae.network.linear_forecast import LinearForecast, fit_next
from sklearn_seqae.network.minirocket import interpolate

from .anomaly_score import LEAST_ERROR, LEAST_RATIO, MOST_ERROR, LogTDistribution

Floats = NDArray[np.float64]

# Parts of a window: what a forecast looks back at, the time stamps around one that its mean error
# is of, and those that a large error makes suspicious, before and after. A score so depends on less
# than a window of what precedes and follows.
LOOKS_BACK = 1 / 3
AROUND = 1 / 5
SUSPICIOUS = 1 / 2
# Time stamps of the training series that forecasts are fitted to, and the least number.
MOST_FITTED = 1500
LEAST_FITTED = 10
ROWS_AT_ONCE = 4096
DIRECTIONS = (1, -1)


@dataclass(frozen=True, eq=False)
class SeriesForecasts:
    """Forecasts of series in both directions of time, and the distribution of their errors.

    Parameters
    ----------
    size : int
        Number of time stamps of a window.
    location, scale : ndarray of shape (n_values,)
        What values are standardised by; categories are one value each.
    forward, backward : LinearForecast
        Of one step, the second in reversed time.
    errors : ndarray of shape (2, n_values)
        Mean squared errors of both.
    normal : LogTDistribution
        Of the logarithms of mean relative errors around time stamps.
    causal : LogTDistribution
        Of those of forward errors up to each time stamp.
    """

    size: int
    location: Floats
    scale: Floats
    forward: LinearForecast
    backward: LinearForecast
    errors: Floats
    normal: LogTDistribution
    causal: LogTDistribution

    @property
    def n_lags(self) -> int:
        """Number of time stamps that a forecast looks back at."""
        return self.forward.n_lags

    @property
    def n_averaged(self) -> int:
        """Number of time stamps that the mean error is of."""
        return 2 * _half(self.size) + 1

    @classmethod
    def fit(
        cls, steps: Sequences, size: int, is_held_out: NDArray[np.bool_], held_out: Spans
    ) -> Self | None:
        """Fit forecasts to training series; None if there are too few time stamps.

        Parameters
        ----------
        steps : Sequences
            The series, as the network sees them but for the scaling.
        size : int
        is_held_out : ndarray of shape (n_steps,)
            Time stamps that errors are measured at, and not fitted to.
        held_out : ndarray of shape (n_held_out, 2)
            The windows that they are in.
        """
        n_lags = max(1, int(LOOKS_BACK * size))
        # Runs of time stamps of one series, none of them held out.
        before = np.concatenate([[0], np.cumsum(is_held_out)])
        starts = np.arange(max(0, len(steps.values) - n_lags))
        is_free = before[starts + n_lags + 1] == before[starts]
        starts = starts[is_free & (steps.owners[starts] == steps.owners[starts + n_lags])]
        if len(starts) < LEAST_FITTED or size == 1:  # whose windows have nothing before a step
            return None
        starts = starts[np.linspace(0, len(starts) - 1, min(len(starts), MOST_FITTED)).astype(int)]
        known = ~np.isnan(steps.values)
        counts = np.maximum(known.sum(axis=0), 1)
        location = np.where(known, steps.values, 0.0).sum(axis=0) / counts
        centred = np.where(known, steps.values - location, 0.0)
        scale = np.sqrt(np.square(centred).sum(axis=0) / counts)
        scale[scale == 0] = 1.0
        values = (steps.values - location) / scale
        windows = interpolate(values[starts[:, None] + np.arange(n_lags + 1)])
        with single_threaded():
            pair = fit_next(windows, starts), fit_next(windows[:, ::-1], starts)
        found, errors, distributions = _RelativeErrors(steps), [], []
        for forecast, step in zip(pair, DIRECTIONS, strict=True):
            squared = _squared_errors(forecast, values, steps.offsets, step)
            means = np.ones(steps.n_channels)
            for part in (squared, squared[is_held_out]):  # the latter where there are any
                counts = (~np.isnan(part)).sum(axis=0)
                of_part = np.nansum(np.minimum(part, MOST_ERROR), axis=0) / np.maximum(counts, 1)
                means = np.where(counts > 0, of_part, means)
            errors.append(means)
            found.add(squared, means)
            logarithms = found.around(size, is_causal=step > 0)
            known = ~np.isnan(logarithms)
            parts = logarithms[known & ~is_held_out], logarithms[known & is_held_out]
            distributions.append(LogTDistribution.fit_held_out(*parts, count_disjoint(held_out)))
        causal, normal = distributions
        return cls(size, location, scale, *pair, np.stack(errors), normal, causal)

    def __call__(self, steps: Sequences, is_causal: bool = False) -> tuple[Floats, Floats]:
        """Return the logarithms of scores of time stamps, and of the highest near each."""
        scores = self.scores(steps, is_causal)
        reach = 2 * int(SUSPICIOUS * self.size) + 1
        near = [
            maximum_filter1d(scores[start:stop], reach, mode="constant")
            for start, stop in pairwise(steps.offsets.tolist())
        ]
        return scores, np.concatenate(near)

    def scores(self, steps: Sequences, is_causal: bool) -> Floats:
        """Return the logarithms of scores of time stamps; 0, the lowest, without any forecast.

        If they are causal, they depend on nothing that follows, and on `n_lags` + `n_averaged`
        time stamps, which are no more than a window.
        """
        values = (steps.values - self.location) / self.scale
        found, pair = _RelativeErrors(steps), (self.forward, self.backward)
        for forecast, step, means in zip(pair, DIRECTIONS, self.errors, strict=True):
            if step > 0 or not is_causal:
                found.add(_squared_errors(forecast, values, steps.offsets, step), means)
        logarithms = found.around(self.size, is_causal)
        normal = self.causal if is_causal else self.normal
        scores: Floats = np.nan_to_num(np.log1p(normal.neg_logsf(logarithms)), nan=0.0)
        return scores

    def last_error(self, values: Floats) -> float:
        """Return the mean relative error of the forecast of the last of `n_lags` + 1 steps."""
        squared = _errors(self.forward, (values - self.location) / self.scale)[-1]
        ratios = np.minimum((squared + LEAST_ERROR) / (self.errors[0] + LEAST_ERROR), MOST_ERROR)
        known = ratios[~np.isnan(ratios)]
        return float(known.mean()) if len(known) else float("nan")

    def causal_score(self, errors: Floats) -> Floats:
        """Return the causal score, as of `scores`, given the last `n_averaged` errors."""
        known = ~np.isnan(errors)
        mean = np.where(known, errors, 1.0).mean()
        logarithm = np.log(np.maximum(mean, LEAST_RATIO)) if known.any() else np.nan
        scores: Floats = np.nan_to_num(np.log1p(self.causal.neg_logsf(np.array([logarithm]))))
        return scores


class _RelativeErrors:
    """Means of relative errors of series, over values and directions of time."""

    def __init__(self, steps: Sequences) -> None:
        self._offsets = steps.offsets.tolist()
        self._sums = np.zeros(len(steps.values))
        self._counts = np.zeros(len(steps.values), dtype=np.int64)

    def add(self, squared: Floats, means: Floats) -> None:
        """Add squared errors (n_steps, n_values) in one direction, which are used up.

        The ratio to their mean is 1 also where forecasts were exact in training.
        """
        squared += LEAST_ERROR
        squared /= means + LEAST_ERROR
        np.minimum(squared, MOST_ERROR, out=squared)
        self._sums += np.nansum(squared, axis=1)
        self._counts += (~np.isnan(squared)).sum(axis=1)

    def around(self, size: int, is_causal: bool) -> Floats:
        """Return the logarithms of means around time stamps, or up to each, of windows of a size.

        They are NaN without any. Time stamps without any, at gaps and before and after a series,
        count as 1, the mean: the fewer are known, the more would the mean of these vary.
        """
        known = self._counts > 0
        of_steps = np.where(known, self._sums / np.maximum(self._counts, 1), 1.0)
        half = _half(size)
        before, after = (2 * half, 0) if is_causal else (half, half)
        logarithms = np.empty(len(of_steps))
        for start, stop in pairwise(self._offsets):
            sums, n_known = (
                np.cumsum(np.pad(x[start:stop], (before + 1, after), constant_values=outside))
                for x, outside in ((of_steps, 1.0), (known, 0))
            )
            total, count = (x[2 * half + 1 :] - x[: stop - start] for x in (sums, n_known))
            logarithms[start:stop] = np.log(np.maximum(total / (2 * half + 1), LEAST_RATIO))
            logarithms[start:stop][count == 0] = np.nan
        return logarithms


def _half(size: int) -> int:
    return int(AROUND * size / 2)


def _squared_errors(
    forecast: LinearForecast, values: Floats, offsets: NDArray[np.int64], step: int
) -> Floats:
    """Return squared errors (n_steps, n_values) in a direction of time; NaN if unknown."""
    errors = np.empty(values.shape)
    for start, stop in pairwise(offsets.tolist()):
        errors[start:stop] = _errors(forecast, values[start:stop][::step])[::step]
    return errors


def _errors(forecast: LinearForecast, values: Floats) -> Floats:
    """Return squared errors of forecasts of a series (n_steps, n_values); NaN if unknown.

    That is where a value or the last one before it is missing, too, as forecasts behind a gap are
    worse than others.
    """
    errors = np.full(values.shape, np.nan)
    n_lags = forecast.n_lags
    if len(values) <= n_lags:
        return errors
    windows = sliding_window_view(values, n_lags, axis=0)[:-1].transpose(0, 2, 1)
    with single_threaded(), np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(windows), ROWS_AT_ONCE):
            past = windows[start : start + ROWS_AT_ONCE]
            rows = slice(n_lags + start, n_lags + start + len(past))
            ahead = forecast(interpolate(past))[:, 0]
            errors[rows] = np.where(np.isnan(past[:, -1]), np.nan, (values[rows] - ahead) ** 2)
    return errors
