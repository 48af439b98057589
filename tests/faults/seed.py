"""A program inside an installation that makes its tables, its demo, connections and campaigns.

One process for all of it saves a fault test most of its time. The argument is a JSON list,
`[{"name": "people", "crm": "http://127.0.0.1:9000", "limits": {}}]`; the output is the demo.
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
from tests.conftest import DESCRIPTION  # noqa: E402

SEED = Actor(door=Door.COMMAND)


def seed(wanted: dict[str, Any]) -> None:
    name = wanted["name"]
    account = Account.objects.get(slug="demo")
    base = load_connection(DESCRIPTION.format(crm=wanted["crm"]), lambda _: "demo-key")
    endpoints = {
        environment: url.replace("/production/", f"/{name}/")
        for environment, url in base.endpoints.items()
    }
    spec = replace(
        base,
        name=name,
        endpoints=endpoints,
        limits=Limits.from_table(wanted["limits"]),
        on_unknown=OnUnknown(wanted.get("on_unknown", "retry")),
    )
    connection = store_connection(spec, account=account)
    campaign = Campaign.objects.create(account=account, name=name, key=name, kind="lead_generation")
    link_campaign(campaign, connection=connection, by=SEED)


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    demo = create_demo(crm_url="http://127.0.0.1:9", by=SEED)
    for one in json.loads(sys.argv[1]):
        seed(one)
    print(json.dumps(demo.to_json()))
