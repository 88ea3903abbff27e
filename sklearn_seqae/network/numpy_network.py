"""The built-in networks in NumPy: what fitted estimators encode and decode with.

Without gradients a recurrence is a chain of small operations. NumPy starts one in a microsecond,
where a graph takes ten, so this is faster than all that compiles. It has nothing to trace and needs
no Keras, so that a fitted estimator serves without loading TensorFlow.

Inside, a step is an array (features, batch), as `numpy_cells` expects it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import cosines
from .architecture import COUNT_GAIN, LEAST_PROBABILITY, POSITION_RATES, Architecture
from .layer_specs import Weights, within
from .minirocket import Kernels
from .numpy_cells import GRU, LSTM, Recurrence

Floats = NDArray[Any]  # float32 or float64


class Network:
    """Encodes and decodes padded batches with the weights of a built-in Keras model.

    It equals the model up to rounding, has no state, and may be used by several threads at once.

    Parameters
    ----------
    architecture : Architecture
        One without models of the user's own.
    weights : dict of str to ndarray
        By the names of `layer_specs.weight_specs`.
    dtype : {float32, float64}, default=float32
        What it computes in.
    projects : bool, default=True
        Whether codes end with the summary. If not, with all pooled features.
    """

    steps_at_once: int | None = None

    def __init__(
        self,
        architecture: Architecture,
        weights: Weights,
        dtype: Any = np.float32,
        projects: bool = True,
    ) -> None:
        self._made_of = architecture, weights
        self._dtype, self._projects = dtype, projects
        weights = {name: np.asarray(array, dtype) for name, array in weights.items()}
        recurrence: type[Recurrence] = LSTM if architecture.cell == "lstm" else GRU
        levels = range(len(architecture.units))
        directions = ("forward", "backward")[: 1 + architecture.bidirectional]
        self._levels = [
            [recurrence(**within(weights, f"encoder/recurrence_{i}/{side}")) for side in directions]
            for i in levels
        ]
        self._count_moments = within(weights, "encoder/pool")
        self._code = within(weights, "encoder/code")
        self._analysis = within(weights, "encoder/linear")
        self._synthesis = within(weights, "decoder/linear")
        self._gain = weights.get("decoder/mean/gain")
        kernel_weights = within(weights, "encoder/summary")
        place = "decoder/autoregress" if architecture.decoder == "autoregressive" else "decoder"
        if architecture.decoder == "dense":
            self._hidden = [within(weights, f"decoder/hidden_{i}") for i in levels]
        else:
            self._recurrences = [
                recurrence(**within(weights, f"{place}/recurrence_{i}")) for i in levels
            ]
        self._values = within(weights, f"{place}/values")
        self._length = within(weights, "length/steps")
        if kernel_weights and not projects:
            kernel_weights = {name: kernel_weights[name] for name in ("kernels", "biases")}
            n_pooled = kernel_weights["biases"].size
            n_components = architecture.n_learned + n_pooled
            architecture = replace(architecture, n_components=n_components, n_summary=n_pooled)
        self.architecture = architecture
        self._kernels = None
        if kernel_weights:
            self._kernels = Kernels(architecture.dilations, kernel_weights, architecture.soft_step)

    @cached_property
    def in_double(self) -> "Network":
        """The same network, computing in float64."""
        return Network(*self._made_of, np.float64, self._projects)

    @cached_property
    def unprojected(self) -> "Network":
        """The network whose codes end with all pooled features in place of their summary."""
        return Network(*self._made_of, self._dtype, projects=False)

    @property
    def decodes_alone(self) -> bool:
        """Whether it decodes few sequences one by one, rather than in float64."""
        return False

    def array_width(self, width: int) -> int:
        """Return the width of a batch of sequences of up to `width` steps."""
        return width

    def encode(self, batch: Floats, lengths: NDArray[np.int64] | None = None) -> Floats:
        """Return the codes (n_rows, n_components) of rows (n_rows, n_steps, n_channels).

        NaN marks padding and missing values. A linear path can tell them apart by the lengths;
        without these, NaN at the end of a row is padding.
        """
        inputs, n_read = self._patches(batch)
        *lower, top = self._levels
        for level in lower:
            forward, *backward = self._read(level, inputs, n_read)
            in_order = [forward, *(_reversed(states, n_read) for states in backward)]
            inputs = np.concatenate(in_order, axis=1)
        features = self._pool(self._read(top, inputs, n_read), n_read)
        parts = [_dense(features, **self._code).T]
        batch = batch.astype(self._dtype, copy=False)
        if self._analysis:
            linear, batch = cosines.encode(batch, self._analysis, lengths)
            parts = [linear + parts[0]] if self.architecture.adds_to_linear else [linear, *parts]
        if self._kernels:
            parts.append(self._kernels(batch))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def decode(self, codes: Floats, lengths: NDArray[np.int64], n_steps: int) -> Floats:
        """Return rows (n_rows, n_steps, n_channels); `n_steps` as the decoder can write them."""
        if self._gain is None:
            return self.extend(codes, lengths, n_steps)
        linear = _activate(self._decode_linear(codes, lengths, n_steps), self.architecture.outputs)
        if not self._gain.any():
            return linear
        return linear + self._gain * (self.extend(codes, lengths, n_steps) - linear)

    def extend(self, codes: Floats, lengths: NDArray[np.int64], n_steps: int) -> Floats:
        """Return rows (n_rows, n_steps, n_channels) as recurrent layers write them.

        That is beyond the lengths too, where a linear path alone writes nothing.
        """
        outputs = self.architecture.outputs
        if not self.architecture.adds_to_linear:
            return _activate(self._decode_recurrent(codes, n_steps), outputs)
        linear = self._decode_linear(codes, lengths, n_steps)
        return _activate(linear + self._decode_recurrent(codes, n_steps, linear), outputs)

    def _decode_linear(self, codes: Floats, lengths: NDArray[np.int64], n_steps: int) -> Floats:
        """Return the raw values (n_rows, n_steps, n_channels) of the linear path."""
        part = codes[:, : self.architecture.n_linear].astype(self._dtype, copy=False)
        written = cosines.decode(part, lengths, n_steps, self._synthesis)
        return _invert(written, self.architecture.outputs)

    def _decode_recurrent(self, codes: Floats, n_steps: int, base: Floats | None = None) -> Floats:
        """Return raw values (n_rows, n_steps, n_channels).

        An autoregressive decoder sees what the sums of these and of `base` stand for.
        """
        architecture = self.architecture
        part = codes[:, slice(*architecture.recurrent_part)]
        code = np.ascontiguousarray(part.T, self._dtype)
        n_patches = -(-n_steps // architecture.patch_size)
        if architecture.decoder == "autoregressive":
            return self._autoregress(code, n_patches, base)[:, :n_steps]
        if architecture.decoder == "dense":
            hidden = code
            for layer in self._hidden:
                hidden = np.tanh(_dense(hidden, **layer))
            written = _dense(hidden, **self._values)
            written = written.reshape(architecture.n_patches, -1, len(codes))
        else:
            written = self._write(*self._unroll(code, n_patches))
        return self._steps(written)[:, :n_steps]

    def lengths(self, codes: Floats) -> Floats:
        """Return the number of steps that each code stands for, a real number (n_rows,)."""
        weights = self._length
        if self.architecture.has_linear_length:
            part = codes[:, : self.architecture.n_linear].astype(self._dtype, copy=False)
            return weights["location"] + weights["scale"] * (part @ weights["length_synthesis"])
        part = codes[:, slice(*self.architecture.recurrent_part)].T
        hidden = np.maximum(_dense(part, **within(weights, "hidden")), 0.0)
        standardised = _dense(hidden, **within(weights, "output"))[0]
        return weights["location"] + weights["scale"] * standardised

    def _patches(self, batch: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Return what `encoder_layers.Patch` gives, (n_patches, width, n_rows), and lengths."""
        architecture = self.architecture
        size = architecture.patch_size
        n_rows, n_steps, _ = batch.shape
        observed = ~np.isnan(batch)
        seen = np.any(observed, axis=-1)
        n_real = np.where(seen.any(axis=1), n_steps - np.argmax(seen[:, ::-1], axis=1), 0)
        parts = [np.where(observed, batch, np.float32(0.0))]
        if architecture.indicators:
            parts.append(observed)
        elif size > 1:
            parts.append((np.arange(n_steps) < n_real[:, None])[..., None])
        lengths = -(-n_real // size)
        n_patches = max(1, int(lengths.max()))
        folded = [_fold(part, n_patches, size) for part in parts]
        inputs = np.empty((n_patches, sum(f.shape[1] for f in folded), n_rows), self._dtype)
        np.concatenate(folded, axis=1, out=inputs, casting="unsafe")
        return inputs, lengths

    @staticmethod
    def _read(level: list[Any], inputs: Floats, lengths: NDArray[np.int64]) -> list[Floats]:
        """Return the states of each direction, in the order in which it has read."""
        forward, *backward = level
        states = [forward.run(inputs)]
        return states + [layer.run(_reversed(inputs, lengths)) for layer in backward]

    def _pool(self, states: list[Floats], lengths: NDArray[np.int64]) -> Floats:
        """Return what `encoder_layers.Pool` gives; states are in the order they were read in."""
        mode = self.architecture.pooling
        n_steps = len(states[0])
        count = lengths.astype(self._dtype)
        even = lengths.min() == n_steps
        real = np.arange(n_steps)[:, None, None] < lengths
        parts = []
        if mode == "last":
            last = np.maximum(lengths - 1, 0)[None, None]
            parts += [np.take_along_axis(s, last, axis=0)[0] * (lengths > 0) for s in states]
        if mode in ("mean", "mean_max"):
            sums = [(s if even else np.where(real, s, 0.0)).sum(axis=0) for s in states]
            parts += [total / np.maximum(count, 1.0) for total in sums]
        if mode in ("max", "mean_max"):
            for s in states:  # states lie in (-1, 1)
                highest = (s if even else np.where(real, s, -2.0)).max(axis=0)
                parts.append(np.where(lengths > 0, highest, 0.0))
        if self._count_moments:
            location, scale = self._count_moments["location"], self._count_moments["scale"]
            parts.append((COUNT_GAIN * ((np.log1p(count) - location) / scale))[None])
        return np.concatenate(parts, dtype=self._dtype)

    def _write(self, inputs: Floats, code: Floats | None) -> Floats:
        """Return patches (n_patches, size, n_rows) that recurrent layers make of `_unroll`."""
        first, *others = self._recurrences
        states = first.run(inputs, code)
        for layer in others:
            states = layer.run(states)
        return _dense(states, **self._values)

    def _unroll(self, code: Floats, n_patches: int) -> tuple[Floats, Floats | None]:
        """Return inputs (n_patches, k, n_rows) of a decoder that needs no own outputs.

        And the code, if it stands before these at every step.
        """
        n_components, n_rows = code.shape
        if self.architecture.decoder == "repeat":
            angles = np.arange(n_patches, dtype=np.float32)[:, None] * POSITION_RATES
            where = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
            inputs = np.broadcast_to(where[..., None], (*where.shape, n_rows))
            return inputs, code
        n_pieces = self.architecture.n_patches
        size = -(-n_components // n_pieces)
        padded = np.zeros((n_pieces * size, n_rows), self._dtype)
        padded[:n_components] = code
        return padded.reshape(n_pieces, size, n_rows)[:n_patches], None

    def _autoregress(self, code: Floats, n_patches: int, base: Floats | None) -> Floats:
        """Write patches one after the other, each from what the one before stands for."""
        n_rows = code.shape[1]
        size = self.architecture.patch_size
        if base is not None:
            base = np.pad(base, [(0, 0), (0, n_patches * size - base.shape[1]), (0, 0)])
        layers = self._recurrences
        columns = [layer.column(n_rows) for layer in layers]
        columns[0] = columns[0][len(code) :]
        steps = [layers[0].begin(n_rows, code), *(layer.begin(n_rows) for layer in layers[1:])]
        n_outputs = len(self._values["bias"])
        written = np.empty((n_patches, n_outputs, n_rows), self._dtype)
        previous = np.zeros((n_outputs, n_rows), self._dtype)
        for i in range(n_patches):
            x = previous
            for layer, column, step in zip(layers, columns, steps, strict=True):
                column[: len(x)] = x
                hidden = column[-layer.units :]
                step(column, hidden)
                x = hidden
            written[i] = _dense(x, **self._values)
            patch = self._steps(written[i : i + 1])
            if base is not None:
                patch = patch + base[:, i * size : (i + 1) * size]
            patch = _activate(patch, self.architecture.outputs)
            previous = patch.reshape(n_rows, -1).T
        return self._steps(written)

    def _steps(self, patches: Floats) -> Floats:
        """Return patches (n_patches, patch_size * n_channels, n_rows) as rows of steps."""
        n_rows = patches.shape[-1]
        return patches.transpose(2, 0, 1).reshape(n_rows, -1, self.architecture.n_channels)


def _dense(x: Floats, kernel: Floats, bias: Floats) -> Floats:
    """Return the layer's outputs (..., n, n_rows) for inputs (..., k, n_rows)."""
    return kernel.T @ x + bias[:, None]


def _fold(part: NDArray[Any], n_patches: int, size: int) -> NDArray[Any]:
    """Return (n_rows, n_steps, k) as (n_patches, size * k, n_rows), zeros at the end."""
    n_rows, n_steps, width = part.shape
    wanted = n_patches * size
    if n_steps < wanted:
        part = np.pad(part, [(0, 0), (0, wanted - n_steps), (0, 0)])
    return part[:, :wanted].reshape(n_rows, n_patches, size * width).transpose(1, 2, 0)


def _reversed(x: Floats, lengths: NDArray[np.int64]) -> Floats:
    """Reverse the real steps of each column of (n_steps, k, n_rows)."""
    if lengths.min() == len(x):
        return x[::-1]
    steps = np.arange(len(x))[:, None]
    index = np.where(steps < lengths, lengths - 1 - steps, steps)
    return np.take_along_axis(x, index[:, None], axis=0)


def _activate(steps: Floats, outputs: Sequence[tuple[int, str]]) -> Floats:
    """Do what `decoder_layers.activate` does, to channels on the last axis."""
    if len(outputs) == 1:
        return _activate_group(steps, outputs[0][1])
    bounds = np.cumsum([width for width, _ in outputs])[:-1]
    groups = zip(np.split(steps, bounds, axis=-1), outputs, strict=True)
    return np.concatenate([_activate_group(part, how) for part, (_, how) in groups], axis=-1)


def _invert(steps: Floats, outputs: Sequence[tuple[int, str]]) -> Floats:
    """Do what `decoder_layers.invert` does, to channels on the last axis."""
    if all(activation == "linear" for _, activation in outputs):
        return steps
    parts = []
    bounds = np.cumsum([width for width, _ in outputs])[:-1]
    for part, (_, activation) in zip(np.split(steps, bounds, axis=-1), outputs, strict=True):
        if activation == "softmax":
            part = np.log(np.clip(part, LEAST_PROBABILITY, 1.0))
        elif activation == "sigmoid":
            part = np.clip(part, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
            part = np.log(part) - np.log1p(-part)
        parts.append(part)
    return np.concatenate(parts, axis=-1)


def _activate_group(steps: Floats, activation: str) -> Floats:
    if activation == "sigmoid":
        return 0.5 * np.tanh(0.5 * steps) + np.float32(0.5)
    if activation == "softmax":
        powers = np.exp(steps - steps.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    return steps
