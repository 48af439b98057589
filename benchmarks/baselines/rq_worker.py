"""RQ with one job per delivery, run by its SimpleWorker, which does not fork.

python -m benchmarks.baselines.rq_worker
"""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis
from rq import Queue, SimpleWorker

QUEUE = "one-by-one"
_TASK = "benchmarks.baselines.one_delivery.deliver"


def enqueue(redis: Redis, delivery_ids: Sequence[int]) -> None:
    """Enqueue one job per delivery, all in one pipeline."""
    jobs = [Queue.prepare_data(_TASK, (pk,), result_ttl=0) for pk in delivery_ids]
    Queue(QUEUE, connection=redis).enqueue_many(jobs)


def main() -> None:
    """Run the worker until a signal stops it."""
    import django  # noqa: PLC0415 - a process that only enqueues has set it up already.

    django.setup()
    from django.conf import settings  # noqa: PLC0415 - Django first.

    SimpleWorker([QUEUE], connection=Redis.from_url(settings.REDIS_URL)).work(
        logging_level="WARNING"
    )


if __name__ == "__main__":
    main()
