"""How programs run under TensorFlow: as traced graphs, compiled by XLA where that is asked for."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .losses import N_SUMS

ALWAYS_COMPILES: bool | None = None
FLATTENS = True  # whether training may act on one array of all weights


def array_width(width: int, multiple: int) -> int:
    """Return the width of an array for sequences of up to `width` steps."""
    return width


def training(program: Any, jit_compile: bool) -> Callable[..., NDArray[np.float32]]:
    """Return a function that takes one gradient step per batch."""
    variables = program.model.trainable_variables

    def step(batch: Any, lengths: Any) -> Any:
        with tf.GradientTape() as tape:
            sums = program.losses(batch, lengths, training=True)
            total = program.optimizer.scale_loss(program.objective(sums))
        gradients = tape.gradient(total, [v.value for v in variables])
        program.optimizer.apply(gradients, variables)
        return sums

    run = step if program.flat is None else _on_flat(program)
    n_channels = program.architecture.n_channels
    return _over_batches(run, n_channels, jit_compile, variables, program.flat)


def _on_flat(program: Any) -> Callable[[Any, Any], Any]:
    """Return a gradient step on one array of all weights, lent to the layers in pieces.

    An optimizer is then a dozen operations in place of a hundred, which is a quarter of what XLA
    has to compile for a small network.
    """
    variables = program.model.trainable_variables
    sizes = [math.prod(v.shape) for v in variables]
    others = program.model.non_trainable_variables
    others = others + [v for masked in program.metrics for v in masked.metric.variables]

    def step(batch: Any, lengths: Any) -> Any:
        flat = tf.convert_to_tensor(program.flat)
        with tf.GradientTape() as tape:
            tape.watch(flat)
            pieces = tf.split(flat, sizes)
            lent = [(v, tf.reshape(p, v.shape)) for v, p in zip(variables, pieces, strict=True)]
            with keras.StatelessScope(lent) as scope:
                sums = program.losses(batch, lengths, training=True)
                total = program.optimizer.scale_loss(program.objective(sums))
        program.optimizer.apply([tape.gradient(total, flat)], [program.flat])
        for variable in others:  # a scope keeps what was assigned within it
            value = scope.get_current_value(variable)
            if value is not None:
                variable.assign(value)
        return sums

    return step


def evaluation(program: Any) -> Callable[..., NDArray[np.float32]]:
    """Return a function that only sums up the losses of the batches."""
    return _over_batches(program.losses, program.architecture.n_channels)


def inference(
    function: Callable[..., Any], variables: list[keras.Variable], shape: tuple, sized: bool = False
) -> Callable[..., Any]:
    """Return a fast form of `function`, of weights, an array and, if `sized`, a number of steps."""
    signature: list[Any] = [
        [tf.TensorSpec(v.shape, v.dtype) for v in variables],
        tf.TensorSpec(shape, tf.float32),
    ]
    if not sized:
        return _trace(function, signature)
    traced = _trace(function, [*signature, tf.TensorSpec([], tf.int32)])
    return lambda weights, x, n_steps: traced(weights, x, np.int32(n_steps))


def _over_batches(
    step: Callable[[Any, Any], Any],
    n_channels: int,
    jit_compile: bool = False,
    variables: Sequence[keras.Variable] = (),
    flat: keras.Variable | None = None,
) -> Callable[..., NDArray[np.float32]]:
    """Return a function that runs `step` over the batches and sums up what it returns.

    With `flat`, steps act on that array in place of `variables`, which are read before the first
    and written after the last one.
    """

    def run(batches: Any, lengths: Any, n_batches: Any) -> Any:
        if flat is not None:
            flat.assign(tf.concat([tf.reshape(v, [-1]) for v in variables], axis=0))
        sums = tf.while_loop(
            lambda i, sums: i < n_batches,
            lambda i, sums: (i + 1, sums + step(batches[i], lengths[i])),
            (0, tf.zeros(N_SUMS)),
            parallel_iterations=1,
        )[1]
        if flat is not None:
            pieces = tf.split(flat, [math.prod(v.shape) for v in variables])
            for variable, piece in zip(variables, pieces, strict=True):
                variable.assign(tf.reshape(piece, variable.shape))
        return sums

    signature = [
        tf.TensorSpec([None, None, None, n_channels], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([], tf.int32),
    ]
    traced = _trace(run, signature, jit_compile)
    return lambda *arrays: traced(*map(tf.constant, arrays)).numpy()


def _trace(
    function: Callable[..., Any], signature: list[Any], jit_compile: bool = False
) -> Callable[..., Any]:
    """Trace a function once for every width, as the signature leaves sizes open.

    Under XLA each width is still compiled, when it first comes.
    """
    traced = tf.function(function, signature, autograph=False, jit_compile=jit_compile)
    return traced.get_concrete_function()
