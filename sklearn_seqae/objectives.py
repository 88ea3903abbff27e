"""Losses and metrics over real values: padding and missing values count for nothing."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

Function = Callable[[Any, Any], Any]


def acts_by_value(function: Function, role: str = "loss") -> bool:
    """Tell whether a loss of a step is the mean of the losses of its values.

    So it is for a squared error, but not for a cross-entropy over channels. A loss of the first
    kind can be masked value by value, one of the second only step by step. Found out by trying, on
    all channels and on two halves of them, which serves a user's own functions too.
    """
    rng = np.random.default_rng(0)
    true, predicted = rng.uniform(0.1, 0.9, size=(2, 2, 3, 4)).astype(np.float32)

    def apply(channels: slice) -> np.ndarray:
        parts = (ops.convert_to_tensor(part[..., channels]) for part in (true, predicted))
        try:
            return ops.convert_to_numpy(function(*parts))
        except Exception as error:  # whatever a user's function may raise
            raise ValueError(
                f"{role} must compare arrays (y_true, y_pred) of shape (batch, n_steps, "
                f"n_channels), but {_name(function)} failed on them ({error}): choose one that "
                "compares real numbers, for example 'mse'."
            ) from error

    whole = apply(slice(None))
    if whole.shape != (2, 3):
        raise ValueError(
            f"{role} must give one number a step, shape (batch, n_steps), for arrays of shape "
            f"(batch, n_steps, n_channels), but {_name(function)} gave shape {whole.shape} for "
            "(2, 3, 4): reduce over the last axis only."
        )
    halves = (apply(slice(0, 2)) + apply(slice(2, 4))) / 2
    return bool(np.allclose(whole, halves, rtol=1e-4))


def _name(function: Function) -> str:
    return getattr(function, "__name__", type(function).__name__)


class MaskedLoss:
    """The sum of a Keras loss over what is real, and the number of real values (or steps).

    Parameters
    ----------
    loss : keras.losses.Loss or callable
        A Keras loss, or a function of (y_true, y_pred) that reduces over the last axis.
    """

    def __init__(self, loss: Any) -> None:
        self.function: Function = loss.call if isinstance(loss, keras.losses.Loss) else loss
        self.by_value = acts_by_value(self.function)

    def __call__(self, true: Any, predicted: Any) -> tuple[Any, Any]:
        """Return (sum, count) for `true` (batch, n_steps, n_channels) with NaN where nothing is."""
        observed = ops.logical_not(ops.isnan(true))
        true = ops.where(observed, true, 0.0)
        if self.by_value:
            errors = self.function(true[..., None], predicted[..., None])
        else:
            observed = ops.all(observed, axis=-1)
            errors = self.function(true, predicted)
        count = ops.sum(ops.cast(observed, "float32"))
        return ops.sum(ops.where(observed, errors, 0.0)), count


class MaskedMetric:
    """A Keras metric that sees real values only.

    Parameters
    ----------
    metric : keras.metrics.Metric
        Updated in place; its mean is over real values or, where it looks across channels (as the
        categorical accuracy does), over complete steps.
    """

    def __init__(self, metric: keras.metrics.Metric) -> None:
        self.metric = metric
        function = getattr(metric, "_fn", None)
        self.across_channels = function is not None and not acts_by_value(function, "metrics")

    def update(self, true: Any, predicted: Any) -> None:
        """Add a batch: `true` (batch, n_steps, n_channels) with NaN where nothing is."""
        observed = ops.logical_not(ops.isnan(true))
        true = ops.where(observed, true, 0.0)
        if self.across_channels:
            complete = ops.cast(ops.all(observed, axis=-1), "float32")
            self.metric.update_state(true, predicted, sample_weight=complete)
        else:
            weight = ops.reshape(ops.cast(observed, "float32"), (-1,))
            self.metric.update_state(
                ops.reshape(true, (-1, 1)), ops.reshape(predicted, (-1, 1)), sample_weight=weight
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
    if isinstance(metric, keras.metrics.Metric):
        return type(metric).from_config(metric.get_config())
    if isinstance(metric, str):
        resolved.name = metric  # as in Keras, `history_` says "mae" to who said "mae"
    return resolved
