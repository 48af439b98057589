"""The closed list of what an exchange can mean."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one attempt to deliver a referral."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN = "unknown"
    UNRECOGNISED = "unrecognised"
    INVALID = "invalid"

    @property
    def meaning(self) -> str:
        """Return one sentence for people who see the word for the first time."""
        return _MEANINGS[self]

    @property
    def is_success(self) -> bool:
        """Return True if the CRM now has the person."""
        return self in (Outcome.DELIVERED, Outcome.DUPLICATE)


_MEANINGS = {
    Outcome.DELIVERED: "The CRM created or updated the person.",
    Outcome.DUPLICATE: "The CRM has this person already.",
    Outcome.REJECTED: "The CRM refused this data.",
    Outcome.SUPPRESSED: "The person opted out there.",
    Outcome.THROTTLED: "The CRM asks to come later.",
    Outcome.UNAVAILABLE: "The CRM could not be reached or is busy.",
    Outcome.UNAUTHORIZED: "The CRM refused the credentials.",
    Outcome.UNKNOWN: "It was sent, but no answer came: it may have arrived.",
    Outcome.UNRECOGNISED: "No rule covers this answer.",
    Outcome.INVALID: "It was never sent, because no request could be built.",
}

RULE_OUTCOMES = tuple(
    outcome for outcome in Outcome if outcome not in (Outcome.UNRECOGNISED, Outcome.INVALID)
)
"""The outcomes that a rule may name: the others say that no rule matched or nothing was sent."""
