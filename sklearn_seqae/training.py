"""The engine: runs epochs of a training program and keeps the weights that did best.

scikeras does its work here: it turns names, classes and instances into what Keras compiles with.
"""

import copy
import inspect
import json
import math
import types
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scikeras.wrappers import BaseWrapper

from .architecture import Architecture
from .batching import bucket_widths, epoch_chunks, pad
from .objectives import MaskedLoss, MaskedMetric, resolve_metric
from .program import Totals, TrainingProgram, programs
from .sequences import Sequences

# Batches run in one call. More would save little, and mix the widths less.
CHUNK_SIZE = 8
# Gradients of recurrences can explode; a longer one is scaled down to this norm.
CLIP_NORM = 1.0


@dataclass(frozen=True)
class Settings:
    """How to train; each name means what it means in `LSTMAutoencoderTransformer`."""

    loss: Any
    metrics: Any
    optimizer: Any
    learning_rate: float
    epochs: int
    batch_size: int
    early_stopping: bool
    validation_fraction: float
    patience: int
    callbacks: Any
    jit_compile: bool | str
    verbose: int


@dataclass
class Outcome:
    """What training left behind, besides the model's weights."""

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    optimizer_state: dict[str, list[NDArray]] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def n_epochs(self) -> int:
        """Number of epochs that were completed."""
        return len(self.history.get("loss", ()))


class _Synchronous(keras.callbacks.Callback):
    """Keeps Keras' CallbackList from running callbacks in threads of its own.

    It does so unless a callback overrides these three.
    """

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Do nothing."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Do nothing."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Do nothing."""


def train(
    model: keras.Model,
    architecture: Architecture,
    sequences: Sequences,
    settings: Settings,
    seed: int,
    optimizer_state: dict[str, list[NDArray]] | None = None,
) -> Outcome:
    """Train `model` in place on scaled sequences.

    Parameters
    ----------
    model : keras.Model
        As `networks.build` made it; it ends with the best weights found.
    architecture : Architecture
    sequences : Sequences
        Scaled; NaN marks missing values.
    settings : Settings
    seed : int
        Decides the validation split and the order of the batches.
    optimizer_state : dict, optional
        As an earlier `Outcome` holds it, under the name of the optimizer's class, to continue from
        there. What another kind of optimizer left is of no use, and is not looked at.

    Returns
    -------
    outcome : Outcome

    Raises
    ------
    ValueError
        If the loss is no longer a finite number.
    """
    compile_arguments, callbacks = _route(settings, architecture)
    loss = MaskedLoss(compile_arguments["loss"])
    metrics = compile_arguments["metrics"]
    optimizer = compile_arguments["optimizer"]
    kind = type(optimizer).__name__
    jit_compile = settings.jit_compile is True
    computed = architecture.without_lengths()
    rate = float(optimizer.learning_rate)
    key = (
        TrainingProgram,
        computed,
        _signature(compile_arguments["loss"]),
        tuple(_signature(metric) for metric in metrics),
        _signature(optimizer),
        jit_compile,
    )

    def make() -> TrainingProgram:
        masked = [MaskedMetric(metric) for metric in metrics]
        return TrainingProgram(computed, loss, masked, optimizer, jit_compile)

    with programs.lend(key, make) as program:
        program.load(model.get_weights(), (optimizer_state or {}).get(kind))
        run = _Run(program, architecture, sequences, settings, seed, rate, callbacks)
        outcome = run.fit()
        model.set_weights(program.model.get_weights())
        outcome.optimizer_state = {kind: program.optimizer_state()}
        program.model.history = None  # a callback list leaves itself there
    return outcome


class _Run:
    """One fit: the data in its buckets, the epochs, the best weights so far."""

    def __init__(
        self,
        program: TrainingProgram,
        architecture: Architecture,
        sequences: Sequences,
        settings: Settings,
        seed: int,
        rate: float,
        callbacks: list[Any],
    ) -> None:
        self.program = program
        self.settings = settings
        self.seed = seed
        self.rate = rate
        training, held_out = _split(sequences, settings, seed)
        self.training = sequences.take(training)
        self.validation = sequences.take(held_out) if len(held_out) else None
        self.batch_size = min(settings.batch_size, len(training))
        if program.model.get_layer("encoder").input_shape[1] is not None:
            self.widths = np.array([architecture.n_steps])  # a user's encoder wants just that
        else:
            self.widths = bucket_widths(sequences.lengths, self.batch_size, architecture.patch_size)
        self.callbacks = keras.callbacks.CallbackList(
            [_Synchronous(), *callbacks],
            add_progbar=settings.verbose > 0,
            model=program.model,
            verbose=settings.verbose,
            epochs=settings.epochs,
            steps=sum(len(c.rows) for c in self._chunks(self.training, None)),
        )

    def fit(self) -> Outcome:
        outcome = Outcome()
        best_weights = self.program.model.get_weights()
        best = math.inf
        monitor = "loss" if self.validation is None else "val_loss"
        self.callbacks.on_train_begin()
        try:
            for epoch in range(self.settings.epochs):
                logs = self._epoch(epoch)
                for name, value in logs.items():
                    outcome.history.setdefault(name, []).append(value)
                if logs[monitor] < best:
                    best, outcome.best_epoch = logs[monitor], epoch
                    best_weights = self.program.model.get_weights()
                waited = epoch - outcome.best_epoch
                self.callbacks.on_epoch_end(epoch, logs)
                if self.program.model.stop_training:
                    break
                if self.settings.early_stopping and waited >= self.settings.patience:
                    break
        except KeyboardInterrupt:
            outcome.interrupted = True
        if self.settings.early_stopping or outcome.interrupted:
            self.program.model.set_weights(best_weights)
        else:
            outcome.best_epoch = outcome.n_epochs - 1
        self.callbacks.on_train_end(logs=None)
        return outcome

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Run one epoch and return its means."""
        if isinstance(self.settings.optimizer, str):
            progress = epoch / self.settings.epochs
            self.program.optimizer.learning_rate = (
                self.rate * 0.5 * (1.0 + math.cos(math.pi * progress))
            )
        self.callbacks.on_epoch_begin(epoch)
        rng = np.random.default_rng([self.seed, epoch])
        totals = Totals()
        step = 0
        for chunk in self._chunks(self.training, rng):
            self.callbacks.on_train_batch_begin(step)
            totals.add(self.program.train(*self._load(self.training, chunk.rows, chunk.width)))
            step += len(chunk.rows)
            logs = self._means(totals)
            if not math.isfinite(totals.loss):
                raise ValueError(
                    f"The training loss became {totals.loss} in epoch {epoch + 1}; expected a "
                    "finite number. Lower learning_rate, or scale the data, for example with "
                    "scaler='standard' or 'robust'."
                )
            self.callbacks.on_train_batch_end(step - 1, logs)
        logs = self._means(totals, finish=True)
        if self.validation is not None:
            totals = Totals()
            for chunk in self._chunks(self.validation, None):
                totals.add(
                    self.program.evaluate(*self._load(self.validation, chunk.rows, chunk.width))
                )
            means = self._means(totals, finish=True)
            logs |= {f"val_{name}": value for name, value in means.items()}
        return logs

    def _means(self, totals: Totals, finish: bool = False) -> dict[str, float]:
        means = {"loss": totals.loss / max(totals.count, 1.0)}
        if self.program.architecture.decodes_length:
            means["length_loss"] = totals.length_loss / max(totals.n_sequences, 1.0)
        for metric in self.program.metrics:
            means[metric.metric.name] = float(metric.metric.result())
            if finish:
                metric.metric.reset_state()
        return means

    def _chunks(self, sequences: Sequences, rng: np.random.Generator | None) -> list[Any]:
        return epoch_chunks(sequences.lengths, self.widths, self.batch_size, CHUNK_SIZE, rng)

    @staticmethod
    def _load(
        sequences: Sequences, rows: NDArray[np.int64], width: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        lengths = np.where(rows >= 0, sequences.lengths[rows], -1).astype(np.float32)
        return pad(sequences, rows, width), lengths


def _split(
    sequences: Sequences, settings: Settings, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the sequences to train on and to hold out, of those that have an observed value.

    Too few sequences to hold one out: the training loss is watched instead.
    """
    n = len(sequences)
    everything = np.arange(n)
    n_held_out = int(settings.validation_fraction * n)
    if not settings.early_stopping or n_held_out == 0:
        return everything, everything[:0]
    observed = np.isfinite(sequences.values).any(axis=1)
    counts = np.diff(np.concatenate([[0], np.cumsum(observed)])[sequences.offsets])
    candidates = np.flatnonzero(counts > 0)
    rng = np.random.default_rng([seed, settings.epochs])
    held_out = np.sort(rng.permutation(candidates)[: min(n_held_out, len(candidates) - 1)])
    return np.setdiff1d(everything, held_out), held_out


def _route(settings: Settings, architecture: Architecture) -> tuple[dict[str, Any], list[Any]]:
    """Let scikeras turn the parameters into Keras objects, all fresh."""
    optimizer = settings.optimizer
    routed = {}
    if isinstance(optimizer, str):
        routed = {
            "optimizer__learning_rate": settings.learning_rate,
            "optimizer__global_clipnorm": CLIP_NORM,
        }
    else:
        optimizer = type(optimizer).from_config(optimizer.get_config())
    callbacks = settings.callbacks or []
    if not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    fresh = [_fresh(callback) for callback in callbacks]
    wrapper = BaseWrapper(
        model=None, optimizer=optimizer, loss=settings.loss, callbacks=fresh or None, **routed
    )
    arguments = wrapper._get_compile_kwargs()
    loss = arguments["loss"]
    arguments["loss"] = keras.losses.get(loss) if isinstance(loss, str) else loss
    metrics = settings.metrics or []
    if not isinstance(metrics, (list, tuple)):
        metrics = [metrics]
    arguments["metrics"] = [resolve_metric(m, architecture.n_channels) for m in metrics]
    wrapper._initialize_callbacks()
    return arguments, wrapper._fit_callbacks


def _fresh(callback: Any) -> Any:
    """Return a callback of this fit's own; a class is left to scikeras."""
    if isinstance(callback, keras.callbacks.Callback) or inspect.isclass(callback):
        return copy.deepcopy(callback)
    made = callback()
    if not isinstance(made, keras.callbacks.Callback):
        raise TypeError(
            f"callbacks must be Keras callbacks or functions that return one, but {callback!r} "
            f"returned {made!r}: return one instance of keras.callbacks.Callback."
        )
    return made


def _signature(thing: Any) -> Hashable:
    """Return a key that is equal for things that compute the same; the thing itself if in doubt.

    The learning rate is no part of it: it is a variable of the traced program.
    """
    if isinstance(thing, types.FunctionType) or not type(thing).__module__.startswith("keras."):
        return thing
    function = getattr(thing, "_fn", getattr(thing, "fn", None))
    if not getattr(function, "__module__", "keras.").startswith("keras."):  # a user's own
        return type(thing), thing.name, function, repr(thing._fn_kwargs)
    config = dict(thing.get_config())
    if isinstance(thing, keras.optimizers.Optimizer):
        del config["learning_rate"], config["name"]  # names count up: adam, adam_1, ...
    try:
        return type(thing), json.dumps(config, sort_keys=True, default=None)
    except TypeError:
        return thing
