"""Parquet files of one schema: which there are, their row groups, and errors for damaged ones."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers.arrow_types import is_list

SUFFIXES = (".parquet", ".parq", ".pq")
# Values of channels that are read at once. A row group may have any number of them.
VALUES_AT_ONCE = 1 << 20
# pandas writes the index of a DataFrame as columns of such names, if it has none itself.
INDEX_NAME = "__index_level_"
# Maximum length of an error of Arrow, and of the names of columns, that is shown.
SHOWN_LENGTH = 200


@dataclass(frozen=True)
class RowGroup:
    """A row group of a file.

    Parameters
    ----------
    file : int
        Index of the file.
    number : int
        Index of the row group in its file.
    n_rows : int
    rows_at_once : int
        Number of rows that are read together.
    """

    file: int
    number: int
    n_rows: int
    rows_at_once: int


@dataclass(frozen=True)
class ParquetFiles:
    """Files of one schema, in the order of their paths.

    Parameters
    ----------
    paths : tuple of str
    states : tuple of (int, int)
        Size and time of the last change of each file, when it was opened first.
    groups : tuple of RowGroup
        Those with rows, of all files.
    channels : tuple of str
        The columns with values.
    is_long : bool
        Whether a row is a step; otherwise it is a sequence, and values are lists.
    id_field : pyarrow.Field or None
        Name and type of the column with ids.
    """

    paths: tuple[str, ...]
    states: tuple[tuple[int, int], ...]
    groups: tuple[RowGroup, ...]
    channels: tuple[str, ...]
    is_long: bool
    id_field: Any

    @classmethod
    def find(
        cls,
        path: Any,
        id: Any,  # noqa: A002 (what it is called everywhere)
        channels: Any,
        time: Any,
    ) -> ParquetFiles:
        """Open the files at a path, and check the columns in each of them."""
        paths = [os.path.abspath(one) for one in list_files(path)]  # for workers elsewhere
        keys = [name for name in (id, time) if name is not None]
        first: dict[str, Any] = {}
        states, groups = [], []
        for i, name in enumerate(paths):
            states.append(_state(name))
            with readable(name):
                reader = load("pyarrow.parquet").ParquetFile(name)
            with reader:
                schema, metadata = reader.schema_arrow, reader.metadata
                if not first and channels is None:
                    known = [n for n in schema.names if not n.startswith(INDEX_NAME)]
                    channels = [n for n in known if n not in keys]
                found = _columns(schema, [*keys, *channels], name)
                first = first or found
                _check_schema(found, first, name, paths[0])
                sizes = [metadata.row_group(j) for j in range(metadata.num_row_groups)]
            for j, size in enumerate(sizes):
                if size.num_rows:
                    at_once = _rows_at_once(size, channels)
                    groups.append(RowGroup(i, j, size.num_rows, at_once))
        if not groups:
            raise ValueError(f"Expected rows in {os.fspath(path)!r}, got none: give other files.")
        is_long = _is_long(first, list(channels), paths[0])
        if is_long and id is None:
            raise ValueError(
                f"Expected the column with the ids of sequences, as each row of {paths[0]!r} is a "
                f"step, got id=None: give it, one of {_shown(list(first))}."
            )
        if not is_long and time is not None:
            raise ValueError(
                f"Expected time=None, as each row of {paths[0]!r} is a whole sequence, got "
                f"time={time!r}: steps of lists have no time stamps; leave it out."
            )
        field = None if id is None else load("pyarrow").field(id, _plain(first[id]))
        return cls(tuple(paths), tuple(states), tuple(groups), tuple(channels), is_long, field)

    @property
    def relative_paths(self) -> list[str]:
        """The paths of the files without the folder that they have in common."""
        folder = os.path.commonpath([os.path.dirname(one) for one in self.paths])
        return [os.path.relpath(one, folder) for one in self.paths]

    def read(self, group: RowGroup, columns: list[str]) -> Iterator[Any]:
        """Yield record batches of a row group, with these columns."""
        path = self.paths[group.file]
        if _state(path) != self.states[group.file]:
            raise ValueError(
                f"Expected the file {path!r} as it was when it was first read, got another one: "
                "make a new ParquetSequences."
            )
        # Without `pre_buffer` no more is in memory than a batch: a whole group may be large.
        reader = load("pyarrow.parquet").ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        with reader:
            batches = reader.iter_batches(
                group.rows_at_once, row_groups=[group.number], columns=columns, use_threads=False
            )
            while True:
                with readable(path, group.number):
                    batch = next(batches, None)
                if batch is None:
                    return
                yield batch


def list_files(path: Any) -> list[str]:
    """Return the files that a path, a folder or a pattern stands for, in the order of names."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"Expected the path of a Parquet file, of a folder or a pattern, got {path!r}: give a "
            "str or pathlib.Path, such as 'data/*.parquet'."
        )
    text = os.fspath(path)
    if os.path.isfile(text):
        return [text]
    if os.path.isdir(text):
        found = [
            one
            for one in Path(text).rglob("*")
            if one.suffix in SUFFIXES
            and one.is_file()
            and not any(name.startswith((".", "_")) for name in one.relative_to(text).parts)
        ]
        if not found:
            raise ValueError(
                f"Expected a folder with files that end in {', '.join(SUFFIXES)}, got {text!r} "
                "without any: give another folder, or a pattern such as 'data/*.data'."
            )
        return sorted(map(str, found))
    matched = sorted(one for one in glob.glob(text, recursive=True) if os.path.isfile(one))
    if not matched:
        raise FileNotFoundError(
            f"Expected a file, a folder or a pattern that matches files, got {text!r}, which leads "
            "to none: check the path."
        )
    return matched


@contextlib.contextmanager
def readable(path: str, group: int | None = None) -> Iterator[None]:
    """Convert errors of Arrow for damaged files to a ValueError that names file and row group."""
    try:
        yield
    except (OSError, ValueError, MemoryError) as error:  # those of Arrow derive from these
        if isinstance(error, OSError) and error.errno is not None:
            raise
        where = f"{path!r}" if group is None else f"row group {group} of {path!r}"
        reason = " ".join(str(error).split())[:SHOWN_LENGTH]
        raise ValueError(
            f"Expected a whole Parquet file, but {where} cannot be read ({reason}): write the file "
            "again, or take it away."
        ) from error


def _state(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _columns(schema: Any, names: list[str], path: str) -> dict[str, Any]:
    """Return the types of columns, or raise if one is missing."""
    missing = [name for name in names if schema.names.count(name) != 1]
    if missing:
        raise ValueError(
            f"Expected one column {missing[0]!r} in each file, got {path!r} with the columns "
            f"{_shown(schema.names)}: name columns that all files have, or give other files."
        )
    return {name: schema.field(name).type for name in names}


def _check_schema(found: dict[str, Any], first: dict[str, Any], path: str, other: str) -> None:
    for name, kind in found.items():
        if _plain(kind) != _plain(first[name]):
            raise ValueError(
                f"Expected the same type of column {name!r} in all files, got {first[name]} in "
                f"{other!r} and {kind} in {path!r}: write the files with one schema."
            )


def _plain(kind: Any) -> Any:
    """Return a type without the dictionary in which its values may be encoded."""
    return kind.value_type if load("pyarrow.types").is_dictionary(kind) else kind


def _is_long(types: dict[str, Any], channels: list[str], path: str) -> bool:
    lists = [name for name in channels if is_list(types[name])]
    if not channels:
        raise ValueError(
            f"Expected columns with values in {path!r}, got only those of ids and time stamps: "
            "name others as channels."
        )
    if lists and len(lists) < len(channels):
        others = [name for name in channels if name not in lists]
        raise ValueError(
            f"Expected lists in all columns of values, or in none, got {_shown(others)} without "
            f"in {path!r}: name those of lists as channels, or one of the others as id."
        )
    return not lists


def _rows_at_once(group: Any, channels: Any) -> int:
    """Return how many rows of a group have about `VALUES_AT_ONCE` values."""
    n_values = 0
    for j in range(group.num_columns):
        column = group.column(j)
        if any(f"{column.path_in_schema}.".startswith(f"{name}.") for name in channels):
            n_values += column.num_values
    return max(1, min(group.num_rows, VALUES_AT_ONCE * group.num_rows // max(1, n_values)))


def _shown(names: list[str]) -> str:
    text = str(list(names))
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]} ..."
