"""Anomalies in long series: scores of time stamps, intervals, containers, streams, files."""

import copy
import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from sklearn_seqae import (
    LSTMAutoencoderDetector,
    LSTMAutoencoderTransformer,
    SlidingWindowDetector,
    load,
)
from sklearn_seqae.estimators.intervals import SHAPE, find_intervals, threshold
from sklearn_seqae.estimators.known_runs import KnownRuns
from sklearn_seqae.estimators.step_scores import SUSPECT, score_steps
from sklearn_seqae.estimators.window_scores import WindowScores
from sklearn_seqae.exceptions import FileFormatError, UntrustedError
from sklearn_seqae.persistence import archive
from tests.conftest import TINY

SMALL = LSTMAutoencoderDetector(units=8, epochs=5, random_state=0)
SIZE = 40
OS_SYSTEM = {"$": "import", "path": "os:system"}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_series(n, seed=0):
    """Return two noisy waves of different periods."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    waves = np.stack([np.sin(t / 4), np.cos(t / 7)], axis=1)
    return waves + rng.normal(0, 0.1, (n, 2))


TRAIN = make_series(1200)


def stamped(values):
    index = pd.date_range("2026-01-01", periods=len(values), freq="5min", name="time")
    return pd.DataFrame(values, columns=["load", "heat"], index=index)


def _misshape(forecasts):
    forecasts["location"] = forecasts["errors"]


def make_broken(n=600):
    """Return a series whose second channel is flat for a while, and has one spike."""
    broken = make_series(n, seed=1)
    broken[200:240, 1] = broken[200, 1]
    broken[450, 0] += 4
    return broken


@pytest.fixture(scope="module")
def detector():
    return SlidingWindowDetector(SMALL, window_size=SIZE).fit(stamped(TRAIN))


@pytest.fixture(scope="module")
def plain():
    """Fitted on an array."""
    return SlidingWindowDetector(SMALL, window_size=SIZE).fit(TRAIN)


# What is found


def test_anomalies_are_found_where_they_are(plain):
    table = plain.find_anomalies(make_broken())
    assert len(table) == 2
    assert table["series"].tolist() == [0, 0]
    for row, (start, stop), channel in zip(
        table.itertuples(), [(200, 240), (450, 451)], [1, 0], strict=True
    ):
        assert start - SIZE / 2 < row.start <= start + SIZE / 4
        assert stop - SIZE / 4 < row.end < stop + SIZE / 2
        assert row.severity > 0
        assert row.channels[0] == channel or start == 200
    assert table["peak"][1] == 450
    assert table["shares"][1][0] > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_few_time_stamps_of_a_new_normal_series_are_outliers(plain, seed):
    assert np.mean(plain.predict(make_series(1000, seed + 7)) < 0) < 0.05


def test_the_table_has_ids_time_stamps_and_names_where_the_container_has_them(detector):
    broken = stamped(make_broken())
    table = detector.find_anomalies(pd.concat({"m1": broken, "m2": broken[:100]}))
    assert table["series"].tolist() == ["m1", "m1"]
    assert table["peak"][1] == broken.index[450]
    assert table["channels"][1] == ["load"]
    assert {*table.columns} >= {"series", "start", "end", "peak", "severity", "channels"}


def test_the_explanation_of_a_spike_is_the_spike(detector):
    broken = stamped(make_broken())
    table = detector.explain(broken, top=3)
    assert len(table) == 6
    spike = table.iloc[3]
    assert spike["time"] == broken.index[450]
    assert spike["channel"] == "load"
    assert spike["observed"] == broken["load"].iloc[450]
    assert abs(spike["expected"]) < 2
    whole = detector.explain(broken, top=None)
    assert_allclose(whole.groupby("start")["share"].sum(), 1.0)


def test_a_series_without_anomalies_has_an_empty_table(detector):
    normal = stamped(make_series(50, seed=3))
    assert len(detector.find_anomalies(normal)) == len(detector.explain(normal)) == 0


# Containers


@pytest.mark.parametrize("method", ["score_samples", "decision_function", "predict"])
def test_results_are_in_the_container_that_came(detector, plain, method):
    frame = stamped(make_broken())
    scores = getattr(plain, method)(frame.to_numpy())
    assert scores.shape == (600,)
    of_frame = getattr(detector, method)(frame)
    assert isinstance(of_frame, pd.Series)
    assert of_frame.index.equals(frame.index)
    assert_array_equal(of_frame, scores)
    listed = getattr(plain, method)([frame.to_numpy(), frame.to_numpy()[:90]])
    assert [len(x) for x in listed] == [600, 90]
    assert_array_equal(listed[0], scores)
    long = pd.concat({"a": frame, "b": frame[:90]})
    of_long = getattr(detector, method)(long)
    assert of_long.index.equals(long.index)
    assert_array_equal(of_long.loc["a"], scores)


def test_reconstructions_and_errors_have_names_and_time_stamps(detector):
    frame = stamped(make_broken())
    expected = detector.reconstruct(frame)
    assert expected.columns.tolist() == ["load", "heat"]
    assert expected.index.equals(frame.index)
    values = detector.reconstruction_error(frame, per="value")
    assert values["load"].idxmax() == frame.index[450]
    steps = detector.reconstruction_error(frame)
    assert_allclose(steps, values.mean(axis=1))
    variance = detector.estimator_.scaler_.scaler_.var_
    of_expected = ((expected - frame) ** 2 / variance)["load"]
    assert np.corrcoef(of_expected, values["load"])[0, 1] > 0.9  # the one of medians


def test_one_channel_may_be_an_array_a_series_or_a_list():
    x = TRAIN[:400, 0]
    detector = SlidingWindowDetector(LSTMAutoencoderDetector(**TINY), window_size=SIZE).fit(x)
    scores = detector.score_samples(x)
    assert_array_equal(detector.score_samples(x[:, None]), scores)
    assert_array_equal(detector.score_samples(x.tolist()), scores)
    assert_array_equal(detector.score_samples(pd.Series(x, name="x")), scores)
    assert detector.reconstruct(x).shape == (400,)


def test_categories_are_scored_and_explained():
    frame = stamped(TRAIN[:400]).assign(state=np.where(TRAIN[:400, 0] > 0, "on", "off"))
    estimator = LSTMAutoencoderDetector(**TINY, handle_unknown="unknown")
    detector = SlidingWindowDetector(estimator, window_size=SIZE).fit(frame)
    broken = frame.copy()
    broken.iloc[200, 2] = "fire"
    scores = detector.score_samples(broken)
    assert scores.idxmin() in broken.index[190:211]
    worst = detector.explain(broken, top=1).set_index("time").loc[broken.index[200]]
    assert (worst["channel"], worst["observed"]) == ("state", "fire")
    assert {*detector.reconstruct(frame)["state"]} <= {"on", "off"}
    stream = detector.set_params(aggregation="last").stream()
    last = [stream.update(row) for row in broken.iloc[: SIZE + 5].to_dict("records")]
    assert_allclose(last[SIZE:], detector.score_samples(broken)[SIZE : SIZE + 5], rtol=1e-5)


# What a score depends on


def test_a_score_depends_on_one_window_of_what_follows(plain):
    whole = make_broken()
    scores = plain.score_samples(whole)
    changed = whole.copy()
    changed[300:] += 5
    assert_allclose(plain.score_samples(changed)[: 300 - SIZE], scores[: 300 - SIZE], rtol=1e-5)
    shorter = plain.score_samples(whole[:300])
    assert_allclose(shorter[: 300 - SIZE], scores[: 300 - SIZE], rtol=1e-5)


def test_with_last_a_score_depends_on_nothing_that_follows(plain):
    causal = clone(plain).set_params(aggregation="last")
    causal.__dict__ |= {k: v for k, v in vars(plain).items() if k.endswith("_") or k[0] == "_"}
    whole = make_broken()
    scores = causal.score_samples(whole)
    assert_allclose(causal.score_samples(whole[:300])[SIZE:], scores[SIZE:300], rtol=1e-5)
    stream = causal.stream()
    streamed = np.array([stream.update(step) for step in whole[:120]])
    assert np.isnan(streamed[: SIZE - 1]).all()
    assert_allclose(streamed[SIZE - 1 :], scores[SIZE - 1 : 120], rtol=1e-5)


def test_an_anomaly_in_the_training_series_is_no_measure_of_itself():
    series = TRAIN.copy()
    series[600:640, 1] = -series[600:640, 1]
    detector = SlidingWindowDetector(SMALL, window_size=SIZE)
    scores = detector.fit(series).score_samples(series)
    assert 590 < np.argmin(scores) < 650


def test_runs_are_recognised_wherever_they_are():
    series = np.arange(50.0)[:, None] % 17
    runs = KnownRuns.of(series, np.array([0, 30, 50]), 8)
    spans = np.array([[0, 8], [3, 11], [4, 9]])
    other = np.concatenate([series[20:28], [[99.0]], series[5:20]])
    assert runs.find(other, spans).tolist()[0] == [3, 11]  # 20 % 17 is 3
    assert runs.find(other, spans).tolist()[1:] == [[-1, -1]] * 2


@pytest.mark.parametrize("aggregation", ["mean", "median", "last"])
def test_errors_of_forecasts_make_scores_lower(detector, aggregation):
    broken = stamped(make_broken())
    detector = copy.copy(detector).set_params(aggregation=aggregation)
    found = detector.score_samples(broken).to_numpy()
    detector._forecasts = None
    alone = detector.score_samples(broken).to_numpy()
    assert (found <= alone + 1e-9).all()
    assert found[450] < alone[450] - 0.1  # a spike


# Other detectors


@pytest.mark.parametrize(
    "estimator",
    [
        IsolationForest(random_state=0),
        LocalOutlierFactor(novelty=True),
        make_pipeline(StandardScaler(), IsolationForest(random_state=0)),
        make_pipeline(LSTMAutoencoderTransformer(**TINY), IsolationForest(random_state=0)),
    ],
    ids=["forest", "neighbours", "pipeline", "codes"],
)
def test_any_outlier_detector_scores_windows(estimator):
    detector = SlidingWindowDetector(estimator, window_size=SIZE).fit(TRAIN)
    broken = make_series(400, seed=2)
    broken[200:240] = 4.0
    scores = detector.score_samples(broken)
    assert scores.shape == (400,)
    assert 195 < np.argmin(scores) < 245
    assert {*map(len, detector.find_anomalies(broken)["channels"])} == {0}
    assert not hasattr(detector, "reconstruct")
    assert not hasattr(estimator, "n_features_in_")


def test_a_detector_of_tables_refuses_what_is_no_table_of_its_windows():
    forest = SlidingWindowDetector(IsolationForest(random_state=0), window_size=SIZE)
    with pytest.raises(ValueError, match="Expected numbers for IsolationForest"):
        forest.fit(stamped(TRAIN).assign(state="on"))
    forest.fit(TRAIN)
    with (
        pytest.warns(UserWarning, match="one shorter window"),
        pytest.raises(ValueError, match="series of at least one window"),
    ):
        forest.predict(TRAIN[:20])
    with pytest.raises(TypeError, match="score_samples or decision_function, got a StandardScaler"):
        SlidingWindowDetector(StandardScaler()).fit(TRAIN)
    with pytest.raises(AttributeError, match="explain") as caught:
        forest.explain(TRAIN)
    assert "as a IsolationForest reconstructs nothing" in str(caught.value.__cause__)


def test_beside_an_anomaly_is_more_abnormal_than_elsewhere_but_less_than_any_anomaly():
    spans = np.stack([np.arange(0, 381, 5), np.arange(20, 401, 5)], axis=1)

    def overlap(a, b):
        return (spans[:, 0] < b) & (a < spans[:, 1])

    values = np.where(overlap(100, 110), 5.0, np.where(overlap(300, 310), 2.5, 0.3))
    found = WindowScores(-values, values, np.zeros(len(values)))
    scores = score_steps(found, spans, 400, "median")
    strong, weak, beside, elsewhere = scores[[105, 305, 88, 200]]
    assert strong < weak < -SUSPECT < beside < elsewhere
    assert_allclose([strong, weak, elsewhere], [-5.0, -2.5, -0.3])


# The threshold


@pytest.mark.parametrize("contamination", [0.02, 0.1])
def test_contamination_is_the_fraction_of_training_outliers(contamination):
    forest = IsolationForest(random_state=0)
    detector = SlidingWindowDetector(
        forest, window_size=SIZE, stride=1, contamination=contamination
    )
    assert_allclose(np.mean(detector.fit_predict(TRAIN) < 0), contamination, atol=0.002)


def test_the_threshold_holds_the_quantile_on_held_out_time_stamps():
    scores = np.concatenate([np.full(900, -1.0), -np.arange(100.0)])
    is_held_out = np.arange(1000) >= 900
    enough = threshold(scores, is_held_out, 0.9, 100, 50, n_values=0)
    assert np.mean(scores[900:] >= enough) == 0.9
    for n_values in (2, 1, 0):
        found = [threshold(scores, is_held_out, 0.9, n, 2, n_values) for n in (4, 6, 9, 90)]
        assert np.mean(scores[900:] >= found[-1]) >= 0.9
        assert found == sorted(found)  # the fewer windows, the more cautious


@pytest.mark.parametrize("n_values", [1, 2])
def test_the_assumed_threshold_is_that_of_exponential_variables(n_values):
    b, *a = np.random.default_rng(0).exponential(size=(1 + n_values, 400_000))
    drawn = np.quantile(-np.log1p(np.max(a, axis=0)) - SHAPE * np.log1p(b), 0.01)
    assert_allclose(-drawn, SUSPECT, atol=0.1)  # what normal windows hardly exceed
    scores = np.full(1000, -0.1)
    found = threshold(scores, np.zeros(1000, dtype=bool), 0.99, 1, 0, n_values)
    assert_allclose(found, 1 / 99 * -0.1 + 98 / 99 * drawn, rtol=0.01)


def test_of_few_time_stamps_the_lowest_are_outliers_unless_all_are_alike():
    nothing = np.zeros(100, dtype=bool)
    equal = np.array([-2.0] * 10 + [-1.0] * 90)
    assert threshold(equal, nothing, 0.99, 2, 0, n_values=1) == -1.0
    assert threshold(np.full(100, -1.0), nothing, 0.99, 2, 0, n_values=1) < -1.0


def test_intervals_close_to_each_other_are_one():
    decision = np.where(np.isin(np.arange(40), [3, 4, 8, 20, 39]), -1.0, 1.0)
    decision[21:24] = -3.0
    found = [(one.start, one.stop) for one in find_intervals(decision, 5)]
    assert found == [(3, 9), (21, 24), (39, 40)]  # at half the depth
    assert find_intervals(np.ones(40), 5) == []


# Real time


def test_a_stream_is_pickled_and_goes_on(detector):
    broken = make_broken()
    stream, other = detector.stream(), detector.stream()
    for step in broken[:60]:
        stream.update(step)
        other.update({"heat": step[1], "load": step[0]})
    again = pickle.loads(pickle.dumps(stream))
    for step in broken[60:65]:
        score = stream.update(step)
        assert again.update(step) == score == other.update(pd.Series(step, ["load", "heat"]))


def test_streamed_scores_are_those_of_last(plain):
    last = clone(plain).set_params(aggregation="last").fit(TRAIN)
    broken = make_broken()
    broken[70:75, 0] = np.nan
    expected = last.score_samples(broken)
    stream = plain.stream()
    streamed = np.array([stream.update(step) for step in broken.tolist()])
    assert np.isnan(streamed[: SIZE - 1]).all()
    assert_allclose(streamed[SIZE - 1 :], expected[SIZE - 1 :], atol=1e-5)


def test_what_is_no_step_of_the_series_is_refused(detector):
    stream = detector.stream()
    with pytest.raises(ValueError, match="inf"):
        stream.update([np.inf, 1.0])
    with pytest.raises(ValueError, match="values of 2 channels, got 3"):
        stream.update([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="got none for 'heat'"):
        stream.update({"load": 1.0})
    with pytest.raises(NotFittedError):
        SlidingWindowDetector().stream()


# Bad input


def test_a_short_series_is_one_short_window(plain):
    with pytest.warns(UserWarning, match=f"has 12 time stamps, but window_size={SIZE}"):
        assert plain.score_samples(TRAIN[:12]).shape == (12,)


def test_gaps_longer_than_a_window_have_no_score(plain):
    gappy = make_series(300, seed=4)
    gappy[100:180] = np.nan
    gappy[250] = np.nan
    with pytest.warns(UserWarning, match="time stamps have no observed value.*scores are NaN"):
        scores = plain.score_samples(gappy)
    unknown = np.flatnonzero(np.isnan(scores))
    assert len(unknown)
    assert unknown.min() >= 100
    assert unknown.max() < 180
    with pytest.warns(UserWarning, match="scores are NaN"):
        assert (plain.predict(gappy)[unknown] == 1).all()


def test_a_constant_channel_is_no_anomaly():
    series = np.column_stack([TRAIN[:, 0], np.full(len(TRAIN), 7.0)])
    detector = SlidingWindowDetector(SMALL, window_size=SIZE).fit(series)
    assert np.isfinite(detector.score_samples(series)).all()
    other = series.copy()
    other[500:520, 1] = 7.5
    assert detector.find_anomalies(other)["channels"].iloc[0] == [1]


def test_missing_time_stamps_are_missing_values(detector):
    frame = stamped(make_broken())
    gappy = frame.drop(frame.index[[100, 101, 300]])
    with pytest.warns(UserWarning, match="3 of 600 regular ones are not there"):
        scores = detector.score_samples(gappy)
    assert scores.index.equals(gappy.index)
    with pytest.warns(UserWarning, match="regular"):
        assert detector.find_anomalies(gappy)["peak"].iloc[1] == frame.index[450]


@pytest.mark.parametrize(
    ("X", "text"),
    [
        (TRAIN[:, :1], "X has 1 features, but SlidingWindowDetector is expecting 2 features"),
        (stamped(TRAIN)[["heat", "load"]], "must be in the same order"),
        ([TRAIN, TRAIN[:0]], "series 1 is empty"),
        ([], "0 sample"),
        (stamped(TRAIN)[::-1], "time stamps that rise"),
        (np.where(TRAIN > 1, np.inf, TRAIN), "infinity"),
    ],
)
def test_what_fit_has_not_seen_is_refused(detector, X, text):
    with pytest.raises(ValueError, match=text):
        detector.predict(X)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("window_size", 0),
        ("stride", 0),
        ("aggregation", "max"),
        ("contamination", 0.7),
        ("quantile", 1.0),
        ("estimator", 3),
    ],
)
def test_parameters_out_of_range_are_refused(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter.*the default is {parameter}="):
        SlidingWindowDetector(**{parameter: value}).fit(TRAIN)


def test_a_stride_that_leaves_out_time_stamps_is_refused():
    with pytest.raises(ValueError, match="stride must be at most window_size=40"):
        SlidingWindowDetector(SMALL, window_size=SIZE, stride=41).fit(TRAIN)


def test_after_an_error_the_detector_is_as_it_was(plain):
    other = pickle.loads(pickle.dumps(plain))
    state = dict(vars(other))
    with pytest.raises(ValueError, match="infinity"):
        other.fit(np.where(TRAIN > 1, np.inf, TRAIN))
    assert vars(other) == state


# Files


def test_a_loaded_detector_has_identical_scores(detector):
    frame = stamped(make_broken())
    for kept in (detector, clone(detector).set_params(estimator=None)):
        if kept is not detector:
            kept.__dict__ |= {k: v for k, v in vars(detector).items() if k not in kept.__dict__}
        file = io.BytesIO()
        kept.save(file)
        file.seek(0)
        loaded = load(file)
        assert repr(loaded) == repr(kept)
        assert vars(loaded).keys() == vars(kept).keys()
        assert_array_equal(loaded.score_samples(frame), detector.score_samples(frame))
        pd.testing.assert_frame_equal(loaded.explain(frame), detector.explain(frame))


def test_what_is_no_part_of_a_detector_is_neither_saved_nor_loaded(detector, tmp_path):
    forest = SlidingWindowDetector(IsolationForest(random_state=0), window_size=SIZE).fit(TRAIN)
    with pytest.raises(TypeError, match=r"over a IsolationForest: save it by joblib\.dump"):
        forest.save(tmp_path / "forest.zip")
    other = pickle.loads(pickle.dumps(detector))
    other.note = "mine"
    with pytest.raises(TypeError, match="'note' is unknown"):
        other.save(tmp_path / "other.zip")
    del other.note
    other._training_windows = None
    with pytest.raises(TypeError, match="_training_windows"):
        other.save(tmp_path / "other.zip")
    assert not list(tmp_path.iterdir())


def test_the_detector_passes_the_checks_of_scikit_learn():
    tiny = LSTMAutoencoderDetector(**TINY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(SlidingWindowDetector(tiny, window_size=20))
    assert sum(result["status"] == "passed" for result in results) >= 40


def test_the_default_detector_is_an_autoencoder_and_does_not_warn(monkeypatch):
    from sklearn_seqae.estimators import series_detector

    monkeypatch.setattr(series_detector, "DEFAULT_EPOCHS", 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        detector = SlidingWindowDetector(window_size=20).fit(TRAIN[:300, 0])
    assert isinstance(detector.estimator_, LSTMAutoencoderDetector)
    assert detector.estimator is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda outer: outer.pop("estimator_"), FileFormatError),
        (lambda outer: outer["attributes"].pop("offset_"), FileFormatError),
        (lambda outer: outer["attributes"].update(note="mine"), FileFormatError),
        (lambda outer: outer["attributes"].update(offset_="low"), FileFormatError),
        (lambda outer: outer["parameters"].update(window_size=0), FileFormatError),
        (lambda outer: outer["parameters"].update(estimator="other"), FileFormatError),
        (lambda outer: outer["estimator_"].update(path=outer["path"]), FileFormatError),
        (lambda outer: outer["estimator_"].update(path="os:system"), UntrustedError),
        (lambda outer: outer["attributes"].update(offset_=OS_SYSTEM), UntrustedError),
        (lambda outer: outer["parameters"].update(quantile=OS_SYSTEM), UntrustedError),
        (lambda outer: _misshape(outer["attributes"]["_forecasts"]["state"]), FileFormatError),
        (
            lambda outer: outer["attributes"]["_forecasts"]["state"].update(backward=None),
            FileFormatError,
        ),
    ],
)
def test_a_forged_file_is_refused_in_words(detector, change, error):
    file = io.BytesIO()
    detector.save(file)
    file.seek(0)
    whole = archive.Archive(file)
    manifest, arrays = copy.deepcopy(whole.manifest), whole.arrays()
    change(manifest["estimator"])
    forged = io.BytesIO()
    archive.write(forged, manifest, arrays)
    forged.seek(0)
    with pytest.raises(error):
        load(forged)
