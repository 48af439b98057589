"""Run all scenarios, or some of them, and print one table.

    python -m benchmarks [--only NAME …] [--quick]

A run of all scenarios also writes `results.json` and `results.svg` beside this file. It uses the
servers that DATABASE_URL and REDIS_URL name: it creates a database and drops it at the end, and the
Redis database must be empty.
"""

from __future__ import annotations

import argparse

from benchmarks.installation import run_installation

SCENARIOS = ("pump", "slow", "workers", "claim", "latency", "intake", "log", "memory", "tls")


def main() -> None:
    """Parse the arguments and run the scenarios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=SCENARIOS, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="small and once: does it run at all?")
    options = parser.parse_args()
    with run_installation() as installation:
        installation.set_up_django()
        from benchmarks.run import run  # noqa: PLC0415 - it imports models.

        is_complete = set(options.only) == set(SCENARIOS)
        run(installation, options.only, is_complete=is_complete, is_quick=options.quick)


if __name__ == "__main__":
    main()
