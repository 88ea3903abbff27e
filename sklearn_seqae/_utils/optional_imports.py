"""Lazy imports of Keras, TensorFlow and optional packages, at first need."""

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

# The extra of this package that installs an optional one.
_EXTRAS = {
    "pandas": "pandas",
    "polars": "polars",
    "pyarrow": "arrow",
    "awkward": "awkward",
    "dask": "dask",
    "distributed": "dask",
}


def load(name: str) -> Any:
    """Import an optional package; the error names the extra that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Expected the package {name}, which this container needs, got none ({error}); install "
            f'it by pip install "sklearn-seqae[{_EXTRAS[name.partition(".")[0]]}]".'
        ) from error


def load_keras() -> None:
    """Import Keras and, where that is its backend, TensorFlow, without its start-up lines.

    TensorFlow writes some to the process's standard error before any setting of its own is read, so
    they are kept from getting there; an import that fails shows what was written.
    """
    if "keras" in sys.modules:
        return
    with _captured_stderr():
        import keras  # noqa: F401 (which loads it)


def check_process() -> None:
    """Raise in a process that was forked after TensorFlow had started.

    Its graphs would wait there for ever, for threads that a fork does not have.
    """
    if _is_stranded:
        raise RuntimeError(
            "Expected a process in which TensorFlow can run, got one that was forked after it had "
            "started in the parent, where it would wait for ever: start processes afresh, by "
            "joblib's default backend 'loky' or multiprocessing.get_context('spawn'). Built-in "
            "networks encode and decode in any process."
        )


def _note_fork() -> None:
    global _is_stranded
    eager: Any = sys.modules.get("tensorflow.python.eager.context")
    context = None if eager is None else eager.context_safe()
    if context is not None and context._context_handle is not None:
        _is_stranded = True


_is_stranded = False
if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(after_in_child=_note_fork)


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
