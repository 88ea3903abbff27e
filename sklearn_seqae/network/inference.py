"""Encoding and decoding sequences of any lengths, batch by batch, with whatever network."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.threads import n_threads, single_threaded
from sklearn_seqae.containers.registry import Sequences

from .architecture import Architecture
from .batching import Chunk, batches_of_steps, canonical_order, inference_batches, pad
from .minirocket import N_KERNELS

# So many sequences in one call are computed in float64, which takes little longer, as long as it is
# starting operations that takes the time. What is then rounded to float32 is the same for each of
# them, alone and beside the others; results in float32 differ in their last bits. scikit-learn's
# checks compare as many, to 1e-7.
FEW = 20
# Larger scaled values are read as this: sums of squares of them would overflow.
MOST_READ = 1e15
# Numbers in the states of an average step, from which on threads pay.
STATES_PER_THREAD = 16384


class Network(Protocol):
    """What encodes and decodes padded batches; NaN marks what is not there."""

    architecture: Architecture
    # Of all sequences of a batch, if it encodes such batches best, and few sequences one by one;
    # None if it encodes these in float64, and batches as wide as keep the states in the cache.
    steps_at_once: int | None

    @property
    def in_double(self) -> "Network":
        """The same network, computing in float64 if it can."""

    @property
    def decodes_alone(self) -> bool:
        """Whether it decodes few sequences one by one, rather than in float64."""

    def array_width(self, width: int) -> int:
        """Return the width of a batch of sequences of up to `width` steps."""

    def encode(self, batch: NDArray[np.float32], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the codes (n_rows, n_components) of (n_rows, n_steps, n_channels)."""

    def decode(
        self, codes: NDArray[np.float32], lengths: NDArray[np.int64], n_steps: int
    ) -> NDArray[np.float32]:
        """Return (n_rows, n_steps, n_channels), of which `lengths` are read."""

    def extend(
        self, codes: NDArray[np.float32], lengths: NDArray[np.int64], n_steps: int
    ) -> NDArray[np.float32]:
        """Return (n_rows, n_steps, n_channels) of which steps behind the lengths are read."""

    def lengths(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the number of steps that each code stands for, as real numbers (n_rows,)."""


def encode(network: Network, sequences: Sequences) -> NDArray[np.float32]:
    """Return the codes (n_sequences, n_components) of scaled sequences."""
    architecture = network.architecture
    codes = np.empty((len(sequences), architecture.n_components), dtype=np.float32)
    order, equals = canonical_order(sequences.lengths, sequences)

    def run(chunk: Chunk) -> None:
        batch = pad(sequences, chunk.rows, network.array_width(chunk.width))
        np.clip(batch, -MOST_READ, MOST_READ, out=batch)
        codes[chunk.rows] = network.encode(batch, sequences.lengths[chunk.rows])

    size, units, at_once = architecture.patch_size, max(architecture.units), network.steps_at_once
    if at_once is not None:
        if len(sequences) <= FEW:
            for chunk in batches_of_steps(sequences.lengths, order, size, 1):
                run(chunk)
        else:
            _for_each(run, batches_of_steps(sequences.lengths, order, size, at_once), True)
        return codes[equals]
    network = _suited(network, len(sequences))
    chunks = inference_batches(sequences.lengths, order, size, units)
    # Kernels take long operations.
    states = max(units, N_KERNELS) if architecture.n_summary else units
    _for_each(run, chunks, _has_long_steps(chunks, states))
    return codes[equals]


def decode(network: Network, codes: NDArray[np.float32], lengths: NDArray[np.int64]) -> Sequences:
    """Return the scaled sequences of these lengths that the codes stand for.

    Steps beyond the last one that the decoder can write are NaN.
    """
    architecture = network.architecture
    order, equals = canonical_order(lengths, codes)
    network, chunks = _for_decoding(network, lengths, order)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.full((offsets[-1], architecture.n_channels), np.nan, dtype=np.float32)
    limit = architecture.max_decoded_steps

    def run(chunk: Chunk) -> None:
        width = network.array_width(chunk.width)
        width = width if limit is None else min(width, limit)
        rows = chunk.rows
        written = network.decode(codes[rows], lengths[rows], width)
        steps = np.arange(width) < lengths[rows, None]
        positions = (offsets[rows, None] + np.arange(width))[steps]
        values[positions] = written[steps]

    _for_each(run, chunks, _has_long_steps(chunks, max(architecture.units)))
    return Sequences(values, offsets).take(equals)


def extend(
    network: Network, codes: NDArray[np.float32], lengths: NDArray[np.int64], horizon: int
) -> NDArray[np.float32]:
    """Return what the decoder writes after the end of scaled sequences of these lengths.

    Returns
    -------
    ndarray of shape (n_sequences, horizon, n_channels), dtype float32
    """
    architecture = network.architecture
    order, equals = canonical_order(lengths, codes)
    network, chunks = _for_decoding(network, lengths + horizon, order)
    ahead = np.empty((len(codes), horizon, architecture.n_channels), dtype=np.float32)
    limit = architecture.max_decoded_steps

    def run(chunk: Chunk) -> None:
        width = network.array_width(chunk.width)
        width = width if limit is None else min(width, limit)
        written = network.extend(codes[chunk.rows], lengths[chunk.rows], width)
        steps = lengths[chunk.rows, None] + np.arange(horizon)
        ahead[chunk.rows] = np.take_along_axis(written, steps[..., None], axis=1)

    _for_each(run, chunks, _has_long_steps(chunks, max(architecture.units)))
    return ahead[equals]


def decode_lengths(network: Network, codes: NDArray[np.float32], longest: int) -> NDArray[np.int64]:
    """Return the number of steps that each code stands for.

    At most twice the longest seen in training, `longest`, since a code from elsewhere (a cluster's
    centre, a sample) might stand for anything.
    """
    architecture = network.architecture
    if not architecture.decodes_length:
        return np.full(len(codes), architecture.n_steps)
    limit = architecture.max_decoded_steps or 2 * longest
    order, equals = canonical_order(np.zeros(len(codes), np.int64), codes)
    lengths = np.empty(len(codes), np.int64)
    predicted = _suited(network, len(codes)).lengths(codes[order])
    lengths[order] = np.clip(np.rint(predicted), 0, limit)
    return lengths[equals]


def _for_decoding(
    network: Network, lengths: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[Network, list[Chunk]]:
    """Return what decodes sequences of these lengths, and its batches."""
    size, units = network.architecture.patch_size, max(network.architecture.units)
    if network.decodes_alone and len(lengths) <= FEW:
        return network, batches_of_steps(lengths, order, size, 1)
    return _suited(network, len(lengths)), inference_batches(lengths, order, size, units)


def _suited(network: Network, n_sequences: int) -> Network:
    return network.in_double if n_sequences <= FEW else network


def _has_long_steps(chunks: list[Chunk], units: int) -> bool:
    """Tell whether the operations of NumPy in a step are so long that threads pay.

    Threads hand Python's lock to each other around every operation; where operations take a
    microsecond, that is all they would do.
    """
    return sum(len(chunk.rows) for chunk in chunks) / len(chunks) * units >= STATES_PER_THREAD


def _for_each(run: Callable[[Chunk], None], chunks: list[Chunk], side_by_side: bool) -> None:
    """Run batches, maybe side by side, in as many threads as may work for this one.

    This one is among them, as to start one takes as long as some batches.
    """
    n_others = min(len(chunks), n_threads()) - 1 if side_by_side else 0
    pending = iter(chunks)  # each thread takes the next

    def work() -> None:
        try:
            for chunk in pending:
                with single_threaded():
                    run(chunk)
        finally:  # after an error, or Ctrl-C, no thread takes another
            deque(pending, maxlen=0)

    with single_threaded():
        if not n_others:
            work()
            return
        with ThreadPoolExecutor(n_others) as pool:
            others = [pool.submit(work) for _ in range(n_others)]
            work()
        for other in others:
            other.result()
