"""Bad input is refused in words, and an error leaves everything as it was."""

import copy
import inspect
import re

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer

NAN = np.nan
ONE = np.ones((3, 2))


def model(*layers):
    return lambda n_steps, n_channels, n_components: keras.Sequential(layers)


class Subclassed(keras.Model):
    """A model that knows its shapes only when it is called."""

    def call(self, x):
        return x[:, 0, :1] * np.ones(4, np.float32)


def subclassed(n_steps, n_channels, n_components):
    built = Subclassed()
    built(np.zeros((1, n_steps, n_channels), np.float32))
    return built


class Raises(keras.callbacks.Callback):
    """Ends training by an error in its second epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise RuntimeError("enough")


# name, values of a wrong type or out of range, what was expected
TABLE = [
    ("n_components", [0, -1, 2.5, "4", None, NAN], r"an int in the range \[1, inf\)"),
    ("units", [0, -3, 1.5, "6", None], r"an int in the range \[1, inf\), an instance of 'tuple'"),
    ("cell", ["rnn", None, 3], r"a str among \{.*\}"),
    ("bidirectional", ["yes", None, 2], "an instance of 'bool'"),
    ("pooling", ["min", None, 3], r"a str among \{.*'mean_max'.*\}"),
    ("multiscale", ["yes", None, 2], "an instance of 'bool'"),
    ("shortcut", ["linear", True, 3], r"a str among \{'cosine'\} or None"),
    ("decoder", ["transformer", None, 3], r"a str among \{.*'repeat'.*\} or a callable"),
    ("encoder", ["lstm", 3], "a callable or None"),
    ("patch_size", [0, -1, 1.5, "big", None], r"\[1, inf\) or a str among \{'auto'\}"),
    ("horizon", [-1, 1.5, "2", None, NAN], r"an int in the range \[0, inf\)"),
    ("scaler", ["max", 3, object()], r"a str among \{.*'per_sequence'.*\}, an object implementing"),
    ("categorical_features", [3, "yes", object()], "an array-like, a str among {'from_dtype'}"),
    ("handle_unknown", ["ignore", None, 3], "a str among {.*'unknown'.*}"),
    ("min_frequency", [0, -1, 1.0, 1.5, "2", NAN], r"an int in the range \[1, inf\)"),
    ("loss", [None, 3, []], "an instance of 'str' or a callable"),
    ("metrics", [3, {"a": "mae"}], "an instance of 'str', a callable, an instance of 'list'"),
    ("optimizer", [None, 3, object()], "'str', a callable or an object implementing 'apply' and"),
    ("learning_rate", [0, -1, "fast", None, NAN, np.inf], r"a float in the range \(0.0, inf\)"),
    ("epochs", [0, -1, 1.5, "2", None], r"an int in the range \[1, inf\)"),
    ("batch_size", [0, -1, 1.5, "2", None], r"an int in the range \[1, inf\)"),
    ("early_stopping", ["yes", None], "an instance of 'bool'"),
    ("validation_fraction", [0, 1, -0.1, 1.5, "0.1", None, NAN], r"in the range \(0.0, 1.0\)"),
    ("patience", [0, -1, 1.5, None], r"an int in the range \[1, inf\)"),
    ("callbacks", [3, "stop", object(), {"a": 1}], "a callable, an object implementing 'on_epoch"),
    ("jit_compile", ["yes", None, 3], r"an instance of 'bool' .*'auto'"),
    (
        "checkpoint",
        [3, True, object()],
        "an instance of 'str', an instance of 'os.PathLike' or None",
    ),
    ("warm_start", ["yes", None], "an instance of 'bool'"),
    ("random_state", ["0", -1, 1.5], r"an int in the range \[0, 4294967295\]"),
    ("verbose", [-1, "yes", None, 1.5], r"an int in the range \[0, inf\)"),
]

# parameters, type of the error, its text
RULES = [
    ({"units": ()}, ValueError, r"a positive int, or a tuple .* got \(\): use for example units"),
    ({"units": (6, 0)}, ValueError, r"got \(6, 0\): use for example"),
    ({"units": (6, 1.5)}, ValueError, r"got \(6, 1.5\): use for example"),
    ({"units": ("6",)}, ValueError, r"got \('6',\): use for example"),
    ({"units": [[6]]}, ValueError, r"got \[\[6\]\]: use for example"),
    # names, objects and functions for Keras
    ({"loss": "near"}, ValueError, "loss must be a name that Keras knows .* 'near': choose"),
    ({"optimizer": "fast"}, ValueError, "optimizer must be a name .* 'fast': choose .*'adam'"),
    ({"metrics": "good"}, ValueError, "metrics must be a name .* 'good': choose for example 'mae'"),
    ({"metrics": ["mae", "good"]}, ValueError, "metrics must be a name .* 'good': choose"),
    ({"metrics": [3]}, TypeError, r"a function of \(y_true, y_pred\), got 3: choose"),
    ({"metrics": [None]}, TypeError, r"a function of \(y_true, y_pred\), got None: choose"),
    ({"metrics": object}, TypeError, r"got <class 'object'>: choose for example 'mae'"),
    ({"metrics": lambda x: x}, TypeError, r"\(too many positional arguments\): choose"),
    ({"metrics": lambda true, predicted: 1.0}, ValueError, "metrics must give one number a step"),
    ({"optimizer": keras.losses.Huber}, TypeError, "or a function .* got <class .*: use for exam"),
    ({"optimizer": lambda rate: 1}, TypeError, "missing a required argument: 'rate'.: use for"),
    ({"optimizer": lambda: 1}, TypeError, "returned 1: return for example keras.optimizers.Adam"),
    ({"optimizer": keras.optimizers.LossScaleOptimizer}, TypeError, "'inner_optimizer'.: use for"),
    ({"loss": lambda x: x}, TypeError, r"loss must be .*\(too many positional .*: choose"),
    ({"loss": object}, TypeError, "loss must be .* got <class 'object'>: choose"),
    (
        {"loss": lambda true, predicted: keras.ops.mean(true - predicted)},
        ValueError,
        r"loss must give one number a step.* <lambda> gave shape \(\) .*: reduce over the last",
    ),
    (
        {"loss": lambda true, predicted: 1 / 0},
        ValueError,
        r"<lambda> failed on them \(division by zero\): choose one that compares",
    ),
    (
        {"loss": "sparse_categorical_crossentropy"},
        ValueError,
        r"for categories, got 2 numerical channel\(s\): select the .* categorical_features, for",
    ),
    # callbacks
    ({"callbacks": [3]}, TypeError, "must be Keras callbacks.* got 3: derive yours from keras"),
    ({"callbacks": [None]}, TypeError, "must be Keras callbacks.* got None: derive yours"),
    ({"callbacks": object}, TypeError, "got <class 'object'>: derive yours from keras.callbacks"),
    ({"callbacks": keras.callbacks.ModelCheckpoint}, TypeError, "'filepath'.* make it yourself"),
    ({"callbacks": lambda log: Raises()}, TypeError, "missing a required argument: 'log'"),
    ({"callbacks": lambda: 3}, TypeError, "returned 3: return one instance of keras.callbacks"),
    ({"callbacks": [lambda: [Raises()]]}, TypeError, r"returned \[.*\]: return one instance"),
    # the scaling
    ({"scaler": StandardScaler}, TypeError, r"an instance with .* \(the class itself\); use"),
    ({"scaler": PCA(1)}, ValueError, r"keeps the 2 channel\(s\), but .* makes 1 of them; use one"),
    (
        {"scaler": "per_sequence", "n_components": 4},
        ValueError,
        "keeps 2 .* n_channels components .* n_components=4 with 2 channels: use n_components=5",
    ),
    *(
        (
            {"loss": loss, "scaler": None},
            ValueError,
            "needs scaled values between 0 and 1, got -.* to .*: use scaler='minmax', or",
        )
        for loss in (
            "binary_crossentropy",
            "categorical_crossentropy",
            "BinaryCrossentropy",
            keras.losses.CategoricalCrossentropy(),
            keras.losses.binary_crossentropy,
        )
    ),
    # categories
    *(
        (
            {"categorical_features": wrong},
            ValueError,
            r"categorical_features must be 'from_dtype', .* out of \[0, 1\] or a mask of 2",
        )
        for wrong in ([2], [-1], [True], ["a"], [0.5], [None], [[True]], [0, "a"], {1: 2})
    ),
    # own models
    ({"encoder": lambda n_steps: None}, TypeError, "encoder must be .* 'n_channels': change its"),
    ({"decoder": lambda: None}, TypeError, "decoder must be .* 'n_steps': change its signature"),
    ({"encoder": lambda **sizes: 3}, TypeError, "encoder must .* returned int: build a keras"),
    ({"decoder": lambda **sizes: None}, TypeError, "decoder .* returned NoneType: build a keras"),
    ({"encoder": keras.Sequential()}, TypeError, "got the Sequential .* itself: give a function"),
    (
        {"encoder": model(keras.layers.Dense(4))},
        ValueError,
        r"not built: begin .*Input\(\(9, 2\)\)",
    ),
    ({"encoder": subclassed}, ValueError, "does not tell its shapes.* build a keras.Sequential"),
    (
        {"encoder": model(keras.Input((None, 2)), keras.layers.LSTM(7))},
        ValueError,
        r"encoder returned must give outputs of shape \(4,\) .* has \(7,\): use the sizes",
    ),
    (
        {"encoder": model(keras.Input((None, 3)), keras.layers.LSTM(4))},
        ValueError,
        r"encoder returned must take inputs of shape \(9, 2\) .* has \(None, 3\): use the sizes",
    ),
    (
        {"decoder": model(keras.Input((4,)), keras.layers.Dense(18))},
        ValueError,
        r"decoder returned must give outputs of shape \(9, 2\) .* has \(18,\): use the sizes",
    ),
    # training
    (
        {"optimizer": "sgd", "learning_rate": 1e30, "epochs": 5},
        ValueError,
        "became (inf|nan) in epoch .*; expected finite numbers. Lower learning_rate",
    ),
    ({"callbacks": Raises()}, RuntimeError, "enough"),
]

# data, type of the error, its text
NO_SEQUENCES = [
    (None, TypeError, r"Expected a list of .*; got a NoneType. Reshape your data"),
    ({0: ONE}, TypeError, r"got a dict. Make a list of its values"),
    (3.0, TypeError, r"got a float. Reshape your data: one single sequence x is \[x\]"),
    ("text", TypeError, r"got a str. Pass \[list\(X\)\]"),
    (np.ones(3), ValueError, r"got an array of shape \(3,\). Reshape your data"),
    (np.ones((1, 2, 2, 2)), ValueError, r"got an array of shape \(1, 2, 2, 2\). Reshape your"),
    ([], ValueError, r"0 sample\(s\) \(shape=\(0,\)\) while a minimum of 1 is required"),
    (np.empty((0, 3, 2)), ValueError, r"0 sample\(s\) .* while a minimum of 1 is required"),
    (np.empty((3, 2, 0)), ValueError, r"0 channel\(s\) .* while a minimum of 1 is required"),
    ([ONE, np.ones((3, 1))], ValueError, "mixed channels: .* Give all as"),
    ([ONE * 1j], ValueError, "Complex data not supported.* give real and imaginary part"),
    (
        [ONE, ONE * np.inf],
        ValueError,
        "contains infinity .* in channel 0 of sequence 1; rescale the data, or",
    ),
    (
        [ONE * 1e300],
        ValueError,
        "too large for dtype.* in channel 0 of sequence 0; rescale the data",
    ),
    (np.full((2, 3, 2), np.inf), ValueError, "contains infinity or a value too large"),
]
TEXT = [  # which an unfitted estimator reads as categories, unless categorical_features is None
    ([ONE, [["a", "b"]]], "sequence 1 has dtype <U1; convert it to numbers"),
    (np.full((2, 3, 2), "a"), "the 3-D array has dtype <U1; convert it to numbers"),
    ([ONE, [["a", 1.0]]], "sequence 1 holds text; convert it to numbers"),
]
ONLY_FOR_FIT = [
    ([np.empty((0, 2))], "at least one real value .* got 1 .* all empty or missing; leave those"),
    ([ONE * NAN, []], "at least one real value .* got 2 .* all empty or missing; leave those out"),
]
OTHER_CHANNELS = [
    ([np.ones((3, 3))], "X has 3 channels, but .* is expecting 2 channels as input: give the"),
    (np.ones((2, 3)), "X has 1 channels, but .* is expecting 2 channels as input: give the"),
    ([[1.0, 2.0]], "X has 1 channels, but .* is expecting 2 channels as input: give the"),
]

NO_CODES = [
    (np.ones((2, 5)), ValueError, "5 components, but 4 .* expected as input: pass what transform"),
    (np.ones(4), ValueError, r"codes, an array \(n_sequences, 4\).* got 1D array.*; pass what"),
    (np.ones((2, 3, 4)), ValueError, "codes, .* dim 3.*; pass what transform returned"),
    (np.empty((0, 4)), ValueError, r"codes, .* 0 sample\(s\) .*; pass what transform returned"),
    (np.full((2, 4), NAN), ValueError, "codes, .* contains NaN; pass what transform returned"),
    (np.full((2, 4), np.inf), ValueError, "codes, .* contains infinity .*; pass what transform"),
    (np.ones((2, 4)) * 1j, ValueError, "codes, .* Complex data not supported; pass what transform"),
    ([["a"] * 4], ValueError, "codes, .* convert string to float: 'a'; pass what transform"),
    ([[1.0], [1.0, 2.0]], ValueError, "codes, .* inhomogeneous .*; pass what transform returned"),
    (None, ValueError, "codes, .* got scalar array .*; pass what transform returned"),
    ({}, TypeError, "codes, .* not 'dict'; pass what transform returned"),
]
NO_LENGTHS = [[1, -1], [1], [1, 2, 3], [1.0, 2.0], [1.5, 2], ["a", "b"], 3, [[1, 2]], [NAN, 1], {}]
NO_LENGTHS += [[True, False], [[1], [2, 3]], [None, 1]]

READERS = ["transform", "reconstruct", "impute", "score", "score_samples", "reconstruction_error"]


def state(estimator):
    return {name: id(value) for name, value in vars(estimator).items()}


def name_of(value):
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))  # names are the same in every process


@pytest.fixture
def fresh(tiny):
    return LSTMAutoencoderTransformer(**tiny)


# Parameters


def test_the_table_of_wrong_values_names_every_parameter():
    parameters = list(inspect.signature(LSTMAutoencoderTransformer).parameters)
    assert [name for name, *_ in TABLE] == parameters


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param(name, value, expected, id=f"{name}={name_of(value)}")
        for name, values, expected in TABLE
        for value in values
    ],
)
def test_a_parameter_out_of_range_or_of_a_wrong_type_is_refused(
    fresh, ragged, name, value, expected
):
    before = state(fresh.set_params(**{name: value}))
    default = inspect.signature(LSTMAutoencoderTransformer).parameters[name].default
    for method in (fresh.fit, fresh.partial_fit, fresh.fit_transform):
        with pytest.raises(ValueError, match=expected) as caught:
            method(ragged)
        text = str(caught.value)
        assert text.startswith(f"The '{name}' parameter of LSTMAutoencoderTransformer must be ")
        assert f"Got {value!r} instead. Choose such a value" in text
        assert text.endswith(f"the default is {name}={default!r}.")
        assert state(fresh) == before


@pytest.mark.parametrize(
    ("changes", "error", "message"), [pytest.param(*rule, id=", ".join(rule[0])) for rule in RULES]
)
def test_after_an_error_in_fit_an_estimator_is_still_not_fitted(
    fresh, ragged, changes, error, message
):
    before = state(fresh.set_params(**changes))
    with pytest.raises(error, match=message):
        fresh.fit(ragged)
    assert state(fresh) == before
    assert not hasattr(fresh, "n_features_in_")


def test_an_unknown_parameter_is_refused_at_once():
    with pytest.raises(TypeError, match="unexpected keyword argument 'layers'"):
        LSTMAutoencoderTransformer(layers=3)
    with pytest.raises(ValueError, match=r"Invalid parameter 'layers' .* Valid parameters are"):
        LSTMAutoencoderTransformer().set_params(layers=3)


# Data


@pytest.mark.parametrize(
    ("X", "error", "message"), [pytest.param(*row, id=row[2]) for row in NO_SEQUENCES]
)
def test_invalid_sequences_are_refused_by_all_methods(fresh, fitted, ragged, X, error, message):
    before, learned, Z = state(fresh), state(fitted), fitted.transform(ragged)
    for method in (fresh.fit, fresh.partial_fit, fitted.fit, fitted.partial_fit):
        with pytest.raises(error, match=message):
            method(X)
    for name in READERS:
        with pytest.raises(error, match=message):
            getattr(fitted, name)(X)
    assert state(fresh) == before
    assert state(fitted) == learned
    assert_array_equal(fitted.transform(ragged), Z)


@pytest.mark.parametrize(("X", "message"), TEXT)
def test_text_is_refused_after_a_fit_on_numbers_or_without_categorical_features(
    fresh, fitted, X, message
):
    learned = state(fitted)
    for name in (*READERS, "partial_fit"):
        with pytest.raises(TypeError, match=message):
            getattr(fitted, name)(X)
    assert state(fitted) == learned
    with pytest.raises(TypeError, match=message):
        fresh.set_params(categorical_features=None).fit(X)


@pytest.mark.parametrize(("X", "message"), ONLY_FOR_FIT)
def test_nothing_can_be_learned_without_a_value_but_codes_are_made(fresh, fitted, X, message):
    before = state(fresh)
    with pytest.raises(ValueError, match=message):
        fresh.fit(X)
    assert state(fresh) == before
    assert np.isfinite(fitted.transform(X)).all()
    assert_array_equal(fitted.score_samples(X), np.zeros(len(X)))


@pytest.mark.parametrize(("X", "message"), OTHER_CHANNELS)
@pytest.mark.parametrize("method", [*READERS, "partial_fit"])
def test_other_channels_than_fit_saw_are_refused(fitted, method, X, message):
    learned = state(fitted)
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(X)
    assert state(fitted) == learned


def test_other_columns_than_fit_saw_are_refused(wide, tiny):
    ae = LSTMAutoencoderTransformer(**tiny).fit(pd.DataFrame(wide, columns=list("abcde")))
    for columns in ("abcdx", "edcba"):
        X = pd.DataFrame(wide, columns=list(columns))
        with pytest.raises(ValueError, match=r"feature names should match those .* during fit"):
            ae.transform(X)
    with pytest.raises(ValueError, match=r"at most 5 steps, .* got one of 6; give shorter lengths"):
        ae.inverse_transform(np.zeros((1, 4)), lengths=[6])
    plain = LSTMAutoencoderTransformer(**tiny).fit(wide)
    with pytest.raises(ValueError, match=r"X has 4 features, but .* is expecting 5 features"):
        plain.transform(wide[:, :4])


@pytest.mark.parametrize(
    ("Z", "error", "message"), [pytest.param(*row, id=row[2]) for row in NO_CODES]
)
def test_invalid_codes_are_refused(fitted, Z, error, message):
    with pytest.raises(error, match=message):
        fitted.inverse_transform(Z)


@pytest.mark.parametrize("lengths", NO_LENGTHS, ids=name_of)
def test_lengths_that_are_none_are_refused(fitted, lengths):
    with pytest.raises(
        ValueError, match=r"2 whole numbers of 0 or more, one per code, got .*: pass the numbers of"
    ):
        fitted.inverse_transform(np.zeros((2, 4)), lengths=lengths)


@pytest.mark.parametrize("per", ["batch", None, 0, ["step"]])
def test_errors_are_per_sequence_step_channel_or_value(fitted, ragged, per):
    with pytest.raises(
        ValueError, match=r"'sequence', 'step', 'channel' or 'value', got .*: choose one"
    ):
        fitted.reconstruction_error(ragged, per=per)


@pytest.mark.parametrize("n_samples", [0, -1, 2.5, "3", None, NAN, [2]], ids=name_of)
def test_a_number_of_samples_that_is_none_is_refused(fitted, n_samples):
    learned = state(fitted)
    with pytest.raises(ValueError, match=r"'n_samples' .* \[1, inf\)\. .*Choose .* n_samples=1"):
        fitted.sample(n_samples)
    assert state(fitted) == learned


@pytest.mark.parametrize("random_state", ["0", -1, 1.5], ids=name_of)
def test_a_state_to_sample_from_that_is_none_is_refused(fitted, random_state):
    with pytest.raises(ValueError, match=r"'random_state' .* Choose such a value; the defaults"):
        fitted.sample(random_state=random_state)


# Few sequences, and such that say little


def all_finite(ae, X):
    """Tell whether codes and everything that is written from them are finite."""
    parts = [ae.transform(X), *ae.reconstruct(X), *ae.impute(X), *ae.sample(5, random_state=0)]
    return all(np.isfinite(part).all() for part in parts)


def test_a_sequence_without_values_among_others_does_no_harm(fresh, ragged):
    X = [*ragged[:20], np.full((4, 2), NAN), np.c_[np.full(3, NAN), np.ones(3)]]
    assert all_finite(fresh.fit(X), X)


@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust", "per_sequence", None])
def test_a_constant_channel_is_reconstructed_and_does_not_affect_others(fresh, ragged, scaler):
    X = [np.c_[sequence[:, 0], np.full(len(sequence), 5.0)] for sequence in ragged]
    ae = fresh.set_params(scaler=scaler, n_components=6).fit(X)
    assert all_finite(ae, X)
    if scaler in ("minmax", "robust", "standard"):  # whose unit is 1 where nothing varies
        assert np.abs(np.concatenate(ae.reconstruct(X))[:, 1] - 5.0).max() < 2.0


@pytest.mark.parametrize("n_sequences", [1, 2, 3])
@pytest.mark.parametrize("validation_fraction", [0.1, 0.9])
def test_so_few_sequences_are_trained_on_and_sampled_from(
    fresh, ragged, n_sequences, validation_fraction
):
    X = ragged[1 : 1 + n_sequences]
    ae = fresh.set_params(validation_fraction=validation_fraction).fit(X)
    assert all_finite(ae, X)
    assert len(ae.history_["loss"]) == 2


def test_fewer_sequences_than_folds_are_refused_by_scikit_learn(fresh, ragged):
    with pytest.raises(ValueError, match=r"n_splits=5 greater than the number of samples.*3"):
        cross_val_score(fresh, ragged[:3], cv=5)
    assert np.isfinite(cross_val_score(fresh, ragged[1:4], cv=3, error_score="raise")).all()


# What was never fitted


@pytest.mark.parametrize("method", [*READERS, "inverse_transform"])
def test_methods_raise_if_not_fitted(ragged, method):
    with pytest.raises(NotFittedError, match=r"is not fitted yet\. Call 'fit' with appropriate"):
        getattr(LSTMAutoencoderTransformer(), method)(ragged)


def test_names_models_and_samples_need_a_fit_too():
    ae = LSTMAutoencoderTransformer()
    with pytest.raises(NotFittedError, match=r"is not fitted yet\. Call 'fit'"):
        ae.sample()
    with pytest.raises(NotFittedError, match=r"is not fitted yet\. Call 'fit'"):
        ae.get_feature_names_out()
    for name in ("model_", "encoder_", "decoder_"):
        with pytest.raises(NotFittedError, match=r"is not fitted yet\. Call 'fit'"):
            getattr(ae, name)


# What an error leaves behind


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        ("fit", {"callbacks": Raises(), "n_components": 3}, "enough"),
        ("fit", {"callbacks": Raises(), "warm_start": True}, "enough"),
        ("fit", {"optimizer": "sgd", "learning_rate": 1e30, "epochs": 5}, "weights became"),
        ("fit", {"encoder": lambda **sizes: None}, "returned NoneType"),
        ("partial_fit", {"loss": lambda true, predicted: true * NAN}, "must give one number"),
        ("partial_fit", {"learning_rate": -1.0}, "'learning_rate' parameter"),
    ],
)
def test_a_fitted_estimator_works_on_as_before_after_an_error(
    fitted, ragged, method, changes, message
):
    ae = copy.deepcopy(fitted)
    learned, Z = state(ae), ae.transform(ragged)
    history = copy.deepcopy(ae.history_)
    with pytest.raises((ValueError, RuntimeError, TypeError), match=message):
        getattr(ae.set_params(**changes), method)([-sequence for sequence in ragged])
    ae.set_params(**{name: getattr(fitted, name) for name in changes})
    assert state(ae).keys() == learned.keys()
    assert ae.history_ == history
    assert_array_equal(ae.transform(ragged), Z)
    # Nor does the error live on in the next training.
    assert_array_equal(
        ae.partial_fit(ragged).transform(ragged),
        copy.deepcopy(fitted).partial_fit(ragged).transform(ragged),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_components": 5}, "built with n_components=4, got n_components=5: reset it, or"),
        ({"units": 7}, r"built with units=\(6,\), got units=\(7,\): reset it, or fit a new"),
        ({"decoder": "dense"}, "built with decoder='repeat', got decoder='dense': reset it, or"),
        ({"scaler": None}, "built with scaler='standard', got scaler=None: reset it, or fit"),
        ({"loss": "binary_crossentropy"}, "activation='linear', got .*activation='sigmoid': reset"),
    ],
)
def test_training_continues_only_with_the_same_network(fitted, ragged, changes, message):
    ae = copy.deepcopy(fitted).set_params(warm_start=True, **changes)
    for method in (ae.fit, ae.partial_fit):
        with pytest.raises(ValueError, match=message):
            method(ragged)
    ae.set_params(**{name: getattr(fitted, name) for name in changes})
    assert_array_equal(ae.transform(ragged), fitted.transform(ragged))


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", keras.optimizers.Adam(1e-3)])
def test_training_continues_with_another_optimizer(fitted, ragged, optimizer):
    ae = copy.deepcopy(fitted).set_params(warm_start=True, optimizer=optimizer).fit(ragged)
    assert ae.n_epochs_ == 4
    assert np.isfinite(ae.transform(ragged)).all()


@pytest.mark.parametrize("container", ["list", "3d", "frame"])
def test_data_are_never_changed(tiny, container):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 6, 1)).astype(np.float32)
    X[:5, 2, 0] = NAN
    X[:, 3:, 0][rng.random(20) < 0.5] = NAN
    X = {"list": list(X), "3d": X, "frame": pd.DataFrame(X[:, :, 0]).add_prefix("t")}[container]
    before = copy.deepcopy(X)
    ae = LSTMAutoencoderTransformer(**tiny).fit(X)
    Z = ae.partial_fit(X).transform(X)
    codes = Z.copy()
    for name in READERS:
        getattr(ae, name)(X)
    lengths = np.arange(len(Z)) % 6
    ae.inverse_transform(Z, lengths=lengths)
    ae.inverse_transform(Z)
    for one, other in zip(np.asarray(X), np.asarray(before), strict=True):
        assert_array_equal(one, other)
    assert_array_equal(Z, codes)
    assert_array_equal(lengths, np.arange(len(Z)) % 6)
