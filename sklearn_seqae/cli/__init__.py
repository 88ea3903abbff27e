"""The command line `seqae`: its commands, and the tables that they read and write.

`sklearn_seqae.__main__` parses arguments and calls `commands`; `tables` reads and writes CSV,
Parquet and NPZ in chunks of whole sequences.
"""
