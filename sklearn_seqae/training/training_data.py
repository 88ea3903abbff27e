"""What a fit runs over: sequences in their buckets, from memory or from a stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.registry import Sequences
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.batching import (
    Chunk,
    bucket_widths,
    compiled_widths,
    epoch_chunks,
    inference_batches,
    pad,
)

from .program import CHUNK_SIZE, backend

# Recurrent steps for each array shape from which on XLA is asked for: docs/design tells what it
# saves and costs. An LSTM has a fast operation without it.
XLA_PAYS_AFTER_STEPS = {"lstm": 8000, "gru": 4000}
# What a step multiplies, batch_size * units ** 2, up to which they hold. Of larger steps XLA saves
# more, up to eight times as much.
SMALL_STEP = 2**17


@dataclass(frozen=True)
class Stream:
    """Sequences to train on, pool by pool.

    Parameters
    ----------
    n_sequences : int
    pools : callable
        Returns an iterator of scaled `Sequences`, for the generator of an epoch.
    """

    n_sequences: int
    pools: Callable[[np.random.Generator], Iterator[Sequences]]


@dataclass(frozen=True)
class TrainingData:
    """What a fit runs over: the sequences in their buckets, and how these are computed."""

    training: Sequences
    validation: Sequences
    held_out: NDArray[np.int64]  # which of all sequences those of `validation` are
    batch_size: int
    widths: NDArray[np.int64]
    jit_compile: bool
    architecture: Architecture
    stream: Stream | None = None  # of which `training` is a sample

    @classmethod
    def split(
        cls,
        sequences: Sequences,
        split: tuple[NDArray[np.int64], NDArray[np.int64]],
        settings: Any,
        architecture: Architecture,
        fixed_steps: int | None,
        stream: Stream | None = None,
    ) -> Self:
        """Hold sequences out, choose the widths, and decide whether XLA repays its compilation."""
        chosen, held_out = split
        patch_size = architecture.patch_size
        training, validation = sequences.take(chosen), sequences.take(held_out)
        # Few sequences fill a batch of a power of two, so that folds of them share its shape.
        batch_size = min(settings.batch_size, 1 << (len(training) - 1).bit_length())
        if fixed_steps is None:
            widths = bucket_widths(sequences.lengths, batch_size, patch_size)
        else:  # a user's encoder wants just that
            widths = np.array([fixed_steps])
        jit_compile = backend().ALWAYS_COMPILES
        if jit_compile is None:
            jit_compile = settings.jit_compile
        if jit_compile == "auto":
            chunks = epoch_chunks(training.lengths, widths, batch_size, 1, None)
            n_steps = settings.epochs * sum(chunk.width for chunk in chunks) / patch_size
            if stream is not None:
                n_steps *= stream.n_sequences / len(training)
            n_shapes = len(np.unique(compiled_widths(widths)))
            work = batch_size * sum(units**2 for units in architecture.units)
            saved = n_steps * np.clip(work / SMALL_STEP, 1, 8)
            jit_compile = saved > XLA_PAYS_AFTER_STEPS[architecture.cell] * n_shapes
        xla = bool(jit_compile)
        return cls(training, validation, held_out, batch_size, widths, xla, architecture, stream)

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch; of a stream about that."""
        if self.stream is not None:
            return -(-self.stream.n_sequences // self.batch_size)
        return sum(len(chunk.rows) for chunk in self.training_chunks(None))

    def training_batches(self, rng: np.random.Generator) -> Iterator[tuple[Sequences, Chunk]]:
        """Yield an epoch's batches, beside the sequences that they are of."""
        pools = iter([self.training]) if self.stream is None else self.stream.pools(rng)
        for sequences in pools:
            for chunk in self._training_chunks(sequences, rng):
                yield sequences, chunk

    def training_chunks(self, rng: np.random.Generator | None) -> list[Chunk]:
        """Return the batches of a pass over `training`."""
        return self._training_chunks(self.training, rng)

    def _training_chunks(
        self, sequences: Sequences, rng: np.random.Generator | None
    ) -> list[Chunk]:
        shapes = compiled_widths(self.widths) if self.jit_compile else self.widths
        return self._chunks(sequences, rng, shapes)

    def validation_chunks(self) -> list[Chunk]:
        """Return the batches of a validation pass.

        On TensorFlow it is never compiled, so that any shape will do: as few batches as sequences
        of similar lengths make. A user's own models have the batches that they were given.
        """
        if backend().ALWAYS_COMPILES:
            return self._chunks(self.validation, None, compiled_widths(self.widths))
        if not self.architecture.is_built_in:
            return self._chunks(self.validation, None, self.widths)
        lengths = self.validation.lengths
        order = np.argsort(lengths, kind="stable")
        units = max(self.architecture.units)
        found = inference_batches(lengths, order, self.architecture.patch_size, units)
        return [Chunk(chunk.width, chunk.rows[None]) for chunk in found]

    def _chunks(
        self, sequences: Sequences, rng: np.random.Generator | None, shapes: NDArray[np.int64]
    ) -> list[Chunk]:
        lengths, size = sequences.lengths, self.batch_size
        chunks = epoch_chunks(lengths, self.widths, size, CHUNK_SIZE, rng, shapes)
        # A layer of the user's own may look across a batch, as BatchNormalization does, so that no
        # rows may fill it up.
        if self.architecture.is_built_in:
            return chunks
        return [part for chunk in chunks for part in chunk.without_filling()]

    def load(
        self, sequences: Sequences, chunk: Chunk
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
        """Return what a program takes: padded batches, their lengths, and how many there are."""
        rows = chunk.rows
        is_compiled = self.jit_compile and sequences is not self.validation
        if is_compiled:  # as every number of batches would be
            missing = CHUNK_SIZE - len(rows)
            rows = np.pad(rows, [(0, missing), (0, 0)], constant_values=-1)
        lengths = np.where(rows >= 0, sequences.lengths[rows], -1).astype(np.float32)
        return pad(sequences, rows, chunk.width), lengths, len(chunk.rows)
