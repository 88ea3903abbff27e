"""Losses and metrics of a fit by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .axes import legend, one_axes, plain, readable_logarithms, spans, style, tidy, whole_steps
from .palette import palette_of

# From this ratio of the highest loss to the lowest one on, the axis is logarithmic.
LOGARITHMIC_FROM = 5.0
# Up to so many epochs each has a marker: one alone would otherwise not be seen.
MARKED_EPOCHS = 15


class TrainingDisplay:
    """Losses or metrics of a fit by epoch, of training and of held-out sequences.

    Make one by `from_estimator` or `from_history`. All parameters are stored as attributes.

    Parameters
    ----------
    history : dict of str to list of float
        Per epoch "loss" and, if there are any, "val_loss", "length_loss" and metrics.
    best_epoch : int, default=None
        Index of the epoch whose weights were kept, which is marked. None: none is.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve of the training sequences.
    val_line_ : matplotlib Line2D or None
        The curve of the held-out ones; None where none were held out.
    best_ : matplotlib Line2D or None
        The mark of the best epoch, on the curve that was watched.
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure of it.

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
        """Draw the curves.

        Colours are those for the ground that it is drawn on, light or dark.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        metric : str, default="loss"
            Which curve of `history`; that of the held-out sequences, `val_` and this name, goes
            with it.
        yscale : str, default="auto"
            As matplotlib's. "auto": logarithmic for losses of which the highest is more than five
            times the lowest.
        line_kwargs, val_line_kwargs : dict, default=None
            For matplotlib's `plot` of the two curves.
        best_kwargs : dict, default=None
            For matplotlib's `plot` of the mark of the best epoch.

        Returns
        -------
        TrainingDisplay
            This object, with the artists.

        See Also
        --------
        from_estimator : Compute what is drawn, and draw it.

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
        if len(losses) == 1:  # else there is no whole number but one on the axis
            ax.set_xlim(0, 2)
        legend(ax, handles, labels, colors)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **plot_kwargs: Any) -> Self:
        """Draw the curves of a fitted estimator.

        It shows losses and metrics by epoch, and the epoch whose weights were kept.

        Parameters
        ----------
        estimator : LSTMAutoencoderTransformer
            One that is fitted.
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        **plot_kwargs : dict
            As in `plot`.

        Returns
        -------
        TrainingDisplay
            The display, drawn.

        See Also
        --------
        from_history : Curves of a history alone.

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
        """Draw the curves of a history, as `history_` or Keras have it.

        For training that was done elsewhere, or that was read from a file.

        Parameters
        ----------
        history : dict of str to list of float
            One number an epoch.
        best_epoch : int, default=None
            Index of the epoch whose weights were kept.
        ax : matplotlib Axes, default=None
            What to draw on. None: a new figure.
        **plot_kwargs : dict
            As in `plot`.

        Returns
        -------
        TrainingDisplay
            The display, drawn.

        See Also
        --------
        from_estimator : Curves of a fitted estimator.

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
