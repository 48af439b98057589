"""A signature over the request's body (HMAC), with Standard Webhooks among its presets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import ClassVar

from connections.core.messages import Request
from connections.core.registry import setting
from connections.core.request.authorization.base import (
    Authorization,
    Flow,
    SigningContext,
    authorizations,
    with_header,
)

_STANDARD = "standard_webhooks"
_STANDARD_PREFIX = "whsec_"


@authorizations.register("signature")
@dataclass(frozen=True, kw_only=True)
class Signature(Authorization):
    kind: ClassVar[str] = "signature"
    label: ClassVar[str] = "Signature over the body"
    help: ClassVar[str] = "The CRM checks an HMAC of the body, made with a shared secret."

    scheme: str = setting(
        "Scheme",
        choices=(
            ("hmac", "HMAC of the body in one header"),
            (_STANDARD, "Standard Webhooks 1.0 (webhook-id, -timestamp, -signature)"),
        ),
        default="hmac",
    )
    secret: str = setting("Secret", secret=True, required=True)
    header: str = setting("Header", default="X-Signature", help="Not used by Standard Webhooks.")
    algorithm: str = setting(
        "Algorithm",
        choices=(("sha256", "SHA-256"), ("sha512", "SHA-512"), ("sha1", "SHA-1")),
        default="sha256",
    )
    encoding: str = setting(
        "Encoding", choices=(("hex", "Hex"), ("base64", "Base64")), default="hex"
    )
    prefix: str = setting("Prefix", help="Stands before the signature: sha256=")

    def flow(self, request: Request, context: SigningContext) -> Flow:
        is_standard = self.scheme == _STANDARD
        yield self._sign_standard(request, context) if is_standard else self._sign(request)

    def derived_secrets(self) -> tuple[str, ...]:
        return (self.secret.removeprefix(_STANDARD_PREFIX),)

    def _sign(self, request: Request) -> Request:
        digest = hmac.new(self.secret.encode(), request.body, self.algorithm).digest()
        text = digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()
        return with_header(request, self.header, f"{self.prefix}{text}")

    def _sign_standard(self, request: Request, context: SigningContext) -> Request:
        """Sign `id.timestamp.body` with HMAC-SHA-256, as Standard Webhooks 1.0.0 says."""
        timestamp = str(int(context.moment.timestamp()))
        signed = f"{context.message_id}.{timestamp}.".encode() + request.body
        digest = hmac.new(self._standard_key(), signed, hashlib.sha256).digest()
        for name, value in (
            ("webhook-id", context.message_id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", f"v1,{base64.b64encode(digest).decode()}"),
        ):
            request = with_header(request, name, value)
        return request

    def _standard_key(self) -> bytes:
        encoded = self.secret.removeprefix(_STANDARD_PREFIX)
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return encoded.encode()
