"""Fitting to a stream: a sample in memory for what is computed once, and pools to train on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from sklearn_seqae.containers.columns import Categories
from sklearn_seqae.containers.sequences import Sequences, offsets_of
from sklearn_seqae.preprocessing.categories import MixedScaler, adopt
from sklearn_seqae.streaming.parts import ahead, mixed, parts_of

if TYPE_CHECKING:
    from sklearn_seqae.training.training_data import Stream

# Values in the sample, in the sequences that are held out, and in a pool whose sequences are
# shuffled together. A few of each are in memory at once, whatever the size of the stream.
MOST_SAMPLED = 1 << 21
MOST_HELD_OUT = 1 << 21
POOL_VALUES = 1 << 21
# Makes other numbers of the keys, so that the sample does not depend on what is held out.
SALT = np.uint64(0x5851F42D4C957F2D)

_Reader = Callable[[Any], Sequences]


class StreamedData:
    """What `fit` needs of a stream. It is read twice here, and then once in each epoch.

    Parameters
    ----------
    X : ParquetSequences or iterable of containers
    read : callable
        Makes `Sequences` of a container, whose categories may differ from one to the next.
    fraction : float
        Of the sequences that are to be held out.

    Attributes
    ----------
    n_sequences : int
    sample : Sequences
        All sequences of a small stream, in random order; of a large one random ones, some of them
        held out, and the longest, the shortest and one with missing values.
    positions : ndarray of int64
        Where these are in the stream.
    groups : ndarray of uint64, or None
        A number for the id of each, if several have the same; None if ids are distinct.
    split : tuple of ndarray
        Which of these to train on, and which are held out.
    is_whole : bool
        Whether the sample has all sequences.
    digest : str
        A checksum of all values.
    """

    def __init__(self, X: Any, read: _Reader, fraction: float) -> None:
        self._X = X
        self.n_sequences = n_values = self._longest = 0
        found: list[tuple[Categories | None, ...]] = []
        observed: list[NDArray[np.bool_]] = []
        special: dict[str, tuple[int, np.uint64]] = {}
        content = hashlib.blake2b(digest_size=16)
        for sequences, keys in ahead(parts_of(X, read)):
            content.update(sequences.values.data)
            lengths = sequences.lengths
            self.n_sequences += len(sequences)
            n_values += sequences.values.size
            observed.append(np.any(~np.isnan(sequences.values), axis=0))
            found.append(sequences.categories)
            longest, shortest = int(lengths.argmax()), int(lengths.argmin())
            ranked = [
                ("longest", longest, -lengths[longest]),
                ("shortest", shortest, lengths.min()),
            ]
            incomplete = np.flatnonzero(np.isnan(_numbers(sequences)).any(axis=1))
            if len(incomplete):
                ranked.append(("incomplete", int(sequences.owners[incomplete[0]]), 0))
            for name, row, rank in ranked:
                special[name] = min(special.get(name, (rank, keys[row])), (rank, keys[row]))
            self._longest = max(self._longest, int(lengths[longest]))
        if len({len(one) for one in observed}) > 1:
            raise ValueError(
                "Expected all parts of X to have the same channels, got "
                f"{[len(one) for one in observed[:8]]} channels: give parts of one kind."
            )
        self.digest = content.hexdigest()
        self._observed = np.any(observed, axis=0)
        categories = joined(found)
        self.is_whole = n_values <= MOST_SAMPLED
        share = min(fraction, MOST_HELD_OUT / max(1, n_values))
        self._last_held_out = None if share == 0.0 else np.uint64(share * 2.0**64)
        most = MOST_SAMPLED / max(1, n_values)
        named = np.array([key for _, key in special.values()], np.uint64)
        parts, all_keys, places = [], [], []
        first = 0
        for sequences, keys in ahead(parts_of(X, read)):
            kept = mixed(keys ^ SALT) * 2.0**-64 <= most
            kept |= self._is_held_out(keys) | np.isin(keys, named)
            parts.append(adopt(sequences, categories).take(kept))
            all_keys.append(keys[kept])
            places.append(first + np.flatnonzero(kept))
            first += len(keys)
        sample, keys = concatenated(parts), np.concatenate(all_keys)
        if self.is_whole:
            self._hold_out(sample, keys, fraction)
        order = np.argsort(keys, kind="stable")
        self.sample, keys = sample.take(order), keys[order]
        self.positions = np.concatenate(places)[order]
        self.groups = keys if np.any(keys[1:] == keys[:-1]) else None
        held_out = self._is_held_out(keys)
        self.split = np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def _hold_out(self, sample: Sequences, keys: NDArray[np.uint64], fraction: float) -> None:
        """Hold out just a fraction of few sequences, of those that have an observed value."""
        seen = np.any(~np.isnan(sample.values), axis=1)
        candidates = np.sort(keys[np.unique(sample.owners[seen])])
        n = min(int(fraction * len(keys)), len(candidates) - 1)
        self._last_held_out = candidates[n - 1] if n > 0 else None

    def _is_held_out(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        if self._last_held_out is None:
            return np.zeros(len(keys), dtype=bool)
        return keys <= self._last_held_out

    def refine(self, scaler: MixedScaler, read: _Reader) -> None:
        """Fit a scaler of the sample to all sequences, if it learns from one part after another."""
        inner = None if scaler.scaler_ is None else scaler.scaler_.scaler_
        if self.is_whole or scaler.scaler_ is None or not hasattr(inner, "partial_fit"):
            return
        fitted = clone(inner)
        channels = np.flatnonzero([one is None for one in scaler.categories])
        known = self._observed[channels] if scaler.categories else self._observed
        for sequences, _ in ahead(parts_of(self._X, read)):
            values = scaler.take_numbers(sequences).values.astype(np.float64)
            values[:, ~known] = 0.0  # as `SequenceScaler` does, where nothing is known
            fitted.partial_fit(values)
        scaler.scaler_.scaler_ = fitted

    def stream(self, read: _Reader, scale: Callable[[Sequences], Sequences]) -> Stream:
        """Return what to train on.

        Parameters
        ----------
        read : callable
            Makes `Sequences` of a container, with the learned categories.
        scale : callable
            Scales `Sequences`.
        """
        from sklearn_seqae.training.training_data import Stream

        def pools(rng: np.random.Generator) -> Iterator[Sequences]:
            return ahead(self._pools(read, scale, rng))

        n_held_out = len(self.split[1])
        return Stream(self.n_sequences - n_held_out, pools)

    def _pools(
        self, read: _Reader, scale: Callable[[Sequences], Sequences], rng: np.random.Generator
    ) -> Iterator[Sequences]:
        parts: list[Sequences] = []
        n_values = 0
        for sequences, keys in parts_of(self._X, read, rng):
            if sequences.lengths.max() > self._longest:
                raise ValueError(
                    f"Expected the same sequences whenever X is read, of up to {self._longest} "
                    f"steps, got one of {sequences.lengths.max()}: do not change X during fit."
                )
            trained = scale(sequences.take(~self._is_held_out(keys)))
            parts.append(trained)
            n_values += trained.values.size
            if n_values >= POOL_VALUES:
                yield concatenated(parts)
                parts, n_values = [], 0
        if parts:
            yield concatenated(parts)


def concatenated(parts: list[Sequences]) -> Sequences:
    """Return sequences one after the other, with the form and the categories of the first."""
    lengths = np.concatenate([part.lengths for part in parts])
    values = np.concatenate([part.values for part in parts])
    return Sequences(values, offsets_of(lengths), parts[0].form, parts[0].categories)


def joined(found: list[tuple[Categories | None, ...]]) -> tuple[Categories | None, ...]:
    """Return the categories of all parts: sorted ones, unless all parts have the same."""
    given = [categories for categories in found if categories]
    if not given:
        return ()
    channels = []
    for j, of_channel in enumerate(zip(*given, strict=True)):
        some = [one for one in of_channel if one is not None]
        if some and (len(some) < len(of_channel) or len(given) < len(found)):
            raise ValueError(
                f"Expected channel {j} to hold categories in all parts of X, or in none, got both: "
                "name the channels of categories by categorical_features."
            )
        channels.append(_joined(some) if some else None)
    return tuple(channels)


def _joined(some: list[Categories]) -> Categories:
    first = some[0]
    values = first.values.tolist()
    if all(one.values.tolist() == values for one in some):
        return first
    every = {item for one in some for item in one.values.tolist()}
    kind = first.values.dtype if len({one.values.dtype.kind for one in some}) == 1 else None
    is_text = kind is not None and kind.kind == "U"
    array = np.array(sorted(every), dtype=None if is_text else kind)
    return replace(
        first, values=array, dtype=None if hasattr(first.dtype, "categories") else first.dtype
    )


def _numbers(sequences: Sequences) -> NDArray[Any]:
    if not sequences.categories:
        return sequences.values
    return sequences.values[:, [one is None for one in sequences.categories]]
