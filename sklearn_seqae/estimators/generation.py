"""Methods that decode: sequences of codes, missing values, next steps, and new samples."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from sklearn_seqae.containers.following import write_following
from sklearn_seqae.containers.registry import row_labels, to_container

from .reconstruction import ReconstructingAutoencoder
from .validation import (
    check_codes,
    check_ends,
    check_horizon,
    check_lengths,
    check_sampling,
    draw_seed,
)


class GenerativeAutoencoder(ReconstructingAutoencoder):
    """Base of autoencoders that decode codes, impute, forecast and draw samples."""

    _n_features_out: int

    def inverse_transform(self, X: ArrayLike, lengths: ArrayLike | None = None) -> Any:
        """Decode sequences from codes.

        Codes need not be those of sequences: means of codes, or points between two, are decoded
        too.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_components)
            Codes.
        lengths : array-like of shape (n_sequences,), default=None
            Number of steps of each sequence. None means the length of the training sequences or,
            if their lengths differed, the length decoded from the code. With a linear path
            (`shortcut`) other lengths stretch or compress a sequence in time.

        Returns
        -------
        list, ndarray, DataFrame or other container
            The decoded sequences, in the container that was passed to `fit`. If `X` is a DataFrame,
            its index gives their ids.

        See Also
        --------
        transform : Encode sequences.
        sample : Decode random codes.

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
            if self._form.is_wide:  # a table keeps its number of columns
                steps = np.minimum(steps, self.n_features_in_)
        else:
            steps = check_lengths(lengths, len(codes))
        return to_container(
            self._fitted_model.decode(codes, steps), self._form, index=row_labels(X)
        )

    def impute(self, X: Any) -> Any:
        """Return sequences with missing values imputed.

        With a linear path (`shortcut`) an estimate of all values is the conditional mean given the
        observed ones, under a normal model of twice as many directions as the linear path has
        components (between 32 and 128); otherwise it is the reconstruction. An imputed value is
        this estimate plus the error expected there, given the errors of the observed values before
        and after the gap: it is close to neighbouring observed values, and equals the estimate far
        from any. The autocorrelation of errors is estimated from training sequences.

        Imputation is more accurate if training sequences have missing values too; the estimator may
        be fitted on the sequences to impute.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`. In an array or DataFrame, steps of NaN at the end of a row are
            padding, and are not imputed; in a list every NaN is a missing value.

        Returns
        -------
        list, ndarray, DataFrame or other container
            The imputed sequences, in the container of `X`. Observed values are unchanged. A
            sequence without observed values is replaced by the model's mean or, without a linear
            path, by its reconstruction.

        See Also
        --------
        reconstruct : Reconstruction of all values, observed ones too.

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

    def forecast(self, X: Any, n_steps: int | None = None) -> Any:
        """Forecast the steps after the end of each sequence.

        A forecast is linear in the last steps, relative to the last one or to the last period; in
        each channel the forecast of the recurrent decoder is added, as far as it lowers the squared
        error of held-out sequences. Both are learned in `fit` from sequences whose last `horizon`
        steps are hidden. More than `horizon` steps are forecast from forecasts.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`, with at least one observed value each. In an array or wide
            DataFrame, steps of NaN at the end of a row are padding, and its forecast begins there.
        n_steps : int, default=None
            Number of steps to forecast. None means the `horizon` of `fit`.

        Returns
        -------
        list, ndarray, DataFrame or other container
            The next `n_steps` steps of each sequence, in the container of `X`, with its ids. Time
            stamps (and columns of a wide DataFrame without padding) go on if they are regular;
            others are 0, 1, ... Of windows an array (n_windows, `n_steps`, n_channels).

        Raises
        ------
        ValueError
            If the estimator was fitted with ``horizon=0``, or if a sequence has no observed value.

        See Also
        --------
        impute : Missing values within sequences.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> from sklearn_seqae.windows import sliding_windows
        >>> x = np.sin(np.arange(300) / 5)
        >>> windows = sliding_windows(x[:280], window_size=50)
        >>> ae = LSTMAutoencoderTransformer(4, units=4, epochs=1, horizon=10, random_state=0)
        >>> ahead = ae.fit(windows).forecast([x[:280]], n_steps=20)
        >>> bool(np.abs(ahead[0] - x[280:]).max() < 0.1)
        True
        """
        check_is_fitted(self)
        steps = check_horizon(n_steps, self._fitted_model.architecture.horizon)
        sequences = self._read(X)
        check_ends(sequences)
        return write_following(self._fitted_model.forecast(sequences, steps), sequences)

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Generate random sequences from the fitted density of codes.

        The density is a Gaussian mixture over the principal components of the codes of the
        sequences of the last `fit` or `partial_fit`, or of a random subset of these. It is fitted
        at the first call.

        Parameters
        ----------
        n_samples : int, default=1
            Number of sequences to generate.
        random_state : int, RandomState instance or None, default=None
            Determines the random numbers. Pass an int for the same sequences at every call. No
            global random generator is used.

        Returns
        -------
        list, ndarray, DataFrame or other container
            The sequences, in the container that was passed to `fit`. Lengths are decoded from the
            codes, and clipped to the range of the training lengths.

        See Also
        --------
        inverse_transform : Decode sequences from given codes.

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
