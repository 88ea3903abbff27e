"""Density of the codes of training sequences, to draw new codes from."""

import copy
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.registry import Sequences

# Maximum number of sequences that the density is fitted to, and of their values. More hardly
# improve it, and they are kept in memory until they are encoded.
MAX_SEQUENCES = 2000
MAX_VALUES = 1 << 22
# Fraction of the codes' variance that the principal components explain; the rest is noise.
KEPT_VARIANCE = 0.99
# "full" suits curved manifolds of few dimensions; "tied" suits clusters, even of few codes.
COVARIANCE_TYPES = ("full", "tied")
NUMBERS_OF_GAUSSIANS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
# Added to the variances of a Gaussian, relative to the mean variance, lest they become 0.
REGULARISATION = 1e-3


class CodeDensity:
    """Gaussian mixture over the principal components of codes.

    Covariance type and number of components minimize the Bayesian information criterion. Sequences
    are encoded and the mixture is fitted only when it is needed.

    Parameters
    ----------
    sequences : Sequences
        The training sequences. They, or a random subset, are kept until `settle`.
    seed : int
        Seed of the choice of this subset, and of the initialization of mixtures.
    known : tuple of int, default=()
        The `length_range` of a previous fit.

    Attributes
    ----------
    sequences : Sequences or None
        The sequences that are kept; None after `settle`.
    length_range : tuple of int
        Shortest and longest length of all training sequences so far.
    """

    def __init__(self, sequences: Sequences, seed: int, known: tuple[int, ...] = ()) -> None:
        lengths = sequences.lengths
        seen = np.append(lengths, known)
        self.length_range = int(seen.min()), int(seen.max())
        self._seed = seed
        order = np.random.default_rng(seed).permutation(len(sequences))[:MAX_SEQUENCES]
        sizes = np.cumsum(lengths[order]) * sequences.n_channels
        n_kept = max(1, int(np.searchsorted(sizes, MAX_VALUES, side="right")))
        self.sequences: Sequences | None = sequences.take(np.sort(order[:n_kept]))
        self._codes: NDArray[np.float32] | None = None
        self._drawn_from: Constant | Mixture | None = None

    def settle(self, encode: Callable[[Sequences], NDArray[np.float32]]) -> None:
        """Encode the sequences, and release them."""
        sequences = self.sequences  # another thread may settle it too
        if sequences is not None:
            self._codes = encode(sequences)
            self.sequences = None

    def draw(self, n_codes: int, rng: np.random.RandomState) -> NDArray[np.float32]:
        """Return codes (n_codes, n_components); the density must be settled."""
        codes = self._codes
        if codes is not None:
            constant = np.ptp(codes, axis=0).max() <= 1e-6 * np.abs(codes).max()  # up to rounding
            self._drawn_from = Constant(codes) if constant else Mixture(codes, self._seed)
            self._codes = None
        assert self._drawn_from is not None
        return self._drawn_from.draw(n_codes, rng).astype(np.float32)


class Constant:
    """Distribution of codes that are all the same, which have no density."""

    def __init__(self, codes: NDArray[np.float32]) -> None:
        self._code = codes[0]

    def draw(self, n_codes: int, rng: np.random.RandomState) -> NDArray[np.float32]:
        """Return that code, (n_codes, n_components)."""
        return np.tile(self._code, (n_codes, 1))


class Mixture:
    """Gaussian mixture over the principal components of codes."""

    def __init__(self, codes: NDArray[np.float32], seed: int) -> None:
        codes = codes.astype(np.float64)
        with single_threaded():
            self._pca = PCA(KEPT_VARIANCE, svd_solver="full").fit(codes)
            self._mixture = _choose(self._pca.transform(codes), seed)

    def draw(self, n_codes: int, rng: np.random.RandomState) -> NDArray[np.float64]:
        """Return new codes (n_codes, n_components)."""
        # A copy, as threads may share this one. Its samples are sorted by component.
        drawn, _ = copy.copy(self._mixture).set_params(random_state=rng).sample(n_codes)
        return self._pca.inverse_transform(rng.permutation(drawn))


def _choose(points: NDArray[np.float64], seed: int) -> GaussianMixture:
    """Return the mixture with the lowest criterion, with at least five points per component."""
    best, lowest = None, np.inf
    for kind in COVARIANCE_TYPES:
        waited = 0
        for number in NUMBERS_OF_GAUSSIANS:
            if (number > 1 and 5 * number > len(points)) or waited == 3:
                break
            mixture = GaussianMixture(
                number,
                covariance_type=kind,
                reg_covar=REGULARISATION * float(points.var(axis=0).mean()),
                random_state=seed,
            )
            with warnings.catch_warnings():  # mixtures that do not converge are compared too
                warnings.simplefilter("ignore", ConvergenceWarning)
                criterion = mixture.fit(points).bic(points)
            waited += 1
            if criterion < lowest:
                best, lowest, waited = mixture, criterion, 0
    return best
