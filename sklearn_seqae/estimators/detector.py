"""The outlier detector: its parameters, reference distribution and threshold."""

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
    """Outlier detection in sequences with a recurrent autoencoder.

    A sequence is abnormal if its reconstruction error is large, if its pooled features are far from
    those of every training sequence, or if it is longer or shorter than all of these. Each of the
    three deviations gives a p-value, the probability that a normal sequence deviates as much. The
    score of a sequence is the logarithm of the combined p-values. `explain` attributes it to steps
    and channels, to shape and to length.

    The reference distribution of errors and the threshold are estimated from sequences that are
    held out from training, as errors of training sequences are smaller than those of new ones.

    Read more in the User Guide.

    Parameters
    ----------
    n_components : int, default=256
        Number of components of the code. This and the other parameters of the autoencoder are
        described in more detail in `LSTMAutoencoderTransformer`.
    units : int or tuple of int, default=64
        Number of units of the recurrent layers; a tuple has one entry per layer.
    cell : {"lstm", "gru"}, default="lstm"
        Type of the recurrent layers.
    bidirectional : bool, default=True
        Whether the encoder reads each sequence in both directions.
    pooling : {"last", "mean", "max", "mean_max"}, default="mean_max"
        How the encoder's hidden states are pooled over the steps.
    multiscale : bool, default=True
        Whether pooled features of fixed convolution kernels are computed too. Without them (also
        with fewer than 33 components, or custom models) shapes are compared by their codes, which
        is less accurate.
    shortcut : {"cosine"} or None, default=None
        With "cosine" a linear autoencoder, computed in closed form, stands beside the recurrent
        layers. It learns from few sequences, but reconstructs many outliers as well as normal
        sequences, above all those that are among the training data.
    decoder : {"repeat", "reshape", "dense", "autoregressive"} or callable, default="repeat"
        Architecture of the decoder.
    encoder : callable, default=None
        A callable that returns a custom encoder.
    patch_size : int or "auto", default="auto"
        Number of consecutive steps that form the input of one recurrent step.
    scaler : {"standard", "minmax", "robust", "per_sequence"}, scikit-learn scaler or None, \
            default="standard"
        Scaling of the values of each channel. With "per_sequence" the level and scale of a sequence
        have no influence on its score.
    categorical_features : "from_dtype", array-like of int, str or bool, or None, \
            default="from_dtype"
        The categorical channels.
    handle_unknown : {"error", "unknown"}, default="error"
        What to do with a category that was not seen in `fit`: raise an error, or treat its sequence
        as an outlier.
    min_frequency : int or float, default=None
        Minimum count, or fraction, of the steps with a category; less frequent ones are grouped.
    loss : str, callable or keras.losses.Loss, default="mse"
        The loss to minimize.
    metrics : str, callable, keras.metrics.Metric or list of these, default=None
        Keras metrics for `history_`.
    optimizer : str, keras.optimizers.Optimizer, class or factory, default="adam"
        Name, class, function that returns an optimizer, or an instance, which is copied.
    learning_rate : float, default=0.003
        Initial learning rate; used only if `optimizer` is a name or class.
    epochs : int, default=100
        Maximum number of passes over the training data.
    batch_size : int, default=16
        Number of sequences per gradient step.
    early_stopping : bool, default=True
        Whether to hold out `validation_fraction` of the sequences, and stop by their loss. If
        False, or with fewer than 10 sequences, the reference distribution is estimated from
        sequences that the network was trained on, and too many new ones are predicted as outliers.
    validation_fraction : float, default=0.1
        Fraction of sequences to hold out; with groups whole groups, at least one.
    patience : int, default=20
        Number of epochs without a lower loss after which training stops.
    callbacks : keras.callbacks.Callback, class, factory or list of these, default=None
        Keras callbacks.
    jit_compile : bool or "auto", default="auto"
        Whether XLA compiles the training program.
    checkpoint : str or PathLike, default=None
        Folder for the state of `fit` after each epoch. If a fit is interrupted, or its process is
        killed, the same call goes on from there, and gives the same weights; other data or
        parameters raise an error. States of `callbacks` are not kept.
    warm_start : bool, default=False
        Whether `fit` continues from the weights and the scaling of the previous call. The reference
        distribution is always estimated anew.
    contamination : "auto" or float, default="auto"
        How the threshold is set: with "auto" from the held-out sequences, by `quantile`. A float in
        (0, 0.5] is the fraction of training sequences that are predicted as outliers; the fraction
        of new sequences is larger, as their errors are.
    quantile : float, default=0.99
        Fraction of normal sequences to predict as inliers, with ``contamination="auto"``. The
        threshold is a quantile of the held-out scores if there are at least ``1 / (1 - quantile) -
        1`` held-out sequences (with groups, held-out groups); with fewer, scores are interpreted as
        logarithms of p-values.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, held-out sequences and the order of batches. Pass an int for
        reproducible results.
    verbose : int, default=0
        Verbosity: 1 shows a progress bar, 0 prints nothing.

    Attributes
    ----------
    offset_ : float
        The threshold of the scores: ``decision_function(X) = score_samples(X) - offset_``.
    held_out_ : ndarray of shape (n_held_out,), dtype int64
        Indices of the training sequences that the network was not trained on.
    model_ : keras.Model
        The autoencoder.
    encoder_, decoder_ : keras.Model
        Its submodels.
    history_ : dict of str to list of float
        Losses and metrics per epoch; NaN if a value was not computed.
    n_epochs_ : int
        Number of epochs run.
    best_epoch_ : int
        Index in `history_` of the epoch whose weights are used.
    scaler_ : SequenceScaler
        The fitted scaler of the numerical channels; None if there are none.
    categories_ : list of (ndarray or None)
        The categories of each channel, infrequent ones last; None for numerical channels.
    infrequent_categories_ : list of (ndarray or None)
        The categories of each channel that are grouped by `min_frequency`; None if there are none.
    n_channels_in_ : int
        Number of channels.
    n_features_in_ : int
        Number of columns if `X` was a 2-D array or table, otherwise number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Defined only if `X` was a DataFrame with string names.

    See Also
    --------
    LSTMAutoencoderTransformer : Codes of sequences, for other detectors and for classifiers.

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
        shortcut: str | None = None,
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
        checkpoint: Any = None,
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
        self.shortcut = shortcut
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
        self.checkpoint = checkpoint
        self.warm_start = warm_start
        self.contamination = contamination
        self.quantile = quantile
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Fit the detector to sequences.

        The autoencoder is fitted first. Then the reference distribution is estimated from the
        errors of held-out sequences, and from distances between all training sequences.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Training sequences, as in `LSTMAutoencoderTransformer.fit`, of which few are outliers.
            Of `ParquetSequences`, and of other data that are read part by part, the reference
            distribution is that of the sample that is in memory.
        y : None
            Ignored.
        groups : array-like of shape (n_sequences,), default=None
            Group labels of the sequences, of any hashable type: for example the subject, the
            machine, or the block of time that a window was cut from; at least two groups. Whole
            groups are held out, and distances are computed to sequences of other groups only, so
            that scores are calibrated for sequences of new groups. None means that each sequence is
            its own group.

        Returns
        -------
        LSTMAutoencoderDetector
            The fitted estimator. If an error is raised, it remains unchanged.

        Warns
        -----
        NothingLearnedWarning
            If the reconstruction is no better than the mean of the training data.
        ConvergenceWarning
            If the maximum number of epochs was reached while the loss still decreased.
        OverlapWarning
            If the sequences seem to be overlapping windows, and `groups` is None.

        See Also
        --------
        fit_predict : Fit, and predict which of the training sequences are outliers.

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
            streamed = result.streamed
            if streamed is None:
                self._calibrate(self._read(X), result.held_out, groups)
            else:
                self._calibrate(self._read(streamed.sample), result.held_out, streamed.groups, X)
                self.held_out_ = np.sort(streamed.positions[result.held_out])
        return self

    def _calibrate(
        self,
        sequences: Sequences,
        held_out: NDArray[np.int64],
        groups: Any = None,
        X: Any = None,
    ) -> None:
        """Estimate the reference distribution, and set the threshold.

        If `sequences` are a sample, `X` are all.
        """
        numbers = check_groups(groups, sequences, least=2)
        features, errors, _ = self._examine(sequences)
        self.held_out_ = held_out
        self._reference, scores = ReferenceDistribution.fit(
            sequences, errors, features, held_out, self._seed, numbers
        )
        if self.contamination == "auto":
            self.offset_ = threshold(
                combine(scores)[held_out], self.quantile, n_independent(held_out, numbers)
            )
        elif X is not None:
            self.offset_ = float(np.quantile(self.score_samples(X), float(self.contamination)))
        else:  # from the scores that `predict` computes for these sequences
            ranked = self._ranked(sequences, errors)
            scores = self._reference.anomaly_scores(sequences, ranked, features)
            self.offset_ = float(np.quantile(combine(scores), float(self.contamination)))
