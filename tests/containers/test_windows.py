"""Windows of long series: a container of views, and values of windows on time stamps."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import cross_val_score

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer, SequenceScaler
from sklearn_seqae.containers import convert
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.containers.spans import count_disjoint, overlap, overlap_any
from sklearn_seqae.exceptions import AmbiguousInputWarning, OverlapWarning
from sklearn_seqae.training.holdout import hold_out
from sklearn_seqae.windows import Windows, merge_windows, sliding_windows
from tests.conftest import TINY


def noisy_sine(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(n) / 7) + rng.normal(0, 0.3, n)


X = np.stack([noisy_sine(60), noisy_sine(60, 1)], axis=1)
FRAME = pd.DataFrame(X, columns=["a", "b"], index=pd.date_range("2026-01-01", periods=60, freq="h"))
LONG = pd.concat({"x": FRAME[:40], "y": FRAME[5:60]}, names=["machine", "time"])
SERIES = {
    "array": X,
    "one channel": X[:, 0],
    "nested list": X.tolist(),
    "list of numbers": X[:, 0].tolist(),
    "integers": np.arange(60),
    "float32": X.astype(np.float32),
    "frame": FRAME,
    "Series": FRAME["a"],
    "frame of periods": FRAME.set_axis(FRAME.index.to_period("h")),
    "frame of stamps as text": FRAME.set_axis(FRAME.index.astype(str)),
    "frame of row numbers": FRAME.reset_index(drop=True),
    "list of arrays": [X, X[:30]],
    "list of 1-D arrays": [X[:, 0], X[:30, 0]],
    "list of frames": [FRAME, FRAME[10:]],
    "list of Series": [FRAME["a"], FRAME["a"][10:]],
    "array of series": np.stack([X, X]),
    "long frame": LONG,
    "long frame, mixed": LONG.iloc[np.argsort(LONG.index.get_level_values(1), kind="stable")],
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("aggregation", ["mean", "median", "last"])
def test_merged_windows_of_the_values_are_the_series(name, aggregation):
    series = SERIES[name]
    windows = sliding_windows(series, 8, stride=3)
    merged = merge_windows(np.asarray(windows), windows, aggregation)
    if name.endswith("list") or name.startswith("list of numbers"):
        series = np.array(series)
    several = isinstance(series, list) or name == "array of series"
    for given, found in zip(*((series, merged) if several else ([series], [merged])), strict=True):
        assert_allclose(np.asarray(found), np.asarray(given), rtol=1e-6)
        if hasattr(given, "index"):
            assert found.index.equals(given.index)
            assert isinstance(found, type(given))
        else:
            assert isinstance(found, np.ndarray)


def test_windows_are_views_of_the_series():
    windows = sliding_windows(X, 20, stride=7)
    assert len(windows) == 7
    assert windows.starts.tolist() == [0, 7, 14, 21, 28, 35, 40]
    assert windows.shape == (7, 20, 2)
    assert np.shares_memory(windows[2], X)
    assert not windows[2].flags.writeable
    assert_array_equal(windows[2], X[14:34])
    assert_array_equal(windows[-1], X[40:])


@pytest.mark.parametrize("n", [20, 21, 47, 60])
@pytest.mark.parametrize("stride", [1, 7, 20])
def test_every_time_stamp_is_in_a_window_that_ends_with_the_series_at_the_latest(n, stride):
    windows = sliding_windows(X[:n], 20, stride)
    covered = merge_windows(np.ones(len(windows)), windows)
    assert covered.shape == (n,)
    assert_array_equal(covered, 1.0)
    assert windows.spans[:, 1].max() == n


def test_merged_values_are_those_of_a_loop_over_the_windows():
    rng = np.random.default_rng(0)
    windows = sliding_windows([X, X[:25]], 20, stride=6)
    values = rng.normal(size=(len(windows), 20))
    values[2, 3] = np.nan
    found = {name: merge_windows(values, windows, name) for name in ("mean", "median", "last")}
    for i, n in enumerate((60, 25)):
        for t in range(n):
            own = np.flatnonzero((windows.series == i) & (windows.starts <= t))
            own = own[windows.starts[own] + 20 > t]
            at = values[own, t - windows.starts[own]]
            assert_allclose(found["mean"][i][t], np.nanmean(at))
            assert_allclose(found["median"][i][t], np.nanmedian(at))
            assert_allclose(found["last"][i][t], at[0])


def test_last_is_the_value_of_the_window_that_ends_at_the_time_stamp():
    windows = sliding_windows(X, 20)
    merged = merge_windows(np.arange(41.0), windows, "last")
    assert_array_equal(merged[19:], np.arange(41.0))
    assert_array_equal(merged[:19], 0.0)


def test_what_no_window_has_a_value_of_is_nan():
    windows = sliding_windows(X, 20)[:5]
    merged = merge_windows(np.ones(5), windows)
    assert_array_equal(np.isnan(merged), np.arange(60) >= 24)


def test_vectors_per_step_of_a_frame_become_a_frame_with_its_columns():
    windows = sliding_windows(FRAME, 20, 5)
    merged = merge_windows(list(windows), windows)
    pd.testing.assert_frame_equal(merged, FRAME, check_freq=False)
    several = merge_windows(np.ones((len(windows), 20, 3)), windows)
    assert several.shape == (60, 3)


def test_missing_time_stamps_are_missing_steps_of_windows():
    gappy = FRAME.drop(FRAME.index[[10, 11, 30]])
    with pytest.warns(UserWarning, match="3 of 60 regular ones are not there"):
        windows = sliding_windows(gappy, 20, stride=10)
    assert windows.n_timestamps == [57]
    assert windows.starts.tolist() == [0, 10, 20, 30, 40]
    assert_array_equal(np.isnan(windows[0]).all(axis=1), np.isin(np.arange(20), [10, 11]))
    merged = merge_windows(windows.starts, windows)
    assert merged.index.equals(gappy.index)
    # 10 is missing, so the window that starts with it is known by the next time stamp.
    assert as_sequences(windows).index.ids[1] == FRAME.index[12]


def test_a_rising_column_named_as_a_time_is_doubted():
    with pytest.warns(AmbiguousInputWarning, match="'time' looks like time stamps.*set_index"):
        sliding_windows(FRAME.assign(time=np.arange(60)), 20)


def test_time_stamps_without_a_regular_clock_are_read_as_steps():
    irregular = FRAME.set_axis(FRAME.index + pd.to_timedelta(np.arange(60) ** 2, unit="s"))
    with pytest.warns(UserWarning, match="are not regular.*resample"):
        windows = sliding_windows(irregular, 20)
    assert windows.n_timestamps == [60]
    assert_array_equal(windows[3], X[3:23])


def test_a_series_shorter_than_a_window_is_one_shorter_window():
    with pytest.warns(UserWarning, match="Series 1 has 12 time stamps, but window_size=20"):
        windows = sliding_windows([X, X[:12]], 20, 10)
    assert windows[-1].shape == (12, 2)
    errors = LSTMAutoencoderTransformer(**TINY).fit(windows).reconstruction_error(windows, "step")
    assert [len(x) for x in merge_windows(errors, windows)] == [60, 12]


def test_categories_of_series_are_categories_of_windows():
    mixed = FRAME.assign(state=np.where(X[:, 0] > 0, "on", "off"))
    windows = sliding_windows(mixed, 20, 10)
    ae = LSTMAutoencoderTransformer(**TINY).fit(windows)
    assert ae.categories_[2].tolist() == ["off", "on"]
    assert ae.reconstruct(windows).shape == (5, 20, 3)
    assert_array_equal(ae.transform(pickle.loads(pickle.dumps(windows))), ae.transform(windows))
    flags = np.where(X > 0, 1.0, 0.0)
    ae = LSTMAutoencoderTransformer(**TINY, categorical_features=[1])
    assert ae.fit(sliding_windows(flags, 20, 10)).categories_[1].tolist() == [0.0, 1.0]


def test_every_estimator_accepts_windows():
    windows = sliding_windows(FRAME, 20, 5)
    codes = LSTMAutoencoderTransformer(**TINY).set_output(transform="pandas").fit_transform(windows)
    assert codes.index.tolist() == FRAME.index[windows.starts].tolist()
    assert SequenceScaler().fit(windows).transform(windows).shape == (9, 20, 2)
    table = LSTMAutoencoderDetector(**TINY).fit(windows).explain(windows[:2])
    assert table["sequence"].unique().tolist() == FRAME.index[[0, 5]].tolist()
    assert {*table["channel"].dropna()} <= {"a", "b"}
    assert [x.shape for x in convert(windows, "list")] == [(20, 2)] * 9


def test_windows_of_several_series_are_known_by_series_and_time_stamp():
    ids = as_sequences(sliding_windows(LONG, 20, 10)).index.ids
    assert ids[[0, 3]].tolist() == [("x", FRAME.index[0]), ("y", FRAME.index[5])]


@pytest.mark.parametrize("n", [150, 400, 2000])
@pytest.mark.parametrize("seed", range(5))
def test_held_out_windows_share_no_time_stamp_with_those_trained_on(n, seed):
    windows = as_sequences(sliding_windows([noisy_sine(n), noisy_sine(90)], 30, 4))
    trained_on, held_out = hold_out(windows, 0.1, seed, windows.spans)
    assert len(held_out) >= 1
    assert len(trained_on) >= len(windows) / 4
    assert not overlap(windows.spans[trained_on], windows.spans[held_out]).any()


def test_too_few_windows_to_hold_any_out_are_all_trained_on():
    windows = as_sequences(sliding_windows(noisy_sine(40), 30))
    trained_on, held_out = hold_out(windows, 0.1, 0, windows.spans)
    assert (len(trained_on), len(held_out)) == (11, 0)


def test_new_windows_are_normal_without_groups_and_without_a_warning(recwarn):
    series = noisy_sine(900)
    windows = sliding_windows(series[:600], 30)
    detector = LSTMAutoencoderDetector(units=4, epochs=3, random_state=0).fit(windows)
    assert not [w for w in recwarn if issubclass(w.category, OverlapWarning)]
    unseen = sliding_windows(series[600:], 30)
    assert np.mean(detector.predict(unseen) < 0) < 0.1
    spiked = np.array(unseen)
    spiked[:, 7] += 4
    assert np.mean(detector.predict(spiked) < 0) > 0.5


def test_folds_share_no_time_stamps():
    windows = sliding_windows([X, X[:40]], 10)
    spans = windows.spans
    for train, test in windows.folds(3):
        assert not overlap(spans[train], spans[test]).any()
    ae = LSTMAutoencoderTransformer(**TINY)
    assert cross_val_score(ae, windows, cv=windows.folds(3)).shape == (3,)
    with pytest.raises(ValueError, match="use fewer splits"):
        windows.folds(50)


def test_a_choice_of_windows_is_windows():
    windows = sliding_windows(X, 10)
    assert_array_equal(windows[5:8].starts, [5, 6, 7])
    assert_array_equal(windows[windows.starts > 40][[1, 0]].starts, [42, 41])
    kept = pickle.loads(pickle.dumps(windows[3:6]))
    assert isinstance(kept, Windows)
    assert_array_equal(kept[0], windows[3])


def test_overlaps_of_spans_are_those_of_sets_of_numbers():
    rng = np.random.default_rng(0)
    spans = np.sort(rng.integers(0, 60, (30, 2)), axis=1) + np.array([0, 1])
    others = np.sort(rng.integers(0, 60, (4, 2)), axis=1) + np.array([0, 1])
    true = [[bool({*range(*a)} & {*range(*b)}) for b in others] for a in spans.tolist()]
    assert_array_equal(overlap(spans, others), true)
    assert_array_equal(overlap_any(spans, others), np.any(true, axis=1))
    assert count_disjoint(np.array([[0, 5], [4, 9], [5, 10], [10, 12]])) == 3


@pytest.mark.parametrize(
    ("series", "text"),
    [
        ([], "0 sample"),
        (np.empty((0, 2)), "0 sample"),
        (np.empty((5, 0)), "0 feature"),
        ([X, X[:0]], "series 1 is empty: leave it out"),
        ([X, X[:, :1]], "mixed channels"),
        (3.0, "Expected one series.*got a float"),
        ("text", "Expected one series.*got a str"),
        (np.ones((2, 3, 4, 5)), "Expected one series.*shape"),
        (FRAME[::-1], "time stamps that rise"),
        (FRAME.iloc[[0, 1, 1, 2]], "one step per time stamp"),
        (FRAME.assign(when=FRAME.index), "'when' has time stamps.*set_index"),
        (FRAME.assign(when=FRAME.index.astype(str)), "'when' has time stamps.*set_index"),
        (sliding_windows(X, 10), "give the series that they were cut from"),
        (np.where(X > 1, np.inf, X), "infinity"),
    ],
)
def test_what_is_no_series_is_refused_in_one_sentence(series, text):
    with pytest.raises((TypeError, ValueError), match=text):
        sliding_windows(series, 10)


def test_arguments_that_fit_nothing_are_refused():
    windows = sliding_windows(X, 10)
    with pytest.raises(ValueError, match=r"window_size must be a whole number.*got 0"):
        sliding_windows(X, 0)
    with pytest.raises(ValueError, match=r"stride must be a whole number.*got 1\.5"):
        sliding_windows(X, 10, 1.5)
    with pytest.raises(ValueError, match="stride must be at most window_size=10"):
        sliding_windows(X, 10, 11)
    with pytest.raises(ValueError, match="one value for each of 51 windows"):
        merge_windows(np.ones(50), windows)
    with pytest.raises(ValueError, match="each of their 10 steps"):
        merge_windows(np.ones((51, 9)), windows)
    with pytest.raises(ValueError, match="aggregation must be one of"):
        merge_windows(np.ones(51), windows, "max")
    with pytest.raises(TypeError, match="made by sliding_windows, got a ndarray"):
        merge_windows(np.ones(51), X)
