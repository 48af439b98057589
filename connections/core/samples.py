"""Build a connection's sample: the attributes and the request for previews, checks and tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connections.core.attributes import CATALOGUE, AttributeValueError, Catalogue, examples
from connections.core.errors import DescriptionError, did_you_mean
from connections.core.messages import Request
from connections.core.request.authorization import SigningContext
from connections.core.request.builder import RequestBuilder
from connections.core.spec import ConnectionSpec

_SAMPLE_DELIVERY_ID = "00000000-0000-0000-0000-000000000000"


def sample_attributes(spec: ConnectionSpec, catalogue: Catalogue = CATALOGUE) -> dict[str, object]:
    """Return the catalogue's examples, replaced by the connection's own samples where it has some.

    The values are typed for templates. Raises DescriptionError for a sample that no referral could
    carry.
    """
    own = {key: _typed_sample(key, value, catalogue) for key, value in spec.sample.items()}
    return examples(catalogue) | own


def build_sample_request(
    builder: RequestBuilder, attributes: Mapping[str, object], now: datetime
) -> Request:
    """Return the request for the sample attributes, without fetching a token.

    Raises BuildError if no request can be built from them.
    """
    context = SigningContext(moment=now, message_id=_SAMPLE_DELIVERY_ID)
    return builder.build(attributes, idempotency_key=_SAMPLE_DELIVERY_ID, context=context)


def _typed_sample(key: str, value: object, catalogue: Catalogue) -> object:
    field = f"sample.{key}"
    if key not in catalogue:
        message = f'There is no attribute "{key}".{did_you_mean(key, catalogue)}'
        raise DescriptionError(field, message)
    try:
        return catalogue[key].typed(catalogue[key].clean(value))
    except AttributeValueError as error:
        raise DescriptionError(field, f"The value {error}.") from error
