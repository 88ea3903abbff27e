"""What an autoencoder writes: sequences of codes, missing values, and new sequences."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sklearn_seqae.containers.registry import row_labels, to_container

from .reconstruction import ReconstructingAutoencoder
from .validation import check_codes, check_lengths, check_sampling, draw_seed


class GenerativeAutoencoder(ReconstructingAutoencoder):
    """Writes sequences from codes, fills in what is missing, and makes new sequences."""

    _n_features_out: int

    def inverse_transform(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Any:
        """Return the sequences that codes stand for.

        Any point will do as a code, also one that no sequence has: a mean of codes, or a point
        between two.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_components)
            Codes.
        lengths : array-like of shape (n_sequences,), default=None
            Number of steps of each sequence. None: the one that all training sequences had or,
            where they differed, the one that is decoded from the code.

        Returns
        -------
        list, ndarray, DataFrame or other container
            In the form that `fit` saw. If codes are a DataFrame, its index has their ids.

        See Also
        --------
        transform : Codes of sequences.
        sample : Sequences of codes that are drawn.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> codes = ae.transform(X)
        >>> [len(x) for x in ae.inverse_transform(codes, lengths=[3, 2, 4])]
        [3, 2, 4]
        >>> between = ae.inverse_transform(codes[:1] / 2 + codes[1:2] / 2)
        """
        check_is_fitted(self)
        codes = check_codes(X, self._n_features_out)
        if lengths is None:
            steps = self._fitted_model.decode_lengths(codes)
            if self._form.is_wide:  # a table gets no new columns
                steps = np.minimum(steps, self.n_features_in_)
        else:
            steps = check_lengths(lengths, len(codes))
        return to_container(
            self._fitted_model.decode(codes, steps), self._form, index=row_labels(X)
        )

    def impute(self, X: Any) -> Any:
        """Return sequences with their missing values filled from the reconstruction.

        To what the decoder writes is added the error that is to be expected there, given those at
        the observed values around: near these a filled value is near to them, far from any it is
        the decoder's. How errors go on from step to step is learned from the training sequences.

        What a network writes for missing values is the better, the more of them it saw in training:
        fit on data with gaps, if need be the very ones to fill.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`. All-NaN steps at the end of a row of an array or DataFrame are
            padding and stay NaN; in a list every NaN is a missing value.

        Returns
        -------
        list, ndarray, DataFrame or other container
            In the form of `X`. Observed values are those of `X`, unchanged; a sequence without any
            becomes what the decoder writes for its code.

        See Also
        --------
        reconstruct : What the decoder writes, of observed values too.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> filled = ae.impute([[1.0, float("nan"), 3.0]])
        >>> filled[0][[0, 2]]
        array([1., 3.])
        """
        sequences = self._read(X)
        missing = np.isnan(sequences.values)
        if missing.any():
            filled = self._fitted_model.impute(sequences).values
            sequences = sequences.with_values(np.where(missing, filled, sequences.values))
        return to_container(sequences)

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Return new sequences, decoded from a density of the training codes.

        The density is a mixture of Gaussians over the principal components of the codes. It belongs
        to the sequences of the last call of `fit` or `partial_fit`, of which a random part is used
        where they are many, and is fitted when it is first needed.

        Parameters
        ----------
        n_samples : int, default=1
            Number of sequences, at least 1.
        random_state : int, RandomState instance or None, default=None
            Decides what is drawn. An int gives the same sequences at every call, None others each
            time. No global generator is used or changed.

        Returns
        -------
        list, ndarray, DataFrame or other container
            In the form that `fit` saw. Lengths are decoded from the codes, and kept within the
            range of those of training.

        See Also
        --------
        inverse_transform : Sequences of codes of your own.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> len(ae.sample(5, random_state=0))
        5
        """
        check_is_fitted(self)
        check_sampling(n_samples, random_state)
        rng = np.random.RandomState(draw_seed(random_state))
        codes, lengths = self._fitted_model.draw(n_samples, rng)
        return self.inverse_transform(codes, lengths)
