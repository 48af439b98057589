"""gunicorn as the Procfile starts it, and referrals handed in through it."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.installation import Installation
from benchmarks.measure import Lap

_START_SECONDS = 30


@contextmanager
def a_web(installation: Installation, settings: str = "config.settings") -> Iterator[int]:
    """The port of a running web server with these settings."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    arguments = (
        "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}",
        "--workers", "2", "--threads", "8", "--log-level", "warning",
    )  # fmt: skip
    with installation.start(*arguments, DJANGO_SETTINGS_MODULE=settings):
        _wait_for(port)
        yield port


def _wait_for(port: int) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            call = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
            call.request("GET", "/healthz")
            call.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("The web server does not answer.")


def create_referrals(
    installation: Installation, port: int, *, expect: int, count: int, **options: object
) -> Lap:
    """So many referrals through the door; raises unless every request was answered as expected."""
    given = {"port": port, "count": count, **options}
    arguments = [text for name, value in given.items() for text in (f"--{name}", str(value))]
    with installation.start("-m", "benchmarks.load", *arguments) as load:
        told = load.hear()
    if set(told["statuses"]) != {str(expect)}:
        raise RuntimeError(f"The door answered {told['statuses']}.")
    return Lap(count=count, seconds=told["seconds"])
