"""Validation of parameters, by a table of constraints, and of arguments of methods."""

import inspect
import os
from collections.abc import Hashable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)

from sklearn_seqae.containers.registry import Sequences
from sklearn_seqae.training.cache_keys import frozen

PARAMETER_CONSTRAINTS: dict[str, list[Any]] = {
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "units": [Interval(Integral, 1, None, closed="left"), tuple, list],
    "cell": [StrOptions({"lstm", "gru"})],
    "bidirectional": ["boolean"],
    "pooling": [StrOptions({"last", "mean", "max", "mean_max"})],
    "multiscale": ["boolean"],
    "shortcut": [StrOptions({"cosine"}), None],
    "decoder": [StrOptions({"repeat", "reshape", "dense", "autoregressive"}), callable],
    "encoder": [callable, None],
    "patch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "horizon": [Interval(Integral, 0, None, closed="left")],
    "scaler": [
        StrOptions({"standard", "minmax", "robust", "per_sequence"}),
        HasMethods(["fit", "transform", "inverse_transform"]),
        None,
    ],
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    "handle_unknown": [StrOptions({"error", "unknown"})],
    "min_frequency": [
        Interval(Integral, 1, None, closed="left"),
        Interval(RealNotInt, 0, 1, closed="neither"),
        None,
    ],
    "loss": [str, callable],
    "metrics": [str, callable, list, tuple, None],
    "optimizer": [str, callable, HasMethods(["apply", "get_config"])],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "epochs": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "callbacks": [callable, HasMethods("on_epoch_end"), list, tuple, None],
    "jit_compile": ["boolean", StrOptions({"auto"})],
    "checkpoint": [str, os.PathLike, None],
    "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
    "quantile": [Interval(Real, 0, 1, closed="neither")],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


def check_parameters(estimator: Any) -> None:
    """Raise unless all parameters of an estimator satisfy its table of constraints."""
    signature = inspect.signature(type(estimator).__init__)
    for name, value in estimator.get_params(deep=False).items():
        try:
            validate_parameter_constraints(
                {name: estimator._parameter_constraints[name]},
                {name: value},
                caller_name=type(estimator).__name__,
            )
        except InvalidParameterError as error:
            default = signature.parameters[name].default
            raise InvalidParameterError(
                f"{error} Choose such a value; the default is {name}={default!r}."
            ) from None


def check_sampling(n_samples: Any, random_state: Any) -> None:
    """Raise unless the arguments of `sample` are valid."""
    try:
        validate_parameter_constraints(
            {"n_samples": PARAMETER_CONSTRAINTS["epochs"], "random_state": ["random_state"]},
            {"n_samples": n_samples, "random_state": random_state},
            caller_name="sample",
        )
    except InvalidParameterError as error:
        raise InvalidParameterError(
            f"{error} Choose such a value; the defaults are n_samples=1, random_state=None."
        ) from None


def check_top(top: Any) -> None:
    """Raise unless this is a number of values, or None."""
    whole = isinstance(top, Integral) and not isinstance(top, bool)
    if top is not None and not (whole and int(top) >= 0):
        raise ValueError(
            f"top must be a number of values, 0 or more, or None for all, got {top!r}: use for "
            "example top=5."
        )


def check_horizon(n_steps: Any, horizon: int) -> int:
    """Return the number of steps to forecast, or raise."""
    if not horizon:
        raise ValueError(
            "forecast needs a fit with a horizon of 1 step or more, got horizon=0: fit with "
            "horizon=, the number of steps after the end that are to be learned."
        )
    if n_steps is None:
        return horizon
    whole = isinstance(n_steps, Integral) and not isinstance(n_steps, bool)
    if not (whole and int(n_steps) >= 1):
        raise ValueError(
            f"n_steps must be a number of steps, 1 or more, or None for the horizon of fit, got "
            f"{n_steps!r}: use for example n_steps={horizon}."
        )
    return int(n_steps)


def check_ends(sequences: Sequences) -> None:
    """Raise unless each sequence has an observed value."""
    observed = np.zeros(len(sequences), dtype=bool)
    observed[sequences.owners[np.isfinite(sequences.values).any(axis=1)]] = True
    if not observed.all():
        raise ValueError(
            "forecast needs sequences with at least one observed value, got "
            f"{np.sum(~observed)} without any, first sequence {int(np.argmin(observed))}: leave "
            "them out."
        )


def check_units(units: Any) -> tuple[int, ...]:
    """Return the number of units of each layer."""
    given = (units,) if isinstance(units, Integral) else tuple(units)
    if not given or not all(isinstance(u, Integral) and int(u) >= 1 for u in given):
        raise ValueError(
            f"units must be a positive int, or a tuple of them with one per layer, got {units!r}: "
            "use for example units=64 or units=(64, 32)."
        )
    return tuple(int(u) for u in given)


def check_probabilities(loss: Any, activation: str, scaled: Sequences) -> None:
    """Raise if values are not probabilities, but the loss is a cross-entropy."""
    if activation == "linear" or not np.isfinite(scaled.values).any():
        return
    lowest, highest = np.nanmin(scaled.values), np.nanmax(scaled.values)
    if lowest < 0 or highest > 1:
        raise ValueError(
            f"loss={loss!r} needs scaled values between 0 and 1, got {lowest:.4g} to "
            f"{highest:.4g}: use scaler='minmax', or scaler=None with data in that range."
        )


def check_lengths(lengths: ArrayLike, n_sequences: int) -> NDArray[np.int64]:
    """Return lengths as an array (n_sequences,), or raise if they are invalid."""
    try:
        steps = np.asarray(lengths)
    except ValueError:  # ragged
        steps = np.array(repr(lengths))
    if steps.shape != (n_sequences,) or steps.dtype.kind not in "iu" or np.any(steps < 0):
        raise ValueError(
            f"lengths must be {n_sequences} whole numbers of 0 or more, one per code, got "
            f"{np.array2string(steps, threshold=8)}: pass the numbers of steps wanted."
        )
    return steps.astype(np.int64)


def check_groups(groups: Any, sequences: Sequences, least: int) -> NDArray[np.int64] | None:
    """Return groups as consecutive integers, 0, 1, ...; without groups the spans of windows.

    Parameters
    ----------
    groups : iterable of hashable, or None
        Label of the group of each sequence.
    sequences : Sequences
    least : int
        Minimum number of groups.

    Returns
    -------
    ndarray of shape (n_sequences,) or (n_sequences, 2), or None
        See `containers.spans`; None if sequences have neither groups nor spans.
    """
    if groups is None:
        return sequences.spans
    n_sequences = len(sequences)
    try:
        if isinstance(groups, str):
            raise TypeError("a str is one label")
        labels = groups.tolist() if hasattr(groups, "tolist") else list(groups)
        numbers: dict[Any, int] = {}
        found = [numbers.setdefault(label, len(numbers)) for label in labels]
        has_missing = any(label is None or bool(label != label) for label in numbers)
    except TypeError as error:
        raise TypeError(
            "groups must have one label per sequence, each a number, text or another hashable "
            f"object that is not missing, but: {error}; give for example groups=[0, 0, 1, 1]."
        ) from None
    problem = ""
    if len(found) != n_sequences:
        problem = f"{len(found)} labels for {n_sequences} sequences"
    elif has_missing:
        problem = "missing labels (None or NaN)"
    elif len(numbers) < least:
        problem = f"the one label {labels[0]!r} for all"
    if problem:
        raise ValueError(
            f"groups must have one label per sequence, and {least} different ones or more, got "
            f"{problem}: give each sequence the label of its group, such as its block of time."
        )
    return np.array(found, dtype=np.int64)


def check_network_parameters(made_with: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise if training would go on with a network that other parameters made."""
    for name, value in made_with.items():
        if now[name] != value and _settings(now[name]) != _settings(value):
            label = "a loss that needs activation" if name == "activation" else name
            raise ValueError(
                f"Training continues with the network that was built with {label}={value!r}, got "
                f"{label}={now[name]!r}: reset it, or fit a new network with warm_start=False."
            )


def _settings(value: Any) -> Hashable:
    """Return a key of a parameter; that of an estimator has its parameters only."""
    is_estimator = hasattr(value, "get_params") and not isinstance(value, type)
    return frozen(clone(value, safe=False) if is_estimator else value, owned=True)


def check_codes(X: Any, n_components: int) -> NDArray[np.float32]:
    """Return codes as an array (n_sequences, n_components), or raise if they are invalid."""
    try:
        codes = check_array(X, dtype=np.float32, input_name="X")
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        given = str(error).splitlines()[0]
        raise kind(
            f"Expected codes, an array (n_sequences, {n_components}) of finite numbers, but: "
            f"{given.rstrip('.:')}; pass what transform returned."
        ) from error
    if codes.shape[1] != n_components:
        raise ValueError(
            f"X has {codes.shape[1]} components, but {n_components} components are expected as "
            "input: pass what transform returned."
        )
    return codes


def draw_seed(random_state: Any) -> int:
    """Return an integer seed, without use of NumPy's global generator."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(random_state.randint(2**31))
