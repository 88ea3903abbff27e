"""Whether a fit learned anything, and enough: what its user is warned of."""

import warnings
from typing import TYPE_CHECKING

from sklearn.exceptions import ConvergenceWarning

from .exceptions import NothingLearnedWarning

if TYPE_CHECKING:
    from .training import Outcome

# An R2 below this is that of a network that writes little else than the mean.
LEAST_SKILL = 0.01
# A fit whose R2 rose by more in the last half of its epochs wants more of them: see docs/design.
MOST_LAST_GAIN = 0.015


def judge(outcome: "Outcome") -> None:
    """Warn where a fit learned nothing, or would have learned more from more epochs."""
    if outcome.interrupted:  # which is for the user to judge, who has been told
        return
    if outcome.skill < LEAST_SKILL:
        warnings.warn(
            "The reconstruction is no better than the mean of the training data (where a "
            f"perfect one has 100%, it has {outcome.skill:.1%}), so codes say next to nothing "
            "about their sequences. Try more epochs, another learning_rate, scaler or loss, or "
            "more n_components; noise cannot be learned.",
            NothingLearnedWarning,
            stacklevel=3,
        )
    if outcome.ran_out and outcome.last_gain > MOST_LAST_GAIN:
        warnings.warn(
            f"The fit ended after all {outcome.n_epochs} epochs while the loss still fell: "
            f"{outcome.last_gain:.1%} of what can be learned was learned in the last half of "
            "them. Use more epochs, or warm_start=True to go on from here.",
            ConvergenceWarning,
            stacklevel=3,
        )
