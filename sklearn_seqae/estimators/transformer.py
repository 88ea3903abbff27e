"""The transformer: sequences to codes and back, as scikit-learn and its users expect it."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from .fit_warnings import warn_of_skill
from .generation import GenerativeAutoencoder
from .onnx_export import ExportableAutoencoder
from .validation import PARAMETER_CONSTRAINTS


class LSTMAutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, GenerativeAutoencoder, ExportableAutoencoder
):
    """Sequences of any length to fixed-size vectors and back, by a recurrent autoencoder.

    An encoder reads a sequence into a vector of `n_components` numbers, its code; a decoder writes
    the sequence from the code. Both are trained together to give back what came in. Padding,
    scaling and masking happen inside: padding is never data, and zero is never padding.

    Read more in the guide. The method is that of Srivastava et al. [1]_, with the encoder's states
    pooled over the real steps.

    Parameters
    ----------
    n_components : int, default=256
        Size of the code.
    units : int or tuple of int, default=64
        Recurrent units; a tuple has one entry per stacked layer of the encoder, which the decoder
        mirrors.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of the recurrent layers.
    bidirectional : bool, default=True
        Whether the encoder reads each sequence in both directions.
    pooling : {"last", "mean", "max", "mean_max"}, default="mean_max"
        How the encoder's states, one a step, become one vector: the last one, their mean, their
        maximum, or mean and maximum side by side. A linear map of it is the code.
    multiscale : bool, default=True
        Whether most of the code says what a bank of fixed filters finds in the sequence on all time
        scales, as in MiniRocket [2]_. A quarter, at least 32 components, is trained, and is what
        the decoder reads. Not with an `encoder` or `decoder` of your own.
    decoder : {"repeat", "reshape", "dense", "autoregressive"} or callable, default="repeat"
        How a sequence is written from its code.

        - "repeat": recurrent layers that see the whole code at every step.
        - "reshape": recurrent layers that see one piece of the code, cut into as many as there are
          steps, at every step.
        - "dense": no recurrence; dense layers write all steps at once.
        - "autoregressive": recurrent layers that see the code and the step they wrote before (in
          training the true one).
        - a callable ``decoder(n_steps=, n_channels=, n_components=)`` that returns a
          ``keras.Model`` from (n_components,) to (n_steps, n_channels).
    encoder : callable, default=None
        ``encoder(n_steps=, n_channels=, n_components=)`` that returns a ``keras.Model`` from
        (n_steps, n_channels) to (n_components,), in place of the built-in one. It sees padding and
        missing values as zeros, with a Keras mask over the padding. Input of shape (None,
        n_channels) spares padding every batch to the longest sequence. A sequence of no observed
        value is one step of zeros.
    patch_size : int or "auto", default="auto"
        Steps that are folded into one recurrent step: 1 is the classic model, p makes long
        sequences cost a p-th of the recurrent steps. "auto" folds them to about 40.
    scaler : {"standard", "minmax", "robust", "per_sequence"}, scikit-learn scaler or None, \
            default="standard"
        How values are scaled, per channel and on real steps only. "per_sequence" standardises each
        sequence by itself and carries its mean and scale in the code's last 2 * n_channels
        components. Symbols are not scaled.
    categorical_features : "from_dtype", array-like of int, str or bool, or None, \
            default="from_dtype"
        The channels that hold symbols, which are one-hot inside and come back as they were; None
        and NaN are missing. "from_dtype": text and pandas' categories are symbols, integers are
        not. Or their indices, the names of their columns, or a mask. None: all hold numbers. Models
        of your own read and write the numbers first, then one value a symbol.
    handle_unknown : {"error", "unknown"}, default="error"
        A symbol that fit did not see is refused, or is zeros in its one-hot values; its error is
        that of a symbol of probability 0, the largest there is. `partial_fit` skips it.
    min_frequency : int or float, default=None
        Symbols of fewer steps, or of a smaller part of them, are one, as in scikit-learn's
        `OneHotEncoder`; it comes back as the most frequent of them.
    loss : str, callable or keras.losses.Loss, default="mse"
        "mse", "mae", "huber", "binary_crossentropy", "categorical_crossentropy" or any Keras loss.
        Its mean is over real values (with a loss across channels, over complete steps). The
        cross-entropies decode probabilities, and need (scaled) values in [0, 1]. A symbol counts as
        one more real value, and its loss is the categorical cross-entropy. Give arguments as in
        ``functools.partial(keras.losses.huber, delta=5.0)``: Keras does not copy all of those of
        ``keras.losses.Huber(delta=5.0)``, so clones would lack them.
    metrics : str, callable, keras.metrics.Metric or list of these, default=None
        Keras metrics for `history_`, over real values too. With symbols, those across channels, as
        "accuracy", look at symbols, others at numbers.
    optimizer : str, keras.optimizers.Optimizer, class or factory, default="adam"
        A name or a class: gradients are clipped to norm 1, and the learning rate falls along a
        cosine to zero over `epochs`. An instance, or a function that returns one: used as it is,
        with its own learning rate; it is copied, not changed.
    learning_rate : float, default=0.003
        Initial learning rate of an optimizer given by name or class.
    epochs : int, default=100
        Upper bound on the passes over the data.
    batch_size : int, default=16
        Sequences per gradient step.
    early_stopping : bool, default=True
        Whether to hold out `validation_fraction` of the sequences, stop when their loss has not
        fallen for `patience` epochs, and return to the weights with the lowest one. With too few
        sequences, or one group, to hold one out, the training loss is watched.
    validation_fraction : float, default=0.1
        Fraction of whole sequences that are held out; used with `early_stopping` only. With groups
        it is one group at least, and about that fraction of the sequences.
    patience : int, default=20
        Epochs to wait for a lower loss.
    callbacks : keras.callbacks.Callback, class, factory or list of these, default=None
        Keras callbacks. Every fit makes fresh ones: a class or factory is called without arguments,
        an instance is copied. Their `model` is what is trained: `model_` without its filters.
    jit_compile : bool or "auto", default="auto"
        Whether XLA compiles the training program; "auto" does so where that repays its time. With
        KERAS_BACKEND=jax everything is compiled, with KERAS_BACKEND=torch nothing.
    warm_start : bool, default=False
        Whether another `fit` continues from the weights and the scaling of the one before.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, held-out sequences and order of batches. No global generator is
        used or changed; None draws fresh entropy.
    verbose : int, default=0
        1 shows a progress bar, 0 prints nothing.

    Attributes
    ----------
    model_ : keras.Model
        The autoencoder, with submodels named "encoder" and "decoder" (and "length" where the number
        of steps is decoded). It works on scaled values, with NaN for padding and missing values.
    encoder_, decoder_ : keras.Model
        The submodels: (n, n_steps, n_channels) to (n, n_components), and back to as many steps as
        the longest training sequence has.
    history_ : dict of str to list of float
        Per epoch: "loss", "val_loss" (if sequences were held out), "length_loss" (if lengths are
        decoded) and the metrics. What models of your own add to the loss (regularizers,
        ``add_loss``) is in "loss", as in Keras, and once more in "added_loss". All lists have
        `n_epochs_` entries, NaN where nothing was measured.
    n_epochs_ : int
        Number of epochs run.
    best_epoch_ : int
        Index in `history_` of the epoch whose weights were kept.
    scaler_ : SequenceScaler
        The fitted scaling of the channels of numbers; None where there are none.
    categories_ : list of (ndarray or None)
        The symbols of each channel, the infrequent ones last; None for numbers.
    infrequent_categories_ : list of (ndarray or None)
        Those that are one by `min_frequency`, the most frequent first; None where there are none.
    n_channels_in_ : int
        Number of channels.
    n_features_in_ : int
        Columns of a 2-D array or table, else number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if `X` was a DataFrame with string names.

    See Also
    --------
    SequenceScaler : The scaling by itself.

    References
    ----------
    .. [1] N. Srivastava, E. Mansimov, R. Salakhutdinov, "Unsupervised Learning of Video
       Representations using LSTMs", ICML 2015, https://arxiv.org/abs/1502.04681
    .. [2] A. Dempster, D. F. Schmidt, G. I. Webb, "MiniRocket", KDD 2021,
       https://arxiv.org/abs/2012.08791

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_seqae import LSTMAutoencoderTransformer
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n_steps, 2)).cumsum(axis=0) for n_steps in (5, 3, 0, 8)]
    >>> ae = LSTMAutoencoderTransformer(n_components=4, units=8, epochs=2, random_state=0)
    >>> Z = ae.fit_transform(X)
    >>> Z.shape
    (4, 4)
    >>> [x.shape for x in ae.inverse_transform(Z, lengths=[5, 3, 0, 8])]
    [(5, 2), (3, 2), (0, 2), (8, 2)]
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS

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
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Learn to give back the sequences of `X`.

        Weights, scaling and held-out sequences are those that `random_state` decides; with
        `warm_start` training goes on from the weights that are there.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences: a list of (n_steps, n_channels) arrays or DataFrames or of 1-D sequences, an
            array (n_sequences, n_steps, n_channels), an array or DataFrame (n_sequences, n_steps)
            of one-channel sequences, a long or nested DataFrame, or one of the other containers
            that `sklearn_seqae.containers` lists, of numbers or symbols. NaN marks padding at a
            row's end and missing values elsewhere.
        y : None
            Ignored.
        groups : array-like of shape (n_sequences,), default=None
            What each sequence belongs to, as any hashable labels: the subject, the machine, or the
            block of time that a window was cut from. All sequences of a group are held out, or none
            is. None: each belongs to itself.

        Returns
        -------
        LSTMAutoencoderTransformer
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
        partial_fit : One pass more, from the present weights on.
        fit_transform : Fit, and return the codes.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.n_epochs_
        2
        """
        with self._unchanged_on_error():
            continued = self.warm_start and hasattr(self, "_fitted_model")
            warn_of_skill(self._fit(X, continued, groups))
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Make one pass over `X`, from the present weights on.

        The first call also fits the scaling, which later calls keep. Nothing is held out. Lengths
        are decoded even if the first sequences all have the same.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.
        y : None
            Ignored.

        Returns
        -------
        LSTMAutoencoderTransformer
            The estimator. After an error it is as it was before.

        See Also
        --------
        fit : Many passes, with early stopping.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> ae = LSTMAutoencoderTransformer(4, units=8, random_state=0)
        >>> for part in ([[1.0, 2.0, 3.0], [2.0, 4.0]], [[0.0, 1.0, 2.0]]):
        ...     ae = ae.partial_fit(part)
        >>> ae.n_epochs_
        2
        """
        with self._unchanged_on_error():
            continued = hasattr(self, "_fitted_model")
            self._fit(X, continued, in_pieces=True, epochs=1, early_stopping=False)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the codes of sequences.

        A code depends on its sequence alone: not on its neighbours in `X`, their number or their
        order, nor on padding. Rounding differs with company and padding, by at most 1e-5 of the
        codes' scale.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`; any lengths, the channels of the training data.

        Returns
        -------
        ndarray of shape (n_sequences, n_components), dtype float32
            A code depends on its sequence alone. With ``set_output(transform="pandas")`` the index
            has the ids of the sequences, if `X` names them.

        See Also
        --------
        inverse_transform : The way back.
        reconstruct : There and back.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.transform(X).shape
        (3, 4)
        """
        sequences = self._read(X)
        return self._with_ids(self._fitted_model.encode(sequences), sequences)

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect of this estimator."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
