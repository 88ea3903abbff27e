"""Cache keys of Python objects: equal keys mean that two objects compute the same.

The configuration of an object may be incomplete, so its key is made of its whole state. The key of
a function includes the values it reads: its closure, its defaults and its globals.
"""

import functools
import hashlib
import pickle
import sys
import sysconfig
import types
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_PATHS = tuple(sysconfig.get_paths()[name] for name in ("purelib", "platlib", "stdlib"))
# Prefixes of the attributes in which Keras and TensorFlow keep internal records.
_INTERNAL = ("_self_", "_tracker", "_distribution_strategy")


class Identity:
    """Equal only for one and the same object, which is kept alive so that its `id` stays unique."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def frozen(
    thing: Any, owned: bool = False, variables: bool = True, without: tuple[str, ...] = ()
) -> Hashable:
    """Return the cache key of an object in its present state.

    Parameters
    ----------
    thing : object
    owned : bool, default=False
        Whether nobody else can change the object while the key is in use. Objects of equal state
        then have equal keys; otherwise the key of a mutable object equals that of itself only.
    variables : bool, default=True
        Whether the values of Keras variables are part of the key. They need not be where every
        fit sets them.
    without : tuple of str, default=()
        Attributes of the object that are left out.
    """
    return _Freezer(thing, owned, variables, without).freeze(thing)


class _Freezer:
    def __init__(self, whole: Any, owned: bool, variables: bool, without: tuple[str, ...]) -> None:
        self.whole = whole
        self.owned = owned
        self.variables = variables
        self.without = without
        self.seen: dict[int, tuple[int, Any]] = {}  # kept alive: an `id` stays unique

    def freeze(self, thing: Any) -> Hashable:
        if type(thing) in _PLAIN or isinstance(thing, np.generic):
            return type(thing), repr(thing)  # repr distinguishes 0.0 from -0.0, and NaN equals NaN
        if isinstance(thing, type | types.ModuleType):
            return Identity(thing)
        if isinstance(thing, tuple):
            return type(thing), *map(self.freeze, thing)
        if isinstance(thing, functools.partial):
            return functools.partial, *map(self.freeze, (thing.func, thing.args, *_items(thing)))
        if isinstance(thing, types.MethodType):
            return types.MethodType, self.freeze(thing.__self__), self.freeze(thing.__func__)
        if id(thing) in self.seen:
            return "seen", self.seen[id(thing)][0]
        self.seen[id(thing)] = len(self.seen), thing
        if isinstance(thing, types.FunctionType):
            return self._function(thing)
        content = self._content(thing)
        return (type(thing), content) if self.owned else (Identity(thing), content)

    def _content(self, thing: Any) -> Hashable:
        """Return the key of the state of a mutable object."""
        if isinstance(thing, Mapping):
            return tuple((self.freeze(k), self.freeze(v)) for k, v in thing.items())
        if isinstance(thing, list):
            return tuple(map(self.freeze, thing))
        if isinstance(thing, set | frozenset):
            return frozenset(map(self.freeze, thing))
        keras: Any = sys.modules.get("keras")
        if keras is not None and isinstance(thing, keras.Layer):
            return Identity(thing), *map(self._array, thing.get_weights())
        is_variable = keras is not None and isinstance(thing, keras.Variable)
        if is_variable and not self.variables:
            return tuple(thing.shape), str(thing.dtype)
        if is_variable or hasattr(thing, "__array__"):
            return self._array(np.asarray(thing))
        if hasattr(thing, "__dict__"):
            without = self.without if thing is self.whole else ()
            state = {
                name: value
                for name, value in vars(thing).items()
                if not name.startswith(_INTERNAL) and name not in without
            }
            return self._class(type(thing)), self._content(state)
        if callable(thing):  # written in C
            return Identity(thing)
        try:
            return hashlib.sha256(pickle.dumps(thing)).digest()
        except Exception:  # of any kind: nothing is known of the object, so its key equals no other
            return Identity(object())

    def _array(self, array: np.ndarray) -> Hashable:
        if array.dtype.hasobject:
            return array.shape, self._content(array.ravel().tolist())
        return array.shape, array.dtype.str, hashlib.sha256(array.tobytes()).digest()

    def _function(self, function: types.FunctionType) -> Hashable:
        code = function.__code__
        if _is_installed(code.co_filename):
            return Identity(function)
        known = function.__globals__
        read = {name: known[name] for name in sorted(set(_names(code))) if name in known}
        cells = []
        for cell in function.__closure__ or ():
            try:
                cells.append(cell.cell_contents)
            except ValueError:  # not filled yet
                cells.append(None)
        parts = (function.__defaults__, *cells)
        others = (function.__kwdefaults__ or {}, vars(function), read)
        return Identity(function), *map(self.freeze, parts), *map(self._content, others)

    def _class(self, kind: type) -> Hashable:
        """Return the key of a class: its functions, and the plain values among its attributes."""
        parts = []
        for one in kind.__mro__:
            if _is_installed(getattr(sys.modules.get(one.__module__), "__file__", None) or ""):
                continue
            known = (types.FunctionType, *_PLAIN)
            parts += [self.freeze(v) for v in vars(one).values() if isinstance(v, known)]
        return Identity(kind), *parts


def _items(call: functools.partial) -> list[Any]:
    return [part for name in sorted(call.keywords) for part in (name, call.keywords[name])]


def _is_installed(file: str) -> bool:
    """Tell whether a file belongs to Python or to an installed package, which does not change."""
    return file.startswith(_PATHS)


def _names(code: types.CodeType) -> Iterator[str]:
    """Return the names of globals and attributes read by a function and its inner functions."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
