"""Linear forecasts continue what is linear, from any level, and fall back to naive ones."""

import numpy as np
import pytest

from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.network import linear_forecast


def sequences_of(arrays):
    values = np.concatenate([np.reshape(x, (len(x), -1)) for x in arrays]).astype(np.float32)
    return Sequences.from_lengths(values, list(map(len, arrays)))


@pytest.fixture(scope="module")
def waves():
    """Sine waves of one period, and any phase and level, 40 steps each."""
    rng = np.random.default_rng(0)
    t = np.arange(40)
    return [np.sin(t / 3 + rng.uniform(0, 6)) + rng.normal() for _ in range(60)]


@pytest.fixture(scope="module")
def fitted(waves):
    return linear_forecast.fit(sequences_of(waves), 5)


def test_waves_go_on_at_levels_that_were_not_in_training(fitted):
    t = np.arange(40)
    x = np.sin(t / 3 + 1)
    for level in (0.0, 30.0):
        ahead = linear_forecast.apply(fitted, sequences_of([x[:35] + level]))
        np.testing.assert_allclose(ahead[0, :, 0], x[35:] + level, atol=0.02)


def test_each_forecast_looks_back_at_half_as_many_steps_as_the_one_before(fitted):
    assert [one.n_lags for one in fitted] == [35, 17, 8, 4, 2, 1]


def test_a_sequence_is_continued_by_what_its_own_length_allows(fitted):
    x = np.sin(np.arange(40) / 3)
    many = sequences_of([x[:n] for n in (1, 9, 20, 35, 3)])
    ahead = linear_forecast.apply(fitted, many)
    for row, sequence in zip(ahead, many, strict=True):
        alone = linear_forecast.apply(fitted, sequences_of([sequence]))
        np.testing.assert_allclose(row, alone[0], atol=1e-12)
    np.testing.assert_allclose(ahead[1, :, 0], x[9:14], atol=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_of_noise_nothing_but_the_mean_is_forecast(seed):
    rng = np.random.default_rng(seed)
    fitted = linear_forecast.fit(sequences_of(rng.normal(3.0, 1.0, size=(100, 30))), 4)
    ahead = linear_forecast.apply(fitted, sequences_of(rng.normal(3.0, 1.0, size=(200, 26))))
    assert np.abs(ahead - 3.0).mean() < 0.5  # the last value is farther off, 0.8


def test_a_random_walk_stays_about_where_it_is():
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(200, 30)).cumsum(axis=1)
    fitted = linear_forecast.fit(sequences_of(walks[:100]), 3)
    ahead = linear_forecast.apply(fitted, sequences_of(walks[100:, :27]))[:, :, 0]
    error = np.square(ahead - walks[100:, 27:]).mean()
    naive = np.square(walks[100:, 26:27] - walks[100:, 27:]).mean()
    assert error < 1.1 * naive


def test_one_channel_is_forecast_from_another_where_that_helps():
    rng = np.random.default_rng(0)
    leads = rng.normal(size=(80, 33))
    X = np.stack([leads[:, 3:], leads[:, :-3]], axis=2)  # the second is the first, 3 steps late
    fitted = linear_forecast.fit(sequences_of(X[:60]), 2)
    ahead = linear_forecast.apply(fitted, sequences_of(X[60:, :28]))
    error = np.square(ahead - X[60:, 28:]).mean(axis=(0, 1))
    assert error[1] < 0.1 < 0.7 < error[0]


def test_missing_values_lie_on_lines_and_the_first_value_was_there_for_ever():
    sequences = sequences_of([[5.0, np.nan, 7.0], [1.0, 2.0, np.nan]])
    found = linear_forecast.last_steps(sequences, np.arange(2), sequences.lengths, 5)
    assert found[:, :, 0].tolist() == [[5, 5, 5, 6, 7], [1, 1, 1, 2, 2]]


def test_constant_sequences_stay_constant():
    fitted = linear_forecast.fit(sequences_of([np.full(9, level) for level in range(5)]), 2)
    ahead = linear_forecast.apply(fitted, sequences_of([np.full(4, 2.5)]))
    np.testing.assert_allclose(ahead, 2.5, atol=1e-6)


def test_few_long_sequences_are_looked_back_at_no_farther_than_there_are_ends():
    x = np.sin(np.arange(100) / 3)
    fitted = linear_forecast.fit(sequences_of([x]), 10)
    assert fitted[0].n_lags == 45
    ahead = linear_forecast.apply(fitted, sequences_of([x[:80]]))
    np.testing.assert_allclose(ahead[0, :, 0], x[80:90], atol=0.05)
