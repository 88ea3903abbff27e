"""Reconstruction errors by step, channel and length."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import cut

from .axes import (
    color_norm,
    colorbar,
    legend,
    one_axes,
    plain,
    pyplot,
    readable_logarithms,
    spans,
    style,
    tidy,
    whole_steps,
)
from .inputs import choose, describe, own_estimator, read_both, read_for
from .palette import palette_of

KINDS = ("heatmap", "sequences", "length")
# Maximum number of rows and columns of a heat map; more sequences or steps are averaged.
MOST_CELLS = 600
# Maximum number of bins of lengths, and minimum number of sequences for a curve of medians.
MOST_BINS = 20
CURVE_FROM = 10


class ErrorDisplay:
    """Visualization of reconstruction errors: a heat map, or errors by length.

    It is recommended to use `from_estimator` or `from_predictions` to create an `ErrorDisplay`. All
    parameters are stored as attributes.

    Parameters
    ----------
    errors : list of ndarray of shape (n_steps, n_channels)
        Squared error of each value; NaN for missing values.
    channel_names : list of str, default=None
        Names of the channels. If None, they are numbered from 0.
    units : str, default=""
        Units of the errors.

    Attributes
    ----------
    image_ : matplotlib AxesImage or None
        Heat map; None for ``kind="length"``.
    colorbar_ : matplotlib Colorbar or None
        Colour bar of the heat map.
    scatter_ : matplotlib PathCollection or None
        One point per sequence, for ``kind="length"``.
    line_ : matplotlib Line2D or None
        Median by length, for ``kind="length"``; None with too few sequences.
    band_ : matplotlib PolyCollection or None
        Area between the quartiles by length.
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
    >>> from sklearn_seqae import ErrorDisplay
    >>> X, X_back = [np.zeros((2, 2)), np.zeros((3, 2))], [np.ones((2, 2)), np.ones((3, 2))]
    >>> display = ErrorDisplay.from_predictions(X, X_back)
    >>> display.image_.get_array().shape  # channels, steps
    (2, 3)
    """

    def __init__(
        self,
        *,
        errors: list[NDArray[Any]],
        channel_names: list[str] | None = None,
        units: str = "",
    ) -> None:
        self.errors = errors
        self.channel_names = channel_names
        self.units = units

    def plot(
        self,
        ax: Any = None,
        *,
        kind: str = "heatmap",
        sequence: int | None = None,
        image_kwargs: dict[str, Any] | None = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Plot the errors.

        Colours depend on the background of the Axes, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        kind : {"heatmap", "sequences", "length"}, default="heatmap"
            Kind of the plot.

            - "heatmap": channels by steps; the mean over all sequences, or a single sequence.
            - "sequences": sequences by steps, the shortest sequence first; the mean over channels.
              Neighbouring sequences or steps are averaged if there are many.
            - "length": one point per sequence, and the median and quartiles by length of ten or
              more sequences.
        sequence : int, default=None
            Index of the sequence to plot, for ``kind="heatmap"``. If None, the mean over all.
        image_kwargs : dict, default=None
            Keyword arguments of matplotlib's `imshow` of the heat map.
        scatter_kwargs : dict, default=None
            Keyword arguments of matplotlib's `scatter`, for ``kind="length"``.
        line_kwargs : dict, default=None
            Keyword arguments of matplotlib's `plot` of the median, for ``kind="length"``.

        Returns
        -------
        ErrorDisplay
            The object itself, with the artists as attributes.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> from sklearn_seqae import ErrorDisplay
        >>> display = ErrorDisplay.from_predictions([[1.0, 2.0, 3.0]], [[1.5, 2.0, 3.0]])
        >>> display.plot(kind="sequences").ax_.get_xlabel()
        'step'
        """
        if kind not in KINDS:
            raise ValueError(f"Expected kind to be one of {KINDS}, got {kind!r}: choose one.")
        if sequence is not None and kind != "heatmap":
            raise ValueError(
                f"Expected sequence only with kind='heatmap', got {sequence!r} with kind={kind!r}: "
                "leave it out."
            )
        self.image_: Any = None
        self.colorbar_: Any = None
        self.scatter_: Any = None
        self.line_: Any = None
        self.band_: Any = None
        if kind == "length":
            ax = one_axes(ax, "ErrorDisplay.plot")
            self._draw_by_length(ax, scatter_kwargs, line_kwargs)
        elif kind == "sequences":
            ax = one_axes(ax, "ErrorDisplay.plot")
            self._draw_sequences(ax, image_kwargs)
        else:
            one = (
                None if sequence is None else int(choose(sequence, len(self.errors), "sequence")[0])
            )
            n_channels = self.errors[0].shape[1]
            size = (6.4, float(np.clip(1.6 + 0.35 * n_channels, 2.8, 9.0)))
            ax = one_axes(ax, "ErrorDisplay.plot", figsize=size)
            self._draw_channels(ax, one, image_kwargs)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        channel_names: list[str] | None = None,
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot the reconstruction errors of a fitted estimator, in scaled units.

        They show which channels and steps, and which lengths, are reconstructed poorly.

        Parameters
        ----------
        estimator : LSTMAutoencoderTransformer
            A fitted estimator.
        X : list, ndarray or DataFrame
            Sequences, as in `fit`.
        channel_names : list of str, default=None
            Names of the channels of `X`. If None, those of `X` are used, such as names of columns.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        ErrorDisplay
            The display, with its plot.

        See Also
        --------
        from_predictions : Plot errors of given reconstructions.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer, ErrorDisplay
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> len(ErrorDisplay.from_estimator(ae, X).errors)
        3
        """
        pyplot("ErrorDisplay.from_estimator")
        own: Any = own_estimator(estimator)
        read, known = read_for(own, X)
        names = describe(read, known, channel_names).names
        errors = own._errors(read, "value")
        display = cls(errors=errors, channel_names=names, units="scaled units")
        return display.plot(ax, **plot_kwargs)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        X_reconstructed: Any,
        *,
        channel_names: list[str] | None = None,
        categorical_features: Any = "from_dtype",
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot the errors of given reconstructions, in the units of the sequences.

        The reconstructions may be those of any model.

        Parameters
        ----------
        X : list, ndarray or DataFrame
            Sequences.
        X_reconstructed : list, ndarray or DataFrame
            Reconstructions of the same lengths, as `reconstruct` returns them.
        channel_names : list of str, default=None
            Names of the channels of `X`. If None, those of `X` are used, such as names of columns.
        categorical_features : "from_dtype", array-like of int, str or bool, or None, \
                default="from_dtype"
            The categorical channels, as in `LSTMAutoencoderTransformer`. The error of a category
            is 0.0 if it is correct, otherwise 1.0.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        ErrorDisplay
            The display, with its plot.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> from sklearn_seqae import ErrorDisplay
        >>> display = ErrorDisplay.from_predictions([[1.0, 2.0, 3.0]], [[1.5, 2.0, 3.0]])
        >>> display.errors[0].ravel()
        array([0.25, 0.  , 0.  ])
        """
        true, back = read_both(X, X_reconstructed, categorical_features)
        if not np.array_equal(true.lengths, back.lengths):
            at = int(np.argmax(true.lengths != back.lengths))
            raise ValueError(
                "Expected reconstructions of the same lengths as the sequences, but sequence "
                f"{at} has {true.lengths[at]} steps and its reconstruction {back.lengths[at]}: "
                "give the result of reconstruct, or of inverse_transform with lengths=."
            )
        squared = (true.values.astype(np.float64) - back.values) ** 2
        for j, categories in enumerate(true.categories):
            if categories is not None:
                known = np.isfinite(squared[:, j])
                squared[known, j] = squared[known, j] > 0
        names = describe(true, true.form.channel_names, channel_names).names
        return cls(errors=cut(squared, true.offsets), channel_names=names).plot(ax, **plot_kwargs)

    def _draw_channels(self, ax: Any, sequence: int | None, image_kwargs: Any) -> None:
        errors = self.errors if sequence is None else [self.errors[sequence]]
        steps = [np.arange(len(e)) for e in errors]
        values = np.concatenate(errors)
        grid = _means(np.concatenate(steps), values, max(map(len, errors)))
        self._draw_image(ax, grid.T, (grid.shape[1], max(map(len, errors))), image_kwargs)
        names = self.channel_names or [f"channel {j}" for j in range(grid.shape[1])]
        ticks = np.unique(np.linspace(0, len(names) - 1, min(len(names), 24)).astype(int))
        ax.set_yticks(ticks, [plain(names[j]) for j in ticks])
        if sequence is not None:
            ax.set_title(f"sequence {sequence}", size="medium")

    def _draw_sequences(self, ax: Any, image_kwargs: Any) -> None:
        lengths = np.array([len(e) for e in self.errors])
        order = np.argsort(lengths, kind="stable")
        n_rows = min(len(order), MOST_CELLS)
        rows = np.empty(len(order), dtype=np.int64)
        rows[order] = np.arange(len(order)) * n_rows // len(order)
        n_steps = int(lengths.max())
        n_columns = min(n_steps, MOST_CELLS)
        steps = np.concatenate([np.arange(n) for n in lengths])
        cells = np.repeat(rows, lengths) * n_columns + steps * n_columns // max(n_steps, 1)
        values = np.concatenate(self.errors).reshape(-1, 1)
        cells = np.repeat(cells, self.errors[0].shape[1])
        grid = _means(cells, values, n_rows * n_columns).reshape(n_rows, n_columns)
        self._draw_image(ax, grid, (len(order), n_steps), image_kwargs)
        whole_steps(ax.yaxis)
        ax.set_ylabel("sequences, shortest first")

    def _draw_image(
        self, ax: Any, grid: NDArray[Any], shape: tuple[int, int], image_kwargs: Any
    ) -> None:
        from matplotlib.image import AxesImage

        colors = palette_of(ax)
        if not grid.size:  # all sequences are empty
            grid = np.full((grid.shape[0], 1), np.nan)
        defaults = {
            "aspect": "auto",
            "interpolation": "nearest",
            "cmap": colors.sequential,
            "extent": (-0.5, max(shape[1], 1) - 0.5, shape[0] - 0.5, -0.5),
        }
        kwargs = style(defaults, image_kwargs, AxesImage)
        if "vmin" not in kwargs and "vmax" not in kwargs:
            kwargs.setdefault("norm", color_norm(grid, zero_is_low=True))
        self.image_ = ax.imshow(grid, **kwargs)
        self.colorbar_ = colorbar(self.image_, ax, self._error_name(), colors)
        tidy(ax, xlabel="step")
        ax.spines[:].set_visible(False)
        whole_steps(ax.xaxis)

    def _draw_by_length(self, ax: Any, scatter_kwargs: Any, line_kwargs: Any) -> None:
        from matplotlib.collections import PathCollection
        from matplotlib.lines import Line2D

        colors = palette_of(ax)
        lengths = np.array([len(e) for e in self.errors])
        sequences = np.repeat(np.arange(len(lengths)), [e.size for e in self.errors])
        flat = np.concatenate([e.ravel() for e in self.errors])
        errors = _means(sequences, flat[:, None], len(lengths))[:, 0]
        n = len(lengths)
        size = float(np.clip(9000 / n, 8, 60))
        defaults = {"s": size, "color": colors.main, "linewidths": 0, "rasterized": n >= 1000}
        defaults["alpha"] = 0.9 if n <= 100 else 0.35
        self.scatter_ = ax.scatter(
            lengths, errors, **style(defaults, scatter_kwargs, PathCollection)
        )
        known = np.isfinite(errors)
        tidy(ax, xlabel="steps of the sequence", ylabel=self._error_name())
        whole_steps(ax.xaxis)
        if spans(errors, 10.0):
            ax.set_yscale("log")
            readable_logarithms(ax.yaxis)
        if known.sum() < CURVE_FROM:
            return
        centres, quartiles = _quartiles(lengths[known], errors[known])
        defaults = {"color": colors.other, "linewidth": 2, "marker": "o", "markersize": 4}
        (self.line_,) = ax.plot(centres, quartiles[1], **style(defaults, line_kwargs, Line2D))
        self.band_ = ax.fill_between(
            centres, quartiles[0], quartiles[2], color=self.line_.get_color(), alpha=0.25, lw=0
        )
        handles = [self.scatter_, self.line_, self.band_]
        legend(ax, handles, ["a sequence", "median by length", "quartiles"], colors)

    def _error_name(self) -> str:
        return "squared error" + (f"\n({self.units})" if self.units else "")


def _means(cells: NDArray[Any], values: NDArray[Any], n_cells: int) -> NDArray[Any]:
    """Return the mean of the finite values in each cell, (n_cells, n_columns); NaN without any."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    sums, counts = (
        np.stack([np.bincount(cells, column, n_cells) for column in part.T], axis=1)
        for part in (filled, known)
    )
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _quartiles(lengths: NDArray[Any], errors: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return centres of bins of lengths, and the quartiles of errors per bin (3, n_bins)."""
    values = np.unique(lengths)
    n_bins = min(MOST_BINS, len(values), max(1, len(lengths) // 5))
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, n_bins + 1)[1:-1]))
    bins = np.searchsorted(edges, lengths, side="right")
    parts = [bins == b for b in np.unique(bins)]
    centres = np.array([np.median(lengths[part]) for part in parts])
    return centres, np.stack([np.quantile(errors[p], [0.25, 0.5, 0.75]) for p in parts], axis=1)
