"""Owns what the magic addresses ask for, and must not know how any API puts it into words."""

import re

from connections.simulator.person import Outcome, is_email

LOCAL_PART = re.compile(r"([a-z]+)(\.\d+)?(\+[^@]*)?@")
ALWAYS = {
    "error": Outcome.ERROR,
    "hang": Outcome.SILENCE,
    "reset": Outcome.SILENCE,
    "unauthorized": Outcome.UNAUTHORIZED,
    "odd": Outcome.ODD,
}
# How many requests for one address fail, and how, before it is treated as any other.
AT_FIRST = {"throttled": (1, Outcome.THROTTLED), "flaky": (2, Outcome.ERROR)}


def word(address: str) -> str:
    """The local part of an address without its number or plus tag, if it can be magic at all."""
    match = LOCAL_PART.match(address)
    return match[1] if match and is_email(address) else ""


def outcome(word: str, earlier: int) -> Outcome | None:
    """What the word forces on a request after `earlier` ones for the same address, if anything."""
    requests, failure = AT_FIRST.get(word, (0, None))
    return failure if earlier < requests else ALWAYS.get(word)
