"""The product's own settings, but for the addresses: one view, which inserts one row."""

from config.settings import *  # noqa: F403 - all of them, which is the point.

ROOT_URLCONF = "benchmarks.baselines.bare_view"
