"""Skill of a fit, from its losses: whether it learned, and whether more epochs would help."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from keras import ops
from numpy.typing import NDArray

from sklearn_seqae.containers.registry import Sequences

Loss = Callable[[Any, Any], tuple[Any, Any]]

# Number of steps per call of the loss. It bounds memory, and JAX compiles a single shape.
STEPS_AT_ONCE = 4096


@dataclass(frozen=True)
class SkillScore:
    """Converts a mean loss to a skill, an R2 in terms of that loss.

    The skill is 1.0 for the loss of a perfect reconstruction (a cross-entropy is not 0 there), 0.0
    for that of the best constant, and negative if the loss is higher.

    Parameters
    ----------
    constant : float
        The loss of the mean or of the median of each channel, whichever is lower. Which constant is
        best depends on the loss; for most losses it is one of these two.
    perfect : float
        The loss of an exact reconstruction.
    """

    constant: float
    perfect: float

    @classmethod
    def of(cls, loss: Loss, sequences: Sequences) -> Self:
        """Measure a `MaskedLoss` on scaled sequences."""
        values = sequences.values
        constants = _constants(values)
        losses = [_mean_loss(loss, values, np.broadcast_to(c, values.shape)) for c in constants]
        spread = np.nan_to_num(np.abs(values - constants[0])).max(initial=0.0)
        perfect = _mean_loss(loss, values, values)
        if spread <= 1e-6 * np.abs(constants).max():  # only rounding errors
            losses = [perfect]
        return cls(min(losses), perfect)

    def skill(self, loss: float) -> float:
        """Return the skill for a loss; 1.0 if a constant is perfect already."""
        learnable = self.constant - self.perfect
        if learnable <= 1e-6 * abs(self.constant):
            return 1.0
        return (self.constant - loss) / learnable

    def last_gain(self, losses: list[float], start: float = 0.0) -> float:
        """Return how much the best skill so far rose in the last half of the epochs.

        Before the first epoch it is `start`, by default that of a constant.
        """
        best = np.maximum.accumulate([start, *map(self.skill, losses)])
        return float(best[-1] - best[len(losses) // 2])


def _constants(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return mean and median of each channel, (2, n_channels); 0.0 without observed values."""
    columns = [column[np.isfinite(column)] for column in values.T]
    columns = [column if len(column) else np.zeros(1, np.float32) for column in columns]
    return np.array([[f(column) for column in columns] for f in (np.mean, np.median)], np.float32)


def _mean_loss(loss: Loss, true: NDArray[np.float32], predicted: NDArray[np.float32]) -> float:
    total = count = 0.0
    for start in range(0, len(true), STEPS_AT_ONCE):
        batch = np.full((2, 1, STEPS_AT_ONCE, true.shape[1]), np.nan, dtype=np.float32)
        for part, values in zip(batch, (true, predicted), strict=True):
            rows = values[start : start + STEPS_AT_ONCE]
            part[0, : len(rows)] = rows
        batch[1] = np.nan_to_num(batch[1])
        sums = loss(*map(ops.convert_to_tensor, batch))
        total += float(sums[0])
        count += float(sums[1])
    return total / max(count, 1.0)
