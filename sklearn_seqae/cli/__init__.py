"""The command line `seqae`: what each command does, and the tables that it reads and writes.

`sklearn_seqae.__main__` parses arguments and calls `commands`; `tables` reads and writes CSV,
Parquet and NPZ in pieces of whole sequences.
"""
