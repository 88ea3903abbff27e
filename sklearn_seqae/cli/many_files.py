"""Folders and patterns of Parquet files, which are read part by part, and workers that do so."""

from __future__ import annotations

import contextlib
import glob
import logging
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sklearn_seqae._utils.optional_imports import load as load_package

from .table_files import STREAM


def names_many(path: str) -> bool:
    """Tell whether a path is a folder, or a pattern that is no file."""
    return path != STREAM and (
        Path(path).is_dir() or (glob.has_magic(path) and not Path(path).is_file())
    )


def check_options(options: Namespace) -> None:
    """Raise if an option is given that needs all data in memory, or another format."""
    if options.format not in (None, "parquet"):
        raise ValueError(
            f"Expected Parquet files in {options.data!r}, got --format {options.format}: give a "
            "single file, or write Parquet."
        )
    if getattr(options, "categorical", ()):
        raise ValueError(
            f"Expected no --categorical with {options.data!r}, got {options.categorical}: write "
            "these columns as text."
        )


@contextlib.contextmanager
def workers(n: int | None) -> Iterator[Any]:
    """Start so many processes of Dask, and yield their client; None without a number."""
    if n is None:
        yield None
        return
    distributed = load_package("distributed")
    if n < 1:
        raise ValueError(f"Expected --workers of 1 or more, got {n}: give a number of processes.")
    with (
        distributed.LocalCluster(
            n_workers=n,
            threads_per_worker=1,
            dashboard_address=":0",  # any port
            silence_logs=logging.ERROR,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
