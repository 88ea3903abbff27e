"""How programs run under torch: step by step, as nothing is compiled."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import torch
from keras import ops
from numpy.typing import NDArray

from .devices import refuse, strategy_in_scope
from .losses import N_SUMS

ALWAYS_COMPILES: bool | None = False
FLATTENS = False


def array_width(width: int, multiple: int) -> int:
    """Return the width of an array for sequences of up to `width` steps."""
    return width


@contextlib.contextmanager
def sharing(describe: Callable[[], str]) -> Iterator[tuple[()]]:
    """Yield no devices: networks are trained on one."""
    for found in (strategy_in_scope(), keras.distribution.distribution()):
        if found is not None:
            remedy = "use KERAS_BACKEND=jax with keras.distribution.DataParallel"
            refuse(found, "one device under KERAS_BACKEND=torch", remedy)
    yield ()


def training(program: Any, jit_compile: bool) -> Callable[..., NDArray[np.float32]]:
    """Return a function that takes one gradient step per batch."""
    variables = program.model.trainable_variables

    def step(batch: Any, lengths: Any) -> Any:
        with torch.enable_grad():
            sums = program.losses(batch, lengths, training=True)
            total = program.optimizer.scale_loss(program.objective(sums))
            values = [v.value for v in variables]
            gradients = torch.autograd.grad(total, values, allow_unused=True)
        program.optimizer.apply(list(gradients), variables)
        return sums

    return _over_batches(step)


def evaluation(program: Any) -> Callable[..., NDArray[np.float32]]:
    """Return a function that only sums up the losses of the batches."""
    return _over_batches(program.losses)


def inference(
    function: Callable[..., Any], variables: list[keras.Variable], shape: tuple, sized: bool = False
) -> Callable[..., Any]:
    """Return a fast form of `function`, of weights, an array and, if `sized`, a number of steps."""
    return torch.no_grad()(function)


def _over_batches(step: Callable[[Any, Any], Any]) -> Callable[..., NDArray[np.float32]]:
    """Return a function that runs `step` over the batches and sums up what it returns."""

    @torch.no_grad()
    def run(batches: Any, lengths: Any, n_batches: int) -> NDArray[np.float32]:
        batches, lengths = ops.convert_to_tensor(batches), ops.convert_to_tensor(lengths)
        sums = torch.zeros(N_SUMS, device=batches.device)
        for i in range(n_batches):
            sums += step(batches[i], lengths[i]).detach()
        return ops.convert_to_numpy(sums)

    return run
