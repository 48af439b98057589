"""Hiding a person in a test from people who only look on.

Whoever may change the connection chose the sample attributes, or could see them there; others need
the permission to see customers' data, since somebody may have tested with a person who exists.
"""

from __future__ import annotations

from typing import Any

from connections.core.personal_data import personal_mask
from connections.models import ConnectionTest
from connections.models.exchanges import dump_headers

CUSTOMER_DATA = "referrals.view_customer_data"


def shown_test(test: ConnectionTest, user: Any, *, can_change: bool) -> ConnectionTest:  # noqa: ANN401
    """The test as the person may see it; hidden in this object, not in its row."""
    if can_change or user.has_perm(CUSTOMER_DATA):
        return test
    mask = personal_mask(test.attributes, test.connection.account.catalogue())
    request, response = mask.in_request(test.request()), test.response()
    test.request_url, test.request_body = request.url, request.body
    test.request_headers = dump_headers(request.headers)
    if response is not None:
        response = mask.in_response(response)
        test.response_headers, test.response_body = dump_headers(response.headers), response.body
    for column in ("reason", "reference", "error_message"):
        setattr(test, column, mask.in_text(getattr(test, column)))
    return test
