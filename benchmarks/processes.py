"""Child processes that are measured from outside: their CPU seconds and their memory."""

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
_TERMINATE_SECONDS = 20


class Process:
    """A Python process that reads command lines and prints lines of JSON.

    As a context manager it is stopped at the end of the block.
    """

    def __init__(self, environment: Mapping[str, str], *arguments: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own commands.
            [sys.executable, *arguments],
            cwd=ROOT, env=dict(environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._statistics = psutil.Process(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of the process with all of its threads, in user and in kernel mode."""
        times = self._statistics.cpu_times()
        return float(times.user + times.system)

    @property
    def resident_bytes(self) -> int:
        """The resident memory that the process has now."""
        return int(self._statistics.memory_info().rss)

    def write_line(self, line: str) -> None:
        """Write one line to the standard input of the process."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker.
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def read_json(self) -> Any:  # noqa: ANN401 - any JSON.
        """Return the next line of its output, parsed; raise RuntimeError if the process ended."""
        assert self._process.stdout is not None  # noqa: S101 - for the type checker.
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended without an answer.")
        return json.loads(line)

    def command(self, line: str) -> Any:  # noqa: ANN401 - any JSON.
        """Write one line and return the JSON that the process prints in response."""
        self.write_line(line)
        return self.read_json()

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL if the process has not ended after 20 s."""
        self._process.terminate()
        try:
            self._process.wait(_TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101 - for the type checker.
            pipe.close()
