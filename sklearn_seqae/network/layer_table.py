"""The layers of a network, with their shapes and numbers of parameters, without Keras."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .architecture import Architecture

if TYPE_CHECKING:
    import keras

SUBMODELS = ("encoder", "decoder", "length")

Shape = tuple[int | None, ...]
Row = tuple[str, str, Shape, int]  # a LayerRow without its model


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    Attributes
    ----------
    model : {"encoder", "decoder", "length"}
        The submodel that it is part of.
    name : str
        As in that submodel.
    kind : str
        What it is.
    output_shape : tuple of (int or None)
        None is any number; the first is that of sequences. Empty where it is not known.
    n_parameters : int
        Trained or not.
    """

    model: str
    name: str
    kind: str
    output_shape: Shape
    n_parameters: int


def layer_table(
    architecture: Architecture, weight_shapes: Sequence[tuple[int, ...]]
) -> list[LayerRow]:
    """Return the layers of a network without models of a user's own.

    Parameters
    ----------
    architecture : Architecture
    weight_shapes : sequence of tuple of int
        Of the weights, in the order of ``keras_network.build(architecture, seed).get_weights()``.
    """
    sizes = iter([math.prod(shape) for shape in weight_shapes])
    rows = [LayerRow("encoder", *row) for row in _encoder(architecture, sizes)]
    rows += [LayerRow("decoder", *row) for row in _decoder(architecture, sizes)]
    if architecture.decodes_length:
        rows += [LayerRow("length", *row) for row in _length(architecture, sizes)]
    return rows


def read_layers(model: keras.Model) -> list[LayerRow]:
    """Return the layers of a Keras model with submodels, whoever wrote these."""
    parts = [part for part in model.layers if part.name in SUBMODELS]
    return [
        LayerRow(part.name, layer.name, type(layer).__name__, _shape(layer), layer.count_params())
        for part in sorted(parts, key=lambda part: SUBMODELS.index(part.name))
        for layer in _leaves(part)
    ]


def _encoder(architecture: Architecture, sizes: Iterator[int]) -> Iterable[Row]:
    size, n_channels = architecture.patch_size, architecture.n_channels
    width = size * n_channels
    if architecture.indicators:
        width *= 2
    elif size > 1:
        width += size
    yield "patch", f"patches of {size}" if size > 1 else "steps", (None, None, width), 0
    n_directions = 1 + architecture.bidirectional
    cell = architecture.cell.upper()
    kind = f"{cell}, both directions" if architecture.bidirectional else cell
    for i, units in enumerate(architecture.units):
        width = units * n_directions
        yield f"reader_{i}", kind, (None, None, width), _take(sizes, 3 * n_directions)
    width *= 1 + (architecture.pooling == "mean_max")
    n_moments = 2 if architecture.decodes_length else 0
    width += architecture.decodes_length
    name = architecture.pooling.replace("_", " and ")
    yield "pool", f"{name} over steps", (None, width), _take(sizes, n_moments)
    yield "code", "dense", (None, architecture.n_learned), _take(sizes, 2)
    if architecture.n_summary:
        yield "summary", "filters, fixed", (None, architecture.n_summary), _take(sizes, 4)
        yield "both", "side by side", (None, architecture.n_components), 0


def _decoder(architecture: Architecture, sizes: Iterator[int]) -> Iterable[Row]:
    n_patches, units = architecture.n_patches, architecture.units[::-1]
    n_outputs = architecture.patch_size * architecture.n_channels
    cell = architecture.cell.upper()
    if architecture.n_summary:
        yield "learned", "the learned part", (None, architecture.n_learned), 0
    if architecture.decoder == "autoregressive":
        n_weights = _take(sizes, 3 * len(units) + 2)
        kind = f"{cell}, sees its output" if len(units) == 1 else f"{cell}s, see their output"
        yield "autoregress", kind, (None, n_patches, n_outputs), n_weights
    elif architecture.decoder == "dense":
        for i, width in enumerate(units):
            yield f"hidden_{i}", "dense, tanh", (None, width), _take(sizes, 2)
        yield "values", "dense", (None, n_patches * n_outputs), _take(sizes, 2)
    else:
        if architecture.decoder == "reshape":
            piece = -(-architecture.n_learned // n_patches)
            yield "cut", "pieces of the code", (None, n_patches, piece), 0
        for i, width in enumerate(units):
            sees_code = i == 0 and architecture.decoder == "repeat"
            kind = f"{cell}, sees the code" if sees_code else cell
            yield f"recurrence_{i}", kind, (None, n_patches, width), _take(sizes, 3)
        yield "values", "dense", (None, n_patches, n_outputs), _take(sizes, 2)
    shape = (None, n_patches * architecture.patch_size, architecture.n_channels)
    yield "steps", "patches to steps", shape, 0
    is_linear = all(activation == "linear" for _, activation in architecture.outputs)
    if not is_linear and architecture.decoder != "autoregressive":
        kinds = dict.fromkeys(activation for _, activation in architecture.outputs)
        yield "activation", ", ".join(kinds), shape, 0


def _length(architecture: Architecture, sizes: Iterator[int]) -> Iterable[Row]:
    if architecture.n_summary:
        yield "learned", "the learned part", (None, architecture.n_learned), 0
    yield "steps", "perceptron", (None,), _take(sizes, 6)


def _take(sizes: Iterator[int], n: int) -> int:
    return sum(next(sizes) for _ in range(n))


def _leaves(part: keras.Model) -> Iterator[keras.layers.Layer]:
    """Return the layers of a model and of the models in it, but for their inputs."""
    for layer in part.layers:
        if hasattr(layer, "layers") and hasattr(layer, "get_layer"):
            yield from _leaves(layer)
        elif type(layer).__name__ != "InputLayer":
            yield layer


def _shape(layer: keras.layers.Layer) -> Shape:
    shape = getattr(getattr(layer, "output", None), "shape", ())
    return tuple(shape)
