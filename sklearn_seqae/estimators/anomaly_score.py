"""How odd a sequence is beside those of training: by its values, its shape and its length.

Each is a number that is the larger, the odder the sequence is, and becomes a probability: that of a
normal sequence to have a larger one. Fisher's method makes one of them (R. A. Fisher, Statistical
Methods for Research Workers, 4th edition, 1932).

- Values: how far the reconstruction is off. Each squared error is divided by the mean one of its
  channel in training, and their root mean square taken, so that one step may tell. A network knows
  the sequences that it was trained on, so what is usual is learned from those that were held out.
- Shape: how far the nearest of the training sequences is, in what the filters find. None is its own
  neighbour, nor are those of its group, so here those of training tell what is usual of others.
- Length: how far it is outside of the range of lengths in training.

A sequence of which nothing was observed is judged by its length alone: nothing else speaks against
it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import log_ndtr

from sklearn_seqae.containers.sequences import Sequences

Floats = NDArray[np.float64]

PARTS = ("values", "shape", "length")
# Training sequences that are kept to measure distances from, at most.
MAX_NEIGHBOURS = 1000
# Distances are in deviations, the root mean square over features. What is nearer than this is the
# same sequence: codes that were made on another machine differ by rounding.
SAME = 1e-3
# The least mean squared error of a channel, in scaled units, and the least part of it that is told
# from a perfect reconstruction.
LEAST_ERROR = 1e-6
LEAST_RATIO = 1e-6
# What overflowed is as odd as can be, but has a score.
MOST_RATIO = 1e60
# Features that hardly vary are not blown up beyond this part of the largest deviation; nor is the
# rounding, where all training sequences are alike, beyond this part of the largest feature.
LEAST_DEVIATION = 1e-2
LEAST_VARIATION = 1e-3
# Of logarithms: a twentieth more is not odd, however much alike others are.
LEAST_SPREAD = 0.05
# How much the errors of few held-out sequences vary is not known from these alone: the spread of
# those that were trained on counts as that of so many.
PRIOR_SEQUENCES = 10
# -log p of a length for each deviation of lengths by which it is outside of their range.
LENGTH_SLOPE = 3.0
ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Usual:
    """Where a logarithm lies for normal sequences: t-distributed around `location`."""

    location: float
    spread: float
    degrees: int

    @classmethod
    def of(cls, logarithms: Floats) -> Self:
        """Learn it from training sequences that say what is so of others."""
        n = len(logarithms)
        if n == 0:
            return cls(0.0, 1.0, 1)
        location, spread = _moments(logarithms)
        return cls(location, spread * float(np.sqrt(1 + 1 / n)), max(n - 1, 1))

    @classmethod
    def of_held_out(cls, trained_on: Floats, held_out: Floats, n: int) -> Self:
        """Learn it where held-out sequences say what is so of others; there may be few, or none.

        They count as `n` that are independent of each other: the number of their groups.
        """
        if len(held_out) == 0 or len(trained_on) == 0:
            return cls.of(np.concatenate([trained_on, held_out]))
        location, own = _moments(held_out)
        squares = PRIOR_SEQUENCES * _moments(trained_on)[1] ** 2 + (n - 1) * own**2
        spread = float(np.sqrt(squares / (PRIOR_SEQUENCES + n - 1) * (1 + 1 / n)))
        return cls(location, spread, max(len(trained_on) - 1, 1))

    def oddness(self, logarithms: Floats) -> Floats:
        """Return minus the logarithm of the probability of a larger one.

        That of a t-distribution by Wallace's approximation, which never underflows (D. L. Wallace,
        Bounds on normal approximations to Student's and the chi-square distributions, 1959).
        """
        z = (logarithms - self.location) / self.spread
        n = self.degrees
        normal = np.sign(z) * np.sqrt(n * np.log1p(z**2 / n)) * (8 * n + 1) / (8 * n + 3)
        return -log_ndtr(-normal)


@dataclass(frozen=True)
class Norm:
    """What is usual of the training sequences.

    Parameters
    ----------
    channel_errors : ndarray of shape (n_channels,)
        Mean squared errors.
    errors, distances : Usual
        Of the error of a sequence, and of the distance to its nearest neighbour.
    deviations : ndarray of shape (n_features,)
        Of the features, times the root of their number.
    neighbours : ndarray of shape (n_neighbours, n_features), float32
        Features of training sequences, divided by these.
    shortest, longest : int
        Of their lengths.
    length_deviation : float
        Of the logarithms of these.
    """

    channel_errors: Floats
    errors: Usual
    distances: Usual
    deviations: Floats
    neighbours: NDArray[np.float32]
    shortest: int
    longest: int
    length_deviation: float

    @classmethod
    def learn(
        cls,
        sequences: Sequences,
        errors: Floats,
        features: NDArray[np.float32],
        held_out: NDArray[np.int64],
        seed: int,
        groups: NDArray[np.int64] | None = None,
    ) -> tuple[Self, Floats]:
        """Learn it from training sequences.

        Parameters
        ----------
        sequences : Sequences
            Of these the lengths matter.
        errors : ndarray of shape (total_steps, n_channels)
            Squared errors; NaN for missing values.
        features : ndarray of shape (n_sequences, n_features)
        held_out : ndarray of shape (n_held_out,)
            Indices of the sequences that the network was not trained on.
        seed : int
            Decides which neighbours are kept, if they are many.
        groups : ndarray of shape (n_sequences,), optional
            Whose sequences are alike in a way that no others are to each other.

        Returns
        -------
        norm : Norm
        oddness : ndarray of shape (n_sequences, 3)
            How odd the training sequences are beside those of other groups.
        """
        counts = np.maximum((~np.isnan(errors)).sum(axis=0), 1)
        means = np.nansum(np.minimum(errors, MOST_RATIO), axis=0) / counts
        channel_errors = np.maximum(means, LEAST_ERROR)
        sizes, observed = _sizes(sequences, _ratios(errors, channel_errors))
        unseen = np.isin(np.arange(len(sequences)), held_out)
        deviations = features.std(axis=0, dtype=np.float64)
        least = LEAST_DEVIATION * deviations.max(), LEAST_VARIATION * np.abs(features).max()
        deviations = np.maximum(deviations, max(least))
        deviations = np.where(deviations > 0, deviations, 1.0) * np.sqrt(len(deviations))
        points = (features / deviations).astype(np.float32)
        kept = np.random.default_rng(seed).permutation(len(points))[:MAX_NEIGHBOURS]
        kept = np.sort(kept)
        apart = None if groups is None else (groups, groups[kept])
        distances = _nearest(points, points[kept], apart)
        lengths = sequences.lengths
        norm = cls(
            channel_errors=channel_errors,
            errors=Usual.of_held_out(
                sizes[observed & ~unseen],
                sizes[observed & unseen],
                n_independent(held_out, groups),
            ),
            distances=Usual.of(distances[observed & ~np.isnan(distances)]),
            deviations=deviations,
            neighbours=points[kept],
            shortest=int(lengths.min()),
            longest=int(lengths.max()),
            length_deviation=max(float(np.log1p(lengths).std()), LEAST_SPREAD),
        )
        return norm, norm._oddness(sequences, errors, distances)

    def oddness(
        self, sequences: Sequences, errors: Floats, features: NDArray[np.float32]
    ) -> Floats:
        """Return how odd sequences are in each of `PARTS`, (n_sequences, 3), from 0 on.

        Arguments are those of `learn`. What was not observed is not odd, and without two training
        sequences no distance is.
        """
        points = (features / self.deviations).astype(np.float32)
        return self._oddness(sequences, errors, _nearest(points, self.neighbours))

    def _oddness(self, sequences: Sequences, errors: Floats, distances: Floats) -> Floats:
        sizes, observed = _sizes(sequences, _ratios(errors, self.channel_errors))
        values = np.where(observed, self.errors.oddness(sizes), 0.0)
        is_known = observed & ~np.isnan(distances)
        shape = np.where(is_known, self.distances.oddness(distances), 0.0)
        outside = np.abs(np.log1p(sequences.lengths) - np.log1p(self.nearest_lengths(sequences)))
        length = LENGTH_SLOPE * outside / self.length_deviation
        return np.stack([values, shape, length], axis=1)

    def nearest_lengths(self, sequences: Sequences) -> NDArray[np.int64]:
        """Return the number of steps in the range of training nearest to that of each sequence."""
        return np.clip(sequences.lengths, self.shortest, self.longest)

    def shares(self, sequences: Sequences, errors: Floats) -> Floats:
        """Return what part each value has in the error of its sequence, (total_steps, n_channels).

        The parts of a sequence add up to 1.0; missing values have none.
        """
        squares = np.nan_to_num(np.square(_ratios(errors, self.channel_errors)), nan=0.0)
        sums = np.bincount(sequences.owners, squares.sum(axis=1), len(sequences))
        return squares / np.where(sums > 0, sums, 1.0)[sequences.owners, None]


def combine(oddness: Floats) -> Floats:
    """Return the logarithm of the probability that a normal sequence is as odd in all, at most 0.

    Values and shape are two probabilities of Fisher's method, of which this is the closed form. A
    length is added to them, as normal ones have none.
    """
    total = oddness.sum(axis=1)
    return np.log1p(total) - total


def threshold(held_out: Floats, quantile: float, n: int) -> float:
    """Return what the combined scores of a part `quantile` of normal sequences exceed.

    If there are enough held-out scores, one of these is it (split conformal prediction: of other
    normal sequences no larger part is below it); if not, what the scores say of themselves. They
    count as `n` that are independent of each other, the number of their groups.
    """
    ranks = [int((count + 1) * (1 - quantile) + 1e-9) for count in (n, len(held_out))]
    return float(np.log(1 - quantile) if ranks[0] == 0 else np.sort(held_out)[ranks[1] - 1])


def n_independent(held_out: NDArray[np.int64], groups: NDArray[np.int64] | None) -> int:
    """Return as how many draws held-out sequences count: those of one group are alike."""
    return len(held_out) if groups is None else len(np.unique(groups[held_out]))


def _moments(logarithms: Floats) -> tuple[float, float]:
    """Return location and spread, which a tenth of outliers hardly moves."""
    location, high = np.quantile(logarithms, [0.5, 0.9])
    around = 1.4826 * np.median(np.abs(logarithms - location))
    # It is the upper half that matters, and often it is the wider one.
    return float(location), float(max(around, (high - location) / 1.2816, LEAST_SPREAD))


def _ratios(errors: Floats, channel_errors: Floats) -> Floats:
    """Return squared errors in parts of the mean ones of their channels; NaN where missing."""
    return np.minimum(errors / channel_errors, MOST_RATIO)


def _sizes(sequences: Sequences, ratios: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the logarithm of the error of each sequence, and whether it has any value."""
    owners, n = sequences.owners, len(sequences)
    counts = np.bincount(owners, (~np.isnan(ratios)).sum(axis=1), n)
    sums = np.bincount(owners, np.nansum(np.square(ratios), axis=1), n)
    means = np.sqrt(sums / np.maximum(counts, 1))
    return np.log(np.maximum(means, LEAST_RATIO)), counts > 0


def _nearest(
    points: NDArray[np.float32],
    neighbours: NDArray[np.float32],
    groups: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> Floats:
    """Return the logarithm of the distance from each point to the nearest that is another one.

    With the groups of points and of neighbours it is the nearest of another group. Where there is
    none, it is NaN.
    """
    nearest = np.full(len(points), np.nan)
    if len(neighbours) < 2:
        return nearest
    for start in range(0, len(points), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        # One by one: what a matrix product finds of small distances is rounding.
        # Features of what overflowed are none.
        distances = np.nan_to_num(cdist(points[rows], neighbours), nan=MOST_RATIO)
        if groups is None:
            first, second = np.partition(distances, 1, axis=1)[:, :2].T
            nearest[rows] = np.where(first < SAME, second, first)
        else:
            is_other = groups[0][rows, None] != groups[1]
            other = np.where(is_other, distances, np.inf).min(axis=1)
            nearest[rows] = np.where(is_other.any(axis=1), other, np.nan)
    return np.log(np.clip(nearest, SAME, MOST_RATIO))
