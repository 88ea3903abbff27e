"""The trained part of an estimator: scaling and network together, sequences to codes and back.

It is picklable. Neither unpickling nor use loads TensorFlow, unless a part of the network is a
user's own model.
"""

import contextlib
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.registry import Sequences
from sklearn_seqae.network import cosines, inference, minirocket, numpy_network
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.layer_specs import within
from sklearn_seqae.preprocessing.categories import MixedScaler

from .code_density import CodeDensity
from .forecasting import Forecaster
from .gains import least_squares_gains
from .imputation import bridge, step_correlation
from .metrics import moments
from .network_state import NetworkState

if TYPE_CHECKING:
    from sklearn_seqae.training.checkpoint import Checkpoint
    from sklearn_seqae.training.fit_result import FitResult
    from sklearn_seqae.training.training_data import Stream


# Weights of the recurrent decoder beside a linear path, by channel.
GAIN = "decoder/mean/gain"
MOST_WEIGHED = 256
# Training sequences whose errors say how those of neighbouring steps correlate.
MOST_EXPECTED = 1000


class FittedModel:
    """Encodes and decodes sequences in the units of the data.

    A code is what the network's encoder says, followed by what the scaling keeps of the sequence.

    Parameters
    ----------
    architecture : Architecture
    scaler : MixedScaler
        Fitted.
    sequences : Sequences
        The training data, for the figures that are kept of them.
    seed : int
        Decides the initial weights.
    """

    def __init__(
        self, architecture: Architecture, scaler: MixedScaler, sequences: Sequences, seed: int
    ) -> None:
        self.scaler = scaler
        self.mean, variance = moments(scaler.spread(sequences))
        self.variance = scaler.pooled(variance)
        self._scaled_mean = moments(scaler.transform(sequences))[0]
        self._seed = seed
        self._optimizer_state: dict[str, list[NDArray]] | None = None
        self._density: CodeDensity | None = None
        self._correlation: NDArray | None = None
        self._forecaster: Forecaster | None = None
        self.network = NetworkState(architecture, seed)

    @property
    def architecture(self) -> Architecture:
        """The architecture of the network."""
        return self.network.architecture

    def __getstate__(self) -> dict[str, Any]:
        """Return the state, with codes instead of training sequences."""
        self._settle()
        return vars(self).copy()

    def train(
        self,
        sequences: Sequences,
        settings: dict[str, Any],
        first_epoch: int,
        groups: NDArray[np.int64] | None,
        uses_held_out: bool,
        split: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
        stream: "Stream | None" = None,
        checkpoint: "Checkpoint | None" = None,
    ) -> "FitResult":
        """Train from the present weights; `settings` are those of `training.Settings`.

        With `uses_held_out` errors of held-out sequences are to be what they are of new ones. Of a
        `stream` the sequences are a sample, and `split` says which of them are held out.
        """
        lengths = sequences.lengths
        self._check_readable(lengths)
        limit = self.architecture.max_decoded_steps
        if limit is not None and lengths.max() > limit:
            raise ValueError(
                f"X has sequences of up to {lengths.max()} steps, but this network was "
                f"made to write {limit} at most: fit afresh, or use decoder='repeat'."
            )
        horizon = self.architecture.horizon
        if horizon and self._forecaster is None and lengths.max() <= horizon:
            raise ValueError(
                f"horizon={horizon} needs sequences of more steps, whose ends can be hidden, got "
                f"sequences of up to {lengths.max()}: use a smaller horizon, or longer sequences."
            )
        known = () if self._density is None else self._density.length_range
        if self.architecture.decodes_length and len(set(known)) < 2:
            # All were alike so far, and count as many as these.
            self._tell_lengths(np.append(lengths, np.resize(known, len(lengths) if known else 0)))
        from sklearn_seqae.training.checkpoint import described, digest_of
        from sklearn_seqae.training.loop import Settings, train
        from sklearn_seqae.training.program import backend

        scaled, chosen = self.scaler.transform(sequences), Settings(**settings)
        if split is None:
            split = chosen.hold_out(scaled, self._seed, groups)
        is_first = self._density is None
        if self.architecture.n_linear and is_first:
            self._fit_linear(scaled.take(split[0]))

        def describe() -> str:
            """Return a checksum of what has to be the same in all processes that share a fit."""
            alike = [settings[name] for name in sorted({*settings} - {"callbacks", "verbose"})]
            n_streamed = None if stream is None else stream.n_sequences
            saved = None if checkpoint is None else [path.name for path in checkpoint.paths()]
            plain = described(alike), self._seed, first_epoch, n_streamed, saved
            arrays = *self.network.weights.values(), scaled.values, scaled.offsets, *split
            return digest_of(iter([plain, *arrays]))

        with backend().sharing(describe) as devices:
            outcome = train(
                self.network.weights,
                self.architecture,
                scaled,
                chosen,
                self._seed,
                split,
                first_epoch,
                self._optimizer_state,
                None if self.architecture.is_built_in else self.network.model,
                stream,
                checkpoint,
                devices,
            )
        self.network.assign(outcome.weights)
        if GAIN in self.network.weights:
            held_out = outcome.held_out if len(outcome.held_out) else np.arange(len(sequences))
            outcome.is_used = self._weigh(sequences.take(held_out[:MOST_WEIGHED]))
        is_final = outcome.kept_start or not self.architecture.adds_to_linear
        if self.architecture.n_linear and is_first and is_final and not uses_held_out:
            self._fit_linear(scaled)  # no trained weight depends on it: it may know all of them
        if self.architecture.n_summary and is_first:
            self._fit_kernels(scaled)
        if horizon:
            self._forecaster = Forecaster.fit(
                self.network.runner, scaled, split, groups, self._forecaster
            )
        self._optimizer_state = outcome.optimizer_state
        self._density = CodeDensity(sequences, self._seed, known)
        return outcome

    def _fit_linear(self, scaled: Sequences) -> None:
        """Compute the linear path from sequences."""
        sizes = self.architecture.n_frequencies, self.architecture.n_linear
        tells_length = self.architecture.has_linear_length
        with single_threaded():
            path = cosines.fit(scaled, *sizes, self._seed, tells_length)
        self.network.assign(cosines.place(path, self.network.weights))

    def _fit_kernels(self, scaled: Sequences) -> None:
        """Learn thresholds and components of pooled features, with gaps as they are encoded."""
        sizes = self.architecture.dilations, self.architecture.n_summary
        with single_threaded():
            found = minirocket.fit(scaled, *sizes, self._seed, self._complete)
        self.network.assign({f"encoder/summary/{name}": array for name, array in found.items()})

    def _complete(self, scaled: Sequences) -> Sequences:
        """Return scaled sequences with gaps filled by the linear path, if there is one."""
        missing = np.isnan(scaled.values)
        if not (self.architecture.n_linear and missing.any()):
            return scaled
        return scaled.with_values(np.where(missing, self._linear_mean(scaled), scaled.values))

    def _linear_mean(self, scaled: Sequences) -> NDArray[np.float64]:
        """Return the mean of scaled values by the model of the linear path, given observed ones."""
        with single_threaded():
            return cosines.expect(scaled, within(self.network.weights, "encoder/linear"))

    def _weigh(self, sequences: Sequences) -> bool:
        """Set how much the recurrent decoder counts, by channel; tell whether it counts at all.

        The weights are those of the least squared error. They are zero where that is hardly lower
        than the linear path's, or lower in some sequences only, as it is by chance.
        """
        n_channels = self.architecture.n_channels
        decoded = []
        for gain in (np.zeros, np.ones):
            self.network.assign({GAIN: gain(n_channels, np.float32)})
            targets, written = self.compare_scaled(sequences)
            decoded.append(written.values)
        linear, recurrent = decoded
        counts = self.architecture.channel_groups
        gains = least_squares_gains(
            targets.values - linear, recurrent - linear, targets.owners, counts, len(sequences)
        )
        self.network.assign({GAIN: gains.astype(np.float32)})
        return bool(gains.any())

    @contextlib.contextmanager
    def unchanged_on_error(self) -> Iterator[None]:
        """Restore the state, weights included, if the block raises an error."""
        state, weights = vars(self).copy(), self.network.weights
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(state)
            self.network.assign(weights)
            raise

    def encode(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return the codes (n_sequences, n_components)."""
        return self._encode_scaled(self.scaler.transform(sequences), sequences)

    def decode_lengths(self, codes: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the lengths decoded from codes."""
        assert self._density is not None
        shortest, longest = self._density.length_range
        if shortest == longest:
            return np.full(len(codes), longest)
        return inference.decode_lengths(self.network.runner, self._split(codes)[0], longest)

    def decode(self, codes: NDArray[np.float32], lengths: NDArray[np.int64]) -> Sequences:
        """Return sequences of the given lengths, decoded from codes."""
        scaled = self._decode_scaled(codes, lengths)
        return self.scaler.inverse_transform(scaled, self._split(codes)[1])

    def draw(
        self, n_codes: int, rng: np.random.RandomState
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return random codes, and their lengths, clipped to the range of training lengths."""
        self._settle()
        assert self._density is not None
        codes = self._density.draw(n_codes, rng)
        return codes, np.clip(self.decode_lengths(codes), *self._density.length_range)

    def impute(self, sequences: Sequences) -> Sequences:
        """Return sequences with missing values imputed."""
        filled = self._impute_scaled(sequences)
        return self.scaler.inverse_transform(filled, self.scaler.statistics(sequences))

    def _impute_scaled(self, sequences: Sequences) -> Sequences:
        self._settle()
        assert self._correlation is not None
        expected, errors = self._expect(sequences)
        return errors.with_values(expected + bridge(errors, self._correlation))

    def forecast(self, sequences: Sequences, n_steps: int) -> Sequences:
        """Return the steps after the end of each sequence."""
        assert self._forecaster is not None
        scaled = self.scaler.transform(sequences)
        missing = np.isnan(scaled.values)
        filled = scaled
        if missing.any():
            imputed = self._impute_scaled(sequences).values
            filled = scaled.with_values(np.where(missing, imputed, scaled.values))
        ahead = self._forecaster(self.network.runner, scaled, filled, n_steps)
        ahead = ahead.reshape(-1, ahead.shape[2])
        steps = Sequences.from_lengths(ahead, np.full(len(sequences), n_steps))
        return self.scaler.inverse_transform(steps, self.scaler.statistics(sequences))

    def _expect(self, sequences: Sequences) -> tuple[NDArray[Any], Sequences]:
        """Return what is expected of scaled values, and their differences from it, where known.

        It is the reconstruction or, with a linear path, what its model says, in more directions
        than codes have components.
        """
        if not self.architecture.n_linear:
            targets, decoded = self.compare_scaled(sequences)
            return decoded.values, targets.with_values(targets.values - decoded.values)
        scaled = self.scaler.transform(sequences)
        expected = self._linear_mean(scaled)
        targets = self.scaler.targets(scaled, sequences)
        return expected, targets.with_values(targets.values - expected)

    def _settle(self) -> None:
        """Compute all that depends on the last training sequences, and release them."""
        sequences = None if self._density is None else self._density.sequences
        if self._density is None or sequences is None:
            return
        chosen = np.random.default_rng(self._seed).permutation(len(sequences))[:MOST_EXPECTED]
        self._correlation = step_correlation(self._expect(sequences.take(np.sort(chosen)))[1])
        self._density.settle(self.encode)

    def reconstruct(self, sequences: Sequences) -> Sequences:
        """Return reconstructions of sequences, with the lengths of these."""
        return self.decode(self.encode(sequences), sequences.lengths)

    def compare(self, sequences: Sequences) -> tuple[Sequences, Sequences]:
        """Return sequences and reconstructions: one-hot values and probabilities of categories."""
        codes = self.encode(sequences)
        scaled = self._decode_scaled(codes, sequences.lengths)
        unscaled = self.scaler.unscale(scaled, self._split(codes)[1])
        return self.scaler.targets(self.scaler.spread(sequences), sequences), unscaled

    def compare_scaled(self, sequences: Sequences) -> tuple[Sequences, Sequences]:
        """Return sequences and reconstructions, in scaled units."""
        scaled = self.scaler.transform(sequences)
        codes = self._encode_scaled(scaled, sequences)
        targets = self.scaler.targets(scaled, sequences)
        return targets, self._decode_scaled(codes, sequences.lengths)

    def examine(self, sequences: Sequences) -> tuple[NDArray[np.float32], Sequences, Sequences]:
        """Return pooled features, and the results of `compare_scaled`.

        They are like (n_sequences, any): all shares of the filters or, without filters, the code.
        """
        scaled = self.scaler.transform(sequences)
        self._check_readable(sequences.lengths)
        network = self.network.runner
        if isinstance(network, numpy_network.Network):
            network = network.unprojected
        codes = inference.encode(network, scaled)
        n_learned = self.architecture.n_learned
        features = codes[:, n_learned:] if self.architecture.n_summary else codes
        targets = self.scaler.targets(scaled, sequences)
        return features, targets, self._decode_scaled(codes[:, :n_learned], sequences.lengths)

    def _encode_scaled(self, scaled: Sequences, sequences: Sequences) -> NDArray[np.float32]:
        self._check_readable(sequences.lengths)
        encoded = inference.encode(self.network.runner, scaled)
        if not self.scaler.n_statistics_:
            return encoded
        return np.hstack([encoded, self.scaler.statistics(sequences)])

    def _check_readable(self, lengths: NDArray[np.int64]) -> None:
        """Raise if sequences are longer than the input of a custom encoder."""
        readable = self.network.readable_steps
        if readable is not None and lengths.max() > readable:
            raise ValueError(
                f"X has sequences of up to {lengths.max()} steps, but the encoder reads "
                f"{readable}: build it with keras.Input((None, n_channels)), or fit with sequences "
                "that long."
            )

    def _decode_scaled(self, codes: NDArray[np.float32], lengths: NDArray[np.int64]) -> Sequences:
        decoded = inference.decode(self.network.runner, self._split(codes)[0], lengths)
        limit = self.architecture.max_decoded_steps
        if limit is None or lengths.max(initial=0) <= limit:
            return decoded
        warnings.warn(
            f"{np.sum(lengths > limit)} sequences are longer than the {limit} steps that "
            f"decoder={self.architecture.decoder!r} learned to write: the rest of them is filled "
            "with the training mean. Use decoder='repeat' for any length.",
            stacklevel=5,
        )
        steps = np.arange(len(decoded.values)) - decoded.offsets[decoded.owners]
        unwritten = (steps >= limit)[:, None]
        values = np.where(unwritten, self._scaled_mean.astype(np.float32), decoded.values)
        return decoded.with_values(values)

    def _split(self, codes: NDArray[np.float32]) -> tuple[NDArray[np.float32], Any]:
        """Split codes into components of the network and of the scaling, None without any."""
        n = self.architecture.n_components
        return codes[:, :n], codes[:, n:] if codes.shape[1] > n else None

    def _tell_lengths(self, lengths: NDArray[np.int64]) -> None:
        """Set the mean and spread of lengths in the layers that encode and decode them."""
        moments_of = {"length/steps": lengths}
        if self.architecture.has_linear_length:
            moments_of["encoder/linear"] = lengths
        elif self.architecture.encoder is None:
            moments_of["encoder/pool"] = np.log1p(lengths)
        for layer, numbers in moments_of.items():
            spread = numbers.std() or 1.0  # all alike so far
            values = {f"{layer}/location": numbers.mean(), f"{layer}/scale": spread}
            self.network.assign({name: np.array(x, np.float32) for name, x in values.items()})
