"""The magic e-mail addresses and the results that they force."""

import re

from connections.simulator.person import AddResult, is_email

LOCAL_PART = re.compile(r"([a-z]+)(\.\d+)?(\+[^@]*)?@")
ALWAYS_FORCED = {
    "error": AddResult.ERROR,
    "hang": AddResult.NO_RESPONSE,
    "reset": AddResult.NO_RESPONSE,
    "unauthorized": AddResult.UNAUTHORIZED,
    "odd": AddResult.ODD,
}
# The number of first requests for an address that fail, and their result; later ones are ordinary.
FIRST_FORCED = {"throttled": (1, AddResult.THROTTLED), "flaky": (2, AddResult.ERROR)}


def get_magic_word(address: str) -> str:
    """Return the local part of an address without number and plus tag; "" if it can't be magic."""
    match = LOCAL_PART.match(address)
    return match[1] if match and is_email(address) else ""


def get_forced_result(word: str, earlier: int) -> AddResult | None:
    """Return the result that the word forces after `earlier` requests for the address, if any."""
    requests, failure = FIRST_FORCED.get(word, (0, None))
    return failure if earlier < requests else ALWAYS_FORCED.get(word)
