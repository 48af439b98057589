"""Fixtures for every test: a CRM, an account with a campaign and a connection, quiet services.

Must not know what any test shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic, get_connection
from redis import Redis

from connections.core.spec import ConnectionSpec
from connections.importers.files import load_connection
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals import db_clock

DESCRIPTION = """
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


@pytest.fixture(scope="session")
def crm_server() -> Iterator[CRM]:
    with CRM(slow_seconds=0.2, hang_seconds=30) as server:
        yield server


@pytest.fixture
def crm(crm_server: CRM) -> CRM:
    """The CRM simulator, knowing nobody."""
    crm_server.forget()
    return crm_server


@pytest.fixture(scope="session")
def redis() -> Iterator[Any]:
    """The Redis database of this process."""
    with Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def empty_redis(redis: Any) -> None:
    """Every test begins with an empty Redis."""
    redis.flushdb()


@pytest.fixture(autouse=True)
def reset_db_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test made of the time is forgotten before the next."""
    monkeypatch.setattr(db_clock, "_offset", timedelta(0))
    monkeypatch.setattr(db_clock, "_adjusted_at", float("-inf"))


@pytest.fixture(autouse=True)
def commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a commit is run once only the test's own transaction is open.

    That one is never committed, so for the product it is as if there were none.
    """
    leave, on_commit = Atomic.__exit__, BaseDatabaseWrapper.on_commit

    def run(connection: BaseDatabaseWrapper) -> None:
        blocks: list[Any] = connection.atomic_blocks
        if blocks and all(one._from_testcase for one in blocks) and not connection.needs_rollback:
            with monkeypatch.context() as patch:
                patch.setattr(connection, "validate_no_atomic_block", lambda: None)
                connection.run_and_clear_commit_hooks()

    def leave_and_run(self: Atomic, *error: Any) -> None:
        leave(self, *error)
        run(get_connection(self.using))

    def register_and_run(self: BaseDatabaseWrapper, *args: Any, **kwargs: Any) -> None:
        on_commit(self, *args, **kwargs)
        run(self)

    monkeypatch.setattr(Atomic, "__exit__", leave_and_run)
    monkeypatch.setattr(BaseDatabaseWrapper, "on_commit", register_and_run)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, where threads with connections of their own wait as they do outside."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(settings.VAR_DIR / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def static_root() -> None:
    """Where whitenoise looks; it warns where nothing was collected."""
    settings.STATIC_ROOT.mkdir(parents=True)


@pytest.fixture
def uncollected(settings: Any) -> None:
    """Pages name their static files as they are, without a manifest."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def admin_user(db: None) -> User:
    """In place of pytest-django's, which spends most of a test on hashing a password."""
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
def described(crm: CRM) -> ConnectionSpec:
    """A connection to the CRM as a value, of which tests make others with `replace`."""
    return load_connection(DESCRIPTION.format(crm=crm.url), lambda name: crm.key)


@pytest.fixture
def connection(account: Account, described: ConnectionSpec) -> Connection:
    return store_connection(described, account=account)


@pytest.fixture
def link(campaign: Campaign, connection: Connection) -> Link:
    return link_campaign(campaign, connection=connection, by=None)
