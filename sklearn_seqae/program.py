"""Compiled programs, one per architecture and kept for the process, that any number of fits share.

A program owns a Keras model of its own and is lent the weights of others: tracing a graph costs
seconds and leaks memory, copying some weights does neither.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from .architecture import Architecture
from .networks import build, decode
from .objectives import MaskedLoss, MaskedMetric

# Batches run in one call. More would save little, and mix the widths less.
CHUNK_SIZE = 8
# What a decoded length's error weighs beside the reconstruction's. It is the absolute error in
# standard deviations (quadratic below one step): a squared one hardly tells neighbours apart.
LENGTH_WEIGHT = 0.1
MAX_CACHED = 16


def _trace(
    function: Callable[..., Any], signature: list[Any], jit_compile: bool = False
) -> Callable[..., Any]:
    """Trace a function once for every width, as the signature leaves sizes open.

    Under XLA each width is still compiled, when it first comes.
    """
    traced = tf.function(function, signature, autograph=False, jit_compile=jit_compile)
    return traced.get_concrete_function()


class Cache:
    """The most recently used programs that are idle, by key; safe for threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._idle: OrderedDict[Hashable, list[Any]] = OrderedDict()

    @contextmanager
    def lend(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Lend a program that has state; it comes back when the block ends.

        A second thread that wants the same one meanwhile gets one of its own.
        """
        with self._lock:
            idle = self._idle.get(key)
            program = idle.pop() if idle else None
        if program is None:
            program = make()
        yield program
        # Not taken back after an error: its state is unknown.
        with self._lock:
            self._put(key, program)

    def share(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return a program without state, which any number of threads may use at once."""
        with self._lock:
            idle = self._idle.pop(key, None)
            program = idle.pop() if idle else make()
            self._put(key, program)
        return program

    def _put(self, key: Hashable, program: Any) -> None:
        self._idle.setdefault(key, []).append(program)
        self._idle.move_to_end(key)
        while sum(map(len, self._idle.values())) > self.size:
            oldest = next(iter(self._idle))
            self._idle[oldest].pop()
            if not self._idle[oldest]:
                del self._idle[oldest]


programs = Cache(MAX_CACHED)


@dataclass
class Totals:
    """Sums over some batches, from which means over an epoch are formed."""

    loss: float = 0.0
    count: float = 0.0
    length_loss: float = 0.0
    n_sequences: float = 0.0

    def add(self, sums: NDArray[np.float32]) -> None:
        """Add what a program returned."""
        self.loss += float(sums[0])
        self.count += float(sums[1])
        self.length_loss += float(sums[2])
        self.n_sequences += float(sums[3])


class TrainingProgram:
    """Gradient steps and validation for one architecture, loss and optimizer, compiled once.

    Parameters
    ----------
    architecture : Architecture
    loss : MaskedLoss
    metrics : list of MaskedMetric
    optimizer : keras.optimizers.Optimizer
        Owned by the program from here on.
    jit_compile : bool
        Whether XLA compiles the steps (each width once).
    """

    def __init__(
        self,
        architecture: Architecture,
        loss: MaskedLoss,
        metrics: list[MaskedMetric],
        optimizer: keras.optimizers.Optimizer,
        jit_compile: bool,
    ) -> None:
        self.architecture = architecture
        self.loss = loss
        self.metrics = metrics
        self.model = build(architecture, seed=0)
        self.model.compile(optimizer=optimizer)
        self.optimizer = optimizer
        optimizer.build(self.model.trainable_variables)
        _, self._fresh_state = self.state()
        for metric in metrics:  # creates the variables, which a compiled function must not
            shape = (1, 1, architecture.n_channels)
            metric.update(ops.full(shape, np.nan), ops.zeros(shape))
        signature = [
            tf.TensorSpec([None, None, None, architecture.n_channels], tf.float32),
            tf.TensorSpec([None, None], tf.float32),
            tf.TensorSpec([], tf.int32),
        ]
        self._train = _trace(self._run(self._train_step), signature, jit_compile)
        # Traced when first needed: a fit that holds nothing out saves the time.
        self._evaluate = cache(lambda: _trace(self._run(self._losses), signature))

    def load(self, weights: list[NDArray], optimizer_state: list[NDArray] | None) -> None:
        """Take over the weights of a model of this architecture.

        The optimizer starts afresh without a state, or with one that is not of its shapes.
        """
        self.model.set_weights(weights)
        variables = self._optimizer_variables()
        shapes = [tuple(v.shape) for v in variables]
        if optimizer_state is None or [v.shape for v in optimizer_state] != shapes:
            optimizer_state = self._fresh_state
        for variable, value in zip(variables, optimizer_state, strict=True):
            variable.assign(value)
        for metric in self.metrics:
            metric.metric.reset_state()  # a fit may have been interrupted within an epoch

    def state(self) -> tuple[list[NDArray], list[NDArray]]:
        """Return the weights, and the optimizer's moments and step count, as `load` takes them."""
        variables = self._optimizer_variables()
        return self.model.get_weights(), [variable.numpy() for variable in variables]

    def train(
        self, batches: NDArray[np.float32], lengths: NDArray[np.float32], n_batches: int
    ) -> NDArray:
        """Take one gradient step per batch and return the sums for `Totals`.

        Parameters
        ----------
        batches : ndarray of shape (>= n_batches, batch_size, width, n_channels)
            NaN where nothing is.
        lengths : ndarray of shape (>= n_batches, batch_size)
            True lengths; -1 in rows that fill up a batch.
        n_batches : int
            How many of the batches to run.
        """
        return self._train(*map(tf.constant, (batches, lengths, n_batches))).numpy()

    def evaluate(
        self, batches: NDArray[np.float32], lengths: NDArray[np.float32], n_batches: int
    ) -> NDArray:
        """Return the sums for `Totals` as the decoder writes on its own, without teacher."""
        return self._evaluate()(*map(tf.constant, (batches, lengths, n_batches))).numpy()

    def _optimizer_variables(self) -> list[Any]:
        return [v for v in self.optimizer.variables if v is not self.optimizer._learning_rate]

    def _run(self, step: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
        """Return a function that runs `step` over the batches and sums up what it returns."""

        def run(batches: Any, lengths: Any, n_batches: Any) -> Any:
            return tf.while_loop(
                lambda i, sums: i < n_batches,
                lambda i, sums: (i + 1, sums + step(batches[i], lengths[i])),
                (0, tf.zeros(4)),
                parallel_iterations=1,
            )[1]

        return run

    def _train_step(self, batch: Any, lengths: Any) -> Any:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            sums = self._losses(batch, lengths, training=True)
            loss, count, length_loss, n_sequences = tf.unstack(sums)
            total = loss / tf.maximum(count, 1.0)
            total += LENGTH_WEIGHT * length_loss / tf.maximum(n_sequences, 1.0)
        gradients = tape.gradient(total, [v.value for v in variables])
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        self.optimizer.apply([g for g, _ in pairs], [v for _, v in pairs])
        return sums

    def _losses(self, batch: Any, lengths: Any, training: bool = False) -> Any:
        code = self.model.get_layer("encoder")(batch, training=training)
        teacher = ops.where(ops.isnan(batch), 0.0, batch) if training else None
        decoder = self.model.get_layer("decoder")
        n_real = tf.cast(tf.reduce_max(tf.maximum(lengths, 0.0)), tf.int32)
        n_steps = ops.shape(batch)[1]
        predicted = decode(decoder, self.architecture, code, n_steps, n_real, teacher)
        for metric in self.metrics:
            metric.update(batch, predicted)
        loss, count = self.loss(batch, predicted)
        length_loss, n_sequences = tf.constant(0.0), tf.constant(0.0)
        if self.architecture.decodes_length:
            model = self.model.get_layer("length")
            error = tf.abs(model(code) - lengths)
            real = tf.cast(lengths >= 0, tf.float32)
            huber = tf.where(error < 1.0, 0.5 * error**2, error - 0.5)
            huber /= model.get_layer("steps").scale
            length_loss, n_sequences = tf.reduce_sum(huber * real), tf.reduce_sum(real)
        return tf.stack([loss, count, length_loss, n_sequences])


class InferenceProgram:
    """Encoding and decoding for one architecture; the weights are arguments.

    It has no state, so threads may share it.
    """

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.model = build(architecture, seed=0)
        weights = [tf.TensorSpec(v.shape, v.dtype) for v in self.model.variables]
        batch = tf.TensorSpec([None, None, architecture.n_channels], tf.float32)
        codes = tf.TensorSpec([None, architecture.n_components], tf.float32)
        n_steps = tf.TensorSpec([], tf.int32)
        self.encode = _trace(self._encode, [weights, batch])
        self.decode = _trace(self._decode, [weights, codes, n_steps])
        if architecture.decodes_length:
            self.lengths = _trace(self._lengths, [weights, codes])

    def _lend(self, weights: list[Any]) -> keras.StatelessScope:
        return keras.StatelessScope(zip(self.model.variables, weights, strict=True))

    def _encode(self, weights: list[Any], batch: Any) -> Any:
        with self._lend(weights):
            return self.model.get_layer("encoder")(batch, training=False)

    def _decode(self, weights: list[Any], codes: Any, n_steps: Any) -> Any:
        with self._lend(weights):
            decoder = self.model.get_layer("decoder")
            return decode(decoder, self.architecture, codes, n_steps)

    def _lengths(self, weights: list[Any], codes: Any) -> Any:
        with self._lend(weights):
            return self.model.get_layer("length")(codes)
