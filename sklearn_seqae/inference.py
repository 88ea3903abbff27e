"""A trained network: its weights, and encoding and decoding with them, sequence by sequence."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from .architecture import Architecture
from .batching import canonical_order, inference_batches, pad
from .program import InferenceProgram, programs
from .sequences import Sequences


def encode(
    model: keras.Model, architecture: Architecture, sequences: Sequences
) -> NDArray[np.float32]:
    """Return the codes (n_sequences, n_components) of scaled sequences."""
    codes = np.empty((len(sequences), architecture.n_components), dtype=np.float32)
    weights = _weights(model)
    fixed = model.get_layer("encoder").input_shape[1]
    program = _program(architecture)
    order = canonical_order(sequences)
    for chunk in inference_batches(sequences.lengths, order, architecture.patch_size):
        batch = pad(sequences, chunk.rows, fixed or chunk.width)
        real = chunk.rows >= 0
        codes[chunk.rows[real]] = program.encode(weights, ops.convert_to_tensor(batch)).numpy()[
            real
        ]
    return codes


def decode(
    model: keras.Model,
    architecture: Architecture,
    codes: NDArray[np.float32],
    lengths: NDArray[np.int64],
) -> Sequences:
    """Return the scaled sequences of these lengths that the codes stand for.

    Steps beyond the last one that the decoder can write are NaN.
    """
    order = np.argsort(lengths, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.full((offsets[-1], architecture.n_channels), np.nan, dtype=np.float32)
    limit = architecture.max_decoded_steps
    weights = _weights(model)
    program = _program(architecture)
    for chunk in inference_batches(lengths, order, architecture.patch_size):
        width = chunk.width if limit is None else min(chunk.width, limit)
        real = chunk.rows >= 0
        rows = chunk.rows[real]
        batch = np.zeros((len(chunk.rows), codes.shape[1]), dtype=np.float32)
        batch[real] = codes[rows]
        written = program.decode(
            weights, *map(ops.convert_to_tensor, (batch, np.int32(width)))
        ).numpy()[real]
        steps = np.arange(width) < lengths[rows, None]
        values[(offsets[rows, None] + np.arange(width))[steps]] = written[steps]
    return Sequences(values, offsets)


def decode_lengths(
    model: keras.Model, architecture: Architecture, codes: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return the number of steps that each code stands for.

    At most twice the longest seen in training, since a code from elsewhere (a cluster's centre, a
    sample) might stand for anything.
    """
    if not architecture.decodes_length:
        return np.full(len(codes), architecture.n_steps)
    lengths = _program(architecture).lengths(_weights(model), ops.convert_to_tensor(codes)).numpy()
    limit = architecture.max_decoded_steps or 2 * architecture.n_steps
    return np.clip(np.rint(lengths), 0, limit).astype(np.int64)


def _weights(model: keras.Model) -> list[Any]:
    return [ops.convert_to_tensor(variable) for variable in model.variables]


def _program(architecture: Architecture) -> Any:
    computed = architecture.without_lengths()
    return programs.share((InferenceProgram, computed), lambda: InferenceProgram(computed))
