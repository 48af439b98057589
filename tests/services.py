"""A pytest plugin that sets database and Redis of a test run before Django's settings load.

Without DATABASE_URL and REDIS_URL: SQLite and an embedded Valkey server. Every process of a
parallel run has its own Redis database and data folder; no run writes to `var/`.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

from tests.valkey import Valkey

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")

_folder = tempfile.TemporaryDirectory(prefix="referrals-test-", ignore_cleanup_errors=True)
atexit.register(_folder.cleanup)


def _redis_url() -> str:
    url = os.environ.get("TEST_REDIS_URL") or os.environ.get("REDIS_URL")
    if not url:
        valkey = Valkey(Path(_folder.name) / "valkey.sock").start()
        atexit.register(valkey.stop)
        url = valkey.url
    # The processes of a parallel run inherit this variable.
    os.environ["TEST_REDIS_URL"] = url
    number = int(_WORKER) + 1
    if url.startswith("unix:"):
        return f"{url}?db={number}"
    return f"{url.rstrip('/').removesuffix('/0')}/{number}"


os.environ.update(
    VAR_DIR=_folder.name,
    REDIS_URL=_redis_url(),
    SECRET_KEY="only for tests",
    ENCRYPTION_KEYS="Ud3bl8Rp5R0CRiN2wpxrL4QFWdon4L0ZZbwMXICY-uM=",
    DELIVERY_PERMITTED_NETWORKS="127.0.0.0/8",
    DEBUG="false",
    HTTPS="false",
)
