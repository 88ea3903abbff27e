"""Files of fitted estimators: one zip of a JSON manifest and arrays, safe to read from strangers.

`schema` defines the values of a file, `encoder` and `decoder` convert them, `archive` reads and
writes the zip. Functions and classes are looked up in `allowlist`; `versions` upgrades older
formats. `estimators.save` and `estimators.load` (public) use these.
"""
