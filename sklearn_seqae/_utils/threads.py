"""Contexts that limit threads: those of BLAS to one, those of this package to a number."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cache

from joblib import cpu_count
from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_most: ContextVar[int | None] = ContextVar("most", default=None)
_holds: ContextVar[bool] = ContextVar("holds", default=False)


def n_threads() -> int:
    """Return how many threads may work for the calling one.

    The processes that joblib starts find their share of the cores in an environment variable, as
    libraries that use OpenMP do.
    """
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    cores = _n_cores()
    share = int(given) if given.isdecimal() else 0
    return _most.get() or min(cores, share or cores)


@cache
def _n_cores() -> int:
    """Return how many cores this process may use, which takes joblib 0.2 ms to find out."""
    return int(cpu_count())


@contextmanager
def at_most(n: int) -> Iterator[None]:
    """Limit the threads that work for the calling one."""
    token = _most.set(n)
    try:
        yield
    finally:
        _most.reset(token)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Limit BLAS of NumPy and SciPy to one thread, if the calling thread may.

    It is for speed: small products are slower with several threads, especially on busy cores.

    Most builds of BLAS have one limit for the process. Whoever finds it at one leaves it alone, and
    whoever lowers it raises it again, in the same thread, so it ends as it was, in whatever order
    threads come and go. A thread may go on without it when another is done: what takes long asks
    anew for each batch. While a thread of the user's holds a limit, threadpoolctl lets no other
    change it.
    """
    if _holds.get():
        yield
        return
    with ExitStack() as stack:
        lowered = []
        with _lock:
            for library in _blas().lib_controllers:
                if library.num_threads != 1:
                    alone = _blas().select(filepath=library.filepath)
                    limiter = alone.limit(limits=1, user_api="blas")
                    lowered.append(library.num_threads == 1)
                    if lowered[-1]:  # else it is not this thread's to change
                        stack.enter_context(limiter)
        # Nobody else raises what this thread has lowered, so it need not ask again meanwhile.
        token = _holds.set(len(lowered) == len(_blas().lib_controllers) and all(lowered))
        try:
            yield
        finally:
            _holds.reset(token)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")
