"""Files of tables: their formats, how they are opened, and errors for damaged ones."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sklearn_seqae._utils.atomic_write import replacing
from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae._utils.printing import one_line

FORMATS = ("csv", "parquet", "npz")
STREAM = "-"
# Maximum length of the errors of other libraries that is shown.
REASON_LENGTH = 300


@dataclass(frozen=True)
class File:
    """A file of a table, or a stream.

    Parameters
    ----------
    path : str
        Path of the file; "-" is a stream.
    form : str
        One of `FORMATS`.
    delimiter : str, default=","
        Delimiter of the columns of CSV.
    """

    path: str
    form: str
    delimiter: str = ","

    @classmethod
    def of(cls, path: str, form: str | None, delimiter: str) -> File:
        """Return a file of the given format, else that of its suffix, else CSV for a stream."""
        if form is None:
            form = "csv" if path == STREAM else _suffixes(path)[0].removeprefix(".")
        if form not in FORMATS:
            raise ValueError(
                f"Expected a file that ends in .csv, .csv.gz, .parquet or .npz, got {path!r}: "
                "rename it, or give its format by --format."
            )
        if form != "csv" and _suffixes(path)[1]:
            raise ValueError(
                f"Expected a file of format {form} that is not compressed as a whole, got "
                f"{path!r}: unpack it first."
            )
        return cls(path, form, delimiter)

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the file for reading, decompressed."""
        with contextlib.ExitStack() as stack:
            source: Any = sys.stdin.buffer
            if self.path != STREAM:
                with self.readable():
                    source = stack.enter_context(open(self.path, "rb"))
                    source = stack.enter_context(self._compression(source, "r"))
            if self.form != "csv" and not source.seekable():  # their index is at the end
                source = io.BytesIO(source.read())
            yield source

    @contextlib.contextmanager
    def replaced(self) -> Iterator[IO[bytes]]:
        """Open the file, which is replaced once it is complete, or the stream, for writing."""
        if self.path == STREAM:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        with replacing(self.path) as file, self._compression(file, "w") as sink:
            yield sink

    @property
    def _compression(self) -> Callable[[IO[bytes], Any], Any]:
        return _COMPRESSIONS[_suffixes(self.path)[1]]

    @contextlib.contextmanager
    def readable(self) -> Iterator[None]:
        """Convert errors of libraries that cannot read a file to a ValueError of one line."""
        try:
            yield
        except Exception as error:  # libraries raise any error for damaged files
            is_access = isinstance(error, OSError) and error.errno is not None
            if is_access or isinstance(error, ImportError):
                raise
            raise ValueError(
                f"Expected a whole file of format {self.form}, got {self.path!r}, which cannot be "
                f"read ({one_line(error)[:REASON_LENGTH] or type(error).__name__}): get it again, "
                "or give its format by --format."
            ) from error


def _suffixes(path: str) -> tuple[str, str]:
    """Return the suffixes of format and compression; the latter may be empty."""
    *_, before, last = "", "", *(suffix.lower() for suffix in Path(path).suffixes)
    return (before, last) if last in _COMPRESSIONS else (last, "")


@contextlib.contextmanager
def _zip(file: IO[bytes], mode: Any) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(file, mode, zipfile.ZIP_DEFLATED) as archive:
        members = archive.namelist() if mode == "r" else ["table.csv"]
        if len(members) != 1:
            raise ValueError(f"it has {len(members)} files in it, not one")
        with archive.open(members[0], mode) as member:
            yield member


def _zstandard(file: IO[bytes], mode: str) -> Any:
    if mode == "w":  # Arrow would close the file before it is replaced
        raise ValueError(
            "Expected a file to write that ends in .csv, .csv.gz, .csv.bz2, .csv.xz or .csv.zip, "
            "got one that ends in .zst, which is only read: give another name."
        )
    return load("pyarrow").CompressedInputStream(file, "zstd")


# Functions that open a compressed file for reading ("r") or writing ("w"), by suffix.
_COMPRESSIONS: dict[str, Callable[[IO[bytes], Any], Any]] = {
    "": lambda file, mode: contextlib.nullcontext(file),
    ".gz": lambda file, mode: gzip.GzipFile("", mode + "b", fileobj=file, mtime=0),
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zip": _zip,
    ".zst": _zstandard,
}
