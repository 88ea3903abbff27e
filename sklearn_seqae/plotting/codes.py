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

# From this number of points on they become an image in vector files, which would else be huge.
RASTERIZED_FROM = 1000
# Without these the legend is short enough to look for a free place inside the map.
CLASSES_INSIDE = 4


class CodeMapDisplay:
    """Codes as points of a plane, coloured by labels or by numbers.

    Some points may have a picture of their sequence above them, and some a text beside them. Make
    one by `from_estimator` or `from_predictions`; all parameters are stored as attributes.

    Parameters
    ----------
    points : ndarray of shape (n_sequences, 2)
        Where the codes are in the plane.
    y : array-like of shape (n_sequences,), default=None
        Colours: labels, each with its own, or numbers on a scale. Integers of at most 20 different
        values are labels. None and NaN are unknown, and grey.
    sequences : list of ndarray of shape (n_steps, n_channels), default=None
        For the pictures.
    axis_names : list of str, default=None
        What the two axes are.
    y_name : str, default=None
        What `y` is, for the colour bar or the legend.

    Attributes
    ----------
    scatters_ : list of matplotlib PathCollection
        The points: one collection a label, in sorted order, and one of those that are unknown; or
        one alone.
    classes_ : ndarray or None
        The labels; None where there are none.
    colorbar_ : matplotlib Colorbar or None
        The scale of the colours; None where there is none.
    legend_ : matplotlib Legend or None
        The names of the labels; None where there are none.
    thumbnails_ : list of matplotlib Axes
        The pictures.
    thumbnail_indices_ : list of int
        Which sequences they show.
    texts_ : list of matplotlib Annotation
        The texts.
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure of it.

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
        """Draw the map.

        Colours are those for the ground that it is drawn on, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        thumbnails : int, default=0
            Number of sequences to draw above their points, of up to three channels each. They are
            chosen far from each other; there are fewer where they would overlap.
        annotate : dict of int to str, or array-like of str, default=None
            Texts beside points, by the indices of these; or one for each point.
        scatter_kwargs : dict, default=None
            For matplotlib's `scatter`.
        thumbnail_kwargs : dict, default=None
            For matplotlib's `plot` of the small sequences.
        text_kwargs : dict, default=None
            For matplotlib's `annotate`.

        Returns
        -------
        CodeMapDisplay
            This object, with the artists.

        See Also
        --------
        from_estimator : Compute what is drawn, and draw it.

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
        """Draw a map of the codes that a fitted estimator gives to sequences.

        Codes near each other are of sequences that are alike, as far as two axes can show that.

        Parameters
        ----------
        estimator : LSTMAutoencoderTransformer or Pipeline
            One that is fitted and whose `transform` gives vectors.
        X : list, ndarray or DataFrame
            Sequences, as in `fit`.
        y : array-like of shape (n_sequences,), default=None
            Colours, as in the class.
        color_by : {"error", "length"}, default=None
            Colours in place of `y`: the error of the reconstruction, which is minus
            `score_samples`, or the number of steps.
        embedding : scikit-learn estimator, default=None
            Its `fit_transform` puts the codes into the plane; it is cloned. None: PCA, or the
            codes themselves where these have two components.
        thumbnails : int, default=0
            Number of sequences to draw above their points, as in `plot`.
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        **plot_kwargs : dict
            As in `plot`.

        Returns
        -------
        CodeMapDisplay
            The display, drawn.

        See Also
        --------
        from_predictions : Draw codes that are there already.

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
            read = as_sequences(X, lambda found, names: found)
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
        """Draw a map of codes.

        Any vectors will do, one a row.

        Parameters
        ----------
        codes : array-like of shape (n_sequences, n_components)
            Vectors, as `transform` gives them.
        y : array-like of shape (n_sequences,), default=None
            Colours, as in the class.
        sequences : list, ndarray or DataFrame, default=None
            The sequences of the codes, for `thumbnails`.
        embedding : scikit-learn estimator, default=None
            As in `from_estimator`.
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        **plot_kwargs : dict
            As in `plot`.

        Returns
        -------
        CodeMapDisplay
            The display, drawn.

        See Also
        --------
        from_estimator : Encode, and draw.

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
            sequences = drawn_channels(as_sequences(sequences, lambda found, names: found))
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
