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

from collections.abc import Iterator
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
# Groups of kernels, of one dilation each, with thresholds and channels of their own.
MIN_BANKS = 12
# Width of the soft threshold, in standard deviations of a kernel's response.
SOFTNESS = 0.03
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
# Columns (a step of a row each) that are convolved at once: their responses stay in the cache.
COLUMNS_AT_ONCE = 4096
ROWS_AT_ONCE = 64

Floats = NDArray[Any]  # float32, or float64 for few sequences


def choose_dilations(lengths: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the dilation of every bank: half octaves, up to where a kernel spans a sequence."""
    span = max(float(np.quantile(lengths, 0.9)), 2.0 * (TAPS - 1))
    octaves = np.arange(0.0, np.log2(span / (TAPS - 1)) + 1e-6, 0.5)
    dilations = np.unique(np.rint(2.0**octaves)).astype(int)
    return tuple(np.repeat(dilations, -(-MIN_BANKS // len(dilations))).tolist())


def fit(
    sequences: Sequences, dilations: tuple[int, ...], n_components: int, seed: int
) -> dict[str, Floats]:
    """Learn thresholds and principal components from scaled sequences.

    Returns
    -------
    dict of str to ndarray, float32
        "kernels" (n_banks, 9 * n_channels, 84), "biases" (n_banks, 84), "projection"
        (84 * n_banks, n_components) and "center" (n_components,), which makes the mean of the
        training sequences zero.
    """
    rng = np.random.default_rng(seed)
    n_channels = sequences.n_channels
    kernels = np.stack([_draw_kernels(n_channels, rng) for _ in dilations])
    some = sequences.take(np.sort(rng.permutation(len(sequences))[:MAX_SEQUENCES]))
    x, real = fill(pad(some, np.arange(len(some)), max(1, int(some.lengths.max()))))
    every = max(1, np.count_nonzero(real) // MAX_RESPONSES)
    least_edges = LEAST_EDGE * _responses_to_noise(kernels, x[real])
    biases = np.empty((len(dilations), N_KERNELS), np.float32)
    for i, dilation in enumerate(dilations):
        found = [
            (kernels[i].T @ windows[:-1])[:, real[:, steps].ravel()][:, ::every]
            for steps, windows in _windows(x, dilation)
        ]
        responses = np.sort(np.concatenate(found, axis=1), axis=1).T
        if not len(responses):  # no step at all
            responses = np.zeros((1, N_KERNELS), np.float32)
        ranks = np.rint(rng.uniform(0.1, 0.9, N_KERNELS) * (len(responses) - 1)).astype(int)
        thresholds = responses[ranks, np.arange(N_KERNELS)]
        edges = np.maximum(SOFTNESS * responses.std(axis=0), least_edges[i])
        edges[edges == 0] = 1.0  # zeros throughout
        kernels[i] /= edges
        biases[i] = -thresholds / edges
    most = sequences.take(np.sort(rng.permutation(len(sequences))[:MAX_FOR_COMPONENTS]))
    pooled = _each(most, lambda batch: _pool(batch, dilations, kernels, biases))
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


def apply(batch: Floats, dilations: tuple[int, ...], bank: dict[str, Floats]) -> Floats:
    """Return the summaries (n_rows, n_components) of rows padded with NaN.

    Without "projection" and "center", the pooled features (n_rows, 84 * n_banks) themselves.
    """
    kernels, biases = bank["kernels"], bank["biases"]
    pooled = np.zeros((len(batch), biases.size), batch.dtype)
    rows = np.flatnonzero(~np.isnan(batch).all(axis=(1, 2)))
    for i in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[i : i + ROWS_AT_ONCE]
        pooled[some] = _pool(batch[some], dilations, kernels, biases)
    return pooled @ bank["projection"] + bank["center"] if "projection" in bank else pooled


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


def _pool(batch: Floats, dilations: tuple[int, ...], kernels: Floats, biases: Floats) -> Floats:
    """Return the mean responses (n_rows, 84 * n_banks) over real steps, each between -1 and 1."""
    x, real = fill(batch)
    n_rows = len(batch)
    # One product takes the mean.
    parts = real / np.maximum(real.sum(axis=1, keepdims=True), 1)
    parts = parts.astype(x.dtype)[..., None]
    weights = np.concatenate([kernels, biases[:, None]], axis=1).transpose(0, 2, 1)
    weights = weights.astype(x.dtype, copy=False)
    pooled = np.zeros((n_rows, len(weights), N_KERNELS, 1), x.dtype)
    for dilation in dict.fromkeys(dilations):
        banks = [i for i, other in enumerate(dilations) if other == dilation]
        for steps, windows in _windows(x, dilation):
            for i in banks:
                responses = weights[i] @ windows
                np.tanh(responses, out=responses)
                of_rows = responses.reshape(N_KERNELS, n_rows, -1).transpose(1, 0, 2)
                pooled[:, i] += of_rows @ parts[:, steps]
    return pooled.reshape(n_rows, -1)


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


def _windows(x: Floats, dilation: int) -> Iterator[tuple[slice, Floats]]:
    """Give what kernels see, (9 * n_channels + 1, n_rows * n_steps), block of steps by block.

    The last row is 1, for biases.
    """
    n_rows, n_steps, n_channels = x.shape
    at_once = max(1, COLUMNS_AT_ONCE // n_rows)
    reach = TAPS // 2 * dilation
    padded = np.pad(x.transpose(2, 0, 1), [(0, 0), (0, 0), (reach, reach)])
    for start in range(0, n_steps, at_once):
        stop = min(start + at_once, n_steps)
        windows = np.ones((TAPS * n_channels + 1, n_rows, stop - start), x.dtype)
        for i in range(TAPS):
            tap = padded[..., start + i * dilation : stop + i * dilation]
            windows[i * n_channels : (i + 1) * n_channels] = tap
        yield slice(start, stop), windows.reshape(len(windows), -1)


def _responses_to_noise(kernels: Floats, steps: Floats) -> NDArray[np.float64]:
    """Return the root mean square responses (n_banks, 84) to noise as large as these steps are."""
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
