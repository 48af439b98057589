"""A credential is revoked during deliveries: the connection is held and one mail is sent."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.tools import report
from tests.faults.tools.installation import RUN_SIZE, Installation

_THREADS = 32
_WORKERS = 2

_RELEASE = """
from connections.models import Connection
from connections.operations.history import Actor, Door
from referrals.operations.release import release
connection = Connection.objects.get(name="people")
connection.secrets = {"password": "another-key"}
connection.save()
release(connection, by=Actor(door=Door.COMMAND))
"""


@pytest.mark.faults
def test_a_revoked_credential_holds_the_connection(tmp_path: Path) -> None:
    mails = tmp_path / "mails"
    with Installation(tmp_path, EMAIL_URL=f"filemail:///{mails}") as installation:
        installation.start_all(workers=_WORKERS)
        installation.create_referrals(RUN_SIZE)
        installation.wait_until_delivered(RUN_SIZE // 4)
        installation.crm.change_key("another-key")
        installation.wait_until(lambda: state(installation) == "held")
        installation.wait_until(lambda: in_flight(installation) == 0)
        requests = len(installation.crm.received())
        time.sleep(3)
        assert len(installation.crm.received()) == requests, "a held connection was sent to"
        refused = sum(request.status == 401 for request in installation.crm.received())
        assert 3 <= refused <= 2 * _WORKERS * _THREADS
        assert installation.query(
            "SELECT DISTINCT attempts_used FROM referrals_delivery WHERE status = 'pending'"
        ) == [(0,)]
        installation.wait_until(lambda: subjects(mails)["people is held: somebody must look"] == 1)

        installation.shell(_RELEASE)
        seconds = installation.wait_until_finished(240)
        found = installation.invariant_report()
        name = f"a credential is revoked ({refused} refused), renewed, and the hold released"
        report.add(report.build_row(name, found, seconds))
        found.raise_if_violated()
        assert found.statuses == {"delivered": RUN_SIZE}
        assert installation.query("SELECT DISTINCT attempts_used FROM referrals_delivery") == [(1,)]
        installation.wait_until(lambda: subjects(mails)["people was released"] == 1)
        assert subjects(mails) == {
            "people is held: somebody must look": 1,
            "people was released": 1,
        }


def state(installation: Installation) -> str:
    query = "SELECT state FROM connections_connection WHERE name = 'people'"
    return str(installation.query(query)[0][0])


def in_flight(installation: Installation) -> int:
    query = "SELECT count(*) FROM referrals_delivery WHERE claimed_at IS NOT NULL"
    return int(installation.query(query)[0][0])


def subjects(mails: Path) -> Counter[str]:
    """Count the sent mails by subject."""
    lines = [line for file in mails.glob("*") for line in file.read_text().splitlines()]
    prefix = "Subject: "
    return Counter(line.removeprefix(prefix) for line in lines if line.startswith(prefix))
