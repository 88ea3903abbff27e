"""Sequences whose channels are as their container has them, and what makes `Sequences` of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ambiguity import check_numbers, refuse_text_column
from .columns import Columns
from .numeric import LARGEST, SMALLER, TOO_LARGE, largest
from .sequences import Form, SequenceIndex, Sequences, offsets_of


@dataclass(frozen=True, eq=False)
class RawSequences:
    """Sequences as a reader finds them, before it is decided which channels are categorical.

    Parameters
    ----------
    columns : list of Columns
        The channels, side by side.
    offsets : ndarray of shape (n_sequences + 1,), int64
        Sequence ``i`` has the steps from ``offsets[i]`` to ``offsets[i + 1]``.
    form : Form
        The container that they came from.
    index : SequenceIndex or None, default=None
        Ids and time stamps, from containers that have them.
    is_padded : bool, default=False
        Whether all sequences have the same steps, and those at the end where all is missing are
        padding.
    step_names : sequence, default=()
        Of a table with a step a column, the names of its columns.
    """

    columns: list[Columns]
    offsets: NDArray[np.int64]
    form: Form
    index: SequenceIndex | None = None
    is_padded: bool = False
    step_names: Sequence[Any] = ()

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return sum(columns.n_channels for columns in self.columns)

    @property
    def channel_names(self) -> tuple[Any, ...] | None:
        """Names of all channels, where the container has one for each."""
        names = self.form.channel_names
        return names if len(names or ()) == self.n_channels else None

    def encode(self, categorical_features: Any) -> Sequences:
        """Return the sequences as numbers, and codes of categories.

        Parameters
        ----------
        categorical_features : "from_dtype", array-like or None
            The categorical channels, as in `LSTMAutoencoderTransformer`.
        """
        categorical = self._choose(categorical_features)
        categories: tuple[Any, ...] = ()
        if any(categorical):
            if self.form.is_wide and self.form.n_columns == 1:
                refuse_text_column(len(self.offsets) - 1)
            places = [(one, j) for one in self.columns for j in range(one.n_channels)]
            channels = [one.channel(j, number) for number, (one, j) in enumerate(places)]
            blocks, categories = zip(
                *[
                    channel.encode() if is_categorical else (channel.numbers(), None)
                    for channel, is_categorical in zip(channels, categorical, strict=True)
                ],
                strict=True,
            )
        else:
            blocks = tuple(one.numbers() for one in self.columns)
        values = blocks[0] if len(blocks) == 1 else np.column_stack(blocks)
        offsets = self.offsets
        if self.is_padded:
            array = values.reshape(len(offsets) - 1, offsets[1], self.n_channels)
            if self.form.is_wide and not categories:
                check_numbers(array[:, :, 0], self.step_names)
            values, offsets = _cut_padding(array)
        values = values.reshape(-1, self.n_channels)
        sequences = Sequences(values, offsets, self.form, categories, self.index)
        _refuse_infinity(sequences)
        return sequences

    def _choose(self, categorical_features: Any) -> list[bool]:
        """Return which channels are categorical; none of containers without steps or channels."""
        if categorical_features is None:
            return []
        if not self.offsets[-1] and self.form.with_channels(2) not in (None, self.form):
            return []
        found = [holds for columns in self.columns for holds in columns.hold_text()]
        return categorical_channels(categorical_features, found, self.channel_names)


def categorical_channels(
    categorical_features: Any, found: list[bool], names: tuple[Any, ...] | None
) -> list[bool]:
    """Return a mask of the categorical channels, given the parameter and the types of the data.

    Parameters
    ----------
    categorical_features : "from_dtype" or array-like
        Indices or names of channels, or a boolean mask.
    found : list of bool
        Whether each channel has strings or pandas' categorical dtype.
    names : tuple or None
        Names of the channels, if any.
    """
    if isinstance(categorical_features, str) and categorical_features == "from_dtype":
        return found
    given = np.asarray(categorical_features, dtype=object).ravel().tolist()
    is_mask = [isinstance(item, bool | np.bool_) for item in given]
    if given and all(is_mask) and len(given) == len(found):
        return [bool(item) for item in given]
    by_name = names is not None and any(isinstance(item, str) for item in given)
    known: list[Any] = list(names or ()) if by_name else list(range(len(found)))
    if any(is_mask) or not all(item in known for item in given):
        raise ValueError(
            "categorical_features must be 'from_dtype', None, or a list of channels out of "
            f"{known} or a mask of {len(found)} bool, got {categorical_features!r}: name channels "
            "by their indices or, if X names them, by the names of their columns."
        )
    return [item in given for item in known]


def _cut_padding(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the steps of (n_sequences, n_steps, n_channels) under each other, and offsets."""
    steps = np.arange(array.shape[1])
    lengths = np.where(np.isnan(array).all(axis=2), 0, steps + 1).max(axis=1, initial=0)
    return array[steps < lengths[:, None]], offsets_of(lengths)


def _refuse_infinity(sequences: Sequences) -> None:
    """Raise if a value is infinite, or so large that its square is."""
    values = sequences.values
    if largest(values) > LARGEST:
        step, channel = np.argwhere(np.abs(values.astype(np.float64)) > LARGEST)[0]
        at, index = sequences.owners[step], sequences.index
        name = at if index is None or index.ids is None else repr(index.ids[[at]].tolist()[0])
        raise ValueError(f"{TOO_LARGE} in channel {channel} of sequence {name}; {SMALLER}.")
