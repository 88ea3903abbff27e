"""The transformer, which encodes sequences as vectors of fixed size and decodes them."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from sklearn_seqae.containers.numeric import is_lazy

from .fit_warnings import warn_of_skill
from .generation import GenerativeAutoencoder
from .lazy_codes import encode_lazily
from .onnx_export import ExportableAutoencoder
from .validation import PARAMETER_CONSTRAINTS


class LSTMAutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, GenerativeAutoencoder, ExportableAutoencoder
):
    """Recurrent autoencoder that maps sequences of any length to vectors of fixed size.

    The encoder maps a sequence to a latent vector of `n_components` numbers, its code; the decoder
    reconstructs the sequence from the code. Both are trained together to minimize the
    reconstruction error. Sequences are scaled, padded and masked internally: padded steps have no
    influence on codes, losses or scores, and zeros are ordinary values.

    The method is that of Srivastava et al. [1]_, with the encoder's states pooled over steps.

    Parameters
    ----------
    n_components : int, default=256
        Number of components of the code. With the defaults it consists of linear components (a
        quarter), recurrent ones (a quarter) and pooled features (half). In codes of up to 32
        components there are no pooled features, and each component is linear and recurrent at once.
    units : int or tuple of int, default=64
        Number of units of the recurrent layers; a tuple has one entry per layer of the encoder, and
        the decoder has the same layers in reverse order.
    cell : {"lstm", "gru"}, default="lstm"
        Type of the recurrent layers.
    bidirectional : bool, default=True
        Whether the encoder reads each sequence in both directions.
    pooling : {"last", "mean", "max", "mean_max"}, default="mean_max"
        How the encoder's hidden states are pooled over the steps: last state, mean, maximum, or
        mean and maximum concatenated. The code is a linear map of the result.
    multiscale : bool, default=True
        Whether codes contain pooled features of fixed convolution kernels at several dilations, as
        in MiniRocket [2]_. Beyond the first 32 components half of the code then consists of these
        features, and a quarter each of linear and recurrent components; with ``shortcut=None`` a
        quarter is recurrent, and the rest are pooled features. The decoder reads the linear and
        recurrent components only. Not used with a custom `encoder` or `decoder`.
    shortcut : {"cosine"} or None, default="cosine"
        Whether a linear autoencoder stands beside the recurrent layers. "cosine" computes, in
        closed form, principal components of the coefficients of cosines of relative time. In codes
        of up to 32 components the recurrent layers add to these components and to what is decoded
        from them; in larger codes they have components of their own, and their reconstruction
        counts, by channel, as far as it lowers the squared error of held-out sequences. None leaves
        the recurrent autoencoder alone. Not used with a custom `encoder` or `decoder`.
    decoder : {"repeat", "reshape", "dense", "autoregressive"} or callable, default="repeat"
        Architecture of the decoder.

        - "repeat": recurrent layers with the code as input of every step.
        - "reshape": recurrent layers; the code is reshaped to (n_steps, ...), and each step has its
          own slice as input.
        - "dense": dense layers that compute all steps at once, without recurrence.
        - "autoregressive": recurrent layers with the code and the previous reconstructed step as
          input (during training the true previous step).
        - a callable ``decoder(n_steps=, n_channels=, n_components=)`` that returns a
          ``keras.Model`` from (n_components,) to (n_steps, n_channels).
    encoder : callable, default=None
        A callable ``encoder(n_steps=, n_channels=, n_components=)`` that returns a ``keras.Model``
        from (n_steps, n_channels) to (n_components,), used in place of the built-in encoder. Padded
        and missing values of its input are zeros, and a Keras mask marks the padding. With an input
        of shape (None, n_channels) batches are padded to their own longest sequence only. A
        sequence without observed values is one step of zeros.
    patch_size : int or "auto", default="auto"
        Number of consecutive steps that form the input of one recurrent step. "auto" chooses it so
        that there are about 40 recurrent steps.
    horizon : int, default=0
        Number of steps after the end that `forecast` returns: the composite model of [1]_, in which
        half of the training sequences are encoded without their last `horizon` steps.
    scaler : {"standard", "minmax", "robust", "per_sequence"}, scikit-learn scaler or None, \
            default="standard"
        Scaling of numerical channels, padding excluded. "per_sequence" standardizes each sequence
        by its own mean and scale, the last 2 * n_channels components of the code.
    categorical_features : "from_dtype", array-like of int, str or bool, or None, \
            default="from_dtype"
        The categorical channels, which are one-hot encoded internally; None and NaN are missing
        values. "from_dtype" selects channels of strings and of pandas' categorical dtype, not of
        integers. An array has the indices or names of the channels, or is a boolean mask. None
        means that all channels are numerical. Custom models have the numerical channels first, then
        one value per category.
    handle_unknown : {"error", "unknown"}, default="error"
        What to do with a category that was not seen in `fit`: raise an error, or encode it as
        zeros. Its reconstruction error is then that of a category with predicted probability 0, the
        largest possible. In `partial_fit` it is a missing value.
    min_frequency : int or float, default=None
        Minimum count, or fraction, of the steps with a category. Less frequent ones are grouped, as
        in scikit-learn's `OneHotEncoder`, and reconstructed as the most frequent of them.
    loss : str, callable or keras.losses.Loss, default="mse"
        "mse", "mae", "huber", "binary_crossentropy", "categorical_crossentropy" or any Keras loss,
        averaged over observed values (a loss across channels over complete steps). With the
        cross-entropies probabilities are decoded, and scaled values must be in [0, 1]. Categorical
        channels always have the categorical cross-entropy, with the weight of one value. Pass
        arguments as in ``functools.partial(keras.losses.huber, delta=5.0)``, since Keras does not
        copy all arguments of ``keras.losses.Huber(delta=5.0)``, and clones would lack them.
    metrics : str, callable, keras.metrics.Metric or list of these, default=None
        Keras metrics for `history_`, averaged over observed values. If there are categorical
        channels, metrics across channels, such as "accuracy", are computed on these only, and
        others on numerical channels only.
    optimizer : str, keras.optimizers.Optimizer, class or factory, default="adam"
        With a name or a class, gradients are clipped to norm 1, and the learning rate decays to
        zero over `epochs` along a cosine. An instance, or that which a function returns, keeps its
        own learning rate; an instance is copied.
    learning_rate : float, default=0.003
        Initial learning rate; used only if `optimizer` is a name or class.
    epochs : int, default=50
        Maximum number of passes over the training data.
    batch_size : int, default=16
        Number of sequences per gradient step.
    early_stopping : bool, default=True
        Whether to hold out `validation_fraction` of the sequences, stop when their loss has not
        decreased for `patience` epochs, and restore the weights with the lowest loss. (Where the
        recurrent layers add to a linear path, a tenth of "length_loss" is added to it.) With too
        few sequences or groups to hold any out, the training loss is monitored instead.
    validation_fraction : float, default=0.1
        Fraction of sequences to hold out; used only if `early_stopping` is True. With groups whole
        groups are held out, at least one, with about that fraction of the sequences.
    patience : int, default=15
        Number of epochs without a lower loss after which training stops.
    callbacks : keras.callbacks.Callback, class, factory or list of these, default=None
        Keras callbacks. Each fit uses new ones: a class or factory is called without arguments, an
        instance is copied. Their `model` is the trained network: `model_` without the pooled
        features.
    jit_compile : bool or "auto", default="auto"
        Whether XLA compiles the training program; "auto" compiles it if that is estimated to save
        time. With KERAS_BACKEND=jax it is always compiled, with KERAS_BACKEND=torch never.
    checkpoint : str or PathLike, default=None
        Folder for the state of `fit` after each epoch. If a fit is interrupted, or its process is
        killed, the same call goes on from there, and gives the same weights; other data or
        parameters raise an error. States of `callbacks` are not kept.
    warm_start : bool, default=False
        Whether `fit` continues from the weights and the scaling of the previous call.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, held-out sequences and the order of batches. Pass an int for
        reproducible results. No global random generator is used.
    verbose : int, default=0
        Verbosity: 1 shows a progress bar, 0 prints nothing.

    Attributes
    ----------
    model_ : keras.Model
        The autoencoder of scaled values, NaN if missing or padding, with submodels "encoder" and
        "decoder" (and "length" if lengths are decoded).
    encoder_, decoder_ : keras.Model
        The submodels, from (n, n_steps, n_channels) to (n, n_components), and from (n,
        n_components) to (n, n_steps, n_channels) with the length of the longest training sequence.
    history_ : dict of str to list of float
        `n_epochs_` values each, NaN if not computed, of "loss", "val_loss" (if sequences were held
        out), "length_loss" (if lengths are decoded) and the metrics. "loss" includes losses that
        custom models add (regularizers, ``add_loss``), which are also listed as "added_loss".
    n_epochs_ : int
        Number of epochs run.
    best_epoch_ : int
        Index in `history_` of the epoch whose weights are used.
    scaler_ : SequenceScaler
        The fitted scaler of the numerical channels; None if there are none.
    categories_ : list of (ndarray or None)
        The categories of each channel, infrequent ones last; None for numerical channels.
    infrequent_categories_ : list of (ndarray or None)
        The categories of each channel that are grouped by `min_frequency`, the most frequent first;
        None if there are none.
    n_channels_in_ : int
        Number of channels.
    n_features_in_ : int
        Number of columns if `X` was a 2-D array or table, otherwise number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Defined only if `X` was a DataFrame with string names.

    See Also
    --------
    LSTMAutoencoderDetector : Outlier detection with the same autoencoder.
    SequenceScaler : Scaling of sequences.

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
        shortcut: str | None = "cosine",
        decoder: Any = "repeat",
        encoder: Any = None,
        patch_size: int | str = "auto",
        horizon: int = 0,
        scaler: Any = "standard",
        categorical_features: Any = "from_dtype",
        handle_unknown: str = "error",
        min_frequency: float | None = None,
        loss: Any = "mse",
        metrics: Any = None,
        optimizer: Any = "adam",
        learning_rate: float = 0.003,
        epochs: int = 50,
        batch_size: int = 16,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        patience: int = 15,
        callbacks: Any = None,
        jit_compile: bool | str = "auto",
        checkpoint: Any = None,
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
        self.shortcut = shortcut
        self.decoder = decoder
        self.encoder = encoder
        self.patch_size = patch_size
        self.horizon = horizon
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
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Fit the autoencoder to sequences.

        With ``warm_start=True`` training continues from the present weights.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Training sequences: a list of (n_steps, n_channels) arrays or DataFrames or of 1-D
            sequences, an array (n_sequences, n_steps, n_channels), an array or DataFrame
            (n_sequences, n_steps) of one-channel sequences, a long or nested DataFrame, or another
            container listed in `sklearn_seqae.containers`, with numbers or categories. NaN marks
            padding at the end of a row, and missing values elsewhere. Or `ParquetSequences`.
        y : None
            Ignored.
        groups : array-like of shape (n_sequences,), default=None
            Group labels of the sequences, of any hashable type: for example the subject, the
            machine, or the block of time that a window was cut from. Sequences of a group are
            either all held out or all used for training. None means that each is its own group.

        Returns
        -------
        LSTMAutoencoderTransformer
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
        partial_fit : One pass over the data, starting from the present weights.
        fit_transform : Fit, and return the codes of the sequences.

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
        """Fit the autoencoder incrementally, by one pass over the sequences.

        The first call also fits the scaling, linear path and pooled features, which later calls do
        not change. No sequences are held out. Lengths are decoded even if all sequences of the
        first call have the same length.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`.
        y : None
            Ignored.

        Returns
        -------
        LSTMAutoencoderTransformer
            The fitted estimator. If an error is raised, it remains unchanged.

        See Also
        --------
        fit : Several passes, with early stopping.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> ae = LSTMAutoencoderTransformer(4, units=8, random_state=0)
        >>> for batch in ([[1.0, 2.0, 3.0], [2.0, 4.0]], [[0.0, 1.0, 2.0]]):
        ...     ae = ae.partial_fit(batch)
        >>> ae.n_epochs_
        2
        """
        with self._unchanged_on_error():
            continued = hasattr(self, "_fitted_model")
            self._fit(X, continued, in_pieces=True, epochs=1, early_stopping=False)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the codes of sequences.

        A code depends on its own sequence only, not on others in `X`, their order, or padding.
        Rounding may differ by at most 1e-5 of the scale of the codes.

        Parameters
        ----------
        X : list, ndarray, DataFrame or other container
            Sequences, as in `fit`, with the channels of the training data; lengths may differ. Or a
            DataFrame of Dask with one sequence per row, or a Bag of sequences.

        Returns
        -------
        ndarray of shape (n_sequences, n_components), dtype float32
            The codes. With ``set_output(transform="pandas")`` the index of the DataFrame has the
            ids of the sequences, if `X` has any. Of Dask's collections a lazy DataFrame or Array.

        See Also
        --------
        inverse_transform : Decode sequences from codes.
        reconstruct : Encode and decode sequences.

        Examples
        --------
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> ae.transform(X).shape
        (3, 4)
        """
        return encode_lazily(self, X) if is_lazy(X) else self._encode_parts(X)

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
