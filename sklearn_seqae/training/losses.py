"""Losses and metrics over real values: padding and missing values count for nothing."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

Function = Callable[[Any, Any], Any]
# How many sums a program forms over a batch: those of `program.Totals`.
N_SUMS = 5
# Its logarithm is finite, and so small a one is not met in training, which would end there.
LEAST_PROBABILITY = 1e-12
# The functions of Keras that are the mean, over the last axis, of a loss of each value.
MEANS_OF_VALUES = {
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "hinge",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "squared_hinge",
}


def as_function(loss: Any) -> Function:
    """Return the function of (y_true, y_pred) that a loss computes before any reduction."""
    if not isinstance(loss, keras.losses.Loss):
        return loss
    if type(loss).call is keras.losses.MeanSquaredError.call:  # which calls a function
        return functools.partial(loss.fn, **loss._fn_kwargs)
    return loss.call


def is_mean_of_values(function: Function, n_channels: int, role: str = "loss") -> bool:
    """Tell whether the loss of a step is the mean of the losses of its values.

    Such a loss, as the squared error, is masked value by value; any other, as a cross-entropy over
    channels, only step by step. Which of Keras' functions are means is known. A function of the
    user's is called with steps of as many channels as the data have, and with their single values.
    """
    rng = np.random.default_rng(0)
    true, predicted = rng.uniform(0.1, 0.9, size=(2, 2, 3, n_channels)).astype(np.float32)
    try:
        whole = _apply(function, true, predicted)
    except Exception as error:  # whatever a user's function may raise
        raise ValueError(
            f"{role} must compare arrays (y_true, y_pred) of shape (batch, n_steps, "
            f"n_channels), but {_name(function)} failed on them ({error}): choose one that "
            "compares real numbers, for example 'mse'."
        ) from error
    if whole.shape != (2, 3):
        raise ValueError(
            f"{role} must give one number a step, shape (batch, n_steps), for arrays of shape "
            f"(batch, n_steps, n_channels), but {_name(function)} gave shape {whole.shape} for "
            f"(2, 3, {n_channels}): reduce over the last axis only."
        )
    if name := name_in_keras(function):
        return name in MEANS_OF_VALUES and getattr(function, "keywords", {}).get("axis", -1) == -1
    try:
        values = _apply(function, true[..., None], predicted[..., None])
    except Exception:  # it needs all channels, for example to weight each by its own weight
        return False
    return values.shape == true.shape and np.allclose(whole, values.mean(axis=-1), rtol=1e-4)


def name_in_keras(function: Any) -> str:
    """Return the name of a function of Keras, also in a partial; "" for any other function."""
    function = getattr(function, "func", function)
    name = getattr(function, "__name__", "")
    known = (getattr(module, name, None) for module in (keras.losses, keras.metrics))
    return name if any(function is one for one in known) else ""


def _name(function: Any) -> str:
    function = getattr(function, "func", function)
    return getattr(function, "__name__", type(function).__name__)


def _apply(function: Function, *arrays: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(function(*map(ops.convert_to_tensor, arrays)))


def category_groups(n_channels: int, category_widths: tuple[int, ...]) -> list[slice]:
    """Return where the one-hot values of each channel of categories lie, behind the numbers."""
    stops = n_channels - sum(category_widths) + np.cumsum(category_widths, dtype=int)
    return [slice(stop - width, stop) for stop, width in zip(stops, category_widths, strict=True)]


class MaskedLoss:
    """The sum of a Keras loss over what is real, and the number of real values (or steps).

    A category is one value, and its loss is the categorical cross-entropy.

    Parameters
    ----------
    loss : keras.losses.Loss or callable
        A Keras loss, or a function of (y_true, y_pred) that reduces over the last axis; of numbers.
    category_widths : tuple of int, default=()
        As in `Architecture`.
    n_numbers : int, default=1
        How many of the channels hold numbers. If none does, the loss is not looked at.
    """

    def __init__(
        self, loss: Any, category_widths: tuple[int, ...] = (), n_numbers: int = 1
    ) -> None:
        self.function = as_function(loss)
        self.by_value = n_numbers == 0 or is_mean_of_values(self.function, n_numbers)
        self.category_widths = category_widths

    def __call__(self, true: Any, predicted: Any) -> tuple[Any, Any]:
        """Return (sum, count) for `true` (batch, n_steps, n_channels) with NaN where nothing is."""
        if not self.category_widths:
            return self._of_numbers(true, predicted)
        groups = category_groups(true.shape[-1], self.category_widths)
        parts = [_cross_entropy(true[..., group], predicted[..., group]) for group in groups]
        n_numbers = groups[0].start
        if n_numbers:
            parts.append(self._of_numbers(true[..., :n_numbers], predicted[..., :n_numbers]))
        sums, counts = zip(*parts, strict=True)
        return sum(sums), sum(counts)

    def _of_numbers(self, true: Any, predicted: Any) -> tuple[Any, Any]:
        observed = ops.logical_not(ops.isnan(true))
        true = ops.where(observed, true, 0.0)
        if self.by_value:
            errors = self.function(true[..., None], predicted[..., None])
        else:
            observed = ops.all(observed, axis=-1)
            errors = self.function(true, predicted)
        count = ops.sum(ops.cast(observed, "float32"))
        return ops.sum(ops.where(observed, errors, 0.0)), count


def _cross_entropy(true: Any, predicted: Any) -> tuple[Any, Any]:
    """Return (sum, count) over categories that are not missing, of one-hot and probable ones."""
    observed = ops.logical_not(ops.isnan(true[..., 0]))
    hit = ops.sum(ops.where(observed[..., None], true, 0.0) * predicted, axis=-1)
    errors = -ops.log(ops.maximum(hit, LEAST_PROBABILITY))
    count = ops.sum(ops.cast(observed, "float32"))
    return ops.sum(ops.where(observed, errors, 0.0)), count


class MaskedMetric:
    """A Keras metric that sees real values only.

    Where there are categories, one that looks across channels sees these, channel by channel;
    others see the numbers or, where there are none, the one-hot values.

    Parameters
    ----------
    metric : keras.metrics.Metric
        Updated in place; its mean is over real values or, where it looks across channels (as the
        categorical accuracy does), over complete steps, or categories.
    n_channels : int
        Number of channels of the arrays that it sees, one-hot values included.
    category_widths : tuple of int, default=()
        As in `Architecture`.
    """

    def __init__(
        self, metric: keras.metrics.Metric, n_channels: int, category_widths: tuple[int, ...] = ()
    ) -> None:
        self.metric = metric
        self.category_widths = category_widths
        function = getattr(metric, "_fn", None)
        # One category alone does not show whether a metric looks across categories.
        width = max(2, *category_widths) if category_widths else n_channels
        self.across_channels = not (
            function in (None, keras.metrics.binary_accuracy)  # which reduces over no axis
            or is_mean_of_values(functools.partial(function, **metric._fn_kwargs), width, "metrics")
        )

    def update(self, true: Any, predicted: Any) -> None:
        """Add a batch: `true` (batch, n_steps, n_channels) with NaN where nothing is."""
        parts = [slice(None)]
        if self.category_widths:
            groups = category_groups(true.shape[-1], self.category_widths)
            parts = groups if self.across_channels else [slice(groups[0].start or None)]
        for part in parts:
            self._add(true[..., part], predicted[..., part])

    def _add(self, true: Any, predicted: Any) -> None:
        observed = ops.logical_not(ops.isnan(true))
        true = ops.where(observed, true, 0.0)
        if self.across_channels:
            observed = ops.all(observed, axis=-1)
        # One sample a step or a value: Keras' mean over the steps of a sample counts the padding.
        size = true.shape[-1] if self.across_channels else 1
        self.metric.update_state(
            ops.reshape(true, (-1, size)),
            ops.reshape(predicted, (-1, size)),
            sample_weight=ops.reshape(ops.cast(observed, "float32"), (-1,)),
        )
