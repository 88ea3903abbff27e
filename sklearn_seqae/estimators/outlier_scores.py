"""How odd sequences are, whether that is too much, and what makes them so."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers.registry import Sequences

from .anomaly_score import Norm, combine
from .attribution import blame
from .metrics import mean_squared_error
from .reconstruction import ReconstructingAutoencoder
from .validation import check_top


class JudgingAutoencoder(ReconstructingAutoencoder):
    """Judges sequences by what it learned of usual ones; its subclass says what that is."""

    offset_: float
    _norm: Norm

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return how normal sequences are: the higher, the more like those of training.

        A score is the logarithm of the probability, as far as it can be estimated, that a normal
        sequence is as odd as this one. It depends on its sequence alone; missing values do not
        count, and a sequence of nothing else is judged by its length alone.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`; any lengths, the channels of the training data.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype float64
            At most 0.0, and -4.6 for one in a hundred.

        See Also
        --------
        decision_function : The same, less the threshold.
        explain : What makes sequences odd.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderDetector
        >>> from sklearn_seqae.datasets import make_ragged_sines
        >>> X, _ = make_ragged_sines(30, random_state=0)
        >>> detector = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0).fit(X)
        >>> normal, odd = detector.score_samples([X[0], 9 * X[0]])
        >>> bool(odd < -4.6 < normal)
        True
        """
        return combine(self._oddness(X))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return how far the scores of sequences are above the threshold.

        These are the scores of `score_samples`, less `offset_`.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype float64
            Negative for outliers.

        See Also
        --------
        predict : Whether this is negative.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderDetector
        >>> from sklearn_seqae.datasets import make_ragged_sines
        >>> X, _ = make_ragged_sines(30, random_state=0)
        >>> detector = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0).fit(X)
        >>> detector.decision_function([X[0], 9 * X[0]]) < 0
        array([False,  True])
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return whether sequences are normal.

        They are if `decision_function` is not negative.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype int64
            1 for normal ones, -1 for outliers.

        See Also
        --------
        explain : Why they are outliers.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderDetector
        >>> from sklearn_seqae.datasets import make_ragged_sines
        >>> X, _ = make_ragged_sines(30, random_state=0)
        >>> detector = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0).fit(X)
        >>> detector.predict([X[0], 9 * X[0]])
        array([ 1, -1])
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def explain(self, X: Any, top: int | None = 5) -> Any:
        """Return what makes sequences odd, as a table.

        The rows of each sequence follow each other, the most to blame first. Columns:

        - "sequence": its position in `X`, or its id if `X` has ids.
        - "part": "values" for the row of a value; "shape" for how unlike the training sequences the
          shapes in it are; "length" for a length that none of these had.
        - "step", "channel": of a value; the channel's name, if it has one.
        - "observed", "expected": the value or symbol, and the one that the reconstruction has; the
          number of steps, and the nearest one of training.
        - "error": squared, in scaled units.
        - "share": part of the oddness of the sequence that is due to this. All rows of a sequence,
          with ``top=None``, add up to 1.0.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`; for example those that `predict` calls outliers.
        top : int or None, default=5
            Number of values a sequence to list, the most to blame; None for all.

        Returns
        -------
        pandas.DataFrame
            The table; it needs the extra "pandas".

        See Also
        --------
        reconstruction_error : Errors by step, channel and value, as arrays.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderDetector
        >>> from sklearn_seqae.datasets import make_ragged_sines
        >>> X, _ = make_ragged_sines(30, random_state=0)
        >>> detector = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0).fit(X)
        >>> x = X[0].copy()
        >>> x[7, 1] += 20
        >>> table = detector.explain([x], top=1)
        >>> most = table[table["part"] == "values"].iloc[0]
        >>> int(most["step"]), int(most["channel"])
        (7, 1)
        """
        pandas = load("pandas")
        check_top(top)
        sequences = self._read(X)
        features, errors, decoded = self._examine(sequences)
        scaler = self._fitted_model.scaler
        ranked = self._ranked(sequences, errors)
        oddness = self._norm.oddness(sequences, ranked, features)
        shares = self._norm.shares(sequences, ranked)
        expected = scaler.inverse_transform(decoded, scaler.statistics(sequences))
        names = self._form.channel_names or ()
        is_named = len(names) == sequences.n_channels
        channels = names if is_named else range(sequences.n_channels)
        columns = blame(sequences, expected, errors, shares, oddness, self._norm, channels, top)
        dtypes = {"step": "Int64", "channel": object if is_named else "Int64"}
        table = pandas.DataFrame(columns).astype(dtypes)
        if sequences.index is not None and sequences.index.ids is not None:
            table["sequence"] = sequences.index.ids.take(columns["sequence"])
        return table

    def _read(self, X: Any, reset: bool = False) -> Sequences:
        """Return `X` in the inner form; a table must be as wide as the training sequences were.

        scikit-learn asks that of outlier detectors, also where these were a list.
        """
        sequences = super()._read(X, reset)
        if reset or not sequences.form.is_wide or self._fitted_model.architecture.decodes_length:
            return sequences
        n_steps = self._fitted_model.architecture.n_steps
        if sequences.n_features != n_steps:
            raise ValueError(
                f"X has {sequences.n_features} features, but {type(self).__name__} is expecting "
                f"{n_steps} features as input, as all training sequences had {n_steps} steps: give "
                "a table of that width, or a list, in which sequences may have any length."
            )
        return sequences

    def _oddness(self, X: Any) -> NDArray[np.float64]:
        """Return how odd sequences are by values, shape and length, (n_sequences, 3)."""
        sequences = self._read(X)
        features, errors, _ = self._examine(sequences)
        return self._norm.oddness(sequences, self._ranked(sequences, errors), features)

    def _ranked(self, sequences: Sequences, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return errors that are infinite where a symbol is unknown: no normal sequence has it."""
        return np.where(self._fitted_model.scaler.unknown(sequences), np.inf, errors)

    def _examine(
        self, sequences: Sequences
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], Sequences]:
        """Return what sequences are like, their squared errors, and what comes back, scaled."""
        features, scaled, decoded = self._fitted_model.examine(sequences)
        errors = mean_squared_error(scaled, decoded, "value", self._fitted_model.scaler.channels)
        return features, np.concatenate(errors), decoded
