"""Labels beside the points of a map."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length

from .axes import plain, style
from .palette import Palette


def annotate_point(
    ax: Any, points: NDArray[Any], i: int, text: str, colors: Palette, given: Any
) -> Any:
    """Annotate a point with a text."""
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Text

    # Towards the centre of the map, and below the point, as thumbnails are above.
    across = points[:, 0]
    is_right = across[i] > (across.min() + across.max()) / 2
    defaults = {
        "xytext": (-6 if is_right else 6, -6),
        "textcoords": "offset points",
        "horizontalalignment": "right" if is_right else "left",
        "verticalalignment": "top",
        "color": colors.ink,
        "fontsize": "small",
        "path_effects": [withStroke(linewidth=3, foreground=colors.ground)],
        "zorder": 5,
    }
    return ax.annotate(plain(text), points[i], **style(defaults, given, Text))


def texts_of(annotate: Any, n: int) -> dict[int, str]:
    """Return the texts of `n` points by their indices."""
    if annotate is None:
        return {}
    if not isinstance(annotate, dict):
        check_consistent_length(range(n), annotate)
        return dict(enumerate(map(str, annotate)))
    for i in annotate:
        if not isinstance(i, int | np.integer) or not -n <= i < n:
            raise ValueError(
                f"Expected annotate to have indices from 0 to {n - 1}, got {i!r}: give the "
                "positions of points in the data."
            )
    return {int(i): str(text) for i, text in annotate.items()}
