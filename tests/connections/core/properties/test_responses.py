"""Properties of the classification of every response."""

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from connections.core.errors import DescriptionError
from connections.core.messages import Headers
from connections.core.response.extractors import extractors
from connections.core.response.matching import ResponseHandling, classify
from connections.core.response.operators import Comparison, operators
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter
from connections.core.response.rules import Rule, parse_statuses
from tests.connections.core.factories import exchange, parse_response
from tests.connections.core.properties.strategies import (
    bodies,
    headers,
    json_values,
    many_examples,
    paths_and_patterns,
    retry_afters,
    rules,
)


@many_examples
@given(
    st.lists(rules(), max_size=4),
    st.integers(0, 700) | st.sampled_from([200, 201, 400, 409, 429, 500]),
    bodies | json_values.map(lambda value: json.dumps(value).encode()),
    headers(),
    st.none() | retry_afters,
)
def test_classify_and_explain_never_raise(
    some_rules: list[Rule],
    status: int,
    content: bytes,
    given_headers: Headers,
    retry_after: RetryAfter | None,
) -> None:
    handling = ResponseHandling(
        rules=tuple(some_rules), reason="$..a", reference="//a", wait=retry_after
    )
    classification = classify(handling, exchange(status, content, given_headers))
    assert isinstance(classification.outcome, Outcome)
    assert (
        classification.rule is None
        or some_rules[classification.rule].outcome is classification.outcome
    )
    assert classification.retry_after is None or 0 <= classification.retry_after <= 86_400
    classification.reason.encode()
    classification.reference.encode()
    for described in some_rules:
        assert described.explain(parse_response(content, given_headers, status)).endswith(".")


@many_examples
@given(paths_and_patterns)
def test_a_path_or_a_pattern_raises_only_documented_errors(text: str) -> None:
    for where in ("json", "xpath", "header"):
        with suppress(DescriptionError):
            extractors[where](text).extract(parse_response('{"a": [1, {"a": 2}]}'))
    with suppress(DescriptionError):
        test = operators["matches"].compile(Comparison(values=(text,), ignore_case=True))
        test(["a1", "é"])
    with suppress(DescriptionError):
        ResponseHandling(reason=text, reference=text)
    with suppress(DescriptionError):
        parse_statuses(text)
