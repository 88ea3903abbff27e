"""Atomic writing of files: a reader finds the whole file or none."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from typing import IO, Any


@contextlib.contextmanager
def replacing(path: Any) -> Iterator[IO[bytes]]:
    """Open a temporary file for writing, which replaces the one at the path at the end.

    After an error the old file is unchanged, and the temporary one is removed.

    Parameters
    ----------
    path : str or PathLike
        The target of a link is replaced, not the link. Permissions of an old file are kept.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(
            f"Expected a path, got {path!r}: give a str or pathlib.Path, such as 'encoder.onnx'."
        )
    path = os.path.realpath(os.fsdecode(path))
    folder, name = os.path.split(path)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "Expected the path of a file, got a folder", path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "Expected a folder that is there, got", folder)
    mode = None
    if os.path.exists(path):
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):  # a device would be replaced by a file
            raise ValueError(
                f"Expected the path of a regular file, got {path!r}, which is none: give another "
                "path, or an open file object."
            )
    # In the same folder, as a rename is atomic only within one file system.
    beside = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(beside, flags, 0o666), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    if os.name == "posix":  # makes the rename durable, too
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
