"""Export of an encoder as an ONNX model: from raw sequences to codes."""

import json
import math
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.layer_specs import Weights
from sklearn_seqae.preprocessing.categories import MixedScaler

from .graph import Graph, load_onnx
from .inputs import scale
from .network import encode

if TYPE_CHECKING:
    import onnx

_DOC = (
    "The codes of sequences, as LSTMAutoencoderTransformer.transform gives them, from raw values. "
    "A sequence that transform would refuse (of an infinite value, of a number that stands for no "
    "category, unless unknown ones are read), or whose length is not within 0 and n_steps, has a "
    "code of NaN."
)
_SEQUENCES_DOC = (
    "Raw values, one sequence a row. What stands behind the length of a sequence may be anything; "
    "NaN before it is a missing value. A category is given by its index among those of its "
    "channel, which the metadata have under 'channels'."
)
_LENGTHS_DOC = "Number of steps of each sequence, with missing ones at its end."
_CODES_DOC = "One code a sequence. It depends on its sequence alone."


def encoder_model(
    architecture: Architecture,
    weights: Weights,
    scaler: MixedScaler,
    names: tuple[Any, ...] | None = None,
    dtype: type[np.floating[Any]] = np.float32,
    handle_unknown: str = "error",
) -> "onnx.ModelProto":
    """Return the encoder, with its scaling, as a checked ONNX model.

    Parameters
    ----------
    architecture : Architecture
        One whose encoder is built in.
    weights : dict of str to ndarray
        By the names of `layer_specs.weight_specs`.
    scaler : MixedScaler
        Fitted.
    names : tuple or None
        Of the channels, for the metadata.
    dtype : type, default=np.float32
        Of the raw values, float32 or float64.
    handle_unknown : {"error", "unknown"}, default="error"
        Whether a number that stands for no category is refused, or read as an unknown one.
    """
    graph = Graph()
    scaled = scale(
        graph, "sequences", "lengths", scaler, architecture.patch_size, dtype, handle_unknown
    )
    parts = encode(graph, scaled, architecture, weights)
    if scaled.statistics:
        parts.append(scaled.statistics)
    code = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)
    code = graph.op("Add", code, scaled.refusal)
    n_rows = graph.op("Slice", graph.op("Shape", "sequences"), [0], [1])
    graph.op("Slice", code, [0], n_rows, [0])
    n_components = architecture.n_components + scaler.n_statistics_
    shape: list[str | int] = ["n_sequences", "n_steps", scaler.n_channels]
    release = version("sklearn-seqae")
    model = graph.model(
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
    load_onnx().checker.check_model(model, full_check=True)
    return model


def _describe_channels(scaler: MixedScaler, names: tuple[Any, ...] | None) -> list[dict[str, Any]]:
    categories = scaler.categories or (None,) * scaler.n_channels
    return [
        {
            "name": None if names is None else str(name),
            "categories": None if found is None else _as_json(found.values.tolist()),
        }
        for name, found in zip(names or categories, categories, strict=True)
    ]


def _as_json(categories: list[Any]) -> list[Any]:
    """Return categories with text for what JSON does not have, null for NaN."""
    plain = [x if isinstance(x, str | int | float | None) else str(x) for x in categories]
    return [None if isinstance(x, float) and not math.isfinite(x) else x for x in plain]
