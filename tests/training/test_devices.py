"""One fit on several devices, or in several processes."""

import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from sklearn_seqae import LSTMAutoencoderTransformer

CHECKS = Path(__file__).with_name("device_checks.py")
X = [[1.0, 2.0], [3.0, 4.0, 5.0]]


def start(backend, *arguments):
    environment = os.environ | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, CHECKS, *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(*processes):
    try:
        for process in processes:
            errors = process.communicate(timeout=500)[1]
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()


@pytest.fixture
def needs_jax():
    if find_spec("jax") is None:
        pytest.skip("jax is not installed here; `make backends` installs it, and tests it")


@pytest.mark.long
def test_two_devices_of_a_strategy_train_as_one():
    wait_for(start("tensorflow"))


@pytest.mark.long
def test_two_devices_of_jax_train_as_one(needs_jax):
    wait_for(start("jax"))


@pytest.mark.long
def test_two_processes_end_with_the_weights_of_one_and_refuse_other_data(needs_jax, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = [tmp_path / f"{name}.npz" for name in ("first", "second", "alone")]
    wait_for(*(start("jax", str(rank), str(port), paths[rank]) for rank in (0, 1)))
    wait_for(start("jax", paths[2]))
    first, second, alone = (list(np.load(path).values()) for path in paths)
    for ours, others, single in zip(first, second, alone, strict=True):
        np.testing.assert_array_equal(ours, others)
        np.testing.assert_allclose(ours, single, atol=1e-5)


def test_what_does_not_train_on_several_devices_is_refused_with_what_does():
    ae = LSTMAutoencoderTransformer(4, units=4, epochs=1)
    with (
        tf.distribute.MultiWorkerMirroredStrategy().scope(),
        pytest.raises(RuntimeError, match=r"MirroredStrategy, got Coll.*DataParallel for several"),
    ):
        ae.fit(X)
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=["cpu:0"]))
    try:
        with pytest.raises(RuntimeError, match=r"scope of tf.distribute.Mirrored.*got DataPara"):
            ae.fit(X)
    finally:
        keras.distribution.set_distribution(None)


@pytest.mark.long
def test_a_strategy_of_one_device_is_a_choice_of_it():
    alone = LSTMAutoencoderTransformer(4, units=4, epochs=1, random_state=0).fit(X)
    for strategy in (tf.distribute.OneDeviceStrategy("CPU:0"), tf.distribute.MirroredStrategy()):
        with strategy.scope():
            ae = LSTMAutoencoderTransformer(4, units=4, epochs=1, random_state=0).fit(X)
        np.testing.assert_allclose(ae.transform(X), alone.transform(X), atol=1e-6)
