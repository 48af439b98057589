"""RQ with one job for each delivery: its SimpleWorker, which does not fork.

python -m benchmarks.baselines.rq_worker
"""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis
from rq import Queue, SimpleWorker

QUEUE = "one-by-one"
_TASK = "benchmarks.baselines.one_delivery.deliver"


def enqueue(redis: Redis, delivery_ids: Sequence[int]) -> None:
    """All of them at once."""
    jobs = [Queue.prepare_data(_TASK, (one,), result_ttl=0) for one in delivery_ids]
    Queue(QUEUE, connection=redis).enqueue_many(jobs)


def main() -> None:
    """Work until told to stop."""
    import django  # noqa: PLC0415 - whoever only enqueues has set it up already.

    django.setup()
    from django.conf import settings  # noqa: PLC0415 - Django first.

    SimpleWorker([QUEUE], connection=Redis.from_url(settings.REDIS_URL)).work(
        logging_level="WARNING"
    )


if __name__ == "__main__":
    main()
