"""Types of Arrow: lists, the floating types that are written for others, schemas as text."""

from __future__ import annotations

import base64
from typing import Any

from sklearn_seqae._utils.optional_imports import load

from .numeric import floating


def is_list(kind: Any) -> bool:
    """Tell whether this is a type of lists, of any kind."""
    return hasattr(kind, "value_field")  # which maps have not


def step_width(step: Any) -> int | None:
    """Return the number of channels of steps of this type; None if it takes any."""
    pa = load("pyarrow")
    if pa.types.is_struct(step):
        return int(step.num_fields)
    if not is_list(step):
        return 1
    return int(step.list_size) if pa.types.is_fixed_size_list(step) else None


def with_value_type(kind: Any, value_type: Any) -> Any:
    """Return a type of lists of this kind, of other values."""
    pa = load("pyarrow")
    value = kind.value_field.with_type(value_type)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(value, kind.list_size)
    makers = {
        pa.lib.Type_LARGE_LIST: pa.large_list,
        pa.lib.Type_LIST_VIEW: pa.list_view,
        pa.lib.Type_LARGE_LIST_VIEW: pa.large_list_view,
    }
    return makers.get(kind.id, pa.list_)(value)


def floating_type(kind: Any) -> Any:
    """Return the type in which values of this type are written: numbers are floating."""
    pa = load("pyarrow")
    if is_list(kind):
        return with_value_type(kind, floating_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(floating_type(field.type)) for field in kind])
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pa.from_numpy_dtype(floating(kind.to_pandas_dtype()))
    return pa.float64() if pa.types.is_decimal(kind) or pa.types.is_null(kind) else kind


def write_schema(schema: Any) -> str:
    """Return a schema, with floating types in place of others, as text."""
    fields = [field.with_type(floating_type(field.type)) for field in schema]
    schema = load("pyarrow").schema(fields, metadata=schema.metadata)
    return base64.b64encode(schema.serialize().to_pybytes()).decode("ascii")


def read_schema(text: str) -> Any:
    """Return the schema that `write_schema` wrote."""
    pa = load("pyarrow")
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def leaf_field(kind: Any, channel: int) -> Any:
    """Return the field of a channel's values in lists of this type."""
    step = kind.value_type
    if is_list(step):
        return step.value_field
    return step.field(channel) if load("pyarrow").types.is_struct(step) else kind.value_field
