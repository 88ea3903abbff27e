"""The loops of the fast LSTM and GRU layers, for TensorFlow on CPU, with gradients by hand.

What makes them fast is that they keep their work in the processor's cache. A step forward
multiplies its inputs and its state, and keeps the gates; a step backward has one product for the
state before, and adds to the gradients of the weights while all factors are still at hand. To
project all inputs before the loop, or to sum up the weights' gradients after it, takes fewer and
larger products, but was up to twice as slow: it moves arrays of n_steps * batch * 4 * units
through memory. The automatic gradient keeps and recomputes more, and XLA compiles it badly.

Inside the loops time is the first axis, so that a step is one contiguous block. A loop may run
fewer steps than its arrays hold: XLA compiles for one size of the arrays, but for any number of
steps. What was not written is zero.
"""

from typing import Any

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


def lstm(
    steps: Any, weights: tuple, kernel: Any, states: list[Any], mask: Any, n_steps: Any = None
) -> tuple[Any, list[Any]]:
    """Return all hidden states (size, batch, units), and the last hidden state and cell_state.

    Parameters
    ----------
    steps : tensor of shape (size, batch, k)
        What the steps add to the gates, as `weights` say.
    weights : tuple of tensors
        (): `steps` are added as they are. (constant,): plus a constant of shape (batch, 4 * units);
        then the batch of `steps` may be 1. (kernel, bias): times the kernel, plus the bias.
    kernel : tensor of shape (units, 4 * units)
        The recurrent kernel.
    states : list of two tensors of shape (batch, units)
    mask : tensor of shape (size, batch), bool, or None
        Where it is False a step keeps the states.
    n_steps : int tensor, default=None
        How many steps to run; None means all.
    """
    units = kernel.shape[0]
    size = axis_size(steps, 0)
    stop = count_steps(n_steps, size)

    def run(steps, kernel, hidden, cell_state, *weights):
        inputs = _reader(steps)
        real = None if mask is None else _reader(tf.cast(mask[..., None], steps.dtype))

        def step(t, hidden, cell_state, hiddens, cell_states, gates):
            values = _project(inputs.read(t), weights) + tf.matmul(hidden, kernel)
            values = tf.split(values, 4, axis=1)
            i, f, o = (tf.sigmoid(values[k]) for k in (0, 1, 3))
            c = tf.tanh(values[2])
            new_state = f * cell_state + i * c
            new_hidden = o * tf.tanh(new_state)
            if real is not None:
                kept = real.read(t) < 0.5
                new_state = tf.where(kept, cell_state, new_state)
                new_hidden = tf.where(kept, hidden, new_hidden)
            gates = [g.write(t, value) for g, value in zip(gates, (i, f, c, o), strict=True)]
            hiddens, cell_states = (
                hiddens.write(t + 1, new_hidden),
                cell_states.write(t + 1, new_state),
            )
            return t + 1, new_hidden, new_state, hiddens, cell_states, gates

        hiddens, cell_states = (_writer(hidden.dtype, size + 1, hidden.shape) for _ in range(2))
        start = (hiddens.write(0, hidden), cell_states.write(0, cell_state))
        gates = [_writer(hidden.dtype, size, hidden.shape) for _ in range(4)]
        _, last_hidden, last_carry, hiddens, cell_states, gates = tf.while_loop(
            lambda t, *_: t < stop, step, (0, hidden, cell_state, *start, gates)
        )

        def gradient(d_outputs, d_hidden, d_cell_state):
            d_outputs, transposed = _reader(d_outputs), tf.transpose(kernel)

            def step_back(t, d_hidden, d_cell_state, d_steps, d_weights):
                d_hidden += d_outputs.read(t)
                d_hidden, skipped_hidden = _part(d_hidden, real, t)
                d_cell_state, skipped_carry = _part(d_cell_state, real, t)
                i, f, c, o = (gate.read(t) for gate in gates)
                squashed = tf.tanh(cell_states.read(t + 1))
                by_hidden = d_hidden * o
                by_output = by_hidden * squashed
                d_cell_state += by_hidden - by_output * squashed
                by_input, by_forget = d_cell_state * i, d_cell_state * f
                d_i = by_input * c
                d_gates = tf.concat(
                    [
                        d_i - d_i * i,
                        (by_forget - by_forget * f) * cell_states.read(t),
                        by_input - d_i * c,
                        by_output - by_output * o,
                    ],
                    axis=1,
                )
                d_hidden, d_cell_state = tf.matmul(d_gates, transposed), by_forget
                if real is not None:
                    d_hidden, d_cell_state = d_hidden + skipped_hidden, d_cell_state + skipped_carry
                terms = [_outer(hiddens.read(t), d_gates), *_terms(inputs, t, d_gates, weights)]
                d_steps = d_steps.write(t, _like_step(d_gates, steps))
                return t - 1, d_hidden, d_cell_state, d_steps, _add(d_weights, terms)

            d_steps = _gradients(steps, size, stop, 4 * units)
            zeros = [tf.zeros_like(weight) for weight in (kernel, *weights)]
            _, d_hidden, d_cell_state, d_steps, (d_kernel, *d_weights) = tf.while_loop(
                lambda t, *_: t >= 0, step_back, (stop - 1, d_hidden, d_cell_state, d_steps, zeros)
            )
            d_steps = _unproject(_stack(d_steps, size), weights)
            return final(d_steps, d_kernel, d_hidden, d_cell_state, *d_weights)

        return (_stack(hiddens, size, start=1), last_hidden, last_carry), gradient

    hiddens, *states = tf.custom_gradient(run)(steps, kernel, *states, *weights)
    return hiddens, states


def gru(
    steps: Any,
    weights: tuple,
    kernel: Any,
    bias: Any,
    states: list[Any],
    mask: Any,
    n_steps: Any = None,
) -> tuple[Any, list[Any]]:
    """Return all hidden states and the last one; `bias` is the recurrent one, the rest as above."""
    units = kernel.shape[0]
    size = axis_size(steps, 0)
    stop = count_steps(n_steps, size)

    def run(steps, kernel, bias, hidden, *weights):
        inputs = _reader(steps)
        real = None if mask is None else _reader(tf.cast(mask[..., None], steps.dtype))

        def step(t, hidden, hiddens, gates):
            to_z, to_r, to_state = tf.split(_project(inputs.read(t), weights), 3, axis=1)
            from_z, from_r, from_state = tf.split(tf.matmul(hidden, kernel) + bias, 3, axis=1)
            z, r = tf.sigmoid(to_z + from_z), tf.sigmoid(to_r + from_r)
            candidate = tf.tanh(to_state + r * from_state)
            new_hidden = candidate + z * (hidden - candidate)
            if real is not None:
                new_hidden = tf.where(real.read(t) < 0.5, hidden, new_hidden)
            values = (z, r, from_state, candidate)
            gates = [g.write(t, value) for g, value in zip(gates, values, strict=True)]
            return t + 1, new_hidden, hiddens.write(t + 1, new_hidden), gates

        hiddens = _writer(hidden.dtype, size + 1, hidden.shape).write(0, hidden)
        gates = [_writer(hidden.dtype, size, hidden.shape) for _ in range(4)]
        _, last_hidden, hiddens, gates = tf.while_loop(
            lambda t, *_: t < stop, step, (0, hidden, hiddens, gates)
        )

        def gradient(d_outputs, d_hidden):
            d_outputs, transposed = _reader(d_outputs), tf.transpose(kernel)

            def step_back(t, d_hidden, d_steps, d_weights):
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
                terms += _terms(inputs, t, d_inputs, weights)
                d_steps = d_steps.write(t, _like_step(d_inputs, steps))
                return t - 1, d_hidden, d_steps, _add(d_weights, terms)

            d_steps = _gradients(steps, size, stop, 3 * units)
            zeros = [tf.zeros_like(weight) for weight in (kernel, bias, *weights)]
            _, d_hidden, d_steps, (d_kernel, d_bias, *d_weights) = tf.while_loop(
                lambda t, *_: t >= 0, step_back, (stop - 1, d_hidden, d_steps, zeros)
            )
            d_steps = _unproject(_stack(d_steps, size), weights)
            return final(d_steps, d_kernel, d_bias, d_hidden, *d_weights)

        return (_stack(hiddens, size, start=1), last_hidden), gradient

    hiddens, *states = tf.custom_gradient(run)(steps, kernel, bias, *states, *weights)
    return hiddens, states


def axis_size(x: Any, axis: int) -> Any:
    """Return a size as a number where it is known, so that shapes stay static."""
    return tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]


def count_steps(n_steps: Any, size: Any) -> Any:
    """Return the number of steps to run."""
    if n_steps is None:
        return size
    return tf.clip_by_value(tf.cast(n_steps, tf.int32), 0, size)


def _project(step: Any, weights: tuple) -> Any:
    """Return what one step adds to the gates."""
    *kernel, addend = weights or (None,)
    if kernel:
        step = tf.matmul(step, kernel[0])
    return step if addend is None else step + addend


def _terms(inputs: Any, t: Any, d_gates: Any, weights: tuple) -> list[Any]:
    """Return what one step adds to the gradients of the weights of `_project`."""
    if len(weights) == 2:
        return [_outer(inputs.read(t), d_gates), tf.reduce_sum(d_gates, axis=0)]
    return [d_gates] * len(weights)


def _unproject(d_gates: Any, weights: tuple) -> Any:
    """Return the gradient to the inputs; outside the loop, so that it costs nothing if unused."""
    if len(weights) < 2:
        return d_gates
    return tf.tensordot(d_gates, weights[0], [[2], [1]])


def _like_step(d_gates: Any, steps: Any) -> Any:
    """Return the gradient to one step that the sequences may share."""
    return tf.reduce_sum(d_gates, axis=0, keepdims=True) if steps.shape[1] == 1 else d_gates


def _gradients(steps: Any, size: Any, stop: Any, width: int) -> Any:
    """Return an array for the gradient to the projected steps."""
    array = _writer(steps.dtype, size, (steps.shape[1], width))
    if stop is size:
        return array
    # At least one step is written, which tells the shape of the others.
    return array.write(0, tf.zeros([axis_size(steps, 1), width], steps.dtype))


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


def final(*gradients: Any) -> list[Any]:
    """Forbid second derivatives: the loops' intermediate results count as constants in them."""
    message = "The layers of sklearn_seqae have first derivatives only; use keras.layers instead."
    return [tf.raw_ops.PreventGradient(input=g, message=message) for g in gradients]


def _reader(x: Any) -> Any:
    """Return the steps of an array, one by one."""
    return _writer(x.dtype, axis_size(x, 0), x.shape[1:]).unstack(x)


def _writer(dtype: Any, size: Any, shape: tuple) -> Any:
    """Return an empty array of `size` steps of a shape (batch, width)."""
    return tf.TensorArray(dtype, size=size, element_shape=shape, clear_after_read=False)


def _stack(array: Any, size: Any, start: int = 0) -> Any:
    """Return `size` steps of an array from `start` on; zeros where none was written."""
    known = None if tf.is_tensor(size) else size
    return tf.ensure_shape(array.stack()[start:], (known, *array.element_shape))
