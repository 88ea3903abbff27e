"""Compiled programs, one per architecture and kept for the process, that any number of fits share.

A program owns a Keras model of its own and is lent the weights of others: tracing a graph costs
seconds and leaks memory, copying some weights does neither. What it computes is written here, once
for all backends of Keras; how it runs, in one module per backend, each with the same functions.
"""

import math
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.keras_network import (
    build,
    copy_length,
    decode,
    encode,
    named_variables,
    seed_states,
)
from sklearn_seqae.network.layer_specs import Weights

from .losses import MaskedLoss, MaskedMetric
from .optimizers import excludes, state_variables

# Batches run in one call. More would save little, and mix the widths less.
CHUNK_SIZE = 8
# What a decoded length's error weighs beside the reconstruction's. It is the absolute error in
# standard deviations (quadratic below one step): a squared one hardly tells neighbours apart.
LENGTH_WEIGHT = 0.1


def backend() -> ModuleType:
    """Return the module that runs programs under the backend that Keras has."""
    name = keras.backend.backend()
    if name == "tensorflow":
        from . import backend_tensorflow

        return backend_tensorflow
    if name == "jax":
        from . import backend_jax

        return backend_jax
    if name == "torch":
        from . import backend_torch

        return backend_torch
    raise ImportError(
        f"sklearn_seqae needs a backend of Keras that trains, but KERAS_BACKEND is {name!r}: set "
        "it to 'tensorflow', 'jax' or 'torch' before anything imports Keras."
    )


@dataclass
class Totals:
    """Sums over some batches, from which means over an epoch are formed."""

    loss: float = 0.0
    count: float = 0.0
    length_loss: float = 0.0
    n_sequences: float = 0.0
    added: float = 0.0  # each batch's as often as it has sequences

    def add(self, sums: NDArray[np.float32]) -> None:
        """Add what a program returned."""
        self.loss += float(sums[0])
        self.count += float(sums[1])
        self.length_loss += float(sums[2])
        self.n_sequences += float(sums[3])
        self.added += float(sums[4])

    @property
    def mean_added(self) -> float:
        """What the user's own models added to the loss."""
        return self.added / max(self.n_sequences, 1.0)

    @property
    def mean_loss(self) -> float:
        """The reconstruction's loss by real value, and what was added to it."""
        return self.loss / max(self.count, 1.0) + self.mean_added


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
        Whether XLA compiles the steps (each width once); JAX and torch know for themselves.
    devices : tuple
        What the backend's `sharing` yields: several devices have some rows of each batch.
    """

    def __init__(
        self,
        architecture: Architecture,
        loss: MaskedLoss,
        metrics: list[MaskedMetric],
        optimizer: keras.optimizers.Optimizer,
        jit_compile: bool,
        devices: tuple[Any, ...],
    ) -> None:
        self.architecture = architecture
        self.devices = devices
        self.loss = loss
        self.metrics = metrics
        self.model = build(architecture, seed=0)
        self._variables = named_variables(self.model)
        if _computes_in_half(self.model) and not hasattr(optimizer, "inner_optimizer"):
            raise ValueError(
                "encoder or decoder computes in float16, in which gradients become 0: give "
                "optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()), or build "
                "it under the policy 'mixed_bfloat16' or 'float32'."
            )
        self.model.compile(optimizer=optimizer, auto_scale_loss=False)
        self.optimizer = optimizer
        self.adds_losses = False  # until a batch says otherwise
        variables = self.model.trainable_variables
        self.flat: keras.Variable | None = None
        # A user's own layers have regularizers and constraints, which are of single variables.
        by_value = architecture.is_built_in and _acts_by_value(optimizer)
        if backend().FLATTENS and by_value:
            n_weights = sum(math.prod(variable.shape) for variable in variables)
            self.flat = keras.Variable(np.zeros(n_weights), dtype="float32", name="weights")
        optimizer.build(variables if self.flat is None else [self.flat])
        _, self._fresh_state = self.state()
        for metric in metrics:  # creates the variables, which a compiled function must not
            shape = (1, 1, architecture.n_channels)
            metric.update(*(ops.full(shape, value, "float32") for value in (np.nan, 0.0)))
        self._train = backend().training(self, jit_compile)
        # Compiled when first needed: a fit that holds nothing out saves the time.
        self._evaluate = cache(lambda: backend().evaluation(self))

    def load(self, weights: Weights, optimizer_state: list[NDArray] | None) -> None:
        """Take over the weights of a network of this architecture; there may be others beside them.

        The optimizer starts afresh without a state, or with one that is not of its shapes.
        """
        for name, variable in self._variables.items():
            variable.assign(weights[name])
        copy_length(self.model)
        variables = state_variables(self.optimizer)
        shapes = [tuple(v.shape) for v in variables]
        if optimizer_state is None or [v.shape for v in optimizer_state] != shapes:
            optimizer_state = self._fresh_state
        for variable, value in zip(variables, optimizer_state, strict=True):
            variable.assign(value)
        for metric in self.metrics:
            metric.metric.reset_state()  # a fit may have been interrupted within an epoch

    def state(self) -> tuple[Weights, list[NDArray]]:
        """Return the weights, and the optimizer's moments and step count, as `load` takes them."""
        variables = state_variables(self.optimizer)
        weights = {name: variable.numpy() for name, variable in self._variables.items()}
        return weights, [variable.numpy() for variable in variables]

    def finish(self) -> None:
        """Have the weights become their moving averages, if the optimizer keeps some."""
        if int(self.optimizer.iterations) > 0:  # else there are none yet
            self.optimizer.finalize_variable_values(self.model.trainable_variables)

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
        return self._train(batches, lengths, n_batches)

    def evaluate(
        self, batches: NDArray[np.float32], lengths: NDArray[np.float32], n_batches: int
    ) -> NDArray:
        """Return the sums for `Totals` as the decoder writes on its own, without teacher."""
        return self._evaluate()(batches, lengths, n_batches)

    def losses(self, batch: Any, lengths: Any, training: bool = False) -> Any:
        """Return the sums of one batch, as `Totals` adds them up, and update the metrics."""
        encoder = self.model.get_layer("encoder")
        shown, n_shown = hide_ends(batch, lengths, self.architecture.horizon)
        code = encode(encoder, self.architecture, shown, n_shown, training)
        teacher = ops.where(ops.isnan(batch), 0.0, batch) if training else None
        decoder = self.model.get_layer("decoder")
        n_real = ops.cast(ops.max(ops.maximum(lengths, 0.0)), "int32")
        n_steps = ops.shape(batch)[1]
        predicted = decode(decoder, self.architecture, code, n_steps, n_real, teacher, n_shown)
        if self.architecture.max_decoded_steps is not None:
            batch = batch[:, : ops.shape(predicted)[1]]  # behind it there is nothing to compare
        for metric in self.metrics:
            metric.update(batch, ops.stop_gradient(predicted))
        loss, count = self.loss(batch, predicted)
        real = ops.cast(lengths >= 0, "float32")
        length_loss, n_sequences = ops.zeros((), "float32"), ops.sum(real)
        if self.architecture.decodes_length:
            model = self.model.get_layer("length")
            error = ops.abs(model(code) - n_shown)
            huber = ops.where(error < 1.0, 0.5 * error**2, error - 0.5)
            huber = huber / model.get_layer("steps").scale
            length_loss = ops.sum(huber * real)
        added = ops.zeros((), "float32")  # by regularizers and `add_loss`
        for extra in self.model.losses:
            self.adds_losses = True
            added = added + ops.sum(ops.cast(extra, "float32"))
        return ops.stack([loss, count, length_loss, n_sequences, added * n_sequences])

    def counts(self, batch: Any, lengths: Any) -> tuple[Any, Any]:
        """Return the sums that `objective` divides by: numbers of real values and sequences."""
        compared = batch[:, : self.architecture.max_decoded_steps]
        _, count = self.loss(compared, ops.ones_like(compared))
        return count, ops.sum(ops.cast(lengths >= 0, "float32"))

    @staticmethod
    def objective(sums: Any) -> Any:
        """Return what training minimises."""
        loss, count, length_loss, n_sequences, added = ops.unstack(sums)
        by_sequence = (LENGTH_WEIGHT * length_loss + added) / ops.maximum(n_sequences, 1.0)
        return loss / ops.maximum(count, 1.0) + by_sequence


def hide_ends(batch: Any, lengths: Any, horizon: int) -> tuple[Any, Any]:
    """Return every other sequence without its last steps, and the lengths of what is left.

    Sequences of `horizon` steps or fewer stay whole.
    """
    if not horizon:
        return batch, lengths
    is_even = ops.arange(ops.shape(batch)[0]) % 2 == 0
    hides = ops.logical_and(is_even, lengths > horizon)
    n_shown = ops.where(hides, lengths - horizon, lengths)
    steps = ops.cast(ops.arange(ops.shape(batch)[1]), "float32")
    is_hidden = ops.logical_and(hides[:, None], steps[None] >= n_shown[:, None])
    return ops.where(is_hidden[..., None], np.nan, batch), n_shown


def _computes_in_half(model: keras.Model) -> bool:
    """Tell whether a layer with weights computes in float16; models and inputs compute nothing."""
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]
    return any(layer.weights and layer.compute_dtype == "float16" for layer in layers)


def _acts_by_value(optimizer: keras.optimizers.Optimizer) -> bool:
    """Tell whether a weight's update depends on its own gradient, and on the norm of them all.

    Moving averages of weights do, too, but are for callbacks and users to see.
    """
    kinds = keras.optimizers
    return type(optimizer) in (kinds.Adam, kinds.AdamW, kinds.RMSprop, kinds.SGD) and not (
        optimizer.clipnorm is not None or optimizer.use_ema or excludes(optimizer)
    )


def lent_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the variables of whose values an `InferenceProgram` is a function."""
    return [*model.weights, *seed_states(model)]


class InferenceProgram:
    """Encoding and decoding with an own model of the user's in it; the weights are arguments.

    It has no state, so threads may share it. The layers are those of `model`, whose weights it
    does not look at.
    """

    def __init__(self, model: keras.Model, architecture: Architecture) -> None:
        self.architecture = architecture
        self.model = model
        variables = lent_variables(model)
        batch = (None, None, architecture.n_channels)
        codes = (None, architecture.n_components)
        self.encode = backend().inference(self._encode, variables, batch)
        self.decode = backend().inference(self._decode, variables, codes, sized=True)
        if architecture.decodes_length:
            self.lengths = backend().inference(self._lengths, variables, codes)

    def _lend(self, weights: list[Any]) -> keras.StatelessScope:
        return keras.StatelessScope(zip(lent_variables(self.model), weights, strict=True))

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
