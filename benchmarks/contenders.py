"""Who is measured. Heavy packages load in `__init__`, in the process of one contender only."""

import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .workloads import Ragged, Workload, pad

# Called after every epoch with the weights of that moment.
Note = Callable[[Any], None]


class Contender:
    """A way to train an autoencoder of sequences, and to encode with it.

    What raises `NotImplementedError` is asked only of those whose `fit` notes weights: sequitur's,
    for one, cannot.

    `fit` does all that a user would wait for, from a list of arrays on: padding, building the
    model, compiling, training.
    """

    label: str
    title: str
    max_repeats: int | None = None  # None: as many as asked for
    matched = True  # the same architecture as all others that are
    share = 1.0  # of the workload's sequences that `fit` and `encode` run over

    def applies(self, workload: Workload) -> bool:
        """Return whether the workload says something about this contender."""
        return True

    def fit(self, X: Ragged, workload: Workload, seed: int, note: Note) -> None:
        """Train a fresh model."""
        raise NotImplementedError

    def load(self, weights: Any) -> None:
        """Return the trained model to weights that were noted."""
        raise NotImplementedError

    def encode(self, X: Ragged) -> NDArray[np.float32]:
        """Return the codes."""
        raise NotImplementedError

    def reconstruct(self, X: Ragged) -> Ragged:
        """Return what comes back, at the true lengths."""
        raise NotImplementedError


class Ours(Contender):
    """The library that this is about, with the architecture of the tutorials."""

    label = "sklearn_seqae"
    title = "`LSTMAutoencoderTransformer`, last state, one direction, `patch_size=1`, no shortcut"
    choices: ClassVar[dict[str, Any]] = {
        "bidirectional": False,
        "pooling": "last",
        "multiscale": False,
        "shortcut": None,
        "patch_size": 1,
    }

    def __init__(self) -> None:
        from sklearn_seqae import LSTMAutoencoderTransformer
        from sklearn_seqae._utils.optional_imports import load_keras

        self._estimator = LSTMAutoencoderTransformer
        load_keras()

    def fit(self, X: Ragged, workload: Workload, seed: int, note: Note) -> None:
        from sklearn_seqae.network.keras_network import read_weights

        self.model = self._estimator(
            n_components=workload.units,
            units=workload.units,
            epochs=workload.epochs,
            batch_size=workload.batch_size,
            early_stopping=False,
            callbacks=lambda: _keras_callback(note, read_weights),
            random_state=seed,
            **self.choices,
        ).fit(X)

    def load(self, weights: Any) -> None:
        from sklearn_seqae.network.keras_network import assign

        # A callback sees the model that is trained, which has neither filters nor linear path.
        assign(self.model.model_, weights)

    def encode(self, X: Ragged) -> NDArray[np.float32]:
        return self.model.transform(X)

    def reconstruct(self, X: Ragged) -> Ragged:
        return self.model.reconstruct(X)


class Defaults(Ours):
    """The same as it comes: another, larger model."""

    label = "defaults"
    title = "the library as it comes: a linear path, both directions, pooled features, patches"
    choices: ClassVar[dict[str, Any]] = {}
    matched = False


class InNumPy(Defaults):
    """Encoding without onnxruntime."""

    label = "defaults in NumPy"
    title = "the defaults where onnxruntime is not installed"
    max_repeats = 1

    def __init__(self) -> None:
        os.environ["SKLEARN_SEQAE_ENGINE"] = "numpy"
        super().__init__()


class _Keras(Contender):
    """Keras models on arrays padded to the longest sequence, by `fit` and `predict`."""

    def __init__(self) -> None:
        import keras

        self.keras = keras

    def build(self, workload: Workload) -> tuple[Any, Any]:
        """Return the autoencoder and its encoder."""
        raise NotImplementedError  # each has its own

    def fit(self, X: Ragged, workload: Workload, seed: int, note: Note) -> None:
        self.keras.utils.set_random_seed(seed)
        self.n_steps = workload.n_steps
        padded = pad(X, self.n_steps)
        self.model, self.encoder = self.build(workload)
        self.model.compile(optimizer="adam", loss="mse")
        self.model.fit(
            padded,
            padded,
            epochs=workload.epochs,
            batch_size=workload.batch_size,
            callbacks=[_keras_callback(note)],
            verbose=0,
        )

    def load(self, weights: Any) -> None:
        self.model.set_weights(weights)

    def encode(self, X: Ragged) -> NDArray[np.float32]:
        return self.encoder.predict(pad(X, self.n_steps), verbose=0)

    def reconstruct(self, X: Ragged) -> Ragged:
        written = self.model.predict(pad(X, self.n_steps), verbose=0)
        return [w[: len(x)] for w, x in zip(written, X, strict=True)]


class Tutorial(_Keras):
    """The script that every tutorial has."""

    label = "tutorial"
    title = "Keras: padded with zeros, `LSTM`, `RepeatVector`, `LSTM`, `TimeDistributed(Dense)`"
    max_repeats: int | None = 3

    def build(self, workload: Workload) -> tuple[Any, Any]:
        layers = self.keras.layers
        inputs = self.keras.Input((workload.n_steps, workload.n_channels))
        code = layers.LSTM(workload.units)(inputs)
        x = layers.RepeatVector(workload.n_steps)(code)
        x = layers.LSTM(workload.units, return_sequences=True)(x)
        outputs = layers.TimeDistributed(layers.Dense(workload.n_channels))(x)
        return self.keras.Model(inputs, outputs), self.keras.Model(inputs, code)


class OnJAX(Tutorial):
    """The same script with Keras' other compiler."""

    label = "Keras on JAX"
    title = "the tutorial's script with `KERAS_BACKEND=jax`, compiled by JAX"
    max_repeats = 1

    def __init__(self) -> None:
        os.environ["KERAS_BACKEND"] = "jax"
        super().__init__()


class Aeon(_Keras):
    """The network of aeon's AEBiGRUClusterer."""

    label = "aeon"
    title = "aeon's `AEBiGRUNetwork`, one layer, tanh, padded: a GRU in both directions"
    max_repeats = 1
    matched = False

    def __init__(self) -> None:
        super().__init__()
        from aeon.networks import AEBiGRUNetwork

        self._network = AEBiGRUNetwork

    def build(self, workload: Workload) -> tuple[Any, Any]:
        # A layer in each direction has half the units, as latent_space_dim says.
        units = [workload.units // 2]
        network = self._network(workload.units, n_layers=1, n_units=units, activation="tanh")
        shape = (workload.n_steps, workload.n_channels)
        encoder, decoder = network.build_network(shape)
        inputs = self.keras.Input(shape)
        return self.keras.Model(inputs, decoder(encoder(inputs))), encoder


class Torch(Contender):
    """A careful loop: batches padded to their own longest sequence, the loss on real values."""

    label = "torch padded"
    title = "PyTorch `nn.LSTM`, batches padded to their longest, loss on real values"
    packed = False

    def __init__(self) -> None:
        import torch

        self.torch = torch

    def fit(self, X: Ragged, workload: Workload, seed: int, note: Note) -> None:
        torch = self.torch
        torch.manual_seed(seed)
        size, units, n_channels = workload.batch_size, workload.units, workload.n_channels
        sequences = [torch.from_numpy(x) for x in X]
        self.encoder = torch.nn.LSTM(n_channels, units, batch_first=True)
        self.decoder = torch.nn.LSTM(units, units, batch_first=True)
        self.dense = torch.nn.Linear(units, n_channels)
        self.modules = torch.nn.ModuleList([self.encoder, self.decoder, self.dense])
        optimizer = torch.optim.Adam(self.modules.parameters(), fused=True)
        for _ in range(workload.epochs):
            order = torch.randperm(len(sequences)).tolist()
            for rows in (order[i : i + size] for i in range(0, len(order), size)):
                batch, lengths, real = self._batch([sequences[i] for i in rows])
                optimizer.zero_grad()
                error = (self._decode(self._encode(batch, lengths), lengths) - batch) ** 2
                loss = error.mean() if real is None else error[real].mean()
                loss.backward()
                optimizer.step()
            note([p.detach().clone() for p in self.modules.parameters()])

    def load(self, weights: Any) -> None:
        with self.torch.no_grad():
            for parameter, value in zip(self.modules.parameters(), weights, strict=True):
                parameter.copy_(value)

    def encode(self, X: Ragged) -> NDArray[np.float32]:
        codes = np.empty((len(X), self.encoder.hidden_size), dtype=np.float32)
        for rows, batch, lengths in self._sorted_batches(X):
            codes[rows] = self._encode(batch, lengths).numpy()
        return codes

    def reconstruct(self, X: Ragged) -> Ragged:
        written: Ragged = [np.empty(0, np.float32)] * len(X)
        for rows, batch, lengths in self._sorted_batches(X):
            decoded = self._decode(self._encode(batch, lengths), lengths)
            for row, sequence in zip(rows, decoded.numpy(), strict=True):
                written[row] = sequence[: len(X[row])]
        return written

    def _sorted_batches(self, X: Ragged) -> Any:
        order = np.argsort([len(x) for x in X], kind="stable")
        with self.torch.inference_mode():
            for rows in (order[i : i + 128] for i in range(0, len(order), 128)):
                yield rows, *self._batch([self.torch.from_numpy(X[i]) for i in rows])[:2]

    def _batch(self, sequences: list[Any]) -> tuple[Any, Any, Any]:
        """Return sequences as one array, their lengths, and where it is real (None: everywhere)."""
        torch = self.torch
        lengths = torch.tensor([len(x) for x in sequences])
        if lengths.min() == lengths.max():
            return torch.stack(sequences), lengths, None
        batch = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
        return batch, lengths, torch.arange(batch.shape[1]) < lengths[:, None]

    def _encode(self, batch: Any, lengths: Any) -> Any:
        if self.packed:
            pack = self.torch.nn.utils.rnn.pack_padded_sequence
            _, (state, _) = self.encoder(pack(batch, lengths, True, enforce_sorted=False))
            return state[0]
        states, _ = self.encoder(batch)
        return states[self.torch.arange(len(batch)), lengths - 1]

    def _decode(self, code: Any, lengths: Any) -> Any:
        repeated = code[:, None].expand(-1, int(lengths.max()), -1)
        if not self.packed:
            return self.dense(self.decoder(repeated)[0])
        rnn = self.torch.nn.utils.rnn
        packed = rnn.pack_padded_sequence(repeated, lengths, True, enforce_sorted=False)
        states = self.decoder(packed)[0]
        return rnn.pad_packed_sequence(states._replace(data=self.dense(states.data)), True)[0]


class TorchPacked(Torch):
    """The same with packed sequences, which skip padding."""

    label = "torch packed"
    title = "the same with `pack_padded_sequence` around both LSTMs"
    max_repeats = 1
    packed = True

    def applies(self, workload: Workload) -> bool:
        """Without padding there is nothing to skip."""
        return workload.ragged


class Sequitur(Contender):
    """sequitur takes one sequence a gradient step."""

    label = "sequitur"
    title = "sequitur's `LSTM_AE(h_dims=[units])`, one sequence a step, two layers a side"
    max_repeats = 1
    matched = False
    share = 0.02

    def __init__(self) -> None:
        import torch
        from sequitur import quick_train
        from sequitur.models import LSTM_AE

        self.torch, self._train, self._model = torch, quick_train, LSTM_AE

    def fit(self, X: Ragged, workload: Workload, seed: int, note: Note) -> None:
        self.torch.manual_seed(seed)
        self.encoder, *_ = self._train(
            self._model,
            [self.torch.from_numpy(x) for x in X],
            encoding_dim=workload.units,
            h_dims=[workload.units],  # its default, [], fails
            epochs=workload.epochs,
        )

    def encode(self, X: Ragged) -> NDArray[np.float32]:
        with self.torch.inference_mode():
            return np.array([self.encoder(self.torch.from_numpy(x)).numpy() for x in X])


def _keras_callback(note: Note, read: Callable[[Any], Any] | None = None) -> Any:
    import keras

    class AfterEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            note(self.model.get_weights() if read is None else read(self.model))

    return AfterEpoch()


CONTENDERS = {
    contender.label: contender
    for contender in (
        Defaults,
        InNumPy,
        Ours,
        Tutorial,
        OnJAX,
        Torch,
        TorchPacked,
        Aeon,
        Sequitur,
    )
}
