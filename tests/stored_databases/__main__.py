"""Store the database of this commit: `python -m tests.stored_databases 0001-first`.

With DATABASE_URL set it stores the PostgreSQL script, without it the SQLite script.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import tests.services  # noqa: F401 - sets the keys under which the tests' credentials are encrypted.
from tests.stack import Stack
from tests.stored_databases.restore import CRM_URL, FOLDER, SCRIPTS

_SENT = ["jo@example.com", "exists@example.com", "odd@example.com", "error@example.com", "jo"]
"""Addresses that the CRM simulator adds, knows, answers oddly, fails for and refuses."""

_PENDING = ["ann@example.com", "bob@example.com", "cid@example.com"]


def main(release: str) -> None:
    """Fill a new installation through its API, deliver half of it, and store its database."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_web()
        stack.post([_referral(email) for email in _SENT])
        stack.manage("deliver", "--once")
        stack.post([_referral(email) for email in _PENDING])
        script = stack.database.dump().replace(stack.crm.url, CRM_URL)
    kind = "postgresql" if os.environ.get("DATABASE_URL") else "sqlite"
    target = FOLDER / release / SCRIPTS[kind]
    target.parent.mkdir(exist_ok=True)
    target.write_text(f"{script.rstrip()}\n")
    print(f"Stored {target.relative_to(FOLDER)}: {len(script):,} characters.")


def _referral(email: str) -> dict[str, object]:
    name = email.partition("@")[0]
    return {
        "external_id": f"order-{name}-{len(email)}",
        "attributes": {"email": email, "first_name": name.capitalize()},
    }


if __name__ == "__main__":
    main(sys.argv[1])
