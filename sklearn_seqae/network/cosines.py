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

In larger codes one more direction is that of the length, so that it is decoded exactly.

Missing values are the mean of what the model says of them given the observed values, under a
normal prior of coefficients and independent residuals [2]_; a code is that of the filled sequence,
and kernels read it too. More directions than a code has say so.

References
----------
.. [1] J. Schaefer, K. Strimmer, "A Shrinkage Approach to Large-Scale Covariance Matrix Estimation
   and Implications for Functional Genomics", Statistical Applications in Genetics and Molecular
   Biology 4(1), 2005.
.. [2] M. E. Tipping, C. M. Bishop, "Probabilistic Principal Component Analysis", Journal of the
   Royal Statistical Society B 61(3), 1999.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, idct
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.utils.extmath import randomized_svd

from sklearn_seqae.containers.registry import Sequences

from .batching import pad
from .minirocket import interpolate

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
# Variance of the length's direction, in parts of that of all values: the weight of its errors in
# the loss of networks that learn it.
LENGTH_SHARE = 0.1
# Directions that gaps are filled from: two a component, within these bounds. With 64 the error of
# imputed values was a tenth higher than with 128 where few are missing. Small codes are trained
# with their gaps, so that each step would take twice as long with 128.
LEAST_DIRECTIONS, MOST_DIRECTIONS = 32, 128
# Gaps are filled by expectation maximization, from what straight lines give: steps, and sequences
# that are used (filling one takes a millisecond). Three halve what one lacks to many.
EM_STEPS = 3
MOST_FILLED = 1000
# The least variance of residuals, in parts of that of the values: a training set smaller than the
# code leaves none.
LEAST_NOISE = 0.01
# The least variance of a component, in parts of that of residuals, as far as gaps are concerned:
# precisions then differ by less than float32 can tell.
LEAST_LIKELY = 1e-3
# The standard deviation of a coefficient, in parts of the values, up to which it is only rounding:
# that of values far from zero, too, which a scaling brings to zero.
LEAST_CHANGE = 1e-5
# Up to so many coefficients all eigenvectors are computed.
MAX_EXACT = 512
VALUES_AT_ONCE = 1 << 20

Floats = NDArray[Any]  # float32 or float64


def count_frequencies(n_channels: int, n_components: int) -> int:
    """Return the number of cosines, whatever the lengths are: programs are compiled for it."""
    wanted = max(MIN_FREQUENCIES, COEFFICIENTS_PER_COMPONENT * n_components // n_channels)
    return min(wanted, max(1, MAX_COEFFICIENTS // n_channels))


def count_directions(n_coefficients: int, n_components: int) -> int:
    """Return the number of directions that gaps are filled from."""
    wanted = int(np.clip(2 * n_components, LEAST_DIRECTIONS, MOST_DIRECTIONS))
    return min(n_coefficients, max(wanted, n_components))


def fit(
    sequences: Sequences,
    n_frequencies: int,
    n_components: int,
    seed: int,
    tells_length: bool = False,
) -> dict[str, NDArray[np.float32]]:
    """Compute the linear path from scaled sequences; with `tells_length` it holds their lengths.

    Returns
    -------
    dict of str to ndarray, float32
        For `encode` and `decode`: "frequencies" (n_frequencies,), half periods a sequence, "mean"
        (n_frequencies, n_channels) of their coefficients, "projection" (n_frequencies, n_channels,
        n_components) of coefficients to a code, "synthesis" (n_components, n_frequencies,
        n_channels) back, "length_projection" (n_components,) of the length in standard deviations
        from its mean, and "length_synthesis" (n_components,) back; and, for gaps, orthonormal
        "directions" (n_directions, n_frequencies, n_channels) with their "precision"
        (n_directions,), relative to that of residuals.
    """
    frequencies, mean = _strongest(sequences, n_frequencies)
    sizes = n_components, tells_length
    found = _components(sequences, frequencies, mean, *sizes, seed)
    if np.isnan(sequences.values).any():  # now that there is a model of what is missing
        chosen = np.random.default_rng(seed).permutation(len(sequences))[:MOST_FILLED]
        sequences = sequences.take(np.sort(chosen))
        for _ in range(EM_STEPS):
            found = _components(sequences, frequencies, found["mean"], *sizes, seed, found)
    # Products differ in their last bits by the order in memory, and copies have this one.
    return {name: array.astype(np.float32, order="C") for name, array in found.items()}


def place(path: dict[str, Floats], names: Iterable[str]) -> dict[str, Floats]:
    """Return the arrays of a path under the full names of weights, among these."""
    found = {}
    for name in names:
        _, layer, weight = name.split("/", 2)
        if layer in ("linear", "steps") and weight in path:
            found[name] = path[weight]
    return found


def encode(
    batch: Floats, path: dict[str, Floats], lengths: NDArray[np.int64] | None = None
) -> tuple[Floats, Floats]:
    """Return the linear codes (n_rows, n_components) of rows padded with NaN.

    And the rows without gaps. NaN at the end of a row is a missing value within its length, and
    padding without any. A path that tells lengths has their "location" and "scale", too.
    """
    if lengths is None:
        seen = np.any(~np.isnan(batch), axis=2)
        lengths = np.where(seen.any(axis=1), seen.shape[1] - np.argmax(seen[:, ::-1], axis=1), 0)
    projection, mean = path["projection"], path["mean"]
    n_components = projection.shape[-1]
    codes = np.zeros((len(batch), n_components), batch.dtype)
    n_padded = int((batch.shape[1] - lengths).sum()) * batch.shape[2]
    has_gaps = np.count_nonzero(np.isnan(batch)) > n_padded
    completed = batch.copy() if has_gaps else batch
    for rows, n_steps in _by_length(lengths):
        x = batch[rows, :n_steps]
        if has_gaps:
            completed[rows, :n_steps] = x = _fill(x, path)
        centred = _analyse(x, path["frequencies"]) - mean
        codes[rows] = centred.reshape(len(rows), -1) @ projection.reshape(-1, n_components)
    if "length_projection" in path:
        standardised = (lengths - path["location"]) / path["scale"]
        codes += np.outer(standardised, path["length_projection"]).astype(batch.dtype)
    return codes, completed


def expect(sequences: Sequences, path: dict[str, Floats]) -> NDArray[np.float64]:
    """Return the mean (total_steps, n_channels) of all values given the observed ones.

    It is that of a model with more directions than a code has components.
    """
    expected = np.empty(sequences.values.shape)
    for rows, n_steps in _by_length(sequences.lengths):
        at_once = max(1, VALUES_AT_ONCE // (n_steps * sequences.n_channels))
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            places = sequences.offsets[some, None] + np.arange(n_steps)
            expected[places] = _expect(sequences.values[places].astype(np.float64), path)
    return expected


def decode(
    codes: Floats, lengths: NDArray[np.int64], width: int, path: dict[str, Floats]
) -> Floats:
    """Return the first steps of rows (n_rows, width, n_channels); zeros beyond their lengths."""
    mean, synthesis = path["mean"], path["synthesis"]
    coefficients = (codes @ synthesis.reshape(len(synthesis), -1)).reshape(-1, *mean.shape) + mean
    steps = np.zeros((len(codes), width, mean.shape[1]), coefficients.dtype)
    for rows, n_steps in _by_length(lengths):
        written = _synthesise(coefficients[rows], path["frequencies"], n_steps)
        steps[rows, :n_steps] = written[:, :width]
    return steps


def _strongest(
    sequences: Sequences, n_frequencies: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the frequencies that hold most of the training sequences, in ascending order.

    And the mean (n_frequencies, n_channels) of their coefficients.
    """
    longest = max(1, int(sequences.lengths.max()))
    # `cosine_layers` multiplies a frequency by twice the number of a step, in int32.
    n_found = max(n_frequencies, min(longest, 2**30 // longest))
    power, total, n_all = np.zeros(n_found), np.zeros((n_found, sequences.n_channels)), 0
    for x in _groups(sequences):
        n_rows, n_steps, _ = x.shape
        found = _analyse(interpolate(x), np.arange(n_found))
        power += n_steps * np.square(found).sum(axis=(0, 2))
        total += n_steps * found.sum(axis=0)
        n_all += n_rows * n_steps
    strongest = np.sort(np.argsort(-power, kind="stable")[:n_frequencies])
    return strongest.astype(np.float64), total[strongest] / max(1, n_all)


def _components(
    sequences: Sequences,
    frequencies: NDArray[np.float64],
    center: NDArray[np.float64],
    n_components: int,
    tells_length: bool,
    seed: int,
    path: dict[str, Floats] | None = None,
) -> dict[str, Floats]:
    """Return the linear path, with gaps filled by the one before, or along lines without it.

    `center` is about the mean: sums of squares of what is far from zero would have no digits left.
    """
    shape = center.shape
    total, square = np.zeros(center.size), np.zeros((center.size, center.size))
    power, n_all = 0.0, 0
    for x in _groups(sequences):
        # Every step counts alike, as in the mean squared error.
        n_rows, n_steps, _ = x.shape
        if path is None:
            x = interpolate(x)
        else:
            uncertain = np.zeros_like(square)
            x = _fill(x, path, uncertain)
            square += n_steps * uncertain
            power += n_steps * np.trace(uncertain)
        found = (_analyse(x, frequencies) - center).reshape(n_rows, -1)
        total += n_steps * found.sum(axis=0)
        square += n_steps * (found.T @ found)
        power += float(np.square(x - _synthesise(center[None], frequencies, n_steps)).sum())
        n_all += n_rows * n_steps
    n_all = max(1, n_all)
    shift = total / n_all
    mean = center + shift.reshape(shape)
    covariance = square / n_all - np.outer(shift, shift)
    variances = np.diag(covariance).copy()
    is_noise = variances.reshape(shape) <= LEAST_CHANGE**2 * np.square(mean).sum(axis=0)
    covariance[is_noise.ravel()] = covariance[:, is_noise.ravel()] = 0.0
    variances[is_noise.ravel()] = 0.0
    covariance *= 1.0 - SHRINKAGE
    np.fill_diagonal(covariance, variances)
    variance = power / n_all - shift @ shift
    directions, spreads = _leading(covariance, count_directions(center.size, n_components), seed)
    noise = max(variance - spreads.sum(), LEAST_NOISE * variance)
    if noise <= 0.0:  # all values are equal
        noise = 1.0
    result = {
        "frequencies": frequencies,
        "mean": mean,
        "directions": directions.T.reshape(-1, *shape),
        "noise": np.array(noise / shape[1]),  # variance of a value's residual
        "precision": noise / shape[1] / np.maximum(spreads, LEAST_LIKELY * noise),
    }
    n_read = n_components - tells_length
    directions, spreads = directions[:, :n_read], spreads[:n_read]
    if tells_length:
        spreads = np.append(spreads, LENGTH_SHARE * variance or 1.0)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(n_components, n_components)))[0][: len(spreads)]
    scale = np.sqrt(spreads.sum() / n_components) / SPREAD or 1.0
    if tells_length:
        heights, turn = turn[-1] * np.sqrt(spreads[-1]) / scale, turn[:-1]
        result["length_projection"] = heights
        result["length_synthesis"] = heights / (heights @ heights)
    projection = directions @ turn
    result["projection"] = projection.reshape(*shape, n_components) / scale
    result["synthesis"] = projection.T.reshape(n_components, *shape) * scale
    return result


def _leading(
    covariance: NDArray[np.float64], n_components: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the leading eigenvectors (size, n) and eigenvalues (n,); as many as there are."""
    size = len(covariance)
    n = min(n_components, size)
    if size <= MAX_EXACT or 2 * n > size:
        spreads, directions = eigh(covariance, subset_by_index=[size - n, size - 1])
        # Else which way they point depends on the processor.
        largest = np.argmax(np.abs(directions), axis=0)
        directions = directions * np.sign(directions[largest, np.arange(n)])
        return directions[:, ::-1], np.maximum(spreads[::-1], 0.0)
    directions, spreads, _ = randomized_svd(covariance, n, random_state=seed)
    return directions, spreads


def _fill(
    x: Floats, path: dict[str, Floats], uncertain: NDArray[np.float64] | None = None
) -> Floats:
    """Return rows (n_rows, n_steps, n_channels) with NaN replaced by the model's mean."""
    missing = np.isnan(x)
    rows = np.flatnonzero(missing.any(axis=(1, 2)))
    if not len(rows):
        return x
    filled = x.copy()
    filled[rows] = np.where(missing[rows], _expect(x[rows], path, uncertain), x[rows])
    return filled


def _expect(
    x: Floats, path: dict[str, Floats], uncertain: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the model's mean of all values of rows, given the observed ones.

    The covariance of coefficients that gaps leave is added to `uncertain`, for all rows.
    """
    n_rows, n_steps, _ = x.shape
    missing, frequencies = np.isnan(x), path["frequencies"]
    mean = _synthesise(path["mean"][None].astype(np.float64), frequencies, n_steps)
    waves = _synthesise(path["directions"].astype(np.float64), frequencies, n_steps)
    precision = np.diag(path["precision"])
    patterns, of_rows = np.unique(missing.reshape(n_rows, -1), axis=0, return_inverse=True)
    codes = np.empty((n_rows, len(waves)))
    for i, pattern in enumerate(patterns):  # rows with the same gaps have the same equations
        gaps, rows = pattern.reshape(mean.shape[1:]), np.flatnonzero(of_rows == i)
        seen = waves[:, ~gaps]
        factor = cho_factor(seen @ seen.T + precision)
        codes[rows] = cho_solve(factor, seen @ (x[rows] - mean)[:, ~gaps].T).T
        if uncertain is not None:
            unknown = _analyse(np.where(gaps, waves, 0.0), frequencies).reshape(len(waves), -1)
            uncertain += len(rows) * path["noise"] * unknown.T @ cho_solve(factor, unknown)
    return mean + np.tensordot(codes, waves, 1)


def _analyse(x: Floats, frequencies: Floats) -> Floats:
    """Return the coefficients (n_rows, n_frequencies, n_channels) of rows without gaps.

    The sum of squares of all is the mean square of the values; those of frequencies that a sequence
    is too short for are zero.
    """
    n_steps = x.shape[1]
    numbers = np.nan_to_num(frequencies).astype(np.int64)  # NaN is for other weights to show
    fits = numbers < n_steps
    found = np.zeros((len(x), len(numbers), x.shape[2]), x.dtype)
    found[:, fits] = dct(x, axis=1, norm="ortho")[:, numbers[fits]]
    return found / np.sqrt(x.dtype.type(n_steps))


def _synthesise(coefficients: Floats, frequencies: Floats, n_steps: int) -> Floats:
    """Return the rows (n_rows, n_steps, n_channels) that have these coefficients."""
    numbers = np.nan_to_num(frequencies).astype(np.int64)  # NaN is for other weights to show
    fits = numbers < n_steps
    spectrum = np.zeros((len(coefficients), n_steps, coefficients.shape[2]), coefficients.dtype)
    spectrum[:, numbers[fits]] = coefficients[:, fits]
    return idct(spectrum, axis=1, norm="ortho") * np.sqrt(coefficients.dtype.type(n_steps))


def _groups(sequences: Sequences) -> Iterator[NDArray[np.float64]]:
    """Give sequences of equal length together, (n_rows, n_steps, n_channels) with their gaps.

    Those without any observed value say nothing.
    """
    for rows, n_steps in _by_length(sequences.lengths):
        at_once = max(1, VALUES_AT_ONCE // (n_steps * sequences.n_channels))
        for start in range(0, len(rows), at_once):
            batch = pad(sequences, rows[start : start + at_once], n_steps)
            observed = np.any(~np.isnan(batch), axis=(1, 2))
            if observed.any():
                yield batch[observed].astype(np.float64)


def _by_length(lengths: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Give the rows of each length above zero."""
    order = np.argsort(lengths, kind="stable")
    found, starts = np.unique(lengths[order], return_index=True)
    for n_steps, rows in zip(found, np.split(order, starts[1:]), strict=True):
        if n_steps:
            yield rows, int(n_steps)
