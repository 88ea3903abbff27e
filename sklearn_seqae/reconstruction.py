"""What comes back of sequences from their codes, and how far it is from them."""

from typing import Any

from .base import SequenceAutoencoder
from .errors import mean_squared_error
from .sequences import to_container


class ReconstructingAutoencoder(SequenceAutoencoder):
    """Gives sequences back from their codes, and the error of that by step and channel."""

    def reconstruct(self, X: Any) -> Any:
        """Return sequences as they come back from their codes, with their true lengths.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        sequences : list, ndarray, DataFrame or other container
            In the form of `X`, without missing values.
        """
        sequences = self._read(X)
        decoded = self._codec.reconstruct(sequences)
        return to_container(decoded, sequences.form, index=sequences.index)

    def reconstruction_error(self, X: Any, per: str = "sequence") -> Any:
        """Return the mean squared error of the reconstruction, in scaled units.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.
        per : {"sequence", "step", "channel", "value"}, default="sequence"
            What to take the means over; "value" takes none.

        Returns
        -------
        errors : ndarray or list of ndarray, dtype float64
            Per sequence (n_sequences,); per step a list of (n_steps,) arrays; per channel
            (n_sequences, n_channels); per value a list of (n_steps, n_channels) arrays. Missing
            values do not count: a mean of nothing is 0.0, the error of one missing value NaN. The
            error of a symbol is the squared distance of its probabilities from its one-hot values.
        """
        if per not in ("sequence", "step", "channel", "value"):
            raise ValueError(
                f"per must be 'sequence', 'step', 'channel' or 'value', got {per!r}: choose one of "
                "these."
            )
        sequences = self._read(X)
        channels = self._codec.scaler.channels
        return mean_squared_error(*self._codec.compare_scaled(sequences), per, channels)
