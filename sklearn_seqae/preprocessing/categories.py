"""Numbers and categories together: scaled values beside one-hot values, and back.

The network reads values only: first the scaled numbers, then, for each categorical channel, a value
for each category, of which one is 1 and the others are 0, or all NaN where the category is missing.
It decodes probabilities, of which the highest decides the category.

Infrequent categories share one value, which is decoded as the most frequent of them. An unknown
category has a code beyond the learned ones, and zeros in all values.
"""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.containers.columns import Categories
from sklearn_seqae.containers.sequences import Sequences

from .scaling import SequenceScaler


class MixedScaler:
    """Scales numbers by a `SequenceScaler`, and spreads categories over one-hot values.

    Without categories it does what the scaler does.

    Parameters
    ----------
    scaler : str, scikit-learn scaler or None
        As in `SequenceScaler`; it sees the channels of numbers only.

    Attributes
    ----------
    scaler_ : SequenceScaler or None
        The fitted scaling; None where no channel holds numbers.
    categories : tuple of (Categories or None)
        For each channel its categories, None for numbers; empty where all are numbers.
    """

    def __init__(self, scaler: Any) -> None:
        self.scaler = scaler

    def fit(self, sequences: Sequences) -> MixedScaler:
        """Learn the scale of the numbers; the categories are those that `sequences` have."""
        self.categories = tuple(map(_at_least_one, sequences.categories))
        self.n_channels = sequences.n_channels
        self.scaler_: SequenceScaler | None = None
        numbers = self.take_numbers(sequences)
        unknown = self.categories and np.isnan(numbers.values).all()
        if unknown and not np.isnan(sequences.values).all():
            # Categories are enough to learn from, and zeros have the scale of an unknown channel.
            numbers = numbers.with_values(np.zeros_like(numbers.values))
        if numbers.n_channels or np.isnan(sequences.values).all():  # which the scaler refuses
            self.scaler_ = SequenceScaler(self.scaler).fit(numbers)
        return self

    @property
    def category_widths(self) -> tuple[int, ...]:
        """Number of categories of each categorical channel."""
        return tuple(found.width for _, found in self._categorical())

    @property
    def channels(self) -> NDArray[np.int64]:
        """Index of the channel that each value belongs to, (n_values,) int64."""
        is_number = np.array([self._is_number(j) for j in range(self.n_channels)])
        parts = [np.flatnonzero(is_number)]
        parts += [np.repeat(j, found.width) for j, found in self._categorical()]
        return np.concatenate(parts)

    @property
    def n_statistics_(self) -> int:
        """Numbers that `statistics` gives for a sequence."""
        return 0 if self.scaler_ is None else self.scaler_.n_statistics_

    def spread(self, sequences: Sequences) -> Sequences:
        """Return values as the network sees them, but for the scaling."""
        return self._beside(self.take_numbers(sequences), sequences)

    def transform(self, sequences: Sequences) -> Sequences:
        """Return values as the network sees them, in float32."""
        numbers = self.take_numbers(sequences)
        if self.scaler_ is not None:
            numbers = self.scaler_.transform(numbers)
        if numbers.values.dtype != np.float32:
            with np.errstate(over="ignore"):
                values = numbers.values.astype(np.float32)
            # What is too large for the network is the largest number there is, never infinite.
            most = np.finfo(np.float32).max
            numbers = numbers.with_values(np.clip(values, -most, most, out=values))
        return self._beside(numbers, sequences)

    def _beside(self, numbers: Sequences, sequences: Sequences) -> Sequences:
        """Return numbers with the one-hot values of categories beside them."""
        if not self.categories:
            return numbers
        parts = [numbers.values]
        for j, found in self._categorical():
            codes = sequences.values[:, j]
            known = codes < len(found.values)
            one_hot = np.zeros((len(codes), found.width), dtype=np.float32)
            one_hot[known, np.minimum(codes[known], found.width - 1).astype(np.int64)] = 1.0
            one_hot[np.isnan(codes)] = np.nan
            parts.append(one_hot)
        return Sequences(np.hstack(parts), sequences.offsets)

    def unknown(self, sequences: Sequences) -> NDArray[np.bool_]:
        """Tell which categories were not learned, (total_steps, n_channels)."""
        unknown = np.zeros(sequences.values.shape, dtype=bool)
        for j, found in self._categorical():
            unknown[:, j] = sequences.values[:, j] >= len(found.values)
        return unknown

    def without_unknown(self, sequences: Sequences) -> Sequences:
        """Return sequences in which categories that were not learned are missing."""
        unknown = self.unknown(sequences)
        if not unknown.any():
            return sequences
        return sequences.with_values(np.where(unknown, np.float32(np.nan), sequences.values))

    def targets(self, values: Sequences, sequences: Sequences) -> Sequences:
        """Return what decoded values are held against: `values`, but for unknown categories.

        From these the squared distance of probabilities p is 1 + sum(p**2), as if the unknown
        category were one more, to which p gives nothing. No learned one is farther from p.
        """
        unknown = self.unknown(sequences)
        if not unknown.any():
            return values
        targets, channels = values.values.copy(), self.channels
        for j, found in self._categorical():
            rows = np.ix_(unknown[:, j], channels == j)
            targets[rows] = (1.0 - np.sqrt(1.0 + found.width)) / found.width
        return values.with_values(targets)

    def unscale(self, values: Sequences, statistics: Any) -> Sequences:
        """Undo the scaling of values that the network wrote; probabilities stay as they are."""
        if self.scaler_ is None:
            return values
        if not self.categories:
            return self.scaler_.inverse_transform(values, statistics)
        n_numbers = self.scaler_.n_channels_in_
        numbers = Sequences(values.values[:, :n_numbers], values.offsets)
        unscaled = self.scaler_.inverse_transform(numbers, statistics)
        return values.with_values(np.hstack([unscaled.values, values.values[:, n_numbers:]]))

    def inverse_transform(self, values: Sequences, statistics: Any) -> Sequences:
        """Return the sequences that the network wrote, with the most probable categories."""
        unscaled = self.unscale(values, statistics)
        if not self.categories:
            return unscaled
        steps = np.empty((len(unscaled.values), self.n_channels), dtype=unscaled.values.dtype)
        channels = self.channels
        for j in range(self.n_channels):
            part = unscaled.values[:, channels == j]
            steps[:, j] = part[:, 0] if self._is_number(j) else part.argmax(axis=1)
        return Sequences(steps, unscaled.offsets, categories=self.categories)

    def statistics(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return what "per_sequence" takes away from each sequence; nothing of categories."""
        if self.scaler_ is None:
            return np.empty((len(sequences), 0), dtype=np.float32)
        return self.scaler_.statistics(self.take_numbers(sequences))

    def pooled(self, variance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the variance of each value's channel: of one-hot values, the sum of theirs."""
        if not self.categories:
            return variance
        channels = self.channels
        sums = np.bincount(channels, variance, self.n_channels)
        return np.asarray(sums[channels], dtype=np.float64)

    def take_numbers(self, sequences: Sequences) -> Sequences:
        """Return the channels of numbers."""
        if not self.categories:
            return sequences
        indices = [j for j in range(self.n_channels) if self._is_number(j)]
        return Sequences(sequences.values[:, indices], sequences.offsets)

    def _is_number(self, channel: int) -> bool:
        return not self.categories or self.categories[channel] is None

    def _categorical(self) -> list[tuple[int, Categories]]:
        return [(j, found) for j, found in enumerate(self.categories) if found is not None]


def adopt(
    sequences: Sequences, categories: tuple[Categories | None, ...], handle_unknown: str = "error"
) -> Sequences:
    """Return sequences whose codes are those of the categories that were learned.

    Parameters
    ----------
    sequences : Sequences
        With categories of their own in the same channels.
    categories : tuple of (Categories or None)
        The categories that were learned; empty where all channels hold numbers.
    handle_unknown : {"error", "unknown"}, default="error"
        What a category is that was not learned: an error, or one with a code behind the learned.

    Raises
    ------
    ValueError
        If there is a category that was not learned, and this is an error.
    """
    if not categories:
        return sequences
    if not sequences.categories:  # all are empty
        return replace(sequences, categories=categories)
    values, adopted = sequences.values.copy(), list(categories)
    for j, (own, learned) in enumerate(zip(sequences.categories, categories, strict=True)):
        if own is None or learned is None:
            continue
        index = {item: code for code, item in enumerate(learned.values.tolist())}
        codes = np.array([index.get(item, -1) for item in own.values.tolist()], dtype=np.float32)
        given = np.isfinite(values[:, j])
        found = np.unique(values[given, j].astype(np.int64))  # declared is not seen
        unknown = found[codes[found] < 0]
        if unknown.size and handle_unknown == "error":
            step = int(np.argmax(np.isin(values[:, j], unknown)))
            first = own.values.tolist()[int(values[step, j])]
            raise ValueError(
                f"Expected the categories that fit saw in channel {j}, {_listed(list(index))}, got "
                f"{first!r} in sequence {sequences.owners[step]}: fit on data that hold it (or "
                "columns of pandas' categories, all of which are learned), or use "
                "handle_unknown='unknown'."
            )
        codes[unknown] = len(index) + np.arange(len(unknown))
        values[given, j] = codes[values[given, j].astype(np.int64)]
        if unknown.size:
            adopted[j] = _with_unknown(learned, own.values[unknown])
    return replace(sequences, values=values, categories=tuple(adopted))


def join_infrequent(sequences: Sequences, min_frequency: Any) -> Sequences:
    """Return sequences whose categories say which of them are infrequent, and one to a network.

    Parameters
    ----------
    sequences : Sequences
        Those to learn from.
    min_frequency : int, float or None
        The least number of steps of a frequent category, or the least part of all in its channel.
    """
    if min_frequency is None or not sequences.categories:
        return sequences
    values, joined = sequences.values.copy(), list(sequences.categories)
    for j, found in enumerate(sequences.categories):
        given = np.isfinite(values[:, j])
        if found is None or not given.any():
            continue
        codes = values[given, j].astype(np.int64)
        counts = np.bincount(codes, minlength=len(found.values))
        least = min_frequency * (1 if isinstance(min_frequency, Integral) else len(codes))
        infrequent = np.flatnonzero(counts < least)
        if not infrequent.size:
            continue
        ranked = infrequent[np.argsort(-counts[infrequent], kind="stable")]
        order = np.concatenate([np.flatnonzero(counts >= least), ranked])
        values[given, j] = np.argsort(order)[codes]
        joined[j] = replace(found, values=found.values[order], n_joined=len(ranked) - 1)
    return replace(sequences, values=values, categories=tuple(joined))


def _with_unknown(learned: Categories, unknown: NDArray[Any]) -> Categories:
    """Return categories with others behind those that were learned."""
    values = [learned.values, unknown]
    if learned.values.dtype.kind != unknown.dtype.kind:  # joined as they are, all would be text
        values = [array.astype(object) for array in values]
    dtype = learned.dtype
    if hasattr(dtype, "categories"):
        dtype = type(dtype)([*dtype.categories, *unknown.tolist()], dtype.ordered)
    return Categories(np.concatenate(values), dtype)


def _at_least_one(categories: Categories | None) -> Categories | None:
    """Return categories that have the missing one as their only one where all are missing."""
    if categories is None or len(categories.values):
        return categories
    mark = np.nan if categories.values.dtype.kind == "f" else None
    return replace(categories, values=np.array([mark], dtype=np.float64 if mark else object))


def _listed(categories: list[Any], most: int = 8) -> str:
    shown = ", ".join(map(repr, categories[:most]))
    return shown if len(categories) <= most else f"{shown} and {len(categories) - most} more"
