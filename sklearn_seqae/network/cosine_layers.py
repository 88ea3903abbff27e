"""The linear path as layers; `cosines` has what they compute, and computes it in NumPy."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .cosines import count_directions
from .decoder_layers import activate, invert
from .encoder_layers import Layer, step_mask

_register = keras.saving.register_keras_serializable(package="sklearn_seqae")


def cosine_basis(frequencies: Any, lengths: Any, n_steps: Any) -> Any:
    """Return cosines (batch, n_steps, n_frequencies) of relative time.

    Zeros beyond a sequence's length, and where it is too short for a frequency.
    """
    numbers = ops.cast(frequencies, "int32")[None, None]
    lengths = ops.cast(lengths, "int32")[:, None, None]
    steps = ops.arange(n_steps, dtype="int32")[None, :, None]
    # Periods are taken off as integers: large angles have few digits left in float32.
    quarters = ops.mod(numbers * (2 * steps + 1), 4 * ops.maximum(lengths, 1))
    angles = (
        ops.cast(quarters, "float32")
        * (0.5 * math.pi)
        / ops.cast(ops.maximum(lengths, 1), "float32")
    )
    waves = ops.where(numbers > 0, math.sqrt(2.0) * ops.cos(angles), 1.0)
    return ops.where(ops.logical_and(numbers < lengths, steps < lengths), waves, 0.0)


@_register
class CosineEncoder(Layer):
    """The linear part of a code, as `cosines.encode` has it in NumPy.

    Input (batch, n_steps, n_channels) with NaN where nothing is, output (batch, n_components), and
    the input without gaps, as `cosines.complete` has it. NaN at the end is a missing value within
    `lengths` (batch,), and padding without these. The weights are those of `cosines.fit`, and are
    not trained.
    """

    def __init__(
        self, n_frequencies: int, n_components: int, tells_length: bool, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.n_frequencies = n_frequencies
        self.n_components = n_components
        self.tells_length = tells_length

    def build(self, input_shape: tuple) -> None:
        sizes = self.n_frequencies, input_shape[-1]
        n_directions = count_directions(sizes[0] * sizes[1], self.n_components)
        shapes: list[tuple[str, tuple[int, ...]]] = [
            ("frequencies", sizes[:1]),
            ("mean", sizes),
            ("projection", (*sizes, self.n_components)),
            ("directions", (n_directions, *sizes)),
            ("precision", (n_directions,)),
        ]
        if self.tells_length:
            shapes += [("length_projection", (self.n_components,)), ("location", ()), ("scale", ())]
        for name, shape in shapes:
            start = "ones" if name == "scale" else "zeros"
            weight = self.add_weight(name=name, shape=shape, initializer=start, trainable=False)
            setattr(self, name, weight)

    def call(self, inputs: Any, lengths: Any = None) -> Any:
        observed = ops.logical_not(ops.isnan(inputs))
        if lengths is None:
            lengths = ops.sum(ops.cast(step_mask(observed), "int32"), axis=1)
        lengths = ops.maximum(ops.cast(lengths, "int32"), 0)
        real = ops.arange(ops.shape(inputs)[1], dtype="int32") < lengths[:, None]
        basis = cosine_basis(self.frequencies, lengths, ops.shape(inputs)[1])
        gaps = ops.logical_and(ops.expand_dims(real, -1), ops.logical_not(observed))
        values = ops.where(observed, inputs, 0.0)
        values = ops.cond(
            ops.any(gaps),
            lambda: ops.where(gaps, self._expected(values, observed, basis), values),
            lambda: values,
        )
        steps = ops.cast(ops.maximum(lengths, 1), "float32")[:, None, None]
        found = ops.matmul(ops.transpose(basis, (0, 2, 1)), values) / steps
        size = self.n_frequencies * inputs.shape[-1]
        centred = ops.reshape(found - self.mean, (-1, size))
        codes = ops.matmul(centred, ops.reshape(self.projection, (size, self.n_components)))
        codes = ops.where(ops.expand_dims(lengths, -1) > 0, codes, 0.0)
        if self.tells_length:
            standardised = (ops.cast(lengths, "float32") - self.location) / self.scale
            codes = codes + standardised[:, None] * self.length_projection
        completed = ops.where(ops.expand_dims(real, -1), values, np.nan)
        return ops.stop_gradient(codes), ops.stop_gradient(completed)

    def _expected(self, values: Any, observed: Any, basis: Any) -> Any:
        """Return the mean of all values given the observed ones, (batch, n_steps, n_channels)."""
        n_directions, n_frequencies, n_channels = self.directions.shape
        mean = ops.matmul(basis, self.mean)
        shape = (-1, ops.shape(values)[1] * n_channels)
        directions = ops.reshape(ops.transpose(self.directions, (1, 0, 2)), (n_frequencies, -1))
        waves = ops.matmul(basis, directions)
        waves = ops.reshape(waves, (-1, ops.shape(values)[1], n_directions, n_channels))
        waves = ops.transpose(waves, (0, 2, 1, 3))
        waves = ops.reshape(waves, (-1, n_directions, shape[1]))
        seen = waves * ops.reshape(ops.cast(observed, "float32"), shape)[:, None]
        errors = ops.reshape(values - mean, shape)[..., None]
        # Small differences of large sums: in float64, but for JAX, which is not set to have it.
        dtype = "float32" if keras.backend.backend() == "jax" else "float64"
        precision = ops.diag(self.precision)
        wide = [ops.cast(x, dtype) for x in (seen, waves, errors, precision)]
        normal = ops.matmul(wide[0], ops.transpose(wide[1], (0, 2, 1))) + wide[3]
        factor = ops.cholesky(normal)
        code = ops.solve_triangular(factor, ops.matmul(wide[0], wide[2]), lower=True)
        code = ops.solve_triangular(ops.transpose(factor, (0, 2, 1)), code, lower=False)
        expected = ops.sum(ops.cast(code, "float32") * waves, axis=1)
        return mean + ops.reshape(expected, ops.shape(mean))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.n_components), input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "n_frequencies": self.n_frequencies,
            "n_components": self.n_components,
            "tells_length": self.tells_length,
        }


@_register
class CosineLength(Layer):
    """The number of steps that the linear part of a code stands for, a real number (batch,).

    Input are codes, of which it reads the first `n_components`. The weights are those of
    `cosines.fit`, with the mean and standard deviation of lengths, and are not trained.
    """

    def __init__(self, n_components: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_components = n_components

    def build(self, input_shape: tuple) -> None:
        shape = (self.n_components,)
        self.length_synthesis = self.add_weight(
            name="length_synthesis", shape=shape, initializer="zeros", trainable=False
        )
        self.location = self.add_weight(name="location", initializer="zeros", trainable=False)
        self.scale = self.add_weight(name="scale", initializer="ones", trainable=False)

    def call(self, inputs: Any) -> Any:
        standardised = ops.matmul(inputs[:, : self.n_components], self.length_synthesis)
        return self.location + self.scale * standardised

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"n_components": self.n_components}


@_register
class CosineDecoder(Layer):
    """What the linear part of a code stands for, as `cosines.decode` has it in NumPy.

    Input are codes, of which it reads the first `n_components`, and lengths (batch,), output
    (batch, n_steps, n_channels). The weights are those of `cosines.fit`, and are not trained.
    """

    def __init__(
        self, n_steps: int, n_frequencies: int, n_components: int, n_channels: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.n_steps = n_steps
        self.n_components = n_components
        self.n_frequencies = n_frequencies
        self.n_channels = n_channels

    def build(self, input_shape: tuple) -> None:
        shape = (self.n_frequencies, self.n_channels)
        for name, weight_shape in (
            ("frequencies", shape[:1]),
            ("mean", shape),
            ("synthesis", (self.n_components, *shape)),
        ):
            weight = self.add_weight(
                name=name, shape=weight_shape, initializer="zeros", trainable=False
            )
            setattr(self, name, weight)

    def call(self, inputs: Any, lengths: Any = None, n_steps: Any = None) -> Any:
        """Write `n_steps` steps of sequences of these lengths; of the longest without any."""
        n_steps = self.n_steps if n_steps is None else n_steps
        if lengths is None:
            lengths = ops.full((ops.shape(inputs)[0],), self.n_steps, "float32")
        lengths = ops.maximum(ops.cast(ops.round(lengths), "int32"), 0)
        synthesis = ops.reshape(self.synthesis, (self.n_components, -1))
        found = ops.matmul(inputs[:, : self.n_components], synthesis)
        found = ops.reshape(found, (-1, self.n_frequencies, self.n_channels)) + self.mean
        return ops.matmul(cosine_basis(self.frequencies, lengths, n_steps), found)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape[0], self.n_steps, self.n_channels

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "n_steps": self.n_steps,
            "n_components": self.n_components,
            "n_frequencies": self.n_frequencies,
            "n_channels": self.n_channels,
        }


@_register
class Join(Layer):
    """The parts of a code side by side; or the second, recurrent, added to the first, linear, one.

    Input are the parts in their order, output (batch, n_components).
    """

    def __init__(self, adds: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.adds = adds

    def call(self, inputs: Any) -> Any:
        if self.adds:
            inputs = [inputs[0] + inputs[1], *inputs[2:]]
        return ops.concatenate(inputs, axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shapes = input_shape[self.adds :]
        return shapes[0][0], sum(shape[-1] for shape in shapes)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"adds": self.adds}


@_register
class Sum(Layer):
    """Raw values of a recurrent decoder, and those of which the linear path's values come.

    Inputs and output (batch, n_steps, n_channels); `outputs` is that of `Architecture`.
    """

    def __init__(self, outputs: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outputs = tuple((width, activation) for width, activation in outputs)

    def call(self, inputs: Any) -> Any:
        recurrent, linear = inputs
        return recurrent + invert(linear, self.outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"outputs": self.outputs}


@_register
class Mean(Sum):
    """The mean of what a recurrent decoder and the linear path say, weighted by channel.

    The weight of the recurrent one, "gain" (n_channels,), is from 0 to 1.
    """

    def build(self, input_shape: Any) -> None:
        shape = input_shape[0][-1:]
        self.gain = self.add_weight(name="gain", shape=shape, initializer="zeros", trainable=False)

    def call(self, inputs: Any) -> Any:
        recurrent, linear = inputs
        linear = activate(invert(linear, self.outputs), self.outputs)
        return linear + self.gain * (recurrent - linear)
