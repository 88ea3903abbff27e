"""How programs run under JAX: as pure functions of all variables, compiled once per array shape."""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from .losses import N_SUMS

ALWAYS_COMPILES: bool | None = True
FLATTENS = False


def array_width(width: int, multiple: int) -> int:
    """Return the width of an array for sequences of up to `width` steps; few differ."""
    return multiple * 2 ** (-(-width // multiple) - 1).bit_length()


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

    return _over_batches(step, [trainable, others, own])


def evaluation(program: Any) -> Callable[..., NDArray[np.float32]]:
    """Return a function that only sums up the losses of the batches."""
    weights, metrics = program.model.variables, _metric_variables(program)

    def step(state: list[list[Any]], batch: Any, lengths: Any) -> tuple[list[list[Any]], Any]:
        with _lent(weights + metrics, state[0] + state[1]) as scope:
            sums = program.losses(batch, lengths)
        return [state[0], [scope.get_current_value(v) for v in metrics]], sums

    return _over_batches(step, [weights, metrics])


def inference(
    function: Callable[..., Any], variables: list[keras.Variable], shape: tuple, sized: bool = False
) -> Callable[..., Any]:
    """Return a fast form of `function`, of weights, an array and, if `sized`, a number of steps."""
    return jax.jit(function, static_argnums=2 if sized else None)


def _over_batches(
    step: Callable[..., tuple[list[list[Any]], Any]], variables: list[list[keras.Variable]]
) -> Callable[..., NDArray[np.float32]]:
    """Return a function that runs `step` over the batches and sums up what it returns.

    `step` takes and returns the values of `variables`, which the function updates.
    """

    @jax.jit
    def run(state: list[list[Any]], batches: Any, lengths: Any, n_batches: Any) -> Any:
        def body(i: Any, carry: tuple[list[list[Any]], Any]) -> tuple[list[list[Any]], Any]:
            state, sums = step(carry[0], batches[i], lengths[i])
            return state, carry[1] + sums

        return jax.lax.fori_loop(0, n_batches, body, (state, jax.numpy.zeros(N_SUMS)))

    def run_and_assign(batches: Any, lengths: Any, n_batches: int) -> NDArray[np.float32]:
        state = [[variable.value for variable in group] for group in variables]
        state, sums = run(state, batches, lengths, n_batches)
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return np.asarray(sums)

    return run_and_assign


def _lent(variables: list[keras.Variable], values: list[Any]) -> Any:
    return keras.StatelessScope(zip(variables, values, strict=True), collect_losses=True)


def _metric_variables(program: Any) -> list[keras.Variable]:
    return [variable for masked in program.metrics for variable in masked.metric.variables]
