"""Input stage of an ONNX encoder: raw padded sequences to scaled values and masks of real ones.

It computes the same as `preprocessing` does in NumPy, in float64 as well.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from sklearn_seqae.containers.columns import Categories
from sklearn_seqae.containers.numeric import LARGEST
from sklearn_seqae.network.inference import MOST_READ
from sklearn_seqae.preprocessing.categories import MixedScaler
from sklearn_seqae.preprocessing.moments import FLOOR
from sklearn_seqae.preprocessing.scalers import Arithmetic, arithmetic
from sklearn_seqae.preprocessing.scaling import SequenceScaler

from .graph import Graph

# Of the scale of a channel: what rounding values to float32 may change them by.
LEAST_ROUNDING = 1e-5


class Scaled(NamedTuple):
    """Names of tensors: what the network reads. A value is scaled, or one-hot of a category.

    Attributes
    ----------
    values : float32 (n, width, n_values)
        Zero where nothing was observed.
    observed : bool (n, width, n_values)
    given, lengths : int64 (n,)
        Steps, and those up to the last one with an observed value.
    width : int64 (1,)
        A multiple of the patch size, and no less than it.
    statistics : float32 (n, n_statistics), or ""
        What is kept of each sequence by "per_sequence".
    refusal : float32 (n, 1)
        NaN where `transform` would refuse the sequence, else zero.
    """

    values: str
    observed: str
    given: str
    lengths: str
    width: str
    statistics: str
    refusal: str


def input_dtype(
    scaler: MixedScaler, mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> type[np.floating[Any]]:
    """Return the dtype of raw values: float64 where float32 would not hold what they vary by.

    Parameters
    ----------
    scaler : MixedScaler
        Fitted.
    mean, variance : ndarray of shape (n_values,)
        Of the training data: of numbers, then of one-hot values.
    """
    scaling = scaler.scaler_
    if scaling is None or scaling.scaler is None:  # the network reads them in float32
        return np.float32
    n_numbers = scaling.n_channels_in_
    mean, variance = mean[:n_numbers], variance[:n_numbers]
    scale = np.sqrt(variance) if scaling.channel_scale_ is None else scaling.channel_scale_
    rounding = np.sqrt(mean**2 + variance) * np.finfo(np.float32).eps / 2
    # What is constant has a scale of 1.
    coarse = rounding > LEAST_ROUNDING * np.where(scale > 0, scale, 1.0)
    return np.float64 if coarse.any() else np.float32


def arithmetic_of(scaler: Any) -> Arithmetic:
    """Return what a fitted scaler of scikit-learn computes.

    Raises
    ------
    ValueError
        If it is none of those that only add, multiply and clip.
    """
    operations = arithmetic(scaler)
    if operations is None:
        raise ValueError(
            "export_onnx expects a scaler that only adds, multiplies and clips (StandardScaler, "
            "MinMaxScaler, RobustScaler, MaxAbsScaler or a Pipeline of these), got "
            f"{' '.join(repr(scaler).split())}: fit with one of these, or scale X yourself and fit "
            "with scaler=None."
        )
    return operations


def scale(
    graph: Graph,
    sequences: str,
    lengths: str,
    scaler: MixedScaler,
    patch_size: int,
    dtype: type[np.floating[Any]],
    handle_unknown: str,
) -> Scaled:
    """Add what makes scaled values of the inputs of the graph, of which `dtype` is the values'."""
    with graph.scope("steps"):
        width, x, given, inside, in_range = _cut(graph, sequences, lengths, patch_size)
        observed = graph.op("And", graph.op("Not", graph.op("IsNaN", x)), inside)
        x = graph.op("Where", observed, x, dtype(0.0))
        real = _last_seen(graph, observed, width)
        refused = x
        if dtype is np.float64:  # what is too large becomes infinite
            refused = graph.op("Mul", x, np.finfo(np.float64).max / LARGEST)
        # Infinity times zero is NaN, and so is a sum with it.
        refusal = graph.op("ReduceSum", graph.op("Mul", refused, dtype(0.0)), [1, 2], keepdims=0)
        refusal = graph.cast(refusal, np.float32)
        refusal = graph.op("Add", refusal, graph.op("Where", in_range, 0.0, np.nan))
    parts, statistics = [], ""
    if scaler.scaler_ is not None:
        with graph.scope("numbers"):
            numbers, where = x, observed
            if scaler.categories:
                channels = scaler.channels[: scaler.scaler_.n_channels_in_]
                numbers, where = (graph.op("Gather", t, channels, axis=2) for t in (x, observed))
            if scaler.scaler_.channel_scale_ is None:
                scaled = _scale_channels(graph, numbers, scaler.scaler_)
            else:
                scaled, statistics = _scale_sequences(graph, numbers, where, scaler.scaler_)
            parts.append(graph.op("Where", where, scaled, 0.0))
    if scaler.category_widths:
        with graph.scope("categories"):
            one_hot, known = _spread_categories(graph, x, observed, scaler, dtype)
            parts.append(one_hot)
            if handle_unknown == "error":
                refusal = graph.op("Add", refusal, graph.op("Where", known, 0.0, np.nan))
            observed = graph.op("Gather", observed, scaler.channels, axis=2)
    values = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=2)
    refusal = graph.op("Unsqueeze", refusal, [1])
    return Scaled(values, observed, given, real, width, statistics, refusal)


def read_scaled(graph: Graph, values: str, lengths: str) -> Scaled:
    """Add masks of values that are scaled already, of which NaN is padding or missing."""
    observed = graph.op("Not", graph.op("IsNaN", values))
    width = graph.op("Slice", graph.op("Shape", values), [1], [2])
    known = graph.op("Where", observed, values, 0.0)
    return Scaled(known, observed, lengths, _last_seen(graph, observed, width), width, "", "")


def _cut(graph: Graph, x: str, lengths: str, patch_size: int) -> tuple[str, str, str, str, str]:
    """Cut or pad the sequences to the width that their lengths need, and to one row at least.

    Returns
    -------
    width : int64 (1,)
    x : (n, width, n_channels)
    given : int64 (n,)
        Lengths, as far as sequences in `x` can have them.
    inside : bool (n, width, 1)
        Whether a step is within the length of its sequence.
    in_range : bool (n,)
        Whether a length is one that a sequence in `x` can have.
    """
    shape = graph.op("Shape", x)
    n_rows, n_steps = (graph.op("Slice", shape, [i], [i + 1]) for i in (0, 1))
    # onnxruntime 1.32 crashes where a recurrence has no row.
    more_rows = graph.op("Max", graph.op("Sub", 1, n_rows), 0)
    lengths = graph.op("Pad", lengths, graph.op("Concat", [0], more_rows, axis=0))
    within = graph.op("Min", graph.op("Max", lengths, 0), n_steps)
    longest = graph.op("Max", graph.op("ReduceMax", within, keepdims=1), 1)
    n_patches = graph.op("Div", graph.op("Add", longest, patch_size - 1), patch_size)
    width = graph.op("Mul", n_patches, patch_size)
    cut = graph.op("Slice", x, [0], width, [1])
    more_steps = graph.op("Max", graph.op("Sub", width, n_steps), 0)
    padded = graph.op("Pad", cut, graph.op("Concat", [0, 0, 0], more_rows, more_steps, [0], axis=0))
    steps = graph.op("Range", 0, graph.op("Squeeze", width), 1)
    inside = graph.op("Less", steps, graph.op("Unsqueeze", within, [1]))
    in_range = graph.op("Equal", within, lengths)
    return width, padded, within, graph.op("Unsqueeze", inside, [2]), in_range


def _last_seen(graph: Graph, observed: str, width: str) -> str:
    """Return the number of steps up to the last one with an observed value, int64 (n,)."""
    seen = graph.op("ReduceMax", graph.cast(observed, np.int64), axes=[2], keepdims=0)
    end = graph.op("Squeeze", graph.op("Add", width, 1))
    numbered = graph.op("Mul", seen, graph.op("Range", 1, end, 1))
    last: str = graph.op("ReduceMax", numbered, axes=[1], keepdims=0)
    return last


def _spread_categories(
    graph: Graph, x: str, observed: str, scaler: MixedScaler, dtype: type[np.floating[Any]]
) -> tuple[str, str]:
    """Return one-hot values, and of which sequences all categories are known, bool (n,)."""
    categories = [(j, found) for j, found in enumerate(scaler.categories) if found is not None]
    codes = np.concatenate([np.arange(len(found.values)) for _, found in categories], dtype=dtype)
    channels = np.concatenate([np.repeat(j, len(found.values)) for j, found in categories])
    chosen, where = (graph.op("Gather", t, channels, axis=2) for t in (x, observed))
    is_given = graph.op("And", graph.op("Equal", chosen, codes), where)
    one_hot = graph.cast(is_given, np.float32)
    given = graph.cast(graph.op("Gather", observed, np.unique(channels), axis=2), np.float32)
    n_given, n_found = (graph.op("ReduceSum", t, [1, 2], keepdims=0) for t in (given, one_hot))
    known = graph.op("Equal", n_given, n_found)
    if any(found.n_joined for _, found in categories):  # the infrequent ones share a value
        shared = [np.eye(found.width)[_columns(found)] for _, found in categories]
        one_hot = graph.op("MatMul", one_hot, block_diag(*shared).astype(np.float32))
    return one_hot, known


def _columns(categories: Categories) -> NDArray[np.int64]:
    """Return which of the values of a channel is that of each code."""
    return np.minimum(np.arange(len(categories.values)), categories.width - 1)


def _scale_channels(graph: Graph, x: str, scaler: SequenceScaler) -> str:
    operations = [] if scaler.scaler_ is None else arithmetic_of(scaler.scaler_)
    x = graph.cast(x, np.float64)
    for kind, operand in operations:
        x = graph.op(kind, x, operand)
    return _narrow(graph, x)


def _narrow(graph: Graph, x: str) -> str:
    """Return numbers as float32, as large as they are read at most."""
    most = np.float64(MOST_READ)
    return graph.cast(graph.op("Clip", x, -most, most), np.float32)


def _scale_sequences(
    graph: Graph, x: str, observed: str, scaler: SequenceScaler
) -> tuple[str, str]:
    """Return the values of "per_sequence", and its statistics."""
    x = graph.cast(x, np.float64)
    there = graph.cast(observed, np.float64)
    zero, one = np.float64(0.0), np.float64(1.0)
    n_observed = graph.op("ReduceSum", there, [1], keepdims=1)
    count = graph.op("Max", n_observed, one)
    mean = graph.op("Div", graph.op("ReduceSum", x, [1], keepdims=1), count)
    distance = graph.op("Where", observed, graph.op("Sub", x, mean), zero)
    squares = graph.op("ReduceSum", graph.op("Mul", distance, distance), [1], keepdims=1)
    variance = graph.op(
        "Add", graph.op("Div", squares, count), (FLOOR * scaler.channel_scale_) ** 2
    )
    log_scale = graph.op("Mul", graph.op("Log", variance), np.float64(0.5))
    raw = graph.op("Concat", mean, log_scale, axis=2)
    standardised = graph.op(
        "Div", graph.op("Sub", raw, scaler.statistics_mean_), scaler.statistics_scale_
    )
    known = graph.op("Greater", graph.op("Concat", n_observed, n_observed, axis=2), zero)
    statistics = graph.cast(graph.op("Where", known, standardised, zero), np.float32)
    # Scaled by what the statistics say after rounding, as `SequenceScaler` does.
    rounded = graph.cast(statistics, np.float64)
    raw = graph.op(
        "Add", graph.op("Mul", rounded, scaler.statistics_scale_), scaler.statistics_mean_
    )
    location, log_scale = graph.op("Split", raw, axis=2, n_outputs=2)
    scaled = graph.op("Div", graph.op("Sub", x, location), graph.op("Exp", log_scale))
    return _narrow(graph, scaled), graph.op("Squeeze", statistics, [1])
