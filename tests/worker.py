"""A helper that runs the queued jobs in the product's worker."""

from __future__ import annotations

import signal

from django_rq import get_worker
from rq.serializers import JSONSerializer

from config.queue.job_queue import QUEUE
from config.queue.worker import DeliveryWorker


def run_jobs() -> None:
    """Run the queued jobs, and restore the signal handlers that RQ replaces."""
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {name: signal.getsignal(name) for name in names}
    worker = get_worker(QUEUE, worker_class=DeliveryWorker, serializer=JSONSerializer)
    try:
        worker.work(burst=True, logging_level="CRITICAL")
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
