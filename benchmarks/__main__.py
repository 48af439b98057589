"""All measurements, or some: one table, `results.json` and a chart beside this file.

    python -m benchmarks [--only NAME …] [--quick]

Runs on the servers that DATABASE_URL and REDIS_URL name; the first is asked for a database of its
own, the second must be empty.
"""

from __future__ import annotations

import argparse

from benchmarks.installation import an_installation

ROWS = ("pump", "slow", "workers", "claim", "latency", "intake", "log", "memory", "tls")


def main() -> None:
    """Measure, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="small and once: does it run at all?")
    options = parser.parse_args()
    with an_installation() as installation:
        installation.enter()
        from benchmarks.run import run  # noqa: PLC0415 - it needs Django, which is ready now.

        is_whole = set(options.only) == set(ROWS)
        run(installation, options.only, is_whole=is_whole, is_quick=options.quick)


if __name__ == "__main__":
    main()
