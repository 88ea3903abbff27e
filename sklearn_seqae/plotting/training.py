"""Losses and metrics of a fit by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .axes import legend, one_axes, plain, readable_logarithms, spans, style, tidy, whole_steps
from .palette import palette_of

# Ratio of the highest to the lowest loss above which the axis is logarithmic.
LOGARITHMIC_FROM = 5.0
# Maximum number of epochs with markers, without which a single epoch would be invisible.
MARKED_EPOCHS = 15


class TrainingDisplay:
    """Visualization of losses or metrics per epoch, of training and of held-out sequences.

    It is recommended to use `from_estimator` or `from_history` to create a `TrainingDisplay`. All
    parameters are stored as attributes.

    Parameters
    ----------
    history : dict of str to list of float
        Values per epoch of "loss" and, if available, "val_loss", "length_loss" and metrics.
    best_epoch : int, default=None
        Index of the epoch to mark, whose weights are used. If None, no epoch is marked.

    Attributes
    ----------
    line_ : matplotlib Line2D
        Curve of the training sequences.
    val_line_ : matplotlib Line2D or None
        Curve of the held-out sequences; None if there were none.
    best_ : matplotlib Line2D or None
        Marker of the best epoch, on the curve that was monitored.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.

    See Also
    --------
    ReconstructionDisplay : Sequences beside their reconstructions.

    Examples
    --------
    >>> from sklearn_seqae import TrainingDisplay
    >>> history = {"loss": [0.9, 0.5, 0.4], "val_loss": [1.0, 0.6, 0.7]}
    >>> display = TrainingDisplay.from_history(history, best_epoch=1)
    >>> display.val_line_.get_ydata()
    array([1. , 0.6, 0.7])
    """

    def __init__(
        self, *, history: Mapping[str, Sequence[float]], best_epoch: int | None = None
    ) -> None:
        self.history = history
        self.best_epoch = best_epoch

    def plot(
        self,
        ax: Any = None,
        *,
        metric: str = "loss",
        yscale: str = "auto",
        line_kwargs: dict[str, Any] | None = None,
        val_line_kwargs: dict[str, Any] | None = None,
        best_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Plot the curves.

        Colours depend on the background of the Axes, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        metric : str, default="loss"
            Name of the curve in `history`. The curve of held-out sequences, with the prefix
            `val_`, is added if available.
        yscale : str, default="auto"
            Scale of matplotlib. "auto" is logarithmic if the highest loss is more than five times
            the lowest one.
        line_kwargs, val_line_kwargs : dict, default=None
            Keyword arguments of matplotlib's `plot` of the two curves.
        best_kwargs : dict, default=None
            Keyword arguments of matplotlib's `plot` of the marker of the best epoch.

        Returns
        -------
        TrainingDisplay
            The object itself, with the artists as attributes.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> from sklearn_seqae import TrainingDisplay
        >>> display = TrainingDisplay(history={"loss": [1.0, 0.5, 0.4]})
        >>> display.plot().ax_.get_ylabel()
        'loss'
        """
        losses, held_out = self._curves(metric)
        ax = one_axes(ax, "TrainingDisplay.plot")
        from matplotlib.lines import Line2D

        colors = palette_of(ax)
        marker = "o" if len(losses) <= MARKED_EPOCHS else None
        defaults: dict[str, Any] = {"marker": marker, "markersize": 4, "color": colors.main}
        self.line_ = _draw(ax, losses, style(defaults, line_kwargs, Line2D))
        handles, labels = [self.line_], ["training"]
        self.val_line_ = None
        if len(held_out):
            defaults |= {"color": colors.other, "linestyle": "--"}
            self.val_line_ = _draw(ax, held_out, style(defaults, val_line_kwargs, Line2D))
            handles.append(self.val_line_)
            labels.append("held out")
        self.best_ = None
        watched = losses
        if self.best_epoch is not None and 0 <= self.best_epoch < len(losses):
            color = colors.main
            if np.isfinite(held_out[self.best_epoch : self.best_epoch + 1]).any():
                watched, color = held_out, colors.other
            ax.axvline(self.best_epoch + 1, color=color, linewidth=1, alpha=0.4, zorder=0.5)
            defaults = {"marker": "o", "markersize": 9, "color": color, "linestyle": "none"}
            defaults |= {"markerfacecolor": colors.ground, "markeredgewidth": 2}
            best_style = style(defaults, best_kwargs, Line2D)
            (self.best_,) = ax.plot([self.best_epoch + 1], [watched[self.best_epoch]], **best_style)
            handles.append(self.best_)
            labels.append(f"best epoch, {self.best_epoch + 1}")
        if yscale == "auto":
            curves = np.concatenate([losses, held_out])
            yscale = (
                "log" if metric.endswith("loss") and spans(curves, LOGARITHMIC_FROM) else "linear"
            )
        ax.set_yscale(yscale)
        if yscale == "log":
            readable_logarithms(ax.yaxis)
        tidy(ax, xlabel="epoch", ylabel=plain(metric.replace("_", " ")))
        whole_steps(ax.xaxis)
        if len(losses) == 1:  # otherwise the axis has a single integer tick
            ax.set_xlim(0, 2)
        legend(ax, handles, labels, colors)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **plot_kwargs: Any) -> Self:
        """Plot the losses or metrics of a fitted estimator.

        The epoch whose weights are used is marked.

        Parameters
        ----------
        estimator : LSTMAutoencoderTransformer
            A fitted estimator.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        TrainingDisplay
            The display, with its plot.

        See Also
        --------
        from_history : Plot from a history.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer, TrainingDisplay
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> TrainingDisplay.from_estimator(ae).best_epoch == ae.best_epoch_
        True
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "history_"):
            raise TypeError(
                "Expected an estimator with a history_, as LSTMAutoencoderTransformer is, got "
                f"{type(estimator).__name__}: give that estimator itself; of a pipeline its step, "
                "of a search its best_estimator_."
            )
        best_epoch = getattr(estimator, "best_epoch_", None)
        return cls.from_history(estimator.history_, best_epoch=best_epoch, ax=ax, **plot_kwargs)

    @classmethod
    def from_history(
        cls,
        history: Mapping[str, Sequence[float]],
        *,
        best_epoch: int | None = None,
        ax: Any = None,
        **plot_kwargs: Any,
    ) -> Self:
        """Plot the losses or metrics of a history, such as `history_` or that of Keras.

        The history may be that of any model, or read from a file.

        Parameters
        ----------
        history : dict of str to list of float
            Values per epoch.
        best_epoch : int, default=None
            Index of the epoch to mark.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and Axes are created.
        **plot_kwargs : dict
            Additional keyword arguments of `plot`.

        Returns
        -------
        TrainingDisplay
            The display, with its plot.

        See Also
        --------
        from_estimator : Plot from a fitted estimator.

        Examples
        --------
        >>> from sklearn_seqae import TrainingDisplay
        >>> display = TrainingDisplay.from_history({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]})
        >>> display.ax_.get_xlabel()
        'epoch'
        """
        return cls(history=history, best_epoch=best_epoch).plot(ax, **plot_kwargs)

    def _curves(self, metric: str) -> tuple[NDArray[Any], NDArray[Any]]:
        if not len(self.history.get(metric, ())):
            known = [name for name in self.history if not name.startswith("val_")]
            raise ValueError(
                f"Expected metric to be one of {known}, which the history has, got {metric!r}: "
                "choose one of these, or fit with metrics= of your own."
            )
        losses = np.asarray(self.history[metric], dtype=float)
        return losses, np.asarray(self.history.get(f"val_{metric}", ()), dtype=float)


def _draw(ax: Any, values: NDArray[Any], kwargs: dict[str, Any]) -> Any:
    return ax.plot(np.arange(1, len(values) + 1), values, **kwargs)[0]
