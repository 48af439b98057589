"""The heaps of a worker: few, however many threads it has."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# glibc itself says on the standard error which heaps there are, while all threads hold something.
_COUNT_HEAPS = """
import ctypes, sys, threading
from referrals.delivery.malloc import share_heaps

if sys.argv[1] == "shared":
    assert share_heaps()
together = threading.Barrier(9)

def work():
    kept = [bytes(100_000 + number) for number in range(50)]
    together.wait(20)
    together.wait(20)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
together.wait(20)
ctypes.CDLL(None).malloc_stats()
together.wait(20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="The setting is glibc's.")
def test_threads_share_two_heaps() -> None:
    assert _heaps("own") > 2
    assert _heaps("shared") == 2


def _heaps(kind: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _COUNT_HEAPS, kind], capture_output=True, text=True, check=True
    )
    return done.stderr.count("Arena ")
