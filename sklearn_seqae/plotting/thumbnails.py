"""Small pictures of sequences on a map, without overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .palette import palette_of

# Width and height, as fractions of those of the map.
SIZE = np.array([0.13, 0.09])
# Distance between a point and the lower edge of its thumbnail, as a fraction of the map's height.
RISE = 0.015
# More channels are not legible at this size.
MOST_CHANNELS = 3


def spread_out(points: NDArray[Any], n: int, size: NDArray[Any]) -> list[int]:
    """Return up to `n` points that are far from each other, whose boxes of `size` do not overlap.

    The first is the point nearest to the centre; each further one is the farthest from the previous
    ones, of those whose box does not overlap, as in a deterministic k-means++.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
    n : int
    size : ndarray of shape (2,)
    """
    scaled = points / size
    is_free = np.ones(len(scaled), dtype=bool)
    distance = -np.abs(scaled - np.median(scaled, axis=0)).max(axis=1)
    chosen: list[int] = []
    while len(chosen) < n and is_free.any():
        candidate = int(np.argmax(np.where(is_free, distance, -np.inf)))
        apart = np.abs(scaled - scaled[candidate]).max(axis=1)
        distance = apart if not chosen else np.minimum(distance, apart)
        is_free &= apart >= 1.0
        is_free[candidate] = False
        chosen.append(candidate)
    return chosen


def make_room(ax: Any, points: NDArray[Any]) -> None:
    """Set the limits of a map so that the thumbnails of all points fit inside."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    extent = np.where(high > low, high - low, 1.0)
    # Thumbnails take the fraction SIZE of the map, which reduces the space for points.
    margin = extent * SIZE / 2 / (1 - SIZE) + 0.05 * extent
    top = extent * (SIZE[1] + RISE) / (1 - SIZE[1] - RISE)
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - 0.1 * extent[1], high[1] + top[1] + 0.05 * extent[1])


def draw(
    ax: Any, points: NDArray[Any], sequences: list[NDArray[Any]], n: int, **line_kwargs: Any
) -> tuple[list[int], list[Any]]:
    """Plot thumbnails of up to `n` sequences above their points; return indices and Axes."""
    make_room(ax, points)
    extent = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    size = SIZE * extent
    # Slightly larger than the thumbnails, so that they do not touch.
    chosen = spread_out(points, n, 1.05 * size)
    shown = [sequences[i][:, :MOST_CHANNELS] for i in chosen]
    low, high = _range(np.concatenate(shown))
    longest = max(max(map(len, shown), default=1), 2)
    colors = palette_of(ax)
    pictures = []
    for i, values in zip(chosen, shown, strict=True):
        corner = points[i] + [-size[0] / 2, RISE * extent[1]]
        picture = ax.inset_axes([*corner, *size], transform=ax.transData, zorder=4)
        picture.set(xticks=[], yticks=[], xlim=(-1, longest), ylim=(-0.15, 1.15))
        picture.patch.set(facecolor=colors.ground, alpha=0.85)
        picture.spines[:].set(color=colors.ink, alpha=0.3, linewidth=0.8)
        for column, color in zip(((values - low) / (high - low)).T, colors.series, strict=False):
            marker = "." if len(values) < 3 else None
            defaults = {"color": color, "linewidth": 1.0, "marker": marker}
            picture.plot(column, **defaults | line_kwargs)
        pictures.append(picture)
    return chosen, pictures


def _range(steps: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the lowest and the highest value of each channel; 0 and 1 without any."""
    known = np.isfinite(steps)
    low = np.where(known, steps, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, steps, -np.inf).max(axis=0, initial=-np.inf)
    low, high = np.where(known.any(axis=0), [low, high], [[0.0], [1.0]])
    return low, np.where(high > low, high, low + 1.0)
