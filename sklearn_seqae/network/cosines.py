"""The linear path of a network: principal components of a sequence's cosines, in closed form.

The values of a sequence are coefficients of cosines of relative time, cos(pi k (t + 1/2) / T), so
sequences of different lengths T have the same coefficients to compare. The linear part of a code
consists of the leading principal components of these coefficients over the training sequences; the
decoder writes the cosines that they stand for. This is the best linear autoencoder, and is not
trained: what a recurrent network adds to it starts from there.

Covariances of few sequences have no more directions than there are sequences, so they are shrunk
towards their diagonal [1]_: the remaining components are the single coefficients that vary most.
Components are rotated at random, which changes no reconstruction: all have about the same variance
then, and a classifier that standardises them does not amplify noise.

Missing values are the mean of what the model says of them given the observed values, under a
normal prior of codes and independent residuals [2]_; a code is that of the filled sequence.

References
----------
.. [1] J. Schaefer, K. Strimmer, "A Shrinkage Approach to Large-Scale Covariance Matrix Estimation
   and Implications for Functional Genomics", Statistical Applications in Genetics and Molecular
   Biology 4(1), 2005.
.. [2] M. E. Tipping, C. M. Bishop, "Probabilistic Principal Component Analysis", Journal of the
   Royal Statistical Society B 61(3), 1999.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, idct
from scipy.linalg import eigh, solve
from sklearn.utils.extmath import randomized_svd

from sklearn_seqae.containers.registry import Sequences

from .batching import pad, round_width
from .minirocket import fill

# Only the strongest frequencies are kept, four coefficients a component, as all others are noise in
# the covariance of few sequences: with them R2 on unseen ones was .39 in place of .36.
COEFFICIENTS_PER_COMPONENT = 4
MIN_FREQUENCIES = 32
MAX_COEFFICIENTS = 2048
# Share of the diagonal in the shrunk covariance. Between .01 and .1 the reconstruction of unseen
# sequences is the same on eight data sets; without it, few sequences have few components.
SHRINKAGE = 0.03
# Standard deviation of a component, about that of a recurrent one, so that neither dominates
# distances between codes.
SPREAD = 0.5
# The least variance of residuals, in parts of that of the values: a training set smaller than the
# code leaves none.
LEAST_NOISE = 0.01
# Up to so many coefficients all eigenvectors are computed.
MAX_EXACT = 512
ROWS_AT_ONCE = 256

Floats = NDArray[Any]  # float32 or float64


def count_frequencies(n_steps: int, n_channels: int, n_components: int) -> int:
    """Return the number of cosines for sequences of up to so many steps."""
    wanted = max(MIN_FREQUENCIES, COEFFICIENTS_PER_COMPONENT * n_components // n_channels)
    return min(round_width(n_steps, 1), wanted, max(1, MAX_COEFFICIENTS // n_channels))


def fit(
    sequences: Sequences, n_frequencies: int, n_components: int, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Compute the linear path from scaled sequences.

    Returns
    -------
    dict of str to ndarray, float32
        For `encode` and `decode`: "frequencies" (n_frequencies,), half periods a sequence, "mean"
        (n_frequencies, n_channels) of their coefficients,
        "projection" (n_frequencies, n_channels, n_components) of coefficients to a code,
        "synthesis" (n_components, n_frequencies, n_channels) back, which is the transposed
        projection times the number "scale", and "precision" (n_components, n_components) of codes,
        relative to that of residuals.
    """
    frequencies = _strongest(sequences, n_frequencies)
    found = _components(sequences, frequencies, n_components, seed)
    if np.isnan(sequences.values).any():  # now that there is a model of what is missing
        found = _components(sequences, frequencies, n_components, seed, found)
    # Products differ in their last bits by the order in memory, and copies have this one.
    return {name: array.astype(np.float32, order="C") for name, array in found.items()}


def encode(batch: Floats, path: dict[str, Floats]) -> Floats:
    """Return the linear codes (n_rows, n_components) of rows padded with NaN."""
    projection, mean = path["projection"], path["mean"]
    n_components = projection.shape[-1]
    codes = np.zeros((len(batch), n_components), batch.dtype)
    for rows, n_steps in _by_length(_lengths(batch)):
        x = _fill(batch[rows, :n_steps], path)
        centred = _analyse(x, path["frequencies"]) - mean
        codes[rows] = centred.reshape(len(rows), -1) @ projection.reshape(-1, n_components)
    return codes


def decode(
    codes: Floats, lengths: NDArray[np.int64], width: int, path: dict[str, Floats]
) -> Floats:
    """Return rows (n_rows, width, n_channels) for linear codes; zeros beyond their lengths."""
    mean, synthesis = path["mean"], path["synthesis"]
    coefficients = (codes @ synthesis.reshape(len(synthesis), -1)).reshape(-1, *mean.shape) + mean
    steps = np.zeros((len(codes), width, mean.shape[1]), coefficients.dtype)
    for rows, n_steps in _by_length(np.minimum(lengths, width)):
        steps[rows, :n_steps] = _synthesise(coefficients[rows], path["frequencies"], n_steps)
    return steps


def _strongest(sequences: Sequences, n_frequencies: int) -> NDArray[np.float64]:
    """Return the frequencies that hold most of the training sequences, in ascending order."""
    n_found = max(n_frequencies, int(sequences.lengths.max()))
    power = np.zeros(n_found)
    for x in _groups(sequences):
        found = _analyse(fill(x)[0], np.arange(n_found))
        power += x.shape[1] * np.square(found).sum(axis=(0, 2))
    return np.sort(np.argsort(-power, kind="stable")[:n_frequencies]).astype(np.float64)


def _components(
    sequences: Sequences,
    frequencies: NDArray[np.float64],
    n_components: int,
    seed: int,
    path: dict[str, Floats] | None = None,
) -> dict[str, Floats]:
    """Return the linear path, with gaps filled by another one, or along lines without it."""
    n_frequencies, n_channels = len(frequencies), sequences.n_channels
    size = n_frequencies * n_channels
    total, square = np.zeros(size), np.zeros((size, size))
    power = 0.0
    for x in _groups(sequences):
        x = fill(x)[0] if path is None else _fill(x, path)
        # Every step counts alike, as in the mean squared error.
        n_steps = x.shape[1]
        found = _analyse(x, frequencies).reshape(len(x), -1)
        total += n_steps * found.sum(axis=0)
        square += n_steps * (found.T @ found)
        power += float(np.square(x).sum())
    n_all = max(1, int(sequences.lengths.sum()))
    mean = total / n_all
    covariance = square / n_all - np.outer(mean, mean)
    variances = np.maximum(np.diag(covariance), 0.0)
    covariance *= 1.0 - SHRINKAGE
    np.fill_diagonal(covariance, variances)
    directions, spreads = _leading(covariance, n_components, seed)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(n_components, n_components)))[0][: len(spreads)]
    gain = SPREAD / np.sqrt(spreads.sum() / n_components or 1.0)
    variance = power / n_all - mean @ mean
    noise = max(variance - spreads.sum(), LEAST_NOISE * variance, np.finfo(float).tiny)
    likely = np.maximum(spreads, 1e-6 * noise)
    # Directions that no component has, where codes outnumber coefficients, are as unlikely.
    rest = np.eye(n_components) - turn.T @ turn
    precision = (turn.T / likely) @ turn + rest / likely.min()
    shape = (n_frequencies, n_channels)
    return {
        "frequencies": frequencies,
        "projection": gain * (directions @ turn).reshape(*shape, n_components),
        "synthesis": (directions @ turn).T.reshape(n_components, *shape) / gain,
        "scale": np.array(gain**-2),
        "mean": mean.reshape(shape),
        "precision": noise / n_channels * precision / gain**2,
    }


def _leading(
    covariance: NDArray[np.float64], n_components: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the leading eigenvectors (size, n) and eigenvalues (n,); as many as there are."""
    size = len(covariance)
    n = min(n_components, size)
    if size <= MAX_EXACT or 2 * n > size:
        spreads, directions = eigh(covariance, subset_by_index=[size - n, size - 1])
        return directions[:, ::-1], np.maximum(spreads[::-1], 0.0)
    directions, spreads, _ = randomized_svd(covariance, n, random_state=seed)
    return directions, spreads


def _fill(x: Floats, path: dict[str, Floats]) -> Floats:
    """Return rows (n_rows, n_steps, n_channels) with NaN replaced by the model's mean."""
    observed = ~np.isnan(x)
    gaps = np.flatnonzero(~observed.all(axis=(1, 2)))
    if not len(gaps):
        return x
    n_steps = x.shape[1]
    frequencies = path["frequencies"]
    mean = _synthesise(path["mean"][None].astype(np.float64), frequencies, n_steps)[0]
    synthesis = path["projection"].transpose(2, 0, 1).astype(np.float64) * path["scale"]
    waves = _synthesise(synthesis, frequencies, n_steps).reshape(len(synthesis), -1)
    x = x.copy()
    for row in gaps:
        seen = observed[row].ravel()
        values = waves[:, seen]
        errors = (x[row] - mean).ravel()[seen]
        code = solve(values @ values.T + path["precision"], values @ errors, assume_a="pos")
        filled = mean + (code @ waves).reshape(mean.shape)
        x[row] = np.where(observed[row], x[row], filled)
    return x


def _analyse(x: Floats, frequencies: Floats) -> Floats:
    """Return the coefficients (n_rows, n_frequencies, n_channels) of rows without gaps.

    The sum of squares of all is the mean square of the values; those of frequencies that a sequence
    is too short for are zero.
    """
    n_steps = x.shape[1]
    numbers = frequencies.astype(np.int64)
    fits = numbers < n_steps
    found = np.zeros((len(x), len(numbers), x.shape[2]), x.dtype)
    found[:, fits] = dct(x, axis=1, norm="ortho")[:, numbers[fits]]
    return found / np.sqrt(x.dtype.type(n_steps))


def _synthesise(coefficients: Floats, frequencies: Floats, n_steps: int) -> Floats:
    """Return the rows (n_rows, n_steps, n_channels) that have these coefficients."""
    numbers = frequencies.astype(np.int64)
    fits = numbers < n_steps
    spectrum = np.zeros((len(coefficients), n_steps, coefficients.shape[2]), coefficients.dtype)
    spectrum[:, numbers[fits]] = coefficients[:, fits]
    return idct(spectrum, axis=1, norm="ortho") * np.sqrt(coefficients.dtype.type(n_steps))


def _groups(sequences: Sequences) -> Iterator[NDArray[np.float64]]:
    """Give sequences of equal length together, (n_rows, n_steps, n_channels) with their gaps."""
    order = np.argsort(sequences.lengths, kind="stable")
    for start in range(0, len(order), ROWS_AT_ONCE):
        rows = order[start : start + ROWS_AT_ONCE]
        batch = pad(sequences, rows, max(1, int(sequences.lengths[rows[-1]])))
        for some, n_steps in _by_length(_lengths(batch)):
            yield batch[some, :n_steps].astype(np.float64)


def _lengths(batch: Floats) -> NDArray[np.int64]:
    """Return the number of steps up to the last one with an observed value."""
    seen: NDArray[np.bool_] = np.any(~np.isnan(batch), axis=2)
    return np.where(seen.any(axis=1), batch.shape[1] - np.argmax(seen[:, ::-1], axis=1), 0)


def _by_length(lengths: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Give the rows of each length above zero."""
    order = np.argsort(lengths, kind="stable")
    found, starts = np.unique(lengths[order], return_index=True)
    for n_steps, rows in zip(found, np.split(order, starts[1:]), strict=True):
        if n_steps:
            yield rows, int(n_steps)
