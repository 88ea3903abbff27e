"""Encoding by onnxruntime, with the graph that `export_onnx` writes but for its scaling.

And decoding of few sequences, where NumPy takes longer to begin operations than to make them.
"""

import os
from functools import cache, cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae.network import numpy_network
from sklearn_seqae.network.numpy_network import Floats

from .graph import Graph
from .inputs import read_scaled
from .network import encode, write

# An environment variable, so that the processes of a search have it, too.
VARIABLE = "SKLEARN_SEQAE_ENGINE"
ENGINES = ("auto", "numpy", "onnxruntime")
# Of all sequences of a batch: what kernels make of them stays in the cache.
STEPS_AT_ONCE = 3072
_PROJECTION = ("encoder/summary/projection", "encoder/summary/center")


def chosen_engine() -> str:
    """Return "numpy" or "onnxruntime": what the environment variable says, else what is there."""
    name = os.environ.get(VARIABLE, "auto")
    if name not in ENGINES:
        raise ValueError(
            f"Expected the environment variable {VARIABLE} to be one of {', '.join(ENGINES)}, got "
            f"{name!r}: set one of these, or delete it."
        )
    if name != "auto":
        return name
    return "onnxruntime" if _is_there() else "numpy"


@cache
def _is_there() -> bool:
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


class Network(numpy_network.Network):
    """The network in NumPy, of which onnxruntime encodes, and decodes few sequences.

    It computes in one thread, so any thread and a forked process may use it, several threads at
    once, and codes do not depend on how many there are.
    """

    steps_at_once: int | None = STEPS_AT_ONCE

    @cached_property
    def unprojected(self) -> "Network":
        """The network whose codes end with all pooled features in place of their summary."""
        return Network(*self._made_of, projects=False)

    def share(self, other: Any) -> None:
        """Encode by the session of another network, if there is one with the same encoder.

        A fit weighs the decoder after the encoder has its last weights.
        """
        if isinstance(other, Network) and "_session" in vars(other):
            own, others = (network._made_of[1] for network in (self, other))
            read = [name for name in own if name.startswith("encoder/")]
            if all(np.array_equal(own[name], others[name]) for name in read):
                self._session = other._session

    def encode(self, batch: Floats, lengths: NDArray[np.int64] | None = None) -> Floats:
        """Return the codes (n_rows, n_components) of rows (n_rows, n_steps, n_channels).

        The number of steps is a multiple of the patch size.
        """
        codes: Floats = self._session.run(None, {"sequences": batch, "lengths": lengths})[0]
        return codes

    @property
    def decodes_alone(self) -> bool:
        """Whether it decodes few sequences one by one, by layers of this engine."""
        return self.architecture.decoder in ("repeat", "reshape")

    def _write(self, inputs: Floats, code: Floats | None) -> Floats:
        if inputs.shape[2] > 1:
            return super()._write(inputs, code)
        if code is not None:
            repeated = np.broadcast_to(code, (len(inputs), *code.shape))
            inputs = np.concatenate([repeated, inputs], axis=1)
        read = inputs.transpose(0, 2, 1).astype(np.float32)
        written: Floats = self._writer.run(None, {"steps": read})[0].transpose(0, 2, 1)
        return written

    @cached_property
    def _session(self) -> Any:
        graph = Graph()
        scaled = read_scaled(graph, "sequences", "lengths")
        architecture, weights = self._made_of
        if not self._projects:
            weights = {k: v for k, v in weights.items() if k not in _PROJECTION}
        parts = encode(graph, scaled, architecture, weights)
        graph.op("Concat", *parts, axis=1)
        model = graph.model(
            "encoder",
            [
                ("sequences", np.float32, ["n_sequences", "n_steps", architecture.n_channels], ""),
                ("lengths", np.int64, ["n_sequences"], ""),
            ],
            ("codes", np.float32, ["n_sequences", self.architecture.n_components], ""),
        )
        return _load(model.SerializeToString())

    @cached_property
    def _writer(self) -> Any:
        graph = Graph()
        architecture, weights = self._made_of
        write(graph, "steps", architecture, weights)
        kernel = weights["decoder/recurrence_0/kernel"]
        bias = weights["decoder/values/bias"]
        model = graph.model(
            "decoder",
            [("steps", np.float32, ["n_steps", "n_sequences", len(kernel)], "")],
            ("values", np.float32, ["n_steps", "n_sequences", len(bias)], ""),
        )
        return _load(model.SerializeToString())


def _load(graph: bytes) -> Any:
    """Return a session that runs a graph in one thread."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"Expected onnxruntime, which encodes, but it could not be imported ({error}): pip "
            f'install "sklearn-seqae[fast]", or set the environment variable {VARIABLE}=numpy.'
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it would keep a plan for each shape
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
