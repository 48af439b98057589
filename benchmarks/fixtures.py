"""Create one advertiser with connections to the target server, and thousands of due deliveries.

One SQL statement per table inserts the rows, since some scenarios need a million of them. Import
this module only after `django.setup()`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.utils import timezone

from benchmarks.bulk_load import TABLES, bulk_loading
from connections.importers.files import load_connection
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign, Connection, Link
from referrals.models import Delivery, DeliveryAttempt, IntakeKey
from referrals.models.intake_keys import issue_key

_POLL_SECONDS = 0.02

# Five placeholders and three rules with a JSON path; the last rule is the one that matches.
_CONNECTION = """
name = "CRM {number}"
required = ["email"]
reason = "messages[0].text"
reference = "result.id"

[endpoints]
production = "{origin}/api/v2/leads"

[authorization]
kind = "bearer"
token = "env:TOKEN"

[body]
encoding = "json"
document = '''
{{"lead": {{"email": "{{{{ email }}}}", "first": "{{{{ first_name }}}}",
   "last": "{{{{ last_name }}}}", "phone": "{{{{ mobile }}}}", "age": "{{{{ age }}}}"}},
 "source": "referrals", "consent": true}}
'''

[[rules]]
where = "json"
path = "status"
operator = "equals"
value = "duplicate"
outcome = "duplicate"

[[rules]]
status = "200"
where = "json"
path = "messages[0].code"
operator = "one_of"
value = ["invalid_email", "invalid_phone"]
outcome = "rejected"

[[rules]]
status = "2xx"
where = "json"
path = "result.state"
operator = "equals"
value = "created"
outcome = "delivered"
"""

_REFERRALS = """
INSERT INTO referrals_referral (id, campaign_id, external_id, attributes, accepted_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, %(campaign)s, 'lead-' || n,
       jsonb_build_object('email', 'person' || n || '@example.com', 'first_name', 'Jo',
           'last_name', 'Müller ' || n, 'mobile', '+4989' || 10000000 + n, 'age', 18 + n %% 70,
           'country', 'DE'),
       now()
FROM generate_series(1, %(count)s::int) n
"""

_DELIVERIES = """
INSERT INTO referrals_delivery (referral_id, connection_id, campaign_id, status, outcome, due_at,
                                attempt_number, attempts_used, next_trigger, created_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, (%(connections)s::bigint[])[1 + n %% %(connection_count)s],
       %(campaign)s, 'pending', '', now(), 0, 0, 'first', now()
FROM generate_series(1, %(count)s::int) n
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """The advertiser's rows.

    The campaign is linked to the first connection only, so that a referral from the intake API is
    delivered once.
    """

    campaign: Campaign
    connections: Sequence[Connection]
    intake_key: str

    def fill(self, count: int) -> None:
        """Replace all referrals by `count` new ones, due now, spread over the connections."""
        delete_referrals()
        parameters: dict[str, Any] = {
            "campaign": self.campaign.pk, "count": count,
            "connections": [connection.pk for connection in self.connections],
            "connection_count": len(self.connections),
        }  # fmt: skip
        with bulk_loading(), database.cursor() as cursor:
            cursor.execute(_REFERRALS, parameters)
            cursor.execute(_DELIVERIES, parameters)


def create_fixture(origins: Sequence[str]) -> Fixture:
    """Delete everything, then create an advertiser with one connection to each origin."""
    delete_referrals()
    for model in (Link, Connection, Campaign, IntakeKey, Account):
        model.objects.all().delete()
    account = Account.objects.create(name="Advertiser", slug="advertiser")
    campaign = Campaign.objects.create(account=account, name="Spring", kind="lead_generation")
    connections = [
        _create_connection(account, number, origin) for number, origin in enumerate(origins)
    ]
    Link.objects.create(campaign=campaign, connection=connections[0], linked_at=timezone.now())
    key = issue_key(IntakeKey(account=account, name="Benchmark"))
    return Fixture(campaign=campaign, connections=connections, intake_key=key)


def _create_connection(account: Account, number: int, origin: str) -> Connection:
    text = _CONNECTION.format(number=number, origin=origin)
    return store_connection(load_connection(text, lambda name: "s3cret-Token"), account=account)


def delete_referrals() -> None:
    """Truncate the tables of referrals, deliveries and attempts."""
    with database.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def wait_until_finished(timeout: float = 600) -> None:
    """Wait until no delivery is due or in flight; raise RuntimeError after `timeout` seconds."""
    end = time.monotonic() + timeout
    while Delivery.objects.filter(due_at__isnull=False).exists():
        if time.monotonic() > end:
            raise RuntimeError(f"Deliveries are still in flight after {timeout:g} s.")
        time.sleep(_POLL_SECONDS)


def check_recorded(count: int) -> None:
    """Raise RuntimeError unless exactly `count` are delivered, each with one complete attempt."""
    delivered = Delivery.objects.filter(status="delivered", outcome="delivered").count()
    complete = DeliveryAttempt.objects.filter(
        outcome="delivered", request_body__isnull=False, response_body__isnull=False
    ).exclude(request_headers="").exclude(response_headers="").exclude(reference="")  # fmt: skip
    if delivered != count or complete.count() != count or DeliveryAttempt.objects.count() != count:
        message = (
            f"{count} were to be recorded: {delivered} delivered, {complete.count()} attempts."
        )
        raise RuntimeError(message)
