"""Styles of a panel that shows a sequence and its reconstruction."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import plain
from .palette import Palette

# Maximum number of steps with markers.
MARKED_STEPS = 40


def panel_styles(
    values: NDArray[Any], categories: NDArray[Any] | None, colors: Palette
) -> list[dict[str, Any]]:
    """Return styles of sequence, reconstruction, missing values and decoded length."""
    known = ~np.isnan(values)
    # A line of a single value would be invisible.
    beside = np.convolve(known, [1, 0, 1], mode="same")[: len(values)] if len(values) else known
    alone = np.flatnonzero(known & (beside == 0)).tolist()
    line: dict[str, Any] = {"color": colors.ink, "alpha": 0.35, "linewidth": 4}
    line |= {"solid_capstyle": "round", "marker": "o", "markersize": 4, "markeredgewidth": 0}
    line["markevery"] = alone
    back: dict[str, Any] = {"color": colors.main, "linewidth": 1.5, "markersize": 3.5}
    back["marker"] = "o" if len(values) <= MARKED_STEPS else None
    missing = {"linestyle": "none", "marker": "o", "markersize": 7, "color": colors.other}
    missing |= {"markerfacecolor": "none", "markeredgewidth": 1.5}
    length = {"color": colors.main, "linestyle": "--", "linewidth": 1, "alpha": 0.8}
    if categories is not None:
        line |= {"linestyle": "none", "marker": "s", "markersize": 9, "markevery": None}
        back |= {"linestyle": "none", "marker": "o", "markersize": 4}
        missing["markersize"] = 9
    return [line, back, missing, length]


def label_categories(ax: Any, categories: NDArray[Any], most: int = 12) -> None:
    """Label the axis with categories, or with a selection of them if there are many."""
    ticks = np.unique(np.linspace(0, len(categories) - 1, min(most, len(categories))).astype(int))
    ax.set_yticks(ticks, [plain(categories[k]) for k in ticks])
    ax.set_ylim(-0.6, len(categories) - 0.4)
