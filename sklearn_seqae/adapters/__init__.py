"""Detectors of anomalies in long series with the interfaces of aeon and sktime."""

import importlib
from typing import Any

__all__ = ["AeonDetector", "SktimeDetector"]

# The module of each, which imports the package that it is for, and is imported when first used.
_PACKAGES = {"AeonDetector": "aeon", "SktimeDetector": "sktime"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    package = _PACKAGES[name]
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise ImportError(
            f"Expected the package {package}, which {name} is for, got none ({error}); install it "
            f"by pip install {package}."
        ) from error
    return getattr(importlib.import_module(f".for_{package}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
