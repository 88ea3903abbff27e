"""Generated sequences, and a real data set.

Nothing is downloaded, and nothing here needs TensorFlow.
"""

from importlib import resources
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

__all__ = [
    "load_japanese_vowels",
    "make_float_series",
    "make_moving_ones",
    "make_ragged_sines",
]

_DATA_MODULE = f"{__package__}.data"
_Sequences = list[NDArray[np.float32]]
_RandomState = int | np.random.RandomState | None

_POSITIVE = Interval(Integral, 1, None, closed="left")

# Constants of make_ragged_sines. Values are in units of the amplitude, periods in steps.
_PERIODS = (10.0, 20.0)
_ANOMALIES = ("spike", "shift", "tempo")
_SPIKE = 4.0
_SHIFT = 2.0
_TEMPO = 3.0


@validate_params(
    {"subset": [StrOptions({"train", "test", "all"})], "return_X_y": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def load_japanese_vowels(*, subset: str = "train", return_X_y: bool = False) -> Any:
    """Load the Japanese vowels data set (classification of sequences).

    Nine male speakers utter the vowels /ae/; the speaker is to be predicted. An utterance is a
    sequence of frames of 12 LPC cepstrum coefficients.

    =================   =====================
    Classes                                 9
    Sequences           270 train, 370 test
    Steps               7 to 29
    Channels                               12
    Values              real, about -1.9 to 2.2
    =================   =====================

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Subset of the split published by the authors. "all" returns the training sequences, followed
        by the test sequences.
    return_X_y : bool, default=False
        If True, returns ``(data, target)`` instead of a Bunch object.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : list of ndarray of shape (n_steps, 12), dtype=float32
            The sequences.
        target : ndarray of shape (n_sequences,), dtype=int64
            The speaker of each sequence, 0 to 8.
        target_names : list of str
            The names of the speakers.
        feature_names : list of str
            The names of the channels.
        split : ndarray of shape (n_sequences,), dtype=str
            "train" or "test", for each sequence.
        DESCR : str
            The source of the data, and their licence.
        filename : str
            The name of the file with the data.
        data_module : str
            The package of this file.

    (data, target) : tuple if ``return_X_y`` is True
        The sequences and the speakers, as above.

    Raises
    ------
    sklearn.utils._param_validation.InvalidParameterError
        A ValueError, if a parameter is invalid.

    See Also
    --------
    make_ragged_sines : Generated sequences of any number and length.

    References
    ----------
    .. [1] M. Kudo, J. Toyama and M. Shimbo (1999), "Multidimensional curve classification using
       passing-through regions", Pattern Recognition Letters 20(11-13), 1103-1111.
    .. [2] M. Kudo, J. Toyama and M. Shimbo, "Japanese Vowels", UCI Machine Learning Repository,
       https://doi.org/10.24432/C5NS47, CC BY 4.0.

    Examples
    --------
    >>> from sklearn_seqae.datasets import load_japanese_vowels
    >>> vowels = load_japanese_vowels()
    >>> len(vowels.data), vowels.data[0].shape, vowels.target_names[vowels.target[0]]
    (270, (20, 12), 'speaker_1')
    >>> X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
    >>> len(X_test), len(y_test)
    (370, 370)
    """
    filename = "japanese_vowels.npz"
    folder = resources.files(_DATA_MODULE)
    with (folder / filename).open("rb") as file, np.load(file, allow_pickle=False) as archive:
        values = (archive["millionths"] / 1e6).astype(np.float32)
        sequences = np.split(values, archive["offsets"][1:-1])
        targets = archive["target"].astype(np.int64)
        n_train = int(archive["n_train"])

    part = {"train": slice(n_train), "test": slice(n_train, None), "all": slice(None)}[subset]
    data, target = sequences[part], targets[part]
    if return_X_y:
        return data, target
    split = np.where(np.arange(len(sequences)) < n_train, "train", "test")
    return Bunch(
        data=data,
        target=target,
        target_names=[f"speaker_{i}" for i in range(1, 10)],
        feature_names=[f"cepstrum_{i}" for i in range(1, 13)],
        split=split[part],
        DESCR=(folder / "README.md").read_text(encoding="utf-8"),
        filename=filename,
        data_module=_DATA_MODULE,
    )


@validate_params(
    {
        "n_sequences": [_POSITIVE],
        "n_values": [_POSITIVE],
        "max_steps": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_moving_ones(
    n_sequences: int = 5000,
    *,
    n_values: int = 8,
    max_steps: int = 10,
    random_state: _RandomState = None,
) -> _Sequences:
    """Generate one-hot sequences in which the position of the one is the step.

    Step ``i`` is one at position ``i``; steps from ``n_values`` on are all zero. Sequences differ
    in length only, which is ``round(uniform(0, max_steps))``, so some are empty.

    Parameters
    ----------
    n_sequences : int, default=5000
        The number of sequences, at least 1.
    n_values : int, default=8
        The number of values of a step, at least 1.
    max_steps : int, default=10
        The largest length, at least 0.
    random_state : int, RandomState instance or None, default=None
        Determines the lengths. Pass an int for reproducible output.

    Returns
    -------
    list of ndarray of shape (n_steps, n_values), dtype=float32
        The sequences.

    Raises
    ------
    sklearn.utils._param_validation.InvalidParameterError
        A ValueError, if a parameter has a wrong type or is out of range.

    See Also
    --------
    make_ragged_sines : Noisy sines of unequal length.

    Examples
    --------
    >>> from sklearn_seqae.datasets import make_moving_ones
    >>> X = make_moving_ones(3, n_values=2, max_steps=4, random_state=0)
    >>> [len(x) for x in X]
    [2, 3, 2]
    >>> X[1]
    array([[1., 0.],
           [0., 1.],
           [0., 0.]], dtype=float32)
    """
    rng = check_random_state(random_state)
    lengths = np.rint(rng.uniform(0, max_steps, size=n_sequences)).astype(int)
    longest = np.eye(max_steps, n_values, dtype=np.float32)
    return [longest[:n_steps].copy() for n_steps in lengths]


@validate_params(
    {
        "n_sequences": [_POSITIVE],
        "n_channels": [_POSITIVE],
        "min_steps": [Interval(Integral, 2, None, closed="left")],
        "max_steps": [Interval(Integral, 2, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "anomaly_fraction": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_ragged_sines(
    n_sequences: int = 200,
    *,
    n_channels: int = 2,
    min_steps: int = 20,
    max_steps: int = 60,
    noise: float = 0.1,
    anomaly_fraction: float = 0.0,
    random_state: _RandomState = None,
) -> tuple[_Sequences, NDArray[np.int64]]:
    """Generate noisy sines of unequal length, optionally with anomalies.

    Each sequence has its own length, period (10 to 20 steps) and phase. Its channels are sines of
    amplitude 1, with a phase shift of ``pi / n_channels`` between successive channels. Apart from
    noise, a normal sequence is thus determined by three numbers.

    An anomaly begins in the first half of a sequence and is, with equal probability, one of:

    - spike: 4 is added to one value, or subtracted from it;
    - shift: 2 is added to all values from a step on, or subtracted from them;
    - tempo: the frequency is three times as high from a step on.

    Parameters
    ----------
    n_sequences : int, default=200
        The number of sequences, at least 1.
    n_channels : int, default=2
        The number of channels, at least 1.
    min_steps, max_steps : int, default=20, 60
        Lengths are uniform on ``min_steps, ..., max_steps``; both at least 2.
    noise : float, default=0.1
        The standard deviation of the Gaussian noise on every value, at least 0.
    anomaly_fraction : float, default=0.0
        The fraction of sequences with an anomaly, in [0, 1]. Their number is
        ``round(anomaly_fraction * n_sequences)``. The other sequences do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Determines the random numbers. Pass an int for reproducible output.

    Returns
    -------
    X : list of ndarray of shape (n_steps, n_channels), dtype=float32
        The sequences.
    y : ndarray of shape (n_sequences,), dtype=int64
        1 for normal sequences, -1 for those with an anomaly, as outlier detectors of scikit-learn
        predict.

    Raises
    ------
    sklearn.utils._param_validation.InvalidParameterError
        A ValueError, if a parameter has a wrong type or is out of range.
    ValueError
        If ``min_steps`` is larger than ``max_steps``.

    See Also
    --------
    load_japanese_vowels : A real data set.

    Examples
    --------
    >>> from sklearn_seqae.datasets import make_ragged_sines
    >>> X, y = make_ragged_sines(5, anomaly_fraction=0.2, random_state=0)
    >>> [x.shape for x in X]
    [(20, 2), (23, 2), (23, 2), (59, 2), (29, 2)]
    >>> y
    array([ 1,  1, -1,  1,  1])
    """
    if min_steps > max_steps:
        raise ValueError(
            f"Expected min_steps <= max_steps, got min_steps={min_steps} and "
            f"max_steps={max_steps}; lower min_steps or raise max_steps."
        )
    # Normal sequences are drawn first, so that they do not depend on anomaly_fraction.
    rng = check_random_state(random_state)
    lengths = rng.randint(min_steps, max_steps + 1, size=n_sequences)
    frequencies = 1 / rng.uniform(*_PERIODS, size=n_sequences)
    phases = rng.uniform(0, 2 * np.pi, size=n_sequences)
    noises = np.split(
        rng.normal(scale=noise, size=(lengths.sum(), n_channels)), np.cumsum(lengths)[:-1]
    )

    y = np.ones(n_sequences, dtype=np.int64)
    y[rng.permutation(n_sequences)[: round(anomaly_fraction * n_sequences)]] = -1

    lags = np.pi * np.arange(n_channels) / n_channels
    X = []
    for label, n_steps, frequency, phase, added in zip(
        y, lengths, frequencies, phases, noises, strict=True
    ):
        time = np.arange(n_steps, dtype=float)
        if label == -1:
            _add_anomaly(time, added, rng)
        angles = 2 * np.pi * frequency * time + phase
        X.append((np.sin(angles[:, np.newaxis] + lags) + added).astype(np.float32))
    return X, y


def _add_anomaly(time: NDArray[Any], added: NDArray[Any], rng: np.random.RandomState) -> None:
    """Add an anomaly, in place, to the time (n_steps,) or to the noise of a sequence."""
    n_steps, n_channels = added.shape
    start = rng.randint(n_steps // 2)
    sign = rng.choice([-1, 1])
    match rng.choice(_ANOMALIES):
        case "spike":
            added[start, rng.randint(n_channels)] += sign * _SPIKE
        case "shift":
            added[start:] += sign * _SHIFT
        case "tempo":
            time[start:] += (_TEMPO - 1) * (time[start:] - start)


def make_float_series() -> _Sequences:
    """Generate four short series of one channel and unequal length.

    They are small enough to inspect the codes and reconstructions of all of them.

    Returns
    -------
    list of ndarray of shape (n_steps, 1), dtype=float32
        The four series, of 9, 8, 4 and 4 steps, which are always the same. All are straight lines:
        the first two differ in length only, the third is twice and the last three times as steep.

    See Also
    --------
    make_ragged_sines : Many noisy sines of unequal length.

    Examples
    --------
    >>> from sklearn_seqae.datasets import make_float_series
    >>> X = make_float_series()
    >>> [len(x) for x in X]
    [9, 8, 4, 4]
    >>> X[2]
    array([[0.2],
           [0.4],
           [0.6],
           [0.8]], dtype=float32)
    """
    series = [
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        [0.2, 0.4, 0.6, 0.8],
        [0.3, 0.6, 0.9, 1.2],
    ]
    return [np.array(values, dtype=np.float32).reshape(-1, 1) for values in series]
