"""How the delivery log and the dashboard answer at ten thousand deliveries and at a million.

    python -m benchmarks.log postgres://postgres@127.0.0.1:5432/postgres
    python -m benchmarks.log sqlite

For each size a database of its own is made, filled and measured in a process of its own, and
dropped. A page counts from the request to the whole answer, as a superuser: the median of several.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

SIZES = (10_000, 1_000_000)
DAYS = 90
CONNECTIONS, CAMPAIGNS, ACCOUNTS = 50, 250, 25
REPEATS = 7
_BATCH = 5_000

STATUSES = {
    "delivered": 0.88, "duplicate": 0.06, "rejected": 0.03, "unavailable": 0.012,
    "suppressed": 0.006, "unrecognised": 0.004, "unknown": 0.004, "invalid": 0.002,
    "cancelled": 0.002,
}  # fmt: skip
CODES = {
    "delivered": 200,
    "duplicate": 409,
    "rejected": 422,
    "suppressed": 403,
    "unrecognised": 302,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "database", help="a PostgreSQL URL with the right to make databases, or sqlite"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(options.measure)))
        return
    found = {size: _in_process(options.database, size) for size in options.sizes}
    _print(found)


def _in_process(server: str, size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, _database(server, folder, size) as url:
        environment = {
            **os.environ,  # noqa: TID251 - the measured process needs what this one has.
            "DATABASE_URL": url, "VAR_DIR": folder, "DEBUG": "true",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        subprocess.run(  # noqa: S603 - our own command.
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            env=environment,
            check=True,
        )
        command = [sys.executable, "-m", "benchmarks.log", server, "--measure", str(size)]
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
        return dict(json.loads(done.stdout))


@contextmanager
def _database(server: str, folder: str, size: int) -> Iterator[str]:
    if server == "sqlite":
        yield f"sqlite:///{Path(folder) / 'log.sqlite3'}"
        return
    name = f"benchmark_log_{size}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _measure(size: int) -> dict[str, float]:
    import django  # noqa: PLC0415 - the settings are known only in this process.

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["testserver"]
    began = time.perf_counter()
    _fill(size)
    print(f"{size:,} deliveries made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    browser = Client()
    browser.force_login(User.objects.create_superuser("benchmark"))
    return {label: _median(browser, url) for label, url in _pages(size).items()}


def _pages(size: int) -> dict[str, str]:
    log = "/admin/referrals/delivery/"
    old = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 60 * 86400))
    older = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 61 * 86400))
    filters = {
        "list": "",
        "last page": "?p=200" if size > SIZES[0] else f"?p={size // 50}",
        "account": "?account=24",
        "campaign": "?campaign=3",
        "campaign of long ago": f"?campaign={CAMPAIGNS}",
        "connection": "?connection=50",
        "status unrecognised": "?status=unrecognised",
        "status delivered": "?status=delivered",
        "unrecognised of a connection": "?status=unrecognised&connection=50",
        "outcome duplicate": "?outcome=duplicate",
        "status code 200": "?code=200",
        "status code 503": "?code=503",
        "status code 418 (none)": "?code=418",
        "error read_timeout": "?error=read_timeout",
        "one day, 60 days ago": f"?since={older}&until={old}",
        "before 60 days ago": f"?until={old}",
        "code 200, campaign of long ago": f"?code=200&campaign={CAMPAIGNS}",
        "search: external id": f"?q=lead-{size // 2}",
        "search: many begin so": "?q=lead-1",
        "search: reference": f"?q=crm-{size // 2}",
        "search: e-mail": f"?q=person{size // 2}@example.com",
    }
    return {
        **{f"log, {label}": f"{log}{query}" for label, query in filters.items()},
        "one delivery": f"{log}{size // 2}/change/",
        **{
            f"dashboard, {name}": f"/admin/?window={name}"
            for name in ("hour", "day", "week", "month")
        },
    }


def _median(browser: Any, url: str) -> float:  # noqa: ANN401 - a test client.
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        response = browser.get(url)
        times.append(time.perf_counter() - began)
        assert response.status_code == 200, (url, response.status_code)  # noqa: S101
    return statistics.median(times[1:]) * 1000


def _fill(size: int) -> None:
    """As an installation looks after a quarter: few connections have most of it, and some campaigns
    ended long ago."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from connections.models import Account, Campaign, Connection  # noqa: PLC0415

    accounts = Account.objects.bulk_create(
        Account(name=f"Account {number}", slug=f"account-{number}") for number in range(ACCOUNTS)
    )
    campaigns = Campaign.objects.bulk_create(
        Campaign(
            account=accounts[number % ACCOUNTS],
            name=f"Campaign {number}",
            key=f"c{number}",
            kind="lead_generation",
        )
        for number in range(CAMPAIGNS)
    )
    connections = Connection.objects.bulk_create(
        Connection(
            account=accounts[number % ACCOUNTS],
            name=f"CRM {number}",
            document='{"email": "{{ email }}"}',
        )
        for number in range(CONNECTIONS)
    )
    chance, now = random.Random(7), timezone.now()  # noqa: S311 - the same data each time.
    for start in range(0, size, _BATCH):
        _fill_some(
            range(start, min(start + _BATCH, size)), size, now, chance, campaigns, connections
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _fill_some(
    numbers: range, size: int, now: Any, chance: random.Random, campaigns: Any, connections: Any
) -> None:  # noqa: ANN401
    from referrals.models import Delivery, DeliveryAttempt, Referral  # noqa: PLC0415

    referrals, deliveries, attempts = [], [], []
    for number in numbers:
        at = now - timedelta(days=DAYS) * ((size - number) / size)
        is_old = number < size / 10 and chance.random() < 0.3
        place = CAMPAIGNS - 1 if is_old else int((CAMPAIGNS - 1) * chance.random() ** 3)
        referral = Referral(
            campaign=campaigns[place], external_id=f"lead-{number}", accepted_at=at,
            attributes={"email": f"person{number}@example.com", "first_name": "Jo", "country": "US"},
        )  # fmt: skip
        status = chance.choices(list(STATUSES), list(STATUSES.values()))[0]
        is_pending = now - at < timedelta(hours=6) and chance.random() < 0.2
        delivery = Delivery(
            id=number + 1, referral=referral, campaign=campaigns[place],
            connection=connections[place % CONNECTIONS],
            status="pending" if is_pending else status, outcome="unavailable" if is_pending else status if status != "cancelled" else "",
            due_at=now + timedelta(minutes=10) if is_pending else None, created_at=at,
            settled_at=None if is_pending else at + timedelta(seconds=1), attempt_number=1, step=1,
        )  # fmt: skip
        referrals.append(referral)
        deliveries.append(delivery)
        if status not in ("cancelled", "invalid"):
            attempts.append(_attempt(delivery, number, at, status, chance))
    Referral.objects.bulk_create(referrals)
    Delivery.objects.bulk_create(deliveries)
    DeliveryAttempt.objects.bulk_create(attempts)


def _attempt(delivery: Any, number: int, at: Any, status: str, chance: random.Random) -> Any:  # noqa: ANN401
    from referrals.models import DeliveryAttempt  # noqa: PLC0415

    is_away = status == "unavailable"
    code = CODES.get(status, 503 if is_away and number % 2 else None)
    return DeliveryAttempt(
        delivery=delivery, number=1, cause="first", started_at=at + timedelta(milliseconds=20),
        duration_ms=50 + int(1000 * chance.random() ** 6), outcome=status, reference=f"crm-{number}",
        request_method="POST", request_url="https://crm.example/3.0/lists/production/members",
        request_headers='[["Content-Type", "application/json"]]',
        request_body=b'{"email": "person@example.com", "padding": "%s"}' % (b"x" * 200),
        response_status=code, response_headers='[["Content-Type", "application/json"]]',
        response_body=b'{"id": "%d", "padding": "%s"}' % (number, b"y" * 200),
        error_code="read_timeout" if status == "unknown" else "connect_refused" if is_away and code is None else "",
    )  # fmt: skip


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
