"""Fixtures for every test: a CRM, an account with a campaign and a connection, quiet services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from connections.files import load_connection
from connections.models import Account, Campaign, Connection, Link
from connections.services import link_campaign
from connections.storing import store_connection
from tests.crm import CRM

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


@pytest.fixture(autouse=True)
def silent_bell(settings: Any) -> None:
    """Every test begins with an empty Redis."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(name="Acme", slug="acme")


@pytest.fixture
def campaign(account: Account) -> Campaign:
    return Campaign.objects.create(
        account=account, name="Newsletter", key="cmp_news", kind="lead_generation"
    )


@pytest.fixture
def connection(account: Account, crm: CRM) -> Connection:
    spec = load_connection(DESCRIPTION.format(crm=crm.url), lambda name: crm.key)
    return store_connection(spec, account=account)


@pytest.fixture
def link(campaign: Campaign, connection: Connection) -> Link:
    return link_campaign(campaign, connection=connection, by=None)
