"""What a network looks like, apart from its weights; plain data that needs no Keras."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Builder = Callable[..., Any]

# How far the number of steps stands out among the pooled features. Lengths decoded from the code
# were right within a step for 75 % of unseen Japanese vowels without it, and for 99 % with it.
COUNT_GAIN = 3.0
# What the linear path says of a probability is clipped to this distance from 0 and 1.
LEAST_PROBABILITY = 1e-3
# Of the perceptron that decodes lengths.
LENGTH_UNITS = 64
# Angular frequencies of the encoding of positions (arXiv:1706.03762), a sine and a cosine each. The
# wavelengths are fixed (4, 8, 16, ... steps), so an encoding does not depend on the number of steps
# and goes on beyond the lengths seen in training.
POSITION_RATES = (2 * math.pi / 2.0 ** np.arange(2, 10)).astype(np.float32)


@dataclass(frozen=True)
class Architecture:
    """All that determines the graph of a network, but none of its weights.

    Attributes
    ----------
    n_steps : int
        Longest sequence seen in training, in steps.
    n_channels, n_components : int
        Sizes of a step, one-hot values of categories included, and of the code.
    units, cell, bidirectional, pooling, decoder, encoder, patch_size
        As in `LSTMAutoencoderTransformer`; `units` a tuple, `patch_size` a number.
    activation : {"linear", "sigmoid", "softmax"}
        Of the decoded numbers.
    indicators : bool
        Whether the encoder also reads which values are missing.
    decodes_length : bool
        Whether the model has a submodel "length".
    dilations : tuple of int
        One for each set of 84 MiniRocket kernels; () for none.
    n_summary : int
        Components of the code, its last ones, that summarize the pooled features.
    category_widths : tuple of int
        Numbers of one-hot values, one a categorical channel: the last of a step's values, behind
        the numbers.
    n_linear, n_frequencies : int
        Components of the code, its first ones, that the linear path reads and writes, and how many
        cosines it does so by; 0 for none. Small codes are linear throughout, and the recurrent
        layers add to the linear components and to what is decoded from them; else they have
        components of their own.
    soft_step : {"clip", "tanh"}
        What is pooled of a kernel's response. Files of format 1 have weights for the second.
    horizon : int
        Steps after the end that the decoder learns to write, from sequences whose ends are hidden.
    """

    n_steps: int
    n_channels: int
    n_components: int
    units: tuple[int, ...]
    cell: str
    bidirectional: bool
    pooling: str
    decoder: str | Builder
    encoder: Builder | None
    patch_size: int
    activation: str
    indicators: bool
    decodes_length: bool
    dilations: tuple[int, ...] = ()
    n_summary: int = 0
    category_widths: tuple[int, ...] = ()
    n_linear: int = 0
    n_frequencies: int = 0
    soft_step: str = "clip"
    horizon: int = 0

    @property
    def n_learned(self) -> int:
        """Components of the code that the decoder reads, its first ones."""
        return self.n_components - self.n_summary

    @property
    def adds_to_linear(self) -> bool:
        """Whether the recurrent layers share the components of the linear path."""
        return 0 < self.n_linear == self.n_learned

    @property
    def has_linear_length(self) -> bool:
        """Whether the length is one direction of the linear components, and not learned."""
        return self.decodes_length and self.n_linear > 0 and not self.adds_to_linear

    @property
    def learns_length(self) -> bool:
        """Whether recurrent layers are trained to encode lengths."""
        return self.decodes_length and not self.has_linear_length

    @property
    def recurrent_part(self) -> tuple[int, int]:
        """First and last, plus one, of the components that recurrent layers give and read."""
        return 0 if self.adds_to_linear else self.n_linear, self.n_learned

    @property
    def n_recurrent(self) -> int:
        """Number of components that recurrent layers give and read."""
        start, stop = self.recurrent_part
        return stop - start

    @property
    def outputs(self) -> tuple[tuple[int, str], ...]:
        """Groups of a step's values in their order, each a width and its activation.

        `decoder_layers.activate` applies them to what the last layer gives.
        """
        # A model of the user's own has the activation of its numbers inside it.
        activation = "linear" if callable(self.decoder) else self.activation
        n_numbers = self.n_channels - sum(self.category_widths)
        numbers = ((n_numbers, activation),) if n_numbers else ()
        return numbers + tuple((width, "softmax") for width in self.category_widths)

    @property
    def channel_groups(self) -> tuple[int, ...]:
        """Widths of what belongs together in a step: a number each, a category's one-hot values."""
        return (1,) * (self.n_channels - sum(self.category_widths)) + self.category_widths

    @property
    def is_built_in(self) -> bool:
        """Whether no part of the network is a user's own model."""
        return self.encoder is None and not callable(self.decoder)

    @property
    def n_patches(self) -> int:
        """Number of recurrent steps that `n_steps` take."""
        return -(-self.n_steps // self.patch_size)

    @property
    def max_decoded_steps(self) -> int | None:
        """Number of steps that the decoder can write at most; None when there is no limit."""
        unlimited = self.decoder in ("repeat", "autoregressive")
        return None if unlimited else self.n_patches * self.patch_size

    def trained(self) -> "Architecture":
        """Return the architecture of what training computes: many have the same.

        Kernels and a linear path of its own components have nothing to learn, and most decoders
        write whatever number of steps.
        """
        learned = replace(self, n_components=self.n_learned, dilations=(), n_summary=0)
        if not self.adds_to_linear:
            learned = replace(
                learned,
                n_components=self.n_recurrent,
                decodes_length=self.learns_length,
                n_linear=0,
                n_frequencies=0,
            )
        if self.max_decoded_steps is not None or self.encoder is not None:
            return learned
        return replace(learned, n_steps=self.patch_size)
