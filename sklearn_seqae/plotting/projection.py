"""Projection of codes to the plane, by PCA or by the user's estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.utils import get_tags


def embed(codes: Any, embedding: Any = None, y: Any = None) -> tuple[NDArray[Any], list[str]]:
    """Return coordinates of codes in the plane, and the names of the two axes.

    Parameters
    ----------
    codes : array-like of shape (n_sequences, n_components)
        Codes, without NaN.
    embedding : scikit-learn estimator with fit_transform, default=None
        It is cloned. If None, PCA is used, or the codes themselves if they have at most two
        components.
    y : array-like of shape (n_sequences,), default=None
        Labels for an embedding that requires them.

    Returns
    -------
    points : ndarray of shape (n_sequences, 2)
    names : list of str
    """
    codes = _check(codes)
    if embedding is not None:
        name = type(embedding).__name__
        return _apply(embedding, codes, y), [f"{name}, axis {i + 1}" for i in range(2)]
    if codes.shape[1] <= 2:
        points = np.pad(codes, [(0, 0), (0, 2 - codes.shape[1])])
        return points, [f"code, component {i}" for i in range(codes.shape[1])] + [""]
    n_axes = min(2, len(codes))
    if not np.ptp(codes, axis=0).any():  # all codes are equal
        return np.zeros((len(codes), 2)), ["PC 1", "PC 2"]
    pca = PCA(n_axes, random_state=0)
    points = np.pad(pca.fit_transform(codes), [(0, 0), (0, 2 - n_axes)])
    shares = np.pad(pca.explained_variance_ratio_, (0, 2 - n_axes))
    return points, [f"PC {i + 1} ({share:.0%} of variance)" for i, share in enumerate(shares)]


def _check(codes: Any) -> NDArray[Any]:
    array = np.asarray(codes)
    is_number = array.dtype.kind in "fiub"
    if array.ndim != 2 or 0 in array.shape or not is_number or not np.isfinite(array).all():
        raise ValueError(
            "Expected codes to be a 2-D array of finite numbers, (n_sequences, n_components), got "
            f"{array.dtype} of shape {array.shape}: give what transform returned."
        )
    return array.astype(np.float64)


def _apply(embedding: Any, codes: NDArray[Any], y: Any) -> NDArray[Any]:
    name = type(embedding).__name__
    if isinstance(embedding, type) or not hasattr(embedding, "fit_transform"):
        raise TypeError(
            "Expected embedding to be a scikit-learn estimator with fit_transform, got "
            f"{embedding!r}: give an instance such as TSNE() or None for PCA."
        )
    needs_y = get_tags(embedding).target_tags.required
    if needs_y and y is None:
        raise ValueError(f"{name} learns from labels as well: give y, or another embedding.")
    try:
        points = clone(embedding).fit_transform(codes, *([y] if needs_y else []))
    except ValueError as error:
        raise ValueError(
            f"{name} cannot embed {len(codes)} codes of {codes.shape[1]} components ({error}): "
            "give it other parameters or more sequences, or None for PCA."
        ) from error
    points = np.asarray(points, dtype=np.float64)
    if points.shape != (len(codes), 2) or not np.isfinite(points).all():
        raise ValueError(
            f"Expected embedding to give {len(codes)} finite points of 2 coordinates, but {name} "
            f"gave an array of shape {points.shape}: set its n_components=2."
        )
    return points
