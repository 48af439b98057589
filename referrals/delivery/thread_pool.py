"""The threads that send: work goes in through a queue, results come back through a deque.

They touch no database. The thread that collects takes all that finished while it was busy, because
it shares the GIL with those that send. A signal or a job's timeout may interrupt it anywhere; what
is in flight is still collected.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")

_RECENT_SECONDS = 0.1
_CLOSE_TIMEOUT_SECONDS = 1.0
_SLOW_SECONDS = 0.25
_MAX_SLOW_FACTOR = 3
"""A thread that has waited for _SLOW_SECONDS costs next to nothing, so another takes its place; at
most so many times the number of threads are replaced."""


class ThreadPool(Generic[ResultT]):
    """A bounded pool of threads, started only as work needs them."""

    def __init__(self, max_threads: int) -> None:
        self._max_threads = max_threads
        self._work: SimpleQueue[Callable[[], ResultT] | None] = SimpleQueue()
        self._results: deque[ResultT] = deque()
        self._failures: deque[BaseException] = deque()
        self._finished = threading.Event()
        self._threads: list[threading.Thread] = []
        self._began_at: dict[int, float] = {}
        self._collected: deque[tuple[float, int]] = deque()
        self.in_flight = 0
        """How many pieces of work were submitted and not yet collected."""

    @property
    def free(self) -> int:
        """Return how many more pieces of work would begin at once; finished ones take no thread."""
        return self._allowed() - self.in_flight + len(self._results)

    @property
    def finished_recently(self) -> int:
        """Return how many results were collected within the last tenth of a second."""
        long_ago = time.monotonic() - _RECENT_SECONDS
        while self._collected and self._collected[0][0] < long_ago:
            self._collected.popleft()
        return sum(count for _, count in self._collected)

    def close(self) -> None:
        """Let the threads end once their work is done, and wait a moment for that."""
        self._work.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_CLOSE_TIMEOUT_SECONDS)

    def submit(self, work: Callable[[], ResultT]) -> None:
        """Have the work done by the next free thread."""
        # Increment before put(), so that a signal between the two can't leave work uncounted.
        self.in_flight += 1
        self._work.put(work)
        if len(self._threads) < min(self._max_threads, self.in_flight):
            self._start_threads()

    def collect(self, timeout: float) -> list[ResultT]:
        """Return what has finished, after waiting up to `timeout` seconds for the first result.

        Raise what work raised, one exception at a time, once no result is left to return.
        """
        self._start_threads()
        if not self._results and not self._failures:
            self._finished.wait(timeout)
        self._finished.clear()
        results = []
        while self._results:
            results.append(self._results.popleft())
        self.in_flight -= len(results)
        self._collected.append((time.monotonic(), len(results)))
        if self._failures and not results:
            self.in_flight -= 1
            raise self._failures.popleft()
        return results

    def _start_threads(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while len(self._threads) < min(self._allowed(), self.in_flight):
            thread = threading.Thread(target=self._run, name="sender", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _allowed(self) -> int:
        long_ago = time.monotonic() - _SLOW_SECONDS
        slow = sum(began_at < long_ago for began_at in list(self._began_at.values()))
        return self._max_threads + min(slow, _MAX_SLOW_FACTOR * self._max_threads)

    def _run(self) -> None:
        me = threading.get_ident()
        while (work := self._work.get()) is not None:
            self._began_at[me] = time.monotonic()
            try:
                self._results.append(work())
            except BaseException as error:
                self._failures.append(error)
            del self._began_at[me]
            self._finished.set()
        # One sentinel, which each thread puts back for the next: an untracked thread, whose start
        # was interrupted, would otherwise take another's.
        self._work.put(None)
