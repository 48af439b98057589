"""A program that creates an installation's tables, demo, connections and campaigns.

One process for all of it saves a fault test most of its time. The argument is a JSON list,
`[{"name": "people", "crm": "http://127.0.0.1:9000", "limits": {}}]`; it prints the demo as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django's way.

from connections.core.spec import Limits, OnUnknown  # noqa: E402
from connections.importers.files import load_connection  # noqa: E402
from connections.mapping.to_rows import store_connection  # noqa: E402
from connections.models import Account, Campaign  # noqa: E402
from connections.operations.history import Actor, Door  # noqa: E402
from connections.operations.links import link_campaign  # noqa: E402
from referrals.demo import create_demo  # noqa: E402
from tests.conftest import CONNECTION_TOML  # noqa: E402

ACTOR = Actor(door=Door.COMMAND)


def seed_connection(fields: dict[str, Any]) -> None:
    """Create the connection, a campaign of its name, and their link."""
    name = fields["name"]
    account = Account.objects.get(slug="demo")
    base = load_connection(CONNECTION_TOML.format(crm=fields["crm"]), lambda _: "demo-key")
    endpoints = {
        environment: url.replace("/production/", f"/{name}/")
        for environment, url in base.endpoints.items()
    }
    spec = replace(
        base,
        name=name,
        endpoints=endpoints,
        limits=Limits.from_table(fields["limits"]),
        on_unknown=OnUnknown(fields.get("on_unknown", "retry")),
    )
    connection = store_connection(spec, account=account)
    campaign = Campaign.objects.create(account=account, name=name, key=name, kind="lead_generation")
    link_campaign(campaign, connection=connection, by=ACTOR)


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    demo = create_demo(crm_url="http://127.0.0.1:9", by=ACTOR)
    for fields in json.loads(sys.argv[1]):
        seed_connection(fields)
    print(json.dumps(demo.to_json()))
