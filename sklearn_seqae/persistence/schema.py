"""The schema of values in a file: plain JSON, without code.

JSON's own values stand for themselves. Any other value is an object with its kind under the key
"$". One that may be met again has an "id", and {"$": "same"} then stands for it, so that one
object stays one. `encoder` and `decoder` convert; a value that neither knows is refused.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from .archive import ARRAY_KINDS

MAX_DEPTH = 50  # of lists in lists, and the like
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")

_DTYPE = re.compile(rf"[<>|=]?[{ARRAY_KINDS}O]\d{{0,9}}(\[\w{{1,9}}\])?")
_NUMPY_TYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64"


@dataclass(frozen=True)
class Structure:
    """What a file has of the instances of a class of this package.

    Attributes
    ----------
    kind : type
    fields : dict of str to type or tuple of types
        The attributes that it has, and what they are.
    fixed : dict of str to object
        Those that it does not have, and what they become.
    """

    kind: type
    fields: Mapping[str, type | tuple[type, ...]]
    fixed: Mapping[str, Any] = field(default_factory=dict)


def field_types(kind: Any) -> dict[str, tuple[type, ...]]:
    """Return the types that the fields of a dataclass may have, by its annotations."""
    hints = get_type_hints(kind)
    types = {}
    for one in fields(kind):
        hint = hints[one.name]
        options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        types[one.name] = tuple(
            object if option is Any else get_origin(option) or option for option in options
        )
    return types


def read_dtype(text: str) -> np.dtype[Any]:
    """Return the dtype of a text such as "<f4"."""
    if not _DTYPE.fullmatch(text):
        raise ValueError(f"{text!r} is no dtype of numbers, text or times")
    return np.dtype(text)


# Values written as text: their type, and the functions to text and back.
TEXTS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "float": (float, repr, float),  # NaN and infinities, which JSON does not have
    "date": (date, date.isoformat, date.fromisoformat),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "fraction": (Fraction, str, Fraction),
    "dtype": (np.dtype, lambda dtype: dtype.str, read_dtype),
}

# Types that are values themselves: parameters of some scalers.
TYPES: dict[str, type] = {kind.__name__: kind for kind in (bool, int, float, str, object)}
TYPES |= {f"numpy.{name}": np.dtype(name).type for name in _NUMPY_TYPES.split()}


def is_json(value: Any) -> bool:
    """Tell whether JSON has this value itself."""
    kind = type(value)
    return value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value))


def check_types(state: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Raise TypeError unless a state has these fields, and they have their types."""
    if different := sorted(state.keys() ^ fields.keys()):
        raise TypeError(f"{different[0]!r} is {'unknown' if different[0] in state else 'missing'}")
    for name, types in fields.items():
        if not isinstance(state[name], types):
            raise TypeError(f"{name!r} is a {type(state[name]).__name__}")
