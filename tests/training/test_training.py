"""Training stops, resumes and fails as said, from one seed, and leaves the process as it was."""

import functools
import logging
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from tensorflow.python.framework.config import is_op_determinism_enabled

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.estimators.base import TRAINING_PARAMETERS
from sklearn_seqae.estimators.network_state import NetworkState
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.training import loop, program, training_data
from sklearn_seqae.training.program import TrainingProgram
from sklearn_seqae.training.program_cache import Cache, programs

SMALL = {"n_components": 4, "units": 5, "random_state": 0, "batch_size": 8}


def make_waves(n=20, longest=12, seed=0):
    """Return `n` waves of 0 to `longest` steps, two channels each."""
    rng = np.random.default_rng(seed)
    steps = [np.arange(n_steps) for n_steps in rng.integers(0, longest + 1, size=n)]
    steps[1] = np.arange(longest)
    return [np.stack([np.sin(t / 2 + rng.uniform(0, 6)), np.cos(t / 3)], axis=1) for t in steps]


X = make_waves()


def make(**changes):
    return LSTMAutoencoderTransformer(**{**SMALL, "epochs": 3, **changes})


def judged(estimator, prefix=""):
    """Return, by epoch, the loss of reconstructions and lengths that the best epoch is known by."""
    losses = (estimator.history_[f"{prefix}{name}"] for name in ("loss", "length_loss"))
    return np.dot([1.0, program.LENGTH_WEIGHT], [*losses])


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def reference():
    """A plain fit that many tests compare with."""
    return make().fit(X)


def recorder(log, *, stop_at=None, within=False):
    """Return a class of callbacks that put (epoch, weights, rate) in `log`, and may press Ctrl-C.

    It does so at the end of epoch `stop_at`, or within it.
    """

    class Recorder(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch
            self.rate = float(self.model.optimizer.learning_rate)

        def on_train_batch_end(self, batch, logs=None):
            if within and self.epoch == stop_at:
                raise KeyboardInterrupt

        def on_epoch_end(self, epoch, logs=None):
            log.append((epoch, self.model.get_weights(), self.rate))
            if not within and epoch == stop_at:
                raise KeyboardInterrupt

    return Recorder


# Early stopping


@pytest.fixture(scope="module")
def stopped():
    """A fit that stopped early, what a callback saw of it, and what was held out."""
    log, splits = [], []
    split = loop.hold_out

    def spy(*args):
        splits.append(split(*args))
        return splits[-1]

    ae = make(
        optimizer=keras.optimizers.SGD(2.0, momentum=0.9, clipnorm=1.0),
        epochs=60,
        patience=2,
        validation_fraction=0.2,
        callbacks=recorder(log),
        shortcut=None,  # whose start might be better than all epochs
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "hold_out", spy)
        ae.fit(X)
    trained_on, held_out = splits[0]
    assert sorted([*trained_on, *held_out]) == list(range(len(X)))
    return ae, log, held_out


def test_training_stops_when_the_loss_of_the_held_out_sequences_no_longer_falls(stopped):
    ae, log, _ = stopped
    assert ae.n_epochs_ < 60
    assert ae.n_epochs_ == ae.best_epoch_ + 2 + 1
    assert ae.n_epochs_ == len(log) == len(ae.history_["loss"]) == len(ae.history_["val_loss"])
    assert ae.best_epoch_ == np.argmin(ae.history_["val_loss"])


def test_the_weights_of_the_best_epoch_come_back(stopped):
    ae, log, _ = stopped
    assert same(ae.model_.get_weights(), log[ae.best_epoch_][1])
    assert not same(ae.model_.get_weights(), log[-1][1])


def test_the_codes_are_those_of_the_best_epoch(stopped):
    ae, log, _ = stopped
    codes = ae.transform(X)
    copy = keras.models.clone_model(ae.model_)
    copy.set_weights(log[ae.best_epoch_][1])
    scaled = ae.scaler_.transform(X)
    for x, code in zip(scaled, codes, strict=True):
        if len(x):
            assert_allclose(copy.get_layer("encoder")(x[None])[0], code, atol=1e-5)


def test_the_loss_of_the_best_epoch_is_that_of_whole_held_out_sequences(stopped):
    ae, _, held_out = stopped
    assert len(held_out) == 4
    errors = ae.reconstruction_error([X[i] for i in held_out], per="step")
    assert_allclose(np.concatenate(errors).mean(), min(ae.history_["val_loss"]), rtol=1e-4)


def test_without_early_stopping_the_last_weights_stay_and_nothing_is_held_out():
    log = []
    ae = make(early_stopping=False, callbacks=recorder(log)).fit(X)
    assert ae.n_epochs_ == 3
    assert ae.best_epoch_ == 2
    assert "val_loss" not in ae.history_
    assert same(ae.model_.get_weights(), log[-1][1])


def test_with_too_few_sequences_to_hold_one_out_the_training_loss_is_watched():
    ae = make().fit(X[:6])
    assert "val_loss" not in ae.history_
    assert ae.best_epoch_ == np.argmin(judged(ae))


# Going on


@pytest.mark.parametrize("shortcut", [None, "cosine"])
def test_warm_start_goes_on_from_where_the_first_fit_ended(shortcut):
    reference = make(shortcut=shortcut).fit(X)
    ae = make(shortcut=shortcut, warm_start=True).fit(X)
    assert same(ae.model_.get_weights(), reference.model_.get_weights())
    weights, scaler, history = ae.model_.get_weights(), ae.scaler_, ae.history_["loss"]
    ae.set_params(learning_rate=1e-9, epochs=2).fit([3 * x for x in X])
    for before, after in zip(weights, ae.model_.get_weights(), strict=True):
        assert_allclose(after, before, atol=1e-6)
    assert ae.scaler_ is scaler
    assert ae.history_["loss"][:3] == history
    assert ae.n_epochs_ == 5
    ae.set_params(learning_rate=0.003, epochs=20).fit(X)
    assert ae.n_epochs_ > 5
    if shortcut is None:  # else little is left to learn about these waves
        assert ae.history_["loss"][-1] < 0.9 * reference.history_["loss"][-1]
    assert not same(weights, ae.model_.get_weights())
    assert ae.best_epoch_ >= 5


def test_without_warm_start_a_second_fit_starts_afresh(reference):
    ae = make().fit(X).fit(X)
    assert ae.n_epochs_ == 3
    assert_array_equal(ae.transform(X), reference.transform(X))


@pytest.mark.parametrize(("shortcut", "share"), [(None, 0.8), ("cosine", 1.2)])
def test_partial_fit_makes_one_pass_a_call_and_keeps_the_scaling(shortcut, share):
    ae = make(learning_rate=0.01, shortcut=shortcut)
    ae.partial_fit(X[:10])
    scaler, mean, codes = ae.scaler_, ae.scaler_.scaler_.mean_.copy(), ae.transform(X)
    for _ in range(10):
        ae.partial_fit(X[10:]).partial_fit(X[:10])
    assert ae.n_epochs_ == 21
    assert ae.scaler_ is scaler
    assert_array_equal(ae.scaler_.scaler_.mean_, mean)
    assert np.abs(ae.transform(X) - codes).max() > 0.01
    # What the linear path knows of the other half of the data takes longest to make up for.
    assert ae.history_["loss"][-1] < share * max(ae.history_["loss"][:2])


def test_partial_fit_goes_on_after_fit(reference):
    ae = make().fit(X)
    ae.set_params(learning_rate=1e-9).partial_fit(X)
    assert ae.n_epochs_ == 4
    assert_allclose(ae.transform(X), reference.transform(X), atol=1e-5)


def test_another_optimizer_may_go_on():
    ae = make(warm_start=True).fit(X)
    ae.set_params(optimizer="sgd", epochs=1).fit(X)
    ae.set_params(optimizer="adam").fit(X)
    assert ae.n_epochs_ == 5


@pytest.mark.parametrize(
    "add_one",
    [
        lambda variable: variable.assign(variable + 1.0),
        lambda variable: variable.value.assign_add(np.ones(variable.shape, np.float32)),
    ],
    ids=["anew", "in_place"],  # where arrays that were read are the variable's own memory
)
def test_a_model_that_was_looked_at_makes_a_network_anew_only_where_weights_changed(
    add_one, monkeypatch
):
    ae = make(shortcut=None).fit(X)
    codes = ae.transform(X)
    model = ae.model_
    made = []
    make_runner = NetworkState._make_runner

    def spy(self, *args):
        made.append(self)
        return make_runner(self, *args)

    monkeypatch.setattr(NetworkState, "_make_runner", spy)
    for _ in range(2):
        assert_array_equal(ae.transform(X), codes)
    assert made == []
    bias = next(v for v in model.get_layer("encoder").get_layer("code").weights if v.ndim == 1)
    add_one(bias)
    for _ in range(2):
        assert_allclose(ae.transform(X), codes + 1.0, atol=1e-5)
    assert len(made) == 1


# One seed, and a process left as it was

FRESH = """
import os, random, sys, warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
warnings.simplefilter("ignore", ConvergenceWarning)  # three epochs are few
environment = dict(os.environ)
from sklearn_seqae import LSTMAutoencoderTransformer
arrays = np.load(sys.argv[1])
X = [arrays[name] for name in arrays.files]
ae = LSTMAutoencoderTransformer(n_components=4, units=5, random_state=0, batch_size=8, epochs=3)
python, numpy = random.getstate(), np.random.get_state()[1].tolist()
codes = ae.fit(X).transform(X)
ae.inverse_transform(codes)
assert (python, numpy) == (random.getstate(), np.random.get_state()[1].tolist())
level = "TF_CPP_MIN_LOG_LEVEL"
assert os.environ.get(level) == environment.get(level)
np.save(sys.argv[2], codes)
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Codes of the same fit in two fresh processes, and all that these printed."""
    folder = tmp_path_factory.mktemp("fresh")
    np.savez(folder / "X.npz", *X)
    codes, printed = [], []
    for hash_seed in ("1", "2"):
        environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
        done = subprocess.run(
            [sys.executable, "-c", FRESH, folder / "X.npz", folder / "codes.npy"],
            capture_output=True,
            text=True,
            env=environment | {"PYTHONHASHSEED": hash_seed},
            cwd=folder,
        )
        assert done.returncode == 0, done.stderr
        codes.append(np.load(folder / "codes.npy"))
        printed.append(done.stdout + done.stderr)
    return codes, printed, sorted(path.name for path in folder.iterdir())


@pytest.mark.long
@pytest.mark.newest("TensorFlow before 2.20 draws from random when it is imported")
def test_one_random_state_gives_the_same_codes_in_every_process(fresh, reference):
    codes, _, _ = fresh
    assert_array_equal(codes[0], codes[1])
    # And in this one, where much has been fitted before.
    assert_array_equal(codes[0], reference.transform(X))


@pytest.mark.long
@pytest.mark.newest("TensorFlow before 2.20 draws from random when it is imported")
def test_a_silent_fit_prints_nothing_at_all(fresh):
    assert fresh[1] == ["", ""]


@pytest.mark.long
@pytest.mark.newest("TensorFlow before 2.20 draws from random when it is imported")
def test_a_fit_leaves_no_files_in_the_working_folder(fresh):
    assert fresh[2] == ["X.npz", "codes.npy"]


def test_one_random_state_gives_the_same_fit_after_other_fits():
    ae = make().fit(X)
    make(random_state=1, learning_rate=0.1).fit(X[::-1])
    again = clone(ae).fit(X)
    assert_array_equal(again.transform(X), ae.transform(X))
    assert again.history_ == ae.history_


def test_random_state_instances_and_none_work(reference):
    first, second = (
        make(random_state=np.random.RandomState(3)).fit(X).transform(X) for _ in range(2)
    )
    assert_array_equal(first, second)
    shared = np.random.RandomState(3)
    assert_array_equal(make(random_state=shared).fit(X).transform(X), first)
    assert np.abs(make(random_state=shared).fit(X).transform(X) - first).max() > 0.01
    state = np.random.get_state()[1].tolist()
    one, other = (make(random_state=None).fit(X).transform(X) for _ in range(2))
    assert np.abs(one - other).max() > 0.01
    assert np.random.get_state()[1].tolist() == state


def loss_of_nan(true, predicted):
    return ops.mean(true - predicted, axis=-1) * np.nan


def fail_to_fit():
    with pytest.raises(ValueError, match="finite"):
        make(loss=loss_of_nan).fit(X)


def fit_something_new():
    # An architecture that no other test has, so that building and tracing are under test too.
    make(units=3, n_components=3, decoder="autoregressive", cell="gru").fit(X).transform(X)


def draw_from_every_global_generator(between):
    states = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(7)
    between()
    drawn = random.random(), np.random.random()
    drawn += float(tf.random.uniform([])), float(keras.random.uniform(()))
    random.setstate(states[0])
    np.random.set_state(states[1])
    return drawn


def flags():
    return {
        "deterministic": is_op_determinism_enabled(),
        "eager": tf.config.functions_run_eagerly(),
        "executing_eagerly": tf.executing_eagerly(),
        "inter": tf.config.threading.get_inter_op_parallelism_threads(),
        "intra": tf.config.threading.get_intra_op_parallelism_threads(),
        "jit": tf.config.optimizer.get_jit(),
        "optimizer": tf.config.optimizer.get_experimental_options(),
        "soft_placement": tf.config.get_soft_device_placement(),
        "log_level": tf.get_logger().level,
        "environment": dict(os.environ),
        "floatx": keras.config.floatx(),
        "dtype_policy": keras.config.dtype_policy().name,
        "interactive": keras.config.is_interactive_logging_enabled(),
        "traceback_filtering": keras.config.is_traceback_filtering_enabled(),
        "numpy": np.geterr(),
    }


@pytest.mark.newest("a seed of Keras 3.12 does not decide what its own generator draws")
@pytest.mark.parametrize("act", [fit_something_new, fail_to_fit])
def test_a_fit_leaves_global_generators_and_flags_as_they_were(act):
    expected, before = draw_from_every_global_generator(lambda: None), flags()
    assert draw_from_every_global_generator(act) == expected
    assert flags() == before


@pytest.mark.long
def test_fits_in_two_threads_equal_those_one_after_the_other():
    # Of one architecture that is not traced yet, and of another one.
    estimators = [make(units=6), make(units=6, random_state=1), make(units=4, decoder="dense")]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda ae: clone(ae).fit(X).transform(X), estimators))
    for ae, codes in zip(estimators, together, strict=True):
        assert_array_equal(ae.fit(X).transform(X), codes)


# What is printed


def test_verbose_shows_a_progress_bar(capfd):
    make(verbose=1, epochs=2).fit(X)
    printed = capfd.readouterr()
    for part in ("Epoch 1/2", "Epoch 2/2", "3/3", "val_loss: "):
        assert part in printed.out
    assert printed.err == ""


def test_a_silent_fit_of_a_new_architecture_prints_nothing(capfd):
    make(units=4, decoder="reshape").fit(X).transform(X)
    assert capfd.readouterr() == ("", "")


# Interruptions and failures


@pytest.mark.parametrize("early_stopping", [True, False])
def test_ctrl_c_leaves_the_best_weights_so_far_a_warning_and_a_usable_estimator(early_stopping):
    log = []
    changes = {"early_stopping": early_stopping, "epochs": 9, "shortcut": None}
    ae = make(**changes, callbacks=recorder(log, stop_at=2))
    with pytest.warns(UserWarning, match="interrupted after 3 of 9 epochs; the best weights"):
        ae.fit(X)
    assert ae.n_epochs_ == 3
    watched = ae.history_["val_loss" if early_stopping else "loss"]
    assert ae.best_epoch_ == np.argmin(watched)
    assert same(ae.model_.get_weights(), log[ae.best_epoch_][1])
    assert np.isfinite(ae.transform(X)).all()
    ae.set_params(warm_start=True, callbacks=None, epochs=2).fit(X)
    assert ae.n_epochs_ == 5


@pytest.mark.long
def test_ctrl_c_within_an_epoch_leaves_nothing_behind_for_the_next_fit():
    changes = {"metrics": ["mae"], "shortcut": None}
    ae = make(**changes).fit(X)
    log = []
    broken = make(**changes, callbacks=recorder(log, stop_at=1, within=True))
    with pytest.warns(UserWarning, match="interrupted after 1 of 3 epochs"):
        broken.fit(X)
    assert same(broken.model_.get_weights(), log[0][1])
    again = make(**changes).fit(X)
    assert again.history_ == ae.history_
    assert_array_equal(again.transform(X), ae.transform(X))


def loss_with_a_broken_gradient(true, predicted):
    """A loss of zero, whose gradient is infinity times zero."""
    return ops.mean(ops.sqrt(0.0 * (true - predicted) ** 2), axis=-1)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"learning_rate": 1e30}, id="learning_rate"),
        pytest.param({"loss": loss_of_nan}, id="loss", marks=pytest.mark.long),
        pytest.param(
            {"loss": loss_with_a_broken_gradient, "epochs": 1},
            id="last_epoch",
            marks=pytest.mark.long,
        ),
        pytest.param(
            {
                "loss": loss_with_a_broken_gradient,
                "epochs": 1,
                "batch_size": 40,
                "early_stopping": False,
            },
            id="last_step",
        ),
    ],
)
def test_a_fit_that_gets_out_of_hand_ends_in_an_error_that_names_the_remedy(changes):
    ae = make(**changes)
    with pytest.raises(ValueError, match=r"became (nan|inf) in epoch \d.*Lower learning_rate"):
        ae.fit(X)
    assert vars(ae) == ae.get_params(deep=False)


@pytest.mark.long
def test_after_an_error_a_fitted_estimator_is_as_it_was(reference):
    ae = make().fit(X)
    with pytest.raises(ValueError, match="Lower learning_rate"):
        ae.set_params(loss=loss_of_nan).fit(X[:9])
    with pytest.raises(ValueError, match="Lower learning_rate"):
        ae.partial_fit(X[:9])
    assert ae.n_epochs_ == 3
    assert ae.history_ == reference.history_
    assert_array_equal(ae.transform(X), reference.transform(X))


def test_after_an_error_the_next_fit_is_as_ever(reference):
    with pytest.raises(ValueError, match="Lower learning_rate"):
        make(learning_rate=1e30).fit(X)
    assert_array_equal(make().fit(X).transform(X), reference.transform(X))


# Callbacks


def test_a_callback_is_fresh_for_every_fit_given_as_class_factory_or_instance(reference):
    seen = []

    class Counter(keras.callbacks.Callback):
        count = 0

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1
            seen.append((self, self.count, set(logs)))

    instance = Counter()
    for callbacks in (Counter, lambda: Counter(), functools.partial(Counter), instance, [instance]):
        ae = make(callbacks=callbacks)
        for _ in range(2):
            seen.clear()
            ae.fit(X)
            assert [count for _, count, _ in seen] == [1, 2, 3]
            assert {"loss", "val_loss"} <= seen[0][2]
            assert seen[0][0] is not instance
        assert ae.callbacks is callbacks
        assert_array_equal(ae.transform(X), reference.transform(X))
    assert vars(instance) == vars(Counter())


def test_several_callbacks_of_several_kinds_all_run():
    log = []
    make(callbacks=[recorder(log), recorder(log)()]).fit(X)
    assert [epoch for epoch, _, _ in log] == [0, 0, 1, 1, 2, 2]


def test_the_model_of_a_callback_is_the_one_that_learns(reference):
    codes = []

    class Encode(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            codes.append(np.asarray(self.model.get_layer("encoder")(scaled[None]))[0])

    scaled = reference.scaler_.transform(X)[1]
    ae = make(early_stopping=False, callbacks=Encode).fit(X)
    assert len(codes) == 3
    assert np.abs(codes[0] - codes[1]).max() > 1e-4
    assert_allclose(codes[-1], ae.transform(X)[1], atol=1e-5)


def test_keras_early_stopping_stops_the_fit():
    stop = keras.callbacks.EarlyStopping("loss", patience=1, min_delta=100.0)
    assert make(epochs=9, callbacks=stop).fit(X).n_epochs_ == 2


def test_a_callback_that_stops_the_training_within_an_epoch_stops_it_there():
    ends = []

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends.append(batch)
            self.model.stop_training = True

    ae = make(batch_size=1, callbacks=Stop).fit(X)
    assert ends == [program.CHUNK_SIZE - 1]
    assert ae.n_epochs_ == len(ae.history_["val_loss"]) == 1


def test_callbacks_hear_of_every_validation_as_of_every_epoch():
    heard = []

    class Hear(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            heard.append("epoch")

        def on_test_begin(self, logs=None):
            heard.append("begin")

        def on_test_batch_begin(self, batch, logs=None):
            heard.append(f"batch {batch}")

        def on_test_batch_end(self, batch, logs=None):
            heard.append(f"end of {batch}")

        def on_test_end(self, logs=None):
            heard.append(logs)

    ae = make(metrics=["mae"], callbacks=Hear, epochs=2).fit(X)
    for i in range(2):
        logs = {name: ae.history_[f"val_{name}"][i] for name in ("loss", "length_loss", "mae")}
        expected = ["epoch", "begin", "batch 0", "end of 0", logs]
        assert heard[5 * i : 5 * i + 5] == expected
    make(callbacks=Hear, epochs=1, early_stopping=False).fit(X)
    assert heard[10:] == ["epoch"]


def rates_of(callback, **changes):
    log = []
    make(callbacks=[callback, recorder(log)], early_stopping=False, **changes).fit(X)
    return [rate for _, _, rate in log]


def test_the_rate_falls_along_a_cosine_unless_the_optimizer_is_an_instance():
    cosine = 0.003 * 0.5 * (1 + np.cos(np.pi * np.arange(4) / 4))
    assert_allclose(rates_of(keras.callbacks.Callback, epochs=4), cosine, rtol=1e-5)
    constant = rates_of(keras.callbacks.Callback, epochs=4, optimizer=keras.optimizers.Adam(0.02))
    assert_allclose(constant, 0.02)


def test_an_optimizer_class_is_used_as_a_name_and_a_function_as_an_instance():
    callback = keras.callbacks.Callback
    cosine = 0.003 * 0.5 * (1 + np.cos(np.pi * np.arange(3) / 3))
    assert_allclose(rates_of(callback, optimizer=keras.optimizers.RMSprop), cosine, rtol=1e-5)
    assert_allclose(rates_of(callback, optimizer=lambda: keras.optimizers.SGD(0.02)), 0.02)
    named, given = (
        make(optimizer=optimizer).fit(X).transform(X)
        for optimizer in ("rmsprop", keras.optimizers.RMSprop)
    )
    assert_array_equal(named, given)


def test_keras_callbacks_that_set_the_rate_have_their_way():
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 * 0.5**epoch)
    assert_allclose(rates_of(schedule), [0.01, 0.005, 0.0025], rtol=1e-5)
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=100.0)
    cosine = 0.003 * 0.5 * (1 + np.cos(np.pi * np.arange(4) / 4))
    assert_allclose(rates_of(plateau, epochs=4), cosine * [1, 1, 0.1, 0.01], rtol=1e-5)
    constant = {"epochs": 4, "optimizer": keras.optimizers.Adam(0.02)}
    assert_allclose(rates_of(plateau, **constant), [0.02, 0.02, 0.002, 0.0002], rtol=1e-5)
    # What a callback did to the rate is gone in the next fit.
    assert_allclose(rates_of(keras.callbacks.Callback, **constant), 0.02)


# Optimizers and metrics


def test_a_loss_and_a_metric_may_weigh_the_channels_that_the_data_have():
    weights = np.array([1.0, 3.0], dtype="float32")

    def weighted(true, predicted):
        return ops.mean(weights * ops.abs(true - predicted), axis=-1)

    def second(true, predicted):
        return ops.abs(true - predicted)[..., 1]

    ae = make(loss=weighted, metrics=[second], early_stopping=False, shortcut=None).fit(X)
    assert np.all(np.diff(ae.history_["loss"]) < 0)
    assert len(ae.history_["second"]) == 3


def test_an_optimizer_instance_is_copied_and_never_changed():
    optimizer = keras.optimizers.Adam(0.01)
    config, n_variables = optimizer.get_config(), len(optimizer.variables)
    ae = make(optimizer=optimizer)
    codes = ae.fit(X).transform(X)
    assert_array_equal(ae.fit(X).transform(X), codes)
    assert ae.optimizer is optimizer
    assert optimizer.get_config() == config
    assert len(optimizer.variables) == n_variables
    assert not optimizer.built


def test_the_rate_of_an_optimizer_instance_is_its_own_in_every_fit():
    def make_with(rate):
        return make(optimizer=keras.optimizers.Adam(rate), shortcut=None)

    fast, slow = make_with(0.05), make_with(1e-9)
    fast.fit(X)
    start = make_with(1e-12).fit(X).transform(X)
    assert_allclose(slow.fit(X).transform(X), start, atol=1e-5)
    assert np.abs(fast.fit(X).transform(X) - start).max() > 0.1


@pytest.mark.long
def test_an_optimizer_instance_may_have_a_schedule():
    def decay(rate):
        schedule = keras.optimizers.schedules.ExponentialDecay(rate, 3, 0.5)
        return make(optimizer=keras.optimizers.SGD(schedule), early_stopping=False)

    log = []
    first = decay(0.1).set_params(callbacks=recorder(log)).fit(X)
    # Three batches an epoch: the rate halves from one to the next.
    assert_allclose([rate for _, _, rate in log], [0.1, 0.05, 0.025], rtol=1e-5)
    other = decay(1e-9).fit(X)
    assert np.abs(first.transform(X) - other.transform(X)).max() > 1e-3
    assert_array_equal(decay(0.1).fit(X).transform(X), first.transform(X))


@pytest.mark.parametrize("name", ["Adagrad", pytest.param("Nadam", marks=pytest.mark.long)])
def test_an_optimizer_starts_every_fit_as_keras_starts_it(name):
    ae = make(optimizer=getattr(keras.optimizers, name)(0.01)).fit(X)
    kept = [p for group in programs._idle.values() for p in group if hasattr(p, "optimizer")]
    program = next(p for p in kept if type(p.optimizer).__name__ == name)
    program.load(ae._fitted_model.network.weights, None)
    fresh = getattr(keras.optimizers, name)(0.01)
    fresh.build(program.model.trainable_variables)
    for mine, theirs in zip(program.optimizer.variables, fresh.variables, strict=True):
        assert_array_equal(mine.numpy(), theirs.numpy())


def test_metrics_are_in_the_history_under_the_names_they_were_given():
    metrics = ["mae", "mse", keras.metrics.MeanAbsoluteError(name="deviation")]
    ae = make(metrics=metrics).fit(X)
    for name in ("mae", "mse", "deviation"):
        assert len(ae.history_[name]) == len(ae.history_[f"val_{name}"]) == 3
    assert_allclose(ae.history_["deviation"], ae.history_["mae"])
    assert_allclose(ae.history_["val_mse"], ae.history_["val_loss"], rtol=1e-5)


@pytest.mark.parametrize("decoder", ["dense", "reshape"])
def test_a_decoder_of_so_many_steps_is_trained_in_arrays_that_are_wider(decoder):
    data = make_waves(n=20, longest=17)
    widths = training_data.bucket_widths(np.array([len(x) for x in data]), 8)
    assert widths[-1] == 18
    ae = make(decoder=decoder, epochs=2, metrics=["mae"]).fit(data)
    assert np.isfinite(ae.history_["mae"]).all()
    assert max(len(x) for x in ae.reconstruct(data)) == 17


# Traced once


@pytest.fixture
def built(monkeypatch):
    """The programs that are built during a test."""
    kinds = []
    original = TrainingProgram.__init__

    def spy(self, *args, **kwargs):
        kinds.append(type(self).__name__)
        original(self, *args, **kwargs)

    monkeypatch.setattr(TrainingProgram, "__init__", spy)
    return kinds


def fit_and_use(ae, data):
    codes = ae.fit(data).transform(data)
    ae.inverse_transform(codes)
    return codes


@pytest.mark.long
def test_the_same_architecture_is_traced_once_whatever_else_changes(built):
    changes = {"units": 7, "loss": keras.losses.Huber(), "metrics": ["mae"], "epochs": 2}
    fit_and_use(make(**changes), X)
    assert built == ["TrainingProgram"]
    built.clear()
    fit_and_use(make(**{**changes, "random_state": 1}, learning_rate=0.01), X)
    fit_and_use(make(**changes, patience=3, validation_fraction=0.2), X[:11])
    fit_and_use(make(**{**changes, "batch_size": 4}), make_waves(n=35, longest=31, seed=1))
    assert built == []
    make(**{**changes, "units": 8}).fit(X)
    assert built == ["TrainingProgram"]


@pytest.mark.long
def test_kernels_have_no_part_in_what_is_traced(built):
    fit_and_use(make(n_components=40, units=9), X)
    assert built == ["TrainingProgram"]
    other = make_waves(n=20, longest=60, seed=1)
    fit_and_use(make(n_components=40, units=9), other)  # other dilations
    fit_and_use(make(n_components=32, units=9), X)
    assert built == ["TrainingProgram"]


@pytest.mark.long
def test_many_architectures_neither_warn_of_retracing_nor_pile_up(built, monkeypatch):
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logging.getLogger("tensorflow").addHandler(handler)
    monkeypatch.setattr(programs, "size", 3)
    try:
        for n_components in range(11, 19):
            make(n_components=n_components, units=2, decoder="dense", epochs=1).fit(X)
            assert sum(map(len, programs._idle.values())) <= 3
    finally:
        logging.getLogger("tensorflow").removeHandler(handler)
    assert len(built) == 8
    assert messages == []


def test_the_cache_keeps_the_most_recently_used():
    cache, made = Cache(2), []

    def use(key):
        with cache.lend(key, lambda: made.append(key) or key) as program:
            assert program == key

    for key in "abacab":
        use(key)
    assert made == ["a", "b", "c", "b"]


def test_a_program_on_loan_is_not_lent_to_another_thread():
    cache = Cache(4)
    with cache.lend("key", object) as first, cache.lend("key", object) as second:
        assert first is not second
    with cache.lend("key", object) as third:
        assert third in (first, second)
    assert cache.share("shared", object) is cache.share("shared", object)


def test_a_program_does_not_come_back_after_an_error():
    cache = Cache(4)
    with pytest.raises(RuntimeError, match="broken"), cache.lend("key", object) as first:
        raise RuntimeError("broken")
    with cache.lend("key", object) as second:
        assert second is not first


# Fast paths


@pytest.mark.long
@pytest.mark.kernels
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_xla_on_wide_arrays_takes_the_same_steps_as_the_plain_program_on_narrow_ones(cell):
    sequences = [x for x in X if len(x) < 8]
    parameters = {"cell": cell, "early_stopping": False, "scaler": None, "epochs": 2}
    fits = []
    for jit_compile in (False, True):
        ae = make(jit_compile=jit_compile, **parameters)
        with pytest.MonkeyPatch.context() as patch:
            # One bucket, so that the order is the same; under XLA its arrays are padded threefold.
            patch.setattr(training_data, "bucket_widths", lambda *args: np.array([8]))
            patch.setattr(training_data, "compiled_widths", lambda widths: 3 * widths)
            fits.append(ae.fit(sequences))
    plain, compiled = fits
    for name, values in plain.history_.items():
        assert_allclose(compiled.history_[name], values, rtol=1e-5, atol=1e-7)
    assert_allclose(compiled.transform(X), plain.transform(X), atol=1e-5)


def split_data(sequences, settings, units=4):
    """Return what a fit runs over."""
    split = settings.hold_out(sequences, 0, None)
    sizes = {"n_steps": 60, "n_channels": sequences.n_channels, "n_components": 4}
    sizes["units"] = (units,)
    layers = {"cell": "lstm", "bidirectional": False, "pooling": "last", "decoder": "repeat"}
    others = {"encoder": None, "patch_size": 1, "activation": "linear", "indicators": False}
    architecture = Architecture(**sizes, **layers, **others, decodes_length=False)
    return training_data.TrainingData.split(sequences, split, settings, architecture, None)


def test_a_validation_pass_is_few_batches_whatever_the_batch_size():
    sequences = as_sequences(make_waves(n=300, longest=60))
    parameters = make(batch_size=4).get_params(deep=False)
    settings = loop.Settings(**{name: parameters[name] for name in TRAINING_PARAMETERS})
    data = split_data(sequences, settings)
    chunks = data.validation_chunks()
    assert len(data.validation) == 30
    assert [chunk.rows.shape for chunk in chunks] == [(1, 30)]
    assert sorted(chunks[0].rows[0]) == list(range(30))
    batches, lengths, n_batches = data.load(data.validation, chunks[0])
    assert batches.shape == (1, 30, data.validation.lengths.max(), 2)
    assert n_batches == 1
    assert_array_equal(lengths[0], data.validation.lengths[chunks[0].rows[0]])


def test_jit_compile_does_not_change_the_order_of_the_batches():
    sequences = as_sequences(make_waves(n=300, longest=60))
    orders = []
    for jit_compile in (False, True):
        parameters = make(jit_compile=jit_compile, batch_size=4).get_params(deep=False)
        settings = loop.Settings(**{name: parameters[name] for name in TRAINING_PARAMETERS})
        data = split_data(sequences, settings)
        chunks = data.training_chunks(np.random.default_rng(0))
        orders.append([chunk.rows.tolist() for chunk in chunks])
        assert len({chunk.width for chunk in chunks}) > 1
    assert orders[0] == orders[1]


def test_jit_compile_auto_asks_for_enough_steps_to_repay_the_compilation():
    sequences = as_sequences([np.ones((10, 1))] * 64)

    def choose(epochs, jit_compile="auto", units=4):
        settings = loop.Settings(
            **{name: getattr(make(), name) for name in TRAINING_PARAMETERS}
            | {"epochs": epochs, "jit_compile": jit_compile, "early_stopping": False}
        )
        return split_data(sequences, settings, units).jit_compile

    enough = training_data.XLA_PAYS_AFTER_STEPS["lstm"] // (8 * 10) + 1
    assert choose(enough)
    assert not choose(enough - 1)
    assert choose(1, True)
    assert not choose(enough, False)
    # Larger steps save more, up to eight times as much.
    assert choose(enough // 8 + 1, units=512)
    assert not choose(enough // 8 - 1, units=512)


def test_folds_of_few_sequences_share_the_shape_of_a_batch():
    settings = loop.Settings(
        **{name: getattr(make(batch_size=32), name) for name in TRAINING_PARAMETERS}
    )
    sizes = {split_data(as_sequences([[1.0]] * n), settings).batch_size for n in (19, 21, 30, 200)}
    assert sizes == {32}


@pytest.mark.long
@pytest.mark.parametrize("jit_compile", [True, False])
def test_one_array_of_all_weights_trains_as_one_by_one(jit_compile, monkeypatch):
    changes = {"units": 5, "metrics": ["mae"], "jit_compile": jit_compile, "epochs": 3}
    together = make(**changes).fit(X)
    monkeypatch.setattr(program, "_acts_by_value", lambda optimizer: False)
    monkeypatch.setattr(programs, "_idle", type(programs._idle)())
    apart = make(**changes).fit(X)
    assert_allclose(together.transform(X), apart.transform(X), atol=1e-5)
    for name, values in apart.history_.items():
        assert_allclose(together.history_[name], values, rtol=1e-4)


def test_an_optimizer_that_looks_at_whole_variables_gets_them():
    assert program._acts_by_value(keras.optimizers.Adam(global_clipnorm=1.0))
    assert not program._acts_by_value(keras.optimizers.Adam(clipnorm=1.0))
    assert not program._acts_by_value(keras.optimizers.Lamb())
