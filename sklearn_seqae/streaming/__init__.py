"""Data larger than memory: sequences in Parquet files, read part by part."""

from .parquet_sequences import ParquetSequences

__all__ = ["ParquetSequences"]
