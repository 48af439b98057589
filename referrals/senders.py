"""The threads that send: work goes in through a queue, results come back through a deque.

Must not know what the work is, and touches no database. The thread that collects is woken for
batches, not for single results, because it shares the interpreter with those that send.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")


class Senders(Generic[ResultT]):
    """A bounded pool of threads, started only as work needs them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: SimpleQueue[Callable[[], ResultT] | None] = SimpleQueue()
        self._results: deque[ResultT] = deque()
        self._finished = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failure: BaseException | None = None
        self.under_way = 0
        """How many pieces of work were submitted and not yet collected."""

    def close(self) -> None:
        """Let the threads end once their work is done, and wait for that."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, work: Callable[[], ResultT]) -> None:
        """Have the work done by the next free thread."""
        self.under_way += 1
        if len(self._threads) < min(self._most, self.under_way):
            thread = threading.Thread(target=self._run, name="sender", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put(work)

    def collect(self, timeout: float) -> list[ResultT]:
        """What has finished, waiting up to `timeout` seconds for the first; re-raises a failure."""
        if not self._results:
            self._finished.wait(timeout)
        self._finished.clear()
        if self._failure is not None:
            raise self._failure
        results = []
        while self._results:
            results.append(self._results.popleft())
        self.under_way -= len(results)
        return results

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                self._results.append(work())
            except BaseException as error:
                self._failure = error
            self._finished.set()
