"""The method by which an estimator writes its encoder to an ONNX file."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_seqae._utils.atomic_write import replacing
from sklearn_seqae.onnx.export import encoder_model
from sklearn_seqae.onnx.inputs import arithmetic_of, input_dtype

from .base import SequenceAutoencoder


class ExportableAutoencoder(SequenceAutoencoder):
    """Writes its encoder to a file whose use needs none of this package."""

    def export_onnx(self, path: Any) -> None:
        """Write the encoder to a file that ONNX runtimes read: it gives the codes of `transform`.

        Scaling, masking by lengths, patches, symbols, missing values and filters are inside, so the
        file takes raw sequences. To write it takes the package onnx (``pip install
        "sklearn-seqae[onnx]"``) and no TensorFlow; to run it, an ONNX runtime alone. Operators are
        those of opset 17, which onnxruntime has had since version 1.12.

        The model has two inputs and one output, of any number of sequences and steps:

        - "sequences": float32 (n_sequences, n_steps, n_channels), or float64 where float32 would
          not hold what the training data vary by, as with time stamps: where it would change
          values by more than 1e-5 of the scale of their channel. What stands behind a sequence's
          length may be anything; NaN before it is a missing value. A symbol is given by its index
          in `categories_`, or NaN;
        - "lengths": int64 (n_sequences,). Where rows are padded with NaN, `n_steps` for all will
          do;
        - "codes": float32 (n_sequences, n_components). NaN where `transform` would refuse the
          sequence (infinite values, an index that no symbol has unless
          ``handle_unknown="unknown"``), or its length is not within 0 and `n_steps`.

        Its metadata are "sklearn_seqae_version", "n_components" and "channels": a JSON list with
        the "name" and "categories" of each channel, null where there are none.

        Parameters
        ----------
        path : str or path-like
            The file to write. It is replaced at once when all is written, never left half-written.

        Raises
        ------
        ImportError
            If onnx is not installed.
        ValueError
            If the encoder is your own, or the scaler is none of StandardScaler, MinMaxScaler,
            RobustScaler, MaxAbsScaler and Pipelines of these. Nothing is written then.
        FileNotFoundError
            If there is no folder for the file.

        See Also
        --------
        save : All of a fitted estimator, for this package to load.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import onnxruntime
        >>> from sklearn_seqae import LSTMAutoencoderTransformer
        >>> X = [[[0.1, 2.0], [0.3, 1.5]], [[0.2, 1.0]]]
        >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "encoder.onnx")
        ...     ae.export_onnx(path)
        ...     session = onnxruntime.InferenceSession(path)
        >>> sequences = np.array([X[0], X[1] + [[0.0, 0.0]]], dtype=np.float32)
        >>> inputs = {"sequences": sequences, "lengths": np.array([2, 1])}
        >>> codes = session.run(["codes"], inputs)[0]
        >>> bool(np.allclose(codes, ae.transform(X), atol=1e-4))
        True
        """
        check_is_fitted(self)
        architecture, scaler = self._fitted_model.architecture, self._fitted_model.scaler
        if architecture.encoder is not None:
            raise ValueError(
                "export_onnx expects the built-in encoder, got a fit with encoder="
                f"{self.encoder!r}: export encoder_, which reads scaled values (see scaler_), by "
                "Keras' own encoder_.export(path)."
            )
        if scaler.scaler_ is not None and scaler.scaler_.scaler_ is not None:
            arithmetic_of(scaler.scaler_.scaler_)
        names = self._form.channel_names
        with replacing(path) as file:
            dtype = input_dtype(scaler, self._fitted_model.mean, self._fitted_model.variance)
            model = encoder_model(
                architecture, self._fitted_model.weights, scaler, names, dtype, self.handle_unknown
            )
            file.write(model.SerializeToString())
