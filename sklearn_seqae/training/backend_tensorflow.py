"""How programs run under TensorFlow: as traced graphs, compiled by XLA where that is asked for."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sklearn_seqae.network.block_lstm import in_plain_graph

from .devices import fill_up, refuse
from .losses import N_SUMS

ALWAYS_COMPILES: bool | None = None
FLATTENS = True  # whether training may act on one array of all weights


def array_width(width: int, multiple: int) -> int:
    """Return the width of an array for sequences of up to `width` steps."""
    return width


@contextlib.contextmanager
def sharing(describe: Callable[[], str]) -> Iterator[tuple[str, ...]]:
    """Yield the devices of the strategy in whose scope a fit is; none without one.

    Variables that are made within are on the first device, as without a strategy: Keras' optimizers
    clip the gradients of each replica before they add them up.
    """
    several = "use KERAS_BACKEND=jax with keras.distribution.DataParallel for several machines"
    distribution = keras.distribution.distribution()
    if distribution is not None:
        remedy = f"under TensorFlow keras.distribution does nothing; {several}"
        refuse(distribution, "the scope of tf.distribute.MirroredStrategy", remedy)
    if not tf.distribute.has_strategy():
        yield ()
        return
    strategy = tf.distribute.get_strategy()
    if type(strategy) not in (tf.distribute.MirroredStrategy, tf.distribute.OneDeviceStrategy):
        refuse(strategy, "tf.distribute.MirroredStrategy", several)
    devices = strategy.extended.worker_devices

    def make_variable(**arguments: Any) -> Any:
        with tf.device(devices[0]):
            return tf.Variable(**arguments)

    def make_outside(next_creator: Any, **arguments: Any) -> Any:
        return pool.submit(make_variable, **arguments).result()

    with ThreadPoolExecutor(1) as pool:  # a thread in which no scope is
        outside = pool.submit(tf.distribute.get_replica_context).result()
        with outside, tf.variable_creator_scope(make_outside), tf.device(devices[0]):
            yield devices


def training(program: Any, jit_compile: bool) -> Callable[..., NDArray[np.float32]]:
    """Return a function that takes one gradient step per batch."""
    variables = program.model.trainable_variables
    n_channels = program.architecture.n_channels
    if len(program.devices) > 1:
        run = _on_devices(program, jit_compile)
        steps = _over_batches(run, n_channels, False, variables, program.flat)
        return lambda batches, lengths, n_batches: steps(
            *fill_up(batches, lengths, len(program.devices)), n_batches
        )

    def step(batch: Any, lengths: Any) -> Any:
        with tf.GradientTape() as tape:
            sums = program.losses(batch, lengths, training=True)
            total = program.optimizer.scale_loss(program.objective(sums))
        gradients = tape.gradient(total, [v.value for v in variables])
        program.optimizer.apply(gradients, variables)
        return sums

    run = step if program.flat is None else _on_flat(program)
    return _over_batches(run, n_channels, jit_compile, variables, program.flat)


def _on_flat(program: Any) -> Callable[[Any, Any], Any]:
    """Return a gradient step on one array of all weights, lent to the layers in pieces.

    An optimizer is then a dozen operations in place of a hundred, which is a quarter of what XLA
    has to compile for a small network.
    """
    variables = program.model.trainable_variables
    others = program.model.non_trainable_variables + _metric_variables(program)

    def step(batch: Any, lengths: Any) -> Any:
        flat = tf.convert_to_tensor(program.flat)
        with tf.GradientTape() as tape:
            tape.watch(flat)
            lent = zip(variables, _pieces(flat, variables), strict=True)
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


def _on_devices(program: Any, jit_compile: bool) -> Callable[[Any, Any], Any]:
    """Return a gradient step of which each device computes its share, from some of the rows.

    The sums that the objective divides by are those of the whole batch, so that shares add up to
    its gradient. Metrics keep sums, too, as they have to under any strategy.
    """
    variables, fixed = program.model.trainable_variables, program.model.non_trainable_variables
    optimized = variables if program.flat is None else [program.flat]
    measured = _metric_variables(program)
    devices = program.devices

    def share(batch: Any, lengths: Any, whole: Any, values: Any, constants: Any) -> Any:
        count, n_sequences, scale = tf.unstack(whole)
        with tf.GradientTape() as tape:
            tape.watch(values)
            weights = values if program.flat is None else _pieces(values[0], variables)
            none = [tf.zeros(v.shape, v.dtype) for v in measured]
            lent = zip(variables + fixed + measured, [*weights, *constants, *none], strict=True)
            with keras.StatelessScope(lent) as scope:
                sums = program.losses(batch, lengths, training=True)
            loss, _, length_loss, _, added = tf.unstack(sums)
            of_whole = tf.stack([loss, count, length_loss, n_sequences, added])
            total = scale * program.objective(of_whole)
        zero = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(total, values, unconnected_gradients=zero)
        return [sums, *gradients, *(scope.get_current_value(v) for v in measured)]

    n_channels = program.architecture.n_channels
    signature: list[Any] = [
        tf.TensorSpec([None, None, n_channels], tf.float32),
        tf.TensorSpec([None], tf.float32),
        tf.TensorSpec([3], tf.float32),
        [tf.TensorSpec(v.shape, v.dtype) for v in optimized],
        [tf.TensorSpec(v.shape, v.dtype) for v in fixed],
    ]
    with tf.device(None):  # its place is that of the call
        traced = _trace(share, signature, jit_compile)

    def step(batch: Any, lengths: Any) -> Any:
        scale = program.optimizer.scale_loss(tf.ones(()))
        whole = tf.stack([*program.counts(batch, lengths), scale])
        values = [tf.convert_to_tensor(v) for v in optimized]
        constants = [tf.convert_to_tensor(v) for v in fixed]
        rows = [tf.split(array, len(devices)) for array in (batch, lengths)]
        shares = []
        for device, *share in zip(devices, *rows, strict=True):
            with tf.device(device):
                shares.append(traced(*share, whole, values, constants))
        sums, *found = [tf.add_n(parts) for parts in zip(*shares, strict=True)]
        program.optimizer.apply(found[: len(optimized)], optimized)
        for variable, value in zip(measured, found[len(optimized) :], strict=True):
            variable.assign_add(value)
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
            pieces = _pieces(tf.convert_to_tensor(flat), variables)
            for variable, piece in zip(variables, pieces, strict=True):
                variable.assign(piece)
        return sums

    signature = [
        tf.TensorSpec([None, None, None, n_channels], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([], tf.int32),
    ]
    traced = _trace(run, signature, jit_compile)
    return lambda *arrays: traced(*map(tf.constant, arrays)).numpy()


def _pieces(flat: Any, variables: Sequence[keras.Variable]) -> list[Any]:
    """Return the values of variables that one array has."""
    pieces = tf.split(flat, [math.prod(v.shape) for v in variables])
    return [tf.reshape(piece, v.shape) for piece, v in zip(pieces, variables, strict=True)]


def _metric_variables(program: Any) -> list[keras.Variable]:
    return [variable for masked in program.metrics for variable in masked.metric.variables]


def _trace(
    function: Callable[..., Any], signature: list[Any], jit_compile: bool = False
) -> Callable[..., Any]:
    """Trace a function once for every width, as the signature leaves sizes open.

    Under XLA each width is still compiled, when it first comes.
    """
    traced = tf.function(function, signature, autograph=False, jit_compile=jit_compile)
    token = in_plain_graph.set(not jit_compile)
    try:
        return traced.get_concrete_function()
    finally:
        in_plain_graph.reset(token)
