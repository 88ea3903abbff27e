"""Export of the encoder to ONNX."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_seqae._utils.atomic_write import replacing
from sklearn_seqae.onnx.export import encoder_model
from sklearn_seqae.onnx.inputs import arithmetic_of, input_dtype

from .base import SequenceAutoencoder


class ExportableAutoencoder(SequenceAutoencoder):
    """Base of autoencoders whose encoder can be exported to ONNX."""

    def export_onnx(self, path: Any) -> None:
        """Export the encoder to an ONNX file, which computes the codes of `transform`.

        The graph contains scaling, masking, encoding of categories, handling of missing values and
        pooled features, so its inputs are raw sequences. Export requires the package onnx (``pip
        install "sklearn-seqae[onnx]"``) but not TensorFlow; inference requires only an ONNX
        runtime, such as onnxruntime 1.12 or later (opset 17).

        The model has two inputs and one output, with any number of sequences and steps:

        - "sequences": float32 array (n_sequences, n_steps, n_channels); float64 if float32 would
          change the training values by more than 1e-5 of the scale of their channel, as for time
          stamps. Values beyond the length of a sequence are ignored; NaN before it is a missing
          value. A category is given by its index in `categories_`, or NaN;
        - "lengths": int64 array (n_sequences,), the numbers of steps, including those at the end
          whose values are missing;
        - "codes": float32 array (n_sequences, n_components). A code is NaN if `transform` would
          raise an error for the sequence (infinite values, or an invalid index of a category unless
          ``handle_unknown="unknown"``), or if its length is not between 0 and `n_steps`.

        The metadata of the model are "sklearn_seqae_version", "n_components" and "channels", a JSON
        list with the "name" and "categories" of each channel, which are null if there are none.

        Parameters
        ----------
        path : str or path-like
            The file to write. An existing file is replaced once the new one is complete.

        Raises
        ------
        ImportError
            If onnx is not installed.
        ValueError
            If the encoder is a custom one, or the scaler is other than StandardScaler,
            MinMaxScaler, RobustScaler, MaxAbsScaler or a Pipeline of these. No file is written.
        FileNotFoundError
            If the folder does not exist.

        See Also
        --------
        save : Save the whole estimator, to load it with this package.

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
            fitted = self._fitted_model
            dtype = input_dtype(scaler, fitted.mean, fitted.variance)
            weights = fitted.network.weights
            model = encoder_model(architecture, weights, scaler, names, dtype, self.handle_unknown)
            file.write(model.SerializeToString())
