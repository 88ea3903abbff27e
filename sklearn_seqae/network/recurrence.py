"""LSTM and GRU layers, equal to Keras' own, with a gradient derived by hand for TensorFlow on CPU.

Beside what Keras' layers do, they can take inputs that are projected already, and run fewer steps
than an array holds, so that one program that XLA compiled for a width serves all shorter sequences.
On JAX and torch, layers that are promised right-padded masks are fast too: a scan over projected
inputs, and the operation that torch has ready.
"""

from typing import Any

import keras
from keras import ops

from . import block_lstm, recurrent_loops, recurrent_loops_torch

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

_register = keras.saving.register_keras_serializable(package="sklearn_seqae")


class _FastRecurrence(keras.layers.RNN):
    """What both layers share; in their order of inheritance it comes before Keras' layer.

    Parameters
    ----------
    *args, **kwargs
        Those of Keras' layer.
    right_padded : bool, default=False
        Promise that in every mask a sequence's real steps come first. A mask then only sets how
        many steps run: as many as the longest sequence has, whatever the width. A shorter
        sequence's states after its end mean nothing, and neither do its last state and output;
        outputs after the last step that ran are zeros. Where Keras' own code runs, it heeds the
        whole mask.
    """

    def __init__(self, *args: Any, right_padded: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if right_padded and self.go_backwards:
            raise ValueError(
                "right_padded=True needs go_backwards=False: read backward, padding comes first. "
                "Reverse the sequences by their lengths instead."
            )
        self.right_padded = right_padded

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Return the last output, all outputs (batch, n_steps, units) and the last states."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        dropout = (training and self.dropout) or self.recurrent_dropout
        elsewhere = keras.backend.backend() != "tensorflow"
        by_scan = elsewhere and self.right_padded and not dropout
        if not by_scan and (self.unroll or dropout or not self._is_fast(sequences.dtype)):
            return super().inner_loop(sequences, initial_state, mask, training)
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        if by_scan:
            return self._run_right_padded(sequences, list(initial_state), mask)
        steps = _swap_axes(sequences)
        n_steps = None
        if mask is not None and self.right_padded:
            n_steps = tf.reduce_max(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1))
            mask = None
        if mask is not None:
            mask = _swap_axes(tf.cast(mask, tf.bool))
        if self.go_backwards:
            steps = tf.reverse(steps, [0])
            mask = None if mask is None else tf.reverse(mask, [0])
        hidden, states = self._run(steps, self._projection(steps), initial_state, mask, n_steps)
        outputs, last = hidden, states[0]
        if mask is not None:
            # Keras repeats the previous output on a masked step, and has zeros before the first.
            shown = mask if self.zero_output_for_mask else _any_so_far(mask)
            outputs = tf.where(shown[..., None], hidden, tf.zeros_like(hidden))
            last = outputs[-1]
        return last, _swap_axes(outputs), states

    def recur(
        self,
        projected: Any,
        initial_state: Any = None,
        *,
        constant: Any = None,
        n_steps: Any = None,
    ) -> Any:
        """Run the recurrence over inputs that the caller has projected; the layer must be built.

        Parameters
        ----------
        projected : tensor of shape (batch, size, n_gates * units)
            The inputs times `cell.kernel`, plus the bias (of a GRU with `reset_after`, plus
            `cell.bias[0]`, the bias of the inputs). `n_gates` is 4 for an LSTM, 3 for a GRU.
            With a `constant` the batch may be 1: inputs that all sequences share.
        initial_state : list of tensors of shape (batch, units), default=None
            As in a call of the layer; None means zeros.
        constant : tensor of shape (batch, n_gates * units), default=None
            Added to every step's projected inputs, without an array of all the sums.
        n_steps : int tensor, default=None
            How many steps to run; None means all. It may differ from call to call of a compiled
            function.

        Returns
        -------
        hidden : tensor of shape (batch, size, units)
            The hidden states, in the order of the steps whatever `go_backwards` says; zeros after
            the first `n_steps`.
        """
        projected = ops.convert_to_tensor(projected)
        weights = () if constant is None else (ops.convert_to_tensor(constant),)
        if initial_state is None:
            batch = ops.shape(weights[0] if weights else projected)[0]
            zeros = ops.zeros((batch, self.units), dtype=projected.dtype)
            initial_state = [zeros] * len(self.state_size)
        if self._is_fast(projected.dtype):
            steps = _swap_axes(projected)
            return _swap_axes(self._run(steps, weights, initial_state, None, n_steps)[0])

        if weights:
            projected = projected + weights[0][:, None]  # not in place, as torch understands +=
        return self._scan(projected, list(initial_state), n_steps)[0]

    def reads_whole(self, dtype: Any) -> bool:
        """Tell whether a call with all inputs is faster than `recur` with projected ones."""
        if keras.backend.backend() == "torch":
            return True
        is_lstm = isinstance(self, keras.layers.LSTM)
        return is_lstm and self._is_fast(dtype) and block_lstm.applies(dtype)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        # With `right_padded` the mask has set how far to run, and says nothing of the outputs.
        return None if self.right_padded else super().compute_mask(sequences, mask)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"right_padded": self.right_padded}

    def _run_right_padded(
        self, sequences: Any, states: list[Any], mask: Any
    ) -> tuple[Any, Any, list[Any]]:
        """Do the work of `inner_loop` for right-padded sequences on other backends."""
        n_steps = None
        if mask is not None:
            n_steps = ops.max(ops.sum(ops.cast(mask, "int32"), axis=1))
        bias = ops.cast(self.cell.bias, sequences.dtype) if self.cell.use_bias else None
        kernel = ops.cast(self.cell.kernel, sequences.dtype)
        if keras.backend.backend() == "torch" and self._has_usual_gates():
            sequences, n_left = recurrent_loops_torch.first(sequences, n_steps)
            recurrent_kernel = ops.cast(self.cell.recurrent_kernel, sequences.dtype)
            hidden, states = self._run_torch(sequences, kernel, recurrent_kernel, bias, states)
            hidden = ops.pad(hidden, [[0, 0], [0, n_left], [0, 0]])
        else:
            projected = ops.matmul(sequences, kernel)
            if bias is not None:
                projected = projected + self._input_bias(bias)
            hidden, states = self._scan(projected, states, n_steps)
        return states[0], hidden, states

    def _scan(self, projected: Any, states: list[Any], n_steps: Any) -> tuple[Any, list[Any]]:
        """Run by the means that all backends have; return hidden states, and the last states.

        All steps run, as skipping those after `n_steps` cost JAX more than it saved.
        """

        def run(states: list[Any], step: Any) -> tuple[list[Any], list[Any]]:
            states = self._step(step, states)
            return states, states  # on TensorFlow `scan` wants outputs that look like the states

        last, all_states = ops.scan(run, states, ops.transpose(projected, (1, 0, 2)))
        hidden = ops.transpose(all_states[0], (1, 0, 2))
        if n_steps is not None:
            ran = ops.arange(ops.shape(hidden)[1]) < n_steps
            hidden = ops.where(ran[None, :, None], hidden, ops.zeros_like(hidden))
        return hidden, last

    def _is_fast(self, dtype: Any) -> bool:
        """Whether the loops of this module apply; otherwise Keras' own do."""
        return (
            keras.backend.backend() == "tensorflow"
            and self._has_usual_gates()
            and keras.backend.standardize_dtype(dtype) in ("float32", "float64")
            and not tf.config.list_logical_devices("GPU")
        )

    def _has_usual_gates(self) -> bool:
        return (
            self.cell.activation is keras.activations.tanh
            and self.cell.recurrent_activation is keras.activations.sigmoid
            and getattr(self.cell, "reset_after", True)
        )

    def _weight(self, weight: Any, like: Any) -> Any:
        return tf.cast(ops.convert_to_tensor(weight), like.dtype)

    def _projection(self, like: Any) -> tuple[Any, Any]:
        """Return the kernel and the bias of the inputs."""
        kernel = self._weight(self.cell.kernel, like)
        if self.cell.use_bias:
            return kernel, self._input_bias(self._weight(self.cell.bias, like))
        return kernel, tf.zeros([kernel.shape[1]], kernel.dtype)


@_register
class LSTM(_FastRecurrence, keras.layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU under TensorFlow.

    Parameters (beside `right_padded`), weights, masks and results are those of
    `keras.layers.LSTM`, up to rounding. Activations other than the defaults, dropout while
    training, `unroll=True`, a visible GPU, another backend or half precision make it run Keras'
    own code.
    """

    def _input_bias(self, bias: Any) -> Any:
        return bias

    def _run(
        self, steps: Any, weights: tuple, states: list[Any], mask: Any, n_steps: Any
    ) -> tuple[Any, list[Any]]:
        kernel = self._weight(self.cell.recurrent_kernel, steps)
        if len(weights) == 2 and mask is None and block_lstm.applies(steps.dtype):
            of_inputs, bias = weights
            n_steps = recurrent_loops.count_steps(n_steps, recurrent_loops.axis_size(steps, 0))
            return block_lstm.run(steps, of_inputs, kernel, bias, list(states), n_steps)
        return recurrent_loops.lstm(steps, weights, kernel, list(states), mask, n_steps)

    def _run_torch(
        self, sequences: Any, kernel: Any, recurrent_kernel: Any, bias: Any, states: list[Any]
    ) -> tuple[Any, list[Any]]:
        biases = [] if bias is None else [bias, ops.zeros_like(bias)]
        return recurrent_loops_torch.lstm(sequences, kernel, recurrent_kernel, biases, states)

    def _step(self, step: Any, states: list[Any]) -> list[Any]:
        hidden, cell_state = states
        cell = self.cell
        gates = step + ops.matmul(hidden, ops.cast(cell.recurrent_kernel, step.dtype))
        i, f, c, o = ops.split(gates, 4, axis=-1)
        kept, added = cell.recurrent_activation(f), cell.recurrent_activation(i)
        cell_state = kept * cell_state + added * cell.activation(c)
        hidden = cell.recurrent_activation(o) * cell.activation(cell_state)
        return [hidden, cell_state]


@_register
class GRU(_FastRecurrence, keras.layers.GRU):
    """`keras.layers.GRU`, faster on a CPU under TensorFlow.

    Parameters (beside `right_padded`), weights, masks and results are those of
    `keras.layers.GRU`, up to rounding. Activations other than the defaults, `reset_after=False`,
    dropout while training, `unroll=True`, a visible GPU, another backend or half precision make it
    run Keras' own code.
    """

    def _input_bias(self, bias: Any) -> Any:
        return bias[0] if self.cell.reset_after else bias

    def _run(
        self, steps: Any, weights: tuple, states: list[Any], mask: Any, n_steps: Any
    ) -> tuple[Any, list[Any]]:
        kernel = self._weight(self.cell.recurrent_kernel, steps)
        if self.cell.use_bias:
            bias = self._weight(self.cell.bias, steps)[1]
        else:
            bias = tf.zeros([3 * self.units], steps.dtype)
        return recurrent_loops.gru(steps, weights, kernel, bias, list(states), mask, n_steps)

    def _run_torch(
        self, sequences: Any, kernel: Any, recurrent_kernel: Any, bias: Any, states: list[Any]
    ) -> tuple[Any, list[Any]]:
        biases = [] if bias is None else [bias[0], bias[1]]
        return recurrent_loops_torch.gru(sequences, kernel, recurrent_kernel, biases, states)

    def _step(self, step: Any, states: list[Any]) -> list[Any]:
        (hidden,) = states
        cell = self.cell
        kernel = ops.cast(cell.recurrent_kernel, step.dtype)
        z, r, h = ops.split(step, 3, axis=-1)
        kernels = ops.split(kernel, 3, axis=-1)
        if cell.use_bias and cell.reset_after:
            biases = ops.split(ops.cast(cell.bias[1], step.dtype), 3)
        else:
            biases = [0.0, 0.0, 0.0]
        z = cell.recurrent_activation(z + ops.matmul(hidden, kernels[0]) + biases[0])
        r = cell.recurrent_activation(r + ops.matmul(hidden, kernels[1]) + biases[1])
        if cell.reset_after:
            h = h + r * (ops.matmul(hidden, kernels[2]) + biases[2])
        else:
            h = h + ops.matmul(r * hidden, kernels[2])
        return [z * hidden + (1.0 - z) * cell.activation(h)]


def _any_so_far(mask: Any) -> Any:
    """Return where a mask (n_steps, batch) has had a True at that step or before."""
    first = tf.argmax(mask, axis=0, output_type=tf.int32)
    steps = tf.range(recurrent_loops.axis_size(mask, 0))[:, None]
    return tf.logical_and(steps >= first, tf.reduce_any(mask, axis=0))


def _swap_axes(x: Any) -> Any:
    """Exchange batch and time."""
    return tf.transpose(x, [1, 0, *range(2, len(x.shape))])
