"""Usual alternatives: a loop around requests, one RQ job or Celery task each, a bare view."""
