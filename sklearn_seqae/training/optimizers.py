"""Optimizers by name, copies of them, also of those that contain others, and their states."""

from typing import Any

import keras

# Of all optimizers that are made here: Keras would number them, and TensorFlow never frees the 35
# kB that it keeps for each name that a variable has had.
NAME = "optimizer"


def named(kind: str, **arguments: Any) -> keras.optimizers.Optimizer:
    """Return an optimizer of Keras' of this kind, such as "adam"."""
    return keras.optimizers.get({"class_name": kind, "config": {"name": NAME, **arguments}})


def copied(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Return an optimizer of the same arguments, without state.

    Its configuration alone is not enough: it lacks the weights that are excluded from decay, and
    learning rates that are functions.
    """
    if hasattr(optimizer, "optimizers"):  # keras.optimizers.MultiOptimizer
        chosen = _copied_choice(optimizer._optimizer_map)
        return type(optimizer)(chosen, optimizer.loss_scale_factor, optimizer.name)
    config = optimizer.get_config()
    if hasattr(optimizer, "inner_optimizer"):  # keras.optimizers.LossScaleOptimizer
        return type(optimizer)(**config | {"inner_optimizer": copied(optimizer.inner_optimizer)})
    if not isinstance(optimizer._learning_rate, keras.Variable):  # a schedule or a function
        config["learning_rate"] = optimizer._learning_rate
    copy = type(optimizer).from_config(config)
    if getattr(optimizer, "_exclude_from_weight_decay", None):
        raise ValueError(
            "The optimizer excludes single weights from decay (var_list), but every fit trains "
            "weights of its own: exclude them by name, for example "
            "optimizer.exclude_from_weight_decay(var_names=['bias'])."
        )
    if excludes(optimizer):
        pattern = optimizer._exclude_from_weight_decay_pattern.pattern
        copy.exclude_from_weight_decay(var_names=[pattern])
    return copy


def excludes(optimizer: keras.optimizers.Optimizer) -> bool:
    """Tell whether an optimizer excludes weights of some names from its decay."""
    return getattr(optimizer, "_exclude_from_weight_decay_pattern", None) is not None


def acting(optimizer: keras.optimizers.Optimizer) -> list[keras.optimizers.Optimizer]:
    """Return the optimizers that update weights: the inner ones if an optimizer contains others."""
    if hasattr(optimizer, "inner_optimizer"):
        return acting(optimizer.inner_optimizer)
    return list(getattr(optimizer, "optimizers", [optimizer]))


def kind(optimizer: keras.optimizers.Optimizer) -> str:
    """Return the names of the classes of an optimizer and of those inside, as key of its state."""
    inner = [one for one in acting(optimizer) if one is not optimizer]
    return "/".join(type(one).__name__ for one in (optimizer, *inner))


def learning_rates(optimizer: keras.optimizers.Optimizer) -> list[float | None]:
    """Return the rates of the acting optimizers; None for a schedule or a function."""
    rates = [one._learning_rate for one in acting(optimizer)]
    return [float(rate) if isinstance(rate, keras.Variable) else None for rate in rates]


def set_learning_rates(optimizer: keras.optimizers.Optimizer, rates: list[float | None]) -> None:
    """Set the rates that `learning_rates` returned for an optimizer of the same kind."""
    for one, rate in zip(acting(optimizer), rates, strict=True):
        if rate is not None:
            one.learning_rate = rate


def state_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Return the moments and step counts of an optimizer, without learning rates."""
    rates = {id(one._learning_rate) for one in (optimizer, *acting(optimizer))}
    return [variable for variable in optimizer.variables if id(variable) not in rates]


def _copied_choice(choose: Any) -> Any:
    """Return a function or map that chooses copies of the optimizers that `choose` chooses."""
    copies: dict[
        int, tuple[keras.optimizers.Optimizer, keras.optimizers.Optimizer]
    ] = {}  # kept alive: an `id` stays unique

    def copy_of(chosen: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        return copies.setdefault(id(chosen), (chosen, copied(chosen)))[1]

    if hasattr(choose, "default_optimizer"):  # keras.optimizers.OptimizerMap
        return type(choose)(
            copy_of(choose.default_optimizer),
            {pattern: copy_of(one) for pattern, one in choose.items()},
        )
    return lambda variable: copy_of(choose(variable))
