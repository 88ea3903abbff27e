"""Devices that share the training of a network: what is refused, and how rows are divided."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


def strategy_in_scope() -> Any:
    """Return the strategy of TensorFlow whose scope this is; None without any, or TensorFlow."""
    tensorflow: Any = sys.modules.get("tensorflow")
    if tensorflow is None or not tensorflow.distribute.has_strategy():
        return None
    return tensorflow.distribute.get_strategy()


def refuse(found: Any, expected: str, remedy: str) -> None:
    """Raise where Keras is to train on several devices in a way that would have no effect."""
    raise RuntimeError(f"Expected {expected}, got {type(found).__name__}: {remedy}.")


def fill_up(
    batches: NDArray[np.float32], lengths: NDArray[np.float32], n_devices: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Append rows that stand for nothing, so that devices have the same, even number of rows.

    It is even, as `program.hide_ends` looks at every other row.
    """
    missing = -batches.shape[1] % (2 * n_devices)
    rows = [(0, 0), (0, missing)]
    return (
        np.pad(batches, [*rows, (0, 0), (0, 0)], constant_values=np.nan),
        np.pad(lengths, rows, constant_values=-1.0),
    )
