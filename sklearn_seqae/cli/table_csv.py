"""CSV tables, read in chunks by Arrow, which raises an error for truncated rows."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from sklearn_seqae._utils.optional_imports import load

from .table_files import File

if TYPE_CHECKING:
    import pandas as pd

# Number of bytes that are read at once.
BLOCK_BYTES = 1 << 23
_IN_COLUMN = re.compile(r"In CSV column #(\d+): (?:Row #\d+: )?CSV conversion error to (\w+): (.*)")


def read_csv(
    file: File,
    text: set[str] | None,
    numbers: set[str],
    chosen: list[str] | None,
    n_rows: int | None,
    has_dates: bool = False,
) -> Iterator[pd.DataFrame]:
    """Yield chunks of a table; one without rows if it is empty, or lacks a chosen column.

    In a column of text only empty values are missing, and "NA" is text; in columns of numbers NA,
    NaN, null and the like are missing.

    Parameters
    ----------
    file : File
    text : set of str or None
        Columns of text. If None, all but those of numbers.
    numbers : set of str
        Columns of numbers. Types of other columns are inferred, which requires the whole table.
    chosen : list of str or None
        The columns to read; None for all.
    n_rows : int or None
        Maximum number of rows of a chunk; None for the whole table.
    has_dates : bool, default=False
        Whether columns whose type is inferred may be dates.
    """
    pa, arrow_csv = load("pyarrow"), load("pyarrow.csv")
    with file.opened() as opened:
        source: Any = io.BufferedReader(opened)
        with file.readable():
            names = _header(source, file.delimiter)
            is_empty = not source.peek(1)
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"Expected columns of different names in {file.path!r}, got {repeated[0]!r} more "
                "than once: rename them."
            )
        chosen = names if chosen is None else chosen
        if "" in chosen:  # as pandas writes the index
            raise ValueError(
                f"Expected a name for every column of {file.path!r}, got none for number "
                f"{names.index('') + 1}: name it, leave it out, or name the others by --channels."
            )
        if is_empty or not set(chosen) <= set(names):
            yield load("pandas").DataFrame(columns=names)
            return
        text = set(chosen) - numbers if text is None else text
        types = dict.fromkeys(numbers, pa.float64()) | dict.fromkeys(text, pa.string())
        options = {
            "read_options": arrow_csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES),
            "parse_options": arrow_csv.ParseOptions(
                delimiter=file.delimiter, newlines_in_values=True
            ),
            "convert_options": arrow_csv.ConvertOptions(
                include_columns=chosen, column_types=types, true_values=[], false_values=[]
            ),
        }
        if n_rows is None or not set(chosen) <= types.keys():
            with _columns_named(file, names):
                table = arrow_csv.read_csv(source, **options)
            yield from _frames(file, table, n_rows, has_dates)
            return
        with _columns_named(file, names):
            reader = arrow_csv.open_csv(source, **options)
        while True:
            with _columns_named(file, names):
                batch = next(reader, None)
            if batch is None:
                return
            yield from _frames(file, pa.Table.from_batches([batch]), n_rows)


def _header(source: IO[bytes], delimiter: str) -> list[str]:
    """Read the names of the columns, which may span several lines."""
    lines = iter(lambda: source.readline().decode("utf-8-sig"), "")
    names = next(csv.reader(lines, delimiter=delimiter), [])
    if not names:
        raise ValueError("it is empty")
    return names


@contextlib.contextmanager
def _columns_named(file: File, names: list[str]) -> Iterator[None]:
    """Add the name of the column to errors of conversion."""
    try:
        with file.readable():
            yield
    except ValueError as error:
        found = _IN_COLUMN.match(str(error.__cause__))
        if found is None:
            raise
        expected = "numbers" if found[2] == "double" else "text in UTF-8"
        raise ValueError(
            f"Expected {expected} in column {names[int(found[1])]!r} of {file.path!r}, got "
            f"{found[3][:60]}: correct it, or leave empty what is missing."
        ) from error


def _frames(
    file: File, table: Any, n_rows: int | None, has_dates: bool = False
) -> Iterator[pd.DataFrame]:
    """Yield chunks of an Arrow table, with empty text as missing values."""
    pa, compute = load("pyarrow"), load("pyarrow.compute")
    for i, field in enumerate(table.schema):
        column = table.column(i)
        if has_dates and pa.types.is_temporal(field.type):
            continue
        if pa.types.is_temporal(field.type) or pa.types.is_binary(field.type):
            given = "dates" if pa.types.is_temporal(field.type) else "bytes that are not UTF-8"
            raise ValueError(
                f"Expected numbers or text in column {field.name!r} of {file.path!r}, got {given}: "
                "name the column of time stamps by --time, or those of values by --channels."
            )
        if pa.types.is_string(field.type):
            is_empty = compute.equal(column, "")
            column = compute.if_else(is_empty, pa.scalar(None, pa.string()), column)
        elif pa.types.is_null(field.type):
            column = column.cast(pa.float64())
        table = table.set_column(i, field.name, column)
    step = n_rows or max(1, len(table))
    for start in range(0, len(table), step):
        yield table.slice(start, step).to_pandas()
