"""Files of fitted estimators: one zip of a JSON manifest and arrays, safe to read from strangers.

`save` writes and `load` (public) reads. What a file may hold is a schema; names of functions and
classes are looked up in an allowlist; `versions` turns older formats into the present one.
"""
