"""The weights that a built-in network has: their names and shapes, in the order of Keras' model."""

from collections.abc import Iterator
from typing import Any

from .architecture import LENGTH_UNITS, POSITION_RATES, Architecture
from .minirocket import N_FILTERS, TAPS

Weight = tuple[str, tuple[int, ...]]

_CHOICES = {
    "cell": ("lstm", "gru"),
    "pooling": ("last", "mean", "max", "mean_max"),
    "decoder": ("repeat", "reshape", "dense", "autoregressive"),
    "activation": ("linear", "sigmoid", "softmax"),
}


def weights(architecture: Architecture) -> list[Weight]:
    """Return a name and a shape for each array that `numpy_network.Network` takes."""
    return [*_encoder(architecture), *_decoder(architecture), *_length(architecture)]


def misfit(architecture: Architecture, arrays: Any) -> str | None:
    """Return what is wrong with weights; None if they are those of an architecture."""
    for name, choices in _CHOICES.items():
        if getattr(architecture, name) not in choices:
            return f"expected {name} to be one of {choices}, found {getattr(architecture, name)!r}"
    expected = weights(architecture)
    if len(arrays) != len(expected):
        return f"expected {len(expected)} arrays of weights, found {len(arrays)}"
    for (name, shape), array in zip(expected, arrays, strict=True):
        if array.shape != shape or array.dtype.kind != "f":
            return (
                f"expected {name} to be floats of shape {shape}, found {array.dtype} of shape "
                f"{array.shape}"
            )
    return None


def _encoder(architecture: Architecture) -> Iterator[Weight]:
    size = architecture.patch_size
    width = size * architecture.n_channels
    if architecture.indicators:
        width *= 2
    elif size > 1:  # whether a step is real
        width += size
    directions = ("forward", "backward")[: 1 + architecture.bidirectional]
    for i, units in enumerate(architecture.units):
        for direction in directions:
            yield from _recurrence(architecture, f"encoder.reader_{i}.{direction}", width, units)
        width = units * len(directions)
    if architecture.pooling == "mean_max":
        width *= 2
    if architecture.decodes_length:
        yield "encoder.pool.location", ()
        yield "encoder.pool.scale", ()
        width += 1
    yield from _dense("encoder.code", width, architecture.n_learned)
    if architecture.n_summary:
        n_banks = len(architecture.dilations)
        yield "encoder.summary.kernels", (n_banks, TAPS * architecture.n_channels, N_FILTERS)
        yield "encoder.summary.biases", (n_banks, N_FILTERS)
        yield "encoder.summary.projection", (n_banks * N_FILTERS, architecture.n_summary)
        yield "encoder.summary.center", (architecture.n_summary,)


def _decoder(architecture: Architecture) -> Iterator[Weight]:
    width = architecture.n_learned
    n_outputs = architecture.patch_size * architecture.n_channels
    if architecture.decoder == "dense":
        n_outputs *= architecture.n_patches
    elif architecture.decoder == "repeat":
        width += 2 * len(POSITION_RATES)
    elif architecture.decoder == "reshape":
        width = -(-width // architecture.n_patches)
    else:
        width += n_outputs
    for i, units in enumerate(architecture.units[::-1]):
        if architecture.decoder == "dense":
            yield from _dense(f"decoder.hidden_{i}", width, units)
        else:
            yield from _recurrence(architecture, f"decoder.recurrence_{i}", width, units)
        width = units
    yield from _dense("decoder.values", width, n_outputs)


def _length(architecture: Architecture) -> Iterator[Weight]:
    if architecture.decodes_length:
        yield "length.location", ()
        yield "length.scale", ()
        yield from _dense("length.hidden", architecture.n_learned, LENGTH_UNITS)
        yield from _dense("length.output", LENGTH_UNITS, 1)


def _recurrence(architecture: Architecture, name: str, width: int, units: int) -> Iterator[Weight]:
    n_gates = 4 if architecture.cell == "lstm" else 3
    yield f"{name}.kernel", (width, n_gates * units)
    yield f"{name}.recurrent_kernel", (units, n_gates * units)
    yield f"{name}.bias", (n_gates * units,) if n_gates == 4 else (2, n_gates * units)


def _dense(name: str, width: int, n_outputs: int) -> Iterator[Weight]:
    yield f"{name}.kernel", (width, n_outputs)
    yield f"{name}.bias", (n_outputs,)
