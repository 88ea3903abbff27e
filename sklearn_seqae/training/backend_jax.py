"""How programs run under JAX: as pure functions of all variables, compiled once per array shape."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from .devices import fill_up, refuse, strategy_in_scope
from .losses import N_SUMS

ALWAYS_COMPILES: bool | None = True
FLATTENS = False


def array_width(width: int, multiple: int) -> int:
    """Return the width of an array for sequences of up to `width` steps; few differ."""
    return multiple * 2 ** (-(-width // multiple) - 1).bit_length()


@contextlib.contextmanager
def sharing(describe: Callable[[], str]) -> Iterator[tuple[Any, ...]]:
    """Yield the devices of the distribution that Keras has, none without one.

    They may be those of several processes, each of which fits the same estimator to the same data.
    """
    expected = "keras.distribution.DataParallel"
    if (strategy := strategy_in_scope()) is not None:
        refuse(strategy, expected, "tf.distribute does nothing under KERAS_BACKEND=jax")
    distribution = keras.distribution.distribution()
    if distribution is None:
        yield ()
        return
    if type(distribution) is not keras.distribution.DataParallel:
        refuse(distribution, expected, "each device has room for a whole network")
    if jax.process_count() > 1:
        digests = process_allgather(np.frombuffer(describe().encode(), np.uint8))
        if np.any(digests != digests[0]):
            raise ValueError(
                "Expected the same fit in every process, got other data, parameters or seeds in "
                "some: give each process all of X, and the same random_state."
            )
    yield tuple(distribution.device_mesh.backend_mesh.devices.flat)


def training(program: Any, jit_compile: bool) -> Callable[..., NDArray[np.float32]]:
    """Return a function that takes one gradient step per batch."""
    trainable = program.model.trainable_variables
    others = program.model.non_trainable_variables + _metric_variables(program)

    own = program.optimizer.variables  # a scale of the loss is one of them

    def objective(
        weights: list[Any], values: list[Any], moments: list[Any], batch: Any, lengths: Any
    ) -> Any:
        with _lent(trainable + others + own, weights + values + moments) as scope:
            sums = program.losses(batch, lengths, training=True)
            total = program.optimizer.scale_loss(program.objective(sums))
        return total, (sums, [scope.get_current_value(v) for v in others])

    gradient_of = jax.value_and_grad(objective, has_aux=True)

    def step(state: list[list[Any]], batch: Any, lengths: Any) -> tuple[list[list[Any]], Any]:
        weights, values, moments = state
        (_, (sums, values)), gradients = gradient_of(weights, values, moments, batch, lengths)
        weights, moments = program.optimizer.stateless_apply(moments, gradients, weights)
        return [weights, values, moments], sums

    return _over_batches(step, [trainable, others, own], program.devices)


def evaluation(program: Any) -> Callable[..., NDArray[np.float32]]:
    """Return a function that only sums up the losses of the batches."""
    weights, metrics = program.model.variables, _metric_variables(program)

    def step(state: list[list[Any]], batch: Any, lengths: Any) -> tuple[list[list[Any]], Any]:
        with _lent(weights + metrics, state[0] + state[1]) as scope:
            sums = program.losses(batch, lengths)
        return [state[0], [scope.get_current_value(v) for v in metrics]], sums

    return _over_batches(step, [weights, metrics], program.devices)


def inference(
    function: Callable[..., Any], variables: list[keras.Variable], shape: tuple, sized: bool = False
) -> Callable[..., Any]:
    """Return a fast form of `function`, of weights, an array and, if `sized`, a number of steps."""
    return jax.jit(function, static_argnums=2 if sized else None)


def _over_batches(
    step: Callable[..., tuple[list[list[Any]], Any]],
    variables: list[list[keras.Variable]],
    devices: tuple[Any, ...],
) -> Callable[..., NDArray[np.float32]]:
    """Return a function that runs `step` over the batches and sums up what it returns.

    `step` takes and returns the values of `variables`, which the function updates. Where several
    devices have some of the rows each, XLA has them exchange what sums over rows need.
    """
    rows = everywhere = None
    if len(devices) > 1:
        mesh = Mesh(np.array(devices), ("rows",))
        rows = NamedSharding(mesh, PartitionSpec(None, "rows"))
        everywhere = NamedSharding(mesh, PartitionSpec())

    @functools.partial(jax.jit, out_shardings=everywhere)
    def run(state: list[list[Any]], batches: Any, lengths: Any, n_batches: Any) -> Any:
        def body(i: Any, carry: tuple[list[list[Any]], Any]) -> tuple[list[list[Any]], Any]:
            state, sums = step(carry[0], batches[i], lengths[i])
            return state, carry[1] + sums

        return jax.lax.fori_loop(0, n_batches, body, (state, jax.numpy.zeros(N_SUMS)))

    def run_and_assign(batches: Any, lengths: Any, n_batches: int) -> NDArray[np.float32]:
        if rows is not None:
            shared = fill_up(batches, lengths, len(devices))
            batches, lengths = (_shared(array, rows) for array in shared)
        state = [[variable.value for variable in group] for group in variables]
        state, sums = run(state, batches, lengths, n_batches)
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return np.asarray(sums)

    return run_and_assign


def _shared(array: NDArray[np.float32], sharding: Any) -> Any:
    return jax.make_array_from_callback(array.shape, sharding, array.__getitem__)


def _lent(variables: list[keras.Variable], values: list[Any]) -> Any:
    return keras.StatelessScope(zip(variables, values, strict=True), collect_losses=True)


def _metric_variables(program: Any) -> list[keras.Variable]:
    return [variable for masked in program.metrics for variable in masked.metric.variables]
