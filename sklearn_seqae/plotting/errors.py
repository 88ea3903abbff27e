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
# A picture has no more cells than a screen shows; more sequences or steps share one.
MOST_CELLS = 600
# Bins of lengths, and the fewest sequences that a curve of medians is drawn for.
MOST_BINS = 20
CURVE_FROM = 10


class ErrorDisplay:
    """Errors of a reconstruction: a heat map by step and channel or sequence, or by length.

    Make one by `from_estimator` or `from_predictions`; all parameters are stored as attributes.

    Parameters
    ----------
    errors : list of ndarray of shape (n_steps, n_channels)
        The squared error of each value; NaN where one is missing.
    channel_names : list of str, default=None
        One a channel. None: numbers from 0 on.
    units : str, default=""
        What the error is measured in.

    Attributes
    ----------
    image_ : matplotlib AxesImage or None
        The heat map; None for ``kind="length"``.
    colorbar_ : matplotlib Colorbar or None
        The scale of its colours.
    scatter_ : matplotlib PathCollection or None
        A point a sequence, for ``kind="length"``.
    line_ : matplotlib Line2D or None
        The median by length; None where there are too few sequences, or not ``kind="length"``.
    band_ : matplotlib PolyCollection or None
        Between the quartiles by length.
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
        """Draw the errors.

        Colours are those for the ground that it is drawn on, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        kind : {"heatmap", "sequences", "length"}, default="heatmap"
            What to draw.

            - "heatmap": a row a channel, a column a step; the mean over all sequences, or one.
            - "sequences": a row a sequence, shortest first, and a column a step; the mean over
              channels. Of many sequences or steps, neighbours share a cell.
            - "length": a point a sequence, and from ten sequences on their median and quartiles by
              length.
        sequence : int, default=None
            Draw this sequence alone, for ``kind="heatmap"``. None: the mean over all.
        image_kwargs : dict, default=None
            For matplotlib's `imshow` of a heat map.
        scatter_kwargs : dict, default=None
            For matplotlib's `scatter`, for ``kind="length"``.
        line_kwargs : dict, default=None
            For matplotlib's `plot` of the median, for ``kind="length"``.

        Returns
        -------
        ErrorDisplay
            This object, with the artists.

        See Also
        --------
        from_estimator : Compute what is drawn, and draw it.

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
        """Draw the errors of what a fitted estimator gives back of sequences, in scaled units.

        Which channels and steps are written badly, and whether long sequences are.

        Parameters
        ----------
        estimator : LSTMAutoencoderTransformer
            One that is fitted.
        X : list, ndarray or DataFrame
            Sequences, as in `fit`.
        channel_names : list of str, default=None
            A name for each channel of `X`. None: those that `X` has, such as names
            of columns.
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        **plot_kwargs : dict
            As in `plot`.

        Returns
        -------
        ErrorDisplay
            The display, drawn.

        See Also
        --------
        from_predictions : Errors of given reconstructions.

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
        errors = own.reconstruction_error(read, per="value")
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
        """Draw the errors of given reconstructions, in the units of the sequences.

        No estimator is needed: the reconstructions may be of any other model.

        Parameters
        ----------
        X : list, ndarray or DataFrame
            Sequences.
        X_reconstructed : list, ndarray or DataFrame
            Reconstructions of the same lengths, as `reconstruct` returns them.
        channel_names : list of str, default=None
            A name for each channel of `X`. None: those that `X` has, such as names
            of columns.
        categorical_features : "from_dtype", array-like of int, str or bool, or None, \
                default="from_dtype"
            The channels that hold symbols, as in `LSTMAutoencoderTransformer`. The error of a
            symbol is 0.0 where it is right, else 1.0.
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        **plot_kwargs : dict
            As in `plot`.

        Returns
        -------
        ErrorDisplay
            The display, drawn.

        See Also
        --------
        from_estimator : Errors of a fitted estimator.

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
    """Return the mean of the known values in each cell, (n_cells, n_columns); NaN of none."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    sums, counts = (
        np.stack([np.bincount(cells, column, n_cells) for column in part.T], axis=1)
        for part in (filled, known)
    )
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _quartiles(lengths: NDArray[Any], errors: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return centres of bins of lengths, and the quartiles of errors in each (3, n_bins)."""
    values = np.unique(lengths)
    n_bins = min(MOST_BINS, len(values), max(1, len(lengths) // 5))
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, n_bins + 1)[1:-1]))
    bins = np.searchsorted(edges, lengths, side="right")
    parts = [bins == b for b in np.unique(bins)]
    centres = np.array([np.median(lengths[part]) for part in parts])
    return centres, np.stack([np.quantile(errors[p], [0.25, 0.5, 0.75]) for p in parts], axis=1)
