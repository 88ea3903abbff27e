"""Keras' losses, metrics, optimizers, schedules and callbacks as plain arguments and back.

They are made by their own constructors. Keras' deserialisation is not used, as it imports whatever
a configuration names.
"""

import inspect
import sys
from typing import Any


def is_keras_object(value: Any) -> bool:
    """Tell whether this is a loss, metric, optimizer, schedule or callback."""
    keras: Any = sys.modules.get("keras")
    return keras is not None and isinstance(value, _kinds(keras))


def arguments_of(value: Any, where: str) -> dict[str, Any]:
    """Return the arguments that make an object again, or raise if they leave something out."""
    kind = type(value)
    try:
        arguments = _arguments(value)
        again = make(kind, arguments)
        if _arguments(again) == arguments:
            return arguments
        problem = "made again it has other arguments"
    except Exception as error:  # whatever a constructor of the user's may raise
        problem = str(error)
    raise TypeError(
        f"Expected {where} to be an object of Keras that can be made again from its arguments, got "
        f"an instance of {kind.__name__} ({problem}): give the class, or a function, of a module "
        "of yours instead."
    )


def make(kind: Any, arguments: dict[str, Any]) -> Any:
    """Return an object of Keras made from plain arguments."""
    import keras

    if not isinstance(kind, type) or not issubclass(kind, _kinds(keras)):
        raise TypeError(f"{kind!r} is no loss, metric, optimizer, schedule or callback")
    schedule = keras.optimizers.schedules.LearningRateSchedule
    for name, argument in arguments.items():
        is_function = callable(argument) and issubclass(kind, keras.callbacks.Callback)
        if not (_is_plain(argument) or isinstance(argument, schedule) or is_function):
            raise TypeError(f"the argument {name} of {kind.__name__} is {argument!r}")
    return kind(**arguments)


def _kinds(keras: Any) -> tuple[type, ...]:
    schedule = keras.optimizers.schedules.LearningRateSchedule
    return (
        keras.losses.Loss,
        keras.metrics.Metric,
        keras.optimizers.Optimizer,
        keras.callbacks.Callback,
        schedule,
    )


def _arguments(value: Any) -> dict[str, Any]:
    import keras

    parameters = inspect.signature(type(value).__init__).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)][1:]
    if isinstance(value, keras.callbacks.Callback):  # which has no configuration
        return {name: getattr(value, name) for name in names}
    known = dict(value.get_config())
    if isinstance(value, keras.losses.Loss):
        # The configuration lacks some of them (Huber's delta, by keras 3.15).
        known |= getattr(value, "_fn_kwargs", {}) | {"dtype": value.dtype}
    elif isinstance(value, keras.optimizers.Optimizer):
        rate = value._learning_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            known["learning_rate"] = rate
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        return known
    return {name: known[name] for name in names if name in known}


def _is_plain(argument: Any) -> bool:
    """Tell whether this is made of numbers, text and lists: of others Keras would make objects."""
    if isinstance(argument, list | tuple):
        return all(map(_is_plain, argument))
    return argument is None or isinstance(argument, bool | int | float | str)
