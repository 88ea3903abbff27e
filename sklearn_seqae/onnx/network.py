"""The built-in encoder as an ONNX graph: scaled values to codes.

It computes the same as `numpy_network` and `minirocket` do in NumPy. ONNX' recurrences have the
steps on the first axis, its convolutions on the last.
"""

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.network.architecture import COUNT_GAIN, Architecture
from sklearn_seqae.network.layer_specs import Weights, within
from sklearn_seqae.network.minirocket import N_KERNELS, TAPS

from . import cosines
from .graph import Graph
from .inputs import Scaled

Floats = NDArray[np.float32]
# From Keras' order of gates to ONNX': i, f, c, o to i, o, f, c. That of the GRU is z, r, h in both.
_GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2)}


def encode(graph: Graph, scaled: Scaled, architecture: Architecture, weights: Weights) -> list[str]:
    """Add the encoder, and return the parts of the code in their order."""
    with graph.scope("patches"):
        steps, lengths = _fold(graph, scaled, architecture)
    size = architecture.patch_size
    is_real = _is_real(graph, lengths, graph.op("Div", scaled.width, size))
    # A recurrence wants one step at least; of what it makes of no step nothing is used.
    n_read = graph.cast(graph.op("Max", lengths, 1), np.int32)
    directions = ("forward", "backward")[: 1 + architecture.bidirectional]
    level: list[str] = []
    for i, units in enumerate(architecture.units):
        read = [within(weights, f"encoder/recurrence_{i}/{side}") for side in directions]
        with graph.scope(f"recurrence_{i}"):
            if level:
                steps = _side_by_side(graph, level[0], len(read) * architecture.units[i - 1])
            level = _recurrence(graph, steps, n_read, architecture.cell, units, read)
    with graph.scope("pool"):
        moments = within(weights, "encoder/pool")
        features = _pool(graph, level, lengths, is_real, architecture, moments)
    with graph.scope("code"):
        code = within(weights, "encoder/code")
        codes = graph.op("Gemm", features, code["kernel"], code["bias"])
    parts = [codes]
    if architecture.n_linear:
        with graph.scope("linear"):
            path = within(weights, "encoder/linear")
            linear, scaled = cosines.encode(graph, scaled, path)
            if architecture.adds_to_linear:
                parts = [graph.op("Add", linear, codes)]
            else:
                parts = [linear, codes]
    if summary := within(weights, "encoder/summary"):
        with graph.scope("kernels"):
            if not architecture.n_linear:
                scaled = _complete(graph, scaled, architecture.n_channels)
            parts.append(_summarize(graph, scaled, architecture, summary))
    return parts


def write(graph: Graph, inputs: str, architecture: Architecture, weights: Weights) -> str:
    """Add the recurrent layers of a decoder that needs no own outputs, and return its patches.

    They are (n_patches, n, size), and inputs (n_patches, n, k).
    """
    steps = inputs
    for i in range(len(architecture.units)):
        layer = within(weights, f"decoder/recurrence_{i}")
        units = len(layer["recurrent_kernel"])
        with graph.scope(f"recurrence_{i}"):
            states, _ = _recurrence(graph, steps, "", architecture.cell, units, [layer])
            steps = graph.op("Squeeze", states, [1])
    values = within(weights, "decoder/values")
    return graph.op("Add", graph.op("MatMul", steps, values["kernel"]), values["bias"])


def _fold(graph: Graph, scaled: Scaled, architecture: Architecture) -> tuple[str, str]:
    """Return what `numpy_network.Network._patches` does, (n_patches, n, width), and numbers."""
    size = architecture.patch_size
    parts = [(scaled.values, architecture.n_channels)]
    if architecture.indicators:
        parts.append((graph.cast(scaled.observed, np.float32), architecture.n_channels))
    elif size > 1:
        is_real = _is_real(graph, scaled.lengths, scaled.width)
        parts.append((graph.cast(graph.op("Unsqueeze", is_real, [2]), np.float32), 1))
    lengths = scaled.lengths
    if size > 1:
        n_patches = graph.op("Div", scaled.width, size)
        n_rows = graph.op("Shape", lengths)
        shapes = [
            graph.op("Concat", n_rows, n_patches, [size * width], axis=0) for _, width in parts
        ]
        parts = [
            (graph.op("Reshape", part, shape), size * width)
            for (part, width), shape in zip(parts, shapes, strict=True)
        ]
        lengths = graph.op("Div", graph.op("Add", lengths, size - 1), size)
    names = [name for name, _ in parts]
    inputs = names[0] if len(names) == 1 else graph.op("Concat", *names, axis=2)
    return graph.op("Transpose", inputs, perm=[1, 0, 2]), lengths


def _is_real(graph: Graph, lengths: str, width: str) -> str:
    """Return which of so many steps are real, bool (n, width)."""
    steps = graph.op("Range", 0, graph.op("Squeeze", width), 1)
    return graph.op("Less", steps, graph.op("Unsqueeze", lengths, [1]))


def _recurrence(
    graph: Graph, steps: str, n_read: str, cell: str, units: int, weights: list[Weights]
) -> list[str]:
    """Return all states (n_steps, n_directions, n, units), and the last (n_directions, n, units).

    What was read backward stands where it was read.
    """
    biases = [side["bias"] for side in weights]
    if cell == "lstm":  # Keras has one bias, ONNX one for the inputs and one for the states
        biases = [np.stack([bias, np.zeros_like(bias)]) for bias in biases]
    states: list[str] = graph.op(
        cell.upper(),
        steps,
        np.stack([_in_order(side["kernel"], cell).T for side in weights]),
        np.stack([_in_order(side["recurrent_kernel"], cell).T for side in weights]),
        np.stack([_in_order(bias, cell).ravel() for bias in biases]),
        n_read,
        n_outputs=2,
        hidden_size=units,
        direction="bidirectional" if len(weights) > 1 else "forward",
        # The reset gate weighs what the state adds to the candidate, as in Keras.
        **({"linear_before_reset": 1} if cell == "gru" else {}),
    )
    return states


def _in_order(array: Floats, cell: str) -> Floats:
    """Return a weight of Keras' with its gates, on the last axis, in ONNX' order."""
    gates = np.split(array, len(_GATES[cell]), axis=-1)
    return np.concatenate([gates[i] for i in _GATES[cell]], axis=-1)


def _side_by_side(graph: Graph, states: str, width: int) -> str:
    """Return states (n_steps, n_directions, n, units) as (n_steps, n, width)."""
    turned = graph.op("Transpose", states, perm=[0, 2, 1, 3])
    return graph.op("Reshape", turned, [0, 0, width])


def _pool(
    graph: Graph,
    level: list[str],
    lengths: str,
    is_real: str,
    architecture: Architecture,
    moments: Weights,
) -> str:
    """Return what `encoder_layers.Pool` gives, (n, n_features)."""
    states, last = level
    mode = architecture.pooling
    count = graph.op("Unsqueeze", graph.cast(lengths, np.float32), [1])
    is_filled = graph.op("Greater", count, 0.0)
    real = graph.op("Unsqueeze", graph.op("Transpose", is_real, perm=[1, 0]), [1, 3])
    real = graph.cast(real, np.float32)
    pooled = []
    if mode == "last":
        pooled.append(graph.op("Where", is_filled, last, 0.0))
    if mode in ("mean", "mean_max"):
        total = graph.op("ReduceSum", graph.op("Mul", states, real), [0], keepdims=0)
        pooled.append(graph.op("Div", total, graph.op("Max", count, 1.0)))
    if mode in ("max", "mean_max"):  # states lie in (-1, 1)
        highest = graph.op("Add", states, graph.op("Mul", graph.op("Sub", real, 1.0), 3.0))
        # onnxruntime finds a maximum over the first axis in three times the time that it takes over
        # one between others, even if these are one row and one column of all else.
        highest = graph.op("Reshape", graph.op("Unsqueeze", highest, [0]), [0, 0, -1])
        highest = graph.op("ReduceMax", highest, axes=[1], keepdims=0)
        highest = graph.op("Reshape", highest, graph.op("Shape", last))
        pooled.append(graph.op("Where", is_filled, highest, 0.0))
    width = (1 + architecture.bidirectional) * architecture.units[-1]
    # From (n_directions, n, units) to the directions side by side.
    parts = [
        graph.op("Reshape", graph.op("Transpose", part, perm=[1, 0, 2]), [0, width])
        for part in pooled
    ]
    if moments:
        logarithm = graph.op("Log", graph.op("Add", count, 1.0))
        centred = graph.op("Sub", logarithm, moments["location"])
        standardised = graph.op("Div", centred, moments["scale"])
        parts.append(graph.op("Mul", standardised, COUNT_GAIN))
    return parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)


def _summarize(graph: Graph, scaled: Scaled, architecture: Architecture, weights: Weights) -> str:
    """Return what `minirocket.Kernels` does: one convolution a dilation, pooled and projected.

    Without weights for that they are not projected.
    """
    dilations = architecture.dilations
    kernels, biases = weights["kernels"], weights["biases"]
    is_real = _is_real(graph, scaled.lengths, scaled.width)
    x = graph.op("Transpose", scaled.values, perm=[0, 2, 1])
    # One product takes the sum over the real steps.
    mask = graph.op("Unsqueeze", graph.cast(is_real, np.float32), [2])
    totals, order = [], []
    for dilation in dict.fromkeys(dilations):
        sets = [i for i, other in enumerate(dilations) if other == dilation]
        order += sets
        # From (TAPS * n_channels, kernels) to (kernels, n_channels, TAPS).
        taps = np.concatenate([kernels[i].T.reshape(N_KERNELS, TAPS, -1) for i in sets])
        reach = TAPS // 2 * dilation
        responses = graph.op(
            "Conv",
            x,
            np.ascontiguousarray(taps.transpose(0, 2, 1)),
            np.concatenate([biases[i] for i in sets]),
            dilations=[dilation],
            pads=[reach, reach],
        )
        if architecture.soft_step == "tanh":
            stepped = graph.op("Tanh", responses)
        else:
            stepped = graph.op("Clip", responses, -1.0, 1.0)
        totals.append(graph.op("MatMul", stepped, mask))
    pooled = totals[0] if len(totals) == 1 else graph.op("Concat", *totals, axis=1)
    count = graph.op("Unsqueeze", graph.cast(graph.op("Max", scaled.lengths, 1), np.float32), [1])
    pooled = graph.op("Div", graph.op("Squeeze", pooled, [2]), count)
    if "projection" not in weights:
        places = np.arange(biases.size).reshape(biases.shape)[np.argsort(order)]
        return graph.op("Gather", pooled, places.ravel(), axis=1)
    projection = weights["projection"]
    of_banks = projection.reshape(len(dilations), N_KERNELS, -1)[order]
    return graph.op("Gemm", pooled, of_banks.reshape(projection.shape), weights["center"])


def _complete(graph: Graph, scaled: Scaled, n_values: int) -> Scaled:
    """Return values without gaps, if there are any."""
    n_seen = graph.op("ReduceSum", graph.cast(scaled.observed, np.int64), [1, 2], keepdims=0)
    has_gaps = graph.op("Less", n_seen, graph.op("Mul", scaled.lengths, n_values))
    has_gaps = graph.cast(graph.op("ReduceMax", graph.cast(has_gaps, np.int64), keepdims=0), bool)
    values = graph.choose(has_gaps, lambda: _fill(graph, scaled), scaled.values)
    return scaled._replace(values=values)


def _fill(graph: Graph, scaled: Scaled) -> str:
    """Return what `minirocket.fill` does, (n, width, n_values): gaps are filled along lines.

    The observed values of all rows and channels stand one after the other in one list; before a
    value come as many as were observed so far.
    """
    x = graph.op("Transpose", scaled.values, perm=[0, 2, 1])
    observed = graph.op("Transpose", scaled.observed, perm=[0, 2, 1])
    shape = graph.op("Shape", x)
    flat_x, flat = graph.op("Reshape", x, [-1]), graph.op("Reshape", observed, [-1])
    # The last place is for rows without any value, which have none to point to.
    places = graph.op("Concat", graph.op("Reshape", graph.op("NonZero", flat), [-1]), [0], axis=0)
    counts = graph.op("CumSum", graph.cast(flat, np.int64), 0)
    counts = graph.op("Reshape", counts, shape)
    earlier = graph.op("Sub", counts, graph.cast(observed, np.int64))
    first = graph.op("Slice", earlier, [0], [1], [2])
    stop = graph.op("Slice", counts, [-1], [2**31 - 1], [2])
    n_before = graph.op("Max", graph.op("Sub", counts, 1), first)
    n_after = graph.op("Min", earlier, graph.op("Sub", stop, 1))
    before, after = (graph.op("Gather", places, n) for n in (n_before, n_after))
    size = graph.op("Squeeze", graph.op("Shape", flat))
    steps = graph.op("Reshape", graph.op("Range", 0, size, 1), shape)
    reached = graph.op("Sub", graph.op("Min", graph.op("Max", steps, before), after), before)
    distance = graph.op("Max", graph.op("Sub", after, before), 1)
    share = graph.op("Div", graph.cast(reached, np.float32), graph.cast(distance, np.float32))
    left, right = (graph.op("Gather", flat_x, place) for place in (before, after))
    line = graph.op("Add", left, graph.op("Mul", graph.op("Sub", right, left), share))
    is_known = graph.op("Greater", stop, first)
    is_real = _is_real(graph, scaled.lengths, scaled.width)
    is_real = graph.op("And", graph.op("Unsqueeze", is_real, [1]), is_known)
    return str(graph.op("Transpose", graph.op("Where", is_real, line, 0.0), perm=[0, 2, 1]))
