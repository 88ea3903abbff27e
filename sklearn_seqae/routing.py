"""From parameters to what Keras trains with: names, classes and instances become objects.

scikeras does its work here.
"""

import copy
import inspect
import json
import types
from collections.abc import Hashable
from typing import Any

import keras
from scikeras.wrappers import BaseWrapper

from .objectives import resolve_metric

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
        optimizer = type(optimizer).from_config(optimizer.get_config())
    fresh = [_fresh(callback) for callback in _listed(callbacks)]
    wrapper = BaseWrapper(
        model=None, optimizer=optimizer, loss=loss, callbacks=fresh or None, **routed
    )
    arguments = wrapper._get_compile_kwargs()
    if isinstance(arguments["loss"], str):
        arguments["loss"] = keras.losses.get(arguments["loss"])
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
    """Return a key that is equal for things that compute the same; the thing itself if in doubt.

    The learning rate is no part of it: it is a variable of the traced program.
    """
    if isinstance(thing, types.FunctionType) or not type(thing).__module__.startswith("keras."):
        return thing
    function = getattr(thing, "_fn", getattr(thing, "fn", None))
    if not getattr(function, "__module__", "keras.").startswith("keras."):  # a user's own
        return type(thing), thing.name, function, repr(thing._fn_kwargs)
    config = dict(thing.get_config())
    if isinstance(thing, keras.optimizers.Optimizer):
        del config["name"]  # names count up: adam, adam_1, ...
        if isinstance(config["learning_rate"], float):  # else it is a schedule
            del config["learning_rate"]
    try:
        return type(thing), json.dumps(config, sort_keys=True, default=None)
    except TypeError:
        return thing
