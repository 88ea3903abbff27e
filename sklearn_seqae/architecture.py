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
        Sizes of a step and of the code.
    units, cell, bidirectional, pooling, decoder, encoder, patch_size
        As in `LSTMAutoencoderTransformer`; `units` a tuple, `patch_size` a number.
    activation : {"linear", "sigmoid", "softmax"}
        Of the decoded values.
    indicators : bool
        Whether the encoder is told which values are missing.
    decodes_length : bool
        Whether the model has a submodel "length".
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
