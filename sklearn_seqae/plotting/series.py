"""A long series, what was expected of it, its scores and its abnormal intervals."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sklearn_seqae.estimators.series_detector import SlidingWindowDetector
from sklearn_seqae.estimators.series_reading import restored

from .axes import axes_grid, legend, plain, style, tidy
from .inputs import choose_channels
from .palette import Palette, palette_of

# Most channels that are drawn, unless others are chosen.
MOST_CHANNELS = 6


class AnomalyDisplay:
    """Visualization of a long series with its scores and abnormal intervals.

    A panel for each channel shows the series and what was expected, and one below the scores with
    their threshold. Abnormal intervals are shaded. It is recommended to use `from_estimator` to
    create an `AnomalyDisplay`. All parameters are stored as attributes.

    Parameters
    ----------
    values : array-like of shape (n_timestamps, n_channels)
        The series.
    scores : array-like of shape (n_timestamps,)
        Scores of the time stamps: the lower, the more abnormal.
    expected : array-like of shape (n_timestamps, n_channels), default=None
        What was expected. If None, it is not shown.
    threshold : float, default=None
        Threshold of the scores. If None, it is not shown.
    intervals : list of tuple of (int, int), default=()
        Positions of the first and the last time stamp of each abnormal interval.
    times : array-like of shape (n_timestamps,), default=None
        Time stamps; None for 0, 1, ...
    channel_names : list of str, default=None
        Names of the channels.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The series, one line per channel.
    expected_lines_ : list of matplotlib Line2D
        What was expected, one line per channel; empty without.
    score_line_ : matplotlib Line2D
        The scores.
    threshold_line_ : matplotlib Line2D or None
        The threshold.
    axes_ : ndarray of shape (n_channels + 1,)
        Axes of the panels.
    figure_ : matplotlib Figure
        Figure of the plot.

    See Also
    --------
    DetectionDisplay : Scores of separate sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae import AnomalyDisplay
    >>> x = np.sin(np.arange(100) / 5)[:, None]
    >>> display = AnomalyDisplay(values=x, scores=-np.abs(x[:, 0]), threshold=-0.9)
    >>> len(display.plot().axes_)
    2
    """

    def __init__(
        self,
        *,
        values: Any,
        scores: Any,
        expected: Any = None,
        threshold: float | None = None,
        intervals: Any = (),
        times: Any = None,
        channel_names: Any = None,
    ) -> None:
        self.values = values
        self.scores = scores
        self.expected = expected
        self.threshold = threshold
        self.intervals = intervals
        self.times = times
        self.channel_names = channel_names

    def plot(
        self,
        ax: Any = None,
        *,
        line_kwargs: dict[str, Any] | None = None,
        expected_kwargs: dict[str, Any] | None = None,
        score_kwargs: dict[str, Any] | None = None,
        span_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Plot the panels.

        Colours depend on the background of the Axes, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on: one per channel and one for the scores, or a single one, whose place is
            divided. If None, a new figure is created.
        line_kwargs, expected_kwargs, score_kwargs : dict, default=None
            Keyword arguments of matplotlib's `plot` for the series, what was expected, and the
            scores.
        span_kwargs : dict, default=None
            Keyword arguments of matplotlib's `axvspan` for abnormal intervals.

        Returns
        -------
        AnomalyDisplay
            The object itself, with the artists as attributes.

        See Also
        --------
        from_estimator : Plot from a fitted detector.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import AnomalyDisplay
        >>> x = np.arange(20.0)[:, None]
        >>> display = AnomalyDisplay(values=x, scores=-x[:, 0], intervals=[(15, 19)])
        >>> display.plot(span_kwargs={"alpha": 0.5}).threshold_line_ is None
        True
        """
        values, expected, scores, times, names = self._read()
        n = values.shape[1]
        size = (7.0, 1.2 + 1.3 * (n + 1))
        axes = axes_grid(ax, n + 1, 1, "AnomalyDisplay.plot", figsize=size)[:, 0]
        self.lines_, self.expected_lines_ = [], []
        palette = palette_of(axes[0])
        for panel, name, own in zip(axes, names, values.T, strict=False):
            given = style({"color": palette.main, "linewidth": 1.0}, line_kwargs, _line())
            self.lines_ += panel.plot(times, own, **given)
            tidy(panel, ylabel=plain(name))
        if expected is not None:
            for panel, own in zip(axes, expected.T, strict=False):
                defaults = {"color": palette.other, "linewidth": 1.0, "alpha": 0.9}
                given = style(defaults, expected_kwargs, _line())
                self.expected_lines_ += panel.plot(times, own, **given)
        self._plot_scores(axes[-1], times, scores, palette, score_kwargs)
        shown = self._shade(axes, times, palette, span_kwargs)
        handles = [*self.lines_[:1], *self.expected_lines_[:1], *shown]
        labels = ["observed", *["expected"] * bool(self.expected_lines_), *["anomaly"] * len(shown)]
        above = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0}
        legend(axes[0], handles, labels, palette, ncols=3, **above)
        if hasattr(times, "dtype") and times.dtype.kind == "M":
            for panel in axes:
                _readable_dates(panel.xaxis)
        else:
            axes[-1].set_xlabel("time stamp" if self.times is None else "time")
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        series: int = 0,
        channels: Any = None,
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot one series with the scores and anomalies of a fitted detector.

        What was expected is shown if the detector reconstructs.

        Parameters
        ----------
        estimator : SlidingWindowDetector
            The fitted detector.
        X : ndarray, DataFrame or Series, or list of these
            One series or several, as in `fit`.
        series : int, default=0
            Position of the series to plot.
        channels : int, str, list or None, default=None
            Indices or names of the channels to plot; None for the first six.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on. If None, a new figure is created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        AnomalyDisplay
            The display, with its plot.

        See Also
        --------
        plot : Plot what is given.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import AnomalyDisplay
        >>> from sklearn_seqae import LSTMAutoencoderDetector, SlidingWindowDetector
        >>> x = np.sin(np.arange(400) / 5)
        >>> small = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0)
        >>> detector = SlidingWindowDetector(small, window_size=40).fit(x)
        >>> AnomalyDisplay.from_estimator(detector, x).scores.shape
        (400,)
        """
        if not isinstance(estimator, SlidingWindowDetector):
            raise TypeError(
                f"Expected a SlidingWindowDetector, got {type(estimator).__name__}: for detectors "
                "of separate sequences use DetectionDisplay."
            )
        check_is_fitted(estimator)
        read, steps = estimator._read(X)
        if not 0 <= series < len(read.lengths):
            raise ValueError(
                f"Expected series to be a position from 0 to {len(read.lengths) - 1}, got "
                f"{series!r}: choose one of these."
            )
        names = [str(name) for name in estimator._channels()]
        if estimator._names is None:
            names = [f"channel {name}" for name in names]
        chosen = choose_channels(channels, names, MOST_CHANNELS)
        first = int(read.lengths[:series].sum())
        own = slice(first, first + int(read.lengths[series]))
        expected = None
        if hasattr(estimator, "reconstruct"):
            expected = read.given(restored(estimator._expected(steps)))[own][:, chosen]
        scores = read.given(estimator._score(read, steps))[own]
        found = [
            (one.start, one.stop - 1)
            for i, one, *_ in estimator._intervals(read, steps)
            if i == series
        ]
        times = read.times(series)
        display = cls(
            values=read.given(restored(steps))[own][:, chosen],
            scores=scores,
            expected=expected,
            threshold=estimator.offset_,
            intervals=found,
            times=None if times is None else _plottable(times),
            channel_names=[names[j] for j in chosen],
        )
        return display.plot(ax, **plot_kwargs)

    def _read(self) -> tuple[NDArray[Any], Any, NDArray[Any], Any, list[str]]:
        values = np.asarray(self.values)
        scores = np.asarray(self.scores, dtype=np.float64)
        expected = None if self.expected is None else np.asarray(self.expected)
        if values.ndim != 2 or scores.shape != values.shape[:1]:
            raise ValueError(
                "Expected values of shape (n_timestamps, n_channels) and a score for each time "
                f"stamp, got shapes {values.shape} and {scores.shape}: give the scores of these."
            )
        if expected is not None and expected.shape != values.shape:
            raise ValueError(
                f"Expected an expected value for each value, of shape {values.shape}, got shape "
                f"{expected.shape}: give what reconstruct returned."
            )
        times = np.arange(len(values)) if self.times is None else np.asarray(self.times)
        names = self.channel_names or [f"channel {j}" for j in range(values.shape[1])]
        return values, expected, scores, times, list(names)

    def _plot_scores(
        self, ax: Any, times: Any, scores: NDArray[Any], palette: Palette, kwargs: Any
    ) -> None:
        given = style({"color": palette.ink, "linewidth": 1.0}, kwargs, _line())
        (self.score_line_,) = ax.plot(times, scores, **given)
        self.threshold_line_ = None
        if self.threshold is not None:
            at = {"color": palette.series[3], "linewidth": 1.0, "linestyle": "--"}
            self.threshold_line_ = ax.axhline(self.threshold, **at)
        tidy(ax, ylabel="score")

    def _shade(self, axes: Any, times: Any, palette: Palette, kwargs: Any) -> list[Any]:
        """Shade the abnormal intervals in all panels, and return one of them, if any."""
        from matplotlib.patches import Polygon

        defaults = {"color": palette.series[3], "alpha": 0.2, "linewidth": 0}
        given = style(defaults, kwargs, Polygon)
        half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.5
        spans = [
            panel.axvspan(times[a] - half, times[b] + half, **given)
            for panel in axes
            for a, b in self.intervals
        ]
        return spans[:1]


def _line() -> Any:
    from matplotlib.lines import Line2D

    return Line2D


def _plottable(times: Any) -> NDArray[Any]:
    """Return time stamps of pandas as numbers or dates that matplotlib knows."""
    if hasattr(times, "to_timestamp"):  # periods
        times = times.to_timestamp()
    if getattr(times, "tz", None) is not None:
        times = times.tz_localize(None)
    array = np.asarray(times)
    return array if array.dtype.kind in "iufM" else np.arange(len(array))


def _readable_dates(axis: Any) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=7)
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))
