"""What the estimators accept: one table of parameters, and rules across parameters and data."""

import inspect
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from .importing import load_keras
from .sequences import Sequences

# The activation that turns decoded values into what a loss expects.
ACTIVATIONS = {"binary_crossentropy": "sigmoid", "categorical_crossentropy": "softmax"}

PARAMETER_CONSTRAINTS: dict[str, list[Any]] = {
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "units": [Interval(Integral, 1, None, closed="left"), tuple, list],
    "cell": [StrOptions({"lstm", "gru"})],
    "bidirectional": ["boolean"],
    "pooling": [StrOptions({"last", "mean", "max", "mean_max"})],
    "decoder": [StrOptions({"repeat", "reshape", "dense", "autoregressive"}), callable],
    "encoder": [callable, None],
    "patch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "scaler": [
        StrOptions({"standard", "minmax", "robust", "per_sequence"}),
        HasMethods(["fit", "transform", "inverse_transform"]),
        None,
    ],
    "loss": [str, callable],
    "metrics": [str, callable, list, tuple, None],
    "optimizer": [str, HasMethods(["apply", "get_config"])],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "epochs": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "callbacks": [callable, HasMethods("on_epoch_end"), list, tuple, None],
    "jit_compile": ["boolean", StrOptions({"auto"})],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


def check_units(units: Any) -> tuple[int, ...]:
    """Return one number of units per layer."""
    given = (units,) if isinstance(units, Integral) else tuple(units)
    if not given or not all(isinstance(u, Integral) and int(u) >= 1 for u in given):
        raise ValueError(
            f"units must be a positive int, or a tuple of them with one per layer, got {units!r}: "
            "use for example units=64 or units=(64, 32)."
        )
    return tuple(int(u) for u in given)


def check_keras_names(loss: Any, optimizer: Any, metrics: Any) -> None:
    """Raise unless the names among the arguments are known to Keras."""
    load_keras()
    import keras

    metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    for parameter, value, known in (
        ("loss", loss, keras.losses),
        ("optimizer", optimizer, keras.optimizers),
        *(("metrics", metric, keras.metrics) for metric in metrics),
    ):
        if not isinstance(value, str) or value.lower() in ("accuracy", "acc"):
            continue
        try:
            known.get(value)
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


def check_callbacks(callbacks: Any) -> list[Any]:
    """Return callbacks as a list of instances, classes and factories."""
    given = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    for callback in given if callbacks is not None else []:
        if not (callable(callback) or hasattr(callback, "on_epoch_end")):
            raise TypeError(
                "callbacks must be Keras callbacks, their classes, or functions without arguments "
                f"that return one, got {callback!r}: derive yours from keras.callbacks.Callback."
            )
    return given if callbacks is not None else []


def check_builders(encoder: Any, decoder: Any) -> None:
    """Raise unless callables for own models take the sizes they will be given."""
    for role, builder in (("encoder", encoder), ("decoder", decoder)):
        if not callable(builder):
            continue
        try:
            inspect.signature(builder).bind(n_steps=1, n_channels=1, n_components=1)
        except TypeError as error:
            raise TypeError(
                f"{role} must be a callable with the arguments n_steps, n_channels and "
                f"n_components that returns a keras.Model, but {error}: change its signature."
            ) from None


def check_probabilities(loss: Any, scaled: Sequences) -> None:
    """Raise if a cross-entropy would be taken of what are no probabilities."""
    if not isinstance(loss, str) or loss not in ACTIVATIONS or not np.isfinite(scaled.values).any():
        return
    lowest, highest = np.nanmin(scaled.values), np.nanmax(scaled.values)
    if lowest < 0 or highest > 1:
        raise ValueError(
            f"loss={loss!r} needs scaled values between 0 and 1, got {lowest:.4g} to "
            f"{highest:.4g}: use scaler=None with such data, or scaler='minmax'."
        )


def check_lengths(lengths: ArrayLike, n_sequences: int) -> NDArray[np.int64]:
    """Return the numbers of steps asked for, (n_sequences,)."""
    steps = np.asarray(lengths)
    if steps.shape != (n_sequences,) or steps.dtype.kind not in "iu" or np.any(steps < 0):
        raise ValueError(
            f"lengths must be {n_sequences} whole numbers of 0 or more, one per code, got "
            f"{np.array2string(steps, threshold=8)}: pass the numbers of steps wanted."
        )
    return steps.astype(np.int64)


def draw_seed(random_state: Any) -> int:
    """Return an integer seed; NumPy's global generator is neither used nor changed."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(random_state.randint(2**31))
