"""Reconstructions of sequences, their errors and scores."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.registry import Sequences, to_container

from .base import SequenceAutoencoder
from .labels import labelled_errors
from .metrics import mean_squared_error, r2


class ReconstructingAutoencoder(SequenceAutoencoder):
    """Base of autoencoders that reconstruct sequences, with errors and scores."""

    def reconstruct(self, X: Any) -> Any:
        """Return the reconstructions of sequences.

        Equivalent to `inverse_transform` of `transform`, except that lengths are those of `X`
        rather than decoded.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        list, ndarray, DataFrame or other container
            The reconstructions, in the container of `X`, without missing values.

        See Also
        --------
        reconstruction_error : Errors of the reconstructions.
        impute : Reconstruct missing values only.

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
        """Return the mean squared reconstruction error, in scaled units.

        A large error indicates a sequence, step or channel that is unlike the training data.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.
        per : {"sequence", "step", "channel", "value"}, default="sequence"
            Whether to return one error per sequence, step, channel or value.

        Returns
        -------
        ndarray, Series or DataFrame, or list of these, dtype float64
            The errors: an array (n_sequences,) per sequence, or (n_sequences, n_channels) per
            channel; a list of arrays (n_steps,) per step, or (n_steps, n_channels) per value. If
            pandas has ids of sequences or time stamps of their steps, Series and DataFrames with
            these, and with the names of channels. Missing values are ignored: a mean without
            observed values is 0.0, and the error of a missing value NaN. The error of a category is
            the squared distance between its one-hot encoding and the predicted probabilities.

        See Also
        --------
        score_samples : Opposite of the error of each sequence.
        ErrorDisplay : Visualization of errors.

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
        errors = self._errors(sequences, per)
        names = self._form.channel_names
        return labelled_errors(errors, sequences.index, names, sequences.n_channels, per)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the coefficient of determination R2 of the reconstruction.

        Only observed values are used. Squared errors are weighted by the inverse training variance
        of their channel, so the score does not depend on units; channels that were constant in
        training are ignored. Categories are compared as one-hot encodings with the predicted
        probabilities, and weighted by the sum of the variances of these.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.
        y : None
            Ignored.

        Returns
        -------
        float
            R2: 1.0 for a perfect reconstruction, 0.0 for the mean of the training data. If `X` is
            constant, it is 1.0 for an exact reconstruction and 0.0 otherwise, as in
            `sklearn.metrics.r2_score`. Minus infinity if a reconstructed value is NaN, and NaN if
            there are no observed values.

        Warns
        -----
        UndefinedMetricWarning
            If there are no observed values.

        See Also
        --------
        score_samples : Scores of the sequences.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.score(X) < 1
        True
        """
        parts = self._read_parts(X)
        model = self._fitted_model
        return r2(map(model.compare, parts), model.mean, model.variance)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return the opposite of the reconstruction error of each sequence.

        The lower the score, the more abnormal the sequence, as for outlier detectors in
        scikit-learn.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype float64
            Minus the mean squared error over the observed values of a sequence, in scaled units:
            0.0, the highest score, if it has none, and minus infinity if its reconstruction is NaN.

        See Also
        --------
        score : R2 of all sequences, which does not depend on units.
        reconstruction_error : Errors per sequence, step, channel or value.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.score_samples(X).shape
        (3,)
        """
        errors = [self._errors(part, "sequence") for part in self._read_parts(X)]
        scores: NDArray[np.float64] = -np.concatenate(errors)
        return scores

    def _errors(self, sequences: Sequences, per: str) -> Any:
        """Return reconstruction errors as arrays."""
        channels = self._fitted_model.scaler.channels
        return mean_squared_error(*self._fitted_model.compare_scaled(sequences), per, channels)
