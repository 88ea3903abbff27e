"""LSTM and GRU layers, equal to Keras' own, with a gradient derived by hand for TensorFlow on CPU.

What makes them fast: the inputs of all steps are projected by one matrix product before the loop,
the loop forward holds one product with the recurrent kernel, the loop backward one with its
transpose and a few multiplications by factors that are computed for all steps at once before it,
and the gradient of the recurrent kernel is one product after it. TensorFlow's automatic gradient
adds one product a step for that and keeps every intermediate result.

Inside the loops time is the first axis, so that a step is one contiguous block.
"""

from typing import Any

import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

_register = keras.saving.register_keras_serializable(package="sklearn_seqae")


class _FastRecurrence:
    """What both layers share; `cell`, `go_backwards` and so on come from the Keras layer."""

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Return the last output, all outputs (batch, n_steps, units) and the last states."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        dropout = (training and self.dropout) or self.recurrent_dropout
        if self.unroll or dropout or not self._is_fast(sequences.dtype):
            return super().inner_loop(sequences, initial_state, mask, training)
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        steps = _swap_axes(sequences)
        if mask is not None:
            mask = _swap_axes(tf.cast(mask, tf.bool))
        if self.go_backwards:
            steps = tf.reverse(steps, [0])
            mask = None if mask is None else tf.reverse(mask, [0])
        hidden, states = self._run(self._project(steps), initial_state, mask)
        outputs, last = hidden, states[0]
        if mask is not None:
            # Keras repeats the previous output on a masked step, and has zeros before the first.
            shown = mask if self.zero_output_for_mask else _any_so_far(mask)
            outputs = tf.where(shown[..., None], hidden, tf.zeros_like(hidden))
            last = outputs[-1]
        return last, _swap_axes(outputs), states

    def recur(self, projected: Any, initial_state: Any = None) -> Any:
        """Run the recurrence over inputs that the caller has projected; the layer must be built.

        Parameters
        ----------
        projected : tensor of shape (batch, n_steps, n_gates * units)
            The inputs times `cell.kernel`, plus the bias (of a GRU with `reset_after`, plus
            `cell.bias[0]`, the bias of the inputs). `n_gates` is 4 for an LSTM, 3 for a GRU.
        initial_state : list of tensors of shape (batch, units), default=None
            As in a call of the layer; None means zeros.

        Returns
        -------
        hidden : tensor of shape (batch, n_steps, units)
            The hidden states, in the order of the steps whatever `go_backwards` says.
        """
        projected = ops.convert_to_tensor(projected)
        if initial_state is None:
            zeros = ops.zeros((ops.shape(projected)[0], self.units), dtype=projected.dtype)
            initial_state = [zeros] * len(self.state_size)
        if self._is_fast(projected.dtype):
            return _swap_axes(self._run(_swap_axes(projected), initial_state, None)[0])

        def scanned(states, step):
            states = self._step(step, states)
            return states, states  # on TensorFlow `scan` wants outputs that look like the states

        steps = ops.transpose(projected, (1, 0, 2))
        _, states = ops.scan(scanned, list(initial_state), steps)
        return ops.transpose(states[0], (1, 0, 2))

    def _is_fast(self, dtype: Any) -> bool:
        """Whether the loops of this module apply; otherwise Keras' own do."""
        return (
            keras.backend.backend() == "tensorflow"
            and self.cell.activation is keras.activations.tanh
            and self.cell.recurrent_activation is keras.activations.sigmoid
            and getattr(self.cell, "reset_after", True)
            and keras.backend.standardize_dtype(dtype) in ("float32", "float64")
            and not tf.config.list_logical_devices("GPU")
        )

    def _weight(self, weight: Any, like: Any) -> Any:
        return tf.cast(ops.convert_to_tensor(weight), like.dtype)

    def _project(self, steps: Any) -> Any:
        """Return what all steps add to the gates, by one matrix product."""
        kernel = self._weight(self.cell.kernel, steps)
        n_steps, batch = _size(steps, 0), _size(steps, 1)
        projected = tf.matmul(tf.reshape(steps, [n_steps * batch, kernel.shape[0]]), kernel)
        if self.cell.use_bias:
            projected += self._input_bias(steps)
        return tf.reshape(projected, [n_steps, batch, kernel.shape[1]])


@_register
class LSTM(_FastRecurrence, keras.layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU under TensorFlow.

    Parameters, weights, masks and results are those of `keras.layers.LSTM`, up to rounding.
    Activations other than the defaults, dropout while training, `unroll=True`, a visible GPU,
    another backend or half precision make it run Keras' own code.
    """

    def _input_bias(self, like: Any) -> Any:
        return self._weight(self.cell.bias, like)

    def _run(self, projected: Any, initial_state: Any, mask: Any) -> tuple[Any, list[Any]]:
        kernel = self._weight(self.cell.recurrent_kernel, projected)
        hidden, carry = _lstm(projected, kernel, *initial_state, mask)
        return hidden, [hidden[-1], carry]

    def _step(self, step: Any, states: list[Any]) -> list[Any]:
        hidden, carry = states
        cell = self.cell
        gates = step + ops.matmul(hidden, ops.cast(cell.recurrent_kernel, step.dtype))
        i, f, c, o = ops.split(gates, 4, axis=-1)
        carry = cell.recurrent_activation(f) * carry
        carry += cell.recurrent_activation(i) * cell.activation(c)
        hidden = cell.recurrent_activation(o) * cell.activation(carry)
        return [hidden, carry]


@_register
class GRU(_FastRecurrence, keras.layers.GRU):
    """`keras.layers.GRU`, faster on a CPU under TensorFlow.

    Parameters, weights, masks and results are those of `keras.layers.GRU`, up to rounding.
    Activations other than the defaults, `reset_after=False`, dropout while training,
    `unroll=True`, a visible GPU, another backend or half precision make it run Keras' own code.
    """

    def _input_bias(self, like: Any) -> Any:
        return self._weight(self.cell.bias, like)[0]

    def _run(self, projected: Any, initial_state: Any, mask: Any) -> tuple[Any, list[Any]]:
        kernel = self._weight(self.cell.recurrent_kernel, projected)
        if self.cell.use_bias:
            bias = self._weight(self.cell.bias, projected)[1]
        else:
            bias = tf.zeros([3 * self.units], projected.dtype)
        hidden = _gru(projected, kernel, bias, initial_state[0], mask)
        return hidden, [hidden[-1]]

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
            h += r * (ops.matmul(hidden, kernels[2]) + biases[2])
        else:
            h += ops.matmul(r * hidden, kernels[2])
        return [z * hidden + (1.0 - z) * cell.activation(h)]


def _lstm(projected: Any, kernel: Any, hidden: Any, carry: Any, mask: Any) -> tuple[Any, Any]:
    """Return all hidden states (n_steps, batch, units) and the last carry (batch, units).

    `mask`, (n_steps, batch) bool or None, keeps the states of a step where it is False.
    """
    units = kernel.shape[0]
    scale, shift = _gate_factors([0.5, 0.5, 1.0, 0.5], units, projected.dtype)

    def run(projected, kernel, first_hidden, first_carry):
        n_steps = _size(projected, 0)
        scaled_kernel = kernel * scale
        inputs = _reader(projected * scale)
        masks = None if mask is None else _reader(mask[..., None])

        def step(t, hidden, carry, kept):
            gates = tf.tanh(inputs.read(t) + tf.matmul(hidden, scaled_kernel)) * scale + shift
            i, f, c, o = tf.split(gates, 4, axis=1)
            new_carry = f * carry + i * c
            new_hidden = o * tf.tanh(new_carry)
            if masks is not None:
                real = masks.read(t)
                new_carry = tf.where(real, new_carry, carry)
                new_hidden = tf.where(real, new_hidden, hidden)
            kept = _write(kept, t, gates, new_carry, new_hidden)
            return t + 1, new_hidden, new_carry, kept

        kept = [_writer(projected, width) for width in (4 * units, units, units)]
        _, _, last_carry, kept = tf.while_loop(
            lambda t, *_: t < n_steps, step, (0, first_hidden, first_carry, kept)
        )
        gates, carries, hiddens = (_stack(buffer, projected) for buffer in kept)

        def gradient(d_hiddens, d_last_carry):
            i, f, c, o = tf.split(gates, 4, axis=2)
            previous_carries = _shift(first_carry, carries)
            squashed = tf.tanh(carries)
            by_carry = [c * i * (1.0 - i), previous_carries * f * (1.0 - f), i * (1.0 - c * c)]
            factors = tf.concat([*by_carry, squashed * o * (1.0 - o)], axis=2)
            leak, keep, skip = o * (1.0 - squashed * squashed), f, None
            if mask is not None:
                real = mask[..., None]
                factors = tf.where(real, factors, tf.zeros_like(factors))
                leak = tf.where(real, leak, tf.zeros_like(leak))
                keep = tf.where(real, keep, tf.ones_like(keep))
                skip = _reader(1.0 - tf.cast(real, projected.dtype))
            d_outputs, factors, leak, keep = map(_reader, (d_hiddens, factors, leak, keep))
            transposed, d_gates = tf.transpose(kernel), _writer(projected, 4 * units)

            def step_back(t, d_hidden, d_carry, d_gates):
                d_hidden += d_outputs.read(t)
                d_carry += d_hidden * leak.read(t)
                d_gate = tf.concat([d_carry] * 3 + [d_hidden], axis=1) * factors.read(t)
                d_before = tf.matmul(d_gate, transposed)
                if skip is not None:
                    d_before += d_hidden * skip.read(t)
                return t - 1, d_before, d_carry * keep.read(t), d_gates.write(t, d_gate)

            _, d_hidden, d_carry, d_gates = tf.while_loop(
                lambda t, *_: t >= 0,
                step_back,
                (n_steps - 1, tf.zeros_like(first_hidden), d_last_carry, d_gates),
            )
            d_projected = _stack(d_gates, projected)
            d_kernel = _product_over_steps(_shift(first_hidden, hiddens), d_projected)
            return d_projected, d_kernel, d_hidden, d_carry

        return (hiddens, last_carry), gradient

    return tf.custom_gradient(run)(projected, kernel, hidden, carry)


def _gru(projected: Any, kernel: Any, bias: Any, hidden: Any, mask: Any) -> Any:
    """Return all hidden states (n_steps, batch, units); `mask` as in `_lstm`."""
    units = kernel.shape[0]
    scale, shift = _gate_factors([0.5, 0.5, 1.0], units, projected.dtype)

    def run(projected, kernel, bias, first_hidden):
        n_steps = _size(projected, 0)
        scaled_kernel, scaled_bias = kernel * scale, bias * scale
        inputs = _reader(projected * scale)
        masks = None if mask is None else _reader(mask[..., None])

        def step(t, hidden, kept):
            recurrent = tf.matmul(hidden, scaled_kernel) + scaled_bias
            from_gates, from_state = tf.split(recurrent, [2 * units, units], axis=1)
            to_gates, to_state = tf.split(inputs.read(t), [2 * units, units], axis=1)
            gates = 0.5 * tf.tanh(to_gates + from_gates) + 0.5
            z, r = tf.split(gates, 2, axis=1)
            candidate = tf.tanh(to_state + r * from_state)
            new_hidden = candidate + z * (hidden - candidate)
            if masks is not None:
                new_hidden = tf.where(masks.read(t), new_hidden, hidden)
            return t + 1, new_hidden, _write(kept, t, gates, from_state, candidate, new_hidden)

        kept = [_writer(projected, width) for width in (2 * units, units, units, units)]
        _, _, kept = tf.while_loop(lambda t, *_: t < n_steps, step, (0, first_hidden, kept))
        gates, from_states, candidates, hiddens = (_stack(buffer, projected) for buffer in kept)

        def gradient(d_hiddens):
            z, r = tf.split(gates, 2, axis=2)
            previous = _shift(first_hidden, hiddens)
            to_state = (1.0 - z) * (1.0 - candidates * candidates)
            factors = tf.concat(
                [
                    (previous - candidates) * z * (1.0 - z),
                    to_state * from_states * r * (1.0 - r),
                    to_state * r,
                ],
                axis=2,
            )
            keep = z
            if mask is not None:
                real = mask[..., None]
                factors = tf.where(real, factors, tf.zeros_like(factors))
                keep = tf.where(real, keep, tf.ones_like(keep))
                to_state = tf.where(real, to_state, tf.zeros_like(to_state))
            d_outputs, factors_at, keep = map(_reader, (d_hiddens, factors, keep))
            transposed = tf.transpose(kernel)

            def step_back(t, d_hidden, d_totals):
                d_hidden += d_outputs.read(t)
                d_recurrent = tf.tile(d_hidden, [1, 3]) * factors_at.read(t)
                d_before = d_hidden * keep.read(t) + tf.matmul(d_recurrent, transposed)
                return t - 1, d_before, d_totals.write(t, d_hidden)

            _, d_hidden, d_totals = tf.while_loop(
                lambda t, *_: t >= 0,
                step_back,
                (n_steps - 1, tf.zeros_like(first_hidden), _writer(projected, units)),
            )
            d_totals = _stack(d_totals, projected)
            d_recurrent = tf.tile(d_totals, [1, 1, 3]) * factors
            d_projected = tf.concat([d_recurrent[..., : 2 * units], d_totals * to_state], axis=2)
            d_kernel = _product_over_steps(previous, d_recurrent)
            return d_projected, d_kernel, tf.reduce_sum(d_recurrent, axis=[0, 1]), d_hidden

        return hiddens, gradient

    return tf.custom_gradient(run)(projected, kernel, bias, hidden)


def _gate_factors(scales: list[float], units: int, dtype: Any) -> tuple[Any, Any]:
    """Return per gate column the scale and shift that make a sigmoid, or not, of tanh.

    sigmoid(x) = 0.5 * tanh(0.5 * x) + 0.5, so one tanh serves all gates.
    """
    scale = tf.constant([s for s in scales for _ in range(units)], dtype)
    return scale, 1.0 - scale


def _any_so_far(mask: Any) -> Any:
    """Return where a mask (n_steps, batch) has had a True at that step or before."""
    first = tf.argmax(mask, axis=0, output_type=tf.int32)
    steps = tf.range(_size(mask, 0))[:, None]
    return tf.logical_and(steps >= first, tf.reduce_any(mask, axis=0))


def _product_over_steps(states: Any, gates: Any) -> Any:
    """Return the sum over steps and batch of the outer products (units, n_gates * units)."""
    states = tf.reshape(states, [-1, states.shape[-1]])
    return tf.matmul(states, tf.reshape(gates, [-1, gates.shape[-1]]), transpose_a=True)


def _size(x: Any, axis: int) -> Any:
    """Return a size as a number where it is known, so that shapes stay static."""
    return tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]


def _swap_axes(x: Any) -> Any:
    """Exchange batch and time."""
    return tf.transpose(x, [1, 0, *range(2, len(x.shape))])


def _shift(first: Any, x: Any) -> Any:
    """Return the states before each step, of the states after each."""
    return tf.concat([first[None], x[:-1]], axis=0)


def _reader(x: Any) -> Any:
    return tf.TensorArray(x.dtype, size=_size(x, 0), element_shape=x.shape[1:]).unstack(x)


def _writer(like: Any, width: int) -> Any:
    shape = (like.shape[1], width)
    return tf.TensorArray(like.dtype, size=_size(like, 0), element_shape=shape)


def _write(buffers: list[Any], t: Any, *values: Any) -> list[Any]:
    return [buffer.write(t, value) for buffer, value in zip(buffers, values, strict=True)]


def _stack(buffer: Any, like: Any) -> Any:
    return tf.ensure_shape(buffer.stack(), (like.shape[0], *buffer.element_shape))
