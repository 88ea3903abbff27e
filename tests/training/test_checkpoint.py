"""A fit that is interrupted goes on from its checkpoint."""

import io
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from sklearn_seqae import LSTMAutoencoderTransformer, load
from sklearn_seqae.datasets import make_ragged_sines


class Interrupts(keras.callbacks.Callback):
    """Raises an error in the epoch `at`, and counts those that begin."""

    at = None
    begun = 0

    def on_epoch_begin(self, epoch, logs=None):
        Interrupts.begun += 1
        if epoch == Interrupts.at:
            raise RuntimeError("interrupted")


@pytest.fixture(scope="module", name="X")
def sines():
    return make_ragged_sines(30, random_state=0)[0]


def make(folder=None, **parameters):
    chosen = {"units": 6, "epochs": 5, "random_state": 0, "callbacks": Interrupts} | parameters
    return LSTMAutoencoderTransformer(8, checkpoint=folder, **chosen)


def fit_interrupted(estimator, X, at):
    Interrupts.at = at
    try:
        with pytest.raises(RuntimeError, match="interrupted"):
            estimator.fit(X)
    finally:
        Interrupts.at = None
    assert not hasattr(estimator, "history_")


def check_equal(found, expected, X):
    assert found.history_ == expected.history_
    assert found.best_epoch_ == expected.best_epoch_
    weights = [ae._fitted_model.network.weights for ae in (found, expected)]
    assert weights[0].keys() == weights[1].keys()
    for name in weights[0]:
        np.testing.assert_array_equal(weights[0][name], weights[1][name])
    states = [ae._fitted_model._optimizer_state for ae in (found, expected)]
    for own, other in zip(*(next(iter(state.values())) for state in states), strict=True):
        np.testing.assert_array_equal(own, other)
    np.testing.assert_array_equal(found.transform(X), expected.transform(X))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"shortcut": None, "early_stopping": False, "optimizer": "rmsprop"},
        {"patience": 1, "learning_rate": 0.5, "loss": "mae", "metrics": ["mse"]},
    ],
)
def test_an_interrupted_fit_ends_with_the_weights_of_one_that_was_not(tmp_path, X, parameters):
    expected = make(**parameters).fit(X)
    at = min(3, expected.n_epochs_ - 1)
    fit_interrupted(make(tmp_path, **parameters), X, at)
    begun = Interrupts.begun
    found = make(tmp_path, **parameters).fit(X)
    assert Interrupts.begun - begun == expected.n_epochs_ - at
    check_equal(found, expected, X)


def test_a_fit_that_is_complete_is_not_run_again(tmp_path, X):
    expected = make(tmp_path).fit(X)
    begun = Interrupts.begun
    check_equal(make(tmp_path).fit(X), expected, X)
    assert Interrupts.begun == begun


@pytest.mark.long
def test_damaged_checkpoints_are_passed_over(tmp_path, X):
    expected = make().fit(X)
    for n_damaged in (1, 2):
        folder = tmp_path / str(n_damaged)
        fit_interrupted(make(folder), X, 3)
        paths = sorted(folder.glob("epoch-*"))
        assert [path.stem for path in paths] == ["epoch-000002", "epoch-000003"]
        paths[-1].write_bytes(paths[-1].read_bytes()[:-100])
        if n_damaged == 2:
            content = bytearray(paths[0].read_bytes())
            content[len(content) // 2] ^= 1
            paths[0].write_bytes(content)
        begun = Interrupts.begun
        check_equal(make(folder).fit(X), expected, X)
        assert Interrupts.begun - begun == {1: 3, 2: 5}[n_damaged]
    (folder / "fit.json").write_text("{")
    with pytest.raises(ValueError, match=r"fit\.json in it is damaged"):
        make(folder).fit(X)


@pytest.mark.long
def test_a_random_seed_is_kept(tmp_path, X):
    for state in (None, np.random.RandomState(3)):
        folder = tmp_path / type(state).__name__
        fit_interrupted(make(folder, random_state=state), X, 2)
        found = make(folder, random_state=state).fit(X)
        check_equal(make(random_state=found._seed).fit(X), found, X)


def test_another_fit_is_refused(tmp_path, X):
    fit_interrupted(make(tmp_path), X, 2)
    for other, data, words in (
        (make(tmp_path, units=7), X, "units=6, got units=7"),
        (make(tmp_path, optimizer=keras.optimizers.Adam(0.1)), X, "optimizer='adam', got"),
        (make(tmp_path, random_state=1), X, "random_state=0"),
        (make(tmp_path), X[1:], "the same X"),
        (make(tmp_path), [*X[:-1], X[-1] + 1e-6], "the same X"),
    ):
        with pytest.raises(ValueError, match=words):
            other.fit(data)
    make(tmp_path, verbose=0).partial_fit(X)  # has no checkpoints


def test_a_saved_file_names_no_folder(tmp_path, X):
    ae = make(tmp_path, callbacks=None).fit(X)
    file = io.BytesIO()
    ae.save(file)
    file.seek(0)
    assert load(file).checkpoint is None


def test_a_fit_to_a_stream_goes_on(tmp_path, X):
    class Parts:
        def __iter__(self):
            return iter([X[:20], X[20:]])

    expected = make().fit(Parts())
    fit_interrupted(make(tmp_path), Parts(), 2)
    check_equal(make(tmp_path).fit(Parts()), expected, X)


KILLED = """
import sys
from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines

X = make_ragged_sines(30, random_state=0)[0]
ae = LSTMAutoencoderTransformer(8, units=6, epochs=150, random_state=0, checkpoint=sys.argv[1])
ae.set_params(patience=150).fit(X)
"""


@pytest.mark.long
def test_a_killed_process_loses_no_more_than_an_epoch(tmp_path, X):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)])
    while process.poll() is None and not (tmp_path / "epoch-000003.npz").exists():
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    last = sorted(tmp_path.glob("epoch-*"))[-1]
    n_before = int(last.stem.removeprefix("epoch-"))
    assert n_before < 150
    begun = Interrupts.begun
    parameters = {"epochs": 150, "patience": 150}
    found = make(tmp_path, **parameters).fit(X)
    assert Interrupts.begun - begun == 150 - n_before
    check_equal(found, make(**parameters).fit(X), X)
