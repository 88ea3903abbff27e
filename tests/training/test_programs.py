"""Programs are shared by fits that compute the same, and by no others."""

import functools
import threading

import keras
import numpy as np
import pytest
from keras import ops

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.training.keras_arguments import cache_key, make_keras_objects
from sklearn_seqae.training.program_cache import Cache

TINY = {"n_components": 4, "units": 4, "epochs": 2, "random_state": 0, "multiscale": False}
WIDE = np.random.default_rng(0).normal(size=(12, 6)).cumsum(axis=1)


def key_of(loss="mse", metrics=None, optimizer="adam"):
    made = make_keras_objects(loss, metrics, optimizer, 0.003, None, 2)
    return tuple(map(cache_key, [made.loss, made.optimizer, *made.metrics]))


def scaled_error(true, predicted, weight=1.0):
    return ops.mean(weight * (true - predicted) ** 2, axis=-1)


class Weighted(keras.losses.Loss):
    def __init__(self, weights):
        super().__init__()
        self.weights = np.array(weights)

    def call(self, true, predicted):
        return ops.mean(self.weights * (true - predicted) ** 2, axis=-1)


WEIGHT = 1.0


def loss_of_a_global(true, predicted):
    return helper(true, predicted)


def helper(true, predicted):
    return ops.mean(WEIGHT * (true - predicted) ** 2, axis=-1)


def decayed(rate):
    schedule = keras.optimizers.schedules.ExponentialDecay(rate, 3, 0.5)
    return keras.optimizers.SGD(schedule)


class Steps(keras.metrics.Metric):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.total = self.add_weight(initializer="zeros")

    def update_state(self, true, predicted, sample_weight):
        self.total.assign_add(ops.sum(sample_weight))

    def result(self):
        return self.total + 0.0


WEIGHTED = Weighted([1.0, 2.0])


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(dict, id="names"),
        pytest.param(lambda: {"loss": keras.losses.Huber(5.0)}, id="huber"),
        pytest.param(lambda: {"loss": WEIGHTED}, id="own"),
        pytest.param(lambda: {"loss": functools.partial(scaled_error, weight=2.0)}, id="partial"),
        pytest.param(lambda: {"metrics": [keras.metrics.CosineSimilarity()]}, id="metric"),
        pytest.param(lambda: {"metrics": Steps}, id="metric class"),
        pytest.param(lambda: {"optimizer": keras.optimizers.RMSprop}, id="optimizer class"),
        pytest.param(lambda: {"optimizer": keras.optimizers.RMSprop(0.1)}, id="optimizer"),
        pytest.param(lambda: {"optimizer": decayed(0.1)}, id="schedule"),
    ],
)
def test_what_computes_the_same_has_one_key(make):
    assert key_of(**make()) == key_of(**make())
    assert hash(key_of(**make())) == hash(key_of(**make()))


def test_what_a_configuration_leaves_out_is_part_of_the_key():
    kinds = keras.losses
    assert key_of(kinds.Huber(5.0)) != key_of(kinds.Huber(0.05))
    assert key_of(kinds.CosineSimilarity(axis=1)) != key_of(kinds.CosineSimilarity(axis=-1))
    for kind in (keras.metrics.CosineSimilarity,):
        assert key_of(metrics=[kind(axis=1)]) != key_of(metrics=[kind(axis=-1)])
    assert key_of(Weighted([1.0, 2.0])) != key_of(Weighted([1.0, 3.0]))
    assert key_of(optimizer=decayed(0.1)) != key_of(optimizer=decayed(0.2))
    partial = functools.partial
    assert key_of(partial(scaled_error, weight=2.0)) != key_of(partial(scaled_error, weight=3.0))


def test_what_a_function_reads_is_part_of_the_key(monkeypatch):
    box = {"weight": 1.0}

    def loss(true, predicted):
        return ops.mean(box["weight"] * (true - predicted) ** 2, axis=-1)

    class Own(keras.losses.Loss):
        def call(self, true, predicted):
            return loss_of_a_global(true, predicted)

    own = Own()
    things = [loss, loss_of_a_global, own]
    before = [key_of(thing) for thing in things]
    assert [key_of(thing) for thing in things] == before
    box["weight"] = 2.0
    monkeypatch.setitem(globals(), "WEIGHT", 2.0)
    for key, thing in zip(before, things, strict=True):
        assert key_of(thing) != key


def test_a_metric_has_the_arguments_that_its_instance_was_given():
    cosine = keras.metrics.CosineSimilarity(axis=1)
    made = make_keras_objects("mse", [cosine], "adam", 0.1, None, 2)
    assert made.metrics[0]._fn_kwargs == {"axis": 1}


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (Steps, "steps"),
        (Steps(name="mine"), "mine"),
        (keras.metrics.MeanAbsoluteError, "mean_absolute_error"),
    ],
    ids=str,
)
def test_a_metric_has_the_same_name_in_every_fit(metric, name):
    ae = LSTMAutoencoderTransformer(**TINY, metrics=[metric], early_stopping=False)
    for _ in range(2):
        assert list(ae.fit(WIDE).history_) == ["loss", name]


@pytest.mark.parametrize("optimizer", ["AdamW", keras.optimizers.SGD], ids=str)
def test_fits_make_variables_of_few_names(optimizer, monkeypatch):
    # TensorFlow never frees what it keeps for each name that a variable has had.
    paths = []
    initialize = keras.Variable._initialize
    monkeypatch.setattr(
        keras.Variable,
        "_initialize",
        lambda self, value: (paths.append(self.path), initialize(self, value)),
    )
    ae = LSTMAutoencoderTransformer(**TINY, optimizer=optimizer, metrics="mae")
    ae.fit(WIDE)
    known = set(paths)
    paths.clear()
    ae.fit(WIDE)
    assert paths
    assert set(paths) <= known


@pytest.mark.long
def test_a_loss_trains_with_the_value_that_it_has_now():
    def fit(loss):
        ae = LSTMAutoencoderTransformer(**TINY, loss=loss, shortcut=None)
        return ae.fit(WIDE).history_["loss"][0]

    wide, narrow = fit(keras.losses.Huber(5.0)), fit(keras.losses.Huber(0.05))
    assert narrow < 0.5 * wide
    loss = keras.losses.Huber(5.0)
    assert np.isclose(fit(loss), wide, rtol=1e-5)
    loss._fn_kwargs["delta"] = 0.05
    assert np.isclose(fit(loss), narrow, rtol=1e-5)
    # And what was done to it is not done to the program of another one.
    assert np.isclose(fit(keras.losses.Huber(5.0)), wide, rtol=1e-5)


def test_after_an_error_the_cache_goes_on_to_forget_the_oldest():
    cache = Cache(1)
    with cache.lend("broken", object):
        pass
    with pytest.raises(RuntimeError, match="broken"), cache.lend("broken", object):
        raise RuntimeError("broken")
    for key in ("first", "second"):
        with cache.lend(key, object):
            pass
    assert list(cache._idle) == ["second"]


def test_a_program_that_is_made_keeps_nobody_waiting():
    cache = Cache(4)
    made = []

    def make_with_another():
        thread = threading.Thread(target=lambda: made.append(cache.share("other", object)))
        thread.start()
        thread.join(timeout=60)
        return object()

    first = cache.share("slow", make_with_another)
    assert len(made) == 1
    assert cache.share("slow", object) is first
