"""Tests of the signature authorization."""

import base64
import hashlib
import hmac

import pytest

from connections.core.errors import DescriptionError
from connections.core.messages import Request
from connections.core.request.authorization import SigningContext
from connections.core.request.authorization.signature import Signature
from connections.core.request.builder import RequestBuilder
from tests.connections.core.factories import NOW, build, header, spec

DOCUMENT = '{"test": "{{ v }}"}'
BODY = b'{"test": "\xc3\xa9"}'


@pytest.mark.parametrize(
    ("settings", "name", "digest"),
    [
        ({}, "X-Signature", hmac.new(b"key", BODY, "sha256").hexdigest()),
        (
            {"header": "X-Hub-Signature-256", "prefix": "sha256="},
            "X-Hub-Signature-256",
            "sha256=" + hmac.new(b"key", BODY, "sha256").hexdigest(),
        ),
        ({"algorithm": "sha1"}, "X-Signature", hmac.new(b"key", BODY, "sha1").hexdigest()),
        ({"algorithm": "sha512"}, "X-Signature", hmac.new(b"key", BODY, "sha512").hexdigest()),
        (
            {"encoding": "base64"},
            "X-Signature",
            base64.b64encode(hmac.new(b"key", BODY, "sha256").digest()).decode(),
        ),
    ],
)
def test_the_body_is_signed_as_it_is_sent(settings: dict[str, str], name: str, digest: str) -> None:
    request = build(
        {"v": "é"}, document=DOCUMENT, authorization=Signature(secret="key", **settings)
    )
    assert request.body == BODY
    assert header(request, name) == digest


def test_standard_webhooks_sign_id_timestamp_and_body() -> None:
    """Compare with the example of the specification's own libraries."""
    authorization = Signature(
        scheme="standard_webhooks", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )
    builder = RequestBuilder(
        spec(encoding="text", document='{"test": 2432232314}', authorization=authorization)
    )
    moment = NOW.fromtimestamp(1614265330, NOW.tzinfo)
    request = builder.build(
        {}, context=SigningContext(moment=moment, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek")
    )
    assert header(request, "webhook-id") == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert header(request, "webhook-timestamp") == "1614265330"
    assert header(request, "webhook-signature") == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["not base64!", "whsec_not base64!"])
def test_a_standard_webhooks_secret_that_is_not_base64_is_used_as_text(secret: str) -> None:
    signed = Signature(scheme="standard_webhooks", secret=secret).authorize(
        Request(method="POST", url="https://crm.example/", body=b"x"),
        SigningContext(moment=NOW, message_id="id"),
    )
    text = f"id.{int(NOW.timestamp())}.x".encode()
    digest = hmac.new(b"not base64!", text, hashlib.sha256).digest()
    assert dict(signed.headers)["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_a_request_built_without_a_context_has_the_timestamp_zero() -> None:
    with_context = build(authorization=Signature(scheme="standard_webhooks", secret="s"))
    without_context = RequestBuilder(
        spec(authorization=Signature(scheme="standard_webhooks", secret="s"))
    ).build({})
    assert header(with_context, "webhook-timestamp") == str(int(NOW.timestamp()))
    assert header(without_context, "webhook-timestamp") == "0"


def test_the_secret_is_masked_with_and_without_its_prefix() -> None:
    authorization = Signature(secret="whsec_abcdefgh")
    assert authorization.secrets() == {"secret": "whsec_abcdefgh"}
    assert authorization.derived_secrets() == ("abcdefgh",)
    assert "abcdefgh" not in repr(authorization)


def test_a_signature_header_with_an_invalid_name_is_refused() -> None:
    with pytest.raises(DescriptionError) as caught:
        build(authorization=Signature(secret="s", header="Bad Name"))
    assert caught.value.field == "authorization"
