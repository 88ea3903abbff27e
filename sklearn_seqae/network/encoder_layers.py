"""The layers that read: padded batches of unequal sequences in, one vector a sequence out.

Two conventions hold in this module and in everything that is built from it. In a padded array NaN
marks what is not there (padding and missing values alike), so zero stays a value. And a mask is
right-padded: a sequence's real steps come first, so a forward recurrence may run over the padding
without harm, as long as whoever reads its states reads the real ones.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .architecture import COUNT_GAIN
from .minirocket import N_KERNELS, TAPS
from .recurrence import GRU, LSTM

RECURRENCES: dict[str, type[keras.layers.RNN]] = {"lstm": LSTM, "gru": GRU}
# Of all built-in layers and of their inputs.
DTYPE = "float32"
_register = keras.saving.register_keras_serializable(package="sklearn_seqae")


def dense(units: int, *, name: str, activation: str | None = None) -> keras.layers.Dense:
    """Return a Dense layer of zeros: `layer_specs.initial_weights` has what training starts from.

    An initializer without a seed draws one from Python's global generator, which is not ours.
    """
    return keras.layers.Dense(
        units, activation=activation, kernel_initializer="zeros", dtype=DTYPE, name=name
    )


class Layer(keras.layers.Layer):
    """A layer that computes in float32, whatever Keras' global policy is.

    Its inputs are cast, so that what a user's own model returns may be of another type.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": DTYPE} | kwargs)


def recurrence(cell: str, units: int, *, name: str) -> keras.layers.RNN:
    """Return an LSTM or GRU layer that returns all its states, of zeros as `dense` is."""
    return RECURRENCES[cell](
        units,
        return_sequences=True,
        right_padded=True,
        dtype=DTYPE,
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
        seed=0,  # of a dropout that there is not; None would draw one
        name=name,
    )


def step_mask(observed: Any) -> Any:
    """Return the (batch, steps) mask of real steps: all up to the last with an observed value."""
    seen = ops.cast(ops.any(observed, axis=-1), "float32")
    return ops.flip(ops.cumsum(ops.flip(seen, axis=1), axis=1), axis=1) > 0


def reverse(x: Any, lengths: Any) -> Any:
    """Reverse the first `lengths[i]` steps of every sequence; the padding stays where it is."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.reverse_sequence(x, lengths, seq_axis=1, batch_axis=0)
    steps = ops.expand_dims(ops.arange(ops.shape(x)[1], dtype="int32"), 0)
    ends = ops.expand_dims(lengths, 1)
    index = ops.where(steps < ends, ends - 1 - steps, steps)
    return ops.take_along_axis(x, ops.expand_dims(index, -1), axis=1)


def interpolate(x: Any, observed: Any) -> Any:
    """Return (batch, n_steps, n_channels) with what is not observed on lines between neighbours.

    What has a neighbour on one side only is as that one; zeros where nothing is observed at all.
    """
    n_steps = ops.shape(x)[1]
    steps = ops.expand_dims(ops.arange(n_steps, dtype="int32"), -1)
    places = ops.sort(ops.where(observed, steps, n_steps), axis=1)  # the observed steps, in order
    seen = ops.cast(observed, "int32")
    counts = ops.cumsum(seen, axis=1)
    n_observed = counts[:, -1:]
    last = ops.maximum(n_observed - 1, 0)
    x = ops.where(observed, x, 0.0)
    before, after = (
        ops.minimum(ops.take_along_axis(places, index, axis=1), n_steps - 1)
        for index in (ops.maximum(counts - 1, 0), ops.minimum(counts - seen, last))
    )
    reached = ops.minimum(ops.maximum(steps, before), after) - before
    share = ops.cast(reached, x.dtype) / ops.cast(ops.maximum(after - before, 1), x.dtype)
    start, stop = (ops.take_along_axis(x, index, axis=1) for index in (before, after))
    return ops.where(n_observed > 0, start + (stop - start) * share, 0.0)


@_register
class Patch(Layer):
    """Fold `patch_size` steps into one, put zero where nothing was observed, and make the mask.

    Input (batch, n_steps, n_channels) with NaN where nothing is; output (batch,
    ceil(n_steps / patch_size), width). The width is patch_size * n_channels, plus as many
    indicators (1.0 where a value was observed) with `indicators`, else, for a patch_size above 1,
    plus patch_size of them, one a step: without these a real step of zeros at a sequence's end
    could not be known from padding. With `keeps_first` the first step counts as real in any case:
    the mean over no step, which a user's own layer may take, is no number.
    """

    def __init__(
        self,
        patch_size: int = 1,
        indicators: bool = False,
        keeps_first: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.patch_size = patch_size
        self.indicators = indicators
        self.keeps_first = keeps_first

    def call(self, inputs: Any) -> Any:
        observed = ops.logical_not(ops.isnan(inputs))
        parts = [ops.where(observed, inputs, 0.0)]
        if self.indicators:
            parts.append(ops.cast(observed, inputs.dtype))
        elif self.patch_size > 1:
            parts.append(ops.expand_dims(ops.cast(step_mask(observed), inputs.dtype), -1))
        return ops.concatenate([self._fold(part) for part in parts], axis=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if isinstance(inputs, keras.KerasTensor):
            return None  # a mask belongs to data; while the graph is drawn there is none
        mask = step_mask(ops.logical_not(ops.isnan(inputs)))
        mask = ops.any(self._fold(ops.expand_dims(mask, -1)), axis=-1)
        return (
            ops.logical_or(mask, ops.arange(ops.shape(mask)[1]) == 0) if self.keeps_first else mask
        )

    def _fold(self, x: Any) -> Any:
        """Return (batch, n_steps, k) as (batch, n_patches, patch_size * k), zeros at the end."""
        size = self.patch_size
        if size == 1:
            return x
        n_patches = -(-ops.shape(x)[1] // size)
        x = ops.pad(x, [[0, 0], [0, size - 1], [0, 0]])[:, : n_patches * size]
        return ops.reshape(x, (-1, n_patches, size * x.shape[-1]))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, n_steps, n_channels = input_shape
        width = self.patch_size * n_channels
        if self.indicators:
            width *= 2
        elif self.patch_size > 1:
            width += self.patch_size
        return batch, None if n_steps is None else -(-n_steps // self.patch_size), width

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "patch_size": self.patch_size,
            "indicators": self.indicators,
            "keeps_first": self.keeps_first,
        }


@_register
class RecurrentLevel(Layer):
    """One level of the encoder: a recurrence over the steps, or one in each direction.

    Input (batch, n_steps, k) with a right-padded mask, output (batch, n_steps, units), or 2 * units
    when bidirectional. The reversed direction starts at each sequence's own last real step.
    """

    def __init__(
        self,
        units: int,
        cell: str = "lstm",
        bidirectional: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.cell = cell
        self.bidirectional = bidirectional
        self.supports_masking = True
        self.forward_recurrence = recurrence(cell, units, name="forward")
        if bidirectional:
            self.backward_recurrence = recurrence(cell, units, name="backward")

    def build(self, input_shape: tuple) -> None:
        self.forward_recurrence.build(input_shape)
        if self.bidirectional:
            self.backward_recurrence.build(input_shape)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        states = self.forward_recurrence(inputs, mask=mask)
        if not self.bidirectional:
            return states
        if mask is None:
            backward = ops.flip(self.backward_recurrence(ops.flip(inputs, axis=1)), axis=1)
        else:
            lengths = ops.sum(ops.cast(mask, "int32"), axis=1)
            backward = self.backward_recurrence(reverse(inputs, lengths), mask=mask)
            backward = reverse(backward, lengths)
        return ops.concatenate([states, backward], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return *input_shape[:-1], self.units * (2 if self.bidirectional else 1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "units": self.units,
            "cell": self.cell,
            "bidirectional": self.bidirectional,
        }


@_register
class Pool(Layer):
    """Make one vector of a sequence's states, over its real steps only; zeros when it has none.

    Parameters
    ----------
    mode : {"last", "mean", "max", "mean_max"}
        "last" is the state after the last step that a direction has read: of a bidirectional
        reader's states, the last real one forward and the first one backward.
    bidirectional : bool, default=False
        Whether the second half of the features was read backward.
    counts : bool, default=False
        Whether to append the number of real steps, on a logarithmic scale, since means and maxima
        do not tell it. Its location and scale in training are weights.
    """

    def __init__(
        self, mode: str = "last", bidirectional: bool = False, counts: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.counts = counts
        self.mode = mode
        self.bidirectional = bidirectional
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if self.counts:
            self.location = self.add_weight(name="location", initializer="zeros", trainable=False)
            self.scale = self.add_weight(name="scale", initializer="ones", trainable=False)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        real = ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        count = ops.sum(real, axis=1)
        parts = []
        if self.mode == "last":
            # The last real step is the one whose follower is not real.
            last = real - ops.pad(real[:, 1:], [[0, 0], [0, 1], [0, 0]])
            if self.bidirectional:
                units = inputs.shape[-1] // 2
                parts.append(ops.sum(inputs[..., :units] * last, axis=1))
                parts.append(inputs[:, 0, units:] * real[:, 0])
            else:
                parts.append(ops.sum(inputs * last, axis=1))
        if self.mode in ("mean", "mean_max"):
            parts.append(ops.sum(inputs * real, axis=1) / ops.maximum(count, 1.0))
        if self.mode in ("max", "mean_max"):
            # The states lie in (-1, 1): pushing the padding below takes no infinities.
            highest = ops.max(inputs - 3.0 * (1.0 - real), axis=1)
            parts.append(ops.where(count > 0, highest, 0.0))
        if self.counts:
            standardized = (ops.log1p(count) - self.location) / self.scale
            parts.append(COUNT_GAIN * standardized)
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        width = input_shape[-1] * (2 if self.mode == "mean_max" else 1)
        return input_shape[0], width + self.counts

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "mode": self.mode,
            "bidirectional": self.bidirectional,
            "counts": self.counts,
        }


@_register
class KernelFeatures(Layer):
    """MiniRocket features of a sequence, summarized, as `minirocket.Kernels` has them in NumPy.

    Input (batch, n_steps, n_channels) with NaN where nothing is, output (batch, n_components). The
    weights are those that `minirocket.fit` learns, and are not trained.
    """

    def __init__(
        self, dilations: Sequence[int], n_components: int, soft_step: str = "clip", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dilations = tuple(dilations)
        self.n_components = n_components
        self.soft_step = soft_step

    def build(self, input_shape: tuple) -> None:
        n_sets = len(self.dilations)
        for name, shape in (
            ("kernels", (n_sets, TAPS * input_shape[-1], N_KERNELS)),
            ("biases", (n_sets, N_KERNELS)),
            ("projection", (n_sets * N_KERNELS, self.n_components)),
            ("center", (self.n_components,)),
        ):
            weight = self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)
            setattr(self, name, weight)

    def call(self, inputs: Any) -> Any:
        observed = ops.logical_not(ops.isnan(inputs))
        real = ops.cast(ops.expand_dims(step_mask(observed), -1), inputs.dtype)
        x = interpolate(inputs, observed) * real
        count = ops.maximum(ops.sum(real, axis=1), 1.0)
        n_steps = ops.shape(x)[1]
        pooled = []
        for i, dilation in enumerate(self.dilations):
            reach = TAPS // 2 * dilation
            padded = ops.pad(x, [[0, 0], [reach, reach], [0, 0]])
            taps = [padded[:, j * dilation : j * dilation + n_steps] for j in range(TAPS)]
            responses = ops.matmul(ops.concatenate(taps, axis=-1), self.kernels[i])
            responses += self.biases[i]
            if self.soft_step == "tanh":
                responses = ops.tanh(responses)
            else:
                responses = ops.clip(responses, -1.0, 1.0)
            pooled.append(ops.sum(responses * real, axis=1) / count)
        return ops.matmul(ops.concatenate(pooled, axis=-1), self.projection) + self.center

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape[0], self.n_components

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "dilations": self.dilations,
            "n_components": self.n_components,
            "soft_step": self.soft_step,
        }


@_register
class CodePart(Layer):
    """The components of a code from `start` to `stop`."""

    def __init__(self, start: int, stop: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.stop = stop

    def call(self, inputs: Any) -> Any:
        return inputs[:, self.start : self.stop]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape[0], self.stop - self.start

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"start": self.start, "stop": self.stop}


@_register
class EndMask(Layer):
    """Gives what it gets, and ends its mask: a code has no steps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return ops.copy(inputs)  # another tensor, since a mask is attached to the one that came

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
