"""Parse the words of a `curl` command into the request that curl would send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from getopt import GetoptError, gnu_getopt
from urllib.parse import quote_plus

from connections.importers.curl.errors import CurlError

_SHORT_WITH_VALUE = {
    "X": "request", "H": "header", "d": "data", "u": "user", "A": "user-agent", "e": "referer",
    "b": "cookie", "F": "form", "o": "output", "w": "write-out", "m": "max-time", "x": "proxy",
    "c": "cookie-jar", "E": "cert", "D": "dump-header", "T": "upload-file", "K": "config",
    "U": "proxy-user", "r": "range", "C": "continue-at", "z": "time-cond", "y": "speed-time",
    "Y": "speed-limit",
}  # fmt: skip
_SHORT_FLAGS = {"G": "get", "I": "head"}
_IGNORED_SHORT = "sSikLvfgN460#123anqJOlpRj"
_IGNORED_FLAGS = {
    "silent", "show-error", "include", "insecure", "location", "location-trusted", "verbose",
    "fail", "fail-with-body", "fail-early", "globoff", "no-buffer", "compressed", "http1.0",
    "http1.1", "http2", "http2-prior-knowledge", "http3", "http3-only", "ipv4", "ipv6", "anyauth",
    "basic", "progress-bar", "no-progress-meter", "tlsv1", "tlsv1.0", "tlsv1.1", "tlsv1.2",
    "tlsv1.3", "ssl-reqd", "path-as-is", "tcp-nodelay", "no-keepalive", "keepalive", "remote-name",
    "remote-header-name", "create-dirs", "netrc", "post301", "post302", "post303", "raw",
    "tr-encoding", "styled-output", "disable", "no-sessionid", "junk-session-cookies", "no-alpn",
    "retry-all-errors", "retry-connrefused", "show-headers", "no-clobber", "ssl-no-revoke",
}  # fmt: skip
_UNDERSTOOD = {
    "request", "header", "data", "data-raw", "data-ascii", "data-binary", "data-urlencode", "json",
    "user", "url", "user-agent", "referer", "cookie", "form", "form-string", "oauth2-bearer",
    "url-query",
}  # fmt: skip
_IGNORED_WITH_VALUE = {
    "output", "write-out", "max-time", "connect-timeout", "retry", "retry-delay", "retry-max-time",
    "proxy", "proxy-user", "cookie-jar", "cert", "cacert", "capath", "key", "pass", "dump-header",
    "resolve", "connect-to", "interface", "limit-rate", "ciphers", "max-redirs", "range",
    "trace-ascii", "trace", "continue-at", "time-cond", "speed-time", "speed-limit", "cert-type",
    "key-type", "tls-max", "tls13-ciphers", "stderr", "noproxy",
}  # fmt: skip
_REFUSED = {
    "upload-file": "A file can't be sent; give the body with --data.",
    "config": "A file of options can't be read; paste the options themselves.",
    "digest": "Digest authorization is not known here.",
    "ntlm": "NTLM authorization is not known here.",
    "negotiate": "Negotiate authorization is not known here.",
    "aws-sigv4": "AWS signatures are not known here.",
    "next": "Only one request at a time: paste what stands before --next.",
    "head": "HEAD can't deliver anything; use the command that sends data.",
}
_WITH_VALUE = {*_UNDERSTOOD, *_IGNORED_WITH_VALUE, "upload-file", "config"}
_FLAGS = ({"get"} | _IGNORED_FLAGS | set(_REFUSED)) - _WITH_VALUE

_SHORT = "".join([*(f"{letter}:" for letter in _SHORT_WITH_VALUE), *_SHORT_FLAGS, _IGNORED_SHORT])
_LONG = [*(f"{name}=" for name in _WITH_VALUE), *_FLAGS]


@dataclass(slots=True, kw_only=True)
class CurlRequest:
    """What a command would send. `data` is joined with &, `fields` come from --form."""

    method: str = ""
    urls: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)
    user: str | None = None
    bearer: str = ""
    is_json: bool = False
    is_get: bool = False
    left_out: list[str] = field(default_factory=list)

    @property
    def body(self) -> str:
        """The data as one text; --json joins without &, as curl does."""
        return ("" if self.is_json else "&").join(self.data)


def parse_options(words: Sequence[str]) -> CurlRequest:
    """Parse the words; raise CurlError naming the word that is not understood."""
    request = CurlRequest()
    for name, value, typed in _options(_arguments(words)):
        if name in _REFUSED:
            raise CurlError(typed, _REFUSED[name])
        if name in _UNDERSTOOD or name == "get":
            _apply(request, name, value)
        else:
            request.left_out.append(typed)
    return request


def _arguments(words: Sequence[str]) -> list[str]:
    """Return the words after `curl`, which settings such as KEY=value may precede."""
    rest = list(words)
    while rest and re.fullmatch(r"[A-Za-z_]\w*=.*", rest[0], re.DOTALL):
        rest.pop(0)
    if not rest:
        raise CurlError("", "Paste a command that begins with curl.")
    if not re.search(r"(^|[\\/])curl(\.exe)?$", rest[0]):
        raise CurlError(rest[0], "The command must begin with curl.")
    return rest[1:]


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and the option as it was typed; what is no option is the URL."""
    try:
        options, urls = gnu_getopt(arguments, _SHORT, _LONG)
    except GetoptError as error:
        raise _not_understood(error.opt) from error
    for option, value in options:
        letter = option.removeprefix("-")
        name = {**_SHORT_WITH_VALUE, **_SHORT_FLAGS}.get(letter, option.removeprefix("--"))
        yield name, value, f"{option} {value}".rstrip()
    yield from (("url", url, url) for url in urls)


def _not_understood(option: str) -> CurlError:
    if option in _SHORT_WITH_VALUE or option in _WITH_VALUE:
        problem = "Its value is missing."
    elif option in _FLAGS:
        problem = "It takes no value."
    else:
        problem = "This option is not known here; leave it out."
    return CurlError(f"-{option}" if len(option) == 1 else f"--{option}", problem)


def _apply(request: CurlRequest, name: str, value: str) -> None:
    match name:
        case "request":
            request.method = value.upper()
        case "header":
            request.headers.append(_header(value))
        case "user-agent" | "referer" | "cookie":
            request.headers.append((name.title(), value))
        case "user":
            request.user = value
        case "oauth2-bearer":
            request.bearer = value
        case "url":
            request.urls.append(value)
        case "get":
            request.is_get = True
        case "url-query":
            request.query.append(_urlencoded(value))
        case _:
            _apply_data(request, name, value)


def _apply_data(request: CurlRequest, name: str, value: str) -> None:
    if name in ("form", "form-string"):
        request.fields.append(_form_field(value))
        return
    if value.startswith("@") and name != "data-raw":
        raise CurlError(f"--{name} {value}", "The body is in a file: paste its content instead.")
    request.is_json = request.is_json or name == "json"
    request.data.append(_urlencoded(value) if name == "data-urlencode" else value)


def _header(text: str) -> tuple[str, str]:
    if text.startswith("@"):
        raise CurlError(text, "The headers are in a file: paste them as -H options.")
    name, separator, value = text.partition(":")
    if not separator and text.endswith(";"):
        return text.removesuffix(";").strip(), ""
    if not separator:
        raise CurlError(text, "A header looks like Name: value.")
    return name.strip(), value.strip()


def _form_field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or value.startswith(("@", "<")):
        raise CurlError(text, "A form field looks like name=value; files can't be sent.")
    return name, value


def _urlencoded(text: str) -> str:
    """Encode the content of `name=content` as curl does; `=content` and `content` have no name."""
    name, equals, content = text.partition("=")
    if not equals and "@" in text:
        raise CurlError(text, "The content is in a file: paste it instead.")
    if not equals:
        return quote_plus(text)
    return f"{name}={quote_plus(content)}" if name else quote_plus(content)
