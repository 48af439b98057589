"""A PostgreSQL server of a test's own, which may be restarted."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self


def binaries() -> Path | None:
    """Where Debian, or the path, has PostgreSQL's own programs."""
    found = shutil.which("pg_ctl")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return Path(found).parent if found else debian[-1].parent if debian else None


class Cluster:
    """One server; the superuser needs no password, and nobody else can reach it."""

    def __init__(self) -> None:
        self._bin = binaries()
        # PostgreSQL does not run as root, so there it runs as the user that its package made.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="cluster-"))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self._port = listener.getsockname()[1]

    @property
    def url(self) -> str:
        """A database to begin with."""
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
        """As after a crash: no farewell to anybody, and recovery from the log."""
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
