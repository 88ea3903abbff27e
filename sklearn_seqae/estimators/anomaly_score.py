"""Anomaly scores of sequences relative to the training data: of values, shape and length.

The scores are minus the logarithms of p-values, the probabilities that a normal sequence deviates
as much. Fisher's method combines the p-values of values and shape (R. A. Fisher, Statistical
Methods for Research Workers, 4th edition, 1932).

- Values: the reconstruction error. Each squared error is divided by the mean squared error of its
  channel in training, and the statistic is their root mean square, which a single large error at
  one step dominates. Errors of sequences that the network was trained on are too small, so the
  reference distribution is estimated from held-out sequences.
- Shape: the distance to the nearest training sequence in the space of pooled features. A training
  sequence is compared with sequences of other groups only, never with itself, so its distance is
  comparable to that of a new sequence.
- Length: the distance from the range of training lengths.

A sequence without any observed value is scored by its length alone.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.containers.spans import Spans, as_spans, count_disjoint

from .neighbours import Neighbours

Floats = NDArray[np.float64]

COMPONENTS = ("values", "shape", "length")  # of a score
# Largest number of training sequences that are kept as neighbours.
MAX_NEIGHBOURS = 1000
# The least mean squared error of a channel, in scaled units, and the least ratio to it that differs
# from a perfect reconstruction.
LEAST_ERROR = 1e-6
LEAST_RATIO = 1e-6
# A larger squared error, relative to the mean of its channel, counts as this one.
MOST_ERROR = 1e6
# Values that overflowed have the largest score, which is finite.
MOST_RATIO = 1e60
# Lower bounds of a feature's deviation: this fraction of the largest deviation, lest features that
# hardly vary dominate, and this fraction of the largest feature, lest rounding does where all
# training sequences are alike.
LEAST_DEVIATION = 1e-2
LEAST_VARIATION = 1e-3
# Lower bound of the spread of logarithms: 5 % more is normal, however similar the others are.
LEAST_SPREAD = 0.05
# Few held-out sequences give a poor estimate of the spread of errors, so the spread over sequences
# that the network was trained on is added with the weight of this many.
PRIOR_SEQUENCES = 10
# -log p of a length, for each standard deviation of log lengths that it is outside of their range.
LENGTH_SLOPE = 3.0


@dataclass(frozen=True)
class LogTDistribution:
    """Student's t-distribution of the logarithm of a statistic of normal sequences.

    Parameters
    ----------
    location, spread : float
    degrees : int
        Degrees of freedom.
    """

    location: float
    spread: float
    degrees: int

    @classmethod
    def fit(cls, logarithms: Floats, n: int) -> Self:
        """Return the predictive distribution of a new sequence, given those of a sample.

        `n` is the number of independent ones among them: the number of their groups.
        """
        if len(logarithms) == 0:
            return cls(0.0, 1.0, 1)
        location, spread = _moments(logarithms)
        return cls(location, spread * float(np.sqrt(1 + 1 / n)), max(n - 1, 1))

    @classmethod
    def fit_held_out(cls, trained_on: Floats, held_out: Floats, n: int) -> Self:
        """Return the predictive distribution given held-out sequences, which may be few or none.

        `n` is the number of independent ones among them: the number of their groups.
        """
        if len(held_out) == 0 or len(trained_on) == 0:
            logarithms = np.concatenate([trained_on, held_out])
            return cls.fit(logarithms, len(logarithms))
        location, own = _moments(held_out)
        squares = PRIOR_SEQUENCES * _moments(trained_on)[1] ** 2 + (n - 1) * own**2
        spread = float(np.sqrt(squares / (PRIOR_SEQUENCES + n - 1) * (1 + 1 / n)))
        return cls(location, spread, max(len(trained_on) - 1, 1))

    def neg_logsf(self, logarithms: Floats) -> Floats:
        """Return minus the logarithm of the survival function.

        It is computed by Wallace's normal approximation, which never underflows (D. L. Wallace,
        Bounds on normal approximations to Student's and the chi-square distributions, 1959).
        """
        z = (logarithms - self.location) / self.spread
        n = self.degrees
        normal = np.sign(z) * np.sqrt(n * np.log1p(z**2 / n)) * (8 * n + 1) / (8 * n + 3)
        return -log_ndtr(-normal)


@dataclass(frozen=True)
class ReferenceDistribution:
    """Distribution of errors, distances and lengths of normal sequences.

    Parameters
    ----------
    channel_errors : ndarray of shape (n_channels,)
        Mean squared error of each channel in training.
    errors, distances : LogTDistribution
        Distributions of a sequence's error, and of the distance to its nearest neighbour.
    deviations : ndarray of shape (n_features,)
        Standard deviations of the features, times the square root of their number.
    neighbours : ndarray of shape (n_neighbours, n_features), float32
        Features of training sequences, divided by `deviations`.
    shortest, longest : int
        Range of the training lengths.
    length_deviation : float
        Standard deviation of their logarithms.
    """

    channel_errors: Floats
    errors: LogTDistribution
    distances: LogTDistribution
    deviations: Floats
    neighbours: NDArray[np.float32]
    shortest: int
    longest: int
    length_deviation: float

    @classmethod
    def fit(
        cls,
        sequences: Sequences,
        errors: Floats,
        features: NDArray[np.float32],
        held_out: NDArray[np.int64],
        seed: int,
        groups: NDArray[np.int64] | None = None,
    ) -> tuple[Self, Floats]:
        """Return the reference distribution of training sequences, and their scores.

        Parameters
        ----------
        sequences : Sequences
            Only their lengths are used.
        errors : ndarray of shape (total_steps, n_channels)
            Squared errors; NaN for missing values.
        features : ndarray of shape (n_sequences, n_features)
        held_out : ndarray of shape (n_held_out,)
            Indices of the sequences that the network was not trained on.
        seed : int
            Seed of the random choice of neighbours, where there are more than `MAX_NEIGHBOURS`.
        groups : ndarray of shape (n_sequences,) or (n_sequences, 2), optional
            Group of each sequence, or span of each window. Sequences of the same group, or windows
            that overlap, are not compared.

        Returns
        -------
        reference : ReferenceDistribution
        scores : ndarray of shape (n_sequences, 3)
            Anomaly scores of the training sequences, relative to sequences of other groups.
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
        kept = choose_neighbours(len(points), seed)
        spans = None if groups is None else as_spans(groups)
        apart = None if spans is None else (spans, spans[kept])
        distances = Neighbours(points[kept]).distances(points, apart)
        is_known = observed & ~np.isnan(distances)
        lengths = sequences.lengths
        reference = cls(
            channel_errors=channel_errors,
            errors=LogTDistribution.fit_held_out(
                sizes[observed & ~unseen],
                sizes[observed & unseen],
                n_independent(held_out, groups),
            ),
            distances=LogTDistribution.fit(
                distances[is_known], n_independent(np.flatnonzero(is_known), groups)
            ),
            deviations=deviations,
            neighbours=points[kept],
            shortest=int(lengths.min()),
            longest=int(lengths.max()),
            length_deviation=max(float(np.log1p(lengths).std()), LEAST_SPREAD),
        )
        return reference, reference._anomaly_scores(sequences, errors, distances)

    def anomaly_scores(
        self,
        sequences: Sequences,
        errors: Floats,
        features: NDArray[np.float32],
        apart: tuple[Spans, Spans] | None = None,
        search: Neighbours | None = None,
    ) -> Floats:
        """Return the nonnegative scores of the three `COMPONENTS`, (n_sequences, 3).

        Arguments are those of `fit`; `apart` has the spans of the sequences and of the neighbours,
        if sequences are not to be compared with neighbours that they overlap; `search` is that of
        the neighbours, if it is made already. Values and shape have a score of 0.0 where nothing
        was observed; so has shape where there are no two training sequences.
        """
        points = (features / self.deviations).astype(np.float32)
        search = search or Neighbours(self.neighbours)
        return self._anomaly_scores(sequences, errors, search.distances(points, apart))

    def _anomaly_scores(self, sequences: Sequences, errors: Floats, distances: Floats) -> Floats:
        sizes, observed = _sizes(sequences, _ratios(errors, self.channel_errors))
        values = np.where(observed, self.errors.neg_logsf(sizes), 0.0)
        is_known = observed & ~np.isnan(distances)
        shape = np.where(is_known, self.distances.neg_logsf(distances), 0.0)
        outside = np.abs(np.log1p(sequences.lengths) - np.log1p(self.nearest_lengths(sequences)))
        length = LENGTH_SLOPE * outside / self.length_deviation
        return np.stack([values, shape, length], axis=1)

    def nearest_lengths(self, sequences: Sequences) -> NDArray[np.int64]:
        """Return the number of steps in the range of training nearest to that of each sequence."""
        return np.clip(sequences.lengths, self.shortest, self.longest)

    def error_fractions(self, sequences: Sequences, errors: Floats) -> Floats:
        """Return the fraction of its sequence's error of each value, (total_steps, n_channels).

        The fractions of a sequence add up to 1.0; those of missing values are 0.0.
        """
        squares = np.nan_to_num(np.square(_ratios(errors, self.channel_errors)), nan=0.0)
        sums = np.bincount(sequences.owners, squares.sum(axis=1), len(sequences))
        return squares / np.where(sums > 0, sums, 1.0)[sequences.owners, None]


def choose_neighbours(n: int, seed: int) -> NDArray[np.int64]:
    """Return which of `n` training sequences are kept as neighbours."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:MAX_NEIGHBOURS])


def combine(scores: Floats) -> Floats:
    """Return the logarithms of combined p-values, which are at most 0.

    This is the closed form of Fisher's method for two p-values, those of values and shape. The
    score of the length is added to theirs, as it is 0 for normal sequences.
    """
    total = scores.sum(axis=1)
    return np.log1p(total) - total


def threshold(held_out: Floats, quantile: float, n: int) -> float:
    """Return the threshold that a fraction `quantile` of normal sequences exceed.

    With enough held-out scores it is one of them, by split conformal prediction: the expected
    fraction of new normal sequences below it is at most ``1 - quantile``. With fewer it follows
    from the definition of scores as logarithms of p-values. `n` is the number of independent
    sequences among those held out: the number of their groups.
    """
    ranks = [int((count + 1) * (1 - quantile) + 1e-9) for count in (n, len(held_out))]
    return float(np.log(1 - quantile) if ranks[0] == 0 else np.sort(held_out)[ranks[1] - 1])


def n_independent(chosen: NDArray[np.int64], groups: NDArray[np.int64] | None) -> int:
    """Return the number of independent sequences among chosen ones: that of their groups.

    Of windows it is that of the largest choice in which none overlap.
    """
    return len(chosen) if groups is None else count_disjoint(as_spans(groups)[chosen])


def _moments(logarithms: Floats) -> tuple[float, float]:
    """Return estimates of location and spread that are robust to a tenth of outliers."""
    location, high = np.quantile(logarithms, [0.5, 0.9])
    around = 1.4826 * np.median(np.abs(logarithms - location))
    # Scores depend on the upper tail, which often is the heavier one.
    return float(location), float(max(around, (high - location) / 1.2816, LEAST_SPREAD))


def _ratios(errors: Floats, channel_errors: Floats) -> Floats:
    """Return squared errors divided by their channel's mean; NaN for missing values."""
    return np.minimum(errors / channel_errors, MOST_RATIO)


def _sizes(sequences: Sequences, ratios: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the logarithm of the error of each sequence, and whether it has observed values."""
    owners, n = sequences.owners, len(sequences)
    counts = np.bincount(owners, (~np.isnan(ratios)).sum(axis=1), n)
    sums = np.bincount(owners, np.nansum(np.square(ratios), axis=1), n)
    means = np.sqrt(sums / np.maximum(counts, 1))
    return np.log(np.maximum(means, LEAST_RATIO)), counts > 0
