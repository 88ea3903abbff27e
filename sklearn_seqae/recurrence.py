"""LSTM and GRU layers, equal to Keras' own, with a gradient derived by hand for TensorFlow on CPU.

What makes them fast is that the loops keep their work in the processor's cache. A step forward
multiplies its inputs and its state, and keeps the gates; a step backward has one product for the
state before, and adds to the gradients of the weights while all factors are still at hand. To
project all inputs before the loop, or to sum up the weights' gradients after it, takes fewer and
larger products, but was up to twice as slow: it moves arrays of n_steps * batch * 4 * units
through memory. The automatic gradient keeps and recomputes more, and XLA compiles it badly.

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
        hidden, states = self._run(steps, self._projection(steps), initial_state, mask)
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
            return _swap_axes(self._run(_swap_axes(projected), (), initial_state, None)[0])

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

    def _projection(self, like: Any) -> tuple[Any, Any]:
        """Return the kernel and the bias of the inputs."""
        kernel = self._weight(self.cell.kernel, like)
        if self.cell.use_bias:
            return kernel, self._input_bias(like)
        return kernel, tf.zeros([kernel.shape[1]], kernel.dtype)


@_register
class LSTM(_FastRecurrence, keras.layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU under TensorFlow.

    Parameters, weights, masks and results are those of `keras.layers.LSTM`, up to rounding.
    Activations other than the defaults, dropout while training, `unroll=True`, a visible GPU,
    another backend or half precision make it run Keras' own code.
    """

    def _input_bias(self, like: Any) -> Any:
        return self._weight(self.cell.bias, like)

    def _run(
        self, steps: Any, projection: tuple, initial_state: Any, mask: Any
    ) -> tuple[Any, list[Any]]:
        kernel = self._weight(self.cell.recurrent_kernel, steps)
        hidden, *states = _lstm(steps, projection, kernel, *initial_state, mask)
        return hidden, states

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

    def _run(
        self, steps: Any, projection: tuple, initial_state: Any, mask: Any
    ) -> tuple[Any, list[Any]]:
        kernel = self._weight(self.cell.recurrent_kernel, steps)
        if self.cell.use_bias:
            bias = self._weight(self.cell.bias, steps)[1]
        else:
            bias = tf.zeros([3 * self.units], steps.dtype)
        hidden, *states = _gru(steps, projection, kernel, bias, initial_state[0], mask)
        return hidden, states

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


def _lstm(
    steps: Any, projection: tuple, kernel: Any, hidden: Any, carry: Any, mask: Any
) -> tuple[Any, Any, Any]:
    """Return all hidden states (n_steps, batch, units), the last one and the last carry.

    `steps` (n_steps, batch, k) are multiplied by the kernel and added to the bias in `projection`,
    or are projected already if that is (). `kernel` is the recurrent one. `mask`, (n_steps, batch)
    bool or None, keeps the states of a step where it is False.
    """
    units = kernel.shape[0]

    def run(steps, kernel, hidden, carry, *projection):
        n_steps = _size(steps, 0)
        inputs = _reader(steps)
        real = None if mask is None else _reader(tf.cast(mask[..., None], steps.dtype))

        def step(t, hidden, carry, hiddens, carries, gates):
            values = _project(inputs.read(t), projection) + tf.matmul(hidden, kernel)
            values = tf.split(values, 4, axis=1)
            i, f, o = (tf.sigmoid(values[k]) for k in (0, 1, 3))
            c = tf.tanh(values[2])
            new_carry = f * carry + i * c
            new_hidden = o * tf.tanh(new_carry)
            if real is not None:
                kept = real.read(t) < 0.5
                new_carry = tf.where(kept, carry, new_carry)
                new_hidden = tf.where(kept, hidden, new_hidden)
            gates = [g.write(t, value) for g, value in zip(gates, (i, f, c, o), strict=True)]
            hiddens, carries = hiddens.write(t + 1, new_hidden), carries.write(t + 1, new_carry)
            return t + 1, new_hidden, new_carry, hiddens, carries, gates

        hiddens, carries = (_writer(steps, n_steps + 1, units) for _ in range(2))
        start = (hiddens.write(0, hidden), carries.write(0, carry))
        gates = [_writer(steps, n_steps, units) for _ in range(4)]
        _, last_hidden, last_carry, hiddens, carries, gates = tf.while_loop(
            lambda t, *_: t < n_steps, step, (0, hidden, carry, *start, gates)
        )

        def gradient(d_outputs, d_hidden, d_carry):
            d_outputs, transposed = _reader(d_outputs), tf.transpose(kernel)

            def step_back(t, d_hidden, d_carry, d_projected, d_weights):
                d_hidden += d_outputs.read(t)
                d_hidden, skipped_hidden = _part(d_hidden, real, t)
                d_carry, skipped_carry = _part(d_carry, real, t)
                i, f, c, o = (gate.read(t) for gate in gates)
                squashed = tf.tanh(carries.read(t + 1))
                by_hidden = d_hidden * o
                by_output = by_hidden * squashed
                d_carry += by_hidden - by_output * squashed
                by_input, by_forget = d_carry * i, d_carry * f
                d_i = by_input * c
                d_gates = tf.concat(
                    [
                        d_i - d_i * i,
                        (by_forget - by_forget * f) * carries.read(t),
                        by_input - d_i * c,
                        by_output - by_output * o,
                    ],
                    axis=1,
                )
                d_hidden, d_carry = tf.matmul(d_gates, transposed), by_forget
                if real is not None:
                    d_hidden, d_carry = d_hidden + skipped_hidden, d_carry + skipped_carry
                terms = [_outer(hiddens.read(t), d_gates)]
                if projection:
                    terms += [_outer(inputs.read(t), d_gates), tf.reduce_sum(d_gates, axis=0)]
                d_projected = d_projected.write(t, d_gates)
                return t - 1, d_hidden, d_carry, d_projected, _add(d_weights, terms)

            empty = _writer(steps, n_steps, 4 * units)
            zeros = [tf.zeros_like(weight) for weight in (kernel, *projection)]
            _, d_hidden, d_carry, d_projected, (d_kernel, *d_projection) = tf.while_loop(
                lambda t, *_: t >= 0, step_back, (n_steps - 1, d_hidden, d_carry, empty, zeros)
            )
            d_steps = _unproject(_stack(d_projected, steps), projection)
            return _final(d_steps, d_kernel, d_hidden, d_carry, *d_projection)

        return (_stack(hiddens, steps, start=1), last_hidden, last_carry), gradient

    return tf.custom_gradient(run)(steps, kernel, hidden, carry, *projection)


def _gru(
    steps: Any, projection: tuple, kernel: Any, bias: Any, hidden: Any, mask: Any
) -> tuple[Any, Any]:
    """Return all hidden states and the last one; the arguments are as in `_lstm`."""
    units = kernel.shape[0]

    def run(steps, kernel, bias, hidden, *projection):
        n_steps = _size(steps, 0)
        inputs = _reader(steps)
        real = None if mask is None else _reader(tf.cast(mask[..., None], steps.dtype))

        def step(t, hidden, hiddens, gates):
            to_z, to_r, to_state = tf.split(_project(inputs.read(t), projection), 3, axis=1)
            from_z, from_r, from_state = tf.split(tf.matmul(hidden, kernel) + bias, 3, axis=1)
            z, r = tf.sigmoid(to_z + from_z), tf.sigmoid(to_r + from_r)
            candidate = tf.tanh(to_state + r * from_state)
            new_hidden = candidate + z * (hidden - candidate)
            if real is not None:
                new_hidden = tf.where(real.read(t) < 0.5, hidden, new_hidden)
            values = (z, r, from_state, candidate)
            gates = [g.write(t, value) for g, value in zip(gates, values, strict=True)]
            return t + 1, new_hidden, hiddens.write(t + 1, new_hidden), gates

        hiddens = _writer(steps, n_steps + 1, units).write(0, hidden)
        gates = [_writer(steps, n_steps, units) for _ in range(4)]
        _, last_hidden, hiddens, gates = tf.while_loop(
            lambda t, *_: t < n_steps, step, (0, hidden, hiddens, gates)
        )

        def gradient(d_outputs, d_hidden):
            d_outputs, transposed = _reader(d_outputs), tf.transpose(kernel)

            def step_back(t, d_hidden, d_projected, d_weights):
                d_hidden, skipped = _part(d_hidden + d_outputs.read(t), real, t)
                z, r, from_state, candidate = (gate.read(t) for gate in gates)
                previous = hiddens.read(t)
                by_z = d_hidden * z
                d_z = (by_z - by_z * z) * (previous - candidate)
                d_candidate = (d_hidden - by_z) * (1.0 - candidate * candidate)
                d_from_state = d_candidate * r
                d_r = (d_from_state - d_from_state * r) * from_state
                d_gates = tf.concat([d_z, d_r, d_from_state], axis=1)
                d_hidden = by_z + tf.matmul(d_gates, transposed)
                if real is not None:
                    d_hidden += skipped
                terms = [_outer(previous, d_gates), tf.reduce_sum(d_gates, axis=0)]
                d_inputs = tf.concat([d_z, d_r, d_candidate], axis=1)
                if projection:
                    terms += [_outer(inputs.read(t), d_inputs), tf.reduce_sum(d_inputs, axis=0)]
                d_projected = d_projected.write(t, d_inputs)
                return t - 1, d_hidden, d_projected, _add(d_weights, terms)

            empty = _writer(steps, n_steps, 3 * units)
            zeros = [tf.zeros_like(weight) for weight in (kernel, bias, *projection)]
            _, d_hidden, d_projected, (d_kernel, d_bias, *d_projection) = tf.while_loop(
                lambda t, *_: t >= 0, step_back, (n_steps - 1, d_hidden, empty, zeros)
            )
            d_steps = _unproject(_stack(d_projected, steps), projection)
            return _final(d_steps, d_kernel, d_bias, d_hidden, *d_projection)

        return (_stack(hiddens, steps, start=1), last_hidden), gradient

    return tf.custom_gradient(run)(steps, kernel, bias, hidden, *projection)


def _project(step: Any, projection: tuple) -> Any:
    """Return what one step's inputs add to the gates."""
    if not projection:
        return step
    kernel, bias = projection
    return tf.matmul(step, kernel) + bias


def _unproject(d_gates: Any, projection: tuple) -> Any:
    """Return the gradient to the inputs; outside the loop, so that it costs nothing if unused."""
    if not projection:
        return d_gates
    return tf.tensordot(d_gates, projection[0], [[2], [1]])


def _outer(x: Any, gates: Any) -> Any:
    """Return the sum over the batch of the outer products."""
    return tf.matmul(x, gates, transpose_a=True)


def _add(sums: list[Any], terms: list[Any]) -> list[Any]:
    return [total + term for total, term in zip(sums, terms, strict=True)]


def _part(gradient: Any, real: Any, t: Any) -> tuple[Any, Any]:
    """Return what of a state's gradient goes through step `t`, and what passes by it."""
    if real is None:
        return gradient, None
    through = gradient * real.read(t)
    return through, gradient - through


def _final(*gradients: Any) -> list[Any]:
    """Forbid second derivatives: the loops' intermediate results count as constants in them."""
    message = "The layers of sklearn_seqae have first derivatives only; use keras.layers instead."
    return [tf.raw_ops.PreventGradient(input=g, message=message) for g in gradients]


def _any_so_far(mask: Any) -> Any:
    """Return where a mask (n_steps, batch) has had a True at that step or before."""
    first = tf.argmax(mask, axis=0, output_type=tf.int32)
    steps = tf.range(_size(mask, 0))[:, None]
    return tf.logical_and(steps >= first, tf.reduce_any(mask, axis=0))


def _size(x: Any, axis: int) -> Any:
    """Return a size as a number where it is known, so that shapes stay static."""
    return tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]


def _swap_axes(x: Any) -> Any:
    """Exchange batch and time."""
    return tf.transpose(x, [1, 0, *range(2, len(x.shape))])


def _reader(x: Any) -> Any:
    return _writer(x, _size(x, 0), x.shape[2]).unstack(x)


def _writer(like: Any, size: Any, width: int) -> Any:
    """Return an empty array of `size` steps of shape (batch, width)."""
    shape = (like.shape[1], width)
    return tf.TensorArray(like.dtype, size=size, element_shape=shape, clear_after_read=False)


def _stack(steps: Any, like: Any, start: int = 0) -> Any:
    """Return the steps of an array from `start` on, as many as `like` has."""
    stacked = steps.stack()[start:]
    return tf.ensure_shape(stacked, (like.shape[0], *steps.element_shape))
