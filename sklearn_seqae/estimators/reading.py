"""Reading of sequences by the estimators, and checks against the training data."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers.ambiguity import doubt_one_column, refuse_one_sequence
from sklearn_seqae.containers.arrow import order_fields
from sklearn_seqae.containers.numeric import is_stream
from sklearn_seqae.containers.raw_sequences import RawSequences
from sklearn_seqae.containers.registry import Form, Sequences, read
from sklearn_seqae.containers.sequences import SequenceIndex
from sklearn_seqae.preprocessing.categories import adopt, join_infrequent
from sklearn_seqae.preprocessing.set_output import chosen_output
from sklearn_seqae.streaming.parts import ahead, parts_of

from .fitted_model import FittedModel
from .html_repr import HTMLReprMixin


class SequenceReader(HTMLReprMixin):
    """Base of estimators that read sequences, with the channels and categories of `fit`."""

    categorical_features: Any
    handle_unknown: str
    min_frequency: float | None
    n_channels_in_: int
    n_features_in_: int
    _fitted_model: FittedModel
    _form: Form

    def _read(self, X: Any, reset: bool = False) -> Sequences:
        """Return `X` as `Sequences`; unless `reset`, checked against the data seen in `fit`."""
        if not reset and "_fitted_model" not in vars(self):
            check_is_fitted(self)
        sequences = X if isinstance(X, Sequences) else self._encode(read(X), reset)
        if not reset:
            sequences = sequences.with_channels(self.n_channels_in_)
        form = sequences.form
        if reset:
            self.n_channels_in_ = sequences.n_channels
            self.n_features_in_ = sequences.n_features
            self.__dict__.pop("feature_names_in_", None)
            doubt_one_column(form, len(sequences))
        else:
            self._check_n_channels(sequences.n_channels)
            refuse_one_sequence(form, self._form, len(sequences))
            self._check_names(form)
        is_given = not isinstance(X, Sequences)
        if is_given and form.has_columns_of(form if reset else self._form):
            validate_data(self, X, reset=reset, skip_check_array=True)
        if reset:
            return join_infrequent(sequences, self.min_frequency)
        categories = self._fitted_model.scaler.categories
        return adopt(self._in_order(sequences), categories, self.handle_unknown)

    def _read_parts(self, X: Any) -> Iterator[Sequences]:
        """Return `X` as `Sequences`, or those of a stream part by part, as `_read` does."""
        if is_stream(X):
            check_is_fitted(self)
            return ahead(sequences for sequences, _ in parts_of(X, self._read))
        return iter([self._read(X)])

    def _read_raw(self, part: Any) -> Sequences:
        """Return a part of a stream, whose categories have codes of its own."""
        return read(part).encode(self.categorical_features)

    def _read_known(self, part: Any) -> Sequences:
        """Return a part of a stream with the learned categories; unknown ones are missing."""
        scaler = self._fitted_model.scaler
        return replace(scaler.without_unknown(self._read(part)), categories=scaler.categories)

    def _encode(self, raw: RawSequences, reset: bool) -> Sequences:
        """Return sequences with codes of the categories in categorical channels."""
        if reset:
            return raw.encode(self.categorical_features)
        learned = self._fitted_model.scaler.categories
        if not learned or not raw.offsets[-1]:
            return raw.encode(None)
        self._check_n_channels(raw.n_channels)
        order = self._order_of(raw.channel_names) or range(len(learned))
        return raw.encode([learned[j] is not None for j in order])

    def _order_of(self, names: tuple[Any, ...] | None) -> list[int] | None:
        """Return the index in `fit` of each channel, by name; None if names are not known."""
        known = self._form.channel_names
        # A single column may contain all channels.
        if known is None or names is None or len(known) != len(names):
            return None
        if known == names:
            return list(range(len(known)))
        if len(set(known)) < len(known) or set(known) != set(names):
            self._refuse_names(names)
        return [known.index(name) for name in names]

    def _check_names(self, form: Form) -> None:
        """Raise unless channels have the names seen in `fit`, if both have names.

        Columns must be in the same order, as in scikit-learn; fields of a struct are not ordered.
        """
        order = self._order_of(form.channel_names)
        if order is not None and order != sorted(order) and form.has_order:
            self._refuse_names(form.channel_names)

    def _refuse_names(self, names: tuple[Any, ...] | None) -> None:
        raise ValueError(
            f"Expected the columns that fit saw, {list(self._form.channel_names or ())}, got "
            f"{list(names or ())}: give the same columns in the same order."
        )

    def _in_order(self, sequences: Sequences) -> Sequences:
        """Return sequences with the fields of structs in the order of `fit`."""
        form, known = sequences.form, self._form.channel_names
        names = form.channel_names
        if form.has_order or self._order_of(names) is None or names == known:
            return sequences
        return order_fields(sequences, tuple(map(str, known or ())))

    def _encode_parts(self, X: Any) -> Any:
        """Return the codes of sequences, those of a stream part by part."""
        codes, indexes = [], []
        for sequences in self._read_parts(X):
            codes.append(self._fitted_model.encode(sequences))
            indexes.append(sequences.index)
        return self._with_ids(np.concatenate(codes), indexes)

    def _with_ids(self, codes: NDArray[np.float32], indexes: list[SequenceIndex | None]) -> Any:
        """Return codes as a DataFrame with the ids of their sequences, if `set_output` wants one.

        scikit-learn would use the index of `X`, which has one row per step in a long frame.
        """
        ids = [index.ids for index in indexes if index is not None and index.ids is not None]
        if len(ids) < len(indexes) or chosen_output(self) != "pandas":
            return codes
        return load("pandas").DataFrame(codes, index=ids[0].append(ids[1:]))

    def _check_n_channels(self, n_channels: int) -> None:
        if n_channels != self.n_channels_in_:
            raise ValueError(
                f"X has {n_channels} channels, but {type(self).__name__} is expecting "
                f"{self.n_channels_in_} channels as input: give the channels that fit saw, and "
                "one single sequence x, (n_steps, n_channels), as [x]."
            )
