"""Encoding on several cores or machines, on an existing engine."""

from .parquet import encode_parquet

__all__ = ["encode_parquet"]
