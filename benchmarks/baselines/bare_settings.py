"""The product's settings with another URLconf: one view that inserts one row."""

from config.settings import *  # noqa: F403 - the same settings, apart from the URLs.

ROOT_URLCONF = "benchmarks.baselines.bare_view"
