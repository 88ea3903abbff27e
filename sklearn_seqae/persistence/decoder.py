"""Conversion of the values of a file to Python's, as `schema` defines them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from sklearn_seqae.exceptions import FileFormatError

from . import keras_objects, pandas_values
from .allowlist import Resolver
from .schema import BIT_GENERATORS, MAX_DEPTH, TEXTS, TYPES, Structure, check_types, read_dtype
from .states import check_state, request_again

# Errors raised while decoding an invalid file. Errors of imports are left to the user.
INVALID_FILE_ERRORS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


def invalid(where: str, what: str) -> FileFormatError:
    """Return the error for a file with contents that `save` does not write."""
    return FileFormatError(
        f"Expected a file as save wrote it, got one in which {where} is invalid ({what}): get the "
        "file again from where it came, or save it anew."
    )


class Decoder:
    """Makes values of JSON and arrays.

    Parameters
    ----------
    structures : dict of str to Structure
        By their kinds in the file.
    arrays : dict of str to ndarray
        By the names of their members.
    resolver : Resolver
        What the file may name.
    """

    def __init__(
        self,
        structures: Mapping[str, Structure],
        arrays: Mapping[str, NDArray[Any]],
        resolver: Resolver,
    ) -> None:
        self._structures = structures
        self._arrays = arrays
        self._unused = set(arrays)
        self._resolver = resolver
        self._made: dict[int, Any] = {}
        self._makers: dict[str, Callable[..., Any]] = {
            "tuple": lambda part, items: tuple(map(part, items)),
            "mapping": lambda part, items: {part(key): part(item) for key, item in items},
            "scalar": _scalar,
            "type": lambda part, name: TYPES[name],
            "import": lambda part, path: resolver.resolve(path),
            "same": lambda part, same: self._made[same],
            "array": self._array,
            "objects": _objects,
            "random_state": lambda part, state: _random_state(**state),
            "estimator": self._estimator,
            "keras": self._keras,
        }

    def decode(self, node: Any, where: str, depth: int = 0) -> Any:
        """Return the value of a node.

        Parameters
        ----------
        node : JSON value
        where : str
            What it is, for errors.
        depth : int, default=0
            How many nodes it is in.

        Raises
        ------
        FileFormatError
            If it is not what `Encoder` makes of any value.
        """
        if depth > MAX_DEPTH:
            raise invalid(where[:60], f"there are more than {MAX_DEPTH} values one in another")

        def part(item: Any, name: Any = "") -> Any:
            return self.decode(item, f"{where}.{name}".rstrip("."), depth + 1)

        if isinstance(node, list):
            return [part(item, i) for i, item in enumerate(node)]
        if isinstance(node, float) and not math.isfinite(node):
            raise invalid(where, "a number is too large")
        if not isinstance(node, dict):
            return node
        if "$" not in node:
            return {name: part(item, name) for name, item in node.items()}
        try:
            return self._value(dict(node), part)
        except FileFormatError:
            raise
        except INVALID_FILE_ERRORS as error:
            raise invalid(where, f"{type(error).__name__}: {error}") from error

    def finish(self) -> None:
        """Raise if there is an array that was not used."""
        if self._unused:
            raise invalid("the list of its members", f"nothing needs {min(self._unused)!r}")

    def _value(self, node: dict[str, Any], part: Callable[..., Any]) -> Any:
        kind, number = node.pop("$"), node.pop("id", None)
        if kind in self._structures:
            value = _structure(part, self._structures[kind], **node)
        elif kind in TEXTS:
            value = _text(kind, **node)
        elif kind in pandas_values.MAKERS:
            value = pandas_values.decode(kind, node, part)
        else:
            value = self._makers[kind](part, **node)
        if number is not None:
            if type(number) is not int or number in self._made:
                raise ValueError(f"there are two values with the id {number!r}")
            self._made[number] = value
        return value

    def _array(self, part: Any, member: str) -> NDArray[Any]:
        self._unused.discard(member)
        return self._arrays[member]

    def _estimator(self, part: Any, path: str, state: dict[str, Any]) -> Any:
        kind = self._resolver.resolve(path)
        if not isinstance(kind, type) or not issubclass(kind, BaseEstimator):
            raise TypeError(f"{path} is no estimator")
        state = {name: part(item, name) for name, item in state.items()}
        check_state(path, kind, state)
        requests = state.pop("_metadata_request", {})
        made: Any = object.__new__(kind)
        made.__setstate__(state)  # scikit-learn's warn if another version of it made them
        if requests:
            request_again(made, requests)
        return made

    def _keras(self, part: Any, path: str, arguments: dict[str, Any]) -> Any:
        kind = self._resolver.resolve(path)
        return keras_objects.make(kind, {name: part(a, name) for name, a in arguments.items()})


def _structure(part: Any, structure: Structure, state: dict[str, Any]) -> Any:
    state = {name: part(item, name) for name, item in state.items()}
    check_types(state, structure.fields)
    made: Any = object.__new__(structure.kind)
    made.__dict__.update(state | dict(structure.fixed))
    return made


def _text(kind: str, value: str) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return TEXTS[kind][2](value)


def _scalar(part: Any, dtype: str, value: Any) -> Any:
    known = read_dtype(dtype)
    if known.kind == "O":
        raise ValueError("an object is no number, text or time")
    if known.kind in "Mm":
        return np.array(value, np.int64).view(known)[()]
    with np.errstate(over="raise"):
        return known.type(part(value))


def _objects(part: Any, shape: list[int], items: list[Any]) -> NDArray[Any]:
    if math.prod(shape) != len(items) or min(shape, default=0) < 0:
        raise ValueError(f"an array of shape {shape} has {len(items)} items")
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = part(item, i)
    return array.reshape(shape)


def _random_state(bit_generator: str, state: dict[str, Any], **gauss: Any) -> Any:
    if bit_generator not in BIT_GENERATORS:
        raise ValueError(f"{bit_generator!r} is no bit generator of NumPy")
    made = np.random.RandomState(getattr(np.random, bit_generator)())
    made.set_state({"bit_generator": bit_generator, "state": state, **gauss})
    return made
