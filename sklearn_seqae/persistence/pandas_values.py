"""Values of pandas as plain JSON and back: dtypes of categories, labels of columns.

A value that a round trip would change is refused.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Part = Callable[[Any, str], Any]


def encode(value: Any, encode_part: Part) -> dict[str, Any] | None:
    """Return a value of pandas as plain JSON; None if it is none that can be."""
    pandas: Any = sys.modules.get("pandas")
    if pandas is None:
        return None
    parts = _parts(pandas, value)
    if parts is None:
        return None
    kind, named = parts
    try:
        if not _is_same(MAKERS[kind](pandas, **named), value):
            return None
    except (TypeError, ValueError):  # such as a name that says too little
        return None
    return {"$": kind, **{name: encode_part(part, name) for name, part in named.items()}}


def decode(kind: str, parts: dict[str, Any], decode_part: Part) -> Any:
    """Return the value of pandas that `encode` was given."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "Expected pandas to be installed, as the file holds values of it: pip install "
            '"sklearn-seqae[pandas]".'
        ) from error
    return MAKERS[kind](pd, **{name: decode_part(part, name) for name, part in parts.items()})


def _parts(pandas: Any, value: Any) -> tuple[str, dict[str, Any]] | None:
    """Return what kind of value this is, and what it is made of."""
    if value is pandas.NA or value is pandas.NaT:
        return "pandas.missing", {"name": "NA" if value is pandas.NA else "NaT"}
    for kind, (name, take) in _PARTS.items():
        if isinstance(value, getattr(pandas, name)):
            return kind, take(value)
    if isinstance(value, pandas.ArrowDtype):
        return "pandas.arrow", {"name": str(value.pyarrow_dtype)}
    if isinstance(value, pandas.api.extensions.ExtensionDtype):
        return "pandas.dtype", {"name": str(value)}
    return None


def _is_same(made: Any, value: Any) -> bool:
    if made is value:
        return True
    if type(made) is not type(value):
        return False
    if hasattr(value, "equals"):
        return bool(made.equals(value) and made.dtype == value.dtype)
    return bool(made == value) and repr(made) == repr(value)  # which has zones and units


def _of_index(index: Any) -> dict[str, Any]:
    """Return the parts of an Index of numbers, text, objects, times or intervals."""
    if hasattr(index, "left"):
        return {"values": [index.left, index.right], "dtype": None, "name": index.closed}
    dtype = index.dtype
    if getattr(dtype, "kind", "") in "Mm":  # with or without a time zone
        return {"values": index.asi8, "dtype": str(dtype), "name": index.name}
    plain = isinstance(dtype, np.dtype) and dtype.kind != "O"
    values = index.to_numpy() if plain else index.to_numpy(dtype=object)
    kept = None if isinstance(dtype, np.dtype) else dtype
    return {"values": values, "dtype": kept, "name": index.name}


def _index(pandas: Any, values: Any, dtype: Any, name: Any) -> Any:
    if isinstance(values, list):
        return pandas.IntervalIndex.from_arrays(*values, closed=name)
    if isinstance(dtype, str) and dtype.startswith("timedelta64["):
        return pandas.TimedeltaIndex(values.view(np.dtype(dtype)), name=name)
    if isinstance(dtype, str) and dtype.startswith("datetime64["):
        unit, _, zone = dtype.removeprefix("datetime64[").rstrip("]").partition(", ")
        index = pandas.DatetimeIndex(values.view(f"M8[{unit}]"), name=name)
        return index.tz_localize("UTC").tz_convert(zone) if zone else index
    return pandas.Index(values, dtype=values.dtype if dtype is None else dtype, name=name)


def _timestamp(pandas: Any, value: int, unit: str, zone: str | None) -> Any:
    moment = pandas.Timestamp(np.array(value, f"M8[{unit}]")[()])
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)


def _string_dtype(pandas: Any, storage: str, missing: Any) -> Any:
    return pandas.StringDtype(storage, na_value=missing)


def _arrow_dtype(pandas: Any, name: str) -> Any:
    import pyarrow as pa

    return pandas.ArrowDtype(pa.type_for_alias(name))


# For each kind the name of its class in pandas, and its parts.
_PARTS: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "pandas.range": (
        "RangeIndex",
        lambda index: {name: getattr(index, name) for name in ("start", "stop", "step", "name")},
    ),
    "pandas.index": ("Index", _of_index),
    "pandas.categorical": (
        "CategoricalDtype",
        lambda dtype: {"categories": dtype.categories, "ordered": bool(dtype.ordered)},
    ),
    "pandas.string": (
        "StringDtype",
        lambda dtype: {"storage": dtype.storage, "missing": dtype.na_value},
    ),
    "pandas.timestamp": (
        "Timestamp",
        lambda time: {
            "value": int(time.asm8.view("i8")),
            "unit": time.unit,
            "zone": None if time.tz is None else str(time.tz),
        },
    ),
    "pandas.timedelta": (
        "Timedelta",
        lambda time: {"value": int(time.asm8.view("i8")), "unit": time.unit},
    ),
    "pandas.interval": (
        "Interval",
        lambda interval: {
            "left": interval.left,
            "right": interval.right,
            "closed": interval.closed,
        },
    ),
}
MAKERS: dict[str, Callable[..., Any]] = {
    "pandas.range": lambda pandas, **parts: pandas.RangeIndex(**parts),
    "pandas.index": _index,
    "pandas.categorical": lambda pandas, **parts: pandas.CategoricalDtype(**parts),
    "pandas.string": _string_dtype,
    "pandas.timestamp": _timestamp,
    "pandas.timedelta": lambda pandas, value, unit: pandas.Timedelta(
        np.array(value, f"m8[{unit}]")[()]
    ),
    "pandas.interval": lambda pandas, **parts: pandas.Interval(**parts),
    "pandas.missing": lambda pandas, name: {"NA": pandas.NA, "NaT": pandas.NaT}[name],
    "pandas.arrow": _arrow_dtype,
    "pandas.dtype": lambda pandas, name: pandas.api.types.pandas_dtype(name),
}
