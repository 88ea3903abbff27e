"""A trained network: its weights, and encoding and decoding with them, sequence by sequence."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from joblib import cpu_count
from keras import ops
from numpy.typing import NDArray

from .architecture import Architecture
from .batching import Chunk, canonical_order, inference_batches, pad
from .cache import programs
from .program import InferenceProgram, backend
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

    def run(chunk: Chunk) -> None:
        width = fixed or backend().array_width(chunk.width, architecture.patch_size)
        batch = ops.convert_to_tensor(pad(sequences, chunk.rows, width))
        real = chunk.rows >= 0
        codes[chunk.rows[real]] = ops.convert_to_numpy(program.encode(weights, batch))[real]

    _for_each(run, inference_batches(sequences.lengths, order, architecture.patch_size))
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

    def run(chunk: Chunk) -> None:
        width = backend().array_width(chunk.width, architecture.patch_size)
        width = width if limit is None else min(width, limit)
        real = chunk.rows >= 0
        rows = chunk.rows[real]
        batch = np.zeros((len(chunk.rows), codes.shape[1]), dtype=np.float32)
        batch[real] = codes[rows]
        written = program.decode(weights, ops.convert_to_tensor(batch), width)
        steps = np.arange(width) < lengths[rows, None]
        positions = (offsets[rows, None] + np.arange(width))[steps]
        values[positions] = ops.convert_to_numpy(written)[real][steps]

    _for_each(run, inference_batches(lengths, order, architecture.patch_size))
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
    program = _program(architecture)
    lengths = ops.convert_to_numpy(program.lengths(_weights(model), ops.convert_to_tensor(codes)))
    limit = architecture.max_decoded_steps or 2 * architecture.n_steps
    return np.clip(np.rint(lengths), 0, limit).astype(np.int64)


def _for_each(run: Callable[[Chunk], None], chunks: list[Chunk]) -> None:
    """Run batches side by side, as each is a chain of small steps that fill one core at most."""
    n_threads = min(len(chunks), cpu_count())
    if n_threads == 1:
        run(chunks[0])
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(run, chunks))


def _weights(model: keras.Model) -> list[Any]:
    return [ops.convert_to_tensor(variable) for variable in model.variables]


def _program(architecture: Architecture) -> Any:
    computed = architecture.without_lengths()
    return programs.share((InferenceProgram, computed), lambda: InferenceProgram(computed))
