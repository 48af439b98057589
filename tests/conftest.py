"""Fixtures for all tests: a CRM, an account with a campaign and a connection, an empty Redis."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic, get_connection
from redis import Redis

from config import shutdown
from config.queue import job_queue
from config.queue.redis import redis_connection
from connections.core.spec import ConnectionSpec
from connections.importers.files import load_connection
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals import db_clock
from referrals.delivery.pump import finish_in_flight
from tests.timing import WAIT_SECONDS
from tests.users import SOMEBODY

CONNECTION_TOML = """
name = "Mailing list"
required = ["email"]
reason = "detail"
reference = "id"

[endpoints]
production = "{crm}/3.0/lists/production/members"
testing = "{crm}/3.0/lists/testing/members"

[authorization]
kind = "basic"
username = "referrals"
password = "env:KEY"

[body]
document = '''
{{"email_address": "{{{{ email }}}}", "status": "subscribed",
 "merge_fields": {{"FNAME": "{{{{ first_name }}}}"}}}}
'''

[[rules]]
status = "400"
where = "json"
path = "title"
operator = "equals"
value = "Member Exists"
outcome = "duplicate"

[[rules]]
status = "200"
where = "json"
path = "id"
operator = "exists"
outcome = "delivered"
"""

# The same examples in every run, without a deadline, which a busy machine would exceed.
hypothesis.settings.register_profile(
    "tests",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def crm_server() -> Iterator[CRM]:
    with CRM(slow_seconds=0.2, hang_seconds=WAIT_SECONDS) as server:
        yield server


@pytest.fixture
def crm(crm_server: CRM) -> CRM:
    """Return the CRM simulator, empty."""
    crm_server.clear()
    return crm_server


@pytest.fixture(scope="session")
def redis() -> Iterator[Any]:
    """Yield a client of the Redis database of this test process."""
    with Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def empty_redis(redis: Any) -> None:
    """Empty Redis before every test."""
    redis.flushdb()


@pytest.fixture
def redis_down(settings: Any) -> Iterator[None]:
    """Set the URL of Redis to a port on which no server listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        clear_redis_caches()
        yield
    clear_redis_caches()


def clear_redis_caches() -> None:
    redis_connection.cache_clear()
    job_queue._queue.cache_clear()


@pytest.fixture(autouse=True)
def reset_shutdown(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without a shutdown request, and finish what is in flight at the end."""
    monkeypatch.setattr(shutdown, "_requested", False)
    yield
    finish_in_flight()
    job_queue._queue.cache_clear()


@pytest.fixture(autouse=True)
def reset_db_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the clock offset that an earlier test measured."""
    monkeypatch.setattr(db_clock, "_offset", timedelta(0))
    monkeypatch.setattr(db_clock, "_adjusted_at", float("-inf"))


@pytest.fixture(autouse=True)
def run_commit_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `on_commit` hooks when only the test's own transaction is open.

    The test's transaction is never committed, so the hooks would not run.
    """
    exit_atomic, on_commit = Atomic.__exit__, BaseDatabaseWrapper.on_commit

    def run(connection: BaseDatabaseWrapper) -> None:
        blocks: list[Any] = connection.atomic_blocks
        if (
            blocks
            and all(block._from_testcase for block in blocks)
            and not connection.needs_rollback
        ):
            with monkeypatch.context() as patch:
                patch.setattr(connection, "validate_no_atomic_block", lambda: None)
                connection.run_and_clear_commit_hooks()

    def exit_and_run(self: Atomic, *error: Any) -> None:
        exit_atomic(self, *error)
        run(get_connection(self.using))

    def register_and_run(self: BaseDatabaseWrapper, *args: Any, **kwargs: Any) -> None:
        on_commit(self, *args, **kwargs)
        run(self)

    monkeypatch.setattr(Atomic, "__exit__", exit_and_run)
    monkeypatch.setattr(BaseDatabaseWrapper, "on_commit", register_and_run)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Use an SQLite file: threads have connections of their own and wait for locks."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(settings.VAR_DIR / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def static_root() -> None:
    """Create the folder of static files; whitenoise warns if it is missing."""
    settings.STATIC_ROOT.mkdir(parents=True)


@pytest.fixture
def unmanifested_static(settings: Any) -> None:
    """Use no manifest of static files, which only collectstatic writes."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def admin_user(db: None) -> User:
    """Return a superuser without a password; hashing one takes most of a test's time."""
    return User.objects.create(username="admin", is_staff=True, is_superuser=True)


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(name="Acme", slug="acme")


@pytest.fixture
def campaign(account: Account) -> Campaign:
    return Campaign.objects.create(
        account=account, name="Newsletter", key="cmp_news", kind="lead_generation"
    )


@pytest.fixture
def connection_spec(crm: CRM) -> ConnectionSpec:
    """Return the spec of a connection to the CRM; tests change it with `replace`."""
    return load_connection(CONNECTION_TOML.format(crm=crm.url), lambda name: crm.key)


@pytest.fixture
def connection(account: Account, connection_spec: ConnectionSpec) -> Connection:
    return store_connection(connection_spec, account=account)


@pytest.fixture
def link(campaign: Campaign, connection: Connection) -> Link:
    return link_campaign(campaign, connection=connection, by=SOMEBODY)
