"""Categories that fit did not see, or hardly: `handle_unknown` and `min_frequency`."""

import copy
import io
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import cross_val_score

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer, load
from sklearn_seqae.__main__ import main
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.estimators.metrics import mean_squared_error
from sklearn_seqae.preprocessing.categories import MixedScaler, adopt, join_infrequent

TINY = {"n_components": 4, "units": 4, "epochs": 2, "random_state": 0}
FORMATS = Path(__file__).parents[1] / "formats"


def make_words(n_words=40, letters="abc", seed=0):
    """Return sequences of letters, of 2 to 8 steps."""
    rng = np.random.default_rng(seed)
    return [list(rng.choice(list(letters), size=rng.integers(2, 9))) for _ in range(n_words)]


WORDS = make_words()
RARE = [*WORDS, ["a", "r", "b"], ["q", "a", "r"]]
UNSEEN = ["a", "zz", "b"]


@pytest.fixture(scope="module")
def lenient():
    """An estimator that takes unknown categories."""
    return LSTMAutoencoderTransformer(**TINY, handle_unknown="unknown").fit(WORDS)


@pytest.fixture(scope="module")
def joining():
    """An estimator of which "q" and "r" are one category."""
    ae = LSTMAutoencoderTransformer(**TINY, min_frequency=3, handle_unknown="unknown")
    return ae.fit(RARE)


@pytest.fixture(scope="module")
def detector():
    return LSTMAutoencoderDetector(**TINY, handle_unknown="unknown").fit(WORDS)


# Unknown categories


def test_the_error_of_an_unknown_category_names_the_parameter(lenient):
    strict = copy.deepcopy(lenient).set_params(handle_unknown="error")
    with pytest.raises(
        ValueError, match=r"got 'zz' in sequence 1: .* handle_unknown='unknown'"
    ) as e:
        strict.transform([["a"], UNSEEN])
    assert "None" not in str(e.value)


def test_unknown_categories_are_read_and_sequences_beside_them_are_as_they_were(lenient):
    Z = lenient.transform([UNSEEN, *WORDS])
    assert np.isfinite(Z).all()
    assert_allclose(Z[1:], lenient.transform(WORDS), atol=1e-5)
    assert set(lenient.reconstruct([UNSEEN])[0]) <= set("abc")
    assert np.isfinite(lenient.score([UNSEEN]))
    assert_array_equal(lenient.categories_[0], list("abc"))


def test_imputation_keeps_an_unknown_category_as_it_was(lenient):
    filled = lenient.impute([["a", "zz", None]])[0]
    assert filled[:2].tolist() == ["a", "zz"]
    assert filled[2] in "abc"
    dtype = pd.CategoricalDtype(["c", "b", "a"], ordered=True)
    frames = [pd.DataFrame({"s": pd.Categorical(list("abcab"), dtype=dtype)})] * 12
    ae = LSTMAutoencoderTransformer(**TINY, handle_unknown="unknown").fit(frames)
    given = pd.DataFrame({"s": pd.Categorical(["new", None, "a"])})
    filled = ae.impute([given])[0]["s"]
    assert filled.iloc[0] == "new"
    assert filled.dtype.ordered
    assert filled.cat.categories.tolist() == ["c", "b", "a", "new"]


@pytest.mark.parametrize("n_categories", [1, 2, 7])
@pytest.mark.parametrize("seed", range(3))
def test_no_category_has_a_larger_error_than_an_unknown_one(n_categories, seed):
    categories = [f"s{i}" for i in range(n_categories)]
    learned = as_sequences([categories], "from_dtype")
    scaler = MixedScaler("standard").fit(learned)
    given = adopt(
        as_sequences([[*categories, "other"]], "from_dtype"), learned.categories, "unknown"
    )
    sharpness = np.random.default_rng(seed).normal(size=n_categories) * 10**seed
    p = np.exp(sharpness - sharpness.max())
    p /= p.sum()
    decoded = Sequences.from_lengths(np.tile(p, (n_categories + 1, 1)), [n_categories + 1])
    targets = scaler.targets(scaler.transform(given), given)
    (errors,) = mean_squared_error(targets, decoded, "value", scaler.channels)
    assert_allclose(errors[-1], 1 + (p**2).sum(), rtol=1e-5)
    assert errors[-1, 0] >= errors[:-1].max() * (1 - 1e-5)
    assert scaler.spread(given).values[-1].tolist() == [0.0] * n_categories


def test_an_estimator_reports_this_error_by_step(lenient):
    errors = lenient.reconstruction_error([UNSEEN, ["a", None, "b"]], per="step")
    assert 1.0 < errors[0][1] <= 2.0
    assert errors[1][1] == 0.0  # it is missing
    assert lenient.score([UNSEEN]) < lenient.score([["a", None, "b"]])


def test_unknown_categories_are_missing_in_partial_fit(lenient):
    one, two = copy.deepcopy(lenient), copy.deepcopy(lenient)
    one.partial_fit([UNSEEN, *WORDS])
    two.partial_fit([["a", None, "b"], *WORDS])
    assert_array_equal(one.transform(WORDS), two.transform(WORDS))
    assert_array_equal(one.categories_[0], list("abc"))


def test_an_unknown_category_makes_its_sequence_an_outlier(detector):
    few = [[*word, "zz"] for word in WORDS[:5]]
    assert (detector.predict(few) == -1).all()
    assert detector.score_samples(few).max() < detector.score_samples(WORDS).min()
    one = detector.score_samples([["zz", *WORDS[0]], ["zz", "zy", *WORDS[0]]])
    assert np.isfinite(one).all()
    first = detector.explain([UNSEEN]).iloc[0]
    assert (first["part"], first["step"], first["observed"]) == ("values", 1, "zz")
    assert 1.0 < first["error"] <= 2.0
    with pytest.raises(ValueError, match="handle_unknown='unknown'"):
        copy.deepcopy(detector).set_params(handle_unknown="error").predict([UNSEEN])


# Infrequent categories


@pytest.mark.parametrize(
    ("min_frequency", "joined"),
    [
        (1, None),
        (2, None),
        (3, ["y", "x"]),
        (0.2, ["y", "x"]),
        (0.4, ["z", "y", "x"]),
        (99, list("wzyx")),
    ],
)
def test_categories_are_infrequent_below_a_number_or_a_part_of_steps(min_frequency, joined):
    X = as_sequences([list("wwwwww") + list("zzz"), [*"yy", None, None, *"x"]], "from_dtype")
    labels = join_infrequent(X, min_frequency).categories[0]
    if joined is None:
        assert labels.n_joined == 0
        return
    assert labels.values[labels.width - 1 :].tolist() == joined
    again = join_infrequent(X, min_frequency)
    assert_array_equal(
        [None if np.isnan(c) else labels.values[int(c)] for c in again.values[:, 0]],
        [*"wwwwwwzzzyy", None, None, "x"],
    )


def test_infrequent_categories_are_reconstructed_as_the_most_frequent(joining):
    assert joining.categories_[0].tolist() == ["a", "b", "c", "r", "q"]
    assert joining.infrequent_categories_[0].tolist() == ["r", "q"]
    assert joining._fitted_model.architecture.category_widths == (4,)
    assert_array_equal(joining.transform([["a", "q"]]), joining.transform([["a", "r"]]))
    assert set(np.concatenate(joining.reconstruct(RARE))) <= set("abcr")
    assert joining.impute([["q", "r", None]])[0][:2].tolist() == ["q", "r"]
    errors = joining.reconstruction_error([["q"], ["r"], ["zz"]])
    assert errors[0] == errors[1]


def test_categories_that_are_declared_and_never_seen_are_infrequent():
    dtype = pd.CategoricalDtype(["never", "a", "b"])
    frames = [pd.DataFrame({"s": pd.Categorical(list("abab"), dtype=dtype)})] * 12
    ae = LSTMAutoencoderTransformer(**TINY, min_frequency=13).fit(frames)
    assert ae.categories_[0].tolist() == ["a", "b", "never"]
    assert ae.infrequent_categories_ == [None]  # one alone is itself
    assert ae.reconstruct(frames)[0]["s"].dtype == dtype


@pytest.mark.long
def test_folds_without_a_rare_category_are_scored():
    ae = LSTMAutoencoderTransformer(**{**TINY, "epochs": 1}, validation_fraction=0.3)
    X = [["a", "b"], ["b", "a"], ["a", "a", "rare"], ["b"], ["a", "b", "b"], ["b", "b"]]
    ae.set_params(min_frequency=2, handle_unknown="unknown")
    assert np.isfinite(cross_val_score(ae, X, cv=3, error_score="raise")).all()


def test_going_on_with_another_frequency_is_refused(joining):
    with pytest.raises(ValueError, match="built with min_frequency=3, got min_frequency=None"):
        copy.deepcopy(joining).set_params(min_frequency=None).partial_fit(RARE)


@pytest.mark.parametrize(
    "wrong", [{"handle_unknown": "ignore"}, {"min_frequency": 0}, {"min_frequency": 1.5}]
)
def test_other_values_are_refused(wrong):
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
        LSTMAutoencoderTransformer(**wrong).fit(WORDS)


# Files


def test_a_file_keeps_infrequent_categories(joining):
    file = io.BytesIO()
    joining.save(file)
    loaded = load(file.seek(0) or file)
    assert loaded.get_params() == joining.get_params()
    assert loaded.infrequent_categories_[0].tolist() == ["r", "q"]
    X = [["q", "r", "zz"], UNSEEN]
    assert_array_equal(loaded.transform(X), joining.transform(X))
    assert_array_equal(loaded.reconstruction_error(X), joining.reconstruction_error(X))


def test_a_file_of_format_1_refuses_unknown_categories_and_joins_none():
    ae = load(FORMATS / "1.zip")
    assert (ae.handle_unknown, ae.min_frequency) == ("error", None)
    assert ae.infrequent_categories_ == [None, None]
    X = [np.ones((4, 2))]
    assert ae.partial_fit(X).transform(X).shape == (1, 36)


@pytest.mark.parametrize("name", ["lenient", "joining"])
def test_an_exported_encoder_reads_unknown_and_infrequent_indices(name, request, tmp_path):
    ae = request.getfixturevalue(name)
    path = tmp_path / "encoder.onnx"
    ae.export_onnx(path)
    words = [["a", "zz", "b", "c"], ["c", ae.categories_[0][-1], "a", "a"]]
    index = {category: code for code, category in enumerate(ae.categories_[0])}
    codes = np.array([[[index.get(s, 77)] for s in word] for word in words], dtype=np.float32)
    inputs = {"sequences": codes, "lengths": np.array([4, 4])}
    given = onnxruntime.InferenceSession(path).run(None, inputs)[0]
    assert_allclose(given, ae.transform(words), atol=1e-4)
    strict = copy.deepcopy(ae).set_params(handle_unknown="error")
    strict.export_onnx(path)
    given = onnxruntime.InferenceSession(path).run(None, inputs)[0]
    assert np.isnan(given[0]).all()
    assert_allclose(given[1], ae.transform(words)[1], atol=1e-4)


def test_the_command_line_takes_both(tmp_path):
    rows = [(i, t, s) for i, word in enumerate(WORDS) for t, s in enumerate(word)]
    table, model, odd = (tmp_path / name for name in ("words.csv", "model.zip", "odd.csv"))
    pd.DataFrame(rows, columns=["id", "time", "s"]).to_csv(table, index=False)
    pd.DataFrame({"id": ["x", "x"], "time": [0, 1], "s": ["a", "zz"]}).to_csv(odd, index=False)
    options = [f"{name}={value}" for name, value in TINY.items()]
    options += ["handle_unknown=unknown", "min_frequency=0.01"]
    main(
        ["fit", str(table), str(model), "--id", "id", "--time", "time"]
        + [part for option in options for part in ("-p", option)]
    )
    loaded = load(model)
    assert (loaded.handle_unknown, loaded.min_frequency) == ("unknown", 0.01)
    main(["transform", str(model), str(odd), "-o", str(tmp_path / "codes.csv")])
    assert len(pd.read_csv(tmp_path / "codes.csv")) == 1
