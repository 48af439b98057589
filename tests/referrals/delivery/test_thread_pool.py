"""The threads that send: what goes in comes out once, whatever the work does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from referrals.delivery.thread_pool import ThreadPool

PATIENCE = 20.0


@pytest.fixture
def senders() -> Iterator[ThreadPool[int]]:
    pool: ThreadPool[int] = ThreadPool(3)
    yield pool
    pool.close()


def collect_all(senders: ThreadPool[int]) -> list[int]:
    found = []
    while senders.in_flight:
        found += senders.collect(PATIENCE)
    return found


def number(value: int) -> int:
    return value


def test_every_result_is_collected_once(senders: ThreadPool[int]) -> None:
    for value in range(500):
        senders.submit(partial(number, value))
    assert senders.in_flight == 500

    assert sorted(collect_all(senders)) == list(range(500))
    assert senders.in_flight == 0
    assert senders.collect(0) == []


def test_no_more_threads_run_than_are_allowed(senders: ThreadPool[int]) -> None:
    together = threading.Barrier(3)
    names = set()

    def meet() -> int:
        names.add(threading.current_thread().name + str(threading.get_ident()))
        return together.wait(PATIENCE)

    for _ in range(30):
        senders.submit(meet)

    assert sorted(collect_all(senders)) == sorted([0, 1, 2] * 10)
    assert len(names) == 3


def sending() -> int:
    return sum(thread.name == "sender" for thread in threading.enumerate())


def test_a_thread_is_started_only_when_there_is_work_for_it() -> None:
    senders: ThreadPool[int] = ThreadPool(3)
    before = sending()

    for _ in range(5):
        senders.submit(partial(number, 1))
        collect_all(senders)

    assert sending() == before + 1
    senders.close()
    assert sending() == before


def test_who_collects_is_woken_by_the_first_result(senders: ThreadPool[int]) -> None:
    gate = threading.Event()

    def wait() -> int:
        gate.wait(PATIENCE)
        return 2

    senders.submit(wait)
    assert senders.collect(0.001) == []
    senders.submit(partial(number, 1))

    assert senders.collect(PATIENCE) == [1]
    assert senders.in_flight == 1
    gate.set()
    assert senders.collect(PATIENCE) == [2]


def test_what_is_done_takes_no_place_although_nobody_has_collected_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("referrals.delivery.thread_pool._SLOW_SECONDS", PATIENCE)
    one_thread: ThreadPool[int] = ThreadPool(1)
    began, go_on = threading.Event(), threading.Event()

    def linger() -> int:
        began.set()
        return int(go_on.wait(PATIENCE))

    one_thread.submit(partial(number, 7))
    one_thread.submit(linger)
    assert began.wait(PATIENCE)
    assert (one_thread.in_flight, one_thread.free) == (2, 0)

    go_on.set()
    assert sorted(collect_all(one_thread)) == [1, 7]
    assert one_thread.free == 1
    one_thread.close()


def test_a_failure_is_raised_where_results_are_collected(senders: ThreadPool[int]) -> None:
    def fail() -> int:
        raise LookupError("no such thing")

    senders.submit(fail)

    with pytest.raises(LookupError, match="no such thing"):
        senders.collect(PATIENCE)


def test_what_was_submitted_before_the_end_is_still_done() -> None:
    senders: ThreadPool[int] = ThreadPool(2)
    gate = threading.Event()
    done: list[int] = []

    def work(value: int) -> int:
        gate.wait(PATIENCE)
        done.append(value)
        return value

    pieces: list[Callable[[], int]] = [partial(work, value) for value in range(10)]
    for piece in pieces:
        senders.submit(piece)
    gate.set()
    senders.close()

    assert sorted(done) == list(range(10))
    assert sorted(senders.collect(0)) == list(range(10))
