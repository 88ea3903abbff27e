"""The trained part of an estimator: scaling and network together, sequences to codes and back.

It is picklable, and unpickling it loads no TensorFlow: the Keras model is rebuilt when it is first
needed.
"""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .architecture import Architecture
from .density import CodeDensity
from .errors import moments
from .importing import load_keras
from .scaling import SequenceScaler
from .sequences import Sequences

if TYPE_CHECKING:
    import keras

    from .training import Outcome


class Codec:
    """Encodes and decodes sequences in their own units.

    A code is what the network's encoder says, followed by what the scaling keeps of the sequence.

    Parameters
    ----------
    architecture : Architecture
    scaler : SequenceScaler
        Fitted.
    sequences : Sequences
        The training data, for the figures that are kept of them.
    seed : int
        Decides the initial weights.
    """

    def __init__(
        self, architecture: Architecture, scaler: SequenceScaler, sequences: Sequences, seed: int
    ) -> None:
        self.architecture = architecture
        self.scaler = scaler
        self.mean, self.variance = moments(sequences)
        self._scaled_mean = moments(scaler.transform(sequences))[0]
        self._seed = seed
        self._model: keras.Model | None = None
        self._weights: list[NDArray] | None = None
        self._optimizer_state: dict[str, list[NDArray]] | None = None
        self._density: CodeDensity | None = None
        if architecture.decodes_length:
            self._tell_lengths(sequences.lengths)

    @property
    def model(self) -> "keras.Model":
        """The one Keras model that holds the weights."""
        if self._model is None:
            load_keras()
            from .networks import build

            self._model = build(self.architecture, self._seed)
            if self._weights is not None:
                self._model.set_weights(self._weights)
                self._weights = None
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with arrays in place of the Keras model, and of training sequences."""
        if self._density is not None:
            self._density.settle(self.encode)
        state = vars(self).copy()
        if self._model is not None:
            state |= {"_weights": self._model.get_weights(), "_model": None}
        return state

    def train(self, sequences: Sequences, settings: dict[str, Any], first_epoch: int) -> "Outcome":
        """Go on training from the present weights; `settings` are those of `training.Settings`."""
        model = self.model
        self._check_readable(sequences.lengths)
        limit = self.architecture.max_decoded_steps
        if limit is not None and sequences.lengths.max() > limit:
            raise ValueError(
                f"X has sequences of up to {sequences.lengths.max()} steps, but this network was "
                f"made to write {limit} at most: fit afresh, or use decoder='repeat'."
            )
        from .training import Settings, train

        outcome = train(
            model,
            self.architecture,
            self.scaler.transform(sequences),
            Settings(**settings),
            self._seed,
            first_epoch,
            self._optimizer_state,
        )
        self._optimizer_state = outcome.optimizer_state
        self._density = CodeDensity(sequences, self._seed)
        return outcome

    def encode(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return the codes (n_sequences, n_components)."""
        return self._encode_scaled(self.scaler.transform(sequences), sequences)

    def decode_lengths(self, codes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the number of steps that each code stands for."""
        model = self.model
        from .inference import decode_lengths

        return decode_lengths(model, self.architecture, self._split(codes)[0])

    def decode(self, codes: NDArray[np.float32], lengths: NDArray[np.int64]) -> Sequences:
        """Return the sequences of these lengths that codes stand for."""
        scaled = self._decode_scaled(codes, lengths)
        return self.scaler.inverse_transform(scaled, self._split(codes)[1])

    def draw(
        self, n_codes: int, rng: np.random.RandomState
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return new codes, and their lengths: none outside the range of the last training."""
        assert self._density is not None
        self._density.settle(self.encode)
        codes = self._density.draw(n_codes, rng)
        return codes, np.clip(self.decode_lengths(codes), *self._density.length_range)

    def reconstruct(self, sequences: Sequences) -> Sequences:
        """Return sequences as they come back from their codes, with their true lengths."""
        return self.decode(self.encode(sequences), sequences.lengths)

    def compare_scaled(self, sequences: Sequences) -> tuple[Sequences, Sequences]:
        """Return sequences, and what comes back of them, in the units that the network sees."""
        scaled = self.scaler.transform(sequences)
        codes = self._encode_scaled(scaled, sequences)
        return scaled, self._decode_scaled(codes, sequences.lengths)

    def _encode_scaled(self, scaled: Sequences, sequences: Sequences) -> NDArray[np.float32]:
        model = self.model
        self._check_readable(sequences.lengths)
        from .inference import encode

        encoded = encode(model, self.architecture, scaled)
        return np.hstack([encoded, self.scaler.statistics(sequences)])

    def _check_readable(self, lengths: NDArray[np.int64]) -> None:
        """Raise if sequences are longer than a user's encoder reads."""
        readable = self.model.get_layer("encoder").input_shape[1]
        if readable is not None and lengths.max() > readable:
            raise ValueError(
                f"X has sequences of up to {lengths.max()} steps, but the encoder reads "
                f"{readable}: build it with keras.Input((None, n_channels)), or fit with sequences "
                "that long."
            )

    def _decode_scaled(self, codes: NDArray[np.float32], lengths: NDArray[np.int64]) -> Sequences:
        model = self.model
        from .inference import decode

        decoded = decode(model, self.architecture, self._split(codes)[0], lengths)
        limit = self.architecture.max_decoded_steps
        if limit is None or lengths.max(initial=0) <= limit:
            return decoded
        warnings.warn(
            f"{np.sum(lengths > limit)} sequences are longer than the {limit} steps that "
            f"decoder={self.architecture.decoder!r} learned to write: the rest of them is filled "
            "with the training mean. Use decoder='repeat' for any length.",
            stacklevel=5,
        )
        values = decoded.values
        return decoded.with_values(np.where(np.isnan(values), self._scaled_mean, values))

    def _split(self, codes: NDArray[np.float32]) -> tuple[NDArray[np.float32], Any]:
        """Return the network's part of codes and that of the scaling, None if it has none."""
        n = self.architecture.n_components
        return codes[:, :n], codes[:, n:] if codes.shape[1] > n else None

    def _tell_lengths(self, lengths: NDArray[np.int64]) -> None:
        """Give the layers that read and write lengths their mean and spread in training."""
        told = [(self.model.get_layer("length").get_layer("steps"), lengths)]
        if self.architecture.encoder is None:
            told.append((self.model.get_layer("encoder").get_layer("pool"), np.log1p(lengths)))
        for layer, numbers in told:
            layer.location.assign(numbers.mean())
            layer.scale.assign(numbers.std())
