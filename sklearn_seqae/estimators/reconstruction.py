"""What comes back of sequences from their codes, and how far it is from them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.registry import to_container

from .base import SequenceAutoencoder
from .metrics import mean_squared_error, r2


class ReconstructingAutoencoder(SequenceAutoencoder):
    """Gives sequences back from their codes, and the error of that by step and channel."""

    def reconstruct(self, X: Any) -> Any:
        """Return sequences as they come back from their codes, with their true lengths.

        As `inverse_transform` of `transform`, but for the lengths, which are those of `X` and not
        decoded.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        list, ndarray, DataFrame or other container
            In the form of `X`, without missing values.

        See Also
        --------
        reconstruction_error : How far off they are.
        impute : Observed values kept, and gaps filled.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> [len(x) for x in ae.reconstruct(X)]
        [3, 2, 4]
        """
        sequences = self._read(X)
        decoded = self._fitted_model.reconstruct(sequences)
        return to_container(decoded, sequences.form, index=sequences.index)

    def reconstruction_error(self, X: Any, per: str = "sequence") -> Any:
        """Return the mean squared error of the reconstruction, in scaled units.

        Where it is high, a sequence is unlike those of training; by step and by channel it says at
        which place.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.
        per : {"sequence", "step", "channel", "value"}, default="sequence"
            What to take the means over; "value" takes none.

        Returns
        -------
        ndarray or list of ndarray, dtype float64
            Per sequence (n_sequences,); per step a list of (n_steps,) arrays; per channel
            (n_sequences, n_channels); per value a list of (n_steps, n_channels) arrays. Missing
            values do not count: a mean of nothing is 0.0, the error of one missing value NaN. The
            error of a symbol is the squared distance of its probabilities from its one-hot values.

        See Also
        --------
        score_samples : Minus the error of each sequence.
        ErrorDisplay : Draws errors.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.reconstruction_error(X).shape
        (3,)
        >>> [errors.shape for errors in ae.reconstruction_error(X, per="step")]
        [(3,), (2,), (4,)]
        """
        if per not in ("sequence", "step", "channel", "value"):
            raise ValueError(
                f"per must be 'sequence', 'step', 'channel' or 'value', got {per!r}: choose one of "
                "these."
            )
        sequences = self._read(X)
        channels = self._fitted_model.scaler.channels
        return mean_squared_error(*self._fitted_model.compare_scaled(sequences), per, channels)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the R2 of the reconstruction over real values.

        Each channel's squared error is weighed by one over its variance in training, so the score
        does not depend on units; channels that were constant there do not count. Symbols count as
        one-hot values, held against probabilities; their variances add up to the channel's.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.
        y : None
            Ignored.

        Returns
        -------
        float
            1.0 is perfect, 0.0 is no better than the training mean. If nothing varies it is 1.0
            for an exact reconstruction and 0.0 for others, as in `sklearn.metrics.r2_score`. Minus
            infinity if a reconstruction is no number; NaN without any observed value.

        Warns
        -----
        UndefinedMetricWarning
            If there is not a single observed value.

        See Also
        --------
        score_samples : A score for each sequence.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.score(X) < 1
        True
        """
        sequences = self._read(X)
        model = self._fitted_model
        return r2(*model.compare(sequences), model.mean, model.variance)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return how well each sequence comes back: the higher, the more like the training data.

        It is what outlier detectors of scikit-learn call by this name: sequences with low scores
        are odd.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype float64
            Minus the mean squared error over the sequence's real values, in scaled units; 0.0, the
            highest, where there are none, as nothing speaks against the sequence, and minus
            infinity where what comes back is no number.

        See Also
        --------
        score : One number for all, which does not depend on units.
        reconstruction_error : Also by step and by channel.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.score_samples(X).shape
        (3,)
        """
        return -self.reconstruction_error(X)
