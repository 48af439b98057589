"""Seed a database with deliveries and measure how long the pages of the admin take.

    python -m benchmarks.pages DELIVERIES DAYS

Each size has a process and a database of its own. It prints the labels of the pages. Then it reads
one label per line and prints the milliseconds from the request to the complete response, as the
median of several requests by a superuser, without a web server.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django first.
from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402

from benchmarks.seed_history import CAMPAIGNS, seed_history  # noqa: E402

_REPEATS = 3
_LOG_URL = "/admin/referrals/delivery/"
_DAY_SECONDS = 86_400


def main() -> None:
    """Seed the database, then measure the page that each line of the standard input names."""
    size, days = map(int, sys.argv[1:])
    seed_history(size, days)
    # The process starts with DEBUG, so that static files need no manifest; it is switched off now,
    # or Django would keep every query in memory.
    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["testserver"]
    client = Client()
    client.force_login(User.objects.create_superuser("benchmark"))
    pages = _pages(size)
    _print_json(list(pages))
    for line in sys.stdin:
        _print_json(_median_milliseconds(client, pages[line.strip()]))


def _print_json(value: object) -> None:
    print(json.dumps(value), flush=True)


def _pages(size: int) -> dict[str, str]:
    queries = {
        "the list": "",
        "page 100": "?p=100",
        "account": "?account=24",
        "campaign": "?campaign=3",
        "campaign of long ago": f"?campaign={CAMPAIGNS}",
        "connection": "?connection=50",
        "status: delivered": "?status=delivered",
        "status: unrecognised": "?status=unrecognised",
        "unrecognised, of a connection": "?status=unrecognised&connection=50",
        "last outcome: duplicate": "?outcome=duplicate",
        "status code: 200": "?code=200",
        "status code: 503": "?code=503",
        "status code: 418, none": "?code=418",
        "error: read timeout": "?error=read_timeout",
        "200, campaign of long ago": f"?code=200&campaign={CAMPAIGNS}",
        "one day, 60 days ago": f"?since={_days_ago(61)}&until={_days_ago(60)}",
        "all before 60 days ago": f"?until={_days_ago(60)}",
        "search: external id": f"?q=lead-{size // 2}",
        "search: hundreds begin so": "?q=lead-1",
        "search: reference": f"?q=crm-{size // 2}",
        "search: e-mail": f"?q=person{size // 2}@example.com",
    }
    windows = ("hour", "day", "week", "month")
    return {
        **{f"log, {label}": f"{_LOG_URL}{query}" for label, query in queries.items()},
        "one delivery": f"{_LOG_URL}{size // 2}/change/",
        **{f"dashboard, {name}": f"/admin/?window={name}" for name in windows},
    }


def _days_ago(days: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - days * _DAY_SECONDS))


def _median_milliseconds(client: Client, url: str) -> float:
    seconds = []
    for _ in range(_REPEATS + 1):
        began = time.perf_counter()
        status = client.get(url).status_code
        seconds.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"{url}: {status}")
    # The first request also fills caches, so it does not count.
    return statistics.median(seconds[1:]) * 1000


if __name__ == "__main__":
    main()
