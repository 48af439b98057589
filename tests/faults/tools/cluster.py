"""A PostgreSQL server for one test, which can restart it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs on the path or in Debian, or None."""
    on_path = shutil.which("pg_ctl")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return Path(on_path).parent if on_path else debian[-1].parent if debian else None


class Cluster:
    """One server on the loopback; its superuser needs no password."""

    def __init__(self) -> None:
        self._bin = find_programs()
        # PostgreSQL refuses to run as root; its package creates this user.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="cluster-"))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self._port = listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The URL of the server's own database."""
        return f"postgres://tester@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Self:
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "--auth", "trust", "--username", "tester", "--pgdata", self._data)
        self._control("start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._control("stop", "--mode", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        """Restart as after a crash: connections are cut, and the log is replayed."""
        self._control("restart", "--mode", "immediate")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _control(self, *arguments: str) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1"
        log = str(self._folder / "log")
        self._run("pg_ctl", "--pgdata", self._data, "--wait", "--log", log, "--options", options,
                  *arguments)  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        assert self._bin is not None
        subprocess.run(
            [str(self._bin / program), *arguments],
            user=self._user, cwd=self._folder, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
