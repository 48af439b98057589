"""Print which processes of the Procfile this installation needs.

Valkey is among them only where REDIS_URL does not name a server already.
"""

from __future__ import annotations

from config import settings

ALWAYS = ("web", "worker", "tick", "crm")


def needed() -> list[str]:
    """Return the names of the processes for honcho."""
    is_embedded = settings.REDIS_URL.startswith(f"unix://{settings.VALKEY_SOCKET}")
    return [*ALWAYS, *(["valkey"] if is_embedded else [])]


if __name__ == "__main__":
    print(*needed())  # noqa: T201 - printing is what it is for.
