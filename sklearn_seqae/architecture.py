"""What a network looks like, apart from its weights; plain data that needs no Keras."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Builder = Callable[..., Any]


@dataclass(frozen=True)
class Architecture:
    """All that determines the graph of a network, but none of its weights.

    Attributes
    ----------
    n_steps : int
        Longest sequence seen in training, in steps.
    n_channels, n_components : int
        Sizes of a step, one-hot values of symbols included, and of the code.
    units, cell, bidirectional, pooling, decoder, encoder, patch_size
        As in `LSTMAutoencoderTransformer`; `units` a tuple, `patch_size` a number.
    activation : {"linear", "sigmoid", "softmax"}
        Of the decoded numbers.
    indicators : bool
        Whether the encoder is told which values are missing.
    decodes_length : bool
        Whether the model has a submodel "length".
    symbols : tuple of int
        Widths of the groups of one-hot values, one a channel of symbols: the last of a step's
        values, behind the numbers.
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
    symbols: tuple[int, ...] = ()

    @property
    def outputs(self) -> tuple[tuple[int, str], ...]:
        """Groups of a step's values in their order, each a width and its activation.

        `writers.activate` applies them to what the last layer gives.
        """
        # A model of the user's own has the activation of its numbers inside it.
        activation = "linear" if callable(self.decoder) else self.activation
        n_numbers = self.n_channels - sum(self.symbols)
        numbers = ((n_numbers, activation),) if n_numbers else ()
        return numbers + tuple((width, "softmax") for width in self.symbols)

    @property
    def n_patches(self) -> int:
        """Number of recurrent steps that `n_steps` take."""
        return -(-self.n_steps // self.patch_size)

    @property
    def max_decoded_steps(self) -> int | None:
        """Number of steps that the decoder can write at most; None when there is no limit."""
        unlimited = self.decoder in ("repeat", "autoregressive")
        return None if unlimited else self.n_patches * self.patch_size

    def without_lengths(self) -> "Architecture":
        """Return the architecture of the same computation, whatever the training lengths were."""
        if self.max_decoded_steps is not None or self.encoder is not None:
            return self
        return replace(self, n_steps=self.patch_size)
