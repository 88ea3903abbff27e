"""Training that devices share gives what one device gives, under the backend of Keras at hand.

`python device_checks.py` compares both in this process, which has two devices. `python
device_checks.py RANK PORT FILE` is one of two processes with a device each, which write the weights
that they end with. They are those of `python device_checks.py FILE`, a process of its own.
"""

import contextlib
import os
import sys
import warnings

if len(sys.argv) == 1:
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.exceptions import NothingLearnedWarning

BACKEND = keras.backend.backend()
SMALL = {"n_components": 6, "units": 5, "random_state": 0, "epochs": 3}


def clipped():
    return keras.optimizers.Adam(0.01, clipnorm=0.05)


FITS = [
    # Lengths, missing values, and a last batch that is not full.
    {"metrics": ["mae"], "batch_size": 8},
    # Every other sequence is without its end, and rows do not divide by devices.
    {"horizon": 2, "shortcut": None, "batch_size": 7, "jit_compile": True, "metrics": ["mse"]},
    # An optimizer that looks at whole variables, clipped, and a decoder with a last step.
    {"decoder": "dense", "optimizer": clipped, "units": (6, 5)},
    {"categorical_features": [1], "cell": "gru", "decoder": "autoregressive", "loss": "mae"},
]


def make_sequences(n=30, longest=11, seed=0):
    rng = np.random.default_rng(seed)
    sequences = [rng.normal(size=(k, 2)).cumsum(axis=0) for k in rng.integers(1, longest, n)]
    for x in sequences:
        x[:, 1] = np.sign(x[:, 1])
        x[rng.random(x.shape) < 0.1] = np.nan
    return sequences


X = make_sequences()


def fit(**changes):
    ae = LSTMAutoencoderTransformer(**{**SMALL, **changes}).fit(X)
    return ae, list(ae._fitted_model.network.weights.values())


@contextlib.contextmanager
def two_devices():
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
            yield
        return
    devices = keras.distribution.list_devices("cpu")
    assert len(devices) == 2
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


def compare():
    """Weights, losses and metrics of two devices are those of one, and so is training on."""
    for changes in FITS if BACKEND == "tensorflow" else FITS[:2]:  # JAX compiles for minutes
        one, expected = fit(**changes)
        with two_devices():
            two, found = fit(**changes)
            two.partial_fit(X[:11])
        one.partial_fit(X[:11])
        for name, values in one.history_.items():
            assert_allclose(two.history_[name], values, rtol=1e-5, atol=1e-6, err_msg=str(changes))
        for ours, theirs in zip(found, expected, strict=True):
            assert_allclose(ours, theirs, atol=1e-5, err_msg=str(changes))
        assert_allclose(two.transform(X), one.transform(X), atol=1e-5)


def refuse():
    """A user's own model is refused, and so is what this backend does not train by."""

    def encoder(n_steps, n_channels, n_components):
        layers = [keras.Input((None, n_channels)), keras.layers.GRU(n_components)]
        return keras.Sequential(layers)

    with two_devices(), pytest.raises(RuntimeError, match="fit on one device"):
        fit(encoder=encoder)
    if BACKEND == "tensorflow":
        return
    import tensorflow as tf

    words = "DataParallel, got OneDeviceStrategy: tf.distribute does nothing"
    with tf.distribute.OneDeviceStrategy("CPU:0").scope(), pytest.raises(RuntimeError, match=words):
        fit()
    devices = keras.distribution.list_devices("cpu")
    mesh = keras.distribution.DeviceMesh((1, 2), ("batch", "model"), devices)
    layouts = keras.distribution.LayoutMap(mesh)
    keras.distribution.set_distribution(keras.distribution.ModelParallel(layout_map=layouts))
    with pytest.raises(RuntimeError, match="DataParallel, got ModelParallel: each device"):
        fit()
    keras.distribution.set_distribution(None)


def run_one_of_two(rank, port, path):
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(rank))
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    assert len(keras.distribution.list_devices()) == 2
    np.savez(path, *fit(**FITS[0])[1])
    with pytest.raises(ValueError, match="each process all of X"):
        LSTMAutoencoderTransformer(**SMALL).fit(X[int(rank) :: 2])


def main(arguments):
    warnings.simplefilter("error", UserWarning)
    for category in (ConvergenceWarning, NothingLearnedWarning):  # few epochs
        warnings.simplefilter("ignore", category)
    if len(arguments) == 3:
        run_one_of_two(*arguments)
    elif arguments:
        np.savez(arguments[0], *fit(**FITS[0])[1])
    else:
        if BACKEND == "tensorflow":
            import tensorflow as tf

            cpu = tf.config.list_physical_devices("CPU")[0]
            logical = [tf.config.LogicalDeviceConfiguration()] * 2
            tf.config.set_logical_device_configuration(cpu, logical)
        compare()
        refuse()


if __name__ == "__main__":
    main(sys.argv[1:])
