"""What training returns: weights, losses, and how they were found."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.network.layer_specs import Weights

from .skill import SkillScore


@dataclass
class FitResult:
    """The weights that did best, by name, and the figures of the fit."""

    weights: Weights = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    optimizer_state: dict[str, list[NDArray]] = field(default_factory=dict)
    held_out: NDArray[np.int64] = field(default_factory=lambda: np.arange(0))  # indices
    interrupted: bool = False
    ran_out: bool = False  # of epochs, and nothing else stopped it
    start_loss: float | None = None  # monitored, of a linear path before the first epoch
    kept_start: bool = False  # as no epoch was clearly better
    is_used: bool = True  # the recurrent decoder, beside a linear path
    skill: float = 1.0  # of the best epoch, by `skill.SkillScore`
    last_gain: float = 0.0
    streamed: Any = None  # an estimator's, which says what the sequences are a sample of

    @property
    def n_epochs(self) -> int:
        """Number of epochs that were completed."""
        return len(self.history.get("loss", ()))

    def set_skill(self, skill_score: SkillScore, held_out: float) -> None:
        """Set skill and last gain; `held_out` is the fraction of sequences held out for "val_loss".

        Losses that custom models add are subtracted, as they do not measure the reconstruction.
        The skill is that over all sequences: a few held-out ones may be harder than the mean.
        """
        losses = self._reconstruction_losses("")
        watched = self._reconstruction_losses("val_") if "val_loss" in self.history else losses
        best = self.best_epoch
        loss = (1 - held_out) * losses[best] + held_out * watched[best]
        start = 0.0 if self.start_loss is None else skill_score.skill(self.start_loss)
        self.skill = start if self.kept_start else skill_score.skill(loss)
        self.last_gain = skill_score.last_gain(watched, start)

    def _reconstruction_losses(self, prefix: str) -> list[float]:
        losses = self.history[f"{prefix}loss"]
        added = self.history.get(f"{prefix}added_loss", [0.0] * len(losses))
        return [loss - extra for loss, extra in zip(losses, added, strict=True)]
