"""A worker whose client trusts an authority of its own, since the product's knows public ones only.

    python -m benchmarks.jobs_over_tls AUTHORITY

Runs the pump as one job after the other would, each with threads of its own, on the client that
all jobs of a process share. Each line of input is one job: all that is due.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django first.

from connections.transport import Client  # noqa: E402
from connections.transport.shared import destination_policy  # noqa: E402
from referrals.delivery.pump import deliver_due, finish_in_flight  # noqa: E402

_SECONDS = 600


def main() -> None:
    """Obey."""
    client = Client(
        destination_policy(), pool_size=4 * settings.DELIVERY_THREADS, ca_bundle=sys.argv[1]
    )
    for _ in sys.stdin:
        delivered = deliver_due(seconds=_SECONDS, client=client).total
        finish_in_flight()
        print(json.dumps(delivered), flush=True)


if __name__ == "__main__":
    main()
