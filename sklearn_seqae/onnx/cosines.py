"""The linear path as an ONNX graph; it computes the same as `network.cosines.encode` in NumPy.

ONNX has no transform to cosines, so values are multiplied by them, and it solves no systems, so
those of sequences with gaps are eliminated pivot by pivot. Complete ones cost nothing of it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.network.layer_specs import Weights

from .graph import Graph
from .inputs import Scaled

# Larger systems are halved, so that most of the work is that of matrix products.
MAX_ELIMINATED = 16


def encode(graph: Graph, scaled: Scaled, weights: Weights) -> tuple[str, Scaled]:
    """Add the linear path; return the linear codes, float32 (n, n_components).

    And what was read, with gaps filled up to the given lengths.
    """
    mean, projection = weights["mean"], weights["projection"]
    waves, places = _waves(graph, scaled.given, scaled.width, weights["frequencies"], np.float32)
    waves = graph.op("Gather", waves, places)
    values = _fill(graph, scaled, waves, weights)
    lengths = graph.op("Unsqueeze", scaled.given, [1])
    n_steps = graph.cast(graph.op("Max", lengths, 1), np.float32)
    found = graph.op("Reshape", graph.op("MatMul", waves, values), [-1, mean.size])
    centred = graph.op("Sub", graph.op("Div", found, n_steps), mean.ravel())
    codes = graph.op("MatMul", centred, projection.reshape(mean.size, -1))
    codes = graph.op("Where", graph.op("Greater", lengths, 0), codes, 0.0)
    completed = scaled._replace(values=values, lengths=scaled.given)
    if "length_projection" not in weights:
        return str(codes), completed
    standardised = graph.op("Sub", graph.cast(lengths, np.float32), weights["location"])
    standardised = graph.op("Div", standardised, weights["scale"])
    parts = graph.op("Mul", standardised, weights["length_projection"])
    return str(graph.op("Add", codes, parts)), completed


def _waves(
    graph: Graph,
    lengths: str,
    width: str,
    frequencies: NDArray[np.float32],
    dtype: type[np.floating],
) -> tuple[str, str]:
    """Return the cosines of each length that there is, and which of them is that of each row.

    Cosines are (n_lengths, n_frequencies, width), the transposed ones of
    `cosine_layers.cosine_basis`: zeros beyond a length, and where it is too short for a frequency.
    """
    numbers = np.nan_to_num(frequencies).astype(np.int64)[:, None]
    heights = np.where(numbers > 0, math.sqrt(2.0), 1.0).astype(dtype)
    # cos(a + b) = cos(a) cos(b) - sin(a) sin(b): few sines make many cosines. A cosine is a sine a
    # quarter of a turn later, since older runtimes have none of float64.
    stride = math.isqrt(int(numbers.max())) + 1
    base = np.concatenate([np.arange(stride), stride * np.arange(stride)]).astype(np.float64)
    coarse, fine = stride + numbers[:, 0] // stride, numbers[:, 0] % stride
    lengths, _, places, _ = graph.op("Unique", lengths, n_outputs=4)
    lengths = graph.op("Unsqueeze", lengths, [1, 2])
    steps = graph.op("Range", 0, graph.op("Squeeze", width), 1)
    halves = graph.cast(graph.op("Add", graph.op("Mul", steps, 2), 1), np.float64)
    period = graph.cast(graph.op("Mul", graph.op("Max", lengths, 1), 4), np.float64)
    turns = graph.op("Mul", graph.op("Div", halves, period), base[:, None])
    # Whole turns are taken off in float64: large angles have few digits left in float32.
    turns = graph.cast(graph.op("Sub", turns, graph.op("Floor", turns)), dtype)
    angles = graph.op("Mul", turns, dtype(2 * math.pi))
    is_real = graph.cast(graph.op("Less", steps, lengths), dtype)
    cosines, sines = (
        graph.op("Mul", graph.op("Sin", x), is_real)
        for x in (graph.op("Add", angles, dtype(math.pi / 2)), angles)
    )
    fitting = graph.op("Where", graph.op("Less", numbers, lengths), heights, dtype(0.0))

    def write(cosines: str, sines: str, fitting: str) -> list[str]:
        products = [
            graph.op("Mul", *(graph.op("Gather", x, rows) for rows in (coarse, fine)))
            for x in (cosines, sines)
        ]
        return [graph.op("Mul", graph.op("Sub", *products), fitting)]

    # One length at a time: of all at once these arrays would not stay in the cache.
    (waves,) = graph.scan(write, [], [cosines, sines, fitting])
    return waves, places


def _fill(graph: Graph, scaled: Scaled, waves: str, weights: Weights) -> str:
    """Return the values with gaps filled by the mean of the model given the observed ones."""
    n_channels = weights["mean"].shape[1]
    n_seen = graph.op("ReduceSum", graph.cast(scaled.observed, np.int64), [1, 2], keepdims=0)
    has_gaps = graph.op("Less", n_seen, graph.op("Mul", scaled.given, n_channels))
    synthesis = graph.cast(weights["directions"].transpose(0, 2, 1), np.float64)

    def fill() -> str:
        rows = graph.op("Squeeze", graph.op("NonZero", has_gaps), [0])
        values, observed, lengths, waves_there = (
            graph.op("Gather", x, rows)
            for x in (scaled.values, scaled.observed, scaled.given, waves)
        )
        some = scaled._replace(values=values, observed=observed, given=lengths)
        expected = graph.op("MatMul", _infer(graph, some, weights, synthesis), waves_there)
        expected = graph.op("Transpose", expected, perm=[0, 2, 1])
        values = graph.op("Where", observed, values, expected)
        return str(graph.op("ScatterND", scaled.values, graph.op("Unsqueeze", rows, [1]), values))

    any_gaps = graph.op("ReduceMax", graph.cast(has_gaps, np.int64), keepdims=0)
    return graph.choose(graph.cast(any_gaps, np.bool_), fill, scaled.values)


def _infer(graph: Graph, scaled: Scaled, weights: Weights, synthesis: str) -> str:
    """Return the coefficients that are expected, float32 (n, n_channels, n_frequencies).

    In float64, as the systems are differences of large sums.
    """
    mean = weights["mean"].T.astype(np.float64)
    n_components, n_frequencies, n_channels = weights["directions"].shape
    patterns = graph.op("Concat", synthesis, mean[None], axis=0)
    zeros = graph.op("Expand", np.float64(0.0), [n_components, n_components + 1])
    precision = weights["precision"].astype(np.float64)[:, None]
    prior = graph.op("Mul", graph.op("EyeLike", zeros), precision)  # a constant would be large
    waves, places = _waves(graph, scaled.given, scaled.width, weights["frequencies"], np.float64)

    def collect(place: str, values: str, observed: str) -> list[str]:
        """Return the normal equations of a sequence, their right side as last column."""
        written = graph.op("MatMul", patterns, graph.op("Gather", waves, place))
        written = graph.op("Reshape", written, [n_components + 1, -1])
        parts, expected = graph.op("Split", written, [n_components, 1], n_outputs=2)
        values, observed = (
            graph.op("Reshape", graph.op("Transpose", x), [1, -1]) for x in (values, observed)
        )
        errors = graph.op("Sub", graph.cast(values, np.float64), expected)
        others = graph.op("Concat", parts, errors, axis=0)
        seen = graph.op("Where", observed, parts, np.float64(0.0))
        return [graph.op("Gemm", seen, others, prior, transB=1)]

    (systems,) = graph.scan(collect, [], [places, scaled.values, scaled.observed])
    codes = graph.op("Squeeze", _solve(graph, systems, n_components), [2])
    found = graph.op("MatMul", codes, graph.op("Reshape", synthesis, [n_components, -1]))
    found = graph.op("Reshape", found, [-1, n_channels, n_frequencies])
    return graph.cast(graph.op("Add", found, mean), np.float32)


def _solve(graph: Graph, systems: str, size: int, n_sides: int = 1) -> str:
    """Return the solutions (n, size, n_sides) of positive definite systems.

    These are (n, size, size + n_sides), with their right sides as last columns.
    """
    if size <= MAX_ELIMINATED:
        return _eliminate(graph, systems, size)
    half = size // 2
    rest = size - half
    upper, lower = graph.op("Split", systems, [half, rest], axis=1, n_outputs=2)
    upper = _solve(graph, upper, half, rest + n_sides)
    left, lower = graph.op("Split", lower, [half, rest + n_sides], axis=2, n_outputs=2)
    lower = graph.op("Sub", lower, graph.op("MatMul", left, upper))
    lower = _solve(graph, lower, rest, n_sides)
    right, upper = graph.op("Split", upper, [rest, n_sides], axis=2, n_outputs=2)
    upper = graph.op("Sub", upper, graph.op("MatMul", right, lower))
    return str(graph.op("Concat", upper, lower, axis=1))


def _eliminate(graph: Graph, systems: str, size: int) -> str:
    """Return what `_solve` does, pivot by pivot."""
    diagonal = graph.op("Slice", systems, [0], [size], [2])
    diagonal = graph.op("ReduceSum", graph.op("Mul", diagonal, np.eye(size)), [2], keepdims=1)
    systems = graph.op("Div", systems, diagonal)

    def step(systems: str, unit: str, i: str) -> list[str]:
        row, column = (graph.op("Gather", systems, i, axis=axis) for axis in (1, 2))
        row = graph.op("Div", row, graph.op("Gather", row, i, axis=2))
        # Pivots lie in (0, 1] now, so that less 1 no digits of a row are lost.
        column = graph.op("Sub", column, unit)
        return [graph.op("Sub", systems, graph.op("Mul", column, row))]

    parts = [np.eye(size)[:, :, None], np.arange(size)[:, None]]
    (solved,) = graph.scan(step, [systems], parts)
    return str(graph.op("Slice", solved, [size], [2**31 - 1], [2]))
