"""One installation of a given size, and how long its pages take.

    python -m benchmarks.pages SIZE DAYS

A process of its own for each size, in a database of its own. It prints which pages there are, then
answers each line that names one with the milliseconds from the request to the whole answer, for a
superuser, without a web server: the median of several.
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

from benchmarks.seed_history import CAMPAIGNS, make_quarter  # noqa: E402

REPEATS = 3
_LOG = "/admin/referrals/delivery/"
_DAY = 86_400


def main() -> None:
    """Fill the database, and answer."""
    size, days = map(int, sys.argv[1:])
    make_quarter(size, days)
    # Static files need no manifest because of DEBUG; queries must not be remembered.
    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["testserver"]
    browser = Client()
    browser.force_login(User.objects.create_superuser("benchmark"))
    pages = _pages(size)
    _say(list(pages))
    for line in sys.stdin:
        _say(_median(browser, pages[line.strip()]))


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


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


def _median(browser: Client, url: str) -> float:
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        status = browser.get(url).status_code
        times.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"{url}: {status}")
    return statistics.median(times[1:]) * 1000


if __name__ == "__main__":
    main()
