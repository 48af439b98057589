"""Deliver what is due: pump, thread pool, one sender a connection, retry schedule."""
