"""Methods of outlier detectors: anomaly scores, predictions and attributions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers.registry import Sequences

from .anomaly_score import ReferenceDistribution, combine
from .attribution import attribution_columns
from .labels import times_of_steps
from .metrics import mean_squared_error
from .reconstruction import ReconstructingAutoencoder
from .validation import check_top


class OutlierScoringAutoencoder(ReconstructingAutoencoder):
    """Base of detectors, which score sequences relative to a reference distribution.

    A subclass sets the distribution and the threshold in `fit`.
    """

    offset_: float
    _reference: ReferenceDistribution

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return the scores of sequences: the lower, the more abnormal.

        A score is the logarithm of an estimated p-value: the probability that a normal sequence
        deviates from the training data as much as this one. It does not depend on the other
        sequences in `X`. Missing values are ignored; a sequence without any observed value is
        scored by its length alone.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`, with the channels of the training data; lengths may differ.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype float64
            Opposite of the anomaly score, at most 0.0. A score of -4.6 is that of one normal
            sequence in a hundred.

        See Also
        --------
        decision_function : Scores shifted by the threshold.
        explain : Attribution of the scores to steps and channels.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderDetector
        >>> from sklearn_seqae.datasets import make_ragged_sines
        >>> X, _ = make_ragged_sines(30, random_state=0)
        >>> detector = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0).fit(X)
        >>> normal, outlier = detector.score_samples([X[0], 9 * X[0]])
        >>> bool(outlier < -4.6 < normal)
        True
        """
        return combine(self._anomaly_scores(X))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the scores of sequences, shifted so that the threshold is 0.

        These are the scores of `score_samples` minus `offset_`.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype float64
            Negative values are outliers, nonnegative ones inliers.

        See Also
        --------
        score_samples : Scores that are not shifted.
        predict : Outliers as -1, inliers as 1.

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
        """Return 1 for inliers and -1 for outliers.

        Outliers are the sequences whose `decision_function` is negative.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.

        Returns
        -------
        ndarray of shape (n_sequences,), dtype int64
            1 for inliers, -1 for outliers.

        See Also
        --------
        decision_function : Signed distance to the threshold.
        explain : Attribution of the scores to steps and channels.

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
        """Return the attribution of anomaly scores to steps and channels, as a table.

        Rows are grouped by sequence and sorted by decreasing share. Columns:

        - "sequence": the position of the sequence in `X`, or its id if `X` has ids.
        - "part": "values" for a row that stands for one value; "shape" for the distance to the
          nearest training sequence in the space of pooled features; "length" for a length outside
          the range of training.
        - "step", "channel": the position of the value; the channel's name, if it has one.
        - "time": the time stamp of the step, if `X` has time stamps.
        - "observed", "expected": the value or category, and its reconstruction; in rows of lengths
          the number of steps, and the nearest one in training.
        - "error": the squared error of the reconstruction, in scaled units.
        - "share": the fraction of the anomaly score that is attributed to the row. With
          ``top=None`` the rows of a sequence add up to 1.0.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`; for example those that `predict` calls outliers.
        top : int or None, default=5
            Number of values to list per sequence, those with the largest shares; None for all.

        Returns
        -------
        pandas.DataFrame
            The table. This method requires pandas.

        See Also
        --------
        score_samples : The scores themselves.
        reconstruction_error : Errors per step, channel and value, as arrays.

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
        scores = self._reference.anomaly_scores(sequences, ranked, features)
        fractions = self._reference.error_fractions(sequences, ranked)
        expected = scaler.inverse_transform(decoded, scaler.statistics(sequences))
        names = self._form.channel_names or ()
        is_named = len(names) == sequences.n_channels
        channels = names if is_named else range(sequences.n_channels)
        columns = attribution_columns(
            sequences, expected, errors, fractions, scores, self._reference, channels, top
        )
        dtypes = {"step": "Int64", "channel": object if is_named else "Int64"}
        table = pandas.DataFrame(columns).astype(dtypes)
        times = times_of_steps(sequences, columns["sequence"], columns["step"])
        if times is not None:
            table.insert(3, "time", times)
        if sequences.index is not None and sequences.index.ids is not None:
            table["sequence"] = sequences.index.ids.take(columns["sequence"])
        return table

    def _read(self, X: Any, reset: bool = False) -> Sequences:
        """Return `X` as `Sequences`; a table must be as wide as the training sequences are long.

        scikit-learn requires that of outlier detectors, even if they were fitted on a list.
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

    def _anomaly_scores(self, X: Any) -> NDArray[np.float64]:
        """Return the anomaly scores of values, shape and length, (n_sequences, 3)."""
        return np.concatenate([self._scores_of(part) for part in self._read_parts(X)])

    def _scores_of(self, sequences: Sequences) -> NDArray[np.float64]:
        features, errors, _ = self._examine(sequences)
        return self._reference.anomaly_scores(sequences, self._ranked(sequences, errors), features)

    def _ranked(self, sequences: Sequences, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return errors with infinity for unknown categories, which no normal sequence has."""
        return np.where(self._fitted_model.scaler.unknown(sequences), np.inf, errors)

    def _examine(
        self, sequences: Sequences
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], Sequences]:
        """Return pooled features, squared errors and scaled reconstructions of sequences."""
        features, scaled, decoded = self._fitted_model.examine(sequences)
        errors = mean_squared_error(scaled, decoded, "value", self._fitted_model.scaler.channels)
        return features, np.concatenate(errors), decoded
