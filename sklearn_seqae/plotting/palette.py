"""Colours that colour-blind readers can distinguish, on light and on dark backgrounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# M. Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/. Those that
# are near the ground come last, or not at all.
ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
ON_DARK = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Palette:
    """Colours for one Axes.

    Attributes
    ----------
    ink : color
        Colour of text and axes.
    ground : color
        Colour of the background.
    series : tuple of str
        Colours of series that have to be distinguished.
    sequential : Colormap
        Sequential colormap, whose low end differs from the background too.
    """

    ink: Any
    ground: Any
    series: tuple[str, ...]
    sequential: Any

    @property
    def main(self) -> str:
        """Colour of the main series of a display."""
        return self.series[0]

    @property
    def other(self) -> str:
        """Colour of the series that it is compared with."""
        return self.series[1]


def palette_of(ax: Any) -> Palette:
    """Return the colours for the background of an Axes.

    They depend on the Axes rather than on the present style, which may have changed.
    """
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, to_rgb

    ground = ax.get_facecolor()
    if ground[3] == 0:
        ground = ax.figure.get_facecolor()
    red, green, blue = to_rgb(ground)
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    whole = colormaps["viridis_r" if is_light else "viridis"]
    return Palette(
        ink=ax.xaxis.label.get_color(),
        ground=ground,
        series=ON_LIGHT if is_light else ON_DARK,
        sequential=ListedColormap(whole(np.linspace(0.15, 1.0, 256)), name=whole.name),
    )
