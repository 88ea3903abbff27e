"""Time stamps given as text in tables: numbers, or dates in ISO 8601."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn_seqae._utils.optional_imports import load

if TYPE_CHECKING:
    import pandas as pd

# The offset to UTC at the end of a time stamp.
_OFFSET = r":\d\d(?:[.,]\d+)? ?(Z|[+-]\d\d(?::?\d\d)?)$"


def read_times(column: pd.Series, name: str, is_whole: bool) -> pd.Series:
    """Return time stamps as numbers or dates, which are ordered, unlike text.

    Time stamps with an offset are converted to UTC, as daylight saving time may change the offset
    within a table. If all time stamps of a whole table have the same offset, it is kept.

    Parameters
    ----------
    column : Series
    name : str
        Name of the column, for errors.
    is_whole : bool
        Whether these are all time stamps of the table.
    """
    pd = load("pandas")
    types = pd.api.types
    if types.is_numeric_dtype(column) or types.is_datetime64_any_dtype(column):
        return column
    if types.is_timedelta64_dtype(column):
        return column
    text = column.map(str, na_action="ignore")
    try:
        return pd.to_numeric(text)
    except (ValueError, TypeError):
        pass
    offsets = text.str.extract(_OFFSET, expand=False)
    has_offset = offsets.notna()
    if has_offset.any() and not has_offset[text.notna()].all():
        raise ValueError(
            f"Expected an offset to UTC, such as +01:00, at all or at none of the time stamps in "
            f"column {name!r}, got {text[has_offset].iloc[0]!r} beside "
            f"{text[text.notna() & ~has_offset].iloc[0]!r}: use the same format for all."
        )
    try:
        times = pd.to_datetime(text, format="ISO8601", utc=bool(has_offset.any()))
        if is_whole and offsets.nunique() == 1:
            times = times.dt.tz_convert(pd.Timestamp(text[has_offset].iloc[0]).tz)
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0].partition(". You might")[0]
        raise ValueError(
            f"Expected numbers or dates as 2026-11-24 or 2026-11-24T10:00 in column {name!r}, got "
            f"others ({reason}): use one of these formats."
        ) from error
    return times
