"""Categories, and numbers beside them, are learned and come back as what they were."""

import copy
import pickle

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.containers.registry import as_sequences, to_container
from sklearn_seqae.datasets import make_moving_ones
from sklearn_seqae.estimators.metrics import moments, r2
from sklearn_seqae.network.batching import pad
from sklearn_seqae.preprocessing.categories import MixedScaler

NAN = np.nan
TINY = {"n_components": 5, "units": 6, "epochs": 2, "random_state": 0}
MODES = {"off": -1.0, "heat": 2.0, "hold": 0.0}


def make_mixed(n_sequences=40, longest=9, seed=0):
    """Return frames: a mode of three, the temperature that follows it, a day or night."""
    rng = np.random.default_rng(seed)
    frames = []
    for n_steps in [0, longest, *rng.integers(0, longest + 1, n_sequences - 2)]:
        mode = np.repeat(rng.choice(list(MODES), size=n_steps), 3)[:n_steps]
        change = [MODES[m] for m in mode]
        frames.append(
            pd.DataFrame(
                {
                    "mode": np.array(mode, dtype=object),
                    "temperature": 20 + np.cumsum(change) + rng.normal(0, 0.1, n_steps),
                    "time": pd.Categorical(
                        ["day", "night"] * (n_steps // 2) + ["day"] * (n_steps % 2),
                        categories=["night", "day"],
                    ),
                }
            )
        )
    return frames


@pytest.fixture(scope="module")
def mixed():
    return make_mixed()


@pytest.fixture(scope="module")
def fitted(mixed):
    return LSTMAutoencoderTransformer(**TINY).fit(mixed)


def with_gaps(frames, mark=None, seed=1):
    """Return frames in whose columns of objects some cells hold `mark`, and which cells."""
    rng = np.random.default_rng(seed)
    gaps = [rng.random(len(frame)) < 0.3 for frame in frames]
    changed = []
    for frame, gap in zip(frames, gaps, strict=True):
        frame = frame.copy()
        frame["mode"] = frame["mode"].astype(object)
        frame.loc[gap, "mode"] = mark
        changed.append(frame)
    return changed, gaps


# What is learned


@pytest.mark.long
def test_moving_ones_given_as_categories_are_reconstructed_with_their_lengths():
    ones = make_moving_ones(3000, random_state=0)
    letters = np.array(list("abcdefgh-"))
    X = [letters[np.where(x.any(axis=1), x.argmax(axis=1), 8)] for x in ones]
    ae = LSTMAutoencoderTransformer(8, units=32, metrics="accuracy", epochs=10, random_state=0)
    back = ae.inverse_transform(ae.fit_transform(X))
    assert np.mean([len(x) == len(b) for x, b in zip(X, back, strict=True)]) >= 0.99
    again = np.concatenate(ae.reconstruct(X))
    assert again.dtype == "<U1"
    assert np.mean(again == np.concatenate(X)) >= 0.99
    assert ae.history_["val_accuracy"][-1] >= 0.99
    assert ae.score(X) >= 0.99


@pytest.mark.long
def test_both_parts_of_mixed_data_are_learned():
    X = make_mixed(400)
    ae = LSTMAutoencoderTransformer(16, units=32, epochs=40, random_state=0).fit(X)
    X_test = make_mixed(100, seed=1)
    back = pd.concat(ae.reconstruct(X_test))
    true = pd.concat(X_test)
    assert (back["mode"] == true["mode"]).mean() >= 0.95
    assert (back["time"] == true["time"]).mean() >= 0.99
    unexplained = ((back["temperature"] - true["temperature"]) ** 2).mean()
    assert 1 - unexplained / true["temperature"].var() >= 0.95
    assert ae.score(X_test) >= 0.9


def test_the_loss_is_the_mean_over_real_numbers_and_categories_alike(mixed):
    X, _ = with_gaps(mixed)
    X[1].loc[2:4, "temperature"] = NAN
    ae = LSTMAutoencoderTransformer(  # in batches of several widths
        **TINY | {"epochs": 1, "learning_rate": 1e-12},
        loss="mae",
        metrics=["accuracy", "mae"],
        early_stopping=False,
    ).fit(X)
    model, read = ae._fitted_model, ae._read(X)
    # With the true lengths, as in training; a decoder alone decodes them.
    scaled, decoded = model.scaler.transform(read), model.compare_scaled(read)[1]
    true, predicted = (pad(x, np.arange(len(X)), 9).astype(float) for x in (scaled, decoded))
    assert_allclose(decoded.values[:, 1:4].sum(axis=-1), 1, rtol=1e-5)
    assert_allclose(decoded.values[:, 4:].sum(axis=-1), 1, rtol=1e-5)
    errors, hits = [], []
    for group in (slice(1, 4), slice(4, 6)):
        real = np.isfinite(true[..., group.start])
        one_hot, probable = true[..., group][real], predicted[..., group][real]
        errors.append(-np.log((one_hot * probable).sum(axis=-1)))
        hits.append(one_hot.argmax(axis=-1) == probable.argmax(axis=-1))
    numbers = np.abs(true - predicted)[..., 0]
    numbers = numbers[np.isfinite(numbers)]
    assert len({len(part) for part in (numbers, *errors)}) == 3
    expected = np.concatenate([numbers, *errors]).mean()
    assert_allclose(ae.history_["loss"], expected, rtol=1e-5)
    assert_allclose(ae.history_["accuracy"], np.concatenate(hits).mean(), rtol=1e-6)
    assert_allclose(ae.history_["mae"], numbers.mean(), rtol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"decoder": "autoregressive", "cell": "gru", "patch_size": 2},
        pytest.param({"decoder": "reshape", "units": (6, 5)}, marks=pytest.mark.long),
        {"decoder": "dense", "patch_size": 4},
        {"scaler": "minmax", "loss": "binary_crossentropy", "metrics": "mae"},
        pytest.param({"jit_compile": True, "metrics": "accuracy"}, marks=pytest.mark.long),
    ],
)
def test_every_network_writes_categories_beside_numbers(changes, mixed):
    ae = LSTMAutoencoderTransformer(**TINY | changes).fit(mixed)
    written = ae.decoder_.predict(ae.transform(mixed), verbose=0)
    assert_allclose(written[..., 1:4].sum(axis=-1), 1, rtol=1e-5)
    assert_allclose(written[..., 4:].sum(axis=-1), 1, rtol=1e-5)
    back = ae.reconstruct(mixed)
    assert [len(x) for x in back] == [len(x) for x in mixed]
    assert set(pd.concat(back)["mode"]) <= set(MODES)
    assert np.isfinite(pd.concat(back)["temperature"]).all()


def test_own_models_see_one_hot_values_behind_the_numbers(mixed):
    sizes = []

    def encoder(n_steps, n_channels, n_components):
        sizes.append(n_channels)
        return keras.Sequential([keras.Input((None, n_channels)), keras.layers.GRU(n_components)])

    def decoder(n_steps, n_channels, n_components):
        sizes.append(n_channels)
        dense = keras.layers.Dense(n_steps * n_channels)
        steps = keras.layers.Reshape((n_steps, n_channels))
        return keras.Sequential([keras.Input((n_components,)), dense, steps])

    ae = LSTMAutoencoderTransformer(**TINY, encoder=encoder, decoder=decoder).fit(mixed)
    assert set(sizes) == {6}
    written = ae.decoder_.predict(ae.transform(mixed), verbose=0)
    assert_allclose(written[..., 1:4].sum(axis=-1), 1, rtol=1e-5)
    assert written[..., 0].min() < 0
    assert set(pd.concat(ae.reconstruct(mixed))["mode"]) <= set(MODES)


# What is missing


@pytest.mark.parametrize("mark", [NAN, pd.NA, pd.NaT])
def test_a_missing_category_is_missing_by_whatever_mark(fitted, mixed, mark):
    expected = fitted.transform(with_gaps(mixed, None)[0])
    assert_array_equal(fitted.transform(with_gaps(mixed, mark)[0]), expected)
    assert np.abs(expected - fitted.transform(mixed)).max() > 1e-4


def test_neither_training_nor_score_sees_what_a_missing_category_would_be(mixed):
    X, gaps = with_gaps(mixed)
    X[1].loc[3, "temperature"] = NAN  # with indicators, too
    ae = LSTMAutoencoderTransformer(**TINY).fit(X)
    changed = copy.deepcopy(X)
    for frame, gap in zip(changed, gaps, strict=True):
        frame["mode"] = frame["mode"].astype("category")
        frame.loc[gap, "mode"] = NAN
    other = LSTMAutoencoderTransformer(**TINY).fit(changed)
    assert other.history_ == ae.history_
    assert_array_equal(other.transform(changed), ae.transform(X))
    assert other.score(changed) == ae.score(X)
    assert np.isfinite(ae.transform(X)).all()
    errors = ae.reconstruction_error(X, per="step")
    assert all(np.isfinite(error).all() for error in errors)


def test_reconstructions_have_no_missing_values(mixed):
    X, _ = with_gaps(mixed)
    back = LSTMAutoencoderTransformer(**TINY).fit(X).reconstruct(X)
    assert not pd.concat(back).isna().any(axis=None)


def test_a_channel_without_any_category_is_reconstructed_as_missing():
    X = [[["a", None], ["b", None]], [["b", None]]]
    ae = LSTMAutoencoderTransformer(**TINY, categorical_features=[0, 1]).fit(X)
    assert np.isfinite(ae.transform(X)).all()
    back = np.concatenate(ae.reconstruct(X))
    assert set(back[:, 0]) <= {"a", "b"}
    assert set(back[:, 1]) == {None}
    assert ae.reconstruction_error(X, per="channel").shape == (2, 2)
    assert np.isfinite(ae.score(X))


def test_categories_are_enough_to_learn_from_where_all_numbers_are_missing():
    X = [[["a", NAN], ["b", None]], [["b", NAN]]]
    ae = LSTMAutoencoderTransformer(**TINY).fit(X)
    assert np.isfinite(ae.transform(X)).all()
    with pytest.raises(ValueError, match=r"at least one real value .* leave those out"):
        LSTMAutoencoderTransformer(categorical_features=[0]).fit([[None, None], []])


def test_empty_sequences_of_categories_have_one_finite_code():
    X = [["a", "b"], [], ["b"], np.empty(0, dtype=str)]
    ae = LSTMAutoencoderTransformer(**TINY).fit(X)
    Z = ae.transform([[], *X, [None, None]])
    assert np.isfinite(Z).all()
    assert_allclose(Z[[2, 4, 5]], np.stack([Z[0]] * 3), atol=1e-6)
    assert [len(x) for x in ae.reconstruct([[], []])] == [0, 0]
    assert np.isfinite(ae.transform([[], []])).all()


# Containers


def as_objects(rows):
    array = np.empty((len(rows), len(rows[0])), dtype=object)
    array[:] = rows
    return array


FRAME = pd.DataFrame({"s": pd.array(["x", "y"], dtype="string"), "n": [1.5, 2.0]})
CATEGORIES = pd.DataFrame({"c": pd.Categorical(["b", "a"], ["b", "a", "z"], ordered=True)})
INTERVALS = pd.DataFrame({"i": pd.cut([0.1, 1.5, 0.2], [0, 1, 2])})
DATES = pd.DataFrame({"d": pd.Categorical(pd.to_datetime(["2020-01-02", "2020-01-01"]))})

# A container, the channels that are categories ("from_dtype" if None), dtypes of what comes back.
CONTAINERS = {
    "lists": ([["a", "b"], [], ["cd"]], None, "<U2"),
    "lists with gaps": ([["a", None, "b"], [NAN, "cd"]], None, object),
    "text arrays": ([np.array(["a", "bc"]), np.array(["d"])], None, "<U2"),
    "object arrays": ([np.array(["a", "bc"], dtype=object), np.array([], dtype=object)], None, "O"),
    "NumPy strings": ([np.array(["a", "bc"], dtype=np.dtypes.StringDType())], None, object),
    "rows of text": ([[["a", "b"], ["c", "b"]], [["a", "e"]]], None, "<U1"),
    "rows of both": ([[["a", 0.5], ["b", 1.5]], [["a", 2.5]]], None, object),
    "objects of both": ([as_objects([("a", 0.5), (None, 1.5)]), as_objects([("b", 2)])], None, "O"),
    "integers": ([np.array([3, 7, 3]), np.array([12])], [0], np.int64),
    "big integers": ([np.array([2**53 - 1, 7]), np.array([12])], [0], np.int64),
    "lists of bool": ([[True, False], [False]], [0], bool),
    "float categories": ([np.array([0.1, NAN, 0.3]), np.array([0.1])], [0], np.float64),
    "integers and numbers": ([np.array([[1, 9], [2, 8]], dtype=np.int8)], [1], np.float32),
    "a 3-D array": (np.array([[["a", "x"], ["b", "x"]], [["a", "y"], ["b", "x"]]]), None, "<U1"),
    "a padded 3-D array": (as_objects([("a", 0.5), (None, None)])[None], None, object),
    "a 2-D array": (np.array([["a", "b", "c"], ["c", "b", "a"]]), None, "<U1"),
    "a padded 2-D array": (as_objects([("a", "b", None), ("c", None, "a")]), None, object),
    "a 2-D array of integers": (np.array([[5, 7], [7, 9]]), [0], np.int64),
    "a padded array of integers": (np.array([[5, NAN], [7, 9]]), [0], np.float64),
    "a frame of text": (pd.DataFrame([["a", "b"], ["c", None]], columns=["t0", "t1"]), None, None),
    "a frame of objects": (pd.DataFrame([["a", "b"], ["c", None]], dtype=object), None, None),
    "a frame of categories": (pd.DataFrame([["a", "b"]], dtype="category"), None, None),
    "frames": ([FRAME, FRAME[:0], FRAME[1:].reset_index(drop=True)], None, None),
    "frames of categories": ([CATEGORIES, CATEGORIES[:1]], None, None),
    "frames of intervals": ([INTERVALS], None, None),
    "frames of dates": ([DATES], None, None),
    "frames of integers": ([pd.DataFrame({"i": [1, 2], "j": [0.5, 1.0]})], ["i"], None),
    "frames of nullable integers": ([pd.DataFrame({"i": pd.array([1, None])})], ["i"], None),
    "series": ([pd.Series(["a", "b"]), pd.Series(["c"], dtype="category")], None, object),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_categories_are_returned_in_the_container_and_dtype_of_the_input(name):
    X, categories, dtype = CONTAINERS[name]

    sequences = as_sequences(X, "from_dtype" if categories is None else categories)
    assert any(sequences.categories)
    assert all(x is None or len(x.values) for x in sequences.categories)
    back = to_container(sequences)
    if isinstance(X, pd.DataFrame):
        # One column for all: the dtype of one that holds what all do.
        pd.testing.assert_frame_equal(back.astype(object), X.astype(object), check_dtype=False)
        return
    assert type(back) is type(X)
    assert len(back) == len(X)
    for one, other in zip(back, X, strict=True):
        if isinstance(other, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
            continue
        assert one.dtype == dtype
        expected = np.asarray(other, dtype=object) if len(other) else one.astype(object)
        gaps = pd.isna(expected)
        assert_array_equal(pd.isna(one), gaps)
        assert_array_equal(one.astype(object)[~gaps], expected[~gaps])


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.text(max_size=3) | st.none(), max_size=5), min_size=1, max_size=5).filter(
        lambda X: any(item is not None for x in X for item in x)
    )
)
def test_any_text_is_a_category(X):
    sequences = as_sequences([np.array(x, dtype=object) for x in X], "from_dtype")
    assert [list(x) for x in to_container(sequences)] == X
    chosen = sequences.take([len(X) - 1, 0])
    assert [list(x) for x in to_container(chosen)] == [X[-1], X[0]]


@pytest.mark.parametrize("container", ["list", "2d", "frame", "frames", "ints"])
def test_a_fitted_estimator_gives_the_container_back(container):
    rng = np.random.default_rng(0)
    table = rng.choice(list("abc"), size=(20, 5))
    X = {
        "list": list(table),
        "2d": table,
        "frame": pd.DataFrame(table, columns=[f"t{i}" for i in range(5)], dtype=object),
        "frames": [pd.DataFrame({"s": pd.Categorical(row)}) for row in table],
        "ints": np.where(table == "a", 3, 8),
    }[container]
    categories = [0] if container == "ints" else "from_dtype"
    ae = LSTMAutoencoderTransformer(**TINY, categorical_features=categories).fit(X)
    for back in (ae.inverse_transform(ae.transform(X)), ae.reconstruct(X)):
        assert type(back) is type(X)
        if container in ("2d", "ints"):
            assert back.dtype == X.dtype
            assert back.shape == X.shape
            assert set(back.ravel()) <= set(X.ravel())
        elif container == "frame":
            assert (back.columns == X.columns).all()
            assert back.dtypes.map(str).eq("object").all()
        elif container == "frames":
            assert back[0]["s"].dtype == X[0]["s"].dtype
        else:
            assert back[0].dtype == "<U1"
    assert ae.n_channels_in_ == 1
    assert ae.n_features_in_ == (5 if container in ("2d", "frame", "ints") else 1)
    if container == "2d":
        # Too short a sequence leaves cells with nothing in them.
        assert ae.inverse_transform(ae.transform(X), lengths=[4] * 20).shape == (20, 5)


def test_text_in_a_list_makes_no_text_of_the_numbers_beside_it():
    sequences = as_sequences([[["a", 1.5], ["b", None]], [["b", NAN]]], "from_dtype")
    assert sequences.categories[1] is None
    assert_array_equal(sequences.values, [[0, 1.5], [1, NAN], [1, NAN]])


# Which channels are categorical


def test_channels_are_chosen_by_index_mask_or_name(mixed):
    X = [frame.assign(level=np.arange(len(frame)) % 3) for frame in mixed]
    codes = []
    for choice in ([0, 2, 3], (3, 0, 2), [True, False, True, True], ["mode", "level", "time"]):
        ae = LSTMAutoencoderTransformer(**TINY, categorical_features=choice).fit(X)
        codes.append(ae.transform(X))
        assert [None if c is None else c.tolist() for c in ae.categories_] == [
            ["heat", "hold", "off"],
            None,
            ["night", "day"],
            [0, 1, 2],
        ]
        assert ae.reconstruct(X)[1]["level"].dtype == np.int64
        warm = clone(ae).set_params(warm_start=True).fit(X).fit(X)
        assert warm.n_epochs_ == 4
    for other in codes[1:]:
        assert_array_equal(other, codes[0])


def test_integers_are_numbers_unless_they_are_named():
    X = [np.array([1, 2, 1]), np.array([2])]
    ae = LSTMAutoencoderTransformer(**TINY).fit(X)
    assert ae.categories_ == [None]
    assert ae.reconstruct(X)[0].dtype == np.float64
    ae = LSTMAutoencoderTransformer(**TINY, categorical_features=[0]).fit(X)
    assert ae.categories_[0].tolist() == [1, 2]
    assert set(np.concatenate(ae.reconstruct(X))) <= {1, 2}
    assert ae.scaler_ is None
    # The same categories, from another dtype.
    assert_array_equal(ae.transform([[1.0, 2.0, 1.0], [2]]), ae.transform(X))


def test_a_loss_for_categories_requires_categories():
    X = [np.array([1, 2, 1]), np.array([2])]
    entropies = ("sparse_categorical_crossentropy", keras.losses.CategoricalCrossentropy())
    for loss in entropies:
        ae = LSTMAutoencoderTransformer(**TINY, loss=loss)
        with pytest.raises(ValueError, match=r"for categories, got 1 .* by categorical_features"):
            ae.fit(X)
        ae.set_params(categorical_features=[0]).fit(X)
        plain = LSTMAutoencoderTransformer(**TINY, categorical_features=[0]).fit(X)
        assert ae.history_ == plain.history_


def test_numbers_do_not_depend_on_parameters_of_categories(ragged, tiny):
    one = LSTMAutoencoderTransformer(**tiny).fit(ragged)
    other = LSTMAutoencoderTransformer(**tiny, categorical_features=None).fit(ragged)
    assert one._fitted_model.architecture == other._fitted_model.architecture
    assert one._fitted_model.architecture.category_widths == ()
    assert one._fitted_model.scaler.scaler_ is one.scaler_
    assert_array_equal(one.transform(ragged), other.transform(ragged))
    assert as_sequences(ragged, "from_dtype").categories == ()


def test_the_scaling_sees_numbers_only(mixed):
    ae = LSTMAutoencoderTransformer(**TINY, scaler="per_sequence").fit(mixed)
    assert ae.scaler_.n_channels_in_ == 1
    assert ae.transform(mixed).shape == (40, 5)
    numbers = [frame[["temperature"]].to_numpy() for frame in mixed]
    assert_array_equal(ae.transform(mixed)[:, 3:], ae.scaler_.statistics(numbers))
    with pytest.raises(ValueError, match="n_components=2 with 1 channels: use n_components=3 or"):
        ae.set_params(n_components=2).fit(mixed)


# What is refused

READERS = ["transform", "reconstruct", "score", "score_samples", "partial_fit"]


def state(estimator):
    return {name: id(value) for name, value in vars(estimator).items()}


@pytest.mark.parametrize("method", READERS)
def test_a_category_that_was_not_learned_is_refused_and_nothing_lost(fitted, mixed, method):
    X = [frame.astype({"mode": object}) for frame in mixed]
    X[1].loc[2, "mode"] = "broken"
    before, Z = state(fitted), fitted.transform(mixed)
    with pytest.raises(
        ValueError,
        match=r"categories that fit saw in channel 0, 'heat', 'hold', 'off', got 'broken' in "
        "sequence 1: fit on data that hold it .*handle_unknown='unknown'",
    ):
        getattr(fitted, method)(X)
    assert state(fitted) == before
    assert_array_equal(fitted.transform(mixed), Z)


def test_declared_categories_are_learned_before_they_come():
    dtype = pd.CategoricalDtype(["a", "b", "later"])
    ae = LSTMAutoencoderTransformer(**TINY)
    ae.partial_fit([pd.DataFrame({"s": pd.Categorical(list("abba"), dtype=dtype)})])
    ae.partial_fit([pd.DataFrame({"s": pd.Categorical(["later", "a"], dtype=dtype)})])
    assert ae.n_epochs_ == 2
    assert ae.categories_[0].tolist() == ["a", "b", "later"]
    # Declared is not seen: another dtype may have more of them.
    more = pd.CategoricalDtype(["x", "b", "a"])
    ae.transform([pd.DataFrame({"s": pd.Categorical(list("ab"), dtype=more)})])
    with pytest.raises(ValueError, match=r"'a', 'b', 'later', got 'x' in sequence 0: fit on"):
        ae.transform([pd.DataFrame({"s": pd.Categorical(list("ax"), dtype=more)})])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x: x[["mode", "temperature"]], ValueError, "X has 2 channels, but .* expecting 3"),
        (
            lambda x: x[["time", "temperature", "mode"]],
            ValueError,
            "columns that fit saw, .*: give",
        ),
        (lambda x: x.assign(temperature="a"), TypeError, "Expected real numbers, but column 'temp"),
        (lambda x: x.to_numpy()[:, [0, 2, 1]], TypeError, "channel 1 of sequence 0 holds text"),
        (
            lambda x: x.assign(temperature=np.inf),
            ValueError,
            "infinity .* in channel 1 of sequence 0; rescale",
        ),
    ],
)
def test_other_channels_than_fit_saw_are_refused(fitted, mixed, change, error, message):
    X = [change(frame) for frame in mixed if len(frame)]
    with pytest.raises(error, match=message):
        fitted.transform(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["a", "b"], r"sequence 0 is a str. For one single sequence x pass \[x\]"),
        ([["a"], [["a", "b"]]], "mixed channels: sequence 1 .* sequence 0 has shape"),
        ([["a", "b"], [1.0]], "all text or all numbers, but channel 0 of sequence 1 holds 1.0"),
        ([["a", 1]], "all text or all numbers, but channel 0 of sequence 0 holds 1 .*; convert"),
        ([["a", object()]], "all text or all numbers, but channel 0 of sequence 0 holds <object"),
        ([["a"], np.array(["2020"], "M8[D]")], "text or numbers, but channel 0 of sequence 1 has"),
        ([pd.DataFrame({"a": ["x"]}), pd.DataFrame({"b": ["x"]})], "same columns in all DataFrame"),
        ([pd.DataFrame({"a": ["x"], "b": pd.to_datetime(["2020"])})], "column 'b' of sequence 0 h"),
        ([[b"a"]], "Expected real numbers, but sequence 0 has dtype |S1; convert it to numbers"),
    ],
)
def test_neither_numbers_nor_categories_is_an_error(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        LSTMAutoencoderTransformer(**TINY).fit(X)


# Figures


def test_the_score_is_0_for_the_frequencies_and_1_for_the_true_categories(mixed):
    sequences = as_sequences(mixed, "from_dtype")
    scaler = MixedScaler("standard").fit(sequences)
    spread = scaler.spread(sequences)
    mean, variance = moments(spread)
    pooled = scaler.pooled(variance)
    assert_allclose(r2([(spread, spread)], mean, pooled), 1.0)
    frequencies = spread.with_values(np.broadcast_to(mean, spread.values.shape))
    assert_allclose(r2([(spread, frequencies)], mean, pooled), 0.0, atol=1e-6)
    # Each channel weighs the same, however many categories it has.
    for j in range(3):
        values = np.where(scaler.channels == j, mean, spread.values)
        assert_allclose(r2([(spread, spread.with_values(values))], mean, pooled), 2 / 3, rtol=1e-5)


def test_errors_have_a_column_for_each_channel_that_came(fitted, mixed):
    true, decoded = (
        part.values.astype(float) for part in fitted._fitted_model.compare(fitted._read(mixed))
    )
    owners = fitted._read(mixed).owners == 1
    errors = np.asarray(fitted.reconstruction_error(mixed, per="channel"))
    assert errors.shape == (40, 3)
    assert not errors[0].any()  # it is empty
    squared = (true - decoded)[owners] ** 2
    assert_allclose(errors[1, 0], squared[:, 1:4].sum(axis=1).mean(), rtol=1e-5)
    assert_allclose(errors[1, 2], squared[:, 4:].sum(axis=1).mean(), rtol=1e-5)
    scale = fitted.scaler_.scaler_.scale_
    assert_allclose(errors[1, 1], squared[:, 0].mean() / scale**2, rtol=1e-4)
    assert_allclose(-fitted.score_samples(mixed), errors.mean(axis=1), rtol=1e-6)
    steps = fitted.reconstruction_error(mixed, per="step")
    assert_allclose([step.mean() if len(step) else 0 for step in steps], errors.mean(axis=1))
    values = fitted.reconstruction_error(mixed, per="value")
    assert_allclose(values[1].mean(axis=0), errors[1])


# The estimator as others


def test_the_same_seed_gives_the_same_bits_and_copies_do_the_same(fitted, mixed):
    Z = fitted.transform(mixed)
    again = clone(fitted).fit(mixed)
    assert_array_equal(again.transform(mixed), Z)
    other = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(other.transform(mixed), Z)
    for one, two in zip(other.inverse_transform(Z), fitted.inverse_transform(Z), strict=True):
        pd.testing.assert_frame_equal(one, two)
    other.partial_fit(mixed)
    again.set_params(epochs=1, early_stopping=False, warm_start=True).fit(mixed)
    assert_array_equal(other.transform(mixed), again.transform(mixed))
    assert other.n_epochs_ == 3


def test_training_cannot_continue_with_other_categorical_channels(fitted, mixed):
    ae = copy.deepcopy(fitted).set_params(categorical_features=["mode"])
    with pytest.raises(ValueError, match="built with categorical_features='from_dtype', got"):
        ae.partial_fit(mixed)


def test_a_code_of_categories_depends_on_its_sequence_alone(fitted, mixed):
    Z = fitted.transform(mixed)
    assert_allclose(fitted.transform(mixed[::-1])[::-1], Z, atol=1e-5)
    assert_allclose(fitted.transform(mixed[1:2]), Z[1:2], atol=1e-5)


@pytest.mark.parametrize("n_categories", [1, pytest.param(300, marks=pytest.mark.long)])
def test_a_channel_may_have_one_category_or_hundreds(n_categories):
    categories = [f"category {i}" for i in range(n_categories)]
    rng = np.random.default_rng(0)
    X = [[categories[i] for i in rng.permutation(n_categories)[:6]] * 2 for _ in range(60)]
    X[0] = categories
    ae = LSTMAutoencoderTransformer(**TINY, metrics="accuracy").fit(X)
    assert np.isfinite(ae.transform(X)).all()
    assert len(ae.categories_[0]) == n_categories
    assert set(np.concatenate(ae.reconstruct(X))) <= set(categories)
    assert np.isfinite(ae.score(X))
    if n_categories == 1:
        assert_array_equal(ae.score_samples(X), np.zeros(60))
        assert ae.history_["loss"][-1] == 0.0
