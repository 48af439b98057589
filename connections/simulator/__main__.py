"""The command line of the CRM simulator."""

import argparse
import signal
import sys

from connections.simulator.crm import CRM, DEMO_KEY

STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m connections.simulator",
        description="A pretend CRM that receives people over HTTP.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=9000, help="0 takes any (%(default)s)")
    parser.add_argument("--key", default=DEMO_KEY, help="the right API key (%(default)s)")
    return parser.parse_args()


def main() -> None:
    """Run the simulator until SIGINT or SIGTERM."""
    arguments = parse_arguments()
    # The stop signals are blocked and awaited instead of handled, so that neither can interrupt
    # the start or the stop; the server's thread inherits the block.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        crm = CRM(host=arguments.host, port=arguments.port, key=arguments.key).start()
    except (OSError, OverflowError) as error:
        sys.exit(f"The CRM cannot listen on {arguments.host}:{arguments.port}: {error}")
    print(f"The CRM listens on {crm.url}", flush=True)  # noqa: T201 - the output of the command.
    signal.sigwait(STOP_SIGNALS)
    crm.stop()


if __name__ == "__main__":
    main()
