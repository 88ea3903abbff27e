"""The engine: runs epochs of a training program and keeps the weights that did best."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import check_process
from sklearn_seqae.containers.registry import Sequences
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.keras_network import copy_length, seed_states
from sklearn_seqae.network.layer_specs import Weights

from .checkpoint import Checkpoint, Progress
from .fit_result import FitResult
from .holdout import hold_out
from .keras_arguments import cache_key, make_keras_objects
from .losses import MaskedLoss, MaskedMetric
from .network_keys import check_rebuilt, network_key
from .optimizers import kind, learning_rates, set_learning_rates
from .program import LENGTH_WEIGHT, Totals, TrainingProgram
from .program_cache import programs
from .skill import SkillScore
from .training_data import Stream, TrainingData

# Share by which an epoch must beat a linear path alone: new sequences gain nothing by less.
LEAST_GAIN = 0.1


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

    def hold_out(
        self, sequences: Sequences, seed: int, groups: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which of the sequences are trained on, and which are held out."""
        fraction = self.validation_fraction if self.early_stopping else 0.0
        return hold_out(sequences, fraction, seed, groups)


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
    weights: Weights,
    architecture: Architecture,
    sequences: Sequences,
    settings: Settings,
    seed: int,
    split: tuple[NDArray[np.int64], NDArray[np.int64]],
    first_epoch: int = 0,
    optimizer_state: dict[str, list[NDArray]] | None = None,
    model: keras.Model | None = None,
    stream: Stream | None = None,
    checkpoint: Checkpoint | None = None,
    devices: tuple[Any, ...] = (),
) -> FitResult:
    """Train a network on scaled sequences, from these weights on.

    Parameters
    ----------
    weights : dict of str to ndarray
        By name, as `layer_specs.initial_weights` draws them; they are left as they are.
    architecture : Architecture
    sequences : Sequences
        Scaled; NaN marks missing values.
    settings : Settings
    seed : int
        Decides, with the number of the epoch, the order of the batches.
    split : tuple of ndarray
        Which sequences to train on, and which to hold out, as `Settings.hold_out` returns them.
    first_epoch : int, default=0
        Number of epochs that the model has been trained for before.
    optimizer_state : dict, optional
        As an earlier `FitResult` holds it, by the name of the optimizer's class, to continue from
        there. What another kind of optimizer left is of no use, and is not looked at.
    model : keras.Model, optional
        The network as `keras_network.build` made it, where a part of it is a user's own model: what
        this computes is known from it alone.
    stream : Stream, optional
        What to train on, if that is more than memory holds; `sequences` are a sample of it then.
    checkpoint : Checkpoint, optional
        Where to go on from, and to write to after each epoch.
    devices : tuple, optional
        Those that train together, as the backend's `sharing` yields them.

    Returns
    -------
    outcome : FitResult
        With the best weights found.

    Raises
    ------
    ValueError
        If the loss is no longer a finite number.
    RuntimeError
        In a process that was forked after TensorFlow had started, or where several devices are to
        train a user's own model.
    """
    check_process()
    if len(devices) > 1 and model is not None:
        raise RuntimeError(
            f"Expected built-in networks on several devices, got a custom encoder or decoder on "
            f"{len(devices)}: fit on one device."
        )
    made = make_keras_objects(
        settings.loss,
        settings.metrics,
        settings.optimizer,
        settings.learning_rate,
        settings.callbacks,
        # One category alone has a categorical accuracy, too.
        architecture.n_channels + len(architecture.category_widths),
    )
    category_widths = architecture.category_widths
    n_numbers = architecture.n_channels - sum(category_widths)
    loss = MaskedLoss(made.loss, category_widths, n_numbers)
    metrics, optimizer = made.metrics, made.optimizer
    state_key = kind(optimizer)
    fixed_steps = None if model is None else model.get_layer("encoder").input_shape[1]
    data = TrainingData.split(sequences, split, settings, architecture, fixed_steps, stream)
    computed = architecture.trained()
    rates = learning_rates(optimizer)
    key = (
        TrainingProgram,
        computed if model is None else network_key(model, computed),
        cache_key(made.loss),
        tuple(map(cache_key, metrics)),
        cache_key(optimizer),
        data.jit_compile,
        devices,
    )

    def make() -> TrainingProgram:
        masked = [
            MaskedMetric(metric, architecture.n_channels, category_widths) for metric in metrics
        ]
        program = TrainingProgram(computed, loss, masked, optimizer, data.jit_compile, devices)
        if model is not None:
            check_rebuilt(model, program.model, computed)
        return program

    with programs.lend(key, make) as program:
        program.load(weights, (optimizer_state or {}).get(state_key))
        program.model.stop_training = False
        if program.optimizer is not optimizer:
            set_learning_rates(program.optimizer, rates)
        run = _Run(program, data, settings, (seed, first_epoch), made.callbacks, checkpoint)
        outcome = run.fit()
        outcome.weights, state = program.state()
        outcome.optimizer_state = {state_key: state}
        outcome.held_out = data.held_out
        if outcome.history:
            held_out, judged = len(data.held_out) / len(sequences), sequences
            if held_out and architecture.decoder == "autoregressive":
                # Its training loss is little, with the true steps before it, whatever it learned.
                held_out, judged = 1.0, data.validation
            outcome.set_skill(SkillScore.of(loss, judged), held_out)
        program.model.history = None  # a callback list leaves itself there
    return outcome


class _Run:
    """One fit: the epochs, and the best weights so far."""

    def __init__(
        self,
        program: TrainingProgram,
        data: TrainingData,
        settings: Settings,
        seeds: tuple[int, int],
        callbacks: list[Any],
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.program = program
        self.data = data
        self.settings = settings
        self.seed, self.first_epoch = seeds
        self.checkpoint = checkpoint
        self.callbacks = keras.callbacks.CallbackList(
            [_Synchronous(), *callbacks],
            add_progbar=settings.verbose > 0,
            model=program.model,
            verbose=settings.verbose,
            epochs=settings.epochs,
            steps=data.n_batches,
        )

    def fit(self) -> FitResult:
        outcome = FitResult()
        best_state = first_state = self.program.state()
        best = math.inf
        prefix = "val_" if len(self.data.validation) else ""
        start = self._measure_start()
        self.callbacks.on_train_begin()
        is_done = False
        saved = None if self.checkpoint is None else self.checkpoint.load()
        if saved is not None:
            self._restore(saved)
            best, best_state, is_done = saved.best, saved.best_state, saved.is_done
            outcome.history, outcome.best_epoch = saved.history, saved.best_epoch
        try:
            for epoch in range(outcome.n_epochs, self.settings.epochs):
                if is_done:
                    break
                logs = self._epoch(epoch)
                monitored = self._objective(logs, prefix)
                self._check_finite(monitored, epoch)
                for name, value in logs.items():
                    outcome.history.setdefault(name, []).append(value)
                if monitored < best:
                    best, outcome.best_epoch = monitored, epoch
                    best_state = self.program.state()
                waited = epoch - outcome.best_epoch
                copy_length(self.program.model)  # which callbacks may save or use
                self.callbacks.on_epoch_end(epoch, logs)
                is_late = self.settings.early_stopping and waited >= self.settings.patience
                is_done = bool(self.program.model.stop_training or is_late)
                if self.checkpoint is not None:
                    found = outcome.history, outcome.best_epoch, best, is_done
                    states = self.program.state(), best_state
                    self.checkpoint.save(Progress(*found, *states, *self._rest()))
            outcome.ran_out = not is_done
        except KeyboardInterrupt:
            outcome.interrupted = True
        if self.settings.early_stopping or outcome.interrupted:
            self.program.load(*best_state)
            self.program.finish()
            if start and outcome.history:
                outcome.start_loss = start["loss"]
                gain = 0.0 if self.first_epoch else LEAST_GAIN * abs(best)
                outcome.kept_start = self._objective(start) - best < gain
                if outcome.kept_start:
                    self.program.load(*first_state)
        else:
            self.program.finish()
            outcome.best_epoch = outcome.n_epochs - 1
            weights = self.program.model.get_weights()
            self._check_finite(sum(float(np.sum(w)) for w in weights), outcome.best_epoch)
        self.callbacks.on_train_end(logs=None)
        return outcome

    def _rest(self) -> tuple[list[float | None], list[NDArray]]:
        """Return learning rates, and the states of generators in a user's own layers."""
        seeds = [np.asarray(state) for state in seed_states(self.program.model)]
        return learning_rates(self.program.optimizer), seeds

    def _restore(self, saved: Progress) -> None:
        """Go on from an earlier epoch."""
        self.program.load(*saved.state)
        set_learning_rates(self.program.optimizer, saved.rates)
        for state, value in zip(seed_states(self.program.model), saved.seeds, strict=True):
            state.assign(value)

    def _objective(self, logs: dict[str, float], prefix: str = "") -> float:
        """Return what epochs are judged by: the first, on a linear path, decode no lengths yet."""
        lengths = logs.get(f"{prefix}length_loss", 0.0) * bool(self.program.architecture.n_linear)
        return logs[f"{prefix}loss"] + LENGTH_WEIGHT * lengths

    def _measure_start(self) -> dict[str, float]:
        """Return the monitored losses of a linear path alone, which training starts from."""
        if not (self.program.architecture.n_linear and self.settings.early_stopping):
            return {}
        data, totals = self.data, Totals()
        chunks, monitored = data.validation_chunks(), data.validation
        if not len(monitored):
            chunks, monitored = data.training_chunks(None), data.training
        for chunk in chunks:
            totals.add(self.program.evaluate(*data.load(monitored, chunk)))
        return self._means(totals, finish=True)

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Run one epoch and return its means."""
        if isinstance(self.settings.optimizer, str | type) and epoch > 0:
            # By a factor, so that what a callback has made of the rate stays.
            factor = self._annealing(epoch) / self._annealing(epoch - 1)
            optimizer = self.program.optimizer
            optimizer.learning_rate = float(optimizer.learning_rate) * factor
        self.callbacks.on_epoch_begin(epoch)
        rng = np.random.default_rng([self.seed, self.first_epoch + epoch])
        totals = Totals()
        step = 0
        for sequences, chunk in self.data.training_batches(rng):
            self.callbacks.on_train_batch_begin(step)
            totals.add(self.program.train(*self.data.load(sequences, chunk)))
            step += len(chunk.rows)
            logs = self._means(totals)
            self._check_finite(logs["loss"], epoch)
            self.callbacks.on_train_batch_end(step - 1, logs)
            if self.program.model.stop_training:
                break
        logs = self._means(totals, finish=True)
        if len(self.data.validation):
            logs |= {f"val_{name}": value for name, value in self._validate().items()}
        return logs

    def _validate(self) -> dict[str, float]:
        """Return the means over the sequences that are held out."""
        self.callbacks.on_test_begin()
        totals = Totals()
        step = 0
        for chunk in self.data.validation_chunks():
            self.callbacks.on_test_batch_begin(step)
            totals.add(self.program.evaluate(*self.data.load(self.data.validation, chunk)))
            step += len(chunk.rows)
            self.callbacks.on_test_batch_end(step - 1, self._means(totals))
        means = self._means(totals, finish=True)
        self.callbacks.on_test_end(means)
        return means

    @staticmethod
    def _check_finite(number: float, epoch: int) -> None:
        if not math.isfinite(number):
            raise ValueError(
                f"The loss or the weights became {number} in epoch {epoch + 1}; expected finite "
                "numbers. Lower learning_rate, or scale the data, for example with "
                "scaler='standard' or 'robust'."
            )

    def _annealing(self, epoch: int) -> float:
        return 0.5 * (1.0 + math.cos(math.pi * epoch / self.settings.epochs))

    def _means(self, totals: Totals, finish: bool = False) -> dict[str, float]:
        means = {"loss": totals.mean_loss}
        if self.program.adds_losses:
            means["added_loss"] = totals.mean_added
        if self.program.architecture.decodes_length:
            means["length_loss"] = totals.length_loss / max(totals.n_sequences, 1.0)
        for metric in self.program.metrics:
            means[metric.metric.name] = float(metric.metric.result())
            if finish:
                metric.metric.reset_state()
        return means
