"""The detector: its parameters, and how it learns what is usual and where that ends."""

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin

from sklearn_seqae.containers.registry import Sequences

from .anomaly_score import ReferenceDistribution, combine, n_independent, threshold
from .fit_warnings import warn_of_skill
from .outlier_scores import OutlierScoringAutoencoder
from .save import FITTED
from .validation import PARAMETER_CONSTRAINTS, check_groups


class LSTMAutoencoderDetector(OutlierMixin, OutlierScoringAutoencoder):
    """Sequences that are not like those of training, found by a recurrent autoencoder.

    A sequence is odd if its values come back from its code worse than others do, if the shapes that
    fixed filters find in it are far from those of every training sequence, or if it is longer or
    shorter than all of these. Each of these is turned into the probability that a normal sequence
    is as odd, and these into one, whose logarithm is the score. `explain` tells which steps and
    channels are to blame, and how much of it is due to the shape or the length.

    The threshold is set by sequences that are held out from training, for training sequences come
    back better than others do.

    Parameters
    ----------
    n_components : int, default=256
        Size of the code. Of this and the following parameters up to `verbose`
        `LSTMAutoencoderTransformer` says more.
    units : int or tuple of int, default=64
        Recurrent units; a tuple has one entry per stacked layer.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of the recurrent layers.
    bidirectional : bool, default=True
        Whether the encoder reads each sequence in both directions.
    pooling : {"last", "mean", "max", "mean_max"}, default="mean_max"
        How the encoder's states become one vector.
    multiscale : bool, default=True
        Whether a bank of fixed filters reads each sequence too. Without it (with fewer than 33
        components, or models of your own) codes tell the shape, which they do less well.
    decoder : {"repeat", "reshape", "dense", "autoregressive"} or callable, default="repeat"
        How a sequence is written from its code.
    encoder : callable, default=None
        Builds an encoder of your own.
    patch_size : int or "auto", default="auto"
        Steps that are folded into one recurrent step.
    scaler : {"standard", "minmax", "robust", "per_sequence"}, scikit-learn scaler or None, \
            default="standard"
        How values are scaled. With "per_sequence" no sequence is odd by its level or scale.
    categorical_features : "from_dtype", array-like of int, str or bool, or None, \
            default="from_dtype"
        The channels that hold symbols.
    handle_unknown : {"error", "unknown"}, default="error"
        A symbol that fit did not see is refused, or makes its sequence an outlier.
    min_frequency : int or float, default=None
        Symbols of fewer steps, or of a smaller part of them, are one.
    loss : str, callable or keras.losses.Loss, default="mse"
        What training lowers.
    metrics : str, callable, keras.metrics.Metric or list of these, default=None
        Keras metrics for `history_`.
    optimizer : str, keras.optimizers.Optimizer, class or factory, default="adam"
        A name, a class, a function that returns an optimizer, or an instance, which is copied.
    learning_rate : float, default=0.003
        Initial learning rate of an optimizer given by name or class.
    epochs : int, default=100
        Upper bound on the passes over the data.
    batch_size : int, default=16
        Sequences per gradient step.
    early_stopping : bool, default=True
        Whether to hold out `validation_fraction` of the sequences, and stop by their loss. If not,
        or if there are fewer than 10 sequences, nothing is held out, and what is usual is learned
        from sequences that the network knows: of others more are called outliers than should be.
    validation_fraction : float, default=0.1
        Fraction of whole sequences that are held out; with groups it is one group at least.
    patience : int, default=20
        Epochs to wait for a lower loss.
    callbacks : keras.callbacks.Callback, class, factory or list of these, default=None
        Keras callbacks.
    jit_compile : bool or "auto", default="auto"
        Whether XLA compiles the training program.
    warm_start : bool, default=False
        Whether another `fit` continues from the weights and the scaling of the one before. What is
        usual is learned afresh from its sequences.
    contamination : "auto" or float, default="auto"
        What sets the threshold. "auto": the sequences that training held out, by `quantile`. A
        float in (0, 0.5]: that part of the training sequences are outliers; others are more often
        so, as training sequences come back better.
    quantile : float, default=0.99
        With `contamination="auto"` the part of normal sequences that are to be called so. With
        ``1 / (1 - quantile) - 1`` held-out sequences or more it is a quantile of their scores; with
        fewer their scores are taken for the probabilities that they estimate. With groups it is
        the number of held-out groups that has to be so large.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, held-out sequences and order of batches.
    verbose : int, default=0
        1 shows a progress bar, 0 prints nothing.

    Attributes
    ----------
    offset_ : float
        The threshold: ``decision_function(X) = score_samples(X) - offset_``.
    held_out_ : ndarray of shape (n_held_out,), dtype int64
        Indices of the training sequences that the network was not trained on.
    model_ : keras.Model
        The autoencoder.
    encoder_, decoder_ : keras.Model
        Its submodels.
    history_ : dict of str to list of float
        Losses and metrics per epoch; NaN where nothing was measured.
    n_epochs_ : int
        Number of epochs run.
    best_epoch_ : int
        Index in `history_` of the epoch whose weights were kept.
    scaler_ : SequenceScaler
        The fitted scaling of the channels of numbers; None where there are none.
    categories_ : list of (ndarray or None)
        The symbols of each channel, the infrequent ones last; None for numbers.
    infrequent_categories_ : list of (ndarray or None)
        Those that are one by `min_frequency`; None where there are none.
    n_channels_in_ : int
        Number of channels.
    n_features_in_ : int
        Columns of a 2-D input, else number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if `X` was a DataFrame with string names.

    See Also
    --------
    LSTMAutoencoderTransformer : Codes of sequences, for detectors and classifiers of your own.

    Examples
    --------
    >>> from sklearn_seqae import LSTMAutoencoderDetector
    >>> from sklearn_seqae.datasets import make_ragged_sines
    >>> X, _ = make_ragged_sines(60, random_state=0)
    >>> detector = LSTMAutoencoderDetector(units=16, epochs=20, random_state=0).fit(X)
    >>> x = X[0].copy()
    >>> x[7, 1] += 4  # a spike
    >>> detector.predict([X[0], x])
    array([ 1, -1])
    >>> most = detector.explain([x]).iloc[0]
    >>> most["part"], int(most["step"]), int(most["channel"])
    ('values', 7, 1)
    """

    held_out_: NDArray[np.int64]
    _compares_sequences = True
    _parameter_constraints = PARAMETER_CONSTRAINTS
    _fitted_types = FITTED | {
        "offset_": Real,
        "held_out_": np.ndarray,
        "_reference": ReferenceDistribution,
    }

    def __init__(
        self,
        n_components: int = 256,
        *,
        units: int | tuple[int, ...] = 64,
        cell: str = "lstm",
        bidirectional: bool = True,
        pooling: str = "mean_max",
        multiscale: bool = True,
        decoder: Any = "repeat",
        encoder: Any = None,
        patch_size: int | str = "auto",
        scaler: Any = "standard",
        categorical_features: Any = "from_dtype",
        handle_unknown: str = "error",
        min_frequency: float | None = None,
        loss: Any = "mse",
        metrics: Any = None,
        optimizer: Any = "adam",
        learning_rate: float = 0.003,
        epochs: int = 100,
        batch_size: int = 16,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        patience: int = 20,
        callbacks: Any = None,
        jit_compile: bool | str = "auto",
        warm_start: bool = False,
        contamination: float | str = "auto",
        quantile: float = 0.99,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.units = units
        self.cell = cell
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.multiscale = multiscale
        self.decoder = decoder
        self.encoder = encoder
        self.patch_size = patch_size
        self.scaler = scaler
        self.categorical_features = categorical_features
        self.handle_unknown = handle_unknown
        self.min_frequency = min_frequency
        self.loss = loss
        self.metrics = metrics
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.callbacks = callbacks
        self.jit_compile = jit_compile
        self.warm_start = warm_start
        self.contamination = contamination
        self.quantile = quantile
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Learn what is usual of sequences, and where it ends.

        The autoencoder is trained first; then its errors on the sequences that were held out, and
        the distances between all, say what is usual.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `LSTMAutoencoderTransformer.fit`; normal ones, but for a few.
        y : None
            Ignored.
        groups : array-like of shape (n_sequences,), default=None
            What each sequence belongs to, as any hashable labels: the subject, the machine, or the
            block of time that a window was cut from; two groups or more. What is usual of a new
            sequence is then learned from whole groups that are held out, and from distances to
            sequences of other groups. None: each belongs to itself.

        Returns
        -------
        LSTMAutoencoderDetector
            The fitted estimator. After an error it is as it was before.

        Warns
        -----
        NothingLearnedWarning
            If the reconstruction is no better than the mean of the training data.
        ConvergenceWarning
            If all epochs were run and the last of them still taught much.
        OverlapWarning
            If the sequences look like overlapping windows, and there are no groups.

        See Also
        --------
        fit_predict : Fit, and say which of the training sequences are outliers.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderDetector
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]] * 8
        >>> detector = LSTMAutoencoderDetector(units=8, epochs=2, random_state=0).fit(X)
        >>> detector.held_out_.shape
        (2,)
        """
        with self._unchanged_on_error():
            result = self._fit(X, self.warm_start and hasattr(self, "_fitted_model"), groups)
            warn_of_skill(result)
            self._calibrate(self._read(X), result.held_out, groups)
        return self

    def _calibrate(
        self, sequences: Sequences, held_out: NDArray[np.int64], groups: Any = None
    ) -> None:
        """Estimate the reference distribution, and set the threshold."""
        numbers = check_groups(groups, len(sequences), least=2)
        features, errors, _ = self._examine(sequences)
        self.held_out_ = held_out
        self._reference, scores = ReferenceDistribution.fit(
            sequences, errors, features, held_out, self._seed, numbers
        )
        if self.contamination == "auto":
            self.offset_ = threshold(
                combine(scores)[held_out], self.quantile, n_independent(held_out, numbers)
            )
        else:  # from the scores that `predict` computes for these sequences
            ranked = self._ranked(sequences, errors)
            scores = self._reference.anomaly_scores(sequences, ranked, features)
            self.offset_ = float(np.quantile(combine(scores), float(self.contamination)))
