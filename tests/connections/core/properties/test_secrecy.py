"""Tests that no credential can be read from a masked exchange."""

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from connections.core.errors import BuildError
from connections.core.masking import MASK
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request, Response
from connections.core.request.authorization import Authorization
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.core.request.authorization.signature import Signature
from connections.core.request.authorization.static import ApiKey, Basic, Bearer
from connections.core.request.builder import RequestBuilder
from connections.core.response.matching import ResponseHandling, classify
from tests.connections.core.factories import CONTEXT, NOW, spec
from tests.connections.core.properties.strategies import secrets

few_examples = settings(max_examples=60)

FILTERS = [
    "",
    " | base64",
    " | url_encode",
    " | json",
    " | base64 | url_encode",
    " | json | url_encode",
    " | url_encode | base64",
    " | json | base64",
]
DOCUMENTS = {
    "json": '{"k": "%s", "among": "<%s>"}',
    "xml": '<a k="%s"><b>%s</b></a>',
    "urlencoded": "k=%s\nl=x%s",
    "text": "k=%s;%s",
}


def plain_forms(secret: str) -> list[str]:
    """Return the credential as requests, responses and logs write it."""
    escaped = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    quoted = [quote(secret), quote(secret, safe=""), quote_plus(secret)]
    markup = [html.escape(secret), html.escape(secret, quote=False)]
    return list(dict.fromkeys([secret, *escaped, *quoted, *markup]))


def base64_forms(secret: str) -> Iterator[str]:
    """Yield the credential in base64, alone and at each offset in a longer text."""
    for before in ("", "u", "us", "user:"):
        for after in ("", "x", ":y"):
            raw = f"{before}{secret}{after}".encode()
            yield base64.b64encode(raw).decode()
            yield base64.urlsafe_b64encode(raw).decode()


def is_readable(text: str, secret: str) -> bool:
    """Whether the credential can be read from the text."""
    readings = [text, unquote_plus(text), unquote_plus(unquote_plus(text)), html.unescape(text)]
    known = {part for part in (secret, secret.strip()) if len(part) >= 4}
    if any(form in reading for part in known for form in plain_forms(part) for reading in readings):
        return True
    runs = {run for reading in readings for run in re.findall(r"[\w+/-]{4,}", reading, re.ASCII)}
    decoded = [found for run in runs for found in decode_base64(run)]
    return any(part.encode() in found for part in known for found in decoded)


def decode_base64(run: str) -> Iterator[bytes]:
    for start in range(4):
        part = run[start:].replace("-", "+").replace("_", "/")
        part = part[:-1] if len(part) % 4 == 1 else part
        try:
            yield base64.b64decode(part + "=" * (-len(part) % 4))
        except binascii.Error:
            continue


def stored_texts(exchange: Exchange) -> Iterator[str]:
    """Yield every text that is stored of an exchange."""
    masked = exchange.masked()
    assert masked.masked() == masked
    assert masked.response is not None
    assert masked.error is not None
    yield masked.request.url
    yield masked.response.body.decode("utf-8", "surrogateescape")
    yield masked.request.body.decode("utf-8", "surrogateescape")
    yield masked.error.message
    yield from (value for _, value in (*masked.request.headers, *masked.response.headers))


def echo(request: Request, secret: str) -> Exchange:
    """Return the exchange with a CRM that echoes the credential in every encoding."""
    everything = [*plain_forms(secret), *base64_forms(secret)]
    echoed = {"in_text": secret, "encoded": everything, "url": request.url}
    body = json.dumps(echoed) + " ".join(everything) + html.escape(request.body.decode())
    headers = tuple(("X-Echo", form) for form in everything if form.isprintable())
    return Exchange(
        request=request,
        response=Response(status=400, headers=headers, body=body.encode()),
        error=ExchangeError(
            code=ErrorCode.TOO_LARGE, message=f"Too large: {' '.join(everything)}."
        ),
        finished_at=NOW,
    )


def make_authorization(kind: str, secret: str) -> tuple[Authorization, str]:
    """Return an authorization with the secret, and the token that it fetches."""
    authorizations: dict[str, Authorization] = {
        "basic": Basic(username="user", password=secret),
        "key_in_header": ApiKey(name="X-Key", prefix="Key", key=secret),
        "key_in_query": ApiKey(location="query", name="key", key=secret),
        "bearer": Bearer(token=secret),
        "oauth2": OAuth2ClientCredentials(
            token_url="https://t.example/", client_id="id", client_secret=secret
        ),
        "fetched": OAuth2ClientCredentials(
            token_url="https://t.example/", client_id="id", client_secret="client-s3cret"
        ),
        "hmac": Signature(secret=secret),
        "standard": Signature(scheme="standard_webhooks", secret=f"whsec_{secret}"),
    }
    return authorizations[kind], secret if kind == "fetched" else "fetched-token"


@pytest.mark.parametrize(
    "kind",
    ["basic", "key_in_header", "key_in_query", "bearer", "oauth2", "fetched", "hmac", "standard"],
)
@few_examples
@given(secrets)
def test_no_authorization_leaves_its_credential_readable(kind: str, secret: str) -> None:
    authorization, token = make_authorization(kind, secret)
    builder = RequestBuilder(spec(authorization=authorization, document='{"a": "{{ a }}"}'))
    request = builder.build({"a": secret}, context=CONTEXT, token=token)
    for text in stored_texts(echo(request, secret)):
        assert not is_readable(text, secret)


@pytest.mark.parametrize("method", ["basic", "body"])
@few_examples
@given(secrets)
def test_no_token_request_leaves_the_client_secret_readable(method: str, secret: str) -> None:
    authorization = OAuth2ClientCredentials(
        token_url="https://t.example/",
        client_id="id",
        client_secret=secret,
        client_authentication=method,
    )
    for text in stored_texts(echo(authorization.token_request(), secret)):
        assert not is_readable(text, secret)


@pytest.mark.parametrize("encoding", list(DOCUMENTS))
@few_examples
@given(secrets, st.sampled_from(FILTERS), st.sampled_from(FILTERS))
def test_a_named_credential_is_masked_wherever_it_stands(
    encoding: str, secret: str, first: str, second: str
) -> None:
    first_use, second_use = (f"{{{{ credentials.name{filters} }}}}" for filters in (first, second))
    described = spec(
        encoding=encoding,
        document=DOCUMENTS[encoding] % (first_use, second_use),
        credentials={"name": secret},
        endpoints={"production": f"https://crm.example/{first_use}?k=x{second_use}"},
        headers={"X-One": first_use, "X-Other": f"Key {second_use}"},
    )
    try:
        request = RequestBuilder(described).build({})
    except BuildError:
        reject()
    for text in stored_texts(echo(request, secret)):
        assert not is_readable(text, secret)


@few_examples
@given(secrets, secrets)
def test_two_credentials_side_by_side_are_both_masked(first: str, second: str) -> None:
    described = spec(
        authorization=Basic(username=first, password=second),
        credentials={"a": first, "b": second},
        encoding="text",
        document="{{ credentials.a }}{{ credentials.b }}{{ credentials.a }}",
    )
    request = RequestBuilder(described).build({})
    for text in stored_texts(echo(echo(request, first).request, second)):
        assert not is_readable(text, second)
    masked = request.masked()
    assert not is_readable(masked.body.decode(), first)
    assert not is_readable(dict(masked.headers)["Authorization"], first)


@few_examples
@given(secrets, st.integers(450, 500))
def test_a_reason_and_a_reference_are_masked_before_they_are_cut(secret: str, length: int) -> None:
    assume("x" not in secret and secret == secret.strip())
    request = RequestBuilder(spec(authorization=Bearer(token=secret))).build({})
    body = json.dumps({"reason": "x" * length + secret, "id": secret})
    exchange = replace(echo(request, secret), response=Response(status=400, body=body.encode()))
    found = classify(ResponseHandling(reason="reason", reference="id"), exchange)
    assert (found.reason, found.reference) == (("x" * length + MASK)[:500], MASK)
    assert not is_readable(
        classify(ResponseHandling(), replace(exchange, response=None)).reason, secret
    )
