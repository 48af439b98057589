"""The queue: the one room that knows RQ and Redis; it knows no model and no app."""
