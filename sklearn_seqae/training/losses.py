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


def acts_by_value(function: Function, n_channels: int, role: str = "loss") -> bool:
    """Tell whether a loss of a step is the mean of the losses of its values.

    So it is for a squared error, but not for a cross-entropy over channels. A loss of the first
    kind can be masked value by value, one of the second only step by step. Found out by trying, on
    steps of as many channels as the data have, and on their values one by one, which serves a
    user's own functions too.
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
    try:
        values = _apply(function, true[..., None], predicted[..., None])
    except Exception:  # it wants all channels, for example to weigh each by its own weight
        return False
    return values.shape == true.shape and np.allclose(whole, values.mean(axis=-1), rtol=1e-4)


def _apply(function: Function, *arrays: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(function(*map(ops.convert_to_tensor, arrays)))


def symbol_groups(n_channels: int, symbols: tuple[int, ...]) -> list[slice]:
    """Return where the one-hot values of each channel of symbols lie, behind the numbers."""
    stops = n_channels - sum(symbols) + np.cumsum(symbols, dtype=int)
    return [slice(stop - width, stop) for stop, width in zip(stops, symbols, strict=True)]


def _name(function: Any) -> str:
    function = getattr(function, "func", function)
    return getattr(function, "__name__", type(function).__name__)


class MaskedLoss:
    """The sum of a Keras loss over what is real, and the number of real values (or steps).

    A symbol is one value, and its loss is the categorical cross-entropy.

    Parameters
    ----------
    loss : keras.losses.Loss or callable
        A Keras loss, or a function of (y_true, y_pred) that reduces over the last axis; of numbers.
    symbols : tuple of int, default=()
        As in `Architecture`.
    n_numbers : int, default=1
        How many of the channels hold numbers. If none does, the loss is not looked at.
    """

    def __init__(self, loss: Any, symbols: tuple[int, ...] = (), n_numbers: int = 1) -> None:
        self.function: Function = loss.call if isinstance(loss, keras.losses.Loss) else loss
        self.by_value = n_numbers == 0 or acts_by_value(self.function, n_numbers)
        self.symbols = symbols

    def __call__(self, true: Any, predicted: Any) -> tuple[Any, Any]:
        """Return (sum, count) for `true` (batch, n_steps, n_channels) with NaN where nothing is."""
        if not self.symbols:
            return self._of_numbers(true, predicted)
        groups = symbol_groups(true.shape[-1], self.symbols)
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
    """Return (sum, count) over the symbols that are not missing, of one-hot and probable ones."""
    observed = ops.logical_not(ops.isnan(true[..., 0]))
    hit = ops.sum(ops.where(observed[..., None], true, 0.0) * predicted, axis=-1)
    errors = -ops.log(ops.maximum(hit, LEAST_PROBABILITY))
    count = ops.sum(ops.cast(observed, "float32"))
    return ops.sum(ops.where(observed, errors, 0.0)), count


class MaskedMetric:
    """A Keras metric that sees real values only.

    Where there are symbols, one that looks across channels sees these, channel by channel; others
    see the numbers or, where there are none, the one-hot values.

    Parameters
    ----------
    metric : keras.metrics.Metric
        Updated in place; its mean is over real values or, where it looks across channels (as the
        categorical accuracy does), over complete steps, or symbols.
    n_channels : int
        Number of channels of the arrays that it sees, one-hot values included.
    symbols : tuple of int, default=()
        As in `Architecture`.
    """

    def __init__(
        self, metric: keras.metrics.Metric, n_channels: int, symbols: tuple[int, ...] = ()
    ) -> None:
        self.metric = metric
        self.symbols = symbols
        function = getattr(metric, "_fn", None)
        # One symbol alone does not show whether a metric looks across symbols.
        width = max(2, *symbols) if symbols else n_channels
        self.across_channels = function is not None and not acts_by_value(
            functools.partial(function, **metric._fn_kwargs), width, "metrics"
        )

    def update(self, true: Any, predicted: Any) -> None:
        """Add a batch: `true` (batch, n_steps, n_channels) with NaN where nothing is."""
        parts = [slice(None)]
        if self.symbols:
            groups = symbol_groups(true.shape[-1], self.symbols)
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


def resolve_metric(metric: Any, n_channels: int) -> keras.metrics.Metric:
    """Return a fresh Keras metric for a name, class, function or instance.

    As in Keras, "accuracy" is the categorical one where there are several channels.
    """
    if isinstance(metric, str) and metric.lower() in ("accuracy", "acc"):
        kind = keras.metrics.CategoricalAccuracy if n_channels > 1 else keras.metrics.BinaryAccuracy
        return kind(name=metric)
    resolved = keras.metrics.get(metric)
    if not isinstance(resolved, keras.metrics.Metric):
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", "metric")
        return keras.metrics.MeanMetricWrapper(resolved, name=name)
    wrapper = keras.metrics.MeanMetricWrapper
    if isinstance(metric, wrapper) and type(metric).__module__.startswith("keras."):
        # Not from its configuration, which may lack arguments of the function (as an axis).
        return wrapper(metric._fn, name=metric.name, dtype=metric.dtype, **metric._fn_kwargs)
    if isinstance(metric, keras.metrics.Metric):
        return type(metric).from_config(metric.get_config())
    if isinstance(metric, str):
        resolved.name = metric  # as in Keras, `history_` says "mae" to who said "mae"
    return resolved
