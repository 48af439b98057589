"""Processes that are measured from outside: their CPU seconds, their memory, and how they end.

Must not know what runs in them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

ROOT = Path(__file__).resolve().parent.parent
_END_SECONDS = 20


class Process:
    """One process, which lives as long as the block that it is used in."""

    def __init__(self, environment: Mapping[str, str], *arguments: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own commands.
            [sys.executable, *arguments],
            cwd=ROOT, env=dict(environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._seen = psutil.Process(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def cpu_seconds(self) -> float:
        """What the process and all of its threads have used, in user and in kernel mode."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    @property
    def resident_bytes(self) -> int:
        """How much memory it has now."""
        return int(self._seen.memory_info().rss)

    def tell(self, line: str) -> None:
        """Write one line to it."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker.
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> Any:  # noqa: ANN401 - whatever it says.
        """The next line of JSON that it prints."""
        assert self._process.stdout is not None  # noqa: S101 - for the type checker.
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended without an answer.")
        return json.loads(line)

    def ask(self, line: str) -> Any:  # noqa: ANN401 - whatever it says.
        """Write one line and hear the answer."""
        self.tell(line)
        return self.hear()

    def stop(self) -> None:
        """End it as an operator would, and by force where that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101 - for the type checker.
            pipe.close()
