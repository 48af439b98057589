"""Hypothesis strategies for values, credentials, rules, responses and documents."""

from hypothesis import settings
from hypothesis import strategies as st

from connections.core.messages import Headers
from connections.core.response.outcomes import RULE_OUTCOMES
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import Rule
from connections.core.values import ExactNumber

many_examples = settings(max_examples=150)

CONTROLS = "".join(map(chr, [*range(9), 11, 12, *range(14, 32)])) + "\ufffe\uffff"
STORABLE_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS)
SPECIAL_CHARACTERS = st.sampled_from(
    [*"\"'&<>%+=;/\\{}[]()\r\n\t ,:#?@.", "]]>", "{{ x }}", "é", "🎉", "ש", "\u2028"]
)

texts = st.lists(STORABLE_CHARACTERS | SPECIAL_CHARACTERS, min_size=1, max_size=12).map("".join)
numbers = st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
)
values = st.one_of(
    texts,
    st.integers(-(10**40), 10**40),
    st.booleans(),
    numbers.map(lambda number: ExactNumber(format(number, "f"))),
)

SECRET_CHARACTERS = st.characters(
    exclude_categories=["Cs"], exclude_characters=CONTROLS + "\r\n•"
) | st.sampled_from([*"\"'&<>%+=;/\\ -_~:0aA", "é", "🎉"])
secrets = st.text(SECRET_CHARACTERS, min_size=4, max_size=24)

PATHS = {
    "text": [""],
    "json": [
        "$",
        "a",
        "a.b[0]",
        "[0].a",
        "$..a",
        "$.*",
        "$[?@.a == 1]",
        "$[?search(@.a, '(a+)+$')]",
        "a[-1]",
    ],
    "xpath": [
        "//a",
        "/a/b",
        "//@b",
        "count(//a)",
        "string(//a)",
        "//a = 1",
        "//x:a/text()",
        "//comment()",
        "1 div 0",
    ],
    "header": ["X-A", "content-type"],
}
VALUES = {
    "matches": ["(a+)+$", ".", "^1", r"\d+", "[é🎉]"],
    "exists": [""],
    "absent": [""],
    "empty": [""],
}
WORDS = ["1", "true", "a", "null", "2.50", "[]", "é", " "]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    where = draw(st.sampled_from(list(PATHS)))
    operator = draw(st.sampled_from(["equals", "one_of", "contains", "contains_word", *VALUES]))
    value = draw(st.sampled_from(VALUES.get(operator, WORDS)))
    return Rule(
        outcome=draw(st.sampled_from(RULE_OUTCOMES)),
        status=draw(st.sampled_from(["", "200", "2xx", "4xx, 500-599"])),
        where=where,
        path=draw(st.sampled_from(PATHS[where])),
        operator=operator,
        value=(value,) if value else (),
        ignore_case=draw(st.booleans()),
    )


retry_afters = st.builds(
    RetryAfter,
    where=st.sampled_from(["json", "header"]),
    path=st.sampled_from(["a", "X-A"]),
    unit=st.sampled_from(list(RetryAfterUnit)),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)
BODY_FRAGMENTS = (
    *("<a", ">", "</a>", "<b>", "</b>", "&", "&amp;", "&x;", "x:", " xmlns:x='y'", "<!--", "-->"),
    *("<?xml version='1.0' encoding='", "utf-16'?>", "<!DOCTYPE a [", "<!ENTITY x 'y'>", "]>"),
    *("<![CDATA[", "]]>", "{", "}", '"a"', ":", "[", "]", ",", "1e999", "-", "9" * 5_000, "NaN"),
    *("true", r'"\ud800"', "\ufeff", "\0", "é", "a" * 30 + "!"),
)
body_fragments = st.lists(st.sampled_from(BODY_FRAGMENTS), max_size=14)
bodies = st.one_of(
    st.binary(max_size=60), body_fragments.map(lambda parts: "".join(parts).encode())
)

CHARSETS = [
    "utf-8",
    "utf-16",
    "latin-1",
    "klingon",
    "",
    "idna",
    "punycode",
    "utf-7",
    "unicode_escape",
    "hex",
    "é",
]
DATES = [
    "Tue, 24 Nov 2026 16:05:00 GMT",
    "0001",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "1e999",
    "-1",
    "x",
]


@st.composite
def headers(draw: st.DrawFn) -> Headers:
    charset = draw(st.sampled_from(CHARSETS) | st.text(max_size=8))
    return (
        ("Content-Type", f"text/xml; charset={charset}"),
        ("Retry-After", draw(st.sampled_from(DATES) | st.text(max_size=30))),
        ("X-A", draw(st.text(max_size=8))),
    )


LIQUID_FRAGMENTS = (
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{{-",
        "-%}",
        " email ",
        " age ",
        "|",
        ":",
        ",",
        ".",
        "[",
        "]",
        "'",
        '"',
    ),
    *("if ", "endif", "for ", " in ", "(1..3)", "endfor", "else", "assign ", "=", "case ", "when "),
    *(
        "upcase",
        "default",
        "append",
        "date",
        "times",
        "split",
        "first",
        "json",
        "md5",
        "credentials",
    ),
    *(
        "{",
        "}",
        "<a>",
        "</a>",
        "&",
        "\n",
        "\\",
        "é",
        "1",
        "-",
        "9" * 5_000,
        " and ",
        "contains",
        "raw",
    ),
)
documents = st.text(max_size=20) | st.lists(st.sampled_from(LIQUID_FRAGMENTS), max_size=12).map(
    "".join
)

PATH_FRAGMENTS = (
    *(
        "$",
        ".",
        "..",
        "[",
        "]",
        "?",
        "@",
        "*",
        "(",
        ")",
        "'",
        '"',
        "==",
        "a",
        "1",
        "-",
        ",",
        ":",
        "//",
    ),
    *("/", "::", "|", "&", "#", "+", "{", "}", "^", "\\", "<", "search", "count", " ", "é", "\0"),
)
paths_and_patterns = st.text(max_size=12) | st.lists(
    st.sampled_from(PATH_FRAGMENTS), max_size=10
).map("".join)
