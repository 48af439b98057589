"""Tests of the number of malloc arenas in a worker."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.timing import WAIT_SECONDS

# glibc itself says on the standard error which arenas there are, while all threads hold something.
_COUNT_ARENAS = """
import ctypes, sys, threading
from referrals.delivery.malloc import limit_arenas

if sys.argv[1] == "shared":
    assert limit_arenas()
together = threading.Barrier(9)
seconds = float(sys.argv[2])

def work():
    kept = [bytes(100_000 + number) for number in range(50)]
    together.wait(seconds)
    together.wait(seconds)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
together.wait(seconds)
ctypes.CDLL(None).malloc_stats()
together.wait(seconds)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="The setting is glibc's.")
def test_threads_share_two_arenas() -> None:
    assert count_arenas("own") > 2
    assert count_arenas("shared") == 2


def count_arenas(kind: str) -> int:
    process = subprocess.run(
        [sys.executable, "-c", _COUNT_ARENAS, kind, str(WAIT_SECONDS)],
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stderr.count("Arena ")
