"""matplotlib for all displays: its import, Axes, legends, colour bars, and text taken literally."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.printing import printable

from .palette import Palette

# Ratio of the highest to the lowest value above which a colour scale is logarithmic, and maximum
# ratio that it shows.
LOGARITHMIC_FROM = 50.0
MOST_RATIO = 1000.0


def pyplot(who: str) -> Any:
    """Return ``matplotlib.pyplot``, which is imported only when it is needed."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{who} draws with matplotlib, which is not installed: "
            'pip install "sklearn-seqae[plot]".'
        ) from error
    return plt


def one_axes(ax: Any, who: str, **figure_kwargs: Any) -> Any:
    """Return the Axes to plot on: the given one, or that of a new figure."""
    return axes_grid(ax, 1, 1, who, **figure_kwargs)[0, 0]


def axes_grid(ax: Any, n_rows: int, n_columns: int, who: str, **figure_kwargs: Any) -> Any:
    """Return an array of Axes (n_rows, n_columns) that share steps, and values within a row.

    Parameters
    ----------
    ax : Axes, array-like of Axes or None
        None creates a new figure. A single Axes is divided if several are needed. An array must
        have as many Axes as needed.
    n_rows, n_columns : int
    who : str
        Name of the caller, for errors.
    **figure_kwargs : dict
        Keyword arguments of the new figure.
    """
    plt = pyplot(who)
    if ax is None:
        figure_kwargs = {"layout": "constrained"} | figure_kwargs
        shared = {"sharex": True, "sharey": "row", "squeeze": False}
        return plt.subplots(n_rows, n_columns, **shared, **figure_kwargs)[1]
    given = np.asarray(ax, dtype=object)
    for one in given.flat:
        if not hasattr(one, "get_subplotspec"):
            raise TypeError(
                f"Expected ax to be matplotlib Axes, an array of them or None, got "
                f"{type(one).__name__}: give what plt.subplots() returned as its second."
            )
    if given.size == n_rows * n_columns:
        return given.reshape(n_rows, n_columns)
    if given.ndim:
        raise ValueError(
            f"Expected ax to be {n_rows * n_columns} Axes, for {n_rows} rows of {n_columns} "
            f"panels, got {given.size}: give that many, or one alone, whose place is divided."
        )
    return _divide(ax, n_rows, n_columns)


def _divide(ax: Any, n_rows: int, n_columns: int) -> Any:
    figure, place = ax.figure, ax.get_subplotspec()
    ax.set_axis_off()
    # One grid for all, so that a layout engine treats them together.
    grid = None if place is None else place.subgridspec(n_rows, n_columns)
    axes: Any = np.empty((n_rows, n_columns), dtype=object)
    for i, j in np.ndindex(n_rows, n_columns):
        shared = {
            "sharex": axes[0, 0] if i + j else None,
            "sharey": axes[i, 0] if j else None,
            "facecolor": ax.get_facecolor(),
        }
        if grid is not None:
            axes[i, j] = figure.add_subplot(grid[i, j], **shared)
        else:  # an Axes that is not part of a grid
            width, height = 1 / n_columns, 1 / n_rows
            bounds = (j * width, 1 - (i + 1) * height, 0.85 * width, 0.8 * height)
            axes[i, j] = ax.inset_axes(bounds, **shared)
        axes[i, j].tick_params(labelleft=j == 0, labelbottom=i == n_rows - 1)
    figure.sca(ax)  # restores the current Axes
    return axes


def style(defaults: dict[str, Any], given: dict[str, Any] | None, artist: Any) -> dict[str, Any]:
    """Return the properties of an artist; `given` override `defaults`, by any alias."""
    from matplotlib.cbook import normalize_kwargs

    return normalize_kwargs(defaults, artist) | normalize_kwargs(given or {}, artist)


def plain(text: Any) -> str:
    r"""Return text that matplotlib shows literally, without formulas between ``$``.

    Control characters, which SVG files cannot contain, are shown as escapes.

    Examples
    --------
    >>> plain("$x$")
    '\\$x\\$'
    """
    return printable(text).replace("$", r"\$")


def tidy(ax: Any, **labels: Any) -> None:
    """Hide the upper and right spines, and set labels."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set(**labels)


def whole_steps(axis: Any) -> None:
    """Set ticks at integers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def readable_logarithms(axis: Any) -> None:
    """Set ticks of a logarithmic axis at round numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def spans(values: NDArray[Any], ratio: float) -> bool:
    """Return whether values are positive, and the highest exceeds `ratio` times the lowest."""
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() > 0 and known.max() > ratio * known.min())


def legend(ax: Any, handles: list[Any], labels: list[str], palette: Palette, **kwargs: Any) -> Any:
    """Add a legend of exactly these labels."""
    defaults: dict[str, Any] = {"labelcolor": palette.ink, "fontsize": "small"}
    # Transparent, as the legend may cover data.
    defaults |= {"facecolor": palette.ground, "edgecolor": "none", "framealpha": 0.75}
    # matplotlib ignores labels that begin with an underscore.
    shown = [("\N{ZERO WIDTH SPACE}" if t.startswith("_") else "") + plain(t) for t in labels]
    drawn = ax.legend(handles, shown, **defaults | kwargs)
    for handle in drawn.legend_handles:
        if hasattr(handle, "set_sizes"):  # points of a crowd are too small and faint to see
            handle.set(alpha=1.0, sizes=[30.0])
    return drawn


def colorbar(mappable: Any, ax: Any, label: str, palette: Palette) -> Any:
    """Add a colour bar beside an Axes, with arrows if values are beyond its ends."""
    from matplotlib.cm import ScalarMappable

    values = np.ma.compressed(np.ma.masked_invalid(mappable.get_array()))
    below, above = (values < mappable.norm.vmin).any(), (values > mappable.norm.vmax).any()
    extend = ("both" if above else "min") if below else ("max" if above else "neither")
    if mappable.get_alpha() is not None:  # points are transparent, their colour bar is not
        mappable = ScalarMappable(mappable.norm, mappable.cmap)
    bar = ax.figure.colorbar(mappable, ax=ax, extend=extend)
    bar.set_label(plain(label), color=palette.ink)
    bar.ax.tick_params(colors=palette.ink, which="both")
    bar.outline.set_visible(False)
    return bar


def color_norm(values: NDArray[Any], zero_is_low: bool = False) -> Any:
    """Return the normalization of a colour scale, logarithmic if positive values span decades.

    With `zero_is_low` it is logarithmic even if there are zeros, which have the lowest colour.
    """
    from matplotlib.colors import LogNorm, Normalize

    known = values[np.isfinite(values)]
    if not known.size:
        return Normalize(0, 1)
    low, high = np.quantile(known, [0.01, 0.99]) if known.size > 200 else (known.min(), known.max())
    is_signed = low < 0 or (known.min() <= 0 and not zero_is_low)
    if is_signed or high <= LOGARITHMIC_FROM * low:
        return Normalize(low, high)
    return LogNorm(max(low, high / MOST_RATIO), high, clip=True)
