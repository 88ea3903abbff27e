"""The data sets: what they hold, that a seed settles them, and how they refuse."""

import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

from sklearn_seqae.datasets import (
    load_japanese_vowels,
    make_float_series,
    make_moving_ones,
    make_ragged_sines,
)


def assert_same(X, Y):
    assert len(X) == len(Y)
    for x, y in zip(X, Y, strict=True):
        np.testing.assert_array_equal(x, y)


def assert_sequences(X, n_channels):
    assert isinstance(X, list)
    assert all(x.ndim == 2 and x.shape[1] == n_channels and x.dtype == np.float32 for x in X)


@pytest.fixture(scope="module")
def vowels():
    return load_japanese_vowels(subset="all")


def test_japanese_vowels_are_those_that_were_published(vowels):
    assert_sequences(vowels.data, n_channels=12)
    lengths = [len(x) for x in vowels.data]
    assert (len(lengths), sum(lengths), min(lengths), max(lengths)) == (640, 9961, 7, 29)
    np.testing.assert_array_equal(
        vowels.data[0][0, :3], np.float32([1.860936, -0.207383, 0.261557])
    )
    np.testing.assert_array_equal(
        vowels.data[-1][-3:, -1], np.float32([0.30589, 0.19286, 0.224688])
    )
    assert all(np.isfinite(x).all() for x in vowels.data)


def test_japanese_vowels_have_the_published_number_of_utterances_of_each_speaker(vowels):
    is_train = vowels.split == "train"
    np.testing.assert_array_equal(np.bincount(vowels.target[is_train]), [30] * 9)
    np.testing.assert_array_equal(
        np.bincount(vowels.target[~is_train]), [31, 35, 88, 44, 29, 24, 40, 50, 29]
    )


def test_all_japanese_vowels_are_the_train_ones_and_then_the_test_ones(vowels):
    train, test = load_japanese_vowels(), load_japanese_vowels(subset="test")
    assert (len(train.data), len(test.data)) == (270, 370)
    assert set(train.split) == {"train"}
    assert set(test.split) == {"test"}
    assert_same(train.data + test.data, vowels.data)
    np.testing.assert_array_equal(np.append(train.target, test.target), vowels.target)


def test_japanese_vowels_come_as_a_pair_when_asked():
    X, y = load_japanese_vowels(subset="test", return_X_y=True)
    bunch = load_japanese_vowels(subset="test")
    assert_same(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)
    assert y.dtype == np.int64


def test_japanese_vowels_have_a_description_and_a_licence(vowels):
    assert len(vowels.target_names) == 9
    assert len(vowels.feature_names) == 12
    assert "CC BY 4.0" in vowels.DESCR
    assert "10.24432/C5NS47" in vowels.DESCR
    assert (resources.files(vowels.data_module) / vowels.filename).is_file()


def test_a_change_of_loaded_vowels_stays_with_its_caller(vowels):
    before = vowels.data[0].copy()
    load_japanese_vowels(subset="all").data[0][:] = 0
    np.testing.assert_array_equal(load_japanese_vowels().data[0], before)


def test_moving_ones_move_on_until_the_values_are_used_up():
    X = make_moving_ones(300, random_state=0)
    assert_sequences(X, n_channels=8)
    assert {len(x) for x in X} == set(range(11))
    longest = next(x for x in X if len(x) == 10)
    np.testing.assert_array_equal(longest[:8], np.eye(8))
    np.testing.assert_array_equal(longest[8:], 0)
    for x in X:
        np.testing.assert_array_equal(x, longest[: len(x)])


def test_moving_ones_are_five_thousand_by_default():
    assert len(make_moving_ones(random_state=0)) == 5000


def test_moving_ones_can_all_be_empty():
    assert [x.shape for x in make_moving_ones(2, n_values=3, max_steps=0)] == [(0, 3), (0, 3)]


def test_moving_ones_share_no_memory():
    first, second = make_moving_ones(2, random_state=0)
    first[:] = 7
    assert not (second == 7).any()


def test_ragged_sines_have_the_lengths_and_channels_asked_for():
    X, y = make_ragged_sines(300, n_channels=3, min_steps=5, max_steps=8, random_state=0)
    assert_sequences(X, n_channels=3)
    assert {len(x) for x in X} == {5, 6, 7, 8}
    np.testing.assert_array_equal(y, np.ones(300, dtype=np.int64))


def test_ragged_sines_without_noise_are_sines():
    X, _ = make_ragged_sines(20, n_channels=1, noise=0, random_state=0)
    for x in X:
        # A sine is what a recurrence of two steps draws: x[t + 1] + x[t - 1] = c * x[t].
        middle, sides = x[1:-1, 0].astype(float), (x[2:, 0] + x[:-2, 0]).astype(float)
        factor = middle @ sides / (middle @ middle)
        np.testing.assert_allclose(sides, factor * middle, atol=1e-5)
        assert 10 <= 2 * np.pi / np.arccos(factor / 2) <= 20


@pytest.mark.parametrize(("fraction", "n_anomalous"), [(0, 0), (0.25, 50), (1, 200)])
def test_ragged_sines_mark_their_anomalies_with_minus_one(fraction, n_anomalous):
    _, y = make_ragged_sines(anomaly_fraction=fraction, random_state=0)
    assert (y == -1).sum() == n_anomalous
    assert (y == 1).sum() == 200 - n_anomalous


def test_anomalies_change_the_sequences_that_have_one_and_no_other():
    X, _ = make_ragged_sines(anomaly_fraction=0, random_state=0)
    X_anomalous, y = make_ragged_sines(anomaly_fraction=0.5, random_state=0)
    changed = [not np.array_equal(a, b) for a, b in zip(X, X_anomalous, strict=True)]
    np.testing.assert_array_equal(changed, y == -1)


def test_anomalies_are_of_three_kinds_in_like_numbers():
    options = {"n_sequences": 300, "noise": 0, "random_state": 0}
    X, _ = make_ragged_sines(**options)
    X_anomalous, _ = make_ragged_sines(anomaly_fraction=1, **options)
    found = []
    for normal, anomalous in zip(X, X_anomalous, strict=True):
        moved = np.abs(anomalous - normal).round(4)
        values = set(moved[moved > 0])
        found.append({4.0: "spike", 2.0: "shift"}[values.pop()] if len(values) == 1 else "tempo")
    counts = [found.count(kind) for kind in ("spike", "shift", "tempo")]
    assert min(counts) > 70


@pytest.mark.parametrize("make", [make_moving_ones, make_ragged_sines])
def test_a_seed_settles_all(make):
    def flat(seed):
        X = make(50, random_state=seed)
        return np.concatenate(X[0] if isinstance(X, tuple) else X)

    np.testing.assert_array_equal(flat(3), flat(3))
    np.testing.assert_array_equal(flat(3), flat(np.random.RandomState(3)))
    assert not np.array_equal(flat(3), flat(4))


def test_a_seed_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()
    make_moving_ones(5, random_state=0)
    make_ragged_sines(5, anomaly_fraction=1, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_float_series_are_the_four_of_the_example():
    X = make_float_series()
    assert_sequences(X, n_channels=1)
    assert [len(x) for x in X] == [9, 8, 4, 4]
    np.testing.assert_allclose(X[0][:, 0], np.arange(1, 10) / 10, rtol=1e-6)
    np.testing.assert_array_equal(X[1], X[0][:8])
    np.testing.assert_array_equal(X[2], X[0][1:8:2])
    np.testing.assert_allclose(X[3][:, 0], [0.3, 0.6, 0.9, 1.2], rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "parameters", "message"),
    [
        (load_japanese_vowels, {"subset": "valid"}, "'subset'.* must be a str among .*'valid'"),
        (load_japanese_vowels, {"return_X_y": "no"}, "'return_X_y'.* must be .*bool.*'no'"),
        (make_moving_ones, {"n_sequences": 0}, r"'n_sequences'.* int in the range \[1, inf\).* 0 "),
        (make_moving_ones, {"n_values": 1.5}, r"'n_values'.* int in the range \[1, inf\).* 1.5 "),
        (make_moving_ones, {"max_steps": -1}, r"'max_steps'.* int in the range \[0, inf\).* -1 "),
        (make_moving_ones, {"random_state": "x"}, "'random_state'.*'x'"),
        (make_ragged_sines, {"min_steps": 1}, r"'min_steps'.* int in the range \[2, inf\).* 1 "),
        (make_ragged_sines, {"noise": -0.1}, r"'noise'.* float in the range \[0.* -0.1 "),
        (make_ragged_sines, {"anomaly_fraction": 2}, r"'anomaly_fraction'.* \[0.*, 1.*\].* 2 "),
        (
            make_ragged_sines,
            {"min_steps": 9, "max_steps": 8},
            "Expected min_steps <= max_steps, got min_steps=9 and max_steps=8; lower min_steps or",
        ),
    ],
)
def test_the_error_of_an_invalid_argument_has_expected_and_given_values(
    function, parameters, message
):
    with pytest.raises(ValueError, match=message):
        function(**parameters)


def test_the_data_sets_need_no_tensorflow():
    program = "import sys, sklearn_seqae.datasets; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
