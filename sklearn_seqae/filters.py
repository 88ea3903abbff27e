"""A bank of fixed dilated filters, pooled: what shapes a sequence consists of, on every time scale.

An encoder that learns from fifty sequences cannot find out which shapes tell sequences apart; it
learns what is needed to draw these fifty. The filters need not learn. They are those of MiniRocket
[1]_: nine taps, three of weight 2 and six of weight -1, so that levels and slopes cancel. What is
kept of a filter is how often its response exceeds a threshold, softly, over the real steps. The
"summary" of a sequence, a part of its code, are the principal components of all these shares on the
training sequences, turned at random so that they have about the same variance.

References
----------
.. [1] A. Dempster, D. F. Schmidt, G. I. Webb, "MiniRocket: A Very Fast (Almost) Deterministic
   Transform for Time Series Classification", KDD 2021, arXiv:2012.08791
"""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from .batching import pad
from .sequences import Sequences

TAPS = 9
_PLACES = list(combinations(range(TAPS), 3))
N_FILTERS = len(_PLACES)
# Banks, of one dilation each, with thresholds and channels of their own.
MIN_BANKS = 6
# Width of a threshold's soft edge, in standard deviations of a filter's response.
SOFTNESS = 0.03
# Sequences that thresholds and principal components are learned from, at most.
MAX_SEQUENCES = 64
MAX_FOR_COMPONENTS = 2048
# Steps that are filtered at once: their responses stay in the cache.
STEPS_AT_ONCE = 16384

Floats = NDArray[np.float32]


def choose_dilations(lengths: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the dilation of every bank: half octaves, up to where a filter spans a sequence."""
    span = max(float(np.quantile(lengths, 0.9)), 2.0 * (TAPS - 1))
    octaves = np.arange(0.0, np.log2(span / (TAPS - 1)) + 1e-6, 0.5)
    dilations = np.unique(np.rint(2.0**octaves)).astype(int)
    return tuple(np.repeat(dilations, -(-MIN_BANKS // len(dilations))).tolist())


def fit(
    sequences: Sequences, dilations: tuple[int, ...], n_components: int, seed: int
) -> list[Floats]:
    """Learn thresholds and principal components from scaled sequences.

    Returns
    -------
    kernels : ndarray of shape (n_banks, 9 * n_channels, 84)
    biases : ndarray of shape (n_banks, 84)
    projection : ndarray of shape (84 * n_banks, n_components)
    center : ndarray of shape (n_components,)
        What makes the mean of the training sequences zero.
    """
    rng = np.random.default_rng(seed)
    n_channels = sequences.n_channels
    kernels = np.stack([_draw_kernels(n_channels, rng) for _ in dilations])
    some = sequences.take(np.sort(rng.permutation(len(sequences))[:MAX_SEQUENCES]))
    x, real = _fill(pad(some, np.arange(len(some)), max(1, int(some.lengths.max()))))
    biases = np.empty((len(dilations), N_FILTERS), np.float32)
    for i, dilation in enumerate(dilations):
        responses = (_windows(x, dilation) @ kernels[i])[real]
        levels = rng.uniform(0.1, 0.9, N_FILTERS)
        if not len(responses):  # no step at all
            responses = np.zeros((1, N_FILTERS), np.float32)
        thresholds = [np.quantile(r, level) for r, level in zip(responses.T, levels, strict=True)]
        edges = SOFTNESS * responses.std(axis=0) + 1e-6
        kernels[i] /= edges
        biases[i] = -np.array(thresholds) / edges
    most = sequences.take(np.sort(rng.permutation(len(sequences))[:MAX_FOR_COMPONENTS]))
    shares = _each(most, lambda batch: _shares(batch, dilations, kernels, biases))
    scaler = StandardScaler().fit(shares)
    standardised = scaler.transform(shares)
    projection = np.zeros((shares.shape[1], n_components))
    if standardised.any():  # there are at least two, that differ
        pca = PCA(min(n_components, *shares.shape), svd_solver="full").fit(standardised)
        # What is left after the last one with a variance is rounding, in no direction.
        told = pca.singular_values_ > 1e-4 * pca.singular_values_[0]
        directions = pca.components_[told].T
        turned = directions @ _rotation(n_components, rng)[: directions.shape[1]]
        spread = (standardised @ turned).std()
        projection = turned / spread / scaler.scale_[:, None]
    center = -scaler.mean_ @ projection
    return [kernels, biases, projection.astype(np.float32), center.astype(np.float32)]


def apply(batch: Floats, dilations: tuple[int, ...], bank: list[Floats]) -> Floats:
    """Return the summaries (n_rows, n_components) of rows padded with NaN."""
    kernels, biases, projection, center = bank
    n_rows = max(1, STEPS_AT_ONCE // batch.shape[1])
    parts = [
        _shares(batch[i : i + n_rows], dilations, kernels, biases)
        for i in range(0, len(batch), n_rows)
    ]
    return np.concatenate(parts) @ projection + center


def _each(sequences: Sequences, function: Any) -> Floats:
    """Apply a function to sequences in batches of similar lengths, and return what it gives."""
    order = np.argsort(sequences.lengths, kind="stable")
    parts, start = [], 0
    while start < len(order):
        # The longest of the next rows sets the width, so this takes a few more than fit.
        width = max(1, int(sequences.lengths[order[start]]))
        rows = order[start : start + max(1, STEPS_AT_ONCE // width)]
        width = max(1, int(sequences.lengths[rows[-1]]))
        parts.append(function(pad(sequences, rows, width)))
        start += len(rows)
    result = np.concatenate(parts)
    result[order] = result.copy()
    return result


def _shares(batch: Floats, dilations: tuple[int, ...], kernels: Floats, biases: Floats) -> Floats:
    """Return the pooled responses (n_rows, 84 * n_banks), each between -1 and 1."""
    x, real = _fill(batch)
    weights = (real / np.maximum(real.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    parts = []
    windows, last = None, 0
    for dilation, kernel, bias in zip(dilations, kernels, biases, strict=True):
        if dilation != last:
            windows, last = _windows(x, dilation), dilation
        responses = windows @ kernel
        responses += bias
        np.tanh(responses, out=responses)
        responses *= weights[..., None]
        parts.append(responses.sum(axis=1))
    return np.concatenate(parts, axis=1)


def _fill(batch: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return rows with gaps filled and zeros for padding, and which steps are real.

    Missing values lie on straight lines between their neighbours, as filters that saw zeros there
    would find the gaps. A step is real up to the last one with an observed value.
    """
    observed = ~np.isnan(batch)
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
    filled = start + (stop - start) * share.astype(np.float32)
    return np.where(real[..., None] & (n_observed > 0), filled, np.float32(0.0)), real


def _windows(x: Floats, dilation: int) -> Floats:
    """Return what each filter sees at every step, (n_rows, n_steps, 9 * n_channels)."""
    n_steps = x.shape[1]
    reach = TAPS // 2 * dilation
    padded = np.pad(x, [(0, 0), (reach, reach), (0, 0)])
    taps = [padded[:, i * dilation : i * dilation + n_steps] for i in range(TAPS)]
    return np.concatenate(taps, axis=-1)


def _rotation(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return an orthogonal matrix (n, n)."""
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


def _draw_kernels(n_channels: int, rng: np.random.Generator) -> Floats:
    """Return 84 filters (9 * n_channels, 84), each over some channels drawn at random."""
    kernels = np.zeros((TAPS, n_channels, N_FILTERS), np.float32)
    for i, places in enumerate(_PLACES):
        taps = np.full(TAPS, -1.0)
        taps[list(places)] = 2.0
        most = min(n_channels, TAPS)
        n_chosen = int(2 ** rng.uniform(0, np.log2(most + 1)))
        chosen = rng.choice(n_channels, min(n_chosen, n_channels), replace=False)
        kernels[:, chosen, i] = (taps / np.sqrt(18 * len(chosen)))[:, None]
    return kernels.reshape(TAPS * n_channels, N_FILTERS)
