"""Tests that texts chosen to make regular expressions slow are parsed in time.

Each text is parsed in its own process, which can be killed: a running regular expression holds the
GIL and cannot be interrupted.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

from tests.timing import scaled

_TIMEOUT_SECONDS = scaled(30)
"""Most of it is for starting Python on a busy machine."""

# Each text is so long that the pattern took several times the timeout before it was fixed.
_SCRIPTS = {
    "comments that never end": """
from connections.core.response.parsed import ParsedResponse
from connections.core.messages import Response
print(ParsedResponse(Response(status=200, body=b"<!--x>" * 100_000)).xml.why)
""",
    "quoted names of ids in a row": """
from connections.core.response.suggestions import Condition, _condition
print([condition.operator for condition in _condition("json", "'id" * 100_000 + "/", "x")])
""",
    "a word that might be an address": """
from connections.importers.curl.body_values import TextBody
print([value.value for value in TextBody("a" * 300_000 + " jo@example.com").values()])
""",
    "two words that might be an address": """
from connections.importers.curl.body_values import TextBody
print(TextBody("a" * 150_000 + "@" + "b" * 150_000).values())
""",
    "a stand-in over two lines": """
from connections.importers.curl.credentials import without_stand_in
print(len(without_stand_in("yourkey" * 100_000 + "\\nx")))
""",
    "a URL of many parameters": """
from connections.importers.curl.tokenizer import split_command
print(len(split_command("curl https://a?" + "&" * 250_000).words[1]))
""",
    "placeholders that never end": """
from connections.core.request.bodies.urlencoded import _split_outside_placeholders
print(len(_split_outside_placeholders("a&" + "{{" * 150_000 + "&")))
""",
    "a host of placeholders that never end": """
from connections.core.request.builder import _AUTHORITY
print(len(_AUTHORITY.match("https://" + "{{" * 100_000)[1]))
""",
    "JSON in quotes that never end": """
from connections.core.formatting import indent_json
print(len(indent_json('"\\\\' * 100_000)))
""",
    "a credential that may be read in many ways": """
from connections.core.masking import Mask
echo = "".join(letter + r"\\\\\\u0021" for letter in "abcdefghijklmno") + "x"
print(Mask(["a!b!c!d!e!f!g!h!i!j!k!l!m!n!o!p!"]).in_text("abcdefghijklmnop" + echo * 500)[-1])
""",
    "backslashes that may be read in many ways": """
from connections.core.masking import Mask
print(Mask([r"\\!" * 12 + "z"]).in_text("z" + r"\\\\\\!" * 9_000)[-1])
""",
    "a credential that stands everywhere": """
from connections.core.masking import Mask
print(len(Mask(["a"]).in_text("a " * 1_000_000)))
""",
    "markup in which nothing is closed": """
from django.conf import settings
settings.configure()
from connections.presentation.highlight import highlight
from connections.core.formatting import Language
for opened in ("<!--", "<?", "<![CDATA[", "<script>", "<a ", "<a b='", "&", "</a "):
    highlight(opened * 40_000, Language.XML)
highlight("<a " + "b" * 300_000, Language.HTML)
print("coloured")
""",
    "many texts for one pattern": """
from connections.core.response.operators import Comparison, matches
print(matches(Comparison(values=["(a|aa)+$"], ignore_case=False))(["a" * 22 + "b"] * 10_000))
""",
    "many texts for the pattern in a JSON path": """
import json
from connections.core.response.parsed import ParsedResponse
from connections.core.messages import Response
from connections.core.response.extractors import extractors
body = json.dumps(["a" * 22 + "b"] * 10_000).encode()
parsed = ParsedResponse(Response(status=200, body=body))
print(extractors["json"]("$[?search(@, '(a|aa)+$')]").extract(parsed))
""",
}
_OUTPUTS = {
    "comments that never end": "the body is not well-formed XML",
    "quoted names of ids in a row": "['equals']",
    "a word that might be an address": "['jo@example.com']",
    "two words that might be an address": "[]",
    "a stand-in over two lines": "700002",
    "a URL of many parameters": "250010",
    "placeholders that never end": "2",
    "a host of placeholders that never end": "200000",
    "JSON in quotes that never end": "200000",
    "a credential that may be read in many ways": "x",
    "backslashes that may be read in many ways": "!",
    "a credential that stands everywhere": "5000000",
    "markup in which nothing is closed": "coloured",
    "many texts for one pattern": "False",
    "many texts for the pattern in a JSON path": (
        "ParseFailure(why='the pattern in the path takes too long for this body')"
    ),
}


@pytest.mark.parametrize("name", _SCRIPTS)
def test_a_text_for_slow_patterns_is_parsed_in_time(name: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SCRIPTS[name]], cwd=settings.BASE_DIR,
        capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    assert (finished.stderr, finished.stdout.strip()) == ("", _OUTPUTS[name])
