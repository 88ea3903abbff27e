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
    """Scale the channels of sequences and give back the container that came.

    Only real steps are looked at: padding has no influence, missing values (NaN) are left out of
    the fit and stay missing. The arithmetic is float64, whatever the dtype is.

    Parameters
    ----------
    scaler : {"standard", "minmax", "robust", "per_sequence"}, scikit-learn scaler or None, \
            default="standard"
        - "standard": every channel to mean 0 and standard deviation 1;
        - "minmax": every channel to the range from 0 to 1;
        - "robust": every channel to median 0 and interquartile range 1;
        - "per_sequence": every channel of every sequence to its own mean 0 and about its own
          standard deviation 1. What this takes away is kept by :meth:`statistics`, which
          :meth:`inverse_transform` needs;
        - a scikit-learn transformer with ``inverse_transform`` that keeps the number of channels;
          it is cloned, never changed, and sees the steps as (total_steps, n_channels);
        - None: no scaling.

    Attributes
    ----------
    scaler_ : scikit-learn scaler or None
        The fitted scaler; None for "per_sequence" and None.
    n_channels_in_ : int
        Number of channels seen in :meth:`fit`.
    n_features_in_ : int
        Number of columns if :meth:`fit` saw a 2-D array or table, else of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if :meth:`fit` saw a DataFrame whose column names are all strings.
    n_statistics_ : int
        Numbers that :meth:`statistics` gives for a sequence: ``2 * n_channels_in_`` for
        "per_sequence", else 0.
    channel_scale_ : ndarray of shape (`n_channels_in_`,) or None
        For "per_sequence", the median standard deviation of each channel within sequences, of
        those in which it varies; where it does in none, that over all; 1 where it is constant.
    statistics_mean_, statistics_scale_ : ndarray of shape (`n_statistics_`,) or None
        For "per_sequence", mean and spread over the training sequences of what
        :meth:`statistics` standardises.

    See Also
    --------
    LSTMAutoencoderTransformer : Has one of these inside.
    sklearn.preprocessing.StandardScaler : The same for tables, whose padding it cannot know.

    Examples
    --------
    >>> from sklearn_seqae.scaling import SequenceScaler
    >>> scaler = SequenceScaler("minmax")
    >>> scaler.fit_transform([[0.0, 5.0], [10.0]])
    [array([0. , 0.5]), array([1.])]
    >>> scaler.inverse_transform([[0.5], []])
    [array([5.]), array([], dtype=float64)]
    """

    def __init__(self, scaler: Any = "standard") -> None:
        self.scaler = scaler

    def fit(self, X: Any, y: None = None) -> SequenceScaler:
        """Learn the scale of every channel.

        Only real values count: padding is not looked at, and missing values are left out.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            The training sequences, of any lengths; `sklearn_seqae.containers` lists containers.
        y : None
            Ignored.

        Returns
        -------
        SequenceScaler
            This scaler.

        Raises
        ------
        TypeError
            If `scaler` is no scaler, or cannot undo what it does.
        ValueError
            If `scaler` is an unknown name, changes the number of channels, or if there is not a
            single real value to learn from.

        See Also
        --------
        fit_transform : Fit, and return scaled sequences.

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
        # scikit-learn warns and gives NaN for a column without values; a channel of zeros has
        # location 0 and scale 1, which is the scale of a channel of which nothing is known.
        values[:, ~observed.any(axis=0)] = 0.0
        if self.scaler == "per_sequence":
            self._fit_per_sequence(sequences, values)
        elif scaler is not None:
            self.scaler_ = fit_scaler(scaler, values)
        return self

    def transform(self, X: Any) -> Any:
        """Scale sequences.

        Lengths and missing values stay what they are; symbols are refused.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            The sequences, with ``n_channels_in_`` channels.

        Returns
        -------
        same kind as X
            The scaled sequences, with missing values where `X` has them; another container if
            :meth:`set_output` asks for it.

        Raises
        ------
        ValueError
            If `X` has another number of channels, or other columns if it is a 2-D array or table
            and :meth:`fit` saw one too, or if the scaler makes NaN or infinity of an observed
            value, as a logarithm does of zero.

        See Also
        --------
        inverse_transform : The way back.

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
        # Scaled by what the statistics say after rounding, so that they undo it exactly.
        location, scale = self._location_and_scale(self._statistics(sequences))
        owners = sequences.owners
        values = (sequences.values - location[owners]) / scale[owners]
        return self._give_out(sequences.with_values(values), X)

    def inverse_transform(self, X: Any, statistics: Any = None) -> Any:
        """Undo the scaling.

        Scaled values need not come from `transform`: a network may have written them. What the
        scaler cannot undo of these is NaN or infinite.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            Scaled sequences, with ``n_channels_in_`` channels.
        statistics : array-like of shape (n_sequences, `n_statistics_`), default=None
            Location and scale of each sequence, from :meth:`statistics`; needed for "per_sequence".

        Returns
        -------
        same kind as X
            The sequences in their own units.

        Raises
        ------
        ValueError
            If `statistics` are missing where they are needed or have another shape, or if `X` has
            another number of channels.

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
        """Return what "per_sequence" takes away from each sequence.

        Whoever scales each sequence by itself needs them on the way back; an autoencoder has them
        in its codes.

        Parameters
        ----------
        X : Sequences or any container that holds sequences
            Sequences in their own units, with ``n_channels_in_`` channels.

        Returns
        -------
        ndarray of shape (n_sequences, `n_statistics_`), float32
            Location of each channel, then logarithm of its scale, both standardised over the
            training sequences: 0 is typical, which is also what a channel without a single value
            gets. Without columns for scalers other than "per_sequence".

        See Also
        --------
        inverse_transform : Takes them.

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
        """Numbers that :meth:`statistics` gives for a sequence.

        Two a channel, location and scale, for "per_sequence"; none for other scalers.

        See Also
        --------
        statistics : Gives these numbers.

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
        """Return the tags of scikit-learn: missing values and three dimensions are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check(self, X: Any, *, columns: bool = True) -> Sequences:
        """Read sequences and hold them against those of fit."""
        check_is_fitted(self, "n_channels_in_")
        sequences = as_sequences(X).with_channels(self.n_channels_in_)
        if sequences.n_channels != self.n_channels_in_:
            raise ValueError(
                f"Expected sequences of {self.n_channels_in_} channel(s) as in fit, got "
                f"{sequences.n_channels}; give the same channels in the same order, and one single "
                "sequence x, (n_steps, n_channels), as [x]."
            )
        refuse_one_sequence(sequences.form, self._form, len(sequences))
        # Columns count only where fit saw some. Who made Sequences has checked their container.
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
        # Levels of sequences may lie far apart, and some may vary much more than others: neither
        # should make those that vary little look constant.
        spread = typical_deviation(sequences, spread)
        raw = raw_statistics(sequences, spread)
        raw[:, np.isnan(raw).all(axis=0)] = 0.0
        deviation = np.nanstd(raw, axis=0)
        # Where all training sequences agree there is no spread to measure by: a location is then
        # measured by the channel's own scale, a scale by factors of e.
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
