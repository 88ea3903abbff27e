"""The layers that write: one vector in, a sequence of as many steps as asked for out."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .architecture import LEAST_PROBABILITY, LENGTH_UNITS, POSITION_RATES
from .encoder_layers import Layer, dense, recurrence

_register = keras.saving.register_keras_serializable(package="sklearn_seqae")


class StepLayer(Layer):
    """A layer that turns a code into `n_steps` steps, or as many as the call asks for.

    A call may also say that no sequence of the batch is longer than `n_real`.
    """

    def __init__(self, n_steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_steps = n_steps

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"n_steps": self.n_steps}


def first_steps(batch: Any, n_steps: Any, n_real: Any) -> Any:
    """Return the (batch, n_steps) mask of the first `n_real` steps."""
    return ops.broadcast_to((ops.arange(n_steps) < n_real)[None], (batch, n_steps))


def positions(n_steps: Any) -> Any:
    """Return the sinusoidal encoding (n_steps, 16) of steps 0, 1, ..., see `POSITION_RATES`."""
    angles = ops.cast(ops.arange(n_steps), "float32")[:, None] * ops.convert_to_tensor(
        POSITION_RATES
    )
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


def activate(values: Any, outputs: Sequence[tuple[int, str]]) -> Any:
    """Return what the raw values (..., n_channels) of steps stand for.

    `outputs` is that of `Architecture`: each group of channels has an activation of its own.
    """
    parts, start = [], 0
    for width, activation in outputs:
        part = values if len(outputs) == 1 else values[..., start : start + width]
        if (width, activation) == (1, "softmax"):  # of which Keras warns
            parts.append(0.0 * part + 1.0)
        else:
            parts.append(keras.activations.get(activation)(part))
        start += width
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def invert(probabilities: Any, outputs: Sequence[tuple[int, str]]) -> Any:
    """Return the raw values of which `activate` makes these; what is not in (0, 1) is clipped."""
    parts, start = [], 0
    for width, activation in outputs:
        part = probabilities[..., start : start + width]
        if activation == "softmax":
            part = ops.log(ops.clip(part, LEAST_PROBABILITY, 1.0))
        elif activation == "sigmoid":
            part = ops.clip(part, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
            part = ops.log(part) - ops.log1p(-part)
        parts.append(part)
        start += width
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


@_register
class Activate(Layer):
    """`activate` as a layer: input and output (batch, n_steps, n_channels)."""

    def __init__(self, outputs: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outputs = tuple((width, activation) for width, activation in outputs)

    def call(self, inputs: Any) -> Any:
        return activate(inputs, self.outputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"outputs": self.outputs}


@_register
class CodeRecurrence(StepLayer):
    """A recurrence that sees, at every step, the whole code and an encoding of the position.

    Input (batch, n_components), output (batch, n_steps, units): Keras' RepeatVector and a recurrent
    layer, but the code, which is the same at every step, is projected once.
    """

    N_POSITIONS = 2 * len(POSITION_RATES)

    def __init__(self, n_steps: int, units: int, cell: str = "lstm", **kwargs: Any) -> None:
        super().__init__(n_steps, **kwargs)
        self.units = units
        self.cell = cell
        self.recurrence = recurrence(cell, units, name="recurrence")

    def build(self, input_shape: tuple) -> None:
        self.recurrence.build((None, None, input_shape[-1] + self.N_POSITIONS))

    def call(self, inputs: Any, n_steps: Any = None, n_real: Any = None) -> Any:
        """Write `n_steps` steps; those from `n_real` on need not be computed, and are zeros."""
        n_steps = self.n_steps if n_steps is None else n_steps
        if self.recurrence.reads_whole(inputs.dtype):
            return self._run_whole(inputs, n_steps, n_real)
        cell = self.recurrence.cell
        kernel = ops.convert_to_tensor(cell.kernel)
        of_code, of_positions = kernel[: inputs.shape[-1]], kernel[inputs.shape[-1] :]
        # A GRU's bias has a second row, for the state.
        bias = ops.reshape(cell.bias, (-1, kernel.shape[-1]))[0]
        constant = ops.matmul(inputs, of_code) + bias
        projected = ops.matmul(positions(n_steps), of_positions)[None]
        return self.recurrence.recur(projected, constant=constant, n_steps=n_real)

    def _run_whole(self, inputs: Any, n_steps: int, n_real: Any) -> Any:
        """Call the recurrence as it is: operations that are ready take no projected inputs."""
        shape = (ops.shape(inputs)[0], n_steps)
        code = ops.broadcast_to(inputs[:, None], (*shape, inputs.shape[-1]))
        where = positions(n_steps)
        where = ops.broadcast_to(where[None], (*shape, self.N_POSITIONS))
        mask = None if n_real is None else first_steps(*shape, n_real)
        return self.recurrence(ops.concatenate([code, where], axis=-1), mask=mask)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape[0], self.n_steps, self.units

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"units": self.units, "cell": self.cell}


@_register
class CodeSplit(StepLayer):
    """The code cut into `n_steps` equal pieces, one a step; zeros fill up what does not divide.

    Input (batch, n_components), output (batch, n_steps, ceil(n_components / n_steps)). It can not
    write more than its `n_steps`.
    """

    def call(self, inputs: Any, n_steps: Any = None, n_real: Any = None) -> Any:
        size = self.compute_output_shape(inputs.shape)[-1]
        rest = self.n_steps * size - inputs.shape[-1]
        pieces = ops.reshape(ops.pad(inputs, [[0, 0], [0, rest]]), (-1, self.n_steps, size))
        return pieces if n_steps is None else pieces[:, :n_steps]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape[0], self.n_steps, -(-input_shape[-1] // self.n_steps)


@_register
class AutoregressiveRecurrence(StepLayer):
    """Recurrent layers that see, at every step, the code and the output of the step before.

    Input (batch, n_components), output (batch, n_steps, n_outputs), where `activate` acts on the
    outputs of each step. While training, `teacher`, the true outputs (batch, n_steps, n_outputs),
    stands in for the previous output (teacher forcing); without it each step waits for the one
    before.
    """

    def __init__(
        self,
        n_steps: int,
        units: Sequence[int],
        cell: str,
        n_outputs: int,
        outputs: Sequence[tuple[int, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(n_steps, **kwargs)
        self.outputs = tuple((width, activation) for width, activation in outputs)
        self.units = tuple(units)
        self.cell = cell
        self.n_outputs = n_outputs
        self.recurrences = [
            recurrence(cell, width, name=f"recurrence_{i}") for i, width in enumerate(self.units)
        ]
        self.outputs_layer = dense(n_outputs, name="values")

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1] + self.n_outputs
        for layer in self.recurrences:
            layer.build((None, None, width))
            width = layer.units
        self.outputs_layer.build((None, width))

    def call(
        self,
        inputs: Any,
        n_steps: Any = None,
        n_real: Any = None,
        teacher: Any = None,
        base: Any = None,
    ) -> Any:
        """Write patches of steps.

        `teacher` and `base`, whose raw values are added to those of the outputs, are steps (batch,
        any, n_channels).
        """
        n_steps = self.n_steps if n_steps is None else n_steps
        if base is None:
            base = ops.zeros((ops.shape(inputs)[0], n_steps, self.n_outputs), inputs.dtype)
        else:
            base = ops.reshape(invert(base, self.outputs), (-1, n_steps, self.n_outputs))
        if teacher is None:
            return self._run_free(inputs, base)
        teacher = ops.reshape(teacher, (-1, n_steps, self.n_outputs))
        batch = ops.shape(inputs)[0]
        code = ops.broadcast_to(inputs[:, None, :], (batch, n_steps, inputs.shape[-1]))
        previous = ops.pad(teacher[:, :-1], [[0, 0], [1, 0], [0, 0]])
        x = ops.concatenate([code, previous], axis=-1)
        mask = None if n_real is None else first_steps(batch, n_steps, n_real)
        for layer in self.recurrences:
            x = layer(x, mask=mask)
        return self._write(ops.copy(x), base)  # the mask has served its end: a copy carries none

    def _run_free(self, code: Any, base: Any) -> Any:
        batch = ops.shape(code)[0]
        state_sizes = [size for layer in self.recurrences for size in _state_sizes(layer)]
        start = [ops.zeros((batch, size), code.dtype) for size in (self.n_outputs, *state_sizes)]

        def step(carry: list[Any], offset: Any) -> tuple[list[Any], list[Any]]:
            previous, *states = carry
            x = ops.concatenate([code, previous], axis=-1)
            new_states: list[Any] = []
            for layer in self.recurrences:
                mine = [states.pop(0) for _ in _state_sizes(layer)]
                x, layer_states = layer.cell(x, mine)
                new_states += layer_states
            carry = [self._write(x, offset), *new_states]
            return carry, carry

        _, (outputs, *_) = ops.scan(step, start, ops.transpose(base, (1, 0, 2)))
        return ops.transpose(outputs, (1, 0, 2))

    def _write(self, x: Any, base: Any) -> Any:
        values = self.outputs_layer(x) + base
        if all(activation == "linear" for _, activation in self.outputs):
            return values
        shape = ops.shape(values)
        n_channels = sum(width for width, _ in self.outputs)
        steps = ops.reshape(values, (*shape[:-1], self.n_outputs // n_channels, n_channels))
        return ops.reshape(activate(steps, self.outputs), shape)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape[0], self.n_steps, self.n_outputs

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "units": self.units,
            "cell": self.cell,
            "n_outputs": self.n_outputs,
            "outputs": self.outputs,
        }


def _state_sizes(layer: keras.layers.RNN) -> list[int]:
    size = layer.cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


@_register
class Length(Layer):
    """The number of steps that a code stands for, in steps, as a real number (batch,).

    A small perceptron estimates the length in standard deviations from the mean; both figures are
    weights, not configuration, so that one compiled program serves any training set.
    """

    def __init__(self, hidden: int = LENGTH_UNITS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden
        self.hidden_layer = dense(hidden, name="hidden", activation="relu")
        self.output_layer = dense(1, name="output")

    def build(self, input_shape: tuple) -> None:
        self.hidden_layer.build(input_shape)
        self.output_layer.build((None, self.hidden))
        self.location = self.add_weight(name="location", initializer="zeros", trainable=False)
        self.scale = self.add_weight(name="scale", initializer="ones", trainable=False)
        for layer in (self.hidden_layer, self.output_layer):
            layer.trainable = self.trainable

    def call(self, inputs: Any) -> Any:
        standardized = self.output_layer(self.hidden_layer(inputs))[:, 0]
        return self.location + self.scale * standardized

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"hidden": self.hidden}
