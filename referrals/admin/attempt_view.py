"""A delivery's attempts as one person may see them: exact exchanges, masked where that is due.

Must not know addresses or buttons; what it makes is ready for the template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from connections.core.masking import MASK
from connections.core.messages import Request, Response, decode
from connections.core.personal_data import PersonalMask, is_personal, only_origin
from connections.models.exchanges import KEPT_BODY_BYTES
from connections.presentation.formatting import language_of, prettify
from connections.presentation.highlight import coloured, pretty_body, request_head, response_head
from referrals.customer_data import build_mask, can_view_customer_data
from referrals.models import Delivery, DeliveryAttempt, Referral

ATTEMPTS_A_PAGE = 25

_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt, ready to be shown. Heads and bodies are safe HTML, empty where there is none."""

    attempt: DeliveryAttempt
    reason: str
    reference: str
    error_message: str
    request_head: SafeString | str
    request_body: SafeString | str
    response_head: SafeString | str
    response_body: SafeString | str
    is_request_hidden: bool
    is_request_cut: bool
    is_response_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeView:
    """One attribute of a referral, hidden from whom may not see it."""

    label: str
    value: Any
    is_hidden: bool


def shown_attempts(delivery: Delivery, user: Any, before: int | None = None) -> list[AttemptView]:  # noqa: ANN401
    """The newest attempts, or the newest before a number: one more than a page, if there are."""
    attempts = DeliveryAttempt.objects.filter(delivery=delivery).order_by("-number")
    if before is not None:
        attempts = attempts.filter(number__lt=before)
    rows = list(attempts[: ATTEMPTS_A_PAGE + 1])
    mask = None if can_view_customer_data(user) or not rows else build_mask(delivery)
    return [_build_shown(row, delivery, mask) for row in rows]


def shown_attributes(referral: Referral, user: Any) -> list[AttributeView]:  # noqa: ANN401 - any user.
    """The referral's attributes in the catalogue's order."""
    catalogue = referral.campaign.account.catalogue()
    order = {key: place for place, key in enumerate(catalogue)}
    sees_all = can_view_customer_data(user)
    shown = []
    for key in sorted(referral.attributes, key=lambda key: order.get(key, len(order))):
        is_hidden = is_personal(key, catalogue) and not sees_all
        value = MASK if is_hidden else referral.attributes[key]
        label = catalogue[key].label if key in catalogue else key
        shown.append(AttributeView(label=label, value=value, is_hidden=is_hidden))
    return shown


def _build_shown(
    attempt: DeliveryAttempt, delivery: Delivery, mask: PersonalMask | None
) -> AttemptView:
    was_sent = bool(attempt.request_url)
    request, response = attempt.request(), attempt.response()
    # What the connection made of a person then is known only while it is what it was then.
    has_changed = delivery.connection.changed_at > attempt.started_at
    is_hidden = was_sent and mask is not None and has_changed
    if mask is not None:
        request = only_origin(request) if is_hidden else mask.in_request(request)
        response = response and mask.in_response(response)

    def in_text(text: str) -> str:
        return text if mask is None else mask.in_text(text)

    return AttemptView(
        attempt=attempt,
        reason=in_text(attempt.reason),
        reference=in_text(attempt.reference),
        error_message=in_text(attempt.error_message),
        request_head=request_head(request) if was_sent else "",
        request_body=_request_body(request),
        response_head=response_head(response) if response else "",
        response_body=_response_body(response),
        is_request_hidden=is_hidden,
        is_request_cut=len(attempt.request_body or b"") >= KEPT_BODY_BYTES,
        is_response_cut=len(attempt.response_body or b"") >= KEPT_BODY_BYTES,
    )


def _request_body(request: Request) -> SafeString | str:
    if not request.body:
        return ""
    content_type = dict(request.headers).get("Content-Type", "")
    return _body(request.body, decode(request.body, "utf-8"), content_type)


def _response_body(response: Response | None) -> SafeString | str:
    if response is None or not response.body:
        return ""
    return _body(response.body, response.text(), response.header("Content-Type"))


def _body(content: bytes, text: str, content_type: str) -> SafeString:
    """Text in whatever charset in colours, anything else as numbers."""
    if len(content) >= KEPT_BODY_BYTES:
        text = text.rstrip(_REPLACEMENT)  # Where it was cut, a letter may be half a letter.
    if _REPLACEMENT in text:
        return pretty_body(content, text, content_type)
    language = language_of(text, content_type)
    return coloured(prettify(text, language), language)
