"""Tests of requests formatted as curl commands."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from connections.core.request.builder import build_request
from connections.core.spec import ConnectionSpec
from connections.importers.curl import parse_curl, to_curl
from tests.connections.importers.curl.commands import NAMES, VALUES, get_body


@given(st.dictionaries(NAMES, VALUES, min_size=2, max_size=5))
def test_a_formatted_command_is_parsed_as_the_same_request(members: dict[str, str]) -> None:
    spec = ConnectionSpec(
        name="any",
        endpoints={"production": "https://example.com/leads?x=1"},
        headers={"X-Note": "it's"},
        document=json.dumps(members),
        idempotency_header="",
    )
    request = build_request(spec, {})
    reparsed = parse_curl(to_curl(request)).spec({}, name="any")
    rebuilt = build_request(reparsed, {})
    assert (rebuilt.method, rebuilt.url) == (request.method, request.url)
    assert get_body(rebuilt) == get_body(request) == members
    assert dict(rebuilt.headers)["X-Note"] == "it's"
