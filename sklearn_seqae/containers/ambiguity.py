"""Tables that are read in one way and may be meant in another: what gives them away.

A table is one sequence a row and one step of one channel a column, as everywhere in scikit-learn
where a row is a sample. Tables of steps, one a row, look much the same. What cannot be meant as it
would be read is refused, and what hardly can is read with an `AmbiguousInputWarning`.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from sklearn_seqae.exceptions import AmbiguousInputWarning

from .numeric import is_missing, is_series
from .sequences import Form

# Rows that are asked first: what does not hold for these does not hold for all.
HEAD = 100
# A table with more columns is hardly one of channels, and to try all pairs of them takes seconds.
MOST_COLUMNS = 200
# Fewer rows rise by chance too often.
FEWEST_ROWS = 6
# How often a table of random numbers may pass for one with ids and time stamps.
LEAST_CHANCE = 0.01
_TIMES = (dt.date, dt.time, dt.timedelta, np.datetime64, np.timedelta64)
_TIME_NAMES = (
    "date|datetime|day|days|ds|hour|minute|month|period|quarter|second|seconds|step|t|time|"
    "timestamp|ts|week|year"
)
_NAMED_TIME = re.compile(rf"(?:.*[\W_])?(?:{_TIME_NAMES})", re.IGNORECASE)
_NAMED_ID = re.compile(r"(?i:(?:.*[\W_])?id)|.*[a-z]I[dD]")


def check_frame(X: Any) -> None:
    """Raise, or warn, if the rows or columns of a DataFrame can hardly be sequences or steps."""
    if X.columns.nlevels > 1:
        _check_levels(X)
    _check_rows(X)
    if any(getattr(dtype, "kind", "O") not in "fiub" for dtype in set(X.dtypes)):
        check_kinds(tuple(X.columns), [X.iloc[:, j] for j in range(X.shape[1])])
    _check_names(X.columns)


def check_table(X: Any) -> tuple[str, ...] | None:
    """Do the same for a table of pyarrow or polars; return its names, None if this is none."""
    names = getattr(X, "column_names", getattr(X, "columns", None))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    columns = X.columns if hasattr(X, "column_names") else X.get_columns()
    check_kinds(tuple(names), [np.asarray(column) for column in columns])
    _check_names(names)
    return tuple(names)


def check_kinds(names: tuple[Any, ...], columns: list[Any]) -> None:
    """Raise if columns are of several kinds, as steps of one channel cannot be."""
    kinds = [_kind(column) for column in columns]
    found = {kind: name for name, kind in zip(names[::-1], kinds[::-1], strict=True)}
    found.pop("", None)
    if len(found) < 2:
        return
    in_pandas = all(map(is_series, columns))
    texts = [j for j, kind in enumerate(kinds) if kind == "text"]
    repeats = [j for j in texts if len(set(map(str, columns[j]))) < len(columns[j])]
    time = found.get("time stamps", next(filter(_NAMED_TIME.fullmatch, map(str, names)), None))
    identity = [names[j] for j in repeats if names[j] != time]
    identity += [name for name in names if _NAMED_ID.fullmatch(str(name)) and name != time]
    given = " and ".join(f"{kind} in column {name!r}" for kind, name in found.items())
    if texts and not repeats and "time stamps" not in found:
        name = names[texts[0]]
        index = f"by X.set_index({name!r})" if in_pandas else "or leave it out"
        remedy = f"if column {name!r} names the sequences, make it the index, {index}"
    else:
        chosen = f"id={_named(identity[0] if identity else None)}, time={_named(time)}"
        remedy = f"if each row is a step, containers.from_long(X, {chosen}) reads it so"
    if time is not None and not identity:
        alone = f"[X.set_index({time!r})]" if in_pandas else "[x], with x an array of the others"
        remedy += f"; if all rows are one sequence, pass {alone}"
    raise ValueError(
        "Expected a table with a sequence a row and a step of one channel a column, got "
        f"{given}; {remedy}."
    )


def check_numbers(values: NDArray[Any], names: Sequence[Any]) -> None:
    """Warn if columns of numbers look like ids, time stamps or row numbers.

    Parameters
    ----------
    values : ndarray of shape (n_sequences, n_steps)
        A table.
    names : sequence
        The names of its columns; empty if these have none.
    """
    if len(values) < FEWEST_ROWS - 2 or values.shape[1] < 2 or values.dtype.kind not in "fiu":
        return
    head = values[:HEAD].astype(np.float64)
    whole = (head == np.round(head)).all(axis=0)
    are_named = len(names) > 0 and not _are_alike(names)
    # Steps of one channel are of one kind, and their names count them.
    if not are_named and (whole.all() or not whole.any()):
        return
    shown = [f"column {name!r}" for name in (names if len(names) else range(values.shape[1]))]
    pair = _find_keys(values, head, whole, names if are_named else ())
    if pair is not None:
        identity, time = (shown[j].removeprefix("column ") for j in pair)
        how = f"containers.from_long(X, id={identity}, time={time})"
        _warn(
            f"The columns {identity} and {time} look like the ids and time stamps of steps, as "
            f"{time} rises wherever {identity} is the same, but a row of a table is read as a "
            "sequence, and a column as a step. If each row is a step, "
            f"{'pass ' if len(names) else 'make a DataFrame of X and pass '}{how}"
        )
        return
    position = _find_row_numbers(values, head)
    if position is not None:
        _warn(
            f"The {shown[position]} rises evenly from row to row, as row numbers, ids or time "
            "stamps do, but is read as a step of each sequence, as all columns of a table are. "
            "Leave it out; if each row is a step of one sequence, pass [x] with the other columns"
        )


def check_frames(frames: Sequence[Any]) -> None:
    """Warn if DataFrames, a sequence each, still have a column of ids among their channels.

    Such are the groups of a frame: the column has one value in each, and another in every other.
    """
    filled = [frame for frame in frames if len(frame)]
    if len(filled) < 2:
        return
    for position, name in enumerate(filled[0].columns):
        column = filled[0].iloc[:, position]
        if _kind(column) != "text" and not _NAMED_ID.fullmatch(str(name)):
            continue
        firsts = {frame.iat[0, position] for frame in filled}
        if len(firsts) == len(filled) and all(f.iloc[:, position].nunique() == 1 for f in filled):
            _warn(
                f"The column {name!r} looks like the ids of sequences, as it has one value in each "
                "and another in every other, but is read as a channel. If it is, leave it out: "
                f"[x.drop(columns={name!r}) for x in X]"
            )


def check_series(frame: Any) -> None:
    """Raise, or warn, if a column of a frame with a row per time stamp has the time stamps."""
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        if _kind(column) == "time stamps":
            raise ValueError(
                f"Expected channels in the columns, but {name!r} has time stamps; make them the "
                f"index: X.set_index({name!r})."
            )
        is_named = _NAMED_TIME.fullmatch(str(name)) is not None
        if is_named and len(frame) > 1 and column.is_monotonic_increasing and column.is_unique:
            _warn(
                f"The column {name!r} looks like time stamps, as it rises, but is read as a "
                f"channel. If it has them, make them the index: X.set_index({name!r})"
            )


def check_index(index: Any) -> None:
    """Raise, or warn, if an index of (id, time) is more likely one of (time, id)."""
    first, second = map(_kind, index.levels)
    remedy = "change the levels: X.swaplevel().sort_index()"
    names = [str(name) for name in index.names]
    is_time = _NAMED_TIME.fullmatch(names[1]) is not None
    are_swapped = _NAMED_TIME.fullmatch(names[0]) and _NAMED_ID.fullmatch(names[1])
    if first == "time stamps" and second == "text":
        raise ValueError(
            f"Expected an index of (id, time), got time stamps in its first level, {names[0]}, and "
            f"text in its second one, {names[1]}; {remedy}."
        )
    is_whole = index.levels[1].dtype.kind in "iu"
    if are_swapped or (first == "time stamps" and is_whole and not is_time):
        _warn(
            f"An index is read as one of (id, time), but its first level, {names[0]}, looks like "
            f"the time, and its second one, {names[1]}, like ids. If they are, {remedy}; if not, "
            "name the second one 'step': X.rename_axis(['id', 'step'])"
        )


def refuse_text_column(n_rows: int) -> None:
    """Raise for a table of one column of categories, whose rows would be sequences of one step."""
    raise ValueError(
        f"Expected a step of one channel in every column, got a single column of {n_rows} "
        "categories, each of which would be a sequence of one step; if its rows are the steps of "
        "one sequence, pass [X]; if each text is a sequence of characters, pass [list(text) for "
        "text in column]."
    )


def doubt_one_column(form: Form, n_rows: int) -> None:
    """Warn of a fit on a table of one column, which has next to nothing to learn from."""
    if form.is_wide and form.n_columns == 1 and n_rows > 1:
        _warn(
            f"A table of one column is read as {n_rows} sequences of one step each. If its rows "
            "are the steps of one sequence, pass [X], or pieces of it"
        )


def refuse_one_sequence(form: Form, known: Form, n_rows: int) -> None:
    """Raise for a table of one column where fit saw sequences that were no rows of a table."""
    if form.is_wide and form.n_columns == 1 and not known.is_wide and n_rows > 1:
        raise ValueError(
            f"Expected sequences as fit saw them, got a table of shape ({n_rows}, 1), whose rows "
            "would be sequences of one step each; if it is one sequence of one channel, pass [X]; "
            "if its rows are sequences, pass list(np.asarray(X))."
        )


def _warn(message: str) -> None:
    warnings.warn(f"{message}.", AmbiguousInputWarning, stacklevel=2)


def _kind(column: Any) -> str:
    """Return what a column or level holds: by its dtype, or by the first item that is there."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "mM" or hasattr(column, "asi8"):
        return "time stamps"
    if kind in "fc":
        return "" if np.isnan(column).all() else "numbers"
    if kind in "iub":
        return "numbers"
    head = column.iloc[:HEAD] if is_series(column) else column[:HEAD]
    there = _present(head) or _present(column)
    if not there:
        return ""
    if isinstance(there[0], _TIMES) or hasattr(there[0], "freqstr"):  # the last are pandas' periods
        return "time stamps"
    if not isinstance(there[0], str):
        return "numbers"
    are_dates = all(re.match(r"\d{4}-\d{1,2}-\d{1,2}", str(item)) for item in there)
    return "time stamps" if are_dates else "text"


def _present(column: Any) -> list[Any]:
    """Return the first items that are not missing."""
    items = np.asarray(column, dtype=object)
    return items[~is_missing(items)][:HEAD].tolist()


def _check_levels(X: Any) -> None:
    """Raise if columns have a level of channels beside one of steps."""
    levels = [X.columns.get_level_values(i) for i in range(X.columns.nlevels)]
    kinds = [_kind(level) for level in levels]
    texts = [i for i, kind in enumerate(kinds) if kind == "text" and levels[i].nunique() > 1]
    dates = [i for i, kind in enumerate(kinds) if kind == "time stamps" and not levels[i].is_unique]
    if not texts and not (dates and levels[dates[0]].nunique() > 1):
        return
    others = [i for i in range(len(levels)) if i not in texts] if texts else dates
    step = (dates or others or [len(levels) - 1])[0]
    stacked = f"X.stack({step}, future_stack=True)"
    if _kind(X.index) == "time stamps":
        stacked = f"X.stack({step}, future_stack=True).swaplevel().sort_index()"
        given = "channels and sequences in columns, and steps in rows"
    else:
        given = "channels in one level of its columns and steps in another"
    raise ValueError(
        "Expected a DataFrame with a sequence a row and a step of one channel a column, got one "
        f"of columns of {len(levels)} levels, {list(X.columns.names)}: with {given}, "
        f"{stacked} has an index of (id, time) and a column a channel; steps of two levels become "
        "one by X.set_axis([str(name) for name in X.columns], axis=1)."
    )


def _check_rows(X: Any) -> None:
    """Raise, or warn, if rows have time stamps, as those of one long series do."""
    if len(X) < 2 or _kind(X.index) != "time stamps":
        return
    n_columns = X.shape[1]
    axis = next((str(name) for name in X.columns.names if name is not None), None)
    names_steps = axis is not None and _NAMED_TIME.fullmatch(axis)
    are_alike = n_columns > 1 and (_are_alike(X.columns) or names_steps)
    if n_columns > 1 and (names_steps or _kind(X.columns) == "time stamps" or (are_alike and axis)):
        return
    given = f"time stamps in the index and {n_columns} column(s), {list(X.columns[:3])}"
    identity = next((name for name in X.columns if _names_groups(X[name], name)), None)
    if identity is not None or not X.index.is_unique:
        time = X.index.name or "index"
        raise ValueError(
            f"Expected a DataFrame with a sequence a row and a step a column, got {given}; if each "
            "row is a step of one of several sequences, containers.from_long(X.reset_index(), "
            f"id={_named(identity)}, time={time!r}) reads it so."
        )
    remedy = (
        f"pass [X] if it is one series of {n_columns} channel(s), cut into pieces as "
        "[X[i : i + 100] for i in range(0, len(X), 100)]"
    )
    if n_columns > 1:
        remedy += "; X.T if each column is a sequence; X.rename_axis(columns='step') if each row is"
    if not are_alike:
        raise ValueError(
            f"Expected a DataFrame with a sequence a row and a step a column, got {given}; {remedy}"
            "."
        )
    _warn(f"A DataFrame is read as a sequence a row and a step a column, but has {given}; {remedy}")


def _names_groups(column: Any, name: Any) -> bool:
    """Tell whether a column says to which sequence each row belongs."""
    is_id = _kind(column) == "text" or _NAMED_ID.fullmatch(str(name)) is not None
    return is_id and not column.is_unique


def _check_names(names: Any) -> None:
    """Warn if columns are called by channels as well as by steps, such as x_0, x_1, y_0, y_1."""
    found = [re.fullmatch(r"(.*?)(\d+)", name) for name in names if isinstance(name, str)]
    numbers = defaultdict(set)
    for match in found:
        if match is None:
            return
        numbers[match[1]].add(match[2])
    first = next(iter(numbers.values()), set())
    stems = list(numbers)
    are_same = len(found) == len(names) and all(steps == first for steps in numbers.values())
    if len(first) < 2 or not are_same or _are_alike(stems):
        return
    _warn(
        f"Columns called {stems[0]}{min(first)} and {stems[1]}{min(first)} look like steps of "
        f"{len(stems)} channels, but all are read as steps of one. If they are not, give an array "
        "(n_sequences, n_steps, n_channels), or a long DataFrame, as pd.wide_to_long makes"
    )


def _named(name: Any) -> str:
    return "..." if name is None else repr(name)


def _are_alike(names: Sequence[Any]) -> bool:
    """Tell whether names differ in their numbers only, as those of steps do."""
    return len({re.sub(r"\d+", "", str(name)) for name in names}) <= 1


def _find_keys(
    values: NDArray[Any], head: NDArray[np.float64], whole: NDArray[np.bool_], names: Sequence[Any]
) -> tuple[int, int] | None:
    """Return the columns of ids and time stamps: the second rises wherever the first is the same.

    What random numbers would do as well is taken for it only if the columns are called so.
    """
    identities = np.flatnonzero(whole)
    times = np.arange(values.shape[1]) if len(names) else identities
    n_pairs = len(identities) * len(times)
    if not 3 <= values.shape[1] <= MOST_COLUMNS:
        return None
    for i in identities.tolist():
        rising = times[_rises_within(head[:, i], head[:, times])].tolist()
        counts = np.unique(values[:, i] if rising else (), return_counts=True)[1]
        if len(counts) < 2 or counts.max() < 2:
            continue
        for j in rising:
            if i == j or not _rises_within(values[:, i], values[:, [j]])[0]:
                continue
            are_called = len(names) > 0 and (
                _NAMED_ID.fullmatch(str(names[i])) or _NAMED_TIME.fullmatch(str(names[j]))
            )
            # Of all orders of the rows of a group one rises.
            if are_called or gammaln(counts + 1).sum() > np.log(n_pairs / LEAST_CHANCE):
                return i, j
    return None


def _rises_within(ids: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which columns rise wherever two rows that follow each other have the same id."""
    order = np.argsort(ids, kind="stable")
    same = ids[order][1:] == ids[order][:-1]
    before, after = columns[order][:-1][same], columns[order][1:][same]
    return np.asarray((after > before).all(axis=0))


def _find_row_numbers(values: NDArray[Any], head: NDArray[np.float64]) -> int | None:
    """Return the only column that rises by the same amount from each row to the next."""
    if len(values) < FEWEST_ROWS:
        return None
    even = np.flatnonzero(_is_even(head))
    if len(even) != 1 or not _is_even(values[:, even].astype(np.float64))[0]:
        return None
    return int(even[0])


def _is_even(columns: NDArray[np.float64]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):  # of infinite values
        steps = np.diff(columns, axis=0)
        off = np.abs(steps - steps[0])
    return np.asarray((steps[0] > 0) & (off <= 1e-6 * steps[0]).all(axis=0))
