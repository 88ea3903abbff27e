"""From parameters to what Keras trains with: names, classes and instances become objects.

scikeras does its work here.
"""

import copy
import inspect
from collections.abc import Hashable
from typing import Any

import keras
from scikeras.wrappers import BaseWrapper

from .cache_keys import frozen
from .losses import resolve_metric
from .optimizers import copied

# Gradients of recurrences can explode; a longer one is scaled down to this norm.
CLIP_NORM = 1.0


def route(
    loss: Any, metrics: Any, optimizer: Any, learning_rate: float, callbacks: Any, n_channels: int
) -> tuple[dict[str, Any], list[Any]]:
    """Return fresh Keras objects for parameters of an estimator.

    Returns
    -------
    compile_arguments : dict
        A "loss" (function or `keras.losses.Loss`), an "optimizer" and a list of "metrics".
    callbacks : list of keras.callbacks.Callback
    """
    routed = {}
    if isinstance(optimizer, str):
        routed = {
            "optimizer__learning_rate": float(learning_rate),  # Keras takes no float32
            "optimizer__global_clipnorm": CLIP_NORM,
        }
    else:
        optimizer = copied(optimizer)
    fresh = [_fresh(callback) for callback in _listed(callbacks)]
    wrapper = BaseWrapper(
        model=None, optimizer=optimizer, loss=loss, callbacks=fresh or None, **routed
    )
    arguments = wrapper._get_compile_kwargs()
    if isinstance(arguments["loss"], str):
        arguments["loss"] = keras.losses.get(arguments["loss"])
    elif _is_of_keras(arguments["loss"]):
        arguments["loss"] = _copied(arguments["loss"])  # programs outlive what is done to it
    arguments["metrics"] = [resolve_metric(metric, n_channels) for metric in _listed(metrics)]
    wrapper._initialize_callbacks()
    return arguments, wrapper._fit_callbacks


def _listed(things: Any) -> list[Any]:
    if things is None:
        return []
    return list(things) if isinstance(things, (list, tuple)) else [things]


def _fresh(callback: Any) -> Any:
    """Return a callback of this fit's own; a class is left to scikeras."""
    if isinstance(callback, keras.callbacks.Callback) or inspect.isclass(callback):
        return copy.deepcopy(callback)
    made = callback()
    if not isinstance(made, keras.callbacks.Callback):
        raise TypeError(
            f"callbacks must be Keras callbacks or functions that return one, but {callback!r} "
            f"returned {made!r}: return one instance of keras.callbacks.Callback."
        )
    return made


def signature(thing: Any) -> Hashable:
    """Return a key of a loss, metric or optimizer that `route` made.

    Names, the learning rate and what is loaded at every fit are no part of it.
    """
    if isinstance(thing, keras.optimizers.Optimizer):
        is_scheduled = isinstance(
            thing._learning_rate, keras.optimizers.schedules.LearningRateSchedule
        )
        # Names count up: adam, adam_1, ...
        without = ("name",) if is_scheduled else ("name", "_learning_rate")
        return frozen(thing, owned=True, variables=False, without=without)
    if isinstance(thing, keras.metrics.Metric):
        return frozen(thing, owned=True, variables=False)
    if isinstance(thing, keras.losses.Loss):
        return frozen(thing, owned=_is_of_keras(thing), without=("name",))
    return frozen(thing)


def _is_of_keras(loss: Any) -> bool:
    """Tell whether this is a loss of Keras' own, which holds no more than numbers and functions."""
    return isinstance(loss, keras.losses.Loss) and type(loss).__module__.startswith("keras.")


def _copied(loss: keras.losses.Loss) -> keras.losses.Loss:
    """Return a copy; that of `copy` is made from a configuration, which lacks Huber's delta."""
    copied = object.__new__(type(loss))
    vars(copied).update(copy.deepcopy(vars(loss)))
    return copied
