"""The layers of a network, declared once: their shapes, and their weights by name.

The Keras model, the NumPy network, the ONNX graph, saved files and the table that a notebook shows
all read this declaration. It needs no Keras.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .architecture import LENGTH_UNITS, POSITION_RATES, Architecture
from .cosines import count_directions
from .minirocket import N_KERNELS, SOFT_STEPS, TAPS

if TYPE_CHECKING:
    import keras

SUBMODELS = ("encoder", "decoder", "length")
_CHOICES = {
    "cell": ("lstm", "gru"),
    "pooling": ("last", "mean", "max", "mean_max"),
    "decoder": ("repeat", "reshape", "dense", "autoregressive"),
    "activation": ("linear", "sigmoid", "softmax"),
    "soft_step": tuple(SOFT_STEPS),
}

# Whole numbers below this are exact in float32.
MOST_STEPS = 2**24

Shape = tuple[int | None, ...]
Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class WeightSpec:
    """One array of weights.

    Attributes
    ----------
    name : str
        Within its layer, such as "forward/kernel".
    shape : tuple of int
    initializer : {"zeros", "ones", "glorot", "small", "orthogonal", "forget"}
        How `initial_weights` draws it.
    is_trained : bool
        Whether training changes it.
    """

    name: str
    shape: tuple[int, ...]
    initializer: str = "zeros"
    is_trained: bool = True


@dataclass(frozen=True)
class LayerSpec:
    """One layer.

    Attributes
    ----------
    model : {"encoder", "decoder", "length"}
        The submodel that it is part of.
    name : str
        As in that submodel.
    kind : str
        What it is, for people.
    output_shape : tuple of (int or None)
        None is any number; the first is that of sequences. Empty where it is not known.
    weights : tuple of WeightSpec
    """

    model: str
    name: str
    kind: str
    output_shape: Shape
    weights: tuple[WeightSpec, ...] = ()

    @property
    def n_parameters(self) -> int:
        """Number of the weights' entries, trained or not."""
        return sum(math.prod(weight.shape) for weight in self.weights)


def layer_specs(architecture: Architecture) -> list[LayerSpec]:
    """Return the layers of a network, in the order of its model, but for models of a user's own."""
    layers: list[LayerSpec] = []
    if architecture.encoder is None:
        layers += _encoder(architecture)
    if not callable(architecture.decoder):
        layers += _decoder(architecture)
    if architecture.decodes_length:
        layers += _length(architecture)
    return layers


def weight_specs(architecture: Architecture) -> dict[str, WeightSpec]:
    """Return the weights of a network by their full names, "model/layer/weight"."""
    return {
        f"{layer.model}/{layer.name}/{weight.name}": weight
        for layer in layer_specs(architecture)
        for weight in layer.weights
    }


def initial_weights(architecture: Architecture, seed: int) -> Weights:
    """Draw the weights that training starts from, as Keras' layers do by default.

    They depend on the seed and the names and shapes of weights alone, so all backends start from
    the same numbers. Kernels are uniform (Glorot and Bengio 2010), recurrent kernels orthogonal
    (Saxe et al. 2014), biases zero but for an LSTM's forget gate (Jozefowicz et al. 2015).
    """
    return {
        # From a name's own generator, so that no other layer changes what this one starts from.
        name: _draw(spec, np.random.default_rng([seed, crc32(name.encode())]))
        for name, spec in weight_specs(architecture).items()
    }


def within(weights: Mapping[str, NDArray[np.float32]], place: str) -> Weights:
    """Return the weights of a model, a layer or a layer's part, by their names within it."""
    prefix = f"{place}/"
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def misfit(architecture: Architecture, weights: Mapping[str, Any]) -> str | None:
    """Return what is wrong with weights; None if they are those of an architecture."""
    for name, choices in _CHOICES.items():
        if getattr(architecture, name) not in choices:
            return f"expected {name} to be one of {choices}, found {getattr(architecture, name)!r}"
    expected = weight_specs(architecture)
    if different := sorted(expected.keys() ^ weights.keys(), key=str):
        name = different[0]
        return f"its weight {name!r} is {'missing' if name in expected else 'unknown'}"
    for name, spec in expected.items():
        array = weights[name]
        if array.shape != spec.shape or array.dtype != np.float32:
            return (
                f"expected {name} to be float32 of shape {spec.shape}, found {array.dtype} of "
                f"shape {array.shape}"
            )
        if name.endswith("/linear/frequencies"):
            is_index = (array >= 0) & (array < MOST_STEPS) & (array == np.rint(array))
            if not is_index.all():
                return (
                    f"expected {name} to be whole numbers from 0 to {MOST_STEPS - 1}, found "
                    f"{array[~is_index][0]}"
                )
    return None


def read_layers(model: keras.Model) -> list[LayerSpec]:
    """Return the layers of a Keras model with submodels, whoever wrote these."""
    parts = [part for part in model.layers if part.name in SUBMODELS]
    return [
        LayerSpec(
            part.name,
            layer.name,
            type(layer).__name__,
            tuple(getattr(getattr(layer, "output", None), "shape", ())),
            tuple(WeightSpec(weight.path, tuple(weight.shape)) for weight in layer.weights),
        )
        for part in sorted(parts, key=lambda part: SUBMODELS.index(part.name))
        for layer in _leaves(part)
    ]


def _encoder(architecture: Architecture) -> Iterator[LayerSpec]:
    size = architecture.patch_size
    width = size * architecture.n_channels
    if architecture.indicators:
        width *= 2
    elif size > 1:  # whether a step is real
        width += size
    kind = f"patches of {size}" if size > 1 else "steps"
    yield LayerSpec("encoder", "patch", kind, (None, None, width))
    directions = ("forward", "backward")[: 1 + architecture.bidirectional]
    kind = architecture.cell.upper() + ", both directions" * architecture.bidirectional
    for i, units in enumerate(architecture.units):
        weights = [
            weight
            for direction in directions
            for weight in _recurrence(architecture, width, units, f"{direction}/")
        ]
        width = units * len(directions)
        yield LayerSpec("encoder", f"recurrence_{i}", kind, (None, None, width), tuple(weights))
    width *= 1 + (architecture.pooling == "mean_max")
    width += architecture.learns_length
    kind = f"{architecture.pooling.replace('_', ' and ')} over steps"
    moments = _MOMENTS if architecture.learns_length else ()
    yield LayerSpec("encoder", "pool", kind, (None, width), moments)
    n_recurrent, n_summary = architecture.n_recurrent, architecture.n_summary
    # What is added to the linear path is next to nothing at first: it tells constant sequences of
    # different lengths apart, which have the same cosines, if the closed-form start is kept.
    start = "small" if architecture.adds_to_linear else "glorot"
    code = _dense(width, n_recurrent, initializer=start)
    if architecture.n_linear:
        yield _cosines(architecture, "encoder")
    yield LayerSpec("encoder", "code", "dense", (None, n_recurrent), code)
    if n_summary:
        yield _kernels(architecture)
    if n_summary or architecture.n_linear:
        kind = "linear and recurrent, added" if architecture.adds_to_linear else "side by side"
        yield LayerSpec("encoder", "all", kind, (None, architecture.n_components))


def _kernels(architecture: Architecture) -> LayerSpec:
    n_sets, n_summary = len(architecture.dilations), architecture.n_summary
    kernel_weights = {
        "kernels": (n_sets, TAPS * architecture.n_channels, N_KERNELS),
        "biases": (n_sets, N_KERNELS),
        "projection": (n_sets * N_KERNELS, n_summary),
        "center": (n_summary,),
    }
    weights = [WeightSpec(name, shape, is_trained=False) for name, shape in kernel_weights.items()]
    return LayerSpec("encoder", "summary", "fixed kernels", (None, n_summary), tuple(weights))


def _cosines(architecture: Architecture, model: str) -> LayerSpec:
    """Return the linear path's layer in the encoder or decoder."""
    size, n_linear = architecture.n_frequencies, architecture.n_linear
    shape = (size, architecture.n_channels)
    arrays: dict[str, tuple[int, ...]] = {"frequencies": (size,), "mean": shape}
    output: Shape = (None, n_linear)
    moments: tuple[WeightSpec, ...] = ()
    if model == "encoder":
        n_directions = count_directions(size * architecture.n_channels, n_linear)
        arrays["projection"] = (*shape, n_linear)
        arrays |= {"directions": (n_directions, *shape), "precision": (n_directions,)}
        if architecture.has_linear_length:
            arrays["length_projection"] = (n_linear,)
            moments = _MOMENTS
    else:
        arrays["synthesis"] = (n_linear, *shape)
        n_steps = architecture.n_patches * architecture.patch_size
        output = (None, n_steps, architecture.n_channels)
    weights = [WeightSpec(name, shape, is_trained=False) for name, shape in arrays.items()]
    return LayerSpec(model, "linear", "cosines", output, (*weights, *moments))


def _decoder(architecture: Architecture) -> Iterator[LayerSpec]:
    shape: Shape
    weights: tuple[WeightSpec, ...]
    n_patches, units = architecture.n_patches, architecture.units[::-1]
    width = architecture.n_recurrent
    n_outputs = architecture.patch_size * architecture.n_channels
    cell = architecture.cell.upper()
    if width < architecture.n_components:
        yield LayerSpec("decoder", "part", "the recurrent part", (None, width))
    start = "zeros" if architecture.adds_to_linear else "glorot"
    if architecture.decoder == "dense":
        n_outputs *= n_patches
        for i, n_hidden in enumerate(units):
            shape, weights = (None, n_hidden), _dense(width, n_hidden)
            yield LayerSpec("decoder", f"hidden_{i}", "dense, tanh", shape, weights)
            width = n_hidden
        weights = _dense(width, n_outputs, initializer=start)
        yield LayerSpec("decoder", "values", "dense", (None, n_outputs), weights)
    elif architecture.decoder == "autoregressive":
        if architecture.adds_to_linear:  # step by step
            yield _cosines(architecture, "decoder")
        width += n_outputs
        weights = ()
        for i, n_states in enumerate(units):
            weights += _recurrence(architecture, width, n_states, f"recurrence_{i}/")
            width = n_states
        weights += _dense(width, n_outputs, "values/", start)
        kind = f"{cell}, sees its output" if len(units) == 1 else f"{cell}s, see their output"
        yield LayerSpec("decoder", "autoregress", kind, (None, n_patches, n_outputs), weights)
    else:
        sees_code = architecture.decoder == "repeat"
        if sees_code:
            width += 2 * len(POSITION_RATES)
        else:
            width = -(-width // n_patches)
            yield LayerSpec("decoder", "cut", "pieces of the code", (None, n_patches, width))
        for i, n_states in enumerate(units):
            kind = f"{cell}, sees the code" if sees_code and i == 0 else cell
            shape = (None, n_patches, n_states)
            weights = _recurrence(architecture, width, n_states)
            yield LayerSpec("decoder", f"recurrence_{i}", kind, shape, weights)
            width = n_states
        shape = (None, n_patches, n_outputs)
        weights = _dense(width, n_outputs, initializer=start)
        yield LayerSpec("decoder", "values", "dense", shape, weights)
    shape = (None, n_patches * architecture.patch_size, architecture.n_channels)
    yield LayerSpec("decoder", "unfold", "patches to steps", shape)
    kinds = dict.fromkeys(activation for _, activation in architecture.outputs)
    activation: tuple[LayerSpec, ...] = ()
    if set(kinds) != {"linear"} and architecture.decoder != "autoregressive":
        activation = (LayerSpec("decoder", "activation", ", ".join(kinds), shape),)
    if not architecture.n_linear:
        yield from activation
    elif not architecture.adds_to_linear:
        yield from activation
        yield _cosines(architecture, "decoder")
        gain = WeightSpec("gain", shape[-1:], is_trained=False)
        yield LayerSpec("decoder", "mean", "of linear and recurrent", shape, (gain,))
    elif architecture.decoder != "autoregressive":
        yield _cosines(architecture, "decoder")
        yield LayerSpec("decoder", "sum", "linear and recurrent", shape)
        yield from activation


def _length(architecture: Architecture) -> Iterator[LayerSpec]:
    if architecture.has_linear_length:
        kernel = WeightSpec("length_synthesis", (architecture.n_linear,), is_trained=False)
        yield LayerSpec("length", "steps", "linear", (None,), (kernel, *_MOMENTS))
        return
    width = architecture.n_recurrent
    if width < architecture.n_components:
        yield LayerSpec("length", "part", "the recurrent part", (None, width))
    perceptron = _dense(width, LENGTH_UNITS, "hidden/") + _dense(LENGTH_UNITS, 1, "output/")
    yield LayerSpec("length", "steps", "perceptron", (None,), _MOMENTS + perceptron)


def _recurrence(
    architecture: Architecture, width: int, units: int, prefix: str = ""
) -> tuple[WeightSpec, ...]:
    n_gates = 4 if architecture.cell == "lstm" else 3
    shape = (n_gates * units,)
    if architecture.cell == "lstm":
        bias = WeightSpec(f"{prefix}bias", shape, "forget")
    else:
        bias = WeightSpec(f"{prefix}bias", (2, *shape))
    return (
        WeightSpec(f"{prefix}kernel", (width, *shape), "glorot"),
        WeightSpec(f"{prefix}recurrent_kernel", (units, *shape), "orthogonal"),
        bias,
    )


def _dense(
    width: int, n_outputs: int, prefix: str = "", initializer: str = "glorot"
) -> tuple[WeightSpec, ...]:
    return (
        WeightSpec(f"{prefix}kernel", (width, n_outputs), initializer),
        WeightSpec(f"{prefix}bias", (n_outputs,)),
    )


# The mean and spread of lengths in training.
_MOMENTS = (
    WeightSpec("location", (), "zeros", is_trained=False),
    WeightSpec("scale", (), "ones", is_trained=False),
)


def _draw(spec: WeightSpec, rng: np.random.Generator) -> NDArray[np.float32]:
    if spec.initializer in ("glorot", "small"):
        limit = math.sqrt(6.0 / sum(spec.shape)) * (0.01 if spec.initializer == "small" else 1.0)
        return rng.uniform(-limit, limit, spec.shape).astype(np.float32)
    if spec.initializer == "orthogonal":  # rows are the fewer
        q, r = np.linalg.qr(rng.normal(size=spec.shape[::-1]))
        return (q * np.sign(np.diag(r))).T.astype(np.float32)  # signs: else q is not uniform
    if spec.initializer == "ones":
        return np.ones(spec.shape, np.float32)
    drawn = np.zeros(spec.shape, np.float32)
    if spec.initializer == "forget":
        units = len(drawn) // 4
        drawn[units : 2 * units] = 1.0
    return drawn


def _leaves(part: keras.Model) -> Iterator[keras.layers.Layer]:
    """Return the layers of a model and of the models in it, but for their inputs."""
    for layer in part.layers:
        if hasattr(layer, "layers") and hasattr(layer, "get_layer"):
            yield from _leaves(layer)
        elif type(layer).__name__ != "InputLayer":
            yield layer
