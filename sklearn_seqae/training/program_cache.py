"""The cache of programs: what was traced or compiled once serves any number of fits."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import contextmanager
from typing import Any

MAX_CACHED = 16


class Cache:
    """The most recently used programs that are idle, by key; safe for threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._idle: OrderedDict[Hashable, list[Any]] = OrderedDict()

    @contextmanager
    def lend(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Lend a program that has state; it is returned when the block ends.

        A second thread that wants the same one meanwhile gets one of its own.
        """
        with self._lock:
            program = self._idle[key].pop() if key in self._idle else None
            self._drop_if_empty(key)
        if program is None:
            program = make()
        yield program
        # Not taken back after an error: its state is unknown.
        self._put(key, program)

    def share(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return a program without state, which any number of threads may use at once."""
        with self._lock:
            if key in self._idle:
                self._idle.move_to_end(key)
                return self._idle[key][-1]
        program = make()  # which takes seconds: two threads may both do it, but none waits
        self._put(key, program)
        return program

    def _put(self, key: Hashable, program: Any) -> None:
        with self._lock:
            self._idle.setdefault(key, []).append(program)
            self._idle.move_to_end(key)
            while sum(map(len, self._idle.values())) > self.size:
                oldest = next(iter(self._idle))
                self._idle[oldest].pop()
                self._drop_if_empty(oldest)

    def _drop_if_empty(self, key: Hashable) -> None:
        if not self._idle.get(key, True):
            del self._idle[key]


programs = Cache(MAX_CACHED)
