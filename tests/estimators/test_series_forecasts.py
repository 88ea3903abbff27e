"""Errors of forecasts of long series, forward and backward in time, as scores of time stamps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.estimators.series_forecasts import SeriesForecasts

SIZE = 30
N_TRAIN = 900
IS_HELD_OUT = np.arange(N_TRAIN) // 60 % 5 == 2
HELD_OUT = np.array([[start, start + SIZE] for start in range(120, N_TRAIN, 300)])


def make_series(n, seed=0):
    """Return two noisy waves."""
    t = np.arange(n)
    waves = np.stack([np.sin(t / 4), 100 + 5 * np.cos(t / 7)], axis=1)
    return waves + np.random.default_rng(seed).normal(size=(n, 2)) * [0.1, 0.5]


def sequences(*series):
    return Sequences.from_lengths(np.concatenate(series), np.array([len(x) for x in series]))


@pytest.fixture(scope="module")
def forecasts():
    return SeriesForecasts.fit(sequences(make_series(N_TRAIN)), SIZE, IS_HELD_OUT, HELD_OUT)


def test_normal_time_stamps_have_scores_of_exponential_variables(forecasts):
    scores, _ = forecasts(sequences(make_series(3000, seed=1)))
    assert 0.4 < np.mean(np.expm1(scores)) < 2.0
    assert np.mean(np.expm1(scores) > np.log(100)) < 0.05


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_is_found_where_it_is_and_suspicious_near_it(forecasts, seed):
    series = make_series(400, seed=seed)
    rng = np.random.default_rng(seed)
    series[200:220, 1] += rng.normal(size=20) * 5
    scores, near = forecasts(sequences(series))
    assert 195 < np.argmax(scores) < 225
    assert_array_equal(np.flatnonzero(near == scores.max()), np.argmax(scores) + np.arange(-15, 16))
    # Forecasts from it are bad, too, but only in one direction of time.
    assert scores[200:220].min() > scores[230:240].max()


def test_time_has_two_directions_that_are_alike():
    series = make_series(N_TRAIN)
    forward = SeriesForecasts.fit(sequences(series), SIZE, IS_HELD_OUT, HELD_OUT)
    spans = N_TRAIN - HELD_OUT[::-1, ::-1]
    backward = SeriesForecasts.fit(sequences(series[::-1]), SIZE, IS_HELD_OUT[::-1], spans)
    scores, near = backward(sequences(series[::-1]))
    assert_allclose(scores[::-1], forward(sequences(series))[0], rtol=1e-2, atol=1e-2)
    assert_allclose(near[::-1], forward(sequences(series))[1], rtol=1e-2, atol=1e-2)


def test_scores_depend_on_less_than_a_window_before_and_after(forecasts):
    series = make_series(200, seed=1)
    changed = series.copy()
    changed[100 + SIZE :] = changed[: 100 - SIZE] = 1e6
    pairs = zip(forecasts(sequences(series)), forecasts(sequences(changed)), strict=True)
    for part, other in pairs:
        assert_allclose(other[100], part[100], rtol=1e-5)
        assert other[100 + SIZE] != part[100 + SIZE]


def test_causal_scores_depend_on_the_last_time_stamps_alone(forecasts):
    series = make_series(200, seed=1)
    seen = forecasts.n_lags + forecasts.n_averaged
    assert seen <= SIZE
    changed = series.copy()
    changed[101:] = changed[: 101 - seen] = 1e6
    now, other = (forecasts.scores(sequences(x), is_causal=True) for x in (series, changed))
    assert_allclose(other[100], now[100], rtol=1e-5)
    series[95, 1] = np.nan
    now = forecasts.scores(sequences(series), is_causal=True)
    ends = range(101 - forecasts.n_averaged, 101)
    errors = [forecasts.last_error(series[i - forecasts.n_lags : i + 1]) for i in ends]
    assert_allclose(forecasts.causal_score(np.array(errors)), now[[100]], rtol=1e-5)
    nothing = np.full(forecasts.n_averaged, np.nan)
    assert_array_equal(forecasts.causal_score(nothing), [0.0])


def test_series_do_not_see_each_other(forecasts):
    one, other = make_series(100, seed=1), 10 * make_series(70, seed=2)
    together = forecasts(sequences(one, other))
    for both, first, second in zip(
        together, forecasts(sequences(one)), forecasts(sequences(other)), strict=True
    ):
        assert_allclose(both, np.concatenate([first, second]), rtol=1e-6)


def test_gaps_make_nothing_abnormal(forecasts):
    series = make_series(600, seed=4)
    whole, _ = forecasts(sequences(series))
    series[100:200] = np.nan  # longer than a window
    series[300:303, 0] = np.nan
    scores, _ = forecasts(sequences(series))
    assert (scores[110:190] == 0.0).all()
    assert scores[190:340].max() < whole.max() + 0.3
    assert np.isfinite(scores).all()


def test_constant_channels_and_huge_values_have_finite_scores():
    series = make_series(N_TRAIN)
    series[:, 1] = 7.0
    found = SeriesForecasts.fit(sequences(series), SIZE, IS_HELD_OUT, HELD_OUT)
    broken = series.copy()
    broken[300, 1], broken[600, 0] = 8.0, 1e150
    scores, _ = found(sequences(broken))
    assert np.isfinite(scores).all()
    assert scores[[300, 600]].min() > np.quantile(scores, 0.95)


def test_what_is_too_short_has_no_forecasts(forecasts):
    held_out = np.zeros(19, dtype=bool), np.empty((0, 2), dtype=np.int64)
    assert SeriesForecasts.fit(sequences(make_series(19)), SIZE, *held_out) is None
    everything = np.ones(N_TRAIN, dtype=bool), HELD_OUT
    assert SeriesForecasts.fit(sequences(make_series(N_TRAIN)), SIZE, *everything) is None
    for part in forecasts(sequences(make_series(9))):
        assert_array_equal(part, np.zeros(9))
