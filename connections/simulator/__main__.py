"""Owns the command line of the CRM simulator, and must not know how it answers a request."""

import argparse
import signal
import sys

from connections.simulator.crm import CRM, DEMO_KEY

STOPS = {signal.SIGINT, signal.SIGTERM}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m connections.simulator",
        description="A pretend CRM that receives people over HTTP.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=9000, help="0 takes any (%(default)s)")
    parser.add_argument("--key", default=DEMO_KEY, help="the right API key (%(default)s)")
    return parser.parse_args()


def main() -> None:
    chosen = options()
    # The stop signals are blocked and awaited, rather than handled, so that neither can interrupt
    # the start or the stop half-way; the server's thread inherits the block.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        crm = CRM(host=chosen.host, port=chosen.port, key=chosen.key).start()
    except (OSError, OverflowError) as error:
        sys.exit(f"The CRM cannot listen on {chosen.host}:{chosen.port}: {error}")
    print(f"The CRM listens on {crm.url}", flush=True)
    signal.sigwait(STOPS)
    crm.stop()


if __name__ == "__main__":
    main()
