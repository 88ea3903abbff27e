"""Detectors of time stamps that others use, each fitted on one series; high scores are anomalies.

All see standardised values. Those of windows score a time stamp by the mean of its windows.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
Model = Callable[[Floats, Floats, int], Floats]

SIZES = (20, 100)
# Windows of a training series that a model is fitted to, at most.
MOST_WINDOWS = 1500
# Components of sub-PCA and centres of k-means, at most.
MOST_PARTS = 30
# Time stamps between two windows that are scored, as a part of the window.
STRIDE = 0.05
# The networks of tutorials.
UNITS, EPOCHS, BATCH_SIZE = 64, 10, 32
NETWORK_WINDOWS = 500


def scores(model: Model, train: Floats, test: Floats, seed: int) -> Floats:
    """Return the anomaly scores of the time stamps of `test`."""
    scaler = StandardScaler().fit(train)
    return model(scaler.transform(train), scaler.transform(test), seed)


def moving_z(train: Floats, test: Floats, seed: int, size: int = 100) -> Floats:
    """Return how far values are from the mean of the last ones, in their deviations."""
    size = min(size, len(train))
    windows = sliding_window_view(np.concatenate([train[-size:], test]), size, axis=0)[:-1]
    location, spread = windows.mean(axis=-1), windows.std(axis=-1)
    return np.mean(np.abs(test - location) / (spread + 1e-2), axis=1)


def mahalanobis(train: Floats, test: Floats, seed: int) -> Floats:
    """Return the Mahalanobis distances of time stamps."""
    return LedoitWolf().fit(train).mahalanobis(test)


def sub_pca(train: Floats, test: Floats, seed: int, size: int, by_step: bool = False) -> Floats:
    """Return errors of principal components of windows: of time stamps, or of whole windows."""

    def errors(known: Floats, new: Floats) -> Floats:
        n_parts = min(MOST_PARTS, min(known.shape) // 2)
        pca = PCA(n_parts, random_state=seed).fit(known)
        squares = (new - pca.inverse_transform(pca.transform(new))) ** 2
        steps = squares.reshape(len(new), -1, train.shape[1]).mean(axis=2)
        return steps if by_step else steps.mean(axis=1)

    return _by_windows(errors, train, test, size)


def k_means(train: Floats, test: Floats, seed: int, size: int) -> Floats:
    """Return distances of windows from the nearest centre."""

    def distances(known: Floats, new: Floats) -> Floats:
        n_parts = min(MOST_PARTS, max(1, len(known) // 2))
        centres = KMeans(n_parts, n_init=1, random_state=seed).fit(known)
        return centres.transform(new).min(axis=1)

    return _by_windows(distances, train, test, size)


def neighbours(train: Floats, test: Floats, seed: int, size: int) -> Floats:
    """Return distances of windows from the nearest training window."""

    def distances(known: Floats, new: Floats) -> Floats:
        found = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known).kneighbors(new)
        return found[0][:, 0]

    return _by_windows(distances, train, test, size)


def forest(train: Floats, test: Floats, seed: int, size: int) -> Floats:
    """Return scores of windows by an isolation forest."""

    def isolation(known: Floats, new: Floats) -> Floats:
        return -IsolationForest(random_state=seed).fit(known).score_samples(new)

    return _by_windows(isolation, train, test, size)


def pyod(train: Floats, test: Floats, seed: int, detector: str) -> Floats:
    """Return the scores of PyOD's detector of time series, with its defaults, over one of windows.

    These are windows of 50 time stamps, and a time stamp has the highest score of its windows.
    """
    from pyod.models.ecod import ECOD
    from pyod.models.iforest import IForest
    from pyod.models.lof import LOF
    from pyod.models.ts_od import TimeSeriesOD

    made = {"IForest": IForest(random_state=seed), "ECOD": ECOD(), "LOF": LOF()}[detector]
    size = min(TimeSeriesOD().window_size, len(train), len(test))
    return TimeSeriesOD(made, window_size=size).fit(train).decision_function(test)


def keras_autoencoder(train: Floats, test: Floats, seed: int, size: int = 100) -> Floats:
    """Return errors of the autoencoder of tutorials: LSTM, RepeatVector, LSTM, Dense."""
    import keras

    def errors(known: Floats, new: Floats) -> Floats:
        shape = (-1, min(size, len(train), len(test)), train.shape[1])
        known, new = known.reshape(shape), new.reshape(shape)
        keras.utils.set_random_seed(seed)
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input(known.shape[1:]),
                layers.LSTM(UNITS),
                layers.RepeatVector(known.shape[1]),
                layers.LSTM(UNITS, return_sequences=True),
                layers.TimeDistributed(layers.Dense(known.shape[2])),
            ]
        )
        return np.mean((new - _trained(model, known, known, new)) ** 2, axis=2)

    return _by_windows(errors, train, test, size, NETWORK_WINDOWS)


def keras_forecaster(train: Floats, test: Floats, seed: int, size: int = 50) -> Floats:
    """Return errors of the next time stamp, forecast by an LSTM of those before it."""
    import keras

    size = min(size, len(train) // 2)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((size, train.shape[1])),
            keras.layers.LSTM(UNITS),
            keras.layers.Dense(train.shape[1]),
        ]
    )
    known = sliding_window_view(train, size, axis=0)[:-1].transpose(0, 2, 1)
    stride = max(1, len(known) // (4 * NETWORK_WINDOWS))
    new = sliding_window_view(np.concatenate([train[-size:], test]), size, axis=0)[:-1]
    forecasts = _trained(model, known[::stride], train[size::stride], new.transpose(0, 2, 1))
    return np.mean((test - forecasts) ** 2, axis=1)


def _trained(model: Any, X: Floats, y: Floats, new: Floats) -> Floats:
    """Train a Keras model, and return what it predicts."""
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, y, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
    return np.asarray(model.predict(new, batch_size=256, verbose=0), dtype=np.float64)


def _by_windows(
    score: Callable[[Floats, Floats], Floats],
    train: Floats,
    test: Floats,
    size: int,
    most: int = MOST_WINDOWS,
) -> Floats:
    """Return means over windows of what `score` makes of training windows and of new ones.

    It gets windows as rows, and returns a value for each of these or for each of their steps.
    """
    size = min(size, len(train), len(test))
    known = sliding_window_view(train, size, axis=0)
    known = known[:: max(1, len(known) // most)]
    starts = np.arange(0, len(test) - size + 1, max(1, int(STRIDE * size)))
    if starts[-1] < len(test) - size:
        starts = np.append(starts, len(test) - size)
    new = sliding_window_view(test, size, axis=0)[starts]
    rows = [x.transpose(0, 2, 1).reshape(len(x), -1) for x in (known, new)]
    values = score(*rows)
    values = np.broadcast_to(values.reshape(len(new), -1), (len(new), size))
    at = (starts[:, None] + np.arange(size)).ravel()
    return np.bincount(at, values.ravel(), len(test)) / np.bincount(at, minlength=len(test))


def _sized(name: str, model: Callable[..., Floats], **options: Any) -> dict[str, Model]:
    return {f"{name}, {size}": partial(model, size=size, **options) for size in SIZES}


QUICK: dict[str, Model] = {
    "moving z": moving_z,
    "Mahalanobis": mahalanobis,
    **_sized("sub-PCA by window", sub_pca),
    **_sized("sub-PCA by step", sub_pca, by_step=True),
    **_sized("k-means", k_means),
    **_sized("nearest neighbour", neighbours),
    **_sized("isolation forest", forest),
}
PYOD: dict[str, Model] = {
    f"PyOD, {name}": partial(pyod, detector=name) for name in ("IForest", "ECOD", "LOF")
}
# Of a part of the series, as they take minutes for all of them.
SLOW: dict[str, Model] = {
    "LSTM autoencoder (Keras)": keras_autoencoder,
    "LSTM forecaster (Keras)": keras_forecaster,
}
