"""Conversion of Python's values to those of a file, as `schema` defines them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from . import keras_objects, pandas_values
from .allowlist import path_of
from .archive import ARRAY_KINDS
from .schema import BIT_GENERATORS, MAX_DEPTH, TEXTS, TYPES, Structure, check_types, is_json
from .states import check_state, plain_requests

Node = dict[str, Any]
Part = Callable[..., Any]


class Encoder:
    """Turns values into JSON, and puts their arrays aside.

    Parameters
    ----------
    structures : dict of str to Structure
        By their kinds in the file.

    Attributes
    ----------
    arrays : dict of str to ndarray
        By the names of their members.
    """

    def __init__(self, structures: Mapping[str, Structure]) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self._kinds = {structure.kind: kind for kind, structure in structures.items()}
        self._structures = structures
        # Holds the values, lest the id of one that is gone becomes that of another.
        self._known: dict[int, tuple[Any, Node]] = {}

    def encode(self, value: Any, where: str, depth: int = 0) -> Any:
        """Return a value as JSON.

        Parameters
        ----------
        value : object
        where : str
            What it is, for errors and for the names of members.
        depth : int, default=0
            How many values it is in.

        Raises
        ------
        TypeError
            If it is, or has in it, what is not known.
        """
        if depth > MAX_DEPTH:
            raise TypeError(
                f"Expected {where[:60]} to hold up to {MAX_DEPTH} values one in another, got more: "
                "give it plainer."
            )

        def part(item: Any, name: Any) -> Any:
            return self.encode(item, f"{where}.{name}", depth + 1)

        if is_json(value):
            return value
        for encode in (_plain, _typed, pandas_values.encode):
            node = encode(value, part)
            if node is not None:
                return node
        if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
            return {"$": "import", "path": path_of(value, where)}
        return self._object(value, where, part)

    def _object(self, value: Any, where: str, part: Part) -> Node:
        """Return a value that may be met again."""
        if id(value) in self._known:
            node = self._known[id(value)][1]
            if "$" not in node:
                raise TypeError(
                    f"Expected values that do not hold themselves, but {where} does: {value!r}; "
                    "give another."
                )
            return {"$": "same", "same": node["id"]}
        node = {"id": len(self._known)}
        self._known[id(value)] = value, node
        node.update(self._first(value, where, part))
        return node

    def _first(self, value: Any, where: str, part: Part) -> Node:
        if type(value) in (np.ndarray, np.memmap):
            return self._array(np.asarray(value), where, part)
        if type(value) in self._kinds:
            return self._structure(value, where, part)
        if isinstance(value, np.random.RandomState):
            return _random_state(value, where)
        if isinstance(value, BaseEstimator):
            return _estimator(value, where, part)
        if keras_objects.is_keras_object(value):
            arguments = keras_objects.arguments_of(value, where)
            return {
                "$": "keras",
                "path": path_of(type(value), where),
                "arguments": {name: part(item, name) for name, item in arguments.items()},
            }
        if callable(value):  # which says what to do with functions that have no import path
            path_of(value, where)
        raise TypeError(
            f"Expected {where} to be made of numbers, text, arrays and such objects of "
            f"scikit-learn, Keras and pandas as a file can hold, got {value!r} of type "
            f"{type(value).__name__}: give one of these, or keep the estimator by joblib.dump."
        )

    def _array(self, array: NDArray[Any], where: str, part: Part) -> Node:
        if array.dtype.kind == "O":
            items = [part(item, i) for i, item in enumerate(array.ravel().tolist())]
            return {"$": "objects", "shape": list(array.shape), "items": items}
        if array.dtype.kind not in ARRAY_KINDS:
            raise TypeError(
                f"Expected {where} to be an array of numbers, text or times, got dtype "
                f"{array.dtype}: convert it."
            )
        letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in where)
        # Numbered, as names may differ by letters that not every file system distinguishes.
        name = f"arrays/{len(self.arrays):03d}.{letters[-80:].strip('_')}.npy"
        self.arrays[name] = array
        return {"$": "array", "member": name}

    def _structure(self, value: Any, where: str, part: Part) -> Node:
        kind = self._kinds[type(value)]
        structure = self._structures[kind]
        state = value.__getstate__()
        kept = {name: item for name, item in state.items() if name not in structure.fixed}
        try:
            check_types(kept, structure.fields)
        except TypeError as error:
            raise TypeError(
                f"Expected {where} to be as this package makes it, but {error}: undo what was "
                "changed in it."
            ) from error
        return {"$": kind, "state": {name: part(state[name], name) for name in structure.fields}}


def _plain(value: Any, part: Part) -> Any:
    """Return what Python's own containers and texts are."""
    kind = type(value)
    if kind is list:
        return [part(item, i) for i, item in enumerate(value)]
    if kind is tuple:
        return {"$": "tuple", "items": [part(item, i) for i, item in enumerate(value)]}
    if kind is dict:
        if all(type(key) is str and key != "$" for key in value):
            return {key: part(item, key) for key, item in value.items()}
        pairs = [[part(key, "key"), part(item, key)] for key, item in value.items()]
        return {"$": "mapping", "items": pairs}
    for name, (known, write, read) in TEXTS.items():
        if kind is known or (known is np.dtype and isinstance(value, np.dtype)):
            return _text_node(name, value, write(value), read)
    return None


def _text_node(name: str, value: Any, text: str, read: Callable[[str], Any]) -> Node | None:
    """Return the node of a value written as text; None if reading it gives another value."""
    try:
        again = read(text)
    except ValueError:
        return None
    return {"$": name, "value": text} if repr(again) == repr(value) else None


def _typed(value: Any, part: Part) -> Node | None:
    """Return what NumPy's scalars, and types, are."""
    if isinstance(value, np.generic):
        kind = value.dtype.kind
        if kind in "Mm":
            return {"$": "scalar", "dtype": value.dtype.str, "value": int(value.view("i8"))}
        if kind in "biuU" or (kind == "f" and value.dtype.itemsize <= 8):
            return {"$": "scalar", "dtype": value.dtype.str, "value": part(value.item(), "value")}
    if isinstance(value, type):
        for name, known in TYPES.items():
            if value is known:
                return {"$": "type", "name": name}
    return None


def _random_state(value: np.random.RandomState, where: str) -> Node:
    state: Any = value.get_state(legacy=False)
    if state["bit_generator"] not in BIT_GENERATORS:
        raise TypeError(
            f"Expected {where} to be a RandomState of one of {list(BIT_GENERATORS)}, got "
            f"{state['bit_generator']}: give such a one, or an int."
        )
    return {"$": "random_state", "state": _lists(state)}


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(item) for name, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _estimator(value: BaseEstimator, where: str, part: Part) -> Node:
    path = path_of(type(value), where)
    state = dict(value.__getstate__())
    if "_metadata_request" in state:
        state["_metadata_request"] = plain_requests(state["_metadata_request"])
    try:
        check_state(path, type(value), state)
    except ValueError as error:
        raise TypeError(
            f"Expected {where} to be an estimator as its class makes it, but {error}: give "
            "another one."
        ) from error
    return {"$": "estimator", "path": path, "state": {k: part(v, k) for k, v in state.items()}}
