"""What the library promises, in short, under whichever backend of Keras this process has.

`python backend_checks.py FILE` compares with the figures in FILE, which the same command writes
where there is no such file.
"""

import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.exceptions import NothingLearnedWarning
from sklearn_seqae.training.program import LENGTH_WEIGHT

SMALL = {"n_components": 4, "units": 5, "random_state": 0, "batch_size": 8, "epochs": 2}
NETWORKS = {
    "repeat": {"cell": "lstm", "units": (6, 5)},
    "autoregressive": {"cell": "gru", "bidirectional": False, "pooling": "last"},
    "dense": {"cell": "lstm", "pooling": "mean_max"},
    "reshape": {"cell": "gru", "patch_size": 2},
}


def make_sequences(n=16, longest=12, seed=0):
    """Return walks of 0 to `longest` steps of two channels, some values missing.

    So few are all padded to one width, which makes the same batches whatever is compiled.
    """
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest + 1, size=n)
    lengths[:2] = 0, longest
    sequences = [rng.normal(size=(n_steps, 2)).cumsum(axis=0) for n_steps in lengths]
    for sequence in sequences:
        sequence[rng.random(sequence.shape) < 0.1] = np.nan
    return sequences


X = make_sequences()


def make(**changes):
    return LSTMAutoencoderTransformer(**{**SMALL, **changes})


def compute(decoder, weights=None):
    """Return what a network does with X, before and after some training, from given weights."""
    changes = {"decoder": decoder, **NETWORKS[decoder]}
    ae = make(**changes, metrics=["mae"], validation_fraction=0.2, warm_start=True)
    ae.set_params(optimizer="sgd", learning_rate=0.1).fit(X)
    if weights is not None:
        ae.model_.set_weights(weights)
    figures = {"weights": ae.model_.get_weights(), "codes": ae.transform(X), "score": ae.score(X)}
    lengths = [len(x) for x in X]
    decoded = ae.inverse_transform(figures["codes"], lengths=lengths)
    assert [len(x) for x in decoded] == lengths
    figures["decoded"] = np.concatenate(decoded)
    figures["lengths"] = [len(x) for x in ae.inverse_transform(figures["codes"])]
    if decoder == "repeat":
        ae.set_params(optimizer="adam", learning_rate=0.01)
    ae.fit(X)
    figures["trained_codes"] = ae.transform(X)
    for name in ("loss", "val_loss", "length_loss", "mae", "val_mae"):
        figures[name] = ae.history_[name][2:]
    return figures


def check_against(path):
    """Codes, reconstructions and training are those of the backend that wrote the file, if any."""
    if not path.exists():
        with path.open("wb") as file:
            pickle.dump({decoder: compute(decoder) for decoder in NETWORKS}, file)
        return
    for decoder, expected in pickle.loads(path.read_bytes()).items():
        figures = compute(decoder, expected["weights"])
        for name in figures.keys() - {"weights"}:
            assert_allclose(
                figures[name], expected[name], rtol=1e-4, atol=1e-4, err_msg=f"{decoder} {name}"
            )


def check_reproducible():
    """One random_state gives one result to the last bit, whatever was fitted in between."""
    codes = make().fit(X).transform(X)
    make(random_state=1).fit(X[::-1])
    ae = make().fit(X)
    assert_array_equal(ae.transform(X), codes)
    assert_array_equal(ae.transform(X[::-1])[::-1], codes)
    assert np.isfinite(codes).all()


def check_batches_side_by_side():
    """Many sequences of many lengths, in threads, have the codes that they have alone."""
    ae = make().fit(X)
    many = make_sequences(n=400, longest=60, seed=1)
    codes = ae.transform(many)
    assert_array_equal(ae.transform(many), codes)
    for i in (0, 1, 7, 200):
        assert_allclose(ae.transform(many[i : i + 1])[0], codes[i], atol=1e-5)
    lengths = [len(x) for x in many]
    assert [len(x) for x in ae.inverse_transform(codes, lengths=lengths)] == lengths


def check_early_stopping():
    """Training ends when it no longer helps, with the weights that did best."""
    ae = make(learning_rate=0.3, epochs=60, patience=2, validation_fraction=0.2).fit(X)
    assert ae.n_epochs_ == ae.best_epoch_ + 3 < 60
    losses = [ae.history_[name] for name in ("val_loss", "val_length_loss")]
    assert ae.best_epoch_ == np.argmin(np.dot([1.0, LENGTH_WEIGHT], losses))


def check_going_on_and_pickling():
    """A fitted estimator is copied, and learns more."""
    ae = make().fit(X)
    codes = ae.transform(X)
    copy = pickle.loads(pickle.dumps(ae))
    assert_array_equal(copy.transform(X), codes)
    copy.partial_fit(X)
    assert copy.n_epochs_ == 3
    assert not np.array_equal(copy.transform(X), codes)
    assert_array_equal(ae.transform(X), codes)


def check_own_encoder():
    """A user's encoder, with a stock layer, dropout and running means, is trained and used."""
    import keras

    def encoder(n_steps, n_channels, n_components):
        return keras.Sequential(
            [
                keras.Input((None, n_channels)),
                keras.layers.GRU(5),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.2, seed=0),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(n_components),
            ]
        )

    ae = make(encoder=encoder, loss="mae").fit(X)
    means = ae.encoder_.get_layer("sequential").get_layer("batch_normalization").moving_mean
    assert np.any(keras.ops.convert_to_numpy(means) != 0)
    again = make(encoder=encoder, loss="mae").fit(X)
    assert_array_equal(again.transform(X), ae.transform(X))


def check_own_models_against_keras():
    """A user's networks and optimizers are trained as `fit` of Keras trains them."""
    import keras

    from sklearn_seqae.network import keras_network

    def encoder(n_steps, n_channels, n_components):
        return keras.Sequential(
            [
                keras.Input((n_steps, n_channels)),
                keras.layers.GRU(5, activity_regularizer="l1"),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(
                    n_components, kernel_regularizer="l2", kernel_constraint="non_neg"
                ),
            ]
        )

    def decoder(n_steps, n_channels, n_components):
        layers = [keras.Input((n_components,)), keras.layers.Dense(n_steps * n_channels)]
        return keras.Sequential([*layers, keras.layers.Reshape((n_steps, n_channels))])

    def scaled():
        inner = keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.5)
        return keras.optimizers.LossScaleOptimizer(inner)

    def several():
        rest = keras.optimizers.Adam(0.01)
        names = {".*bias": keras.optimizers.SGD(0.1)}
        return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(rest, names))

    # One batch, whose order hardly matters.
    data = np.random.default_rng(0).normal(size=(8, 5, 2)).astype(np.float32)
    own = {"encoder": encoder, "decoder": decoder, "scaler": None, "early_stopping": False}
    for optimizer in (scaled, several):
        ae = make(**own, optimizer=optimizer(), epochs=3).fit(data)
        model = keras_network.build(ae._fitted_model.architecture, ae._fitted_model._seed)
        model.compile(optimizer=optimizer(), loss="mse")
        history = model.fit(data, data, batch_size=8, epochs=3, verbose=0).history
        assert_allclose(ae.history_["loss"], history["loss"], rtol=1e-4)
        for ours, theirs in zip(ae.model_.get_weights(), model.get_weights(), strict=True):
            assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def main(path):
    """Run all checks; the first that fails ends the process with its error."""
    warnings.simplefilter("error", UserWarning)
    for category in (ConvergenceWarning, NothingLearnedWarning):  # two epochs are few
        warnings.simplefilter("ignore", category)
    check_against(Path(path))
    check_reproducible()
    check_batches_side_by_side()
    check_early_stopping()
    check_going_on_and_pickling()
    check_own_encoder()
    check_own_models_against_keras()


if __name__ == "__main__":
    main(sys.argv[1])
