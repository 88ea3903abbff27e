"""Base class of the estimators, which fits a model to sequences."""

import contextlib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sklearn_seqae.containers.numeric import is_stream
from sklearn_seqae.containers.registry import Sequences
from sklearn_seqae.network import cosines
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.minirocket import choose_dilations
from sklearn_seqae.preprocessing.categories import MixedScaler

from . import fit_warnings, keras_parameters, validation
from .fitted_model import FittedModel
from .overlap import warn_of_overlap
from .reading import SequenceReader
from .resume import open_checkpoint
from .save import FITTED, save
from .streamed import StreamedData

if TYPE_CHECKING:
    import keras

    from sklearn_seqae.training.fit_result import FitResult

# With patch_size="auto" sequences have about this many recurrent steps: recurrent networks learn
# best over some tens of steps.
AUTO_PATCHED_STEPS = 40
# Of a large code a quarter each is linear and recurrent, and half are pooled features. Codes of up
# to so many components are linear and recurrent at once, and have no pooled features.
LEAST_LEARNED = 32
NETWORK_PARAMETERS = (
    "n_components",
    "units",
    "cell",
    "bidirectional",
    "pooling",
    "multiscale",
    "shortcut",
    "decoder",
    "encoder",
    "patch_size",
    "scaler",
    "categorical_features",
    "min_frequency",
)
TRAINING_PARAMETERS = (
    "loss",
    "metrics",
    "optimizer",
    "learning_rate",
    "epochs",
    "batch_size",
    "early_stopping",
    "validation_fraction",
    "patience",
    "callbacks",
    "jit_compile",
    "verbose",
)


class SequenceAutoencoder(SequenceReader):
    """Base class of estimators that fit an autoencoder to sequences.

    Subclasses define `__init__`, with the parameters of `LSTMAutoencoderTransformer`, and the
    methods that use the fitted model.
    """

    _fitted_types = FITTED
    # Whether `fit` compares training sequences with each other.
    _compares_sequences = False

    @property
    def model_(self) -> "keras.Model":
        """The autoencoder, as a Keras model.

        It is built at the first access, which imports Keras. Setting its weights changes the codes.

        See Also
        --------
        encoder_ : The submodel that encodes sequences.
        decoder_ : The submodel that decodes codes.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> [layer.name for layer in ae.model_.layers]
        ['sequence', 'encoder', 'decoder', 'length']
        """
        check_is_fitted(self)
        return self._fitted_model.network.model

    @property
    def encoder_(self) -> "keras.Model":
        """The encoder, as a Keras model.

        Its input are scaled values, with NaN for padding and missing values. It shares its weights
        with `model_`.

        See Also
        --------
        transform : Encode sequences that are not scaled.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.encoder_.output.shape
        (None, 4)
        """
        return self.model_.get_layer("encoder")

    @property
    def decoder_(self) -> "keras.Model":
        """The decoder, as a Keras model.

        Its output are scaled values, with as many steps as the longest training sequence. It shares
        its weights with `model_`.

        See Also
        --------
        inverse_transform : Decode sequences of any length, in the units of the data.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.decoder_.output.shape
        (None, 4, 1)
        """
        return self.model_.get_layer("decoder")

    def save(self, path: Any, include_optimizer: bool = False) -> None:
        """Save the fitted estimator to a file.

        The file is a zip archive of a JSON manifest and NumPy arrays, without pickles or code, and
        is thus safe to load from untrusted sources. It is written to a temporary file first, which
        then replaces `path`.

        Parameters
        ----------
        path : str, PathLike or binary file object
            The file to write. An existing file is replaced.
        include_optimizer : bool, default=False
            Whether to save the state of the optimizer, so that `partial_fit`, or `fit` with
            `warm_start`, give exactly the same results after `load`. Otherwise training continues
            from the weights with a new optimizer state. Adam's state is twice as large as the
            weights.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If a parameter cannot be saved without code. Functions and classes, such as a custom
            `encoder`, must be defined at the top level of a module, as they are saved by name.

        See Also
        --------
        load : Load a saved estimator.

        Examples
        --------
        >>> import io
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> file = io.BytesIO()  # or a path such as "autoencoder.zip"
        >>> ae.save(file)
        >>> file.tell() > 0
        True
        """
        check_is_fitted(self)
        validation.check_parameters(self)  # as `load` does, since invalid values may be code
        save(self, path, include_optimizer)

    def __sklearn_clone__(self) -> Any:
        """Return an estimator of equal parameters that is not fitted."""
        fit_warnings.warn_of_lost_arguments(self.loss, self.optimizer)
        return super().__sklearn_clone__()

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

    def _fit(
        self,
        X: Any,
        continued: bool,
        groups: Any = None,
        in_pieces: bool = False,
        **changes: Any,
    ) -> "FitResult":
        """Fit a new model, or continue from the present weights and scaling.

        With `in_pieces` lengths are decoded even if all sequences have the same length, as later
        ones may differ.
        """
        settings = {name: getattr(self, name) for name in TRAINING_PARAMETERS} | changes
        validation.check_parameters(self)
        keras_parameters.check_keras_objects(self.loss, self.optimizer, self.metrics)
        keras_parameters.check_callbacks(self.callbacks)
        if continued:
            validation.check_network_parameters(self._made_with, self._network_choices())
        streamed, changed = None, not continued
        if is_stream(X):
            streamed = self._stream(X, continued, groups, settings)
            sequences = self._read(streamed.sample, reset=changed)
            self._read(next(iter(X)), reset=changed)  # which has names
        else:
            sequences = self._read(X, reset=changed)
        numbers = validation.check_groups(groups, sequences, 1 + self._compares_sequences)
        is_compared = settings["early_stopping"] or self._compares_sequences
        if (streamed is None or streamed.groups is None) and numbers is None and is_compared:
            warn_of_overlap(sequences, stacklevel=4)
        if continued:  # unknown categories cannot be decoded
            sequences = self._fitted_model.scaler.without_unknown(sequences)
        keras_parameters.check_categorical_loss(
            self.loss, sequences.categories, sequences.n_channels
        )
        seed = self._seed if continued else validation.draw_seed(self.random_state)
        checkpoint = None
        if self.checkpoint is not None and not in_pieces:
            weights = self._fitted_model.network.weights if continued else {}
            data = sequences, streamed, numbers, weights
            checkpoint = open_checkpoint(self, seed, data)
            seed = checkpoint.seed
        if not continued:
            self._start(sequences, seed, in_pieces, streamed)
        activation = self._fitted_model.architecture.activation

        def scale(part: Sequences) -> Sequences:
            found = self._fitted_model.scaler.transform(part)
            validation.check_probabilities(self.loss, activation, found)
            return found

        scale(sequences)
        result = self._fitted_model.train(
            sequences,
            settings,
            self.n_epochs_,
            numbers,
            self._compares_sequences,
            None if streamed is None else streamed.split,
            None if streamed is None else streamed.stream(self._read_known, scale),
            checkpoint,
        )
        if result.n_epochs:  # otherwise it was interrupted during the first
            self.best_epoch_ = self.n_epochs_ + result.best_epoch
        self.history_ = {
            name: self.history_.get(name, [math.nan] * self.n_epochs_)
            + result.history.get(name, [math.nan] * result.n_epochs)
            for name in self.history_ | result.history
        }
        self.n_epochs_ += result.n_epochs
        result.streamed = streamed
        fit_warnings.warn_of_lengths(self._fitted_model.architecture, sequences)
        fit_warnings.warn_of_interruption(result, settings["epochs"])
        return result

    def _stream(
        self, X: Any, continued: bool, groups: Any, settings: dict[str, Any]
    ) -> StreamedData:
        """Read a stream twice, for a sample and for what is to be known of all of it."""
        if groups is not None:
            raise ValueError(
                f"Expected groups=None for sequences that are read part by part, got groups for "
                f"{X!r}: sequences are held out by their ids, which may name groups."
            )
        fraction = self.validation_fraction if settings["early_stopping"] else 0.0
        return StreamedData(X, self._read_known if continued else self._read_raw, fraction)

    def _start(
        self,
        sequences: Sequences,
        seed: int,
        in_pieces: bool,
        streamed: StreamedData | None = None,
    ) -> None:
        """Fit the scaling and create a network with initial weights."""
        self._form = sequences.form
        # A copy, so that changes of the scaler's parameters are detected.
        self._made_with = self._network_choices() | {"scaler": clone(self.scaler, safe=False)}
        self._seed = seed
        scaler = MixedScaler(self.scaler).fit(sequences)
        if streamed is not None:
            streamed.refine(scaler, self._read_raw)
        self.scaler_ = scaler.scaler_
        categories = scaler.categories or (None,) * sequences.n_channels
        self.categories_ = [None if found is None else found.values for found in categories]
        self.infrequent_categories_ = [
            found.values[found.width - 1 :] if found is not None and found.n_joined else None
            for found in categories
        ]
        self.history_, self.n_epochs_, self.best_epoch_ = {}, 0, 0
        self._n_features_out = self.n_components
        architecture = self._architecture(sequences, scaler, in_pieces)
        self._fitted_model = FittedModel(architecture, scaler, sequences, self._seed)

    def _network_choices(self) -> dict[str, Any]:
        """Return the parameters that determine the network and its scaling."""
        choices = {name: getattr(self, name) for name in NETWORK_PARAMETERS}
        choices["horizon"] = getattr(self, "horizon", 0)  # which detectors have none of
        activation = keras_parameters.output_activation(self.loss)
        if not isinstance(self.categorical_features, str | None):
            channels = np.asarray(self.categorical_features, dtype=object)
            choices["categorical_features"] = channels.ravel().tolist()
        return choices | {"units": validation.check_units(self.units), "activation": activation}

    def _architecture(
        self, sequences: Sequences, scaler: MixedScaler, in_pieces: bool
    ) -> Architecture:
        """Return the architecture for the parameters and the training data."""
        keras_parameters.check_builders(self.encoder, self.decoder)
        n_statistics = scaler.n_statistics_
        if self.n_components <= n_statistics:
            raise ValueError(
                "scaler='per_sequence' keeps 2 * n_channels components for the mean and scale of a "
                f"sequence, got n_components={self.n_components} with {n_statistics // 2} "
                f"channels: use n_components={n_statistics + 1} or more."
            )
        lengths = sequences.lengths
        is_built_in = self.encoder is None and not callable(self.decoder)
        patch_size = self.patch_size
        if patch_size == "auto":
            folded = round(float(np.quantile(lengths, 0.9)) / AUTO_PATCHED_STEPS)
            patch_size = max(1, folded) if is_built_in else 1
        n_components = int(self.n_components) - n_statistics  # Keras does not accept NumPy integers
        has_shortcut = self.shortcut is not None and is_built_in
        n_learned = n_components
        if self.multiscale and is_built_in:
            share = n_components // (2 if has_shortcut else 4)
            n_learned = min(n_components, max(LEAST_LEARNED, share))
        n_linear = n_frequencies = 0
        if has_shortcut:
            n_linear = min(n_learned, max(LEAST_LEARNED, n_components // 4))
            n_frequencies = cosines.count_frequencies(len(scaler.channels), n_linear)
        return Architecture(
            n_steps=int(lengths.max()),
            n_channels=len(scaler.channels),
            n_components=n_components,
            units=self._made_with["units"],
            cell=self.cell,
            bidirectional=bool(self.bidirectional),
            pooling=self.pooling,
            decoder=self.decoder,
            encoder=self.encoder,
            patch_size=int(patch_size),
            activation=self._made_with["activation"],
            # Missing categories need no indicator: their one-hot values are all zero.
            indicators=bool(np.isnan(scaler.take_numbers(sequences).values).any()),
            decodes_length=in_pieces or bool(lengths.min() < lengths.max()),
            dilations=choose_dilations(lengths) if n_learned < n_components else (),
            n_summary=n_components - n_learned,
            category_widths=scaler.category_widths,
            n_linear=n_linear,
            n_frequencies=n_frequencies,
            horizon=int(self._made_with["horizon"]),
        )

    @contextlib.contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        state = self.__dict__.copy()
        model = state.get("_fitted_model")
        try:
            with contextlib.nullcontext() if model is None else model.unchanged_on_error():
                yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(state)
            raise
