"""Intervals of time stamps with low scores, their peaks, and the channels behind them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

Floats = NDArray[np.float64]

# Weight of the logarithm of shape beside that of values in the score of a window.
SHAPE = 1 / 3
# Channels with a smaller share of an interval's error are not listed.
LEAST_SHARE = 0.1
# The peak is that of the largest error among the time stamps whose scores are below the threshold
# by nearly as much as the lowest one, as scores are equal within a stride.
PEAK = 0.8
# A series with fewer expected outliers has some.
FEW = 3


# An interval begins and ends where scores are this fraction as far below the threshold as at the
# lowest: windows that end in an anomaly make the time stamps before it outliers, too.
DEPTH = 0.5


@dataclass(frozen=True)
class Interval:
    """Abnormal time stamps of one series, [start, stop)."""

    start: int
    stop: int


def find_intervals(decision: Floats, gap: int) -> list[Interval]:
    """Return the intervals of negative decisions; less than `gap` others between join them."""
    at = np.flatnonzero(decision < 0)
    if not len(at):
        return []
    runs = np.split(at, np.flatnonzero(np.diff(at) > gap) + 1)
    deep = [run[decision[run] <= DEPTH * decision[run].min()] for run in runs]
    return [Interval(int(run[0]), int(run[-1]) + 1) for run in deep]


def find_peak(decision: Floats, errors: Floats | None) -> int:
    """Return the position of the peak of an interval, given its decisions and errors."""
    lowest = np.nanmin(decision)
    if errors is None:
        return int(np.nanargmin(decision))
    return int(np.argmax(np.where(decision <= PEAK * lowest, errors, -1.0)))


def channel_shares(errors: Floats) -> Floats:
    """Return the share of each channel in the errors of an interval, (n_steps, n_channels)."""
    sums = np.nansum(np.square(errors), axis=0)
    shares: Floats = sums / (sums.sum() or 1.0)
    return shares


def main_channels(shares: Floats, names: Any) -> tuple[list[Any], list[float]]:
    """Return the channels with the largest shares, and these."""
    order = np.argsort(-shares, kind="stable")
    order = order[: max(1, int((shares >= LEAST_SHARE).sum()))]
    return [names[j] for j in order], shares[order].tolist()


def threshold(
    scores: Floats,
    is_held_out: NDArray[np.bool_],
    quantile: float,
    n_windows: int,
    n_held_out: int,
    n_values: int,
) -> float:
    """Return the threshold that a fraction `quantile` of normal time stamps reach.

    With enough held-out windows it is that quantile of the held-out time stamps. Few windows say
    little of how low one in a hundred is: then it is nearer to the quantile of an assumed
    distribution, the fewer there are, but not above that of held-out or of all time stamps.

    Parameters
    ----------
    scores : ndarray of shape (n_steps,)
        Scores of the time stamps of the training series; NaN is ignored.
    is_held_out : ndarray of shape (n_steps,)
        Which of them were held out from training.
    quantile : float
    n_windows, n_held_out : int
        Number of all windows, and of held-out ones, that share no time stamps with each other.
    n_values : int
        Of how many independent scores, such as those of reconstructions and of forecasts, the
        component "values" is the largest; 0 for detectors without components.
    """
    is_held_out = is_held_out[~np.isnan(scores)]
    scores = scores[~np.isnan(scores)]
    lowest = float(np.quantile(scores, 1 - quantile))
    if is_held_out.any():
        held_out = float(np.quantile(scores[is_held_out], 1 - quantile))
        if _rank(n_held_out, quantile) > 0:
            return held_out
        lowest = min(lowest, held_out)
    weight = min(1.0, n_windows * (1 - quantile) / quantile)
    if n_values:
        assumed = _exponential_quantile(quantile, n_values)
    else:
        assumed = _t_quantile(scores, quantile, n_windows)
    found = weight * lowest + (1 - weight) * min(lowest, assumed)
    above = scores[scores > scores.min()]
    if len(scores) * (1 - quantile) > FEW + 1e-9 or not len(above):
        return found
    # Of so few time stamps the lowest are outliers, as scikit-learn expects some in any data.
    return max(found, float(above.min()))


def _rank(n: int, quantile: float) -> int:
    """Return the rank of the threshold among `n` scores; 0 if it is below all (conformal)."""
    return int((n + 1) * (1 - quantile) + 1e-9)


def _exponential_quantile(quantile: float, n_values: int) -> float:
    """Return the threshold of -log(1 + a) - SHAPE * log(1 + b).

    Both are exponential variables, `a` the largest of `n_values`.
    """

    def excess(y: float) -> float:
        # P((1 + a) * (1 + b) ** SHAPE > y) - (1 - quantile)
        def both(a: float) -> float:
            density = n_values * np.exp(-a) * (1 - np.exp(-a)) ** (n_values - 1)
            return float(density * np.exp(1 - (y / (1 + a)) ** (1 / SHAPE)))

        alone = 1 - (1 - np.exp(1 - y)) ** n_values
        return float(quad(both, 0, y - 1)[0] + alone - (1 - quantile))

    return -float(np.log(brentq(excess, 1.0, 1e3)))


def _t_quantile(scores: Floats, quantile: float, n: int) -> float:
    """Return the threshold of a new score, given `n` independent ones of a normal distribution."""
    location, low = np.quantile(scores, [0.5, 0.1])
    spread = (location - low) / norm.ppf(0.9) * np.sqrt(1 + 1 / n)
    return float(location - spread * student.ppf(quantile, max(1, n - 1)))
