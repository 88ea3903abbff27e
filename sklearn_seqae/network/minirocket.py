"""MiniRocket features: pooled responses of fixed dilated kernels, and their principal components.

An encoder that learns from fifty sequences cannot find out which shapes distinguish sequences; it
learns what reconstructs these fifty. These kernels are not learned. They are those of MiniRocket
[1]_: nine taps, three of weight 2 and six of weight -1, so that levels and slopes cancel. The
pooled feature of a kernel says, softly, at which share of the real steps its response exceeds a
threshold. The "summary" of a sequence, which is part of its code, consists of the principal
components of all pooled features over the training sequences, rotated at random so that they have
about the same variance.

References
----------
.. [1] A. Dempster, D. F. Schmidt, G. I. Webb, "MiniRocket: A Very Fast (Almost) Deterministic
   Transform for Time Series Classification", KDD 2021, arXiv:2012.08791
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from sklearn_seqae.containers.registry import Sequences

from .batching import pad

TAPS = 9
_PLACES = list(combinations(range(TAPS), 3))
N_KERNELS = len(_PLACES)
_OUTWARD = sorted(range(TAPS), key=lambda place: abs(place - TAPS // 2))
# Groups of kernels, of one dilation each, with thresholds and channels of their own.
MIN_BANKS = 12
# Width of the soft threshold, in standard deviations of a kernel's response: of the line on each
# side, between 0 and 1.
SOFTNESS = 0.04
# The least width, in parts of the root mean square response to noise as large as the channels are.
# Where a kernel's channels cancel (one-hot values, x beside -x, compositions), its response is
# rounding, ten thousand times smaller, and a narrower threshold would make features of it.
LEAST_EDGE = 1e-3
# The least deviation that pooled features, from -1 to 1, are divided by, for the same reason.
LEAST_SPREAD = 1e-3
# Sequences that thresholds and principal components are learned from, at most.
MAX_SEQUENCES = 64
MAX_RESPONSES = 8192
MAX_FOR_COMPONENTS = 1024
# Responses that are computed at once stay in the cache.
RESPONSES_AT_ONCE = 2**18
ROWS_AT_ONCE = 64
# Soft steps from -1 to 1. Without AVX-512 the line takes a tenth of the hyperbolic tangent's time,
# which files of format 1 have weights for.
SOFT_STEPS: dict[str, Callable[[Any], Any]] = {
    "clip": lambda x: np.clip(x, -1.0, 1.0, out=x),
    "tanh": lambda x: np.tanh(x, out=x),
}

Floats = NDArray[Any]  # float32, or float64 for few sequences


def choose_dilations(lengths: NDArray[np.int64]) -> tuple[int, ...]:
    """Return each set's dilation: half octaves, up to where a kernel spans a sequence."""
    span = max(float(np.quantile(lengths, 0.9)), 2.0 * (TAPS - 1))
    octaves = np.arange(0.0, np.log2(span / (TAPS - 1)) + 1e-6, 0.5)
    dilations = np.unique(np.rint(2.0**octaves)).astype(int)
    return tuple(np.repeat(dilations, -(-MIN_BANKS // len(dilations))).tolist())


def fit(
    sequences: Sequences,
    dilations: tuple[int, ...],
    n_components: int,
    seed: int,
    complete: Callable[[Sequences], Sequences] = lambda sequences: sequences,
) -> dict[str, Floats]:
    """Learn thresholds and principal components from scaled sequences.

    `complete` fills gaps of those that are used. What it leaves is filled along lines.

    Returns
    -------
    dict of str to ndarray, float32
        "kernels" (n_sets, 9 * n_channels, 84), "biases" (n_sets, 84), "projection"
        (84 * n_sets, n_components) and "center" (n_components,), which makes the mean of the
        training sequences zero.
    """
    rng = np.random.default_rng(seed)
    n_channels = sequences.n_channels
    kernels = np.stack([_draw_kernels(n_channels, rng) for _ in dilations])
    some = complete(sequences.take(np.sort(rng.permutation(len(sequences))[:MAX_SEQUENCES])))
    x, real = fill(pad(some, np.arange(len(some)), max(1, int(some.lengths.max()))))
    chosen = np.sort(rng.permutation(np.flatnonzero(real))[:MAX_RESPONSES])
    places = np.unravel_index(chosen, real.shape)
    least_edges = LEAST_EDGE * _responses_to_noise(kernels, x[real])
    biases = np.zeros((len(dilations), N_KERNELS), np.float32)
    padded = _surround(x, max(dilations))
    for dilation, sets, weights in _by_dilation(dilations, kernels, biases):
        windows = _windows(padded, x.shape[1], dilation, *places)
        responses = np.sort(weights[:, : len(windows)] @ windows, axis=1)
        if not len(chosen):  # no step at all
            responses = np.zeros((len(weights), 1), np.float32)
        responses = responses.reshape(len(sets), N_KERNELS, -1)
        levels = rng.uniform(0.1, 0.9, responses.shape[:2]) * (responses.shape[-1] - 1)
        ranks = np.rint(levels).astype(int)[..., None]
        thresholds = np.take_along_axis(responses, ranks, axis=-1)[..., 0]
        edges = np.maximum(SOFTNESS * responses.std(axis=-1), least_edges[sets])
        edges[edges == 0] = 1.0  # zeros throughout
        kernels[sets] /= edges[:, None]
        biases[sets] = -thresholds / edges
    chosen = np.sort(rng.permutation(len(sequences))[:MAX_FOR_COMPONENTS])
    most = complete(sequences.take(chosen))
    pooled = _each(most, Kernels(dilations, {"kernels": kernels, "biases": biases}))
    pooled = pooled.astype(np.float64)
    mean, spreads = pooled.mean(axis=0), np.maximum(pooled.std(axis=0), LEAST_SPREAD)
    standardised = (pooled - mean) / spreads
    projection = np.zeros((pooled.shape[1], n_components))
    if standardised.any():  # there are at least two, that differ
        solver = "covariance_eigh" if len(pooled) > pooled.shape[1] else "full"
        pca = PCA(min(n_components, *pooled.shape), svd_solver=solver).fit(standardised)
        # What is left after the last one with a variance is rounding, in no direction.
        kept = pca.singular_values_ > 1e-4 * pca.singular_values_[0]
        directions = pca.components_[kept].T
        turned = directions @ _rotation(n_components, rng)[: directions.shape[1]]
        spread = (standardised @ turned).std()
        projection = turned / spread / spreads[:, None]
    center = -mean @ projection
    return {
        "kernels": kernels,
        "biases": biases,
        "projection": projection.astype(np.float32),
        "center": center.astype(np.float32),
    }


class Kernels:
    """The fitted kernels: rows to their summaries.

    Parameters
    ----------
    dilations : tuple of int
        One for each set of 84 kernels.
    kernel_weights : dict of str to ndarray
        What `fit` returns. Without "projection" and "center" there are pooled features in place of
        summaries.
    soft_step : {"clip", "tanh"}, default="clip"
        What is pooled of a response.
    """

    def __init__(
        self, dilations: tuple[int, ...], kernel_weights: dict[str, Floats], soft_step: str = "clip"
    ) -> None:
        self._groups = _by_dilation(dilations, kernel_weights["kernels"], kernel_weights["biases"])
        self._shape = kernel_weights["biases"].shape
        self._soft_step = SOFT_STEPS[soft_step]
        self.projection, self.center = (
            kernel_weights.get("projection"),
            kernel_weights.get("center"),
        )

    def __call__(self, batch: Floats) -> Floats:
        """Return the summaries (n_rows, n_components) of rows padded with NaN.

        Or their pooled features (n_rows, n_sets * 84).
        """
        pooled = np.zeros((len(batch), *self._shape), batch.dtype)
        rows = np.flatnonzero(~np.isnan(batch).all(axis=(1, 2)))
        columns = RESPONSES_AT_ONCE // max(len(weights) for _, _, weights in self._groups)
        at_once = min(ROWS_AT_ONCE, max(1, columns // batch.shape[1]))
        for i in range(0, len(rows), at_once):
            some = rows[i : i + at_once]
            pooled[some] = self._pool(*fill(batch[some]), max(1, columns // len(some)))
        pooled = pooled.reshape(len(batch), -1)
        return pooled if self.projection is None else pooled @ self.projection + self.center

    def _pool(self, x: Floats, real: NDArray[np.bool_], at_once: int) -> Floats:
        """Return the means (n_rows, n_sets, 84) over real steps, each between -1 and 1."""
        n_rows, n_steps, _ = x.shape
        pooled = np.zeros((n_rows, *self._shape, 1), x.dtype)
        # One product takes the mean.
        parts = real / np.maximum(np.count_nonzero(real, axis=1), 1)[:, None]
        parts = parts.astype(x.dtype)[..., None]
        padded = _surround(x, max(dilation for dilation, _, _ in self._groups))
        for dilation, sets, weights in self._groups:
            for start in range(0, n_steps, at_once):
                steps = slice(start, start + at_once)
                windows = _windows(padded, n_steps, dilation, slice(None), steps)
                responses = self._soft_step(weights[:, : len(windows)] @ windows)
                of_rows = responses.reshape(len(weights), n_rows, -1).transpose(1, 0, 2)
                pooled[:, sets] += (of_rows @ parts[:, steps]).reshape(n_rows, -1, N_KERNELS, 1)
        return pooled[..., 0]


def _each(sequences: Sequences, function: Any) -> Floats:
    """Apply a function to sequences in batches of similar lengths, and return what it gives."""
    order = np.argsort(sequences.lengths, kind="stable")
    parts = []
    for start in range(0, len(order), ROWS_AT_ONCE):
        rows = order[start : start + ROWS_AT_ONCE]
        width = max(1, int(sequences.lengths[rows[-1]]))
        parts.append(function(pad(sequences, rows, width)))
    result = np.concatenate(parts)
    result[order] = result.copy()
    return result


def _by_dilation(
    dilations: tuple[int, ...], kernels: Floats, biases: Floats
) -> list[tuple[int, list[int], Floats]]:
    """Return each dilation, its sets, and their weights in the order of `_windows`' rows."""
    taps = kernels.reshape(len(kernels), TAPS, -1, N_KERNELS)[:, _OUTWARD]
    columns = np.concatenate([biases[:, None], taps.reshape(kernels.shape)], axis=1)
    groups = []
    for dilation in dict.fromkeys(dilations):
        sets = [i for i, other in enumerate(dilations) if other == dilation]
        weights = columns[sets].transpose(0, 2, 1).reshape(-1, columns.shape[1])
        groups.append((dilation, sets, weights))
    return groups


def fill(batch: Floats, real: NDArray[np.bool_] | None = None) -> tuple[Floats, NDArray[np.bool_]]:
    """Return rows with gaps filled and zeros for padding, and which steps are real.

    Missing values lie on straight lines between their neighbours, as kernels that saw zeros there
    would find the gaps. Unless given, a step is real up to the last one with an observed value.
    """
    observed = ~np.isnan(batch)
    if real is None:
        seen = np.any(observed, axis=-1)
        real = np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    x = np.where(observed, batch, np.float32(0.0))
    if np.all(observed | ~real[..., None]):
        return x, real
    steps = np.arange(batch.shape[1])[:, None]
    places = np.sort(np.where(observed, steps, len(steps)), axis=1)  # the observed steps, in order
    counts = np.cumsum(observed, axis=1)
    n_observed = counts[:, -1:]
    last = np.maximum(n_observed - 1, 0)
    before, after = (
        np.minimum(np.take_along_axis(places, index, axis=1), len(steps) - 1)
        for index in (np.maximum(counts - 1, 0), np.minimum(counts - observed, last))
    )
    share = (np.clip(steps, before, after) - before) / np.maximum(after - before, 1)
    start, stop = (np.take_along_axis(x, index, axis=1) for index in (before, after))
    filled = start + (stop - start) * share.astype(x.dtype)
    return np.where(real[..., None] & (n_observed > 0), filled, np.float32(0.0)), real


def interpolate(batch: Floats) -> Floats:
    """Return rows without padding with every NaN filled along lines, or from its only neighbour."""
    rows = np.flatnonzero(np.isnan(batch).any(axis=(1, 2)))
    if not len(rows):
        return batch
    filled = batch.copy()
    filled[rows] = fill(batch[rows], np.ones((len(rows), batch.shape[1]), bool))[0]
    return filled


def _surround(x: Floats, dilation: int) -> Floats:
    """Return rows (n_channels, n_rows, n_steps) with as many zeros around as kernels may see."""
    n_rows, n_steps, n_channels = x.shape
    reach = TAPS // 2 * min(dilation, n_steps)
    padded = np.zeros((n_channels, n_rows, n_steps + 2 * reach), x.dtype)
    padded[..., reach : reach + n_steps] = x.transpose(2, 0, 1)
    return padded


def _windows(padded: Floats, n_steps: int, dilation: int, rows: Any, steps: Any) -> Floats:
    """Return what kernels see around some steps of rows, (1 + n_taps * n_channels, n_places).

    The first row is 1, for biases. Then come the taps from the middle outwards, but none that sees
    only what is beyond the ends.
    """
    n_taps = 1 + 2 * min(TAPS // 2, (n_steps - 1) // dilation)
    middle = (padded.shape[-1] - n_steps) // 2
    seen = []
    for tap in _OUTWARD[:n_taps]:
        start = middle + (tap - TAPS // 2) * dilation
        seen.append(padded[..., start : start + n_steps][:, rows, steps])
    windows = np.concatenate([np.ones_like(seen[0][:1]), *seen])
    return windows.reshape(len(windows), -1)


def _responses_to_noise(kernels: Floats, steps: Floats) -> NDArray[np.float64]:
    """Return the root mean square responses (n_sets, 84) to noise as large as these steps are."""
    power = np.square(steps, dtype=np.float64).sum(axis=0) / max(1, len(steps))
    gains = np.square(kernels).reshape(len(kernels), TAPS, -1, N_KERNELS).sum(axis=1)
    return np.sqrt(power @ gains)


def _rotation(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return an orthogonal matrix (n, n)."""
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


def _draw_kernels(n_channels: int, rng: np.random.Generator) -> Floats:
    """Return 84 kernels (9 * n_channels, 84), each over some channels drawn at random."""
    kernels = np.zeros((TAPS, n_channels, N_KERNELS), np.float32)
    for i, places in enumerate(_PLACES):
        taps = np.full(TAPS, -1.0)
        taps[list(places)] = 2.0
        most = min(n_channels, TAPS)
        n_chosen = int(2 ** rng.uniform(0, np.log2(most + 1)))
        chosen = rng.choice(n_channels, min(n_chosen, n_channels), replace=False)
        kernels[:, chosen, i] = (taps / np.sqrt(18 * len(chosen)))[:, None]
    return kernels.reshape(TAPS * n_channels, N_KERNELS)
