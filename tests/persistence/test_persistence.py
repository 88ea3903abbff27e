"""What a saved estimator is when it is loaded: the same, in all that it does."""

import copy
import functools
import io
import json
import os
import pickle
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, StandardScaler

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer, load
from sklearn_seqae.persistence import allowlist, archive
from sklearn_seqae.persistence.versions import VERSION
from tests.conftest import TINY, make_ragged

FORMATS = Path(__file__).parents[1] / "formats"
BUILDERS = """
import keras

def encoder(n_steps, n_channels, n_components):
    return keras.Sequential([
        keras.Input((None, n_channels)), keras.layers.GRU(5), keras.layers.Dense(n_components)
    ])

def decoder(n_steps, n_channels, n_components):
    return keras.Sequential([
        keras.Input((n_components,)),
        keras.layers.Dense(n_steps * n_channels),
        keras.layers.Reshape((n_steps, n_channels)),
    ])

def halved(epoch, rate):
    return rate / 2

def stop():
    return keras.callbacks.EarlyStopping("loss")

def absolute(y_true, y_pred):
    return keras.ops.abs(y_true - y_pred)

class Scaled(keras.losses.Loss):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * keras.ops.abs(y_true - y_pred)

    def get_config(self):
        return super().get_config() | {"factor": self.factor}
"""


def fit(X=None, **parameters):
    X = make_ragged(16) if X is None else X
    return LSTMAutoencoderTransformer(**{**TINY, "epochs": 1, **parameters}).fit(X), X


def saved(estimator, include_optimizer=False):
    file = io.BytesIO()
    estimator.save(file, include_optimizer)
    file.seek(0)
    return file


def again(estimator, trusted=(), include_optimizer=False):
    return load(saved(estimator, include_optimizer), trusted)


def assert_same(one, other):
    """Two containers of sequences hold the same bits, in the same form."""
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    elif isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert one.dtype == other.dtype
        assert_array_equal(one, other)


def plainly(estimator):
    parameters = estimator.get_params()
    if isinstance(parameters["random_state"], np.random.RandomState):  # its repr is its place
        parameters["random_state"] = parameters["random_state"].get_state()
    return repr(parameters)


def assert_does_the_same(other, one, X):
    assert type(other) is type(one)
    assert vars(other).keys() == vars(one).keys()
    assert plainly(other) == plainly(one)
    assert other.history_ == one.history_
    assert (other.n_epochs_, other.best_epoch_) == (one.n_epochs_, one.best_epoch_)
    assert repr(other.categories_) == repr(one.categories_)
    codes = one.transform(X)
    assert_same(other.transform(X), codes)
    assert_same(other.inverse_transform(codes), one.inverse_transform(codes))
    for method in ("reconstruct", "impute", "score_samples"):
        assert_same(getattr(other, method)(X), getattr(one, method)(X))
    assert other.score(X) == one.score(X)
    assert_same(other.sample(3, random_state=0), one.sample(3, random_state=0))


@pytest.fixture(scope="session")
def builders(tmp_path_factory):
    """A module that can be imported, with functions for parameters."""
    folder = tmp_path_factory.mktemp("builders")
    (folder / "seqae_builders.py").write_text(BUILDERS, encoding="utf-8")
    sys.path.insert(0, str(folder))
    import seqae_builders

    yield seqae_builders
    sys.path.remove(str(folder))
    del sys.modules["seqae_builders"]


def frames(n=20, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for length in rng.integers(2, 6, n):
        colours = pd.Categorical.from_codes(
            rng.integers(0, 3, length), ["red", "green", "blue"], ordered=True
        )
        made.append(
            pd.DataFrame(
                {
                    "value": rng.normal(size=length).cumsum(),
                    "colour": colours,
                    "word": rng.choice(["up", "dîner", None], length),
                    "bin": pd.cut(rng.uniform(0, 3, length), [0, 1, 2, 3]),
                }
            )
        )
    return made


def dated(n=30, n_steps=5):
    """A wide frame whose columns are days."""
    values = np.random.default_rng(1).normal(size=(n, n_steps)).cumsum(axis=1)
    days = pd.date_range("2026-11-01", periods=n_steps, tz="Europe/Berlin")
    return pd.DataFrame(values, columns=days)


def text(n=20):
    rng = np.random.default_rng(2)
    return [list(rng.choice(list("abc"), length)) for length in rng.integers(1, 6, n)]


# Round trips

# Every choice of a parameter is in one of these; each fit has a graph to trace.
CASES = {
    "gru": lambda: fit(cell="gru", units=(5, 4), pooling="last", scaler="robust"),
    "reshape": lambda: fit(
        decoder="reshape", pooling="max", scaler=make_pipeline(PowerTransformer(), MinMaxScaler())
    ),
    "dense": lambda: fit(
        make_ragged(16, missing=0.2),
        decoder="dense",
        patch_size=2,
        n_components=6,
        scaler="per_sequence",
    ),
    "frames": lambda: fit(frames(), decoder="autoregressive", bidirectional=False),
    "multiscale": lambda: fit(
        n_components=np.int64(40),
        units=(np.int32(6),),
        scaler="minmax",
        bidirectional=np.True_,
        learning_rate=np.float32(0.01),
        cell=np.str_("lstm"),
        validation_fraction=np.float64(0.2),
    ),
    "text": lambda: fit(text()),
    "integers": lambda: fit(
        [[1, 2, 2], [3], [1, 3]] * 5,
        categorical_features=np.array([0]),
        random_state=np.random.RandomState(3),
    ),
    "dated": lambda: fit(dated()),
    "probabilities": lambda: fit(
        np.eye(4)[[[0, 1, 2]] * 9],
        scaler=None,
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_loaded_estimator_has_identical_results(case):
    estimator, X = CASES[case]()
    assert_does_the_same(again(estimator), estimator, X)


def test_gaps_and_patches_come_back(fitted_on_missing):
    X = make_ragged(missing=0.2)
    assert_does_the_same(again(fitted_on_missing), fitted_on_missing, X)


def test_the_density_is_restored_before_and_after_its_first_use(fitted, ragged):
    estimator = copy.deepcopy(fitted)
    assert_does_the_same(again(estimator), estimator, ragged)
    estimator.sample()
    assert_does_the_same(again(estimator), estimator, ragged)


def test_codes_that_are_all_the_same_have_a_density_too():
    estimator, X = fit([np.ones((3, 1))] * 10)
    estimator.sample()
    assert_does_the_same(again(estimator), estimator, X)


def test_a_loaded_estimator_works_like_any_other(fitted, ragged):
    other = again(fitted)
    assert not hasattr(clone(other), "history_")
    assert_same(pickle.loads(pickle.dumps(other)).transform(ragged), fitted.transform(ragged))
    assert_does_the_same(again(other), fitted, ragged)
    assert_same(other.fit(ragged).transform(ragged), fitted.transform(ragged))
    assert other.model_.get_layer("encoder") is other.encoder_


def test_output_and_names_come_back(wide):
    table = pd.DataFrame(wide, columns=list("abcde"))
    estimator, _ = fit(table)
    estimator.set_output(transform="pandas")
    other = again(estimator)
    assert_same(other.transform(table), estimator.transform(table))
    assert_array_equal(other.feature_names_in_, estimator.feature_names_in_)
    with pytest.raises(ValueError, match="feature names"):
        other.transform(table.rename(columns={"a": "z"}))


def test_weights_that_a_user_has_set_are_saved(fitted, ragged):
    estimator = copy.deepcopy(fitted)
    bias = estimator.encoder_.get_layer("code").bias
    bias.assign(bias + 1.0)
    other = again(estimator)
    assert_same(other.transform(ragged), estimator.transform(ragged))
    assert not np.allclose(other.transform(ragged), fitted.transform(ragged))


def test_the_same_estimator_makes_the_same_file(fitted):
    assert saved(fitted).getvalue() == saved(fitted).getvalue() == saved(again(fitted)).getvalue()


def test_one_scaler_stays_one(ragged):
    estimator, _ = fit(ragged, scaler=StandardScaler(), warm_start=True)
    other = again(estimator)
    assert other._fitted_model.scaler.scaler_ is other.scaler_
    other.fit(ragged)  # which would refuse another scaler than that of the network
    assert other.n_epochs_ == 2


# Training on


def test_training_continues_identically_if_the_optimizer_is_saved(fitted, ragged):
    estimator = copy.deepcopy(fitted)
    other = again(estimator, include_optimizer=True)
    for ae in (estimator, other):
        ae.partial_fit(ragged).set_params(warm_start=True).fit(ragged)
    assert_does_the_same(other, estimator, ragged)


def test_without_its_state_the_optimizer_starts_afresh(fitted, ragged):
    fitted = clone(fitted).set_params(shortcut=None).fit(ragged)  # no start that may be kept
    estimator, other = copy.deepcopy(fitted), again(fitted)
    assert other._fitted_model._optimizer_state is None
    assert fitted._fitted_model._optimizer_state is not None
    estimator.partial_fit(ragged)
    other.partial_fit(ragged)
    assert other.n_epochs_ == estimator.n_epochs_
    assert not np.array_equal(other.transform(ragged), estimator.transform(ragged))
    n_bytes = [len(saved(fitted, keep).getvalue()) for keep in (False, True)]
    assert n_bytes[0] < n_bytes[1]


# Parameters that are objects and code


def test_own_encoders_and_decoders_are_saved_by_name(builders, monkeypatch):
    estimator, X = fit(encoder=builders.encoder, decoder=builders.decoder)
    file = saved(estimator)
    trusted = ["seqae_builders:encoder", "seqae_builders:decoder"]
    other = again(estimator, trusted, include_optimizer=True)
    assert other.encoder is builders.encoder
    assert_does_the_same(other, estimator, X)
    for ae in (estimator, other):
        ae.partial_fit(X)
    assert_same(other.transform(X), estimator.transform(X))

    def wider(n_steps, n_channels, n_components):
        sizes = keras.Input((None, n_channels)), keras.layers.GRU(7)
        return keras.Sequential([*sizes, keras.layers.Dense(n_components)])

    monkeypatch.setattr(builders, "encoder", wider)
    with pytest.raises(ValueError, match="Expected the encoder and decoder that the file names"):
        load(file, trusted)


KERAS_PARAMETERS = {
    "loss": [
        keras.losses.Huber(delta=0.3),
        keras.losses.CosineSimilarity(axis=-1),
        keras.losses.MeanSquaredError,
        keras.losses.mean_absolute_error,
    ],
    "optimizer": [
        keras.optimizers.SGD(0.1, momentum=0.5),
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
    ],
    "metrics": [
        [keras.metrics.MeanAbsoluteError(name="error"), "mse", keras.metrics.LogCoshError],
        keras.metrics.CosineSimilarity(),
    ],
    "callbacks": [
        [keras.callbacks.EarlyStopping("loss", patience=3), keras.callbacks.TerminateOnNaN],
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, min_lr=1e-5),
    ],
}
KERAS_CASES = [(name, value) for name, values in KERAS_PARAMETERS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), KERAS_CASES)
def test_objects_of_keras_are_made_again(name, value, fitted):
    other = again(copy.deepcopy(fitted).set_params(**{name: value}))
    assert_alike(getattr(other, name), value)


def assert_alike(made, given):
    if isinstance(given, list):
        for one, other in zip(made, given, strict=True):
            assert_alike(one, other)
    elif isinstance(given, type | str) or not hasattr(given, "__dict__"):
        assert made == given
    elif hasattr(given, "__code__"):
        assert made is given
    else:
        assert type(made) is type(given)
        described = {k: v for k, v in vars(given).items() if isinstance(v, int | float | str)}
        for key in described.keys() - {"built", "_lock", "name"}:
            assert getattr(made, key) == described[key], key
        if hasattr(given, "get_config"):
            assert made.get_config() == given.get_config()
        assert getattr(made, "_fn_kwargs", None) == getattr(given, "_fn_kwargs", None)


def test_functions_and_classes_of_a_user_are_saved_by_name(builders, fitted):
    own = {
        "loss": builders.absolute,
        "metrics": [builders.absolute],
        "callbacks": [builders.stop, keras.callbacks.LearningRateScheduler(builders.halved)],
    }
    trusted = ["seqae_builders:absolute", "seqae_builders:stop", "seqae_builders:halved"]
    other = again(copy.deepcopy(fitted).set_params(**own), trusted)
    assert other.loss is other.metrics[0] is builders.absolute
    assert other.callbacks[1].schedule is builders.halved
    other = again(
        copy.deepcopy(fitted).set_params(loss=builders.Scaled(2.5)), ["seqae_builders:Scaled"]
    )
    assert other.loss.factor == 2.5


def test_subclasses_of_a_user_are_saved_by_name(fitted, ragged, tmp_path, monkeypatch):
    source = "from sklearn_seqae import LSTMAutoencoderTransformer as T\nclass Mine(T):\n    pass\n"
    (tmp_path / "seqae_mine.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import seqae_mine

    estimator = seqae_mine.Mine(**fitted.get_params())
    estimator.__dict__.update(copy.deepcopy(fitted).__dict__)
    estimator.note_ = "what my own fit learned"
    other = again(estimator, ["seqae_mine:Mine"])
    assert other.note_ == estimator.note_
    assert_does_the_same(other, estimator, ragged)
    with pytest.raises(ValueError, match="needs seqae_mine:Mine"):
        again(estimator)


class Untold(StandardScaler):
    """A scaler that __main__, or a test, defines."""

    __module__ = "__main__"


UNSAVABLE = [
    ("encoder", lambda n_steps, n_channels, n_components: None, "define a function or class at"),
    ("callbacks", [keras.callbacks.LambdaCallback()], "callbacks.0"),
    ("callbacks", [keras.callbacks.CSVLogger("log.csv")], "can be made again"),
    ("random_state", np.random.RandomState(np.random.MT19937()).get_state()[1], "random_state"),
    ("scaler", Untold(), "Expected scaler"),
    ("loss", keras.losses.MeanSquaredError().call, "define a function or class at"),
    ("encoder", functools.partial(dict, a=1), "define a function or class at"),
    ("scaler", make_pipeline(StandardScaler(), memory="cache"), "has a memory"),
    ("categorical_features", {0}, "of type set"),
]


@pytest.mark.parametrize(("name", "value", "text"), UNSAVABLE)
def test_values_that_cannot_be_saved_are_refused_before_writing(
    name, value, text, fitted, tmp_path
):
    estimator = copy.deepcopy(fitted).set_params(**{name: value})
    path = tmp_path / "ae.zip"
    path.write_text("kept", encoding="utf-8")
    with pytest.raises((TypeError, ValueError), match=text) as caught:
        estimator.save(path)
    assert name in str(caught.value)
    assert path.read_text(encoding="utf-8") == "kept"
    assert os.listdir(tmp_path) == ["ae.zip"]


def test_only_fitted_estimators_are_saved(tmp_path):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        LSTMAutoencoderTransformer().save(tmp_path / "ae.zip")
    assert not os.listdir(tmp_path)


# The file


def test_a_path_may_be_a_text_a_path_or_an_open_file(fitted, ragged, tmp_path):
    codes = fitted.transform(ragged)
    path = tmp_path / "ae.zip"
    for target in (str(path), path):
        fitted.save(target)
        assert_same(load(target).transform(ragged), codes)
    with open(path, "wb", buffering=0) as file:
        fitted.save(file)
    with open(path, "rb") as file:
        assert_same(load(file).transform(ragged), codes)
    with open(path, "w", encoding="utf-8") as file, pytest.raises(TypeError, match="mode 'wb'"):
        fitted.save(file)
    with open(path, encoding="utf-8") as file, pytest.raises(TypeError, match="mode 'rb'"):
        load(file)
    for odd in (3, None):
        with pytest.raises(TypeError, match="Expected a path or a binary file object"):
            fitted.save(odd)
        with pytest.raises(TypeError, match="Expected a path or a binary file object"):
            load(odd)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.zip")
    with pytest.raises(FileNotFoundError, match="Expected a folder that is there"):
        fitted.save(tmp_path / "none" / "ae.zip")
    with pytest.raises(IsADirectoryError):
        fitted.save(tmp_path)


def test_people_and_numpy_can_read_the_file(fitted):
    with zipfile.ZipFile(saved(fitted)) as file:
        manifest = json.loads(file.read("manifest.json"))
        members = [name for name in file.namelist() if name.startswith("arrays/")]
    assert manifest["format"] == "sklearn_seqae estimator"
    assert manifest["format_version"] == VERSION
    assert manifest["versions"].keys() >= {"sklearn_seqae", "numpy", "scikit-learn", "keras"}
    assert manifest["estimator"]["parameters"]["units"] == TINY["units"]
    assert manifest["estimator"]["attributes"]["history_"] == fitted.history_
    arrays = np.load(saved(fitted))
    (name,) = [name for name in arrays.files if "code_kernel" in name]
    assert_array_equal(arrays[name], fitted.encoder_.get_layer("code").kernel)
    assert {f"arrays/{Path(name).name}" for name in members} == manifest["members"].keys()


@pytest.mark.skipif(os.name != "posix", reason="rights and links of POSIX")
def test_a_file_has_the_rights_that_the_user_wants(fitted, tmp_path):
    path, link = tmp_path / "ae.zip", tmp_path / "link.zip"
    old = os.umask(0o027)
    try:
        fitted.save(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    link.symlink_to(path)
    fitted.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="Expected the path of a regular file"):
        fitted.save(tmp_path / "pipe")


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_leaves_the_file_that_was_there(failing, fitted, tmp_path, monkeypatch):
    path = tmp_path / "ae.zip"
    fitted.save(path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="no space left"):
        fitted.save(path, include_optimizer=True)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["ae.zip"]


def test_a_fresh_process_loads_and_uses_it_without_tensorflow(fitted, ragged, tmp_path):
    fitted.save(tmp_path / "ae.zip")
    np.savez(tmp_path / "X.npz", *ragged)
    program = (
        "import sys, numpy as np, sklearn_seqae\n"
        "ae = sklearn_seqae.load('ae.zip')\n"
        "file = np.load('X.npz')\n"
        "Z = ae.transform([file[name] for name in file.files])\n"
        "ae.inverse_transform(Z), ae.sample(2)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "np.save('Z.npy', Z)\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert_array_equal(np.load(tmp_path / "Z.npy"), fitted.transform(ragged))


def test_another_version_of_scikit_learn_is_warned_of_as_by_scikit_learn(fitted, ragged):
    file = archive.Archive(saved(fitted))
    manifest = file.manifest
    scaler = manifest["estimator"]["attributes"]["scaler_"]["state"]["scaler_"]["state"]
    scaler["_sklearn_version"] = "1.5.0"
    written = io.BytesIO()
    archive.write(written, manifest, file.arrays())
    written.seek(0)
    with pytest.warns(InconsistentVersionWarning, match="StandardScaler from version 1.5.0"):
        other = load(written)
    assert_same(other.transform(ragged), fitted.transform(ragged))


# What has to stay in step


@pytest.mark.parametrize("path", sorted(FORMATS.glob("*.zip")), ids=lambda path: path.stem)
def test_files_of_every_version_of_the_format_are_read(path):
    estimator = load(path)
    expected = np.load(path.with_suffix(".npz"))
    X = [expected[name] for name in sorted(set(expected.files) - {"codes"})]
    assert_allclose(estimator.transform(X), expected["codes"], atol=1e-5)


def test_the_present_version_of_the_format_has_its_file():
    assert (FORMATS / f"{VERSION}.zip").exists()


@pytest.mark.newest("the names are those of the newest Keras")
def test_all_that_may_be_named_exists():
    resolver = allowlist.Resolver()
    for path in allowlist.ALLOWED:
        assert allowlist.path_of(resolver.resolve(path), "it") == path


def test_a_detector_is_restored_with_threshold_and_reference_distribution(ragged):
    detector = LSTMAutoencoderDetector(**TINY).fit(ragged)
    file = io.BytesIO()
    detector.save(file)
    loaded = load(file.seek(0) or file)
    assert type(loaded) is LSTMAutoencoderDetector
    assert loaded.offset_ == detector.offset_
    assert_array_equal(loaded.decision_function(ragged), detector.decision_function(ragged))
    pd.testing.assert_frame_equal(loaded.explain(ragged[:3]), detector.explain(ragged[:3]))
    with pytest.raises(NotFittedError):
        LSTMAutoencoderDetector().save(file)
