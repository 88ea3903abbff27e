"""Anomaly scores of a detector, with its threshold."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from .axes import legend, one_axes, plain, style, tidy, whole_steps
from .palette import ON_LIGHT, Palette, palette_of

# Predictions of scikit-learn's outlier detectors.
OUTLIER_NAMES = {-1: "outliers (-1)", 1: "inliers (1)"}
# Maximum number of sequences with a tick each below the bars.
TICKS_UP_TO = 60
MOST_BINS = 50
# There are no more colours that readers can distinguish in a stack.
MOST_LABELS = len(ON_LIGHT)
# Height of the tallest bar from which single outliers are invisible on a linear axis.
LOGARITHMIC_FROM = 50
# Ratio of the range to the interquartile range from which scores have a long tail.
LONG_TAIL = 15


class DetectionDisplay:
    """Visualization of the scores of an outlier detector, with its threshold, as a histogram.

    Scores below the threshold are those of outliers. It is recommended to use `from_estimator` or
    `from_predictions` to create a `DetectionDisplay`. All parameters are stored as attributes.

    Parameters
    ----------
    scores : array-like of shape (n_sequences,)
        Scores, such as results of `score_samples`: the lower, the more abnormal.
    threshold : float, default=None
        Threshold, below which scores are those of outliers. If None, it is not shown.
    y : array-like of shape (n_sequences,), default=None
        True labels: 1 for inliers and -1 for outliers, or other labels, at most six. If None, they
        are not shown.
    score_name : str, default="score"
        Name of the scores.

    Attributes
    ----------
    bars_ : list of matplotlib BarContainer
        Stacked bars: one container per label, in sorted order; or a single container.
    counts_ : ndarray of shape (n_labels, n_bins)
        Heights of the bars.
    edges_ : ndarray of shape (n_bins + 1,)
        Edges of the bars.
    line_ : matplotlib Line2D or None
        Line at the threshold; None without threshold.
    ticks_ : list of matplotlib Line2D
        Ticks of the sequences below the bars, one artist per label; empty for many sequences.
    n_flagged_ : int or None
        Number of scores below the threshold.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.

    See Also
    --------
    ErrorDisplay : Visualization of reconstruction errors.

    Examples
    --------
    >>> from sklearn_seqae import DetectionDisplay
    >>> scores = [-0.2, -0.3, -0.1, -2.5]
    >>> display = DetectionDisplay.from_predictions(scores, threshold=-1.0, y=[1, 1, 1, -1])
    >>> display.n_flagged_
    1
    """

    def __init__(
        self,
        *,
        scores: Any,
        threshold: float | None = None,
        y: Any = None,
        score_name: str = "score",
    ) -> None:
        self.scores = scores
        self.threshold = threshold
        self.y = y
        self.score_name = score_name

    def plot(
        self,
        ax: Any = None,
        *,
        bins: int | str = "auto",
        xscale: str = "auto",
        yscale: str = "auto",
        bar_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Plot the histogram.

        Colours depend on the background of the Axes, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        bins : int or "auto", default="auto"
            Number of bars; "auto" depends on the number of scores.
        xscale : {"auto", "linear", "asinh"}, default="auto"
            Scale of scores: "asinh" is logarithmic away from zero, and is chosen by "auto" for
            scores with a long tail.
        yscale : {"auto", "linear", "log"}, default="auto"
            Scale of counts: "auto" is logarithmic if single outliers would otherwise be invisible.
        bar_kwargs : dict, default=None
            Keyword arguments of matplotlib's `bar`.
        line_kwargs : dict, default=None
            Keyword arguments of matplotlib's `axvline` at the threshold.

        Returns
        -------
        DetectionDisplay
            The object itself, with the artists as attributes.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> from sklearn_seqae import DetectionDisplay
        >>> display = DetectionDisplay(scores=[-0.1, -0.2, -0.3, -2.0], threshold=-1.0)
        >>> display.plot(bins=4).n_flagged_
        1
        """
        scores, labels, index = self._read()
        _check_scales(bins, xscale, yscale)
        ax = one_axes(ax, "DetectionDisplay.plot")
        from matplotlib.ticker import MaxNLocator

        colors = palette_of(ax)
        width = None
        if xscale != "linear":
            width = _linear_width(scores, even_if_short=xscale == "asinh")
        known = scores if self.threshold is None else np.append(scores, self.threshold)
        self.edges_ = _edges(known, len(scores), bins, width)
        n_labels = max(len(labels), 1)
        parts = [scores[index == k] for k in range(n_labels)]
        self.counts_ = np.stack([np.histogram(part, self.edges_)[0] for part in parts])
        palette = _label_colors(labels, colors)
        self._draw_bars(ax, palette, bar_kwargs)
        if width is not None:
            ax.set_xscale("asinh", linear_width=width)
            ax.set_xticks(_asinh_ticks(self.edges_, width), minor=False)
            ax.xaxis.set_major_formatter("{x:g}")
        else:
            ax.xaxis.set_major_locator(MaxNLocator(6))
        if yscale == "auto":
            is_tall = self.counts_.sum(axis=0).max() > LOGARITHMIC_FROM
            yscale = "log" if is_tall else "linear"
        ax.set_yscale(yscale)
        if yscale == "log":
            ax.set_ylim(bottom=0.7)
            ax.yaxis.set_major_formatter("{x:g}")
            ax.set_ylim(top=4 * self.counts_.sum(axis=0).max())  # room for the legend
        else:
            ax.set_ylim(top=1.3 * self.counts_.sum(axis=0).max())
            whole_steps(ax.yaxis)
        self.ticks_ = []
        if len(scores) <= TICKS_UP_TO:
            self.ticks_ = [_draw_ticks(ax, part, colors.ink) for part in parts]
        handles = list(self.bars_) if len(labels) else []
        names = [
            OUTLIER_NAMES[label] if _are_predictions(labels) else str(label) for label in labels
        ]
        self.line_ = self.n_flagged_ = None
        if self.threshold is not None:
            self.n_flagged_ = int(np.sum(scores < self.threshold))
            self._draw_threshold(ax, colors, line_kwargs)
            handles.append(self.line_)
            share = self.n_flagged_ / len(scores)
            names.append(f"threshold {self.threshold:.3g}: {self.n_flagged_} below ({share:.1%})")
        tidy(ax, xlabel=f"{plain(self.score_name)} (high is normal)", ylabel="sequences")
        if handles:
            legend(ax, handles, names, colors)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, ax: Any = None, **plot_kwargs: Any
    ) -> Self:
        """Plot the scores of data, computed by a fitted detector.

        The histogram shows how well the scores of outliers are separated from the others.

        Parameters
        ----------
        estimator : outlier detector
            A fitted estimator with `score_samples`, as outlier detectors of scikit-learn have it.
            Its `offset_`, if available, is the threshold.
        X : list, ndarray or DataFrame
            Sequences, or other data that the detector accepts.
        y : array-like of shape (n_sequences,), default=None
            True labels: 1 for inliers and -1 for outliers, or other labels.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        DetectionDisplay
            The display, with its plot.

        See Also
        --------
        from_predictions : Plot given scores.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.ensemble import IsolationForest
        >>> from sklearn_seqae import DetectionDisplay
        >>> X = np.random.default_rng(0).normal(size=(50, 3))
        >>> display = DetectionDisplay.from_estimator(IsolationForest(random_state=0).fit(X), X)
        >>> round(display.threshold, 3)
        -0.5
        """
        if not hasattr(estimator, "score_samples"):
            raise TypeError(
                "Expected an estimator with score_samples, as LSTMAutoencoderDetector or "
                f"IsolationForest, got {type(estimator).__name__}: give its scores to "
                "from_predictions."
            )
        check_is_fitted(estimator)
        scores = estimator.score_samples(X)
        threshold = getattr(estimator, "offset_", None)
        if threshold is not None:
            threshold = float(np.asarray(threshold).reshape(()))
        return cls.from_predictions(scores, threshold=threshold, y=y, ax=ax, **plot_kwargs)

    @classmethod
    def from_predictions(
        cls,
        scores: Any,
        *,
        threshold: float | None = None,
        y: Any = None,
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot given scores.

        They may be those of any detector.

        Parameters
        ----------
        scores : array-like of shape (n_sequences,)
            Scores: the lower, the more abnormal.
        threshold : float, default=None
            Threshold, below which scores are those of outliers. If None, it is not shown.
        y : array-like of shape (n_sequences,), default=None
            True labels: 1 for inliers and -1 for outliers, or other labels.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        DetectionDisplay
            The display, with its plot.

        See Also
        --------
        from_estimator : Plot from a fitted detector.

        Examples
        --------
        >>> from sklearn_seqae import DetectionDisplay
        >>> scores = [-0.1, -0.2, -0.3, -2.0]
        >>> DetectionDisplay.from_predictions(scores, threshold=-1.0).n_flagged_
        1
        """
        return cls(scores=scores, threshold=threshold, y=y).plot(ax, **plot_kwargs)

    def _read(self) -> tuple[NDArray[Any], list[Any], NDArray[np.int64]]:
        """Return scores, distinct labels, and the index of the label of each score."""
        scores = np.asarray(self.scores, dtype=np.float64)
        if scores.ndim != 1 or not scores.size or not np.isfinite(scores).all():
            raise ValueError(
                "Expected scores to be finite numbers, one a sequence, got an array of shape "
                f"{scores.shape}: give what score_samples returned."
            )
        if self.threshold is not None and not np.isfinite(self.threshold):
            raise ValueError(
                f"Expected threshold to be a finite number or None, got {self.threshold!r}."
            )
        if self.y is None:
            return scores, [], np.zeros(len(scores), dtype=np.int64)
        check_consistent_length(scores, self.y)
        y = np.asarray(self.y)
        labels, index = np.unique(y.astype(str) if y.dtype.kind == "O" else y, return_inverse=True)
        if len(labels) > MOST_LABELS:
            raise ValueError(
                f"Expected y to have at most {MOST_LABELS} different labels, as 1 for inliers and "
                f"-1 for outliers, got {len(labels)}: join some of them."
            )
        return scores, labels.tolist(), index

    def _draw_bars(self, ax: Any, palette: list[str], bar_kwargs: Any) -> None:
        from matplotlib.patches import Rectangle

        self.bars_ = []
        bottoms = np.zeros(len(self.edges_) - 1)
        for counts, color in zip(self.counts_, palette, strict=True):
            defaults = {"align": "edge", "facecolor": color, "alpha": 0.85, "linewidth": 0}
            self.bars_.append(
                ax.bar(
                    self.edges_[:-1],
                    counts,
                    np.diff(self.edges_),
                    bottom=bottoms,
                    **style(defaults, bar_kwargs, Rectangle),
                )
            )
            bottoms = bottoms + counts

    def _draw_threshold(self, ax: Any, colors: Palette, line_kwargs: Any) -> None:
        from matplotlib.lines import Line2D

        defaults = {"color": colors.ink, "linestyle": "--", "linewidth": 1.5}
        self.line_ = ax.axvline(self.threshold, **style(defaults, line_kwargs, Line2D))
        left, right = ax.get_xlim()
        ax.axvspan(left, self.threshold, color=colors.ink, alpha=0.07, linewidth=0, zorder=0)
        ax.set_xlim(left, right)


def _check_scales(bins: Any, xscale: str, yscale: str) -> None:
    if bins != "auto" and (not isinstance(bins, int | np.integer) or bins < 1):
        raise ValueError(f"Expected bins to be a number of bars from 1 on or 'auto', got {bins!r}.")
    for name, given, known in (
        ("xscale", xscale, ("auto", "linear", "asinh")),
        ("yscale", yscale, ("auto", "linear", "log")),
    ):
        if given not in known:
            raise ValueError(f"Expected {name} to be one of {known}, got {given!r}: choose one.")


def _linear_width(scores: NDArray[Any], even_if_short: bool) -> float | None:
    """Return the width of the linear range of an asinh scale; None for a linear axis."""
    middle = float(np.median(np.abs(scores)))
    lower, upper = np.quantile(scores, [0.25, 0.75])
    has_tail = len(scores) >= 8 and np.ptp(scores) > LONG_TAIL * (upper - lower) > 0
    # The scale is finest at zero, and is thus useful for tails that start there only.
    has_tail &= np.ptp(scores) > LONG_TAIL * middle
    return middle or 1.0 if has_tail or even_if_short else None


def _edges(known: NDArray[Any], n: int, bins: Any, width: float | None) -> NDArray[Any]:
    n_bins = int(np.clip(2 * np.sqrt(n), 5, MOST_BINS)) if bins == "auto" else int(bins)
    low, high = float(known.min()), float(known.max())
    if low == high:  # a single value needs a bar of positive width
        low, high = low - 0.5 * max(abs(low), 1e-6), high + 0.5 * max(abs(high), 1e-6)
    if width is None:
        return np.linspace(low, high, n_bins + 1)
    edges = width * np.sinh(
        np.linspace(np.arcsinh(low / width), np.arcsinh(high / width), n_bins + 1)
    )
    edges[[0, -1]] = low, high  # rounding could exclude the extremes
    return edges


def _asinh_ticks(edges: NDArray[Any], width: float) -> NDArray[Any]:
    """Return zero and powers of ten beyond the linear range, in which ticks would overlap."""
    powers = 10.0 ** np.arange(np.ceil(np.log10(width)), np.ceil(np.log10(np.abs(edges).max())) + 1)
    ticks = np.concatenate([-powers[::-1], [0.0], powers])
    return ticks[(ticks >= 1.05 * edges[0]) & (ticks <= max(edges[-1], 0.0))]


def _are_predictions(labels: list[Any]) -> bool:
    """Return whether labels are 1 and -1, as detectors predict; booleans are not."""
    return bool(labels) and all(type(label) is int and label in OUTLIER_NAMES for label in labels)


def _label_colors(labels: list[Any], colors: Palette) -> list[str]:
    """Return the colour of each label; that of outliers is conspicuous."""
    if _are_predictions(labels):
        return [colors.other if label == -1 else colors.main for label in labels]
    n_colors = len(colors.series)
    return [colors.series[k % n_colors] for k in range(max(len(labels), 1))]


def _draw_ticks(ax: Any, scores: NDArray[Any], color: str) -> Any:
    place = ax.get_xaxis_transform()
    return ax.plot(
        scores, np.full(len(scores), 0.015), "|", color=color, markersize=9, transform=place
    )[0]
