"""From an estimator's parameters to Keras objects: names, classes and functions become instances.

Every fit has objects of its own, so that what training does to them stays within it.
"""

import copy
import re
from collections.abc import Hashable
from typing import Any, NamedTuple

import keras

from .cache_keys import frozen
from .network_keys import comes_from_keras
from .optimizers import NAME, copied, named

# Gradients of recurrences can explode; a longer one is scaled down to this norm.
CLIP_NORM = 1.0


class KerasObjects(NamedTuple):
    """What one fit trains with."""

    loss: Any  # a function or a keras.losses.Loss
    metrics: list[keras.metrics.Metric]
    optimizer: keras.optimizers.Optimizer
    callbacks: list[keras.callbacks.Callback]


def make_keras_objects(
    loss: Any, metrics: Any, optimizer: Any, learning_rate: float, callbacks: Any, n_channels: int
) -> KerasObjects:
    """Return fresh Keras objects for parameters of an estimator."""
    made = keras.losses.get(loss)
    if isinstance(made, keras.losses.Loss) and comes_from_keras(type(made)):
        made = _copied(made)  # a cached program outlives later changes of the given loss
    return KerasObjects(
        made,
        [make_metric(metric, n_channels) for metric in _listed(metrics)],
        _make_optimizer(optimizer, learning_rate),
        [_make_callback(callback) for callback in _listed(callbacks)],
    )


def _listed(things: Any) -> list[Any]:
    if things is None:
        return []
    return list(things) if isinstance(things, (list, tuple)) else [things]


def make_metric(metric: Any, n_channels: int) -> keras.metrics.Metric:
    """Return a new Keras metric for a name, class, function or instance.

    As in Keras, "accuracy" is the categorical one where there are several channels.
    """
    if isinstance(metric, str) and metric.lower() in ("accuracy", "acc"):
        kind = keras.metrics.CategoricalAccuracy if n_channels > 1 else keras.metrics.BinaryAccuracy
        return kind(name=metric)
    made = keras.metrics.get(metric)
    wrapper = keras.metrics.MeanMetricWrapper
    if not isinstance(made, keras.metrics.Metric):  # a function
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", "metric")
        return wrapper(made, name=name)
    if isinstance(metric, str):
        made.name = metric  # `history_` has the name that was given, for example "mae"
    elif isinstance(metric, type):
        made.name = _name_of_class(metric)
    elif isinstance(metric, wrapper) and comes_from_keras(type(metric)):
        # Not from its configuration, which may lack arguments of the function (as an axis).
        return wrapper(metric._fn, name=metric.name, dtype=metric.dtype, **metric._fn_kwargs)
    else:
        made = type(metric).from_config(metric.get_config())
        made.name = metric.name
    return made


def _name_of_class(kind: type[keras.metrics.Metric]) -> str:
    """Return the name of a class's metrics, without the number if Keras counts them."""
    first, second = kind().name, kind().name
    return first if first == second else re.sub(r"_[0-9]+$", "", second)


def _make_optimizer(optimizer: Any, learning_rate: float) -> keras.optimizers.Optimizer:
    """Return an optimizer without state; a name or a class has the estimator's learning rate."""
    # Keras does not take a float32 for a learning rate.
    chosen: dict[str, Any] = {"learning_rate": float(learning_rate), "global_clipnorm": CLIP_NORM}
    if isinstance(optimizer, str):
        return named(optimizer, **chosen)
    if isinstance(optimizer, type):
        if comes_from_keras(optimizer):  # another may take no name
            chosen["name"] = NAME
        return optimizer(**chosen)
    made = optimizer if isinstance(optimizer, keras.optimizers.Optimizer) else optimizer()
    if not isinstance(made, keras.optimizers.Optimizer):
        raise TypeError(
            f"optimizer must be an optimizer of Keras or a function that returns one, but "
            f"{optimizer!r} returned {made!r}: return for example keras.optimizers.Adam(0.001)."
        )
    return copied(made)


def _make_callback(callback: Any) -> keras.callbacks.Callback:
    """Return a copy of an instance, or what a class or a function returns."""
    if isinstance(callback, keras.callbacks.Callback):
        return copy.deepcopy(callback)
    made = callback()
    if not isinstance(made, keras.callbacks.Callback):
        raise TypeError(
            f"callbacks must be Keras callbacks or functions that return one, but {callback!r} "
            f"returned {made!r}: return one instance of keras.callbacks.Callback."
        )
    return made


def cache_key(thing: Any) -> Hashable:
    """Return a key of a loss, metric or optimizer that `make_keras_objects` returned.

    Objects of equal keys compute the same. A key leaves out names, the learning rate and whatever
    is set at the start of every fit.
    """
    if isinstance(thing, keras.optimizers.Optimizer):
        is_scheduled = isinstance(
            thing._learning_rate, keras.optimizers.schedules.LearningRateSchedule
        )
        # Keras numbers names: adam, adam_1, ...
        without = ("name",) if is_scheduled else ("name", "_learning_rate")
        return frozen(thing, owned=True, variables=False, without=without)
    if isinstance(thing, keras.metrics.Metric):
        return frozen(thing, owned=True, variables=False)
    if isinstance(thing, keras.losses.Loss):
        return frozen(thing, owned=comes_from_keras(type(thing)), without=("name",))
    return frozen(thing)


def lost_by_copy(loss: keras.losses.Loss) -> dict[str, Any]:
    """Return the arguments that a loss has, but not its copy.

    `copy` and `pickle` make a Keras object anew from its configuration, which may lack arguments;
    by Keras 3.15 that of Huber lacks delta.
    """
    try:
        after = _arguments(copy.deepcopy(loss))
    except Exception:  # of any kind: it cannot be copied, and Keras explains why
        return {}
    return {
        name: value
        for name, value in _arguments(loss).items()
        if frozen(value, owned=True) != frozen(after.get(name), owned=True)
    }


def _arguments(loss: keras.losses.Loss) -> dict[str, Any]:
    state = vars(loss) | vars(loss).get("_fn_kwargs", {})
    return {name: value for name, value in state.items() if name not in ("name", "_fn_kwargs")}


def _copied(loss: keras.losses.Loss) -> keras.losses.Loss:
    """Return a copy with all arguments, which that of `copy` may lack: see `lost_by_copy`."""
    copied = object.__new__(type(loss))
    vars(copied).update(copy.deepcopy(vars(loss)))
    return copied
