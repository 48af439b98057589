"""Benchmarks of the delivery workers, the intake API and the pages, compared with baselines."""
