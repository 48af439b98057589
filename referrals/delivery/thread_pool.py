"""The threads that send: work goes in through a queue, results come back through a deque.

Must not know what the work is, and touches no database. The thread that collects takes all that
finished while it was busy, because it shares the interpreter with those that send. It may be
interrupted anywhere, by a signal or a job's timeout, and what is under way is still collected.
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
_CLOSING_SECONDS = 1.0
_SLOW_SECONDS = 0.25
_MAX_SLOW_FACTOR = 3
"""A thread that has waited so long costs next to nothing, so another takes its place; but there are
at most so many times as many as usual."""


class ThreadPool(Generic[ResultT]):
    """A bounded pool of threads, started only as work needs them."""

    def __init__(self, most: int) -> None:
        self._max_threads = most
        self._work: SimpleQueue[Callable[[], ResultT] | None] = SimpleQueue()
        self._results: deque[ResultT] = deque()
        self._failures: deque[BaseException] = deque()
        self._finished = threading.Event()
        self._threads: list[threading.Thread] = []
        self._began: dict[int, float] = {}
        self._collected: deque[tuple[float, int]] = deque()
        self.in_flight = 0
        """How many pieces of work were submitted and not yet collected."""

    @property
    def free(self) -> int:
        """How many more pieces would begin at once; what waits to be collected takes no place."""
        return self._allowed() - self.in_flight + len(self._results)

    @property
    def finished_recently(self) -> int:
        """How many were collected within the last tenth of a second."""
        long_ago = time.monotonic() - _RECENT_SECONDS
        while self._collected and self._collected[0][0] < long_ago:
            self._collected.popleft()
        return sum(count for _, count in self._collected)

    def close(self) -> None:
        """Let the threads end once their work is done, and wait a moment for that."""
        self._work.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_CLOSING_SECONDS)

    def submit(self, work: Callable[[], ResultT]) -> None:
        """Have the work done by the next free thread."""
        # Counted first: an interruption comes at the end of a call, and this puts it behind both.
        self.in_flight += 1
        self._work.put(work)
        if len(self._threads) < min(self._max_threads, self.in_flight):
            self._start_threads()

    def collect(self, timeout: float) -> list[ResultT]:
        """What has finished, waiting up to `timeout` seconds for the first; re-raises a failure,
        but only where no result has come with it."""
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
        slow = sum(began < long_ago for began in list(self._began.values()))
        return self._max_threads + min(slow, _MAX_SLOW_FACTOR * self._max_threads)

    def _run(self) -> None:
        me = threading.get_ident()
        while (work := self._work.get()) is not None:
            self._began[me] = time.monotonic()
            try:
                self._results.append(work())
            except BaseException as error:
                self._failures.append(error)
            del self._began[me]
            self._finished.set()
        # One word for all: a thread of which nobody knows, as its start was interrupted, would take
        # that of another.
        self._work.put(None)
