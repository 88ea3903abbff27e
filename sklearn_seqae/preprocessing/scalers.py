"""scikit-learn's scalers over the steps of sequences: which are allowed, and checks of results."""

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from sklearn_seqae.containers.sequences import Sequences

# Operators of ONNX with their second operand, one after the other, in float64.
Arithmetic = list[tuple[str, NDArray[np.float64]]]
_IN_NUMPY = {
    "Sub": np.subtract,
    "Div": np.divide,
    "Mul": np.multiply,
    "Add": np.add,
    "Max": np.maximum,
    "Min": np.minimum,
}
_SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}


def make_scaler(scaler: Any) -> Any:
    """Return a fresh scaler for a name or a scaler; None for "per_sequence" and None.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or cannot undo what it does.
    """
    if scaler is None or (isinstance(scaler, str) and scaler == "per_sequence"):
        return None
    if isinstance(scaler, str):
        if scaler not in _SCALERS:
            raise ValueError(
                f"Expected scaler to be one of {[*_SCALERS, 'per_sequence']}, None or a "
                f"scikit-learn scaler, got {scaler!r}."
            )
        return _SCALERS[scaler]()
    methods = ["fit", "transform", "inverse_transform"]
    missing = [name for name in methods if not hasattr(scaler, name)]
    if missing or isinstance(scaler, type):
        given = "the class itself" if isinstance(scaler, type) else f"no {missing}"
        raise TypeError(
            f"Expected scaler to be an instance with {methods}, got {scaler!r} ({given}); "
            'use a scaler that can be undone, such as "standard" or StandardScaler().'
        )
    return clone(scaler)


def fit_scaler(scaler: Any, values: NDArray[np.float64]) -> Any:
    """Fit a scaler to steps (total_steps, n_channels), of which there is one at least.

    Raises
    ------
    ValueError
        If it changes the number of channels.
    """
    scaler = scaler.fit(values, None)  # a FrozenEstimator asks for y
    scaled = scaler.transform(values[:1])
    if issparse(scaled) or np.shape(scaled) != values[:1].shape:
        given = "a sparse matrix" if issparse(scaled) else f"{np.shape(scaled)[-1]}"
        raise ValueError(
            f"Expected a scaler that keeps the {values.shape[1]} channel(s), but {scaler!r} makes "
            f"{given} of them; use one that scales channel by channel, and categorical_features "
            "for channels of categories."
        )
    return scaler


def apply_scaler(scaler: Any, method: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return values as a fitted scaler makes them, float64; without one as they are."""
    if scaler is None or not len(values):
        return values
    operations = arithmetic(scaler) if method == "transform" else None
    with np.errstate(all="ignore"):  # `check_finite` finds what is lost
        if operations is not None:  # the same numbers without the checks, which take longer
            result = values.astype(np.float64)
            for kind, operand in operations:
                _IN_NUMPY[kind](result, operand, out=result)
            return result
        made = getattr(scaler, method)(values.astype(np.float64))
    scaled: NDArray[np.float64] = np.asarray(made, dtype=np.float64)
    missing = np.isnan(values)
    if missing.any():  # missing stays missing, even if the scaler imputes
        scaled = np.where(missing, np.nan, scaled)  # anew, as a scaler may hand back what it holds
    return scaled


def arithmetic(scaler: Any) -> Arithmetic | None:
    """Return what a fitted scaler of scikit-learn computes, if it only adds, multiplies and clips.

    Of known types only, no subclasses, as these may compute something else.
    """
    if type(scaler) is Pipeline:
        steps = [step for _, step in scaler.steps if step not in (None, "passthrough")]
        parts = [arithmetic(step) for step in steps]
        known = [part for part in parts if part is not None]
        return [*chain(*known)] if len(known) == len(parts) else None
    if type(scaler) is FrozenEstimator:
        return arithmetic(scaler.estimator)
    operations: list[tuple[str, Any]]
    if type(scaler) is StandardScaler:
        operations = [
            ("Sub", scaler.mean_ if scaler.with_mean else None),
            ("Div", scaler.scale_ if scaler.with_std else None),
        ]
    elif type(scaler) is MinMaxScaler:
        low, high = scaler.feature_range if scaler.clip else (None, None)
        operations = [("Mul", scaler.scale_), ("Add", scaler.min_), ("Max", low), ("Min", high)]
    elif type(scaler) is RobustScaler:
        operations = [
            ("Sub", scaler.center_ if scaler.with_centering else None),
            ("Div", scaler.scale_ if scaler.with_scaling else None),
        ]
    elif type(scaler) is MaxAbsScaler:
        clips = getattr(scaler, "clip", False)  # which older releases lack
        low, high = (-1.0, 1.0) if clips else (None, None)
        operations = [("Div", scaler.scale_), ("Max", low), ("Min", high)]
    else:
        return None
    return [(kind, np.asarray(x, dtype=np.float64)) for kind, x in operations if x is not None]


def check_finite(scaler: Any, scaled: NDArray[Any], sequences: Sequences) -> None:
    """Raise if an observed value is NaN when scaled, which would pass as missing, or infinite."""
    is_finite = np.isfinite(scaled)
    if is_finite.all():
        return
    lost = ~is_finite & ~np.isnan(sequences.values)
    if lost.any():
        step, channel = np.argwhere(lost)[0]
        raise ValueError(
            f"Expected a scaler that makes a number of every observed value, but {scaler!r} makes "
            f"{scaled[step, channel]} of {sequences.values[step, channel]} in channel {channel} of "
            f"sequence {sequences.owners[step]}; use one that is defined for all values (log1p "
            "instead of log, where none is negative), or give NaN for what is missing."
        )
