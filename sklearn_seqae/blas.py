"""Matrix products that stay in the thread that asks for them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_limits: list[Any] = []  # what takes the limit back, and how many callers want it


@contextmanager
def single_threaded() -> Iterator[None]:
    """Hold NumPy's and SciPy's BLAS to one thread.

    Small products are slower shared out, on busy cores by far, and how they are shared out must not
    change their last bits. The limit is the process's: the first of several callers sets it, and
    the last one takes it back.
    """
    with _lock:
        if not _limits:
            _limits.extend([_controller().limit(limits=1, user_api="blas"), 0])
        _limits[1] += 1
    try:
        yield
    finally:
        with _lock:
            _limits[1] -= 1
            if not _limits[1]:
                _limits[0].restore_original_limits()
                _limits.clear()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
