"""An LSTM by one operation of TensorFlow's, for graphs that XLA does not compile.

Without compilation it takes half the time of `recurrent_loops`, as a step costs no operations of a
graph. XLA does not know it, and has compiled loops that are faster still.
"""

from contextvars import ContextVar
from typing import Any

import keras

from .recurrent_loops import final

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

# Whether what is traced now is a graph that XLA does not compile.
in_plain_graph: ContextVar[bool] = ContextVar("in_plain_graph", default=False)


def applies(dtype: Any) -> bool:
    """Tell whether the operation may be used for arrays of this dtype now."""
    return in_plain_graph.get() and keras.backend.standardize_dtype(dtype) == "float32"


def run(
    steps: Any, kernel: Any, recurrent_kernel: Any, bias: Any, states: list[Any], n_steps: Any
) -> tuple[Any, list[Any]]:
    """Return all hidden states (size, batch, units), and the last hidden state and cell state.

    Parameters
    ----------
    steps : tensor of shape (size, batch, k)
    kernel, recurrent_kernel, bias : tensors of shape (k or units, 4 * units), (4 * units,)
        As Keras has them.
    states : list of two tensors of shape (batch, units)
    n_steps : int tensor
        How many steps to run; later ones are zeros.
    """

    def forward(steps, weights, bias, hidden, cell_state):
        # It could have weights from the cell state to the gates.
        peepholes = dict.fromkeys(("wci", "wcf", "wco"), tf.zeros_like(hidden[0]))
        inputs = {"x": steps, "w": weights, "b": bias, "h_prev": hidden, "cs_prev": cell_state}
        inputs |= {"seq_len_max": tf.cast(n_steps, tf.int64), "use_peephole": False} | peepholes
        found = tf.raw_ops.BlockLSTMV2(**inputs, cell_clip=0.0)

        def gradient(d_hiddens, d_cell_states):
            # What TensorFlow has registered as its gradient is that of another order of gates.
            d = tf.raw_ops.BlockLSTMGradV2(
                **inputs, **found._asdict(), h_grad=d_hiddens, cs_grad=d_cell_states
            )
            return final(d.x_grad, d.w_grad, d.b_grad, d.h_prev_grad, d.cs_prev_grad)

        return (found.h, found.cs), gradient

    if kernel.shape[0] % 2:  # of odd sizes the operation warns that it is inefficient
        steps, kernel = tf.pad(steps, [[0, 0], [0, 0], [0, 1]]), tf.pad(kernel, [[0, 1], [0, 0]])
    weights = tf.concat([kernel, recurrent_kernel], axis=0)
    found = tf.custom_gradient(forward)(steps, weights, bias, *states)
    last = tf.maximum(n_steps - 1, 0)
    ends = [
        tf.where(n_steps > 0, array[last], state)
        for array, state in zip(found, states, strict=True)
    ]
    return found[0], ends
