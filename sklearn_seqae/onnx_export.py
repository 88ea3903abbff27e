"""Exporting an encoder to a file that ONNX runtimes read: from raw sequences to codes."""

import json
import math
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .architecture import Architecture
from .base import SequenceAutoencoder
from .files import replacing
from .forward import take_encoder
from .onnx_graph import Graph
from .onnx_inputs import arithmetic_of, input_dtype, scale
from .onnx_network import encode
from .symbols import MixedScaler

if TYPE_CHECKING:
    import onnx

_DOC = (
    "The codes of sequences, as LSTMAutoencoderTransformer.transform gives them, from raw values. "
    "A sequence that transform would refuse (of an infinite value, of a number that stands for no "
    "symbol, unless unknown ones are read), or whose length is not within 0 and n_steps, has a "
    "code of NaN."
)
_SEQUENCES_DOC = (
    "Raw values, one sequence a row. What stands behind the length of a sequence may be anything; "
    "NaN before it is a missing value. A symbol is given by its index among the categories of its "
    "channel, which the metadata have under 'channels'."
)
_LENGTHS_DOC = "Number of steps of each sequence. Where rows are padded with NaN: n_steps."
_CODES_DOC = "One code a sequence. It depends on its sequence alone."


def encoder_model(
    architecture: Architecture,
    weights: list[NDArray[Any]],
    scaler: MixedScaler,
    names: tuple[Any, ...] | None = None,
    dtype: type[np.floating[Any]] = np.float32,
    handle_unknown: str = "error",
) -> "onnx.ModelProto":
    """Return the encoder, with its scaling, as an ONNX model.

    Parameters
    ----------
    architecture : Architecture
        One whose encoder is built in.
    weights : list of ndarray
        Those of the whole Keras model, in its order.
    scaler : MixedScaler
        Fitted.
    names : tuple or None
        Of the channels, for the metadata.
    dtype : type, default=np.float32
        Of the raw values, float32 or float64.
    handle_unknown : {"error", "unknown"}, default="error"
        Whether a number that stands for no symbol is refused, or read as an unknown symbol.
    """
    graph = Graph()
    scaled = scale(
        graph, "sequences", "lengths", scaler, architecture.patch_size, dtype, handle_unknown
    )
    encoder = take_encoder(architecture, iter(weights))
    parts = encode(graph, scaled, architecture, encoder)
    if scaled.statistics:
        parts.append(scaled.statistics)
    code = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)
    code = graph.op("Add", code, scaled.refusal)
    n_rows = graph.op("Slice", graph.op("Shape", "sequences"), [0], [1])
    graph.op("Slice", code, [0], n_rows, [0])
    n_components = architecture.n_components + scaler.n_statistics_
    shape: list[str | int] = ["n_sequences", "n_steps", scaler.n_channels]
    release = version("sklearn-seqae")
    return graph.model(
        "encoder",
        [
            ("sequences", dtype, shape, _SEQUENCES_DOC),
            ("lengths", np.int64, ["n_sequences"], _LENGTHS_DOC),
        ],
        ("codes", np.float32, ["n_sequences", n_components], _CODES_DOC),
        producer=("sklearn-seqae", release),
        doc=_DOC,
        metadata={
            "sklearn_seqae_version": release,
            "n_components": str(n_components),
            "channels": json.dumps(_describe_channels(scaler, names)),
        },
    )


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
        architecture, scaler = self._codec.architecture, self._codec.scaler
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
            dtype = input_dtype(scaler, self._codec.mean, self._codec.variance)
            model = encoder_model(
                architecture, self._codec.weights, scaler, names, dtype, self.handle_unknown
            )
            file.write(model.SerializeToString())


def _describe_channels(scaler: MixedScaler, names: tuple[Any, ...] | None) -> list[dict[str, Any]]:
    labels = scaler.labels or (None,) * scaler.n_channels
    return [
        {
            "name": None if names is None else str(name),
            "categories": None if found is None else _as_json(found.values.tolist()),
        }
        for name, found in zip(names or labels, labels, strict=True)
    ]


def _as_json(symbols: list[Any]) -> list[Any]:
    """Return symbols with text for what JSON does not have, null for NaN."""
    plain = [x if isinstance(x, str | int | float | None) else str(x) for x in symbols]
    return [None if isinstance(x, float) and not math.isfinite(x) else x for x in plain]
