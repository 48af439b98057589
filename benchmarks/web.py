"""Run gunicorn as the Procfile does, and post referrals to it."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.installation import Installation
from benchmarks.measure import Measurement

_START_SECONDS = 30


@contextmanager
def run_web(installation: Installation, settings: str = "config.settings") -> Iterator[int]:
    """Run a web server with this settings module; yield its port once it responds."""
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
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("The web server does not answer.")


def post_referrals(
    installation: Installation, port: int, *, expect: int, count: int, **options: object
) -> Measurement:
    """Post `count` referrals; raise RuntimeError unless every response has the expected status.

    The options are those of `benchmarks.load`.
    """
    all_options = {"port": port, "count": count, **options}
    arguments = [text for name, value in all_options.items() for text in (f"--{name}", str(value))]
    with installation.start("-m", "benchmarks.load", *arguments) as load:
        report = load.read_json()
    if set(report["statuses"]) != {str(expect)}:
        raise RuntimeError(f"The web server answered {report['statuses']}.")
    return Measurement(count=count, seconds=report["seconds"])
