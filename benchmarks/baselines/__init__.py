"""What others do: a loop around requests, an RQ job or a Celery task for each delivery, a view."""
