"""Tests of the samples."""

from __future__ import annotations

from typing import Any

import pytest

from connections.core.attributes import Attribute, AttributeType, examples
from connections.core.errors import BuildError, DescriptionError
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.core.request.builder import RequestBuilder
from connections.core.samples import build_sample_request, sample_attributes
from tests.connections.core.factories import NOW, header, spec

CATALOGUE = {
    "email": Attribute(key="email", label="E-mail", type=AttributeType.TEXT, example="a@b.example"),
    "price": Attribute(key="price", label="Price", type=AttributeType.DECIMAL, example="2.50"),
}


def refusal(sample: dict[str, Any]) -> str:
    with pytest.raises(DescriptionError) as caught:
        sample_attributes(spec(sample=sample), CATALOGUE)
    return str(caught.value)


def test_the_examples_of_the_catalogue_are_the_default_sample() -> None:
    assert sample_attributes(spec()) == examples()


def test_the_sample_of_a_connection_replaces_examples_and_is_typed() -> None:
    found = sample_attributes(spec(sample={"price": "10.00"}), CATALOGUE)
    assert {key: str(value) for key, value in found.items()} == {
        "email": "a@b.example",
        "price": "10.00",
    }
    assert found["price"] == 10


def test_an_invalid_sample_is_refused() -> None:
    assert refusal({"prize": "1"}) == (
        'sample.prize: There is no attribute "prize". Did you mean "price"?'
    )
    assert refusal({"price": "much"}).startswith("sample.price: The value ")


def test_a_sample_request_has_a_test_token_and_a_test_key() -> None:
    oauth = OAuth2ClientCredentials(
        token_url="https://crm.example/token", client_id="id", client_secret="s3cret"
    )
    described = spec(authorization=oauth)
    request = build_sample_request(RequestBuilder(described), sample_attributes(described), NOW)
    assert header(request, "Authorization") == "Bearer test-token"
    assert header(request, "Idempotency-Key") == "00000000-0000-0000-0000-000000000000"


def test_a_sample_without_a_required_attribute_is_refused() -> None:
    described = spec(required=("email",), sample={"email": ""})
    builder = RequestBuilder(described)
    with pytest.raises(BuildError):
        build_sample_request(builder, sample_attributes(described), NOW)
