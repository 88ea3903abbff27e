"""The detector: scores, threshold and attribution."""

import copy
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.base import clone, is_outlier_detector
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from sklearn_seqae import LSTMAutoencoderDetector
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.datasets import make_ragged_sines
from sklearn_seqae.estimators.anomaly_score import (
    COMPONENTS,
    MAX_NEIGHBOURS,
    LogTDistribution,
    ReferenceDistribution,
    combine,
    threshold,
)
from sklearn_seqae.estimators.neighbours import FARTHEST, Neighbours
from tests.conftest import TINY, make_ragged

NAN = np.nan


@pytest.fixture(scope="module")
def sines():
    """Sixty normal sequences of 20 to 60 steps of two channels."""
    return make_ragged_sines(60, random_state=0)[0]


@pytest.fixture(scope="module")
def detector(sines):
    """A detector with pooled features, trained for long enough to reconstruct them."""
    return LSTMAutoencoderDetector(units=12, epochs=20, random_state=0).fit(sines)


@pytest.fixture(scope="module")
def plain(ragged):
    """A detector without kernels, on short sequences, some of them empty."""
    return LSTMAutoencoderDetector(**TINY).fit(ragged)


def spiked(x, step=7, channel=1, size=4.0):
    x = x.copy()
    x[step, channel] += size
    return x


# scikit-learn


@pytest.mark.long
@pytest.mark.kernels
def test_scikit_learn_finds_nothing_to_object():
    results = check_estimator(
        LSTMAutoencoderDetector(n_components=3, units=4, epochs=2), on_fail=None, on_skip=None
    )
    problems = [r for r in results if r["status"] not in ("passed", "skipped")]
    assert not problems
    passed = {r["check_name"] for r in results if r["status"] == "passed"}
    assert {"check_outliers_train", "check_outliers_fit_predict"} <= passed
    assert sum(r["status"] == "passed" for r in results) >= 44
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {
        "check_array_api_input"
    }


def test_it_is_an_outlier_detector_and_clones(detector):
    assert is_outlier_detector(detector)
    assert vars(clone(detector)).keys() == detector.get_params().keys()


def test_a_pipeline_predicts_and_a_search_ranks_by_known_anomalies(ragged):
    y = np.resize([1, 1, 1, -1], 40)
    model = make_pipeline(FunctionTransformer(), LSTMAutoencoderDetector(**TINY)).fit(ragged)
    assert set(model.predict(ragged)) <= {-1, 1}
    search = GridSearchCV(
        LSTMAutoencoderDetector(**TINY),
        {"quantile": [0.9, 0.99]},
        scoring="roc_auc",
        cv=[(np.arange(40), np.arange(40))],
        error_score="raise",
    ).fit(ragged, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# Scores


def test_anomalies_of_many_kinds_score_lower_than_normal_sequences(detector):
    X, _ = make_ragged_sines(60, random_state=1)
    rng = np.random.default_rng(0)
    hosts = X[:30]
    outliers = {
        "spike": [spiked(x) for x in hosts],
        "frozen": [np.vstack([x[:8], np.tile(x[8], (len(x) - 8, 1))]) for x in hosts],
        "shifted": [x + np.array([0, 1.5]) for x in hosts],
        "noisy": [x + rng.normal(scale=0.6, size=x.shape) for x in hosts],
        "fast": [x[::2] for x in hosts],
        "short": [x[:6] for x in hosts],
        "long": [np.vstack([x, x, x, x]) for x in hosts],
    }
    normal = detector.score_samples(X[30:])
    for kind, sequences in outliers.items():
        scores = np.concatenate([normal, detector.score_samples(sequences)])
        assert roc_auc_score(np.arange(60) < 30, scores) > 0.8, kind


def test_scores_threshold_and_predictions_are_consistent(detector, sines):
    X = [*sines[:5], spiked(sines[0]), sines[1][:3]]
    scores = detector.score_samples(X)
    assert scores.dtype == np.float64
    assert (scores <= 0).all()
    assert_array_equal(detector.decision_function(X), scores - detector.offset_)
    labels = detector.predict(X)
    assert labels.dtype == np.int64
    assert_array_equal(labels, np.where(scores >= detector.offset_, 1, -1))
    assert labels[-2:].tolist() == [-1, -1]


@pytest.mark.kernels
@settings(max_examples=15)
@given(data=st.data())
def test_a_score_depends_on_its_sequence_alone(plain, data):
    lengths = data.draw(st.lists(st.integers(0, 12), min_size=1, max_size=30))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    X = [rng.normal(size=(n, 2)) for n in lengths]
    order = data.draw(st.permutations(range(len(X))))
    kept = order[: data.draw(st.integers(1, len(X)))]
    scores = plain.score_samples(X)
    assert np.isfinite(scores).all()
    assert_array_equal(plain.score_samples([X[i] for i in order]), scores[order])
    alone = plain.score_samples([X[i] for i in kept])
    assert_allclose(alone, scores[kept], rtol=1e-3, atol=1e-4)


@pytest.mark.kernels
def test_a_score_with_kernels_depends_on_its_sequence_alone(detector, sines):
    scores = detector.score_samples(sines)
    assert_allclose(detector.score_samples(sines[::-1])[::-1], scores, rtol=1e-6)
    assert_allclose(detector.score_samples(sines[17:18]), scores[17:18], atol=1e-4)
    width = max(map(len, sines)) + 3
    array = np.full((len(sines), width, 2), NAN)
    for row, x in zip(array, sines, strict=True):
        row[: len(x)] = x
    assert_allclose(detector.score_samples(array), scores, atol=1e-4)


def test_empty_and_unobserved_sequences_have_scores(plain, detector):
    X = [np.empty((0, 2)), np.full((4, 2), NAN)]
    assert np.isfinite(plain.score_samples(X)).all()
    # In training a twentieth were empty, so here an empty sequence is normal.
    assert plain.predict(X[:1]).tolist() == [1]
    assert detector.predict(X).tolist() == [-1, -1]
    assert detector.explain(X)["share"].notna().all()


def test_missing_values_do_not_count(detector, sines):
    x = spiked(sines[0])
    gap = x.copy()
    gap[7, 1] = NAN
    scores = detector.score_samples([sines[0], x, gap])
    assert scores[1] < scores[2]
    assert detector.predict([x, gap]).tolist() == [-1, 1]
    table = detector.explain([gap], top=None)
    values = table[table["part"] == "values"]
    assert not ((values["step"] == 7) & (values["channel"] == 1)).any()
    assert len(values) == gap.size - 1


# The largest ones overflow where they are scaled, and there is a warning then.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("size", [1e10, 1e30, 3e38])
def test_extreme_values_have_finite_scores_and_are_outliers(detector, sines, size):
    x = spiked(sines[0], size=size)
    scores = detector.score_samples([x, -x])
    assert np.isfinite(scores).all()
    assert detector.predict([x, -x]).tolist() == [-1, -1]
    table = detector.explain([x], top=1)
    assert table[["part", "step", "channel"]].iloc[0].tolist() == ["values", 7, 1]
    assert table["share"].sum() <= 1 + 1e-9


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_with_a_linear_path_new_sequences_are_normal_and_extreme_ones_are_attributed(sines):
    model = LSTMAutoencoderDetector(units=4, epochs=1, shortcut="cosine", random_state=0)
    # It would reconstruct held-out sequences better than these, had it been computed from them.
    assert np.mean(model.fit(sines).predict(make_ragged_sines(100, random_state=3)[0]) < 0) <= 0.1
    x = spiked(sines[0], size=3e38)
    assert model.predict([x]).tolist() == [-1]
    first = model.explain([x], top=1).iloc[0]
    assert first[["part", "step", "channel"]].tolist() == ["values", 7, 1]


@pytest.mark.kernels
def test_a_training_sequence_is_not_its_own_neighbour(detector, sines):
    shape = detector._anomaly_scores(sines)[:, 1]
    # Distances are distributed as those of new sequences.
    assert 0.3 < np.median(np.exp(-shape)) < 0.7
    other = detector._anomaly_scores(make_ragged_sines(60, random_state=5)[0])[:, 1]
    assert abs(np.median(shape) - np.median(other)) < 0.4


def test_copies_score_to_the_bit_without_tensorflow_loaded(detector, sines):
    scores = detector.score_samples(sines)
    for other in (pickle.loads(pickle.dumps(detector)), copy.deepcopy(detector)):
        assert_array_equal(other.score_samples(sines), scores)
        assert other.offset_ == detector.offset_


def test_the_same_seed_gives_the_same_scores(plain, ragged):
    again = LSTMAutoencoderDetector(**TINY).fit(ragged)
    assert_array_equal(again.score_samples(ragged), plain.score_samples(ragged))
    assert again.offset_ == plain.offset_


# The threshold


def test_held_out_sequences_are_those_left_out_of_training(detector, sines):
    assert len(detector.held_out_) == 6
    assert len(np.unique(detector.held_out_)) == 6
    other = clone(detector).set_params(early_stopping=False, epochs=1).fit(sines)
    assert other.held_out_.tolist() == []
    assert np.isfinite(other.offset_)


@pytest.mark.kernels
def test_new_normal_sequences_are_hardly_ever_outliers(detector):
    X, _ = make_ragged_sines(100, random_state=3)
    assert np.mean(detector.predict(X) == -1) <= 0.1
    assert detector.offset_ == np.log(0.01)  # of 6 held-out scores none is a quantile


def test_a_lower_quantile_calls_more_outliers(sines, detector):
    X, _ = make_ragged_sines(100, random_state=3)
    parts = []
    for quantile in (0.5, 0.9, 0.99):
        other = copy.deepcopy(detector).set_params(quantile=quantile)
        other._calibrate(other._read(sines), other.held_out_)
        parts.append(np.mean(other.predict(X) == -1))
    assert parts == sorted(parts, reverse=True)
    assert 0.2 < parts[0] < 0.8


def test_enough_held_out_scores_are_the_threshold_themselves():
    scores = np.log(np.arange(1, 100) / 100)
    assert threshold(scores, 0.99, 99) == scores[0]
    assert threshold(scores, 0.9, 99) == scores[9]
    assert threshold(scores[:98], 0.99, 98) == np.log(1 - 0.99)
    # With few groups, however large, scores are taken as logarithms of p-values.
    assert threshold(scores, 0.9, 9) == scores[9]
    assert threshold(scores, 0.9, 8) == np.log(1 - 0.9)
    assert threshold(scores[:0], 0.9, 0) == np.log(1 - 0.9)


@pytest.mark.parametrize("contamination", [0.05, 0.25, 0.5])
def test_a_float_of_contamination_is_the_fraction_of_training_outliers(
    sines, detector, contamination
):
    other = copy.deepcopy(detector).set_params(contamination=contamination)
    other._calibrate(other._read(sines), other.held_out_)
    assert np.sum(other.predict(sines) == -1) == round(contamination * 60)


def test_fit_predict_is_fit_then_predict(ragged):
    labels = LSTMAutoencoderDetector(**TINY, contamination=0.25).fit_predict(ragged)
    other = LSTMAutoencoderDetector(**TINY, contamination=0.25).fit(ragged)
    assert_array_equal(other.predict(ragged), labels)
    assert (labels == -1).sum() == 10


def test_anomalies_among_the_training_sequences_are_found(sines):
    X = [*sines[:57], *(spiked(x, size=6.0) for x in sines[57:])]
    model = LSTMAutoencoderDetector(units=12, epochs=20, contamination=0.05, random_state=0)
    assert np.flatnonzero(model.fit_predict(X) == -1).tolist() == [57, 58, 59]


@pytest.mark.parametrize("n_sequences", [1, 2, 3])
def test_few_sequences_are_enough_to_fit(sines, n_sequences):
    model = LSTMAutoencoderDetector(units=4, epochs=1, random_state=0).fit(sines[:n_sequences])
    scores = model.score_samples([*sines, np.empty((0, 2))])
    assert np.isfinite(scores).all()
    assert set(model.explain(sines[:2])["part"]) >= {"values", "shape"}


@pytest.mark.kernels
def test_sequences_that_are_all_alike_are_normal_and_others_are_not():
    x = np.sin(np.arange(30.0))[:, None]
    model = LSTMAutoencoderDetector(units=8, epochs=30, random_state=0).fit([x] * 30)
    assert model.predict([x, -x, x[::3]]).tolist() == [1, -1, -1]


def test_warm_start_estimates_a_new_reference_distribution(ragged):
    model = LSTMAutoencoderDetector(**TINY, warm_start=True).fit(ragged)
    before = model._reference
    model.fit(ragged[:20])
    assert model.n_epochs_ == 4
    assert model._reference is not before
    assert len(model._reference.neighbours) == 20


def test_an_error_leaves_the_detector_as_it_was(plain, ragged, monkeypatch):
    model = copy.deepcopy(plain)
    scores = model.score_samples(ragged)

    def fail(*arguments, **others):
        raise RuntimeError("no")

    monkeypatch.setattr(ReferenceDistribution, "fit", fail)
    with pytest.raises(RuntimeError, match="no"):
        model.fit(ragged[:20])
    assert_array_equal(model.score_samples(ragged), scores)
    assert model.offset_ == plain.offset_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"contamination": 0.6}, "contamination.*default is contamination='auto'"),
        ({"contamination": 0.0}, "contamination"),
        ({"contamination": "some"}, "contamination"),
        ({"quantile": 1.0}, r"quantile.*default is quantile=0\.99"),
        ({"quantile": 99}, "quantile"),
    ],
)
def test_a_bad_parameter_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        LSTMAutoencoderDetector(**parameters).fit([[[1.0], [2.0]]])


# The table


def test_the_largest_share_is_that_of_the_value_that_was_changed(detector):
    X, _ = make_ragged_sines(20, random_state=4)
    table = detector.explain([spiked(x, i % 18, i % 2) for i, x in enumerate(X)], top=1)
    first = table[table["part"] == "values"].set_index("sequence")
    hits = [(first["step"][i], first["channel"][i]) == (i % 18, i % 2) for i in range(20)]
    assert np.mean(hits) >= 0.9


def test_shares_add_up_and_are_sorted_within_sequences(detector, sines):
    X = [spiked(sines[0]), sines[1], sines[2][:4], np.vstack([sines[3]] * 3)]
    table = detector.explain(X, top=None)
    assert table["sequence"].is_monotonic_increasing
    for i, part in table.groupby("sequence"):
        assert_allclose(part["share"].sum(), 1.0)
        assert part["share"].is_monotonic_decreasing
        assert (part["part"] == "values").sum() == X[i].size
    scores = detector._anomaly_scores(X)
    by_part = table.pivot_table("share", "sequence", "part", "sum").fillna(0.0)
    expected = scores / scores.sum(axis=1, keepdims=True)
    assert_allclose(by_part[list(COMPONENTS)], expected, atol=1e-9)
    lengths = table[table["part"] == "length"].set_index("sequence")
    assert lengths["observed"].to_dict() == {2: 4, 3: len(X[3])}
    assert lengths["expected"].to_dict() == {2: min(map(len, sines)), 3: max(map(len, sines))}


def test_the_table_has_observed_and_expected_values(detector, sines):
    X = [sines[0], spiked(sines[5])]
    table = detector.explain(X, top=3)
    columns = "sequence part step channel observed expected error share"
    assert list(table.columns) == columns.split()
    values = table[table["part"] == "values"]
    assert values.groupby("sequence").size().tolist() == [3, 3]
    decoded = detector.reconstruct(X)
    errors = detector.reconstruction_error(X, per="value")
    for row in values.itertuples():
        assert row.observed == np.float32(X[row.sequence][row.step, row.channel])
        assert_allclose(row.expected, decoded[row.sequence][row.step, row.channel], rtol=1e-5)
        assert_allclose(row.error, errors[row.sequence][row.step, row.channel])
    assert table[table["part"] == "shape"][["step", "channel", "error"]].isna().all(axis=None)
    assert (detector.explain(X, top=0)["part"] != "values").all()


def test_channels_and_sequences_have_their_names():
    rng = np.random.default_rng(0)
    frames = [pd.DataFrame(rng.normal(size=(n, 2)), columns=["flow", "heat"]) for n in range(3, 23)]
    X = pd.concat(frames, keys=[f"run {i}" for i in range(20)], names=["run", "time"])
    model = LSTMAutoencoderDetector(**TINY).fit(X)
    table = model.explain(X)
    assert set(table["channel"].dropna()) == {"flow", "heat"}
    assert table["sequence"].drop_duplicates().tolist() == [f"run {i}" for i in range(20)]
    # An array of the same channels is explained by their names, too.
    assert set(model.explain([frames[0].to_numpy()])["channel"].dropna()) <= {"flow", "heat"}


def test_a_wide_frame_has_one_channel_and_its_rows_have_names(wide):
    X = pd.DataFrame(wide, index=[f"row {i}" for i in range(30)], columns=list("abcde"))
    table = LSTMAutoencoderDetector(**TINY).fit(X).explain(X, top=2)
    assert set(table["channel"].dropna()) == {0}
    assert table["sequence"].iloc[0] == "row 0"
    assert set(table["part"]) == {"values", "shape"}


def test_categories_are_in_the_table_as_themselves():
    rng = np.random.default_rng(0)
    X = [
        pd.DataFrame({"x": np.sin(np.arange(n)), "state": ["on"] * (n - 1) + ["off"]})
        for n in rng.integers(4, 9, 40)
    ]
    model = LSTMAutoencoderDetector(
        n_components=8, units=16, learning_rate=0.01, random_state=0
    ).fit(X)
    outlier = X[0].copy()
    outlier.loc[2, "state"] = "off"
    assert model.score_samples([outlier])[0] < model.score_samples([X[0]])[0]
    table = model.explain([outlier], top=1)
    row = table[table["part"] == "values"].iloc[0]
    assert row[["step", "channel", "observed", "expected"]].tolist() == [2, "state", "off", "on"]
    assert 0 < row["error"] <= 2


def test_a_custom_model_is_scored_by_its_codes(ragged):
    import keras

    def encoder(*, n_steps, n_channels, n_components):
        return keras.Sequential(
            [
                keras.Input((None, n_channels)),
                keras.layers.Masking(),
                keras.layers.GRU(n_components),
            ]
        )

    model = LSTMAutoencoderDetector(**TINY, encoder=encoder).fit(ragged)
    assert np.isfinite(model.score_samples(ragged)).all()
    assert model._reference.neighbours.shape == (40, 4)


@pytest.mark.parametrize("top", [-1, 2.5, "all", True])
def test_a_bad_number_of_rows_is_refused(plain, ragged, top):
    with pytest.raises(ValueError, match=r"top must be a number of values.*top=5"):
        plain.explain(ragged, top=top)


def test_without_pandas_there_is_an_error_that_names_the_extra(plain, ragged, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-seqae\[pandas\]"'):
        plain.explain(ragged)


# The reference distribution


def test_a_tenth_of_outliers_hardly_changes_the_estimates():
    rng = np.random.default_rng(0)
    normal = rng.normal(size=1000)
    clean = LogTDistribution.fit(normal, len(normal))
    assert abs(clean.location) < 0.1
    assert abs(clean.spread - 1) < 0.1
    contaminated = LogTDistribution.fit(np.append(normal[:920], np.full(80, 50.0)), 1000)
    assert abs(contaminated.location) < 0.2
    assert contaminated.spread < 2.0


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_are_those_of_all_distances(seed):
    rng = np.random.default_rng(seed)
    known = (5 + rng.normal(size=(80, 300)) * rng.choice([1e-3, 1.0], (80, 1))).astype(np.float32)
    near = (known[:40] + rng.normal(size=(40, 300)) * 1e-2).astype(np.float32)
    points = np.concatenate([known[:20], near])
    distances = cdist(points, known)
    found = Neighbours(known).distances(points)
    # A point is no neighbour of its own.
    assert_allclose(np.exp(found[:20]), np.sort(distances[:20], axis=1)[:, 1], rtol=1e-9)
    assert_allclose(np.exp(found[20:]), distances[20:].min(axis=1), rtol=1e-9)
    spans = np.stack([np.arange(80), np.arange(80) + 10], axis=1)
    apart = np.abs(np.arange(60)[:, None] - np.arange(80)) >= 10
    found = Neighbours(known).distances(points, (spans[:60], spans))
    assert_allclose(np.exp(found), np.where(apart, distances, np.inf).min(axis=1), rtol=1e-9)
    everywhere = np.tile([0, 100], (60, 1))
    assert np.isnan(Neighbours(known).distances(points, (everywhere, spans))).all()
    points[0] = np.nan  # of a sequence that overflowed
    assert Neighbours(known).distances(points)[0] == np.log(FARTHEST)


@pytest.mark.parametrize("n", [5, 30, 1000])
def test_neg_logsf_is_minus_the_log_of_a_p_value(n):
    rng = np.random.default_rng(0)
    drawn = [
        LogTDistribution.fit(rng.normal(size=n), n).neg_logsf(rng.normal(size=50))
        for _ in range(100)
    ]
    below = np.mean(np.exp(-np.concatenate(drawn)) < 0.05)
    assert below < 0.07
    far = LogTDistribution(0.0, 1.0, n).neg_logsf(np.array([0.0, 10.0, 1e3, 1e8]))
    assert np.isfinite(far).all()
    assert (np.diff(far) > 0).all()
    assert_allclose(far[0], np.log(2))


def test_held_out_errors_give_the_location_and_all_errors_the_spread():
    rng = np.random.default_rng(0)
    trained_on, held_out = rng.normal(size=200), rng.normal(3, 1, size=8)
    fitted = LogTDistribution.fit_held_out(trained_on, held_out, 8)
    assert abs(fitted.location - 3) < 1
    assert 0.5 < fitted.spread < 2
    assert LogTDistribution.fit_held_out(trained_on, held_out, 1).spread > fitted.spread
    of_none = LogTDistribution.fit_held_out(trained_on, held_out[:0], 0)
    assert of_none == LogTDistribution.fit(trained_on, len(trained_on))


def test_combined_probabilities_are_those_of_fishers_method():
    rng = np.random.default_rng(0)
    scores = np.column_stack([rng.exponential(size=(20_000, 2)), np.zeros(20_000)])
    probabilities = np.exp(combine(scores))
    assert_allclose(np.quantile(probabilities, [0.01, 0.5, 0.9]), [0.01, 0.5, 0.9], atol=0.01)
    assert combine(np.zeros((1, 3)))[0] == 0.0


def test_many_training_sequences_are_thinned_out():
    n = MAX_NEIGHBOURS + 50
    sequences = as_sequences(np.ones((n, 2)))
    features = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    errors = np.ones((2 * n, 1))
    reference, scores = ReferenceDistribution.fit(sequences, errors, features, np.arange(5), seed=0)
    assert reference.neighbours.shape == (MAX_NEIGHBOURS, 3)
    assert_allclose(reference.anomaly_scores(sequences, errors, features), scores)
    assert np.isfinite(scores).all()


def test_a_noisy_channel_does_not_hide_a_quiet_one():
    sequences = as_sequences(np.zeros((40, 5, 2)))
    rng = np.random.default_rng(0)
    errors = np.square(rng.normal(size=(200, 2)) * [1.0, 0.01])
    features = rng.normal(size=(40, 3)).astype(np.float32)
    reference, _ = ReferenceDistribution.fit(sequences, errors, features, np.arange(4), seed=0)
    errors[3, 1] = 0.05  # far less than a normal error of the other channel
    scores = reference.anomaly_scores(sequences, errors, features)[:, 0]
    assert scores.argmax() == 0
    assert reference.error_fractions(sequences, errors)[3, 1] > 0.9


@pytest.mark.parametrize("scaler", ["per_sequence", "robust", None])
def test_missing_values_and_any_scaler_give_scores(scaler):
    X = make_ragged(missing=0.3, seed=3)
    tiny = TINY | {"n_components": 6}
    model = LSTMAutoencoderDetector(**tiny, scaler=scaler).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    assert model.explain(X)["share"].between(0, 1).all()


def test_a_table_is_as_wide_as_the_training_sequences_and_a_list_may_have_any_length(wide):
    model = LSTMAutoencoderDetector(**TINY).fit(wide.tolist())
    with pytest.raises(ValueError, match=r"X has 4 features, but .* expecting 5.*or a list"):
        model.predict(wide[:, :4])
    assert_array_equal(model.predict(wide), model.predict(wide.tolist()))
    assert model.predict([*wide[:, :4]]).shape == (30,)
