"""Warnings: of fits without skill or convergence, say, and of copies that lack arguments."""

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_seqae.containers.registry import Sequences
from sklearn_seqae.exceptions import NothingLearnedWarning
from sklearn_seqae.network.architecture import Architecture

if TYPE_CHECKING:
    from sklearn_seqae.training.fit_result import FitResult

# With an R2 below this the network decodes little more than the mean.
LEAST_SKILL = 0.01
# If R2 rose by more in the last half of the epochs, the fit has not converged: see docs/design.
MOST_LAST_GAIN = 0.015


def warn_of_interruption(result: "FitResult", epochs: int) -> None:
    """Warn if a fit was interrupted."""
    if result.interrupted:
        warnings.warn(
            f"The fit was interrupted after {result.n_epochs} of {epochs} epochs; the best "
            "weights so far are kept. Use warm_start=True to go on from them.",
            stacklevel=4,
        )


def warn_of_lengths(architecture: Architecture, sequences: Sequences) -> None:
    """Warn if lengths differ from those of the first fit, but will not be decoded."""
    lengths, n_steps = sequences.lengths, architecture.n_steps
    if architecture.decodes_length or np.all(lengths == n_steps):
        return
    warnings.warn(
        f"X has sequences of {lengths.min()} to {lengths.max()} steps, but those of the first fit "
        f"all had {n_steps}, so inverse_transform writes {n_steps} unless lengths= says otherwise. "
        "To have lengths decoded, begin with partial_fit, or fit afresh with sequences of several "
        "lengths.",
        stacklevel=4,
    )


def warn_of_skill(result: "FitResult") -> None:
    """Warn if the reconstruction has no skill, or if the fit has not converged."""
    # For an interruption there is a warning of its own; a linear path has converged.
    if result.interrupted or not result.is_used:
        return
    if result.skill < LEAST_SKILL:
        warnings.warn(
            "The reconstruction is no better than the mean of the training data (where a "
            f"perfect one has 100%, it has {result.skill:.1%}), so codes say next to nothing "
            "about their sequences. Try more epochs, another learning_rate, scaler or loss, or "
            "more n_components; noise cannot be learned.",
            NothingLearnedWarning,
            stacklevel=3,
        )
    if result.ran_out and result.last_gain > MOST_LAST_GAIN:
        warnings.warn(
            f"The fit ended after all {result.n_epochs} epochs while the loss still fell: "
            f"{result.last_gain:.1%} of what can be learned was learned in the last half of "
            "them. Use more epochs, or warm_start=True to go on from here.",
            ConvergenceWarning,
            stacklevel=3,
        )


def warn_of_lost_arguments(loss: Any, optimizer: Any) -> None:
    """Warn where Keras' copies of a loss and an optimizer lack arguments that they were given."""
    keras: Any = sys.modules.get("keras")
    if keras is None:
        return
    from sklearn_seqae.training.keras_arguments import lost_by_copy
    from sklearn_seqae.training.losses import name_in_keras
    from sklearn_seqae.training.optimizers import acting, excludes

    lost = remedy = ""
    if isinstance(loss, keras.losses.Loss) and (arguments := lost_by_copy(loss)):
        lost = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        remedy = f"return them in get_config of {type(loss).__name__}"
        if function := name_in_keras(getattr(loss, "fn", None)):
            remedy = f"use loss=functools.partial(keras.losses.{function}, {lost})"
        lost += " of the loss"
    elif isinstance(optimizer, keras.optimizers.Optimizer) and any(
        excludes(one) for one in acting(optimizer)
    ):
        lost = "exclude_from_weight_decay of the optimizer"
        remedy = "give a function that returns such an optimizer"
    if lost:
        warnings.warn(
            f"A clone of this estimator will train without {lost}, which Keras does not copy or "
            f"pickle: {remedy}.",
            stacklevel=4,
        )
