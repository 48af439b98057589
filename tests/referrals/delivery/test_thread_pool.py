"""Tests of the pool of sending threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from referrals.delivery.thread_pool import ThreadPool
from tests.referrals.delivery.interruption import Interruption
from tests.timing import WAIT_SECONDS


@pytest.fixture
def pool() -> Iterator[ThreadPool[int]]:
    pool: ThreadPool[int] = ThreadPool(3)
    yield pool
    pool.close()


def collect_all(pool: ThreadPool[int]) -> list[int]:
    found = []
    while pool.in_flight:
        found += pool.collect(WAIT_SECONDS)
    return found


def number(value: int) -> int:
    return value


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Yield an event that slow tasks wait for, and set it at the end of the test."""
    opened = threading.Event()
    yield opened
    opened.set()


def slow(gate: threading.Event, value: int) -> int:
    assert gate.wait(WAIT_SECONDS)
    return value


def collect(pool: ThreadPool[int], count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found += pool.collect(WAIT_SECONDS)
    return found


def test_every_result_is_collected_once(pool: ThreadPool[int]) -> None:
    for value in range(500):
        pool.submit(partial(number, value))
    assert pool.in_flight == 500

    assert sorted(collect_all(pool)) == list(range(500))
    assert pool.in_flight == 0
    assert pool.collect(0) == []


def test_no_more_threads_run_than_are_allowed(pool: ThreadPool[int]) -> None:
    together = threading.Barrier(3)
    names = set()

    def meet() -> int:
        names.add(threading.current_thread().name + str(threading.get_ident()))
        return together.wait(WAIT_SECONDS)

    for _ in range(30):
        pool.submit(meet)

    assert sorted(collect_all(pool)) == sorted([0, 1, 2] * 10)
    assert len(names) == 3


def count_senders() -> int:
    return sum(thread.name == "sender" for thread in threading.enumerate())


def test_a_thread_is_started_only_when_there_is_work_for_it() -> None:
    pool: ThreadPool[int] = ThreadPool(3)
    before = count_senders()

    for _ in range(5):
        pool.submit(partial(number, 1))
        collect_all(pool)

    assert count_senders() == before + 1
    pool.close()
    assert count_senders() == before


def test_collecting_returns_at_the_first_result(pool: ThreadPool[int]) -> None:
    gate = threading.Event()

    def wait() -> int:
        gate.wait(WAIT_SECONDS)
        return 2

    pool.submit(wait)
    assert pool.collect(0.001) == []
    pool.submit(partial(number, 1))

    assert pool.collect(WAIT_SECONDS) == [1]
    assert pool.in_flight == 1
    gate.set()
    assert pool.collect(WAIT_SECONDS) == [2]


def test_a_finished_task_occupies_no_thread_before_it_is_collected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("referrals.delivery.thread_pool._SLOW_SECONDS", WAIT_SECONDS)
    pool: ThreadPool[int] = ThreadPool(1)
    began, go_on = threading.Event(), threading.Event()

    def linger() -> int:
        began.set()
        return int(go_on.wait(WAIT_SECONDS))

    pool.submit(partial(number, 7))
    pool.submit(linger)
    assert began.wait(WAIT_SECONDS)
    assert (pool.in_flight, pool.free) == (2, 0)

    go_on.set()
    assert sorted(collect_all(pool)) == [1, 7]
    assert pool.free == 1
    pool.close()


def test_a_failed_task_raises_where_results_are_collected(pool: ThreadPool[int]) -> None:
    def fail() -> int:
        raise LookupError("no such thing")

    pool.submit(fail)

    with pytest.raises(LookupError, match="no such thing"):
        pool.collect(WAIT_SECONDS)


def test_closing_the_pool_finishes_the_submitted_tasks() -> None:
    pool: ThreadPool[int] = ThreadPool(2)
    gate = threading.Event()
    done: list[int] = []

    def work(value: int) -> int:
        gate.wait(WAIT_SECONDS)
        done.append(value)
        return value

    pieces: list[Callable[[], int]] = [partial(work, value) for value in range(10)]
    for piece in pieces:
        pool.submit(piece)
    gate.set()
    pool.close()

    assert sorted(done) == list(range(10))
    assert sorted(pool.collect(0)) == list(range(10))


def test_a_failed_task_loses_no_result_of_the_others() -> None:
    pool: ThreadPool[int] = ThreadPool(1)

    def fail() -> int:
        raise LookupError("no such thing")

    for work in (partial(number, 1), fail, partial(number, 2)):
        pool.submit(work)
    found: list[int] = []
    failures = 0
    while pool.in_flight:
        try:
            found += pool.collect(WAIT_SECONDS)
        except LookupError:
            failures += 1
    assert (found, failures) == ([1, 2], 1)
    pool.close()


def test_a_thread_with_a_slow_task_is_replaced(
    gate: threading.Event,
) -> None:
    pool: ThreadPool[int] = ThreadPool(2)
    for value in (1, 2):
        pool.submit(partial(slow, gate, value))
    while pool.free < 2:
        pool.collect(0.001)

    pool.submit(partial(number, 3))
    assert collect(pool, 1) == [3]

    gate.set()
    assert sorted(collect(pool, 2)) == [1, 2]
    pool.close()


def test_the_number_of_replacement_threads_is_limited(
    gate: threading.Event,
) -> None:
    pool: ThreadPool[int] = ThreadPool(2)
    for value in range(20):
        pool.submit(partial(slow, gate, value))
    while pool._allowed() < 8:
        pool.collect(0.001)
    pool.collect(0.001)
    assert (pool.free, len(pool._threads)) == (-12, 8)

    gate.set()
    assert sorted(collect(pool, 20)) == list(range(20))
    pool.close()


def test_a_thread_that_is_not_slow_is_not_replaced(gate: threading.Event) -> None:
    pool: ThreadPool[int] = ThreadPool(1)
    pool.submit(partial(slow, gate, 1))
    assert pool.free == 0
    gate.set()
    assert collect(pool, 1) == [1]
    assert pool.free == 1
    pool.close()


def test_a_task_is_collected_although_its_submission_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool: ThreadPool[int] = ThreadPool(1)

    def interrupted(thread: threading.Thread) -> None:
        raise Interruption

    with monkeypatch.context() as signal:
        signal.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(Interruption):
            pool.submit(partial(number, 1))

    assert pool.in_flight == 1
    assert pool.collect(WAIT_SECONDS) == [1]
    pool.close()


def test_a_thread_whose_start_was_interrupted_ends_with_the_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool: ThreadPool[int] = ThreadPool(2)
    start = threading.Thread.start

    def started_but_interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise Interruption

    with monkeypatch.context() as signal:
        signal.setattr(threading.Thread, "start", started_but_interrupted)
        with pytest.raises(Interruption):
            pool.submit(partial(number, 1))
    pool.submit(partial(number, 2))

    assert sorted(collect(pool, 2)) == [1, 2]
    before = set(threading.enumerate())
    pool.close()
    for thread in before - {threading.current_thread()}:
        if thread.name == "sender":
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive()
