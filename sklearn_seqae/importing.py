"""Importing what is not always needed, when it first is: Keras, TensorFlow, optional packages."""

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

# The extra of this package that installs an optional one.
_EXTRAS = {"pandas": "pandas", "polars": "polars", "pyarrow": "arrow", "awkward": "awkward"}


def load(name: str) -> Any:
    """Import an optional package, or say how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Expected the package {name}, which this container needs, got none ({error}); install "
            f'it by pip install "sklearn-seqae[{_EXTRAS[name.partition(".")[0]]}]".'
        ) from error


def load_keras() -> None:
    """Import Keras and scikeras, and TensorFlow with them, without its start-up lines.

    TensorFlow writes some to the process's standard error before any setting of its own is read, so
    they are kept from getting there; an import that fails shows what was written.
    """
    if "scikeras.wrappers" in sys.modules:
        return
    with _captured_stderr():
        import scikeras.wrappers  # noqa: F401  (imports keras and tensorflow)


@contextlib.contextmanager
def _captured_stderr() -> Iterator[None]:
    sys.stderr.flush()
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    saved = os.dup(2)
    try:
        with tempfile.TemporaryFile() as captured:
            os.dup2(captured.fileno(), 2)
            try:
                yield
            except BaseException:
                captured.seek(0)
                os.write(saved, captured.read())
                raise
            finally:
                os.dup2(saved, 2)
    finally:
        os.close(saved)
        if level is None:
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]
