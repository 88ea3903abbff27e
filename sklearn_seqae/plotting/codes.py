"""A map of codes in the plane."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length, column_or_1d

from sklearn_seqae.containers.registry import as_sequences

from . import thumbnails as pictures
from .annotations import annotate_point, texts_of
from .axes import color_norm, colorbar, legend, one_axes, plain, pyplot, style, tidy
from .inputs import MOST_CLASSES, classes, drawn_channels
from .palette import MARKERS, Palette, palette_of
from .projection import embed

# Number of points from which they are rasterized in vector files, which would otherwise be huge.
RASTERIZED_FROM = 1000
# Maximum number of classes for which the legend is placed inside the map.
CLASSES_INSIDE = 4


class CodeMapDisplay:
    """Visualization of codes as points of a plane, coloured by labels or numbers.

    Points may have a thumbnail of their sequence, and annotations. It is recommended to use
    `from_estimator` or `from_predictions` to create a `CodeMapDisplay`. All parameters are stored
    as attributes.

    Parameters
    ----------
    points : ndarray of shape (n_sequences, 2)
        Coordinates of the codes in the plane.
    y : array-like of shape (n_sequences,), default=None
        Labels, which have a colour each, or numbers on a colour scale. Integers with at most 20
        different values are labels. None and NaN are unknown, and grey.
    sequences : list of ndarray of shape (n_steps, n_channels), default=None
        Sequences of the thumbnails.
    axis_names : list of str, default=None
        Labels of the two axes.
    y_name : str, default=None
        Name of `y`, for the colour bar or the legend.

    Attributes
    ----------
    scatters_ : list of matplotlib PathCollection
        The points: one collection per label, in sorted order, and one of unknown labels; or a
        single collection.
    classes_ : ndarray or None
        The labels; None if there are none.
    colorbar_ : matplotlib Colorbar or None
        The colour bar; None if there is none.
    legend_ : matplotlib Legend or None
        The legend of the labels; None if there are none.
    thumbnails_ : list of matplotlib Axes
        The thumbnails.
    thumbnail_indices_ : list of int
        Indices of the sequences of the thumbnails.
    texts_ : list of matplotlib Annotation
        The annotations.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.

    See Also
    --------
    ReconstructionDisplay : Sequences beside their reconstructions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae import CodeMapDisplay
    >>> codes = np.random.default_rng(0).normal(size=(30, 8))
    >>> y = np.repeat(["falls", "rises"], 15)
    >>> display = CodeMapDisplay.from_predictions(codes, y=y, annotate={0: "the first"})
    >>> [len(scatter.get_offsets()) for scatter in display.scatters_]
    [15, 15]
    """

    def __init__(
        self,
        *,
        points: NDArray[Any],
        y: Any = None,
        sequences: list[NDArray[Any]] | None = None,
        axis_names: list[str] | None = None,
        y_name: str | None = None,
    ) -> None:
        self.points = points
        self.y = y
        self.sequences = sequences
        self.axis_names = axis_names
        self.y_name = y_name

    def plot(
        self,
        ax: Any = None,
        *,
        thumbnails: int = 0,
        annotate: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        thumbnail_kwargs: dict[str, Any] | None = None,
        text_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Plot the map.

        Colours depend on the background of the Axes, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        thumbnails : int, default=0
            Maximum number of thumbnails, of up to three channels each, above the points. Sequences
            are chosen far from each other, and fewer if thumbnails would overlap.
        annotate : dict of int to str, or array-like of str, default=None
            Texts beside points, by the indices of these, or one per point.
        scatter_kwargs : dict, default=None
            Keyword arguments of matplotlib's `scatter`.
        thumbnail_kwargs : dict, default=None
            Keyword arguments of matplotlib's `plot` of the thumbnails.
        text_kwargs : dict, default=None
            Keyword arguments of matplotlib's `annotate`.

        Returns
        -------
        CodeMapDisplay
            The object itself, with the artists as attributes.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import CodeMapDisplay
        >>> display = CodeMapDisplay(points=np.random.default_rng(0).normal(size=(30, 2)))
        >>> display.plot(annotate={3: "the fourth"}).texts_[0].get_text()
        'the fourth'
        """
        texts = texts_of(annotate, len(self.points))
        self._check_thumbnails(thumbnails)
        if self.y is not None:
            check_consistent_length(self.points, self.y)
        ax = one_axes(ax, "CodeMapDisplay.plot", figsize=(7.2, 5.2))
        colors = palette_of(ax)
        tidy(ax)
        if self.axis_names is not None:
            ax.set(xlabel=plain(self.axis_names[0]), ylabel=plain(self.axis_names[1]))
        self.colorbar_: Any = None
        self.legend_: Any = None
        self.classes_: NDArray[Any] | None = None
        kwargs = self._scatter_style(colors, scatter_kwargs)
        if self.y is None:
            self.scatters_ = [_scatter(ax, self.points, {"color": colors.main} | kwargs)]
        else:
            self._draw_colored(ax, colors, kwargs)
        self.thumbnail_indices_: list[int] = []
        self.thumbnails_: list[Any] = []
        if thumbnails and self.sequences is not None:
            drawn = pictures.draw(
                ax, self.points, self.sequences, thumbnails, **thumbnail_kwargs or {}
            )
            self.thumbnail_indices_, self.thumbnails_ = drawn
        elif texts:
            ax.margins(0.12)
        self.texts_ = [
            annotate_point(ax, self.points, i, text, colors, text_kwargs)
            for i, text in texts.items()
        ]
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        color_by: str | None = None,
        embedding: Any = None,
        thumbnails: int = 0,
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot a map of the codes of sequences, computed by a fitted estimator.

        Similar sequences have similar codes, as far as two axes can represent distances.

        Parameters
        ----------
        estimator : LSTMAutoencoderTransformer or Pipeline
            A fitted estimator whose `transform` returns vectors.
        X : list, ndarray or DataFrame
            Sequences, as in `fit`.
        y : array-like of shape (n_sequences,), default=None
            Labels or numbers, as in the class.
        color_by : {"error", "length"}, default=None
            Numbers instead of `y`: the reconstruction error, which is minus `score_samples`, or the
            number of steps.
        embedding : scikit-learn estimator, default=None
            Estimator whose `fit_transform` maps codes to the plane; it is cloned. If None, PCA is
            used, or the codes themselves if they have two components.
        thumbnails : int, default=0
            Maximum number of thumbnails, as in `plot`.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        CodeMapDisplay
            The display, with its plot.

        See Also
        --------
        from_predictions : Plot given codes.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer, CodeMapDisplay
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> CodeMapDisplay.from_estimator(ae, X, color_by="length").points.shape
        (3, 2)
        """
        pyplot("CodeMapDisplay.from_estimator")
        if color_by not in (None, "error", "length"):
            raise ValueError(
                f"Expected color_by to be 'error', 'length' or None, got {color_by!r}: choose one "
                "of these, or give numbers of your own as y."
            )
        if y is not None and color_by is not None:
            raise ValueError(
                f"Expected either y or color_by, got both (color_by={color_by!r}): leave one out."
            )
        if not hasattr(estimator, "transform"):
            raise TypeError(
                "Expected an estimator with transform, as LSTMAutoencoderTransformer, got "
                f"{type(estimator).__name__}: give its codes to from_predictions."
            )
        if color_by == "error" and not hasattr(estimator, "score_samples"):
            raise TypeError(
                f"Expected an estimator with score_samples for color_by='error', got "
                f"{type(estimator).__name__}: give the errors as y."
            )
        codes = np.asarray(estimator.transform(X))
        sequences = y_name = None
        if thumbnails or color_by == "length":
            read = as_sequences(X, "from_dtype")
            sequences = drawn_channels(read)
        if color_by == "error":
            y, y_name = -estimator.score_samples(X), "mean squared error, scaled units"
        elif color_by == "length":
            y, y_name = read.lengths.astype(np.float64), "steps"
        points, names = embed(codes, embedding, y)
        return cls(
            points=points,
            y=y,
            sequences=sequences if thumbnails else None,
            axis_names=names,
            y_name=y_name,
        ).plot(ax, thumbnails=thumbnails, **plot_kwargs)

    @classmethod
    def from_predictions(
        cls,
        codes: Any,
        *,
        y: Any = None,
        sequences: Any = None,
        embedding: Any = None,
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot a map of given codes.

        Codes may be any vectors, one per row.

        Parameters
        ----------
        codes : array-like of shape (n_sequences, n_components)
            Vectors, such as results of `transform`.
        y : array-like of shape (n_sequences,), default=None
            Labels or numbers, as in the class.
        sequences : list, ndarray or DataFrame, default=None
            Sequences of the codes, for `thumbnails`.
        embedding : scikit-learn estimator, default=None
            As in `from_estimator`.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        CodeMapDisplay
            The display, with its plot.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import CodeMapDisplay
        >>> codes = np.random.default_rng(0).normal(size=(30, 8))
        >>> CodeMapDisplay.from_predictions(codes).points.shape
        (30, 2)
        """
        points, names = embed(codes, embedding, y)
        if sequences is not None:
            sequences = drawn_channels(as_sequences(sequences, "from_dtype"))
        display = cls(points=points, y=y, sequences=sequences, axis_names=names)
        return display.plot(ax, **plot_kwargs)

    def _draw_colored(self, ax: Any, colors: Palette, kwargs: dict[str, Any]) -> None:
        y = column_or_1d(np.asarray(self.y))
        labels, index = classes(y)
        unknown = index < 0
        grey = {"color": colors.ink, "alpha": 0.25, "zorder": 1.5}
        self.scatters_ = []
        if labels is not None and len(labels) <= MOST_CLASSES:
            self.classes_ = labels
            for k in range(len(labels)):
                n_colors = len(colors.series)
                look: dict[str, Any] = {"color": colors.series[k % n_colors]}
                look["marker"] = MARKERS[k // n_colors % len(MARKERS)]
                self.scatters_.append(_scatter(ax, self.points[index == k], look | kwargs))
        elif not unknown.all():
            numbers = y[~unknown].astype(np.float64) if labels is None else index[~unknown]
            look = {"c": numbers, "cmap": colors.sequential, "norm": color_norm(numbers)}
            self.scatters_.append(_scatter(ax, self.points[~unknown], look | kwargs))
            self._add_colorbar(ax, labels, colors)
        if unknown.any():
            self.scatters_.append(_scatter(ax, self.points[unknown], kwargs | grey))
        if self.classes_ is not None and self.scatters_:
            names = [str(label) for label in self.classes_] + ["unknown"] * bool(unknown.any())
            self._add_legend(ax, names, colors)

    def _add_colorbar(self, ax: Any, labels: NDArray[Any] | None, colors: Palette) -> None:
        scatter = self.scatters_[-1]
        self.colorbar_ = colorbar(scatter, ax, self.y_name or "", colors)
        if labels is not None:
            ticks = np.unique(np.linspace(0, len(labels) - 1, 12).astype(int))
            self.colorbar_.set_ticks(ticks, labels=[plain(labels[k]) for k in ticks])

    def _add_legend(self, ax: Any, names: list[str], colors: Palette) -> None:
        kwargs: dict[str, Any] = {"title": self.y_name}
        if len(names) > CLASSES_INSIDE or len(self.points) > 300:
            columns = 1 + (len(names) > 12)
            kwargs |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "ncols": columns}
        self.legend_ = legend(ax, self.scatters_, names, colors, **kwargs)

    def _scatter_style(self, colors: Palette, given: dict[str, Any] | None) -> dict[str, Any]:
        from matplotlib.collections import PathCollection

        n = len(self.points)
        defaults: dict[str, Any] = {
            "s": float(np.clip(9000 / max(n, 1), 8, 90)),
            "alpha": 0.9 if n <= 300 else 0.6,
            "linewidth": 0.6 if n <= 300 else 0.0,
            "edgecolor": [colors.ground],
            "rasterized": n >= RASTERIZED_FROM,
        }
        return style(defaults, given, PathCollection)

    def _check_thumbnails(self, thumbnails: Any) -> None:
        if not isinstance(thumbnails, int | np.integer) or thumbnails < 0:
            raise ValueError(
                f"Expected thumbnails to be a number of pictures, 0 or more, got {thumbnails!r}."
            )
        if not thumbnails:
            return
        if self.sequences is None:
            raise ValueError(
                f"Expected sequences to draw {thumbnails} thumbnails of, got none: give sequences=."
            )
        check_consistent_length(self.points, self.sequences)


def _scatter(ax: Any, points: NDArray[Any], kwargs: dict[str, Any]) -> Any:
    return ax.scatter(points[:, 0], points[:, 1], **kwargs)
