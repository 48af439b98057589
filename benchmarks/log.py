"""How the delivery log and the dashboard answer at ten thousand deliveries and at a million.

    python -m benchmarks.log postgres://postgres@127.0.0.1:5432/postgres
    python -m benchmarks.log sqlite

For each size a database of its own is made, filled and measured in a process of its own, and
dropped. A page counts from the request to the whole answer, for a superuser: the median of several.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

SIZES = (10_000, 1_000_000)
REPEATS = 9
_LOG = "/admin/referrals/delivery/"
_DAY = 86_400


def main() -> None:
    """Measure every size and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", help="a PostgreSQL URL that may make databases, or: sqlite")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(options.measure)))
    else:
        _print({size: _in_a_process(options.database, size) for size in options.sizes})


def _in_a_process(server: str, size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, _database(server, folder) as url:
        environment = {
            **os.environ,  # noqa: TID251 - the measured process needs what this one has.
            "DATABASE_URL": url, "VAR_DIR": folder, "DEBUG": "true",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=environment, check=True)  # noqa: S603 - our own command.
        measure = [sys.executable, "-m", "benchmarks.log", server, "--measure", str(size)]
        done = subprocess.run(measure, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
        return dict(json.loads(done.stdout))


@contextmanager
def _database(server: str, folder: str) -> Iterator[str]:
    if server == "sqlite":
        yield f"sqlite:///{Path(folder) / 'log.sqlite3'}"
        return
    name = f"benchmark_log_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


def _measure(size: int) -> dict[str, float]:
    # The settings are those of this process, so Django is known only from here on.
    import django  # noqa: PLC0415

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from benchmarks.log_rows import CAMPAIGNS, make_rows  # noqa: PLC0415

    # Static files need no manifest because of DEBUG; queries must not be remembered.
    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["testserver"]
    settings.STATIC_ROOT.mkdir()
    began = time.perf_counter()
    make_rows(size)
    print(f"{size:,} deliveries made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    browser = Client()
    browser.force_login(User.objects.create_superuser("benchmark"))
    return {label: _median(browser, url) for label, url in _pages(size, CAMPAIGNS).items()}


def _pages(size: int, last_campaign: int) -> dict[str, str]:
    queries = {
        "the list": "",
        "page 100": "?p=100",
        "account": "?account=24",
        "campaign": "?campaign=3",
        "campaign of long ago": f"?campaign={last_campaign}",
        "connection": "?connection=50",
        "status: delivered": "?status=delivered",
        "status: unrecognised": "?status=unrecognised",
        "unrecognised, of a connection": "?status=unrecognised&connection=50",
        "last outcome: duplicate": "?outcome=duplicate",
        "status code: 200": "?code=200",
        "status code: 503": "?code=503",
        "status code: 418, none": "?code=418",
        "error: read timeout": "?error=read_timeout",
        "200, campaign of long ago": f"?code=200&campaign={last_campaign}",
        "one day, 60 days ago": f"?since={_ago(61)}&until={_ago(60)}",
        "all before 60 days ago": f"?until={_ago(60)}",
        "search: external id": f"?q=lead-{size // 2}",
        "search: hundreds begin so": "?q=lead-1",
        "search: reference": f"?q=crm-{size // 2}",
        "search: e-mail": f"?q=person{size // 2}@example.com",
    }
    windows = ("hour", "day", "week", "month")
    return {
        **{f"log, {label}": f"{_LOG}{query}" for label, query in queries.items()},
        "one delivery": f"{_LOG}{size // 2}/change/",
        **{f"dashboard, {name}": f"/admin/?window={name}" for name in windows},
    }


def _ago(days: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - days * _DAY))


def _median(browser: Any, url: str) -> float:  # noqa: ANN401 - a test client.
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        response = browser.get(url)
        times.append(time.perf_counter() - began)
        if response.status_code != 200:
            message = f"{url}: {response.status_code}"
            raise RuntimeError(message)
    return statistics.median(times[1:]) * 1000


def _print(found: dict[int, dict[str, float]]) -> None:
    sizes = list(found)
    print(
        f"| page, median of {REPEATS}, ms | {' | '.join(f'{size:,}' for size in sizes)} | ratio |"
    )
    print("|---|" + "--:|" * (len(sizes) + 1))
    for label in found[sizes[0]]:
        times = [found[size][label] for size in sizes]
        cells = " | ".join(f"{milliseconds:.0f}" for milliseconds in times)
        print(f"| {label} | {cells} | {times[-1] / times[0]:.2f} |")


if __name__ == "__main__":
    main()
