"""Time stamps of pandas' indexes: that they rise, and how they go on where nobody gives them.

A clock is three texts: dtype, start and step of regular time stamps. Sequences that are decoded
from codes alone start where the first training sequence did, and go on in its step. Where that one
was not regular their steps are numbered from 0 on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

Clock = tuple[str, str, str]
# Of the distance between time stamps, for floating ones.
GRID_TOLERANCE = 1e-3
# A grid has at most so many places for each time stamp.
MOST_MISSING = 10


def check_rising(times: Any, owners: NDArray[np.int64], name: Any, is_labels: bool = False) -> None:
    """Raise unless the time stamps of every sequence rise; text has to be dates, and is so ordered.

    Parameters
    ----------
    times : pandas Index of total_steps
        Time stamps, sequence by sequence.
    owners : ndarray of shape (total_steps,)
        The sequence that each belongs to.
    name : callable
        ``name(i)`` is what an error calls sequence ``i``.
    is_labels : bool, default=False
        Whether they may be no more than the numbers that pandas gives rows by itself.
    """
    missing = np.asarray(times.isna())
    if missing.any():
        raise ValueError(
            f"Expected a time stamp at every step, but {name(owners[missing][0])} has a missing "
            "one; fill it in, or leave the step out."
        )
    stays = owners[1:] == owners[:-1]
    ordinals = _ordinals(times, owners, name)
    try:
        rises = np.asarray(ordinals[1:] > ordinals[:-1], dtype=bool)
    except TypeError as error:
        raise TypeError(
            f"Expected time stamps that can be put in order, got an index of dtype {times.dtype} "
            f"({error}); convert it to dates or numbers."
        ) from error
    falls = stays & ~rises
    if not falls.any():
        return
    at = int(np.argmax(falls))
    before, after = times[at], times[at + 1]
    sequence = name(owners[at])
    if times.name is None and times.dtype.kind in "iu" and is_labels:
        # What pandas numbers rows by goes on saying where they once stood, whatever their order.
        raise ValueError(
            f"Expected row labels that rise, as time stamps do, but {sequence} has {after} after "
            f"{before}; if its rows stand in the order of time, number them anew by "
            "x.reset_index(drop=True), else sort them by their column of time first, or make it "
            "the index by x.set_index."
        )
    if before == after:
        raise ValueError(
            f"Expected one step per time stamp, but {sequence} has {_shown(after)} twice; keep one "
            "of them, or take their mean."
        )
    remedy = "sort it by time, as DataFrame.sort_index does"
    if isinstance(after, str):  # which pandas sorts as text
        remedy = "make dates of them by pd.to_datetime, and sort it by these"
    raise ValueError(
        f"Expected time stamps that rise within each sequence, but {sequence} has {_shown(after)} "
        f"after {_shown(before)}; {remedy}."
    )


def check_rising_each(indexes: list[Any], name: Any) -> None:
    """Raise unless the time stamps of every sequence rise, each of which has an Index."""
    for i, times in enumerate(indexes):
        while times.nlevels > 1 and len(times) and times.get_level_values(0).nunique() == 1:
            times = times.droplevel(0)  # the id of a group that was cut out of a long frame
        # pandas answers at once for what is regular; what is wrong is then looked for.
        is_number = hasattr(times, "asi8") or times.dtype.kind in "iuf"
        is_sound = is_number and times.is_monotonic_increasing and times.is_unique
        if times.nlevels == 1 and not is_sound:
            check_rising(times, np.full(len(times), i), name, is_labels=True)


def read_clock(indexes: list[Any]) -> Clock | None:
    """Return the clock of the first time stamps that tell one; None if these are not regular.

    Parameters
    ----------
    indexes : list of pandas Index
        The time stamps of each sequence.
    """
    # Three stamps tell months from days; fewer have to do where there are no more.
    times: Any = next((x for x in indexes if len(x) > 2), max(indexes, key=len, default=None))
    if times is None or not len(times) or times.nlevels > 1:
        return None
    pd = load("pandas")
    dtype = str(times.dtype)
    if isinstance(times, pd.DatetimeIndex | pd.TimedeltaIndex):
        freq = type(times)(times, freq="infer").freq
        if len(times) == 2:
            freq = pd.tseries.frequencies.to_offset(times[1] - times[0])
        start = times[0] if getattr(times, "tz", None) is None else times[0].tz_convert("UTC")
        return None if freq is None else (dtype, start.isoformat(), freq.freqstr)
    is_period = isinstance(times, pd.PeriodIndex)
    if not is_period and not (isinstance(times.dtype, np.dtype) and times.dtype.kind in "iuf"):
        return None
    steps = np.diff(times.asi8 if is_period else times.to_numpy())
    # Floating steps are regular but for rounding.
    tolerance = 1e-5 * steps[:1] if times.dtype.kind == "f" else 0
    if (np.abs(steps - steps[:1]) > tolerance).any():
        return None
    return dtype, str(times[0]), str(steps[0]) if len(steps) else "1"


def tell(clock: Clock | None, n_steps: int) -> Any:
    """Return the first time stamps of a clock, as a pandas Index; 0, 1, ... if there is none."""
    pd = load("pandas")
    dtype, start, step = ("int64", "0", "1") if clock is None else clock
    if dtype.startswith("datetime64"):
        zone = getattr(pd.api.types.pandas_dtype(dtype), "tz", None)
        first = pd.Timestamp(start) if zone is None else pd.Timestamp(start).tz_convert(zone)
        return pd.DatetimeIndex(pd.date_range(first, periods=n_steps, freq=step), dtype=dtype)
    if dtype.startswith("timedelta64"):
        first = pd.Timedelta(start)
        return pd.timedelta_range(first, periods=n_steps, freq=step).astype(dtype)
    if dtype.startswith("period"):
        n_periods = max(0, n_steps - 1) * int(step) + 1
        periods = pd.period_range(start, periods=n_periods, freq=dtype[len("period[") : -1])
        return periods[:: int(step)][:n_steps]
    if dtype.startswith("float"):
        return pd.Index(float(start) + float(step) * np.arange(n_steps), dtype=dtype)
    first, pace = int(start), int(step)
    numbers = pd.RangeIndex(first, first + pace * n_steps, pace)
    return numbers if dtype == "int64" else numbers.astype(dtype)


def to_grid(times: Any) -> NDArray[np.int64] | None:
    """Return the places of rising time stamps on a regular grid, 0, ...; None if there is none.

    There is one if all follow each other at multiples of the median distance.
    """
    distances = np.diff(_ordinals(times, np.zeros(len(times), dtype=np.int64), str))
    if distances.dtype.kind not in "iuf":
        return None
    steps = distances / np.median(distances)
    grid = np.append(0, np.cumsum(np.rint(steps).astype(np.int64)))
    is_grid = np.abs(steps - np.rint(steps)).max() < GRID_TOLERANCE and steps.min() > 0.5
    return grid if is_grid and grid[-1] < MOST_MISSING * len(times) else None


def without_gaps(times: Any) -> tuple[Any, NDArray[np.int64]]:
    """Return regular time stamps, and the places of the given ones among them.

    They are the given ones if these have no gaps, or are on no grid.
    """
    places = np.arange(len(times))
    if len(times) < 3 or read_clock([times]) is not None:
        return times, places
    grid = to_grid(times)
    if grid is None:
        return times, places
    at = int(np.argmax(np.diff(grid) == 1))  # the median distance is one
    first, next_to = read_clock([times[:2]]), read_clock([times[at : at + 2]])
    assert first is not None
    assert next_to is not None
    return tell((*first[:2], next_to[2]), int(grid[-1]) + 1).rename(times.name), grid


def _ordinals(times: Any, owners: NDArray[np.int64], name: Any) -> Any:
    """Return what time stamps are compared by."""
    if hasattr(times, "asi8"):  # dates, times and periods
        return times.asi8
    if getattr(times.dtype, "ordered", False):
        return times.codes
    if times.dtype.kind in "iuf":
        return times.to_numpy()
    objects = times.to_numpy(dtype=object)
    if not len(objects) or not all(isinstance(item, str) for item in objects):
        return objects
    pd = load("pandas")
    # As text "2020-10-1" is before "2020-9-1". What is no date has no order that is sure.
    dates = pd.to_datetime(pd.Index(objects), format="ISO8601", utc=True, errors="coerce")
    unread = np.asarray(dates.isna())
    if unread.any():
        raise ValueError(
            "Expected time stamps that are numbers, dates or text such as 2026-11-24 or "
            f"2026-11-24T10:00, but {name(owners[unread][0])} has {objects[unread][0]!r}; convert "
            "them by pd.to_datetime, pd.to_timedelta or pd.to_numeric. Of an index of (id, time) "
            "the time is the last level: see X.swaplevel()."
        )
    return dates.asi8


def _shown(stamp: Any) -> str:
    if isinstance(stamp, np.generic):  # which says its type as well
        stamp = stamp.item()
    return repr(stamp) if isinstance(stamp, str | int | float) else str(stamp)
