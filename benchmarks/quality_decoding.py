"""What is decoded from codes of no sequence: cluster centres, lines between codes, samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from .workloads import Ragged

# Sequences of all lengths are compared by so many cosines of relative time.
N_FREQUENCIES = 32
N_PAIRS = 100


def judge_decoding(
    model: Any, X: Ragged, X_test: Ragged, y_test: NDArray[Any], seed: int
) -> dict[str, float]:
    """Compare what a fitted transformer decodes with sequences of the test split.

    Returns
    -------
    dict of str to float
        "centers_r2": R2 of the decoded centre of each sequence's cluster, `KMeans` with as many
        clusters as there are classes, as its reconstruction. "detour": of what is decoded half-way
        between the codes of two sequences of a class, its distances to both in parts of the
        distance between them, the least being 1. "nearest": its distance to the nearest sequence,
        in parts of that of sequences to their nearest other one. "samples": energy distance of as
        many samples, in parts of the mean distance between sequences.
    """
    rng = np.random.default_rng(seed)
    Z, Z_test = model.transform(X), model.transform(X_test)
    lengths = np.array([len(x) for x in X_test])
    steps = np.concatenate(X)
    mean, scale = steps.mean(axis=0), steps.std(axis=0)
    clusters = KMeans(len(np.unique(y_test)), n_init=10, random_state=0).fit(Z)
    centers = clusters.cluster_centers_[clusters.predict(Z_test)].astype(np.float32)
    pairs = zip(model.inverse_transform(centers, lengths=lengths), X_test, strict=True)
    error = sum(float((((written - x) / scale) ** 2).sum()) for written, x in pairs)
    known = _features(X_test, mean, scale)
    among = cdist(known, known)
    to_nearest = np.where(np.eye(len(known), dtype=bool), np.inf, among).min(axis=1).mean()
    first = rng.integers(len(X_test), size=N_PAIRS)
    second = np.array([rng.choice(np.flatnonzero(y_test == y_test[i])) for i in first])
    halves = ((Z_test[first] + Z_test[second]) / 2).astype(np.float32)
    half_lengths = (lengths[first] + lengths[second]) // 2
    between = model.inverse_transform(halves, lengths=half_lengths)
    to_known = cdist(_features(between, mean, scale), known)
    pairs_apart = among[first, second]
    is_pair = pairs_apart > 0.0
    both = to_known[np.arange(N_PAIRS), first] + to_known[np.arange(N_PAIRS), second]
    samples = _features(model.sample(len(X_test), random_state=seed), mean, scale)
    apart = 2 * cdist(samples, known).mean() - cdist(samples, samples).mean() - among.mean()
    return {
        "centers_r2": 1.0 - error / sum(float((((x - mean) / scale) ** 2).sum()) for x in X_test),
        "detour": float(np.mean(both[is_pair] / pairs_apart[is_pair])),
        "nearest": float(to_known.min(axis=1).mean() / to_nearest),
        "samples": float(apart / among.mean()),
    }


def _features(X: Any, mean: NDArray[Any], scale: NDArray[Any]) -> NDArray[np.float64]:
    """Return the first coefficients of cosines of relative time, (n_sequences, any)."""
    found = np.zeros((len(X), N_FREQUENCIES, len(mean)))
    for row, x in zip(found, X, strict=True):
        if len(x):
            coefficients = dct((np.asarray(x) - mean) / scale, axis=0, norm="ortho")
            coefficients = coefficients[:N_FREQUENCIES] / np.sqrt(len(x))
            row[: len(coefficients)] = coefficients
    return found.reshape(len(X), -1)
