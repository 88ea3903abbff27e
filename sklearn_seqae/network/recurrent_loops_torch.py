"""The loops of the LSTM and GRU layers for torch, which has them ready: each is one operation."""

from typing import Any

import keras
from keras import ops

if keras.backend.backend() == "torch":
    import torch


def lstm(
    sequences: Any, kernel: Any, recurrent_kernel: Any, biases: list[Any], states: list[Any]
) -> tuple[Any, list[Any]]:
    """Return all hidden states (batch, size, units), and the last hidden state and cell_state.

    Parameters
    ----------
    sequences : tensor of shape (batch, size, k)
    kernel : tensor of shape (k, 4 * units)
    recurrent_kernel : tensor of shape (units, 4 * units)
    biases : list of two tensors of shape (4 * units,), or an empty one
    states : list of two tensors of shape (batch, units)
    """
    weights = [kernel.T, recurrent_kernel.T, *biases]
    start = tuple(state[None].contiguous() for state in states)
    hidden, *last = torch.lstm(sequences, start, weights, *_options(biases))
    return hidden, [state[0] for state in last]


def gru(
    sequences: Any, kernel: Any, recurrent_kernel: Any, biases: list[Any], states: list[Any]
) -> tuple[Any, list[Any]]:
    """Return all hidden states and the last one; as above, with 3 for 4 and one state."""
    weights = [_in_order(w).T for w in (kernel, recurrent_kernel)]
    weights += [_in_order(bias) for bias in biases]
    hidden, last = torch.gru(sequences, states[0][None].contiguous(), weights, *_options(biases))
    return hidden, [last[0]]


def first(sequences: Any, n_steps: Any) -> tuple[Any, int]:
    """Return the first `n_steps` steps of sequences, one at least, and how many were left out."""
    size = sequences.shape[1]
    kept = size if n_steps is None else min(max(int(n_steps), 1), size)
    return sequences[:, :kept], size - kept


def _in_order(weight: Any) -> Any:
    """Return a GRU's weights in torch's order of the gates; Keras has update before reset."""
    z, r, h = ops.split(weight, 3, axis=-1)
    return ops.concatenate([r, z, h], axis=-1)


def _options(biases: list[Any]) -> tuple:
    """Return the rest of the arguments: one layer, no dropout, one direction, batch first."""
    return bool(biases), 1, 0.0, torch.is_grad_enabled(), False, True
