"""Find the credentials in a pasted request.

The sentences that tell what was found hold no credential.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from connections.core.request.authorization import Authorization
from connections.core.request.authorization.static import ApiKey, Basic, Bearer, None_
from connections.importers.curl.attribute_matching import snake_case

_SECRET_HEADER = re.compile(
    r"(?:.*[-_])?"
    r"(api[-_]?key|apikey|token|auth[-_]?key|x-auth|secret|subscription[-_]key|app[-_]?key|"
    r"api[-_]?id|password|access[-_]?key|application[-_]?key)",
    re.IGNORECASE,
)
_SECRET_FIELD = re.compile(
    r"(?:.*[-_.\[])?"
    r"(api[-_]?key|hapikey|access[-_]?token|auth[-_]?token|token|secret|api[-_]?secret|"
    r"client[-_]?secret|password|pwd|access[-_]?key|apitoken|auth[-_]?key)\]?",
    re.IGNORECASE,
)
_STAND_IN = re.compile(
    r"(?!.*\n)(?:"  # Said once, since each repeat would find out for itself.
    r"<.*>|\[.*\]|\{.*\}|\$\{?\w+\}?|%\w+%|[x*•.…]{3,}|(your|my|the)[-_ ].*|"
    r".*[-_ ](here|goes[-_ ]here)|(insert|replace|enter|put)[-_ ].*|api_?key_?\w*|"
    r"(api|access|auth|secret|bearer|private)?[-_ ]?(key|token|secret|password)|"
    r".*your[-_]?(api|access|secret|private|key|token).*)",
    re.IGNORECASE,
)
"""What documentation puts where a credential goes: YOUR_API_KEY, <token>, $KEY, xxxx."""


@dataclass(slots=True, kw_only=True)
class Credentials:
    """The credentials found so far: the first is the authorization, others get names."""

    authorization: Authorization = field(default_factory=None_)
    named: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    @property
    def has_authorization(self) -> bool:
        """Whether an authorization was found already."""
        return not isinstance(self.authorization, None_)

    def set_authorization(self, authorization: Authorization, sentence: str) -> None:
        """Set the authorization, with the sentence that says where it was found."""
        self.authorization = authorization
        self.found.append(sentence)

    def name(self, field_name: str, value: str) -> str:
        """Store a credential under a name of its own; return the template that stands for it."""
        name = snake_case(field_name)
        while name in self.named and self.named[name] != without_stand_in(value):
            name += "_2"
        self.named[name] = without_stand_in(value)
        self.found.append(f"{field_name} is kept as the credential {name}.")
        return f"{{{{ credentials.{name} }}}}"


def without_stand_in(value: str) -> str:
    """Return the credential, or an empty text for a stand-in such as YOUR_KEY."""
    return "" if _STAND_IN.fullmatch(value.strip()) else value


def is_secret_field(name: str) -> bool:
    """Whether a field of a body or query is a credential by its name."""
    return _SECRET_FIELD.fullmatch(name) is not None


def add_user(credentials: Credentials, user: str) -> None:
    """Add `--user name:password`; a name without a password is a key and is never shown."""
    name, _, password = user.partition(":")
    if name and not password:
        key = base64.b64encode(f"{name}:".encode()).decode() if without_stand_in(name) else ""
        api_key = ApiKey(name="Authorization", prefix="Basic", key=key)
        credentials.set_authorization(
            api_key, "The user name is a key: kept in the Authorization header."
        )
        return
    basic = Basic(username=name, password=without_stand_in(password))
    credentials.set_authorization(basic, f"User name {name} and password.")


def add_header(credentials: Credentials, name: str, value: str) -> str | None:
    """Add the credential in a header; return the header's template, or None where it became the
    authorization."""
    if name.lower() == "authorization" and not credentials.has_authorization:
        _add_authorization(credentials, value)
        return None
    is_secret = name.lower() == "authorization" or _SECRET_HEADER.fullmatch(name)
    if not is_secret or not value or "{{" in value:
        return value
    if credentials.has_authorization:
        return credentials.name(name, value)
    credentials.set_authorization(
        ApiKey(name=name, key=without_stand_in(value)), f"API key in the header {name}."
    )
    return None


def _add_authorization(credentials: Credentials, value: str) -> None:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "basic" and rest:
        user = _decoded(rest)
        if user:
            add_user(credentials, user)
            return
    if scheme.lower() == "bearer" and rest:
        credentials.set_authorization(Bearer(token=without_stand_in(rest)), "Bearer token.")
        return
    prefix, key = (scheme, rest) if rest else ("", scheme)
    api_key = ApiKey(name="Authorization", prefix=prefix, key=without_stand_in(key))
    credentials.set_authorization(api_key, "API key in the header Authorization.")


def _decoded(text: str) -> str:
    """Decode the user of Basic authorization; return an empty text for a stand-in."""
    try:
        user = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return user if ":" in user else ""
