"""Scaling of sequences, fitted on their real steps only, and its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_seqae._utils.doc_links import DocLinkMixin
from sklearn_seqae.containers.ambiguity import refuse_one_sequence
from sklearn_seqae.containers.registry import Sequences, as_sequences, to_container

from .moments import FLOOR, raw_statistics, typical_deviation
from .scalers import apply_scaler, check_finite, fit_scaler, make_scaler
from .set_output import SequencesOut

__all__ = ["SequenceScaler"]

_Floats = NDArray[np.float64]


class SequenceScaler(DocLinkMixin, SequencesOut, BaseEstimator):
    """Scale the channels of sequences of unequal length.

    Padding has no influence. Missing values (NaN) are ignored in fitting, and are kept. Scaled
    sequences are returned in the container of `X`. All computations are done in float64.

    Parameters
    ----------
    scaler : {"standard", "minmax", "robust", "per_sequence"}, scikit-learn scaler or None, \
            default="standard"
        - "standard": scale each channel to mean 0 and standard deviation 1;
        - "minmax": scale each channel to the range from 0 to 1;
        - "robust": scale each channel to median 0 and interquartile range 1;
        - "per_sequence": scale each channel of each sequence to mean 0 and a standard deviation of
          about 1. The location and scale removed are returned by :meth:`statistics`, and are
          needed by :meth:`inverse_transform`;
        - a scikit-learn transformer with ``inverse_transform`` that keeps the number of channels.
          A clone of it is fitted to the steps of all sequences, (total_steps, n_channels);
        - None: no scaling.

    Attributes
    ----------
    scaler_ : scikit-learn scaler or None
        The fitted scaler; None for "per_sequence" and None.
    n_channels_in_ : int
        Number of channels seen in :meth:`fit`.
    n_features_in_ : int
        Number of columns if `X` was a 2-D array or table, otherwise number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Defined only if `X` was a DataFrame with string names.
    n_statistics_ : int
        Number of statistics per sequence: ``2 * n_channels_in_`` for "per_sequence", otherwise 0.
    channel_scale_ : ndarray of shape (`n_channels_in_`,) or None
        For "per_sequence", the median of the standard deviations of each channel within the
        sequences in which it varies; if there are none, its standard deviation over all sequences,
        or 1 for a constant channel.
    statistics_mean_, statistics_scale_ : ndarray of shape (`n_statistics_`,) or None
        For "per_sequence", mean and scale by which :meth:`statistics` are standardized.

    See Also
    --------
    LSTMAutoencoderTransformer : Autoencoder that scales sequences in the same way.
    sklearn.preprocessing.StandardScaler : Scaling of the columns of tables.

    Examples
    --------
    >>> from sklearn_seqae import SequenceScaler
    >>> scaler = SequenceScaler("minmax")
    >>> scaler.fit_transform([[0.0, 5.0], [10.0]])
    [array([0. , 0.5]), array([1.])]
    >>> scaler.inverse_transform([[0.5], []])
    [array([5.]), array([], dtype=float64)]
    """

    def __init__(self, scaler: Any = "standard") -> None:
        self.scaler = scaler

    def fit(self, X: Any, y: None = None) -> SequenceScaler:
        """Compute the location and scale of each channel.

        Only observed values are used: padding and missing values are ignored.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            The training sequences. `sklearn_seqae.containers` lists the containers.
        y : None
            Ignored.

        Returns
        -------
        SequenceScaler
            Fitted scaler.

        Raises
        ------
        TypeError
            If `scaler` is not a scaler, or has no `inverse_transform`.
        ValueError
            If `scaler` is an unknown name or changes the number of channels, or if there are no
            observed values.

        See Also
        --------
        fit_transform : Fit, and return the scaled sequences.

        Examples
        --------
        >>> from sklearn_seqae import SequenceScaler
        >>> X = [[0.0, 5.0], [10.0]]
        >>> SequenceScaler("minmax").fit(X).n_channels_in_
        1
        """
        sequences = as_sequences(X)
        scaler = make_scaler(self.scaler)
        values = sequences.values.astype(np.float64)
        observed = ~np.isnan(values)
        if not observed.any():
            raise ValueError(
                "Expected at least one real value to learn the scale from, got "
                f"{len(sequences)} sequence(s) that are all empty or missing; leave those out, or "
                "add sequences with values."
            )
        self.__dict__.pop("feature_names_in_", None)
        if not isinstance(X, Sequences) and (sequences.form.is_wide or sequences.form.is_table):
            validate_data(self, X, skip_check_array=True)
        self.n_channels_in_ = sequences.n_channels
        self.n_features_in_ = sequences.n_features
        self._form = sequences.form
        self.scaler_: Any = None
        self.channel_scale_: Any = None
        self.statistics_mean_: Any = None
        self.statistics_scale_: Any = None
        # scikit-learn warns and returns NaN for a column without values. A channel of zeros has
        # location 0 and scale 1, the defaults for a channel without observed values.
        values[:, ~observed.any(axis=0)] = 0.0
        if self.scaler == "per_sequence":
            self._fit_per_sequence(sequences, values)
        elif scaler is not None:
            self.scaler_ = fit_scaler(scaler, values)
        return self

    def transform(self, X: Any) -> Any:
        """Scale sequences.

        Lengths and missing values do not change. Categories raise an error.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            The sequences, with ``n_channels_in_`` channels.

        Returns
        -------
        same kind as X
            The scaled sequences, or another container if it was chosen by :meth:`set_output`.

        Raises
        ------
        ValueError
            If the number of channels differs from that of :meth:`fit`, if columns of a 2-D array or
            table differ, or if a scaled value is NaN or infinite, such as the logarithm of zero.

        See Also
        --------
        inverse_transform : Undo the scaling.

        Examples
        --------
        >>> from sklearn_seqae import SequenceScaler
        >>> X = [[0.0, 5.0], [10.0]]
        >>> SequenceScaler("minmax").fit(X).transform([[2.5]])
        [array([0.25])]
        """
        sequences = self._check(X)
        if self.channel_scale_ is None:
            values = apply_scaler(self.scaler_, "transform", sequences.values)
            check_finite(self.scaler_, values, sequences)
            return self._give_out(sequences.with_values(values), X)
        # Scaled by the rounded statistics, so that they undo it exactly.
        location, scale = self._location_and_scale(self._statistics(sequences))
        owners = sequences.owners
        values = (sequences.values - location[owners]) / scale[owners]
        return self._give_out(sequences.with_values(values), X)

    def inverse_transform(self, X: Any, statistics: Any = None) -> Any:
        """Undo the scaling.

        Scaled values need not be results of `transform`; they may be those of a network. Values
        that the scaler cannot invert become NaN or infinite.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            Scaled sequences, with ``n_channels_in_`` channels.
        statistics : array-like of shape (n_sequences, `n_statistics_`), default=None
            Location and scale of each sequence, from :meth:`statistics`. Required for
            "per_sequence".

        Returns
        -------
        same kind as X
            The sequences in their original units.

        Raises
        ------
        ValueError
            If `statistics` are required but None, or have a wrong shape, or if the number of
            channels differs from that of :meth:`fit`.

        See Also
        --------
        transform : Scale sequences.

        Examples
        --------
        >>> from sklearn_seqae import SequenceScaler
        >>> X = [[0.0, 5.0], [10.0]]
        >>> SequenceScaler("minmax").fit(X).inverse_transform([[0.25]])
        [array([2.5])]
        """
        sequences = self._check(X, columns=False)
        statistics = self._check_statistics(statistics, len(sequences))
        if self.channel_scale_ is None:
            values = apply_scaler(self.scaler_, "inverse_transform", sequences.values)
            return _as_given(sequences.with_values(values), X)
        location, scale = self._location_and_scale(statistics)
        owners = sequences.owners
        values = sequences.values * scale[owners] + location[owners]
        return _as_given(sequences.with_values(values), X)

    def statistics(self, X: Any) -> NDArray[np.float32]:
        """Return the location and scale that "per_sequence" removes from each sequence.

        They are needed to undo the scaling; an autoencoder keeps them in its codes.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            Sequences in their original units, with ``n_channels_in_`` channels.

        Returns
        -------
        ndarray of shape (n_sequences, `n_statistics_`), float32
            Location of each channel, then the logarithm of its scale, both standardized over the
            training sequences; 0 for a channel without observed values. There are no columns for
            scalers other than "per_sequence".

        See Also
        --------
        inverse_transform : Undo the scaling, given the statistics.

        Examples
        --------
        >>> from sklearn_seqae import SequenceScaler
        >>> X = [[0.0, 5.0], [10.0]]
        >>> SequenceScaler("per_sequence").fit(X).statistics(X).shape
        (2, 2)
        """
        return self._statistics(self._check(X))

    @property
    def n_statistics_(self) -> int:
        """Number of statistics per sequence.

        Two per channel, location and scale, for "per_sequence"; 0 for other scalers.

        See Also
        --------
        statistics : Return the statistics of sequences.

        Examples
        --------
        >>> from sklearn_seqae import SequenceScaler
        >>> X = [[0.0, 5.0], [10.0]]
        >>> SequenceScaler("per_sequence").fit(X).n_statistics_
        2
        """
        check_is_fitted(self, "n_channels_in_")
        return 0 if self.channel_scale_ is None else 2 * self.n_channels_in_

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of the estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check(self, X: Any, *, columns: bool = True) -> Sequences:
        """Read sequences, and check them against those of `fit`."""
        if "n_channels_in_" not in vars(self):  # scikit-learn's check takes longer than the scaling
            check_is_fitted(self, "n_channels_in_")
        sequences = as_sequences(X).with_channels(self.n_channels_in_)
        if sequences.n_channels != self.n_channels_in_:
            raise ValueError(
                f"Expected sequences of {self.n_channels_in_} channel(s) as in fit, got "
                f"{sequences.n_channels}; give the same channels in the same order, and one single "
                "sequence x, (n_steps, n_channels), as [x]."
            )
        refuse_one_sequence(sequences.form, self._form, len(sequences))
        # Columns are checked only if `fit` had some; those of Sequences have been checked before.
        if columns and not isinstance(X, Sequences) and sequences.form.has_columns_of(self._form):
            validate_data(self, X, reset=False, skip_check_array=True)
        return sequences

    def _check_statistics(self, statistics: Any, n_sequences: int) -> Any:
        if statistics is None:
            if self.n_statistics_:
                raise ValueError(
                    'Expected statistics, which the scaler "per_sequence" needs to undo itself, '
                    "got None; pass those that scaler.statistics(X) gave before transform."
                )
            return None
        statistics = check_array(
            statistics,
            dtype=np.float32,
            ensure_min_samples=0,
            ensure_min_features=0,
            input_name="statistics",
        )
        if statistics.shape != (n_sequences, self.n_statistics_):
            raise ValueError(
                f"Expected statistics of shape {(n_sequences, self.n_statistics_)}, one row per "
                f"sequence, got {statistics.shape}; pass what scaler.statistics(X) gave."
            )
        return statistics

    def _fit_per_sequence(self, sequences: Sequences, values: _Floats) -> None:
        constant = np.fmax.reduce(values) == np.fmin.reduce(values)
        spread = np.where(constant, 1.0, np.nanstd(values, axis=0))
        # Levels of sequences may be far apart, and some may vary much more than others: sequences
        # that vary little should not be treated as constant.
        spread = typical_deviation(sequences, spread)
        raw = raw_statistics(sequences, spread)
        raw[:, np.isnan(raw).all(axis=0)] = 0.0
        deviation = np.nanstd(raw, axis=0)
        # If statistics of all training sequences are equal, their unit is the channel's scale for
        # locations, and a factor of e for scales.
        unit = np.concatenate([spread, np.ones_like(spread)])
        self.channel_scale_ = spread
        self.statistics_mean_ = np.nanmean(raw, axis=0)
        self.statistics_scale_ = np.where(deviation > FLOOR * unit, deviation, unit)

    def _statistics(self, sequences: Sequences) -> NDArray[np.float32]:
        if self.channel_scale_ is None:
            return np.empty((len(sequences), 0), dtype=np.float32)
        raw = raw_statistics(sequences, self.channel_scale_)
        standardised = (raw - self.statistics_mean_) / self.statistics_scale_
        standardised[np.isnan(standardised)] = 0.0
        result: NDArray[np.float32] = standardised.astype(np.float32)
        return result

    def _location_and_scale(self, statistics: NDArray[np.float32]) -> tuple[_Floats, _Floats]:
        raw = statistics * self.statistics_scale_ + self.statistics_mean_
        return raw[:, : self.n_channels_in_], np.exp(raw[:, self.n_channels_in_ :])


def _as_given(sequences: Sequences, X: Any) -> Any:
    return sequences if isinstance(X, Sequences) else to_container(sequences)
