"""Going on with an interrupted fit: what tells that it is the same one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sklearn_seqae.training.checkpoint import Checkpoint

# Parameters that change nothing of what is learned, or that cannot be compared across processes:
# a generator as `random_state` gives another seed each time, and callbacks have states.
LEFT_OUT = ("callbacks", "checkpoint", "contamination", "handle_unknown", "quantile", "verbose")


def open_checkpoint(estimator: Any, seed: int, data: tuple[Any, ...]) -> "Checkpoint":
    """Return the checkpoint of a fit, or raise if its folder is that of another one.

    Parameters
    ----------
    estimator : SequenceAutoencoder
    seed : int
        For a new fit.
    data : tuple
        Sequences, their stream or None, groups or None, and weights to start from.
    """
    from sklearn_seqae.training.checkpoint import Checkpoint, described, digest_of

    parameters = {
        name: described(value)
        for name, value in estimator.get_params(deep=False).items()
        if name not in LEFT_OUT and not isinstance(value, np.random.RandomState)
    }
    return Checkpoint(estimator.checkpoint, parameters, digest_of(_pieces(*data)), seed)


def _pieces(sequences: Any, streamed: Any, groups: Any, weights: dict[str, Any]) -> Iterator[Any]:
    yield from (sequences.values, sequences.offsets)
    for found in sequences.categories:
        yield None if found is None else found.values.tolist()
    yield None if streamed is None else streamed.digest
    yield groups
    yield from weights.values()
