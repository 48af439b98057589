"""Databases of earlier releases with rows, which today's migrations and code must carry on.

One folder a release, one script a kind of database; `python -m tests.stored_databases NAME` makes
the folder of a release. A stored database is never changed.
"""
