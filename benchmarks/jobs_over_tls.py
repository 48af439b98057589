"""Run delivery jobs with a client that trusts a private certificate authority.

    python -m benchmarks.jobs_over_tls CA_BUNDLE

The product's own client trusts public authorities only. As in a worker, each job has threads of its
own, and all jobs share one client. Each line of the standard input runs one job, which delivers all
that is due; the job then prints how many it delivered.
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

_MAX_JOB_SECONDS = 600


def main() -> None:
    """Run one job for each line of the standard input."""
    client = Client(
        destination_policy(), pool_size=4 * settings.DELIVERY_THREADS, ca_bundle=sys.argv[1]
    )
    for _ in sys.stdin:
        delivered = deliver_due(seconds=_MAX_JOB_SECONDS, client=client).total
        finish_in_flight()
        print(json.dumps(delivered), flush=True)


if __name__ == "__main__":
    main()
