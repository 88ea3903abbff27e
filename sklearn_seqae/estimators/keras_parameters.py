"""Validation of parameters that are Keras objects, and the output activation of a loss."""

import inspect
from typing import Any

from sklearn_seqae._utils.optional_imports import load_keras

# The output activation that a loss of Keras expects.
_ACTIVATIONS = {"binary_crossentropy": "sigmoid", "categorical_crossentropy": "softmax"}


def check_keras_objects(loss: Any, optimizer: Any, metrics: Any) -> None:
    """Raise unless the arguments are names known to Keras, its objects, or suitable functions."""
    load_keras()
    import keras

    from sklearn_seqae.training.optimizers import named

    if metrics is None:
        metrics = []
    metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    _check_optimizer(optimizer)
    _check_objective("loss", loss, keras.losses.Loss)
    for metric in metrics:
        _check_objective("metrics", metric, keras.metrics.Metric)
    for parameter, value, find in (
        ("loss", loss, keras.losses.get),
        ("optimizer", optimizer, named),
        *(("metrics", metric, keras.metrics.get) for metric in metrics),
    ):
        if not isinstance(value, str) or value.lower() in ("accuracy", "acc"):
            continue
        try:
            find(value)
        except ValueError:
            raise ValueError(
                f"{parameter} must be a name that Keras knows or an object of Keras, got "
                f"{value!r}: choose for example {_EXAMPLES[parameter]}."
            ) from None


_EXAMPLES = {
    "loss": "'mse', 'mae', 'huber', 'binary_crossentropy' or 'categorical_crossentropy'",
    "optimizer": "'adam', 'rmsprop' or 'sgd'",
    "metrics": "'mae' or 'accuracy'",
}


def _check_optimizer(optimizer: Any) -> None:
    """Raise unless this is a name, an optimizer, its class or a function without arguments."""
    import keras

    if isinstance(optimizer, (str, keras.optimizers.Optimizer)):
        return
    problem = ""
    if not inspect.isclass(optimizer):
        problem = _problem_of_call(optimizer)
        if not problem:
            return
    elif issubclass(optimizer, keras.optimizers.Optimizer):
        problem = _problem_of_call(optimizer, learning_rate=0.001, global_clipnorm=1.0)
        if not problem:
            return
    raise TypeError(
        "optimizer must be a name that Keras knows, one of its optimizers, the class of one, or a "
        f"function without arguments that returns one, got {optimizer!r}{problem}: use for example "
        "optimizer='adam' or keras.optimizers.Adam(0.001)."
    )


def _problem_of_call(function: Any, *arguments: Any, **named: Any) -> str:
    """Return why a function cannot be called with these arguments, "" if it can."""
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError as error:
        return f" ({error})"
    return ""


def _check_objective(parameter: str, value: Any, kind: type) -> None:
    """Raise unless `value` is a name, an instance or a class of `kind`, or a function of two."""
    if isinstance(value, (str, kind)) or (inspect.isclass(value) and issubclass(value, kind)):
        return
    problem = ""
    if callable(value) and not inspect.isclass(value):
        problem = _problem_of_call(value, "y_true", "y_pred")
        if not problem:
            return
    raise TypeError(
        f"{parameter} must be a name that Keras knows, an object of Keras or a function of "
        f"(y_true, y_pred), got {value!r}{problem}: choose for example {_EXAMPLES[parameter]}."
    )


def check_callbacks(callbacks: Any) -> None:
    """Raise unless these are instances, classes and factories of Keras callbacks."""
    load_keras()
    import keras

    if callbacks is None:
        return
    for callback in callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]:
        if isinstance(callback, keras.callbacks.Callback):
            continue
        problem = ""
        if callable(callback) and (
            not inspect.isclass(callback) or issubclass(callback, keras.callbacks.Callback)
        ):
            problem = _problem_of_call(callback)
            if not problem:
                continue
        raise TypeError(
            "callbacks must be Keras callbacks, their classes, or functions without arguments "
            f"that return one, got {callback!r}{problem}: derive yours from "
            "keras.callbacks.Callback, and make it yourself where it needs arguments."
        )


def check_builders(encoder: Any, decoder: Any) -> None:
    """Raise unless callables for custom models accept the sizes as arguments."""
    load_keras()
    import keras

    for role, builder in (("encoder", encoder), ("decoder", decoder)):
        if not callable(builder):
            continue
        if isinstance(builder, keras.Layer):
            raise TypeError(
                f"{role} must be a callable that builds a keras.Model of the sizes it is given, "
                f"got the {type(builder).__name__} {builder.name!r} itself: give a function that "
                "returns a new one."
            )
        try:
            inspect.signature(builder).bind(n_steps=1, n_channels=1, n_components=1)
        except TypeError as error:
            raise TypeError(
                f"{role} must be a callable with the arguments n_steps, n_channels and "
                f"n_components that returns a keras.Model, but {error}: change its signature."
            ) from None


def output_activation(loss: Any) -> str:
    """Return the output activation that a loss needs: "linear" for most."""
    name, arguments = _function_of_keras(loss)
    return "linear" if arguments.get("from_logits") else _ACTIVATIONS.get(name, "linear")


def check_categorical_loss(loss: Any, categories: tuple[Any, ...], n_channels: int) -> None:
    """Raise if a loss is for categories, but there are numerical channels."""
    name, _ = _function_of_keras(loss)
    n_numbers = categories.count(None) if categories else n_channels
    alone = name == "categorical_crossentropy" and n_numbers == 1
    if n_numbers and (name == "sparse_categorical_crossentropy" or alone):
        raise ValueError(
            f"loss={loss!r} is for categories, got {n_numbers} numerical channel(s): select the "
            "categorical ones by categorical_features, for example [0], and use loss='mse' for the "
            "others. Categorical channels always have the categorical cross-entropy."
        )


def _function_of_keras(loss: Any) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments of the function of Keras in a loss; "" for any other."""
    load_keras()
    import keras

    from sklearn_seqae.training.losses import name_in_keras

    loss = keras.losses.get(loss)
    if hasattr(loss, "fn"):  # a Loss of Keras, or of a class derived from one
        return name_in_keras(loss.fn), vars(loss).get("_fn_kwargs", {})
    return name_in_keras(loss), getattr(loss, "keywords", {})
