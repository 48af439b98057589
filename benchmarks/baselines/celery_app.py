"""Celery with one task per delivery, on a thread pool.

python -m celery --app benchmarks.baselines.celery_app worker --pool threads --concurrency 32
"""

from __future__ import annotations

import django
from celery import Celery

django.setup()

from django.conf import settings  # noqa: E402 - Django first.

from benchmarks.baselines.one_delivery import deliver  # noqa: E402 - Django first.

QUEUE = "tasks"

app = Celery("benchmark", broker=settings.REDIS_URL)
app.conf.update(
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="deliver")  # type: ignore[untyped-decorator] # Celery brings no types.
def deliver_one(delivery_id: int) -> None:
    """Deliver one delivery, as the RQ job does."""
    deliver(delivery_id)
