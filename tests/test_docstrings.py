"""Public docstrings are whole by numpydoc's own rules, without exception.

That includes an extended summary, a "See Also" and an example for each method; that examples run is
seen to by --doctest-modules.
"""

import inspect

import pytest
from numpydoc.validate import validate

import sklearn_seqae
from sklearn_seqae import containers, datasets, distributed, exceptions, streaming

OBJECTS = {
    **{
        f"sklearn_seqae.exceptions.{name}": getattr(exceptions, name)
        for name in ("NothingLearnedWarning", "OverlapWarning", "FileFormatError", "UntrustedError")
    },
    **{
        f"sklearn_seqae.{name}": getattr(sklearn_seqae, name)
        for name in sklearn_seqae.__all__
        if not inspect.ismodule(getattr(sklearn_seqae, name))
    },
    **{
        f"sklearn_seqae.containers.{name}": getattr(containers, name) for name in containers.__all__
    },
    **{f"sklearn_seqae.datasets.{name}": getattr(datasets, name) for name in datasets.__all__},
    "sklearn_seqae.distributed.encode_parquet": distributed.encode_parquet,
    "sklearn_seqae.streaming.ParquetSequences": streaming.ParquetSequences,
}


def members(name, thing):
    """Return the names of an object and of its public methods that this package defines."""
    if not inspect.isclass(thing):
        return [name]
    ours = [vars(base) for base in thing.__mro__ if base.__module__.startswith("sklearn_seqae")]
    methods = {
        method
        for known in ours
        for method in known
        # scikit-learn adds `set_..._request` to classes, and its docstring too.
        if not method.startswith("_") and not method.endswith("_request")
    }
    return [name, *(f"{name}.{method}" for method in sorted(methods))]


@pytest.mark.parametrize("name", [m for item in OBJECTS.items() for m in members(*item)])
def test_a_public_docstring_follows_numpydoc(name):
    assert not validate(name)["errors"]
