"""Sequences beside their reconstructions, channel by channel."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.sequences import Sequences, cut

from .axes import axes_grid, plain, pyplot, style, tidy, whole_steps
from .inputs import Channels, choose, choose_channels, describe, own_estimator, read_both, read_for
from .palette import palette_of
from .panels import label_categories, panel_styles

# Numbers of sequences and channels that are plotted by default.
FIRST_SEQUENCES = 3
FIRST_CHANNELS = 4
# More panels take minutes to plot, and are too many to read.
MOST_PANELS = 100


class ReconstructionDisplay:
    """Visualization of sequences and their reconstructions, in a grid of channels by sequences.

    Reconstructions of missing values are marked. A dashed line shows the length decoded from the
    code. Categories are on the vertical axis of their channel. It is recommended to use
    `from_estimator` or `from_predictions` to create a `ReconstructionDisplay`. All parameters are
    stored as attributes.

    Parameters
    ----------
    sequences : list of ndarray of shape (n_steps, n_channels)
        Sequences; NaN for missing values. Categories are indices into `categories`.
    reconstructions : list of ndarray of shape (n_steps, n_channels)
        Reconstructions, whose lengths may differ from those of the sequences.
    decoded_lengths : array-like of shape (n_sequences,), default=None
        Lengths decoded from the codes. If None, they are not shown.
    titles : list of str, default=None
        Titles of the sequences. If None, they are numbered from 0.
    channel_names : list of str, default=None
        Names of the channels. If None, they are numbered from 0.
    categories : list of (ndarray or None), default=None
        Categories of each channel, None for a numerical one. If None, all are numerical.

    Attributes
    ----------
    lines_ : ndarray of shape (n_channels, n_sequences), dtype object
        Line2D of each sequence.
    reconstruction_lines_ : ndarray of shape (n_channels, n_sequences), dtype object
        Line2D of each reconstruction.
    missing_ : ndarray of shape (n_channels, n_sequences), dtype object
        Line2D of the markers at missing values; None if there are none.
    length_lines_ : ndarray of shape (n_channels, n_sequences), dtype object
        Line2D at the decoded length; None if it is not known.
    axes_ : ndarray of shape (n_channels, n_sequences), dtype object
        Axes of the panels.
    ax_ : matplotlib Axes
        The first of these Axes.
    figure_ : matplotlib Figure
        Figure of the plot.

    See Also
    --------
    ErrorDisplay : Visualization of reconstruction errors.

    Examples
    --------
    >>> from sklearn_seqae import ReconstructionDisplay
    >>> X, X_back = [[[0.1], [float("nan")], [0.3]]], [[[0.2], [0.2], [0.2], [0.2]]]
    >>> display = ReconstructionDisplay.from_predictions(X, X_back)
    >>> display.decoded_lengths
    array([4])
    >>> display.missing_[0, 0].get_xdata()
    array([1])
    """

    def __init__(
        self,
        *,
        sequences: list[NDArray[Any]],
        reconstructions: list[NDArray[Any]],
        decoded_lengths: Any = None,
        titles: list[str] | None = None,
        channel_names: list[str] | None = None,
        categories: list[NDArray[Any] | None] | None = None,
    ) -> None:
        self.sequences = sequences
        self.reconstructions = reconstructions
        self.decoded_lengths = decoded_lengths
        self.titles = titles
        self.channel_names = channel_names
        self.categories = categories

    def plot(
        self,
        ax: Any = None,
        *,
        line_kwargs: dict[str, Any] | None = None,
        reconstruction_kwargs: dict[str, Any] | None = None,
        missing_kwargs: dict[str, Any] | None = None,
        length_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Plot the panels.

        Colours depend on the background of the Axes, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on: a single one, which is divided if there are several panels, or one per
            panel. If None, a new figure is created.
        line_kwargs, reconstruction_kwargs : dict, default=None
            Keyword arguments of matplotlib's `plot` of sequences and reconstructions.
        missing_kwargs : dict, default=None
            Keyword arguments of matplotlib's `plot` of the markers at missing values.
        length_kwargs : dict, default=None
            Keyword arguments of matplotlib's `axvline` at the decoded length.

        Returns
        -------
        ReconstructionDisplay
            The object itself, with the artists as attributes.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> from sklearn_seqae import ReconstructionDisplay
        >>> display = ReconstructionDisplay.from_predictions([[1.0, 2.0, 3.0]], [[1.1, 2.2, 2.9]])
        >>> display.plot(reconstruction_kwargs={"linewidth": 3}).axes_.shape
        (1, 1)
        """
        n_sequences = len(self.sequences)
        n_channels = self.sequences[0].shape[1]
        if n_sequences * n_channels > MOST_PANELS:
            raise ValueError(
                f"Expected at most {MOST_PANELS} panels, got {n_sequences} sequences of "
                f"{n_channels} channels: choose fewer by sequences= and channels=."
            )
        size = (1.5 + 2.6 * n_sequences, 0.9 + 1.7 * n_channels + (n_channels == 1))
        who = "ReconstructionDisplay.plot"
        is_new = ax is None
        self.axes_: Any = axes_grid(ax, n_channels, n_sequences, who, figsize=size)
        self.ax_, self.figure_ = self.axes_[0, 0], self.axes_[0, 0].figure
        given = (line_kwargs, reconstruction_kwargs, missing_kwargs, length_kwargs)
        drawn = np.full((4, n_channels, n_sequences), None, dtype=object)
        for channel, i in np.ndindex(n_channels, n_sequences):
            drawn[:, channel, i] = self._draw_panel(self.axes_[channel, i], channel, i, given)
        self.lines_, self.reconstruction_lines_, self.missing_, self.length_lines_ = drawn
        self._label()
        self._add_legend(drawn, is_new)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sequences: Any = None,
        channels: Any = None,
        channel_names: list[str] | None = None,
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot sequences and their reconstructions by a fitted estimator.

        Reconstructions have the lengths of the sequences; the decoded lengths are marked.

        Parameters
        ----------
        estimator : LSTMAutoencoderTransformer
            A fitted estimator.
        X : list, ndarray or DataFrame
            Sequences, as in `fit`.
        sequences : int, array-like of int, mask or slice, default=None
            Sequences to plot. If None, the first three.
        channels : int, str, array-like of these, mask or slice, default=None
            Channels to plot. If None, the first four.
        channel_names : list of str, default=None
            Names of the channels of `X`. If None, those of `X` are used, such as names of columns.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, as in `plot`. If None, a new figure is created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        ReconstructionDisplay
            The display, with its plot.

        See Also
        --------
        from_predictions : Plot given reconstructions.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer, ReconstructionDisplay
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ReconstructionDisplay.from_estimator(ae, X, sequences=[0, 2]).axes_.shape
        (1, 2)
        """
        pyplot("ReconstructionDisplay.from_estimator")
        own = own_estimator(estimator)
        read, known = read_for(own, X)
        described = describe(read, known, channel_names)
        indices = _choose_sequences(sequences, len(read))
        chosen = read.take(indices)
        codes = own._fitted_model.encode(chosen)
        back = own._fitted_model.decode(codes, chosen.lengths)
        lengths = own._fitted_model.decode_lengths(codes)
        return cls._from(indices, chosen, back, lengths, described, channels).plot(
            ax, **plot_kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        X_reconstructed: Any,
        *,
        sequences: Any = None,
        channels: Any = None,
        channel_names: list[str] | None = None,
        categorical_features: Any = "from_dtype",
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot sequences and given reconstructions.

        The reconstructions may be those of any model.

        Parameters
        ----------
        X : list, ndarray or DataFrame
            Sequences.
        X_reconstructed : list, ndarray or DataFrame
            Reconstructions, as `reconstruct` or `inverse_transform` return them. Lengths other than
            those of `X` are marked as the decoded lengths.
        sequences : int, array-like of int, mask or slice, default=None
            Sequences to plot. If None, the first three.
        channels : int, str, array-like of these, mask or slice, default=None
            Channels to plot. If None, the first four.
        channel_names : list of str, default=None
            Names of the channels of `X`. If None, those of `X` are used, such as names of columns.
        categorical_features : "from_dtype", array-like of int, str or bool, or None, \
                default="from_dtype"
            The categorical channels, as in `LSTMAutoencoderTransformer`.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to plot on, as in `plot`. If None, a new figure is created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        ReconstructionDisplay
            The display, with its plot.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> from sklearn_seqae import ReconstructionDisplay
        >>> X, back = [[1.0, 2.0, 3.0]], [[1.1, 2.2, 2.9]]
        >>> ReconstructionDisplay.from_predictions(X, back).axes_.shape
        (1, 1)
        """
        true, back = read_both(X, X_reconstructed, categorical_features)
        described = describe(true, true.form.channel_names, channel_names)
        lengths = None if np.array_equal(true.lengths, back.lengths) else back.lengths
        indices = _choose_sequences(sequences, len(true))
        if lengths is not None:
            lengths = lengths[indices]
        both = true.take(indices), back.take(indices)
        return cls._from(indices, *both, lengths, described, channels).plot(ax, **plot_kwargs)

    @classmethod
    def _from(
        cls,
        indices: NDArray[np.int64],
        sequences: Sequences,
        reconstructions: Sequences,
        lengths: NDArray[np.int64] | None,
        described: Channels,
        channels: Any,
    ) -> Self:
        chosen = choose_channels(channels, described.names, FIRST_CHANNELS)
        return cls(
            sequences=cut(sequences.values[:, chosen], sequences.offsets),
            reconstructions=cut(reconstructions.values[:, chosen], reconstructions.offsets),
            decoded_lengths=lengths,
            titles=[f"sequence {i}" for i in indices],
            channel_names=[described.names[j] for j in chosen],
            categories=[described.categories[j] for j in chosen],
        )

    def _draw_panel(self, ax: Any, channel: int, i: int, given: tuple[Any, ...]) -> list[Any]:
        from matplotlib.lines import Line2D

        colors = palette_of(ax)
        values, back = self.sequences[i][:, channel], self.reconstructions[i][:, channel]
        styles = panel_styles(values, self._categories_of(channel), colors)
        styles = [style(s, g, Line2D) for s, g in zip(styles, given, strict=True)]
        (line,) = ax.plot(np.arange(len(values)), values, **styles[0])
        (back_line,) = ax.plot(np.arange(len(back)), back, **styles[1])
        missing = length = None
        gaps = np.flatnonzero(np.isnan(values[: len(back)]))
        if gaps.size:
            (missing,) = ax.plot(gaps, back[gaps], **styles[2])
        if self.decoded_lengths is not None:
            length = ax.axvline(self.decoded_lengths[i] - 0.5, **styles[3])
        return [line, back_line, missing, length]

    def _categories_of(self, channel: int) -> NDArray[Any] | None:
        return None if self.categories is None else self.categories[channel]

    def _label(self) -> None:
        n_channels, n_sequences = self.axes_.shape
        for channel, i in np.ndindex(n_channels, n_sequences):
            ax = self.axes_[channel, i]
            tidy(ax)
            whole_steps(ax.xaxis)
            categories = self._categories_of(channel)
            if i == 0:
                names = self.channel_names or [f"channel {j}" for j in range(n_channels)]
                ax.set_ylabel(plain(names[channel]))
                if categories is not None:
                    label_categories(ax, categories)
            if channel == n_channels - 1:
                ax.set_xlabel("step")
            if channel == 0:
                title = f"sequence {i}" if self.titles is None else self.titles[i]
                ax.set_title(f"{plain(title)}\n{self._lengths_of(i)}", size="medium")
            if not len(self.sequences[i]):
                ink = palette_of(ax).ink
                ax.text(0.5, 0.5, "no steps", color=ink, ha="center", transform=ax.transAxes)

    def _lengths_of(self, i: int) -> str:
        n_steps = len(self.sequences[i])
        text = f"{n_steps} step" + "s" * (n_steps != 1)
        if self.decoded_lengths is not None:
            text += f", decoded {self.decoded_lengths[i]}"
        return text

    def _add_legend(self, drawn: NDArray[np.object_], is_new: bool) -> None:
        names = ("sequence", "reconstruction", "of a missing value", "decoded length")
        shown: dict[str, Any] = {}
        for name, artists in zip(names, drawn, strict=True):
            found = [artist for artist in artists.flat if artist is not None]
            if found:
                shown[name] = found[0]
        ink = palette_of(self.ax_).ink
        kwargs = {"frameon": False, "labelcolor": ink, "fontsize": "small"}
        if is_new:
            n_columns = min(len(shown), 2 * self.axes_.shape[1])
            place = {"loc": "outside lower center", "ncols": n_columns}
            self.figure_.legend(list(shown.values()), list(shown), **place, **kwargs)
        else:
            self.axes_[0, -1].legend(list(shown.values()), list(shown), **kwargs)


def _choose_sequences(chosen: Any, n: int) -> NDArray[np.int64]:
    return choose(slice(FIRST_SEQUENCES) if chosen is None else chosen, n, "sequences")
