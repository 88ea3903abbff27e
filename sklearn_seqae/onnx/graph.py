"""A thin builder of ONNX graphs: nodes by operator name, each weight stored once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

# Every operator that is used is in it, and all versions of onnxruntime since 1.12 run it (1.17, of
# 2024, reads up to 20). Later ones bring nothing that these graphs need.
OPSET = 17
IR_VERSION = 8  # of the same release of ONNX, so that what reads the opset reads the file
# What a file may hold: protobuf's limit, less some room for the nodes.
MOST_BYTES = 2**31 - 2**20


def load_onnx() -> Any:
    """Return the package `onnx`; raise if it is not there."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(
            "export_onnx expects the package onnx, which could not be imported "
            f'({error}): pip install "sklearn-seqae[onnx]".'
        ) from error
    return onnx


class Graph:
    """Nodes in the order in which they were added, and the constants that they read.

    A tensor is known by its name, a str. Wherever one is expected, an array or a number makes a
    constant: a Python int an int64, a float a float32.
    """

    def __init__(self) -> None:
        self._onnx = load_onnx()
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[Any, onnx.TensorProto] = {}
        self._scope = ""
        self._numbers = count()

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Have the names of all that is added in this block begin with `name`."""
        outer = self._scope
        self._scope = f"{outer}{name}/"
        try:
            yield
        finally:
            self._scope = outer

    def op(self, kind: str, *inputs: Any, n_outputs: int = 1, **attributes: Any) -> Any:
        """Add a node of an operator, and return the name of its output, or a list of names.

        An input of "" is left out.
        """
        name = f"{self._scope}{kind}_{next(self._numbers)}"
        outputs = [name] if n_outputs == 1 else [f"{name}:{i}" for i in range(n_outputs)]
        read = [x if isinstance(x, str) else self._constant(x) for x in inputs]
        node = self._onnx.helper.make_node(kind, read, outputs, name=name, **attributes)
        self._nodes.append(node)
        return outputs[0] if n_outputs == 1 else outputs

    def cast(self, x: Any, dtype: type) -> str:
        """Return a tensor as numbers of a NumPy dtype."""
        to = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.op("Cast", x, to=to)

    def choose(self, condition: str, build: Callable[[], str], otherwise: str) -> str:
        """Return what `build` makes, where a condition holds, which else costs nothing."""
        then_branch = self._body("then", 0, lambda: [build()])
        else_branch = self._body("else", 0, lambda: [self.op("Identity", otherwise)])
        name: str = self.op("If", condition, then_branch=then_branch, else_branch=else_branch)
        return name

    def scan(
        self, build: Callable[..., list[str]], states: list[Any], sequences: list[Any]
    ) -> list[str]:
        """Repeat what `build` makes for the parts of `sequences` along their first axis.

        It is given states and one part of each sequence, and gives the next states, and more parts.
        Returned are the last states, and the sequences of these parts.
        """
        body = self._body("step", len(states) + len(sequences), build)
        n_outputs = len(body.output)
        n_parts = len(sequences)
        names = self.op(
            "Scan", *states, *sequences, n_outputs=n_outputs, body=body, num_scan_inputs=n_parts
        )
        return [names] if n_outputs == 1 else names

    def _body(self, name: str, n_inputs: int, build: Callable[..., list[str]]) -> Any:
        """Return a graph within this one, whose tensors it may read."""
        inputs = [f"{self._scope}{name}_{next(self._numbers)}" for _ in range(n_inputs)]
        outer, self._nodes = self._nodes, []
        outputs = build(*inputs)
        nodes, self._nodes = self._nodes, outer
        helper = self._onnx.helper
        # Their types follow from those of the tensors that are read.
        described = ([helper.make_empty_tensor_value_info(x) for x in t] for t in (inputs, outputs))
        return helper.make_graph(nodes, name, *described)

    def model(
        self,
        name: str,
        inputs: list[tuple[str, type, list[str | int], str]],
        output: tuple[str, type, list[str | int], str],
        *,
        producer: tuple[str, str] = ("", ""),
        doc: str = "",
        metadata: dict[str, str] | None = None,
    ) -> "onnx.ModelProto":
        """Return the model, not checked.

        Inputs and output are a name, a dtype, a shape (a str is an axis of any size) and a
        description. What is named as the output has to be the last node, whose name it takes.
        """
        n_bytes = sum(constant.ByteSize() for constant in self._constants.values())
        if n_bytes > MOST_BYTES:
            raise ValueError(
                f"A file of ONNX holds at most {MOST_BYTES} bytes of weights, got {n_bytes}: fit "
                "with fewer units or components."
            )
        helper = self._onnx.helper
        self._nodes[-1].output[0] = output[0]
        graph = helper.make_graph(
            self._nodes,
            name,
            [self._value(*one) for one in inputs],
            [self._value(*output)],
            list(self._constants.values()),
            doc_string=doc,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=producer[0],
            producer_version=producer[1],
            doc_string=doc,
        )
        helper.set_model_props(model, metadata or {})
        return model

    def _value(self, name: str, dtype: type, shape: list[str | int], doc: str) -> Any:
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._onnx.helper.make_tensor_value_info(name, kind, shape, doc_string=doc)

    def _constant(self, value: Any) -> str:
        """Return the name of a constant; equal ones are one."""
        array = np.asarray(value, dtype=np.float32 if type(value) is float else None)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            name = f"{self._scope}constant_{len(self._constants)}"
            self._constants[key] = self._onnx.numpy_helper.from_array(array, name)
        return self._constants[key].name
